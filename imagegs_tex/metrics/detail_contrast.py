"""Kept contrast and structure of normals of a decode with its detail layer; no other score counts that layer."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
import torch

from imagegs_tex.decoder.maps import decode_maps
from imagegs_tex.formats.igs.quantized_set import QuantizedGaussianSet
from imagegs_tex.formats.material.stack import TextureStack, source_map
from imagegs_tex.formats.vocabulary import Samples, TextureMap
from imagegs_tex.metrics.kept_contrast import band_deviations, kept_of_deviations
from imagegs_tex.metrics.row_bands import row_bands, widened
from imagegs_tex.metrics.scores import MapScore, has_contrast, normal_axes, unit_vectors
from imagegs_tex.metrics.visible_error import blur
from imagegs_tex.rasterize.backend import Backend

_BLUR_REACH: Final = 2 * (1 + 2 + 4)


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
    found = []
    for score, index, (texture_map, decoded) in zip(
        scores, indices, decode_maps(quantized, backend, with_detail=True), strict=True
    ):
        found.append(score_with_detail(score, texture_map, source_map(stack, index), decoded, backend.device))
    return found


def score_with_detail(
    score: MapScore, texture_map: TextureMap, source: Samples, decoded: Samples, device: torch.device | str = "cpu"
) -> MapScore:
    """Return one map's score with the kept contrast of its decode with detail.

    Args:
        score: of the map without detail
        texture_map: what it is
        source: samples [H, W, channels]
        decoded: with detail, the same shape
        device: where to compute
    """
    largest = np.float32(texture_map.sample_format.max_value)
    own = [channel for channel in range(source.shape[2]) if has_contrast(texture_map, channel)]
    pairs = ([samples[..., channel : channel + 1] / largest for samples in (source, decoded)] for channel in own)
    found = [torch.stack([band_deviations(torch.from_numpy(values).to(device)) for values in pair]) for pair in pairs]
    return replace(
        score,
        kept_contrast_with_detail=kept_of_deviations(torch.cat(found, dim=1)),
        normal_degrees_structure=_structure_degrees(texture_map, source, decoded, device),
    )


def _structure_degrees(
    texture_map: TextureMap, source: Samples, decoded: Samples, device: torch.device | str
) -> float | None:  # fmt: skip
    """Return the mean angle between normals blurred by a deviation of 4.6 texels, None for other maps.

    Grain that was drawn anew points elsewhere than the source's texel by texel: small cobbles 13.8 degrees, mossy rock
    11, of which 2.9 and 3.6 are their shape.
    """
    axes = normal_axes(texture_map)
    if axes is None:
        return None
    height, width, _ = source.shape
    degrees = 0.0
    for rows in row_bands(height, width * len(axes)):
        around, own = widened(rows, _BLUR_REACH, height)
        first, second = (
            blur(blur(blur(_vectors(samples[around], texture_map, axes).to(device), 1), 2), 4)[own]
            for samples in (source, decoded)
        )
        cosine = torch.nn.functional.cosine_similarity(first, second, dim=2).clamp(-1, 1)
        degrees += float(torch.rad2deg(torch.acos(cosine)).sum(dtype=torch.float64))
    return float(degrees / (height * width))


def _vectors(samples: Samples, texture_map: TextureMap, axes: list[int]) -> torch.Tensor:
    return torch.from_numpy(unit_vectors(samples[..., axes], texture_map))
