"""The envelope's cells fitted to blocks, in numba: a turn is a pass over the blocks.

As products of matrices, each of which holds two numbers a row, OpenBLAS gave a turn's 128 x 128 blocks to all cores,
which waited for each other: 15 ms a turn with two cores, 0.1 ms with one. Sums are in its order, fused, so that the
bits are the same.
"""

from numba import types

from imagegs_tex.jit import intrinsic, njit


@intrinsic
def _fused(typing_context, one, other, addend):
    """Return one * other + addend, float64, rounded once."""

    def generate(context, builder, signature, arguments):
        return builder.fma(*arguments)

    return types.float64(types.float64, types.float64, types.float64), generate


@njit(cache=True, nogil=True)
def interpolated(cells, first_rows, row_shares, first_columns, column_shares, middle, found):
    """Fill found [H, W] with cells [rows, columns] between their centres.

    first_rows [H] is the first of the two rows of cells that a row lies between, row_shares [H, 2] what they count
    there, the second 0 at the last row; the same along the other axis; middle is room for [H, columns].
    """
    height, width = found.shape
    rows, columns = cells.shape
    for y in range(height):
        low = first_rows[y]
        high = min(low + 1, rows - 1)
        share, other = row_shares[y, 0], row_shares[y, 1]
        for x in range(columns):
            middle[y, x] = _fused(other, cells[high, x], share * cells[low, x])
        for x in range(width):
            left = first_columns[x]
            right = min(left + 1, columns - 1)
            found[y, x] = _fused(middle[y, right], column_shares[x, 1], middle[y, left] * column_shares[x, 0])


@njit(cache=True, nogil=True)
def mean_misses(missing, predicted, drawn, too_much, cell_rows, cell_columns, sums, weights):
    """Fill sums and weights [rows, columns] with what blocks [H, W] miss in each cell, what is too much more often.

    missing, predicted and drawn [H, W] are logarithms: of what there should be, of what there is by growth and of the
    factor on it; cell_rows [H] and cell_columns [W] tell the cell of a block.
    """
    sums[:] = 0.0
    weights[:] = 0.0
    for y in range(missing.shape[0]):
        row = cell_rows[y]
        for x in range(missing.shape[1]):
            off = missing[y, x] - (predicted[y, x] + drawn[y, x])
            weight = too_much if off < 0 else 1.0
            column = cell_columns[x]
            sums[row, column] += off * weight
            weights[row, column] += weight
