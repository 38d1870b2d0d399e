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

SIDE_LOG2_RANGE: Final = (2, 4)
STEP_RANGE: Final = (2.0**-20, 16.0)
MOST_IN_BLOCK: Final = 128
"""Coefficients: what a texel costs at most."""
MOST_COEFFICIENTS: Final = 1 << 25
BLOCKS_PER_COEFFICIENT: Final = 16
FREE_BLOCKS: Final = 4096
"""A layer covers at most 16 blocks for each coefficient, and these: bounds memory and time of a reader by the file."""
BASIS_SCALE: Final = 32767.0
OFFSET_SCALE: Final = 128.0
MOST_OFFSET: Final = 64
_OFFSETS: Final = 3
_HEAD: Final = struct.Struct("<BbbbfIB3s")


@dataclass(frozen=True, slots=True)
class ResidualLayer:
    """Coefficients of blocks, in rows of blocks; K' components of its own, C channels of the set that it belongs to."""

    side_log2: int  # blocks are 2^side_log2 texels wide and high
    step: float  # float32 value, of all coefficients
    offset_codes: tuple[int, int, int]  # what values of 1, 2 and more are beyond their codes, away from 0, in 1/128
    basis_codes: NDArray[np.int16]  # [K', C], channels of each component, in 1/32767
    counts: NDArray[np.int32]  # [blocks], coefficients of each block
    places: NDArray[np.uint16]  # [M], component * side^2 + place in the order of zigzag(); ascending in a block
    values: NDArray[np.int16]  # [M], not 0

    @property
    def side(self) -> int:
        """Texels of a block, across and down."""
        return 1 << self.side_log2

    @property
    def basis(self) -> NDArray[np.float64]:
        """Channels of each component [K', C]."""
        return self.basis_codes / BASIS_SCALE


def block_grid(width: int, height: int, side_log2: int) -> tuple[int, int]:
    """Return how many blocks cover a picture, across and down."""
    return -(-width >> side_log2), -(-height >> side_log2)


def coefficient_values(layer: ResidualLayer) -> NDArray[np.float64]:
    """Return what the coefficients' codes mean [M]; none of the products is rounded."""
    magnitudes = np.abs(layer.values.astype(np.int64))
    offsets = np.array(layer.offset_codes) / OFFSET_SCALE
    sizes = magnitudes + offsets[np.minimum(magnitudes, _OFFSETS) - 1]
    return np.asarray(np.sign(layer.values) * sizes * np.float64(layer.step))


def pack_residual(layer: ResidualLayer, size: tuple[int, int]) -> bytes:
    """Return the section's bytes, of a picture's width and height; IgsError where the layer breaks a law."""
    from imagegs_tex.formats.igs.residual_coder import encode_blocks  # numba takes half a second to import

    grid, components = block_grid(*size, layer.side_log2), len(layer.basis_codes)
    head = _HEAD.pack(layer.side_log2, *layer.offset_codes, layer.step, len(layer.places), components, bytes(3))
    _check(head, grid, components, layer.basis_codes.shape[1])
    require(len(layer.counts) == grid[0] * grid[1], "section residual has another number of blocks than its picture")
    require(bool(np.all(layer.counts <= MOST_IN_BLOCK)), "a block of section residual has too many coefficients")
    coded = encode_blocks(layer.counts, layer.places, layer.values, grid, layer.side_log2, components)
    return head + layer.basis_codes.astype("<i2").tobytes() + coded


def unpack_residual(raw: bytes, size: tuple[int, int], channel_count: int) -> ResidualLayer:
    """Read the section; IgsError where a law is broken.

    Args:
        raw: its bytes
        size: width and height of the picture
        channel_count: C
    """
    from imagegs_tex.formats.igs.residual_coder import decode_blocks

    require(len(raw) >= _HEAD.size, "section residual ends within its head")
    side_log2, *offsets, step, count, components, _ = _HEAD.unpack_from(raw)
    least, most = SIDE_LOG2_RANGE
    require(least <= side_log2 <= most, f"blocks of 2^{side_log2} texels in section residual")
    grid = block_grid(*size, side_log2)
    _check(raw, grid, components, channel_count)
    start = _HEAD.size + 2 * components * channel_count
    # a coefficient takes a bit for its sign at least
    require(count <= 8 * (len(raw) - start), "section residual is shorter than its coefficients")
    basis = np.frombuffer(raw, "<i2", components * channel_count, _HEAD.size).astype(np.int16)
    decoded = decode_blocks(raw[start:], grid, side_log2, components, count, MOST_IN_BLOCK)
    if decoded is None:
        raise IgsError("section residual is not what its codes take, or a block has too many coefficients")
    counts, places, values = decoded
    return ResidualLayer(
        side_log2=side_log2, step=step, offset_codes=(offsets[0], offsets[1], offsets[2]),
        basis_codes=basis.reshape(components, channel_count), counts=counts, places=places, values=values,
    )  # fmt: skip


def _check(head: bytes, grid: tuple[int, int], components: int, channel_count: int) -> None:
    """Hold what the head says against its laws."""
    side_log2, *offsets, step, count, _, zero = _HEAD.unpack_from(head)
    require(zero == bytes(3), "section residual has a reserved field that is not 0")
    require(all(abs(code) <= MOST_OFFSET for code in offsets), "an offset of section residual is out of range")
    require(STEP_RANGE[0] <= step <= STEP_RANGE[1], "the step of section residual is out of range")
    require(1 <= components <= channel_count, f"section residual has {components} components")
    require(count >= 1, "section residual is empty")
    blocks = grid[0] * grid[1]
    most = min(MOST_COEFFICIENTS, blocks * min(MOST_IN_BLOCK, components << (2 * side_log2)))
    require(count <= most, "section residual has more coefficients than its blocks may hold")
    require(blocks <= BLOCKS_PER_COEFFICIENT * count + FREE_BLOCKS, "section residual has too many blocks for so few")
