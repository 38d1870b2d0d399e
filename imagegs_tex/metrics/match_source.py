"""Whether a stack is what a file was made of."""

from imagegs_tex.formats.errors import InputError
from imagegs_tex.formats.files.safe_names import printable
from imagegs_tex.formats.igs.quantized_set import QuantizedGaussianSet
from imagegs_tex.formats.material.common_size import same_proportions
from imagegs_tex.formats.material.stack import TextureStack
from imagegs_tex.formats.vocabulary import SampleFormat, TextureMap

_REMEDY = "give the source that the file was made of"


def source_indices(
    quantized: QuantizedGaussianSet, stack: TextureStack, source: object = "the source", *, larger: bool = False
) -> list[int]:
    """Return which of a stack's maps each map of a file was made of.

    Args:
        quantized: the file's content
        stack: what may be its source
        source: where that came from, for the message
        larger: whether the stack may have more texels, in the same proportions

    Raises:
        InputError: size or maps are not those of the file
    """
    where = printable(source)
    same_size = (quantized.width, quantized.height) == (stack.width, stack.height)
    if not (same_size or (larger and is_enlarged(quantized, stack))):
        size = f"{quantized.width}x{quantized.height}"
        raise InputError(
            f"{where}: {stack.width} x {stack.height} texels where the file has "
            f"{quantized.width} x {quantized.height}; {_REMEDY}, with --size {size} where that was larger"
        )
    maps = {_identity(texture_map): index for index, texture_map in enumerate(stack.maps)}
    for expected in quantized.maps:
        if _identity(expected) not in maps:
            raise InputError(
                f"{where}: has no map {printable(expected.name)} with {expected.channel_count} channels of "
                f"{expected.sample_format.name.lower()}, which the file has; {_REMEDY}"
            )
    return [maps[_identity(expected)] for expected in quantized.maps]


def is_enlarged(quantized: QuantizedGaussianSet, stack: TextureStack) -> bool:
    """Whether a source has more texels than the file, in the same proportions."""
    own, size = (quantized.width, quantized.height), (stack.width, stack.height)
    return own != size and own[0] <= size[0] and own[1] <= size[1] and same_proportions(own, size)


def _identity(texture_map: TextureMap) -> tuple[str, int, SampleFormat]:
    return texture_map.name, texture_map.channel_count, texture_map.sample_format
