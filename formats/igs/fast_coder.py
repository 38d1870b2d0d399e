"""Codec 4, integer codes by a fixed prediction: docs/igs-format.md, "Fast coding", in code.

Each decision mixes five adaptive statistics of :mod:`.binary_model` with ten numbers that say what the eight nearest
like neighbours and the item's own earlier planes hold. The mixer starts with weights that were trained once over
materials that no measurement uses (benchmarks/train_fast_coder.py; :mod:`.fast_weights`): what codec 3 spends on two
regressions and ten statistics, all learnt anew in each file, is known here from the first code on. One set of weights
that a plane's group adds to learns the rest.

Files are 2.1 % larger than with codec 3 in the mean of nine materials (facade_005_tiles, which repeats itself, 5.5 %),
0.2 % of it for sections without Zstandard. Statistics of both signs' lengths together cost 1.3 %, weights that are not
trained 0.3 %, no hash of earlier planes 0.2 %; statistics of the expected scatter or of the left value gain nothing.
"""

from collections import namedtuple
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.formats.igs.binary_model import (
    FIRST_STATISTIC,
    GROUPS,
    MAX_LENGTH,
    SHARES,
    STRETCH_LIMIT,
    adapt,
    context_starts,
    length_of,
    sign_of,
    squash_table,
    stretch_statistics,
    stretch_table,
)
from imagegs_tex.formats.igs.cell_density import log_densities, logarithm
from imagegs_tex.formats.igs.coded_frame import decode_frame, encode_frame
from imagegs_tex.formats.igs.fast_weights import INPUTS, WEIGHT_NODES, trained_weights
from imagegs_tex.formats.igs.prediction_coder import LOGISTIC
from imagegs_tex.formats.igs.range_coder import code_bit, finish, first_interval, is_full
from imagegs_tex.jit import njit

PROBABILITY_BITS: Final = 16
NEIGHBOURS: Final = 8
"""Twelve save 0.1 % of a file."""
REACH: Final = 2
MOST_PER_CELL: Final = 4
CONTEXTS: Final = 5
CONTEXT_SIZES: Final = (287, 975, 81, 1024, 27)
"""Of sections shapes and features; those of section cells are smaller and lie in the same tables."""
_LENGTHS: Final = 12
"""Lengths that have nodes of their own."""
_LONGEST_MODELLED: Final = 8
_MODELLED_BITS: Final = 3
SIGN_NODES: Final = _LENGTHS + 7 * (_LONGEST_MODELLED - 1)
NODES: Final = 2 + 2 * SIGN_NODES
SIGN_WEIGHTS: Final = _LENGTHS + _LONGEST_MODELLED - 1
_LINEAR: Final = INPUTS - CONTEXTS
_WEIGHT_LIMIT: Final = 16383

_Items = namedtuple("_Items", "neighbours bases groups extras")
_Tables = namedtuple("_Tables", "squash stretch shares starts nearness")
_Mixer = namedtuple("_Mixer", "statistics counts first second contexts inputs")
_Stream = namedtuple("_Stream", "interval coded")

_SQUASH: Final = squash_table(LOGISTIC, least=1)
_NEARNESS: Final = np.array([max(1, (1 << 22) // max(4, i) ** 3) for i in range(256)], np.int64)
_TABLES: Final = _Tables(
    _SQUASH, stretch_table(_SQUASH, PROBABILITY_BITS), SHARES, context_starts(CONTEXT_SIZES), _NEARNESS
)


@dataclass(frozen=True, slots=True)
class FastItems:
    """What is known of Gaussians before their planes are decoded."""

    neighbours: NDArray[np.int32]  # [N, 8] the nearest before each, nearest first; -1 where there are fewer
    bases: NDArray[np.int32]  # [N, 8] their weights by distance
    groups: NDArray[np.uint8]  # [N] 0..6
    extras: NDArray[np.int32]  # [N, 3] inputs of the mixer
    first_sets: tuple[int, ...]  # the trained weights of each plane


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
    return FastItems(neighbours, bases, groups, extras.astype(np.int32), (4,) * plane_count)


def encode_planes(codes: NDArray[np.integer], items: FastItems) -> bytes:
    """Code planes one after another; codes [N, M] in -2^22..2^22."""
    return encode_frame(codes, lambda values, coded: run_planes(values, items, coded, first_weights(), decoding=False))


def decode_planes(data: bytes, plane_count: int, items: FastItems) -> NDArray[np.int32]:
    """Invert :func:`encode_planes`; return codes [N, M].

    Raises:
        ValueError: the data are not exactly what these planes take
    """

    def decode(values: NDArray[np.int32], coded: NDArray[np.uint8]) -> int:
        return run_planes(values, items, coded, first_weights(), decoding=True)

    return decode_frame(data, len(items.groups), plane_count, decode)


def encode_counts(counts: NDArray[np.integer], across: int) -> bytes:
    """Code the counts [cells] of section cells, row by row."""
    total = int(counts.sum())
    return encode_frame(
        counts[:, None],
        lambda values, coded: run_counts(values, (across, total), coded, first_weights(), decoding=False),
    )


def decode_counts(data: bytes, grid: tuple[int, int], gaussian_count: int) -> NDArray[np.int32]:
    """Invert :func:`encode_counts`; return counts [cells].

    Raises:
        ValueError: the data are not exactly what these counts take
    """

    def decode(values: NDArray[np.int32], coded: NDArray[np.uint8]) -> int:
        return run_counts(values, (grid[0], gaussian_count), coded, first_weights(), decoding=True)

    return decode_frame(data, grid[0] * grid[1], 1, decode)[:, 0]


def first_weights() -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the weights that a section begins with: trained ones by set, and those by group that are added."""
    return trained_weights().copy(), np.zeros((GROUPS, WEIGHT_NODES, INPUTS), np.int64)


Weights = tuple[NDArray[np.int64], NDArray[np.int64]]


def run_planes(
    values: NDArray[np.int32], items: FastItems, coded: NDArray[np.uint8], weights: Weights, *, decoding: bool
) -> int:
    """Code values [N, M] or decode them; the weights hold afterwards what was learnt. Return the bytes, or -1."""
    known = _Items(items.neighbours, items.bases, items.groups, items.extras)
    sets = np.array(items.first_sets, np.int64)
    return int(_code_planes(values, known, sets, coded, decoding, _TABLES, *weights))


def run_counts(
    values: NDArray[np.int32], known: tuple[int, int], coded: NDArray[np.uint8], weights: Weights, *, decoding: bool
) -> int:
    """Likewise for counts [cells, 1]; known are the cells per row and the number of Gaussians."""
    return int(_code_counts(values[:, 0], *known, coded, decoding, _TABLES, *weights))


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
                        far = 480 + min(far, 1 << 26)
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
def _decide(bit, node, weights_at, mixer, stream, decoding, tables):
    """Predict one decision, code it, and learn from it."""
    statistics, counts, first, second, contexts, inputs = mixer
    total = 0
    stretch_statistics(node, CONTEXTS, contexts, statistics, tables.stretch, inputs)
    for i in range(INPUTS):
        total += (first[weights_at, i] + second[weights_at, i]) * inputs[i]
    probability = tables.squash[_clamp(total >> 12, STRETCH_LIMIT) + STRETCH_LIMIT]
    bit = code_bit(bit, probability, PROBABILITY_BITS, stream.interval, stream.coded, decoding)
    error = (12 * ((bit << 16) - probability)) >> 5
    for i in range(INPUTS):
        change = (inputs[i] * error + (1 << 18)) >> 19 if i < CONTEXTS else (inputs[i] * error + (1 << 19)) >> 20
        first[weights_at, i] = _clamp(first[weights_at, i] + change, _WEIGHT_LIMIT)
        second[weights_at, i] = _clamp(second[weights_at, i] + change, _WEIGHT_LIMIT)
    adapt(bit, node, CONTEXTS, contexts, statistics, counts, tables.shares)
    return bit


@njit(cache=True, nogil=True)
def _code_value(value, mixer, stream, decoding, tables):
    magnitude, length = abs(value), length_of(value)
    if not _decide(1 if length > 0 else 0, 0, 0, mixer, stream, decoding, tables):
        return 0
    negative = _decide(1 if value < 0 else 0, 1, 1, mixer, stream, decoding, tables)
    node, weights_at = 2 + negative * SIGN_NODES, 2 + negative * SIGN_WEIGHTS
    reached = 1
    while reached < MAX_LENGTH:
        step = min(reached, _LENGTHS) - 1
        if not _decide(1 if length > reached else 0, node + step, weights_at + step, mixer, stream, decoding, tables):
            break
        reached += 1
    found, prefix = 1, 1
    for place in range(reached - 2, -1, -1):
        bit = (magnitude >> place) & 1
        if reached - 2 - place < _MODELLED_BITS:
            block = min(reached, _LONGEST_MODELLED) - 2
            at, weight = node + _LENGTHS + 7 * block + prefix - 1, weights_at + _LENGTHS + block
            bit = _decide(bit, at, weight, mixer, stream, decoding, tables)
            prefix = 2 * prefix + bit
        else:
            bit = code_bit(bit, 1 << (PROBABILITY_BITS - 1), PROBABILITY_BITS, stream.interval, stream.coded, decoding)
        found = 2 * found + bit
    return -found if negative else found


@njit(cache=True, nogil=True)
def _new_statistics(starts):
    rows = starts[CONTEXTS - 1] + CONTEXT_SIZES[CONTEXTS - 1]
    return np.full((rows, NODES), FIRST_STATISTIC, np.uint16), np.zeros((rows, NODES), np.uint8)


@njit(cache=True, nogil=True)
def _count_inputs(values, n, across, density, contexts, inputs, starts):
    """Fill in what the counts around a cell say."""
    row, column = n // across, n % across
    left = values[n - 1] if column > 0 else 0
    further = values[n - 2] if column > 1 else 0
    up = values[n - across] if row > 0 else 0
    higher = values[n - 2 * across] if row > 1 else 0
    before = values[n - across - 1] if row > 0 and column > 0 else 0
    after = values[n - across + 1] if row > 0 and column + 1 < across else 0
    contexts[0] = starts[0] + min(max(left + 3, 0), 7) * 8 + min(max(up + 3, 0), 7)
    around = (4 * left + 4 * up + 2 * before + 2 * after + further + higher + 3) >> 2
    contexts[1] = starts[1] + min(max(around + 20, 0), 60)
    contexts[2] = starts[2] + min(max(left + further + 4, 0), 8) * 9 + min(max(up + higher + 4, 0), 8)
    contexts[3] = starts[3] + min(max(before + after + 4, 0), 12) * 13 + min(max(left + up + 4, 0), 12)
    contexts[4] = starts[4] + min(max((2 * left + 2 * up + before + after + further + higher + 12) >> 1, 0), 26)
    inputs[CONTEXTS] = _clamp(logarithm(64 * (abs(left) + abs(up)) + 20) - 1100, STRETCH_LIMIT)
    inputs[CONTEXTS + 1] = _clamp(60 * left, STRETCH_LIMIT)
    inputs[CONTEXTS + 2] = _clamp(60 * up, STRETCH_LIMIT)
    inputs[CONTEXTS + 3] = _clamp(60 * (before + after), STRETCH_LIMIT)
    inputs[CONTEXTS + 4] = _clamp(40 * (further + higher), STRETCH_LIMIT)
    inputs[CONTEXTS + 5] = density
    inputs[CONTEXTS + 7] = 256


@njit(cache=True, nogil=True)
def _code_counts(values, across, gaussian_count, coded, decoding, tables, first, second):
    """Encode values [cells] into coded, or decode them from it; return the bytes used, -1 if there were too few."""
    statistics, counts = _new_statistics(tables.starts)
    contexts, inputs = np.zeros(CONTEXTS, np.int64), np.zeros(INPUTS, np.int64)
    mixer = _Mixer(statistics, counts, first[0], second[0], contexts, inputs)
    stream = _Stream(first_interval(coded, decoding), coded)
    density = _clamp(logarithm(64 * gaussian_count // values.shape[0] + 8) - 600, STRETCH_LIMIT)
    for n in range(values.shape[0]):
        _count_inputs(values, n, across, density, contexts, inputs, tables.starts)
        values[n] = _code_value(np.int64(values[n]), mixer, stream, decoding, tables)
        if not decoding and is_full(stream.interval, coded):
            return -1
    return finish(stream.interval, coded, decoding)


@njit(cache=True, nogil=True)
def _look_around(n, k, scale, values, items, unlike, nearness):
    """Return the mean value and the mean magnitude of an item's neighbours, in 1/64, and the one that weighs most."""
    weight_sum, value_sum, size_sum, most, like = 0, 0, 0, 0, np.int64(0)
    for i in range(NEIGHBOURS):
        j = items.neighbours[n, i]
        if j < 0:
            break
        if k > 0:
            unlike[n, i] += min(512, (abs(np.int64(values[n, k - 1]) - values[j, k - 1]) * scale) >> 7)
        weight = items.bases[n, i] * nearness[min(255, unlike[n, i] >> 4)]
        value = np.int64(values[j, k])
        if weight > most:
            most, like = weight, value
        weight_sum += weight
        value_sum += weight * value
        size_sum += weight * abs(value)
    weight_sum = max(1, weight_sum)
    return 64 * value_sum // weight_sum, 64 * size_sum // weight_sum, like


@njit(cache=True, nogil=True)
def _item_inputs(n, k, near, values, sums, rest, items, hashes, mixer, starts):
    """Fill in what is known of a value: contexts of the statistics, and inputs."""
    near_value, near_size, like = near
    contexts, inputs = mixer.contexts, mixer.inputs
    first = np.int64(values[n, k - 1]) if k > 0 else np.int64(0)
    second = np.int64(values[n, k - 2]) if k > 1 else np.int64(0)
    third = np.int64(values[n, k - 3]) if k > 2 else np.int64(0)
    group = np.int64(items.groups[n])
    contexts[0] = starts[0] + group * 41 + _clamp((near_value + 16) >> 5, 20) + 20
    contexts[1] = starts[1] + (_clamp(first, 32) + 32) * 15 + _clamp(second, 7) + 7
    contexts[2] = starts[2] + _clamp(like, 40) + 40
    contexts[3] = starts[3] + (hashes[n] >> 22)
    contexts[4] = starts[4] + sign_of(first) * 9 + sign_of(second) * 3 + sign_of(third)
    if k > 2:
        sums[n] += logarithm(64 * abs(third) + 20)
    inputs[CONTEXTS] = _clamp(logarithm(near_size + 20) - 1100, STRETCH_LIMIT)
    inputs[CONTEXTS + 1] = _clamp(logarithm(64 * abs(first) + 20) - 1300, STRETCH_LIMIT) if k > 0 else 0
    inputs[CONTEXTS + 2] = _clamp(logarithm(64 * abs(second) + 20) - 1300, STRETCH_LIMIT) if k > 1 else 0
    inputs[CONTEXTS + 3] = _clamp(((sums[n] * rest) >> 16) - 1300, STRETCH_LIMIT) if k > 2 else 0
    for i in range(3):
        inputs[CONTEXTS + 4 + i] = items.extras[n, i]
    inputs[CONTEXTS + 7] = 256
    inputs[CONTEXTS + 8] = _clamp(3 * near_value, STRETCH_LIMIT)
    inputs[CONTEXTS + 9] = _clamp(24 * like, STRETCH_LIMIT)


@njit(cache=True, nogil=True)
def _code_planes(values, items, sets, coded, decoding, tables, first, second):
    """Encode values [N, M] into coded, or decode them from it; return the bytes used, -1 if there were too few."""
    count, plane_count = values.shape
    statistics, counts = _new_statistics(tables.starts)
    contexts, inputs = np.zeros(CONTEXTS, np.int64), np.zeros(INPUTS, np.int64)
    stream = _Stream(first_interval(coded, decoding), coded)
    unlike = np.full((count, NEIGHBOURS), 64, np.int64)
    hashes, sums = np.zeros(count, np.int64), np.zeros(count, np.int64)
    scale = 0
    for k in range(plane_count):
        statistics[:] = FIRST_STATISTIC
        counts[:] = 0
        rest = 65536 // (k - 2) if k > 2 else 0
        if k > 0:
            total = np.int64(0)
            for n in range(count):
                total += abs(np.int64(values[n, k - 1]))
            scale = (1 << 20) // (64 * total // count + 6)
        for n in range(count):
            mixer = _Mixer(statistics, counts, first[sets[k]], second[items.groups[n]], contexts, inputs)
            near = _look_around(n, k, scale, values, items, unlike, tables.nearness)
            _item_inputs(n, k, near, values, sums, rest, items, hashes, mixer, tables.starts)
            value = _code_value(np.int64(values[n, k]), mixer, stream, decoding, tables)
            values[n, k] = value
            hashes[n] = (hashes[n] * 0x9E3779B1 + (value + 77) * 0x85EBCA6B) & 0xFFFFFFFF
            if not decoding and is_full(stream.interval, coded):
                return -1
    return finish(stream.interval, coded, decoding)
