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
    FIRST_STATISTIC,
    SHARES,
    adapt,
    context_starts,
    length_of,
    mixed_probability,
    squash_table,
    stretch_statistics,
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
_HALF: Final = 1 << (PROBABILITY_BITS - 1)
LARGEST_VALUE: Final = 1 << 14

_SQUASH: Final = squash_table(LOGISTIC, least=1)
_STRETCH: Final = stretch_table(_SQUASH, PROBABILITY_BITS)

_Tables = namedtuple("_Tables", "squash stretch shares starts end_starts groups neighbours")
_Model = namedtuple("_Model", "statistics counts weights contexts stretched")
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
    steps = ((-1, 0), (0, -1), (-1, -1), (-2, 0), (0, -2), (1, 0), (0, 1))  # the last two are coded later
    neighbours = np.full((side * side, len(steps)), -1, np.int64)
    for i, (down, right) in enumerate(steps):
        row, column = rows + down, columns + right
        inside = (row >= 0) & (column >= 0) & (row < side) & (column < side)
        neighbours[inside, i] = at[row[inside] * side + column[inside]]
    sizes = (
        component_count * side * side, LEVELS * LEVELS * GROUPS, component_count * LEVELS * GROUPS, LEVELS**3,
        component_count * 16 * LEVELS, LEVELS * LEVELS * component_count, LEVELS * LEVELS * GROUPS,
    )  # fmt: skip
    ends = (component_count, 100 * component_count, 1000, 100)
    rows_of = context_starts((*sizes, 0)), context_starts((*ends, 0))
    return _Tables(_SQUASH, _STRETCH, SHARES, *rows_of, groups, neighbours)


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
def _level(total):
    if total <= 3:
        return total
    return 4 if total <= 5 else (5 if total <= 8 else (6 if total <= 14 else (7 if total <= 28 else 8)))


@njit(cache=True, nogil=True)
def predict(node, weights_at, model, tables):
    """Return the probability of yes, in 1/65536, in the model's contexts."""
    statistics, _, weights, contexts, stretched = model
    inputs = contexts.shape[0]
    stretch_statistics(node, inputs, contexts, statistics, tables.stretch, stretched)
    total = 0
    for i in range(inputs):
        total += weights[weights_at, node, i] * stretched[i]
    return mixed_probability(total, tables.squash)


@njit(cache=True, nogil=True)
def learn(bit, probability, node, weights_at, model, tables):
    """Learn from a decision that was predicted last."""
    statistics, counts, weights, contexts, stretched = model
    error = (bit << 16) - probability
    for i in range(contexts.shape[0]):
        weights[weights_at, node, i] += (stretched[i] * error * 41 + (1 << 18)) >> 19
    adapt(bit, node, contexts.shape[0], contexts, statistics, counts, tables.shares)


@njit(cache=True, nogil=True)
def _decide(bit, node, weights_at, model, stream, decoding, tables):
    """Predict one decision, code it, and learn from it."""
    probability = predict(node, weights_at, model, tables)
    bit = code_bit(bit, probability, PROBABILITY_BITS, stream.interval, stream.coded, decoding)
    learn(bit, probability, node, weights_at, model, tables)
    return bit


@njit(cache=True, nogil=True)
def _code_end(end, model, stream, decoding, tables):
    """Code how many places up to the last coefficient of a component there are, 0 to side^2."""
    length, reached = length_of(end), 0
    while reached < _END_LENGTHS:
        if not _decide(1 if length > reached else 0, reached, 0, model, stream, decoding, tables):
            break
        reached += 1
    if reached == 0:
        return 0
    found, prefix = 1, 0
    for place in range(reached - 2, -1, -1):
        bit = (end >> place) & 1
        if reached - 2 - place < 2:
            node = _END_LENGTHS + 3 * (reached - 1) + prefix
            bit = _decide(bit, node, 0, model, stream, decoding, tables)
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
def coefficient_contexts(k, p, end, x, own, filled, row, above, tables, contexts):
    """Fill in the contexts of a coefficient; return the set of weights."""
    nearby = 0
    for i in range(5):
        q = tables.neighbours[p, i]
        if q >= 0:
            nearby += (2 if i < 2 else 1) * row[x, k, q]
    beside, around = 2 * above[x, k, p], 0
    if x > 0:
        beside += 2 * row[x - 1, k, p] + above[x - 1, k, p]
    if x + 1 < above.shape[0]:
        beside += above[x + 1, k, p]
    earlier, wider = 0, 0
    for m in range(k):
        earlier += (3 if m + 2 >= k else 1) * row[x, m, p]
    for i in range(7):
        q = tables.neighbours[p, i]
        if q < 0:
            continue
        around += above[x, k, q]
        if x > 0:
            around += row[x - 1, k, q]
        if i < 2 or i > 4:
            for m in range(max(0, k - 2), k):
                wider += row[x, m, q]
    group, starts = tables.groups[p], tables.starts
    components = row.shape[1]
    contexts[0] = starts[0] + k * row.shape[2] + p
    contexts[1] = starts[1] + (_level(nearby) * LEVELS + _level(beside)) * GROUPS + group
    contexts[2] = starts[2] + (k * LEVELS + _level(earlier)) * GROUPS + group
    contexts[3] = starts[3] + (
        _level((nearby + beside) >> 1) * LEVELS + _level((2 * earlier + wider) >> 1)
    ) * LEVELS + _level(around)  # fmt: skip
    contexts[4] = starts[4] + (k * 16 + min(15, end - 1 - p)) * LEVELS + _level(nearby)
    contexts[5] = starts[5] + (_level(own) * LEVELS + _level(2 * filled // (k + 1))) * components + k
    everything = (nearby + beside + earlier + around + wider) >> 1
    contexts[6] = starts[6] + (_level(everything) * LEVELS + _level(own)) * GROUPS + group
    return group * LEVELS + _level((nearby + beside + earlier) // 3)


@njit(cache=True, nogil=True)
def _code_magnitude(size, least, weights_at, model, stream, decoding, tables):
    reached = least
    while reached < VALUE_NODES:
        if not _decide(1 if size > reached else 0, reached, weights_at, model, stream, decoding, tables):
            return reached
        reached += 1
    return VALUE_NODES - 1 + _code_rest(size - VALUE_NODES + 1, stream, decoding)


@njit(cache=True, nogil=True)
def new_model(rows, sets, nodes, inputs):
    """Return a model that has seen nothing: contexts, sets of weights, nodes and inputs of it."""
    return _Model(
        np.full((rows, nodes), FIRST_STATISTIC, np.uint16), np.zeros((rows, nodes), np.uint8),
        np.full((sets, nodes, inputs), FIRST_WEIGHT, np.int64), np.zeros(inputs, np.int64),
        np.zeros(inputs, np.int64),
    )  # fmt: skip


@njit(cache=True, nogil=True)
def _end_of(places, at, last, k, places_of):
    """Return how many places up to the last coefficient of a component there are, of a block's from at to last."""
    stop = at
    while stop < last and places[stop] // places_of == k:
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
    # magnitudes, and the lengths of where components end, of this row of blocks and the one above
    row = np.zeros((across, components, places_of), np.int32)
    ends = np.zeros((across, components), np.int64)
    above, ends_above = np.zeros_like(row), np.zeros_like(ends)
    at = 0
    for block in range(counts.shape[0]):
        x = block % across
        if x == 0 and block > 0:
            row, above = above, row
            ends, ends_above = ends_above, ends
            row[:] = 0
        filled, first = 0, at
        last = at + counts[block]
        for k in range(components):
            end = 0 if decoding else _end_of(places, at, last, k, places_of)
            _end_contexts(x, k, ends, ends_above, tables.end_starts, ends_model.contexts)
            end = _code_end(end, ends_model, stream, decoding, tables)
            if end > places_of:
                return -1
            ends[x, k] = length_of(end)
            own = 0
            for p in range(end):
                weights_at = coefficient_contexts(k, p, end, x, own, filled, row, above, tables, model.contexts)
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
                row[x, k, p] = size
                own += size
                filled += size
            if not decoding and is_full(stream.interval, coded):
                return -1
        if decoding:
            counts[block] = at - first
    if at < places.shape[0]:
        return -1
    return finish(stream.interval, coded, decoding)
