"""Fits of one stack as a search needs them: cheap pilots, full ones, and the feature step that does the last bit.

Pilots take at most an eighth of the steps and no sweeps over geometry codes. A full fit follows, and then fits that go
on from the last one, each with another number of Gaussians: of half as many steps where a file has a size, of as many
where it has a quality. Moving the feature step needs none.
(Half the steps from the start, instead, ended 1.2 dB above the target on boombox: what fewer steps reach says little
about what more would.)
"""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final

import numpy as np
import torch
from torch import Tensor

from imagegs_tex.encoder.chroma_steps import chroma_fineness
from imagegs_tex.encoder.compute import compute_on
from imagegs_tex.encoder.encode import (
    CodedGeometry,
    EncodeSeconds,
    Geometry,
    Prepared,
    fit_geometry,
    prepare,
    round_features,
)
from imagegs_tex.encoder.encoded_files import EncodedFiles
from imagegs_tex.encoder.feature_equations import geometry_of
from imagegs_tex.encoder.local_fit import STEPS, SWEEPS, EditedFile, edited_file, find_region, refit
from imagegs_tex.encoder.start_file import Start, settings_without_start
from imagegs_tex.fit.channel_weights import channel_weights
from imagegs_tex.fit.checkpoint import identity_of
from imagegs_tex.fit.control import FitControl, Watch
from imagegs_tex.fit.gaussian_set import GaussianSet
from imagegs_tex.fit.loop import FITTING, FitProgress
from imagegs_tex.formats.igs.quantized_set import QuantizedGaussianSet, dequantize
from imagegs_tex.formats.material.stack import TextureStack
from imagegs_tex.rasterize.backend import Backend
from imagegs_tex.rasterize.cpu.backend import CpuBackend
from imagegs_tex.settings import (
    DEFAULT_TEXELS_PER_GAUSSIAN,
    CompressSettings,
    FitSettings,
    PopulationChange,
    QualityTarget,
)

PILOTS: Final = 2
"""Of every search: two say what twice the Gaussians are worth."""
_PILOT_SHARE: Final = 8
_PILOT_STEPS: Final = (12, 30)
"""A pilot takes a share of the fit's steps, but so many at least and at most: bytes per Gaussian settle early."""
_RESUMED_POPULATION: Final = (PopulationChange(0.0, 1.0, 1.3), PopulationChange(0.2, 1.0, 1.0))
"""With 120 steps as good as a fit of 240 from the start, or better; from one with fewer Gaussians 2 % worse."""
_RESUMED_IN_FULL: Final = (PopulationChange(0.0, 1.0, 1.5), PopulationChange(0.3, 1.0, 1.0))
"""More Gaussians for longer, where there are more steps; other ways to come back to 1 were as good within 1 %."""
FIT_SLOPE: Final = 1.2
"""What Gaussians are worth in full fits, over what they are worth in pilots: 1.0 to 1.3 were seen."""
_SWEEPS_UNDER_LAYER: Final = 2
_SWEEPS_WHERE_FOLLOWED: Final = 1
"""What more of them win is lost where the next fit moves everything. Gaussians that are not worth their bits stay, too:
where many went, as of a flat drawing, holes were left that one sweep does not close."""
_OCTAVES: Final = (-1.5, 3.0)
"""How far the feature step may move from its setting."""
_MOST_ROUNDINGS: Final = 7
_STEP_STRIDE: Final = 0.5
"""Octaves between the feature steps that are compared."""
FIRST_OCTAVES: Final = (0.0, _STEP_STRIDE)
"""That are looked at in any case."""

Progress = Callable[[FitProgress], None]


@dataclass(frozen=True, slots=True)
class Effort:
    """What a search has cost."""

    pilots: int = 0
    fits: int = 0  # full ones
    steps: int = 0  # of the optimiser, as the settings ask for them, pilots included
    sweeps: int = 0  # over all geometry codes
    seconds: EncodeSeconds = field(default_factory=lambda: EncodeSeconds(0.0, 0.0))


@dataclass(frozen=True, slots=True)
class Edit:
    """A file whose changed part was fitted by itself."""

    quantized: QuantizedGaussianSet  # with the detail layer that the file had
    changed: Tensor  # bool [H, W] of the picture, what is new, with what is next to it


class Fitter:
    """Fits one stack with any number of Gaussians and any weights, and keeps count of what that costs."""

    def __init__(
        self,
        stack: TextureStack,
        settings: CompressSettings,
        backend: Backend,
        progress: Progress | None,
        control: FitControl | None = None,
        start: Start | None = None,
    ) -> None:
        """Prepare nothing yet.

        Args:
            stack: that is fitted
            settings: of its fits
            backend: the rasterizer
            progress: called after every step
            control: how a caller looks at the run
            start: what the first full fit goes on from, by its settings as they are; where that has no Gaussians for
                it, :meth:`begin_anew` is called before
        """
        self.stack, self.settings, self.backend, self.start = stack, settings, backend, start
        self._given, self._begun = stack, None if start is None else start.geometry
        self.watch: Watch | None = None
        if control is not None:
            digest = partial(_digest_of, self._begun)
            self.watch = Watch(control, stack, lambda: identity_of(stack, settings, backend.name, digest()))
        self.effort, self.files = Effort(), EncodedFiles()
        self.remarks: tuple[str, ...] = ()  # what there is to say of the run, one line each
        self.finer_chroma = False  # for what people see, not for the squared error; before the first fit
        self._progress = progress
        self._weights = channel_weights(stack)
        self._last = self._begun  # of the fits that were no pilots
        self._last_under_layer: Geometry | None = None
        self._prepared: tuple[tuple[float, ...], Prepared] | None = None
        self._reached: tuple[QuantizedGaussianSet, float] | None = None

    @property
    def usual_count(self) -> int:
        """Gaussians of a file that nothing is asked of: as many as there were at the start, if there was one."""
        if self._begun is not None:
            return min(len(self._begun.means), self.stack.width * self.stack.height)
        return max(1, self.stack.width * self.stack.height // DEFAULT_TEXELS_PER_GAUSSIAN)

    @property
    def has_short_pilots(self) -> bool:
        """Whether pilots of a fit from the beginning say little of it, as they have fewer steps than they may have."""
        return self.start is None and _pilot(self.settings.fit).steps < _PILOT_STEPS[1]

    def fit(
        self,
        count: int,
        factors: tuple[float, ...] | None = None,
        *,
        coarser: float = 0.0,
        pilot: bool = False,
        exact_count: bool = False,
        in_full: bool = False,
        followed: bool = False,
        under_layer: bool = False,
    ) -> CodedGeometry:
        """Fit count Gaussians, going on from the last fit.

        Args:
            count: N
            factors: [C] multiply the weights of channels
            coarser: octaves of the feature step, over what suits the error
            pilot: whether it is thrown away
            exact_count: whether Gaussians stay that are not worth their bits; always where a number is asked for
            in_full: whether a fit that goes on from another takes all steps, not half of them
            followed: whether another goes on from it in any case: one sweep over geometry codes then, and all stay
            under_layer: whether a residual layer makes good what they leave, for which half of the steps will do; only
                others under a layer go on from it
        """
        last = self._last_under_layer if under_layer and self._last_under_layer is not None else self._last
        start, fit = None if pilot else last, self.settings.fit
        if pilot:
            fit = _pilot(fit)
        elif start is not None and start is not self._begun:
            fit = _resumed_in_full(fit) if in_full else _resumed(fit)
            fit = _under_layer(fit) if under_layer else fit
        if followed:
            fit = replace(fit, refine_sweeps=min(fit.refine_sweeps, _SWEEPS_WHERE_FOLLOWED))
        progress, name = self._progress, f"pilot {self.effort.pilots + 1} of {PILOTS}" if pilot else ""
        if pilot and progress is not None:
            progress = _as_pilot(progress, name)
        prepared = self._prepare(factors)
        if self.watch is not None:
            self.watch.begin(prepared[2], name)
        usual = self.settings.precision
        precision = replace(usual, feature_ratio=usual.feature_ratio * 2**coarser)
        geometry, seconds = fit_geometry(
            prepared, count, fit, precision, self.backend, progress=progress, start=start, watch=self.watch,
            exact_count=exact_count or followed or self.settings.gaussian_count is not None,
        )  # fmt: skip
        effort = self.effort
        self.effort = Effort(
            effort.pilots + pilot, effort.fits + (not pilot), effort.steps + fit.steps,
            effort.sweeps + fit.refine_sweeps,
            EncodeSeconds(effort.seconds.fit + seconds.fit, effort.seconds.quantize + seconds.quantize),
        )  # fmt: skip
        if not pilot or (self._last is None and self.stopped):  # what a stop has left goes on from a pilot
            values = geometry.quantizer.values(geometry.position_codes, geometry.shape_codes)
            ended = Geometry(*values, geometry.cutoff, geometry.border_weight)
            if under_layer:
                self._last_under_layer = ended
            else:
                self._last = ended
        return geometry

    def begin_anew(self) -> None:
        """Fit as without a start, by the settings of a fit from the beginning."""
        self.settings, self.start = settings_without_start(self.settings), None
        self._last = self._begun = None

    def after_edit(
        self, file: QuantizedGaussianSet, changed: Tensor | None = None, *, exact_count: bool = False
    ) -> Edit | str:  # fmt: skip
        """Return the start's file with what has changed since fitted by itself, features rounded; or in words why not.

        A GPU fits all of the picture in the second that the rest of a command takes; nothing there paints on top.

        Args:
            file: the start's
            changed: bool [tiles down, tiles across], what has, where that is known
            exact_count: whether there are as many Gaussians as before; else as many as the content asks for
        """
        backend = self.backend
        if not isinstance(backend, CpuBackend):
            return "only the cpu backend can do that"
        begun = time.perf_counter()
        # the fit's steps are of a part of the picture: neither checkpoints nor snapshots are made of them
        stop = None if self.watch is None else Watch(FitControl(1, stop=self.watch.control.stop), self.stack, dict)
        edited = edited_file(
            file, self.stack, self._weights, self.settings, backend, progress=self._progress, watch=stop
        )  # fmt: skip
        if edited is None:
            return "the file was made by other steps or weights"
        region = find_region(edited, self.stack, changed)
        found = None if region is None else refit(edited, region, exact_count=exact_count)
        if region is None or found is None:
            return "nothing that has changed can be fitted by itself"
        quantized, seconds = found
        if self.watch is not None and stop is not None:
            self.watch.stopped_at = stop.stopped_at
        seconds = replace(seconds, fit=time.perf_counter() - begun - seconds.quantize)
        steps, sweeps = STEPS * self.settings.fit.steps, SWEEPS + self.settings.fit.refine_sweeps
        self.effort = Effort(fits=1, steps=steps, sweeps=sweeps, seconds=seconds)
        if self.watch is not None and self.watch.control.on_snapshot is not None:
            self._show_end(edited, quantized, steps)
        made = replace(quantized, maps=self.stack.maps, entropy=self.settings.entropy)
        return Edit(made, region.changed)

    def say_whole(self, reason: str) -> None:
        """Say in the report why an edit is not fitted by itself."""
        what = "fitted from the beginning" if self._begun is None else "all of the picture is fitted, not only an edit"
        self.remarks = (f"--start: {what}: {reason}",)

    def _show_end(self, edited: EditedFile, quantized: QuantizedGaussianSet, steps: int) -> None:
        """Show a file that was fitted by parts: its steps are of a part of the picture."""
        assert self.watch is not None
        values, target, backend = dequantize(quantized), edited.target, self.backend
        geometry = geometry_of(values.means, values.log_covariances, quantized.cutoff, target, backend)
        gaussians = GaussianSet(*map(torch.from_numpy, (values.means, values.log_covariances, values.features)))
        error = float(backend.squared_error(geometry, gaussians.features, target).total)
        self.watch.begin(edited.components)
        self.watch.show(
            gaussians, None, numbers=torch.arange(gaussians.count), cutoff=quantized.cutoff, phase=FITTING, step=steps,
            steps=steps, psnr_db=edited.problem.psnr(error),
        )  # fmt: skip

    @property
    def stopped(self) -> bool:
        """Whether the search is to end with what it has: fits take no steps any more."""
        return self.watch is not None and self.watch.stops("searching")

    def smallest(self) -> QuantizedGaussianSet:
        """Return one Gaussian without a fit: what a file costs before it holds anything."""
        nothing = replace(self.settings.fit, steps=0, refine_sweeps=0, time_budget=None)
        geometry, _ = fit_geometry(self._prepare(None), 1, nothing, self.settings.precision, self.backend)
        return self.rounded(geometry)

    def rounded(self, geometry: CodedGeometry, stretch: float = 1.0) -> QuantizedGaussianSet:
        """Round features, with a factor on their step."""
        if self._progress is not None:
            self._progress(FitProgress("coding"))
        quantized = round_features(geometry, self.settings.precision, self.stack, stretch)
        return replace(quantized, entropy=self.settings.entropy)

    def decibels(self, quantized: QuantizedGaussianSet) -> float:
        """Return a set's PSNR over all maps; that of the last one is known."""
        if self._reached is None or self._reached[0] is not quantized:
            reached = compute_on(self.backend).all_reached((QualityTarget(0.0),), self.stack, quantized)[0]
            self._reached = quantized, reached
        return self._reached[1]

    def release(self) -> None:
        """Let go of the picture that was fitted: what comes after the fits needs the memory of a large one."""
        self._prepared, self.stack = None, self._given

    def _prepare(self, factors: tuple[float, ...] | None) -> Prepared:
        """Return what fits with factors [C] on the channels' weights start from."""
        weights = self._weights if factors is None else tuple(np.multiply(self._weights, factors).tolist())
        if self._prepared is None or self._prepared[0] != weights:
            problem, target, components = prepare(self.stack, self.backend, weights)
            if self.finer_chroma:
                components = replace(components, fineness=chroma_fineness(components, self.stack))
            self._prepared = weights, (problem, target, components)
        return self._prepared[1]


def _digest_of(start: Geometry | None) -> str:
    """Return what tells a start from others."""
    if start is None:
        return "none"
    return hashlib.sha256(start.means.tobytes() + start.log_covariances.tobytes()).hexdigest()


def _as_pilot(progress: Progress, name: str) -> Progress:
    return lambda state: progress(replace(state, phase=name))


def _pilot(settings: FitSettings) -> FitSettings:
    """A fit that is long enough to measure something, and short enough to throw away."""
    budget = settings.time_budget and settings.time_budget / _PILOT_SHARE
    least, most = _PILOT_STEPS
    steps = min(settings.steps, max(least, min(most, settings.steps // _PILOT_SHARE)))
    return replace(settings, steps=steps, refine_sweeps=0, time_budget=budget)


def _resumed(settings: FitSettings) -> FitSettings:
    """A fit that goes on from an earlier one."""
    budget = settings.time_budget and settings.time_budget / 2
    return replace(settings, steps=-(-settings.steps // 2), population=_RESUMED_POPULATION, time_budget=budget)


def _resumed_in_full(settings: FitSettings) -> FitSettings:
    """A fit that goes on from an earlier one with as many steps, whose geometry has been rounded from the start."""
    budget = settings.time_budget and settings.time_budget / 3
    return replace(settings, population=_RESUMED_IN_FULL, quantize_from=0.0, time_budget=budget)


def _under_layer(settings: FitSettings) -> FitSettings:
    """A fit of which only what is large and smooth stays in sight."""
    sweeps = min(settings.refine_sweeps, _SWEEPS_UNDER_LAYER)
    return replace(settings, steps=-(-settings.steps // 2), refine_sweeps=sweeps)


def choose_feature_step(evaluate: Callable[[float], tuple[float, float]], slope: float) -> float:
    """Return the octaves of the feature step with which a quality takes fewer bytes.

    Fewer Gaussians with fine features or more with coarse ones: what is better differs. In grain, features two octaves
    coarser took 15 % fewer bytes (fabric_pattern_07); on caution_panel they cost 5 %. Only half of the way is gone to
    where one fit's roundings seem cheapest: around there little changes, and all of the way ended with a sixth too many
    Gaussians and 5 % more bytes on fabric_pattern_07.

    Args:
        evaluate: of octaves: the logarithm to base 2 of the size, and dB
        slope: dB that twice the Gaussians, and so about twice the bytes, are worth
    """

    def cost(octaves: float) -> float:
        doublings, decibels = evaluate(octaves)
        return doublings - decibels / slope

    best, lowest = 0.0, cost(0.0)
    for direction in (1, -1):
        while _OCTAVES[0] <= (octaves := best + direction * _STEP_STRIDE) <= _OCTAVES[1]:
            if (found := cost(octaves)) >= lowest:
                break
            best, lowest = octaves, found
        if best != 0.0:
            break
    return best / 2


@dataclass(frozen=True, slots=True)
class Tuned:
    """A rounding of features."""

    quantized: QuantizedGaussianSet
    margin: float  # to what was asked for; below 0: missed
    octaves: float  # log2 of the factor on the feature step


def closer(first: Tuned, second: Tuned) -> Tuned:
    """Return the one of the least margin that is not negative, or if there is none, of the greatest."""
    return min(first, second, key=lambda tuned: (tuned.margin < 0, abs(tuned.margin)))


def bracket_feature_step(
    evaluate: Callable[[float], tuple[QuantizedGaussianSet, float]], slope: float, tolerance: float
) -> tuple[Tuned, Tuned]:
    """Move the feature step until what is asked for is met, and met by little.

    Args:
        evaluate: of a factor on the feature step: the rounded set, and by how much it does better than asked
        slope: of that margin, per octave of the factor; a guess
        tolerance: a margin that is little

    Returns:
        the set of the least margin that is not negative, or if there is none, of the greatest; and the set at factor 1
    """
    met: Tuned | None = None
    missed: Tuned | None = None
    first: Tuned | None = None
    octaves = 0.0
    for _ in range(_MOST_ROUNDINGS):
        tried = Tuned(*evaluate(2**octaves), octaves)
        first = first or tried
        # between one that is met and one that is missed each is nearer than the one before, whatever its margin: what
        # is seen of a picture does not always fall as the step grows, and the same step was tried again and again
        if tried.margin < 0:
            missed = tried if missed is None or met is not None else closer(missed, tried)
        else:
            met = tried if met is None or missed is not None else closer(met, tried)
        known = met or missed
        assert known is not None
        if met is not None and missed is not None:
            share = (met.margin - tolerance / 2) / (met.margin - missed.margin)
            following = met.octaves + min(max(share, 0.1), 0.9) * (missed.octaves - met.octaves)
        else:
            following = min(max(known.octaves + (tolerance / 2 - known.margin) / slope, _OCTAVES[0]), _OCTAVES[1])
            slope /= 2  # if that does not cross the line, the guess was too steep
        if (met is not None and met.margin <= tolerance) or following == known.octaves:
            break
        octaves = following
    assert first is not None
    assert known is not None
    return known, first
