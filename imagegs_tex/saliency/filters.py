"""Filters on planes [H, W] that go on beyond their border as the material does: round it, or with the last texel."""

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.formats.material.resample import resampled

Plane = NDArray[np.float64]


def box_mean(plane: Plane, radius: int, wrap: tuple[bool, bool]) -> Plane:
    """Return the mean over the square of 2 * radius + 1 texels around each texel."""
    for axis in (0, 1):
        sums = np.cumsum(_padded(plane, radius, axis, wrap[1 - axis]), axis=axis)
        sums = np.concatenate([np.zeros_like(sums.take([0], axis)), sums], axis=axis)
        count, size = 2 * radius + 1, plane.shape[axis]
        plane = (sums.take(range(count, count + size), axis) - sums.take(range(size), axis)) / count
    return plane


def gaussian_blur(plane: Plane, deviation: float, wrap: tuple[bool, bool]) -> Plane:
    """Return the plane blurred by a Gaussian of a deviation in texels, cut off at four of them."""
    radius = max(1, round(4 * deviation))
    taps = np.exp(-0.5 * (np.arange(-radius, radius + 1) / deviation) ** 2)
    taps /= taps.sum()
    for axis in (0, 1):
        padded, size = _padded(plane, radius, axis, wrap[1 - axis]), plane.shape[axis]
        taken = (tap * padded.take(range(shift, shift + size), axis) for shift, tap in enumerate(taps))
        plane = np.asarray(sum(taken))  # one after the other: all at once took 2 GB at 1024 x 1024
    return plane


def resized(plane: NDArray[np.float32], size: tuple[int, int], wrap: tuple[bool, bool]) -> NDArray[np.float32]:
    """Return the plane at another width and height, as maps are resampled."""
    return np.ascontiguousarray(resampled(plane[..., None], size, wrap)[..., 0], dtype=np.float32)


def _padded(plane: Plane, margin: int, axis: int, repeats: bool) -> Plane:
    size = plane.shape[axis]
    index = np.arange(-margin, size + margin)
    return plane.take(index % size if repeats else index.clip(0, size - 1), axis)
