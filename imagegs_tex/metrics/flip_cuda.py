"""FLIP on the GPU: what the authors' package computes, which takes 0.35 s for 512 x 512 texels and holds Python's lock.

As P. Andersson and others define it for a low dynamic range ("FLIP: A Difference Evaluator for Alternating Images",
2020), at their 67 pixels per degree: colours filtered by what the eye resolves and compared in CIELAB, and edges and
points, which make up for what those filters lose. All its filters are separable, or sums of two that are. Means differ
from the package's by 2e-5, single texels by 5e-4.
"""

import math
from typing import Final

import torch
from torch import Tensor

PIXELS_PER_DEGREE: Final = 67.0
"""0.7 m before a screen that is 0.7 m and 3,840 pixels wide."""
_CONTRAST: Final = (((1.0, 0.0047),), ((1.0, 0.0053),), ((34.1, 0.04), (13.5, 0.025)))
"""Contrast sensitivity of Y, Cx and Cz: Gaussians in the frequency domain, weight and width."""
_FEATURE_DEGREES: Final = 0.082
"""How wide edges and points are."""
_COLOUR_POWER, _FEATURE_POWER = 0.7, 0.5
_SMALL, _SMALL_TO = 0.4, 0.95
"""Colour differences up to this share of the largest take up this share of the range."""
_TO_XYZ: Final = (
    (10135552 / 24577794, 8788810 / 24577794, 4435075 / 24577794),
    (2613072 / 12288897, 8788810 / 12288897, 887015 / 12288897),
    (1425312 / 73733382, 8788810 / 73733382, 70074185 / 73733382),
)
_LAB_EDGE: Final = 6 / 29
_PIECE: Final = 64
"""Texels of a row that are filtered at once."""


def flip_errors(source: Tensor, decoded: Tensor) -> Tensor:
    """Return the error of each texel [H, W].

    Args:
        source: float32 [H, W, 3], sRGB in [0, 1]
        decoded: the same shape, on the same device
    """
    pair = [_opponent(_linear(picture.permute(2, 0, 1))) for picture in (source, decoded)]
    colours = (_hunt_lab(_seen(picture)) for picture in pair)
    difference = _hyab(*colours).pow_(_COLOUR_POWER)
    green, blue = torch.eye(3, device=source.device)[1:, :, None, None]
    largest = float(_hyab(_hunt_lab(green), _hunt_lab(blue))) ** _COLOUR_POWER
    small = _SMALL * largest
    steep, flat = _SMALL_TO / small, (1 - _SMALL_TO) / (largest - small)
    colour = torch.where(difference < small, steep * difference, _SMALL_TO + (difference - small) * flat)
    edges, points = ((first - second).abs() for first, second in zip(*map(_features, pair), strict=True))
    feature = (torch.maximum(edges, points) / math.sqrt(2)).pow_(_FEATURE_POWER)
    return colour.pow(1 - feature)


def _linear(encoded: Tensor) -> Tensor:
    """Return linear RGB of sRGB."""
    return torch.where(encoded > 0.04045, ((encoded + 0.055) / 1.055).pow(2.4), encoded / 12.92)


def _xyz_over_white(linear: Tensor) -> Tensor:
    """Return XYZ of linear RGB [3, H, W], over that of white."""
    matrix = torch.tensor(_TO_XYZ, dtype=torch.float64)
    matrix /= matrix.sum(dim=1, keepdim=True)
    return torch.einsum("ij,jhw->ihw", matrix.float().to(linear.device), linear)


def _opponent(linear: Tensor) -> Tensor:
    """Return YCxCz [3, H, W] of linear RGB."""
    x, y, z = _xyz_over_white(linear)
    return torch.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def _seen(opponent: Tensor) -> Tensor:
    """Return linear RGB of YCxCz after the filters of the eye."""
    widest = max(width for plane in _CONTRAST for _, width in plane)
    reach = math.ceil(3 * math.sqrt(widest / (2 * math.pi**2)) * PIXELS_PER_DEGREE)
    away = torch.arange(-reach, reach + 1, dtype=torch.float64) / PIXELS_PER_DEGREE
    planes = []
    for plane, gaussians in zip(opponent, _CONTRAST, strict=True):
        tapped = [torch.exp(-(math.pi**2) * away.square() / width) for _, width in gaussians]
        heights = [weight * math.sqrt(math.pi / width) for weight, width in gaussians]
        total = sum(height * float(taps.sum()) ** 2 for height, taps in zip(heights, tapped, strict=True))
        parts = (_filtered(plane, taps * (height / total), taps) for height, taps in zip(heights, tapped, strict=True))
        planes.append(torch.stack(list(parts)).sum(dim=0))
    y = (planes[0] + 16) / 116
    over_white = torch.stack([y + planes[1] / 500, y, y - planes[2] / 200])
    matrix = torch.tensor(_TO_XYZ, dtype=torch.float64)
    back = torch.linalg.inv(matrix / matrix.sum(dim=1, keepdim=True)).float().to(opponent.device)
    return torch.einsum("ij,jhw->ihw", back, over_white).clamp_(0, 1)


def _hunt_lab(linear: Tensor) -> Tensor:
    """Return CIELAB [3, H, W] of linear RGB, chroma by lightness (Hunt's effect)."""
    over_white = _xyz_over_white(linear)
    root = torch.where(
        over_white > _LAB_EDGE**3, over_white.clamp_min(0).pow(1 / 3), over_white / (3 * _LAB_EDGE**2) + 4 / 29
    )
    light = 116 * root[1] - 16
    return torch.stack([light, 0.01 * light * 500 * (root[0] - root[1]), 0.01 * light * 200 * (root[1] - root[2])])


def _hyab(first: Tensor, second: Tensor) -> Tensor:
    """Return the distance in lightness plus that in chroma [H, W]."""
    lightness, *chroma = (first - second).unbind()
    return lightness.abs() + torch.hypot(*chroma)


def _features(opponent: Tensor) -> tuple[Tensor, Tensor]:
    """Return how much of an edge and of a point each texel [H, W] is."""
    deviation = 0.5 * _FEATURE_DEGREES * PIXELS_PER_DEGREE
    reach = math.ceil(3 * deviation)
    away = torch.arange(-reach, reach + 1, dtype=torch.float64)
    bell = torch.exp(-away.square() / (2 * deviation**2))
    light, bell_sum = (opponent[0] + 16) / 116, float(bell.sum())
    found = []
    for taps in (-away * bell, (away.square() / deviation**2 - 1) * bell):
        over, under = (float(side.clamp_min(0).sum()) * bell_sum for side in (taps, -taps))
        taps = torch.where(taps > 0, taps / over, taps / under)  # noqa: PLW2901 - each side of a sum of 1
        found.append(torch.hypot(_filtered(light, bell, taps), _filtered(light, taps, bell)))
    return found[0], found[1]


def _filtered(plane: Tensor, down: Tensor, across: Tensor) -> Tensor:
    """Return a plane [H, W] through a separable filter [taps each]; its border goes on."""
    return _along_rows(_along_rows(plane, across).T, down).T


def _along_rows(plane: Tensor, taps: Tensor) -> Tensor:
    """Return the rows of a plane [H, W] through a filter: pieces of them times a band matrix."""
    width, reach = plane.shape[1], len(taps) // 2
    pieces = -(-width // _PIECE)
    padded = torch.nn.functional.pad(plane[None], (reach, pieces * _PIECE - width + reach), mode="replicate")[0]
    length = _PIECE + 2 * reach
    shifted = torch.nn.functional.pad(taps, (0, _PIECE)).repeat(_PIECE)[: _PIECE * length].reshape(_PIECE, length)
    windows = padded.unfold(1, length, _PIECE)
    return (windows @ shifted.T.float().to(plane.device)).reshape(len(plane), -1)[:, :width]
