"""Whether what a decode misses repeats: the weave of cloth is like itself some texels away, grain nowhere."""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from imagegs_tex.metrics.kept_contrast import blur_transfer

Array = NDArray[np.float64]

_SIDE: Final = 512  # texels of the middle that spectra are taken from
_COARSE: Final = 4  # texels of deviation of a blur; what passes it is no texture
_REACH: Final = 32
"""Texels that a pattern is looked for in; what repeats further away may be a picture's copies of one piece of grain."""
_WIDTH: Final = 0.1
"""Likeness above which shifts around none are a texture's own width."""
_CHANCE: Final = 4.5
"""Deviations of likeness by chance, of which a few thousand shifts reach the largest."""


def middle(values: Tensor) -> Array:
    """Return the middle of a picture, float64 [H, W, channels] of at most 512 x 512 texels."""
    top, left = (max(0, (length - _SIDE) // 2) for length in values.shape[:2])
    return values[top : top + _SIDE, left : left + _SIDE].double().cpu().numpy()


def repetition(plane: Array) -> float:
    """Return the largest autocorrelation of a texture [H, W] beyond its own width, less what grain has by chance.

    Of what is finer than a blur of four texels, up to 32 texels away, the picture taken as repeating: 0.13 to 0.5 for
    what Gaussians leave of cloth.
    """
    down, across = (blur_transfer(length, _COARSE) for length in plane.shape)
    fine = np.fft.rfft2(plane) * (1 - np.multiply.outer(down, across[: plane.shape[1] // 2 + 1]))
    alike = np.fft.irfft2(np.square(np.abs(fine)), plane.shape)
    alike /= max(float(alike[0, 0]), 1e-30)
    reach = min(_REACH, *(length // 4 for length in plane.shape))
    near = np.roll(alike, (reach, reach), axis=(0, 1))[: 2 * reach + 1, : 2 * reach + 1]
    own = _own_width(near > _WIDTH)
    chance = _CHANCE * np.sqrt(np.square(near[own]).sum() / plane.size)
    return max(0.0, float(near[~own].max(initial=0.0) - chance))


def _own_width(wide: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the shifts [2 reach + 1, 2 reach + 1] around the middle that hang together."""
    own = np.zeros_like(wide)
    own[wide.shape[0] // 2, wide.shape[1] // 2] = True
    while True:
        grown = own.copy()
        grown[1:] |= own[:-1]
        grown[:-1] |= own[1:]
        grown[:, 1:] |= own[:, :-1]
        grown[:, :-1] |= own[:, 1:]
        grown &= wide | own
        if np.array_equal(grown, own):
            return own
        own = grown
