"""The residual layer of an .igs file: what the Gaussians leave, as blocks of cosines; docs/experiments/dense-layer.md.

Grain costs Gaussians more than it costs a block transform: from one bit per texel on, files with fewer Gaussians and
this layer are smaller at the same PSNR. A texel is the sum of its block's coefficients, so that access stays random.
"""

import struct
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.formats.errors import IgsError
from imagegs_tex.formats.igs.planes import require
from imagegs_tex.formats.igs.zigzag import zigzag

SIDE_LOG2_RANGE: Final = (2, 4)
STEP_RANGE: Final = (2.0**-20, 16.0)
MOST_COEFFICIENTS: Final = 255
"""Of a block: what a texel costs at most."""
BASIS_SCALE: Final = 32767.0
OFFSET_SCALE: Final = 128.0
_OFFSETS: Final = 3
_HEAD: Final = struct.Struct("<BbbbfII")


@dataclass(frozen=True, slots=True)
class ResidualLayer:
    """Coefficients of blocks, in rows of blocks; C channels of the set that it belongs to."""

    side_log2: int  # blocks are 2^side_log2 texels wide and high
    step: float  # float32 value, of all coefficients
    offset_codes: tuple[int, int, int]  # what values of 1, 2 and more are beyond their codes, away from 0, in 1/128
    basis_codes: NDArray[np.int16]  # [C, C], channels of each component, orthonormal rows in 1/32767
    counts: NDArray[np.int32]  # [blocks], coefficients of each block
    places: NDArray[np.uint16]  # [M], component * side^2 + place in the order of zigzag(); ascending in a block
    values: NDArray[np.int16]  # [M], not 0

    @property
    def side(self) -> int:
        """Texels of a block, across and down."""
        return 1 << self.side_log2


def block_grid(width: int, height: int, side_log2: int) -> tuple[int, int]:
    """Return how many blocks cover a picture, across and down."""
    return -(-width >> side_log2), -(-height >> side_log2)


def coefficient_values(layer: ResidualLayer) -> NDArray[np.float64]:
    """Return what the coefficients' codes mean [M]."""
    magnitudes = np.abs(layer.values.astype(np.int64))
    offsets = np.array(layer.offset_codes) / OFFSET_SCALE
    sizes = magnitudes + offsets[np.minimum(magnitudes, _OFFSETS) - 1]
    return np.asarray(np.sign(layer.values) * sizes * np.float64(layer.step))


def residual_picture(
    layer: ResidualLayer, own: tuple[int, int], size: tuple[int, int], rows: slice | None = None
) -> NDArray[np.float32]:
    """Return what the layer adds to the channels [rows, W, C], from float64.

    Args:
        layer: the layer
        own: width and height of the file
        size: those of the result, of whose texel centres each takes the cosines of the block that it lies in
        rows: of the result; None for all
    """
    side, channels = layer.side, len(layer.basis_codes)
    across, _ = block_grid(*own, layer.side_log2)
    x, y = ((np.arange(count) + 0.5) * extent / count for count, extent in zip(size, own, strict=True))
    y = y if rows is None else y[rows]
    columns, across_table = block_cosines(x, side)
    lines, down_table = block_cosines(y, side)
    basis = layer.basis_codes / BASIS_SCALE
    ends = np.concatenate([[0], np.cumsum(layer.counts)])
    values, places, order = coefficient_values(layer), layer.places.astype(np.int64), zigzag(side)
    picture = np.empty((len(y), len(x), channels), np.float32)
    for line in np.unique(lines):  # bounds the memory of temporaries
        first, last = ends[line * across], ends[(line + 1) * across]
        block = np.repeat(np.arange(across), layer.counts[line * across : (line + 1) * across])
        component, place = np.divmod(places[first:last], side * side)
        dense = np.zeros((channels, across, side * side))
        dense[component, block, order[place]] = values[first:last]
        inside = lines == line
        by_row = np.einsum("kbuv,yu->kbyv", dense.reshape(channels, across, side, side), down_table[inside])
        picture[inside] = np.einsum("kxyv,xv->yxk", by_row[:, columns], across_table) @ basis
    return picture


def block_cosines(places: NDArray[np.float64], side: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return for places in texels the block [N] that each lies in, and the DCT's functions there [N, side]."""
    blocks = np.floor(places / side).astype(np.int64)
    frequencies = np.arange(side)
    scales = np.where(frequencies == 0, np.sqrt(1 / side), np.sqrt(2 / side))
    return blocks, np.cos(np.pi * frequencies * (places - blocks * side)[:, None] / side) * scales


def pack_residual(layer: ResidualLayer, grid: tuple[int, int]) -> bytes:
    """Return the section's bytes; grid is blocks across and down."""
    from imagegs_tex.formats.igs.residual_coder import encode_blocks  # numba takes half a second to import

    head = _HEAD.pack(layer.side_log2, *layer.offset_codes, layer.step, len(layer.places), 0)
    coded = encode_blocks(layer.counts, layer.places, layer.values, grid, layer.side_log2, len(layer.basis_codes))
    return head + layer.basis_codes.astype("<i2").tobytes() + coded


def unpack_residual(raw: bytes, grid_of_side: dict[int, tuple[int, int]], channel_count: int) -> ResidualLayer:
    """Read the section; IgsError where a law is broken.

    Args:
        raw: its bytes
        grid_of_side: blocks across and down, by side_log2
        channel_count: C
    """
    from imagegs_tex.formats.igs.residual_coder import decode_blocks

    basis_bytes = 2 * channel_count * channel_count
    require(len(raw) > _HEAD.size + basis_bytes, "section residual ends within its head")
    side_log2, *offsets, step, count, zero = _HEAD.unpack_from(raw)
    require(side_log2 in grid_of_side, f"blocks of 2^{side_log2} texels in section residual")
    require(zero == 0, "section residual has a reserved field that is not 0")
    require(STEP_RANGE[0] <= step <= STEP_RANGE[1], "the step of section residual is out of range")
    across, down = grid_of_side[side_log2]
    most = min(MOST_COEFFICIENTS, channel_count << (2 * side_log2))
    require(count <= across * down * most, "section residual has more coefficients than its blocks may hold")
    # a coefficient takes a bit for its sign at least, so that nothing large is allocated for a small file
    require(count <= 8 * len(raw), "section residual is shorter than its coefficients")
    basis = np.frombuffer(raw, "<i2", channel_count * channel_count, _HEAD.size).astype(np.int16)
    coded = raw[_HEAD.size + basis_bytes :]
    decoded = decode_blocks(coded, (across, down), side_log2, channel_count, count)
    if decoded is None:
        raise IgsError("section residual is not what its codes take")
    counts, places, values = decoded
    require(bool(np.all(counts <= most)), "a block of section residual has too many coefficients")
    return ResidualLayer(
        side_log2=side_log2, step=step, offset_codes=(offsets[0], offsets[1], offsets[2]),
        basis_codes=basis.reshape(channel_count, channel_count), counts=counts, places=places, values=values,
    )  # fmt: skip
