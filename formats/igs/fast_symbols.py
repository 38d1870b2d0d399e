"""Symbols of codec 4: docs/igs-format.md, "Fast coding", its coder, symbols of a value and distributions.

A value is a symbol of sixteen; larger ones are told apart by a second of eight, and by bits that cost one each. Symbols
are taken out of a range asymmetric numeral system (J. Duda, "Asymmetric numeral systems", 2013), by the mean of what
five contexts' adaptive distributions say, with weights that follow who foresaw best.
"""

from collections import namedtuple
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.formats.igs.binary_model import length_of
from imagegs_tex.formats.igs.prediction_coder import LOGISTIC
from imagegs_tex.jit import njit

CONTEXTS: Final = 5
SIZES: Final = 14
"""Steps of the expected miss, half an octave each."""
PLACES: Final = 25
"""Steps of the expected value, of either sign, half an octave each, and 0."""
FIRST_SYMBOLS: Final = 16
SECOND_SYMBOLS: Final = 8
SINGLES: Final = 4
"""Magnitudes that are a symbol of their own, beside 0."""
SPANS: Final = 3
"""Of eight magnitudes or as many pairs or fours, whose second symbol says which."""
LARGE: Final = SINGLES + 8 + 16 + 32 + 1
"""What is beyond all of them is told by bits."""
WHOLE: Final = 1 << 15
"""Of probabilities."""
LEAST: Final = 4
"""Probability of any symbol."""
CEDED_BITS: Final = 9
"""The share, as a power of two, of what all symbols get alike."""
SEEN_LIMIT: Final = 120
SEEN_FIRST: Final = 13
"""What the distributions of the first context count as, that are not begun as another."""
SHARES: Final = np.array([655360 // (7 * n + 30) for n in range(SEEN_LIMIT + 1)], np.int64)
"""How far a distribution moves towards a symbol, in 1/65536, after n symbols."""
STATE: Final = 1 << 24
"""The coder's least state, and its first and last one."""
MOST_STEPS: Final = 5
_MOST_MAGNITUDE: Final = (1 << 23) - 1
_MOST_WEIGHT: Final = 32767
_LEAST_WEIGHT: Final = 64
_MOST_SUM: Final = 65535

_Model = namedtuple("_Model", "sums seen stamps weights rows mixed")
Stream = namedtuple("Stream", "state coded steps")


def first_distributions() -> NDArray[np.int64]:
    """Return the distributions that the first context begins with [SIZES * PLACES, FIRST_SYMBOLS], cumulative."""

    def power(logarithm: int) -> int:
        return ((256 + (logarithm & 255)) << (logarithm >> 8)) >> 8

    def logistic(x: int) -> int:
        x = min(max(x, -2048), 2047)
        at, rest = (x >> 7) + 16, x & 127
        return (LOGISTIC[at] * (128 - rest) + LOGISTIC[at + 1] * rest) >> 7

    bounds = [32, 96, 160, 224, 288, 800, 1824, 3872]
    rows = np.zeros((SIZES * PLACES, FIRST_SYMBOLS), np.int64)
    for size in range(SIZES):
        scale = power(1024 + 128 * size - 68)
        for place in range(PLACES):
            far = abs(place - 12)
            mean = power(1088 + 128 * size + 128 * far - 576) * (1 if place > 12 else -1) if far else 0

            def below(bound: int, mean: int = mean, scale: int = scale) -> int:
                off = 256 * (bound - mean)
                return (7 * logistic(off // scale) + logistic(off // (3 * scale))) >> 3

            parts = [below(bounds[0]) - below(-bounds[0])]
            parts += [below(b) - below(a) for a, b in pairwise(bounds)]
            parts += [below(-a) - below(-b) for a, b in pairwise(bounds)]
            rows[size * PLACES + place, :-1] = np.cumsum(parts)
    rows[:, -1] = _MOST_SUM
    return rows


@njit(cache=True, nogil=True)
def begin_stream(stream, decoding):
    """Read the first state, or set the encoder's."""
    state, coded, _ = stream
    state[0], state[1], state[2] = STATE, 5, 0
    if decoding:
        state[0] = 0
        for i in range(5):
            state[0] |= (np.int64(coded[i]) if i < coded.shape[0] else 0) << (8 * i)


@njit(cache=True, nogil=True)
def _take(start, width, stream):
    """Take a symbol of so wide an interval out of the state."""
    state, coded, _ = stream
    state[0] = width * (state[0] >> 15) + (state[0] & (WHOLE - 1)) - start
    if state[0] < STATE:
        at = state[1]
        low = np.int64(coded[at]) if at < coded.shape[0] else 0
        high = np.int64(coded[at + 1]) if at + 1 < coded.shape[0] else 0
        state[0] = state[0] << 16 | high << 8 | low
        state[1] += 2


@njit(cache=True, nogil=True)
def _code_raw(bits, count, stream, decoding):
    """Code count bits, at most 15, each of which costs one."""
    width = WHOLE >> count
    if decoding:
        bits = (stream.state[0] & (WHOLE - 1)) // width
        _take(bits * width, width, stream)
    else:
        stream.steps[stream.state[2]] = (bits * width) << 16 | width
        stream.state[2] += 1
    return bits


@njit(cache=True, nogil=True)
def finish_stream(stream, decoding):
    """Write the steps, the last one first; return the bytes, -1 where there is no room, 0 if they are not all."""
    state, coded, steps = stream
    if decoding:
        return state[1] if state[0] == STATE else 0
    x, count = np.int64(STATE), state[2]
    to = count  # words take the places of the steps that they come from, or later ones
    for i in range(count - 1, -1, -1):
        start, width = steps[i] >> 16, steps[i] & 0xFFFF
        if x >= width << 25:
            to -= 1
            steps[to] = x & 0xFFFF
            x >>= 16
        x = x // width << 15 | (x % width + start)
    used = 5 + 2 * (count - to)
    if used > coded.shape[0]:
        return -1
    for i in range(5):
        coded[i] = x >> (8 * i) & 255
    for i in range(count - to):
        coded[5 + 2 * i], coded[6 + 2 * i] = steps[to + i] & 255, steps[to + i] >> 8
    return used


@njit(cache=True, nogil=True)
def _weigh_contexts(symbol, part, width, model):
    """Let weights follow which context gave a symbol more than it got."""
    sums, _, _, weights, rows, _ = model
    at = 8 + SECOND_SYMBOLS * part if part > 0 else 0
    shift, others = 15 - length_of(width), 0
    for c in range(1, CONTEXTS):
        row = rows[c]
        before = sums[row, at + symbol - 1] if symbol > 0 else 0
        better = ((sums[row, at + symbol] - before) >> 1) - width
        if shift < 2:
            better >>= 2 - shift
        else:
            better = min(better, (4 * _MOST_WEIGHT) >> shift) << (shift - 2)
        weight = weights[part, c] + (((weights[part, c] * better >> 16) + 1) >> 1)
        weights[part, c] = min(max(weight, _LEAST_WEIGHT), _MOST_WEIGHT)
        others += weights[part, c]
    while others > _MOST_WEIGHT - _LEAST_WEIGHT:
        others = 0
        for c in range(1, CONTEXTS):
            weights[part, c] -= weights[part, c] >> 4
            others += weights[part, c]
    weights[part, 0] = _MOST_WEIGHT - others


@njit(cache=True, nogil=True)
def _decide(symbol, part, model, stream, decoding, shares):
    """Code a symbol by what the five contexts say, and learn from it; part 0 is the first one of a value."""
    sums, seen, _, weights, rows, mixed = model
    at, count = (8 + SECOND_SYMBOLS * part, SECOND_SYMBOLS) if part > 0 else (0, FIRST_SYMBOLS)
    for i in range(count - 1):
        total = 0
        for c in range(CONTEXTS):
            total += (2 * weights[part, c] * sums[rows[c], at + i]) >> 16
        total >>= 1
        mixed[i] = total - (total >> CEDED_BITS) + LEAST * (i + 1)
    mixed[count - 1] = WHOLE
    if decoding:
        slot = stream.state[0] & (WHOLE - 1)
        symbol = 0
        while mixed[symbol] <= slot:
            symbol += 1
    start = mixed[symbol - 1] if symbol > 0 else 0
    width = mixed[symbol] - start
    if decoding:
        _take(start, width, stream)
    else:
        stream.steps[stream.state[2]] = start << 16 | width
        stream.state[2] += 1
    _weigh_contexts(symbol, part, width, model)
    for c in range(CONTEXTS):
        row = rows[c]
        share = shares[seen[row, part]]
        seen[row, part] = min(seen[row, part] + 1, SEEN_LIMIT)
        for i in range(count):
            if i >= symbol:
                sums[row, at + i] += ((_MOST_SUM - sums[row, at + i]) * share) >> 16
            else:
                sums[row, at + i] -= (sums[row, at + i] * share) >> 16
    return symbol


@njit(cache=True, nogil=True)
def code_value(value, model, stream, decoding, shares):
    """Code a value by the rows that were set; return it."""
    magnitude = abs(value)
    span, symbol = 0, 0
    if not decoding:
        if magnitude >= LARGE:
            symbol = FIRST_SYMBOLS - 1
        else:
            symbol = magnitude
            if magnitude > SINGLES:
                span = 1 if magnitude < 13 else (2 if magnitude < 29 else 3)
                symbol = SINGLES + span
            if value < 0:
                symbol += SINGLES + SPANS
    symbol = _decide(symbol, 0, model, stream, decoding, shares)
    if symbol == FIRST_SYMBOLS - 1:
        return _code_large(value, stream, decoding)
    negative = symbol > SINGLES + SPANS
    found = symbol - SINGLES - SPANS if negative else symbol
    span = found - SINGLES
    if span > 0:
        least = SINGLES + 1 + (8 << (span - 1)) - 8
        off = magnitude - least
        part = span + SPANS if negative else span
        second = _decide(off >> (span - 1), part, model, stream, decoding, shares)
        low = 0
        if span > 1:
            low = _code_raw(off & ((1 << (span - 1)) - 1), span - 1, stream, decoding)
        found = least + (second << (span - 1)) + low
    return -found if negative else found


@njit(cache=True, nogil=True)
def _code_large(value, stream, decoding):
    """Code a value of at least LARGE, or at most -LARGE: its sign and length, then its bits."""
    rest = abs(value) - LARGE
    length = length_of(rest) if not decoding else 0
    head = _code_raw((8 if value < 0 else 0) + min(length, 7), 4, stream, decoding)
    bits = (head & 7) - 1
    if bits == 6:
        bits = min(6 + _code_raw(length - 7, 5, stream, decoding), 22)
    found = rest
    if decoding:
        found = 1 if bits >= 0 else 0
    if bits > 15:
        high = _code_raw((rest >> 15) & ((1 << (bits - 15)) - 1), bits - 15, stream, decoding)
        if decoding:
            found = found << (bits - 15) | high
    if bits > 0:
        count = min(bits, 15)
        low = _code_raw(rest & ((1 << count) - 1), count, stream, decoding)
        if decoding:
            found = found << count | low
    found = min(found + LARGE, _MOST_MAGNITUDE)
    return -found if head & 8 else found


@njit(cache=True, nogil=True)
def new_model(tables):
    """Return distributions that nothing has begun, and equal weights."""
    rows = tables.starts[CONTEXTS]
    weights = np.full((1 + 2 * SPANS, CONTEXTS), _MOST_WEIGHT // CONTEXTS, np.int64)
    return _Model(
        np.zeros((rows, FIRST_SYMBOLS + 2 * SPANS * SECOND_SYMBOLS), np.int64),
        np.zeros((rows, 1 + 2 * SPANS), np.int64), np.zeros(rows, np.int64), weights,
        np.zeros(CONTEXTS, np.int64), np.zeros(FIRST_SYMBOLS, np.int64),
    )  # fmt: skip


@njit(cache=True, nogil=True)
def find_rows(steps, others, stamp, model, tables):
    """Set the rows of a value's contexts; others are those of all but the first one. New ones begin as the first."""
    rows, sums, seen, stamps = model.rows, model.sums, model.seen, model.stamps
    row = steps[0] * PLACES + steps[1]
    rows[0] = row
    if stamps[row] != stamp:
        stamps[row] = stamp
        seen[row, :] = SEEN_FIRST
        sums[row, :FIRST_SYMBOLS] = tables.prior[row]
        for part in range(2 * SPANS):
            at = FIRST_SYMBOLS + SECOND_SYMBOLS * part
            sums[row, at : at + SECOND_SYMBOLS] = tables.seconds[part % SPANS]
    for c in range(1, CONTEXTS):
        other = tables.starts[c] + others[c - 1]
        rows[c] = other
        if stamps[other] != stamp:
            stamps[other] = stamp
            seen[other, :] = 0
            sums[other, :] = sums[row, :]
