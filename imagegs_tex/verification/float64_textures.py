"""Textures at load time, as plainly as numpy can: what their levels should hold, and how far blocks may be off.

It shares no code with the shaders: levels are means over what a texel of them covers of level 0, in float64.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from imagegs_tex.formats.gpu_textures.texture import BC1_SRGB, BC4, BC5, BLOCK, R16, PixelFormat
from imagegs_tex.formats.material.stack import expand_map
from imagegs_tex.formats.transfer_functions import linear_to_srgb, srgb_to_linear
from imagegs_tex.formats.vocabulary import SampleFormat, TextureMap
from imagegs_tex.shaders.load_jobs import LevelPlace
from imagegs_tex.shaders.load_textures import MADE_Z, LoadedTexture
from imagegs_tex.verification.report import MAX_ERROR

_Planes = NDArray[np.float64]

_LEAST_WEIGHT: Final = 1e-4  # of a texel with coverage 0
_LEAST_LENGTH: Final = 1e-6
_BYTE: Final = 1 / 255


@dataclass(frozen=True, slots=True)
class ReferenceLevel:
    """What a level of a texture should hold."""

    values: _Planes  # [H, W, channels of the texture], 0..1
    tolerance: _Planes  # the same shape: what the bound on a texel of the picture comes to here


def plane_samples(texture: LoadedTexture, texture_map: TextureMap, texels: NDArray[np.floating]) -> _Planes:
    """Return the samples [H, W, planes] of a texture from the coded channels [H, W, C] of the picture."""
    plain = replace(texture_map, sample_format=SampleFormat.FLOAT32)
    samples = expand_map(texels.astype(np.float32), plain).astype(np.float64)
    planes = [samples[..., max(channel, 0)] for channel in texture.map_channels]
    for number, channel in enumerate(texture.map_channels):
        if channel == MADE_Z:
            sides = np.square(2 * planes[number - 2] - 1) + np.square(2 * planes[number - 1] - 1)
            planes[number] = np.sqrt(np.maximum(0.0, 1 - sides)) / np.sqrt(np.maximum(1, sides)) / 2 + 0.5
    return np.stack(planes, axis=-1)


def reference_levels(texture: LoadedTexture, samples: _Planes) -> Iterator[ReferenceLevel]:
    """Yield all levels, largest first.

    Args:
        texture: one of a map
        samples: [H, W, planes of the texture], of level 0
    """
    means = _to_means(texture, samples)
    size = samples.shape[1], samples.shape[0]
    for level in range(max(size).bit_length()):
        if level:
            means = _halve(_halve(means, 0), 1)
        yield _from_means(texture, means, samples if level == 0 else None)


def _to_means(texture: LoadedTexture, samples: _Planes) -> _Planes:
    means = samples.copy()
    for plane in texture.srgb:
        means[..., plane] = srgb_to_linear(samples[..., plane])
    if texture.coverage is not None:
        for plane in texture.covered:
            means[..., plane] *= samples[..., texture.coverage] + _LEAST_WEIGHT
    if texture.normal:
        means[..., :3] = _unit(2 * samples[..., :3] - 1)
    return means


def _from_means(texture: LoadedTexture, means: _Planes, samples: _Planes | None) -> ReferenceLevel:
    values = means.copy()
    tolerance = np.full(means.shape, MAX_ERROR)
    if samples is not None:
        values = samples.copy()
    else:
        if texture.coverage is not None:
            weight = means[..., texture.coverage] + _LEAST_WEIGHT
            for plane in texture.covered:
                values[..., plane] /= weight
                tolerance[..., plane] /= weight
        for plane in texture.srgb:
            values[..., plane] = linear_to_srgb(values[..., plane])
    if texture.normal and (samples is None or texture.unit):
        vectors = means[..., :3] if samples is None else 2 * samples[..., :3] - 1
        values[..., :3] = (_unit(vectors) + 1) / 2
        tolerance[..., :3] /= np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), _LEAST_LENGTH)
    channels = list(texture.channels)
    return ReferenceLevel(np.clip(values[..., channels], 0, 1), tolerance[..., channels])


def _unit(vectors: _Planes) -> _Planes:
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.where(length > _LEAST_LENGTH, vectors / np.maximum(length, _LEAST_LENGTH), [0.0, 0.0, 1.0])


def _halve(planes: _Planes, axis: int) -> _Planes:
    """Average along an axis: each texel is the mean over an equal part of its length."""
    planes = np.moveaxis(planes, axis, 0)
    size = len(planes)
    count = max(1, size // 2)
    sums = np.concatenate([np.zeros_like(planes[:1]), np.cumsum(planes, axis=0)])
    edges = np.arange(count + 1) * size / count
    whole = np.minimum(np.floor(edges).astype(int), size - 1)
    integral = sums[whole] + (edges - whole).reshape(-1, *[1] * (planes.ndim - 1)) * planes[whole]
    return np.moveaxis(np.diff(integral, axis=0) * (count / size), 0, axis)


def read_level(data: bytes, pixel_format: PixelFormat, place: LevelPlace) -> NDArray[np.float64]:
    """Return the texels [H, W, C] of a level in the output, 0..1: blocks as bcdec decodes them."""
    rows = np.frombuffer(data, np.uint8)[place.offset : place.offset + place.bytes].reshape(place.rows, place.row_bytes)
    if not pixel_format.is_compressed:
        used = np.ascontiguousarray(rows[:, : place.width * pixel_format.unit_bytes])
        plain = used.view("<u2") / 65535 if pixel_format == R16 else used / 255
        return np.asarray(plain.reshape(place.height, place.width, pixel_format.channel_count))
    number = {BC1_SRGB: 1, BC4: 4, BC5: 5}.get(pixel_format, 7)
    stored = 4 if number == 1 else pixel_format.channel_count
    across = -(-place.width // BLOCK)
    blocks = np.ascontiguousarray(rows[:, : across * pixel_format.unit_bytes]).tobytes()
    shape = (place.rows * BLOCK, across * BLOCK, stored)
    decoded = imagecodecs.bcn_decode(blocks, number, shape=shape if stored > 1 else shape[:2])
    texels = np.asarray(decoded).reshape(shape)
    return np.asarray(texels[: place.height, : place.width, : pixel_format.channel_count] / 255)


def error_share(found: _Planes, expected: ReferenceLevel, pixel_format: PixelFormat) -> float:
    """Return the largest error of a block, or texel, over what its format allows.

    Plain formats may be off by half a step; a channel of BC4 by half a step of seven between the block's extremes;
    the others, which put a block's colours on a line, by what the best line leaves, and half a step along it; and no
    texel of those may be nearer to another's colour than to its own.
    """
    count = expected.values.shape[2]
    error = np.abs(found[..., :count] - expected.values)
    if count < found.shape[2] and not pixel_format.is_compressed:
        rest = np.array([0.0, 0.0, 0.0, 1.0])[count:]
        if np.any(found[..., count:] != rest):
            return np.inf
    if not pixel_format.is_compressed:
        step = 1 / 65535 if pixel_format == R16 else _BYTE
        return float((error / (0.5 * step + expected.tolerance)).max())
    blocks, tolerance, error = (_blocks(each) for each in (expected.values, expected.tolerance, error))
    bound = np.sqrt(np.square(tolerance).sum(axis=2))
    if pixel_format in {BC4, BC5}:
        spread = np.ptp(blocks, axis=1, keepdims=True)
        return float((error / (spread / 14 + 1.5 * _BYTE + tolerance)).max())
    steps, rounding = (3, 5 * _BYTE) if pixel_format == BC1_SRGB else (15, 1.5 * _BYTE)
    left, extent = _best_line(blocks)
    allowed = np.sqrt((1.25 * left) ** 2 + (extent / (2 * steps)) ** 2) + rounding * np.sqrt(count)
    allowed += bound.mean(axis=1)
    share = (np.sqrt(np.square(error).sum(axis=2).mean(axis=1)) / allowed).max()
    drawn = _blocks(found[..., :count])
    nearest = np.full(drawn.shape[:2], np.inf)
    for other in range(drawn.shape[1]):
        nearest = np.minimum(nearest, np.linalg.norm(blocks - drawn[:, other : other + 1], axis=2))
    near = extent[:, None] / 64  # BC7's places on the line are rounded to 64ths
    own = np.linalg.norm(error, axis=2) / (nearest + near + _BYTE * np.sqrt(count) + bound)
    return float(np.maximum(share, own.max()))


def _best_line(blocks: _Planes) -> tuple[_Planes, _Planes]:
    """Return what blocks [B, 16, C] leave of their best line, root mean square, and their length along it."""
    centred = blocks - blocks.mean(axis=1, keepdims=True)
    values, vectors = np.linalg.eigh(np.einsum("bki,bkj->bij", centred, centred) / centred.shape[1])
    along = np.einsum("bki,bi->bk", centred, vectors[..., -1])
    return np.sqrt(np.maximum(values[:, :-1].sum(axis=1), 0)), np.ptp(along, axis=1)


def _blocks(texels: _Planes) -> _Planes:
    """Return [B, 16, C] of [H, W, C], the last texels repeated."""
    rows, columns = (-side % BLOCK for side in texels.shape[:2])
    filled = np.pad(texels, ((0, rows), (0, columns), (0, 0)), mode="edge")
    height, width, count = filled.shape
    cut = filled.reshape(height // BLOCK, BLOCK, width // BLOCK, BLOCK, count)
    return cut.swapaxes(1, 2).reshape(-1, BLOCK * BLOCK, count)
