"""About how large a file becomes and how long that takes, said before it is made.

Fitted to 64 files of 17 materials and pictures of 192 x 192 texels, of qualities 25, 50, 75 and 90 (fast preset), with
the coefficients of :mod:`.demand`: half of them came within a factor of 1.5, four of five within 2.4. Of 44 others (11
materials made 288 texels wide) a third came within 1.5, two of three within 2, four of five within 2.5. A file that was
made of the same material says more: the next ones are held against it.
"""

from dataclasses import dataclass
from typing import Final

from imagegs_tex.settings import (
    DEFAULT_QUALITY,
    DEFAULT_TEXELS_PER_GAUSSIAN,
    LEAST_TEXELS_PER_GAUSSIAN,
    CompressSettings,
    Preset,
    preset_settings,
)
from imagegs_tex.studio.demand import Demand
from imagegs_tex.studio.wishes import LADDER_SHARES, QUALITY

_POWER: Final = 1.09
_FEW: Final = 0.004
"""Gaussians for each texel of a quality: (coefficients + few) to that power."""
_FILE: Final = 390.0
_GAUSSIAN: Final = 3.55
_CHANNEL: Final = 0.118
"""Bytes of a file without Gaussians; of a Gaussian, and of each of its channels."""
SPREAD: Final = 2.0
KNOWN_SPREAD: Final = 1.25
"""Factors around an estimate of the size that are said: before a file of the material was made, and afterwards."""
TIME_SPREAD: Final = 1.5
_SECONDS: Final = 0.5
_STEP: Final = 4e-3
_STEP_TEXEL: Final = 9e-8
_STEP_VALUE: Final = 1.42e-6
_VALUE: Final = 4e-6
"""Seconds on two threads of one core: of a run; of a step, for each texel, and for each Gaussian's channel; and of
coding, measuring and drawing, for each texel's channel. A machine's own pace comes on top."""
_PILOT_SHARE: Final = 8
_PILOT_STEPS: Final = (12, 30)
_FITS: Final = 1.25
"""Full fits that a search takes in the mean, beside its two pilots."""
FITS_FOR_PSNR: Final = 5.0
"""Those of a search for a PSNR."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a run is likely to come to."""

    gaussians: float
    file_bytes: float
    seconds: float  # at the pace of the machine that the constants were measured on
    after_fit: float  # of them: coding, measuring and drawing
    is_given: bool  # whether the size is what was asked for


def estimate(demand: Demand, goal: str, amount: float, settings: CompressSettings, learnt: float) -> Estimate:
    """Return what a run is likely to come to.

    Args:
        demand: of the material
        goal: a key of :data:`.wishes.GOALS`
        amount: of the goal, in its unit
        settings: of the run
        learnt: of :func:`learn` by an earlier file of the material; 1: none was made
    """
    gaussians, is_given = _gaussians(demand, goal, amount, learnt)
    size = _bytes(demand, gaussians)
    fits = FITS_FOR_PSNR if goal == "psnr" else _FITS
    seconds = _seconds(demand, gaussians, settings, 0.0 if goal == "gaussians" else fits)
    return Estimate(gaussians, size, seconds, after_fit(demand), is_given)


def learn(demand: Demand, expected_gaussians: float, file_bytes: int) -> float:
    """Return the factor on Gaussians with which an estimate would have met a file's size."""
    return max(1.0, (file_bytes - _FILE) / _gaussian_bytes(demand)) / expected_gaussians


def ladder_seconds(demand: Demand) -> float:
    """Return the seconds that the rate ladder takes."""
    fast = preset_settings(Preset.FAST)
    usual = demand.texels / DEFAULT_TEXELS_PER_GAUSSIAN
    return sum(_seconds(demand, usual * share, fast, 0.0) for share in LADDER_SHARES)


def after_fit(demand: Demand) -> float:
    """Return the seconds that a run takes once its last fit is done."""
    return _VALUE * demand.texels * demand.channels


def usual_amount(demand: Demand, goal: str, learnt: float) -> float | None:
    """Return what a goal's field begins with for a material, about what the usual quality takes; None for any other."""
    gaussians, _ = _gaussians(demand, QUALITY, DEFAULT_QUALITY, learnt)
    size = _bytes(demand, gaussians)
    amounts = {"bytes": size / 1000, "bpp": 8 * size / demand.texels, "gaussians": gaussians}
    return float(f"{amounts[goal]:.2g}") if goal in amounts else None


def _gaussians(demand: Demand, goal: str, amount: float, learnt: float) -> tuple[float, bool]:
    """Return how many Gaussians a goal takes, and whether it says how large the file gets."""
    most = max(1.0, demand.texels / LEAST_TEXELS_PER_GAUSSIAN)
    if goal in {"bytes", "bpp"}:
        size = 1000 * amount if goal == "bytes" else amount * demand.texels / 8
        return min(most, max(1.0, (size - _FILE) / _gaussian_bytes(demand))), True
    if goal == "gaussians":
        return min(most, amount), False
    quality = amount if goal == QUALITY else DEFAULT_QUALITY
    share = (demand.coefficients(quality) + _FEW) ** _POWER
    return min(most, max(1.0, learnt * share * demand.texels)), False


def _gaussian_bytes(demand: Demand) -> float:
    return _GAUSSIAN + _CHANNEL * demand.channels


def _bytes(demand: Demand, gaussians: float) -> float:
    return _FILE + _gaussian_bytes(demand) * gaussians


def _seconds(demand: Demand, gaussians: float, settings: CompressSettings, search_fits: float) -> float:
    """Return the seconds of a run: of a search with so many full fits, or, with 0, of one fit."""
    least, most = _PILOT_STEPS
    steps = float(settings.fit.steps)
    if search_fits:
        steps = search_fits * steps + 2 * min(steps, max(least, min(most, steps // _PILOT_SHARE)))
    values = gaussians * demand.channels
    step = _STEP + _STEP_TEXEL * demand.texels + _STEP_VALUE * values
    return _SECONDS + steps * step + after_fit(demand)
