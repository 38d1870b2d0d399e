"""Losses beyond the squared error: absolute error and structural similarity, on the differentiable picture."""

import functools
import importlib.util
from collections.abc import Callable
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

from imagegs_tex.fit.convolutions import plain_convolutions
from imagegs_tex.fit.problem import ChannelMix
from imagegs_tex.fit.similarity import STRIDE, first_window, mean_similarity_on_cpu
from imagegs_tex.metrics.ssim import SSIM_C1, SSIM_C2, SSIM_DEVIATION, SSIM_WINDOW
from imagegs_tex.settings import FitSettings

_LEAST: Final = 1e-30


def squared_error_only(settings: FitSettings) -> bool:
    """Whether the loss is the squared error and nothing else."""
    return settings.l1_weight == 0 and settings.ssim_weight == 0


def further_losses(
    picture: Tensor,
    image: Tensor,
    settings: FitSettings,
    *,
    weights: Tensor | None = None,
    mix: ChannelMix | None = None,
    threads: int = 1,
    turn: int | None = None,
    wanted: Tensor | None = None,
) -> Tensor:
    """Return the weighted absolute error and dissimilarity, differentiable with respect to the picture.

    The absolute error is that of components. The other term is 1 - SSIM of the channels that a decoder shows, averaged,
    times texels and channels, so that its weight means the same at every size.

    Args:
        picture: float32 [H, W, K], components as they are drawn
        image: what they should be
        settings: the terms' weights
        weights: [H, W] how much each texel counts; None: 1
        mix: of components to channels; None: they are the channels
        threads: of the CPU
        turn: number of the step: windows take turns, but for fused-ssim; None: all windows
        wanted: :func:`shown_channels` of the image, where a caller has them
    """
    height, width, _ = image.shape
    loss = torch.zeros((), device=image.device)
    if settings.l1_weight:
        differences = (picture - image).abs()
        summed = differences.sum() if weights is None else (weights[..., None] * differences).sum()
        loss = loss + settings.l1_weight * summed
    if settings.ssim_weight:
        shown = shown_channels(picture, mix)
        wanted = shown_channels(image, mix) if wanted is None else wanted
        dissimilarity = 1 - mean_similarity(shown, wanted, weights, threads, turn)
        texels = height * width if weights is None else weights.sum()
        loss = loss + settings.ssim_weight * dissimilarity * texels * shown.shape[2]
    return loss


def shown_channels(components: Tensor, mix: ChannelMix | None) -> Tensor:
    """Return the channels [H, W, C] of components [H, W, K], each channel's texels together in memory."""
    if mix is None:
        return components
    height, width, count = components.shape
    planes = mix.basis.T @ components.reshape(-1, count).T + mix.offset[:, None]
    return planes.reshape(-1, height, width).permute(1, 2, 0)


def mean_similarity(
    first: Tensor, second: Tensor, weights: Tensor | None = None, threads: int = 1, turn: int | None = None
) -> Tensor:
    """Return the mean SSIM of two pictures [H, W, C], differentiable with respect to the first.

    In numba on the CPU, by fused-ssim on a GPU where that is installed, else by convolutions.

    Args:
        first: float32, values with a range of 1
        second: the same shape
        weights: [H, W]: a window counts by the weight of the texel in its middle; None: all alike
        threads: of the CPU
        turn: number of the step: windows take turns, but for fused-ssim; None: all windows
    """
    if first.device.type == "cpu" and first.dtype == torch.float32:
        return mean_similarity_on_cpu(first, second, weights, threads, turn)
    height, width, _ = first.shape
    if first.is_cuda and min(height, width) >= SSIM_WINDOW and (fused := fused_ssim_map()) is not None:
        planes = [picture.permute(2, 0, 1)[None].contiguous() for picture in (first, second)]
        similarity = fused(SSIM_C1, SSIM_C2, *planes, "valid")[0]
        if weights is None:
            return similarity.mean()
        middle = _of_windows(weights)
        return (similarity.mean(dim=0) * middle).sum() / middle.sum().clamp_min(_LEAST)
    return structural_similarity(first, second, weights, turn).mean()


@functools.cache  # looked for once: searching folders at every step costs more than the loss
def fused_ssim_map() -> Callable[..., Tensor] | None:
    """Return what draws fused-ssim's map of windows [1, C, H, W], differentiable; None: it is not installed.

    Its own function takes the mean of the map, where some windows of ours count more than others.
    """
    if importlib.util.find_spec("fused_ssim") is None:
        return None
    from fused_ssim import FusedSSIMMap

    found: Callable[..., Tensor] = FusedSSIMMap.apply
    return found


def structural_similarity(
    first: Tensor, second: Tensor, weights: Tensor | None = None, turn: int | None = None
) -> Tensor:
    """Return the SSIM of two pictures [H, W, K] with a value range of 1, averaged over texels, per channel [K].

    Only windows that lie inside are counted; a picture smaller than the window uses a window of its own size. With the
    number of a step, one of STRIDE x STRIDE of them, as in :mod:`.similarity`.
    """
    height, width, _ = first.shape
    kept = max(1, height - SSIM_WINDOW + 1), max(1, width - SSIM_WINDOW + 1)
    row, column = first_window(turn, kept)
    stride = 1 if turn is None else STRIDE

    def window(values: Tensor) -> Tensor:
        return _filtered(values[..., row:, column:], height, width, stride)

    planes = torch.stack([first, second]).permute(3, 0, 1, 2)  # [K, 2, H, W]
    x, y = planes[:, :1], planes[:, 1:]
    means_x, means_y = window(x), window(y)
    variance_x = window(x * x) - means_x**2
    variance_y = window(y * y) - means_y**2
    covariance = window(x * y) - means_x * means_y
    luminance = (2 * means_x * means_y + SSIM_C1) / (means_x**2 + means_y**2 + SSIM_C1)
    structure = (2 * covariance + SSIM_C2) / (variance_x + variance_y + SSIM_C2)
    similarity = (luminance * structure)[:, 0]
    if weights is None:
        return similarity.mean(dim=(1, 2))
    middle = _of_windows(weights)[row::stride, column::stride]
    return (similarity * middle).sum(dim=(1, 2)) / middle.sum().clamp_min(_LEAST)


def _of_windows(weights: Tensor) -> Tensor:
    """Return the weights of the texels in the middle of each window, of those of all texels [H, W]."""
    inside = [max(1, side - SSIM_WINDOW + 1) for side in weights.shape]
    top, left = ((side - kept) // 2 for side, kept in zip(weights.shape, inside, strict=True))
    return weights[top : top + inside[0], left : left + inside[1]]


def _filtered(planes: Tensor, height: int, width: int, stride: int) -> Tensor:
    for size, shape, step in (
        (min(SSIM_WINDOW, height), (-1, 1), (stride, 1)),
        (min(SSIM_WINDOW, width), (1, -1), (1, stride)),
    ):
        positions = torch.arange(size, dtype=planes.dtype, device=planes.device) - (size - 1) / 2
        taps = torch.exp(-0.5 * (positions / SSIM_DEVIATION) ** 2)
        # variances are small differences here: tf32 leaves three digits of them
        with plain_convolutions(planes.device):
            planes = functional.conv2d(planes, (taps / taps.sum()).reshape(1, 1, *shape), stride=step)
    return planes
