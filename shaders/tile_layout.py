"""How the fields of a material's tiles are laid out: what a reader has to know before it looks at one."""

from dataclasses import dataclass
from typing import Final

NEAR_TILES: Final = ((-1, -1), (0, -1), (1, -1), (-1, 0), (1, 0), (-1, 1), (0, 1), (1, 1))
"""Columns and rows from a tile to those around it, in the order of the near bits."""
SHIFT_BITS: Final = 4
"""Of how far a tile's positions are shifted."""


@dataclass(frozen=True, slots=True)
class TileLayout:
    """What a reader of the tiles' blocks has to know of the file."""

    tile_log2: int  # tiles are 2^tile_log2 texels
    mask_log2: int  # masks tell 2^mask_log2 blocks apart, across and down
    tiles_across: int
    tiles_down: int
    position_bits: int  # of a position within its tile, unscaled
    offset_bits: int  # of a tile's offset in the table
    count_bits: int  # of the counts of a tile's Gaussians
    far_count_bits: int
    near_count_bits: int  # of the number of near bits for a tile around
    entry_count_bits: int  # of the number of entries
    stride_bits: int  # of the length of a record
    width_bits: int  # of a field's width
    tile_bits: int  # of a tile's number in a far entry
    index_bits: int  # of the Gaussian's number in a far entry
    field_count: int  # m, h, b and the features
    least: tuple[int, ...]  # m, h, b: least code of the file
    least_bits: tuple[int, ...]  # of a tile's least code above that

    @property
    def mask_bits(self) -> int:
        """Blocks that masks tell apart: bits per entry."""
        return 4**self.mask_log2 if self.mask_log2 else 0

    @property
    def far_bits(self) -> int:
        """Bits of a far entry."""
        return self.tile_bits + self.index_bits

    @property
    def head_bits(self) -> int:
        """Bits of a head."""
        counts = self.count_bits + self.far_count_bits + len(NEAR_TILES) * self.near_count_bits
        counts += self.entry_count_bits + self.stride_bits
        scale = 2 * (SHIFT_BITS + 1)
        return counts + scale + self.field_count * self.width_bits + sum(self.least_bits)
