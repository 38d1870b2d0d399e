"""Which rows of a picture are checked, and scored: of a large one bands that take no longer than a smaller picture."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

WHOLE_TEXELS: Final = 1 << 24
"""Pictures of up to so many texels, 4096 x 4096, are checked at every texel."""
BAND_TEXELS: Final = 1 << 22
"""About so many texels of larger ones are checked; WHOLE_TEXELS are scored against the source."""
BAND_ROWS_LOG2: Final = 5
"""Of a band's rows: a group of the compute decoder."""
ROWS_AT_ONCE: Final = 256
_MOST_NAMED: Final = 8

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
    return _some_bands(1 << BAND_ROWS_LOG2, width, height, BAND_TEXELS, seed)


def scored_rows(width: int, height: int, seed: int) -> Bands:
    """Return the rows that are scored against the source: bands of a large picture, with few seams for its filters."""
    if not is_large(width, height):
        return all_rows(height)
    return _some_bands(ROWS_AT_ONCE, width, height, WHOLE_TEXELS, seed)


def _some_bands(rows: int, width: int, height: int, texels: int, seed: int) -> Bands:
    count = -(-height // rows)
    wanted = min(count, max(3, texels // (width * rows)))
    between = np.random.default_rng(seed).choice(np.arange(1, count - 1), wanted - 2, replace=False)
    numbers = [0, *sorted(between.tolist()), count - 1]
    return [(number * rows, min(rows, height - number * rows)) for number in numbers]


def rows_of(bands: Bands, height: int) -> slice | NDArray[np.intp]:
    """Return what takes the bands' rows out of an array of so many rows: all as they are, without a copy."""
    if sum(count for _, count in bands) == height:
        return slice(None)
    return np.concatenate([np.arange(first, first + count) for first, count in bands])


def left_out(bands: Bands) -> list[str]:
    """Say what a check of these rows alone leaves out."""
    return [
        f"rows other than {words(bands)}, except at random points",
        f"means of levels from {BAND_ROWS_LOG2 + 1} on",
    ]


def left_out_of_score(bands: Bands) -> list[str]:
    """Say what a score of these rows alone leaves out."""
    return [f"scores of rows other than {words(bands)}"]


def words(bands: Bands) -> str:
    """Return bands as their first and last rows, those that touch as one; of many the first ones and the last."""
    joined: list[list[int]] = []
    for first, count in bands:
        if joined and joined[-1][1] == first:
            joined[-1][1] += count
        else:
            joined.append([first, first + count])
    named = [f"{first} to {end - 1}" for first, end in joined]
    if len(named) > _MOST_NAMED:
        named = [*named[: _MOST_NAMED - 1], f"{len(named) - _MOST_NAMED} more bands", named[-1]]
    return ", ".join(named)
