"""The fit: one loop over any backend's rasterizer.

Adam (Kingma and Ba, "Adam: a method for stochastic optimization", 2015) moves means, log-covariances and features;
every few steps a short solve pulls the features to where they belong for the geometry of the moment. In the second part
of the loop the geometry is rounded on the way forward (straight-through), so that it settles on values that the file
can hold. In between, dispensable Gaussians make way for new ones (:mod:`imagegs_tex.fit.densification`).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import torch

from imagegs_tex.fit.checkpoint import SavedStep
from imagegs_tex.fit.control import Watch
from imagegs_tex.fit.densification import Population
from imagegs_tex.fit.gaussian_set import Fit
from imagegs_tex.fit.initialise import initialise
from imagegs_tex.fit.problem import FitProblem
from imagegs_tex.fit.schedule import REPORT_INTERVAL, Patience, Schedule
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
SETTLING_STEPS: Final = 12
"""Of a fit that is stopped, before two sweeps. Without either, geometry that nothing has rounded was rounded at once:
300 Gaussians of fabric_pattern_07 (128 x 128), stopped at 38 % of 1,000 steps, ended at 24.0 dB, with both at 25.5; 24
steps gain 0.1 more."""
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
    worth: float | None = None,
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
        worth: squared error that others take off, as usual_worth has it, for as many Gaussians as are worth the same in
            place of count; None: there are count in the end
    """
    recorded = None if watch is None else watch.finished_fit(backend.device)
    if recorded is not None:
        return recorded
    run = _Run(problem, target, count, settings, backend, start, worth=worth)
    saved = None if watch is None else watch.saved_step()
    if saved is not None:
        run.restore(saved)
    schedule, state = run.schedule, run.state
    while (share := schedule.share()) < 1.0:
        phase = FITTING if share < settings.quantize_from else ROUNDING
        if watch is not None:
            stops = watch.stops(phase, schedule.step, schedule.steps())
            if stops or watch.saves(schedule.step):
                watch.save_step(run.saved())
            if stops:
                break
        run.change_population(share)
        used = rounding if phase == ROUNDING else None
        state.set_rounding(used)
        if schedule.step % schedule.solve_interval(share) == 0:
            state.solve()
        decay = schedule.rate(share)
        error = state.descend((settings.mean_rate * decay, settings.shape_rate * decay, settings.feature_rate * decay))
        schedule.step += 1
        if progress is not None and (backend.device.type == "cpu" or schedule.step % REPORT_INTERVAL == 0):
            level = run.weighed.psnr(float(error))
            progress(FitProgress(phase, schedule.step, schedule.steps(), level, run.alive, schedule.seconds()))
        if watch is not None and watch.wants(schedule.step):
            watch.show(
                state.result(), used, numbers=run.numbers, cutoff=state.cutoff, phase=phase, step=schedule.step,
                steps=schedule.steps(), psnr_db=run.weighed.psnr(float(error)),
            )  # fmt: skip
        if share >= settings.decay_from and run.patience.ends(schedule.step, error):
            break
    # a stop or a time budget may have left no step for the last change
    run.population.change(state, run.count, run.count)
    if watch is not None and watch.stopped_at is not None:
        run.settle(rounding)
    fitted = Fit(state.result(), state.cutoff, run.border_weight)
    if watch is not None:
        watch.save_fit(fitted)
    return fitted


class _Run:
    """Everything that one fit changes on its way: what a checkpoint holds, too."""

    def __init__(
        self,
        problem: FitProblem,
        target: FitTarget,
        count: int,
        settings: FitSettings,
        backend: Backend,
        start: Fit | None,
        *,
        worth: float | None,
    ) -> None:
        self._problem, self._target, self._settings, self._backend = problem, target, settings, backend
        self._worth = worth
        self.count, self._most = count, max(count, min(target.width * target.height, MAX_GAUSSIANS))
        self._goes_on = start is not None
        changing = self._goes_on or settings.steps >= LEAST_STEPS_OF_A_CROWD
        self._changes = list(settings.population) if changing else []
        self._generator = np.random.default_rng(settings.seed)
        cutoff, self.border_weight = (settings.cutoff, 1.0) if start is None else (start.cutoff, start.border_weight)
        self.weighed, weighed_target = with_border_weight(problem, target, self.border_weight, backend)
        if start is None:
            crowd = min(round(count * settings.start_crowd), self._most) if self._changes else count
            gaussians = initialise(
                problem.image, crowd, self._generator, self.weighed.weights, target.wrap, settings,
                saliency=problem.saliency, products=problem.gradients,
            )  # fmt: skip
        else:
            gaussians = start.gaussians
        self.alive = self._named = gaussians.count
        self.numbers = torch.arange(self.alive, device=backend.device)  # of each Gaussian its own
        self.state = make_state(
            gaussians, problem.image, problem.deviations, weighed_target, settings, backend,
            weights=self.weighed.weights, mix=problem.mix,
        )  # fmt: skip
        self.state.cutoff = cutoff
        self.population = Population(
            problem.image, self.weighed.weights, weighed_target, backend, self._generator, settings.initial_size,
            problem.gradients,
        )  # fmt: skip
        self.schedule, self.patience = Schedule(settings), Patience(settings)

    def change_population(self, share: float) -> None:
        """Let Gaussians go and come where a share of the fit asks for it."""
        while self._changes and share >= self._changes[0].at:
            change = self._changes.pop(0)
            if self._goes_on or self.schedule.step >= _SETTLED_STEPS:
                _lower_cutoff(self.state, self._settings.least_cutoff)
            if has_borders(self._target):
                picture, wrap = self.population.picture(self.state), self._target.wrap
                self._weigh_borders(balanced_weight(self.border_weight, picture, self._problem, wrap))
            if self._worth is not None and not self._changes:
                stayed = self.population.balance(self.state, self.count, self._worth)
                self.count = self.state.result().count
            else:
                numbers = (max(1, min(round(self.count * part), self._most)) for part in (change.kept, change.total))
                stayed = self.population.change(self.state, *numbers)
            self.alive = self.state.result().count
            fresh = torch.arange(self.alive - len(stayed), device=stayed.device) + self._named
            self.numbers = torch.cat([self.numbers[stayed], fresh])
            self._named += len(fresh)

    def settle(self, rounding: GeometryQuantizer | None) -> None:
        """Take the last steps in short, after a stop: on geometry that a file can hold, at rates that fall."""
        settings, begun = self._settings, max(self.schedule.share(), self._settings.decay_from)
        steps = min(SETTLING_STEPS, self.schedule.steps() - self.schedule.step)
        for step in range(steps):
            self.state.set_rounding(rounding)
            if step % settings.solve_interval == 0:
                self.state.solve()
            decay = self.schedule.rate(begun + (1 - begun) * step / steps)
            rates = settings.mean_rate * decay, settings.shape_rate * decay, settings.feature_rate * decay
            self.state.descend(rates)

    def _weigh_borders(self, weight: float) -> None:
        self.border_weight = weight
        self.weighed, target = with_border_weight(self._problem, self._target, weight, self._backend)
        self.state.set_texel_weights(target, self.weighed.weights)
        self.population = replace(self.population, weights=self.weighed.weights, target=target)

    def saved(self) -> SavedStep:
        """Return what :meth:`restore` needs."""
        return SavedStep(
            arrays=self.state.tensors(), step=self.schedule.step, seconds=self.schedule.seconds(),
            changes_left=len(self._changes), cutoff=self.state.cutoff, border_weight=self.border_weight,
            best=self.patience.best, since=self.patience.since, generator=self._generator.bit_generator.state,
        )  # fmt: skip

    def restore(self, saved: SavedStep) -> None:
        """Go on where another run of the same fit was."""
        self.schedule.go_on(saved.step, saved.seconds)
        self.patience.best, self.patience.since = saved.best, saved.since
        del self._changes[: len(self._changes) - saved.changes_left]
        self._generator.bit_generator.state = saved.generator
        self._weigh_borders(saved.border_weight)
        self.state.restore(saved.arrays)
        self.state.cutoff = saved.cutoff
        self.alive = self._named = self.state.result().count
        self.numbers = torch.arange(self.alive, device=self._backend.device)


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
