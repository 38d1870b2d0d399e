"""The model of the coders of integer planes: statistics of yes-or-no decisions, and one probability made of them.

Each code is taken apart into decisions (is it zero, is it negative, has it more than one bit, ...), each with a node.
For each node several small statistics, every one of another context, say how likely a yes is; a mixer that learns on
the way weighs them. That is logistic mixing (M. Mahoney, "Adaptive Weighing of Context Models for Lossless Data
Compression", 2005: PAQ), and a statistic that moves less the more it has seen is PAQ's adaptive probability map.
Everything is integer arithmetic, so that every machine decodes the same.

The functions of one decision are compiled into their callers: called, and with loops that are not unrolled, coding by
context took 1.4 times as long.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.jit import njit

GROUPS: Final = 7
MAX_LENGTH: Final = 23
"""Bits of the greatest magnitude."""
STATISTIC_BITS: Final = 16
FIRST_STATISTIC: Final = 1 << (STATISTIC_BITS - 1)
COUNT_LIMIT: Final = 120
SHARES: Final = np.array([655360 // (10 * n + 16) for n in range(COUNT_LIMIT + 1)], np.int64)
"""How far a statistic moves towards an outcome, in 1/65536, after n outcomes."""
STRETCH_LIMIT: Final = 2047
"""Stretched probabilities are 256 times the natural logarithm of the odds, within this limit."""
_STRETCHED_STEPS: Final = 1 << 12


def squash_table(knots: tuple[int, ...], least: int) -> NDArray[np.int64]:
    """Return the probabilities of stretched ones from -STRETCH_LIMIT to STRETCH_LIMIT.

    Args:
        knots: the logistic function at -2048, -1920, ... 2048; between these it is interpolated
        least: probability
    """
    stretched = np.arange(-STRETCH_LIMIT, STRETCH_LIMIT + 1)
    place, rest = (stretched >> 7) + 16, stretched & 127
    at = np.array(knots, np.int64)
    return np.asarray(np.maximum(least, (at[place] * (128 - rest) + at[place + 1] * rest + 64) >> 7))


def stretch_table(squashed: NDArray[np.int64], probability_bits: int) -> NDArray[np.int64]:
    """Return, for probabilities in 1/4096, the least stretched value whose squash is at least that."""
    probabilities = np.arange(_STRETCHED_STEPS) << probability_bits >> 12
    return np.minimum(np.searchsorted(squashed, probabilities) - STRETCH_LIMIT, STRETCH_LIMIT)


def context_starts(sizes: tuple[int, ...]) -> NDArray[np.int64]:
    """Return the row at which each statistic's contexts begin, all in one table."""
    return np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int64)


@njit(cache=True)
def length_of(value):
    """Return the bits of a magnitude; 0 for 0."""
    magnitude, length = abs(value), 0
    while magnitude > 0:
        magnitude >>= 1
        length += 1
    return length


@njit(cache=True)
def sign_of(value):
    """Return 0 for zero, 1 above, 2 below."""
    return 0 if value == 0 else (1 if value > 0 else 2)


@njit(cache=True, inline="always")
def stretch_statistics(node, inputs, contexts, statistics, stretches, stretched):
    """Fill in what each statistic says of a node, stretched."""
    for i in range(inputs):
        stretched[i] = stretches[statistics[contexts[i], node] >> (STATISTIC_BITS - 12)]


@njit(cache=True, inline="always")
def mixed_probability(total, squashed):
    """Return the probability that a sum of weights (1.0 is 65536) times stretched probabilities means."""
    mixed = min(max(total >> 16, -STRETCH_LIMIT), STRETCH_LIMIT)
    return squashed[mixed + STRETCH_LIMIT]


@njit(cache=True, inline="always")
def adapt(bit, node, inputs, contexts, statistics, counts, shares):
    """Move each statistic towards an outcome, the less the more outcomes it has seen."""
    for i in range(inputs):
        at = contexts[i]
        share = shares[counts[at, node]]
        if bit:
            statistics[at, node] += ((65535 - statistics[at, node]) * share) >> 16
        else:
            statistics[at, node] -= (statistics[at, node] * share) >> 16
        if counts[at, node] < COUNT_LIMIT:
            counts[at, node] += 1


@njit(cache=True, nogil=True)
def last_above(cell_numbers, across):
    """Return the last item [N] of the nearest cell above, in the same column, that holds any; -1 without one."""
    count = len(cell_numbers)
    above = np.full(count, -1, np.int32)
    last = np.full(across, -1, np.int32)
    row_start = 0
    for n in range(count + 1):
        if n < count and cell_numbers[n] // across == cell_numbers[row_start] // across:
            continue
        for m in range(row_start, n):
            above[m] = last[cell_numbers[m] % across]
        for m in range(row_start, n):
            last[cell_numbers[m] % across] = m
        row_start = n
    return above
