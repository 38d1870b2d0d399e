"""What a residual layer adds to the picture, in an order that other machines and languages repeat bit for bit.

Without numba's fastmath no sum is reordered and no product fused, so that levels made of the picture are the same
everywhere (docs/gpu-buffer.md, "Levels").
"""

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


def residual_picture(
    layer: ResidualLayer, own: tuple[int, int], size: tuple[int, int], rows: slice | None = None
) -> NDArray[np.float32]:
    """Return what the layer adds to the channels [rows, W, C], from float64.

    Args:
        layer: the layer
        own: width and height of the file
        size: those of the result, of whose texel centres each takes the cosines of the block that it lies in
        rows: of the result; None for all
    """
    columns, across_table = _axis(own[0], size[0], layer.side)
    lines, down_table = _axis(own[1], size[1], layer.side)
    if rows is not None:
        lines, down_table = lines[rows], down_table[rows]
    picture = np.zeros((len(lines), size[0], layer.basis_codes.shape[1]), np.float32)
    starts = np.concatenate([[0], np.cumsum(layer.counts, dtype=np.int64)])
    _draw(
        starts, layer.places, coefficient_values(layer), zigzag(layer.side), layer.basis, columns, across_table, lines,
        down_table, block_grid(*own, layer.side_log2)[0], picture,
    )  # fmt: skip
    return picture


def texel_cosines(side: int) -> NDArray[np.float64]:
    """Return the DCT's functions at the texels of a block [texel, frequency], orthonormal."""
    turns = (2 * np.arange(side)[:, None] + 1) * np.arange(side) * (32 // (2 * side)) % 64  # of 64 to a whole circle
    folded = np.minimum(turns, 64 - turns)
    values = np.array(_QUARTER)[np.where(folded > 16, 32 - folded, folded)]
    return np.asarray(np.where(folded > 16, -values, values) * _scales(side), dtype=np.float64)


def block_cosines(places: NDArray[np.float64], side: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return for places in texels the block [N] that each lies in, and the DCT's functions there [N, side]."""
    blocks = np.floor(places / side).astype(np.int64)
    values = np.cos(np.pi * np.arange(side) * (places - blocks * side)[:, None] / side) * _scales(side)
    return blocks, np.asarray(values, dtype=np.float64)


def _scales(side: int) -> NDArray[np.float64]:
    """Return what makes the functions orthonormal [frequency]."""
    return np.asarray(np.where(np.arange(side) == 0, np.sqrt(1 / side), np.sqrt(2 / side)), dtype=np.float64)


def _axis(own: int, size: int, side: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
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
