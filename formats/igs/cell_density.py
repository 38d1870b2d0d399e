"""What the codecs that predict know of a place before anything is decoded there: how crowded it is, as a logarithm."""

import numpy as np

from imagegs_tex.formats.igs.binary_model import length_of
from imagegs_tex.jit import njit


@njit(cache=True)
def logarithm(value):
    """256 log2 of a positive number, straight between powers of two."""
    e = length_of(value) - 1
    return 256 * e + (((value << 8) >> e) - 256)


@njit(cache=True, nogil=True)
def log_densities(counts, across, down, cells):
    """Return the logarithm of the counts in the 5 x 5 cells around each item, the nearer ones weighing more [N]."""
    densities = np.empty(cells.shape[0], np.int64)
    for n in range(cells.shape[0]):
        row, column = cells[n] // across, cells[n] % across
        near = 18
        for y in range(max(0, row - 2), min(down, row + 3)):
            for x in range(max(0, column - 2), min(across, column + 3)):
                near += 60 * counts[y * across + x] // (1 + (y - row) ** 2 + (x - column) ** 2)
        densities[n] = logarithm(near)
    return densities
