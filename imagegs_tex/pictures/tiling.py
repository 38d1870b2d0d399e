"""A map beside itself, and its mip levels beside one another."""

from collections.abc import Sequence

import numpy as np

from imagegs_tex.formats.vocabulary import Samples, TextureMap
from imagegs_tex.pictures.display import Rgb, show_map
from imagegs_tex.textures.export_maps import channel_roles
from imagegs_tex.textures.mip_chain import mip_chain


def tiled(picture: Rgb, across: int = 2, down: int = 2) -> Rgb:
    """Return a picture laid beside itself, uint8 [down * H, across * W, 3]: where it does not repeat, seams show."""
    return np.tile(picture, (down, across, 1))


def mip_levels(samples: Samples, texture_map: TextureMap, exposure: float | None = None) -> list[Rgb]:
    """Return a map's mip levels as they are shown, averaged as ``export`` averages them, the largest first.

    Args:
        samples: [H, W, channels] in stored values of the map's sample format; floats between them are taken too
        texture_map: the map
        exposure: as in :func:`imagegs_tex.pictures.display.show_map`
    """
    largest = np.float32(texture_map.sample_format.max_value)
    levels = mip_chain(samples.astype(np.float32) / largest, channel_roles(texture_map))
    return [show_map(level * largest, texture_map, None, exposure) for level in levels]


def level_strip(levels: Sequence[Rgb], gap: int = 4, ground: tuple[int, int, int] = (27, 28, 31)) -> Rgb:
    """Return mip levels from left to right, their upper edges in one line.

    Args:
        levels: uint8 [H, W, 3], the largest first
        gap: pixels between them
        ground: colour between and below them
    """
    height = max(level.shape[0] for level in levels)
    width = sum(level.shape[1] for level in levels) + gap * (len(levels) - 1)
    strip = np.full((height, width, 3), ground, dtype=np.uint8)
    x = 0
    for level in levels:
        strip[: level.shape[0], x : x + level.shape[1]] = level
        x += level.shape[1] + gap
    return strip
