"""Saliency as what is unexpected in a picture's spectrum.

Hou and Zhang, "Saliency detection: a spectral residual approach", 2007: of the log amplitudes what differs from their
own surroundings is kept, with the phases, at a size at which objects are a few texels wide.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.saliency.filters import box_mean, gaussian_blur, resized

SIZE: Final = 64
"""Texels of the longer side at which it works: the paper's."""
_SMOOTHING: Final = 3
"""Texels of the spectrum over which log amplitudes are averaged: the paper's n."""
_BLUR: Final = 1.6
"""Deviation of the last blur, in texels of the small picture."""


def spectral_residual(channel: NDArray[np.float32], wrap: tuple[bool, bool]) -> NDArray[np.float32]:
    """Return the saliency [H, W], from 0 to 1, of one channel [H, W].

    Args:
        channel: any values
        wrap: whether the picture repeats in x and in y
    """
    height, width = channel.shape
    scale = min(1.0, SIZE / max(height, width))
    small_size = max(1, round(width * scale)), max(1, round(height * scale))
    small = resized(channel, small_size, wrap).astype(np.float64)
    spectrum = np.fft.fft2(small)
    amplitudes = np.log(np.abs(spectrum) + 1e-12 * max(1.0, float(np.abs(spectrum).max())))
    residual = amplitudes - box_mean(amplitudes, _SMOOTHING // 2, (True, True))
    response = np.abs(np.fft.ifft2(np.exp(residual + 1j * np.angle(spectrum)))) ** 2
    blurred = gaussian_blur(response, _BLUR, wrap)
    return normalised(resized(blurred.astype(np.float32), (width, height), wrap))


def normalised(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return values stretched to 0..1; where all are equal, 0."""
    low, high = float(values.min()), float(values.max())
    if high - low <= 1e-6 * max(abs(low), abs(high)):
        return np.zeros_like(values)
    return np.asarray((values - low) / (high - low), dtype=np.float32)
