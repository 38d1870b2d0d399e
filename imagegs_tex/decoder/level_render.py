"""The pictures that coarse levels are made of, in arithmetic that every machine and runtime/c/igs_levels.h repeat.

Sums of floats depend on their order, and so would the levels' bytes. Here each step is one that IEEE 754 defines, in a
stated order and without fused products: a texel adds up Gaussians as the file has them, the images of one row by row,
then components and channels by number. Distances come from a corner in float64 and from the column's place in its
tile of 64. Exponentials are polynomials. docs/gpu-buffer.md, "Levels", has the formulas.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from imagegs_tex.decoder.detail import add_detail
from imagegs_tex.formats.igs.added_picture import added_level, added_picture
from imagegs_tex.formats.igs.quantized_set import (
    EPSILON,
    OFFSET_SCALE,
    QuantizedGaussianSet,
    basis_values,
    position_exponents,
    shape_values,
)
from imagegs_tex.rasterize.backend import LOG2_E
from imagegs_tex.rasterize.cpu.ordered_kernels import TILE, draw_tiles, list_tiles
from imagegs_tex.rasterize.cpu.threads import Workers, available_threads
from imagegs_tex.shaders.coarse_levels import LevelPictures, level_range, level_widening

_MARGIN: Final = 0.001
"""Of q log2(e): what lies beyond the cut-off by so much has no weight, however it is rounded."""
_LN2: Final = 0.6931471803691238, 1.9082149292705877e-10
"""ln 2 in two parts, the first of which has 32 bits: multiples of it are exact."""
_EXP_TERMS: Final = 14

Float = NDArray[np.float64]


def level_pictures(quantized: QuantizedGaussianSet) -> LevelPictures:
    """Render what the levels of a mip chain are made of."""
    levels = level_range(quantized)
    widened = tuple(_channels(quantized, level) for level in range(levels.first, levels.direct))
    if quantized.exact is not None:
        return LevelPictures(quantized.exact.values, widened)
    texels = _channels(quantized, 0)
    if quantized.detail is not None:
        offset = (quantized.offset_codes / OFFSET_SCALE).astype(np.float32)
        own = (quantized.width, quantized.height)
        add_detail(torch.from_numpy(texels), quantized.detail, offset, own, quantized.wrap)
    return LevelPictures(texels, widened)


def plain_exp(x: Float) -> Float:
    """Return e^x within 2e-16, for x of -700 to 700: a power of two and a Taylor series, products and sums alone."""
    whole = np.floor(x * LOG2_E + 0.5)
    rest = (x - whole * _LN2[0]) - whole * _LN2[1]
    series = np.ones_like(rest)
    for term in range(_EXP_TERMS, 0, -1):
        series = series * rest / term + 1.0
    return np.asarray(np.ldexp(series, whole.astype(np.int32)))


@dataclass(frozen=True, slots=True)
class _Supports:
    """Gaussians as a row of texels sees them: q log2(e) = across u^2 + along dy^2 with u = dx + slant dy."""

    means: Float  # [N, 2] texels of the picture
    slant: Float  # [N]
    across: NDArray[np.float32]  # [N]
    along: Float  # [N]
    reach: Float  # [N, 2] half width and height of the box around the support
    shares: NDArray[np.float32]  # [N] of weights: 1, or less where widening spreads them out
    features: NDArray[np.float32]  # [N, K]

    @staticmethod
    def of(quantized: QuantizedGaussianSet, widening: float) -> "_Supports":
        shapes = shape_values(quantized.shape_codes, quantized.size_step, quantized.form_step)
        m, h, b = shapes.T
        r = np.sqrt(h * h + b * b)
        grown, scale = plain_exp(r), plain_exp(-m)
        cosine = 0.5 * (grown + 1.0 / grown)
        sine = np.where(r > 0, 0.5 * (grown - 1.0 / grown) / np.where(r > 0, r, 1.0), 1.0)
        conic_a, conic_b, conic_c = scale * (cosine - h * sine), -scale * b * sine, scale * (cosine + h * sine)
        determinant = scale * scale
        wide_a, wide_c = conic_a + widening * determinant, conic_c + widening * determinant
        shrunk = 1.0 / (1.0 + widening * (conic_a + conic_c) + widening * widening * determinant)
        spread = np.sqrt(shrunk)
        scales = plain_exp(m * (-0.5 * quantized.feature_exponent))
        features = quantized.feature_codes * quantized.feature_steps.astype(np.float64) * scales[:, None]
        exponents = position_exponents(shapes, quantized)
        return _Supports(
            means=(quantized.position_codes.astype(np.float64) + 0.5) * np.exp2(exponents.astype(np.float64)),
            slant=conic_b / wide_a,
            across=(0.5 * LOG2_E * wide_a * shrunk).astype(np.float32),
            along=0.5 * LOG2_E * determinant / wide_a,
            reach=np.sqrt(2.0 * quantized.cutoff * np.stack([wide_c, wide_a], axis=1) / determinant[:, None]) + 1.0,
            shares=(spread * (0.5 + 0.5 * spread)).astype(np.float32),
            features=np.ascontiguousarray(features, dtype=np.float32),
        )


def _channels(quantized: QuantizedGaussianSet, level: int) -> NDArray[np.float32]:
    """Render the picture at a level's texel centres, every Gaussian widened by the level's texels [h, w, C].

    Level 0 is the picture itself, with repeat and residual; others have the means of both over their texels.
    """
    supports = _Supports.of(quantized, level_widening(level))
    own = np.array([quantized.width, quantized.height])
    across, down = (int(side) for side in -(-own >> level))
    of, moved = _images(supports, own, quantized.wrap)
    tile = float(TILE << level)
    least, most = (np.floor((moved + reach) / tile) for reach in (-supports.reach[of], supports.reach[of]))
    last = np.array([-(-across // TILE), -(-down // TILE)]) - 1
    first, end = (np.clip(place, 0, last).astype(np.int32) for place in (least, most))
    starts, entries = list_tiles(first, end, int(last[0]) + 1, int(last[1]) + 1)
    image = added_level(quantized, level) if level else added_picture(quantized, (across, down))
    if image is None:
        image = np.zeros((down, across, quantized.channel_count), np.float32)
    Workers(available_threads()).run(
        draw_tiles, len(starts) - 1, of, moved, supports.slant, supports.across, supports.along, supports.shares,
        supports.features, starts, entries, basis_values(quantized.basis_codes, quantized.basis_scale),
        (quantized.offset_codes / OFFSET_SCALE).astype(np.float32), np.float32(EPSILON),
        np.float32(plain_exp(np.array(-quantized.cutoff))), quantized.cutoff * LOG2_E + _MARGIN, level, image,
    )  # fmt: skip
    return image


def _images(
    supports: _Supports, size: NDArray[np.int64], wrap: tuple[bool, bool]
) -> tuple[NDArray[np.int64], Float]:  # fmt: skip
    """Return the images that may reach the picture, by Gaussian, then by row, then by column: of which, and where."""
    first = np.where(wrap, np.ceil((-supports.means - supports.reach) / size), 0).astype(np.int64)
    last = np.where(wrap, np.floor((size - supports.means + supports.reach) / size), 0).astype(np.int64)
    counts = np.prod(last - first + 1, axis=1)
    of = np.repeat(np.arange(len(counts)), counts)
    place = np.arange(len(of)) - np.repeat(np.cumsum(counts) - counts, counts)
    columns = (last - first + 1)[of, 0]
    moved = supports.means[of] + (first[of] + np.stack([place % columns, place // columns], axis=1)) * size
    return of, moved
