"""What is finer than a few texels of a picture on the CPU, in numba: blurs, and what is left beside them.

Rows lie side by side in memory, so a picture [H, W, C] is [H, W C] here and a texel to the right is C values further.
A band of rows stays in a cache from its first blur to its sums; torch takes each step over the whole picture, a memory
pass per tap. Each number is what torch's loops over taps have, bit by bit, but for sums over texels.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from imagegs_tex.formats.row_threads import side_by_side
from imagegs_tex.jit import REORDERED, njit

Array = NDArray[np.float64]
Rows = NDArray[np.float32]

_BAND: Final = 32  # rows that are worked on at once, or those of one row of blocks


def rows_of(picture: Tensor) -> Rows:
    """Return a picture [H, W, C] on the CPU as rows float32 [H, W C]."""
    height, width, channels = picture.shape
    return np.ascontiguousarray(picture.numpy(), np.float32).reshape(height, width * channels)


def blurred_rows(picture: Tensor, step: int) -> Rows:
    """Return a picture [H, W, C] through [1, 4, 6, 4, 1] / 16, taps so many texels apart, as rows.

    Its border goes on.
    """
    rows, channels = rows_of(picture), picture.shape[2]
    blurred = np.empty_like(rows)

    def blur(band: slice) -> None:
        blur_band(rows, 0, len(rows), channels, step, False, band.start, band.stop, blurred[band])

    side_by_side(blur, _bands(len(rows), 1))
    return blurred


def fine_contrast(picture: Tensor, side: int) -> tuple[Array, Array]:
    """Return what is finer than four texels by square blocks: the squared mean of its roots, and its energy.

    Args:
        picture: float32 [H, W, C]
        side: of a block in texels; what is left over at the border is left out

    Returns:
        two of float64 [rows, columns, C]
    """
    return _block_sums(picture, side, _fine_contrast_of_rows, square=True)


def finest_moments(picture: Tensor, side: int) -> tuple[Array, Array]:
    """Return the second and the fourth moments of a picture's finest octave by blocks; the picture repeats.

    Args:
        picture: float32 [H, W, C]
        side: of a block in texels; what is left over at the border is left out

    Returns:
        two of float64 [rows, columns, C]
    """
    return _block_sums(picture, side, _moments_of_rows, square=False)


def structure_sums(picture: Tensor) -> tuple[Array, Array]:
    """Return the difference and the sum of the eigenvalues of a picture's structure tensor, added up [C].

    Args:
        picture: float32 [H, W, C], of which the finest octave's gradients are taken, as of one that repeats
    """
    rows, channels = rows_of(picture), picture.shape[2]
    units = [(channel, band) for channel in range(channels) for band in _bands(len(rows), 1)]

    def add(unit: tuple[int, slice]) -> tuple[float, float]:
        channel, band = unit
        difference, total = _structure_of_rows(rows, channels, channel, band.start, band.stop)
        return difference, total

    sums = np.array(side_by_side(add, units)).reshape(channels, -1, 2).sum(axis=1)
    return sums[:, 0], sums[:, 1]


def _bands(rows: int, side: int) -> list[slice]:
    """Return rows of blocks in bands of about _BAND rows of texels."""
    count = max(1, _BAND // side)
    return [slice(first, min(rows, first + count)) for first in range(0, rows, count)]


def _block_sums(picture: Tensor, side: int, kernel: Callable[..., None], *, square: bool) -> tuple[Array, Array]:
    """Call a kernel for all rows of blocks; return the means of what it adds up, the first one's squared if asked."""
    height, width, channels = picture.shape
    side = min(side, height, width)
    down, across = height // side, width // side
    rows, sums = rows_of(picture), np.empty((down, 2, across, channels))

    def add(band: slice) -> None:
        kernel(rows, channels, side, band.start, band.stop, sums[band])

    side_by_side(add, _bands(down, side))
    sums /= side * side
    return np.square(sums[:, 0]) if square else sums[:, 0], sums[:, 1]


@njit(cache=True, nogil=True)
def blur_band(rows, first, height, channels, step, repeats, begin, end, blurred):
    """Fill blurred [end - begin, W C] with blurred rows of a picture.

    rows [_, W C]: those of the picture that are needed, from its row first on; beyond the border the picture repeats,
    for which all rows must be there, or goes on.
    """
    values = rows.shape[1]
    reach = 2 * step * channels
    line = np.empty(values + 2 * reach, np.float32)
    inner = line[reach : reach + values]
    for row in range(begin, end):
        middle = rows[_place(row, height, repeats) - first]
        near_1, near_2 = (
            rows[_place(row + step, height, repeats) - first],
            rows[_place(row - step, height, repeats) - first],
        )
        far_1, far_2 = (
            rows[_place(row + 2 * step, height, repeats) - first],
            rows[_place(row - 2 * step, height, repeats) - first],
        )
        for i in range(values):
            inner[i] = _weighed(middle[i], near_1[i], near_2[i], far_1[i], far_2[i])
        width = values // channels
        for texel in range(1, 2 * step + 1):
            left, right = _place(-texel, width, repeats), _place(width - 1 + texel, width, repeats)
            for channel in range(channels):
                line[reach - texel * channels + channel] = inner[left * channels + channel]
                line[reach + values + (texel - 1) * channels + channel] = inner[right * channels + channel]
        near_1, near_2 = line[reach + step * channels :], line[reach - step * channels :]
        far_1, far_2 = line[2 * reach :], line
        target = blurred[row - begin]
        for i in range(values):
            target[i] = _weighed(inner[i], near_1[i], near_2[i], far_1[i], far_2[i])


@njit(inline="always")
def _weighed(middle, near_1, near_2, far_1, far_2):
    total = np.float32(6.0) * middle + np.float32(4.0) * near_1 + np.float32(4.0) * near_2 + far_1 + far_2
    return total * np.float32(1 / 16)


@njit(inline="always")
def _place(index, length, repeats):
    if repeats:
        return index % length
    return min(max(index, 0), length - 1)


@njit(cache=True, nogil=True)
def _fine_contrast_of_rows(rows, channels, side, begin, end, sums):
    """Fill sums [end - begin, 2, columns, C] with the roots of magnitudes and the squares of rows of blocks."""
    height, values = rows.shape
    first, last = begin * side, end * side
    around_first, around_last = max(0, first - 4), min(height, last + 4)
    once, twice = (
        np.empty((around_last - around_first, values), np.float32),
        np.empty((last - first, values), np.float32),
    )
    blur_band(rows, 0, height, channels, 1, False, around_first, around_last, once)
    blur_band(once, around_first, height, channels, 2, False, first, last, twice)
    roots, squares = np.empty(values), np.empty(values)
    for block in range(end - begin):
        roots[:] = 0.0
        squares[:] = 0.0
        for row in range(block * side, block * side + side):
            own, blurred = rows[first + row], twice[row]
            for i in range(values):
                fine = own[i] - blurred[i]
                roots[i] += np.sqrt(abs(fine))
                squares[i] += fine * fine
        _add_blocks(roots, channels, side, sums[block, 0])
        _add_blocks(squares, channels, side, sums[block, 1])


@njit(cache=True, nogil=True)
def _moments_of_rows(rows, channels, side, begin, end, sums):
    """Fill sums [end - begin, 2, columns, C] with the finest octave's squares and their squares of rows of blocks."""
    height, values = rows.shape
    first, last = begin * side, end * side
    once = np.empty((last - first, values), np.float32)
    blur_band(rows, 0, height, channels, 1, True, first, last, once)
    squares, fourths = np.empty(values), np.empty(values)
    for block in range(end - begin):
        squares[:] = 0.0
        fourths[:] = 0.0
        for row in range(block * side, block * side + side):
            own, blurred = rows[first + row], once[row]
            for i in range(values):
                fine = own[i] - blurred[i]
                square = fine * fine
                squares[i] += square
                fourths[i] += square * square
        _add_blocks(squares, channels, side, sums[block, 0])
        _add_blocks(fourths, channels, side, sums[block, 1])


@njit(cache=True, nogil=True)
def _add_blocks(line, channels, side, sums):
    """Fill sums [columns, C] with those of a line [W C] over the texels of each block."""
    for column in range(sums.shape[0]):
        for channel in range(channels):
            total = 0.0
            for texel in range(side):
                total += line[(column * side + texel) * channels + channel]
            sums[column, channel] = total


@njit(cache=True, nogil=True)
def _structure_of_rows(rows, channels, channel, begin, end):
    """Return the difference and the sum of the structure tensor's eigenvalues of one channel's rows, added up."""
    height, width = rows.shape[0], rows.shape[1] // channels
    far_first, far_last = max(0, begin - 6), min(height, end + 6)  # of what two blurs take in
    count = far_last - far_first
    plane = np.empty((count + 6, width), np.float32)  # with rows for the slopes and for the octave around
    for row in range(count + 6):
        own = rows[(far_first - 3 + row) % height]
        for i in range(width):
            plane[row, i] = own[i * channels + channel]
    blurred = np.empty((count + 2, width), np.float32)
    fine = np.empty((count + 2, width + 2), np.float32)  # a column more at both ends
    _blur_inner(plane, blurred)
    for row in range(count + 2):
        for i in range(width):
            fine[row, i + 1] = plane[row + 2, i] - blurred[row, i]
        fine[row, 0], fine[row, width + 1] = fine[row, width], fine[row, 1]
    products = np.empty((3, count, width), np.float32)
    for row in range(count):
        above, own, below = fine[row], fine[row + 1], fine[row + 2]
        for i in range(width):
            across = (above[i + 2] - above[i]) + np.float32(2.0) * (own[i + 2] - own[i]) + (below[i + 2] - below[i])
            down = (
                (below[i] - above[i]) + np.float32(2.0) * (below[i + 1] - above[i + 1]) + (below[i + 2] - above[i + 2])
            )
            products[0, row, i] = across * across
            products[1, row, i] = down * down
            products[2, row, i] = across * down
    near_first, near_last = max(0, begin - 4), min(height, end + 4)
    once, twice = np.empty((near_last - near_first, width), np.float32), np.empty((3, end - begin, width), np.float32)
    for product in range(3):
        blur_band(products[product], far_first, height, 1, 1, False, near_first, near_last, once)
        blur_band(once, near_first, height, 1, 2, False, begin, end, twice[product])
    difference, total = 0.0, 0.0
    for row in range(end - begin):
        for i in range(width):
            x, y, both = np.float64(twice[0, row, i]), np.float64(twice[1, row, i]), np.float64(twice[2, row, i])
            difference += np.sqrt((x - y) * (x - y) + 4 * both * both)
            total += x + y
    return difference, total


@njit(cache=True, nogil=True)
def _blur_inner(plane, blurred):
    """Fill blurred [rows - 4, W] with the rows of a plane that have two on either side; along its rows it repeats."""
    blur_band(plane, 0, plane.shape[0], 1, 1, True, 2, plane.shape[0] - 2, blurred)


def plane_of(picture: Tensor, channel: int) -> Rows:
    """Return a channel of a picture [H, W, C], less its mean, float32 [H, W]."""
    plane = np.empty(picture.shape[:2], np.float32)
    _take_plane(rows_of(picture), picture.shape[2], channel, plane)
    return plane


@njit(fastmath=REORDERED, cache=True, nogil=True)
def _take_plane(rows, channels, channel, plane):
    """Fill a plane [H, W] with a channel of rows [H, W C], less its mean."""
    total = 0.0
    for row in range(plane.shape[0]):
        own, line = rows[row], plane[row]
        for i in range(line.shape[0]):
            value = own[i * channels + channel]
            line[i] = value
            total += np.float64(value)
    mean = np.float32(total / plane.size)
    for row in range(plane.shape[0]):
        line = plane[row]
        for i in range(line.shape[0]):
            line[i] -= mean


@njit(fastmath=REORDERED, cache=True, nogil=True)
def spectrum_sums(spectrum, across, down):
    """Return a power spectrum's sums with products of transfer functions, float64 [products].

    spectrum float32 [H, 2 (W / 2 + 1)]: real and imaginary parts in turn; across [products, W / 2 + 1], down
    [H, products].
    """
    height, half = spectrum.shape[0], spectrum.shape[1] // 2
    sums, power = np.zeros(across.shape[0]), np.empty(half)
    for row in range(height):
        line = spectrum[row]
        for i in range(half):
            real, imaginary = np.float64(line[2 * i]), np.float64(line[2 * i + 1])
            power[i] = real * real + imaginary * imaginary
        for product in range(across.shape[0]):
            factors, total = across[product], 0.0
            for i in range(half):
                total += power[i] * factors[i]
            sums[product] += total * down[row, product]
    return sums
