"""How many turns of loops a sample with a footprint takes, at most: for renderers that end loops on their own.

Mesa's llvmpipe ends loops after 65,535 turns and returns what there is, without a word. It counts all loops of one run
of a shader together, and a run serves 4 to 16 neighbouring pixels or threads at once, on every path that one of them
takes: a loop of 40,000 turns and one of 30,000 end after 40,000 and 25,534; in a branch each, taken by every other
thread, just the same.
"""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.shaders.gpu_buffer import PackedGaussians
from imagegs_tex.verification.float64_footprint import stored_counts, tap_counts

MAX_TURNS: Final = 65_000
"""What is posed to llvmpipe: 535 are left for the loops around the samples."""

_TAP_TURNS: Final = 4 * 9
"""Of each tap, beside the entries of its tile: the tile and those around, and the ends of loops."""

_BLOCK_TURNS: Final = 8
_COMPONENT_TURNS: Final = 18
"""Of each block of a stored level, and of each of its components: 16 fields, and the ends of loops."""

Float = NDArray[np.float64]
Whole = NDArray[np.int64]


class TurnBound:
    """Bounds from a file's tile lists; of a decoder with functions that take a footprint."""

    def __init__(self, packed: PackedGaussians, wrap: tuple[bool, bool]) -> None:
        assert packed.coarse is not None
        self._levels = packed.coarse.range
        tiles, layout = packed.tiles, packed.layout
        images = math.prod(2 * beside + 1 for beside in packed.images)
        entry_turns = 2 + images  # the entry, its images, and the end of their loop
        by_source = tiles.listed * entry_turns + 3 * tiles.runs
        by_source[:, -1] += 2 * tiles.groups  # sources of their own
        self._turns = by_source.reshape(layout.tiles_down, layout.tiles_across, -1)
        self._tile = float(1 << layout.tile_log2)
        self._wrap = wrap

    def entries(self, points: Float, reach: Float) -> Whole:
        """Return the most turns through a tile's entries within reach [P] of points [P, 2], both in texels."""
        low, high = (np.floor((points + sign * reach[:, None]) / self._tile).astype(np.int64) for sign in (-1, 1))
        found = np.empty(len(points), dtype=np.int64)
        for i, ((left, top), (right, bottom)) in enumerate(zip(low, high, strict=True)):
            rows = _tiles(top, bottom, self._turns.shape[0], self._wrap[1])
            columns = _tiles(left, right, self._turns.shape[1], self._wrap[0])
            # neighbours in several tiles go through the longest list of each source
            found[i] = self._turns[np.ix_(rows, columns)].max(axis=(0, 1)).sum()
        return found

    def turns(self, entries: Whole, samples: Whole, lod: Float) -> Whole:
        """Return a bound for requests of equal samples and taps that run together: each tap goes through a list."""
        values = self._levels.value_count
        blocks = 4 * (_BLOCK_TURNS + values * (_COMPONENT_TURNS + values)) + values + 2
        return samples * (self.decodes(lod) * (entries + _TAP_TURNS) + self.stored(lod) * blocks)

    def decodes(self, lod: Float) -> Whole:
        """Return how many times a sample sums up Gaussians."""
        levels = self._levels
        return tap_counts(lod, levels.first) + stored_counts(lod, levels.first, levels.direct, levels.last)

    def stored(self, lod: Float) -> Whole:
        """Return how many stored levels a sample reads."""
        levels = self._levels
        return stored_counts(lod, levels.first, levels.last + 1, levels.last)


def _tiles(first: int, last: int, count: int, repeats: bool) -> Whole:
    numbers = np.arange(first, last + 1)
    return numbers % count if repeats else numbers.clip(0, count - 1)
