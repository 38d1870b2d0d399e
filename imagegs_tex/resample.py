"""Making a picture smaller: each texel of the result is the mean of what it covers."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

_LINES_AT_ONCE: Final = 64


def mean_over_area(image: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    """Average a picture's texels over the texels of a smaller one, parts of texels counting as parts.

    Args:
        image: [H, W, C]
        size: width and height of the result, at most those of the picture

    Returns:
        [height, width, C]; an axis whose length stays is left as it is
    """
    width, height = size
    narrowed = _along_rows(image, width)
    return np.ascontiguousarray(_along_rows(narrowed.transpose(1, 0, 2), height).transpose(1, 0, 2))


def _along_rows(image: NDArray[np.float32], length: int) -> NDArray[np.float32]:
    """Shorten axis 1: sums up to every texel's edge, read off at the edges of the result's texels."""
    lines, full, channels = image.shape
    if length == full:
        return image
    edges = np.arange(length + 1) * full / length
    whole = np.minimum(edges.astype(np.int64), full)
    part = (edges - whole)[None, :, None]
    beyond = np.minimum(whole, full - 1)
    result = np.empty((lines, length, channels), dtype=np.float32)
    for start in range(0, lines, _LINES_AT_ONCE):
        band = image[start : start + _LINES_AT_ONCE].astype(np.float64)
        sums = np.zeros((len(band), full + 1, channels))
        np.cumsum(band, axis=1, out=sums[:, 1:])
        result[start : start + len(band)] = np.diff(sums[:, whole] + part * band[:, beyond], axis=1) * (length / full)
    return result
