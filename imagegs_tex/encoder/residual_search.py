"""Fewer Gaussians with a residual layer under them, where such a file is better than one of Gaussians alone.

Grain and what is dense cost Gaussians more than they cost blocks of cosines. So once a search has found its file, and
that has enough bits per texel, a third of its Gaussians are fitted, and the layer's step is moved until the size or the
quality is met; a sixth follows where the layer has most of the bytes. docs/experiments/dense-layer.md has the numbers.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import torch

from imagegs_tex.decoder.render import drawn_features
from imagegs_tex.encoder.trial_fits import Fitter
from imagegs_tex.formats.igs import quantized_set as g
from imagegs_tex.formats.igs.container import encode_igs
from imagegs_tex.formats.igs.entropy import Entropy
from imagegs_tex.formats.igs.quantized_set import QuantizedGaussianSet
from imagegs_tex.formats.igs.residual_layer import STEP_RANGE
from imagegs_tex.formats.vocabulary import FloatTexels
from imagegs_tex.quantize.channel_basis import to_channels
from imagegs_tex.quantize.residual_rdo import RATE_WEIGHT, Coefficients
from imagegs_tex.settings import ResidualMode

LEAST_BITS_PER_TEXEL: Final = 0.5
"""Below, Gaussians alone were better on all five crops."""
_SHARES: Final = (1 / 3, 1 / 6)
"""Of the Gaussians of a file without a layer."""
_MOST_OF_LAYER: Final = 0.6
"""Share of the bytes that a layer has where still fewer Gaussians are tried."""
_LEAST_OF_LAYER: Final = 0.04
"""Share of a size limit that must be left for a layer."""
_MOST_VALUES: Final = 1 << 26
"""Texels times channels that are transformed: 4 bytes each, and as much again for what is made of them."""
_USUAL_SIDE: Final = 3
_SIDES: Final = ((_USUAL_SIDE, 1.0, math.inf), (2, 1.005, math.inf), (4, 1.02, 48.0))
"""Of blocks, log2; by how much the others must be worse; coefficients of a block that are affordable.

Each texel pays for its whole block: 16 x 16 texels are for few."""
_FIRST_STEP: Final = 3.0
"""Over the residual's root mean square."""
_STEP_SLOPE: Final = 1.2
"""Logarithm of the layer's bytes per logarithm of the step, at first."""
_DB_SLOPE: Final = 6.0
"""dB that are missing, per logarithm of the step, at first."""
_ESTIMATES: Final = 6
_NEAR: Final = 0.02
"""Logarithm of a size, or dB, that an estimate may be off."""
_MOST_MOVED: Final = 1.5
"""Logarithm of the step, at once."""
_MOST_LAYERS: Final = 5
_CLOSE_SHARE: Final = 0.004
"""Of a size limit, that may be left."""
_CLOSE_DB: Final = 0.01
_BETTER_DB: Final = 0.02
"""What a layer must win, that more Gaussians would not be as good a use of a GPU."""
_LEAST_CHANGE: Final = 1e-3

Measure = Callable[[QuantizedGaussianSet], float]
"""Returns dB of a set, or by how many of them it does better than asked."""


def may_pay(fitter: Fitter, plain: QuantizedGaussianSet, size: int) -> bool:
    """Whether a layer is tried beside a set whose file, or whose limit, has a size in bytes."""
    texels = plain.width * plain.height
    settings = fitter.settings
    return (
        settings.precision.residual == ResidualMode.AUTO
        and settings.entropy == Entropy.SMALL
        and plain.exact is None
        and plain.gaussian_count > 1
        and 8 * size >= LEAST_BITS_PER_TEXEL * texels
        and texels * plain.channel_count <= _MOST_VALUES
    )


def best_within(
    fitter: Fitter, plain: QuantizedGaussianSet, max_bytes: int, decibels: Measure
) -> QuantizedGaussianSet | None:
    """Return a set with a layer that is better than one without, and no larger than a limit; None: there is none."""
    best, level = None, decibels(plain) + _BETTER_DB
    for share in _SHARES:
        if fitter.stopped:
            break
        found = _Fewer.of(fitter, plain, share).within(max_bytes)
        reached = -math.inf if found is None else decibels(found[0])
        if found is not None and reached > level:
            best, level = found[0], reached
        elif share != _SHARES[0] or found is None:
            break
        if found[1] < _MOST_OF_LAYER:
            break
    return best


def smallest_reaching(fitter: Fitter, plain: QuantizedGaussianSet, margin: Measure) -> QuantizedGaussianSet | None:
    """Return a set with a layer that reaches what is asked for in fewer bytes than one without; None: there is none."""
    best, size = None, len(encode_igs(plain))
    for share in _SHARES:
        if fitter.stopped:
            break
        found = _Fewer.of(fitter, plain, share).reaching(margin)
        if found is not None and len(encode_igs(found[0])) < size:
            best, size = found[0], len(encode_igs(found[0]))
        elif share != _SHARES[0] or found is None:
            break
        if found[1] < _MOST_OF_LAYER:
            break
    return best


@dataclass(frozen=True, slots=True)
class _Fewer:
    """Fewer Gaussians, and what they leave."""

    quantized: QuantizedGaussianSet
    size: int  # of its file
    left: FloatTexels  # [H, W, C] what they leave
    error: float  # squared, of all channels, without a layer

    @staticmethod
    def of(fitter: Fitter, plain: QuantizedGaussianSet, share: float) -> "_Fewer":
        """Fit a share of the Gaussians of a set."""
        quantized = fitter.rounded(fitter.fit(max(1, round(plain.gaussian_count * share))))
        left = what_is_left(fitter, quantized)
        error = max(float(np.square(left, dtype=np.float64).sum()), 1e-12)
        return _Fewer(quantized, len(encode_igs(quantized)), left, error)

    def within(self, max_bytes: int) -> tuple[QuantizedGaussianSet, float] | None:
        """Return the set with the finest layer that a size allows, and the layer's share of the bytes."""
        room = max_bytes - self.size
        if room < _LEAST_OF_LAYER * max_bytes:
            return None
        close = _CLOSE_SHARE * max_bytes / room

        def too_much(made: QuantizedGaussianSet | None) -> float:
            size = self.size if made is None else len(encode_igs(made))
            return math.log(max(size - self.size, 1) / room)

        coefficients, step = self._estimated(lambda cost: math.log(max(cost[0], 1.0) / room), -_STEP_SLOPE)
        found = self._moved(coefficients, step, too_much, -_STEP_SLOPE, -close)
        return None if found is None else (found, 1 - self.size / len(encode_igs(found)))

    def reaching(self, margin: Measure) -> tuple[QuantizedGaussianSet, float] | None:
        """Return the set with the coarsest layer that gives it no negative margin, and the layer's share of the bytes."""
        own = margin(self.quantized)
        if own >= 0:
            return None

        def too_little(made: QuantizedGaussianSet | None) -> float:
            return -own if made is None else -margin(made)

        def estimated(cost: tuple[float, float, float]) -> float:
            return -own - 10 * math.log10(self.error / max(cost[1], 1e-12))

        coefficients, step = self._estimated(estimated, _DB_SLOPE)
        found = self._moved(coefficients, step, too_little, _DB_SLOPE, -_CLOSE_DB)
        return None if found is None else (found, 1 - self.size / len(encode_igs(found)))

    def _moved(
        self,
        coefficients: Coefficients,
        step: float,
        off: Callable[[QuantizedGaussianSet | None], float],
        slope: float,
        close: float,
    ) -> QuantizedGaussianSet | None:
        """Return the set with the layer that is off by the least below 0, of some whose steps close in on 0.

        Args:
            coefficients: of the layer
            step: the first one
            off: of a set: what should be 0, or a little less
            slope: of that per logarithm of the step, about
            close: what is little, below 0
        """
        least: tuple[float, QuantizedGaussianSet] | None = None
        below: tuple[float, float] | None = None  # logarithm of a step, and what it is off
        above: tuple[float, float] | None = None
        for _ in range(_MOST_LAYERS):
            layer = coefficients.layer(min(max(step, STEP_RANGE[0]), STEP_RANGE[1]))
            made = None if layer is None else replace(self.quantized, residual=layer)
            now = math.log(step), off(made)
            if now[1] <= 0:
                below = now if below is None or now[1] > below[1] else below
                if made is not None and (least is None or now[1] > least[0]):
                    least = now[1], made
            else:
                above = now if above is None or now[1] < above[1] else above
            if close <= now[1] <= 0:
                break
            if below is not None and above is not None:
                share = (close / 2 - below[1]) / (above[1] - below[1])
                step = math.exp(below[0] + min(max(share, 0.1), 0.9) * (above[0] - below[0]))
            else:
                step *= math.exp(min(max((close / 2 - now[1]) / slope, -_MOST_MOVED), _MOST_MOVED))
        return None if least is None else least[1]

    def _estimated(
        self, off: Callable[[tuple[float, float, float]], float], slope: float
    ) -> tuple[Coefficients, float]:  # fmt: skip
        """Return blocks, and the step at which what a layer is estimated to cost is not off; slope: per log of the step."""
        usual = Coefficients.of(self.left, _USUAL_SIDE)
        step = _searched(usual, _FIRST_STEP * math.sqrt(self.error / self.left.size), off, slope)
        least, chosen = math.inf, usual
        for side_log2, factor, most in _SIDES:
            tried = usual if side_log2 == _USUAL_SIDE else Coefficients.of(self.left, side_log2)
            size, error, count = tried.estimate(step)
            cost = (error / step**2 + RATE_WEIGHT * 8 * size) * factor
            if cost < least and count <= most:
                least, chosen = cost, tried
        return chosen, step if chosen is usual else _searched(chosen, step, off, slope)


def _searched(
    coefficients: Coefficients, step: float, off: Callable[[tuple[float, float, float]], float], slope: float
) -> float:
    """Return the step at which what a layer is estimated to cost is not off."""
    before = None
    for _ in range(_ESTIMATES):
        found = off(coefficients.estimate(step))
        if abs(found) < _NEAR:
            break
        slope, before = _refined(slope, before, (math.log(step), found))
        step *= math.exp(min(max(-found / slope, -_MOST_MOVED), _MOST_MOVED))
    return step


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
