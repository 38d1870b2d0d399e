"""A fit that goes on from a file after an edit: only Gaussians in what has changed move.

They do so on the part of the picture around it, beside all others that reach in.

What has changed shows without the earlier source: where the file's picture is much worse than the same Gaussians with
features solved anew, tile by tile. Where nothing has changed, the difference is what rounding features cost. Steps of
all Gaussians instead also move what is in its place (docs/guide/runs.md has what both reach).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import product
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

from imagegs_tex.fit.control import Watch
from imagegs_tex.fit.gaussian_set import Fit, GaussianSet
from imagegs_tex.fit.loop import FITTING, FitProgress, fit
from imagegs_tex.fit.problem import FitProblem
from imagegs_tex.fit.state import constrain
from imagegs_tex.quantize.geometry import GeometryQuantizer
from imagegs_tex.rasterize.backend import TILE, Backend, FitTarget
from imagegs_tex.settings import FitSettings

_WORSE: Final = 0.5
"""Share by which a tile's error is larger than with solved features, and than half the picture's median, at least."""
_AROUND: Final = 2
"""Tiles that are looked at around those whose Gaussians move."""
_MOST: Final = 0.4
"""Share of the picture that is looked at, above which all of it is fitted."""
STEPS: Final = 4
"""Times the steps of a fit of the whole picture. With 8, stylized_stone_floor_001 came to -0.10 dB instead of -0.15."""
SWEEPS: Final = 2
"""Sweeps over geometry codes, beside those of a fit of the whole picture."""


@dataclass(frozen=True, slots=True)
class Region:
    """What has changed, and what is looked at around it."""

    changed: Tensor  # bool [H, W]
    box: tuple[int, int, int, int]  # texels: left, top, the column behind the last, the row behind the last


def changed_region(shown: Tensor, solved: Tensor, problem: FitProblem) -> Region | None:
    """Return what has changed since a file was made; None: nothing, or too much for a part of the picture.

    Args:
        shown: float32 [H, W, K], the file's picture, in the components of the problem
        solved: the same with features that suit the problem
        problem: what is wanted
    """
    height, width = shown.shape[:2]
    errors = torch.stack([(picture - problem.image).square().sum(dim=2) for picture in (shown, solved)])
    if problem.weights is not None:
        errors = errors * problem.weights
    before, after = functional.avg_pool2d(errors[None], TILE, ceil_mode=True, count_include_pad=False)[0]
    worse = before - after > _WORSE * (after + before.median())
    if not worse.any():
        return None
    # an edit that ends within a tile hardly shows there
    tiles = functional.max_pool2d(worse[None].float(), 3, 1, 1)[0] > 0
    rows, columns = (torch.nonzero(tiles.any(dim=axis)).flatten() for axis in (1, 0))
    top, left = (max(0, int(found[0]) - _AROUND) * TILE for found in (rows, columns))
    bottom, right = (
        min(side, (int(found[-1]) + 1 + _AROUND) * TILE) for found, side in ((rows, height), (columns, width))
    )
    if (bottom - top) * (right - left) > _MOST * height * width:
        return None
    changed = tiles.repeat_interleave(TILE, 0).repeat_interleave(TILE, 1)[:height, :width]
    return Region(changed, (left, top, right, bottom))


def fit_region(  # noqa: PLR0913 - those of a fit
    region: Region,
    start: Fit,
    problem: FitProblem,
    target: FitTarget,
    settings: FitSettings,
    backend: Backend,
    *,
    rounding: GeometryQuantizer,
    progress: Callable[[FitProgress], None] | None = None,
    watch: Watch | None = None,
) -> tuple[Fit, Tensor]:
    """Fit the Gaussians of what has changed, as many as there are now.

    Args:
        region: of :func:`changed_region`
        start: all Gaussians of the picture, features solved for
        problem: the picture
        target: the same picture, as the backend prepared it
        settings: of a fit of the whole picture
        backend: the rasterizer
        rounding: of the file
        progress: called after every step
        watch: the run's, which is shown the end: the steps are of a part of the picture

    Returns:
        all Gaussians, and which of them moved, bool [N]
    """
    gaussians, (left, top, right, bottom) = start.gaussians, region.box
    columns, rows = gaussians.means.long().unbind(dim=1)
    moves = region.changed[rows.clamp(0, target.height - 1), columns.clamp(0, target.width - 1)]
    origin = torch.tensor([left, top], dtype=torch.float32, device=gaussians.means.device)
    beside = _reaching_in(gaussians, moves, region.box, target, start.cutoff)
    own = _members(gaussians, moves)
    both = [torch.cat(parts) for parts in zip(_parts(beside), _parts(own), strict=True)]
    part = GaussianSet(both[0] - origin, both[1], both[2])
    crop = problem.image[top:bottom, left:right].contiguous()
    weights = None if problem.weights is None else problem.weights[top:bottom, left:right].contiguous()
    share = own.count / part.count
    population = tuple(
        replace(change, kept=1 + (change.kept - 1) * share, total=1 + (change.total - 1) * share)
        for change in settings.population
    )
    fitted = fit(
        replace(problem, image=crop, weights=weights, saliency=None), backend.prepare_target(crop, weights),
        part.count, replace(settings, steps=STEPS * settings.steps, least_cutoff=start.cutoff, population=population),
        backend, start=Fit(part, start.cutoff, 1.0), fixed=beside.count, progress=progress,
    ).gaussians  # fmt: skip
    means, shapes = fitted.means[beside.count :] + origin, fitted.log_covariances[beside.count :].clone()
    constrain(means, shapes, target.size, target.wrap)
    stayed = _members(gaussians, ~moves)
    found = GaussianSet(
        torch.cat([stayed.means, means]), torch.cat([stayed.log_covariances, shapes]),
        torch.cat([stayed.features, fitted.features[beside.count :]]),
    )  # fmt: skip
    moved = torch.arange(found.count, device=means.device) >= stayed.count
    if watch is not None and watch.control.on_snapshot is not None:
        drawn = backend.prepare_geometry(found.means, found.conics, start.cutoff, target.size, target.wrap)
        error = float(backend.squared_error(drawn, found.features, target).total)
        steps, numbers = STEPS * settings.steps, torch.arange(found.count)
        watch.show(
            found, rounding, numbers=numbers, cutoff=start.cutoff, phase=FITTING, step=steps, steps=steps,
            psnr_db=problem.psnr(error),
        )  # fmt: skip
    return Fit(found, start.cutoff, start.border_weight), moved


def _reaching_in(
    gaussians: GaussianSet, moves: Tensor, box: tuple[int, int, int, int], target: FitTarget, cutoff: float
) -> GaussianSet:
    """Return those that do not move and reach into a box, and copies of any that do so from beside the picture."""
    a, b, c = gaussians.conics.unbind(dim=1)
    reach = torch.sqrt(2 * cutoff * torch.stack([c, a], dim=1) / (a * c - b * b)[:, None])
    first, last = (torch.tensor(corner, device=a.device) for corner in (box[:2], box[2:]))
    found = []
    for across, down in product(*((-1, 0, 1) if repeats else (0,) for repeats in target.wrap)):
        means = gaussians.means + torch.tensor([across * target.width, down * target.height], device=a.device)
        inside = torch.all((means + reach > first) & (means - reach < last), dim=1)
        if across == down == 0:
            inside &= ~moves
        found.append(_members(replace(gaussians, means=means), inside))
    return GaussianSet(*(torch.cat(parts) for parts in zip(*map(_parts, found), strict=True)))


def _parts(gaussians: GaussianSet) -> tuple[Tensor, Tensor, Tensor]:
    return gaussians.means, gaussians.log_covariances, gaussians.features


def _members(gaussians: GaussianSet, mask: Tensor) -> GaussianSet:
    return GaussianSet(*(part[mask] for part in _parts(gaussians)))
