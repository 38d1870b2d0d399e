"""The fit: one loop over any backend's rasterizer.

Adam (Kingma and Ba, "Adam: a method for stochastic optimization", 2015) moves means, log-covariances and features;
every few steps a short solve pulls the features to where they belong for the geometry of the moment. In the second part
of the loop the geometry is rounded on the way forward (straight-through), so that it settles on values that the file
can hold. In between, dispensable Gaussians make way for new ones (:mod:`imagegs_tex.fit.densification`).
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from torch import Tensor

from imagegs_tex.fit.control import Watch
from imagegs_tex.fit.densification import Population
from imagegs_tex.fit.gaussian_set import GaussianSet
from imagegs_tex.fit.initialise import initialise
from imagegs_tex.fit.problem import FitProblem
from imagegs_tex.fit.seam_weights import balanced_weight, has_borders, with_border_weight
from imagegs_tex.fit.select_state import make_state
from imagegs_tex.fit.state import FitState
from imagegs_tex.formats.igs.quantized_set import MAX_GAUSSIANS
from imagegs_tex.quantize.geometry import GeometryQuantizer
from imagegs_tex.rasterize.backend import Backend, FitTarget
from imagegs_tex.settings import FitSettings

_CUTOFF_STEP: Final = 0.5
_CUTOFF_PRICE: Final = 0.003
"""Share by which the squared error may grow for one step of the cut-off. With 0.001, mossy_rock_053 took 8 % more work
per texel, with files as large."""
_SETTLED_STEPS: Final = 50
"""Before, the cut-off stays: a lower one seems to cost nothing while edges are not in place; they lost 1.3 dB by it."""
LEAST_STEPS_OF_A_CROWD: Final = 12
"""Shorter fits start with the number of Gaussians that they end with."""
_REPORT_INTERVAL: Final = 8
"""Steps between reports from a GPU: reading the error waits for it."""
_LEAST_GAIN: Final = 0.9995
"""Factor on the squared error, 0.002 dB, that patience takes for better."""
FITTING: Final = "fitting"
ROUNDING: Final = "rounding"
"""Phases of a fit: the PSNR falls where the second begins, and where Gaussians go."""


@dataclass(frozen=True, slots=True)
class FitProgress:
    """Where a compression stands."""

    phase: str  # reading, pilot 1 of 2, fitting, rounding (fitting what a file can hold), refining, coding, checking
    step: int = 0  # of the phase, done
    steps: int = 0  # in all, an estimate under a time budget; 0: the phase has none
    psnr_db: float | None = None  # over all coded channels by their weights, before clamping and rounding to samples
    gaussians: int | None = None  # of which the fit makes the picture now
    seconds: float = 0.0  # since the first step


@dataclass(frozen=True, slots=True)
class Fit:
    """What a fit has come to, and what another can go on from."""

    gaussians: GaussianSet  # the geometry is not rounded, the features belong to the rounded geometry
    cutoff: float  # q at which a support ends
    border_weight: float  # of texels near borders at which the picture repeats


def fit(  # noqa: PLR0913 - what a run looks with, beside what it fits
    problem: FitProblem,
    target: FitTarget,
    count: int,
    settings: FitSettings,
    backend: Backend,
    *,
    start: Fit | None = None,
    rounding: GeometryQuantizer | None = None,
    progress: Callable[[FitProgress], None] | None = None,
    watch: Watch | None = None,
) -> Fit:
    """Fit Gaussians to a picture.

    Args:
        problem: the picture
        target: the same picture, as the backend prepared it
        count: N, at least 1
        settings: rates and schedule
        backend: the rasterizer
        start: an earlier fit, of any number; None: settings.start_crowd * count Gaussians, placed by the picture
        rounding: None leaves the geometry unrounded
        progress: called after every step; where that would hold up a GPU, after every eighth
        watch: the run's; ends the loop early, and is shown the fit every so many steps
    """
    generator = np.random.default_rng(settings.seed)
    most = max(count, min(target.width * target.height, MAX_GAUSSIANS))
    goes_on = start is not None
    changes = list(settings.population) if goes_on or settings.steps >= LEAST_STEPS_OF_A_CROWD else []
    cutoff, border_weight = (settings.cutoff, 1.0) if start is None else (start.cutoff, start.border_weight)
    weighed, weighed_target = with_border_weight(problem, target, border_weight, backend)
    if start is None:
        crowd = min(round(count * settings.start_crowd), most) if changes else count
        gaussians = initialise(
            problem.image, crowd, generator, weighed.weights, target.wrap, settings, saliency=problem.saliency
        )
    else:
        gaussians = start.gaussians
    alive = gaussians.count
    state = make_state(
        gaussians, problem.image, problem.deviations, weighed_target, settings, backend, weights=weighed.weights,
        mix=problem.mix,
    )  # fmt: skip
    state.cutoff = cutoff
    population = Population(
        problem.image, weighed.weights, weighed_target, backend, generator, settings.initial_size
    )  # fmt: skip
    schedule, patience = _Schedule(settings), _Patience(settings)
    while (share := schedule.share()) < 1.0:
        phase = FITTING if share < settings.quantize_from else ROUNDING
        if watch is not None and watch.stops(phase, schedule.step, schedule.steps()):
            break
        while changes and share >= changes[0].at:
            change = changes.pop(0)
            if goes_on or schedule.step >= _SETTLED_STEPS:
                _lower_cutoff(state, settings.least_cutoff)
            if has_borders(target):
                border_weight = balanced_weight(border_weight, population.picture(state), problem, target.wrap)
                weighed, weighed_target = with_border_weight(problem, target, border_weight, backend)
                state.set_texel_weights(weighed_target, weighed.weights)
                population = replace(population, weights=weighed.weights, target=weighed_target)
            population.change(state, *(max(1, min(round(count * part), most)) for part in (change.kept, change.total)))
            alive = state.result().count
        used = rounding if phase == ROUNDING else None
        state.set_rounding(used)
        if schedule.step % schedule.solve_interval(share) == 0:
            state.solve()
        decay = schedule.rate(share)
        error = state.descend((settings.mean_rate * decay, settings.shape_rate * decay, settings.feature_rate * decay))
        schedule.step += 1
        if progress is not None and (backend.device.type == "cpu" or schedule.step % _REPORT_INTERVAL == 0):
            level = weighed.psnr(float(error))
            progress(FitProgress(phase, schedule.step, schedule.steps(), level, alive, schedule.seconds()))
        if watch is not None and watch.wants(schedule.step):
            watch.show(
                state.result(), used, cutoff=state.cutoff, phase=phase, step=schedule.step, steps=schedule.steps(),
                psnr_db=weighed.psnr(float(error)),
            )  # fmt: skip
        if share >= settings.decay_from and patience.ends(schedule.step, error):
            break
    population.change(state, count, count)  # a stop or a time budget may have left no step for the last change
    return Fit(state.result(), state.cutoff, border_weight)


def _lower_cutoff(state: FitState, least: float) -> None:
    """Lower a state's cut-off as far as that costs next to nothing, since every texel then lies in fewer supports.

    Features are solved for a little at a time, so the present cut-off is looked at last: what is won by solving once
    more must not count for the lower one.
    """
    present = state.cutoff
    while present - _CUTOFF_STEP >= least:
        state.cutoff = present - _CUTOFF_STEP
        state.solve()
        lower = state.error()
        state.cutoff = present
        state.solve()
        if lower > state.error() * (1 + _CUTOFF_PRICE):
            return
        present -= _CUTOFF_STEP
        state.cutoff = present


class _Patience:
    """When a fit has gained nothing for so many steps that it ends, as Image-GS ends one (Zhang et al. 2025)."""

    def __init__(self, settings: FitSettings) -> None:
        self._steps = settings.patience
        self._best, self._since = math.inf, 0

    def ends(self, step: int, error: Tensor) -> bool:
        """Whether to end after a step, of the squared error before it; asked once rates fall and no Gaussians come."""
        if self._steps == 0 or step % _REPORT_INTERVAL:
            return False
        present = float(error)
        if present < self._best * _LEAST_GAIN:
            self._best, self._since = present, step
        return step - self._since >= self._steps


class _Schedule:
    """How far the fit is, by steps or by the clock, and what rate that means."""

    def __init__(self, settings: FitSettings) -> None:
        self.settings = settings
        self.step = 0
        self.started = time.perf_counter()

    def seconds(self) -> float:
        return time.perf_counter() - self.started

    def share(self) -> float:
        if self.settings.time_budget is None:
            return self.step / max(1, self.settings.steps)
        return self.seconds() / self.settings.time_budget

    def steps(self) -> int:
        if self.settings.time_budget is None:
            return self.settings.steps
        return max(self.step, round(self.step / max(self.share(), 1e-3)))

    def solve_interval(self, share: float) -> int:
        """Steps from one solution for the features to the next."""
        settings = self.settings
        if share >= settings.decay_from:
            return settings.solve_interval
        return max(2 * settings.solve_interval, round(self.steps() * settings.decay_from / settings.early_solves))

    def rate(self, share: float) -> float:
        start = self.settings.decay_from
        if share < start:
            return 1.0
        return float(self.settings.last_rate ** ((share - start) / (1 - start)))
