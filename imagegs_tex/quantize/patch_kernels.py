"""The inner loops of :mod:`.geometry_rdo_kernels`: weights in a patch of the picture, and what the patch is off by.

With vectors of :mod:`imagegs_tex.rasterize.cpu.simd`: what LLVM made of loops over arrays turned every column's number
into a float on its own, and ended each row's loop at a length that no processor foresees. Errors are summed up in the
order that it gave their loop over a patch, so that codes are those of before: 32 texels at a time, in four vectors.

Two candidates at a time, up and down: a patch of 1,800 texels and nine components is 130 KB, too much for the first
cache, and going through it once instead of twice takes half the time. A sweep over brick_wall_017 (8,426 Gaussians, one
thread of a Zen 4) takes 510 ms, 730 before these.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.jit import REORDERED, aligned, njit
from imagegs_tex.rasterize.backend import LOG2_E
from imagegs_tex.rasterize.cpu.simd import (
    add,
    broadcast_4,
    broadcast_8,
    divide,
    exp2_of_minus,
    first_of_4,
    load_4,
    load_8,
    multiply,
    multiply_add,
    reduce_add,
    store,
    subtract,
    transpose_8,
    where_positive,
)  # fmt: skip

_AT_ONCE: Final = 32
"""Texels in four vectors."""
_CHUNK: Final = 512
"""Texels whose changes and scales stay in the first cache while all components are gone through."""
_COLUMNS: Final = np.arange(8, dtype=np.float32)[None]


class Texels(NamedTuple):
    """The texels of a patch, P one after the other, as the picture has them while its Gaussian stays."""

    old: NDArray[np.float32]  # [1, P] the Gaussian's weights
    totals: NDArray[np.float32]  # [1, P] and the next three: the picture's
    sqrt_weights: NDArray[np.float32]  # [1, P]
    sums: NDArray[np.float32]  # [K, P]
    target: NDArray[np.float32]  # [K, P]


class Lines(NamedTuple):
    """The rows of a patch, R of them, and G groups of eight texels that cover their spans."""

    firsts: NDArray[np.int64]  # [R] first column of each row's span, counted from the patch's left
    starts: NDArray[np.int64]  # [R + 1] where each span begins among the texels
    group_rows: NDArray[np.int32]  # [G]
    group_starts: NDArray[np.int32]  # [G] where each group begins among the texels
    group_columns: NDArray[np.float32]  # [G] counted from where the row's span begins
    distances: NDArray[np.float32]  # [R] of each span's beginning from a Gaussian's line, scratch
    constants: NDArray[np.float32]  # [R] what a row adds to all exponents, scratch


class Patch(NamedTuple):
    """Room for what lies around one Gaussian."""

    lines: Lines
    texels: Texels
    tried: NDArray[np.float32]  # [2, P] the weights of two candidates
    changes: NDArray[np.float32]  # [2, _CHUNK] by how much they differ from the old ones
    scales: NDArray[np.float32]  # [2, _CHUNK] what they divide sums by
    parts: NDArray[np.float32]  # [K, 2 * _AT_ONCE] of both candidates' errors


@njit(cache=True, nogil=True)
def room_for(texels, rows, components):
    """Return room for patches of so many texels and rows, and eight texels more."""
    texels = (texels + 8 + 15) // 16 * 16
    groups = texels // 8 + rows
    # arrays of their own: rows of one would not begin where a vector does
    lines = Lines(
        np.empty(rows, np.int64), np.empty(rows + 1, np.int64), np.empty(groups, np.int32), np.empty(groups, np.int32),
        np.empty(groups, np.float32), np.empty(rows, np.float32), np.empty(rows, np.float32),
    )  # fmt: skip
    own = Texels(
        aligned(1, texels), aligned(1, texels), aligned(1, texels), aligned(components, texels),
        aligned(components, texels),
    )  # fmt: skip
    return Patch(
        lines, own, aligned(2, texels), aligned(2, _CHUNK), aligned(2, _CHUNK), aligned(components, 2 * _AT_ONCE)
    )  # fmt: skip


@njit(cache=True, nogil=True)
def list_groups(lines, rows):
    """Fill the groups of the first rows of a patch, whose spans are known, and return how many there are."""
    count = 0
    for row in range(rows):
        for column in range(0, lines.starts[row + 1] - lines.starts[row], 8):
            lines.group_rows[count] = row
            lines.group_starts[count] = lines.starts[row] + column
            lines.group_columns[count] = column
            count += 1
    return count


@njit(fastmath=REORDERED, inline="always")
def _eight_weights(start, constant, column, across, cutoff_weight):
    """Return the weights of eight texels from a column on, start being the first one's distance."""
    u = add(broadcast_8(start), add(load_8(_COLUMNS, 0, 0), broadcast_8(column)))
    t = multiply_add(multiply(u, u), broadcast_8(across), broadcast_8(constant))
    weight = add(exp2_of_minus(t), broadcast_8(-cutoff_weight))
    return where_positive(weight, weight)


@njit(fastmath=REORDERED, inline="always")
def _square_of(conic):
    """Return factors of u^2 and dy^2, and the slant: the square is completed, as in the rasterizer.

    So nothing cancels for thin Gaussians.
    """
    a, b, c = conic
    slant = b / a
    return np.float32(0.5 * LOG2_E * a), np.float32(0.5 * LOG2_E * max(c - b * slant, 0.0)), slant


@njit(cache=True, nogil=True, fastmath=REORDERED)
def patch_weights(place, conic, cutoff_weight, corner, lines, rows, groups, weights, index):
    """Fill row index of weights [_, P] with those of a Gaussian at a place, in the first rows of a patch.

    The last group of a row may write beyond it, where the next row's own are written afterwards.
    """
    (x, y), (left, top) = place, corner
    across, along, slant = _square_of(conic)
    for row in range(rows):
        dy = np.float64(top + row) + (0.5 - y)
        lines.distances[row] = np.float32(np.float64(left + lines.firsts[row]) + (0.5 - x) + slant * dy)
        lines.constants[row] = along * np.float32(dy * dy)
    for group in range(groups):
        row, at = lines.group_rows[group], np.int64(lines.group_starts[group])
        weight = _eight_weights(
            lines.distances[row], lines.constants[row], lines.group_columns[group], across, cutoff_weight
        )  # fmt: skip
        store(weights, index, at, weight)


@njit(cache=True, nogil=True, fastmath=REORDERED)
def line_weights(place, conic, cutoff_weight, corner, count, weights):
    """Fill weights [1, P] with count of those of a Gaussian in one row of texels, from a corner (left, top) on."""
    (x, y), (left, top) = place, corner
    across, along, slant = _square_of(conic)
    dy = np.float64(top) + (0.5 - y)
    start, constant = np.float32(np.float64(left) + (0.5 - x) + slant * dy), along * np.float32(dy * dy)
    for column in range(0, count, 8):
        store(weights, 0, column, _eight_weights(start, constant, np.float32(column), across, cutoff_weight))


@njit(cache=True, nogil=True)
def split_line(line, left, count, planes, at):
    """Copy count texels of a row [W, K] from column left on, which may be beyond its ends, to planes [K, P] from at on.

    Pictures keep a texel's components together: from planes, a patch was scattered over memory, and gathering it took
    longer than all of its trials.
    """
    left %= line.shape[0]
    before = min(count, line.shape[0] - left)
    _split(line, left, before, planes, at)
    _split(line, 0, count - before, planes, at + before)


@njit(cache=True, nogil=True)
def _split(line, left, count, planes, at):
    """Do the same within a row: squares of eight texels and eight components, number by number what is left.

    All number by number took twice as long.
    """
    components = line.shape[1]
    whole = count - count % 8 if components >= 8 else 0
    for i in range(0, whole, 8):
        for k in range(0, components - 8, 8):
            transpose_8(line, left + i, k, planes, k, at + i)
        transpose_8(line, left + i, components - 8, planes, components - 8, at + i)
    for k in range(components):
        plane = planes[k, at : at + count]
        for i in range(whole, count):
            plane[i] = line[left + i, k]


@njit(fastmath=REORDERED, inline="always")
def _compare(patch, which, begin, end):
    """Fill a candidate's changes and scales of texels begin..end, eight at a time."""
    texels = patch.texels
    for i in range(begin, end, 8):
        change = subtract(load_8(patch.tried, which, i), load_8(texels.old, 0, i))
        store(patch.changes, which, i - begin, change)
        scale = divide(load_8(texels.sqrt_weights, 0, i), add(load_8(texels.totals, 0, i), change))
        store(patch.scales, which, i - begin, scale)


@njit(fastmath=REORDERED, inline="always")
def _plus_squares(part, patch, which, k, at, begin, f):
    """Return a sum with the squares of what eight texels are off by in a component, f being the Gaussian's, added."""
    sums, target = load_8(patch.texels.sums, k, at), load_8(patch.texels.target, k, at)
    change, scale = load_8(patch.changes, which, at - begin), load_8(patch.scales, which, at - begin)
    off = subtract(multiply(multiply_add(change, f, sums), scale), target)
    return multiply_add(off, off, part)


@njit(fastmath=REORDERED, inline="always")
def _rest(part, patch, which, k, begin, count, feature):
    """Return a sum with the squares of the last texels added, from begin to count: four at a time, then one by one."""
    sums, target = patch.texels.sums, patch.texels.target
    whole = count - (count - begin) % 4
    if whole > begin:
        four = first_of_4(part)
        for at in range(begin, whole, 4):
            change, scale = load_4(patch.changes, which, at - begin), load_4(patch.scales, which, at - begin)
            moved = multiply_add(change, broadcast_4(feature), load_4(sums, k, at))
            off = subtract(multiply(moved, scale), load_4(target, k, at))
            four = multiply_add(off, off, four)
        part = reduce_add(four)
    for at in range(whole, count):
        change, scale = patch.changes[which, at - begin], patch.scales[which, at - begin]
        difference = (sums[k, at] + change * feature) * scale - target[k, at]
        part += difference * difference
    return part


@njit(fastmath=REORDERED, inline="always")
def _total(patch, which, feature, begin, count):
    """Return a candidate's squared error: of the parts of whole vectors, and of the texels from begin to count."""
    _compare(patch, which, begin, count)
    error, first = np.float64(0.0), which * _AT_ONCE
    for k in range(feature.shape[0]):
        one = add(load_8(patch.parts, k, first), load_8(patch.parts, k, first + 8))
        other = add(load_8(patch.parts, k, first + 16), load_8(patch.parts, k, first + 24))
        error += _rest(reduce_add(add(one, other)), patch, which, k, begin, count, feature[k])
    return error


@njit(cache=True, nogil=True, fastmath=REORDERED)
def patch_error(patch, which, feature, count):
    """Return the squared error of a patch of count texels once its Gaussian's weights are one of those tried."""
    whole, first = count - count % _AT_ONCE, which * _AT_ONCE
    patch.parts[:] = np.float32(0.0)
    for begin in range(0, whole, _CHUNK):
        end = min(begin + _CHUNK, whole)
        _compare(patch, which, begin, end)
        for k in range(feature.shape[0]):
            f, parts = broadcast_8(feature[k]), patch.parts
            a0, a1 = load_8(parts, k, first), load_8(parts, k, first + 8)
            a2, a3 = load_8(parts, k, first + 16), load_8(parts, k, first + 24)
            for at in range(begin, end, _AT_ONCE):
                a0 = _plus_squares(a0, patch, which, k, at, begin, f)
                a1 = _plus_squares(a1, patch, which, k, at + 8, begin, f)
                a2 = _plus_squares(a2, patch, which, k, at + 16, begin, f)
                a3 = _plus_squares(a3, patch, which, k, at + 24, begin, f)
            store(parts, k, first, a0)
            store(parts, k, first + 8, a1)
            store(parts, k, first + 16, a2)
            store(parts, k, first + 24, a3)
    return _total(patch, which, feature, whole, count)


@njit(cache=True, nogil=True, fastmath=REORDERED)
def patch_errors(patch, feature, count):
    """Return the same of both that are tried, for which the picture is gone through once."""
    whole = count - count % _AT_ONCE
    patch.parts[:] = np.float32(0.0)
    for begin in range(0, whole, _CHUNK):
        end = min(begin + _CHUNK, whole)
        _compare(patch, 0, begin, end)
        _compare(patch, 1, begin, end)
        for k in range(feature.shape[0]):
            f, parts = broadcast_8(feature[k]), patch.parts
            a0, a1, a2, a3 = load_8(parts, k, 0), load_8(parts, k, 8), load_8(parts, k, 16), load_8(parts, k, 24)
            b0, b1, b2, b3 = load_8(parts, k, 32), load_8(parts, k, 40), load_8(parts, k, 48), load_8(parts, k, 56)
            for at in range(begin, end, _AT_ONCE):
                a0 = _plus_squares(a0, patch, 0, k, at, begin, f)
                b0 = _plus_squares(b0, patch, 1, k, at, begin, f)
                a1 = _plus_squares(a1, patch, 0, k, at + 8, begin, f)
                b1 = _plus_squares(b1, patch, 1, k, at + 8, begin, f)
                a2 = _plus_squares(a2, patch, 0, k, at + 16, begin, f)
                b2 = _plus_squares(b2, patch, 1, k, at + 16, begin, f)
                a3 = _plus_squares(a3, patch, 0, k, at + 24, begin, f)
                b3 = _plus_squares(b3, patch, 1, k, at + 24, begin, f)
            store(parts, k, 0, a0)
            store(parts, k, 8, a1)
            store(parts, k, 16, a2)
            store(parts, k, 24, a3)
            store(parts, k, 32, b0)
            store(parts, k, 40, b1)
            store(parts, k, 48, b2)
            store(parts, k, 56, b3)
    return _total(patch, 0, feature, whole, count), _total(patch, 1, feature, whole, count)
