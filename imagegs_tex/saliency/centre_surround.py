"""Saliency as what differs from its surroundings, at several sizes.

Montabone and Soto, "Human detection using a mobile platform and novel features derived from a visual saliency
mechanism", 2010, after Itti, Koch and Niebur, "A model of saliency-based visual attention", 1998: a texel against the
mean of boxes around it, brighter and darker ones each by itself.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.saliency.filters import box_mean
from imagegs_tex.saliency.spectral_residual import normalised

RADII: Final = (12, 24, 48, 96, 192, 384)
"""Half the widths of the boxes, in texels."""


def centre_surround(channel: NDArray[np.float32], wrap: tuple[bool, bool]) -> NDArray[np.float32]:
    """Return the saliency [H, W], from 0 to 1, of one channel [H, W].

    Args:
        channel: any values
        wrap: whether the picture repeats in x and in y
    """
    values = channel.astype(np.float64)
    total = np.zeros_like(values)
    for sign in (1.0, -1.0):
        summed = np.zeros_like(values)
        for radius in RADII:
            texels = (2 * radius + 1) ** 2
            surround = (box_mean(values, radius, wrap) * texels - values) / (texels - 1)
            summed += np.maximum(sign * (values - surround), 0.0)
        total += summed / max(1e-12, float(summed.max()))
    return normalised(total.astype(np.float32))
