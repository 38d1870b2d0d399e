"""Principal axes of whole numbers: the eigenvectors of their moments, by Jacobi's method in a fixed order.

Library routines take other steps on other machines. Here each rotation, of rows and then of columns, is products and
sums that IEEE 754 rounds alike everywhere, as in runtime/c/igs_levels.h. (G. Golub and C. Van Loan, "Matrix
Computations", 8.5: cyclic by row.)
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

CODE_MAX: Final = 32767

_ROWS_AT_ONCE: Final = 1 << 18
"""Float64 holds sums of so many products of numbers below 2^17."""
_MOST_SWEEPS: Final = 12
_NEGLIGIBLE: Final = 2.0**-40
"""Share of two diagonal elements below which the one between them is left."""


def principal_axes(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the axes [V, V] of values [N, V] below 2^17 about 0, in 1/32767, row by row from the strongest on.

    The greatest component of an axis is positive.
    """
    count = values.shape[1]
    moments = np.zeros((count, count), dtype=np.int64)
    for start in range(0, len(values), _ROWS_AT_ONCE):
        part = values[start : start + _ROWS_AT_ONCE].astype(np.float64)
        moments += (part.T @ part).astype(np.int64)
    matrix, axes = moments.astype(np.float64), np.eye(count)
    for _ in range(_MOST_SWEEPS):
        if not sum(_rotate(matrix, axes, p, q) for p in range(count) for q in range(p + 1, count)):
            break
    order = np.argsort(-matrix.diagonal(), kind="stable")
    rows = axes[order]
    rows = rows * np.where(rows[np.arange(count), np.abs(rows).argmax(axis=1)] < 0, -1.0, 1.0)[:, None]
    return np.floor(rows * CODE_MAX + 0.5).astype(np.int64)


def _rotate(matrix: NDArray[np.float64], axes: NDArray[np.float64], p: int, q: int) -> bool:
    """Bring the element between two axes to 0, where it is not negligible; return whether it was brought there."""
    between, first, second = matrix[p, q], matrix[p, p], matrix[q, q]
    if abs(between) <= _NEGLIGIBLE * (abs(first) + abs(second)):
        return False
    ratio = (second - first) / (2.0 * between)
    tangent = 1.0 / (abs(ratio) + np.sqrt(ratio * ratio + 1.0))
    if ratio < 0:
        tangent = -tangent
    cosine = 1.0 / np.sqrt(tangent * tangent + 1.0)
    sine = tangent * cosine
    for rows in (matrix, matrix.T, axes):
        old = rows[p].copy()
        rows[p] = cosine * old - sine * rows[q]
        rows[q] = sine * old + cosine * rows[q]
    return True
