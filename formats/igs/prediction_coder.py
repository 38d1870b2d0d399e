"""Codecs 3 and 5, integer codes by prediction: docs/igs-format.md, "Prediction coding" and "Trained coding", in code.

Two small regressions that learn on the way (normalised least mean squares, after B. Widrow and M. Hoff, 1960) say what
a value is expected to be near (a mean over like neighbours, corrected by what the same item's earlier planes were off
by) and how far it may be off. The logistic distribution that this gives, and ten statistics of
:mod:`.binary_model`, each of another context, are mixed for each decision. Expecting a value first and coding what it
is off by in contexts of the expected error is CALIC's way (X. Wu and N. Memon, 1997).

Against coding by context alone (context_coder.py) this takes 6.4 % off whole files (geometric mean of nine materials; 3
to 11 %). Left out of it, the distribution costs 1.4 %, statistics of its own for each sign 0.9 %, the learning of the
expected value 0.7 %, and neighbours that weigh by how alike they are in earlier planes 0.6 %.

Codec 5 is the same with a mixer that has more inputs and begins with trained weights: :mod:`.trained_start`.
"""

from collections import namedtuple
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.formats.igs.binary_model import (
    COUNT_LIMIT,
    FIRST_STATISTIC,
    GROUPS,
    MAX_LENGTH,
    SHARES,
    adapt,
    context_starts,
    last_above,
    length_of,
    mixed_probability,
    sign_of,
    squash_table,
    stretch_statistics,
    stretch_table,
)
from imagegs_tex.formats.igs.cell_density import log_densities, logarithm
from imagegs_tex.formats.igs.coded_frame import decode_frame, encode_frame
from imagegs_tex.formats.igs.range_coder import code_bit, finish, first_interval, is_full
from imagegs_tex.formats.igs.trained_inputs import INPUT_COUNT, SHAPES, excite, find_inputs, start_of
from imagegs_tex.formats.igs.trained_start import TRAINED_CONSTANT, TRAINED_RATE, trained_start, weight_classes
from imagegs_tex.jit import njit

PROBABILITY_BITS: Final = 16
REACH: Final = 3
"""Cells around an item's own whose items are its neighbours; 4 takes half as long again for 0.1 % of a file."""
MOST_PER_CELL: Final = 4
"""Neighbours in one cell; 8 saves 0.05 % of a file."""
PLANES_COMPARED: Final = 8
"""Earlier planes by which items are alike."""
MODELLED_BITS: Final = 5
"""Bits below the leading one that have statistics; the others cost one bit each."""
LONGEST_MODELLED: Final = 10
HASHES: Final = 1024
CONTEXT_SIZES: Final = (1, 49, 63, 40, 70, HASHES, 127, 540, HASHES, 254)
"""Contexts of each of the ten statistics."""
LEARNING_RATE: Final = 22
FIRST_WEIGHT: Final = 2600
FIRST_WEIGHT_EXPECTED: Final = 13100
"""Of the distribution; both for each of a node's two sets of weights."""
_BITS_NODES: Final = (1 << MODELLED_BITS) - 1
_SIGN_NODES: Final = MAX_LENGTH - 1 + _BITS_NODES * (LONGEST_MODELLED - 1)
NODES: Final = 2 + 2 * _SIGN_NODES
_CONTEXTS: Final = len(CONTEXT_SIZES)
_INPUTS: Final = _CONTEXTS + 2
"""Of the mixer: the statistics, the distribution, and a constant."""
_CONSTANT_INPUT: Final = 77
_ONE: Final = 1 << 32
_FARTHEST: Final = 5120
"""Of a distribution's tail, in 1/256 octaves of the odds."""
_LARGEST_STEP: Final = 768
"""Of a value's regression, in 1/256 of what it is off by on average: further out counts no more."""
_LARGEST_INPUT: Final = 65536
"""Of its inputs, likewise."""
_POWER_RATE: Final = 5
"""Of the memory of an input's power, in 1/256."""
_VALUE_RATE: Final = 655
"""How far a factor follows one error, a hundredth of 65536: of the input's power, which is _LEAST_POWER at least."""
_LEAST_POWER: Final = 66
_SCATTER_RATE: Final = 13
"""How far a factor of the scatter follows, in 1/4096."""
_SCATTER_RATE_CONSTANT: Final = 10
_LARGEST_MISS: Final = 1024
"""In 1/256 of the scatter: what is further off than four times counts no more."""
_MEAN_LIMIT: Final = 1 << 29
_FACTOR_LIMIT: Final = 1 << 22
_LEAST_SCALE: Final = 20

LOGISTIC: Final = (
    22, 36, 60, 98, 162, 267, 439, 720, 1179, 1921, 3108, 4971, 7812, 11955, 17625, 24743, 32768, 40793, 47911, 53581,
    57724, 60565, 62428, 63615, 64357, 64816, 65097, 65269, 65374, 65438, 65476, 65500, 65514,
)  # fmt: skip
"""65536 / (1 + e^(-x / 256)) at x = -2048, -1920, ... 2048, rounded; between these points it is interpolated."""


@dataclass(frozen=True, slots=True)
class Items:
    """What is known of the items of a section before it is decoded."""

    cells: NDArray[np.int64]  # [N] ascending, row * across + column
    across: int  # cells per row
    down: int  # rows of cells
    groups: NDArray[np.uint8]  # [N] 0..6
    signs_of_scatter: NDArray[np.int64]  # [N, E] what else tells how far values scatter, in 1/256 octaves
    means: NDArray[np.int64]  # [N, 2] in 1/32 texel; [0, 2] where they are not known yet
    exponents: NDArray[np.int64]  # [N, 2] of the position steps; [0, 2] likewise


_Known = namedtuple("_Known", "cells firsts across groups signs means exponents")
_Tables = namedtuple("_Tables", "squash stretch shares starts classes first rate constant layers")
_Mixer = namedtuple("_Mixer", "statistics counts weights contexts stretched")
_Stream = namedtuple("_Stream", "interval coded")
_Regression = namedtuple("_Regression", "factors inputs memory")
_History = namedtuple("_History", "values off scales longest hashes above")
_Near = namedtuple("_Near", "value off size best weight")


_SQUASH: Final = squash_table(LOGISTIC, least=1)
_STRETCH: Final = stretch_table(_SQUASH, PROBABILITY_BITS)


def _first_weights() -> NDArray[np.int64]:
    """Return the weights that the mixer begins with [1, 2, NODES, inputs]."""
    first = np.zeros((1, 2, NODES, _INPUTS), np.int64)
    first[..., :_CONTEXTS], first[..., _CONTEXTS] = FIRST_WEIGHT, FIRST_WEIGHT_EXPECTED
    return first


_STARTS: Final = context_starts(CONTEXT_SIZES)
_TABLES: Final = _Tables(
    _SQUASH, _STRETCH, SHARES, _STARTS, np.arange(NODES), _first_weights(), LEARNING_RATE, _CONSTANT_INPUT,
    np.zeros((1, 0, INPUT_COUNT + 1), np.int64),
)  # fmt: skip


def cell_items(across: int, down: int) -> Items:
    """Return the items of section cells: one per cell."""
    count, nothing = across * down, np.zeros((0, 2), np.int64)
    return Items(
        np.arange(count, dtype=np.int64), across, down, np.zeros(count, np.uint8), np.zeros((count, 0), np.int64),
        nothing, nothing,
    )  # fmt: skip


def shape_items(cells: NDArray[np.int64], across: int, down: int) -> Items:
    """Return the items of section shapes, Gaussians of which nothing but their cells [N] is known."""
    counts = np.bincount(cells, minlength=across * down).astype(np.int64)
    held, first = counts[cells], (np.cumsum(counts) - counts)[cells]
    groups = 2 * np.minimum(held - 1, 2) + (np.arange(len(cells)) > first)
    density = log_densities(counts, across, down, cells)[:, None]
    nothing = np.zeros((0, 2), np.int64)
    return Items(cells, across, down, groups.astype(np.uint8), density, nothing, nothing)


def feature_items(
    cells: NDArray[np.int64],
    across: int,
    down: int,
    shape_codes: NDArray[np.integer],
    position_codes: NDArray[np.integer],
    exponents: NDArray[np.integer],
) -> Items:
    """Return the items of section features, Gaussians of which everything else is known.

    Args:
        cells: [N] ascending
        across: cells per row
        down: rows of cells
        shape_codes: [N, 3] m, h, b
        position_codes: [N, 2]
        exponents: [N, 2] of the position steps
    """
    # one layout, since kernels are compiled for each
    shapes, raised = shape_codes.astype(np.int64), np.ascontiguousarray(exponents, np.int64)
    sizes = shapes[:, 0] - int(shapes[:, 0].sum()) // len(shapes)
    forms = np.abs(shapes[:, 1:])
    signs = [43 * sizes, 7 * np.minimum(sizes * sizes, 4096), 32 * forms.max(axis=1) + 12 * forms.min(axis=1)]
    return Items(
        cells, across, down, np.clip(sizes // 3 + 3, 0, GROUPS - 1).astype(np.uint8), np.stack(signs, axis=1),
        np.ascontiguousarray((2 * position_codes.astype(np.int64) + 1) << (raised + 4)), raised,
    )  # fmt: skip


def encode_planes(codes: NDArray[np.integer], items: Items, *, trained: bool = False) -> bytes:
    """Code planes one after another; codes [N, M] in -2^22..2^22; trained: with codec 5."""
    tables = _trained_tables() if trained else _TABLES
    return encode_frame(codes, lambda values, coded: _run(values, items, coded, tables, decoding=False))


def decode_planes(data: bytes, plane_count: int, items: Items, *, trained: bool = False) -> NDArray[np.int32]:
    """Invert :func:`encode_planes`; return codes [N, M].

    Raises:
        ValueError: the data are not exactly what these planes take
    """
    tables = _trained_tables() if trained else _TABLES

    def decode(values: NDArray[np.int32], coded: NDArray[np.uint8]) -> int:
        return _run(values, items, coded, tables, decoding=True)

    return decode_frame(data, len(items.cells), plane_count, decode)


@cache
def _trained_tables() -> _Tables:
    """Return the tables of codec 5."""
    layers, first = trained_start()
    return _Tables(
        _SQUASH, _STRETCH, SHARES, _STARTS, weight_classes(NODES, _SIGN_NODES, MAX_LENGTH - 1, _BITS_NODES), first,
        TRAINED_RATE, TRAINED_CONSTANT, layers,
    )  # fmt: skip


def _run(
    values: NDArray[np.int32], items: Items, coded: NDArray[np.uint8], tables: _Tables, *, decoding: bool
) -> int:  # fmt: skip
    firsts = np.searchsorted(items.cells, np.arange(items.across * items.down + 1)).astype(np.int64)
    known = _Known(
        items.cells, firsts, items.across, items.groups, items.signs_of_scatter, items.means, items.exponents
    )  # fmt: skip
    return int(_code_planes(values, known, coded, decoding, tables))


@njit(cache=True)
def _clamp(value, least, most):
    return min(max(value, least), most)


@njit(cache=True)
def _power(logarithm):
    """Invert logarithm, for numbers >= 0."""
    return ((256 + (logarithm & 255)) << (logarithm >> 8)) >> 8


@njit(cache=True, nogil=True)
def _decide(bit, node, part, whole, group, mixer, stream, decoding, tables):
    """Predict one decision, code it, and learn from it; the distribution says part / whole."""
    statistics, counts, weights, contexts, stretched = mixer
    # not the constants: loops that are not unrolled compile in half the time
    inputs, context_count, row = stretched.shape[0], contexts.shape[0], tables.classes[node]
    stretch_statistics(node, context_count, contexts, statistics, tables.stretch, stretched)
    stretched[_CONTEXTS] = tables.stretch[_clamp(4096 * part // whole, 0, 4095)]
    total = 0
    for i in range(inputs):
        total += (weights[GROUPS, row, i] + weights[group, row, i]) * stretched[i]
    probability = mixed_probability(total, tables.squash)
    bit = code_bit(bit, probability, PROBABILITY_BITS, stream.interval, stream.coded, decoding)
    error = ((bit << 16) - probability) * tables.rate
    for i in range(inputs):
        change = (stretched[i] * error + (1 << 19)) >> 20
        weights[GROUPS, row, i] += change
        weights[group, row, i] += change
    adapt(bit, node, context_count, contexts, statistics, counts, tables.shares)
    return bit


@njit(cache=True)
def _above(threshold, mean, scale):
    """Return the share, in 2^-32, of values above threshold + 1/2: a logistic distribution, mean and scale in 1/64."""
    distance = _clamp((64 * threshold + 32 - mean) * 615 // scale, -_FARTHEST, _FARTHEST)
    tail = (1 << 40) // (256 + ((256 + (abs(distance) & 255)) << (abs(distance) >> 8)))
    return tail if distance >= 0 else _ONE - tail


@njit(cache=True, nogil=True)
def _code_value(value, mean, scale, group, mixer, stream, decoding, tables):
    """Code a value, expected near a mean and off by about a scale, both in 1/64."""
    magnitude, length = abs(value), length_of(value)
    below, over = _ONE - _above(-1, mean, scale), _above(0, mean, scale)
    if not _decide(1 if length > 0 else 0, 0, below + over, _ONE, group, mixer, stream, decoding, tables):
        return 0
    negative = _decide(1 if value < 0 else 0, 1, below, below + over, group, mixer, stream, decoding, tables)
    signed, centre = 2 + negative * _SIGN_NODES, -mean if negative else mean
    reached, more = 1, _above(0, centre, scale)
    while reached < MAX_LENGTH:
        yet = _above((1 << reached) - 1, centre, scale)
        longer = 1 if length > reached else 0
        if not _decide(longer, signed + reached - 1, yet, more, group, mixer, stream, decoding, tables):
            break
        more = yet
        reached += 1
    bits = signed + MAX_LENGTH - 1 + _BITS_NODES * (min(reached, LONGEST_MODELLED) - 2)
    found, prefix = 1, 1
    low, high = more, _above((1 << reached) - 1, centre, scale)
    for place in range(reached - 2, -1, -1):
        bit = (magnitude >> place) & 1
        if reached - 2 - place < MODELLED_BITS:
            middle = _above(((2 * found + 1) << place) - 1, centre, scale)
            node, part, whole = bits + prefix - 1, middle - high + 1, low - high + 2
            bit = _decide(bit, node, part, whole, group, mixer, stream, decoding, tables)
            low, high = (middle, high) if bit else (low, middle)
            prefix = 2 * prefix + bit
        else:
            bit = code_bit(bit, 1 << (PROBABILITY_BITS - 1), PROBABILITY_BITS, stream.interval, stream.coded, decoding)
        found = 2 * found + bit
    return -found if negative else found


@njit(cache=True, nogil=True)
def _neighbourhood(n, k, known, history):
    """Return the mean value, miss and size of an item's neighbours, in 1/64, and the one that weighs most."""
    values, off, scales = history.values, history.off, history.scales
    cells, firsts, across, means, exponents = known.cells, known.firsts, known.across, known.means, known.exponents
    row, column = cells[n] // across, cells[n] % across
    weight_sum, value_sum, off_sum, size_sum = 0, 0, 0, 0
    best_weight, best = -1, -1
    for y in range(max(0, row - REACH), row + 1):
        last = column if y == row else min(across - 1, column + REACH)
        for cell in range(y * across + max(0, column - REACH), y * across + last + 1):
            end = min(n, firsts[cell + 1])
            for j in range(max(firsts[cell], end - MOST_PER_CELL), end):
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
                unlike = 64
                for i in range(max(0, k - PLANES_COMPARED), k):
                    unlike += min(512, (abs(values[n, i] - values[j, i]) * scales[i]) >> 7)
                weight = max(1, (1 << 48) // (far * unlike * unlike * unlike))
                weight_sum += weight
                value_sum += weight * values[j, k]
                off_sum += weight * abs(off[j, k])
                size_sum += weight * abs(values[j, k])
                if weight >= best_weight:
                    best_weight, best = weight, j
    weight_sum = max(1, weight_sum)
    sizes = 64 * size_sum // weight_sum
    return _Near(64 * value_sum // weight_sum, off_sum // weight_sum, sizes, best, best_weight)


@njit(cache=True, nogil=True)
def _expected(n, k, near_value, history, regression):
    """Return the expected value, in 1/64."""
    factors, inputs, _ = regression
    inputs[0], inputs[1] = near_value, 64
    for i in range(k):
        inputs[2 + i] = history.off[n, i]
    total = 0
    for i in range(2 + k):
        total += factors[i] * inputs[i]
    return _clamp(total >> 16, -_MEAN_LIMIT, _MEAN_LIMIT)


@njit(cache=True, nogil=True)
def _expected_scatter(n, k, near_off, known, history, regression):
    """Return the logarithm of how far the value may be off."""
    factors, inputs, memory = regression
    inputs[1] = logarithm(near_off + 20)
    for i in range(k):
        inputs[2 + i] = logarithm(abs(history.off[n, i]) + 20)
    for i in range(known.signs.shape[1]):
        inputs[2 + k + i] = known.signs[n, i]
    total = factors[0] * 256
    for i in range(1, 2 + k + known.signs.shape[1]):
        total += factors[i] * (inputs[i] - (memory[i] >> 8))
    return _clamp(total >> 16, -768, 2304)


@njit(cache=True, nogil=True)
def _learn_value(error, wide, k, regression):
    """Normalised least mean squares: memory holds each input's power."""
    factors, inputs, memory = regression
    step = _clamp((error << 8) // wide, -_LARGEST_STEP, _LARGEST_STEP)
    for i in range(2 + k):
        size = _clamp((inputs[i] << 8) // wide, -_LARGEST_INPUT, _LARGEST_INPUT)
        memory[i] += (size * size - memory[i]) * _POWER_RATE >> 8
        change = step * size * _VALUE_RATE // (memory[i] + _LEAST_POWER)
        factors[i] = _clamp(factors[i] + change, -_FACTOR_LIMIT, _FACTOR_LIMIT)


@njit(cache=True, nogil=True)
def _learn_scatter(error, scale, terms, share, regression):
    """Follow the gradient of the likelihood: memory holds each input's mean."""
    factors, inputs, memory = regression
    step = min(_LARGEST_MISS, (abs(error) << 8) // scale) - 256
    factors[0] = _clamp(factors[0] + _SCATTER_RATE_CONSTANT * step, -_FACTOR_LIMIT, _FACTOR_LIMIT)
    for i in range(1, terms):
        change = step * (inputs[i] - (memory[i] >> 8)) * _SCATTER_RATE >> 12
        factors[i] = _clamp(factors[i] + change, -_FACTOR_LIMIT, _FACTOR_LIMIT)
        memory[i] += ((inputs[i] << 8) - memory[i]) * share >> 16


@njit(cache=True, nogil=True)
def _find_contexts(n, k, mean, log_scale, best, known, history, contexts, starts):
    """Fill in the rows of the ten statistics."""
    values = history.values
    left = values[n - 1, k] if n > 0 else 0
    up = values[history.above[n], k] if history.above[n] >= 0 else left
    like = values[best, k] if best >= 0 else 0
    first = values[n, k - 1] if k > 0 else 0
    second = values[n, k - 2] if k > 1 else 0
    third = values[n, k - 3] if k > 2 else 0
    group, scale = known.groups[n], _power(log_scale + 1536)
    scatter = _clamp((log_scale >> 7) + 6, 0, 19)
    contexts[0] = 0
    contexts[1] = min(6, length_of(first)) * 7 + min(6, length_of(second))
    contexts[2] = group * 9 + sign_of(left) * 3 + sign_of(up)
    contexts[3] = min(9, history.longest[n]) * 4 + min(3, length_of(left))
    contexts[4] = (scatter >> 1) * 7 + group
    contexts[5] = (first & 31) * 32 + (second & 31)
    contexts[6] = _clamp(like, -63, 63) + 63
    contexts[7] = (sign_of(first) * 9 + sign_of(second) * 3 + sign_of(third)) * 20 + scatter
    contexts[8] = history.hashes[n] >> 22
    if known.means.shape[0] > 0:
        contexts[9] = group * 19 + _clamp((4 * mean + scale) // (2 * scale), -9, 9) + 9
    else:
        contexts[9] = (_clamp(left, -63, 63) + 63) * 2 + (group & 1)
    for i in range(_CONTEXTS):
        contexts[i] += starts[i]


@njit(cache=True, nogil=True)
def _clear_new(contexts, k, cleared, statistics, counts):
    """Set the statistics of contexts that a plane has not used yet to where they begin.

    Not all at a plane's beginning: 6 MB, of which a small file uses a hundredth.
    """
    for i in range(_CONTEXTS):
        row = contexts[i]
        if cleared[row] <= k:
            cleared[row] = k + 1
            statistics[row, :] = FIRST_STATISTIC
            counts[row, :] = 0


@njit(cache=True, nogil=True)
def _code_planes(values, known, coded, decoding, tables):
    """Encode values [N, M] into coded, or decode them from it; return the bytes used, -1 if there were too few."""
    count, plane_count = values.shape
    rows = sum(CONTEXT_SIZES)
    hidden, kind = tables.layers.shape[1], min(2, known.signs.shape[1])
    weights = np.empty((GROUPS + 1, tables.first.shape[2], _INPUTS + hidden), np.int64)  # of each group, last of all
    mixer = _Mixer(
        np.empty((rows, NODES), np.uint16), np.empty((rows, NODES), np.uint8), weights,
        np.empty(_CONTEXTS, np.int64), np.empty(_INPUTS + hidden, np.int64),
    )  # fmt: skip
    mixer.stretched[_CONTEXTS + 1] = tables.constant
    inputs = np.empty(INPUT_COUNT, np.int64)
    cleared = np.zeros(rows, np.int64)  # planes up to the last that a row of statistics was cleared for
    history = _History(
        values, np.zeros((count, plane_count), np.int32), np.zeros(plane_count, np.int64),
        np.zeros(count, np.uint8), np.zeros(count, np.int64), last_above(known.cells, known.across),
    )  # fmt: skip
    terms = 2 + plane_count + known.signs.shape[1]
    location = _Regression(np.zeros(terms, np.int64), np.zeros(terms, np.int64), np.zeros(terms, np.int64))
    scatter = _Regression(np.zeros(terms, np.int64), np.zeros(terms, np.int64), np.zeros(terms, np.int64))
    stream = _Stream(first_interval(coded, decoding), coded)
    for k in range(plane_count):
        at = 0 if hidden == 0 else start_of(kind, k)
        if k == 0 or (hidden > 0 and kind == SHAPES):
            weights[:GROUPS], weights[GROUPS] = tables.first[at, 1], tables.first[at, 0]
        spent = 0  # sizes of the plane's values so far
        location.factors[:], location.memory[:] = 0, 65536
        location.factors[0] = 16384
        scatter.factors[:], scatter.memory[:] = 0, 0
        scatter.factors[0] = 131072
        if k > 0:
            total = 0
            for n in range(count):
                total += abs(values[n, k - 1])
            history.scales[k - 1] = (1 << 20) // (64 * total // count + 6)
        for n in range(count):
            near = _neighbourhood(n, k, known, history)
            mean = _expected(n, k, near.value, history, location)
            log_scale = _expected_scatter(n, k, near.off, known, history, scatter)
            scale = _power(log_scale + 1536)
            wide = max(_LEAST_SCALE, scale)
            _find_contexts(n, k, mean, log_scale, near.best, known, history, mixer.contexts, tables.starts)
            if hidden > 0:
                find_inputs(n, k, kind, mean, log_scale, near, spent, known, history, inputs)
                excite(inputs, tables.layers[at], mixer.stretched[_INPUTS:])
            _clear_new(mixer.contexts, k, cleared, mixer.statistics, mixer.counts)
            value, group = np.int64(values[n, k]), np.int64(known.groups[n])  # kernels are compiled for each type
            value = _code_value(value, mean, wide, group, mixer, stream, decoding, tables)
            error = _clamp(64 * value - mean, -_MEAN_LIMIT, _MEAN_LIMIT)
            values[n, k], history.off[n, k] = value, error
            spent += abs(value)
            history.longest[n] = max(history.longest[n], length_of(value))
            history.hashes[n] = (history.hashes[n] * 0x9E3779B1 + (value + 77) * 0x85EBCA6B) & 0xFFFFFFFF
            _learn_value(error, wide, k, location)
            _learn_scatter(error, scale, 2 + k + known.signs.shape[1], tables.shares[min(n, COUNT_LIMIT)], scatter)
            if not decoding and is_full(stream.interval, coded):
                return -1
    return finish(stream.interval, coded, decoding)
