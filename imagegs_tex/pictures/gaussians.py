"""Gaussians as ellipses."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from imagegs_tex.formats.igs.quantized_set import DequantizedGaussians
from imagegs_tex.formats.material.stack import expand_map
from imagegs_tex.formats.vocabulary import TextureMap
from imagegs_tex.pictures.display import Rgb, show_map

Floats = NDArray[np.floating]

SHOWN_ELLIPSES: Final = 600
"""As many as can be told apart in a picture of some 500 to 1000 pixels."""
_CORNERS: Final = 40
_SMOOTHING: Final = 2  # pixels drawn per pixel, across and down
_LEAST_RADIUS: Final = 0.75  # pixels, so that the smallest are seen
_OUTLINE: Final = (255, 255, 255, 110)
_BEHIND_SHARE: Final = 0.35  # of what lies behind the ellipses


@dataclass(frozen=True, slots=True)
class Ellipses:
    """Outlines of Gaussians."""

    centres: NDArray[np.float64]  # [N, 2] x, y in texels, origin top left
    radii: NDArray[np.float64]  # [N, 2] longer and shorter half axis in texels
    angles: NDArray[np.float64]  # [N] of the longer axis, radians from x towards y, which is clockwise as seen


def ellipses_of(means: Floats, log_covariances: Floats, deviations: float = 1.0) -> Ellipses:
    """Return where Gaussians are so many standard deviations from their means.

    Args:
        means: [N, 2] x, y in texels
        log_covariances: [N, 3] m, h, b as in DequantizedGaussians: the covariance is exp of [[m + h, b], [b, m - h]]
        deviations: above 0
    """
    m, h, b = log_covariances.astype(np.float64).T
    radius = np.hypot(h, b)
    radii = deviations * np.exp(np.stack([m + radius, m - radius], axis=1) / 2)
    return Ellipses(means.astype(np.float64), radii, np.arctan2(b, h) / 2)


def evenly_chosen(count: int, most: int = SHOWN_ELLIPSES) -> NDArray[np.intp]:
    """Return at most so many numbers out of 0..count - 1, evenly spread: a file's Gaussians go from cell to cell."""
    return np.unique(np.linspace(0, max(0, count - 1), min(count, most)).astype(np.intp))


def gaussian_colours(values: DequantizedGaussians, texture_map: TextureMap) -> Rgb:
    """Return each Gaussian's own colour in a map, uint8 [N, 3]: what a texel shows that nothing else reaches."""
    channels = np.clip(values.features @ values.basis + values.offset, 0, 1).astype(np.float32)
    return np.asarray(show_map(expand_map(channels[None], texture_map), texture_map)[0])


def draw_ellipses(
    ellipses: Ellipses,
    colours: Rgb,
    size: tuple[int, int],
    *,
    scale: float = 1.0,
    behind: Rgb | None = None,
) -> Rgb:
    """Draw filled ellipses with a thin outline, the largest first.

    Args:
        ellipses: N of them
        colours: uint8 [N, 3]
        size: width and height of the picture in texels
        scale: pixels per texel
        behind: uint8 [H, W, 3] of the size of the result or of any other, shown darkened; None: dark grey

    Returns:
        uint8 [height * scale, width * scale, 3], rounded
    """
    width, height = (max(1, round(side * scale)) for side in size)
    large = (width * _SMOOTHING, height * _SMOOTHING)
    if behind is None:
        canvas = Image.new("RGB", large, (24, 25, 28))
    else:
        canvas = Image.fromarray(np.asarray(behind * _BEHIND_SHARE, dtype=np.uint8)).resize(
            large, Image.Resampling.NEAREST
        )
    pen = ImageDraw.Draw(canvas, "RGBA")
    drawn = scale * _SMOOTHING
    radii = np.maximum(ellipses.radii * drawn, _LEAST_RADIUS * _SMOOTHING)
    turns = np.linspace(0, 2 * np.pi, _CORNERS, endpoint=False)
    circle = np.stack([np.cos(turns), np.sin(turns)], axis=1)
    for index in np.argsort(-radii[:, 0] * radii[:, 1], kind="stable"):
        along, across = (circle * radii[index]).T
        cosine, sine = np.cos(ellipses.angles[index]), np.sin(ellipses.angles[index])
        x = ellipses.centres[index, 0] * drawn + along * cosine - across * sine
        y = ellipses.centres[index, 1] * drawn + along * sine + across * cosine
        red, green, blue = (int(value) for value in colours[index])
        corners = list(zip(x.tolist(), y.tolist(), strict=True))
        pen.polygon(corners, (red, green, blue, 225), _OUTLINE, _SMOOTHING)
    return np.asarray(canvas.reduce(_SMOOTHING))
