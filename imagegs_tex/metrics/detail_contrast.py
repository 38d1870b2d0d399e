"""Kept contrast and structure of normals of a decode with its detail layer; no other score counts that layer."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
import torch

from imagegs_tex.decoder.maps import decode_maps
from imagegs_tex.decoder.render import render_channels
from imagegs_tex.formats.igs.quantized_set import QuantizedGaussianSet
from imagegs_tex.formats.material.stack import TextureStack, expand_map, source_map
from imagegs_tex.formats.vocabulary import Samples, TextureMap
from imagegs_tex.metrics.device_values import decoded_values, is_simple, source_values
from imagegs_tex.metrics.kept_contrast import band_deviations, kept_of_deviations
from imagegs_tex.metrics.row_bands import by_maps, row_bands, widened
from imagegs_tex.metrics.scores import MapScore, has_contrast, normal_axes, unit_vectors
from imagegs_tex.metrics.visible_error import blur
from imagegs_tex.rasterize.backend import Backend

_BLUR_REACH: Final = 2 * (1 + 2 + 4)
_LEAST_LENGTH: Final = 1e-6
"""Of a vector, as in unit_vectors."""


def score_detail(
    scores: Sequence[MapScore],
    stack: TextureStack,
    indices: Sequence[int],
    quantized: QuantizedGaussianSet,
    backend: Backend,
) -> list[MapScore]:
    """Return scores with the kept contrast of the detail layer, as they are where the file has none.

    Args:
        scores: of the file's maps without detail
        stack: what the file was made of
        indices: the stack's map for each of the file's
        quantized: the file's content
        backend: the rasterizer
    """
    if quantized.detail is None:
        return list(scores)
    if backend.device.type == "cpu":
        decoded_maps = decode_maps(quantized, backend, with_detail=True)

        def score(at: int) -> MapScore:
            texture_map, decoded = decoded_maps[at]
            return score_with_detail(scores[at], texture_map, source_map(stack, indices[at]), decoded)

        return by_maps(score, range(len(indices)), stack.width * stack.height)
    channels = render_channels(quantized, backend, with_detail=True)
    return [
        _score_on_device(score, stack, index, texture_map, channels)
        if is_simple(texture_map) and is_simple(stack.maps[index])
        else score_with_detail(
            score, texture_map, source_map(stack, index), expand_map(channels.cpu().numpy(), texture_map)
        )
        for score, index, texture_map in zip(scores, indices, quantized.maps, strict=True)
    ]


def score_with_detail(score: MapScore, texture_map: TextureMap, source: Samples, decoded: Samples) -> MapScore:
    """Return one map's score with the kept contrast of its decode with detail.

    Args:
        score: of the map without detail
        texture_map: what it is
        source: samples [H, W, channels]
        decoded: with detail, the same shape
    """
    largest, axes = np.float32(texture_map.sample_format.max_value), normal_axes(texture_map)
    own = [channel for channel in range(source.shape[2]) if has_contrast(texture_map, channel)]
    pairs = ([samples[..., channel : channel + 1] / largest for samples in (source, decoded)] for channel in own)
    found = [torch.stack([band_deviations(torch.from_numpy(values)) for values in pair]) for pair in pairs]

    def vectors(rows: slice) -> list[torch.Tensor]:
        return [torch.from_numpy(unit_vectors(samples[rows][..., axes], texture_map)) for samples in (source, decoded)]

    return replace(
        score,
        kept_contrast_with_detail=kept_of_deviations(torch.cat(found, dim=1)),
        normal_degrees_structure=None
        if axes is None
        else _structure_degrees(source.shape[0], source.shape[1], vectors),
    )


def _score_on_device(
    score: MapScore, stack: TextureStack, index: int, texture_map: TextureMap, channels: torch.Tensor
) -> MapScore:  # fmt: skip
    """Do the same with a simple map of a stack and coded channels with detail [H, W, C], where these are."""
    own = [channel for channel in range(texture_map.channel_count) if has_contrast(texture_map, channel)]

    def values(wanted: list[int]) -> list[torch.Tensor]:
        source = source_values(stack, index, wanted, channels.device)
        return [source, decoded_values(channels, texture_map, wanted)]

    axes, units = normal_axes(texture_map), list[torch.Tensor]()
    if axes is not None:
        units = [torch.nn.functional.normalize(side * 2 - 1, dim=2, eps=_LEAST_LENGTH) for side in values(axes)]
    return replace(
        score,
        kept_contrast_with_detail=kept_of_deviations(torch.stack([band_deviations(side) for side in values(own)])),
        normal_degrees_structure=_structure_degrees(stack.height, stack.width, lambda rows: [u[rows] for u in units])
        if units
        else None,
    )


def _structure_degrees(height: int, width: int, vectors: Callable[[slice], list[torch.Tensor]]) -> float:
    """Return the mean angle between normals blurred by a deviation of 4.6 texels.

    Grain that was drawn anew points elsewhere than the source's texel by texel: small cobbles 13.8 degrees, mossy rock
    11, of which 2.9 and 3.6 are their shape.

    Args:
        height: rows
        width: columns
        vectors: returns rows of the source's and of the decode's normals [rows, W, 3]
    """
    degrees = 0.0
    for rows in row_bands(height, width * 3):
        around, own = widened(rows, _BLUR_REACH, height)
        first, second = (blur(blur(blur(side, 1), 2), 4)[own] for side in vectors(around))
        cosine = torch.nn.functional.cosine_similarity(first, second, dim=2).clamp(-1, 1)
        degrees += float(torch.rad2deg(torch.acos(cosine)).sum(dtype=torch.float64))
    return float(degrees / (height * width))
