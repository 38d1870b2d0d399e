"""Rendering in an order that other machines and languages repeat bit for bit: :mod:`imagegs_tex.decoder.level_render`.

Without numba's fastmath no sum is reordered and no product fused.
"""

import math
from typing import Final

import numpy as np

from imagegs_tex.jit import njit
from imagegs_tex.rasterize.cpu.exp2 import exp2_of_minus

TILE: Final = 64
"""Texels across and down for which Gaussians are listed."""


@njit(cache=True)
def list_tiles(first, last, across, down):
    """List images by tile, in their order: starts [tiles + 1], entries."""
    starts = np.zeros(across * down + 1, np.int64)
    for image in range(len(first)):
        for row in range(first[image, 1], last[image, 1] + 1):
            for column in range(first[image, 0], last[image, 0] + 1):
                starts[row * across + column + 1] += 1
    for tile in range(across * down):
        starts[tile + 1] += starts[tile]
    entries = np.empty(starts[-1], np.int32)
    place = starts.copy()
    for image in range(len(first)):
        for row in range(first[image, 1], last[image, 1] + 1):
            for column in range(first[image, 0], last[image, 0] + 1):
                tile = row * across + column
                entries[place[tile]] = image
                place[tile] += 1
    return starts, entries


@njit(cache=True, nogil=True)
def draw_tiles(
    of, moved, slant, across, along, shares, features, starts, entries, basis, offset, epsilon, edge, limit, level,
    image, begin_tile, end_tile,
):  # fmt: skip
    """Draw tiles; features [N, K], basis [K, C], image [h, w, C]: what is added before channels are held to [0, 1]."""
    height, width, channels = image.shape
    components = features.shape[1]
    tiles_across = -(-width // TILE)
    sums = np.empty((components + 1, TILE), np.float32)
    value = np.empty(TILE, np.float32)
    weight = np.empty(TILE, np.float32)
    side = float(1 << level)
    columns = (np.arange(TILE).astype(np.float32) + np.float32(0.5)) * np.float32(side)
    for tile in range(begin_tile, end_tile):
        left = tile % tiles_across * TILE
        top = tile // tiles_across * TILE
        count = min(TILE, width - left)
        for row in range(top, min(top + TILE, height)):
            sums[:] = np.float32(0)
            y = (row + 0.5) * side
            for entry in range(starts[tile], starts[tile + 1]):
                at = entries[entry]
                n = of[at]
                dy = y - moved[at, 1]
                rest = along[n] * dy * dy
                if rest >= limit:
                    continue
                corner = (left * side - moved[at, 0]) + slant[n] * dy
                half = math.sqrt((limit - rest) / across[n])
                low = max(0, math.floor((-half - corner) / side - 0.5))
                high = min(count, math.ceil((half - corner) / side - 0.5) + 1)
                if low >= high:
                    continue
                _add_row(
                    columns[low:high], np.float32(corner), across[n], np.float32(rest), edge, shares[n], features[n],
                    weight[: high - low], sums[:, low:high],
                )  # fmt: skip
            for i in range(count):
                sums[0, i] = np.float32(1) / (epsilon + sums[0, i])
            for k in range(components):
                for i in range(count):
                    sums[k + 1, i] *= sums[0, i]
            for c in range(channels):
                value[:count] = offset[c]
                for k in range(components):
                    for i in range(count):
                        value[i] += basis[k, c] * sums[k + 1, i]
                for i in range(count):
                    held = max(value[i] + image[row, left + i, c], np.float32(0))
                    image[row, left + i, c] = min(held, np.float32(1))


@njit(cache=True, nogil=True)
def _add_row(columns, corner, across, rest, edge, share, features, weight, sums):
    """Add a Gaussian to part of a row: its weight to sums[0], weighted features to sums[1:]."""
    for i in range(len(columns)):
        u = columns[i] + corner
        t = across * u * u + rest
        weight[i] = max(exp2_of_minus(t) - edge, np.float32(0)) * share
    for i in range(len(columns)):
        sums[0, i] += weight[i]
    for k in range(len(features)):
        for i in range(len(columns)):
            sums[k + 1, i] += weight[i] * features[k]
