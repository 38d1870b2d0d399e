"""The mean SSIM of two pictures and its gradient, in numba: what a fit with an SSIM loss asks for at every step.

torch's convolutions and their way back took 30 times as long as the rest of a step on two cores. The index is that of
:mod:`imagegs_tex.metrics.ssim`; the gradient goes back through its windows: SSIM of a window is a function of the
filtered x, xx and xy, and filtering is its own transpose but for the border.
"""

from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imagegs_tex.jit import REORDERED, njit
from imagegs_tex.metrics.ssim import MOMENTS, SSIM_C1, SSIM_C2, filter_moments, window_taps

_FIELDS: Final = 3
"""Derivatives by the filtered x, xx and xy."""


class _MeanSimilarity(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, first: Tensor, second: Tensor, weights: Tensor | None, threads: int) -> Tensor:
        found, gradient = _similarity_and_gradient(
            first.detach().numpy(), second.detach().numpy(), None if weights is None else weights.numpy(), threads
        )
        ctx.save_for_backward(torch.from_numpy(gradient))
        return torch.tensor(found, dtype=first.dtype)

    @staticmethod
    def backward(ctx: Any, factor: Tensor) -> tuple[Tensor | None, ...]:
        (gradient,) = ctx.saved_tensors
        return gradient * factor, None, None, None


def mean_similarity_on_cpu(first: Tensor, second: Tensor, weights: Tensor | None, threads: int) -> Tensor:
    """Return the mean SSIM of two pictures float32 [H, W, C], differentiable with respect to the first.

    Args:
        first: values with a range of 1
        second: the same shape
        weights: float32 [H, W]: a window counts by the weight of the texel in its middle; None: all alike
        threads: how many work side by side, each at a channel; the result is the same for any
    """
    similarity: Tensor = _MeanSimilarity.apply(first, second, weights, threads)
    return similarity


def _similarity_and_gradient(
    first: NDArray[np.float32], second: NDArray[np.float32], weights: NDArray[np.float32] | None, threads: int
) -> tuple[float, NDArray[np.float32]]:
    height, width, channels = first.shape
    down, across = window_taps(height), window_taps(width)
    kept = height - len(down) + 1, width - len(across) + 1
    if weights is None:
        middle = np.full(kept, 1 / (kept[0] * kept[1]), np.float32)
    else:
        top, left = ((side - inside) // 2 for side, inside in zip((height, width), kept, strict=True))
        middle = weights[top : top + kept[0], left : left + kept[1]].astype(np.float32)
        middle /= max(float(middle.sum(dtype=np.float64)), 1e-30)
    gradient = np.empty_like(first)

    def work(channel: int) -> float:
        x, y = (np.ascontiguousarray(picture[..., channel], dtype=np.float32) for picture in (first, second))
        own = np.empty_like(x)
        fields = np.empty((_FIELDS, *kept), np.float32)
        summed: float = _fields_of_windows(x, y, down, across, middle, np.float32(SSIM_C1), np.float32(SSIM_C2), fields)
        _back_through_windows(x, y, down, across, fields, own)
        gradient[..., channel] = own / np.float32(channels)
        return summed

    if min(threads, channels) > 1:
        with ThreadPoolExecutor(min(threads, channels)) as pool:
            sums = list(pool.map(work, range(channels)))
    else:
        sums = [work(channel) for channel in range(channels)]
    return sum(sums) / channels, gradient


@njit(fastmath=REORDERED, nogil=True, cache=True)
def _fields_of_windows(x, y, down, across, middle, c1, c2, fields):
    """Fill fields [3, h, w] with a window's weight times the derivatives of its SSIM; return the weighted mean."""
    width = x.shape[1]
    kept_rows, kept = middle.shape
    moments = np.empty((MOMENTS, width), np.float32)
    windows = np.empty((MOMENTS, kept), np.float32)
    summed = 0.0
    for top in range(kept_rows):
        filter_moments(x, y, top, down, across, moments, windows)
        row = 0.0
        for i in range(kept):
            mean_x, mean_y = windows[0, i], windows[1, i]
            luminance = np.float32(2.0) * mean_x * mean_y + c1
            covariance = np.float32(2.0) * (windows[4, i] - mean_x * mean_y) + c2
            means = mean_x * mean_x + mean_y * mean_y + c1
            variances = windows[2, i] - mean_x * mean_x + windows[3, i] - mean_y * mean_y + c2
            scale = middle[top, i] / (means * variances)
            product = luminance * covariance
            similarity = product * scale
            row += np.float64(similarity)
            slope = np.float32(2.0) * mean_y * (covariance - luminance) * scale
            fields[0, top, i] = slope - np.float32(2.0) * mean_x * similarity * (
                np.float32(1.0) / means - np.float32(1.0) / variances
            )
            fields[1, top, i] = -similarity / variances
            fields[2, top, i] = np.float32(2.0) * luminance * scale
        summed += row
    return summed


@njit(fastmath=REORDERED, nogil=True, cache=True)
def _back_through_windows(x, y, down, across, fields, gradient):
    """Fill the gradient [H, W] with respect to x of what the fields [3, h, w] are the derivatives of."""
    height, width = x.shape
    kept_rows, kept = fields.shape[1], fields.shape[2]
    column = np.empty((_FIELDS, kept), np.float32)
    row = np.empty((_FIELDS, width), np.float32)
    for place in range(height):
        column[:] = np.float32(0.0)
        for tap in range(down.shape[0]):
            top = place - tap
            if 0 <= top < kept_rows:
                weight = down[tap]
                for field in range(_FIELDS):
                    source, target = fields[field, top], column[field]
                    for i in range(kept):
                        target[i] += weight * source[i]
        row[:] = np.float32(0.0)
        for field in range(_FIELDS):
            source = column[field]
            for tap in range(across.shape[0]):
                weight, target = across[tap], row[field, tap : tap + kept]
                for i in range(kept):
                    target[i] += weight * source[i]
        x_row, y_row, out = x[place], y[place], gradient[place]
        for i in range(width):
            out[i] = row[0, i] + np.float32(2.0) * x_row[i] * row[1, i] + y_row[i] * row[2, i]
