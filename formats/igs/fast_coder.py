"""Codec 4, integer codes by one decision for most: docs/igs-format.md, "Fast coding", in code.

What is expected of a value, the mean of like neighbours and the logarithm of how far it may be off, is worked out from
what is known, by trained factors, and nothing of it is learnt. It is the first of five contexts whose distributions
code the value (:mod:`.fast_symbols`). A context begins as the distribution of the expectation is at that time, and that
one as a logistic distribution.

Symbols instead of yes-or-no decisions, four a value, halve the time: docs/experiments/entropy-coding.md.
"""

from collections import namedtuple
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.formats.igs.binary_model import GROUPS, STRETCH_LIMIT, length_of, sign_of
from imagegs_tex.formats.igs.cell_density import log_densities, logarithm
from imagegs_tex.formats.igs.coded_frame import decode_frame, encode_frame
from imagegs_tex.formats.igs.fast_start import FACTORS, INPUTS, SECONDS
from imagegs_tex.formats.igs.fast_symbols import (
    CONTEXTS,
    MOST_STEPS,
    PLACES,
    SHARES,
    SIZES,
    Stream,
    begin_stream,
    code_value,
    find_rows,
    finish_stream,
    first_distributions,
    new_model,
)
from imagegs_tex.jit import njit

NEIGHBOURS: Final = 8
REACH: Final = 2
MOST_PER_CELL: Final = 4
PLANES_COMPARED: Final = 3
HALF_PLACES: Final = PLACES // 2 + 1
CONTEXT_SIZES: Final = (SIZES * PLACES, GROUPS * HALF_PLACES, 975, 81 * SIZES // 2, 27 * SIZES)
"""Of sections shapes and features; those of section cells are smaller and lie in the same tables."""
_MOST_VALUE: Final = 32767

_Items = namedtuple("_Items", "neighbours bases groups extras")
_Tables = namedtuple("_Tables", "starts nearness shares prior seconds")
_Known = namedtuple("_Known", "inputs unlike weights like trits sums offs")


_TABLES: Final = _Tables(
    np.concatenate([[0], np.cumsum(CONTEXT_SIZES)]).astype(np.int64),
    np.array([min(65535, (1 << 22) // max(4, i) ** 3) for i in range(256)], np.int64),
    SHARES, first_distributions(), SECONDS,
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
    stream = Stream(np.zeros(3, np.int64), coded, np.zeros(0 if decoding else MOST_STEPS * len(values), np.int64))
    model, others = new_model(tables), np.zeros(CONTEXTS - 1, np.int64)
    begin_stream(stream, decoding)
    density = _clamp(logarithm(64 * gaussian_count // values.shape[0] + 8) - 600, STRETCH_LIMIT)
    off = factors[1] * density + factors[7] * 256
    for n in range(values.shape[0]):
        near_value, near_size, left, further, up, higher, before, after = _look_at_cells(n, values, across)
        others[0] = min(max(left + 3, 0), 7) * 8 + min(max(up + 3, 0), 7)
        others[1] = min(max(before + after + 4, 0), 12) * 13 + min(max(left + up + 4, 0), 12)
        others[2] = min(max(left + further + 4, 0), 8) * 9 + min(max(up + higher + 4, 0), 8)
        others[3] = min(max((near_value >> 5) + 20, 0), 60)
        steps = _steps_of(near_value, near_size, off, factors[0])
        find_rows(steps, others, 1, model, tables)
        values[n] = code_value(np.int64(values[n]), model, stream, decoding, tables.shares)
    return finish_stream(stream, decoding)


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
    stream = Stream(np.zeros(3, np.int64), coded, np.zeros(0 if decoding else MOST_STEPS * values.size, np.int64))
    model, others = new_model(tables), np.zeros(CONTEXTS - 1, np.int64)
    known = _begin_known(items, count)
    begin_stream(stream, decoding)
    for k in range(plane_count):
        own = factors[sets[k]]
        _prepare_plane(values, k, items, known, own, tables)
        for n in range(count):
            near_value, near_size = _look_around(n, k, values, items, known.weights)
            steps = _steps_of(near_value, near_size, known.offs[n], own[0])
            _find_others(n, k, steps, values, items, known, others)
            find_rows(steps, others, k + 1, model, tables)
            values[n, k] = code_value(np.int64(values[n, k]), model, stream, decoding, tables.shares)
    return finish_stream(stream, decoding)
