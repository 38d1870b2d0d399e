"""The mean SSIM of two pictures and its gradient, in numba: what a fit with an SSIM loss asks for at every step.

torch's convolutions and their way back took 30 times as long as the rest of a step on two cores. The index is that of
:mod:`imagegs_tex.metrics.ssim`; the gradient goes back through its windows: SSIM of a window is a function of the
filtered x, xx and xy, and filtering is its own transpose but for the border.

Of windows of 11 texels, neighbours say nearly the same, so a step takes one of STRIDE x STRIDE, in turn each of them;
every texel lies in several windows at every step.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imagegs_tex.fit import similarity_kernels as kernels
from imagegs_tex.metrics.ssim import window_taps
from imagegs_tex.rasterize.backend import TILE
from imagegs_tex.rasterize.cpu.threads import Workers

STRIDE: Final = 4
"""Windows from one that a step takes to the next, down and across. They are 11 texels wide: a texel lies in 4 to 9."""
Planes = NDArray[np.float32]
"""float32 [C * H, W rounded up to whole tiles]: the rows of one channel after those of another."""


class _MeanSimilarity(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, first: Tensor, second: Tensor, weights: Tensor | None, threads: int, turn: int | None
    ) -> Tensor:
        height, width, channels = first.shape
        x, y = (planes_of(picture.detach()) for picture in (first, second))
        with _workers(threads) as workers:
            found = replace_by_gradient(x, y, (height, width), workers, weights=weights, turn=turn)
        gradient = x.reshape(channels, height, -1)[..., :width].transpose(1, 2, 0)
        ctx.save_for_backward(torch.from_numpy(gradient))
        return torch.tensor(found, dtype=first.dtype)

    @staticmethod
    def backward(ctx: Any, factor: Tensor) -> tuple[Tensor | None, ...]:
        (gradient,) = ctx.saved_tensors
        return gradient * factor, None, None, None, None


@contextmanager
def _workers(threads: int) -> Iterator[Workers]:
    workers = Workers(threads)
    try:
        yield workers
    finally:
        workers.close()


def mean_similarity_on_cpu(
    first: Tensor, second: Tensor, weights: Tensor | None, threads: int, turn: int | None = None
) -> Tensor:
    """Return the mean SSIM of two pictures float32 [H, W, C], differentiable with respect to the first.

    Args:
        first: values with a range of 1
        second: the same shape
        weights: float32 [H, W]: a window counts by the weight of the texel in its middle; None: all alike
        threads: how many work side by side; the result is the same for any
        turn: number of the step, which says which of STRIDE x STRIDE windows is taken; None: all of them
    """
    similarity: Tensor = _MeanSimilarity.apply(  # type: ignore[no-untyped-call]  # torch leaves it without types
        first, second, weights, threads, turn
    )
    return similarity


def planes_of(picture: Tensor) -> Planes:
    """Return a picture [H, W, C] as planes, zero beyond its right border."""
    height, width, channels = picture.shape
    planes = np.zeros((channels, height, -(-width // TILE) * TILE), np.float32)
    planes[..., :width] = picture.numpy().transpose(2, 0, 1)
    return planes.reshape(channels * height, planes.shape[2])


def replace_by_gradient(
    x: Planes,
    y: Planes,
    size: tuple[int, int],
    workers: Workers,
    *,
    weights: Tensor | None,
    turn: int | None,
    scale: float = 1.0,
) -> float:
    """Return the mean SSIM of two pictures, and put its gradient with respect to the first where the first was.

    Args:
        x: the first, values with a range of 1
        y: the second
        size: height and width in texels
        workers: whose number changes no bit
        weights: float32 [H, W]: a window counts by the weight of the texel in its middle; None: all alike
        turn: number of the step, which says which of STRIDE x STRIDE windows is taken; None: all of them
        scale: factor of the gradient
    """
    height, width = size
    channels = len(x) // height
    down, across = window_taps(height), window_taps(width)
    kept = height - len(down) + 1, width - len(across) + 1
    (top, left), stride = first_window(turn, kept), 1 if turn is None else STRIDE
    if weights is None:
        middle = np.ones((len(range(top, kept[0], stride)), len(range(left, kept[1], stride))), np.float32)
    else:
        row, column = ((side - inside) // 2 for side, inside in zip((height, width), kept, strict=True))
        inside = weights.numpy()[row : row + kept[0], column : column + kept[1]]
        middle = np.ascontiguousarray(inside[top::stride, left::stride], dtype=np.float32)
    middle /= max(float(middle.sum(dtype=np.float64)), 1e-30)
    units, grid = channels * len(middle), (top, left, stride)
    spread = np.empty((units * kernels.FIELDS, x.shape[1]), np.float32)
    sums = np.empty(units)
    workers.run(kernels.spread_derivatives, units, x, y, height, down, across, grid, middle, spread, sums)
    workers.run(
        kernels.gather_gradient, len(x), x, y, height, down, grid, len(middle), spread, np.float32(scale / channels)
    )
    return float(sums.sum()) / channels


def first_window(turn: int | None, kept: tuple[int, int]) -> tuple[int, int]:
    """Return the row and column of the first window; over STRIDE^2 turns every window is taken once."""
    if turn is None:
        return 0, 0
    row, column = turn % STRIDE, (2 * turn + turn // STRIDE) % STRIDE
    return min(row, kept[0] - 1), min(column, kept[1] - 1)
