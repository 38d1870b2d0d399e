"""Which textures shaders make of a material at load time: what `export` would make, in the formats that they write."""

from collections.abc import Sequence
from typing import Final, Literal

from imagegs_tex.formats.gpu_textures.texture import BC5, BLOCK, R16, RGBA8, RGBA8_SRGB
from imagegs_tex.formats.vocabulary import TextureMap
from imagegs_tex.shaders.accessors import sample_expression
from imagegs_tex.shaders.load_textures import LOADABLE, MADE_Z, LoadedTexture
from imagegs_tex.textures.export_maps import channel_roles, plan_texture

TexturesKind = Literal["bc", "bc1", "rgba8"]
"""Block-compressed; the same with opaque colour as BC1; four plain bytes per texel."""

_MOST_CHANNELS: Final = BLOCK


def plan_loaded(maps: Sequence[TextureMap], kind: TexturesKind) -> tuple[tuple[LoadedTexture, ...], tuple[int, ...]]:
    """Return the textures of a material, and the numbers of the maps that none is made of.

    Those are maps of floats, which the shaders' formats cannot hold, and maps of more channels than a texture.

    Args:
        maps: of the material
        kind: of textures
    """
    textures, left_out = [], []
    for number, texture_map in enumerate(maps):
        texture = _plan(number, texture_map, kind)
        if texture is None:
            left_out.append(number)
        else:
            textures.append(texture)
    return tuple(textures), tuple(left_out)


def _plan(number: int, texture_map: TextureMap, kind: TexturesKind) -> LoadedTexture | None:
    if texture_map.channel_count > _MOST_CHANNELS:
        return None
    plan = plan_texture(texture_map, bc1=kind == "bc1")
    if plan.pixel_format not in LOADABLE:
        return None
    roles = channel_roles(texture_map)
    pixel_format, channels = plan.pixel_format, plan.channels
    if kind == "rgba8" and pixel_format != R16:
        pixel_format = RGBA8_SRGB if roles.srgb else RGBA8
        channels = roles.normal if pixel_format == RGBA8 and plan.pixel_format == BC5 and roles.normal else channels
    held = list(dict.fromkeys([*roles.normal, *channels]))
    planes = [sample_expression(texture_map, channel) for channel in held]
    if len(roles.normal) == 2:  # z, which is averaged, too
        planes.insert(2, f"igs_unit_samples(vec2({planes[0]}, {planes[1]})).z")
        held.insert(2, MADE_Z)
    return LoadedTexture(
        map_index=number,
        pixel_format=pixel_format,
        planes=tuple(planes),
        map_channels=tuple(held),
        channels=tuple(held.index(channel) for channel in channels),
        srgb=tuple(held.index(channel) for channel in roles.srgb if channel in held),
        normal=bool(roles.normal),
        unit=plan.pixel_format == BC5 and bool(roles.normal),
        coverage=held.index(roles.coverage) if roles.coverage in held else None,
        covered=tuple(held.index(channel) for channel in roles.covered if channel in held)
        if roles.coverage in held
        else (),
    )
