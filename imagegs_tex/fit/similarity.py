"""The mean SSIM of two pictures and its gradient, in numba: what a fit with an SSIM loss asks for at every step.

torch's convolutions and their way back took 30 times as long as the rest of a step on two cores. The index is that of
:mod:`imagegs_tex.metrics.ssim`; the gradient goes back through its windows: SSIM of a window is a function of the
filtered x, xx and xy, and filtering is its own transpose but for the border.

All windows still took 10 times as long as the rest. Of windows of 11 texels, neighbours say nearly the same, so a step
takes one of STRIDE x STRIDE, in turn each of them; every texel lies in several windows at every step.
"""

from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imagegs_tex.jit import REORDERED, njit
from imagegs_tex.metrics.ssim import MOMENTS, SSIM_C1, SSIM_C2, filter_down, filter_moments, window_taps

_FIELDS: Final = 3
"""Derivatives by the filtered x, xx and xy."""
STRIDE: Final = 4
"""Windows from one that a step takes to the next, down and across. They are 11 texels wide: a texel lies in 4 to 9."""


class _MeanSimilarity(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, first: Tensor, second: Tensor, weights: Tensor | None, threads: int, turn: int | None
    ) -> Tensor:
        found, gradient = _similarity_and_gradient(
            first.detach().numpy(), second.detach().numpy(), None if weights is None else weights.numpy(), threads, turn
        )
        ctx.save_for_backward(torch.from_numpy(gradient))
        return torch.tensor(found, dtype=first.dtype)

    @staticmethod
    def backward(ctx: Any, factor: Tensor) -> tuple[Tensor | None, ...]:
        (gradient,) = ctx.saved_tensors
        return gradient * factor, None, None, None, None


def mean_similarity_on_cpu(
    first: Tensor, second: Tensor, weights: Tensor | None, threads: int, turn: int | None = None
) -> Tensor:
    """Return the mean SSIM of two pictures float32 [H, W, C], differentiable with respect to the first.

    Args:
        first: values with a range of 1
        second: the same shape
        weights: float32 [H, W]: a window counts by the weight of the texel in its middle; None: all alike
        threads: how many work side by side, each at a channel; the result is the same for any
        turn: number of the step, which says which of STRIDE x STRIDE windows is taken; None: all of them
    """
    similarity: Tensor = _MeanSimilarity.apply(first, second, weights, threads, turn)
    return similarity


def _similarity_and_gradient(
    first: NDArray[np.float32],
    second: NDArray[np.float32],
    weights: NDArray[np.float32] | None,
    threads: int,
    turn: int | None,
) -> tuple[float, NDArray[np.float32]]:
    height, width, channels = first.shape
    down, across = window_taps(height), window_taps(width)
    kept = height - len(down) + 1, width - len(across) + 1
    (top, left), stride = first_window(turn, kept), 1 if turn is None else STRIDE
    if weights is None:
        middle = np.ones((len(range(top, kept[0], stride)), len(range(left, kept[1], stride))), np.float32)
    else:
        row, column = ((side - inside) // 2 for side, inside in zip((height, width), kept, strict=True))
        inside = weights[row : row + kept[0], column : column + kept[1]]
        middle = np.ascontiguousarray(inside[top::stride, left::stride], dtype=np.float32)
    middle /= max(float(middle.sum(dtype=np.float64)), 1e-30)
    gradient = np.empty((channels, height, width), np.float32)

    def work(channel: int) -> float:
        x, y = (np.ascontiguousarray(picture[..., channel], dtype=np.float32) for picture in (first, second))
        fields = np.empty((len(middle), _FIELDS, middle.shape[1]), np.float32)
        summed: float = _fields_of_windows(
            x, y, down, across, (top, left, stride), middle, np.float32(SSIM_C1), np.float32(SSIM_C2), fields
        )
        scale = np.float32(1 / channels)
        _back_through_windows(x, y, down, across, (top, left, stride), fields, scale, gradient[channel])
        return summed

    if min(threads, channels) > 1:
        with ThreadPoolExecutor(min(threads, channels)) as pool:
            sums = list(pool.map(work, range(channels)))
    else:
        sums = [work(channel) for channel in range(channels)]
    return sum(sums) / channels, gradient.transpose(1, 2, 0)


def first_window(turn: int | None, kept: tuple[int, int]) -> tuple[int, int]:
    """Return the row and column of the first window; over STRIDE^2 turns every window is taken once."""
    if turn is None:
        return 0, 0
    row, column = turn % STRIDE, (2 * turn + turn // STRIDE) % STRIDE
    return min(row, kept[0] - 1), min(column, kept[1] - 1)


@njit(fastmath=REORDERED, nogil=True, cache=True)
def _fields_of_windows(x, y, down, across, grid, middle, c1, c2, fields):
    """Fill fields [h, 3, w] with a window's weight times the derivatives of its SSIM; return the weighted mean.

    Windows are those of a grid: row and column of the first, and the stride to the next.
    """
    first_row, first_column, stride = grid
    width = x.shape[1]
    rows, columns = middle.shape
    moments = np.empty((MOMENTS, width), np.float32)
    windows = np.empty((MOMENTS, width - across.shape[0] + 1), np.float32)
    summed = 0.0
    for number in range(rows):
        if stride == 1:
            filter_moments(x, y, first_row + number, down, across, moments, windows)
        else:
            filter_down(x, y, first_row + number * stride, down, moments)
            for moment in range(MOMENTS):
                source, target = moments[moment], windows[moment]
                for i in range(columns):
                    place, value = first_column + i * stride, np.float32(0.0)
                    for tap in range(across.shape[0]):
                        value += across[tap] * source[place + tap]
                    target[i] = value
        row = 0.0
        for i in range(columns):
            mean_x, mean_y = windows[0, i], windows[1, i]
            luminance = np.float32(2.0) * mean_x * mean_y + c1
            covariance = np.float32(2.0) * (windows[4, i] - mean_x * mean_y) + c2
            means = mean_x * mean_x + mean_y * mean_y + c1
            variances = windows[2, i] - mean_x * mean_x + windows[3, i] - mean_y * mean_y + c2
            scale = middle[number, i] / (means * variances)
            product = luminance * covariance
            similarity = product * scale
            row += np.float64(similarity)
            slope = np.float32(2.0) * mean_y * (covariance - luminance) * scale
            fields[number, 0, i] = slope - np.float32(2.0) * mean_x * similarity * (
                np.float32(1.0) / means - np.float32(1.0) / variances
            )
            fields[number, 1, i] = -similarity / variances
            fields[number, 2, i] = np.float32(2.0) * luminance * scale
        summed += row
    return summed


@njit(fastmath=REORDERED, nogil=True, cache=True)
def _back_through_windows(x, y, down, across, grid, fields, scale, gradient):
    """Fill the gradient [H, W], times a scale, with respect to x of what the fields are the derivatives of."""
    first_row, first_column, stride = grid
    height, width = x.shape
    rows = fields.shape[0]
    taps = down.shape[0]
    spread = np.zeros((rows, _FIELDS, width), np.float32)
    for number in range(rows):
        for field in range(_FIELDS):
            _spread_along(fields[number, field], across, first_column, stride, spread[number, field])
    row = np.empty((_FIELDS, width), np.float32)
    for place in range(height):
        row[:] = np.float32(0.0)
        # of the windows that hold this row: place - taps < first_row + number * stride <= place
        least = max(0, -((taps - 1 - place + first_row) // stride))
        most = min(rows - 1, (place - first_row) // stride)
        for number in range(least, most + 1):
            weight = down[place - first_row - number * stride]
            for field in range(_FIELDS):
                source, target = spread[number, field], row[field]
                for i in range(width):
                    target[i] += weight * source[i]
        x_row, y_row, out = x[place], y[place], gradient[place]
        for i in range(width):
            out[i] = scale * (row[0, i] + np.float32(2.0) * x_row[i] * row[1, i] + y_row[i] * row[2, i])


@njit(fastmath=REORDERED, nogil=True, cache=True)
def _spread_along(source, across, first, stride, target):
    """Add what each window of a row gives to the texels that it holds."""
    if stride == 1:
        for tap in range(across.shape[0]):
            weight, shifted = across[tap], target[tap : tap + source.shape[0]]
            for i in range(source.shape[0]):
                shifted[i] += weight * source[i]
        return
    for i in range(source.shape[0]):
        value, shifted = source[i], target[first + i * stride :]
        for tap in range(across.shape[0]):
            shifted[tap] += across[tap] * value
