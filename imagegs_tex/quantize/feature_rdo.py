"""Rounding features to codes by coordinate descent on rate and distortion together.

With the geometry fixed, the squared error is a quadratic form in the features: rounding one of them changes what is
best for its neighbours. So codes are chosen one at a time against the current codes of all others, minimising
``error + weight * bits`` with bits from the codes' own statistics. Against plain rounding this saved 10 to 15 % of the
feature bits and gained 0.1 to 0.4 dB at the same step (docs/experiments/rounding.md).
"""

import math
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.jit import njit
from imagegs_tex.quantize.code_lengths import lengths_of

_ROUNDS: Final = 4
"""Between rounds the statistics are taken anew; the first looks at the error alone."""
SWEEPS: Final = 2
CODE_LIMIT: Final = 32000


@dataclass(frozen=True, slots=True)
class FeaturePrices:
    """What each code costs, component after component."""

    bits: NDArray[np.float64]  # [P]
    starts: NDArray[np.int64]  # [K + 1] where a component's prices begin
    least: NDArray[np.int64]  # [K] the code that its first price is of


@dataclass(frozen=True, slots=True)
class CodeStatistics:
    """How often each code comes, by component."""

    least: NDArray[np.int64]  # [K] one below the least code
    counts: list[NDArray[np.int64]]  # of each component, from there to one above its greatest code


Codes = Any
"""[N, K] where a descent works on them: an array of integers, or a tensor on a GPU."""


class Descent(Protocol):
    """The squared error of one geometry around its best features, and sweeps over the codes that lower it."""

    def nearest(self, steps: NDArray[np.float64]) -> Codes:
        """Return the codes nearest to the best features, of components with steps [K]."""
        ...

    def statistics(self, codes: Codes) -> CodeStatistics:
        """Return how often each code comes."""
        ...

    def sweep(
        self, codes: Codes, steps: NDArray[np.float64], bit_price: float, prices: FeaturePrices, floor: float
    ) -> Codes:
        """Return codes after SWEEPS sweeps over all of them; floor is added to the diagonal."""
        ...

    def read(self, codes: Codes) -> NDArray[np.int16]:
        """Return codes as they are stored."""
        ...


@dataclass(frozen=True, slots=True)
class CpuDescent:
    """The sweeps in numba."""

    row_starts: NDArray[np.int64]  # [N + 1] of the normal equations' sparse matrix
    columns: NDArray[np.int32]  # [M]
    values: NDArray[np.float64]  # [M]
    diagonal: NDArray[np.float64]  # [N]
    best: NDArray[np.float64]  # [N, K] the features that solve the equations

    def nearest(self, steps: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the codes nearest to the best features."""
        return np.clip(np.rint(self.best / steps), -CODE_LIMIT, CODE_LIMIT).astype(np.int64)

    def statistics(self, codes: NDArray[np.int64]) -> CodeStatistics:
        """Return how often each code comes."""
        least = codes.min(axis=0) - 1
        lengths = codes.max(axis=0) - least + 2
        counts = (np.bincount(codes[:, k] - least[k], minlength=int(lengths[k])) for k in range(codes.shape[1]))
        return CodeStatistics(least, list(counts))

    def sweep(
        self,
        codes: NDArray[np.int64],
        steps: NDArray[np.float64],
        bit_price: float,
        prices: FeaturePrices,
        floor: float,
    ) -> NDArray[np.int64]:
        """Return codes after SWEEPS sweeps over all of them."""
        moving = codes.copy()
        _descend(
            self.row_starts, self.columns, self.values, self.diagonal + floor, self.best, steps, bit_price,
            prices.bits, prices.starts, prices.least, moving,
        )  # fmt: skip
        return moving

    def read(self, codes: NDArray[np.int64]) -> NDArray[np.int16]:
        """Return codes as they are stored."""
        return codes.astype(np.int16)


def choose_feature_codes(
    descent: Descent, diagonal: NDArray[np.float64], steps: NDArray[np.float64], bit_price: float
) -> NDArray[np.int16]:
    """Choose integer codes for features.

    Args:
        descent: of the equations, around the features that solve them
        diagonal: [N] of their matrix
        steps: [K] value of one code
        bit_price: squared error that one bit is worth, of components with the largest step

    Returns:
        codes [N, K]; the features are codes * steps
    """
    codes = descent.nearest(steps)
    floor = 1e-6 * max(float(np.median(diagonal)), 1e-12)
    for round_number in range(_ROUNDS):
        prices = _prices_of(descent.statistics(codes), steps)
        codes = descent.sweep(codes, steps, bit_price if round_number else 0.0, prices, floor)
    return descent.read(codes)


def _prices_of(statistics: CodeStatistics, steps: NDArray[np.float64]) -> FeaturePrices:
    worth = np.square(steps / steps.max())  # of a bit: a finer step means that errors count more
    lengths = [own * lengths_of(counts) for own, counts in zip(worth, statistics.counts, strict=True)]
    return FeaturePrices(np.concatenate(lengths), np.cumsum([0, *map(len, lengths)]), statistics.least)


@njit(cache=True, nogil=True)  # other materials' threads go on meanwhile
def _descend(row_starts, columns, values, diagonal, best, steps, bit_price, prices, price_starts, least, codes):
    count, components = codes.shape
    off = np.empty((count, components))
    for n in range(count):
        for k in range(components):
            off[n, k] = codes[n, k] * steps[k] - best[n, k]
    slopes = np.zeros((count, components))  # matrix @ off: half the error's gradient
    for n in range(count):
        slope = slopes[n]
        for at in range(row_starts[n], row_starts[n + 1]):
            value, other = values[at], off[columns[at]]
            for k in range(components):
                slope[k] += value * other[k]
    change = np.empty(components)
    for _ in range(SWEEPS):
        for n in range(count):
            moves = False
            for k in range(components):
                current = codes[n, k]
                optimum = current * steps[k] - slopes[n, k] / diagonal[n]
                below = np.int64(math.floor(optimum / steps[k]))
                chosen, lowest = current, np.inf
                for candidate in (below - 1, below, below + 1, below + 2, 0):
                    index = candidate - least[k]
                    if index < 0 or index >= price_starts[k + 1] - price_starts[k]:
                        continue
                    distance = candidate * steps[k] - optimum
                    cost = diagonal[n] * distance * distance + bit_price * prices[price_starts[k] + index]
                    if cost < lowest:
                        lowest, chosen = cost, candidate
                change[k] = (chosen - current) * steps[k]
                if chosen != current:
                    codes[n, k] = chosen
                    moves = True
            if moves:  # components know nothing of each other: all of a Gaussian's changes in one pass
                for at in range(row_starts[n], row_starts[n + 1]):
                    value, slope = values[at], slopes[columns[at]]
                    for k in range(components):
                        slope[k] += value * change[k]
