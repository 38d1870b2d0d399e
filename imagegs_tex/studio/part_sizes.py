"""About how many bytes each part of a .zip takes, known before it is made."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from imagegs_tex.formats.errors import UsageError
from imagegs_tex.formats.vocabulary import TextureMap
from imagegs_tex.textures.export_maps import texture_bytes

_SHADER_TEXT: Final = {"glsl": 120_000, "hlsl": 32_000}
"""Sources, readme and samples, compressed; the same for every material but for a few per cent."""


def part_sizes(
    maps: Sequence[TextureMap], size: tuple[int, int], decoded: Sequence[Sequence[Path]], gpu_bytes: int
) -> dict[str, int]:
    """Return what plain images, textures and shader decoders take in a .zip, by the names that the page has for them.

    Args:
        maps: of the file
        size: width and height in texels
        decoded: pictures of each map in 8 bits, whose sizes say how well it compresses
        gpu_bytes: of the buffer that a shader reads
    """
    plain = sum(
        path.stat().st_size * texture_map.sample_format.dtype.itemsize
        for texture_map, pictures in zip(maps, decoded, strict=True)
        for path in pictures
    )
    try:
        textures = sum(texture_bytes(texture_map, *size) for texture_map in maps)
    except UsageError:  # a map has more channels than a texture
        textures = 0
    shaders = {language: gpu_bytes + text for language, text in _SHADER_TEXT.items()}
    return {"maps": plain, "dds": textures, "ktx2": textures, **shaders}
