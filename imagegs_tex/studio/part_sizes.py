"""About how many bytes each part of a .zip takes, known before it is made."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from imagegs_tex.formats.errors import UsageError
from imagegs_tex.formats.igs.noise_tile import TILE_SIDE
from imagegs_tex.formats.igs.quantized_set import QuantizedGaussianSet
from imagegs_tex.formats.vocabulary import TextureMap
from imagegs_tex.pictures.display import map_parts
from imagegs_tex.textures.export_maps import texture_bytes

_SHADER_TEXT: Final = {"glsl": 111_000, "hlsl": 28_000}
"""Sources, readme and samples, compressed; the same for every material but for a few per cent."""
_GRAIN_TEXT: Final = {"glsl": 25_000, "hlsl": 6_000}
"""What draws grain, on top."""
_NOISE_TILE: Final = 4 * TILE_SIDE**2
"""Of a buffer whose material has grain, once, and so not in what a material takes on the GPU."""
_GREY: Final = 0.56
"""Size of a grey PNG over that of the same in red, green and blue, as the page has it: 0.56 for occlusion and roughness
of the example."""
_MORE_BYTES: Final = 1.2
"""What each byte beyond the first of a sample takes: nothing that could be predicted, and it spoils the first's."""


def part_sizes(quantized: QuantizedGaussianSet, decoded: Sequence[Sequence[Path]], gpu_bytes: int) -> dict[str, int]:
    """Return what plain images, textures and shader decoders take in a .zip, by the names that the page has for them.

    Args:
        quantized: the file
        decoded: pictures of each map in 8 bits, those of its parts, whose sizes say how well it compresses
        gpu_bytes: of the buffer that a shader reads
    """
    texels = quantized.width * quantized.height
    plain = sum(map(_image_bytes, quantized.maps, [texels] * len(quantized.maps), decoded))
    try:
        textures = sum(texture_bytes(texture_map, quantized.width, quantized.height) for texture_map in quantized.maps)
    except UsageError:  # a map has more channels than a texture
        textures = 0
    shaders = {language: gpu_bytes + text for language, text in _SHADER_TEXT.items()}
    if quantized.detail is not None:
        shaders = {language: size + _NOISE_TILE + _GRAIN_TEXT[language] for language, size in shaders.items()}
    return {"maps": round(plain), "dds": textures, "ktx2": textures, **shaders}


def _image_bytes(texture_map: TextureMap, texels: int, pictures: Sequence[Path]) -> float:
    """Return what a map takes as an image of its own kind."""
    shown = sum(
        path.stat().st_size * (_GREY if len(part.channels) == 1 else 1.0)
        for path, part in zip(pictures, map_parts(texture_map), strict=True)
    )
    more = texture_map.sample_format.dtype.itemsize - 1
    return shown + _MORE_BYTES * more * texels * len(texture_map.routes)
