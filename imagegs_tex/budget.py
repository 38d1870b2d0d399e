"""How many Gaussians, how finely stored: from what the user asked for to a file of that size.

A file's size is nearly linear in the number of Gaussians, but how many bytes one costs depends on the material. A
pilot fit of a few steps measures it; the full fit follows; the feature step then moves the size to just under the
limit, which needs no new fit.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from imagegs_tex.encoder import EncodeSeconds, FittedGeometry, fit_geometry, round_features
from imagegs_tex.fit import FitProgress
from imagegs_tex.formats.errors import UsageError
from imagegs_tex.formats.gaussians import MAX_GAUSSIANS, QuantizedGaussianSet
from imagegs_tex.formats.igs import encode_igs
from imagegs_tex.formats.stack import TextureStack
from imagegs_tex.rasterize.backend import Backend
from imagegs_tex.settings import DEFAULT_TEXELS_PER_GAUSSIAN, CompressSettings

LEAST_USE: Final = 0.97
"""A file made for a size limit uses at least this share of it."""
_AIM: Final = 0.99
_FIRST_BYTES_PER_GAUSSIAN: Final = 6.0
_FIXED_BYTES: Final = 500
_PILOT_SHARE: Final = 8
"""The pilot takes a share of the fit's steps, at least _PILOT_STEPS: bytes per Gaussian settle early."""
_PILOT_STEPS: Final = 12
_STEP_RANGE: Final = (0.7, 1.45)
"""How far the feature step may move from its setting; beyond, more or fewer Gaussians are the better deal."""
_BISECTIONS: Final = 7
_MOST_FITS: Final = 3

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
        UsageError: more than one of the three limits is given, or one that no file can meet
    """
    limits = (settings.gaussian_count, settings.bits_per_texel, settings.max_bytes)
    if sum(limit is not None for limit in limits) > 1:
        raise UsageError("--gaussians, --bpp and --max-bytes exclude each other; give one of them")
    texels = stack.width * stack.height
    if settings.max_bytes is not None:
        return _encode_to_size(stack, settings.max_bytes, settings, backend, report)
    if settings.bits_per_texel is not None:
        if not 0 < settings.bits_per_texel < float("inf"):
            raise UsageError(f"--bpp {settings.bits_per_texel:g} is impossible; give a number above 0")
        return _encode_to_size(stack, int(settings.bits_per_texel * texels / 8), settings, backend, report)
    count = settings.gaussian_count
    if count is None:
        count = max(1, texels // DEFAULT_TEXELS_PER_GAUSSIAN)
    if not 1 <= count <= min(MAX_GAUSSIANS, texels):
        raise UsageError(f"{count} Gaussians is outside 1..{min(MAX_GAUSSIANS, texels)} for {texels} texels")
    geometry, seconds = fit_geometry(stack, count, settings.fit, settings.precision, backend, report)
    precision = settings.precision
    return Encoded(round_features(geometry, precision.feature_step, precision.rate_weight, stack), seconds)


def _encode_to_size(
    stack: TextureStack, max_bytes: int, settings: CompressSettings, backend: Backend, report: Report | None
) -> Encoded:
    most = min(MAX_GAUSSIANS, stack.width * stack.height)
    count = _count_for(max_bytes, _FIXED_BYTES, _FIRST_BYTES_PER_GAUSSIAN, most)
    pilot = replace(
        settings.fit, steps=max(_PILOT_STEPS, settings.fit.steps // _PILOT_SHARE),
        time_budget=settings.fit.time_budget and settings.fit.time_budget / _PILOT_SHARE,
    )  # fmt: skip
    geometry, spent = fit_geometry(stack, count, pilot, settings.precision, backend, report)
    fixed = len(encode_igs(_tiny(stack, settings, backend)))
    per_gaussian = max(1.0, (_size(geometry, settings, stack) - fixed) / count)
    best: QuantizedGaussianSet | None = None
    for _ in range(_MOST_FITS):
        count = _count_for(max_bytes, fixed, per_gaussian, most)
        geometry, seconds = fit_geometry(stack, count, settings.fit, settings.precision, backend, report)
        spent = EncodeSeconds(spent.fit + seconds.fit, spent.quantize + seconds.quantize)
        candidate, size = _largest_within(geometry, max_bytes, settings, stack)
        if candidate is not None:
            best = candidate
            if size >= LEAST_USE * max_bytes or count in {1, most}:
                break
        per_gaussian = max(1.0, (_size(geometry, settings, stack) - fixed) / count)
    if best is None:
        raise UsageError(
            f"a limit of {max_bytes} bytes cannot be met: {fixed} bytes go to the header, the maps and one Gaussian; "
            "allow more"
        )
    return Encoded(best, spent)


def _count_for(max_bytes: int, fixed: int, per_gaussian: float, most: int) -> int:
    return max(1, min(most, int((max_bytes * _AIM - fixed) / per_gaussian)))


def _tiny(stack: TextureStack, settings: CompressSettings, backend: Backend) -> QuantizedGaussianSet:
    """One Gaussian without a fit: what a file costs before it holds anything."""
    geometry, _ = fit_geometry(stack, 1, replace(settings.fit, steps=0, time_budget=None), settings.precision, backend)
    return round_features(geometry, settings.precision.feature_step, settings.precision.rate_weight, stack)


def _size(geometry: FittedGeometry, settings: CompressSettings, stack: TextureStack, stretch: float = 1.0) -> int:
    return len(encode_igs(_round(geometry, settings, stack, stretch)))


def _round(
    geometry: FittedGeometry, settings: CompressSettings, stack: TextureStack, stretch: float
) -> QuantizedGaussianSet:  # fmt: skip
    precision = settings.precision
    return round_features(geometry, precision.feature_step * stretch, precision.rate_weight, stack)


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
