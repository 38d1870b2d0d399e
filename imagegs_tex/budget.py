"""How many Gaussians, how finely stored: from what the user asked for to a file of that size or quality.

A file's size is nearly linear in the number of Gaussians, but how many bytes one costs depends on the material. A
pilot fit of a few steps measures it; the full fit follows; the feature step then moves the size to just under the
limit, which needs no new fit. Quality is searched for in :mod:`imagegs_tex.targets`.
"""

import math
from dataclasses import dataclass
from typing import Final

from imagegs_tex.encoder import FittedGeometry
from imagegs_tex.fitter import COMFORTABLE_OCTAVES, ENOUGH_FITS, MOST_FITS, Effort, Fitter, Report, Tuned, tune
from imagegs_tex.formats.errors import UsageError
from imagegs_tex.formats.gaussians import MAX_GAUSSIANS, QuantizedGaussianSet
from imagegs_tex.formats.igs import encode_igs
from imagegs_tex.formats.stack import TextureStack
from imagegs_tex.rasterize.backend import Backend
from imagegs_tex.settings import CompressSettings
from imagegs_tex.targets import reach_targets, targets_of

LEAST_USE: Final = 0.97
"""A file made for a size limit uses at least this share of it."""
_AIM: Final = 0.99
_CLOSE: Final = 0.005
"""Share of the limit that may be left without another try."""
_SIZE_SLOPE: Final = 0.25
"""Logarithm of the size that an octave of the feature step is worth."""
_FIRST_BYTES_PER_GAUSSIAN: Final = 6.0
_REFINED_SHARE: Final = 0.95
"""Bytes per Gaussian of a full fit over those of a pilot."""
_MOST_RETRIES: Final = 6


@dataclass(frozen=True, slots=True)
class Encoded:
    """A finished set and what it took."""

    quantized: QuantizedGaussianSet
    effort: Effort


def encode_within_budget(
    stack: TextureStack, settings: CompressSettings, backend: Backend, report: Report | None = None
) -> Encoded:
    """Encode a stack with the number of Gaussians, the size or the quality that the settings ask for.

    Raises:
        UsageError: limits that exclude each other are given, or one that no file can meet
    """
    targets = targets_of(settings, stack)
    limits = (settings.gaussian_count, settings.bits_per_texel, settings.max_bytes, targets or None)
    if sum(limit is not None for limit in limits) > 1:
        raise UsageError(
            "--gaussians, --bpp, --max-bytes and targets (--target-psnr, --target) exclude each other; give one kind"
        )
    texels = stack.width * stack.height
    fitter = Fitter(stack, settings, backend, report)
    if targets:
        return Encoded(reach_targets(fitter, targets), fitter.effort)
    if settings.max_bytes is not None:
        return Encoded(_encode_to_size(fitter, settings.max_bytes), fitter.effort)
    if settings.bits_per_texel is not None:
        if not 0 < settings.bits_per_texel < float("inf"):
            raise UsageError(f"--bpp {settings.bits_per_texel:g} is impossible; give a number above 0")
        return Encoded(_encode_to_size(fitter, int(settings.bits_per_texel * texels / 8)), fitter.effort)
    count = fitter.usual_count if settings.gaussian_count is None else settings.gaussian_count
    if not 1 <= count <= min(MAX_GAUSSIANS, texels):
        raise UsageError(f"{count} Gaussians is outside 1..{min(MAX_GAUSSIANS, texels)} for {texels} texels")
    return Encoded(fitter.rounded(fitter.fit(count)), fitter.effort)


def _encode_to_size(fitter: Fitter, max_bytes: int) -> QuantizedGaussianSet:
    most = min(MAX_GAUSSIANS, fitter.stack.width * fitter.stack.height)
    fixed = len(encode_igs(fitter.smallest()))
    if max_bytes < fixed:
        raise _unmeetable(max_bytes, fixed)
    count = _count_for(max_bytes, fixed, _FIRST_BYTES_PER_GAUSSIAN, most)
    size = len(encode_igs(fitter.rounded(fitter.fit(count, pilot=True))))
    per_gaussian = _REFINED_SHARE * (size - fixed) / count
    best: Tuned | None = None
    for attempt in range(_MOST_RETRIES):
        count = _count_for(max_bytes, fixed, per_gaussian, most)
        tuned, usual = _within(fitter, fitter.fit(count), max_bytes)
        if tuned.margin >= 0 and (best is None or tuned.margin < best.margin or attempt == 1):
            best = tuned
        enough = tuned.margin <= -math.log(LEAST_USE) and abs(tuned.octaves) <= COMFORTABLE_OCTAVES
        if best is not None:
            used = best.margin <= -math.log(LEAST_USE)
            fits = attempt + 1
            if enough or count in {1, most} or (used and fits >= ENOUGH_FITS) or fits >= MOST_FITS:
                return best.quantized
        # more fits than MOST_FITS only where the file is still too large: a limit of hardly more than what is fixed
        per_gaussian = (max_bytes * math.exp(-usual.margin) - fixed) / count * (1.0 if attempt == 0 else 1.5)
    raise _unmeetable(max_bytes, fixed)


def _unmeetable(max_bytes: int, fixed: int) -> UsageError:
    return UsageError(
        f"a limit of {max_bytes} bytes cannot be met: {fixed} bytes go to the header, the maps and one Gaussian; "
        "allow more"
    )


def _count_for(max_bytes: int, fixed: int, per_gaussian: float, most: int) -> int:
    return max(1, min(most, int((max_bytes * _AIM - fixed) / max(1.0, per_gaussian))))


def _within(fitter: Fitter, geometry: FittedGeometry, max_bytes: int) -> tuple[Tuned, Tuned]:
    """Return the largest file within the limit that the feature step can make; and the one at the step's own size."""

    def evaluate(stretch: float) -> tuple[QuantizedGaussianSet, float]:
        candidate = fitter.rounded(geometry, stretch)
        return candidate, math.log(max_bytes / len(encode_igs(candidate)))

    return tune(evaluate, _SIZE_SLOPE, _CLOSE)
