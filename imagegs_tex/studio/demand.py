"""How hard a material is to draw, found out before it is: what an estimate of its file begins with.

So many coefficients of its 8 x 8 blocks (the cosine transform of JPEG) are kept, the largest ones, as it takes for a
quality. How many Gaussians a fit needs follows their number: see :mod:`.estimate`.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imagegs_tex.encoder.grain_filter import without_grain
from imagegs_tex.encoder.visible_quality import decibels_of_quality
from imagegs_tex.formats.material.stack import TextureStack
from imagegs_tex.metrics.visible_error import visible_error

_BLOCK: Final = 8
_TILE: Final = 32
_TILES: Final = 4
"""A sample has so many tiles each way, evenly spread, each so many texels wide."""
_THRESHOLDS: Final = tuple(2.0**octave for octave in np.arange(1, -9.1, -0.8))
"""Below which coefficients are dropped, from nearly all to nearly none."""
_GRAINY, _SHARP = 50.0, 75.0
"""Qualities up to which grain is left to the detail layer, and from which on it is drawn."""


@dataclass(frozen=True, slots=True)
class _Curve:
    """How many coefficients are kept, for each texel, and what is reached with them; both ascending."""

    coefficients: tuple[float, ...]
    decibels: tuple[float, ...]

    def at(self, decibels: float) -> float:
        """Return coefficients for each texel at a quality in dB."""
        return float(np.exp(np.interp(decibels, self.decibels, np.log(self.coefficients))))


@dataclass(frozen=True, slots=True)
class Demand:
    """How demanding a material is."""

    texels: int
    channels: int
    smoothed: _Curve  # dB of visible error, where grain is left to the detail layer
    whole: _Curve  # the same where it is not

    def coefficients(self, quality: float) -> float:
        """Return how many coefficients a quality from 0 to 100 takes, for each texel."""
        decibels = decibels_of_quality(quality)
        share = min(1.0, max(0.0, (quality - _GRAINY) / (_SHARP - _GRAINY)))
        return math.pow(self.smoothed.at(decibels), 1 - share) * math.pow(self.whole.at(decibels), share)


def demand_of(stack: TextureStack) -> Demand:
    """Return how demanding a stack is, from a sample of it: 0.1 to 0.5 s for 3 to 12 channels."""
    sample = _sample(stack)
    device = torch.device("cpu")
    visible = visible_error(sample, device, drawn=True)
    smooth = without_grain(sample, _GRAINY, device)
    smoothed, whole = (_curve(torch.from_numpy(each.texels), visible.decibels) for each in (smooth, sample))
    return Demand(stack.width * stack.height, stack.channel_count, smoothed, whole)


def _sample(stack: TextureStack) -> TextureStack:
    """Return tiles of a stack beside one another; all of a small one, its last rows again to make whole blocks."""
    rows, columns = (_taken(size) for size in (stack.height, stack.width))
    texels = np.ascontiguousarray(stack.texels[np.ix_(rows, columns)])
    return replace(
        stack, width=texels.shape[1], height=texels.shape[0], texels=texels, weights=None, originals=(), drawn=(),
        saliency=None, source_size=None,
    )  # fmt: skip


def _taken(size: int) -> NDArray[np.int64]:
    """Return which rows, or columns, of so many are in a sample."""
    if size <= _TILE * _TILES:
        return np.minimum(np.arange(-(-size // _BLOCK) * _BLOCK), size - 1)
    starts = np.linspace(0, size - _TILE, _TILES).astype(np.int64)
    return (starts[:, None] + np.arange(_TILE)).reshape(-1)


def _curve(picture: Tensor, measure: Callable[[Tensor], float]) -> _Curve:
    """Return what is reached with more and more coefficients of a picture [H, W, C]."""
    coefficients = _transformed(picture)
    largest = coefficients.abs().amax(dim=-1, keepdim=True)
    blocks = largest.shape[0] * largest.shape[2]
    counts, levels = [], []
    for threshold in _THRESHOLDS:
        kept = largest > threshold
        kept[:, 0, :, 0] = True  # the means
        counts.append((int(kept.sum()) - blocks + 1) / (blocks * _BLOCK**2))
        levels.append(measure(_picture(coefficients * kept)))
    return _Curve(tuple(counts), tuple(np.maximum.accumulate(levels).tolist()))


def _cosines() -> Tensor:
    """Return the orthonormal cosine transform of a block's side [8, 8]."""
    place = np.arange(_BLOCK)
    matrix = np.sqrt(2 / _BLOCK) * np.cos((2 * place[None] + 1) * place[:, None] * np.pi / (2 * _BLOCK))
    matrix[0] /= np.sqrt(2)
    return torch.tensor(matrix, dtype=torch.float32)


def _transformed(picture: Tensor) -> Tensor:
    """Return coefficients [H/8, 8, W/8, 8, C] of a picture [H, W, C]."""
    height, width, count = picture.shape
    blocks = picture.reshape(height // _BLOCK, _BLOCK, width // _BLOCK, _BLOCK, count)
    return torch.einsum("ua,vb,haWbc->huWvc", _cosines(), _cosines(), blocks)


def _picture(coefficients: Tensor) -> Tensor:
    blocks = torch.einsum("ua,vb,huWvc->haWbc", _cosines(), _cosines(), coefficients)
    return blocks.reshape(blocks.shape[0] * _BLOCK, blocks.shape[2] * _BLOCK, -1)
