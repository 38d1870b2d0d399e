"""Fewer Gaussians with a residual layer under them, where such a file is better than one of Gaussians alone.

Grain and what is dense cost Gaussians more than they cost blocks of cosines. So once a search knows how many Gaussians
it would take, and the file has enough bits per texel, a third of them are fitted, and the layer's step is moved until
the size or the quality is met; a sixth follows where the layer has most of the bytes. Where an estimate from a quarter
of the blocks tells that Gaussians alone are better, no layer is made. docs/experiments/dense-layer.md has the numbers.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import torch

from imagegs_tex.decoder.render import drawn_features
from imagegs_tex.encoder.size_search import Finish
from imagegs_tex.encoder.trial_fits import Fitter
from imagegs_tex.formats.igs import quantized_set as g
from imagegs_tex.formats.igs.container import encode_igs, residual_bytes
from imagegs_tex.formats.igs.entropy import Entropy
from imagegs_tex.formats.igs.quantized_set import QuantizedGaussianSet
from imagegs_tex.formats.igs.residual_layer import STEP_RANGE
from imagegs_tex.formats.vocabulary import FloatTexels
from imagegs_tex.quantize.channel_basis import to_channels
from imagegs_tex.quantize.residual_rdo import RATE_WEIGHT, Coefficients
from imagegs_tex.settings import DetailMode, ResidualMode

LEAST_BITS_PER_TEXEL: Final = 0.5
"""Below, Gaussians alone were better on all five crops."""
LEAST_TEXELS: Final = 1 << 14
"""Of a picture: crops of 96 x 96 texels at 1.1 and 2.5 bits per texel gained 0 to 0.05 dB."""
_SHARES: Final = (1 / 3, 1 / 6)
"""Of the Gaussians of a file without a layer."""
_MOST_OF_LAYER: Final = 0.6
"""Share of the bytes that a layer has where still fewer Gaussians are tried."""
_LEAST_OF_LAYER: Final = 0.04
"""Share of a size limit that must be left for a layer."""
_MOST_VALUES: Final = 1 << 26
"""Texels times channels that are transformed: 4 bytes each, and as much again for what is made of them."""
_USUAL_SIDE: Final = 3
_SIDES: Final = ((_USUAL_SIDE, 1.0, math.inf), (2, 1.005, math.inf), (4, 1.02, 24.0))
"""Of blocks, log2; by how much the others must be worse; coefficients of a block that are affordable.

Each texel pays for its whole block: 39 in 16 x 16 texels were 1.6 times the work of Gaussians with the same PSNR."""
_FIRST_STEP: Final = 3.0
"""Over the residual's root mean square."""
_STEP_SLOPE: Final = 1.2
"""Logarithm of the layer's bytes per logarithm of the step, at first."""
_DB_SLOPE: Final = 6.0
"""dB that are missing, per logarithm of the step, at first."""
_ESTIMATES: Final = 5
_NEAR: Final = 0.02
"""Logarithm of a size, or dB, that an estimate may be off."""
_MOST_MOVED: Final = 1.5
"""Logarithm of the step, at once."""
_MOST_LAYERS: Final = 5
_CLOSE_SHARE: Final = 0.006
"""Of a size limit, that may be left."""
_CLOSE_DB: Final = 0.01
_NOISE_BYTES: Final = 700
_NOISE_SHARE: Final = 100
"""What is kept free for a detail layer, bytes and 1 / share of the limit: 264 to 673 bytes were seen."""
_BETTER_DB: Final = 0.3
"""What a layer must win over what is expected of Gaussians, whose later fits have 0.08 dB more, and up to 0.34."""
_ESTIMATE_OFF_DB: Final = 0.2
"""By so much an estimate from a quarter of the blocks may be too little, or blocks of another side better."""
_ESTIMATE_OFF: Final = 1.05
"""The same, over the bytes of Gaussians."""
_DB_PER_DOUBLING: Final = 3.0
"""dB that twice the bytes are worth, about; only small differences in bytes are weighed by it."""
_LEAST_CHANGE: Final = 1e-3

Cost = tuple[float, float, float]
"""Of a layer, estimated: bytes, squared error, coefficients of a block."""
Measure = Callable[[QuantizedGaussianSet], float]
"""Returns by how many dB a set does better than asked."""


def may_pay(fitter: Fitter, size: int) -> bool:
    """Whether a layer is tried in place of Gaussians alone in a file of a size in bytes."""
    stack, settings = fitter.stack, fitter.settings
    texels = stack.width * stack.height
    return (
        settings.precision.residual == ResidualMode.AUTO
        and settings.entropy == Entropy.SMALL
        and LEAST_TEXELS <= texels <= _MOST_VALUES // max(1, stack.channel_count)
        and 8 * size >= LEAST_BITS_PER_TEXEL * texels
    )


def best_within(
    fitter: Fitter,
    count: int,
    max_bytes: int,
    expected: float,
    finish: Finish,
) -> QuantizedGaussianSet | None:
    """Return a finished set with a layer, no larger than a limit; None where Gaussians alone are as good.

    Args:
        fitter: of the stack, which has made a full fit
        count: Gaussians that the limit allows without a layer
        max_bytes: of the file
        expected: dB of such a file
        finish: adds the detail layer to a set
    """
    with_noise = fitter.settings.detail != DetailMode.OFF
    limit = max_bytes - (min(_NOISE_BYTES, max_bytes // _NOISE_SHARE) if with_noise else 0)

    def hopeful(search: _Search) -> bool:
        return search.decibels >= expected + _BETTER_DB - _ESTIMATE_OFF_DB

    search = _found(fitter, count, lambda fewer: fewer.within(limit), hopeful)
    found = None if search is None else search.found()
    if search is None or found is None or fitter.decibels(found) < expected + _BETTER_DB:
        return None
    finished = finish(found, None)
    over = len(encode_igs(finished)) - max_bytes
    if over <= 0:
        return finished
    room = max_bytes - search.fewer.size
    coarser = search.found(math.log(room / max(room - over, 1)))
    return found if coarser is None else replace(coarser, detail=finished.detail)


def smallest_reaching(fitter: Fitter, count: int, size: int, margin: Measure) -> QuantizedGaussianSet | None:
    """Return a set with a layer that reaches what is asked for in fewer bytes than without; None: there is none.

    Args:
        fitter: of the stack, which has made a full fit
        count: Gaussians that reach it without a layer
        size: of their file
        margin: by how many dB a set reaches it
    """

    def hopeful(search: _Search) -> bool:
        return search.bytes <= _ESTIMATE_OFF * size

    search = _found(fitter, count, lambda fewer: fewer.reaching(margin), hopeful)
    found = None if search is None else search.found()
    return None if found is None or len(encode_igs(found)) >= size else found


def _found(
    fitter: Fitter,
    count: int,
    search: Callable[["_Fewer"], "_Search | None"],
    hopeful: Callable[["_Search"], bool],
) -> "_Search | None":
    """Return the most promising search, with fewer Gaussians where the layer has most of the bytes; None: none is."""
    best: _Search | None = None
    for share in _SHARES:
        if fitter.stopped:
            break
        begun = search(_Fewer.of(fitter, max(1, round(count * share))))
        if begun is None or (best is not None and begun.promise <= best.promise):
            break
        best = begun
        if begun.layer_share < _MOST_OF_LAYER or not hopeful(begun):
            break
    return best if best is not None and hopeful(best) else None


@dataclass(frozen=True, slots=True)
class _Fewer:
    """Fewer Gaussians, and what they leave."""

    quantized: QuantizedGaussianSet
    size: int  # of its file
    left: FloatTexels  # [H, W, C] what they leave
    error: float  # squared, of all channels, without a layer
    decibels: float  # without a layer

    @staticmethod
    def of(fitter: Fitter, count: int) -> "_Fewer":
        """Fit so many Gaussians."""
        quantized = fitter.rounded(fitter.fit(count, under_layer=True))
        left = what_is_left(fitter, quantized)
        error = max(float(np.square(left, dtype=np.float64).sum()), 1e-12)
        return _Fewer(quantized, len(encode_igs(quantized)), left, error, fitter.decibels(quantized))

    def within(self, max_bytes: int) -> "_Search | None":
        """Return a search for the finest layer that a size allows; None where there is no room for one."""
        room = max_bytes - self.size
        if room < _LEAST_OF_LAYER * max_bytes:
            return None

        def too_much(made: QuantizedGaussianSet) -> float:
            return math.log(residual_bytes(made) / room)

        def estimated(cost: Cost) -> float:
            return math.log(max(cost[0], 1.0) / room)

        return self._begun(estimated, too_much, -_STEP_SLOPE, _CLOSE_SHARE * max_bytes / room)

    def reaching(self, margin: Measure) -> "_Search | None":
        """Return a search for the coarsest layer that gives the set no negative margin; None where it needs none."""
        own = margin(self.quantized)
        if own >= 0:
            return None

        def too_little(made: QuantizedGaussianSet) -> float:
            return -margin(made)

        def estimated(cost: Cost) -> float:
            return -own - 10 * math.log10(self.error / max(cost[1], 1e-12))

        return self._begun(estimated, too_little, _DB_SLOPE, _CLOSE_DB)

    def _begun(
        self,
        estimated: Callable[[Cost], float],
        off: Callable[[QuantizedGaussianSet], float],
        slope: float,
        close: float,
    ) -> "_Search":
        """Return a search that begins where what a layer is estimated to cost is not off."""
        coefficients = Coefficients.of(self.left, _USUAL_SIDE)
        first = _FIRST_STEP * math.sqrt(self.error / self.left.size)
        step, cost = _searched(coefficients, first, estimated, slope)
        return _Search(self, coefficients, step, cost, estimated, off, slope, close)


@dataclass(frozen=True, slots=True)
class _Search:
    """For a layer that meets what is asked of it."""

    fewer: _Fewer
    coefficients: Coefficients  # in blocks of the usual side
    step: float  # with which an estimate meets it
    cost: Cost  # of that layer
    estimated: Callable[[Cost], float]  # by what a layer is estimated to cost: what should be 0
    off: Callable[[QuantizedGaussianSet], float]  # the same of a set, which should not be above 0
    slope: float  # of these per logarithm of the step, about
    close: float  # how little below 0 is enough

    @property
    def bytes(self) -> float:
        """Of the file, estimated."""
        return self.fewer.size + self.cost[0]

    @property
    def layer_share(self) -> float:
        """Of the bytes."""
        return self.cost[0] / self.bytes

    @property
    def promise(self) -> float:
        """What orders searches for the same size or the same quality: estimated dB, less those that bytes are worth."""
        return self.decibels - _DB_PER_DOUBLING * math.log2(self.bytes)

    @property
    def decibels(self) -> float:
        """Of the picture, estimated."""
        return self.fewer.decibels + 10 * math.log10(self.fewer.error / max(self.cost[1], 1e-12))

    def found(self, less: float = 0.0) -> QuantizedGaussianSet | None:
        """Return the set with the layer that is off by the least below 0, of some whose steps close in on 0.

        Args:
            less: by how much less than 0
        """
        coefficients, step = self._in_best_blocks()
        least: tuple[float, QuantizedGaussianSet] | None = None
        below: tuple[float, float] | None = None  # logarithm of a step, and what it is off
        above: tuple[float, float] | None = None
        for _ in range(_MOST_LAYERS):
            layer = coefficients.layer(step)
            if layer is None:
                break
            made = replace(self.fewer.quantized, residual=layer)
            now = math.log(step), self.off(made) + less
            if now[1] <= 0:
                below = now if below is None or now[1] > below[1] else below
                least = (now[1], made) if least is None or now[1] > least[0] else least
            else:
                above = now if above is None or now[1] < above[1] else above
            if -self.close <= now[1] <= 0:
                break
            if below is not None and above is not None:
                share = (-self.close / 2 - below[1]) / (above[1] - below[1])
                step = math.exp(below[0] + min(max(share, 0.1), 0.9) * (above[0] - below[0]))
            else:
                step = _moved(step, -(now[1] + self.close / 2) / self.slope)
        return None if least is None else least[1]

    def _in_best_blocks(self) -> tuple[Coefficients, float]:
        """Return blocks of the side that costs least at the step, and the step that suits them."""
        least, chosen = math.inf, self.coefficients
        for side_log2, factor, most in _SIDES:
            own = side_log2 == self.coefficients.side_log2
            tried = self.coefficients if own else Coefficients.of(self.fewer.left, side_log2)
            size, error, count = tried.estimate(self.step)
            cost = (error / self.step**2 + RATE_WEIGHT * 8 * size) * factor
            if cost < least and count <= most:
                least, chosen = cost, tried
        if chosen is self.coefficients:
            return chosen, self.step
        return chosen, _searched(chosen, self.step, self.estimated, self.slope)[0]


def _searched(
    coefficients: Coefficients, step: float, estimated: Callable[[Cost], float], slope: float
) -> tuple[float, Cost]:
    """Return the step at which what a layer is estimated to cost is not off, and that cost."""
    before = None
    for _ in range(_ESTIMATES):
        cost = coefficients.estimate(step)
        found = estimated(cost)
        if abs(found) < _NEAR:
            break
        slope, before = _refined(slope, before, (math.log(step), found))
        step = _moved(step, -found / slope)
    return step, cost


def _moved(step: float, logarithm: float) -> float:
    """Return a step moved, not too far at once, within what a file may say."""
    least, most = STEP_RANGE
    return min(max(step * math.exp(min(max(logarithm, -_MOST_MOVED), _MOST_MOVED)), least), most)


def _refined(
    slope: float, before: tuple[float, float] | None, now: tuple[float, float]
) -> tuple[float, tuple[float, float]]:
    """Return a slope that fits two points, if they are apart, and the later one."""
    if before is not None and abs(now[0] - before[0]) > _LEAST_CHANGE:
        found = (now[1] - before[1]) / (now[0] - before[0])
        slope = math.copysign(min(max(abs(found), abs(slope) / 3), 3 * abs(slope)), slope)
    return slope, now


def what_is_left(fitter: Fitter, quantized: QuantizedGaussianSet) -> FloatTexels:
    """Return what a layer should add to a set's picture [H, W, C]; nothing where the picture is held to its range."""
    values, texels = g.dequantize(quantized), fitter.stack.texels
    image = drawn_features(
        values.means, values.conics, values.features, cutoff=quantized.cutoff,
        size=(quantized.width, quantized.height), wrap=quantized.wrap, backend=fitter.backend,
    )  # fmt: skip
    drawn = to_channels(image, values.basis, values.offset, held=False)
    source = torch.from_numpy(texels).to(drawn.device)
    left = source - drawn
    beyond = ((source <= 0) & (drawn < 0)) | ((source >= 1) & (drawn > 1))
    return np.asarray(left.masked_fill_(beyond, 0.0).cpu().numpy())
