"""The binary arithmetic coder of codecs 2 and 3: docs/igs-format.md, "Arithmetic coder".

Range coding (G. N. N. Martin, "Range encoding", 1979) of one decision at a time and without carries: a byte is passed
on as soon as both ends of the interval agree in it, as in D. Subbotin's carryless coder and in PAQ.
"""

import numpy as np

from imagegs_tex.jit import njit


@njit(cache=True, nogil=True)
def first_interval(coded, decoding):
    """Return low, high, the decoder's number and the bytes passed so far, int64 [4], before the first decision."""
    interval = np.zeros(4, np.int64)
    interval[1] = 0xFFFFFFFF
    if decoding:
        for i in range(4):
            interval[2] = interval[2] << 8 | (coded[i] if i < coded.shape[0] else 0)
    return interval


@njit(cache=True, nogil=True)
def code_bit(bit, probability, probability_bits, interval, coded, decoding):
    """Code one decision whose probability of yes is in 2^-probability_bits; return the decision."""
    low, high = interval[0], interval[1]
    span = high - low
    rest = span & ((1 << probability_bits) - 1)
    middle = low + (span >> probability_bits) * probability + ((rest * probability) >> probability_bits)
    if decoding:
        bit = 1 if interval[2] <= middle else 0
    if bit:
        high = middle
    else:
        low = middle + 1
    while (low ^ high) >> 24 == 0:
        if decoding:
            at = interval[3] + 4
            interval[2] = (interval[2] << 8) & 0xFFFFFFFF | (coded[at] if at < coded.shape[0] else 0)
        elif interval[3] < coded.shape[0]:
            coded[interval[3]] = high >> 24
        interval[3] += 1
        low, high = (low << 8) & 0xFFFFFFFF, (high << 8) & 0xFFFFFFFF | 255
    interval[0], interval[1] = low, high
    return bit


@njit(cache=True, inline="always")
def is_full(interval, coded):
    """Whether the bytes left may be too few for another code and the end."""
    return interval[3] + 8 > coded.shape[0]


@njit(cache=True, inline="always")
def finish(interval, coded, decoding):
    """Write the last byte, unless decoding; return the bytes used."""
    if not decoding:
        coded[interval[3]] = interval[1] >> 24  # zeros that follow are implied
    return interval[3] + 1
