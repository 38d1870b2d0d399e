"""How close decoded maps are to their sources: PSNR, SSIM, FLIP, and degrees for normals."""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.formats.stack import (
    SCALAR_SEMANTICS,
    Coded,
    Constant,
    Samples,
    Semantic,
    TextureMap,
    Transfer,
    encode_log,
)
from imagegs_tex.similarity import mean_similarity

PSNR_CAP_DB: Final = 120.0
"""PSNR of equal pictures."""


@dataclass(frozen=True, slots=True)
class MapScore:
    """One map, decoded against its source, both in the file's own sample format."""

    name: str
    semantic: str
    channels: int  # that count: a scalar map once, an opaque alpha not at all
    psnr_db: float  # on samples in [0, 1]; for the log transfer on its codes
    ssim: float  # mean over channels
    flip: float | None  # mean FLIP error, colour maps only; None where it was not asked for or has no meaning
    normal_degrees_mean: float | None  # normal maps only
    normal_degrees_p95: float | None
    squared_error: float  # summed over texels and channels
    values: int  # texels times channels
    weighted_squared_error: float | None = None  # the same, each texel by its importance, which is 1 on average


def pooled_psnr(scores: list[MapScore]) -> float:
    """Return the PSNR in dB of all maps' squared errors together, each channel weighing the same."""
    return psnr_of(sum(score.squared_error for score in scores) / sum(score.values for score in scores))


def pooled_weighted_psnr(scores: list[MapScore]) -> float | None:
    """Return the same by the importance of the texels; None where they have none."""
    errors = [score.weighted_squared_error for score in scores if score.weighted_squared_error is not None]
    return psnr_of(sum(errors) / sum(score.values for score in scores)) if errors else None


def psnr_of(mean_squared_error: float) -> float:
    """Return -10 log10, at most PSNR_CAP_DB."""
    return -10 * math.log10(max(mean_squared_error, 10 ** (-PSNR_CAP_DB / 10)))


def squared_error(
    texture_map: TextureMap,
    source: Samples,
    decoded: Samples,
    weights: NDArray[np.float32] | None = None,
    semantic: Semantic | None = None,
) -> tuple[float, int]:
    """Return the squared error of one map, summed over what a score counts, and the number of values.

    With weights [H, W], each texel counts by its own, relative to their mean; with a semantic, its channels alone.
    """
    meanings = texture_map.channel_semantics
    counted = [index for index in counted_channels(texture_map) if semantic in {None, meanings[index]}]
    difference = _values(source[..., counted], texture_map) - _values(decoded[..., counted], texture_map)
    return _summed_squares(difference, weights), difference.size


def _summed_squares(difference: NDArray[np.float32], weights: NDArray[np.float32] | None) -> float:
    if weights is None:
        return float(np.square(difference, dtype=np.float64).sum())
    per_texel = np.square(difference, dtype=np.float64).sum(axis=2)
    return float((per_texel * weights).sum() / weights.mean(dtype=np.float64))


def score_map(
    texture_map: TextureMap,
    source: Samples,
    decoded: Samples,
    with_flip: bool = False,
    weights: NDArray[np.float32] | None = None,
) -> MapScore:
    """Compare one decoded map with its source.

    Args:
        texture_map: how the map is made
        source: [H, W, channels] in the map's sample format
        decoded: the same shape and format
        with_flip: FLIP takes about a second per megatexel
        weights: [H, W] importance of the texels, which only weighted_squared_error knows of
    """
    counted = counted_channels(texture_map)
    first = _values(source[..., counted], texture_map)
    second = _values(decoded[..., counted], texture_map)
    squared = _summed_squares(first - second, None)
    mean_degrees, p95_degrees = normal_degrees(texture_map, source, decoded)
    return MapScore(
        name=texture_map.name,
        semantic=texture_map.semantic.name.lower(),
        channels=len(counted),
        psnr_db=psnr_of(squared / first.size),
        ssim=float(mean_similarity(second, first).mean()),
        flip=_flip(texture_map, first, second) if with_flip else None,
        normal_degrees_mean=mean_degrees,
        normal_degrees_p95=p95_degrees,
        squared_error=squared,
        values=first.size,
        weighted_squared_error=None if weights is None else _summed_squares(first - second, weights),
    )


def counted_channels(texture_map: TextureMap) -> list[int]:
    """Return the channels that a score counts: one of a grey scalar map, all but an opaque alpha of others."""
    routes = texture_map.routes
    if texture_map.semantic in SCALAR_SEMANTICS and len(set(routes[:3])) == 1:
        return [0]
    last = len(routes) - 1
    opaque = len(routes) in {2, 4} and isinstance(routes[last], Constant) and routes[last] == Constant(1.0)
    return list(range(last if opaque else last + 1))


def _values(samples: Samples, texture_map: TextureMap) -> NDArray[np.float32]:
    """Samples in [0, 1]: integers over their maximum, the log transfer's codes."""
    if texture_map.transfer == Transfer.LOG:
        return encode_log(samples, texture_map.log_range)
    return np.ascontiguousarray(samples, dtype=np.float32) / np.float32(texture_map.sample_format.max_value)


def normal_degrees(
    texture_map: TextureMap, source: Samples, decoded: Samples
) -> tuple[float | None, float | None]:  # fmt: skip
    """Return the mean and 95th percentile angle between decoded and source normals; None for other maps."""
    axes = [index for index, semantic in enumerate(texture_map.channel_semantics) if semantic == Semantic.NORMAL][:3]
    if len(axes) < 3 or not any(isinstance(texture_map.routes[axis], Coded) for axis in axes):
        return None, None
    first, second = (_unit_vectors(samples[..., axes], texture_map) for samples in (source, decoded))
    # the half-angle form stays exact for small angles, where the arc cosine of a dot product does not
    degrees = np.degrees(2 * np.arcsin(np.clip(np.linalg.norm(first - second, axis=-1) / 2, 0, 1)))
    return float(degrees.mean()), float(np.percentile(degrees, 95))


def _unit_vectors(samples: Samples, texture_map: TextureMap) -> NDArray[np.float32]:
    vectors = samples.astype(np.float32) * np.float32(2.0 / texture_map.sample_format.max_value) - 1
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-6), dtype=np.float32)


def _flip(texture_map: TextureMap, source: NDArray[np.float32], decoded: NDArray[np.float32]) -> float | None:
    if texture_map.transfer != Transfer.SRGB or source.shape[-1] < 3:
        return None
    import flip_evaluator

    _, mean, _ = flip_evaluator.evaluate(
        np.ascontiguousarray(source[..., :3]), np.ascontiguousarray(decoded[..., :3]), "LDR", inputsRGB=True,
        applyMagma=False,
    )  # fmt: skip
    return float(mean)
