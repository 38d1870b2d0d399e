"""The residual layer of an .igs file: what the Gaussians leave, as blocks of cosines; docs/experiments/dense-layer.md.

Grain costs Gaussians more than it costs a block transform: from one bit per texel on, files with fewer Gaussians and
this layer are smaller at the same PSNR. A texel is the sum of its block's coefficients, so that access stays random.
"""

import struct
from dataclasses import dataclass, fields
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
BLOCKS_HEAD: Final = struct.Struct("<BbbbfIB")
"""s, offsets, step, M, K'."""
_COUNT_FIELD: Final = 5
_RESERVED: Final = bytes(3)
_SECTION: Final = "residual"


@dataclass(frozen=True, slots=True)
class ResidualLayer:
    """Coefficients of blocks, in rows of blocks; K' components of its own, C channels of the set that it belongs to.

    Those of a repeat's cell are held by the same: there a block has the components of several pictures.
    """

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


def same_layers(first: ResidualLayer | None, second: ResidualLayer | None) -> bool:
    """Whether two layers, or none, hold the same."""
    if first is None or second is None:
        return first is second
    pairs = ((getattr(first, one.name), getattr(second, one.name)) for one in fields(ResidualLayer))
    return all(np.array_equal(own, other) for own, other in pairs)


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
    grid, components = block_grid(*size, layer.side_log2), len(layer.basis_codes)
    coded = encode_coefficients(_SECTION, layer, grid, components)
    return blocks_head(layer) + _RESERVED + layer.basis_codes.astype("<i2").tobytes() + coded


def unpack_residual(raw: bytes, size: tuple[int, int], channel_count: int) -> ResidualLayer:
    """Read the section; IgsError where a law is broken.

    Args:
        raw: its bytes
        size: width and height of the picture
        channel_count: C
    """
    basis_at = BLOCKS_HEAD.size + len(_RESERVED)
    require(len(raw) >= basis_at, "section residual ends within its head")
    grid, components = block_grid(*size, block_side_log2(_SECTION, raw)), components_of(raw)
    require(raw[BLOCKS_HEAD.size : basis_at] == _RESERVED, "section residual has a reserved field that is not 0")
    check_blocks(_SECTION, raw, grid, components, channel_count)
    coded_at = basis_at + 2 * components * channel_count
    check_length(_SECTION, raw, coded_at)
    basis = np.frombuffer(raw, "<i2", components * channel_count, basis_at).reshape(components, channel_count)
    return decode_coefficients(_SECTION, raw, basis, coded_at, grid, components)


def blocks_head(layer: ResidualLayer) -> bytes:
    """Return the first bytes of a section that holds blocks."""
    return BLOCKS_HEAD.pack(
        layer.side_log2, *layer.offset_codes, layer.step, len(layer.places), len(layer.basis_codes)
    )  # fmt: skip


def block_side_log2(section: str, raw: bytes) -> int:
    """Return s of a section that begins with a head; IgsError where it is out of range."""
    least, most = SIDE_LOG2_RANGE
    require(least <= raw[0] <= most, f"blocks of 2^{raw[0]} texels in section {section}")
    return raw[0]


def components_of(raw: bytes) -> int:
    """Return K' of a section that begins with a head."""
    return raw[BLOCKS_HEAD.size - 1]


def check_blocks(
    section: str, head: bytes, grid: tuple[int, int], block_components: int, channel_count: int
) -> None:  # fmt: skip
    """Hold what a head says of blocks against its laws.

    Args:
        section: its name
        head: what :func:`blocks_head` returns, and more
        grid: blocks across and down
        block_components: those of a block: K', or of several pictures
        channel_count: C
    """
    side_log2, *offsets, step, count, components = BLOCKS_HEAD.unpack_from(head)
    require(all(abs(code) <= MOST_OFFSET for code in offsets), f"an offset of section {section} is out of range")
    require(STEP_RANGE[0] <= step <= STEP_RANGE[1], f"the step of section {section} is out of range")
    require(1 <= components <= channel_count, f"section {section} has {components} components")
    require(count >= 1, f"section {section} is empty")
    blocks = grid[0] * grid[1]
    most = min(MOST_COEFFICIENTS, blocks * min(MOST_IN_BLOCK, block_components << (2 * side_log2)))
    require(count <= most, f"section {section} has more coefficients than its blocks may hold")
    few = blocks <= BLOCKS_PER_COEFFICIENT * count + FREE_BLOCKS
    require(few, f"section {section} has too many blocks for so few")


def encode_coefficients(section: str, layer: ResidualLayer, grid: tuple[int, int], block_components: int) -> bytes:
    """Return the coded blocks; IgsError where they break a law. Arguments as of :func:`check_blocks`."""
    from imagegs_tex.formats.igs.residual_coder import encode_blocks  # numba takes half a second to import

    check_blocks(section, blocks_head(layer), grid, block_components, layer.basis_codes.shape[1])
    expected = grid[0] * grid[1]
    require(len(layer.counts) == expected, f"section {section} has another number of blocks than its picture")
    require(bool(np.all(layer.counts <= MOST_IN_BLOCK)), f"a block of section {section} has too many coefficients")
    return encode_blocks(layer.counts, layer.places, layer.values, grid, layer.side_log2, block_components)


def check_length(section: str, raw: bytes, coded_at: int) -> None:
    """Refuse a section that ends before all of its coefficients, of which each takes a bit for its sign at least."""
    count = BLOCKS_HEAD.unpack_from(raw)[_COUNT_FIELD]
    require(count <= 8 * (len(raw) - coded_at), f"section {section} is shorter than its coefficients")


def decode_coefficients(
    section: str,
    raw: bytes,
    basis_codes: NDArray[np.int16],
    coded_at: int,
    grid: tuple[int, int],
    block_components: int,
) -> ResidualLayer:
    """Return the blocks of a section whose head and length were checked; IgsError where a law is broken.

    Args:
        section: its name
        raw: its bytes
        basis_codes: [K', C]
        coded_at: where the coded blocks begin, which go on to its end
        grid: blocks across and down
        block_components: those of a block
    """
    from imagegs_tex.formats.igs.residual_coder import decode_blocks

    side_log2, *offsets, step, count, _ = BLOCKS_HEAD.unpack_from(raw)
    decoded = decode_blocks(raw[coded_at:], grid, side_log2, block_components, count, MOST_IN_BLOCK)
    if decoded is None:
        raise IgsError(f"section {section} is not what its codes take, or a block has too many coefficients")
    counts, places, values = decoded
    return ResidualLayer(
        side_log2=side_log2, step=step, offset_codes=(offsets[0], offsets[1], offsets[2]),
        basis_codes=basis_codes.astype(np.int16), counts=counts, places=places, values=values,
    )  # fmt: skip
