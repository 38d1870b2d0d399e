"""How the fields of a material's tiles are laid out: what a reader has to know before it looks at one."""

from dataclasses import dataclass
from typing import Final

from imagegs_tex.shaders.bit_fields import WORD_BITS

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
    offset_bits: int  # of where a tile's block begins
    stride_bits: int  # of the length of a record
    count_bits: int  # of the counts of a tile's Gaussians
    reach_bits: int  # of how many of them reach other tiles
    width_bits: int  # of a field's width
    group_count_bits: int  # of the number of far groups
    entry_count_bits: int  # of the number of entries
    tile_bits: int  # of a far group's tile
    listed_bits: int  # of how many far bits it has
    field_count: int  # m, h, b and the features
    least: tuple[int, ...]  # m, h, b: least code of the file
    least_bits: tuple[int, ...]  # of a tile's least code above that

    @property
    def mask_bits(self) -> int:
        """Blocks that masks tell apart: bits per entry."""
        return 4**self.mask_log2 if self.mask_log2 else 0

    @property
    def group_bits(self) -> int:
        """Bits of a far group, without its far bits."""
        return self.tile_bits + self.listed_bits

    @property
    def head_words(self) -> int:
        """Words of a head."""
        counts = self.count_bits + self.reach_bits + self.group_count_bits + self.entry_count_bits
        scale = 2 * (SHIFT_BITS + 1)
        widths = self.field_count * self.width_bits + sum(self.least_bits)
        return -(-(self.offset_bits + self.stride_bits + counts + scale + widths) // WORD_BITS)
