"""Which Gaussian weighs most at each pixel, and how many reach it."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.formats.igs.quantized_set import conics_of, reaches_of
from imagegs_tex.pictures.colour_scale import number_colours, scale_colours
from imagegs_tex.pictures.display import Rgb

_PIXELS_AT_ONCE: Final = 1 << 21
_NUMBER_BITS: Final = 32
_WEIGHT_STEPS: Final = 1 << 30


@dataclass(frozen=True, slots=True)
class GaussianField:
    """Which Gaussians reach each pixel."""

    strongest: NDArray[np.int32]  # [H, W] number of the Gaussian that weighs most there; -1 where none reaches
    counts: NDArray[np.int32]  # [H, W] how many Gaussians reach the pixel's centre


def show_numbers(field: GaussianField) -> Rgb:
    """Show each pixel in a colour for the Gaussian that weighs most there, uint8 [H, W, 3]; black: none."""
    return number_colours(field.strongest)


def show_counts(field: GaussianField, most: int | None = None) -> Rgb:
    """Show how many Gaussians reach each pixel, uint8 [H, W, 3].

    Args:
        field: the Gaussians
        most: the number at which the scale ends; None: :func:`most_shown`
    """
    return scale_colours(field.counts / np.float64(most or most_shown(field)))


def most_shown(field: GaussianField) -> int:
    """Return the number that 99 % of the pixels stay within, at least 1: where the scale of counts ends."""
    return max(1, int(np.percentile(field.counts, 99)))


def gaussian_field(
    means: NDArray[np.floating],
    log_covariances: NDArray[np.floating],
    cutoff: float,
    size: tuple[int, int],
    wrap: tuple[bool, bool] = (False, False),
    scale: float = 1.0,
) -> GaussianField:
    """Find for each pixel the Gaussian that weighs most, and how many there are.

    Args:
        means: [N, 2] x, y in texels
        log_covariances: [N, 3] m, h, b as in DequantizedGaussians
        cutoff: q at which a support ends
        size: width and height of the picture in texels
        wrap: whether it repeats in x and in y; a support wider than the picture counts once
        scale: pixels per texel

    Returns:
        arrays [height * scale, width * scale], rounded, at the pixels' centres
    """
    pixels = np.array([max(1, round(side * scale)) for side in size])
    factors = pixels / np.array(size)
    centres = means.astype(np.float64) * factors
    conics = conics_of(log_covariances) / np.array([factors[0] ** 2, factors[0] * factors[1], factors[1] ** 2])
    reaches = reaches_of(log_covariances.astype(np.float64), cutoff) * factors
    first, after = (np.empty(centres.shape, dtype=np.int64) for _ in range(2))  # of each support's bounding box
    for axis in range(2):
        reach = np.minimum(reaches[:, axis], pixels[axis] / 2) if wrap[axis] else reaches[:, axis]
        first[:, axis] = np.ceil(centres[:, axis] - reach - 0.5)
        after[:, axis] = np.floor(centres[:, axis] + reach - 0.5) + 1
        if wrap[axis]:
            np.minimum(after[:, axis], first[:, axis] + pixels[axis], out=after[:, axis])
        else:
            np.clip(first[:, axis], 0, pixels[axis], out=first[:, axis])
            np.clip(after[:, axis], 0, pixels[axis], out=after[:, axis])
    spans = np.maximum(after - first, 0)
    ends = np.cumsum(spans.prod(axis=1))
    keys = np.full(pixels.prod(), -1, dtype=np.int64)
    counts = np.zeros(pixels.prod(), dtype=np.int32)
    begin = 0
    while begin < len(centres):
        before = ends[begin - 1] if begin else 0
        end = max(begin + 1, int(np.searchsorted(ends, before + _PIXELS_AT_ONCE, side="right")))
        part = slice(begin, end)
        areas = spans[part].prod(axis=1)
        owner = np.repeat(np.arange(begin, end), areas)
        within = np.arange(len(owner)) - np.repeat(np.cumsum(areas) - areas, areas)
        x = first[owner, 0] + within % spans[owner, 0]
        y = first[owner, 1] + within // spans[owner, 0]
        dx, dy = x + 0.5 - centres[owner, 0], y + 0.5 - centres[owner, 1]
        a, b, c = conics[owner].T
        left = cutoff - (a * dx * dx + 2 * b * dx * dy + c * dy * dy) / 2
        inside = left > 0
        place = (y[inside] % pixels[1]) * pixels[0] + x[inside] % pixels[0]
        weight = np.asarray(left[inside] / cutoff * _WEIGHT_STEPS, dtype=np.int64)
        np.maximum.at(keys, place, weight << _NUMBER_BITS | owner[inside])
        counts += np.bincount(place, minlength=len(counts)).astype(np.int32)
        begin = end
    strongest = np.where(keys < 0, -1, keys & ((1 << _NUMBER_BITS) - 1)).astype(np.int32)
    return GaussianField(strongest.reshape(pixels[1], pixels[0]), counts.reshape(pixels[1], pixels[0]))
