"""Kept contrast and structure of normals of a decode with its detail layer; no other score counts that layer."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch

from imagegs_tex.decoder.maps import decode_maps
from imagegs_tex.formats.igs.quantized_set import QuantizedGaussianSet
from imagegs_tex.formats.material.stack import TextureStack, source_map
from imagegs_tex.formats.vocabulary import Samples, TextureMap
from imagegs_tex.metrics.kept_contrast import kept_contrast
from imagegs_tex.metrics.scores import MapScore, has_contrast, normal_axes, unit_vectors
from imagegs_tex.metrics.visible_error import blur
from imagegs_tex.rasterize.backend import Backend


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
        found.append(score_with_detail(score, texture_map, source_map(stack, index), decoded))
    return found


def score_with_detail(score: MapScore, texture_map: TextureMap, source: Samples, decoded: Samples) -> MapScore:
    """Return one map's score with the kept contrast of its decode with detail, [H, W, channels] like the source."""
    largest = np.float32(texture_map.sample_format.max_value)
    own = [channel for channel in range(source.shape[2]) if has_contrast(texture_map, channel)]
    pair = [torch.from_numpy(samples[..., own] / largest) for samples in (source, decoded)]
    return replace(
        score,
        kept_contrast_with_detail=kept_contrast(*pair),
        normal_degrees_structure=_structure_degrees(texture_map, source, decoded),
    )


def _structure_degrees(texture_map: TextureMap, source: Samples, decoded: Samples) -> float | None:
    """Return the mean angle between normals blurred by a deviation of 4.6 texels, None for other maps.

    Grain that was drawn anew points elsewhere than the source's texel by texel: small cobbles 13.8 degrees, mossy rock
    11, of which 2.9 and 3.6 are their shape.
    """
    axes = normal_axes(texture_map)
    if axes is None:
        return None
    first, second = (
        blur(blur(blur(torch.from_numpy(unit_vectors(samples[..., axes], texture_map)), 1), 2), 4)
        for samples in (source, decoded)
    )
    cosine = torch.nn.functional.cosine_similarity(first, second, dim=2).clamp(-1, 1)
    return float(torch.rad2deg(torch.acos(cosine)).mean(dtype=torch.float64))
