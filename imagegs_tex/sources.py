"""Whether a stack is what a file was made of."""

from imagegs_tex.formats.errors import InputError
from imagegs_tex.formats.gaussians import QuantizedGaussianSet
from imagegs_tex.formats.names import printable
from imagegs_tex.formats.stack import Samples, TextureStack, expand_map

_REMEDY = "give the source that the file was made of"


def source_samples(
    quantized: QuantizedGaussianSet, stack: TextureStack, source: object = "the source"
) -> dict[str, Samples]:
    """Return the samples of every map of a file, by the map's name.

    Args:
        quantized: the file's content
        stack: what may be its source
        source: where that came from, for the message

    Raises:
        InputError: size or maps are not those of the file
    """
    where = printable(source)
    if (quantized.width, quantized.height) != (stack.width, stack.height):
        raise InputError(
            f"{where}: {stack.width} x {stack.height} texels where the file has "
            f"{quantized.width} x {quantized.height}; {_REMEDY}"
        )
    maps = {texture_map.name: texture_map for texture_map in stack.maps}
    samples = {}
    for expected in quantized.maps:
        found = maps.get(expected.name)
        if found is None or (found.channel_count, found.sample_format) != (
            expected.channel_count,
            expected.sample_format,
        ):
            raise InputError(
                f"{where}: has no map {printable(expected.name)} with {expected.channel_count} channels of "
                f"{expected.sample_format.name.lower()}, which the file has; {_REMEDY}"
            )
        samples[expected.name] = expand_map(stack.texels, found)
    return samples
