"""The coder of residual blocks: where each component's coefficients end, and each coefficient up to there.

Every decision mixes adaptive statistics of :mod:`.binary_model`, each of another context: the place, the neighbours in
the block, the same place in the blocks left and above, the components before it, how full the block is. Integers only,
so that every machine decodes the same.
"""

from collections import namedtuple
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.formats.igs.binary_model import (
    COUNT_LIMIT,
    FIRST_STATISTIC,
    SHARES,
    STATISTIC_BITS,
    STRETCH_LIMIT,
    context_starts,
    length_of,
    squash_table,
    stretch_table,
)
from imagegs_tex.formats.igs.prediction_coder import LOGISTIC
from imagegs_tex.formats.igs.range_coder import code_bit, finish, first_interval, is_full
from imagegs_tex.formats.igs.zigzag import zigzag
from imagegs_tex.jit import njit

PROBABILITY_BITS: Final = 16
INPUTS: Final = 7
"""Statistics of a coefficient's decision."""
END_INPUTS: Final = 4
"""Of a decision on where a component ends."""
VALUE_NODES: Final = 8
"""Is a coefficient 0, above 1, above 2, ...; what is above 7 more follows as an Elias gamma code."""
_END_LENGTHS: Final = 9
END_NODES: Final = _END_LENGTHS + 3 * _END_LENGTHS
LEVELS: Final = 9
"""Of a sum of magnitudes: 0 to 3, then classes."""
GROUPS: Final = 8
"""Of frequencies."""
FIRST_WEIGHT: Final = 19660
"""0.3; 1 is 65536."""
_NEIGHBOURS: Final = 7
_BEFORE: Final = 5
"""Of the neighbours, those that come before a place; the first two of them are next to it."""
_ADJACENT: Final = 2
_KNOWN: Final = 6
_HALF: Final = 1 << (PROBABILITY_BITS - 1)
LARGEST_VALUE: Final = 1 << 14

_SQUASH: Final = squash_table(LOGISTIC, least=1)
_MOST_LEVELLED: Final = 29
_LEVELS: Final = np.searchsorted([1, 2, 3, 4, 6, 9, 15, 29], np.arange(_MOST_LEVELLED + 1), side="right")
_MOST_HALVED: Final = 2 * _MOST_LEVELLED + 1
_MOST_THIRDS: Final = 3 * _MOST_LEVELLED + 2
_STRETCH: Final = stretch_table(_SQUASH, PROBABILITY_BITS)

_Tables = namedtuple("_Tables", "squash stretch shares starts end_starts groups seen_from levels halves thirds")
"""In few bytes each, that they stay in the processor's nearest cache.

levels, halves, thirds: the level of a sum, of half of it and of a third, in place of a division.
"""
_Surroundings = namedtuple("_Surroundings", "beside wider own crossing earlier nearby known")
"""Sums of magnitudes that a coefficient has around it; two rows of blocks in turn, then of one block.

beside [2, across + 2, K', places]: the same place in the blocks around; wider, the same: places next to it there.
own [K', places]: this block's; crossing, the same: places next to it. earlier [places]: of all components so far.
nearby [places]: next to it in this component. known [6, places]: what contexts take of all but nearby, which stays as
it is from a component's begin to its end.
"""
_Model = namedtuple("_Model", "statistics weights contexts stretched")
"""statistics [nodes, contexts]: a probability, times 256, and how many outcomes it has seen, in one word.

By nodes, as most decisions are of the first one, whose statistics then lie side by side: 21 KB, not 126 KB.
"""
_Stream = namedtuple("_Stream", "interval coded")
Blocks = tuple[NDArray[np.int32], NDArray[np.uint16], NDArray[np.int16]]
"""Counts [blocks], places [M] and values [M]."""


@cache
def coder_tables(side: int, component_count: int) -> _Tables:
    """Return what the coder looks up for blocks of a side and so many components."""
    order = zigzag(side)
    at = np.empty(side * side, np.int64)
    at[order] = np.arange(side * side)
    rows, columns = np.divmod(order, side)
    groups = np.minimum(GROUPS - 1, np.array([length_of((8 * int(n) // side) ** 2) for n in rows + columns], np.int64))
    steps = ((1, 0), (0, 1), (1, 1), (2, 0), (0, 2), (-1, 0), (0, -1))
    seen_from = np.full((side * side, _NEIGHBOURS), -1, np.int64)
    for i, (down, right) in enumerate(steps):
        row, column = rows + down, columns + right
        inside = (row >= 0) & (column >= 0) & (row < side) & (column < side)
        seen_from[inside, i] = at[row[inside] * side + column[inside]]
    sizes = (
        component_count * side * side, LEVELS * LEVELS * GROUPS, component_count * LEVELS * GROUPS, LEVELS**3,
        component_count * 16 * LEVELS, LEVELS * LEVELS * component_count, LEVELS * LEVELS * GROUPS,
    )  # fmt: skip
    ends = (component_count, 100 * component_count, 1000, 100)
    starts, end_starts = (context_starts((*counts, 0)).astype(np.uint32) for counts in (sizes, ends))
    levels, halves, thirds = (
        _LEVELS[np.arange(most + 1) // part].astype(np.uint8)
        for part, most in ((1, _MOST_LEVELLED), (2, _MOST_HALVED), (3, _MOST_THIRDS))
    )
    return _Tables(
        _SQUASH.astype(np.int32), _STRETCH.astype(np.int16), SHARES.astype(np.int32), starts, end_starts,
        groups.astype(np.uint32), seen_from, levels, halves, thirds,
    )  # fmt: skip


def encode_blocks(
    counts: NDArray[np.int32], places: NDArray[np.uint16], values: NDArray[np.int16], grid: tuple[int, int],
    side_log2: int, component_count: int,
) -> bytes:  # fmt: skip
    """Code blocks in rows.

    Args:
        counts: [blocks], coefficients of each
        places: [M], component * side^2 + place in the order of :func:`zigzag`; ascending in a block
        values: [M], not 0
        grid: blocks across and down
        side_log2: of a block's side
        component_count: K', components of a block
    """
    room = 4 * len(places) + component_count * len(counts) + 256
    blocks = counts.copy(), places.copy(), values.copy()
    tables = coder_tables(1 << side_log2, component_count)
    while True:
        coded = np.zeros(room, np.uint8)
        used = int(_run(blocks, grid[0], component_count, 0, coded, False, tables))
        if used >= 0:
            return coded[:used].tobytes()
        room *= 4


def decode_blocks(
    data: bytes, grid: tuple[int, int], side_log2: int, component_count: int, coefficient_count: int, most: int
) -> Blocks | None:
    """Invert :func:`encode_blocks`; None where the data are not exactly what so many coefficients take.

    Args:
        data: what was coded
        grid: blocks across and down
        side_log2: of a block's side
        component_count: K'
        coefficient_count: M
        most: coefficients of a block
    """
    coded = np.frombuffer(data, np.uint8).copy()
    blocks = (
        np.zeros(grid[0] * grid[1], np.int32), np.zeros(coefficient_count, np.uint16),
        np.zeros(coefficient_count, np.int16),
    )  # fmt: skip
    tables = coder_tables(1 << side_log2, component_count)
    used = int(_run(blocks, grid[0], component_count, most, coded, True, tables))
    return blocks if used == len(coded) else None


@njit(cache=True, inline="always")
def level_of(total, levels, most):
    """Return the level of a sum, which is 0 at least; levels is one of the tables of them, up to a largest sum."""
    return np.uint32(levels[min(np.uint32(total), np.uint32(most))])


@njit(cache=True, inline="always")
def predict(node, weights_at, inputs, model, tables):
    """Return the probability of yes, in 1/65536, in the model's contexts, of which there are so many."""
    total = 0
    for i in range(inputs):
        seen = model.statistics[np.uint64(node), np.uint64(model.contexts[i])]
        stretched = tables.stretch[seen >> np.uint32(8 + STATISTIC_BITS - 12)]
        model.stretched[np.uint64(node), i] = stretched
        total += model.weights[np.uint64(weights_at), np.uint64(node), i] * np.int64(stretched)
    mixed = min(max(total >> 16, -STRETCH_LIMIT), STRETCH_LIMIT)
    return np.int64(tables.squash[np.uint64(mixed + STRETCH_LIMIT)])


@njit(cache=True, inline="always")
def learn(bit, probability, node, weights_at, inputs, model, tables):
    """Learn from a decision that was predicted last: as :func:`.binary_model.adapt`, of statistics in one word."""
    error = ((bit << 16) - probability) * 41
    for i in range(inputs):
        moved = (np.int64(model.stretched[np.uint64(node), i]) * error + (1 << 18)) >> 19
        model.weights[np.uint64(weights_at), np.uint64(node), i] += moved
    for i in range(inputs):
        at = np.uint64(model.contexts[i])
        seen = model.statistics[np.uint64(node), at]
        count, statistic = seen & np.uint32(255), np.int64(seen >> np.uint32(8))
        share = np.int64(tables.shares[count])
        if bit:
            statistic += ((65535 - statistic) * share) >> 16
        else:
            statistic -= (statistic * share) >> 16
        count += np.uint32(1 if count < np.uint32(COUNT_LIMIT) else 0)
        model.statistics[np.uint64(node), at] = np.uint32(statistic << 8) | count


@njit(cache=True, inline="always")
def _decide(bit, node, weights_at, inputs, model, stream, decoding, tables):
    """Predict one decision, code it, and learn from it."""
    probability = predict(node, weights_at, inputs, model, tables)
    bit = code_bit(bit, probability, PROBABILITY_BITS, stream.interval, stream.coded, decoding)
    learn(bit, probability, node, weights_at, inputs, model, tables)
    return bit


@njit(cache=True, nogil=True)
def _code_end(end, model, stream, decoding, tables):
    """Code how many places up to the last coefficient of a component there are, 0 to side^2."""
    length, reached = length_of(end), 0
    while reached < _END_LENGTHS:
        if not _decide(1 if length > reached else 0, reached, 0, END_INPUTS, model, stream, decoding, tables):
            break
        reached += 1
    if reached == 0:
        return 0
    found, prefix = 1, 0
    for place in range(reached - 2, -1, -1):
        bit = (end >> place) & 1
        if reached - 2 - place < 2:
            node = _END_LENGTHS + 3 * (reached - 1) + prefix
            bit = _decide(bit, node, 0, END_INPUTS, model, stream, decoding, tables)
            prefix = 1 + bit
        else:
            bit = code_bit(bit, _HALF, PROBABILITY_BITS, stream.interval, stream.coded, decoding)
        found = 2 * found + bit
    return found


@njit(cache=True, nogil=True)
def _code_rest(rest, stream, decoding):
    """Code a number from 1 on as an Elias gamma code."""
    length = length_of(rest)
    reached = 1
    while reached < 15:
        more = 1 if length > reached else 0
        if not code_bit(more, _HALF, PROBABILITY_BITS, stream.interval, stream.coded, decoding):
            break
        reached += 1
    found = 1
    for place in range(reached - 2, -1, -1):
        bit = (rest >> place) & 1
        found = 2 * found + code_bit(bit, _HALF, PROBABILITY_BITS, stream.interval, stream.coded, decoding)
    return found


@njit(cache=True, nogil=True)
def new_surroundings(across, components, places):
    """Return that of a row of blocks which nothing is known of yet; blocks across, components, places of each."""
    blocks = (2, across + 2, components, places)
    return _Surroundings(
        np.zeros(blocks, np.int32), np.zeros(blocks, np.int32), np.zeros((components, places), np.int32),
        np.zeros((components, places), np.int32), np.zeros(places, np.int32), np.zeros(places, np.int32),
        np.zeros((_KNOWN, places), np.uint32),
    )  # fmt: skip


@njit(cache=True, nogil=True)
def begin_block(block, across, around):
    """Return the column and the parity of the row of a block that begins, and forget what it does not see."""
    x, odd = block % across, block // across & 1
    if x == 0:
        around.beside[1 - odd] = 0
        around.wider[1 - odd] = 0
    around.own[:] = 0
    around.crossing[:] = 0
    around.earlier[:] = 0
    return x, odd


@njit(cache=True, inline="always")
def note(size, k, p, x, odd, around, tables):
    """Let what comes later see a magnitude that is not 0: it is added where it is a neighbour, as few are not 0."""
    around.own[k, p] = size
    around.earlier[p] += size
    below = 1 - odd
    around.beside[odd, x + 2, k, p] += 2 * size
    around.beside[below, x, k, p] += size
    around.beside[below, x + 1, k, p] += 2 * size
    around.beside[below, x + 2, k, p] += size
    for i in range(_NEIGHBOURS):
        q = tables.seen_from[p, i]
        if q < 0:
            continue
        around.wider[odd, x + 2, k, q] += size
        around.wider[below, x + 1, k, q] += size
        if i < _BEFORE:
            around.nearby[q] += (2 if i < _ADJACENT else 1) * size
        if i < _ADJACENT or i >= _BEFORE:
            around.crossing[k, q] += size


@njit(cache=True, nogil=True)
def begin_component(k, end, x, odd, around, tables):
    """Fill in what is known of each place of a component, up to an end, before its first coefficient."""
    beside, wider, known, starts = (
        around.beside[odd, x + 1, k],
        around.wider[odd, x + 1, k],
        around.known,
        tables.starts,
    )
    around.nearby[:] = 0
    for p in range(end):
        at = np.uint64(p)
        earlier, crossing = around.earlier[at], np.int32(0)
        for m in range(max(0, k - 2), k):
            earlier += 2 * around.own[m, at]
            crossing += around.crossing[m, at]
        group, further = tables.groups[at], beside[at]
        known[0, at] = starts[1] + level_of(further, tables.levels, _MOST_LEVELLED) * np.uint32(GROUPS) + group
        components = np.uint32(k * LEVELS) + level_of(earlier, tables.levels, _MOST_LEVELLED)
        known[1, at] = starts[2] + components * np.uint32(GROUPS) + group
        across = level_of(2 * earlier + crossing, tables.halves, _MOST_HALVED)
        known[2, at] = starts[3] + across * np.uint32(LEVELS) + level_of(wider[at], tables.levels, _MOST_LEVELLED)
        known[3, at] = further
        known[4, at] = further + earlier
        known[5, at] = further + earlier + wider[at] + crossing


@njit(cache=True, inline="always")
def coefficient_contexts(k, p, end, own_level, filled_level, around, tables, contexts):
    """Fill in the contexts of a coefficient of a component that has begun; return the set of weights.

    own_level and filled_level: of the sums of the component's magnitudes so far, and of the block's over components.
    """
    starts, known, at = tables.starts, around.known, np.uint64(p)
    nearby, group = np.uint32(around.nearby[at]), tables.groups[at]
    components, places = np.uint32(around.own.shape[0]), np.uint32(around.own.shape[1])
    near_level = level_of(nearby, tables.levels, _MOST_LEVELLED)
    halved = level_of(nearby + known[3, at], tables.halves, _MOST_HALVED)
    everything = level_of(nearby + known[5, at], tables.halves, _MOST_HALVED)
    contexts[0] = starts[0] + np.uint32(k) * places + np.uint32(p)
    contexts[1] = known[0, at] + near_level * np.uint32(LEVELS * GROUPS)
    contexts[2] = known[1, at]
    contexts[3] = known[2, at] + halved * np.uint32(LEVELS * LEVELS)
    contexts[4] = starts[4] + np.uint32(k * 16 + min(15, end - 1 - p)) * np.uint32(LEVELS) + near_level
    contexts[5] = starts[5] + (own_level * np.uint32(LEVELS) + filled_level) * components + np.uint32(k)
    contexts[6] = starts[6] + (everything * np.uint32(LEVELS) + own_level) * np.uint32(GROUPS) + group
    return group * np.uint32(LEVELS) + level_of(nearby + known[4, at], tables.thirds, _MOST_THIRDS)


@njit(cache=True, inline="always")
def sum_levels(own, filled, k, tables):
    """Return the levels of the sums of a component's magnitudes, and of a block's over its components so far."""
    mean = 2 * filled // (k + 1)
    return level_of(own, tables.levels, _MOST_LEVELLED), level_of(mean, tables.levels, _MOST_LEVELLED)


@njit(cache=True, nogil=True)
def _code_magnitude(size, least, weights_at, model, stream, decoding, tables):
    reached = least
    while reached < VALUE_NODES:
        if not _decide(1 if size > reached else 0, reached, weights_at, INPUTS, model, stream, decoding, tables):
            return reached
        reached += 1
    return VALUE_NODES - 1 + _code_rest(size - VALUE_NODES + 1, stream, decoding)


@njit(cache=True, nogil=True)
def new_model(rows, sets, nodes, inputs):
    """Return a model that has seen nothing: contexts, sets of weights, nodes and inputs of it."""
    return _Model(
        np.full((nodes, rows), np.uint32(FIRST_STATISTIC << 8), np.uint32),
        np.full((sets, nodes, inputs), FIRST_WEIGHT, np.int64), np.zeros(inputs, np.uint32),
        np.zeros((nodes, inputs), np.int16),
    )  # fmt: skip


@njit(cache=True, nogil=True)
def _end_of(places, at, last, k, places_of):
    """Return how many places up to the last coefficient of a component there are, of a block's from at to last."""
    stop, beyond = at, (k + 1) * places_of
    while stop < last and places[stop] < beyond:
        stop += 1
    return places[stop - 1] % places_of + 1 if stop > at else 0


@njit(cache=True, nogil=True)
def _end_contexts(x, k, ends, ends_above, starts, contexts):
    """Fill in the contexts of where a component ends: lengths of other ends."""
    left = ends[x - 1, k] if x > 0 else 0
    before = ends[x, k - 1] if k > 0 else 0
    second = ends[x, k - 2] if k > 1 else 0
    contexts[0] = starts[0] + k
    contexts[1] = starts[1] + (k * 10 + max(left, ends_above[x, k])) * 10 + before
    contexts[2] = starts[2] + (left * 10 + ends_above[x, k]) * 10 + before
    contexts[3] = starts[3] + before * 10 + second


@njit(cache=True, nogil=True)
def _run(blocks, across, components, most, coded, decoding, tables):
    """Encode blocks into coded, or decode them from it; return the bytes used, -1 where they break a law."""
    counts, places, values = blocks
    places_of = tables.groups.shape[0]
    stream = _Stream(first_interval(coded, decoding), coded)
    model = new_model(tables.starts[-1], GROUPS * LEVELS, VALUE_NODES, INPUTS)
    ends_model = new_model(tables.end_starts[-1], 1, END_NODES, END_INPUTS)
    around = new_surroundings(across, components, places_of)
    ends = np.zeros((2, across, components), np.int64)  # lengths of where components end, of two rows in turn
    at = 0
    for block in range(counts.shape[0]):
        x, odd = begin_block(block, across, around)
        filled, first = 0, at
        last = at + counts[block]
        for k in range(components):
            end = 0 if decoding else _end_of(places, at, last, k, places_of)
            _end_contexts(x, k, ends[odd], ends[1 - odd], tables.end_starts, ends_model.contexts)
            end = _code_end(end, ends_model, stream, decoding, tables)
            if end > places_of:
                return -1
            ends[odd, x, k] = length_of(end)
            own = 0
            begin_component(k, end, x, odd, around, tables)
            own_level, filled_level = sum_levels(own, filled, k, tables)
            for p in range(end):
                weights_at = coefficient_contexts(
                    k, p, end, own_level, filled_level, around, tables, model.contexts
                )  # fmt: skip
                value = 0
                if not decoding and places[at] == k * places_of + p:
                    value = int(values[at])
                size = _code_magnitude(
                    abs(value), 1 if p == end - 1 else 0, weights_at, model, stream, decoding, tables
                )
                if size == 0:
                    continue
                negative = code_bit(
                    1 if value < 0 else 0, _HALF, PROBABILITY_BITS, stream.interval, stream.coded, decoding
                )  # fmt: skip
                if decoding:
                    if at == places.shape[0] or at - first == most or size > LARGEST_VALUE:
                        return -1
                    places[at], values[at] = k * places_of + p, -size if negative else size
                at += 1
                note(size, k, p, x, odd, around, tables)
                own += size
                filled += size
                own_level, filled_level = sum_levels(own, filled, k, tables)
            if not decoding and is_full(stream.interval, coded):
                return -1
        if decoding:
            counts[block] = at - first
    if at < places.shape[0]:
        return -1
    return finish(stream.interval, coded, decoding)
