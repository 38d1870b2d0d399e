"""Improving geometry codes one by one, on rate and distortion together.

Rounding positions and shapes one Gaussian at a time ignores that its neighbours have been rounded too. Here every code
is tried one step up and one step down against the picture as it is, all else fixed, and moves where
``squared error + price * bits`` falls. A trial renders nothing but the patch of texels that the Gaussian reaches. Two
sweeps are worth 5 to 9 % of the bytes (docs/benchmarks.md).

The picture is cut into bands of rows that are worked on side by side. Gaussians whose patches cross a border between
bands follow in bands that are shifted by half, and those that do not fit into these either in one that is the whole
picture. So the result depends on no thread count.

Where the picture repeats, patches go on beyond its border, on the other side; the shifted bands do too. A Gaussian
whose patch is larger than the picture, so that it would meet itself, rests, and so does one above MOST_TEXELS.
"""

import math
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from imagegs_tex.feature_codes import code_lengths
from imagegs_tex.formats import gaussians as g
from imagegs_tex.formats.gaussians import EPSILON, least_exponent
from imagegs_tex.quantize import GeometryQuantizer
from imagegs_tex.rasterize.cpu_kernels import exp2_of_minus

BAND_ROWS: Final = 256
_LOG2_E: Final = 1.4426950408889634
REACH: Final = 1.2
"""Patches are this much larger than a support, so that trials one step away still fit in."""
MARGIN: Final = 2.0
"""Texels added to a patch on every side."""
MOST_TEXELS: Final = 1 << 16
"""Of a patch that is worked on; on a GPU, a larger one takes longer than all others of its round."""
_UNUSED_CODE_BITS: Final = 32.0


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
    new_means, codes = means.copy(), shape_codes.astype(np.int64)
    prices, least = shape_prices(codes)
    steps = np.array([quantizer.size_step, quantizer.form_step, quantizer.form_step])
    features = np.ascontiguousarray(features, dtype=np.float32)
    conics = g.conics_of(g.shape_values(shape_codes, quantizer.size_step, quantizer.form_step))
    half_heights = np.sqrt(2.0 * cutoff * conics[:, 0] / (conics[:, 0] * conics[:, 2] - conics[:, 1] ** 2))
    height, repeats_y = image.shape[0], quantizer.wrap[1]
    done = np.zeros(len(means), np.bool_)

    def work(band: tuple[int, int]) -> None:
        first, last = band
        distance = np.abs(new_means[:, 1] - (first + last) / 2)
        if repeats_y:
            distance = np.minimum(distance % height, -distance % height)
        members = np.flatnonzero(distance <= half_heights + (last - first) / 2 + 1)
        rows = np.arange(first, last) % height
        wanted = np.ascontiguousarray(image[rows].transpose(2, 0, 1))
        roots = np.ones(wanted.shape[1:], np.float32)
        if weights is not None:
            roots = np.sqrt(weights[rows])
            wanted *= roots
        _refine_band(
            members, done, new_means, codes, features, wanted, roots, first, height, quantizer.wrap, cutoff, steps,
            math.log2(quantizer.position_ratio), least_exponent(quantizer.width, quantizer.height),
            quantizer.cell_log2, prices, least, bit_price, *shape_limits,
        )  # fmt: skip

    with ThreadPoolExecutor(threads) as pool:
        for bands in _passes(height, repeats_y):
            if not done.all():
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


def _passes(height: int, repeats: bool) -> list[list[tuple[int, int]]]:
    """Return bands by pass, each its first row and the one after its last; where the picture repeats, beyond it too."""
    passes = []
    for first in (BAND_ROWS, BAND_ROWS // 2):
        borders = list(range(first, height, BAND_ROWS))
        if repeats and first < BAND_ROWS and borders:
            passes.append(list(pairwise([*borders, borders[0] + height])))
        else:
            passes.append(list(pairwise([0, *borders, height])))
    return [*passes, [(0, height)]]


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
def _add_line(values, factor, left, count, line):
    """Add count texels times a factor to a row from column left on, which may be beyond its ends: the row repeats."""
    left %= line.shape[0]
    before = min(count, line.shape[0] - left)
    part = line[left : left + before]
    for i in range(before):
        part[i] += factor * values[i]
    for i in range(count - before):
        line[i] += factor * values[before + i]


@njit(cache=True, nogil=True, fastmath=True)
def _patch_weights(x, y, a, b, c, edge, left, top, columns, rows, weights):
    # the square is completed, as in the rasterizer: nothing cancels for thin Gaussians
    slant = b / a
    across = np.float32(0.5 * _LOG2_E * a)
    along = np.float32(0.5 * _LOG2_E * max(c - b * slant, 0.0))
    for row in range(rows):
        dy = top + row + 0.5 - y
        start, constant = np.float32(left + 0.5 - x + slant * dy), along * np.float32(dy * dy)
        line = weights[row * columns : row * columns + columns]
        for i in range(columns):
            u = start + np.float32(i)
            line[i] = max(exp2_of_minus(across * u * u + constant) - edge, np.float32(0.0))


@njit(cache=True, nogil=True, fastmath=True)
def _patch_error(weights, old, totals, sums, wanted, roots, feature, count, change, scale, limit):
    """Squared error of a patch once one Gaussian's weights are the given ones; beyond the limit, any number above.

    roots are those of the texels' importance; what is wanted has been multiplied by them.
    """
    for i in range(count):
        change[i] = weights[i] - old[i]
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
def _refine_band(
    members,
    done,
    means,
    codes,
    features,
    wanted_band,
    roots_band,
    first_row,
    height,
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
    """Refine the members that are not done and whose patches lie within the band; done, codes and means change."""
    components, band_rows, width = wanted_band.shape
    edge = np.float32(math.exp(-cutoff))
    sums = np.zeros((components, band_rows, width), np.float32)
    totals = np.full((band_rows, width), np.float32(EPSILON))
    area = 1024
    for n in members:
        a, b, c = _conic(codes[n, 0] * steps[0], codes[n, 1] * steps[1], codes[n, 2] * steps[2])
        left, top, columns, rows = _patch(means[n, 0], means[n, 1], a, b, c, cutoff, width, height, wrap, REACH, MARGIN)
        if not done[n] and columns <= width and rows <= height and columns * rows <= MOST_TEXELS:
            area = max(area, columns * rows)
    area = max(area, width)
    old, tried, best = np.empty(area, np.float32), np.empty(area, np.float32), np.empty(area, np.float32)
    change, scale, totals_here = np.empty(area, np.float32), np.empty(area, np.float32), np.empty(area, np.float32)
    roots = np.empty(area, np.float32)
    sums_here, wanted = np.empty((components, area), np.float32), np.empty((components, area), np.float32)
    for n in members:
        a, b, c = _conic(codes[n, 0] * steps[0], codes[n, 1] * steps[1], codes[n, 2] * steps[2])
        left, top, columns, rows = _patch(means[n, 0], means[n, 1], a, b, c, cutoff, width, height, wrap, 1.0, 0.0)
        for row in range(rows):
            place = top + row - first_row
            if wrap[1]:
                place %= height
            if place < 0 or place >= band_rows:
                continue
            for at in range(0, columns, width):  # a patch wider than the picture meets this row more than once
                count = min(width, columns - at)
                _patch_weights(means[n, 0], means[n, 1], a, b, c, edge, left + at, top + row, count, 1, old)
                _add_line(old, np.float32(1.0), left + at, count, totals[place])
                for k in range(components):
                    _add_line(old, features[n, k], left + at, count, sums[k, place])
    for n in members:
        if done[n]:
            continue
        c0, c1, c2 = codes[n, 0], codes[n, 1], codes[n, 2]
        a, b, c = _conic(c0 * steps[0], c1 * steps[1], c2 * steps[2])
        left, top, columns, rows = _patch(means[n, 0], means[n, 1], a, b, c, cutoff, width, height, wrap, REACH, MARGIN)
        count, start = columns * rows, top - first_row
        if count == 0 or count > MOST_TEXELS or columns > width or rows > height:
            continue
        if wrap[1]:
            start %= height
        if start < 0 or (start + rows > band_rows and not (wrap[1] and band_rows == height)):
            continue
        done[n] = True
        for row in range(rows):
            place, at = (start + row) % height, row * columns
            _copy_line(totals[place], left, columns, totals_here[at:])
            _copy_line(roots_band[place], left, columns, roots[at:])
            for k in range(components):
                _copy_line(sums[k, place], left, columns, sums_here[k, at:])
                _copy_line(wanted_band[k, place], left, columns, wanted[k, at:])
        _patch_weights(means[n, 0], means[n, 1], a, b, c, edge, left, top, columns, rows, old)
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
                edge, left, top, columns, rows, tried,
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
            place, at = (start + row) % height, row * columns
            for i in range(columns):
                change[i] = best[at + i] - old[at + i]
            _add_line(change, np.float32(1.0), left, columns, totals[place])
            for k in range(components):
                _add_line(change, features[n, k], left, columns, sums[k, place])


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
