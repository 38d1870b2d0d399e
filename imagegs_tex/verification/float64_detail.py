"""What docs/igs-format.md, "Detail", says the noise is, in float64 and as plainly as numpy can.

Of the format it takes the tile, the hash, the tables and what codes mean. Where texels lie in the blocks, how layers
and bands add up and how strong the noise is, is worked out here by itself: blocks are found from the list of their
first texels, which no decoder has.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.formats.igs.detail_layer import MAX_AMPLITUDE, DetailLayer
from imagegs_tex.formats.igs.noise_tile import (
    DEVIATION,
    GRID_FACTOR,
    GRID_PERIOD_BITS,
    LAYER_WEIGHT_ONE,
    LAYER_WEIGHTS,
    TILE_SIDE,
    block_count,
    hash32,
    noise_tile,
)
from imagegs_tex.formats.igs.quantized_set import OFFSET_SCALE, QuantizedGaussianSet

Float = NDArray[np.float64]
Whole = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class ReferenceDetail:
    """A file's noise, ready to be drawn at any texel."""

    layer: DetailLayer
    size: tuple[int, int]  # texels
    wrap: tuple[bool, bool]
    offset: Float  # [C], from which amplitudes count


def reference_detail(quantized: QuantizedGaussianSet) -> ReferenceDetail | None:
    """Return a set's noise; None where it has no detail layer."""
    if quantized.detail is None:
        return None
    size = (quantized.width, quantized.height)
    return ReferenceDetail(quantized.detail, size, quantized.wrap, quantized.offset_codes / OFFSET_SCALE)


def with_detail(detail: ReferenceDetail, channels: Float, xs: Whole, ys: Whole) -> Float:
    """Return channels [..., C] in [0, 1] with the noise of texels (xs, ys), which broadcast to [...]."""
    layer, (width, height) = detail.layer, detail.size
    envelope = _envelope(detail, xs, ys)
    weights = _layer_weights(_place(xs, width), _place(ys, height))
    places = [_tile_place(grid, xs, ys, detail.size) for grid in (0, 1)]
    result = channels.copy()
    for component, (right, down) in enumerate(layer.shifts):
        noise = np.zeros(channels.shape[:-1])
        for grid, (x, y) in enumerate(places):
            bands = noise_tile()[(y + down) % TILE_SIDE, (x + right) % TILE_SIDE] / DEVIATION
            noise += weights[grid] * (bands @ layer.bands[component])
        amplitude = np.clip(1 + (channels - detail.offset) @ layer.slopes[component], 0, MAX_AMPLITUDE)
        result += (noise * amplitude * envelope)[..., None] * layer.mixing[:, component]
    return np.clip(result, 0, 1)


def _first_texels(length: int, grid: int) -> Whole:
    """Return the first texel of each block of an axis: at multiples of length / count, half a block less in grid 1."""
    count = block_count(length)
    halves = [2 * block - grid for block in range(count + grid)]
    return np.array([-(-half * length // (2 * count)) for half in halves])


def _tile_place(grid: int, xs: Whole, ys: Whole, size: tuple[int, int]) -> tuple[Whole, Whole]:
    """Return the texel of the tile that texels read in one of the grids."""
    numbers, within = [], []
    for at, length in zip((xs, ys), size, strict=True):
        first = _first_texels(length, grid)
        block = np.searchsorted(first, at, side="right") - 1
        within.append(at - first[block])
        numbers.append(block % block_count(length))  # half a block at the end is the other half of the first
    hashes = hash32((2 * (numbers[1] * GRID_FACTOR + numbers[0]) + grid).astype(np.uint32)).astype(np.int64)
    shift = hashes % TILE_SIDE, (hashes >> GRID_PERIOD_BITS) % TILE_SIDE
    return (within[0] + shift[0]) % TILE_SIDE, (within[1] + shift[1]) % TILE_SIDE


def _place(at: Whole, length: int) -> Whole:
    """Return how far texels are across their blocks of the first grid, 0..255."""
    return 256 * (at * block_count(length) % length) // length


def _layer_weights(x: Whole, y: Whole) -> tuple[Float, Float]:
    """Return the weights of the two grids by how far the borders of their blocks are."""
    border = np.minimum.reduce(np.broadcast_arrays(x, 255 - x, y, 255 - y))
    other = np.minimum(np.abs(x - 128), np.abs(y - 128))
    total = border + other
    share = np.where(total == 0, 8, 16 * border // np.where(total == 0, 1, total))
    table = np.array(LAYER_WEIGHTS) / LAYER_WEIGHT_ONE
    return table[share, 0], table[share, 1]


def _envelope(detail: ReferenceDetail, xs: Whole, ys: Whole) -> Float:
    """Return the factors of the grid at texels' centres, linear between the centres of its cells."""
    grid = detail.layer.envelope
    total = np.zeros(np.broadcast_shapes(xs.shape, ys.shape))
    sides = []
    for axis, at in enumerate((xs, ys)):
        cells = grid.shape[1 - axis]
        position = (at + 0.5) * cells / detail.size[axis] - 0.5
        low = np.floor(position).astype(np.int64)
        pair = [(low, 1 - (position - low)), (low + 1, position - low)]
        sides.append(
            [(cell % cells if detail.wrap[axis] else np.clip(cell, 0, cells - 1), share) for cell, share in pair]
        )
    for column, across in sides[0]:
        for row, down in sides[1]:
            total += across * down * grid[row, column]
    return total
