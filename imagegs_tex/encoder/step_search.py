"""Closing in on the step of a layer's codes, by trying sets, until a size or a quality is met."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from imagegs_tex.formats.igs.quantized_set import QuantizedGaussianSet
from imagegs_tex.formats.igs.residual_layer import STEP_RANGE

_MOST_MOVED: Final = 1.5
"""Logarithm of the step, at once."""
_MOST_LAYERS: Final = 5
_LEAST_CHANGE: Final = 1e-3

Measure = Callable[[QuantizedGaussianSet], float]
"""Returns by how many dB a set does better than asked, or what else should close in on 0."""


@dataclass(frozen=True, slots=True)
class Tried:
    """A set whose layer has a step."""

    step: float  # logarithm
    off: float
    made: QuantizedGaussianSet


def close_in(
    make: Callable[[float], QuantizedGaussianSet | None],
    off: Measure,
    step: float,
    slope: float,
    close: float,
    most: int = _MOST_LAYERS,
    *,
    known: Iterable[Tried] = (),
) -> QuantizedGaussianSet | None:
    """Return the set that is off by the least below 0, of some whose steps close in on 0; None: none is below.

    Args:
        make: returns the set of a step; None ends the search
        off: of a set, what should not be above 0
        step: the first one, where none is known
        slope: of off per logarithm of the step, about
        close: how little below 0 is enough
        most: steps that are tried
        known: sets that were made before
    """
    below: Tried | None = None
    above: Tried | None = None
    waiting = list(known)
    for left in range(most, -1, -1):
        for now in waiting:
            if now.off <= 0:
                below = now if below is None or now.off > below.off else below
            else:
                above = now if above is None or now.off < above.off else above
        if left == 0 or (below is not None and -close <= below.off):
            break
        last = waiting[-1] if waiting else None
        if below is not None and above is not None:
            share = (-close / 2 - below.off) / (above.off - below.off)
            step = math.exp(below.step + min(max(share, 0.1), 0.9) * (above.step - below.step))
        elif last is not None:
            step = moved(math.exp(last.step), -(last.off + close / 2) / slope)
        made = make(step)
        if made is None:
            break
        waiting = [Tried(math.log(step), off(made), made)]
    return None if below is None else below.made


def moved(step: float, logarithm: float) -> float:
    """Return a step moved, not too far at once, within what a file may say."""
    least, most = STEP_RANGE
    return min(max(step * math.exp(min(max(logarithm, -_MOST_MOVED), _MOST_MOVED)), least), most)


def refined(
    slope: float, before: tuple[float, float] | None, now: tuple[float, float]
) -> tuple[float, tuple[float, float]]:
    """Return a slope that fits two points, if they are apart, and the later one."""
    if before is not None and abs(now[0] - before[0]) > _LEAST_CHANGE:
        found = (now[1] - before[1]) / (now[0] - before[0])
        slope = math.copysign(min(max(abs(found), abs(slope) / 3), 3 * abs(slope)), slope)
    return slope, now
