"""What the channels of a material mean, as words of its header that shaders look up; docs/gpu-buffer.md, "Meanings".

A meaning that several maps have is the first one's, as for accessors of a file's own decoder.
"""

from typing import Final

import numpy as np

from imagegs_tex.formats.material.name_words import normal_convention, split_name
from imagegs_tex.formats.transfer_functions import LOG_KNEE
from imagegs_tex.formats.vocabulary import (
    COLOUR_SEMANTICS,
    SCALAR_SEMANTICS,
    Coded,
    Constant,
    Semantic,
    TextureMap,
    Transfer,
)
from imagegs_tex.shaders.derived_z import derived_normals

CONSTANT_SOURCE: Final = 128
"""Sources from here on are constants of the table, those below are values of a texel."""
SIDES_SOURCE: Final = 127
"""A z that is made of x and y, and not among a texel's values."""
SRGB_FLAG: Final = 1
LOG_FLAG: Final = 2
GREEN_UP: Final = 1
GREEN_DOWN: Final = 2
_MOST_CHANNELS: Final = 4
_NORMAL_CHANNELS: Final = 3
_ENTRY_WORDS: Final = 2


def meanings(maps: tuple[TextureMap, ...]) -> dict[Semantic, tuple[int, tuple[int, ...]]]:
    """Return the map of each meaning and the channels of its file that have it."""
    found: dict[Semantic, tuple[int, tuple[int, ...]]] = {}
    for index, texture_map in enumerate(maps):
        for semantic in dict.fromkeys(texture_map.channel_semantics):
            channels = [at for at, meaning in enumerate(texture_map.channel_semantics) if meaning == semantic]
            if semantic == Semantic.NORMAL:
                channels = channels[:_NORMAL_CHANNELS]
            if semantic != Semantic.DATA and semantic not in found:
                most = 1 if semantic in SCALAR_SEMANTICS else _MOST_CHANNELS
                found[semantic] = index, tuple(channels[:most])
    return found


def normal_green(maps: tuple[TextureMap, ...]) -> int:
    """Return which way green of the normals points: GREEN_UP, GREEN_DOWN, or 0 where the map's name does not say."""
    entry = meanings(maps).get(Semantic.NORMAL)
    said = "" if entry is None else normal_convention(split_name(maps[entry[0]].name))
    return GREEN_DOWN if "down" in said else GREEN_UP if "up" in said else 0


def meaning_words(maps: tuple[TextureMap, ...], channel_count: int) -> list[int]:
    """Return the table.

    Args:
        maps: of the material
        channel_count: its coded channels
    """
    derived = list(derived_normals(maps))
    entries: list[int] = []
    constants: list[float] = []
    found = meanings(maps)
    for semantic, (index, channels) in found.items():
        texture_map = maps[index]
        flags, first = 0, len(constants)
        if texture_map.transfer == Transfer.LOG:
            flags = LOG_FLAG
            constants += [float(np.copysign(np.log2(1 + abs(x) / LOG_KNEE), x)) for x in texture_map.log_range]
        elif texture_map.transfer == Transfer.SRGB and semantic in COLOUR_SEMANTICS:
            flags = SRGB_FLAG
        sources = []
        for channel in channels:
            route = texture_map.routes[channel]
            if isinstance(route, Coded):
                sources.append(route.index)
            elif isinstance(route, Constant):
                sources.append(CONSTANT_SOURCE + len(constants))
                constants.append(route.value)
            else:
                sources.append(channel_count + derived.index(index) if index in derived else SIDES_SOURCE)
        if semantic == Semantic.NORMAL and len(sources) == _NORMAL_CHANNELS - 1:
            sources.append(channel_count + derived.index(index) if index in derived else SIDES_SOURCE)
        entries.append(semantic | len(sources) << 8 | flags << 16 | first << 24)
        entries.append(sum(source << 8 * place for place, source in enumerate(sources)))
    head = len(found) | normal_green(maps) << 8
    return [head, *entries, *np.array(constants, dtype="<f4").view("<u4").tolist()]
