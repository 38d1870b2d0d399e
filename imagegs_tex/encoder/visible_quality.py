"""The search for a file of a quality from 0 to 100: few Gaussians that look as good as asked.

Two pilots tell how many Gaussians that takes, one full fit is made with so many, and its feature step does the rest; a
second fit, half as long, follows where the first one is not close, or has more Gaussians than it needs. Quality is
measured without noise and counts the grain that the detail layer will draw; the fit is shown the source without that
grain.
"""

import math
from collections.abc import Callable
from typing import Final

from imagegs_tex.decoder.render import render_channels
from imagegs_tex.encoder.encode import CodedGeometry
from imagegs_tex.encoder.file_sizes import FileSizes
from imagegs_tex.encoder.grain_filter import without_grain
from imagegs_tex.encoder.residual_search import smallest_reaching
from imagegs_tex.encoder.trial_fits import FIT_SLOPE, Fitter, Tuned, bracket_feature_step
from imagegs_tex.formats.errors import UsageError
from imagegs_tex.formats.igs.quantized_set import MAX_GAUSSIANS, QuantizedGaussianSet
from imagegs_tex.metrics.visible_error import visible_error
from imagegs_tex.settings import LEAST_TEXELS_PER_GAUSSIAN, MOST_QUALITY, DetailMode

_DECIBELS: Final = (33.0, 0.2, -0.0007)
"""Of visible error at quality 0, per unit, and per unit squared: 37.6 dB at 25, 41.3 at 50, 44.1 at 75, 45.3 at 90."""
TOLERANCE_DB: Final = 0.4
"""By so much a file may be better than asked; nobody sees it."""
MISSED_DB: Final = 0.05
"""By so much an edit that is fitted by itself may be worse."""
_CLOSE_DB: Final = 0.15
_STEP_SLOPE: Final = -1.5  # dB that an octave of the feature step is worth: -0.7 to -2 were seen
_FIRST_SLOPE: Final = 2.0  # dB that twice the Gaussians are worth
_SLOPE_RANGE: Final = (0.6, 12.0)
_PILOT_SHORTFALL: Final = (0.5, 0.8)
"""What a full fit gains over a pilot: doublings of the Gaussians; the second over short ones."""
_FAR_OCTAVES: Final = 0.6
"""After short pilots, a fit whose feature step moves so far up has too many Gaussians, and another follows."""
_MOST_DOUBLINGS: Final = 3.0
_LEAST_DOUBLINGS: Final = 0.5
_ROOM: Final = 0.9
"""Where this share of a first fit's Gaussians would do, another goes on from it, for a tenth fewer bytes."""
_MOST_FITS: Final = 3


def decibels_of_quality(quality: float) -> float:
    """Return the visible error in dB that a quality asks for; UsageError outside 0..100."""
    if not 0 <= quality <= MOST_QUALITY:
        raise UsageError(f"--quality {quality:g} is outside 0..100; 25 is small, 50 good, 75 high")
    base, slope, bend = _DECIBELS
    return base + slope * quality + bend * quality**2


def reach_quality(fitter: Fitter, quality: float) -> QuantizedGaussianSet:
    """Find few Gaussians with which a file looks as good as asked, or comes as near as it can."""
    return _Search(fitter, quality).found()


def margin_of_quality(fitter: Fitter, quality: float) -> Callable[[QuantizedGaussianSet], float]:
    """Return what says by how many dB of visible error a set looks better than asked."""
    drawn = fitter.settings.detail == DetailMode.AUTO
    visible, wanted = visible_error(fitter.stack, fitter.backend.device, drawn=drawn), decibels_of_quality(quality)
    return lambda quantized: visible.decibels(render_channels(quantized, fitter.backend)) - wanted


class _Search:
    def __init__(self, fitter: Fitter, quality: float) -> None:
        self.fitter, self.wanted = fitter, decibels_of_quality(quality)
        stack, device = fitter.stack, fitter.backend.device
        fitter.finer_chroma = True
        drawn = fitter.settings.detail == DetailMode.AUTO
        self._visible = visible_error(stack, device, drawn=drawn)
        if drawn:
            fitter.stack = without_grain(stack, quality, device)
        self.most = max(1, min(MAX_GAUSSIANS, stack.width * stack.height // LEAST_TEXELS_PER_GAUSSIAN))
        self._short = fitter.has_short_pilots
        self._before: tuple[int, float] | None = None  # of the fit before, Gaussians and dB above what is wanted
        self._shortfall = _PILOT_SHORTFALL[self._short]

    def found(self) -> QuantizedGaussianSet:
        """Return the smallest set that is good enough, or the best."""
        count, slope = self._pilots()
        sizes = FileSizes(self.fitter.files)
        met: Tuned | None = None
        missed: Tuned | None = None
        for attempt in range(1, _MOST_FITS + 1):
            tuned = self._tuned(self.fitter.fit(count))
            if tuned.margin >= 0 and (met is None or sizes.count(tuned.quantized) < sizes.count(met.quantized)):
                met = tuned
            elif tuned.margin < 0 and (missed is None or tuned.margin > missed.margin):
                missed = tuned
            following = self._following(count, tuned, slope)
            if self._short:
                done = 0 <= tuned.margin <= TOLERANCE_DB and tuned.octaves <= _FAR_OCTAVES
            else:
                close = met is not None and met.margin <= TOLERANCE_DB
                done = met is not None and (attempt > 1 or (close and following > _ROOM * count))
            if done or following == count or self.fitter.stopped:
                break
            count = following
        best = met or missed
        assert best is not None
        if met is None or self.fitter.stopped:
            return best.quantized
        return smallest_reaching(self.fitter, best.quantized, self._margin) or best.quantized

    def _pilots(self) -> tuple[int, float]:
        """Return how many Gaussians a full fit wants, and what twice as many are worth in dB."""
        first = min(self.most, self.fitter.usual_count)
        before = self._pilot(first)
        second = self._moved(first, (self.wanted - before) / _FIRST_SLOPE)
        if abs(math.log2(second / first)) < _LEAST_DOUBLINGS:
            second = self._moved(first, _LEAST_DOUBLINGS if first < self.most else -_LEAST_DOUBLINGS)
        if second == first or self.fitter.stopped:
            return first, _FIRST_SLOPE
        margin = self._pilot(second)
        slope = (margin - before) / math.log2(second / first)
        slope = min(max(slope, _SLOPE_RANGE[0]), _SLOPE_RANGE[1])
        return self._moved(second, (self.wanted - margin) / slope - self._shortfall), slope * FIT_SLOPE

    def _pilot(self, count: int) -> float:
        return self._decibels(self.fitter.rounded(self.fitter.fit(count, pilot=True)))

    def _following(self, count: int, tuned: Tuned, slope: float) -> int:
        """Return how many Gaussians would be right with features at the step that suits them.

        After short pilots, of which the slope is, the last two fits tell where the one has too many and one too few.
        """
        own = tuned.margin - tuned.octaves * _STEP_SLOPE
        before, self._before = self._before, (count, own)
        if not self._short:
            return self._moved(count, -own / slope)
        if before is not None and before[1] * own < 0:
            return self._moved(count, math.log2(before[0] / count) * own / (own - before[1]))
        return self._moved(count, max(-own / slope, -1.0))

    def _moved(self, count: int, doublings: float) -> int:
        held = min(max(doublings, -_MOST_DOUBLINGS), _MOST_DOUBLINGS)
        return max(1, min(self.most, round(count * 2**held)))

    def _tuned(self, geometry: CodedGeometry) -> Tuned:
        def evaluate(stretch: float) -> tuple[QuantizedGaussianSet, float]:
            candidate = self.fitter.rounded(geometry, stretch)
            return candidate, self._margin(candidate)

        return bracket_feature_step(evaluate, _STEP_SLOPE, _CLOSE_DB)[0]

    def _margin(self, quantized: QuantizedGaussianSet) -> float:
        return self._decibels(quantized) - self.wanted

    def _decibels(self, quantized: QuantizedGaussianSet) -> float:
        return self._visible.decibels(render_channels(quantized, self.fitter.backend))
