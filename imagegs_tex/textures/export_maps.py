"""Maps of a file -> textures with mip chains, as engines load them: DDS, KTX 2, or one picture per level.

What a map becomes follows from what it means:

====================================  ========================================================================
map                                   pixel format
====================================  ========================================================================
colour, with its alpha                BC7 sRGB; BC1 sRGB when asked for and there is no alpha
normal                                BC5: x and y of the unit vector, z = sqrt(1 - x² - y²)
one value per texel                   BC4; R16 if the source has 16 bits (a height in 256 steps is a staircase)
two values                            BC5
three or four values, packed          BC7
float: three values, none negative    BC6H
other floats                          R16F, RG16F, RGBA16F
====================================  ========================================================================

BC1 takes half the bytes of BC7. On decodes at 25 dB it costs 0.07 and 0.17 dB where BC7 costs 0.01, at 35 dB 1.9 dB
(boombox) where BC7 costs 0.1: worth asking for, not worth taking unasked. docs/benchmarks/textures.md has the table.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from imagegs_tex._version import __version__
from imagegs_tex.formats.errors import UsageError
from imagegs_tex.formats.files.atomic_write import write_files
from imagegs_tex.formats.files.safe_names import printable, safe_stems
from imagegs_tex.formats.gpu_textures.dds import encode_dds
from imagegs_tex.formats.gpu_textures.ktx2 import encode_ktx2
from imagegs_tex.formats.gpu_textures.texture import (
    BC1_SRGB,
    BC4,
    BC5,
    BC6H,
    BC7,
    BC7_SRGB,
    R16,
    R16F,
    RG16F,
    RGBA16F,
    AlphaMode,
    PixelFormat,
    Texture,
)
from imagegs_tex.formats.images import encode_image
from imagegs_tex.formats.material.premultiplied_alpha import colours_before_alpha, multiply_by_alpha
from imagegs_tex.formats.material.stack import expand_map
from imagegs_tex.formats.vocabulary import (
    COLOUR_SEMANTICS,
    SCALAR_SEMANTICS,
    Constant,
    SampleFormat,
    Semantic,
    TextureMap,
    Transfer,
)
from imagegs_tex.settings import TextureContainer
from imagegs_tex.textures.block_compression import encode_level, require_encoder
from imagegs_tex.textures.mip_chain import ChannelRoles, level_count, mip_chain, unit_normals

_MOST_CHANNELS: Final = 4


@dataclass(frozen=True, slots=True)
class TexturePlan:
    """What a map becomes."""

    pixel_format: PixelFormat
    channels: tuple[int, ...]  # of the map, for each channel of the texture; repeated where one grey fills several
    alpha: AlphaMode


@dataclass(frozen=True, slots=True)
class ExportedMap:
    """One map as it was written."""

    name: str
    semantic: str
    pixel_format: str  # of the texture; of pictures, how their samples are stored
    channels: tuple[int, ...]  # of the map, for red, green, blue and alpha of the texture
    width: int  # texels of level 0
    height: int
    levels: int
    bytes: int  # of all its files
    files: tuple[str, ...]  # paths: one texture, or a picture per level


def plan_texture(texture_map: TextureMap, bc1: bool = False) -> TexturePlan:
    """Choose the pixel format of a map of at most four channels, and which of them go into it.

    Args:
        texture_map: the map
        bc1: whether opaque colour becomes BC1 instead of BC7
    """
    channels = _used_channels(texture_map)
    meanings = [texture_map.channel_semantics[channel] for channel in channels]
    if _normal_axes(texture_map) and set(meanings) == {Semantic.NORMAL}:
        return TexturePlan(BC5, channels[:2], AlphaMode.NONE)
    colours = set(meanings[:3] if len(meanings) >= 3 else meanings[:1])
    if texture_map.sample_format.is_float:
        three = RGBA16F if _has_negative(texture_map) else BC6H
        pixel_format = (R16F, RG16F, three, RGBA16F)[len(channels) - 1]
    elif texture_map.transfer == Transfer.SRGB and colours <= COLOUR_SEMANTICS:
        if len(channels) < 3:  # grey: BC4 and BC5 know no sRGB
            channels = channels[:1] * 3 + channels[1:]
        pixel_format = BC1_SRGB if bc1 and len(channels) == 3 else BC7_SRGB
    elif len(channels) == 1:
        pixel_format = R16 if texture_map.sample_format == SampleFormat.UINT16 else BC4
    else:
        pixel_format = BC5 if len(channels) == 2 else BC7
    alpha = AlphaMode.NONE
    if len(channels) == 4:
        alpha = AlphaMode.DATA if _coverage(texture_map) is None else AlphaMode.COVERAGE
    return TexturePlan(pixel_format, channels, alpha)


def texture_bytes(texture_map: TextureMap, width: int, height: int) -> int:
    """Return the bytes of a map's texture of this size in texels with all its levels, without the container's header.

    Raises:
        UsageError: the map has more channels than a texture holds
    """
    _check(texture_map)
    pixel_format = plan_texture(texture_map).pixel_format
    return sum(
        pixel_format.level_bytes(max(1, width >> level), max(1, height >> level))
        for level in range(level_count(width, height))
    )


def channel_roles(texture_map: TextureMap) -> ChannelRoles:
    """Say how each channel of a map is averaged."""
    colours = tuple(index for index, meaning in enumerate(texture_map.channel_semantics) if meaning in COLOUR_SEMANTICS)
    coverage = _coverage(texture_map)
    return ChannelRoles(
        srgb=colours if texture_map.transfer == Transfer.SRGB else (),
        normal=_normal_axes(texture_map),
        coverage=coverage,
        covered=() if coverage is None else colours,
    )


def make_texture(texture_map: TextureMap, plan: TexturePlan, chain: list[NDArray[np.float32]]) -> Texture:
    """Encode a map's levels.

    Args:
        texture_map: what they are of
        plan: of :func:`plan_texture`
        chain: float32 [H, W, channels of the map], sample values, largest first
    """
    axes = list(_normal_axes(texture_map))
    levels = []
    for level in chain:
        texels = level[..., list(plan.channels)]
        if axes and plan.pixel_format == BC5:  # z is left out, so what stays has to be that of a unit vector
            texels = ((unit_normals(level[..., axes]) + 1) / 2)[..., :2].astype(np.float32)
        levels.append(encode_level(texels, plan.pixel_format))
    height, width = chain[0].shape[:2]
    return Texture(width, height, plan.pixel_format, plan.alpha, tuple(levels))


def export_maps(
    maps: tuple[TextureMap, ...],
    texels: NDArray[np.float32],
    folder: Path,
    container: TextureContainer,
    bc1: bool = False,
    progress: Callable[[str, int, int], None] | None = None,
    *,
    premultiplied: bool = False,
) -> list[ExportedMap]:
    """Write every map with all its levels: all of the files or none.

    Args:
        maps: of the file
        texels: float32 [H, W, coded channels], code domain: the decoded picture
        folder: created when missing; names from the file never lead out of it
        container: what kind of files
        bc1: whether opaque colour becomes BC1 instead of BC7
        progress: called with a map's name, how many maps are done and how many there are
        premultiplied: whether colours are multiplied by their alpha, after the levels are made of straight ones

    Raises:
        UsageError: a map has more channels than a texture holds
        MissingToolError: the block encoder is not installed
    """
    for texture_map in maps:
        _check(texture_map)
    if container != TextureContainer.PNG:
        require_encoder()
    files: dict[Path, bytes] = {}
    stems = safe_stems(texture_map.name for texture_map in maps)
    exported = []
    for done, (texture_map, stem) in enumerate(zip(maps, stems, strict=True)):
        if progress is not None:
            progress(texture_map.name, done, len(maps))
        # as floats whatever the source is: levels are made of the decode itself, not of its rounded samples
        samples = expand_map(texels, replace(texture_map, sample_format=SampleFormat.FLOAT32))
        chain = mip_chain(np.asarray(samples, dtype=np.float32), channel_roles(texture_map))
        is_multiplied = premultiplied and colours_before_alpha(texture_map.channel_semantics) > 0
        if is_multiplied:
            chain = [np.asarray(multiply_by_alpha(texture_map, level), dtype=np.float32) for level in chain]
        own: dict[Path, bytes] = {}
        label, channels, encoded = _encode(texture_map, chain, container, bc1, is_multiplied)
        for suffix, data in encoded:
            own[folder / (stem + suffix)] = data
        files |= own
        exported.append(ExportedMap(
            name=texture_map.name, semantic=texture_map.semantic.name.lower(), pixel_format=label,
            channels=channels, width=chain[0].shape[1], height=chain[0].shape[0], levels=len(chain),
            bytes=sum(map(len, own.values())), files=tuple(map(str, own)),
        ))  # fmt: skip
    if progress is not None:
        progress("", len(maps), len(maps))
    write_files(files)
    return exported


def _encode(
    texture_map: TextureMap,
    chain: list[NDArray[np.float32]],
    container: TextureContainer,
    bc1: bool,
    is_multiplied: bool,
) -> tuple[str, tuple[int, ...], Iterator[tuple[str, bytes]]]:
    """Return what a map is stored as, which of its channels, and the endings and contents of its files."""
    if container == TextureContainer.PNG:
        every = tuple(range(texture_map.channel_count))
        return texture_map.sample_format.name.lower(), every, _pictures(texture_map, chain)
    plan = plan_texture(texture_map, bc1)
    if is_multiplied and plan.alpha == AlphaMode.COVERAGE:
        plan = replace(plan, alpha=AlphaMode.PREMULTIPLIED)
    texture = make_texture(texture_map, plan, chain)
    if container == TextureContainer.DDS:
        data = encode_dds(texture)
    else:
        data = encode_ktx2(texture, f"imagegs_tex {__version__}")
    return texture.pixel_format.label, plan.channels, iter([(f".{container.value}", data)])


def _pictures(texture_map: TextureMap, chain: list[NDArray[np.float32]]) -> Iterator[tuple[str, bytes]]:
    """One picture per level, as ``decode`` writes level 0; PNG holds no floats, so those go to EXR."""
    sample_format = texture_map.sample_format
    suffix = ".exr" if sample_format.is_float else ".png"
    for number, level in enumerate(chain):
        stored = level if sample_format.is_float else np.rint(np.clip(level, 0, 1) * sample_format.max_value)
        yield f"_mip{number}{suffix}", encode_image(stored.astype(sample_format.dtype), suffix)


def _check(texture_map: TextureMap) -> None:
    if texture_map.channel_count > _MOST_CHANNELS:
        raise UsageError(
            f"map {printable(texture_map.name)} has {texture_map.channel_count} channels and a texture holds "
            f"{_MOST_CHANNELS}; use decode --format exr"
        )


def _used_channels(texture_map: TextureMap) -> tuple[int, ...]:
    """Channels that say something: not an alpha of 1 everywhere, and of a grey picture of one scalar only the first.

    Only meanings and constants of the whole map decide, never the picture, so that a shader written for one material
    fits the next.
    """
    routes, meanings = texture_map.routes, texture_map.channel_semantics
    channels = list(range(len(routes)))
    fillers = {Semantic.OPACITY, Semantic.DATA} if len(routes) == 4 else {Semantic.OPACITY}
    if len(routes) in {2, 4} and routes[-1] == Constant(1.0) and meanings[-1] in fillers:
        channels.pop()
    grey = len(set(routes[:3])) == 1 and len(set(meanings[:3])) == 1 and meanings[0] in SCALAR_SEMANTICS
    if grey and len(channels) >= 3:
        channels = [0, *channels[3:]]
    return tuple(channels)


def _normal_axes(texture_map: TextureMap) -> tuple[int, ...]:
    """Channels of x, y and maybe z; none where negative floats are the vector's own components already."""
    if texture_map.log_range[0] < 0:
        return ()
    axes = [index for index, meaning in enumerate(texture_map.channel_semantics) if meaning == Semantic.NORMAL]
    return tuple(axes[:3]) if len(axes) >= 2 else ()


def _coverage(texture_map: TextureMap) -> int | None:
    """Return the channel that is the coverage of the others, or of the material: opacity in the last place."""
    last = texture_map.channel_count - 1
    return last if texture_map.channel_semantics[last] == Semantic.OPACITY else None


def _has_negative(texture_map: TextureMap) -> bool:
    constants = [route.value for route in texture_map.routes if isinstance(route, Constant)]
    return min(texture_map.log_range[0], *constants, 0.0) < 0
