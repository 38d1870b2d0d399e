"""Saliency of a material without any trained weights: its base colour by two methods, averaged."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.formats.material.stack import TextureStack
from imagegs_tex.formats.vocabulary import COLOUR_SEMANTICS, Coded
from imagegs_tex.pictures.display import LUMINANCE
from imagegs_tex.saliency.centre_surround import centre_surround
from imagegs_tex.saliency.filters import gaussian_blur, resized
from imagegs_tex.saliency.spectral_residual import normalised, spectral_residual

_BLUR_SHARE: Final = 1 / 64
"""Deviation of the blur of centre-surround over the shorter side: single texels are no objects."""
_LONGEST: Final = 1024  # texels of the longer side, of those that are looked at


def estimate_saliency(stack: TextureStack) -> NDArray[np.float32]:
    """Return the saliency [H, W], from 0 to 1, of a stack.

    It is that of the first colour map (base colour comes first where there is one), of its luminance and two colour
    differences; without a colour map, of all coded channels.
    """
    shown = picture_of(stack)
    size = _bounded(stack.width, stack.height)
    planes = np.concatenate(
        [resized(shown[..., index], size, stack.wrap)[..., None] for index in range(shown.shape[2])], axis=2
    )
    channels = opponents(planes) if planes.shape[2] == 3 else planes
    parts = []
    for index in range(channels.shape[2]):
        plane = np.ascontiguousarray(channels[..., index])
        spread = float(plane.std())
        if spread > 0:
            deviation = max(0.5, min(plane.shape) * _BLUR_SHARE)
            local = gaussian_blur(centre_surround(plane, stack.wrap).astype(np.float64), deviation, stack.wrap)
            both = spectral_residual(plane, stack.wrap) + normalised(local.astype(np.float32))
            parts.append(spread * both)
    if not parts:
        return np.zeros((stack.height, stack.width), np.float32)
    return normalised(resized(np.sum(parts, axis=0).astype(np.float32), (stack.width, stack.height), stack.wrap))


def _bounded(width: int, height: int) -> tuple[int, int]:
    """Return the size at which saliency is looked for: attention does not grow with the number of texels."""
    scale = min(1.0, _LONGEST / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def picture_of(stack: TextureStack) -> NDArray[np.float32]:
    """Return what is looked at: the three channels [H, W, 3] of the first colour map, or all channels [H, W, C]."""
    for texture_map in stack.maps:
        colours = [
            route.index
            for route, meaning in zip(texture_map.routes, texture_map.channel_semantics, strict=True)
            if isinstance(route, Coded) and meaning in COLOUR_SEMANTICS
        ]
        if len(colours) == 3:
            return np.ascontiguousarray(stack.texels[..., colours])
    return stack.texels


def opponents(colours: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return luminance, red against green and blue against yellow [H, W, 3] of colours [H, W, 3] as seen."""
    red, green, blue = np.moveaxis(colours, -1, 0)
    luminance = np.tensordot(colours, np.array(LUMINANCE, np.float32), axes=1)
    return np.stack([luminance, (red - green) / 2, (blue - (red + green) / 2) / 2], axis=-1).astype(np.float32)
