"""The cpu backend's equations of the features, in numba: tiles' matrices, gathered into rows, and their product.

As in :mod:`imagegs_tex.rasterize.cpu.kernels`, each call handles a range of tiles or Gaussians, and no sum depends on
the thread count.
"""

import math

import numpy as np

from imagegs_tex.jit import REORDERED, aligned, njit
from imagegs_tex.rasterize.backend import TILE
from imagegs_tex.rasterize.cpu.kernels import TEXELS, prefetch_planes, write_weights
from imagegs_tex.rasterize.cpu.simd import (
    add,
    broadcast,
    broadcast_4_doubles,
    load,
    load_4_doubles,
    multiply,
    multiply_add,
    multiply_then_add,
    reduce_add,
    reduce_add_4,
    store,
)  # fmt: skip


@njit(fastmath=REORDERED, inline="always")
def _products(vectors, index, others, count, first_row, last_row, products):
    """Fill products [count] of one row of vectors [_, TEXELS] with the first others [_, TEXELS], over a tile's rows.

    Four at a time, so that the vector is loaded once for them.
    """
    whole = count - count % 4
    zeros = broadcast(np.float32(0.0))
    for at in range(0, whole, 4):
        p0, p1, p2, p3 = zeros, zeros, zeros, zeros
        for row in range(first_row, last_row + 1):
            texel = row * TILE
            value = load(vectors, index, texel)
            p0 = multiply_add(value, load(others, at, texel), p0)
            p1 = multiply_add(value, load(others, at + 1, texel), p1)
            p2 = multiply_add(value, load(others, at + 2, texel), p2)
            p3 = multiply_add(value, load(others, at + 3, texel), p3)
        products[at], products[at + 1], products[at + 2], products[at + 3] = reduce_add_4(p0, p1, p2, p3)
    for at in range(whole, count):
        product = zeros
        for row in range(first_row, last_row + 1):
            product = multiply_add(load(vectors, index, row * TILE), load(others, at, row * TILE), product)
        products[at] = reduce_add(product)


@njit(fastmath=REORDERED, nogil=True, cache=True)
def correlate_tiles(
    means, conics, epsilon, cutoff, slot_gaussian, slot_rows, slot_shift, tile_starts, tile_slots, across, resting,
    planes, importance, pair_starts, pairs, slot_rhs, begin_tile, end_tile,
):  # fmt: skip
    """Correlate the normalised weights of each tile: with each other, and with the target.

    Each texel counts by its importance [T, TEXELS], which is zero beyond the picture's border. Of the target, what
    resting Gaussians paint [T, K + 1, TEXELS] is taken off; [0, K + 1, TEXELS] where there are none.
    pairs: each tile's matrix, row by row from pair_starts[tile]; slot_rhs: [S, K].
    """
    components = planes.shape[1]
    cutoff_weight = np.float32(math.exp(-cutoff))
    longest = 0
    for tile in range(begin_tile, end_tile):
        longest = max(longest, tile_starts[tile + 1] - tile_starts[tile])
    weights, wanted = aligned(longest, TEXELS), aligned(components, TEXELS)
    roots, scales = aligned(1, TEXELS)[0], aligned(1, TEXELS)
    total = scales[0]  # of the weights, and then what they are divided by
    for tile in range(begin_tile, end_tile):
        left, top = (tile % across) * TILE, (tile // across) * TILE
        x0, y0 = np.float32(left + 0.5), np.float32(top + 0.5)
        begin = tile_starts[tile]
        count = tile_starts[tile + 1] - begin
        if count == 0:
            continue
        prefetch_planes(planes, tile)
        if resting.shape[0] > 0:
            total[:] = resting[tile, components]
        else:
            total[:] = epsilon
        for j in range(count):
            slot = tile_slots[begin + j]
            n = slot_gaussian[slot]
            first, last = np.int64(slot_rows[slot, 0]), np.int64(slot_rows[slot, 1])
            weights[j, :] = np.float32(0.0)
            write_weights(
                means[n, 0], means[n, 1], conics[n, 0], conics[n, 1], conics[n, 2], cutoff_weight,
                x0 - slot_shift[slot, 0], y0 - slot_shift[slot, 1],
                first, last, weights, j,
            )  # fmt: skip
            for row in range(first, last + 1):
                store(scales, 0, row * TILE, add(load(scales, 0, row * TILE), load(weights, j, row * TILE)))
        for i in range(TEXELS):  # the root on both sides of every product
            roots[i] = np.float32(math.sqrt(importance[tile, i]))
            total[i] = roots[i] / total[i]
        for k in range(components):
            wanted_k, plane = wanted[k], planes[tile, k]
            for i in range(TEXELS):
                wanted_k[i] = roots[i] * plane[i]
        if resting.shape[0] > 0:  # they paint a part of what is wanted
            for k in range(components):
                wanted_k, painted = wanted[k], resting[tile, k]
                for i in range(TEXELS):
                    wanted_k[i] -= total[i] * painted[i]
        for j in range(count):
            slot = tile_slots[begin + j]
            first, last = np.int64(slot_rows[slot, 0]), np.int64(slot_rows[slot, 1])
            for row in range(first, last + 1):
                store(weights, j, row * TILE, multiply(load(weights, j, row * TILE), load(scales, 0, row * TILE)))
            _products(weights, j, wanted, components, first, last, slot_rhs[slot])
            at = pair_starts[tile] + j * count
            _products(weights, j, weights, j + 1, first, last, pairs[at : at + j + 1])
            for other in range(j):  # both halves, so that gathering a row reads what lies together
                pairs[pair_starts[tile] + other * count + j] = pairs[at + other]


@njit(nogil=True, cache=True)
def place_slots(tile_starts, tile_slots, slot_places, begin_tile, end_tile):
    """Fill slot_places [S]: which of its tile's slots each one is."""
    for tile in range(begin_tile, end_tile):
        for index in range(tile_starts[tile], tile_starts[tile + 1]):
            slot_places[tile_slots[index]] = index - tile_starts[tile]


@njit(nogil=True, cache=True)
def count_rows(slot_starts, slot_tile, tile_starts, tile_gaussians, row_starts, begin_gaussian, end_gaussian):
    """Fill row_starts [N + 1] beyond its first: how many Gaussians share a tile with each one."""
    seen = np.full(slot_starts.shape[0] - 1, -1, np.int32)
    for n in range(begin_gaussian, end_gaussian):
        length = 0
        for slot in range(slot_starts[n], slot_starts[n + 1]):
            tile = slot_tile[slot]
            for m in tile_gaussians[tile_starts[tile] : tile_starts[tile + 1]]:
                length += seen[m] != n  # no branch: whether a Gaussian has been seen is a toss-up
                seen[m] = n
        row_starts[n + 1] = length


@njit(nogil=True, cache=True)
def gather_rows(
    slot_starts, slot_tile, slot_places, tile_starts, tile_gaussians, pair_starts, pairs, row_starts, columns, values,
    diagonal, begin_gaussian, end_gaussian,
):  # fmt: skip
    """Turn the tiles' pairs into rows of a symmetric sparse matrix, and its diagonal."""
    places = np.full(slot_starts.shape[0] - 1, -1, np.int64)  # of each Gaussian in the last row that it was in
    for n in range(begin_gaussian, end_gaussian):
        begin = row_starts[n]
        end = begin
        for slot in range(slot_starts[n], slot_starts[n + 1]):
            tile = slot_tile[slot]
            first, last = tile_starts[tile], tile_starts[tile + 1]
            row = pair_starts[tile] + slot_places[slot] * (last - first)
            for other in range(last - first):
                m, pair = tile_gaussians[first + other], np.float64(pairs[row + other])
                new = places[m] < begin  # no branch, as above
                place = end if new else places[m]
                places[m], columns[place] = place, m
                values[place] = pair + (0.0 if new else values[place])
                end += new
        diagonal[n] = values[places[n]] if end > begin else 0.0


@njit(inline="always")
def _three_products(values, columns, begin, end, vectors, n, first, second, third, product):
    zeros = broadcast_4_doubles(0.0)
    p0, p1, p2 = zeros, zeros, zeros
    for at in range(begin, end):
        value, m = broadcast_4_doubles(values[at]), np.int64(columns[at])
        p0 = multiply_then_add(value, load_4_doubles(vectors, m, first), p0)
        p1 = multiply_then_add(value, load_4_doubles(vectors, m, second), p1)
        p2 = multiply_then_add(value, load_4_doubles(vectors, m, third), p2)
    store(product, n, first, p0)
    store(product, n, second, p1)
    store(product, n, third, p2)


@njit(inline="always")
def _product(values, columns, begin, end, vectors, n, first, product):
    p0 = broadcast_4_doubles(0.0)
    for at in range(begin, end):
        vector = load_4_doubles(vectors, np.int64(columns[at]), first)
        p0 = multiply_then_add(broadcast_4_doubles(values[at]), vector, p0)
    store(product, n, first, p0)


@njit(nogil=True, cache=True)
def multiply_rows(row_starts, columns, values, vectors, product, begin_gaussian, end_gaussian):
    """Product [N, K] = sparse matrix times vectors [N, K].

    Four components at a time, the last four begun so early that there are four; summed up in memory, all of them took
    twice as long.
    """
    width = vectors.shape[1]
    last = width - 4
    for n in range(begin_gaussian, end_gaussian):
        begin, end = row_starts[n], row_starts[n + 1]
        if width == 3:
            s0, s1, s2 = 0.0, 0.0, 0.0
            for at in range(begin, end):
                value, m = values[at], np.int64(columns[at])
                s0, s1, s2 = s0 + value * vectors[m, 0], s1 + value * vectors[m, 1], s2 + value * vectors[m, 2]
            product[n, 0], product[n, 1], product[n, 2] = s0, s1, s2
        elif width < 3:
            for k in range(width):
                s0 = 0.0
                for at in range(begin, end):
                    s0 += values[at] * vectors[columns[at], k]
                product[n, k] = s0
        elif width == 4:
            _product(values, columns, begin, end, vectors, n, 0, product)
        else:
            for k in range(0, width, 12):
                second, third = min(k + 4, last), min(k + 8, last)
                _three_products(values, columns, begin, end, vectors, n, min(k, last), second, third, product)


@njit(nogil=True, cache=True)
def begin_solution(
    row_starts, columns, values, start, rhs, diagonal, residual, direction, energies, begin_gaussian, end_gaussian
):  # fmt: skip
    """Fill what conjugate gradients begin with at a start: residual, direction and their product, each [N, K]."""
    multiply_rows(row_starts, columns, values, start, residual, begin_gaussian, end_gaussian)
    for n in range(begin_gaussian, end_gaussian):
        for k in range(start.shape[1]):
            residual[n, k] = rhs[n, k] - residual[n, k]
            direction[n, k] = residual[n, k] / diagonal[n]
            energies[n, k] = residual[n, k] * direction[n, k]


@njit(nogil=True, cache=True)
def multiply_damped(
    row_starts, columns, values, damping, direction, product, energies, begin_gaussian, end_gaussian
):  # fmt: skip
    """Fill the product [N, K] of the damped matrix with a direction [N, K], and that times the direction."""
    multiply_rows(row_starts, columns, values, direction, product, begin_gaussian, end_gaussian)
    for n in range(begin_gaussian, end_gaussian):
        for k in range(direction.shape[1]):
            product[n, k] += damping * direction[n, k]
            energies[n, k] = direction[n, k] * product[n, k]


@njit(nogil=True, cache=True)
def step_along(
    steps, direction, product, diagonal, solution, residual, energies, begin_gaussian, end_gaussian
):  # fmt: skip
    """Move a solution [N, K] by steps [K] along a direction, and its residual; product becomes what that leads to."""
    for n in range(begin_gaussian, end_gaussian):
        for k in range(steps.shape[0]):
            solution[n, k] += steps[k] * direction[n, k]
            residual[n, k] -= steps[k] * product[n, k]
            product[n, k] = residual[n, k] / diagonal[n]
            energies[n, k] = residual[n, k] * product[n, k]


@njit(nogil=True, cache=True)
def turn(ratios, preconditioned, direction, begin_gaussian, end_gaussian):
    """Turn a direction [N, K] by ratios [K] towards a preconditioned residual."""
    for n in range(begin_gaussian, end_gaussian):
        for k in range(ratios.shape[0]):
            direction[n, k] = preconditioned[n, k] + ratios[k] * direction[n, k]
