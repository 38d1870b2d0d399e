"""The coders of a section's integers: which of them a codec asks for, and whether in C or in numba.

Imports of a function's own: numba takes half a second to import, and is needed only where nothing was compiled for C.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.formats.igs import compiled_coder as compiled
from imagegs_tex.formats.igs.coded_frame import Coder, decode_frame, encode_frame

if TYPE_CHECKING:
    from imagegs_tex.formats.igs.fast_coder import FastItems
    from imagegs_tex.formats.igs.prediction_coder import Items

_CODES_PER_GROUP: Final = 3
_ROOM_PER_BYTE: Final = 16
"""A bit of a description takes 12 bits at most."""


class Codec(IntEnum):
    """Stored in files: never renumber."""

    ZSTD = 1
    CONTEXT = 2
    PREDICTION = 3
    FAST = 4
    """Of sections without coded integers: their plain form as it is."""
    TRAINED = 5
    DESCRIPTION = 6
    """Of the bytes of sections maps and components."""


PREDICTING: Final = (Codec.PREDICTION, Codec.TRAINED)
"""One coder, whose mixer begins differently."""


@dataclass(frozen=True, slots=True)
class CellOrder:
    """Which cell each Gaussian lies in."""

    numbers: NDArray[np.int64]  # [N] ascending, row * across + column
    across: int  # cells per row
    down: int  # rows of cells

    @property
    def firsts(self) -> NDArray[np.uint32]:
        """The first Gaussian of each cell and, last, their number [cells + 1]."""
        return np.searchsorted(self.numbers, np.arange(self.across * self.down + 1)).astype(np.uint32)


@dataclass(frozen=True, slots=True)
class KnownGeometry:
    """What is known of the Gaussians before their features are read."""

    order: CellOrder
    shape_codes: NDArray[np.int16]  # [N, 3]
    position_codes: NDArray[np.int32]  # [N, 2]
    exponents: NDArray[np.int32]  # [N, 2] of the position steps


@dataclass(frozen=True, slots=True)
class Description:
    """A section of bytes rather than of integers."""

    section: int  # compiled_coder.MAPS or COMPONENTS
    channels: int  # C
    components: int  # K


def encode_description(raw: bytes, described: Description) -> bytes:
    """Code the plain form of section maps or components, which is not empty."""
    coded = np.zeros(_ROOM_PER_BYTE * len(raw) + _ROOM_PER_BYTE, np.uint8)
    used = _description_coder(described, writes=True)(np.frombuffer(raw, np.uint8).astype(np.int32)[:, None], coded)
    assert used >= 0
    return coded[:used].tobytes()


def decode_description(data: bytes, count: int, described: Description) -> bytes:
    """Return the plain form, of count bytes.

    Raises:
        ValueError: the data are not exactly what these bytes take
    """
    values, coded = np.zeros((count, 1), np.int32), np.frombuffer(data, np.uint8).copy()
    used = _description_coder(described)(values, coded)
    if used != len(coded):
        raise ValueError(f"takes {used} bytes of {len(coded)}")
    return values.astype(np.uint8).tobytes()


def _description_coder(described: Description, *, writes: bool = False) -> Coder:
    if compiled.is_compiled():
        grid = described.channels, described.components
        return compiled.coder(compiled.Planes(Codec.DESCRIPTION, described.section, grid, 0), writes=writes)
    from imagegs_tex.formats.igs import byte_coder

    if described.section == compiled.MAPS:
        return lambda values, coded: byte_coder.code_maps(values, coded, decoding=not writes)
    fields = described.channels, described.components
    return lambda values, coded: byte_coder.code_components(values, coded, *fields, decoding=not writes)


def checks_beside(codec: Codec) -> bool:
    """Whether planes can be decoded while they are coded."""
    return compiled.is_compiled() and codec in {Codec.CONTEXT, *PREDICTING}


def encode_counts(codec: Codec, counts: NDArray[np.int64], across: int) -> bytes:
    """Code the counts [cells] of section cells."""
    grid = across, len(counts) // across
    if compiled.is_compiled():
        planes = _counts(codec, grid, int(counts.sum()))
        return encode_frame(counts[:, None], compiled.coder(planes, writes=True))
    if codec == Codec.FAST:
        from imagegs_tex.formats.igs import fast_coder as fast

        return fast.encode_counts(counts, across)
    if codec in PREDICTING:
        from imagegs_tex.formats.igs import prediction_coder as prediction

        return prediction.encode_planes(counts[:, None], prediction.cell_items(*grid), trained=codec == Codec.TRAINED)
    from imagegs_tex.formats.igs import context_coder as context

    groups = np.zeros(len(counts), np.int64)
    return context.encode_planes(counts[:, None], context.grid_neighbours(len(counts), across), groups)


def encode_shapes(codec: Codec, codes: NDArray[np.int16], order: CellOrder, *, check: bool = False) -> bytes:
    """Code the planes [N, 3] of section shapes; where check is set, decoded beside where :func:`checks_beside`."""
    if compiled.is_compiled():
        followed = check and checks_beside(codec)
        return encode_frame(codes, compiled.coder(_shapes(codec, order), writes=True, followed=followed))
    if codec == Codec.FAST:
        from imagegs_tex.formats.igs import fast_coder as fast

        return fast.encode_planes(codes, _fast_shape_items(order))
    if codec in PREDICTING:
        from imagegs_tex.formats.igs import prediction_coder as prediction

        items = prediction.shape_items(order.numbers, order.across, order.down)
        return prediction.encode_planes(codes, items, trained=codec == Codec.TRAINED)
    from imagegs_tex.formats.igs import context_coder as context

    neighbours = context.cell_neighbours(order.numbers, order.across)
    return context.encode_planes(codes, neighbours, _shares_cell(order))


def encode_features(codec: Codec, codes: NDArray[np.int16], geometry: KnownGeometry, *, check: bool = False) -> bytes:
    """Code the planes [N, K] of section features; check as in :func:`encode_shapes`."""
    if compiled.is_compiled():
        followed = check and checks_beside(codec)
        return encode_frame(codes, compiled.coder(_features(codec, geometry), writes=True, followed=followed))
    if codec == Codec.FAST:
        from imagegs_tex.formats.igs import fast_coder as fast

        return fast.encode_planes(codes, _fast_feature_items(geometry, codes.shape[1]))
    if codec in PREDICTING:
        from imagegs_tex.formats.igs import prediction_coder as prediction

        return prediction.encode_planes(codes, _feature_items(geometry), trained=codec == Codec.TRAINED)
    from imagegs_tex.formats.igs import context_coder as context

    neighbours = context.cell_neighbours(geometry.order.numbers, geometry.order.across)
    return context.encode_planes(codes, neighbours, _size_groups(geometry.shape_codes[:, 0]))


def decode_counts(codec: Codec, data: bytes, grid: tuple[int, int], gaussian_count: int) -> NDArray[np.int32]:
    """Return the counts [cells] of a section cells.

    Args:
        codec: but ZSTD, here and below
        data: the section's stored bytes
        grid: cells across and down
        gaussian_count: N

    Raises:
        ValueError: here and below, the data are not exactly what these planes take
    """
    count = grid[0] * grid[1]
    if compiled.is_compiled():
        return decode_frame(data, count, 1, compiled.coder(_counts(codec, grid, gaussian_count)))[:, 0]
    if codec == Codec.FAST:
        from imagegs_tex.formats.igs import fast_coder as fast

        return fast.decode_counts(data, grid, gaussian_count)
    if codec in PREDICTING:
        from imagegs_tex.formats.igs import prediction_coder as prediction

        items = prediction.cell_items(*grid)
        return prediction.decode_planes(data, 1, items, trained=codec == Codec.TRAINED)[:, 0]
    from imagegs_tex.formats.igs import context_coder as context

    return context.decode_planes(data, 1, context.grid_neighbours(count, grid[0]), np.zeros(count, np.int64))[:, 0]


def decode_shapes(codec: Codec, data: bytes, plane_count: int, order: CellOrder) -> NDArray[np.int32]:
    """Return the codes [N, M] of a section shapes."""
    if compiled.is_compiled():
        return decode_frame(data, len(order.numbers), plane_count, compiled.coder(_shapes(codec, order)))
    if codec == Codec.FAST:
        from imagegs_tex.formats.igs import fast_coder as fast

        return fast.decode_planes(data, plane_count, _fast_shape_items(order))
    if codec in PREDICTING:
        from imagegs_tex.formats.igs import prediction_coder as prediction

        items = prediction.shape_items(order.numbers, order.across, order.down)
        return prediction.decode_planes(data, plane_count, items, trained=codec == Codec.TRAINED)
    from imagegs_tex.formats.igs import context_coder as context

    neighbours = context.cell_neighbours(order.numbers, order.across)
    return context.decode_planes(data, plane_count, neighbours, _shares_cell(order))


def decode_features(codec: Codec, data: bytes, plane_count: int, geometry: KnownGeometry) -> NDArray[np.int32]:
    """Return the codes [N, M] of a section features."""
    order = geometry.order
    if compiled.is_compiled():
        return decode_frame(data, len(order.numbers), plane_count, compiled.coder(_features(codec, geometry)))
    if codec == Codec.FAST:
        from imagegs_tex.formats.igs import fast_coder as fast

        return fast.decode_planes(data, plane_count, _fast_feature_items(geometry, plane_count))
    if codec in PREDICTING:
        from imagegs_tex.formats.igs import prediction_coder as prediction

        items = _feature_items(geometry)
        return prediction.decode_planes(data, plane_count, items, trained=codec == Codec.TRAINED)
    from imagegs_tex.formats.igs import context_coder as context

    neighbours = context.cell_neighbours(order.numbers, order.across)
    return context.decode_planes(data, plane_count, neighbours, _size_groups(geometry.shape_codes[:, 0]))


def encode_weights(codes: NDArray[np.int32], across: int) -> bytes:
    """Code the weights [cells, V] of section repeat, of cells row by row, by context."""
    grid = across, len(codes) // across
    if compiled.is_compiled():
        return encode_frame(codes, compiled.coder(_weights(grid), writes=True))
    from imagegs_tex.formats.igs import context_coder as context

    return context.encode_planes(codes, context.grid_neighbours(len(codes), across), np.zeros(len(codes), np.int64))


def decode_weights(data: bytes, plane_count: int, grid: tuple[int, int]) -> NDArray[np.int32]:
    """Return the weights [cells, V] of section repeat, of cells across and down."""
    count = grid[0] * grid[1]
    if compiled.is_compiled():
        return decode_frame(data, count, plane_count, compiled.coder(_weights(grid)))
    from imagegs_tex.formats.igs import context_coder as context

    neighbours = context.grid_neighbours(count, grid[0])
    return context.decode_planes(data, plane_count, neighbours, np.zeros(count, np.int64))


def _weights(grid: tuple[int, int]) -> compiled.Planes:
    return compiled.Planes(Codec.CONTEXT, compiled.CELLS, grid, 0)


def _counts(codec: Codec, grid: tuple[int, int], gaussian_count: int) -> compiled.Planes:
    return compiled.Planes(codec, compiled.CELLS, grid, gaussian_count)


def _shapes(codec: Codec, order: CellOrder) -> compiled.Planes:
    grid = order.across, order.down
    return compiled.Planes(codec, compiled.SHAPES, grid, len(order.numbers), firsts=order.firsts)


def _features(codec: Codec, geometry: KnownGeometry) -> compiled.Planes:
    order = geometry.order
    return compiled.Planes(
        codec, compiled.FEATURES, (order.across, order.down), len(order.numbers), firsts=order.firsts,
        shapes=geometry.shape_codes, positions=geometry.position_codes, exponents=geometry.exponents,
    )  # fmt: skip


def _fast_shape_items(order: CellOrder) -> "FastItems":
    from imagegs_tex.formats.igs.fast_coder import shape_items

    return shape_items(order.numbers, order.across, order.down)


def _fast_feature_items(geometry: KnownGeometry, plane_count: int) -> "FastItems":
    from imagegs_tex.formats.igs.fast_coder import feature_items

    order, grid = geometry.order, (geometry.order.across, geometry.order.down)
    return feature_items(
        order.numbers, grid, geometry.shape_codes, geometry.position_codes, geometry.exponents, plane_count
    )


def _feature_items(geometry: KnownGeometry) -> "Items":
    from imagegs_tex.formats.igs.prediction_coder import feature_items

    order = geometry.order
    return feature_items(
        order.numbers, order.across, order.down, geometry.shape_codes, geometry.position_codes, geometry.exponents
    )


def _shares_cell(order: CellOrder) -> NDArray[np.int64]:
    """Return whether each Gaussian lies in the cell of the one before it [N]."""
    return np.asarray(np.diff(order.numbers, prepend=-1) == 0, np.int64)


def _size_groups(size_codes: NDArray[np.int16]) -> NDArray[np.int64]:
    """Return groups 0..6 by size [N], three codes wide around the mean."""
    codes = size_codes.astype(np.int64)
    mean = int(codes.sum()) // len(codes)
    return np.asarray(np.clip((codes - mean) // _CODES_PER_GROUP + 3, 0, 6))
