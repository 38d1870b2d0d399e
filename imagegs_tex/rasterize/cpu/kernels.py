"""The cpu backend's inner loops, in numba.

How they are fast (EVIDENCE: measured on two AVX2 cores, 1024^2, 8426 Gaussians, 9 components, one fused step):

- A tile's weights stay in cache between forward and backward; nothing per texel and Gaussian goes to memory.
- exp is 2^-t from a polynomial and a bit shift; numba's own np.exp took five times as long.
- A row of a tile is one vector (:mod:`imagegs_tex.rasterize.cpu.simd`), and each Gaussian's rows are gone through once
  forward and once backward. With loops over arrays, three components in each, a fused step took 30.1 ms on two AVX-512
  cores (3834 Gaussians of facade_005_tiles), with vectors 21.8; on AVX2 both take as long.
- Where loops over arrays remain, they run over slices from zero. Indexed as ``row[low + i]`` they did not vectorise.

Everything is summed in an order that does not depend on the thread count: each call handles a range of tiles or
Gaussians, each tile writes its own slots, and slots are added up Gaussian by Gaussian.
"""

import math
from typing import Final

import numpy as np

from imagegs_tex.jit import REORDERED, aligned, njit
from imagegs_tex.rasterize.backend import LOG2_E, TILE
from imagegs_tex.rasterize.cpu import simd
from imagegs_tex.rasterize.cpu.simd import (
    add,
    broadcast,
    divide,
    load,
    maximum,
    multiply,
    multiply_add,
    prefetch,
    reduce_add,
    store,
    subtract,
    transpose_8,
    where_positive,
)  # fmt: skip

TEXELS: Final = TILE * TILE
GEOMETRY: Final = 5
"""Leading columns of a slot's gradient: mean x, y, conic A, B, C."""
_COLUMNS: Final = np.arange(TILE, dtype=np.float32)[None]


@njit(fastmath=REORDERED, inline="always")
def _completed_square(mean_x, mean_y, a, b, c, x0, y0):
    """Return what a row of weights is computed from: factors of u^2 and dy^2, slant, and u and dy at the corner.

    With the square completed, q = (A u^2 + (C - B^2/A) dy^2) / 2 and u = dx + B/A dy, nothing cancels inside the
    support. Summed as A dx^2 + 2 B dx dy + C dy^2 in float32, weights of thin Gaussians were off by up to 0.005.
    """
    slant = np.float64(b) / np.float64(a)
    across = np.float32(0.5 * LOG2_E) * a
    along = np.float32(0.5 * LOG2_E * max(np.float64(c) - np.float64(b) * slant, 0.0))
    offset_y = y0 - mean_y
    return across, along, slant, np.float64(x0) - np.float64(mean_x) + slant * np.float64(offset_y), offset_y


@njit(fastmath=REORDERED, inline="always")
def _row_of_weights(square, row, cutoff_weight):
    # In double precision up to u: from a rounded first row and a rounded slant, thin supports came out too far off.
    across, along, slant, corner, offset_y = square
    dy = offset_y + np.float32(row)
    u = add(load(_COLUMNS, 0, 0), broadcast(np.float32(corner + slant * row)))
    t = multiply_add(multiply(broadcast(across), u), u, broadcast(along * dy * dy))
    weight = add(simd.exp2_of_minus(t), broadcast(-cutoff_weight))
    return where_positive(weight, weight)


@njit(fastmath=REORDERED, inline="always")
def write_weights(mean_x, mean_y, a, b, c, cutoff_weight, x0, y0, first_row, last_row, weights, index):
    """Weights of one Gaussian in rows first_row..last_row of the tile whose first texel centre is (x0, y0).

    For a copy of a Gaussian, (x0, y0) is moved the other way: sizes and texel centres are exact, so nothing is lost.
    """
    square = _completed_square(mean_x, mean_y, a, b, c, x0, y0)
    for row in range(first_row, last_row + 1):
        store(weights, index, row * TILE, _row_of_weights(square, row, cutoff_weight))


@njit(fastmath=REORDERED, inline="always")
def _add_slot(
    mean_x, mean_y, a, b, c, cutoff_weight, x0, y0, first_row, last_row, features, weights, index, sums, total
):
    """Write one slot's weights, add them to total [1, TEXELS], and the weighted features to sums [K, TEXELS]."""
    square = _completed_square(mean_x, mean_y, a, b, c, x0, y0)
    for row in range(first_row, last_row + 1):
        at = row * TILE
        weight = _row_of_weights(square, row, cutoff_weight)
        store(weights, index, at, weight)
        store(total, 0, at, add(load(total, 0, at), weight))
        for k in range(features.shape[0]):
            store(sums, k, at, multiply_add(broadcast(features[k]), weight, load(sums, k, at)))


@njit(inline="always")
def _begin_sums(resting, tile, epsilon, sums, total):
    """Fill a tile's sums [K, TEXELS] and total [1, TEXELS] with what resting Gaussians paint, or with nothing."""
    if resting.shape[0] > 0:
        components = sums.shape[0]
        sums[:] = resting[tile, :components]
        total[0] = resting[tile, components]
    else:
        total[:] = epsilon
        sums[:] = np.float32(0.0)


@njit(inline="always")
def prefetch_planes(planes, tile):
    """Have a tile of planes [T, K, TEXELS] brought while something else is computed: a row of one is a cache line."""
    for k in range(planes.shape[1]):
        for row in range(TILE):
            prefetch(planes[tile], k, row * TILE)


@njit(fastmath=REORDERED, inline="always")
def _resting_error(resting, planes, importance, tile):
    """Return the squared error of a tile in which nothing but what rests [K + 1, TEXELS] paints."""
    components = planes.shape[0]
    error = broadcast(np.float32(0.0))
    for row in range(TILE):
        at = row * TILE
        scale, squares = divide(broadcast(np.float32(1.0)), load(resting, components, at)), broadcast(np.float32(0.0))
        for k in range(components):
            difference = subtract(multiply(load(resting, k, at), scale), load(planes, k, at))
            squares = multiply_add(difference, difference, squares)
        error = multiply_add(load(importance, tile, at), squares, error)
    return reduce_add(error)


@njit(fastmath=REORDERED, nogil=True, cache=True)
def render_tiles(
    means, conics, features, epsilon, cutoff, slot_gaussian, slot_rows, slot_shift, tile_starts, tile_slots, across,
    resting, image, begin_tile, end_tile,
):  # fmt: skip
    """Fill image [H, W, K'] with the first K' components of the picture."""
    components = features.shape[1]
    height, width, kept = image.shape
    cutoff_weight = np.float32(math.exp(-cutoff))
    weights, total, sums = aligned(1, TEXELS), aligned(1, TEXELS), aligned(components, TEXELS)
    for tile in range(begin_tile, end_tile):
        left, top = (tile % across) * TILE, (tile // across) * TILE
        x0, y0 = np.float32(left + 0.5), np.float32(top + 0.5)
        _begin_sums(resting, tile, epsilon, sums, total)
        for index in range(tile_starts[tile], tile_starts[tile + 1]):
            slot = tile_slots[index]
            n = slot_gaussian[slot]
            first, last = np.int64(slot_rows[slot, 0]), np.int64(slot_rows[slot, 1])
            _add_slot(
                means[n, 0], means[n, 1], conics[n, 0], conics[n, 1], conics[n, 2], cutoff_weight,
                x0 - slot_shift[slot, 0], y0 - slot_shift[slot, 1], first, last, features[n], weights, 0, sums, total,
            )  # fmt: skip
        rows, columns = min(TILE, height - top), min(TILE, width - left)
        for row in range(rows):
            at, line = row * TILE, image[top + row, left : left + columns]
            for k in range(kept):
                store(sums, k, at, divide(load(sums, k, at), load(total, 0, at)))
            if kept >= 8 and columns == TILE:  # squares of eight texels and eight components, the last overlapping
                for i in range(0, TILE, 8):
                    for k in range(0, kept - 8, 8):
                        transpose_8(sums, k, at + i, line, i, k)
                    transpose_8(sums, kept - 8, at + i, line, i, kept - 8)
            else:
                for i in range(columns):
                    for k in range(kept):
                        line[i, k] = sums[k, at + i]


@njit(fastmath=REORDERED, inline="always")
def sum_tile(
    means, conics, features, epsilon, cutoff_weight, slot_gaussian, slot_rows, slot_shift, slots, x0, y0, resting, tile,
    weights, sums, total,
):  # fmt: skip
    """Fill the weights [slots, TEXELS] of a tile's slots, their sum [1, TEXELS], and weighted features [K, TEXELS]."""
    _begin_sums(resting, tile, epsilon, sums, total)
    for index in range(slots.shape[0]):
        slot = slots[index]
        n = slot_gaussian[slot]
        first, last = np.int64(slot_rows[slot, 0]), np.int64(slot_rows[slot, 1])
        _add_slot(
            means[n, 0], means[n, 1], conics[n, 0], conics[n, 1], conics[n, 2], cutoff_weight,
            x0 - slot_shift[slot, 0], y0 - slot_shift[slot, 1], first, last, features[n], weights, index, sums, total,
        )  # fmt: skip


@njit(fastmath=REORDERED, nogil=True, cache=True)
def sum_tiles(
    means, conics, features, epsilon, cutoff, slot_gaussian, slot_rows, slot_shift, tile_starts, tile_slots, across,
    resting, tile_sums, begin_tile, end_tile,
):  # fmt: skip
    """Fill tile_sums [T, K + 1, TEXELS] with each tile's weighted features and, last, epsilon and the weights."""
    components = features.shape[1]
    cutoff_weight = np.float32(math.exp(-cutoff))
    longest = 0
    for tile in range(begin_tile, end_tile):
        longest = max(longest, tile_starts[tile + 1] - tile_starts[tile])
    weights = aligned(longest, TEXELS)
    for tile in range(begin_tile, end_tile):
        x0, y0 = np.float32((tile % across) * TILE + 0.5), np.float32((tile // across) * TILE + 0.5)
        sum_tile(
            means, conics, features, epsilon, cutoff_weight, slot_gaussian, slot_rows, slot_shift,
            tile_slots[tile_starts[tile] : tile_starts[tile + 1]], x0, y0, resting, tile, weights,
            tile_sums[tile, :components], tile_sums[tile, components:],
        )  # fmt: skip


@njit(fastmath=REORDERED, inline="always")
def _slot_gradient(
    mean_x, mean_y, a, b, c, cutoff_weight, x0, y0, first_row, last_row, weights, index, features, slopes, projections,
    slot_sums, gradient,
):  # fmt: skip
    """Gradient [5 + K] of one slot.

    weights [_, TEXELS]: the slot's in row index; slopes [K, TEXELS] is the gradient of the picture over the weight sum;
    projections [1, TEXELS] is minus the sum over components of slope times picture; slot_sums [K, TILE] is scratch.
    """
    components = features.shape[0]
    zeros, cutoff_weights = broadcast(np.float32(0.0)), broadcast(cutoff_weight)
    for k in range(components):
        store(slot_sums, k, 0, zeros)
    # moments of e = weight * (gradient of the weight), column by column: of dy^0, dy^1 and dy^2
    moment, moment_y, moment_yy = zeros, zeros, zeros
    offset_x, offset_y = x0 - mean_x, y0 - mean_y
    for row in range(first_row, last_row + 1):
        at = row * TILE
        weight = load(weights, index, at)
        along = zeros
        for k in range(components):
            slope = load(slopes, k, at)
            along = multiply_add(broadcast(features[k]), slope, along)
            store(slot_sums, k, 0, multiply_add(weight, slope, load(slot_sums, k, 0)))
        along = add(along, load(projections, 0, at))  # last: summed up in their order, it cancels what it can
        e = where_positive(weight, multiply(add(weight, cutoff_weights), along))
        dy = broadcast(offset_y + np.float32(row))
        e_y = multiply(e, dy)
        moment, moment_y, moment_yy = add(moment, e), add(moment_y, e_y), multiply_add(e_y, dy, moment_yy)
    dx = add(load(_COLUMNS, 0, 0), broadcast(offset_x))
    moment_x = multiply(moment, dx)
    x, y = reduce_add(moment_x), reduce_add(moment_y)
    gradient[0] = a * x + b * y
    gradient[1] = b * x + c * y
    gradient[2] = np.float32(-0.5) * reduce_add(multiply(moment_x, dx))
    gradient[3] = -reduce_add(multiply(moment_y, dx))
    gradient[4] = np.float32(-0.5) * reduce_add(moment_yy)
    for k in range(components):
        gradient[GEOMETRY + k] = reduce_add(load(slot_sums, k, 0))


@njit(fastmath=REORDERED, nogil=True, cache=True)
def differentiate_tiles(
    means, conics, features, epsilon, cutoff, slot_gaussian, slot_rows, slot_shift, tile_starts, tile_slots, across,
    resting, planes, planes_are_gradient, importance, gradients, tile_errors, begin_tile, end_tile,
):  # fmt: skip
    """Fill gradients [S, 5 + K] of every slot, and the squared error [T] of every tile.

    planes [T, K, TEXELS] is the target, compared by squared error times importance [T, TEXELS], or the gradient of the
    picture itself. Either is zero at texels beyond the picture's border, which silences them.
    """
    components = features.shape[1]
    cutoff_weight = np.float32(math.exp(-cutoff))
    longest = 0
    for tile in range(begin_tile, end_tile):
        longest = max(longest, tile_starts[tile + 1] - tile_starts[tile])
    weights, sums = aligned(longest, TEXELS), aligned(components, TEXELS)
    total, projections, slot_sums = aligned(1, TEXELS), aligned(1, TEXELS), aligned(components, TILE)
    for tile in range(begin_tile, end_tile):
        left, top = (tile % across) * TILE, (tile // across) * TILE
        x0, y0 = np.float32(left + 0.5), np.float32(top + 0.5)
        begin, end = tile_starts[tile], tile_starts[tile + 1]
        if begin == end and resting.shape[0] > 0 and not planes_are_gradient:
            tile_errors[tile] = _resting_error(resting[tile], planes[tile], importance, tile)
            continue
        for index in range(begin, end):
            prefetch(gradients, tile_slots[index], 0)
        prefetch_planes(planes, tile)
        sum_tile(
            means, conics, features, epsilon, cutoff_weight, slot_gaussian, slot_rows, slot_shift,
            tile_slots[begin:end], x0, y0, resting, tile, weights, sums, total,
        )  # fmt: skip
        scale, projection = total[0], projections[0]
        for i in range(TEXELS):
            scale[i] = np.float32(1.0) / scale[i]
            projection[i] = np.float32(0.0)
        error = np.float32(0.0)
        for k in range(components):
            plane, picture = planes[tile, k], sums[k]
            error_k = np.float32(0.0)
            if planes_are_gradient:
                for i in range(TEXELS):
                    slope = plane[i] * scale[i]
                    projection[i] -= slope * (picture[i] * scale[i])
                    picture[i] = slope
            else:
                weight = importance[tile]
                for i in range(TEXELS):
                    value = picture[i] * scale[i]
                    difference = value - plane[i]
                    weighted = difference * weight[i]
                    error_k += difference * weighted
                    slope = np.float32(2.0) * weighted * scale[i]
                    projection[i] -= slope * value
                    picture[i] = slope
            error += error_k
        tile_errors[tile] = error
        for index in range(begin, end):
            slot = tile_slots[index]
            n = slot_gaussian[slot]
            _slot_gradient(
                means[n, 0], means[n, 1], conics[n, 0], conics[n, 1], conics[n, 2], cutoff_weight,
                x0 - slot_shift[slot, 0], y0 - slot_shift[slot, 1],
                np.int64(slot_rows[slot, 0]), np.int64(slot_rows[slot, 1]), weights, index - begin, features[n],
                sums, projections, slot_sums, gradients[slot],
            )  # fmt: skip


@njit(fastmath=REORDERED, inline="always")
def _growth_without(
    weights, index, features, first_row, last_row, pictures, residuals, totals, importance, tile, epsilon
):  # fmt: skip
    """Growth of a tile's squared error without one Gaussian, whose weights are row index of weights [_, TEXELS].

    With u = w / (sum of the other weights), the picture p moves by u (p - f), and so does what it is off by.
    """
    growth, zeros, least = broadcast(np.float32(0.0)), broadcast(np.float32(0.0)), broadcast(epsilon)
    for row in range(first_row, last_row + 1):
        at = row * TILE
        weight, grown = load(weights, index, at), zeros
        share = divide(weight, maximum(subtract(load(totals, 0, at), weight), least))
        for k in range(features.shape[0]):
            change = multiply(share, subtract(load(pictures, k, at), broadcast(features[k])))
            grown = multiply_add(change, add(load(residuals, k, at), change), grown)
        growth = multiply_add(load(importance, tile, at), grown, growth)
    return reduce_add(growth)


@njit(fastmath=REORDERED, nogil=True, cache=True)
def leave_out_tiles(
    means, conics, features, epsilon, cutoff, slot_gaussian, slot_rows, slot_shift, tile_starts, tile_slots, across,
    resting, planes, importance, slot_errors, begin_tile, end_tile,
):  # fmt: skip
    """Fill slot_errors [S, 1]: by how much a tile's squared error grows without one slot.

    planes [T, K, TEXELS] is the target, importance [T, TEXELS] how much each texel counts, zero beyond the picture.
    """
    components = features.shape[1]
    cutoff_weight = np.float32(math.exp(-cutoff))
    longest = 0
    for tile in range(begin_tile, end_tile):
        longest = max(longest, tile_starts[tile + 1] - tile_starts[tile])
    weights, sums, residuals = aligned(longest, TEXELS), aligned(components, TEXELS), aligned(components, TEXELS)
    totals = aligned(1, TEXELS)
    total = totals[0]
    for tile in range(begin_tile, end_tile):
        left, top = (tile % across) * TILE, (tile // across) * TILE
        x0, y0 = np.float32(left + 0.5), np.float32(top + 0.5)
        begin, end = tile_starts[tile], tile_starts[tile + 1]
        if begin == end:
            continue
        prefetch_planes(planes, tile)
        sum_tile(
            means, conics, features, epsilon, cutoff_weight, slot_gaussian, slot_rows, slot_shift,
            tile_slots[begin:end], x0, y0, resting, tile, weights, sums, totals,
        )  # fmt: skip
        for k in range(components):
            plane, picture, residual = planes[tile, k], sums[k], residuals[k]
            for i in range(TEXELS):
                picture[i] /= total[i]
                residual[i] = np.float32(2.0) * (picture[i] - plane[i])  # twice, as the growth needs it
        for index in range(begin, end):
            slot = tile_slots[index]
            slot_errors[slot, 0] = _growth_without(
                weights, index - begin, features[slot_gaussian[slot]], np.int64(slot_rows[slot, 0]),
                np.int64(slot_rows[slot, 1]), sums, residuals, totals, importance, tile, epsilon,
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
