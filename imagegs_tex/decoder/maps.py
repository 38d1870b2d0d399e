"""From a quantized set to the samples of each map."""

import numpy as np

from imagegs_tex.decoder.bands import channel_bands
from imagegs_tex.formats.igs.quantized_set import QuantizedGaussianSet
from imagegs_tex.formats.material.premultiplied_alpha import multiply_by_alpha
from imagegs_tex.formats.material.stack import expand_map
from imagegs_tex.formats.vocabulary import Samples, TextureMap
from imagegs_tex.rasterize.backend import Backend


def decode_maps(
    quantized: QuantizedGaussianSet,
    backend: Backend,
    size: tuple[int, int] | None = None,
    *,
    with_detail: bool = False,
    premultiplied: bool = False,
) -> list[tuple[TextureMap, Samples]]:
    """Return every map with its samples [H, W, channels], in its own sample format.

    Args:
        quantized: the file's content
        backend: the rasterizer
        size: width and height in texels; None for the file's own
        with_detail: draw the file's detail layer; scores and searches do not
        premultiplied: multiply colours by their alpha
    """
    width, height = size or (quantized.width, quantized.height)
    maps = [
        np.empty((height, width, entry.channel_count), dtype=entry.sample_format.dtype) for entry in quantized.maps
    ]  # fmt: skip
    for first, texels in channel_bands(quantized, backend, (width, height), with_detail=with_detail):
        for texture_map, samples in zip(quantized.maps, maps, strict=True):
            part = expand_map(texels, texture_map)
            samples[first : first + len(part)] = multiply_by_alpha(texture_map, part) if premultiplied else part
    return list(zip(quantized.maps, maps, strict=True))
