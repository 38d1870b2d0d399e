"""What decoding one texel costs: read from the index, so that it is exact for the file at hand."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.formats.igs.quantized_set import QuantizedGaussianSet
from imagegs_tex.formats.igs.residual_layer import ResidualLayer
from imagegs_tex.shaders.coarse_levels import LevelRange, level_range
from imagegs_tex.shaders.detail_constants import detail_multiply_adds
from imagegs_tex.shaders.gpu_buffer import PackedGaussians
from imagegs_tex.shaders.level_blocks import COEFFICIENTS, LEVELS_PER_SET

MULTIPLY_ADDS_PER_WEIGHT: Final = 6
"""Two products with the offset along each axis, and two squares; subtractions and one exp2 come on top."""

MULTIPLY_ADDS_PER_COEFFICIENT: Final = 15
"""Of residual and repeat: two cosines of six each, their product, its code's and the sum; by compute shader, five."""

MULTIPLY_ADDS_PER_MEAN: Final = 12, 4
"""Of such a coefficient in levels: two more cosines, and per level two products and two for twice the angle."""

_BLOCKS: Final = 4
"""That the four texels around a point can lie in."""


@dataclass(frozen=True, slots=True)
class Spread:
    """A number that differs from place to place."""

    median: float
    p99: float
    max: int


@dataclass(frozen=True, slots=True)
class SampleCost:
    """Of one igs_sample_lod at a whole level."""

    level: int
    decodes: int  # points at which the picture is evaluated from its Gaussians
    gaussians_median: float  # evaluated
    gaussians_max: int
    multiply_adds_mean: float
    blocks: int  # read of stored levels, at most


@dataclass(frozen=True, slots=True)
class _LayerCost:
    """Of a layer of blocks of cosines, per texel."""

    multiply_adds: Spread  # over its blocks
    multiply_adds_mean: float  # over the texels, as the following
    coefficients_mean: float
    last_level: int  # whose texels lie within a block


_NO_LAYER: Final = _LayerCost(Spread(0.0, 0.0, 0), 0.0, 0.0, 0)


@dataclass(frozen=True, slots=True)
class DecodeCost:
    """Per texel. The maxima bound the worst texel of the file."""

    candidates: Spread  # Gaussians whose weight is evaluated, over the blocks
    entries: Spread  # own, near and far entries that a pixel shader looks at, over the tiles
    weights_mean: float  # Gaussians evaluated, mean over the texels
    positive_mean: float  # of them, those with a weight above zero (areas of the supports over the picture's)
    multiply_adds_mean: float  # weights, sums, the basis, and all layers
    multiply_adds_p99: float  # if every candidate of a block that few exceed counted, and blocks of layers alike
    multiply_adds_max: int  # if every candidate of the worst block counted
    detail_multiply_adds: int  # of both, for the detail layer's noise; 0 without one
    residual_multiply_adds: Spread  # of both, for the residual, over its blocks; 0 without one
    residual_multiply_adds_mean: float  # over the texels
    repeat_multiply_adds: Spread  # of both, for the repeat, over a cell's blocks; 0 without one
    repeat_multiply_adds_mean: float  # over the texels
    block_size: int  # texels
    tile_size: int  # texels
    samples: tuple[SampleCost, ...]  # by level, from 0 on; empty without the functions that take a footprint


def decode_cost(
    quantized: QuantizedGaussianSet, packed: PackedGaussians, *, has_levels: bool = False
) -> DecodeCost:  # fmt: skip
    """Count what the decoders do, of samples with a footprint where the buffer has levels of a mip chain."""
    tiles = packed.tiles
    texels = quantized.width * quantized.height
    size = 1 << tiles.block_log2
    columns = _extents(quantized.width, size)
    rows = _extents(quantized.height, size)
    weights_mean = float(rows @ tiles.candidates @ columns) / texels
    # The ellipse q < c has the area 2 pi c sqrt(det covariance), and the determinant of exp(S) is exp(2 m).
    areas = 2 * math.pi * quantized.cutoff * np.exp(quantized.shape_codes[:, 0] * np.float64(quantized.size_step))
    positive_mean = min(weights_mean, float(np.minimum(areas, texels).sum()) / texels)
    components = quantized.component_count
    detail = 0 if quantized.detail is None else detail_multiply_adds(quantized.detail)
    finish = components * (quantized.channel_count + 2) + detail
    candidates = _spread(tiles.candidates.ravel())
    residual, repeat = _residual(quantized), _repeat(quantized)
    sums = components + (2 if quantized.feature_exponent else 0)  # the weight times its scale, and the sum of those
    multiply_adds = weights_mean * MULTIPLY_ADDS_PER_WEIGHT + positive_mean * sums + finish
    return DecodeCost(
        candidates=candidates,
        entries=_spread(tiles.scanned),
        weights_mean=weights_mean,
        positive_mean=positive_mean,
        multiply_adds_mean=multiply_adds + repeat.multiply_adds_mean + residual.multiply_adds_mean,
        multiply_adds_p99=candidates.p99 * (MULTIPLY_ADDS_PER_WEIGHT + sums)
        + finish
        + repeat.multiply_adds.p99
        + residual.multiply_adds.p99,
        multiply_adds_max=int(tiles.candidates.max()) * (MULTIPLY_ADDS_PER_WEIGHT + sums)
        + finish
        + repeat.multiply_adds.max
        + residual.multiply_adds.max,
        detail_multiply_adds=detail,
        residual_multiply_adds=residual.multiply_adds,
        residual_multiply_adds_mean=residual.multiply_adds_mean,
        repeat_multiply_adds=repeat.multiply_adds,
        repeat_multiply_adds_mean=repeat.multiply_adds_mean,
        block_size=size,
        tile_size=1 << tiles.layout.tile_log2,
        samples=_samples(candidates, multiply_adds, (residual, repeat), level_range(quantized)) if has_levels else (),
    )


def _residual(quantized: QuantizedGaussianSet) -> _LayerCost:
    layer = quantized.residual
    if layer is None:
        return _NO_LAYER
    columns, rows = (_extents(length, layer.side) for length in (quantized.width, quantized.height))
    return _layer_cost(layer, np.outer(rows, columns))


def _repeat(quantized: QuantizedGaussianSet) -> _LayerCost:
    layer = quantized.repeat
    if layer is None:
        return _NO_LAYER
    lattice, side = layer.lattice, layer.blocks.side
    across, down = (-(-length // side) for length in lattice.period)
    local, rows = np.arange(quantized.height) + lattice.origin[1], np.zeros((layer.weight_codes.shape[1], down))
    np.add.at(rows, (local // lattice.period[1], local % lattice.period[1] // side), 1)
    covered = np.zeros((down, across))
    for number, row in enumerate(rows):
        places = (np.arange(quantized.width) + lattice.offset(number)) % lattice.period[0] // side
        covered += np.outer(row, np.bincount(places, minlength=across))
    return _layer_cost(layer.blocks, covered)


def _layer_cost(layer: ResidualLayer, covered: NDArray[np.generic]) -> _LayerCost:
    """Return what blocks cost; covered: texels of the picture that lie in each [down, across]."""
    work = block_multiply_adds(layer)
    shares = covered.ravel() / covered.sum()
    return _LayerCost(_spread(work), float(shares @ work), float(shares @ layer.counts), layer.side_log2)


def block_multiply_adds(layer: ResidualLayer) -> NDArray[np.int64]:
    """Return the multiply-adds of a texel of each block [blocks]."""
    last = layer.places[np.cumsum(layer.counts)[layer.counts > 0] - 1].astype(np.int64) // layer.side**2
    components = np.ones(len(layer.counts), dtype=np.int64)  # that lists go through
    components[layer.counts > 0] += last
    return np.asarray(MULTIPLY_ADDS_PER_COEFFICIENT * layer.counts + layer.basis_codes.shape[1] * components)


def _samples(
    candidates: Spread, multiply_adds: float, layers: Sequence[_LayerCost], levels: LevelRange
) -> tuple[SampleCost, ...]:  # fmt: skip
    """Return it by level.

    Args:
        candidates: of a decode
        multiply_adds: of a decode without layers
        layers: of blocks of cosines, whose means a decode with widened Gaussians takes
        levels: of the material
    """
    more, per_level = MULTIPLY_ADDS_PER_MEAN
    found = []
    for level in range(levels.last + 1):
        decodes = 4**level if level < levels.first else int(level < levels.direct)
        stored = level >= levels.first
        part = max(0, level - levels.direct) % LEVELS_PER_SET
        kept = levels.value_count * (COEFFICIENTS >> 2 * part)  # of a block: unpacked, weighted along both axes
        work: float = _BLOCKS * 2 * kept + levels.value_count * (levels.value_count + 1) if stored else 0
        work += levels.value_count * decodes if level else 0
        work += decodes * multiply_adds
        for layer in layers:
            work += decodes * layer.multiply_adds_mean if not stored or level <= layer.last_level else 0
            if stored and level <= layer.last_level:
                work += decodes * layer.coefficients_mean * (more + per_level * level)
        found.append(
            SampleCost(
                level, decodes, decodes * candidates.median, decodes * candidates.max, work, _BLOCKS if stored else 0
            )
        )
    return tuple(found)


def _extents(length: int, size: int) -> NDArray[np.int64]:
    """Return how many texels each block covers along one side."""
    return np.diff(np.minimum(np.arange(0, length + size, size), length))


def _spread(counts: NDArray[np.integer]) -> Spread:
    ordered = np.sort(counts)  # np.percentile imports numpy.ma, which takes 10 ms
    median, high = np.interp(np.array([0.5, 0.99]) * (len(ordered) - 1), np.arange(len(ordered)), ordered)
    return Spread(float(median), float(high), int(ordered[-1]))
