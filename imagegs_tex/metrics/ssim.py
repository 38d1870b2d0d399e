"""SSIM for reports: the index of :func:`imagegs_tex.fit.losses.structural_similarity`, without gradients, in numba.

Twenty times as fast as torch's convolutions on two cores, which matters because every compression reports it.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.jit import REORDERED, njit

SSIM_WINDOW: Final = 11
SSIM_DEVIATION: Final = 1.5
SSIM_C1: Final = 0.01**2
SSIM_C2: Final = 0.03**2
"""Window and constants of Wang et al., "Image quality assessment", 2004, for values with a range of 1."""
MOMENTS: Final = 5
"""Filtered for SSIM: x, y, xx, yy, xy."""


def mean_similarity(first: NDArray[np.float32], second: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the SSIM of two pictures [H, W, C] with a value range of 1, averaged over texels, per channel [C].

    Only windows that lie inside are counted; a picture smaller than the window uses a window of its own size.
    """
    return similarity_and_structure(first, second)[0]


def similarity_and_structure(
    first: NDArray[np.float32], second: NDArray[np.float32]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return :func:`mean_similarity` [C], and the mean of its factor of contrast and structure [C]."""
    height, width, channels = first.shape
    down, across = window_taps(height), window_taps(width)
    sums = np.empty((2, channels))
    for channel in range(channels):
        x, y = (np.ascontiguousarray(picture[..., channel], dtype=np.float32) for picture in (first, second))
        sums[:, channel] = _summed_similarity(x, y, down, across, SSIM_C1, SSIM_C2)
    means = sums / ((height - len(down) + 1) * (width - len(across) + 1))
    return np.minimum(means[0], 1.0), np.minimum(means[1], 1.0)  # sums of equal pictures end a rounding above


def window_taps(length: int) -> NDArray[np.float32]:
    """Return the window along an axis of some texels, which is no longer than that."""
    size = min(SSIM_WINDOW, length)
    taps = np.exp(-0.5 * ((np.arange(size) - (size - 1) / 2) / SSIM_DEVIATION) ** 2)
    return np.asarray(taps / taps.sum(), dtype=np.float32)


@njit(fastmath=REORDERED, nogil=True, cache=True)
def filter_down(first, second, top, down, moments):
    """Fill moments [5, W] with a row's x, y, xx, yy, xy, filtered down the columns."""
    width = first.shape[1]
    moments[:] = np.float32(0.0)
    for tap in range(down.shape[0]):
        weight, x_row, y_row = down[tap], first[top + tap], second[top + tap]
        for i in range(width):
            x, y = x_row[i], y_row[i]
            moments[0, i] += weight * x
            moments[1, i] += weight * y
            moments[2, i] += weight * x * x
            moments[3, i] += weight * y * y
            moments[4, i] += weight * x * y


@njit(fastmath=REORDERED, nogil=True, cache=True)
def filter_moments(first, second, top, down, across, moments, windows):
    """Fill windows [5, kept] with a row's filtered x, y, xx, yy, xy; in moments [5, W] they are filtered down alone."""
    kept = windows.shape[1]
    filter_down(first, second, top, down, moments)
    windows[:] = np.float32(0.0)
    for moment in range(moments.shape[0]):
        source, target = moments[moment], windows[moment]
        for tap in range(across.shape[0]):
            weight, shifted = across[tap], source[tap : tap + kept]
            for i in range(kept):
                target[i] += weight * shifted[i]


@njit(fastmath=REORDERED, nogil=True, cache=True)
def _summed_similarity(first, second, down, across, c1, c2):
    height, width = first.shape
    moments = np.empty((MOMENTS, width), np.float32)  # of x, y, xx, yy, xy: filtered down the columns
    kept = width - across.shape[0] + 1
    windows = np.empty((MOMENTS, kept), np.float32)  # and then along the row
    summed, summed_structure = 0.0, 0.0
    for top in range(height - down.shape[0] + 1):
        filter_moments(first, second, top, down, across, moments, windows)
        row, row_structure = 0.0, 0.0
        for i in range(kept):
            x, y = np.float64(windows[0, i]), np.float64(windows[1, i])
            variances = windows[2, i] - x * x + windows[3, i] - y * y
            covariance = windows[4, i] - x * y
            structure = (2 * covariance + c2) / (variances + c2)
            row += structure * (2 * x * y + c1) / (x * x + y * y + c1)
            row_structure += structure
        summed += row
        summed_structure += row_structure
    return summed, summed_structure
