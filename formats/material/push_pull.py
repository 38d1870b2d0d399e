"""Texels that do not matter, filled so that they cost nothing.

Push-pull: S. Gortler and others, "The Lumigraph", 1996.
"""

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.formats.vocabulary import FloatTexels


def fill_smoothly(texels: FloatTexels, known: NDArray[np.bool_]) -> None:
    """Continue what is known smoothly into what is not (push-pull): known texels stay exactly as they are.

    Averages of known texels are pushed up a pyramid until nothing is unknown, and pulled down again, bilinearly.

    Args:
        texels: float32 [H, W, C], written to where not known
        known: [H, W]; at least one texel is
    """
    if not known.all():
        for channel in range(texels.shape[2]):  # one at a time bounds the memory of the pyramid
            texels[..., channel] = _filled(texels[..., channel], known)


def _filled(plane: NDArray[np.float32], known: NDArray[np.bool_]) -> NDArray[np.float32]:
    if known.all():
        return plane
    if plane.size == 1:
        return np.zeros_like(plane)
    height, width = plane.shape
    padding = ((0, height % 2), (0, width % 2))
    weight = np.pad(known, padding).astype(np.float32)
    value = np.pad(plane, padding) * weight
    weights, sums = _quads(weight), _quads(value)
    coarse = _filled(np.where(weights > 0, sums / np.maximum(weights, 1), np.float32(0)), weights > 0)
    return np.where(known, plane, _twice(_twice(coarse, 0), 1)[:height, :width])


def _quads(plane: NDArray[np.float32]) -> NDArray[np.float32]:
    """Sums over 2 x 2 texels."""
    rows = plane[0::2] + plane[1::2]
    return np.asarray(rows[:, 0::2] + rows[:, 1::2])


def _twice(plane: NDArray[np.float32], axis: int) -> NDArray[np.float32]:
    """Twice as many texels along an axis, linearly between the centres."""
    last = plane.shape[axis] - 1
    positions = np.arange(last + 1)
    before = np.take(plane, np.maximum(positions - 1, 0), axis=axis)
    after = np.take(plane, np.minimum(positions + 1, last), axis=axis)
    pairs = np.stack([0.75 * plane + 0.25 * before, 0.75 * plane + 0.25 * after], axis=axis + 1)
    shape = list(plane.shape)
    shape[axis] *= 2
    return np.asarray(pairs.reshape(shape), dtype=np.float32)
