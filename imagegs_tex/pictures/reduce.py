"""Pictures made smaller or larger by whole factors, so that what is seen is still made of texels."""

from typing import Final

import numpy as np

from imagegs_tex.formats.vocabulary import Samples
from imagegs_tex.pictures.display import Rgb

_VALUES_AT_ONCE: Final = 1 << 22


def reduction_for(width: int, height: int, most: int) -> int:
    """Return the least whole factor by which a picture becomes at most so many texels wide and high."""
    return max(1, -(-max(width, height) // most))


def mean_of_blocks(planes: Samples, factor: int) -> Samples:
    """Return the means of squares of texels; those at the right and lower border have what is left.

    Args:
        planes: [H, W, C] numbers
        factor: side of a square, 1 and above; 1 returns the planes themselves

    Returns:
        float32 [H / factor, W / factor, C], rounded up
    """
    if factor == 1:
        return planes
    height, width, channels = planes.shape
    across = np.arange(0, width, factor)
    widths = np.diff(np.append(across, width)).astype(np.float32)
    result = np.empty((-(-height // factor), len(across), channels), dtype=np.float32)
    rows = max(1, _VALUES_AT_ONCE // (width * channels) // factor)
    for first in range(0, len(result), rows):
        block = planes[first * factor : (first + rows) * factor].astype(np.float32)
        down = np.arange(0, len(block), factor)
        heights = np.diff(np.append(down, len(block))).astype(np.float32)
        sums = np.add.reduceat(np.add.reduceat(block, down, axis=0), across, axis=1)
        result[first : first + rows] = sums / (heights[:, None, None] * widths[None, :, None])
    return result


def enlarged(picture: Rgb, least: int) -> Rgb:
    """Return a picture with each texel as a square, as large as it takes for the longer side to have least pixels."""
    factor = max(1, least // max(picture.shape[:2]))
    return np.asarray(np.repeat(np.repeat(picture, factor, axis=0), factor, axis=1))
