"""Scores on the GPU: what :mod:`imagegs_tex.metrics.scores` computes, without the picture leaving the device.

Maps of integers only, which are nearly all: their samples are a rounding away from the coded channels. What takes more
to decode or to score (floating point, logarithms, a z made of x and y, alpha) is left to the CPU.
"""

import math
from typing import Final

import numpy as np
import torch
from torch import Tensor

from imagegs_tex.formats.material.stack import TextureStack, expand_map, source_map
from imagegs_tex.formats.vocabulary import Coded, Constant, Semantic, TextureMap, Transfer, UnitZ
from imagegs_tex.metrics.kept_contrast import kept_contrast
from imagegs_tex.metrics.scores import MapScore, counted_channels, normal_axes, psnr_of, score_map
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
    source = torch.from_numpy(stack.texels).to(decoded.device)
    weights = None if stack.weights is None else torch.from_numpy(stack.weights).to(decoded.device)
    return [
        _score(texture_map, source, decoded, weights)
        if _is_simple(stack, index)
        else score_map(
            texture_map, source_map(stack, index), expand_map(decoded.cpu().numpy(), texture_map),
            weights=stack.weights, drawn=stack.drawn_of(index),
        )
        for index, texture_map in enumerate(stack.maps)
    ]  # fmt: skip


def _is_simple(stack: TextureStack, index: int) -> bool:
    """Whether each sample of a map is a coded channel or a constant, rounded, and nothing but errors is asked for."""
    texture_map = stack.maps[index]
    return not (
        texture_map.sample_format.is_float
        or texture_map.transfer == Transfer.LOG
        or any(isinstance(route, UnitZ) for route in texture_map.routes)
        or Semantic.OPACITY in texture_map.channel_semantics
        or stack.drawn_of(index) is not None
        or (stack.originals and stack.originals[index] is not None)
        or len(normal_axes(texture_map) or (0, 1, 2)) < 3
    )


def _score(texture_map: TextureMap, source: Tensor, decoded: Tensor, weights: Tensor | None) -> MapScore:
    counted = counted_channels(texture_map)
    first, second = (_values(channels, texture_map, counted) for channels in (source, decoded))
    per_texel = (first - second).double().square().sum(dim=2)
    squared = float(per_texel.sum())
    weighted = None if weights is None else float((per_texel * weights).sum() / weights.mean(dtype=torch.float64))
    axes = normal_axes(texture_map)
    degrees = None if axes is None else _normal_degrees(*(_values(c, texture_map, axes) for c in (source, decoded)))
    return MapScore(
        name=texture_map.name, semantic=texture_map.semantic.name.lower(), channels=len(counted),
        psnr_db=psnr_of(squared / first.numel()), ssim=float(mean_similarity(second, first).mean()), flip=None,
        normal_degrees_mean=None if degrees is None else degrees[0],
        normal_degrees_p95=None if degrees is None else degrees[1], squared_error=squared, values=first.numel(),
        kept_contrast=kept_contrast(first, second), weighted_squared_error=weighted,
    )  # fmt: skip


def _values(channels: Tensor, texture_map: TextureMap, wanted: list[int]) -> Tensor:
    """Return samples [H, W, wanted] in [0, 1], rounded as the map's format rounds them."""
    largest = texture_map.sample_format.max_value
    values = torch.empty(*channels.shape[:2], len(wanted), device=channels.device)
    for place, channel in enumerate(wanted):
        route = texture_map.routes[channel]
        if isinstance(route, Constant):
            values[..., place] = float(np.rint(np.clip(route.value, 0.0, 1.0) * largest) / np.float32(largest))
        else:
            assert isinstance(route, Coded)
            torch.clamp(channels[..., route.index], 0.0, 1.0, out=values[..., place])
            values[..., place].mul_(largest).round_().div_(largest)
    return values


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
    return sums.sum(dim=1) / math.prod(kept)


def _normal_degrees(first: Tensor, second: Tensor) -> tuple[float, float]:
    """Return the mean and the 95th percentile of the angles between normals stored as values [H, W, 3]."""
    units = []
    for values in (first, second):
        vectors = values * 2 - 1
        units.append(vectors / torch.linalg.vector_norm(vectors, dim=2, keepdim=True).clamp_min(1e-6))
    chords = torch.linalg.vector_norm(units[0] - units[1], dim=2)
    degrees = torch.rad2deg(2 * torch.asin((chords / 2).clamp(0, 1))).reshape(-1)
    ordered = torch.sort(degrees).values
    place = 0.95 * (len(ordered) - 1)
    low, high = ordered[math.floor(place)].double(), ordered[math.ceil(place)].double()
    return float(degrees.mean(dtype=torch.float64)), float(low + (place - math.floor(place)) * (high - low))
