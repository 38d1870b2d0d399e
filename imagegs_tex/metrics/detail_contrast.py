"""Kept contrast of a decode with its detail layer; no other score counts that layer."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch

from imagegs_tex.decoder.maps import decode_maps
from imagegs_tex.formats.igs.quantized_set import QuantizedGaussianSet
from imagegs_tex.formats.material.stack import TextureStack, source_map
from imagegs_tex.formats.vocabulary import Samples, TextureMap
from imagegs_tex.metrics.kept_contrast import kept_contrast
from imagegs_tex.metrics.scores import MapScore, has_contrast
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
    return replace(score, kept_contrast_with_detail=kept_contrast(*pair))
