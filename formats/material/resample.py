"""Pictures at another size: smaller by the mean of what a texel covers, larger linearly between texel centres.

Both are of values as they are stored. A sharper filter than the linear one for enlarging would ring at the edges of
masks, and overshoots of a normal or a roughness have no meaning.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.formats.vocabulary import SampleFormat, Samples

_LINES_AT_ONCE: Final = 64


def resampled(samples: Samples, size: tuple[int, int], repeats: tuple[bool, bool]) -> Samples:
    """Return a map at another size, in its own sample format; integers are rounded.

    Args:
        samples: [H, W, channels], finite
        size: width and height of the result; each axis becomes smaller or larger by itself
        repeats: whether what lies beyond the border, in x and in y, is the other side; else it is the border's texel
    """
    height, width, channels = samples.shape
    result = np.empty((size[1], size[0], channels), dtype=samples.dtype)
    for channel in range(channels):  # one at a time bounds the memory of temporaries
        plane = samples[..., channel]
        if np.ptp(plane) == 0:
            result[..., channel] = plane[0, 0]  # exactly, so that a constant stays one
            continue
        values = mean_over_area(
            np.asarray(plane[..., None], dtype=np.float32), (min(size[0], width), min(size[1], height))
        )
        for axis, length in ((1, size[0]), (0, size[1])):
            values = _enlarged(values, axis, length, repeats[1 - axis])
        if not SampleFormat.of(samples.dtype).is_float:
            np.rint(values, out=values)
        result[..., channel] = values[..., 0]
    return result


def _enlarged(image: NDArray[np.float32], axis: int, length: int, repeats: bool) -> NDArray[np.float32]:
    """Lengthen an axis: linearly between the centres of the two nearest texels."""
    full = image.shape[axis]
    if length == full:
        return image
    places = (np.arange(length) + 0.5) * (full / length) - 0.5
    before = np.floor(places).astype(np.int64)
    shape = [1] * image.ndim
    shape[axis] = length
    share = (places - before).astype(np.float32).reshape(shape)
    first, second = (
        np.take(image, index % full if repeats else np.clip(index, 0, full - 1), axis=axis)
        for index in (before, before + 1)
    )
    return np.asarray(first + (second - first) * share, dtype=np.float32)


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
