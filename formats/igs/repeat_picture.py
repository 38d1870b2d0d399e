"""What a repeat layer adds to the picture, in an order that other machines and languages repeat bit for bit.

As :mod:`.residual_picture`, and with the same cosines: of each component in turn the coefficients are added up, then
times the cell's weight added to the component of the channels' basis, whose rows are added last.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.formats.igs.repeat_layer import RepeatLayer
from imagegs_tex.formats.igs.residual_layer import block_grid, coefficient_values
from imagegs_tex.formats.igs.residual_picture import block_cosines, level_cosines, level_middles, texel_cosines
from imagegs_tex.formats.igs.zigzag import zigzag
from imagegs_tex.jit import njit

Axis = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]
"""Of each texel along an axis the cell, its block in the cell, and the functions there [texel, frequency]."""


def repeat_picture(
    layer: RepeatLayer, own: tuple[int, int], size: tuple[int, int], rows: slice | None = None
) -> NDArray[np.float32]:
    """Return what the layer adds to the channels [rows, W, C], from float64.

    Args:
        layer: the layer
        own: width and height of the file
        size: those of the result, whose texel centres are looked up in their cells
        rows: of the result; None for all
    """
    lines, columns = np.arange(size[1])[rows or slice(None)], np.arange(size[0])
    periods, side = layer.lattice.period, layer.blocks.side

    def along(axis: int, offset: int) -> Axis:
        return _axis(own[axis], size[axis], periods[axis], offset, side, (columns, lines)[axis])

    return _drawn(layer, size[0], len(lines), along)


def repeat_level(layer: RepeatLayer, own: tuple[int, int], level: int) -> NDArray[np.float32]:
    """Return what the layer adds to a level of a mip chain at its texels' centres [h, w, C]: docs/gpu-buffer.md.

    Args:
        layer: the layer
        own: width and height of the file
        level: texels are 2^level texels of the picture; at least 1
    """
    sizes = [-(-side >> level) for side in own]

    def along(axis: int, offset: int) -> Axis:
        return _level_axis(own[axis], layer.lattice.period[axis], offset, layer.blocks.side, level)

    return _drawn(layer, sizes[0], sizes[1], along)


def _drawn(
    layer: RepeatLayer, width: int, height: int, along: Callable[[int, int], Axis]
) -> NDArray[np.float32]:  # fmt: skip
    """Return a picture [height, width, C]; along: what is where along axis 0 or 1, from an offset on."""
    blocks, lattice = layer.blocks, layer.lattice
    picture = np.zeros((height, width, blocks.basis_codes.shape[1]), np.float32)
    starts = np.concatenate([[0], np.cumsum(blocks.counts, dtype=np.int64)])
    shared = (
        starts, blocks.places, coefficient_values(blocks), zigzag(blocks.side), blocks.basis, layer.weights,
        block_grid(*lattice.period, blocks.side_log2)[0],
    )  # fmt: skip
    cell_rows, block_rows, down_table = along(1, lattice.origin[1])
    first, known = 0, -1
    while first < height:
        row = int(cell_rows[first])
        last = first + int(np.searchsorted(cell_rows[first:], row, "right"))
        if lattice.offset(row) != known:
            known = lattice.offset(row)
            columns = along(0, known)
        _draw(*shared, row, *columns, block_rows[first:last], down_table[first:last], picture[first:last])
        first = last
    return picture


def _axis(own: int, size: int, period: int, offset: int, side: int, texels: NDArray[np.int64]) -> Axis:
    """Return the cell of each texel along an axis, its block in the cell, and the functions there [texel, frequency].

    Args:
        own: texels of the file
        size: of the picture
        period: of a cell
        offset: of the file's first texel in the first cell
        side: of a block
        texels: of the picture
    """
    if size == own:
        cells, local = np.divmod(texels + offset, period)
        return cells, local // side, texel_cosines(side)[local % side]
    places = (texels + 0.5) * own / size + offset
    cells = np.floor(places / period).astype(np.int64)
    return cells, *block_cosines(places - cells * period, side)


def _level_axis(own: int, period: int, offset: int, side: int, level: int) -> Axis:
    """Return it for the middles of a level's texels, and the functions' means over such a texel there."""
    at, beyond = level_middles(own, level)
    cells, local = np.divmod(at + offset, period)
    return cells, local // side, level_cosines(local % side + beyond, side, level)


@njit(cache=True, nogil=True)
def _draw(
    starts, places, values, order, basis, weights, across, cell_row, cells, block_columns, across_table, block_rows,
    down_table, picture,
):  # fmt: skip
    """Fill in rows of one row of cells [rows, W, C] that are 0."""
    side = across_table.shape[1]
    components, channels = basis.shape
    place_count = side * side
    sums = np.zeros(components)
    for row in range(picture.shape[0]):
        for column in range(picture.shape[1]):
            block = block_rows[row] * across + block_columns[column]
            at, last = starts[block], starts[block + 1]
            if at == last:
                continue
            sums[:] = 0.0
            while at < last:
                component = places[at] // place_count
                own = 0.0
                while at < last and places[at] // place_count == component:
                    place = order[places[at] - component * place_count]
                    down = place // side
                    own += values[at] * (down_table[row, down] * across_table[column, place - down * side])
                    at += 1
                picture_number = component // components
                sums[component - picture_number * components] += own * weights[picture_number, cell_row, cells[column]]
            for c in range(channels):
                total = 0.0
                for k in range(components):
                    total += sums[k] * basis[k, c]
                picture[row, column, c] = total
