"""FLIP of the maps whose colours may be off at a glance: too slow for all of them, and needless where PSNR is high."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.decoder.bands import channel_bands
from imagegs_tex.decoder.render import render_channels
from imagegs_tex.formats.igs.quantized_set import QuantizedGaussianSet
from imagegs_tex.formats.material.stack import TextureStack, expand_map, source_map
from imagegs_tex.formats.vocabulary import COLOUR_SEMANTICS
from imagegs_tex.metrics.scores import MapScore, flip_error, score_values
from imagegs_tex.rasterize.backend import Backend

_POOR_DB: Final = 30.0
"""PSNR from which on no mean FLIP error of 0.2 was seen: grain of all octaves has it below 26 dB."""
_SIDE: Final = 512
"""Texels each way of what is looked at, the middle of a larger picture: 1,024 take longer than a fit on a GPU."""


def score_poor_colour(
    scores: Sequence[MapScore], stack: TextureStack, quantized: QuantizedGaussianSet, backend: Backend
) -> list[MapScore]:
    """Return scores with the FLIP error of colours that may be poor, of the picture's middle; as they are without any.

    Args:
        scores: of the stack's maps
        stack: what the file was made of
        quantized: the file's content
        backend: the rasterizer
    """
    poor = {
        index
        for index, (score, texture_map) in enumerate(zip(scores, stack.maps, strict=True))
        if score.psnr_db < _POOR_DB and texture_map.semantic in COLOUR_SEMANTICS
    }
    if not poor:
        return list(scores)
    part = _middle(stack.height), _middle(stack.width)
    channels = _drawn(quantized, backend, part)
    found = list(scores)
    for index in poor:
        texture_map, drawn = stack.maps[index], stack.drawn_of(index)
        source, seen = source_map(stack, index, part[0])[:, part[1]], expand_map(channels, texture_map)
        if drawn is not None:
            seen = np.where(drawn[part][..., None], seen, source)
        pair = [score_values(samples, texture_map) for samples in (source, seen)]
        found[index] = replace(scores[index], flip=flip_error(texture_map, pair[0], pair[1], backend.device))
    return found


def _drawn(quantized: QuantizedGaussianSet, backend: Backend, part: tuple[slice, slice]) -> NDArray[np.float32]:
    """Return the coded channels of a part of the picture."""
    if backend.device.type != "cpu":
        return np.asarray(render_channels(quantized, backend)[part].cpu().numpy())
    bands = [
        texels[max(0, part[0].start - first) : max(0, part[0].stop - first), part[1]].copy()  # of a band that may go
        for first, texels in channel_bands(quantized, backend, (quantized.width, quantized.height))
    ]
    return np.concatenate(bands)


def _middle(side: int) -> slice:
    first = max(0, side - _SIDE) // 2
    return slice(first, min(side, first + _SIDE))
