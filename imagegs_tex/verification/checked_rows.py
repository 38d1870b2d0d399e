"""Which rows of a picture are checked: all, or of a large one bands that do not take longer than a smaller picture."""

from typing import Final

import numpy as np

WHOLE_TEXELS: Final = 1 << 24
"""Pictures of up to so many texels, 4096 x 4096, are checked at every texel."""
BAND_TEXELS: Final = 1 << 22
"""About so many texels of larger ones are checked."""
BAND_ROWS_LOG2: Final = 5
"""Of a band's rows: a group of the compute decoder."""
ROWS_AT_ONCE: Final = 256

Bands = list[tuple[int, int]]
"""Rows as their first one and how many there are, from the top down."""


def is_large(width: int, height: int) -> bool:
    """Whether a picture of so many texels each way is checked in bands."""
    return width * height > WHOLE_TEXELS


def all_rows(height: int) -> Bands:
    """Return all rows, so many at once."""
    return [(first, min(ROWS_AT_ONCE, height - first)) for first in range(0, height, ROWS_AT_ONCE)]


def some_rows(width: int, height: int, seed: int) -> Bands:
    """Return the first, the last and random bands between of a large picture.

    A band spans the picture, so that both of its other edges are in it.
    """
    rows = 1 << BAND_ROWS_LOG2
    count = -(-height // rows)
    wanted = min(count, max(3, BAND_TEXELS // (width * rows)))
    between = np.random.default_rng(seed).choice(np.arange(1, count - 1), wanted - 2, replace=False)
    numbers = [0, *sorted(between.tolist()), count - 1]
    return [(number * rows, min(rows, height - number * rows)) for number in numbers]


def left_out(bands: Bands) -> list[str]:
    """Say what a check of these rows alone leaves out."""
    rows = ", ".join(f"{first} to {first + count - 1}" for first, count in bands)
    return [f"rows other than {rows}, except at random points", f"means of levels from {BAND_ROWS_LOG2 + 1} on"]
