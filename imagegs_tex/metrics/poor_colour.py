"""FLIP of the maps whose colours may be off at a glance: too slow for all of them, and needless where PSNR is high."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.decoder.maps import decode_maps
from imagegs_tex.formats.igs.quantized_set import QuantizedGaussianSet
from imagegs_tex.formats.material.stack import TextureStack, source_map
from imagegs_tex.formats.vocabulary import COLOUR_SEMANTICS, Samples
from imagegs_tex.metrics.scores import MapScore, flip_error, score_values
from imagegs_tex.rasterize.backend import Backend

_POOR_DB: Final = 30.0
"""PSNR from which on no mean FLIP error of 0.2 was seen: grain of all octaves has it below 26 dB."""
_SIDE: Final = 512
"""Texels each way of what is looked at, the middle of a larger picture: 1,024 take longer than a fit on a GPU."""

AnyArray = TypeVar("AnyArray", Samples, NDArray[np.bool_])


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
    found = list(scores)
    for index, (texture_map, decoded) in enumerate(decode_maps(quantized, backend)):
        if index in poor:
            source, seen, drawn = _middle(source_map(stack, index)), _middle(decoded), stack.drawn_of(index)
            if drawn is not None:
                seen = np.where(_middle(drawn)[..., None], seen, source)
            pair = [score_values(part, texture_map) for part in (source, seen)]
            found[index] = replace(scores[index], flip=flip_error(texture_map, *pair))
    return found


def _middle(samples: AnyArray) -> AnyArray:
    top, left = (max(0, side - _SIDE) // 2 for side in samples.shape[:2])
    return samples[top : top + _SIDE, left : left + _SIDE]
