"""The order of a block's coefficients in section residual: along the diagonals of their frequencies."""

from functools import cache

import numpy as np
from numpy.typing import NDArray


@cache
def zigzag(side: int) -> NDArray[np.int64]:
    """Return the places of a block [side^2] as row * side + column of their frequencies, low ones first."""
    pairs = [(row, column) for row in range(side) for column in range(side)]
    ordered = sorted(pairs, key=lambda pair: (sum(pair), pair[sum(pair) % 2]))
    places = np.array([row * side + column for row, column in ordered], np.int64)
    places.setflags(write=False)
    return places
