"""Colours that were multiplied by their alpha, in and out: ``--alpha premultiplied`` and ``decode --premultiplied``.

On values as stored, sRGB-encoded or not: that is what painting programs and image tools write. No score of straight
colours could be compared with that of premultiplied ones, so what is coded is always straight.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from imagegs_tex.formats.images.picture import STRAIGHTENED, straight
from imagegs_tex.formats.material.name_reading import MapReading
from imagegs_tex.formats.material.read_maps import SourceMap
from imagegs_tex.formats.vocabulary import COLOUR_SEMANTICS, SampleFormat, Samples, Semantic, TextureMap


def straightened(source: SourceMap, reading: MapReading) -> tuple[SourceMap, MapReading]:
    """Divide a map's colours by its alpha, unless its file said that they are premultiplied and it is done already.

    Maps without an alpha of their own behind their colours are returned as they are.
    """
    colours = colours_before_alpha(reading.channel_semantics)
    if not colours or STRAIGHTENED in source.notes:
        return source, reading
    note = "; ".join([reading.note, STRAIGHTENED])
    return replace(source, texels=straight(source.texels, colours)), replace(reading, note=note)


def multiply_by_alpha(texture_map: TextureMap, samples: Samples) -> Samples:
    """Multiply a decoded map's colours by its alpha; maps without one are returned as they are.

    Args:
        texture_map: what they are of
        samples: [H, W, channels], in the map's sample format or another
    """
    colours = colours_before_alpha(texture_map.channel_semantics)
    if not colours:
        return samples
    sample_format = SampleFormat.of(samples.dtype)
    found = samples.copy()
    for row in range(len(samples)):  # by rows: products of the whole map would take four times its bytes
        alpha = samples[row, :, colours : colours + 1] / np.float64(sample_format.max_value)
        product = samples[row, :, :colours] * alpha
        found[row, :, :colours] = product if sample_format.is_float else np.rint(product)
    return found


def colours_before_alpha(semantics: Sequence[Semantic]) -> int:
    """Return how many channels are colours with an alpha right behind them; 0: there are none, or no alpha."""
    colours = next((index for index, meaning in enumerate(semantics) if meaning not in COLOUR_SEMANTICS), 0)
    return colours if colours < len(semantics) and semantics[colours] == Semantic.OPACITY else 0
