"""SSIM at five scales.

Wang, Simoncelli and Bovik, "Multiscale structural similarity for image quality assessment", 2003: contrast and
structure at each scale, luminance at the last, each to the power of its weight.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.metrics.ssim import SSIM_WINDOW, similarity_and_structure

WEIGHTS: Final = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""Of the scales, the finest first: the paper's."""
LEAST_SIDE: Final = (SSIM_WINDOW - 1) * 2 ** (len(WEIGHTS) - 1) + 1
"""Texels: in a smaller picture no window fits into the coarsest scale."""


def multiscale_similarity(first: NDArray[np.float32], second: NDArray[np.float32]) -> NDArray[np.float64] | None:
    """Return the MS-SSIM of two pictures [H, W, C] with a value range of 1, averaged over texels, per channel [C].

    None where a side has less than LEAST_SIDE texels. A scale at which structures are opposed counts as 0.
    """
    if min(first.shape[:2]) < LEAST_SIDE:
        return None
    product = np.ones(first.shape[2])
    for scale, weight in enumerate(WEIGHTS):
        similarity, structure = similarity_and_structure(first, second)
        factor = similarity if scale == len(WEIGHTS) - 1 else structure
        product *= np.maximum(factor, 0.0) ** weight
        first, second = _halved(first), _halved(second)
    return product


def _halved(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return means over squares of two by two; an odd side begins with a line averaged with black, as usual."""
    height, width, _ = picture.shape
    padded = np.pad(picture, ((height % 2, height % 2), (width % 2, width % 2), (0, 0)))
    rows, columns = padded.shape[0] // 2 * 2, padded.shape[1] // 2 * 2
    blocks = padded[:rows, :columns].reshape(rows // 2, 2, columns // 2, 2, -1)
    return np.asarray(blocks.mean(axis=(1, 3)), dtype=np.float32)
