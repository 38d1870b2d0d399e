"""Maps as values in [0, 1] on a picture's own device: rounded as their files round them, without leaving a GPU.

Maps of integers only, which are nearly all: their samples are a rounding away from the coded channels. What takes more
to decode or to score (floating point, logarithms, a z that nothing stores, alpha) is left to the CPU.
"""

import weakref
from collections.abc import Sequence
from typing import Final

import numpy as np
import torch
from torch import Tensor

from imagegs_tex.formats.material.stack import TextureStack
from imagegs_tex.formats.vocabulary import Coded, Constant, Route, Semantic, TextureMap, Transfer
from imagegs_tex.metrics.scores import normal_axes
from imagegs_tex.square_root import square_root

_KEPT_BYTES: Final = 1 << 30
"""Of a stack's texels up to which they stay on a GPU as long as the stack is there: a search asks for them often."""
_kept: Final[dict[tuple[int, torch.device], Tensor]] = {}


def texels_on(stack: TextureStack, device: torch.device) -> Tensor:
    """Return a stack's texels [H, W, C] on a device; not to be written to."""
    texels = stack.texels
    if device.type == "cpu" or texels.nbytes > _KEPT_BYTES:
        return torch.from_numpy(texels).to(device)
    key = id(texels), device
    if key not in _kept:
        _kept[key] = torch.from_numpy(texels).to(device)
        weakref.finalize(texels, _kept.pop, key, None).atexit = False
    return _kept[key]


def is_simple(texture_map: TextureMap) -> bool:
    """Whether a map is made of coded channels by rounding, and scored by nothing but errors."""
    return not (
        texture_map.sample_format.is_float
        or texture_map.transfer == Transfer.LOG
        or Semantic.OPACITY in texture_map.channel_semantics
        or len(normal_axes(texture_map) or (0, 1, 2)) < 3
    )


def source_values(stack: TextureStack, index: int, wanted: Sequence[int], device: torch.device) -> Tensor:
    """Return channels of a simple map as its file has them, float32 [H, W, wanted]."""
    texture_map, original = stack.maps[index], stack.originals[index] if stack.originals else None
    if original is None:
        return decoded_values(texels_on(stack, device), texture_map, wanted)
    samples = torch.from_numpy(original).to(device)[..., list(wanted)]
    return samples.float().div_(texture_map.sample_format.max_value)


def decoded_values(channels: Tensor, texture_map: TextureMap, wanted: Sequence[int]) -> Tensor:
    """Return channels of a simple map, float32 [H, W, wanted], made of coded channels float32 [H, W, C]."""
    largest = texture_map.sample_format.max_value
    values = torch.empty(*channels.shape[:2], len(wanted), device=channels.device)
    made: dict[int, Tensor] = {}
    for axes in texture_map.unit_normals:
        if not made.keys() >= {*axes} and not {*axes}.isdisjoint(wanted):
            planes = _unit_samples(*(_plane(channels, texture_map.routes[axis]) for axis in axes[:2]))
            made |= dict(zip(axes, planes, strict=True))
    for place, channel in enumerate(wanted):
        route = texture_map.routes[channel]
        if channel in made:
            values[..., place] = made[channel]
        elif isinstance(route, Constant):
            values[..., place] = float(np.rint(np.clip(route.value, 0.0, 1.0) * largest) / np.float32(largest))
        else:
            values[..., place] = _plane(channels, route)
    return values.clamp_(0.0, 1.0).mul_(largest).round_().div_(largest)


def _plane(channels: Tensor, route: Route) -> Tensor:
    if isinstance(route, Coded):
        return channels[..., route.index].clamp(0.0, 1.0)
    assert isinstance(route, Constant)
    return torch.full(channels.shape[:2], route.value, device=channels.device)


def _unit_samples(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Do what :func:`imagegs_tex.formats.material.stack.unit_samples` does."""
    side_x, side_y = 2 * x - 1, 2 * y - 1
    squared = side_x.square() + side_y.square()
    length = square_root(squared.clamp_min(1))
    z = square_root((1 - squared).clamp_min(0))
    return (1 + side_x / length) / 2, (1 + side_y / length) / 2, (1 + z) / 2
