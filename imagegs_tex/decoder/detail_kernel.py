"""The detail layer drawn on the CPU, in numba: a texel at a time, where torch takes each step over a whole band.

Every step is one that IEEE 754 defines, in a stated order and without fused products: bands, components and channels by
number. So runtime/c/igs_levels.h has the same bits.
"""

import numpy as np

from imagegs_tex.formats.igs.noise_tile import TILE_SIDE
from imagegs_tex.jit import njit


@njit(cache=True, nogil=True)
def draw_rows(
    part, base, blocks, locals_across, places_across, blocks_down, locals_down, places_down, hashes, weights,
    noises, shifts, slopes, mixing, most, columns, low, high, share, kept,
):  # fmt: skip
    """Add noise to rows of a picture, in place; or keep how strong it is, where there is room for that.

    part [rows, W, C] in [0, 1], base [C] what amplitudes count from; blocks and locals_across [2, W], places_across [W]
    and the same down [2, rows], [rows]: where columns and rows lie in the two grids of blocks, whose hashes are
    [2, down, across]; weights [17, 2] of the two layers; noises [K, texels of the tile], shifts [K, 2], slopes [K, C],
    mixing [C, K]; amplitudes are at most most; columns [cells, W] is the envelope at its cells' rows, of which a row
    lies between low and high [rows], by a share [rows] towards the latter; kept [K, rows, W], or nothing of it.
    """
    rows, width, channels = part.shape
    components = noises.shape[0]
    keeps = kept.size > 0
    around = TILE_SIDE - 1
    added = np.empty(channels, np.float32)
    one, none = np.float32(1.0), np.float32(0.0)
    for row in range(rows):
        above, below, towards = columns[low[row]], columns[high[row]], share[row]
        y = places_down[row]
        for column in range(width):
            x = places_across[column]
            border = min(x, 255 - x, y, 255 - y)
            middle = min(abs(x - 128), abs(y - 128))
            total = border + middle
            step = 16 * border // total if total > 0 else 8
            first_weight, second_weight = weights[step, 0], weights[step, 1]
            first = hashes[0, blocks_down[0, row], blocks[0, column]]
            second = hashes[1, blocks_down[1, row], blocks[1, column]]
            first_x, second_x = locals_across[0, column] + first, locals_across[1, column] + second
            first_y = locals_down[0, row] + first // TILE_SIDE
            second_y = locals_down[1, row] + second // TILE_SIDE
            envelope = above[column] * (one - towards) + below[column] * towards
            for channel in range(channels):
                added[channel] = none
            for component in range(components):
                right, down = shifts[component, 0], shifts[component, 1]
                noise = (
                    first_weight
                    * noises[component, ((first_y + down) & around) * TILE_SIDE + ((first_x + right) & around)]
                ) + (
                    second_weight
                    * noises[component, ((second_y + down) & around) * TILE_SIDE + ((second_x + right) & around)]
                )
                grown = (part[row, column, 0] - base[0]) * slopes[component, 0]
                for channel in range(1, channels):
                    grown += (part[row, column, channel] - base[channel]) * slopes[component, channel]
                strength = noise * min(max(one + grown, none), most) * envelope
                if keeps:
                    kept[component, row, column] = strength
                    continue
                for channel in range(channels):
                    added[channel] += strength * mixing[channel, component]
            if keeps:
                continue
            for channel in range(channels):
                part[row, column, channel] = min(max(part[row, column, channel] + added[channel], none), one)


@njit(cache=True, nogil=True)
def add_rows(part, kept, mixing, drawn):
    """Fill drawn [rows, W, C] with rows of a picture and the noise of strengths kept [K, rows, W], mixed by [C, K].

    The same steps as in :func:`draw_rows`, along a row for each channel.
    """
    rows, width, channels = part.shape
    added = np.empty(width, np.float32)
    one, none = np.float32(1.0), np.float32(0.0)
    for row in range(rows):
        for channel in range(channels):
            added[:] = none
            for component in range(kept.shape[0]):
                share, strengths = mixing[channel, component], kept[component, row]
                for column in range(width):
                    added[column] += strengths[column] * share
            for column in range(width):
                drawn[row, column, channel] = min(max(part[row, column, channel] + added[column], none), one)
