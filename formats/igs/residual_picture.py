"""What a residual layer adds to the picture, in an order that other machines and languages repeat bit for bit.

Without numba's fastmath no sum is reordered and no product fused, so that levels made of the picture are the same
everywhere (docs/gpu-buffer.md, "Levels").
"""

from concurrent.futures import ThreadPoolExecutor
from typing import Final

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.formats.igs.residual_layer import ResidualLayer, block_grid, coefficient_values
from imagegs_tex.formats.igs.zigzag import zigzag
from imagegs_tex.jit import njit

_QUARTER: Final = (
    1.0, 0.9951847266721969, 0.9807852804032304, 0.9569403357322088, 0.9238795325112867, 0.881921264348355,
    0.8314696123025452, 0.773010453362737, 0.7071067811865476, 0.6343932841636455, 0.5555702330196022,
    0.47139673682599764, 0.3826834323650898, 0.2902846772544624, 0.19509032201612828, 0.0980171403295606, 0.0,
)  # fmt: skip
"""cos(i pi / 32), rounded to float64: a library's cosine may differ in its last bit."""
TURN: Final = 64
"""A whole circle, in steps of that table."""
_ROWS: Final = 32
"""That a thread draws at once."""

Axis = tuple[NDArray[np.int64], NDArray[np.float64]]
"""Of each texel along an axis the block, and the functions there [texel, frequency]."""


def residual_picture(
    layer: ResidualLayer, own: tuple[int, int], size: tuple[int, int], rows: slice | None = None, threads: int = 1
) -> NDArray[np.float32]:
    """Return what the layer adds to the channels [rows, W, C], from float64.

    Args:
        layer: the layer
        own: width and height of the file
        size: those of the result, of whose texel centres each takes the cosines of the block that it lies in
        rows: of the result; None for all
        threads: that draw, whose number changes nothing
    """
    columns = _axis(own[0], size[0], layer.side)
    lines, down_table = _axis(own[1], size[1], layer.side)
    if rows is not None:
        lines, down_table = lines[rows], down_table[rows]
    return _drawn(layer, own, columns, (lines, down_table), threads)


def residual_level(layer: ResidualLayer, own: tuple[int, int], level: int) -> NDArray[np.float32]:
    """Return what the layer adds to a level of a mip chain at its texels' centres [h, w, C]: docs/gpu-buffer.md.

    Args:
        layer: the layer
        own: width and height of the file
        level: texels are 2^level texels of the picture, at least 2 and at most a block
    """

    def along(length: int) -> Axis:
        at, beyond = level_middles(length, level)
        return at // layer.side, level_cosines(at % layer.side + beyond, layer.side, level)

    return _drawn(layer, own, along(own[0]), along(own[1]), threads=1)


def _drawn(
    layer: ResidualLayer, own: tuple[int, int], columns: Axis, lines: Axis, threads: int
) -> NDArray[np.float32]:  # fmt: skip
    """Return the picture [lines, columns, C]."""
    down_blocks, down_table = lines
    picture = np.zeros((len(down_blocks), len(columns[0]), layer.basis_codes.shape[1]), np.float32)
    starts = np.concatenate([[0], np.cumsum(layer.counts, dtype=np.int64)])
    drawn = starts, layer.places, coefficient_values(layer), zigzag(layer.side), layer.basis, *columns
    across = block_grid(*own, layer.side_log2)[0]

    def draw(first: int) -> None:
        part = slice(first, first + _ROWS)
        _draw(*drawn, down_blocks[part], down_table[part], across, picture[part])

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(draw, range(0, len(down_blocks), _ROWS)))
    return picture


def texel_cosines(side: int) -> NDArray[np.float64]:
    """Return the DCT's functions at the texels of a block [texel, frequency], orthonormal."""
    turns = (2 * np.arange(side)[:, None] + 1) * np.arange(side) * (TURN // (4 * side))
    return turn_cosines(turns) * cosine_scales(side)


def level_middles(own: int, level: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return in which texel a level's texels have their middles, and how much beyond its corner, of OWN texels.

    The last middle may lie beyond the picture's border, by whole texels, and belongs to the outermost texel then.
    """
    middles = (2 * np.arange(-(-own >> level)) + 1) << (level - 1)
    at = np.minimum(middles, own - 1)
    return at, middles - at


def level_cosines(within: NDArray[np.int64], side: int, level: int) -> NDArray[np.float64]:
    """Return the means of the DCT's functions over a level's texels [N, side].

    Args:
        within: whole texels from the block's edge to the middle of each [N]
        side: of a block
        level: texels are 2^level texels of the picture, at least 1 and at most a block
    """
    values = turn_cosines(within[:, None] * np.arange(side) * (TURN // (2 * side))) * cosine_scales(side)
    means = np.ones(side)
    for step in range(level):
        means = means * turn_cosines((np.arange(side) << step) * (TURN // (4 * side)))
    return values * means


def turn_cosines(turns: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the cosines of angles that are counted in 1/64 of a whole circle."""
    within = turns % TURN
    folded = np.minimum(within, TURN - within)
    values = np.array(_QUARTER)[np.where(folded > TURN // 4, TURN // 2 - folded, folded)]
    return np.asarray(np.where(folded > TURN // 4, -values, values), dtype=np.float64)


def block_cosines(places: NDArray[np.float64], side: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return for places in texels the block [N] that each lies in, and the DCT's functions there [N, side]."""
    blocks = np.floor(places / side).astype(np.int64)
    values = np.cos(np.pi * np.arange(side) * (places - blocks * side)[:, None] / side) * cosine_scales(side)
    return blocks, np.asarray(values, dtype=np.float64)


def cosine_scales(side: int) -> NDArray[np.float64]:
    """Return what makes the functions orthonormal [frequency]."""
    return np.asarray(np.where(np.arange(side) == 0, np.sqrt(1 / side), np.sqrt(2 / side)), dtype=np.float64)


def _axis(own: int, size: int, side: int) -> Axis:
    """Return the block of each texel along an axis, and the functions there."""
    if size == own:
        texels = np.arange(own)
        return texels // side, texel_cosines(side)[texels % side]
    return block_cosines((np.arange(size) + 0.5) * own / size, side)


@njit(cache=True, nogil=True)
def _draw(
    starts, places, values, order, basis, columns, across_table, lines, down_table, across, picture
):  # fmt: skip
    """Fill in a picture [rows, W, C] that is 0."""
    side = across_table.shape[1]
    components, channels = basis.shape
    place_count = side * side
    sums = np.zeros(components)
    for row in range(picture.shape[0]):
        for column in range(picture.shape[1]):
            block = lines[row] * across + columns[column]
            first, last = starts[block], starts[block + 1]
            if first == last:
                continue
            sums[:] = 0.0
            for at in range(first, last):
                k = places[at] // place_count
                place = order[places[at] - k * place_count]
                down = place // side
                sums[k] += values[at] * (down_table[row, down] * across_table[column, place - down * side])
            for c in range(channels):
                total = 0.0
                for k in range(components):
                    total += sums[k] * basis[k, c]
                picture[row, column, c] = total
