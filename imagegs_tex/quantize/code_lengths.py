"""What a code costs by the statistics of all of them: the price list of both searches, and of the byte ledger."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

_SMOOTHING: Final = 0.3
"""Added to every count, so that codes next to those in use have a price."""


def code_lengths(codes: NDArray[np.int64], least: int) -> NDArray[np.float64]:
    """Return the ideal length in bits of each code from ``least`` to one above the greatest, by their statistics."""
    counts = np.bincount(codes - least, minlength=int(codes.max()) - least + 2) + _SMOOTHING
    return np.asarray(-np.log2(counts / counts.sum()))
