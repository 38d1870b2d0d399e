"""How many Gaussians, how finely stored: from what the user asked for to a file of that size.

A file's size is nearly linear in the number of Gaussians, but how many bytes one costs depends on the material. A
pilot fit of a few steps measures it; the full fit follows; the feature step then moves the size to just under the
limit, which needs no new fit.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from imagegs_tex.decoder import decode_maps
from imagegs_tex.encoder import EncodeSeconds, FittedGeometry, fit_geometry, prepare, round_features
from imagegs_tex.fit import FitProgress
from imagegs_tex.formats.errors import UsageError
from imagegs_tex.formats.gaussians import MAX_GAUSSIANS, QuantizedGaussianSet
from imagegs_tex.formats.igs import encode_igs
from imagegs_tex.formats.stack import TextureStack, expand_map
from imagegs_tex.metrics import psnr_of, squared_error
from imagegs_tex.rasterize.backend import Backend
from imagegs_tex.settings import DEFAULT_TEXELS_PER_GAUSSIAN, CompressSettings, FitSettings

LEAST_USE: Final = 0.97
"""A file made for a size limit uses at least this share of it."""
_AIM: Final = 0.99
_FIRST_BYTES_PER_GAUSSIAN: Final = 6.0
_PILOT_SHARE: Final = 8
"""The pilot takes a share of the fit's steps, at least _PILOT_STEPS: bytes per Gaussian settle early."""
_PILOT_STEPS: Final = 12
_STEP_RANGE: Final = (0.7, 1.45)
"""How far the feature step may move from its setting; beyond, more or fewer Gaussians are the better deal."""
_BISECTIONS: Final = 7
_MOST_FITS: Final = 3
PSNR_TOLERANCE_DB: Final = 0.15
"""A file made for a PSNR has at most this much more."""
_MOST_PSNR_FITS: Final = 4
_PSNR_BISECTIONS: Final = 5
_PILOT_SHORTFALL_DB: Final = 0.5
"""What the full fit gains over a pilot at least."""
_SLOPE_RANGE: Final = (0.4, 6.0)
"""dB that twice the Gaussians are worth: noise to sharp graphics."""
_MOST_DOUBLINGS: Final = 2.0
"""How far one prediction may go."""
_LEAST_TEXELS_PER_GAUSSIAN: Final = 6
"""More Gaussians than that and plain texels are the better code."""

Report = Callable[[FitProgress], None]


@dataclass(frozen=True, slots=True)
class Encoded:
    """A finished set and where the time went."""

    quantized: QuantizedGaussianSet
    seconds: EncodeSeconds


def encode_within_budget(
    stack: TextureStack, settings: CompressSettings, backend: Backend, report: Report | None = None
) -> Encoded:
    """Encode a stack with the number of Gaussians, or the size, that the settings ask for.

    Raises:
        UsageError: more than one of the four limits is given, or one that no file can meet
    """
    limits = (settings.gaussian_count, settings.bits_per_texel, settings.max_bytes, settings.target_psnr)
    if sum(limit is not None for limit in limits) > 1:
        raise UsageError("--gaussians, --bpp, --max-bytes and --target-psnr exclude each other; give one of them")
    texels = stack.width * stack.height
    if settings.target_psnr is not None:
        return _encode_to_psnr(stack, settings.target_psnr, settings, backend, report)
    if settings.max_bytes is not None:
        return _encode_to_size(stack, settings.max_bytes, settings, backend, report)
    if settings.bits_per_texel is not None:
        if not 0 < settings.bits_per_texel < float("inf"):
            raise UsageError(f"--bpp {settings.bits_per_texel:g} is impossible; give a number above 0")
        return _encode_to_size(stack, int(settings.bits_per_texel * texels / 8), settings, backend, report)
    count = settings.gaussian_count
    if count is None:
        count = _default_count(stack)
    if not 1 <= count <= min(MAX_GAUSSIANS, texels):
        raise UsageError(f"{count} Gaussians is outside 1..{min(MAX_GAUSSIANS, texels)} for {texels} texels")
    geometry, seconds = fit_geometry(
        prepare(stack, backend), count, settings.fit, settings.precision, backend, report
    )  # fmt: skip
    return Encoded(round_features(geometry, settings.precision, stack), seconds)


def _encode_to_size(
    stack: TextureStack, max_bytes: int, settings: CompressSettings, backend: Backend, report: Report | None
) -> Encoded:
    prepared = prepare(stack, backend)
    most = min(MAX_GAUSSIANS, stack.width * stack.height)
    fixed = len(encode_igs(_tiny(stack, settings, backend)))
    if max_bytes < fixed:
        raise _unmeetable(max_bytes, fixed)
    count = _count_for(max_bytes, fixed, _FIRST_BYTES_PER_GAUSSIAN, most)
    geometry, spent = fit_geometry(prepared, count, _pilot(settings.fit), settings.precision, backend, report)
    per_gaussian = max(1.0, (_size(geometry, settings, stack) - fixed) / count)
    best: QuantizedGaussianSet | None = None
    for _ in range(_MOST_FITS):
        count = _count_for(max_bytes, fixed, per_gaussian, most)
        geometry, seconds = fit_geometry(prepared, count, settings.fit, settings.precision, backend, report)
        spent = EncodeSeconds(spent.fit + seconds.fit, spent.quantize + seconds.quantize)
        candidate, size = _largest_within(geometry, max_bytes, settings, stack)
        if candidate is not None:
            best = candidate
            if size >= LEAST_USE * max_bytes or count in {1, most}:
                break
        per_gaussian = max(1.0, (_size(geometry, settings, stack) - fixed) / count)
    if best is None:
        raise _unmeetable(max_bytes, fixed)
    return Encoded(best, spent)


def _unmeetable(max_bytes: int, fixed: int) -> UsageError:
    return UsageError(
        f"a limit of {max_bytes} bytes cannot be met: {fixed} bytes go to the header, the maps and one Gaussian; "
        "allow more"
    )


def _count_for(max_bytes: int, fixed: int, per_gaussian: float, most: int) -> int:
    return max(1, min(most, int((max_bytes * _AIM - fixed) / per_gaussian)))


def _default_count(stack: TextureStack) -> int:
    return max(1, stack.width * stack.height // DEFAULT_TEXELS_PER_GAUSSIAN)


def _pilot(settings: FitSettings) -> FitSettings:
    """A fit that is long enough to measure something, and short enough to throw away."""
    budget = settings.time_budget and settings.time_budget / _PILOT_SHARE
    return replace(settings, steps=max(_PILOT_STEPS, settings.steps // _PILOT_SHARE), time_budget=budget)


def _encode_to_psnr(
    stack: TextureStack, target_db: float, settings: CompressSettings, backend: Backend, report: Report | None
) -> Encoded:
    """Search the number of Gaussians, along a line in dB over log2(count); the feature step does the last bit."""
    prepared = prepare(stack, backend)
    most = max(1, min(MAX_GAUSSIANS, stack.width * stack.height // _LEAST_TEXELS_PER_GAUSSIAN))
    count = min(most, _default_count(stack))
    spent = EncodeSeconds(0.0, 0.0)
    points: list[tuple[float, float]] = []  # log2(count), dB at the default feature step
    for pilot_count in (max(1, count // 2), count):
        geometry, seconds = fit_geometry(
            prepared, pilot_count, _pilot(settings.fit), settings.precision, backend, report
        )
        spent = EncodeSeconds(spent.fit + seconds.fit, spent.quantize + seconds.quantize)
        points.append((math.log2(pilot_count), _psnr(_round(geometry, settings, stack, 1.0), stack, backend)))
    slope = _slope(points)
    count = _count_on_line(points[-1], slope, target_db - _PILOT_SHORTFALL_DB, most)
    points = []
    best: QuantizedGaussianSet | None = None
    best_db = -math.inf
    for _ in range(_MOST_PSNR_FITS):
        geometry, seconds = fit_geometry(prepared, count, settings.fit, settings.precision, backend, report)
        spent = EncodeSeconds(spent.fit + seconds.fit, spent.quantize + seconds.quantize)
        middle_db = _psnr(_round(geometry, settings, stack, 1.0), stack, backend)
        points.append((math.log2(count), middle_db))
        candidate, candidate_db = _coarsest_reaching(geometry, target_db, settings, stack, backend)
        if best is None or _is_better(candidate_db, best_db, target_db):
            best, best_db = candidate, candidate_db
        if target_db <= best_db <= target_db + PSNR_TOLERANCE_DB or (count == most and best_db < target_db):
            break
        if len(points) > 1:
            slope = _slope(points[-2:])
        following = _count_on_line(points[-1], slope, target_db, most)
        if following == count:
            break
        count = following
    if best is None or best_db < target_db:
        raise UsageError(f"{target_db:g} dB cannot be reached; the best that was had is {best_db:.2f} dB: ask for less")
    return Encoded(best, spent)


def _is_better(candidate_db: float, best_db: float, target_db: float) -> bool:
    """Tell whether a result serves a target better: reached, and by as little as can be; or else as near as can be."""
    if candidate_db >= target_db:
        return not target_db <= best_db <= candidate_db
    return best_db < candidate_db


def _slope(points: list[tuple[float, float]]) -> float:
    """Return dB per doubling between two points, within what materials show."""
    (first_log, first_db), (second_log, second_db) = points
    if first_log == second_log:
        return _SLOPE_RANGE[1]
    return min(max((second_db - first_db) / (second_log - first_log), _SLOPE_RANGE[0]), _SLOPE_RANGE[1])


def _count_on_line(point: tuple[float, float], slope: float, target_db: float, most: int) -> int:
    log_count = point[0] + max(-_MOST_DOUBLINGS, min(_MOST_DOUBLINGS, (target_db - point[1]) / slope))
    return max(1, min(most, round(2**log_count)))


def _psnr(quantized: QuantizedGaussianSet, stack: TextureStack, backend: Backend) -> float:
    errors, values = 0.0, 0
    for texture_map, (_, decoded) in zip(stack.maps, decode_maps(quantized, backend), strict=True):
        error, count = squared_error(texture_map, expand_map(stack.texels, texture_map), decoded, stack.weights)
        errors, values = errors + error, values + count
    return psnr_of(errors / values)


def _coarsest_reaching(
    geometry: FittedGeometry, target_db: float, settings: CompressSettings, stack: TextureStack, backend: Backend
) -> tuple[QuantizedGaussianSet, float]:
    """Bisect the feature step for the coarsest that reaches the target; the finest when none does."""
    low, high = _STEP_RANGE
    best = _round(geometry, settings, stack, low)
    best_db = _psnr(best, stack, backend)
    if best_db < target_db:
        return best, best_db
    for _ in range(_PSNR_BISECTIONS):
        stretch = (low * high) ** 0.5
        candidate = _round(geometry, settings, stack, stretch)
        candidate_db = _psnr(candidate, stack, backend)
        if candidate_db >= target_db:
            best, best_db, low = candidate, candidate_db, stretch
            if candidate_db <= target_db + PSNR_TOLERANCE_DB / 3:
                break
        else:
            high = stretch
    return best, best_db


def _tiny(stack: TextureStack, settings: CompressSettings, backend: Backend) -> QuantizedGaussianSet:
    """One Gaussian without a fit: what a file costs before it holds anything."""
    geometry, _ = fit_geometry(
        prepare(stack, backend), 1, replace(settings.fit, steps=0, time_budget=None), settings.precision, backend
    )
    return round_features(geometry, settings.precision, stack)


def _size(geometry: FittedGeometry, settings: CompressSettings, stack: TextureStack, stretch: float = 1.0) -> int:
    return len(encode_igs(_round(geometry, settings, stack, stretch)))


def _round(
    geometry: FittedGeometry, settings: CompressSettings, stack: TextureStack, stretch: float
) -> QuantizedGaussianSet:  # fmt: skip
    return round_features(geometry, settings.precision, stack, stretch)


def _largest_within(
    geometry: FittedGeometry, max_bytes: int, settings: CompressSettings, stack: TextureStack
) -> tuple[QuantizedGaussianSet | None, int]:
    """Bisect the feature step for the largest file within the limit; None when even the coarsest step is above."""
    low, high = _STEP_RANGE
    best, best_size = None, 0
    for bisection in range(_BISECTIONS + 1):
        # the coarsest step first: if that is too large, nothing is within
        stretch = high if bisection == 0 else (low * high) ** 0.5
        candidate = _round(geometry, settings, stack, stretch)
        size = len(encode_igs(candidate))
        if size <= max_bytes:
            if size > best_size:
                best, best_size = candidate, size
            high = stretch
        elif bisection == 0:
            return None, size
        else:
            low = stretch
        if best is not None and best_size >= 0.995 * max_bytes:
            break
    return best, best_size
