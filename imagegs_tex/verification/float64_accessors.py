"""What an accessor should return, worked out again in float64 from the channels' reference values."""

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.formats.material.stack import unit_samples
from imagegs_tex.formats.transfer_functions import decode_log, encode_log
from imagegs_tex.formats.vocabulary import Coded, Constant, TextureMap, Transfer
from imagegs_tex.shaders.accessors import Accessor

_SHORT_NORMAL = 0.2
"""Below this length a decoded normal has no direction worth comparing: the division blows up any rounding."""


def accessor_error(
    maps: tuple[TextureMap, ...],
    accessors: tuple[Accessor, ...],
    found: NDArray[np.float32],
    channels: NDArray[np.float64],
) -> float:
    """Return the largest difference, in the domain in which the bound is stated.

    Samples are compared as codes (the log transfer applied again). Linear light and unit normals are compared after
    dividing by how much the accessor can enlarge a difference of its channels: the curve's slope, twice the square root
    of 3 over the vector's length.

    Args:
        maps: of the file
        accessors: of the decoder
        found: [P, R] what the accessors returned, in their order
        channels: [P, C] reference values of the coded channels
    """
    worst, at = 0.0, 0
    for accessor in accessors:
        result = found[:, at : at + accessor.width].astype(np.float64)
        at += accessor.width
        texture_map = maps[accessor.map_index]
        samples = read_samples(maps, accessor, channels)
        if accessor.kind == "unit normal":
            from_sides = any(normal[2] in accessor.channels for normal in texture_map.unit_normals)
            difference = _normal_difference(samples, result, from_sides or len(accessor.channels) == 2)
        elif accessor.kind == "linear light":
            slope = np.where(samples <= 0.04045, 1 / 12.92, 2.4 / 1.055 * ((samples + 0.055) / 1.055) ** 1.4)
            difference = np.abs(result - _linear(samples)) / np.maximum(1.0, slope)
        elif texture_map.transfer == Transfer.LOG:
            low, high = texture_map.log_range
            coded = [not isinstance(texture_map.routes[channel], Constant) for channel in accessor.channels]
            codes = [encode_log(np.clip(values, low, high), texture_map.log_range) for values in (result, samples)]
            difference = np.where(coded, np.abs(codes[0] - codes[1]), np.abs(result - samples) / (1 + np.abs(samples)))
        else:
            difference = np.abs(result - samples) / _enlarged(texture_map, accessor.channels, samples)
        worst = float(np.maximum(worst, difference.max(initial=0.0)))
    return worst


def read_samples(
    maps: tuple[TextureMap, ...], accessor: Accessor, channels: NDArray[np.float64]
) -> NDArray[np.float64]:  # fmt: skip
    """Return the samples [P, R] that an accessor reads of channels [P, C]; of gloss as roughness, one minus it."""
    texture_map = maps[accessor.map_index]
    samples = np.stack([_sample(texture_map, channel, channels) for channel in accessor.channels], axis=1)
    return 1 - samples if accessor.kind == "one minus" else samples


def _enlarged(
    texture_map: TextureMap, accessed: tuple[int, ...], samples: NDArray[np.float64]
) -> NDArray[np.float64]:  # fmt: skip
    """How much a difference of x and y can grow in a z that is made of them: by its slope, √2 / z."""
    enlarged = np.ones_like(samples)
    for _, _, z in texture_map.unit_normals:
        if z in accessed:
            at = accessed.index(z)
            enlarged[:, at] = np.maximum(1.0, np.sqrt(2) / np.maximum(2 * samples[:, at] - 1, 0.05))
    return enlarged


def _sample(texture_map: TextureMap, channel: int, channels: NDArray[np.float64]) -> NDArray[np.float64]:
    for normal in texture_map.unit_normals:
        if channel in normal:
            sides = (_stored_sample(texture_map, side, channels) for side in normal[:2])
            return np.asarray(unit_samples(*sides)[normal.index(channel)], dtype=np.float64)
    return _stored_sample(texture_map, channel, channels)


def _stored_sample(texture_map: TextureMap, channel: int, channels: NDArray[np.float64]) -> NDArray[np.float64]:
    route = texture_map.routes[channel]
    if isinstance(route, Constant):
        return np.full(len(channels), np.float64(np.float32(route.value)))
    assert isinstance(route, Coded)
    if texture_map.transfer == Transfer.LOG:
        return decode_log(channels[:, route.index], texture_map.log_range)
    return channels[:, route.index]


def _linear(samples: NDArray[np.float64]) -> NDArray[np.float64]:
    """Undo the sRGB curve. Its numbers stand here again on purpose: what is checked takes them from elsewhere."""
    return np.asarray(np.where(samples <= 0.04045, samples / 12.92, ((samples + 0.055) / 1.055) ** 2.4))


def _normal_difference(
    samples: NDArray[np.float64], result: NDArray[np.float64], from_sides: bool
) -> NDArray[np.float64]:  # fmt: skip
    vectors = 2 * samples - 1
    if samples.shape[1] == 2:
        vectors = np.concatenate(
            [vectors, np.sqrt(np.maximum(0, 1 - np.sum(vectors**2, axis=1, keepdims=True)))], axis=1
        )
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit = vectors / np.maximum(length, 1e-9)
    enlarged = 2 * np.sqrt(3) / np.minimum(1.0, np.maximum(length, 1e-9))
    if from_sides:  # z is a square root: near the rim its slope is 1 / z
        enlarged /= np.maximum(vectors[:, 2:], 0.05)
    return np.asarray(np.where(length > _SHORT_NORMAL, np.abs(result - unit) / enlarged, 0.0))
