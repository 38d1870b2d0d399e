"""The repeat layer of an .igs file: pictures of a lattice's cell, and weights of each cell.

Tiles, bricks and weaves say the same again and again. Their mean and a few principal components, as blocks of cosines,
and a few numbers for each cell hold what would take Gaussians or blocks everywhere: docs/experiments/repetition.md.
"""

import struct
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.formats.errors import IgsError
from imagegs_tex.formats.igs.plane_coders import decode_weights, encode_weights
from imagegs_tex.formats.igs.planes import require
from imagegs_tex.formats.igs.residual_layer import (
    BLOCKS_HEAD,
    ResidualLayer,
    block_grid,
    block_side_log2,
    blocks_head,
    check_blocks,
    check_length,
    components_of,
    decode_coefficients,
    encode_coefficients,
)

MOST_PERIOD: Final = 16384
"""Texels of a cell, across or down."""
MOST_PICTURES: Final = 31
"""V, beside the one that all cells have."""
MOST_BLOCK_COMPONENTS: Final = 255
"""(V + 1) K'."""
MOST_PLACES: Final = 1 << 23
"""Of all blocks of the cell together: bounds memory and time of a reader."""
MOST_WEIGHTS: Final = 1 << 22
WEIGHTS_PER_BYTE: Final = 64
FREE_WEIGHTS: Final = 4096
"""A byte codes at most 64 weights, these aside."""
WEIGHT_SCALE: Final = 64.0
WEIGHT_RANGE: Final = (-128, 127)
_MORE: Final = struct.Struct("<BHHHHHI")
_BASIS_AT: Final = BLOCKS_HEAD.size + _MORE.size
_SECTION: Final = "repeat"


@dataclass(frozen=True, slots=True)
class Lattice:
    """Cells that cover a picture, each row of them begun further left than the one above."""

    period: tuple[int, int]  # texels of a cell, across and down
    origin: tuple[int, int] = (0, 0)  # the picture's left top corner in the first cell, less than the period
    shift: int = 0  # texels by which each row begins further left, less than the period

    def cells(self, size: tuple[int, int]) -> tuple[int, int]:
        """Return how many cells cover a picture of a width and height, across and down."""
        width, height = size
        most = self.period[0] - 1 if self.shift else self.origin[0]
        return -(-(width + most) // self.period[0]), -(-(height + self.origin[1]) // self.period[1])

    def offset(self, row: int) -> int:
        """Return how far right of its first cell's corner the picture begins in a row of cells, in texels."""
        return (self.origin[0] + row * self.shift) % self.period[0]


@dataclass(frozen=True, slots=True)
class RepeatLayer:
    """A cell has pictures[0] + sum of weight * pictures[v] over v = 1..V; K' components, C channels as a residual's."""

    lattice: Lattice
    blocks: ResidualLayer  # of a cell, from its corner on; component v * K' + k of a block is k of picture v
    weight_codes: NDArray[np.int8]  # [V, rows, columns] of the cells, in 1/64

    @property
    def picture_count(self) -> int:
        """V + 1."""
        return 1 + len(self.weight_codes)

    @property
    def weights(self) -> NDArray[np.float64]:
        """Of the cells [V + 1, rows, columns], with those of the first picture, which are 1."""
        first = np.ones((1, *self.weight_codes.shape[1:]))
        return np.concatenate([first, self.weight_codes / WEIGHT_SCALE])


@dataclass(frozen=True, slots=True)
class _Head:
    """What the head says, and what follows from it."""

    lattice: Lattice
    cells: tuple[int, int]  # across and down
    grid: tuple[int, int]  # blocks of a cell across and down
    weight_planes: int  # V
    weight_bytes: int
    components: int  # K'

    @property
    def block_components(self) -> int:
        """Of a block."""
        return (self.weight_planes + 1) * self.components


def pack_repeat(layer: RepeatLayer, size: tuple[int, int]) -> bytes:
    """Return the section's bytes, of a picture's width and height; IgsError where the layer breaks a law."""
    blocks, lattice = layer.blocks, layer.lattice
    weights = _pack_weights(layer.weight_codes)
    more = _MORE.pack(len(layer.weight_codes), *lattice.period, *lattice.origin, lattice.shift, len(weights))
    head = blocks_head(blocks) + more
    checked = _checked(head, size, blocks.basis_codes.shape[1])
    shape = checked.cells[1], checked.cells[0]
    require(layer.weight_codes.shape[1:] == shape, "section repeat has weights of another number of cells")
    coded = encode_coefficients(_SECTION, blocks, checked.grid, checked.block_components)
    return b"".join([head, blocks.basis_codes.astype("<i2").tobytes(), weights, coded])


def unpack_repeat(raw: bytes, size: tuple[int, int], channel_count: int) -> RepeatLayer:
    """Read the section; IgsError where a law is broken.

    Args:
        raw: its bytes
        size: width and height of the picture
        channel_count: C
    """
    require(len(raw) >= _BASIS_AT, "section repeat ends within its head")
    head = _checked(raw, size, channel_count)
    weights_at = _BASIS_AT + 2 * head.components * channel_count
    coded_at = weights_at + head.weight_bytes
    check_length(_SECTION, raw, coded_at)
    basis = np.frombuffer(raw, "<i2", head.components * channel_count, _BASIS_AT).reshape(-1, channel_count)
    weight_codes = _unpack_weights(raw[weights_at:coded_at], head)
    blocks = decode_coefficients(_SECTION, raw, basis, coded_at, head.grid, head.block_components)
    return RepeatLayer(head.lattice, blocks, weight_codes)


def _checked(raw: bytes, size: tuple[int, int], channel_count: int) -> _Head:
    """Read a head and hold it against its laws."""
    side_log2 = block_side_log2(_SECTION, raw)
    weight_planes, *numbers, weight_bytes = _MORE.unpack_from(raw, BLOCKS_HEAD.size)
    across, down, right, below, shift = numbers
    inside = 1 <= across <= MOST_PERIOD and 1 <= down <= MOST_PERIOD
    require(inside, f"a period of {across} x {down} texels in section repeat is outside 1..{MOST_PERIOD}")
    within = right < across and below < down and shift < across
    require(within, "the origin or the shift of section repeat is not within a period")
    require(weight_planes <= MOST_PICTURES, f"section repeat has {weight_planes} more pictures than one")
    lattice = Lattice((across, down), (right, below), shift)
    grid, components = block_grid(across, down, side_log2), components_of(raw)
    head = _Head(lattice, lattice.cells(size), grid, weight_planes, weight_bytes, components)
    fits = head.block_components <= MOST_BLOCK_COMPONENTS
    require(fits, f"blocks of section repeat have {head.block_components} components")
    check_blocks(_SECTION, raw, grid, head.block_components, channel_count)
    places = head.block_components * grid[0] * grid[1] << (2 * side_log2)
    require(places <= MOST_PLACES, "the pictures of section repeat are too large together")
    count = weight_planes * head.cells[0] * head.cells[1]
    most = min(MOST_WEIGHTS, WEIGHTS_PER_BYTE * weight_bytes + FREE_WEIGHTS) if weight_bytes else 0
    require(count <= most, "section repeat has too many weights")
    require(weight_planes > 0 or weight_bytes == 0, "section repeat has weights of no picture")
    return head


def _pack_weights(codes: NDArray[np.int8]) -> bytes:
    if codes.size == 0:
        return b""
    planes = codes.reshape(len(codes), -1).T.astype(np.int32)
    return encode_weights(planes, codes.shape[2])


def _unpack_weights(coded: bytes, head: _Head) -> NDArray[np.int8]:
    """Return the weights' codes [V, rows, columns]."""
    across, down = head.cells
    if head.weight_planes == 0:
        return np.zeros((0, down, across), np.int8)
    try:
        codes = decode_weights(coded, head.weight_planes, (across, down))
    except ValueError as error:
        raise IgsError(f"the weights of section repeat are not what they take ({error})") from None
    least, most = WEIGHT_RANGE
    require(bool(np.all((codes >= least) & (codes <= most))), "a weight of section repeat is out of range")
    return codes.T.reshape(head.weight_planes, down, across).astype(np.int8)
