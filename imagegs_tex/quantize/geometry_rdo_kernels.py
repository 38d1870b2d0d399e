"""The inner loops of :mod:`.geometry_rdo`, in numba: trials of one Gaussian after the other on patches of the picture.

For each: what its trials can reach is gathered into a patch, candidates are proposed one step away, each is evaluated
on the patch, and the best is committed to the codes and the picture.
"""

import math
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.jit import njit
from imagegs_tex.quantize.geometry_numba import box_of, conic_of, exponent_of, nearest_copy, nearest_position
from imagegs_tex.quantize.patch_kernels import (
    line_weights,
    list_groups,
    patch_error,
    patch_errors,
    patch_weights,
    room_for,
    split_line,
)  # fmt: skip

REACH: Final = 1.2
"""Patches are this much larger than a support, so that trials one step away still fit in."""
MARGIN: Final = 2.0
"""Texels added to a patch on every side."""
MOST_TEXELS: Final = 1 << 16
"""Of a patch that is worked on; on a GPU, a larger one takes longer than all others of its round."""


class Picture(NamedTuple):
    """What is drawn, and what it should be; the first two change."""

    sums: NDArray[np.float32]  # [H, W, K] of weighted features
    totals: NDArray[np.float32]  # [H, W] of weights, and EPSILON
    target: NDArray[np.float32]  # [H, W, K] times the next
    sqrt_weights: NDArray[np.float32]  # [H, W] roots of how much each texel's squared error counts


class Codes(NamedTuple):
    """What geometry codes mean, what they cost, and which ones are allowed."""

    steps: NDArray[np.float64]  # [3] of m, h, b
    log2_ratio: float  # of a position step to a Gaussian's own width
    least_exponent: int
    cell_log2: int
    prices: NDArray[np.float64]  # [3, P] bits of each shape code
    least: NDArray[np.int64]  # [3] the code that the first price is of
    bit_price: float  # squared error that one bit is worth
    least_size: float  # of m
    greatest_form: float  # length of (h, b)
    cutoff: float  # q at which a support ends
    cutoff_weight: np.float32  # exp of minus that
    size: tuple[int, int]  # of the picture, width and height
    wrap: tuple[bool, bool]  # whether it repeats in x and in y


class _Candidate(NamedTuple):
    """Where a Gaussian could be."""

    x: float
    y: float
    m: int  # codes
    h: int
    b: int
    conic: tuple[float, float, float]
    rate: float  # squared error that its bits are worth


@njit(cache=True, nogil=True)
def _copy(source, target, count):
    for i in range(count):
        target[i] = source[i]


@njit(cache=True, nogil=True)
def _copy_line(line, left, count, target):
    """Copy count texels of a row from column left on, which may be beyond its ends: the row repeats."""
    left %= line.shape[0]
    before = min(count, line.shape[0] - left)
    _copy(line[left:], target, before)
    _copy(line, target[before:], count - before)


@njit(cache=True, nogil=True)
def _add_line(weights, feature, left, count, total, line):
    """Add count weights to a row of totals [W], and times a feature [K] to a row [W, K], from column left on."""
    left %= total.shape[0]
    for i in range(count):
        column = left + i if left + i < total.shape[0] else left + i - total.shape[0]
        total[column] += weights[i]
        for k in range(feature.shape[0]):
            line[column, k] += weights[i] * feature[k]


@njit(cache=True, nogil=True)
def find_spans(x, y, code, steps, cutoff, left, top, columns, firsts, starts):
    """Fill, per row of a patch, the columns that a Gaussian with these shape codes and its trials can reach.

    A patch is a rectangle, and most texels of one around a slanted line lie in none of its trials' supports. Whole
    groups of eight, so that loops over them have no ends to tie up. firsts [R] count from left; starts [R + 1].
    """
    limit = 2.0 * cutoff * REACH * REACH
    rows = firsts.shape[0]
    lasts = np.full(rows, -1, np.int64)
    firsts[:] = columns
    for trial in range(7):
        axis, sign = (trial - 1) // 2, 1 - 2 * (trial % 2)
        m, h, s = code[0] * steps[0], code[1] * steps[1], code[2] * steps[2]
        if trial > 0 and axis == 0:
            m += sign * steps[0]
        elif trial > 0 and axis == 1:
            h += sign * steps[1]
        elif trial > 0:
            s += sign * steps[2]
        a, b, c = conic_of(m, h, s)
        slant = b / a
        for row in range(rows):
            dy = top + row + 0.5 - y
            inside = limit - max(c - b * slant, 0.0) * dy * dy
            if inside >= 0.0:
                middle, half = x - slant * dy - left - 0.5, math.sqrt(inside / a) + 0.5
                firsts[row] = min(firsts[row], max(0, math.floor(middle - half)))
                lasts[row] = max(lasts[row], min(columns - 1, math.ceil(middle + half)))
    starts[0] = 0
    for row in range(rows):
        length = min(columns, -(-max(0, lasts[row] - firsts[row] + 1) // 8) * 8)
        firsts[row] = min(firsts[row], columns - length)
        starts[row + 1] = starts[row] + length


@njit(cache=True, nogil=True)
def find_patches(means, codes, steps, cutoff, width, height, wrap, patches):
    """Fill patches [N, 4]: left, top, columns, rows of what a Gaussian's trials can reach; no rows where it rests."""
    for n in range(means.shape[0]):
        conic = conic_of(codes[n, 0] * steps[0], codes[n, 1] * steps[1], codes[n, 2] * steps[2])
        left, top, columns, rows = box_of(means[n, 0], means[n, 1], conic, cutoff, (width, height), wrap, REACH, MARGIN)
        if columns > width or rows > height or columns * rows > MOST_TEXELS:
            columns, rows = 0, 0
        patches[n, 0], patches[n, 1], patches[n, 2], patches[n, 3] = left, top, columns, rows


@njit(cache=True, nogil=True)
def sum_rows(means, codes, features, steps, cutoff, wrap, sums, totals, begin, end):
    """Add all Gaussians' weights and weighted features to the rows begin..end of totals [H, W] and sums [H, W, K]."""
    height, width = totals.shape
    cutoff_weight = np.float32(math.exp(-cutoff))
    weights = np.empty((1, width + 8), np.float32)
    for n in range(means.shape[0]):
        conic = conic_of(codes[n, 0] * steps[0], codes[n, 1] * steps[1], codes[n, 2] * steps[2])
        left, top, columns, rows = box_of(means[n, 0], means[n, 1], conic, cutoff, (width, height), wrap, 1.0, 0.0)
        for row in range(rows):
            place = (top + row) % height
            if place < begin or place >= end:
                continue
            for at in range(0, columns, width):  # a patch wider than the picture meets this row more than once
                count, corner = min(width, columns - at), (left + at, top + row)
                line_weights((means[n, 0], means[n, 1]), conic, cutoff_weight, corner, count, weights)
                _add_line(weights[0], features[n], left + at, count, totals[place], sums[place])


@njit(cache=True, nogil=True)
def _lies_within(first, count, band_first, band_last, size, repeats):
    """Whether count rows or columns from first on lie within a band."""
    if band_last - band_first == size:
        return True
    start = (first - band_first) % size if repeats else first - band_first
    return start >= 0 and start + count <= band_last - band_first


@njit(cache=True, nogil=True)
def refine_within(band, done, patches, means, codes, features, picture, allowed):
    """Refine those that are not done and whose patches [N, 4] lie within a band; all but the features change."""
    height, width, components = picture.sums.shape
    texels, rows = 0, 0
    for n in range(means.shape[0]):
        if not done[n]:
            texels, rows = max(texels, patches[n, 2] * patches[n, 3]), max(rows, patches[n, 3])
    patch = room_for(texels, rows, components)
    for n in range(means.shape[0]):
        left, top, columns, rows = patches[n, 0], patches[n, 1], patches[n, 2], patches[n, 3]
        if (
            done[n]
            or columns * rows == 0
            or not _lies_within(top, rows, band[0], band[1], height, allowed.wrap[1])
            or not _lies_within(left, columns, band[2], band[3], width, allowed.wrap[0])
        ):
            continue
        done[n] = True
        _refine(means[n], codes[n], features[n], (left, top, columns, rows), picture, allowed, patch)


@njit(cache=True, nogil=True)
def _refine(mean, code, feature, box, picture, allowed, patch):
    """Try x, y, m, h and b of one Gaussian one step up and down in turn; take what is cheapest."""
    corner, rows = (box[0], box[1]), box[3]
    count, groups = _gather(mean, code, box, picture, allowed, patch)
    lines, tried = patch.lines, patch.tried
    kept = _as_it_is(mean, code, allowed)
    place = (kept.x, kept.y)
    patch_weights(place, kept.conic, allowed.cutoff_weight, corner, lines, rows, groups, patch.texels.old, 0)
    _copy(patch.texels.old[0], tried[0], count)
    lowest = kept.rate + patch_error(patch, 0, feature, count)
    moved = False
    for axis in range(5):
        up_is_possible, up = _propose(kept, axis, 1, allowed)
        down_is_possible, down = _propose(kept, axis, -1, allowed)
        if up_is_possible:
            place = _beside(up, mean, allowed)
            patch_weights(place, up.conic, allowed.cutoff_weight, corner, lines, rows, groups, tried, 0)
        if down_is_possible:
            place = _beside(down, mean, allowed)
            patch_weights(place, down.conic, allowed.cutoff_weight, corner, lines, rows, groups, tried, 1)
        by_up, by_down = np.inf, np.inf
        if up_is_possible and down_is_possible:
            by_up, by_down = patch_errors(patch, feature, count)
        elif up_is_possible:
            by_up = patch_error(patch, 0, feature, count)
        elif down_is_possible:
            by_down = patch_error(patch, 1, feature, count)
        if up.rate + by_up < lowest:
            lowest, moved, kept = up.rate + by_up, True, up
        elif down.rate + by_down < lowest:
            lowest, moved, kept = down.rate + by_down, True, down
    if moved:
        place = _beside(kept, mean, allowed)
        patch_weights(place, kept.conic, allowed.cutoff_weight, corner, lines, rows, groups, tried, 0)
        _commit(kept, mean, code, feature, box, picture, patch)


@njit(cache=True, nogil=True)
def _gather(mean, code, box, picture, allowed, patch):
    """Copy what trials can reach of the picture into a patch; return how many texels and groups of eight that is."""
    left, top, columns, rows = box
    lines, texels = patch.lines, patch.texels
    firsts, starts = lines.firsts[:rows], lines.starts[: rows + 1]
    find_spans(mean[0], mean[1], code, allowed.steps, allowed.cutoff, left, top, columns, firsts, starts)
    for row in range(rows):
        place, at, first = (top + row) % picture.totals.shape[0], starts[row], left + firsts[row]
        length = starts[row + 1] - at
        _copy_line(picture.totals[place], first, length, texels.totals[0, at:])
        _copy_line(picture.sqrt_weights[place], first, length, texels.sqrt_weights[0, at:])
        split_line(picture.sums[place], first, length, texels.sums, at)
        split_line(picture.target[place], first, length, texels.target, at)
    return starts[rows], list_groups(lines, rows)


@njit(cache=True, nogil=True)
def _as_it_is(mean, code, allowed):
    """Return the candidate that a Gaussian is."""
    m, h, b = code[0], code[1], code[2]
    conic = conic_of(m * allowed.steps[0], h * allowed.steps[1], b * allowed.steps[2])
    exponents = _exponents(conic, allowed)
    return _Candidate(mean[0], mean[1], m, h, b, conic, _rate((m, h, b), exponents, allowed))


@njit(cache=True, nogil=True)
def _propose(kept, axis, sign, allowed):
    """Return whether one of x, y, m, h, b can move by a step, and the candidate if so; positions fit its new shape."""
    width, height = allowed.size
    codes = (kept.m + sign * (axis == 2), kept.h + sign * (axis == 3), kept.b + sign * (axis == 4))
    first, second, third = codes[0] - allowed.least[0], codes[1] - allowed.least[1], codes[2] - allowed.least[2]
    if min(first, second, third) < 0 or max(first, second, third) >= allowed.prices.shape[1]:
        return False, kept
    m, h, b = codes[0] * allowed.steps[0], codes[1] * allowed.steps[1], codes[2] * allowed.steps[2]
    if m < allowed.least_size or h * h + b * b > allowed.greatest_form * allowed.greatest_form:
        return False, kept
    conic = conic_of(m, h, b)
    x_exponent, y_exponent = _exponents(conic, allowed)
    x, y = kept.x, kept.y
    if axis == 0:
        x += sign * 2.0**x_exponent
    elif axis == 1:
        y += sign * 2.0**y_exponent
    if not allowed.wrap[0] and (x < 0 or x >= width):
        return False, kept
    if not allowed.wrap[1] and (y < 0 or y >= height):
        return False, kept
    x, y = (
        nearest_position(x, x_exponent, width, allowed.wrap[0]),
        nearest_position(y, y_exponent, height, allowed.wrap[1]),
    )
    rate = _rate(codes, (x_exponent, y_exponent), allowed)
    return True, _Candidate(x, y, codes[0], codes[1], codes[2], conic, rate)


@njit(cache=True, nogil=True)
def _exponents(conic, allowed):
    """log2 of the position steps in x and y."""
    least, most = allowed.least_exponent, allowed.cell_log2
    return (
        exponent_of(conic[0], allowed.log2_ratio, least, most), exponent_of(conic[2], allowed.log2_ratio, least, most)
    )  # fmt: skip


@njit(cache=True, nogil=True)
def _rate(codes, exponents, allowed):
    """Squared error that the bits of shape codes, and of positions in steps of these exponents, are worth."""
    prices, least = allowed.prices, allowed.least
    bits = prices[0, codes[0] - least[0]] + prices[1, codes[1] - least[1]] + prices[2, codes[2] - least[2]]
    return allowed.bit_price * (bits - exponents[0] - exponents[1])


@njit(cache=True, nogil=True)
def _beside(candidate, mean, allowed):
    """The copy of a candidate that lies nearest to where its Gaussian was."""
    return (
        nearest_copy(candidate.x, mean[0], allowed.size[0], allowed.wrap[0]),
        nearest_copy(candidate.y, mean[1], allowed.size[1], allowed.wrap[1]),
    )


@njit(cache=True, nogil=True)
def _commit(kept, mean, code, feature, box, picture, patch):
    """Move a Gaussian to where it is best, in its codes and in the picture; its weights there are the first tried."""
    left, top, _, rows = box
    lines, texels = patch.lines, patch.texels
    mean[0], mean[1] = kept.x, kept.y
    code[0], code[1], code[2] = kept.m, kept.h, kept.b
    for row in range(rows):
        place, at, first = (top + row) % picture.totals.shape[0], lines.starts[row], left + lines.firsts[row]
        length = lines.starts[row + 1] - at
        change = texels.old[0, at : at + length]
        for i in range(length):
            change[i] = patch.tried[0, at + i] - change[i]
        _add_line(change, feature, first, length, picture.totals[place], picture.sums[place])
