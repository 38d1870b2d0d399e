"""Which Gaussians touch which tile: lists built exactly from the ellipses, in numba.

A *slot* is one copy of a Gaussian in one tile. Where the picture repeats, a Gaussian has a copy a whole number of
pictures away wherever one reaches in; otherwise it is its only copy. Slots are numbered Gaussian by Gaussian, so that
whatever is summed over a Gaussian's slots has a fixed order; tiles list their slots in that order too. Tile size never
changes a pixel: a Gaussian is listed wherever its support reaches a texel centre.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.jit import njit
from imagegs_tex.rasterize.backend import TILE
from imagegs_tex.rasterize.cpu.threads import Workers


@dataclass(frozen=True, slots=True)
class TileLists:
    """Slots by Gaussian and by tile."""

    across: int  # tiles per row
    down: int  # rows of tiles
    slot_starts: NDArray[np.int64]  # [N + 1] first slot of each Gaussian
    slot_gaussian: NDArray[np.int32]  # [S]
    slot_tile: NDArray[np.int32]  # [S]
    slot_rows: NDArray[np.int8]  # [S, 2] first and last row of the tile that the support reaches
    slot_shift: NDArray[np.float32]  # [S, 2] x, y from the Gaussian to this copy of it, in texels
    tile_starts: NDArray[np.int64]  # [T + 1] into tile_slots
    tile_slots: NDArray[np.int32]  # [S] the slots of tile 0, of tile 1, ...


def build_tile_lists(
    means: NDArray[np.float32],
    conics: NDArray[np.float32],
    cutoff: float,
    size: tuple[int, int],
    workers: Workers,
    wrap: tuple[bool, bool] = (False, False),
) -> TileLists:
    """List, for each tile, the Gaussians whose support reaches it.

    Args:
        means: [N, 2] x, y in texels
        conics: [N, 3] A, B, C in 1/texels^2, positive definite
        cutoff: q at which a support ends
        size: width and height in texels
        workers: the threads to use
        wrap: whether the picture repeats in x and in y
    """
    width, height = size
    across, down = -(-width // TILE), -(-height // TILE)
    counts = np.empty(len(means), np.int64)
    workers.run(_count_slots, len(means), means, conics, 2.0 * cutoff, width, height, *wrap, counts)
    slot_starts = np.zeros(len(means) + 1, np.int64)
    np.cumsum(counts, out=slot_starts[1:])
    slot_count = int(slot_starts[-1])
    if slot_count > np.iinfo(np.int32).max:  # only a hostile file gets here; slots are numbered in 32 bits
        raise MemoryError(f"{len(means)} Gaussians reach {slot_count} tiles together")
    slot_gaussian = np.empty(slot_count, np.int32)
    slot_tile = np.empty(slot_count, np.int32)
    slot_rows = np.empty((slot_count, 2), np.int8)
    slot_shift = np.empty((slot_count, 2), np.float32)
    filled = (slot_gaussian, slot_tile, slot_rows, slot_shift)
    workers.run(_fill_slots, len(means), means, conics, 2.0 * cutoff, width, height, *wrap, slot_starts, *filled)
    tile_starts, tile_slots = _sort_by_tile(slot_tile, across * down)
    return TileLists(across, down, slot_starts, *filled, tile_starts, tile_slots)


@njit(cache=True, inline="always")
def _extents(a, b, c, limit):
    """Half the width of the ellipse A x^2 + 2 B x y + C y^2 = limit, and x of its lowest point."""
    determinant = max(a * c - b * b, 1e-9 * a * c)  # rounding must not make a thin ellipse unbounded
    half_width = math.sqrt(limit * c / determinant)
    half_height = math.sqrt(limit * a / determinant)
    return half_width, -b / a * half_height


@njit(cache=True, inline="always")
def _rows_in_slab(a, b, c, limit, x0, x1, lowest_x):
    """Least and greatest y of the ellipse between x0 and x1; all relative to its centre, y pointing down."""
    determinant = max(a * c - b * b, 1e-9 * a * c)
    x_low = min(max(lowest_x, x0), x1)
    x_high = min(max(-lowest_x, x0), x1)
    y_low = (-b * x_low + math.sqrt(max(limit * c - determinant * x_low * x_low, 0.0))) / c
    y_high = (-b * x_high - math.sqrt(max(limit * c - determinant * x_high * x_high, 0.0))) / c
    return y_high, y_low


@njit(cache=True, inline="always")
def _first_centre(edge, size):
    """Index of the first texel centre at or after a coordinate, at least 0."""
    return int(min(max(math.ceil(edge - 0.5), 0.0), float(size)))


@njit(cache=True, inline="always")
def _last_centre(edge, size):
    """Index of the last texel centre at or before a coordinate, at most size - 1."""
    return int(max(min(math.floor(edge - 0.5), float(size - 1)), -1.0))


@njit(cache=True, inline="always")
def _copies(position, half, size, repeats):
    """Numbers of the first and last copy, whole pictures away, whose extent position +- half can reach the picture."""
    if not repeats:
        return 0, 0
    return math.ceil((0.5 - position - half) / size), math.floor((size - 0.5 - position + half) / size)


@njit(cache=True, nogil=True)
def _count_slots(means, conics, limit, width, height, repeats_x, repeats_y, counts, begin, end):
    for n in range(begin, end):
        a, b, c = np.float64(conics[n, 0]), np.float64(conics[n, 1]), np.float64(conics[n, 2])
        half_width, lowest_x = _extents(a, b, c, limit)
        half_height, _ = _extents(c, b, a, limit)
        left_copy, right_copy = _copies(np.float64(means[n, 0]), half_width, width, repeats_x)
        top_copy, bottom_copy = _copies(np.float64(means[n, 1]), half_height, height, repeats_y)
        total = 0
        for copy_x in range(left_copy, right_copy + 1):
            x = np.float64(means[n, 0]) + copy_x * width
            first, last = _first_centre(x - half_width, width), _last_centre(x + half_width, width)
            if first > last:
                continue
            for copy_y in range(top_copy, bottom_copy + 1):
                y = np.float64(means[n, 1]) + copy_y * height
                for column in range(first // TILE, last // TILE + 1):
                    x0 = max(column * TILE, first) + 0.5 - x
                    x1 = min(column * TILE + TILE - 1, last) + 0.5 - x
                    y0, y1 = _rows_in_slab(a, b, c, limit, x0, x1, lowest_x)
                    top, bottom = _first_centre(y + y0, height), _last_centre(y + y1, height)
                    if top <= bottom:
                        total += bottom // TILE - top // TILE + 1
        counts[n] = total


@njit(cache=True, nogil=True)
def _fill_slots(
    means, conics, limit, width, height, repeats_x, repeats_y, slot_starts, slot_gaussian, slot_tile, slot_rows,
    slot_shift, begin, end,
):  # fmt: skip
    across = -(-width // TILE)
    for n in range(begin, end):
        a, b, c = np.float64(conics[n, 0]), np.float64(conics[n, 1]), np.float64(conics[n, 2])
        half_width, lowest_x = _extents(a, b, c, limit)
        half_height, _ = _extents(c, b, a, limit)
        left_copy, right_copy = _copies(np.float64(means[n, 0]), half_width, width, repeats_x)
        top_copy, bottom_copy = _copies(np.float64(means[n, 1]), half_height, height, repeats_y)
        slot = slot_starts[n]
        for copy_x in range(left_copy, right_copy + 1):
            x = np.float64(means[n, 0]) + copy_x * width
            first, last = _first_centre(x - half_width, width), _last_centre(x + half_width, width)
            if first > last:
                continue
            for copy_y in range(top_copy, bottom_copy + 1):
                y = np.float64(means[n, 1]) + copy_y * height
                for column in range(first // TILE, last // TILE + 1):
                    x0 = max(column * TILE, first) + 0.5 - x
                    x1 = min(column * TILE + TILE - 1, last) + 0.5 - x
                    y0, y1 = _rows_in_slab(a, b, c, limit, x0, x1, lowest_x)
                    top, bottom = _first_centre(y + y0, height), _last_centre(y + y1, height)
                    if top <= bottom:
                        for row in range(top // TILE, bottom // TILE + 1):
                            slot_gaussian[slot] = n
                            slot_tile[slot] = row * across + column
                            slot_rows[slot, 0] = max(top - row * TILE, 0)
                            slot_rows[slot, 1] = min(bottom - row * TILE, TILE - 1)
                            slot_shift[slot, 0] = copy_x * width
                            slot_shift[slot, 1] = copy_y * height
                            slot += 1


@njit(cache=True)
def _sort_by_tile(slot_tile, tile_count):
    starts = np.zeros(tile_count + 1, np.int64)
    for tile in slot_tile:
        starts[tile + 1] += 1
    for tile in range(tile_count):
        starts[tile + 1] += starts[tile]
    cursors = starts[:-1].copy()
    slots = np.empty(slot_tile.shape[0], np.int32)
    for slot in range(slot_tile.shape[0]):
        tile = slot_tile[slot]
        slots[cursors[tile]] = slot
        cursors[tile] += 1
    return starts, slots
