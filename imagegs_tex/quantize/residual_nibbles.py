"""Codes of a residual chosen by error and by what they take on the GPU, where each list is read as it is.

There most coefficients take one nibble however rare they are, and zeros between them nothing up to five in a row
(:mod:`imagegs_tex.shaders.residual_words`): other codes pay than in a file.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.jit import njit
from imagegs_tex.shaders.residual_words import RUNS

_NIBBLE: Final = 4
"""Bits of one."""


def choose_by_nibbles(scaled: NDArray[np.float32], rate_weight: float) -> tuple[NDArray[np.int16], float]:
    """Return codes [blocks, K', places] of coefficients over the step, and the bits of their lists.

    They are the best of all lists whose values are the nearest or the one below: whatever follows a value costs the
    same but for the zeros in between, so the best list up to each value is made of that up to one before.

    Args:
        scaled: [blocks, K', places], places in the order of zigzag()
        rate_weight: squared steps that a bit weighs
    """
    codes = np.zeros(scaled.shape, np.int16)
    return codes, float(_choose(scaled, rate_weight * _NIBBLE, codes)) * _NIBBLE


@njit(cache=True, nogil=True)
def _nibbles(value: int, zeros: int) -> int:
    """Return how many nibbles a magnitude takes behind so many zeros, without those for whole runs of them."""
    if zeros == 0 and 2 <= value <= 3:
        return value - 1
    if value <= 2:
        return value
    digits, left = 1, (value - 2) >> 4
    while left > 0:
        digits, left = digits + 1, (left - 1) >> 4
    return 1 + 2 * digits


@njit(cache=True, nogil=True)
def _value(size: float, zeros: int, weight: float) -> tuple[int, float]:
    """Return the cheaper of the nearest value and the one below, and what it costs less than 0."""
    nearest = int(size + 0.5)
    best, chosen = np.inf, nearest
    for value in range(max(1, nearest - 1), nearest + 1):
        cost = (size - value) ** 2 - size * size + weight * _nibbles(value, zeros)
        if cost < best:
            best, chosen = cost, value
    return chosen, best


@njit(cache=True, nogil=True)
def _choose(scaled: NDArray[np.float32], weight: float, codes: NDArray[np.int16]) -> int:
    """Fill in codes and return their nibbles; weight: squared steps that a nibble weighs."""
    block_count, components, places = scaled.shape
    at = np.empty(components * places, np.int64)  # places of all components that may have a value
    costs = np.empty(components * places)  # of the best list that ends there, less those of nothing
    values = np.empty(components * places, np.int64)
    before = np.empty(components * places, np.int64)
    total = 0
    for block in range(block_count):
        count, reached, reached_by = 0, 0.0, -1  # the best list of the components before, with the way to this one
        ending, ended_by = 0.0, -1  # the best list of all
        for k in range(components):
            first = count
            for p in range(places):
                size = float(abs(scaled[block, k, p]))
                if size < 0.5:
                    continue
                value, cost = _value(size, p % RUNS, weight)
                best, chosen, by = reached + weight * (p // RUNS) + cost, value, reached_by
                for j in range(first, count):
                    zeros = p - at[j] % places - 1
                    value, cost = _value(size, zeros % RUNS, weight)
                    cost += costs[j] + weight * (zeros // RUNS)
                    if cost < best:
                        best, chosen, by = cost, value, j
                at[count], costs[count], values[count], before[count] = k * places + p, best, chosen, by
                count += 1
                if best < ending:
                    ending, ended_by = best, count - 1
            for j in range(first, count):
                if costs[j] < reached:
                    reached, reached_by = costs[j], j
            reached += weight
        last = ended_by
        while last >= 0:
            k, p = at[last] // places, at[last] % places
            codes[block, k, p] = values[last] if scaled[block, k, p] > 0 else -values[last]
            previous = before[last]
            own = previous >= 0 and at[previous] // places == k
            zeros = p - (at[previous] % places if own else -1) - 1
            nexts = k - (at[previous] // places if previous >= 0 else 0)
            total += nexts + zeros // RUNS + _nibbles(values[last], zeros % RUNS)
            last = previous
    return total
