"""Mip chains of a decoded map, down to one texel: averages of what the values mean, not of the numbers.

Colours are averaged in linear light, normals as vectors, colour under a coverage by that coverage; everything else is
averaged as it is. Every level averages the one above before anything is rounded, rescaled or renormalised, so a level
is the mean over its footprint in level 0. With an odd size each texel weighs as much as its area inside the footprint
(a plain 2 x 2 box would drop the last row, and drift by half a texel at every such level).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.formats.transfer_functions import linear_to_srgb, srgb_to_linear

_Planes = NDArray[np.float32]

COVERAGE_THRESHOLD: Final = 0.5
"""Where an alpha test cuts."""

_CUT_OUT_MARGIN: Final = 0.1
_CUT_OUT_SHARE: Final = 0.75
_LARGEST_ALPHA_SCALE: Final = 16.0  # more would make texels of what a codec leaves in empty regions, a few 255ths
_VALUES_AT_ONCE: Final = 1 << 25
_UP: Final = np.array([0, 0, 1], dtype=np.float32)
_LEAST_WEIGHT: Final = 1e-4  # of a texel with coverage 0: decides only where its whole footprint has none


@dataclass(frozen=True, slots=True)
class ChannelRoles:
    """How the channels of a picture are averaged; those in none of these are averaged as they are."""

    srgb: tuple[int, ...] = ()  # sRGB-encoded
    normal: tuple[int, ...] = ()  # x, y and maybe z of unit vectors, each as (v + 1) / 2
    coverage: int | None = None  # straight alpha
    covered: tuple[int, ...] = ()  # colours that count by the coverage


def level_count(width: int, height: int) -> int:
    """Levels of a whole chain, level 0 included."""
    return max(width, height).bit_length()


def mip_chain(samples: _Planes, roles: ChannelRoles) -> list[_Planes]:
    """Make all levels of a picture.

    Args:
        samples: float32 [H, W, C], sample values
        roles: what the channels are

    Returns:
        level 0, which is the picture itself, to 1 x 1: each half the size of the one above, rounded down
    """
    levels = [samples]
    share = None if roles.coverage is None else _cut_out_share(samples[..., roles.coverage])
    planes = None
    for _ in range(level_count(samples.shape[1], samples.shape[0]) - 1):
        planes = _first_halves(samples, roles) if planes is None else _halve(_halve(planes, 0), 1)
        level = _from_means(planes, roles, samples.shape[2])
        if share is not None and roles.coverage is not None:
            alpha = level[..., roles.coverage]
            level[..., roles.coverage] = np.minimum(1.0, alpha * _coverage_scale(alpha, share))
        levels.append(level)
    return levels


def _first_halves(samples: _Planes, roles: ChannelRoles) -> _Planes:
    """Return the planes of level 1, a large picture of even height in bands: level 0 is most of what there is."""
    height, width, channels = samples.shape
    rows = height if height % 2 else max(2, _VALUES_AT_ONCE // (width * channels) // 2 * 2)
    bands = (samples[first : first + rows] for first in range(0, height, rows))
    return np.concatenate([_halve(_halve(_to_means(band, roles), 0), 1) for band in bands])


def unit_normals(samples: _Planes) -> _Planes:
    """Return vectors [..., 3] of length 1 for samples (v + 1) / 2 of x, y and maybe z [..., 2 or 3]."""
    vectors = 2 * samples - 1
    if vectors.shape[-1] == 2:
        rest = 1 - np.square(vectors).sum(axis=-1, keepdims=True)
        vectors = np.concatenate([vectors, np.sqrt(np.maximum(0.0, rest))], axis=-1)
    return _normalised(vectors)


def _to_means(samples: _Planes, roles: ChannelRoles) -> _Planes:
    """Turn a picture into planes whose plain averages are right; a normal's z, if not stored, becomes the last one."""
    planes = samples.copy()
    srgb, normal, covered = list(roles.srgb), list(roles.normal), list(roles.covered)
    if srgb:
        planes[..., srgb] = srgb_to_linear(samples[..., srgb])
    if normal:
        vectors = unit_normals(samples[..., normal])
        planes[..., normal] = vectors[..., : len(normal)]
        if len(normal) == 2:
            planes = np.concatenate([planes, vectors[..., 2:]], axis=-1)
    if roles.coverage is not None and covered:
        planes[..., covered] *= planes[..., roles.coverage, None] + np.float32(_LEAST_WEIGHT)
    return planes


def _from_means(planes: _Planes, roles: ChannelRoles, channel_count: int) -> _Planes:
    """Invert :func:`_to_means`."""
    level = planes[..., :channel_count].copy()
    srgb, normal, covered = list(roles.srgb), list(roles.normal), list(roles.covered)
    if roles.coverage is not None and covered:
        level[..., covered] /= level[..., roles.coverage, None] + np.float32(_LEAST_WEIGHT)
    if srgb:
        level[..., srgb] = linear_to_srgb(level[..., srgb])
    if normal:
        axes = normal if len(normal) == 3 else [*normal, channel_count]
        level[..., normal] = (_normalised(planes[..., axes])[..., : len(normal)] + 1) / 2
    return level


def _normalised(vectors: _Planes) -> _Planes:
    """Scale to length 1; opposed vectors that cancel out become (0, 0, 1)."""
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.where(length > 1e-6, vectors / np.maximum(length, 1e-6), _UP).astype(np.float32)


def _halve(planes: _Planes, axis: int) -> _Planes:
    """Average pairs along an axis; of an odd size 2m + 1, m footprints of 2 + 1/m texels, by area."""
    planes = np.moveaxis(planes, axis, 0)
    size = planes.shape[0]
    if size == 1:
        half = planes
    elif size % 2 == 0:
        half = (planes[0::2] + planes[1::2]) * np.float32(0.5)
    else:
        count = size // 2
        index = np.arange(count, dtype=np.float32)[:, None, None]
        first, last = (count - index) / size, (index + 1) / size
        half = planes[0:-2:2] * first + planes[1::2] * np.float32(count / size) + planes[2::2] * last
    return np.ascontiguousarray(np.moveaxis(half, 0, axis))


def _cut_out_share(alpha: _Planes) -> float | None:
    """Share of a cut-out's texels that pass the alpha test; None when it is no cut-out but shades of translucency.

    In a cut-out nearly all texels are in or out (100 % of a shrub's, 99 % of a drawn character's, fewer once decoded),
    and only there does the alpha test mean anything; glass (0 %) and a panel with a gradient (57 %) keep their mean.
    """
    clear = (alpha <= _CUT_OUT_MARGIN) | (alpha >= 1 - _CUT_OUT_MARGIN)
    share = float((alpha >= COVERAGE_THRESHOLD).mean())
    return share if clear.mean() >= _CUT_OUT_SHARE and 0 < share < 1 else None


def _coverage_scale(alpha: _Planes, share: float) -> float:
    """Return the factor on alpha, as near to 1 as can be, with which a share of the texels passes the alpha test."""
    ordered = np.sort(alpha, axis=None).astype(np.float64)
    wanted = round(share * ordered.size)
    deciding = ordered[ordered.size - max(wanted, 1)]
    first = int(np.searchsorted(ordered, deciding, side="left"))  # equal texels pass together or not at all
    after = int(np.searchsorted(ordered, deciding, side="right"))
    if (ordered.size - first) - wanted > wanted - (ordered.size - after):
        first = after
    least = COVERAGE_THRESHOLD / max(ordered[first], 1e-9) if first < ordered.size else 0.0
    below = COVERAGE_THRESHOLD / max(ordered[first - 1], 1e-9) if first > 0 else np.inf
    # a fiftieth beyond the texel that decides, if the next one is not nearer, so that rounding does not move it back
    if least > 1:
        scale = min(float(np.sqrt(least * below)), least * 1.02)
    elif below <= 1:
        scale = max(float(np.sqrt(least * below)), below / 1.02)
    else:
        scale = 1.0
    return min(scale, _LARGEST_ALPHA_SCALE)
