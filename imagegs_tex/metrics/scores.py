"""How close decoded maps are to their sources: PSNR, SSIM, kept contrast, FLIP, and degrees for normals."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.formats.transfer_functions import encode_log
from imagegs_tex.formats.vocabulary import (
    COLOUR_SEMANTICS,
    SCALAR_SEMANTICS,
    Coded,
    Constant,
    Samples,
    Semantic,
    TextureMap,
    Transfer,
    UnitZ,
)
from imagegs_tex.metrics.row_bands import row_bands, widened

if TYPE_CHECKING:
    import torch

    from imagegs_tex.metrics.lpips import Lpips

Plane = TypeVar("Plane", NDArray[np.float32], NDArray[np.bool_])

PSNR_CAP_DB: Final = 120.0
"""PSNR of equal pictures."""
EDGE_TEXELS: Final = 2
_FLIP_SHARE: Final = 4
"""Of a band: FLIP takes 110 bytes of a texel while it works."""
_FLIP_REACH: Final = 64
"""Texels: more than FLIP's filters reach at its usual 67 pixels per degree."""


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
    values: int  # texels times channels, without colours that are not drawn
    kept_contrast: tuple[float | None, ...] | None  # see its module: four octaves, finest first; None: map of one value
    weighted_squared_error: float | None = None  # the same, each texel by its importance, which is 1 on average
    alpha_test_wrong: float | None = None  # share of texels on the wrong side of alpha 0.5; maps with alpha only
    kept_contrast_with_detail: tuple[float | None, ...] | None = None  # None where the file has no detail layer
    normal_degrees_structure: float | None = None  # mean angle with detail, blurred; None without a layer or normals
    alpha_test_wrong_at_edges: float | None = None  # the same among those within EDGE_TEXELS of a side change
    ms_ssim: float | None = None  # mean over channels; None where it was not asked for, or the map is too small
    lpips: float | None = None  # None where it was not asked for, the map is too small or has two channels


def shown_contrast(score: MapScore) -> tuple[float | None, ...] | None:
    """Return the kept contrast of what a decoder shows: with the detail layer, where the file has one."""
    return score.kept_contrast if score.kept_contrast_with_detail is None else score.kept_contrast_with_detail


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
    drawn: NDArray[np.bool_] | None = None,
    semantic: Semantic | None = None,
) -> tuple[float, int]:
    """Return the squared error of one map, summed over what a score counts, and the number of values.

    Colours count where they are drawn [H, W]. With weights [H, W], texels count by them, relative to their mean; with a
    semantic, its channels alone.
    """
    meanings = texture_map.channel_semantics
    counted = [index for index in counted_channels(texture_map) if semantic in {None, meanings[index]}]
    total, count = 0.0, 0
    for rows in row_bands(source.shape[0], source.shape[1] * len(counted)):
        pair = _counted_values(texture_map, source[rows], decoded[rows], _rows_of(drawn, rows), counted)
        total += _summed_squares(pair, _rows_of(weights, rows))
        count += pair.count
    return total if weights is None else total / float(weights.mean(dtype=np.float64)), count


def _rows_of(plane: Plane | None, rows: slice) -> Plane | None:
    return None if plane is None else plane[rows]


@dataclass(frozen=True, slots=True)
class _CountedValues:
    """What is compared of a map: values in [0, 1]."""

    source: NDArray[np.float32]  # [H, W, counted channels]
    decoded: NDArray[np.float32]  # the same shape; the source's values where they do not count
    count: int  # of values that do


def _counted_values(
    texture_map: TextureMap,
    source: Samples,
    decoded: Samples,
    drawn: NDArray[np.bool_] | None,
    counted: Sequence[int],
    gamma: float = 1.0,
) -> _CountedValues:
    """What is compared of some channels, raised to a power."""
    counted = list(counted)
    first, second = score_values(source[..., counted], texture_map), score_values(decoded[..., counted], texture_map)
    count = first.size
    if drawn is not None:
        for column, channel in enumerate(counted):
            if texture_map.channel_semantics[channel] in COLOUR_SEMANTICS:
                second[..., column] = np.where(drawn, second[..., column], first[..., column])
                count -= drawn.size - int(np.count_nonzero(drawn))
    if gamma != 1:
        first, second = (np.power(values, np.float32(gamma)) for values in (first, second))
    return _CountedValues(first, second, count)


def _summed_squares(pair: _CountedValues, weights: NDArray[np.float32] | None) -> float:
    squares = np.square(pair.source - pair.decoded, dtype=np.float64)
    return float(squares.sum() if weights is None else (squares.sum(axis=2) * weights).sum())


def has_contrast(texture_map: TextureMap, channel: int) -> bool:
    """Whether kept contrast counts a channel: z of unit normals says nothing that x and y do not.

    What 8 bits leave of it in nearly flat normals is rounding: made of the source's own x and y it keeps 0.02 to 0.05.
    """
    return not isinstance(texture_map.routes[channel], UnitZ)


def score_map(
    texture_map: TextureMap,
    source: Samples,
    decoded: Samples,
    closely: bool = False,
    weights: NDArray[np.float32] | None = None,
    drawn: NDArray[np.bool_] | None = None,
    *,
    gamma: float = 1.0,
    lpips: "Lpips | None" = None,
) -> MapScore:
    """Compare one decoded map with its source.

    Args:
        texture_map: how the map is made
        source: [H, W, channels] in the map's sample format
        decoded: the same shape and format
        closely: FLIP and MS-SSIM, too; they take about a second per megatexel
        weights: [H, W] importance of the texels, which only weighted_squared_error knows of
        drawn: [H, W] where its colour counts; None: everywhere
        gamma: the power that values in [0, 1] are raised to before they are compared; FLIP and degrees are as ever
        lpips: the network that measures LPIPS, too
    """
    counted = counted_channels(texture_map)
    squared, weighted, count = 0.0, 0.0, 0
    for rows in row_bands(source.shape[0], source.shape[1] * len(counted)):
        pair = _counted_values(texture_map, source[rows], decoded[rows], _rows_of(drawn, rows), counted, gamma)
        squared += _summed_squares(pair, None)
        weighted += 0.0 if weights is None else _summed_squares(pair, weights[rows])
        count += pair.count
    similarity = _score_channels(texture_map, source, decoded, drawn, gamma, closely)
    wrong, wrong_at_edges = _alpha_test(texture_map, source, decoded)
    mean_degrees, p95_degrees = normal_degrees(texture_map, source, decoded)
    distance = None
    if lpips and len(counted) in {1, 3}:
        whole = _counted_values(texture_map, source, decoded, drawn, counted, gamma)
        distance = lpips.distance(whole.source, whole.decoded)
    return MapScore(
        name=texture_map.name,
        semantic=texture_map.semantic.name.lower(),
        channels=len(counted),
        psnr_db=psnr_of(squared / max(1, count)),
        ssim=similarity.ssim,
        flip=_flip_in_bands(texture_map, source, decoded, drawn) if closely else None,
        normal_degrees_mean=mean_degrees,
        normal_degrees_p95=p95_degrees,
        squared_error=squared,
        values=count,
        kept_contrast=similarity.kept_contrast,
        weighted_squared_error=None if weights is None else weighted / float(weights.mean(dtype=np.float64)),
        alpha_test_wrong=wrong,
        alpha_test_wrong_at_edges=wrong_at_edges,
        ms_ssim=similarity.ms_ssim,
        lpips=distance,
    )


@dataclass(frozen=True, slots=True)
class _ChannelScores:
    """Means over a map's channels."""

    ssim: float
    ms_ssim: float | None
    kept_contrast: tuple[float | None, ...] | None


def _score_channels(
    texture_map: TextureMap,
    source: Samples,
    decoded: Samples,
    drawn: NDArray[np.bool_] | None,
    gamma: float,
    closely: bool,
) -> _ChannelScores:
    """Measure what needs whole pictures a channel at a time, so that only one is there as floats."""
    import torch  # here, as numba below, since it takes seconds: `info` shows reports and needs none

    from imagegs_tex.metrics.kept_contrast import band_deviations, kept_of_deviations
    from imagegs_tex.metrics.multiscale_ssim import multiscale_similarity
    from imagegs_tex.metrics.ssim import mean_similarity

    similar, multiscale, deviations = [], [], []
    for channel in counted_channels(texture_map):
        pair = _counted_values(texture_map, source, decoded, drawn, [channel], gamma)
        similar.append(mean_similarity(pair.decoded, pair.source))
        multiscale.append(multiscale_similarity(pair.decoded, pair.source) if closely else None)
        if has_contrast(texture_map, channel):
            deviations.append(
                torch.stack([band_deviations(torch.from_numpy(values)) for values in (pair.source, pair.decoded)])
            )
    measured = [found for found in multiscale if found is not None]
    return _ChannelScores(
        ssim=float(np.concatenate(similar).mean()),
        ms_ssim=float(np.concatenate(measured).mean()) if measured else None,
        kept_contrast=kept_of_deviations(torch.cat(deviations, dim=1)) if deviations else None,
    )


def counted_channels(texture_map: TextureMap) -> list[int]:
    """Return the channels that a score counts: one of a grey scalar map, all but an opaque alpha of others."""
    routes = texture_map.routes
    if texture_map.semantic in SCALAR_SEMANTICS and len(set(routes[:3])) == 1:
        return [0]
    last = len(routes) - 1
    opaque = len(routes) in {2, 4} and isinstance(routes[last], Constant) and routes[last] == Constant(1.0)
    return list(range(last if opaque else last + 1))


def score_values(samples: Samples, texture_map: TextureMap) -> NDArray[np.float32]:
    """Return samples as they are compared, in [0, 1]: integers over their maximum, the log transfer's codes."""
    if texture_map.transfer == Transfer.LOG:
        return encode_log(samples, texture_map.log_range)
    return np.ascontiguousarray(samples, dtype=np.float32) / np.float32(texture_map.sample_format.max_value)


def normal_axes(texture_map: TextureMap) -> list[int] | None:
    """Return the channels that hold x, y and maybe z of a normal; None unless a map has them and one is coded."""
    axes = [index for index, semantic in enumerate(texture_map.channel_semantics) if semantic == Semantic.NORMAL][:3]
    if len(axes) < 2 or not any(isinstance(texture_map.routes[axis], Coded) for axis in axes):
        return None
    return axes


def normal_degrees(
    texture_map: TextureMap, source: Samples, decoded: Samples
) -> tuple[float | None, float | None]:  # fmt: skip
    """Return the mean and 95th percentile angle between decoded and source normals; None for other maps."""
    axes = normal_axes(texture_map)
    if axes is None:
        return None, None
    degrees = np.empty(source.shape[:2], np.float32)
    for rows in row_bands(source.shape[0], source.shape[1] * len(axes)):
        degrees[rows] = degrees_between(source[rows][..., axes], decoded[rows][..., axes], texture_map)
    mean = float(degrees.mean())
    return mean, float(np.percentile(degrees, 95, overwrite_input=True))


def degrees_between(source: Samples, decoded: Samples, texture_map: TextureMap) -> NDArray[np.float32]:
    """Return the angles [...] in degrees between normals whose x, y and maybe z are samples [..., 2 or 3] of a map."""
    first, second = (unit_vectors(samples, texture_map) for samples in (source, decoded))
    # the half-angle form stays exact for small angles, where the arc cosine of a dot product does not
    return np.asarray(np.degrees(2 * np.arcsin(np.clip(np.linalg.norm(first - second, axis=-1) / 2, 0, 1))))


def unit_vectors(samples: Samples, texture_map: TextureMap) -> NDArray[np.float32]:
    """Return normals [..., 3] of length 1 of samples [..., 2 or 3]: x, y and maybe z of a map with integers."""
    vectors = samples.astype(np.float32) * np.float32(2.0 / texture_map.sample_format.max_value) - 1
    if samples.shape[-1] == 2:
        z = np.sqrt(np.maximum(1 - np.square(vectors).sum(axis=-1, keepdims=True), 0))
        vectors = np.concatenate([vectors, z], axis=-1)
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-6), dtype=np.float32)


def _alpha_test(
    texture_map: TextureMap, source: Samples, decoded: Samples
) -> tuple[float | None, float | None]:  # fmt: skip
    """Return the share of texels that an alpha test at 0.5 puts on the wrong side: of all, and of those at edges."""
    for channel, semantic in enumerate(texture_map.channel_semantics):
        if semantic == Semantic.OPACITY and isinstance(texture_map.routes[channel], Coded):
            middle = 0.5 * texture_map.sample_format.max_value
            wanted, found = source[..., channel] >= middle, decoded[..., channel] >= middle
            wrong = wanted != found
            at_edges = _grown(wanted) & _grown(~wanted)
            edges = int(np.count_nonzero(at_edges))
            return float(wrong.mean()), float(wrong[at_edges].mean()) if edges else None
    return None, None


def _grown(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """A mask with all texels within EDGE_TEXELS across and down."""
    height, width = mask.shape
    padded = np.pad(mask, EDGE_TEXELS)
    reach = range(2 * EDGE_TEXELS + 1)
    rows = np.logical_or.reduce([padded[shift : shift + height] for shift in reach])
    return np.asarray(np.logical_or.reduce([rows[:, shift : shift + width] for shift in reach]))


def _flip_in_bands(
    texture_map: TextureMap, source: Samples, decoded: Samples, drawn: NDArray[np.bool_] | None
) -> float | None:
    """Return the mean FLIP error of a map, a large one in bands with as many rows around them as its filters reach."""
    counted = counted_channels(texture_map)
    if not _has_flip(texture_map, len(counted)):
        return None
    height, width, _ = source.shape
    total: float = 0.0
    for rows in row_bands(height, width * len(counted) * _FLIP_SHARE):
        around, own = widened(rows, _FLIP_REACH, height)
        pair = _counted_values(texture_map, source[around], decoded[around], _rows_of(drawn, around), counted)
        errors, mean = _flip_errors(pair.source, pair.decoded)
        whole = around.stop - around.start == own.stop - own.start
        total += (mean if whole else float(errors[own].mean(dtype=np.float64))) * (rows.stop - rows.start)
    return float(total / height)


def _has_flip(texture_map: TextureMap, channels: int) -> bool:
    return texture_map.transfer == Transfer.SRGB and channels >= 3


def _flip_errors(source: NDArray[np.float32], decoded: NDArray[np.float32]) -> tuple[NDArray[np.float32], float]:
    """Return FLIP errors [H, W, 1] and their mean, of values [H, W, channels] in [0, 1]."""
    import flip_evaluator

    errors, mean, _ = flip_evaluator.evaluate(
        np.ascontiguousarray(source[..., :3]), np.ascontiguousarray(decoded[..., :3]), "LDR", inputsRGB=True,
        applyMagma=False,
    )  # fmt: skip
    return errors, float(mean)


def flip_error(
    texture_map: TextureMap, source: NDArray[np.float32], decoded: NDArray[np.float32], device: "torch.device"
) -> float | None:
    """Return the mean FLIP error of a map's values [H, W, channels] in [0, 1]; None where it is no sRGB colour."""
    if not _has_flip(texture_map, source.shape[-1]):
        return None
    if device.type == "cpu":
        return _flip_errors(source, decoded)[1]
    import torch

    from imagegs_tex.metrics.flip_cuda import flip_errors

    errors = flip_errors(*(torch.from_numpy(values[..., :3]).to(device) for values in (source, decoded)))
    return float(errors.mean(dtype=torch.float64))
