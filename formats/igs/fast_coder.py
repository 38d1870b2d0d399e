"""Codec 4, integer codes by one decision for most: docs/igs-format.md, "Fast coding", in code.

A value is a symbol of sixteen; larger ones are told apart by a second of eight, and by bits that cost one each. What is
expected of a value, the mean of like neighbours and the logarithm of how far it may be off, is worked out from what is
known, by trained factors, and nothing of it is learnt. Five contexts have adaptive distributions; their mean, by
weights that follow who foresaw best, is what a symbol is coded by. A context begins as the distribution of the
expectation is at that time, and that one as a logistic distribution.

Symbols instead of yes-or-no decisions, four a value, halve the time: docs/experiments/entropy-coding.md.
"""

from collections import namedtuple
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.formats.igs.binary_model import GROUPS, STRETCH_LIMIT, length_of, sign_of
from imagegs_tex.formats.igs.cell_density import log_densities, logarithm
from imagegs_tex.formats.igs.coded_frame import decode_frame, encode_frame
from imagegs_tex.formats.igs.fast_start import FACTORS, INPUTS, SECONDS
from imagegs_tex.formats.igs.prediction_coder import LOGISTIC
from imagegs_tex.jit import njit

NEIGHBOURS: Final = 8
REACH: Final = 2
MOST_PER_CELL: Final = 4
PLANES_COMPARED: Final = 3
CONTEXTS: Final = 5
SIZES: Final = 14
"""Steps of the expected miss, half an octave each."""
PLACES: Final = 25
"""Steps of the expected value, of either sign, half an octave each, and 0."""
HALF_PLACES: Final = PLACES // 2 + 1
CONTEXT_SIZES: Final = (SIZES * PLACES, GROUPS * HALF_PLACES, 975, 81 * SIZES // 2, 27 * SIZES)
"""Of sections shapes and features; those of section cells are smaller and lie in the same tables."""
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
_MOST_VALUE: Final = 32767
_MOST_MAGNITUDE: Final = (1 << 23) - 1
_MOST_WEIGHT: Final = 32767
_LEAST_WEIGHT: Final = 64
_MOST_SUM: Final = 65535

_Items = namedtuple("_Items", "neighbours bases groups extras")
_Tables = namedtuple("_Tables", "starts nearness shares prior seconds")
_Model = namedtuple("_Model", "sums seen stamps weights rows mixed")
_Stream = namedtuple("_Stream", "state coded steps")
_Known = namedtuple("_Known", "inputs unlike weights like trits sums offs")


def _prior() -> NDArray[np.int64]:
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


_TABLES: Final = _Tables(
    np.concatenate([[0], np.cumsum(CONTEXT_SIZES)]).astype(np.int64),
    np.array([min(65535, (1 << 22) // max(4, i) ** 3) for i in range(256)], np.int64),
    SHARES, _prior(), SECONDS,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class FastItems:
    """What is known of Gaussians before their planes are decoded."""

    neighbours: NDArray[np.int32]  # [N, 8] the nearest before each, nearest first; -1 where there are fewer
    bases: NDArray[np.int32]  # [N, 8] their weights by distance
    groups: NDArray[np.uint8]  # [N] 0..6
    extras: NDArray[np.int32]  # [N, 3] inputs
    first_sets: tuple[int, ...]  # the trained factors of each plane


def shape_items(cells: NDArray[np.int64], across: int, down: int) -> FastItems:
    """Return the items of section shapes, Gaussians of which nothing but their cells [N] is known."""
    counts = np.bincount(cells, minlength=across * down).astype(np.int64)
    firsts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    held = np.minimum(counts[cells] - 1, 2)
    later = np.arange(len(cells)) > firsts[cells]
    density = np.minimum(log_densities(counts, across, down, cells) - 1500, STRETCH_LIMIT)
    extras = np.stack([density, 100 * held, 256 * later], axis=1)
    nothing = np.zeros((0, 2), np.int64)
    neighbours, bases = _nearest(cells, firsts, across, nothing, nothing)
    return FastItems(neighbours, bases, (2 * held + later).astype(np.uint8), extras.astype(np.int32), (1, 2, 3))


def feature_items(
    cells: NDArray[np.int64],
    grid: tuple[int, int],
    shape_codes: NDArray[np.integer],
    position_codes: NDArray[np.integer],
    exponents: NDArray[np.integer],
    plane_count: int,
) -> FastItems:  # fmt: skip
    """Return the items of section features, Gaussians of which everything else is known.

    Args:
        cells: [N] ascending
        grid: cells across and down
        shape_codes: [N, 3] m, h, b
        position_codes: [N, 2]
        exponents: [N, 2] of the position steps
        plane_count: K
    """
    shapes, raised = shape_codes.astype(np.int64), np.ascontiguousarray(exponents, np.int64)
    sizes = shapes[:, 0] - int(shapes[:, 0].sum()) // len(shapes)
    forms = np.abs(shapes[:, 1:])
    size = np.clip(sizes, -60, 60)
    form = 16 * forms.max(axis=1) + 6 * forms.min(axis=1) - 300
    extras = np.clip(np.stack([24 * size, size * size >> 1, form], axis=1), -STRETCH_LIMIT, STRETCH_LIMIT)
    firsts = np.searchsorted(cells, np.arange(grid[0] * grid[1] + 1)).astype(np.int64)
    means = np.ascontiguousarray((2 * position_codes.astype(np.int64) + 1) << (raised + 4))
    neighbours, bases = _nearest(cells, firsts, grid[0], means, raised)
    groups = np.clip(sizes // 3 + 3, 0, GROUPS - 1).astype(np.uint8)
    sets = tuple(4 + min(k, 3) for k in range(plane_count))
    return FastItems(neighbours, bases, groups, extras.astype(np.int32), sets)


def encode_planes(codes: NDArray[np.integer], items: FastItems) -> bytes:
    """Code planes one after another; codes [N, M] in -2^22..2^22."""
    return encode_frame(codes, lambda values, coded: run_planes(values, items, coded, decoding=False))


def decode_planes(data: bytes, plane_count: int, items: FastItems) -> NDArray[np.int32]:
    """Invert :func:`encode_planes`; return codes [N, M].

    Raises:
        ValueError: the data are not exactly what these planes take
    """

    def decode(values: NDArray[np.int32], coded: NDArray[np.uint8]) -> int:
        return run_planes(values, items, coded, decoding=True)

    return decode_frame(data, len(items.groups), plane_count, decode)


def encode_counts(counts: NDArray[np.integer], across: int) -> bytes:
    """Code the counts [cells] of section cells, row by row."""
    total = int(counts.sum())
    return encode_frame(
        counts[:, None], lambda values, coded: run_counts(values, (across, total), coded, decoding=False)
    )


def decode_counts(data: bytes, grid: tuple[int, int], gaussian_count: int) -> NDArray[np.int32]:
    """Invert :func:`encode_counts`; return counts [cells].

    Raises:
        ValueError: the data are not exactly what these counts take
    """

    def decode(values: NDArray[np.int32], coded: NDArray[np.uint8]) -> int:
        return run_counts(values, (grid[0], gaussian_count), coded, decoding=True)

    return decode_frame(data, grid[0] * grid[1], 1, decode)[:, 0]


def run_planes(values: NDArray[np.int32], items: FastItems, coded: NDArray[np.uint8], *, decoding: bool) -> int:
    """Code values [N, M] or decode them; return the bytes, or -1 where there is no room for them."""
    known = _Items(items.neighbours, items.bases, items.groups, items.extras)
    sets = np.array(items.first_sets, np.int64)
    return int(_code_planes(values, known, FACTORS, sets, coded, decoding, _TABLES))


def run_counts(
    values: NDArray[np.int32], known: tuple[int, int], coded: NDArray[np.uint8], *, decoding: bool
) -> int:  # fmt: skip
    """Likewise for counts [cells, 1]; known are the cells per row and the number of Gaussians."""
    return int(_code_counts(values[:, 0], *known, FACTORS[0], coded, decoding, _TABLES))


@njit(cache=True)
def _clamp(value, limit):
    return min(max(value, -limit), limit)


@njit(cache=True, nogil=True)
def _nearest(cells, firsts, across, means, exponents):
    """Return the nearest items before each, nearest first, and their weights by distance, both [N, 8]."""
    count = cells.shape[0]
    neighbours = np.full((count, NEIGHBOURS), -1, np.int32)
    bases = np.zeros((count, NEIGHBOURS), np.int32)
    distances = np.empty(NEIGHBOURS, np.int64)
    for n in range(count):
        row, column = cells[n] // across, cells[n] % across
        found = 0
        for y in range(row, max(0, row - REACH) - 1, -1):
            last = column if y == row else min(across - 1, column + REACH)
            for cell in range(y * across + last, y * across + max(0, column - REACH) - 1, -1):
                end = min(n, firsts[cell + 1])
                for j in range(end - 1, max(firsts[cell], end - MOST_PER_CELL) - 1, -1):
                    if means.shape[0] > 0:
                        far = 0
                        for axis in range(2):
                            distance = abs(means[n, axis] - means[j, axis])
                            own = distance >> (exponents[n, axis] + 4)
                            theirs = distance >> (exponents[j, axis] + 4)
                            far += own * own + theirs * theirs
                        far = 480 + min(far, 1 << 17)
                    else:
                        far = 512 + 1024 * ((row - y) ** 2 + (column - cell + y * across) ** 2)
                    place = found
                    while place > 0 and far < distances[place - 1]:
                        place -= 1
                    if place == NEIGHBOURS:
                        continue
                    found = min(NEIGHBOURS, found + 1)
                    for i in range(found - 1, place, -1):
                        distances[i], neighbours[n, i] = distances[i - 1], neighbours[n, i - 1]
                    distances[place], neighbours[n, place] = far, j
        for i in range(found):
            bases[n, i] = max(1, (1 << 20) // distances[i])
    return neighbours, bases


@njit(cache=True, nogil=True)
def _begin(stream, decoding):
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
def _finish(stream, decoding):
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
def _code_value(value, model, stream, decoding, shares):
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
def _new_model(tables):
    rows = tables.starts[CONTEXTS]
    weights = np.full((1 + 2 * SPANS, CONTEXTS), _MOST_WEIGHT // CONTEXTS, np.int64)
    return _Model(
        np.zeros((rows, FIRST_SYMBOLS + 2 * SPANS * SECOND_SYMBOLS), np.int64),
        np.zeros((rows, 1 + 2 * SPANS), np.int64), np.zeros(rows, np.int64), weights,
        np.zeros(CONTEXTS, np.int64), np.zeros(FIRST_SYMBOLS, np.int64),
    )  # fmt: skip


@njit(cache=True, nogil=True)
def _find_rows(steps, others, stamp, model, tables):
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


@njit(cache=True)
def _steps_of(near_value, near_size, off, factor):
    """Return the steps of the expected miss and of the expected value."""
    miss = (off + factor * _clamp(logarithm(near_size + 20) - 1100, STRETCH_LIMIT)) >> 12
    size = min(max((miss - 1024) >> 7, 0), SIZES - 1)
    place = 0
    if near_value != 0:
        place = min(max((logarithm(abs(near_value) + 1) - miss + 640) >> 7, 0), PLACES // 2)
    return size, PLACES // 2 + (-place if near_value < 0 else place)


@njit(cache=True, nogil=True)
def _look_at_cells(n, values, across):
    """Return the mean and the mean magnitude of the counts around a cell, in 1/64, and the counts.

    To the left, two to the left, above, two above, above to the left and to the right.
    """
    row, column = n // across, n % across
    left = np.int64(values[n - 1]) if column > 0 else np.int64(0)
    further = np.int64(values[n - 2]) if column > 1 else np.int64(0)
    up = np.int64(values[n - across]) if row > 0 else np.int64(0)
    higher = np.int64(values[n - 2 * across]) if row > 1 else np.int64(0)
    before = np.int64(values[n - across - 1]) if row > 0 and column > 0 else np.int64(0)
    after = np.int64(values[n - across + 1]) if row > 0 and column + 1 < across else np.int64(0)
    value = 4 * (left + up) + 2 * (before + after + further + higher)
    size = 4 * (abs(left) + abs(up)) + 2 * (abs(before) + abs(after) + abs(further) + abs(higher))
    return 4 * value, 4 * size, left, further, up, higher, before, after


@njit(cache=True, nogil=True)
def _code_counts(values, across, gaussian_count, factors, coded, decoding, tables):
    """Encode values [cells] into coded, or decode them from it; return the bytes used, -1 if there were too few."""
    stream = _Stream(np.zeros(3, np.int64), coded, np.zeros(0 if decoding else MOST_STEPS * len(values), np.int64))
    model, others = _new_model(tables), np.zeros(CONTEXTS - 1, np.int64)
    _begin(stream, decoding)
    density = _clamp(logarithm(64 * gaussian_count // values.shape[0] + 8) - 600, STRETCH_LIMIT)
    off = factors[1] * density + factors[7] * 256
    for n in range(values.shape[0]):
        near_value, near_size, left, further, up, higher, before, after = _look_at_cells(n, values, across)
        others[0] = min(max(left + 3, 0), 7) * 8 + min(max(up + 3, 0), 7)
        others[1] = min(max(before + after + 4, 0), 12) * 13 + min(max(left + up + 4, 0), 12)
        others[2] = min(max(left + further + 4, 0), 8) * 9 + min(max(up + higher + 4, 0), 8)
        others[3] = min(max((near_value >> 5) + 20, 0), 60)
        steps = _steps_of(near_value, near_size, off, factors[0])
        _find_rows(steps, others, 1, model, tables)
        values[n] = _code_value(np.int64(values[n]), model, stream, decoding, tables.shares)
    return _finish(stream, decoding)


@njit(cache=True, nogil=True)
def _begin_known(items, count):
    inputs = np.zeros((count, INPUTS), np.int64)
    inputs[:, 4:7], inputs[:, 7] = items.extras, 256
    return _Known(
        inputs, np.full((count, NEIGHBOURS), 64, np.int64), np.zeros((count, NEIGHBOURS), np.int64),
        np.zeros(count, np.int64), np.zeros(count, np.int64), np.zeros(count, np.int64), np.zeros(count, np.int64),
    )  # fmt: skip


@njit(cache=True, nogil=True)
def _prepare_plane(values, k, items, known, factors, tables):
    """Take in the values of the planes before plane k: how alike neighbours are, and what they say of the items."""
    count = values.shape[0]
    inputs, _, _, _, trits, sums, offs = known
    scale = np.int64(0)
    if k > 0:
        total = np.int64(0)
        for n in range(count):
            total += abs(np.int64(values[n, k - 1]))
        scale = np.int64((1 << 20) // (64 * total // count + 6))
    rest = 65536 // (k - 2) if k > 2 else 0
    for n in range(count):
        if k > 0:
            last = np.int64(values[n, k - 1])
            if k > 2:
                sums[n] += inputs[n, 2] + 1300
                inputs[n, 3] = ((sums[n] * rest) >> 16) - 1300
            inputs[n, 2] = inputs[n, 1] if k > 1 else 0
            inputs[n, 1] = logarithm(64 * _clamp(abs(last), _MOST_VALUE) + 20) - 1300
            trits[n] = sign_of(last) * 9 + trits[n] // 3
        offs[n] = 0
        for i in range(1, INPUTS):
            offs[n] += factors[i] * _clamp(inputs[n, i], STRETCH_LIMIT)
        if k <= PLANES_COMPARED:
            _weigh_neighbours(n, k, scale, values, items, known, tables.nearness)


@njit(cache=True, nogil=True)
def _weigh_neighbours(n, k, scale, values, items, known, nearness):
    """Find what an item's neighbours weigh of 16384, and which of them weighs most."""
    unlike, weights, like = known.unlike, known.weights, known.like
    total = np.int64(0)
    for i in range(NEIGHBOURS):
        j = items.neighbours[n, i]
        if j < 0:
            break
        if k > 0:
            unlike[n, i] += min(512, (abs(np.int64(values[n, k - 1]) - values[j, k - 1]) * scale) >> 7)
        weights[n, i] = items.bases[n, i] * nearness[min(255, unlike[n, i] >> 4)]
        total += weights[n, i]
    like[n] = -1
    if total == 0:
        return
    shift, most = length_of(total) - 16, np.int64(-1)
    part = (1 << 30) // (total >> shift if shift >= 0 else total << -shift)
    for i in range(NEIGHBOURS):
        j = items.neighbours[n, i]
        if j < 0:
            break
        raised = weights[n, i] >> shift if shift >= 0 else weights[n, i] << -shift
        weights[n, i] = raised * part >> 16
        if weights[n, i] >> 3 > most:
            most, like[n] = weights[n, i] >> 3, j


@njit(cache=True, nogil=True)
def _look_around(n, k, values, items, weights):
    """Return the mean value and the mean magnitude of an item's neighbours, in 1/64."""
    value_sum, size_sum = np.int64(0), np.int64(0)
    for i in range(NEIGHBOURS):
        j = items.neighbours[n, i]
        if j < 0:
            break
        value = _clamp(np.int64(values[j, k]), _MOST_VALUE)
        value_sum += weights[n, i] * value
        size_sum += weights[n, i] * abs(value)
    return value_sum >> 8, size_sum >> 8


@njit(cache=True, nogil=True)
def _find_others(n, k, steps, values, items, known, others):
    """Set the contexts of a value but for the first one."""
    size, place = steps
    first = np.int64(values[n, k - 1]) if k > 0 else np.int64(0)
    second = np.int64(values[n, k - 2]) if k > 1 else np.int64(0)
    like = np.int64(values[known.like[n], k]) if known.like[n] >= 0 else np.int64(0)
    others[0] = np.int64(items.groups[n]) * HALF_PLACES + (place >> 1)
    others[1] = (_clamp(first, 32) + 32) * 15 + _clamp(second, 7) + 7
    others[2] = (_clamp(like, 40) + 40) * (SIZES // 2) + (size >> 1)
    others[3] = 0
    if k > 0:
        sizes = known.inputs[n, 3] if k > 2 else known.inputs[n, 1]
        others[3] = known.trits[n] * SIZES + min(max((sizes + 200) >> 6, 0), SIZES - 1)


@njit(cache=True, nogil=True)
def _code_planes(values, items, factors, sets, coded, decoding, tables):
    """Encode values [N, M] into coded, or decode them from it; return the bytes used, -1 if there were too few."""
    count, plane_count = values.shape
    stream = _Stream(np.zeros(3, np.int64), coded, np.zeros(0 if decoding else MOST_STEPS * values.size, np.int64))
    model, others = _new_model(tables), np.zeros(CONTEXTS - 1, np.int64)
    known = _begin_known(items, count)
    _begin(stream, decoding)
    for k in range(plane_count):
        own = factors[sets[k]]
        _prepare_plane(values, k, items, known, own, tables)
        for n in range(count):
            near_value, near_size = _look_around(n, k, values, items, known.weights)
            steps = _steps_of(near_value, near_size, known.offs[n], own[0])
            _find_others(n, k, steps, values, items, known, others)
            _find_rows(steps, others, k + 1, model, tables)
            values[n, k] = _code_value(np.int64(values[n, k]), model, stream, decoding, tables.shares)
    return _finish(stream, decoding)
