"""How a section of an .igs file is stored: as a Zstandard frame, or with its codes predicted where that is shorter."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Final

import numpy as np
import zstandard
from numpy.typing import NDArray

from imagegs_tex.formats.errors import IgsError
from imagegs_tex.formats.igs.entropy import Entropy
from imagegs_tex.formats.igs.planes import LEB128_END, Plane, pack_leb128, require

if TYPE_CHECKING:  # numba takes a while to import
    from imagegs_tex.formats.igs.context_coder import Neighbours
    from imagegs_tex.formats.igs.fast_coder import FastItems
    from imagegs_tex.formats.igs.prediction_coder import Items

MAX_RAW_BYTES: Final = 1 << 27
MAX_EXPANSION: Final = 512
MAX_CODED_EXPANSION: Final = 64
"""Of the other codecs, which take longer per byte: a small file must not decode for minutes."""
MOST_PREDICTED_CODES: Final = 1 << 22
"""Codes of a section with codec PREDICTION, which takes some 3 us for each, and four times that in a file made to be
slow: 466,000 Gaussians of 9 components. Larger sections are coded by context alone, in a tenth of the time."""
EXPANSION_ALLOWANCE: Final = 4096
ZSTD_LEVEL: Final = 19
_SMALL_BLOCK: Final = 1024
"""A zstd block has at least 4 bytes, so blocks of this size grow by 256 at most, which MAX_EXPANSION allows."""
_CODES_PER_GROUP: Final = 3


class Codec(IntEnum):
    """Stored in files: never renumber."""

    ZSTD = 1
    CONTEXT = 2
    PREDICTION = 3
    FAST = 4
    """Of sections without coded integers: their plain form as it is."""


@dataclass(frozen=True, slots=True)
class StoredSection:
    """A section as the file holds it."""

    codec: Codec
    data: bytes


@dataclass(frozen=True, slots=True)
class CellOrder:
    """Which cell each Gaussian lies in."""

    numbers: NDArray[np.int64]  # [N] ascending, row * across + column
    across: int  # cells per row
    down: int  # rows of cells


@dataclass(frozen=True, slots=True)
class KnownGeometry:
    """What is known of the Gaussians before their features are read."""

    order: CellOrder
    shape_codes: NDArray[np.int16]  # [N, 3]
    position_codes: NDArray[np.int32]  # [N, 2]
    exponents: NDArray[np.int32]  # [N, 2] of the position steps


def expansion_holds(codec: int, raw_bytes: int, stored_bytes: int) -> bool:
    """Whether a section's lengths keep the law of expansion."""
    most = MAX_EXPANSION if codec == Codec.ZSTD else MAX_CODED_EXPANSION
    return raw_bytes <= most * stored_bytes + EXPANSION_ALLOWANCE


def store(blocks: list[bytes], coded: StoredSection | None = None, entropy: Entropy = Entropy.SMALL) -> StoredSection:
    """Choose the shorter of a Zstandard frame of the blocks and what coding the section's codes gave.

    For fast reading there is no frame where the law of expansion does not ask for one.
    """
    raw_bytes = sum(map(len, blocks))
    if entropy == Entropy.FAST:
        fast = coded if coded is not None else StoredSection(Codec.FAST, b"".join(blocks))
        if expansion_holds(fast.codec, raw_bytes, len(fast.data)):
            return fast
    frame = compress_blocks(blocks)
    if coded is not None and len(coded.data) < len(frame) and expansion_holds(coded.codec, raw_bytes, len(coded.data)):
        return coded
    return StoredSection(Codec.ZSTD, frame)


def predictable(item_count: int, plane_count: int) -> bool:
    """Whether codec PREDICTION may be used for so many codes."""
    return item_count * plane_count <= MOST_PREDICTED_CODES


def code_counts(counts: NDArray[np.int64], across: int, entropy: Entropy = Entropy.SMALL) -> StoredSection:
    """Code the section cells."""
    if entropy == Entropy.FAST:
        from imagegs_tex.formats.igs.fast_coder import encode_counts

        return StoredSection(Codec.FAST, encode_counts(counts, across))
    if predictable(len(counts), 1):
        from imagegs_tex.formats.igs import prediction_coder as prediction

        items = prediction.cell_items(across, len(counts) // across)
        return StoredSection(Codec.PREDICTION, prediction.encode_planes(counts[:, None], items))
    from imagegs_tex.formats.igs.context_coder import encode_planes, grid_neighbours

    groups = np.zeros(len(counts), np.int64)
    return StoredSection(Codec.CONTEXT, encode_planes(counts[:, None], grid_neighbours(len(counts), across), groups))


def code_shapes(
    codes: NDArray[np.int16], order: CellOrder, entropy: Entropy = Entropy.SMALL
) -> StoredSection:  # fmt: skip
    """Code the section shapes [N, 3]."""
    if entropy == Entropy.FAST:
        from imagegs_tex.formats.igs import fast_coder as fast

        return StoredSection(Codec.FAST, fast.encode_planes(codes, _fast_shape_items(order)))
    if predictable(*codes.shape):
        from imagegs_tex.formats.igs import prediction_coder as prediction

        items = prediction.shape_items(order.numbers, order.across, order.down)
        return StoredSection(Codec.PREDICTION, prediction.encode_planes(codes, items))
    from imagegs_tex.formats.igs.context_coder import cell_neighbours, encode_planes

    neighbours = cell_neighbours(order.numbers, order.across)
    return StoredSection(Codec.CONTEXT, encode_planes(codes, neighbours, _shares_cell(order)))


def code_features(
    codes: NDArray[np.int16], geometry: KnownGeometry, entropy: Entropy = Entropy.SMALL
) -> StoredSection:  # fmt: skip
    """Code the section features [N, K]."""
    order = geometry.order
    if entropy == Entropy.FAST:
        from imagegs_tex.formats.igs import fast_coder as fast

        return StoredSection(Codec.FAST, fast.encode_planes(codes, _fast_feature_items(geometry, codes.shape[1])))
    if predictable(*codes.shape):
        from imagegs_tex.formats.igs import prediction_coder as prediction

        return StoredSection(Codec.PREDICTION, prediction.encode_planes(codes, _feature_items(geometry)))
    from imagegs_tex.formats.igs.context_coder import cell_neighbours, encode_planes

    neighbours = cell_neighbours(order.numbers, order.across)
    return StoredSection(Codec.CONTEXT, encode_planes(codes, neighbours, _size_groups(geometry.shape_codes[:, 0])))


def plain_counts(coded: StoredSection, raw_bytes: int, grid: tuple[int, int], gaussian_count: int) -> bytes:
    """Return the plain form of a coded section cells for a grid of cells, across and down."""
    across, count = grid[0], grid[0] * grid[1]
    require(raw_bytes >= count, "section cells is shorter than one byte per cell")
    if coded.codec == Codec.FAST:
        from imagegs_tex.formats.igs.fast_coder import decode_counts

        with _told_of("cells"):
            counts = decode_counts(coded.data, grid, gaussian_count)
    elif coded.codec == Codec.PREDICTION:
        require(predictable(count, 1), "section cells has too many codes for its codec")
        from imagegs_tex.formats.igs.prediction_coder import cell_items

        counts = _predicted(coded.data, 1, cell_items(*grid), "cells")[:, 0]
    else:
        from imagegs_tex.formats.igs.context_coder import grid_neighbours

        counts = _decode(coded.data, 1, (grid_neighbours(count, across), np.zeros(count, np.int64)), "cells")[:, 0]
    require(bool(np.all((counts >= 0) & (counts < LEB128_END))), "a code of section cells is out of range")
    raw = pack_leb128(counts.astype(np.int64))
    require(len(raw) == raw_bytes, f"section cells has {len(raw)} bytes instead of {raw_bytes}")
    return raw


def plain_shapes(coded: StoredSection, raw_bytes: int, planes: list[Plane], order: CellOrder) -> bytes:
    """Return the plain form of a coded section shapes."""
    _check_planes(coded, raw_bytes, planes, order, section="shapes")
    if coded.codec == Codec.FAST:
        from imagegs_tex.formats.igs import fast_coder as fast

        with _told_of("shapes"):
            codes = fast.decode_planes(coded.data, len(planes), _fast_shape_items(order))
        return _plain_planes(codes, planes, "shapes")
    if coded.codec == Codec.PREDICTION:
        from imagegs_tex.formats.igs.prediction_coder import shape_items

        items = shape_items(order.numbers, order.across, order.down)
        return _plain_planes(_predicted(coded.data, len(planes), items, "shapes"), planes, "shapes")
    from imagegs_tex.formats.igs.context_coder import cell_neighbours

    known = cell_neighbours(order.numbers, order.across), _shares_cell(order)
    return _plain_planes(_decode(coded.data, len(planes), known, "shapes"), planes, "shapes")


def plain_features(coded: StoredSection, raw_bytes: int, planes: list[Plane], geometry: KnownGeometry) -> bytes:
    """Return the plain form of a coded section features."""
    order = geometry.order
    _check_planes(coded, raw_bytes, planes, order, section="features")
    if coded.codec == Codec.FAST:
        from imagegs_tex.formats.igs import fast_coder as fast

        with _told_of("features"):
            codes = fast.decode_planes(coded.data, len(planes), _fast_feature_items(geometry, len(planes)))
        return _plain_planes(codes, planes, "features")
    if coded.codec == Codec.PREDICTION:
        codes = _predicted(coded.data, len(planes), _feature_items(geometry), "features")
        return _plain_planes(codes, planes, "features")
    from imagegs_tex.formats.igs.context_coder import cell_neighbours

    known = cell_neighbours(order.numbers, order.across), _size_groups(geometry.shape_codes[:, 0])
    return _plain_planes(_decode(coded.data, len(planes), known, "features"), planes, "features")


def _check_planes(
    coded: StoredSection, raw_bytes: int, planes: list[Plane], order: CellOrder, *, section: str
) -> None:  # fmt: skip
    """Refuse a coded section that would take long, before anything is decoded."""
    expected = len(order.numbers) * sum(plane.width for plane in planes)
    require(raw_bytes == expected, f"section {section} has {raw_bytes} bytes instead of {expected}")
    if coded.codec == Codec.PREDICTION:
        require(predictable(len(order.numbers), len(planes)), f"section {section} has too many codes for its codec")


def _plain_planes(codes: NDArray[np.int32], planes: list[Plane], section: str) -> bytes:
    blocks = []
    for index, plane in enumerate(planes):
        stored = codes[:, index] - plane.least
        fits = bool(np.all((stored >= 0) & (stored < 1 << (8 * plane.width))))
        require(fits, f"a code of section {section} is out of range")
        blocks += [(stored >> (8 * byte) & 255).astype(np.uint8).tobytes() for byte in range(plane.width)]
    return b"".join(blocks)


def _decode(
    coded: bytes, plane_count: int, known: "tuple[Neighbours, NDArray[np.int64]]", section: str
) -> NDArray[np.int32]:  # fmt: skip
    from imagegs_tex.formats.igs.context_coder import decode_planes

    with _told_of(section):
        return decode_planes(coded, plane_count, *known)


def _predicted(coded: bytes, plane_count: int, items: "Items", section: str) -> NDArray[np.int32]:
    from imagegs_tex.formats.igs.prediction_coder import decode_planes

    with _told_of(section):
        return decode_planes(coded, plane_count, items)


@contextlib.contextmanager
def _told_of(section: str) -> Iterator[None]:
    """Turn a coder's refusal into the section's."""
    try:
        yield
    except ValueError as error:
        raise IgsError(f"section {section} is not what its codes take ({error})") from None


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


def compress_blocks(blocks: list[bytes]) -> bytes:
    """Return one frame; zstd gives each block statistics of its own."""
    stored = _frame(blocks)
    if sum(map(len, blocks)) > MAX_EXPANSION * len(stored) + EXPANSION_ALLOWANCE:  # long runs of one code
        stored = _frame(
            [block[at : at + _SMALL_BLOCK] for block in blocks for at in range(0, len(block), _SMALL_BLOCK)]
        )
    return stored


def _frame(blocks: list[bytes]) -> bytes:
    compressor = zstandard.ZstdCompressor(level=ZSTD_LEVEL, write_checksum=False, write_content_size=True)
    stream = compressor.compressobj(size=sum(map(len, blocks)))
    parts = []
    for index, block in enumerate(blocks):
        parts.append(stream.compress(block))
        if index + 1 < len(blocks):
            parts.append(stream.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK))
    parts.append(stream.flush())
    return b"".join(parts)


def unpacked(section: StoredSection, raw_bytes: int, name: str) -> bytes:
    """Return the plain form of a section that is none of coded integers."""
    if section.codec == Codec.ZSTD:
        return decompress(section.data, raw_bytes, name)
    require(len(section.data) == raw_bytes, f"section {name} is {len(section.data)} plain bytes instead of {raw_bytes}")
    return section.data


def decompress(stored: bytes, raw_bytes: int, section: str) -> bytes:
    """Return the plain form of a section; IgsError when it is not one frame of that many bytes."""
    message = f"section {section} is not one Zstandard frame of {raw_bytes} bytes"
    try:
        require(zstandard.frame_content_size(stored) == raw_bytes, message)
        decompressor = zstandard.ZstdDecompressor(max_window_size=MAX_RAW_BYTES)
        # in one go into a buffer of the stated size: a frame that holds more cannot grow beyond it
        raw = decompressor.decompress(stored, max_output_size=raw_bytes, allow_extra_data=False)
    except zstandard.ZstdError:
        raise IgsError(message) from None
    require(len(raw) == raw_bytes, message)
    return raw
