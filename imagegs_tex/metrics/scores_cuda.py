"""Scores on the GPU: what :mod:`imagegs_tex.metrics.scores` computes, without the picture leaving the device.

What :mod:`imagegs_tex.metrics.device_values` does not know is left to the CPU.
"""

import math
from typing import Final

import torch
from torch import Tensor

from imagegs_tex.formats.material.stack import TextureStack, expand_map, source_map
from imagegs_tex.metrics.device_values import decoded_values, is_simple, source_values
from imagegs_tex.metrics.kept_contrast import kept_contrast
from imagegs_tex.metrics.scores import (
    MapScore,
    counted_channels,
    has_contrast,
    normal_axes,
    psnr_of,
    score_map,
    squared_error,
)
from imagegs_tex.metrics.ssim import SSIM_C1, SSIM_C2, SSIM_WINDOW, window_taps
from imagegs_tex.rasterize.cuda.driver import Double
from imagegs_tex.rasterize.cuda.load_kernels import load_kernels

_COLUMNS: Final = 32
_ROWS: Final = 16
_THREADS: Final = 256


def score_on_gpu(stack: TextureStack, decoded: Tensor) -> list[MapScore]:
    """Compare every map with its source.

    Args:
        stack: the sources
        decoded: coded channels float32 [H, W, C] in [0, 1] as decoded, on the GPU
    """
    weights = _weights(stack, decoded.device)
    return [
        _score(stack, index, decoded, weights)
        if _is_scored_here(stack, index)
        else score_map(
            texture_map, source_map(stack, index), expand_map(decoded.cpu().numpy(), texture_map),
            weights=stack.weights, drawn=stack.drawn_of(index),
        )
        for index, texture_map in enumerate(stack.maps)
    ]  # fmt: skip


def pooled_psnr_on_gpu(stack: TextureStack, decoded: Tensor) -> float:
    """Return the PSNR in dB of all maps together, by the importance of the texels where they have one.

    Args:
        stack: the sources
        decoded: coded channels float32 [H, W, C] in [0, 1] as decoded, on the GPU
    """
    weights = _weights(stack, decoded.device)
    errors, values = 0.0, 0
    for index, texture_map in enumerate(stack.maps):
        if _is_scored_here(stack, index):
            first, second = _counted_pair(stack, index, decoded)
            plain, weighted = _squared_error(first, second, weights)
            error, count = plain if weighted is None else weighted, first.numel()
        else:
            samples = expand_map(decoded.cpu().numpy(), texture_map)
            error, count = squared_error(
                texture_map, source_map(stack, index), samples, stack.weights, stack.drawn_of(index)
            )
        errors, values = errors + error, values + count
    return psnr_of(errors / values)


def _is_scored_here(stack: TextureStack, index: int) -> bool:
    return is_simple(stack.maps[index]) and stack.drawn_of(index) is None


def _weights(stack: TextureStack, device: torch.device) -> Tensor | None:
    return None if stack.weights is None else torch.from_numpy(stack.weights).to(device)


def _counted_pair(stack: TextureStack, index: int, decoded: Tensor) -> tuple[Tensor, Tensor]:
    """Return what a score counts of a simple map and of its decode, float32 [H, W, counted channels]."""
    texture_map = stack.maps[index]
    counted = counted_channels(texture_map)
    return source_values(stack, index, counted, decoded.device), decoded_values(decoded, texture_map, counted)


def _squared_error(first: Tensor, second: Tensor, weights: Tensor | None) -> tuple[float, float | None]:
    """Return the squared error, and that by the weights [H, W] over their mean."""
    per_texel = (first - second).double().square().sum(dim=2)
    if weights is None:
        return float(per_texel.sum()), None
    weighted = (per_texel * weights).sum() / weights.mean(dtype=torch.float64)
    return float(per_texel.sum()), float(weighted)


def _score(stack: TextureStack, index: int, decoded: Tensor, weights: Tensor | None) -> MapScore:
    texture_map = stack.maps[index]
    counted = counted_channels(texture_map)
    first, second = _counted_pair(stack, index, decoded)
    squared, weighted = _squared_error(first, second, weights)
    degrees = _normal_degrees(stack, index, decoded)
    lively = [place for place, channel in enumerate(counted) if has_contrast(texture_map, channel)]
    return MapScore(
        name=texture_map.name, semantic=texture_map.semantic.name.lower(), channels=len(counted),
        psnr_db=psnr_of(squared / first.numel()), ssim=float(mean_similarity(second, first).mean()), flip=None,
        normal_degrees_mean=None if degrees is None else degrees[0],
        normal_degrees_p95=None if degrees is None else degrees[1], squared_error=squared, values=first.numel(),
        kept_contrast=kept_contrast(first[..., lively], second[..., lively]) if lively else None,
        weighted_squared_error=weighted,
    )  # fmt: skip


def mean_similarity(first: Tensor, second: Tensor) -> Tensor:
    """Do what :func:`imagegs_tex.metrics.ssim.mean_similarity` does with pictures [H, W, C] on the GPU."""
    height, width, channels = first.shape
    down, across = window_taps(height), window_taps(width)
    kept = (width - len(across) + 1, height - len(down) + 1)
    rectangles = math.prod(-(-length // size) for length, size in zip(kept, (_COLUMNS, _ROWS), strict=True))
    sums = torch.empty(channels, rectangles, dtype=torch.float64, device=first.device)
    taps = [torch.from_numpy(side).to(first.device) for side in (down, across)]
    module = load_kernels("ssim.cu", first.device, THREADS=_THREADS, COLUMNS=_COLUMNS, ROWS=_ROWS, TAPS=SSIM_WINDOW)
    module.kernel("similarity")(
        channels * rectangles, _THREADS, first.contiguous(), second.contiguous(), height, width, channels,
        taps[0], len(down), taps[1], len(across), Double(SSIM_C1), Double(SSIM_C2), sums,
    )  # fmt: skip
    return (sums.sum(dim=1) / math.prod(kept)).clamp_max(1.0)


def _normal_degrees(stack: TextureStack, index: int, decoded: Tensor) -> tuple[float, float] | None:
    """Return the mean and the 95th percentile of the angles between a map's normals; None where it has none."""
    texture_map = stack.maps[index]
    axes = normal_axes(texture_map)
    if axes is None:
        return None
    units = []
    for values in (source_values(stack, index, axes, decoded.device), decoded_values(decoded, texture_map, axes)):
        vectors = values * 2 - 1
        units.append(vectors / torch.linalg.vector_norm(vectors, dim=2, keepdim=True).clamp_min(1e-6))
    chords = torch.linalg.vector_norm(units[0] - units[1], dim=2)
    degrees = torch.rad2deg(2 * torch.asin((chords / 2).clamp(0, 1))).reshape(-1)
    ordered = torch.sort(degrees).values
    place = 0.95 * (len(ordered) - 1)
    low, high = ordered[math.floor(place)].double(), ordered[math.ceil(place)].double()
    return float(degrees.mean(dtype=torch.float64)), float(low + (place - math.floor(place)) * (high - low))
