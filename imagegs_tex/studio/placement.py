"""Where the fit begins: how much detail each place has, and what was said to matter."""

from dataclasses import dataclass

import numpy as np

from imagegs_tex.formats.material.stack import TextureStack
from imagegs_tex.pictures.colour_scale import scale_colours
from imagegs_tex.pictures.display import Rgb, to_bytes
from imagegs_tex.pictures.reduce import mean_of_blocks, reduction_for
from imagegs_tex.saliency.estimate import estimate_saliency

_SIDE = 640
_BRIGHT_SHARE = 99.0


@dataclass(frozen=True, slots=True)
class PlacementPicture:
    """One picture of what decides where the first Gaussians are put."""

    label: str
    note: str
    name: str  # of its file
    picture: Rgb


def placement_pictures(stack: TextureStack) -> list[PlacementPicture]:
    """Return pictures of what decides where the first Gaussians are put.

    The gradient is that of all coded channels together; more Gaussians begin where it is large.
    """
    factor = reduction_for(stack.width, stack.height, _SIDE)
    found = [
        PlacementPicture(
            "Gradient", "bright: detail, where more Gaussians begin", "gallery_gradient.png", _gradient(stack, factor)
        ),
        PlacementPicture(
            "Saliency", "bright: what is likely to catch the eye", "gallery_saliency.png", _saliency(stack, factor)
        ),
    ]
    if stack.weights is not None:
        weights = mean_of_blocks(stack.weights[..., None], factor)
        grey = np.repeat(to_bytes(np.asarray(weights, np.float32) / max(float(weights.max()), 1e-9)), 3, axis=2)
        note = "white texels count fully, black ones not"
        found.append(PlacementPicture("Importance", note, "gallery_importance.png", grey))
    return found


def _saliency(stack: TextureStack, factor: int) -> Rgb:
    shown = np.asarray(mean_of_blocks(estimate_saliency(stack)[..., None], factor), dtype=np.float32)[..., 0]
    return scale_colours(shown / max(float(shown.max()), 1e-9))


def _gradient(stack: TextureStack, factor: int) -> Rgb:
    squares = np.zeros((stack.height, stack.width), dtype=np.float32)
    for channel in range(stack.channel_count):
        plane = stack.texels[..., channel]
        for axis in (0, 1):
            if plane.shape[axis] > 1:
                squares += np.gradient(plane, axis=axis) ** 2
    magnitude = np.asarray(mean_of_blocks(np.sqrt(squares)[..., None], factor), dtype=np.float32)[..., 0]
    return scale_colours(magnitude / max(float(np.percentile(magnitude, _BRIGHT_SHARE)), 1e-9))
