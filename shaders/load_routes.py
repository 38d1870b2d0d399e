"""Pages of many materials: one cache of textures of the same meanings, whatever maps each material has.

The decoder of many materials knows channels by number alone. Which of them, or which constant, makes a value of the
cache's textures is in the *routes* of a job, two numbers for each value.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from imagegs_tex.formats.gpu_textures.texture import BC4, BC5, BC7, BC7_SRGB, PixelFormat
from imagegs_tex.formats.vocabulary import COLOUR_SEMANTICS, Coded, Constant, Semantic, TextureMap, Transfer, UnitZ
from imagegs_tex.shaders.build_decoder import Language
from imagegs_tex.shaders.load_textures import JOB_PLACES, LEVELS_AT_ONCE, LoadedTexture, plane_count, texture_shaders
from imagegs_tex.shaders.meaning_functions import DEFAULTS

MADE_OF_SIDES: Final = -2
"""Route of a z that is made of x and y before it."""
_CONSTANT: Final = -1


@dataclass(frozen=True, slots=True)
class CachedTexture:
    """A texture of a cache of pages: three values of a colour or a normal, or one of each of several meanings."""

    pixel_format: PixelFormat
    semantics: tuple[Semantic, ...]


PBR_CACHE: Final = (
    CachedTexture(BC7_SRGB, (Semantic.BASE_COLOUR,)),
    CachedTexture(BC5, (Semantic.NORMAL,)),
    CachedTexture(BC7, (Semantic.OCCLUSION, Semantic.ROUGHNESS, Semantic.METALLIC)),
    CachedTexture(BC4, (Semantic.HEIGHT,)),
)
"""What most materials have."""


def cache_textures(cache: Sequence[CachedTexture]) -> tuple[LoadedTexture, ...]:
    """Return the textures of a cache, for shaders of the decoder of many materials."""
    textures: list[LoadedTexture] = []
    for number, cached in enumerate(cache):
        planes = 3 if _is_wide(cached) else len(cached.semantics)
        first = plane_count(textures)
        normal = cached.semantics == (Semantic.NORMAL,)
        textures.append(
            LoadedTexture(
                map_index=number,
                pixel_format=cached.pixel_format,
                planes=tuple(f"igs_routed(texel, {first + plane})" for plane in range(planes)),
                map_channels=tuple(range(planes)),
                channels=tuple(range(cached.pixel_format.channel_count if normal else planes))[:3],
                srgb=tuple(range(planes)) if cached.pixel_format.is_srgb else (),
                normal=normal,
                unit=normal,
            )
        )
    return tuple(textures)


def page_routes(maps: Sequence[TextureMap], cache: Sequence[CachedTexture]) -> tuple[int, ...]:
    """Return the routes of a material: two numbers for each value of the cache's textures.

    Args:
        maps: of the material; the first of a meaning counts
        cache: what its pages hold
    """
    found: dict[Semantic, tuple[TextureMap, list[int]]] = {}
    for texture_map in maps:
        for channel, semantic in enumerate(texture_map.channel_semantics):
            own = found.setdefault(semantic, (texture_map, []))
            if own[0] is texture_map:
                own[1].append(channel)
    routes: list[int] = []
    for cached in cache:
        for semantic in cached.semantics:
            routes += _routes(semantic, found, 3 if _is_wide(cached) else 1)
    return tuple(routes)


def cache_shaders(includes: Mapping[str, str], cache: Sequence[CachedTexture], language: Language) -> tuple[str, str]:
    """Return the two shaders of :mod:`.load_textures` for every material of a buffer.

    Args:
        includes: of :func:`.shared_decoder.shared_decoder`
        cache: what pages hold
        language: of the shaders
    """
    textures = cache_textures(cache)
    return texture_shaders(includes, textures, language, "material, group, thread, place", _routed(textures))


def _routes(semantic: Semantic, found: Mapping[Semantic, tuple[TextureMap, list[int]]], count: int) -> list[int]:
    texture_map, channels = found.get(semantic, (None, []))
    values: list[int] = []
    for place in range(count):
        default = DEFAULTS.get(semantic, (0.0,) * count)[place]
        channel = (
            channels[min(place, len(channels) - 1)]
            if channels and (place < 2 or count < 3 or len(channels) != 2)
            else None
        )
        route = None if texture_map is None or channel is None else texture_map.routes[channel]
        if texture_map is not None and texture_map.transfer == Transfer.LOG:
            route = None  # floats: beyond what the cache's textures hold
        if isinstance(route, Coded):
            values += [route.index, 0]
        elif isinstance(route, UnitZ) or (route is None and semantic == Semantic.NORMAL and channels and place == 2):
            values += [MADE_OF_SIDES, 0]
        else:
            value = route.value if isinstance(route, Constant) else default
            values += [_CONSTANT, int(np.float32(value).view(np.int32))]
    return values


def _is_wide(cached: CachedTexture) -> bool:
    first = cached.semantics[0]
    return len(cached.semantics) == 1 and (first in COLOUR_SEMANTICS or first == Semantic.NORMAL)


def _routed(textures: Sequence[LoadedTexture]) -> str:
    routes = JOB_PLACES + 2 * LEVELS_AT_ONCE * len(textures)
    return f"""
float igs_route(IgsTexel texel, int plane)
{{
    int channel = igs_job(igs_current_job, uint({routes} + 2 * plane));
    float value = igs_as_float(uint(igs_job(igs_current_job, uint({routes} + 2 * plane + 1))));
    for (int c = 0; c < IGS_VALUES; ++c) {{ // picked by constant numbers: others would move the texel to memory
        value = c == channel ? texel.channel[c] : value;
    }}
    return value;
}}

// A value of the cache's textures: a channel, a constant, or z of the two before it.
float igs_routed(IgsTexel texel, int plane)
{{
    if (igs_job(igs_current_job, uint({routes} + 2 * plane)) == {MADE_OF_SIDES}) {{
        return igs_unit_samples(vec2(igs_route(texel, plane - 2), igs_route(texel, plane - 1))).z;
    }}
    return igs_route(texel, plane);
}}
"""
