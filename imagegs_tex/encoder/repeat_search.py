"""A file of what repeats on a lattice in place of one of Gaussians, where that is better.

Where a picture repeats, one Gaussian holds its mean colour and a repeat layer the rest; with ``residual=auto`` a
residual follows for what differs from cell to cell, as finely as an error in it counts. One step moves until a size or
a quality is met. A pilot of Gaussians then tells whether these could be as good; where it leaves no doubt, none are
fitted. docs/experiments/repetition.md has the numbers.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import numpy as np

from imagegs_tex.encoder.residual_search import MOST_VALUES
from imagegs_tex.encoder.step_search import Measure, close_in
from imagegs_tex.encoder.trial_fits import Fitter
from imagegs_tex.formats.igs.added_picture import added_picture
from imagegs_tex.formats.igs.container import encode_igs
from imagegs_tex.formats.igs.entropy import Entropy
from imagegs_tex.formats.igs.quantized_set import OFFSET_SCALE, QuantizedGaussianSet
from imagegs_tex.formats.igs.repeat_picture import repeat_picture
from imagegs_tex.formats.vocabulary import FloatTexels
from imagegs_tex.quantize.residual_rdo import make_residual_layer
from imagegs_tex.repetition.cell_pictures import CellPictures
from imagegs_tex.repetition.choose_layer import RepeatCoefficients
from imagegs_tex.repetition.find_lattice import find_repetition
from imagegs_tex.settings import RepeatMode, ResidualMode

_SIDES: Final = ((2, 1.0, 0.0), (3, 1.1, 0.5))
"""Of the cell's blocks, log2; how many times fewer bytes, or dB more, larger ones must bring.

Each texel pays for its whole block: 42 coefficients of 8 x 8 texels, 14 of 4 x 4 (facade_005_tiles at 42 dB).
"""
_COARSEST: Final = 0.0055
"""Of a step over the side, but where a size leaves no choice: blocks of a slope are then 1.4 / 255 apart at most, and
do not show as a pattern that the source has not. At 0.012 they do."""
_FULL_DB: Final = 46.0
"""Above, blocks of 8 x 8 texels and more are full before they are as good (facade_005_tiles: 45 dB at most)."""
_RESIDUAL_SIDE: Final = 3
_FIRST_STEP: Final = 0.04
_FIRST_BYTES: Final = 3000
"""Of that step, on facade_005_tiles."""
_BYTES_SLOPE: Final = 0.75
"""Logarithm of the bytes per logarithm of the step, at first."""
_MOST_STEPS: Final = 9
_DB_SLOPE: Final = 6.0
_CLOSE_SHARE: Final = 0.01
"""Of a size limit, that may be left."""
_CLOSE_DB: Final = 0.02
_SEEN: Final = 1 / 16
"""Root mean square of what is left over a residual's step, below which none of it is worth its bits."""
_BYTES_PER_GAUSSIAN: Final = 6.0
"""Fewer than most materials take."""
_CLEAR_DB: Final = 3.0
"""What a full fit may have over a pilot, and more."""


@dataclass(frozen=True, slots=True)
class RepeatSearch:
    """For files of one picture that repeats."""

    fitter: Fitter
    plain: QuantizedGaussianSet  # one Gaussian that adds nothing to the mean colour
    texels: FloatTexels  # [H, W, C], the source less that colour
    coefficients: tuple[RepeatCoefficients, ...]  # in blocks of the sides that are tried

    @staticmethod
    def begun(fitter: Fitter) -> "RepeatSearch | None":
        """Return a search; None where repeats are not asked for, or the picture does not repeat."""
        stack = fitter.stack
        too_large = stack.texels.size > MOST_VALUES
        if fitter.settings.precision.repeat == RepeatMode.OFF or too_large or stack.is_constant:
            return None
        repetition = find_repetition(stack.texels)
        if repetition is None:
            return None
        plain = fitter.smallest()
        plain = replace(plain, feature_codes=np.zeros_like(plain.feature_codes))
        texels = stack.texels - (plain.offset_codes / OFFSET_SCALE).astype(np.float32)
        cells = CellPictures.of(texels, repetition)
        if cells is None:
            return None
        return RepeatSearch(fitter, plain, texels, tuple(RepeatCoefficients.of(cells, side) for side, _, _ in _SIDES))

    def within(self, most: int, count: Callable[[QuantizedGaussianSet], int]) -> QuantizedGaussianSet | None:
        """Return the best set of at most so many bytes, as count counts them; None: none is that small.

        That need not be the largest: where blocks are full, finer steps lose what they hold.
        """
        first = _FIRST_STEP * (_FIRST_BYTES / most) ** (1 / _BYTES_SLOPE)
        best: tuple[float, QuantizedGaussianSet] | None = None
        for coefficients, (_, _, more) in zip(self.coefficients, _SIDES, strict=True):
            tried: list[tuple[float, QuantizedGaussianSet]] = []

            def too_much(made: QuantizedGaussianSet, tried: list[tuple[float, QuantizedGaussianSet]] = tried) -> float:
                off = math.log(count(made) / most)
                if off <= 0:
                    tried.append((self._decibels(made), made))
                    if len(tried) > 1 and tried[-1][0] < max(level for level, _ in tried):
                        return 0.0  # no finer ones
                return off

            close_in(partial(self._made, coefficients), too_much, first, -_BYTES_SLOPE, _CLOSE_SHARE, _MOST_STEPS)
            found = max(tried, key=lambda one: one[0], default=None)
            if found is not None and (best is None or found[0] > best[0] + more):
                best = found
            if found is not None and found[0] > _FULL_DB:
                break
        return None if best is None else best[1]

    def reaching(self, margin: Measure) -> QuantizedGaussianSet | None:
        """Return the smallest set without a negative margin; None: none has that."""
        best: tuple[float, QuantizedGaussianSet] | None = None
        for coefficients, (_, factor, _) in zip(self.coefficients, _SIDES, strict=True):
            make, coarsest = partial(self._made, coefficients), _COARSEST * 2**coefficients.side_log2
            made = make(coarsest)
            if made is None or margin(made) < 0:
                made = close_in(make, lambda one: -margin(one), coarsest / 2, _DB_SLOPE, _CLOSE_DB, _MOST_STEPS)
            if made is None:
                continue
            size = len(encode_igs(made)) * factor
            best = (size, made) if best is None or size < best[0] else best
            if self._decibels(made) > _FULL_DB:
                break
        return None if best is None else best[1]

    def is_clear(self, found: QuantizedGaussianSet, most: int, measure: Measure) -> bool:
        """Whether Gaussians in so many bytes cannot be as good as a set, by a pilot."""
        room = (most - len(encode_igs(self.plain))) / _BYTES_PER_GAUSSIAN
        texels = self.texels.shape[0] * self.texels.shape[1]
        pilot = self.fitter.rounded(self.fitter.fit(max(1, min(texels, round(room))), pilot=True))
        return measure(pilot) + _CLEAR_DB <= measure(found)

    def _decibels(self, made: QuantizedGaussianSet) -> float:
        """Return the PSNR of a set's channels, not rounded."""
        added = added_picture(made, (self.plain.width, self.plain.height))
        assert added is not None
        return -10 * math.log10(max(float(np.square(self.texels - added).mean(dtype=np.float64)), 1e-12))

    def _made(self, coefficients: RepeatCoefficients, step: float) -> QuantizedGaussianSet | None:
        repeat = coefficients.layer(step)
        if repeat is None or self.fitter.stopped:
            return None
        made = replace(self.plain, repeat=repeat)
        settings = self.fitter.settings
        if settings.precision.residual == ResidualMode.OFF or settings.entropy != Entropy.SMALL:
            return made
        size = self.plain.width, self.plain.height
        left = self.texels - repeat_picture(repeat, size, size)
        own = step * math.sqrt(len(coefficients.cells.whole))  # an error in a cell's picture counts in every cell
        if math.sqrt(float(np.square(left).mean(dtype=np.float64))) < _SEEN * own:
            return made
        return replace(made, residual=make_residual_layer(left, own, _RESIDUAL_SIDE))
