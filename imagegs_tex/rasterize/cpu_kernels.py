"""The cpu backend's inner loops, in numba.

How they are fast (EVIDENCE: measured on two AVX2 cores, 1024^2, 8426 Gaussians, 9 components, one fused step):

- A tile's weights stay in cache between forward and backward; nothing per texel and Gaussian goes to memory.
- exp is 2^-t from a polynomial and a bit shift, which vectorises; numba's own np.exp took five times as long.
- Inner loops run over slices from zero. Indexed as ``row[low + i]`` they did not vectorise: 226 ms instead of 70 ms.
- Components go in threes, so a weight is loaded once for three multiply-adds.

Everything is summed in an order that does not depend on the thread count: each call handles a range of tiles or
Gaussians, each tile writes its own slots, and slots are added up Gaussian by Gaussian.
"""

import math
from typing import Final

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

from imagegs_tex.rasterize.tiles import TILE

TEXELS: Final = TILE * TILE
GROUP: Final = 3
"""Components handled together; feature arrays are padded to a multiple of it."""
GEOMETRY: Final = 5
"""Leading columns of a slot's gradient: mean x, y, conic A, B, C."""
_LOG2_E: Final = 1.4426950408889634
_COLUMNS: Final = np.tile(np.arange(TILE, dtype=np.float32), TILE)
_ROWS: Final = np.repeat(np.arange(TILE, dtype=np.float32), TILE)
"""Of a tile's texels, row by row."""


@intrinsic
def _float_of_bits(typing_context, bits):
    def generate(context, builder, signature, arguments):
        return builder.bitcast(arguments[0], ir.FloatType())

    return types.float32(types.int32), generate


@njit(fastmath=True, inline="always")
def exp2_of_minus(t):
    """2^-t for t >= 0: relative error below 3e-7 up to t = 126 (minimax polynomial, 2^0 exact), constant from there."""
    t = min(t, np.float32(126.0))
    whole = np.int32(t)
    rest = np.float32(whole) - t  # in (-1, 0]
    power = np.float32(0.0009449)
    power = power * rest + np.float32(0.0092058)
    power = power * rest + np.float32(0.05529736)
    power = power * rest + np.float32(0.24018014)
    power = power * rest + np.float32(0.69314372)
    power = power * rest + np.float32(1.0)
    bits = (np.int32(127) - whole) << np.int32(23)
    return power * _float_of_bits(bits)  # type: ignore[call-arg]  # numba drops an intrinsic's first argument


@njit(fastmath=True, inline="always")
def write_weights(mean_x, mean_y, a, b, c, edge, x0, y0, first_row, last_row, weights):
    """Weights of one Gaussian in rows first_row..last_row of the tile whose first texel centre is (x0, y0).

    For an image of a Gaussian, (x0, y0) is moved the other way: sizes and texel centres are exact, so nothing is lost.
    """
    # With the square completed, q = (A u^2 + (C - B^2/A) dy^2) / 2 and u = dx + B/A dy, nothing cancels inside the
    # support. Summed as A dx^2 + 2 B dx dy + C dy^2 in float32, weights of thin Gaussians were off by up to 0.005.
    slant = np.float64(b) / np.float64(a)
    across = np.float32(0.5 * _LOG2_E) * a
    along = np.float32(0.5 * _LOG2_E * max(np.float64(c) - np.float64(b) * slant, 0.0))
    offset_y = y0 - mean_y
    corner = np.float64(x0) - np.float64(mean_x) + slant * np.float64(offset_y)
    for row in range(first_row, last_row + 1):
        dy = offset_y + np.float32(row)
        start, constant = np.float32(corner + slant * row), along * dy * dy
        weights_row = weights[row * TILE : row * TILE + TILE]
        for i in range(TILE):
            u = start + np.float32(i)
            weights_row[i] = max(exp2_of_minus(across * u * u + constant) - edge, np.float32(0.0))


@njit(fastmath=True, inline="always")
def _accumulate(tile_weights, features, low, high, tile_sums, tile_total):
    """Add one Gaussian's weights and weighted features at the texels low..high to total [TEXELS], sums [K, TEXELS]."""
    weights, total = tile_weights[low:high], tile_total[low:high]
    n = high - low
    for i in range(n):
        total[i] += weights[i]
    for k in range(0, features.shape[0], GROUP):
        f0, f1, f2 = features[k], features[k + 1], features[k + 2]
        s0, s1, s2 = tile_sums[k, low:high], tile_sums[k + 1, low:high], tile_sums[k + 2, low:high]
        for i in range(n):
            s0[i] += f0 * weights[i]
            s1[i] += f1 * weights[i]
            s2[i] += f2 * weights[i]


@njit(fastmath=True, nogil=True, cache=True)
def render_tiles(
    means, conics, features, epsilon, cutoff, slot_gaussian, slot_rows, slot_shift, tile_starts, tile_slots, across,
    image, begin_tile, end_tile,
):  # fmt: skip
    """Fill image [H, W, K'] with the first K' components of the picture."""
    padded = features.shape[1]
    height, width, kept = image.shape
    edge = np.float32(math.exp(-cutoff))
    weights = np.empty(TEXELS, np.float32)
    total = np.empty(TEXELS, np.float32)
    sums = np.empty((padded, TEXELS), np.float32)
    for tile in range(begin_tile, end_tile):
        left, top = (tile % across) * TILE, (tile // across) * TILE
        x0, y0 = np.float32(left + 0.5), np.float32(top + 0.5)
        total[:] = epsilon
        sums[:] = np.float32(0.0)
        for index in range(tile_starts[tile], tile_starts[tile + 1]):
            slot = tile_slots[index]
            n = slot_gaussian[slot]
            first, last = np.int64(slot_rows[slot, 0]), np.int64(slot_rows[slot, 1])
            write_weights(
                means[n, 0],
                means[n, 1],
                conics[n, 0],
                conics[n, 1],
                conics[n, 2],
                edge,
                x0 - slot_shift[slot, 0],
                y0 - slot_shift[slot, 1],
                first,
                last,
                weights,
            )
            _accumulate(weights, features[n], first * TILE, last * TILE + TILE, sums, total)
        for row in range(min(TILE, height - top)):
            for i in range(min(TILE, width - left)):
                scale = np.float32(1.0) / total[row * TILE + i]
                for k in range(kept):
                    image[top + row, left + i, k] = sums[k, row * TILE + i] * scale


@njit(fastmath=True, inline="always")
def _sum_tile(
    means, conics, features, epsilon, edge, slot_gaussian, slot_rows, slot_shift, slots, x0, y0, weights, sums, total
):  # fmt: skip
    """Fill the weights [slots, TEXELS] of a tile's slots, their sum [TEXELS], and weighted features [K, TEXELS]."""
    total[:] = epsilon
    sums[:] = np.float32(0.0)
    for index in range(slots.shape[0]):
        slot = slots[index]
        n = slot_gaussian[slot]
        first, last = np.int64(slot_rows[slot, 0]), np.int64(slot_rows[slot, 1])
        row_weights = weights[index]
        write_weights(
            means[n, 0], means[n, 1], conics[n, 0], conics[n, 1], conics[n, 2], edge,
            x0 - slot_shift[slot, 0], y0 - slot_shift[slot, 1], first, last, row_weights,
        )  # fmt: skip
        _accumulate(row_weights, features[n], first * TILE, last * TILE + TILE, sums, total)


@njit(fastmath=True, inline="always")
def _slot_gradient(
    mean_x,
    mean_y,
    a,
    b,
    c,
    edge,
    x0,
    y0,
    first_row,
    last_row,
    weights,
    features,
    slopes,
    projections,
    scratch,
    gradient,
):
    """Gradient of one slot.

    weights, projections, scratch: [TEXELS]; slopes [K, TEXELS] is the gradient of the picture over the weight sum,
    projections is the sum over components of slope times picture.
    """
    low, high = first_row * TILE, last_row * TILE + TILE
    n = high - low
    w, along, projected = weights[low:high], scratch[low:high], projections[low:high]
    for i in range(n):
        along[i] = -projected[i]
    for k in range(0, features.shape[0], GROUP):
        f0, f1, f2 = features[k], features[k + 1], features[k + 2]
        s0, s1, s2 = slopes[k, low:high], slopes[k + 1, low:high], slopes[k + 2, low:high]
        d0 = np.float32(0.0)
        d1 = np.float32(0.0)
        d2 = np.float32(0.0)
        for i in range(n):
            g0, g1, g2, weight = s0[i], s1[i], s2[i], w[i]
            along[i] += f0 * g0 + f1 * g1 + f2 * g2
            d0 += weight * g0
            d1 += weight * g1
            d2 += weight * g2
        gradient[GEOMETRY + k] = d0
        gradient[GEOMETRY + k + 1] = d1
        gradient[GEOMETRY + k + 2] = d2
    offset_x, offset_y = x0 - mean_x, y0 - mean_y
    columns, rows = _COLUMNS[low:high], _ROWS[low:high]
    x = np.float32(0.0)
    y = np.float32(0.0)
    xx = np.float32(0.0)
    xy = np.float32(0.0)
    yy = np.float32(0.0)
    for i in range(n):
        weight = w[i]
        e = (weight + edge) * along[i]
        e = e if weight > np.float32(0.0) else np.float32(0.0)
        dx, dy = offset_x + columns[i], offset_y + rows[i]
        ex, ey = e * dx, e * dy
        x += ex
        y += ey
        xx += ex * dx
        xy += ex * dy
        yy += ey * dy
    gradient[0] = a * x + b * y
    gradient[1] = b * x + c * y
    gradient[2] = np.float32(-0.5) * xx
    gradient[3] = -xy
    gradient[4] = np.float32(-0.5) * yy


@njit(fastmath=True, nogil=True, cache=True)
def differentiate_tiles(
    means, conics, features, epsilon, cutoff, slot_gaussian, slot_rows, slot_shift, tile_starts, tile_slots, across,
    planes, planes_are_gradient, importance, gradients, tile_errors, begin_tile, end_tile,
):  # fmt: skip
    """Fill gradients [S, 5 + K] of every slot, and the squared error [T] of every tile.

    planes [T, K, TEXELS] is the target, compared by squared error times importance [T, TEXELS], or the gradient of the
    picture itself. Either is zero at texels beyond the picture's border, which silences them.
    """
    padded = features.shape[1]
    edge = np.float32(math.exp(-cutoff))
    longest = 0
    for tile in range(begin_tile, end_tile):
        longest = max(longest, tile_starts[tile + 1] - tile_starts[tile])
    weights = np.empty((longest, TEXELS), np.float32)
    sums = np.empty((padded, TEXELS), np.float32)
    total = np.empty(TEXELS, np.float32)
    projections = np.empty(TEXELS, np.float32)
    scratch = np.empty(TEXELS, np.float32)
    for tile in range(begin_tile, end_tile):
        left, top = (tile % across) * TILE, (tile // across) * TILE
        x0, y0 = np.float32(left + 0.5), np.float32(top + 0.5)
        begin, end = tile_starts[tile], tile_starts[tile + 1]
        _sum_tile(
            means, conics, features, epsilon, edge, slot_gaussian, slot_rows, slot_shift, tile_slots[begin:end], x0, y0,
            weights, sums, total,
        )  # fmt: skip
        for i in range(TEXELS):
            total[i] = np.float32(1.0) / total[i]
            projections[i] = np.float32(0.0)
        error = np.float32(0.0)
        for k in range(padded):
            plane, picture = planes[tile, k], sums[k]
            error_k = np.float32(0.0)
            if planes_are_gradient:
                for i in range(TEXELS):
                    slope = plane[i] * total[i]
                    projections[i] += slope * picture[i] * total[i]
                    picture[i] = slope
            else:
                weight = importance[tile]
                for i in range(TEXELS):
                    value = picture[i] * total[i]
                    difference = value - plane[i]
                    weighted = difference * weight[i]
                    error_k += difference * weighted
                    slope = np.float32(2.0) * weighted * total[i]
                    projections[i] += slope * value
                    picture[i] = slope
            error += error_k
        tile_errors[tile] = error
        for index in range(begin, end):
            slot = tile_slots[index]
            n = slot_gaussian[slot]
            _slot_gradient(
                means[n, 0], means[n, 1], conics[n, 0], conics[n, 1], conics[n, 2], edge,
                x0 - slot_shift[slot, 0], y0 - slot_shift[slot, 1],
                np.int64(slot_rows[slot, 0]), np.int64(slot_rows[slot, 1]), weights[index - begin], features[n],
                sums, projections, scratch, gradients[slot],
            )  # fmt: skip


@njit(fastmath=True, inline="always")
def _growth_without(tile_weights, features, low, high, pictures, residuals, tile_total, importance, epsilon, shares):
    """Growth of the squared error at the texels low..high of a tile without one Gaussian; shares [TEXELS] is scratch.

    With u = w / (sum of the other weights), the picture p moves by u (p - f), and so does what it is off by. Nothing is
    written within the sum: with a plane of errors to write, it was not vectorised, and took four times as long.
    """
    weights, total, counts, share = tile_weights[low:high], tile_total[low:high], importance[low:high], shares[low:high]
    n = high - low
    for i in range(n):
        share[i] = weights[i] / max(total[i] - weights[i], epsilon)
    growth = np.float32(0.0)
    for k in range(0, features.shape[0], GROUP):
        f0, f1, f2 = features[k], features[k + 1], features[k + 2]
        p0, p1, p2 = pictures[k, low:high], pictures[k + 1, low:high], pictures[k + 2, low:high]
        r0, r1, r2 = residuals[k, low:high], residuals[k + 1, low:high], residuals[k + 2, low:high]
        for i in range(n):
            u = share[i]
            d0, d1, d2 = u * (p0[i] - f0), u * (p1[i] - f1), u * (p2[i] - f2)
            growth += counts[i] * (d0 * (r0[i] + d0) + d1 * (r1[i] + d1) + d2 * (r2[i] + d2))
    return growth


@njit(fastmath=True, nogil=True, cache=True)
def leave_out_tiles(
    means, conics, features, epsilon, cutoff, slot_gaussian, slot_rows, slot_shift, tile_starts, tile_slots, across,
    planes, importance, slot_errors, begin_tile, end_tile,
):  # fmt: skip
    """Fill slot_errors [S, 1]: by how much a tile's squared error grows without one slot.

    planes [T, K, TEXELS] is the target, importance [T, TEXELS] how much each texel counts, zero beyond the picture.
    """
    padded = features.shape[1]
    edge = np.float32(math.exp(-cutoff))
    longest = 0
    for tile in range(begin_tile, end_tile):
        longest = max(longest, tile_starts[tile + 1] - tile_starts[tile])
    weights = np.empty((longest, TEXELS), np.float32)
    sums = np.empty((padded, TEXELS), np.float32)
    residuals = np.empty((padded, TEXELS), np.float32)
    total, shares = np.empty(TEXELS, np.float32), np.empty(TEXELS, np.float32)
    for tile in range(begin_tile, end_tile):
        left, top = (tile % across) * TILE, (tile // across) * TILE
        x0, y0 = np.float32(left + 0.5), np.float32(top + 0.5)
        begin, end = tile_starts[tile], tile_starts[tile + 1]
        _sum_tile(
            means, conics, features, epsilon, edge, slot_gaussian, slot_rows, slot_shift, tile_slots[begin:end], x0, y0,
            weights, sums, total,
        )  # fmt: skip
        for k in range(padded):
            plane, picture, residual = planes[tile, k], sums[k], residuals[k]
            for i in range(TEXELS):
                picture[i] /= total[i]
                residual[i] = np.float32(2.0) * (picture[i] - plane[i])  # twice, as the growth needs it
        for index in range(begin, end):
            slot = tile_slots[index]
            slot_errors[slot, 0] = _growth_without(
                weights[index - begin], features[slot_gaussian[slot]], np.int64(slot_rows[slot, 0]) * TILE,
                np.int64(slot_rows[slot, 1]) * TILE + TILE, sums, residuals, total, importance[tile], epsilon, shares,
            )  # fmt: skip


@njit(nogil=True, cache=True)
def sum_slots(slot_values, slot_starts, sums, begin_gaussian, end_gaussian):
    """Add up slot_values [S, M] per Gaussian into sums [N, M]."""
    columns = slot_values.shape[1]
    for n in range(begin_gaussian, end_gaussian):
        for column in range(columns):
            sums[n, column] = 0.0
        for slot in range(slot_starts[n], slot_starts[n + 1]):
            for column in range(columns):
                sums[n, column] += slot_values[slot, column]
