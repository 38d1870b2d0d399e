"""What a code costs by the statistics of all of them: the price list of both searches, and of the byte ledger."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

_SMOOTHING: Final = 0.3
"""Added to every count, so that codes next to those in use have a price."""


def code_lengths(codes: NDArray[np.int64], least: int) -> NDArray[np.float64]:
    """Return the ideal length in bits of each code from ``least`` to one above the greatest, by their statistics."""
    return lengths_of(np.bincount(codes - least, minlength=int(codes.max()) - least + 2))


def gaussian_bits(exponents: NDArray[np.int32], cell_log2: int, planes: NDArray[np.integer]) -> NDArray[np.float64]:
    """Return about how many bits each Gaussian takes in a file [N].

    Args:
        exponents: of positions [N, 2], which are counted in 2^exponent texels within a cell
        cell_log2: of a cell's side
        planes: all other codes [N, planes], each column by the statistics of all of it
    """
    bits = np.asarray(2 * cell_log2 - exponents.sum(axis=1), dtype=np.float64)
    for plane in planes.astype(np.int64).T:
        least = int(plane.min())
        bits += code_lengths(plane, least)[plane - least]
    return bits


def lengths_of(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the ideal length in bits of codes that came so many times."""
    smoothed = counts + _SMOOTHING
    return np.asarray(-np.log2(smoothed / smoothed.sum()))
