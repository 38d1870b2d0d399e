"""What a texel holds beside its coded channels: z of normals of which only x and y are coded.

Over a footprint such a z is averaged as x and y are, so that the mean of the normals has its true length.
"""

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.formats.vocabulary import Coded, Semantic, TextureMap, UnitZ

_SIDES = 2


def derived_normals(maps: tuple[TextureMap, ...]) -> dict[int, tuple[int, int]]:
    """Return the coded channels x and y by map, for each map with a normal whose z is made of them.

    The value of the n-th of them has the index channel count + n in a texel.
    """
    found = {}
    for index, texture_map in enumerate(maps):
        channels = [at for at, meaning in enumerate(texture_map.channel_semantics) if meaning == Semantic.NORMAL]
        routes = [texture_map.routes[at] for at in channels[: _SIDES + 1]]
        sides = [route.index for route in routes[:_SIDES] if isinstance(route, Coded)]
        if len(sides) == _SIDES and all(isinstance(route, UnitZ) for route in routes[_SIDES:]):
            found[index] = (sides[0], sides[1])
    return found


def with_derived(maps: tuple[TextureMap, ...], channels: NDArray[np.floating]) -> NDArray[np.floating]:
    """Put (z + 1) / 2 of each such normal behind the coded channels [..., C]."""
    rest = []
    for x, y in derived_normals(maps).values():
        sides = 2 * channels[..., [x, y]] - 1
        rest.append(0.5 * np.sqrt(np.maximum(0, 1 - np.square(sides).sum(axis=-1))) + 0.5)
    return np.concatenate([channels, *(values[..., None] for values in rest)], axis=-1) if rest else channels
