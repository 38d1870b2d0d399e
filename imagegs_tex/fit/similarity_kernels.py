"""The inner loops of :mod:`.similarity`, in numba, and those that bring a fit's components into it and back.

How they are fast: a window's sums down the columns stay in registers (:mod:`imagegs_tex.rasterize.cpu.simd`), and where
windows are some texels apart, texels are sorted by their place between two windows first, so that all loops across run
over neighbours in memory. Planes are float32 [C * H, W rounded up to whole tiles], pictures in tiles [T, K, texels].
"""

import math
from typing import Final

import numpy as np

from imagegs_tex.jit import REORDERED, aligned, njit
from imagegs_tex.metrics.ssim import MOMENTS, SSIM_C1, SSIM_C2
from imagegs_tex.rasterize.backend import TILE
from imagegs_tex.rasterize.cpu.kernels import TEXELS, sum_tile
from imagegs_tex.rasterize.cpu.simd import (
    LANES,
    add,
    broadcast,
    load,
    multiply,
    multiply_add,
    reduce_add,
    store,
    subtract,
    where_positive,
)  # fmt: skip

FIELDS: Final = 3
"""Derivatives by the filtered x, xx and xy."""


@njit(fastmath=REORDERED, inline="always")
def _filter_down(x, y, first, down, moments):
    """Fill moments [5, W] with x, y, xx, yy, xy of rows first.., filtered down the columns."""
    zeros = broadcast(np.float32(0.0))
    for column in range(0, x.shape[1], LANES):
        mean_x, mean_y, xx, yy, xy = zeros, zeros, zeros, zeros, zeros
        for tap in range(down.shape[0]):
            weight = broadcast(down[tap])
            value_x, value_y = load(x, first + tap, column), load(y, first + tap, column)
            weighed_x, weighed_y = multiply(weight, value_x), multiply(weight, value_y)
            mean_x, mean_y = add(mean_x, weighed_x), add(mean_y, weighed_y)
            xx, yy = multiply_add(weighed_x, value_x, xx), multiply_add(weighed_y, value_y, yy)
            xy = multiply_add(weighed_x, value_y, xy)
        store(moments, 0, column, mean_x)
        store(moments, 1, column, mean_y)
        store(moments, 2, column, xx)
        store(moments, 3, column, yy)
        store(moments, 4, column, xy)


@njit(fastmath=REORDERED, inline="always")
def _filter_across(moments, across, first_column, phases, windows):
    """Fill windows [5, columns] with moments [5, W] filtered along the row; phases [5, stride, _] is scratch."""
    stride, columns = phases.shape[1], windows.shape[1]
    windows[:] = np.float32(0.0)
    for moment in range(MOMENTS):
        for phase in range(stride):
            source, sorted_row = moments[moment, phase:], phases[moment, phase]
            for i in range((source.shape[0] + stride - 1) // stride):
                sorted_row[i] = source[i * stride]
        target = windows[moment]
        for tap in range(across.shape[0]):
            phase, shift = (first_column + tap) % stride, (first_column + tap) // stride
            weight, sorted_row = across[tap], phases[moment, phase, shift : shift + columns]
            for i in range(columns):
                target[i] += weight * sorted_row[i]


@njit(fastmath=REORDERED, inline="always")
def _spread_across(fields, across, first_column, phases, spread):
    """Fill spread [3, W] with fields [3, columns] filtered back along the row; phases [3, stride, _] is scratch."""
    stride, columns = phases.shape[1], fields.shape[1]
    phases[:] = np.float32(0.0)
    for field in range(FIELDS):
        source = fields[field]
        for tap in range(across.shape[0]):
            phase, shift = (first_column + tap) % stride, (first_column + tap) // stride
            weight, sorted_row = across[tap], phases[field, phase, shift : shift + columns]
            for i in range(columns):
                sorted_row[i] += weight * source[i]
        for phase in range(stride):
            sorted_row, target = phases[field, phase], spread[field, phase:]
            for i in range((target.shape[0] + stride - 1) // stride):
                target[i * stride] = sorted_row[i]


@njit(fastmath=REORDERED, nogil=True, cache=True)
def spread_derivatives(x, y, height, down, across, grid, middle, spread, sums, begin, end):
    """Fill spread [units * 3, W]: a row of windows' weights times derivatives of their SSIM, filtered back across.

    A unit is a row of windows of a channel; sums [units] gets the weighted mean of its SSIM. Windows are those of a
    grid: row and column of the first, and the stride to the next.
    """
    first_row, first_column, stride = grid
    rows, columns = middle.shape
    c1, c2, two, one = np.float32(SSIM_C1), np.float32(SSIM_C2), np.float32(2.0), np.float32(1.0)
    moments = np.empty((MOMENTS, x.shape[1]), np.float32)
    places = x.shape[1] // stride + 1
    sorted_moments = np.zeros((MOMENTS, stride, places), np.float32)
    sorted_fields = np.empty((FIELDS, stride, places), np.float32)
    windows = np.empty((MOMENTS, columns), np.float32)
    fields = np.empty((FIELDS, columns), np.float32)
    similarities = np.empty(columns, np.float32)
    for unit in range(begin, end):
        channel, number = unit // rows, unit % rows
        _filter_down(x, y, channel * height + first_row + number * stride, down, moments)
        _filter_across(moments, across, first_column, sorted_moments, windows)
        means_x, means_y, squares_x, squares_y, products = windows[0], windows[1], windows[2], windows[3], windows[4]
        by_mean, by_square, by_product, weights = fields[0], fields[1], fields[2], middle[number]
        for i in range(columns):
            mean_x, mean_y = means_x[i], means_y[i]
            luminance = two * mean_x * mean_y + c1
            covariance = two * (products[i] - mean_x * mean_y) + c2
            means = mean_x * mean_x + mean_y * mean_y + c1
            variances = squares_x[i] - mean_x * mean_x + squares_y[i] - mean_y * mean_y + c2
            inverse_means, inverse_variances = one / means, one / variances
            scale = weights[i] * inverse_means * inverse_variances
            similarity = luminance * covariance * scale
            similarities[i] = similarity
            by_mean[i] = two * (
                mean_y * (covariance - luminance) * scale - mean_x * similarity * (inverse_means - inverse_variances)
            )
            by_square[i] = -similarity * inverse_variances
            by_product[i] = two * luminance * scale
        summed = 0.0
        for i in range(columns):
            summed += np.float64(similarities[i])
        sums[unit] = summed
        _spread_across(fields, across, first_column, sorted_fields, spread[unit * FIELDS : (unit + 1) * FIELDS])


@njit(fastmath=REORDERED, nogil=True, cache=True)
def gather_gradient(x, y, height, down, grid, rows, spread, scale, begin, end):
    """Put the gradient, times a scale, with respect to rows of x where they were; spread is what has been filled."""
    first_row, _, stride = grid
    taps = down.shape[0]
    zeros, two, factor = broadcast(np.float32(0.0)), broadcast(np.float32(2.0)), broadcast(scale)
    for unit in range(begin, end):
        channel, place = unit // height, unit % height
        # of the windows that hold this row: place - taps < first_row + number * stride <= place
        least = max(0, -((taps - 1 - place + first_row) // stride))
        most = min(rows - 1, (place - first_row) // stride)
        for column in range(0, x.shape[1], LANES):
            by_mean, by_square, by_product = zeros, zeros, zeros
            for number in range(least, most + 1):
                weight = broadcast(down[place - first_row - number * stride])
                at = (channel * rows + number) * FIELDS
                by_mean = multiply_add(weight, load(spread, at, column), by_mean)
                by_square = multiply_add(weight, load(spread, at + 1, column), by_square)
                by_product = multiply_add(weight, load(spread, at + 2, column), by_product)
            own = multiply_add(multiply(two, load(x, unit, column)), by_square, by_mean)
            store(x, unit, column, multiply(factor, multiply_add(load(y, unit, column), by_product, own)))


@njit(fastmath=REORDERED, nogil=True, cache=True)
def render_in_tiles(
    means, conics, features, epsilon, cutoff, slot_gaussian, slot_rows, slot_shift, tile_starts, tile_slots, across,
    resting, pictures, begin_tile, end_tile,
):  # fmt: skip
    """Fill pictures [T, K, texels], in which each tile has its texels together."""
    cutoff_weight = np.float32(math.exp(-cutoff))
    longest = 0
    for tile in range(begin_tile, end_tile):
        longest = max(longest, tile_starts[tile + 1] - tile_starts[tile])
    weights, totals = aligned(longest, TEXELS), aligned(1, TEXELS)
    total = totals[0]
    for tile in range(begin_tile, end_tile):
        x0, y0 = np.float32((tile % across) * TILE + 0.5), np.float32((tile // across) * TILE + 0.5)
        picture = pictures[tile]
        sum_tile(
            means, conics, features, epsilon, cutoff_weight, slot_gaussian, slot_rows, slot_shift,
            tile_slots[tile_starts[tile] : tile_starts[tile + 1]], x0, y0, resting, tile, weights,
            picture, totals,
        )  # fmt: skip
        for k in range(picture.shape[0]):
            plane = picture[k]
            for i in range(TEXELS):
                plane[i] /= total[i]


@njit(fastmath=REORDERED, nogil=True, cache=True)
def show_channels(tiles, basis, offset, height, across, planes, begin, end):
    """Fill the channels' planes with components in tiles times basis [K, C], plus offset [C]."""
    components, channels = basis.shape
    for tile in range(begin, end):
        left, top = (tile % across) * TILE, (tile // across) * TILE
        picture = tiles[tile]
        for row in range(min(TILE, height - top)):
            for c in range(channels):
                value = broadcast(offset[c])
                for k in range(components):
                    value = multiply_add(broadcast(basis[k, c]), load(picture, k, row * TILE), value)
                store(planes, c * height + top + row, left, value)


@njit(fastmath=REORDERED, nogil=True, cache=True)
def total_gradient(
    tiles, wanted, importance, basis, gradients, height, across, l2_weight, l1_weight, errors, begin, end
):  # fmt: skip
    """Replace components in tiles by the gradient of all losses, and fill errors [T] with weighted squared errors.

    gradients: planes, with respect to channels, which are components times basis [K, C]; wanted [T, K, texels] and
    importance [T, texels] are the picture as a target has it.
    """
    components, channels = basis.shape
    zeros, slope_l2, slope_l1 = broadcast(np.float32(0.0)), broadcast(np.float32(2.0) * l2_weight), broadcast(l1_weight)
    for tile in range(begin, end):
        left, top = (tile % across) * TILE, (tile // across) * TILE
        picture, target, error = tiles[tile], wanted[tile], zeros
        for row in range(TILE):
            at = row * TILE
            weight, inside = load(importance, tile, at), top + row < height
            by_distance = multiply(slope_l1, weight)
            for k in range(components):
                difference = subtract(load(picture, k, at), load(target, k, at))
                weighed = multiply(weight, difference)
                error = multiply_add(weighed, difference, error)
                slope = multiply(slope_l2, weighed)
                slope = add(slope, where_positive(difference, by_distance))
                slope = subtract(slope, where_positive(subtract(zeros, difference), by_distance))
                if inside:
                    for c in range(channels):
                        by_channel = load(gradients, c * height + top + row, left)
                        slope = multiply_add(broadcast(basis[k, c]), by_channel, slope)
                store(picture, k, at, slope)
        errors[tile] = reduce_add(error)
