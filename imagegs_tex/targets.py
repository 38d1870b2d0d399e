"""Quality that is asked for, of all maps together or of some, reached with few bytes.

How good a map comes out depends on how many Gaussians there are and on how much its error counts. Pilots and fits move
both: all targets' gaps together say how many Gaussians, a target's own gap says how its channels weigh beside the
others. The feature step does the last bit.
"""

import math
import operator
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from imagegs_tex.decoder import decode_maps, render_channels
from imagegs_tex.encoder import FittedGeometry
from imagegs_tex.fitter import ENOUGH_FITS, MOST_FITS, USUAL_MOST_FITS, Fitter, Tuned, tune
from imagegs_tex.formats.errors import UsageError
from imagegs_tex.formats.gaussians import MAX_GAUSSIANS, QuantizedGaussianSet
from imagegs_tex.formats.igs import encode_igs
from imagegs_tex.formats.names import printable
from imagegs_tex.formats.stack import Coded, Samples, Semantic, TextureStack, source_map
from imagegs_tex.metrics import normal_degrees, pooled_psnr, pooled_weighted_psnr, psnr_of, squared_error
from imagegs_tex.rasterize.backend import Backend
from imagegs_tex.settings import CompressSettings, Target

PSNR_TOLERANCE_DB: Final = 0.15
"""A file made for a PSNR has at most this much more."""
_CLOSE_DB: Final = 0.02
_AIM_DB: Final = 0.05
"""More than asked: missing it by little takes another fit, having a little too much only a coarser feature step."""
_QUALITY_SLOPE: Final = -1.0
"""dB that an octave of the feature step is worth."""
_PILOT_SHORTFALL: Final = (0.8, 0.15)
"""What a full fit gains over a pilot: doublings of the Gaussians, less some dB; 0.45 to 1.1 doublings were seen."""
_FIT_SLOPE: Final = 1.2
"""What Gaussians are worth in full fits, over what they are worth in pilots: 1.0 to 1.3 were seen."""
_PASSABLE_OCTAVES: Final = 1.0
"""How far the feature step may have moved for a second fit to be the last: beyond it files are up to a fifth larger."""
_PILOT_SPREAD: Final = 0.5
"""Doublings that two pilots lie apart at least, to say what Gaussians are worth."""
_SLOPE_RANGE: Final = (0.4, 12.0)
"""dB that twice the Gaussians are worth: noise to sharp graphics."""
_FIRST_SLOPE: Final = 2.0
_LEAST_DOUBLINGS: Final = 0.1
"""Two fits must differ by this much to say what Gaussians are worth."""
_MOST_DOUBLINGS: Final = 2.0
"""How far one prediction may go."""
_LEAST_TEXELS_PER_GAUSSIAN: Final = 6
"""More Gaussians than that and plain texels are the better code."""
_PILOTS: Final = 2
_WEIGHT_RESPONSE: Final = 0.5
"""dB of a map for a dB of its weight: from 0.3 to 0.7 in what was tried."""
_WEIGHT_OCTAVES: Final = 4.0
"""A target's channels weigh at most 2 to this times as much as by themselves, and at least the inverse."""
_UNASKED: Final = 0.25
"""Factor on the weights of maps that have no target, where others have one."""


def parse_target(text: str) -> Target:
    """Read ``roughness=36`` (dB) or ``normal=1.5deg`` (mean degrees); UsageError for anything else."""
    shown = f"--target {printable(text)}"
    match = re.fullmatch(r"\s*([a-z _-]+?)\s*=\s*([0-9.]+)\s*(db|deg)?\s*", text.lower())
    try:
        value = float(match[2]) if match else math.nan
    except ValueError:
        value = math.nan
    if match is None or not 0 < value < math.inf:
        raise UsageError(f"{shown}: not of the form roughness=36 (dB) or normal=1.5deg; write it like these")
    name = re.sub(r"[ -]", "_", match[1]).replace("color", "colour")
    semantics = {semantic.name.lower(): semantic for semantic in Semantic}
    if name not in semantics:
        raise UsageError(f"{shown}: nothing is called that; choose from {', '.join(semantics)}")
    in_degrees = match[3] == "deg"
    if in_degrees and semantics[name] != Semantic.NORMAL:
        raise UsageError(f"{shown}: only normals have degrees; give dB")
    return Target(value, semantics[name], in_degrees)


def targets_of(settings: CompressSettings, stack: TextureStack) -> tuple[Target, ...]:
    """Return all targets of the settings, the one for all maps first; UsageError for maps that the stack lacks."""
    targets = settings.targets
    for target in targets:
        semantics = {semantic for texture_map in stack.maps for semantic in texture_map.channel_semantics}
        if target.semantic is not None and target.semantic not in semantics:
            raise UsageError(
                f"--target {_name(target)}: the material has no such map; it has "
                + ", ".join(sorted(semantic.name.lower() for semantic in semantics))
            )
    names = [(target.semantic, target.in_degrees) for target in targets]
    if len(set(names)) < len(names):
        raise UsageError("two --target options name the same maps; give one for each")
    return targets if settings.target_psnr is None else (Target(settings.target_psnr), *targets)


def reach_targets(fitter: Fitter, targets: tuple[Target, ...]) -> QuantizedGaussianSet:
    """Find few Gaussians and weights with which a file reaches all targets; UsageError when none does."""
    search = _Search(fitter, targets)
    state = _State(min(search.most, fitter.usual_count), (0.0,) * len(targets))
    slope = _FIRST_SLOPE
    previous: tuple[_State, list[float]] | None = None
    for pilot in range(_PILOTS):
        geometry = fitter.fit(state.count, search.factors(state), pilot=True)
        margins = search.margins(fitter.rounded(geometry))
        if previous is not None:
            slope = _slope(previous, (state, margins), slope)
        previous = state, margins
        last = pilot + 1 == _PILOTS
        shortfall = max(0.0, _PILOT_SHORTFALL[0] * slope - _PILOT_SHORTFALL[1]) if last else 0.0
        state = search.following(state, [margin + shortfall for margin in margins], slope)
        if not last:
            state = search.apart(state, previous[0].count)
    best: tuple[int, Tuned] | None = None
    nearest: Tuned | None = None
    previous = None
    for attempt in range(1, MOST_FITS + 1):
        tuned, usual = search.tuned(fitter.fit(state.count, search.factors(state)))
        if tuned.margin >= 0:
            size = len(encode_igs(tuned.quantized))
            best = min(best or (size, tuned), (size, tuned), key=operator.itemgetter(0))
        elif nearest is None or tuned.margin > nearest.margin:
            nearest = tuned
        margins = search.margins(usual.quantized)
        if state.count == search.most and tuned.margin < 0:
            break
        if best is not None:
            near = best[1].margin <= PSNR_TOLERANCE_DB and abs(best[1].octaves) <= _PASSABLE_OCTAVES
            if attempt >= (ENOUGH_FITS if near or len(targets) > 1 else USUAL_MOST_FITS):
                break
        slope = slope * _FIT_SLOPE if previous is None else _slope(previous, (state, margins), slope)
        previous = state, margins
        state = search.following(state, margins, slope)
    if best is not None:
        return best[1].quantized
    assert nearest is not None
    raise UsageError(search.unreachable(nearest.quantized))


@dataclass(frozen=True, slots=True)
class _State:
    """What a fit is made with."""

    count: int  # Gaussians
    octaves: tuple[float, ...]  # per target: log2 of the factor on the weights of its channels


class _Search:
    """The targets of one stack, measured and predicted."""

    def __init__(self, fitter: Fitter, targets: tuple[Target, ...]) -> None:
        self.fitter, self.targets = fitter, targets
        stack = fitter.stack
        self.most = max(1, min(MAX_GAUSSIANS, stack.width * stack.height // _LEAST_TEXELS_PER_GAUSSIAN))
        self._channels = [_channels_of(target, stack) for target in targets]

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
            reached - _decibels(target)
            for target, reached in zip(self.targets, self._reached(quantized), strict=True)
        ]  # fmt: skip

    def tuned(self, geometry: FittedGeometry) -> tuple[Tuned, Tuned]:
        """Return the coarsest features that reach all targets, and those at their own step."""

        def evaluate(stretch: float) -> tuple[QuantizedGaussianSet, float]:
            candidate = self.fitter.rounded(geometry, stretch)
            return candidate, min(self.margins(candidate))

        return tune(evaluate, _QUALITY_SLOPE, _CLOSE_DB)

    def following(self, state: _State, margins: list[float], slope: float) -> _State:
        """Return what to fit next, from how a fit did.

        The mean gap of the maps with targets of their own says how many more Gaussians, or the gap of all maps together
        where that is larger; a map's own gap beside it says how its weights change.
        """
        gaps = [_AIM_DB - margin for margin in margins]
        own = [gap for gap, target in zip(gaps, self.targets, strict=True) if target.semantic is not None]
        pooled = [gap for gap, target in zip(gaps, self.targets, strict=True) if target.semantic is None]
        common = max([*pooled, *([sum(own) / len(own)] if own else [])])
        doublings = max(-_MOST_DOUBLINGS, min(_MOST_DOUBLINGS, common / slope))
        octaves = tuple(
            0.0 if target.semantic is None else _clipped(old + (gap - common) / _WEIGHT_RESPONSE / _DB_PER_OCTAVE)
            for target, old, gap in zip(self.targets, state.octaves, gaps, strict=True)
        )
        return _State(max(1, min(self.most, round(state.count * 2**doublings))), octaves)

    def apart(self, state: _State, count: int) -> _State:
        """Return a state whose number of Gaussians is far enough from another to compare them."""
        doublings = math.log2(state.count / count)
        if abs(doublings) >= _PILOT_SPREAD:
            return state
        away = -_PILOT_SPREAD if doublings < 0 or count == self.most else _PILOT_SPREAD
        return replace(state, count=max(1, min(self.most, round(count * 2**away))))

    def unreachable(self, quantized: QuantizedGaussianSet) -> str:
        """Say in one line what cannot be reached, and what can."""
        reached = self._reached(quantized)
        asked = " and ".join(_name(target) for target in self.targets)
        best = ", ".join(
            _name(Target(_value(target, level), target.semantic, target.in_degrees))
            for target, level in zip(self.targets, reached, strict=True)
        )
        return f"{asked} cannot be reached; the best that can be had is {best}: ask for less"

    def _reached(self, quantized: QuantizedGaussianSet) -> list[float]:
        stack, backend = self.fitter.stack, self.fitter.backend
        if backend.name == "cuda" and all(target.semantic is None for target in self.targets):
            from imagegs_tex.metrics_cuda import score_on_gpu

            scores = score_on_gpu(stack, render_channels(quantized, backend))
            weighted = pooled_weighted_psnr(scores)
            return [pooled_psnr(scores) if weighted is None else weighted] * len(self.targets)
        decoded = [samples for _, samples in decode_maps(quantized, backend)]
        return [reached(target, stack, decoded) for target in self.targets]


def reached(target: Target, stack: TextureStack, decoded: Sequence[Samples]) -> float:
    """Return the dB that decoded maps have of what a target asks for; degrees as -20 log10."""
    errors, values, degrees = 0.0, 0, []
    for index, (texture_map, samples) in enumerate(zip(stack.maps, decoded, strict=True)):
        source = source_map(stack, index)
        if target.in_degrees:
            mean, _ = normal_degrees(texture_map, source, samples)
            degrees += [] if mean is None else [mean]
        else:
            error, count = squared_error(
                texture_map, source, samples, stack.weights, stack.drawn_of(index), target.semantic
            )
            errors, values = errors + error, values + count
    if target.in_degrees:
        return -20 * math.log10(max(sum(degrees) / max(1, len(degrees)), 1e-6))
    return psnr_of(errors / max(1, values))


def score_targets(
    settings: CompressSettings, stack: TextureStack, quantized: QuantizedGaussianSet, backend: Backend
) -> tuple[tuple[Target, float], ...]:
    """Return each target of the settings with the value that a file has, in the target's own unit."""
    targets = targets_of(settings, stack)
    if not targets:
        return ()
    decoded = [samples for _, samples in decode_maps(quantized, backend)]
    return tuple((target, _value(target, reached(target, stack, decoded))) for target in targets)


_DB_PER_OCTAVE: Final = 10 * math.log10(2)


def _clipped(octaves: float) -> float:
    return max(-_WEIGHT_OCTAVES, min(_WEIGHT_OCTAVES, octaves))


def _slope(first: tuple[_State, list[float]], second: tuple[_State, list[float]], otherwise: float) -> float:
    """Return dB per doubling between two fits, within what materials show."""
    doublings = math.log2(second[0].count / first[0].count)
    if abs(doublings) < _LEAST_DOUBLINGS:
        return otherwise
    gain = (sum(second[1]) - sum(first[1])) / len(first[1])
    return min(max(gain / doublings, _SLOPE_RANGE[0]), _SLOPE_RANGE[1])


def _channels_of(target: Target, stack: TextureStack) -> list[int]:
    if target.semantic is None:
        return []
    return [
        route.index
        for texture_map in stack.maps
        for route, semantic in zip(texture_map.routes, texture_map.channel_semantics, strict=True)
        if isinstance(route, Coded) and semantic == target.semantic
    ]


def _decibels(target: Target) -> float:
    return -20 * math.log10(target.value) if target.in_degrees else target.value


def _value(target: Target, decibels: float) -> float:
    return 10 ** (-decibels / 20) if target.in_degrees else decibels


def _name(target: Target) -> str:
    if target.semantic is None:
        return f"{target.value:.2f} dB"
    unit = f"{target.value:.3g} degrees" if target.in_degrees else f"{target.value:.2f} dB"
    return f"{target.semantic.name.lower()} {unit}"
