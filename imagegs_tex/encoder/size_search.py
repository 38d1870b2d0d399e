"""The search for the best file of at most a wanted size, on disk or on the GPU.

A file's size is nearly linear in the number of Gaussians, but how many bytes one costs depends on the material, and so
does whether coarser features and more Gaussians look better at the same size. Pilots of a few steps measure the first,
the roundings of the first full fit the second; the feature step then moves the size to just under the limit, which
needs no new fit.
"""

import functools
import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Final

from imagegs_tex.detail.analyse import MOST_BYTES
from imagegs_tex.encoder.encode import CodedGeometry
from imagegs_tex.encoder.file_sizes import Sizes
from imagegs_tex.encoder.quality_search import Reached
from imagegs_tex.encoder.trial_fits import (
    FIRST_OCTAVES,
    FIT_SLOPE,
    PILOTS,
    Fitter,
    Tuned,
    bracket_feature_step,
    choose_feature_step,
    closer,
)
from imagegs_tex.formats.igs.detail_layer import DetailLayer
from imagegs_tex.formats.igs.quantized_set import MAX_GAUSSIANS, QuantizedGaussianSet

ENOUGH_FITS: Final = 2
"""Where the last uses enough of the size. The second is half a fit, and always worth it."""
MOST_FITS: Final = 4
LEAST_USE: Final = 0.97
"""A file made for a size limit uses at least this share of it."""
_AIM: Final = 0.99
_CLOSE: Final = 0.005
"""Share of the limit that may be left without another try."""
_SIZE_SLOPE: Final = 0.25
"""Logarithm of the size that an octave of the feature step is worth."""
_FIRST_BYTES_PER_GAUSSIAN: Final = 6.0
_REFINED_SHARE: Final = 0.95
"""Bytes per Gaussian of a full fit over those of a pilot."""
_MOST_COUNTED: Final = 4
"""Files of one fit that are counted, and not only guessed; mostly it is one or two."""
_MOST_RETRIES: Final = 6
_CAUTION: Final = 1.5
"""Factor on the bytes per Gaussian of a third fit and later ones, so that a tiny limit is met at last."""
_PILOT_DOUBLINGS: Final = 0.5
"""Between two pilots, to say what Gaussians are worth."""
_LEAST_SLOPE: Final = 0.4
"""dB that twice the Gaussians are worth: less is the noise of a fit."""
_LAYER_SHARE: Final = 0.3
"""Of what a limit leaves beside the header and the maps, that a detail layer may take at most."""
_TIGHT_SHARE: Final = 0.1
"""Of a limit: a detail layer that takes more is made before the last fits, which leave room for it. What takes less is
made room for by coarser features."""


Finish = Callable[[QuantizedGaussianSet, int | None], QuantizedGaussianSet]
"""Adds to a set what does not depend on how its features are rounded, a detail layer of so many bytes at most (None:
of as many as suit the file); a set that needs none stays as it is."""

Layered = Callable[[QuantizedGaussianSet, int, int, float], QuantizedGaussianSet | None]
"""Returns a set with a residual layer where that is better than Gaussians alone: a set of these, its bytes, how many of
them the limit allows, and the dB that twice as many bytes are worth."""


def fill(
    fitter: Fitter,
    max_bytes: int,
    finish: Finish,
    sizes: Sizes,
    layered: Layered | None = None,
) -> Reached:
    """Find the best file of at most so many bytes, or the smallest found where none is that small.

    Args:
        fitter: of the stack
        max_bytes: as sizes counts them
        finish: makes the wanted set of the one that was found
        sizes: of files, or on the GPU
        layered: asked once the first fit tells what Gaussians alone will do; what it returns is finished. None: never
    """
    search = _Search(fitter, max_bytes, sizes, finish)
    if max_bytes < search.fixed:
        return search.missed(fitter.rounded(fitter.fit(1)))
    per_gaussian, slope = search.run_pilots()
    coarser = 0.0
    best: tuple[float, Tuned, CodedGeometry, DetailLayer | None] | None = None
    smallest: Tuned | None = None  # of those that are too large
    for attempt in range(1, _MOST_RETRIES + 1):
        count = search.count_for(per_gaussian)
        is_first = attempt == 1 and 1 < count < search.most
        geometry = fitter.fit(count, coarser=coarser, followed=is_first)
        if is_first and not fitter.stopped:
            octaves, per_gaussian = search.choose_feature_step(geometry, slope)
            quantized = search.rounded(geometry)(2**octaves)
            if layered is not None:
                better = layered(quantized, sizes.guess(quantized), search.count_for(per_gaussian), slope)
                if better is not None:
                    return Reached(better)
            coarser += octaves
            search.leave_room(quantized)
            continue
        layer = search.find_layer(geometry)
        tuned, usual = search.tuned(geometry)
        if tuned.margin >= 0:
            found = fitter.decibels(tuned.quantized), tuned, geometry, layer
            best = found if best is None or found[0] > best[0] else best
        else:
            smallest = tuned if smallest is None else closer(smallest, tuned)
        if best is not None:
            enough = ENOUGH_FITS if best[1].margin <= -math.log(LEAST_USE) else MOST_FITS
            if count in {1, search.most} or attempt >= enough or fitter.stopped:
                return Reached(search.finished(*best[1:]))
        per_gaussian = (search.room * math.exp(-usual.margin) - search.fixed) / count
        # more fits than MOST_FITS only where the file is still too large: a limit of hardly more than what is fixed
        if best is None and attempt > 1:
            per_gaussian *= _CAUTION
    assert smallest is not None
    if sizes.count(smallest.quantized) <= max_bytes:  # but for what was left for a detail layer
        return Reached(smallest.quantized)
    return search.missed(smallest.quantized)


class _Search:
    """A limit, and what fits need of it."""

    def __init__(self, fitter: Fitter, max_bytes: int, sizes: Sizes, finish: Finish) -> None:
        self.fitter, self.max_bytes, self.sizes, self.finish = fitter, max_bytes, sizes, finish
        self.room = max_bytes
        """Of the limit, what is for Gaussians."""
        self._roundings: tuple[CodedGeometry, Callable[[float], QuantizedGaussianSet]] | None = None
        self.most = min(MAX_GAUSSIANS, fitter.stack.width * fitter.stack.height)
        self.fixed = sizes.count(fitter.smallest())

    def run_pilots(self) -> tuple[float, float]:
        """Return the bytes of a full fit's Gaussian, and what twice the Gaussians are worth in dB, both by pilots."""
        counts, levels, per_gaussian = [], [], _FIRST_BYTES_PER_GAUSSIAN
        count = max(1, min(self.most, round(self.count_for(per_gaussian) * 2**-_PILOT_DOUBLINGS)))
        with ThreadPoolExecutor(1) as pool:  # the first file is coded beside the second pilot
            counted = None
            for _ in range(PILOTS):
                quantized = self.fitter.rounded(self.fitter.fit(count, pilot=True))
                counts.append(count)
                levels.append(self.fitter.decibels(quantized))
                if counted is None:
                    per_gaussian = (self.sizes.gauge(quantized) - self.fixed) / count
                    counted = pool.submit(self.sizes.count, quantized)
                else:
                    counted.result()
                    per_gaussian = (self.sizes.guess(quantized) - self.fixed) / count
                if self.fitter.stopped:
                    return per_gaussian, _LEAST_SLOPE
                wanted = self.count_for(per_gaussian)
                count = max(wanted, min(self.most, round(count * 2**_PILOT_DOUBLINGS)))
        doublings = math.log2(counts[1] / counts[0])
        slope = (levels[1] - levels[0]) / doublings if doublings > 0 else 0.0
        return per_gaussian * _REFINED_SHARE, max(slope, _LEAST_SLOPE) * FIT_SLOPE

    def count_for(self, per_gaussian: float) -> int:
        """Return how many Gaussians fit in."""
        return max(1, min(self.most, int((self.room * _AIM - self.fixed) / max(1.0, per_gaussian))))

    def tuned(self, geometry: CodedGeometry) -> tuple[Tuned, Tuned]:
        """Return the largest file within the limit that the feature step can make; and that at the step's own size."""
        evaluate = self._guessing(geometry)
        best: Tuned | None = None
        tried: set[float] = set()
        while True:  # each file that is counted makes the guesses around it better
            found, usual = bracket_feature_step(evaluate, _SIZE_SLOPE, _CLOSE)
            if found.octaves in tried:
                break
            tried.add(found.octaves)
            counted = replace(found, margin=math.log(self.room / self.sizes.count(found.quantized)))
            best = counted if best is None else closer(best, counted)
            if 0 <= best.margin <= _CLOSE or len(tried) == _MOST_COUNTED:
                break
        assert best is not None
        return best, usual

    def _guessing(self, geometry: CodedGeometry) -> Callable[[float], tuple[QuantizedGaussianSet, float]]:
        """Return what rounds with a factor on the feature step, and says by about how much that is below the room."""
        rounded = self.rounded(geometry)

        def evaluate(stretch: float) -> tuple[QuantizedGaussianSet, float]:
            candidate = rounded(stretch)
            return candidate, math.log(self.room / self.sizes.guess(candidate))

        return evaluate

    def leave_room(self, quantized: QuantizedGaussianSet) -> None:
        """Set aside what a detail layer will take, if that is much of the limit, by a fit's first set."""
        if _TIGHT_SHARE * self.max_bytes < MOST_BYTES:
            self.room = self.max_bytes - self._finished(quantized)[1]

    def find_layer(self, geometry: CodedGeometry) -> DetailLayer | None:
        """Return the detail layer of a fit's set that is likely as large as it may be, and set aside what it takes."""
        self.room = self.max_bytes
        likely, _ = bracket_feature_step(self._guessing(geometry), _SIZE_SLOPE, _CLOSE)
        finished, more = self._finished(likely.quantized)
        self.room -= more
        return finished.detail

    def finished(self, found: Tuned, geometry: CodedGeometry, layer: DetailLayer | None) -> QuantizedGaussianSet:
        """Return a set with its layer, its features as coarse as it takes; without where that does not fit in."""
        finished = replace(found.quantized, detail=layer)
        over = self.sizes.count(finished) - self.max_bytes
        if over <= 0:
            return finished
        self.room -= over
        tuned, _ = self.tuned(geometry)
        return found.quantized if tuned.margin < 0 else replace(tuned.quantized, detail=layer)

    def _finished(self, quantized: QuantizedGaussianSet) -> tuple[QuantizedGaussianSet, int]:
        """Return a set with a layer that the limit can bear, and the bytes that it takes."""
        finished = self.finish(quantized, int(_LAYER_SHARE * (self.max_bytes - self.fixed)))
        return finished, self.sizes.count(finished) - self.sizes.count(quantized)

    def choose_feature_step(self, geometry: CodedGeometry, slope: float) -> tuple[float, float]:
        """Return octaves of the feature step that suit a fit better, and a Gaussian's bytes with that step."""
        rounded = self.rounded(geometry)
        decibels = functools.cache(lambda octaves: self.fitter.decibels(rounded(2**octaves)))
        with ThreadPoolExecutor(1) as pool:  # coding a file takes as long as what is asked for in any case
            gauged = pool.submit(self.sizes.gauge, rounded(1.0))
            for first in FIRST_OCTAVES:
                decibels(first)
            gauged.result()

        def evaluate(octaves: float) -> tuple[float, float]:
            return math.log2(self.sizes.guess(rounded(2**octaves))), decibels(octaves)

        octaves = choose_feature_step(evaluate, slope)
        size = self.sizes.guess(rounded(2**octaves))
        return octaves, (size - self.fixed) / len(geometry.position_codes)

    def rounded(self, geometry: CodedGeometry) -> Callable[[float], QuantizedGaussianSet]:
        """Return what rounds a geometry's features with a factor on their step, each only once; kept of the last."""
        if self._roundings is None or self._roundings[0] is not geometry:
            self._roundings = geometry, functools.cache(lambda stretch: self.fitter.rounded(geometry, stretch))
        return self._roundings[1]

    def missed(self, quantized: QuantizedGaussianSet) -> Reached:
        """Return a set that is larger than the limit, with what to say of it."""
        found = f"the smallest {self.sizes.what} found has {self.sizes.count(quantized):,}"
        told = f"{self.max_bytes:,} bytes were not reached; {found}: {self.sizes.least} take that much"
        return Reached(quantized, told)
