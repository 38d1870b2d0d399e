"""The search for a file that has a wanted quality in few bytes.

How good a map comes out depends on how many Gaussians there are and on how much its error counts. Pilots and fits move
both: all targets' gaps together say how many Gaussians, a target's own gap says how its channels weigh beside the
others. How coarse the features are is chosen with the number of Gaussians after the first fit; the last bit is the
feature step's alone.
"""

import math
from dataclasses import dataclass, replace
from typing import Final

from imagegs_tex.encoder.compute import compute_on
from imagegs_tex.encoder.encode import CodedGeometry
from imagegs_tex.encoder.file_sizes import FileSizes
from imagegs_tex.encoder.quality_targets import decibels_of, name_of, value_of
from imagegs_tex.encoder.trial_fits import (
    FIT_SLOPE,
    Fitter,
    Tuned,
    bracket_feature_step,
    choose_feature_step,
)
from imagegs_tex.formats.igs.quantized_set import MAX_GAUSSIANS, QuantizedGaussianSet
from imagegs_tex.formats.material.stack import TextureStack
from imagegs_tex.formats.vocabulary import Coded
from imagegs_tex.settings import LEAST_TEXELS_PER_GAUSSIAN, QualityTarget

USUAL_FITS: Final = 5
"""Each that goes on from the last takes 1 to 10 % of the bytes off (docs/experiments/searches.md)."""
MOST_FITS: Final = 6
"""Only where five have not reached what was asked for, or not closely."""
PSNR_TOLERANCE_DB: Final = 0.15
"""A file made for a PSNR has at most this much more."""
_CLOSE_DB: Final = 0.008
_AIM_DB: Final = 0.05
"""More than asked: missing it by little takes another fit, having a little too much only a coarser feature step."""
_SURPRISE: Final = 0.65
"""How much of what a fit has won by going on, beyond what was aimed for, is expected of the next one.

Less where the number of Gaussians moved far, since that may have been it."""
_FAR: Final = 0.5
"""Doublings between two fits, from which on what they differ by is their Gaussians' more than what going on has won."""
_MISTAKEN: Final = 1.5
"""Factor on pilots' slope beyond which such fits are believed instead."""
_QUALITY_SLOPE: Final = -1.0
"""dB that an octave of the feature step is worth."""
_PILOT_SHORTFALL: Final = (0.8, 0.15)
"""What a full fit gains over a pilot: doublings of the Gaussians, less some dB; 0.45 to 1.1 doublings were seen."""
_PILOT_SPREAD: Final = 0.5
"""Doublings that two pilots lie apart at least, to say what Gaussians are worth."""
_SLOPE_RANGE: Final = (0.4, 12.0)
"""dB that twice the Gaussians are worth: noise to sharp graphics."""
_FIRST_SLOPE: Final = 2.0
_LEAST_DOUBLINGS: Final = 0.1
"""Two fits must differ by this much to say what Gaussians are worth."""
_MOST_DOUBLINGS: Final = 2.0
"""How far one prediction may go."""
_HOPE: Final = (2.0, 1.0)
"""Factor and dB per doubling that Gaussians may be worth beyond what pilots say, before a target is out of reach."""
_WEIGHT_RESPONSE: Final = 0.5
"""dB of a map for a dB of its weight: from 0.3 to 0.7 in what was tried."""
_WEIGHT_OCTAVES: Final = 4.0
"""A target's channels weigh at most 2 to this times as much as by themselves, and at least the inverse."""
_UNASKED: Final = 0.25
"""Factor on the weights of maps that have no target, where others have one."""


@dataclass(frozen=True, slots=True)
class Reached:
    """What a search has found."""

    quantized: QuantizedGaussianSet  # the smallest that reaches all targets, or the nearest
    unreached: str | None = None  # what was asked for and not reached, in one line
    factors: tuple[float, ...] | None = None  # [C] on the channels' weights; None: 1


def reach_targets(fitter: Fitter, targets: tuple[QualityTarget, ...]) -> Reached:
    """Find few Gaussians and weights with which a file reaches all targets, or comes as near as it can."""
    # what is asked of constant maps holds with any file, and must not have a part in what the others need
    targets = tuple(target for target in targets if target.semantic is None or _channels_of(target, fitter.stack))
    if not targets:
        return Reached(fitter.rounded(fitter.fit(1)))
    search = _Search(fitter, targets)
    state, slope = search.run_pilots()
    slope *= FIT_SLOPE
    best: tuple[int, Tuned] | None = None
    factors: tuple[float, ...] | None = None  # of the best
    nearest: Tuned | None = None
    course = _Course(slope)
    for attempt in range(1, MOST_FITS + 1):
        all_of_them = state.count == search.most
        geometry = fitter.fit(
            state.count, search.factors(state), coarser=state.coarser, exact_count=all_of_them, in_full=True,
            followed=attempt < USUAL_FITS and not all_of_them,
        )  # fmt: skip
        tuned, usual = search.tuned(geometry)
        if tuned.margin >= 0:
            size = search.sizes.count(tuned.quantized)
            if best is None or size < best[0]:
                best, factors = (size, tuned), search.factors(state)
        elif nearest is None or tuned.margin > nearest.margin:
            nearest = tuned
        if fitter.stopped or (state.count == search.most and tuned.margin < 0):
            break
        if best is not None:
            near = best[1].margin <= PSNR_TOLERANCE_DB
            if attempt >= (USUAL_FITS if near else MOST_FITS):
                break
        if attempt == 1:
            state, margins = search.with_feature_step(state, geometry, slope)
        else:
            margins = search.margins(usual.quantized)
        state = search.next_trial(state, margins, *course.after(state, margins))
    if best is not None:
        return Reached(best[1].quantized, factors=factors)
    assert nearest is not None
    return Reached(nearest.quantized, search.unreachable(nearest.quantized))


@dataclass(frozen=True, slots=True)
class _State:
    """What a fit is made with."""

    count: int  # Gaussians
    octaves: tuple[float, ...]  # per target: log2 of the factor on the weights of its channels
    coarser: float = 0.0  # octaves of the feature step


class _Course:
    """What the next fit is to come to, learnt from the ones before it.

    What two fits in a row differ by is also what going on has won, so that their slope misleads: on image_anime_meadow
    it was 7.8 dB per doubling where pilots said 2.8, and fits had too many Gaussians until the end. It counts only
    where going on was not enough, and there by half; and where fits far apart have too much and too little in turn,
    since pilots of a few hundred Gaussians may say a third of what they are worth.
    """

    def __init__(self, slope: float) -> None:
        self._slope = self._climb = slope
        self._aim = _AIM_DB
        self._count: int | None = None
        self._margins: list[float] = []

    def after(self, state: _State, margins: list[float]) -> tuple[float, float]:
        """Take in how a fit did; return dB per doubling of the Gaussians, and the margin that the next one aims for."""
        least = min(margins)
        if self._count is not None:
            won, doublings = least - self._aim, math.log2(state.count / self._count)
            if won < 0 < doublings:
                self._climb = min(
                    self._climb, math.sqrt(self._climb * _slope(doublings, self._margins, margins, self._climb))
                )
            if abs(doublings) >= _FAR and least * min(self._margins) < 0:
                between = _slope(doublings, self._margins, margins, self._slope)
                if between > _MISTAKEN * self._slope:
                    self._slope = self._climb = between
            self._aim = _AIM_DB - _SURPRISE * max(0.0, won) * max(0.0, 1 - abs(doublings))
        self._count, self._margins = state.count, margins
        return self._climb if least < self._aim else self._slope, self._aim


class _Search:
    """The targets of one stack, measured and predicted."""

    def __init__(self, fitter: Fitter, targets: tuple[QualityTarget, ...]) -> None:
        self.fitter, self.targets, self.sizes = fitter, targets, FileSizes(fitter.files)
        stack = fitter.stack
        self.most = max(1, min(MAX_GAUSSIANS, stack.width * stack.height // LEAST_TEXELS_PER_GAUSSIAN))
        self._channels = [_channels_of(target, stack) for target in targets]

    def run_pilots(self) -> tuple[_State, float]:
        """Return what to fit first, and what twice the Gaussians are worth in dB, both by pilots."""
        state = _State(min(self.most, self.fitter.usual_count), (0.0,) * len(self.targets))
        slope = _FIRST_SLOPE
        first, margins = state, self._of_a_pilot(state)
        if self.fitter.stopped:
            return state, slope
        state = self.separate(self.next_trial(state, margins, slope), first.count)
        before, margins = margins, self._of_a_pilot(state)
        slope = _slope(math.log2(state.count / first.count), before, margins, slope)
        shortfall = max(0.0, _PILOT_SHORTFALL[0] * slope - _PILOT_SHORTFALL[1])
        margins = [margin + shortfall for margin in margins]
        following = self.next_trial(state, margins, slope)
        if min(margins) + (_HOPE[0] * slope + _HOPE[1]) * math.log2(self.most / state.count) < 0:
            following = replace(following, count=self.most)  # as near as it gets, in one fit instead of two
        return following, slope

    def _of_a_pilot(self, state: _State) -> list[float]:
        return self.margins(self.fitter.rounded(self.fitter.fit(state.count, self.factors(state), pilot=True)))

    def factors(self, state: _State) -> tuple[float, ...] | None:
        """Return the factors on channel weights [C]; None where only all maps together have a target."""
        if all(target.semantic is None for target in self.targets):
            return None
        unasked = 1.0 if any(target.semantic is None for target in self.targets) else _UNASKED
        factors: list[float | None] = [None] * self.fitter.stack.channel_count
        for channels, octaves in zip(self._channels, state.octaves, strict=True):
            for channel in channels:
                factors[channel] = max(factors[channel] or 0.0, 2**octaves)
        return tuple(unasked if factor is None else factor for factor in factors)

    def margins(self, quantized: QuantizedGaussianSet) -> list[float]:
        """Return by how many dB a set is better than each target asks for."""
        return [
            reached - decibels_of(target)
            for target, reached in zip(self.targets, self._reached(quantized), strict=True)
        ]  # fmt: skip

    def tuned(self, geometry: CodedGeometry) -> tuple[Tuned, Tuned]:
        """Return the coarsest features that reach all targets, and those at their own step."""

        def evaluate(stretch: float) -> tuple[QuantizedGaussianSet, float]:
            candidate = self.fitter.rounded(geometry, stretch)
            return candidate, min(self.margins(candidate))

        return bracket_feature_step(evaluate, _QUALITY_SLOPE, _CLOSE_DB)

    def with_feature_step(
        self, state: _State, geometry: CodedGeometry, slope: float
    ) -> tuple[_State, list[float]]:  # fmt: skip
        """Return a state with a feature step that suits it better, and the margins of its fit with that step."""

        def evaluate(octaves: float) -> tuple[float, float]:
            candidate = self.fitter.rounded(geometry, 2**octaves)
            return math.log2(self.sizes.guess(candidate)), sum(self.margins(candidate)) / len(self.targets)

        octaves = choose_feature_step(evaluate, slope)
        margins = self.margins(self.fitter.rounded(geometry, 2**octaves))
        return replace(state, coarser=state.coarser + octaves), margins

    def next_trial(self, state: _State, margins: list[float], slope: float, aim: float = _AIM_DB) -> _State:
        """Return what to fit next, from how a fit did.

        The mean gap of the maps with targets of their own says how many more Gaussians, or the gap of all maps together
        where that is larger; a map's own gap beside it says how its weights change. Maps that have too much already,
        and cannot weigh less, are left out of the mean.
        """
        gaps = [aim - margin for margin in margins]
        largest = max(gaps)
        own = [
            gap
            for gap, target, octaves in zip(gaps, self.targets, state.octaves, strict=True)
            if target.semantic is not None and (gap == largest or octaves > -_WEIGHT_OCTAVES)
        ]
        pooled = [gap for gap, target in zip(gaps, self.targets, strict=True) if target.semantic is None]
        common = max([*pooled, *([sum(own) / len(own)] if own else [])])
        doublings = max(-_MOST_DOUBLINGS, min(_MOST_DOUBLINGS, common / slope))
        octaves = tuple(
            0.0 if target.semantic is None else _clipped(old + (gap - common) / _WEIGHT_RESPONSE / _DB_PER_OCTAVE)
            for target, old, gap in zip(self.targets, state.octaves, gaps, strict=True)
        )
        return _State(max(1, min(self.most, round(state.count * 2**doublings))), octaves, state.coarser)

    def separate(self, state: _State, count: int) -> _State:
        """Return a state whose number of Gaussians is far enough from another to compare them."""
        doublings = math.log2(state.count / count)
        if abs(doublings) >= _PILOT_SPREAD:
            return state
        away = -_PILOT_SPREAD if doublings < 0 or count == self.most else _PILOT_SPREAD
        return replace(state, count=max(1, min(self.most, round(count * 2**away))))

    def unreachable(self, quantized: QuantizedGaussianSet) -> str:
        """Say in one line what was not reached, and what was."""
        found = (
            f"the best found, with {quantized.gaussian_count} Gaussians of the {self.most} that are tried at most "
            f"(one for {LEAST_TEXELS_PER_GAUSSIAN} texels), is"
        )
        return _not_reached(self.targets, self._reached(quantized), found)

    def _reached(self, quantized: QuantizedGaussianSet) -> list[float]:
        return compute_on(self.fitter.backend).all_reached(self.targets, self.fitter.stack, quantized)


def unreached_exactly(
    fitter: Fitter, targets: tuple[QualityTarget, ...], exact: QuantizedGaussianSet
) -> str | None:  # fmt: skip
    """Say in one line what exact samples do not reach: z of normals is made of x and y, and the source's is rounded."""
    levels = compute_on(fitter.backend).all_reached(targets, fitter.stack, exact)
    if all(level >= decibels_of(target) for target, level in zip(targets, levels, strict=True)):
        return None
    return _not_reached(targets, levels, "exact samples, of which the best file is made, have")


def _not_reached(targets: tuple[QualityTarget, ...], levels: list[float], found: str) -> str:
    asked = " and ".join(name_of(target) for target in targets)
    best = ", ".join(
        name_of(QualityTarget(value_of(target, level), target.semantic, target.in_degrees))
        for target, level in zip(targets, levels, strict=True)
    )
    return f"{asked} {'was' if len(targets) == 1 else 'were'} not reached; {found} {best}"


_DB_PER_OCTAVE: Final = 10 * math.log10(2)


def _clipped(octaves: float) -> float:
    return max(-_WEIGHT_OCTAVES, min(_WEIGHT_OCTAVES, octaves))


def _slope(doublings: float, before: list[float], after: list[float], otherwise: float) -> float:
    """Return dB per doubling of the Gaussians between two fits of some margins, within what materials show."""
    if abs(doublings) < _LEAST_DOUBLINGS:
        return otherwise
    gain = (sum(after) - sum(before)) / len(before)
    return min(max(gain / doublings, _SLOPE_RANGE[0]), _SLOPE_RANGE[1])


def _channels_of(target: QualityTarget, stack: TextureStack) -> list[int]:
    if target.semantic is None:
        return []
    return [
        route.index
        for texture_map in stack.maps
        for route, semantic in zip(texture_map.routes, texture_map.channel_semantics, strict=True)
        if isinstance(route, Coded) and semantic == target.semantic
    ]
