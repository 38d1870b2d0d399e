"""Improving geometry codes one by one, on rate and distortion together.

Rounding positions and shapes one Gaussian at a time ignores that its neighbours have been rounded too. Here every code
is tried one step up and one step down against the picture as it is, all else fixed, and moves where
``squared error + price * bits`` falls. A trial renders nothing but the patch of texels that the Gaussian reaches. Two
sweeps are worth 5 to 9 % of the bytes (docs/experiments/rounding.md).

The picture is cut into bands of rows that are worked on side by side. Gaussians whose patches cross a border between
bands follow in bands that are shifted by half, then in bands of columns, those shifted by half, and what fits into none
of these one after the other. So the result depends on no thread count.

Where the picture repeats, patches go on beyond its border, on the other side; the shifted bands do too. A Gaussian
whose patch is larger than the picture, so that it would meet itself, rests, and so does one above MOST_TEXELS.
"""

import math
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.formats.igs.quantized_set import EPSILON, least_exponent
from imagegs_tex.jit import njit
from imagegs_tex.quantize.feature_rdo import code_lengths
from imagegs_tex.quantize.geometry import GeometryQuantizer
from imagegs_tex.rasterize.backend import LOG2_E
from imagegs_tex.rasterize.cpu.exp2 import exp2_of_minus

_BAND: Final = 256
"""Rows or columns."""
REACH: Final = 1.2
"""Patches are this much larger than a support, so that trials one step away still fit in."""
MARGIN: Final = 2.0
"""Texels added to a patch on every side."""
MOST_TEXELS: Final = 1 << 16
"""Of a patch that is worked on; on a GPU, a larger one takes longer than all others of its round."""
_UNUSED_CODE_BITS: Final = 32.0

_Band = tuple[int, int, int, int]
"""First row, the one after the last, first column, the one after the last; beyond the picture where it repeats."""


def refine_geometry(
    means: NDArray[np.float64],
    shape_codes: NDArray[np.int16],
    features: NDArray[np.float32],
    image: NDArray[np.float32],
    quantizer: GeometryQuantizer,
    *,
    weights: NDArray[np.float32] | None = None,
    cutoff: float,
    bit_price: float,
    shape_limits: tuple[float, float],
    threads: int,
) -> tuple[NDArray[np.float64], NDArray[np.int16]]:
    """Try every position and shape code one step up and down, once.

    Args:
        means: [N, 2] as the file would hold them
        shape_codes: [N, 3]
        features: [N, K]
        image: the picture in component space [H, W, K]
        quantizer: steps
        weights: [H, W] how much each texel's squared error counts; None: 1
        cutoff: q at which a support ends
        bit_price: squared error that one bit is worth
        shape_limits: least m and greatest length of (h, b) that the fit allows
        threads: bands worked on at once

    Returns:
        means [N, 2] and shape codes [N, 3]
    """
    height, width, components = image.shape
    new_means, codes = means.copy(), shape_codes.astype(np.int64)
    prices, least = shape_prices(codes)
    steps = np.array([quantizer.size_step, quantizer.form_step, quantizer.form_step])
    features = np.ascontiguousarray(features, dtype=np.float32)
    patches = np.empty((len(means), 4), np.int64)
    _find_patches(means, codes, steps, cutoff, width, height, quantizer.wrap, patches)
    wanted, roots = np.ascontiguousarray(image), np.ones((height, width), np.float32)
    if weights is not None:
        np.sqrt(weights, out=roots)
        wanted = wanted * roots[:, :, None]
    sums, totals = np.zeros((height, width, components), np.float32), np.full((height, width), np.float32(EPSILON))
    done = np.zeros(len(means), np.bool_)

    def add_up(band: _Band) -> None:
        _sum_rows(means, codes, features, steps, cutoff, quantizer.wrap, sums, totals, band[0], band[1])

    def work(band: _Band) -> None:
        _refine_within(
            band, done, patches, new_means, codes, features, wanted, roots, sums, totals, quantizer.wrap, cutoff,
            steps, math.log2(quantizer.position_ratio), least_exponent(width, height), quantizer.cell_log2, prices,
            least, bit_price, *shape_limits,
        )  # fmt: skip

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(add_up, [(first, last, 0, width) for first, last in _bands(height, _BAND, repeats=False)]))
        for bands in _passes(width, height, quantizer.wrap):
            list(pool.map(work, bands))
    return new_means, codes.astype(np.int16)


def shape_prices(codes: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the bits [3, P] of each code of shape codes [N, 3] by their statistics, and the codes [3] of the first."""
    least = codes.min(axis=0) - 1
    lengths = [code_lengths(codes[:, axis], int(least[axis])) for axis in range(3)]
    prices = np.full((3, max(map(len, lengths))), _UNUSED_CODE_BITS)
    for axis, bits in enumerate(lengths):
        prices[axis, : len(bits)] = bits
    return prices, least


def _passes(width: int, height: int, wrap: tuple[bool, bool]) -> list[list[_Band]]:
    """Return bands by pass."""
    rows = [[(*band, 0, width) for band in _bands(height, first, wrap[1])] for first in (_BAND, _BAND // 2)]
    columns = [[(0, height, *band) for band in _bands(width, first, wrap[0])] for first in (_BAND, _BAND // 2)]
    return [*rows, *columns, [(0, height, 0, width)]]


def _bands(size: int, first: int, repeats: bool) -> list[tuple[int, int]]:
    """Return where bands begin and end, the first border given; shifted ones of a picture that repeats go beyond it."""
    borders = list(range(first, size, _BAND))
    if repeats and first < _BAND and borders:
        return list(pairwise([*borders, borders[0] + size]))
    return list(pairwise([0, *borders, size]))


@njit(cache=True, nogil=True)
def _conic(m, h, b):
    r = math.sqrt(h * h + b * b)
    s = math.sinh(r) / r if r > 0 else 1.0
    scale = math.exp(-m)
    return scale * (math.cosh(r) - h * s), -scale * b * s, scale * (math.cosh(r) + h * s)


@njit(cache=True, nogil=True)
def _copy(source, target, count):
    for i in range(count):
        target[i] = source[i]


@njit(cache=True, nogil=True)
def _exponent(coefficient, log2_ratio, least, cell_log2):
    return min(float(cell_log2), max(float(least), np.rint(log2_ratio - 0.5 * math.log2(coefficient))))


@njit(cache=True, nogil=True)
def _nearest(value, exponent, size, repeats):
    step = 2.0**exponent
    last = max(math.ceil(size / step - 0.5) - 1.0, 0.0)
    if repeats:
        value %= size
        if 2.0 * value > size + (last + 1.0) * step:
            return 0.5 * step
    return (min(max(math.floor(value / step), 0.0), last) + 0.5) * step


@njit(cache=True, nogil=True)
def _copy_line(line, left, count, target):
    """Copy count texels of a row from column left on, which may be beyond its ends: the row repeats."""
    left %= line.shape[0]
    before = min(count, line.shape[0] - left)
    _copy(line[left:], target, before)
    _copy(line, target[before:], count - before)


@njit(cache=True, nogil=True)
def _split_line(line, left, count, planes, at):
    """Copy count texels of a row [W, K] from column left on, which may be beyond its ends, to planes [K, P] from at on.

    Pictures keep a texel's components together: from planes, a patch was scattered over memory, and gathering it took
    longer than all of its trials.
    """
    left %= line.shape[0]
    before = min(count, line.shape[0] - left)
    for k in range(line.shape[1]):
        plane = planes[k, at : at + count]
        for i in range(before):
            plane[i] = line[left + i, k]
        for i in range(count - before):
            plane[before + i] = line[i, k]


@njit(cache=True, nogil=True)
def _add_line(weights, feature, left, count, total, line):
    """Add count weights to a row of totals [W], and times a feature [K] to a row [W, K], from column left on."""
    left %= total.shape[0]
    for i in range(count):
        column = left + i if left + i < total.shape[0] else left + i - total.shape[0]
        total[column] += weights[i]
        for k in range(feature.shape[0]):
            line[column, k] += weights[i] * feature[k]


@njit(cache=True, nogil=True, fastmath=True)
def _patch_weights(x, y, a, b, c, edge, left, top, firsts, starts, weights):
    """Fill the weights of a patch's rows, each from column left + firsts[row] on, at starts[row] to starts[row + 1]."""
    # the square is completed, as in the rasterizer: nothing cancels for thin Gaussians
    slant = b / a
    across = np.float32(0.5 * LOG2_E * a)
    along = np.float32(0.5 * LOG2_E * max(c - b * slant, 0.0))
    for row in range(firsts.shape[0]):
        dy = top + row + 0.5 - y
        start, constant = np.float32(left + firsts[row] + 0.5 - x + slant * dy), along * np.float32(dy * dy)
        line = weights[starts[row] : starts[row + 1]]
        for i in range(line.shape[0]):
            u = start + np.float32(i)
            line[i] = max(exp2_of_minus(across * u * u + constant) - edge, np.float32(0.0))


@njit(cache=True, nogil=True)
def _find_spans(x, y, code, steps, cutoff, left, top, columns, firsts, starts):
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
        a, b, c = _conic(m, h, s)
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


@njit(cache=True, nogil=True, fastmath=True)
def _patch_error(weights, old, totals, sums, wanted, roots, feature, count, change, scale, limit):
    """Squared error of a patch once one Gaussian's weights are the given ones; beyond the limit, any number above.

    roots are those of the texels' importance; what is wanted has been multiplied by them.
    """
    for i in range(count):
        change[i] = weights[i] - old[i]
    for i in range(count):
        scale[i] = roots[i] / (totals[i] + change[i])
    error = np.float64(0.0)
    for k in range(feature.shape[0]):
        f, s, t = feature[k], sums[k], wanted[k]
        part = np.float32(0.0)
        for i in range(count):
            difference = (s[i] + change[i] * f) * scale[i] - t[i]
            part += difference * difference
        error += part
        if error > limit:
            break
    return error


@njit(cache=True, nogil=True)
def _find_patches(means, codes, steps, cutoff, width, height, wrap, patches):
    """Fill patches [N, 4]: left, top, columns, rows of what a Gaussian's trials can reach; no rows where it rests."""
    for n in range(means.shape[0]):
        a, b, c = _conic(codes[n, 0] * steps[0], codes[n, 1] * steps[1], codes[n, 2] * steps[2])
        left, top, columns, rows = _patch(means[n, 0], means[n, 1], a, b, c, cutoff, width, height, wrap, REACH, MARGIN)
        if columns > width or rows > height or columns * rows > MOST_TEXELS:
            columns, rows = 0, 0
        patches[n, 0], patches[n, 1], patches[n, 2], patches[n, 3] = left, top, columns, rows


@njit(cache=True, nogil=True)
def _sum_rows(means, codes, features, steps, cutoff, wrap, sums, totals, begin, end):
    """Add all Gaussians' weights and weighted features to the rows begin..end of totals [H, W] and sums [H, W, K]."""
    height, width = totals.shape
    edge = np.float32(math.exp(-cutoff))
    weights, firsts, starts = np.empty(width, np.float32), np.zeros(1, np.int64), np.zeros(2, np.int64)
    for n in range(means.shape[0]):
        a, b, c = _conic(codes[n, 0] * steps[0], codes[n, 1] * steps[1], codes[n, 2] * steps[2])
        left, top, columns, rows = _patch(means[n, 0], means[n, 1], a, b, c, cutoff, width, height, wrap, 1.0, 0.0)
        for row in range(rows):
            place = (top + row) % height
            if place < begin or place >= end:
                continue
            for at in range(0, columns, width):  # a patch wider than the picture meets this row more than once
                starts[1] = min(width, columns - at)
                _patch_weights(means[n, 0], means[n, 1], a, b, c, edge, left + at, top + row, firsts, starts, weights)
                _add_line(weights, features[n], left + at, starts[1], totals[place], sums[place])


@njit(cache=True, nogil=True)
def _lies_within(first, count, band_first, band_last, size, repeats):
    """Whether count rows or columns from first on lie within a band."""
    if band_last - band_first == size:
        return True
    start = (first - band_first) % size if repeats else first - band_first
    return start >= 0 and start + count <= band_last - band_first


@njit(cache=True, nogil=True)
def _refine_within(
    band,
    done,
    patches,
    means,
    codes,
    features,
    all_wanted,
    all_roots,
    sums,
    totals,
    wrap,
    cutoff,
    steps,
    log2_ratio,
    least_exp,
    cell_log2,
    prices,
    least,
    bit_price,
    least_size,
    greatest_form,
):
    """Refine those that are not done and whose patches lie within a band; done, codes, means and sums change."""
    height, width, components = sums.shape
    edge = np.float32(math.exp(-cutoff))
    area, most_rows = 0, 0
    for n in range(means.shape[0]):
        if not done[n]:
            area = max(area, patches[n, 2] * patches[n, 3])
            most_rows = max(most_rows, patches[n, 3])
    all_firsts, all_starts = np.empty(most_rows, np.int64), np.empty(most_rows + 1, np.int64)
    old, tried, best = np.empty(area, np.float32), np.empty(area, np.float32), np.empty(area, np.float32)
    change, scale, totals_here = np.empty(area, np.float32), np.empty(area, np.float32), np.empty(area, np.float32)
    roots = np.empty(area, np.float32)
    sums_here, wanted = np.empty((components, area), np.float32), np.empty((components, area), np.float32)
    for n in range(means.shape[0]):
        left, top, columns, rows = patches[n, 0], patches[n, 1], patches[n, 2], patches[n, 3]
        if (
            done[n]
            or columns * rows == 0
            or not _lies_within(top, rows, band[0], band[1], height, wrap[1])
            or not _lies_within(left, columns, band[2], band[3], width, wrap[0])
        ):
            continue
        c0, c1, c2 = codes[n, 0], codes[n, 1], codes[n, 2]
        a, b, c = _conic(c0 * steps[0], c1 * steps[1], c2 * steps[2])
        done[n] = True
        firsts, starts = all_firsts[:rows], all_starts[: rows + 1]
        _find_spans(means[n, 0], means[n, 1], codes[n], steps, cutoff, left, top, columns, firsts, starts)
        count = starts[rows]
        for row in range(rows):
            place, at, first, length = (
                (top + row) % height,
                starts[row],
                left + firsts[row],
                starts[row + 1] - starts[row],
            )
            _copy_line(totals[place], first, length, totals_here[at:])
            _copy_line(all_roots[place], first, length, roots[at:])
            _split_line(sums[place], first, length, sums_here, at)
            _split_line(all_wanted[place], first, length, wanted, at)
        _patch_weights(means[n, 0], means[n, 1], a, b, c, edge, left, top, firsts, starts, old)
        _copy(old, best, count)
        x_exp, y_exp = _exponent(a, log2_ratio, least_exp, cell_log2), _exponent(c, log2_ratio, least_exp, cell_log2)
        bits = prices[0, c0 - least[0]] + prices[1, c1 - least[1]] + prices[2, c2 - least[2]] - x_exp - y_exp
        lowest = bit_price * bits + _patch_error(
            old, old, totals_here, sums_here, wanted, roots, features[n], count, change, scale, np.inf
        )
        best_x, best_y, b0, b1, b2 = means[n, 0], means[n, 1], c0, c1, c2
        moved, last_moved_axis = False, -1
        for trial in range(10):
            axis, sign = trial // 2, 1 - 2 * (trial % 2)
            if axis == last_moved_axis:
                continue  # one step up was better, so one step down is not
            t0, t1, t2, x, y = b0, b1, b2, best_x, best_y
            if axis == 2:
                t0 += sign
            elif axis == 3:
                t1 += sign
            elif axis == 4:
                t2 += sign
            i0, i1, i2 = t0 - least[0], t1 - least[1], t2 - least[2]
            if min(i0, i1, i2) < 0 or max(i0, i1, i2) >= prices.shape[1]:
                continue
            m, h, s = t0 * steps[0], t1 * steps[1], t2 * steps[2]
            if m < least_size or h * h + s * s > greatest_form * greatest_form:
                continue
            a, b, c = _conic(m, h, s)
            x_exp = _exponent(a, log2_ratio, least_exp, cell_log2)
            y_exp = _exponent(c, log2_ratio, least_exp, cell_log2)
            if axis == 0:
                x += sign * 2.0**x_exp
            elif axis == 1:
                y += sign * 2.0**y_exp
            if not wrap[0] and (x < 0 or x >= width):
                continue
            if not wrap[1] and (y < 0 or y >= height):
                continue
            x, y = _nearest(x, x_exp, width, wrap[0]), _nearest(y, y_exp, height, wrap[1])
            _patch_weights(
                _image_near(x, means[n, 0], width, wrap[0]), _image_near(y, means[n, 1], height, wrap[1]), a, b, c,
                edge, left, top, firsts, starts, tried,
            )  # fmt: skip
            rate = bit_price * (prices[0, i0] + prices[1, i1] + prices[2, i2] - x_exp - y_exp)
            cost = rate + _patch_error(
                tried, old, totals_here, sums_here, wanted, roots, features[n], count, change, scale, lowest - rate
            )
            if cost < lowest:
                lowest, moved, last_moved_axis = cost, True, axis
                best_x, best_y, b0, b1, b2 = x, y, t0, t1, t2
                _copy(tried, best, count)
        if not moved:
            continue
        means[n, 0], means[n, 1] = best_x, best_y
        codes[n, 0], codes[n, 1], codes[n, 2] = b0, b1, b2
        for row in range(rows):
            place, at, first, length = (
                (top + row) % height,
                starts[row],
                left + firsts[row],
                starts[row + 1] - starts[row],
            )
            for i in range(length):
                change[i] = best[at + i] - old[at + i]
            _add_line(change, features[n], first, length, totals[place], sums[place])


@njit(cache=True, nogil=True)
def _image_near(position, other, size, repeats):
    """Position, or the image of it that is nearest to another."""
    return position + size * np.rint((other - position) / size) if repeats else position


@njit(cache=True, nogil=True)
def _patch(x, y, a, b, c, cutoff, width, height, wrap, reach, margin):
    """Left, top, columns and rows of the texels that a support, stretched a little, can reach.

    Where the picture repeats they go on beyond its border, and may be more than it has.
    """
    determinant = max(a * c - b * b, 1e-9 * a * c)
    half_width = reach * math.sqrt(2.0 * cutoff * c / determinant) + margin
    half_height = reach * math.sqrt(2.0 * cutoff * a / determinant) + margin
    left, right = math.floor(x - half_width - 0.5), math.floor(x + half_width - 0.5)
    top, bottom = math.floor(y - half_height - 0.5), math.floor(y + half_height - 0.5)
    if not wrap[0]:
        left, right = max(0, left), min(width - 1, right)
    if not wrap[1]:
        top, bottom = max(0, top), min(height - 1, bottom)
    return left, top, max(0, right - left + 1), max(0, bottom - top + 1)
