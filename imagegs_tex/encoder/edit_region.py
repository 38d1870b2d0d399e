"""What has changed since a file was made, found without the earlier source, and the part of the picture around it."""

import math
from dataclasses import dataclass, replace
from itertools import product
from typing import Final

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from imagegs_tex.detail.analyse import Box
from imagegs_tex.fit.gaussian_set import GaussianSet
from imagegs_tex.fit.problem import FitProblem
from imagegs_tex.rasterize.backend import TILE, FitTarget
from imagegs_tex.square_root import square_root

_WORSE: Final = 0.5
"""Share by which a tile's error is larger than with solved features, and the picture's median, at least."""
_CERTAIN: Final = 0.8
"""The same of one of an edit's tiles: coarse features of files of a usual quality leave up to 0.54 in tiles that have
not changed (stylized_stone_floor_001, 1024 x 1024), edits 60 and more."""
_LEAST_AROUND: Final = 2
"""Tiles."""
_REACHES: Final = 0.9
"""Share of a file's Gaussians that reach no further than what is looked at around those that move. With 2 tiles instead
of 4, large Gaussians grew out of a smooth part and spoilt what is around it: 38.5 instead of 39.1 dB there
(stylized_stone_floor_001, 1024 x 1024)."""
MOST: Final = 0.4
"""Share of the picture that is looked at, above which all of it is fitted."""


@dataclass(frozen=True, slots=True)
class Region:
    """What has changed, and what is looked at around it."""

    changed: Tensor  # bool [H, W]
    box: Box


def changed_tiles(shown: Tensor, solved: Tensor, problem: FitProblem) -> tuple[Tensor, float]:
    """Return which tiles have changed since a file was made [rows, columns], and the usual error of a texel, squared.

    It shows where the file's picture is much worse than the same Gaussians with features solved anew, tile by tile.
    Where nothing has changed, the difference is what rounding features cost.

    Args:
        shown: float32 [H, W, K], the file's picture, in the components of the problem
        solved: the same with features that suit the problem
        problem: what is wanted
    """
    errors = torch.stack([(picture - problem.image).square().sum(dim=2) for picture in (shown, solved)])
    if problem.weights is not None:
        errors = errors * problem.weights
    before, after = functional.avg_pool2d(errors[None], TILE, ceil_mode=True, count_include_pad=False)[0]
    excess = (before - after) / (after + before.median())
    return _grown(excess > _CERTAIN, excess > _WORSE), float(before.median())


def region_of(tiles: Tensor, around: int, size: tuple[int, int]) -> Region | None:
    """Return what has changed, with the tiles next to it; None: nothing, or too much for a part of the picture.

    Args:
        tiles: that have changed, bool [rows, columns]
        around: tiles that are looked at around those
        size: width and height of the picture
    """
    if not tiles.any():
        return None
    width, height = size
    tiles = widened(tiles)  # an edit that ends within a tile hardly shows there
    rows, columns = (torch.nonzero(tiles.any(dim=axis)).flatten() for axis in (1, 0))
    top, left = (max(0, int(found[0]) - around) * TILE for found in (rows, columns))
    bottom, right = (
        min(side, (int(found[-1]) + 1 + around) * TILE) for found, side in ((rows, height), (columns, width))
    )
    if (bottom - top) * (right - left) > MOST * height * width:
        return None
    changed = tiles.repeat_interleave(TILE, 0).repeat_interleave(TILE, 1)[:height, :width]
    return Region(changed, (left, top, right, bottom))


def _grown(seeds: Tensor, within: Tensor) -> Tensor:
    """Return seeds [rows, columns] with all that is joined to them within a mask."""
    while True:
        grown = widened(seeds) & within
        if torch.equal(grown, seeds):
            return seeds
        seeds = grown


def widened(tiles: Tensor) -> Tensor:
    """Return tiles, or blocks, [rows, columns] and those that touch them."""
    return functional.max_pool2d(tiles[None].float(), 3, 1, 1)[0] > 0


def box_around(changed: Tensor) -> Box:
    """Return the box around what is set of [H, W]."""
    rows, columns = (torch.nonzero(changed.any(dim=axis)).flatten().tolist() for axis in (1, 0))
    return columns[0], rows[0], columns[-1] + 1, rows[-1] + 1


def crop(plane: Tensor, box: Box) -> Tensor:
    """Return a part of [H, W, ...]."""
    left, top, right, bottom = box
    return plane[top:bottom, left:right].contiguous()


def reaching_in(gaussians: GaussianSet, box: Box, target: FitTarget, cutoff: float) -> GaussianSet:
    """Return those that reach into a box, and copies of any that do so from beside a picture that repeats."""
    reach = _reaches(gaussians, cutoff)
    first, last = (torch.tensor(corner) for corner in (box[:2], box[2:]))
    found = []
    for across, down in product(*((-1, 0, 1) if repeats else (0,) for repeats in target.wrap)):
        means = gaussians.means + torch.tensor([across * target.width, down * target.height])
        inside = torch.all((means + reach > first) & (means - reach < last), dim=1)
        found.append(members(replace(gaussians, means=means), inside))
    return joined(*found)


def within(gaussians: GaussianSet, box: Box, cutoff: float) -> Tensor:
    """Return which supports lie within a box, bool [N]."""
    reach = _reaches(gaussians, cutoff)
    first, last = (torch.tensor(corner) for corner in (box[:2], box[2:]))
    return torch.all((gaussians.means - reach >= first) & (gaussians.means + reach <= last), dim=1)


def tiles_around(gaussians: GaussianSet, cutoff: float) -> int:
    """Return the tiles that are to be looked at around Gaussians that move, so that few reach beyond."""
    reach = _reaches(gaussians, cutoff).amax(dim=1)
    return max(_LEAST_AROUND, math.ceil(float(np.quantile(reach.numpy(), _REACHES)) / TILE))


def _reaches(gaussians: GaussianSet, cutoff: float) -> Tensor:
    """Return half the width and height of each support [N, 2], in texels."""
    a, b, c = gaussians.conics.unbind(dim=1)
    return square_root(2 * cutoff * torch.stack([c, a], dim=1) / (a * c - b * b)[:, None])


def joined(*sets: GaussianSet) -> GaussianSet:
    """Return all Gaussians of some sets."""
    return GaussianSet(*(torch.cat(parts) for parts in zip(*map(_parts, sets), strict=True)))


def members(gaussians: GaussianSet, mask: Tensor) -> GaussianSet:
    """Return those for which a mask [N] is set."""
    return GaussianSet(*(part[mask] for part in _parts(gaussians)))


def _parts(gaussians: GaussianSet) -> tuple[Tensor, Tensor, Tensor]:
    return gaussians.means, gaussians.log_covariances, gaussians.features
