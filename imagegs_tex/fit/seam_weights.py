"""Borders of pictures that repeat: there the error is to be no larger than inside.

Where tiles meet, what is wrong along a border is seen again and again along a straight line, and that is what makes a
tiling look like one. Some materials have more detail there than elsewhere (a joint that runs along the border), so that
a fit leaves more of it. It measures that on its way, and lets texels near such a border weigh as much more as it takes.
"""

import math
from dataclasses import replace
from typing import Final

import torch
from torch import Tensor

from imagegs_tex.fit.problem import FitProblem, squared_errors
from imagegs_tex.rasterize.backend import Backend, FitTarget

BORDER: Final = 8
"""Texels on either side of where tiles meet."""
_MOST_OVER: Final = 1.03
"""Root mean square error near borders over that of all other texels; rounding makes it 0.01 to 0.02 more."""
_RESPONSE: Final = 1.6
"""The mean squared error near borders fell with their weight to the power of -0.45 on three materials. Less than the
inverse of that is enough, since a fit measures several times."""
_MOST_WEIGHT: Final = 4.0
"""facade_005_tiles, whose borders have 1.29 times the error of the rest without any weight, takes all of it."""
_LEAST: Final = 1e-30
_LEAST_SIDE: Final = 16 * BORDER
"""Texels: a smaller picture is mostly border."""


def has_borders(target: FitTarget) -> bool:
    """Whether a picture repeats and is large enough to tell its borders from the rest."""
    return any(target.wrap) and min(target.width, target.height) >= _LEAST_SIDE


def near_borders(size: tuple[int, int], wrap: tuple[bool, bool], device: torch.device) -> Tensor:
    """Return which texels of a picture of size = (width, height) lie near a border at which it repeats, bool [H, W]."""
    width, height = size
    near = torch.zeros(height, width, dtype=torch.bool, device=device)
    if wrap[0]:
        near[:, :BORDER] = near[:, width - BORDER :] = True
    if wrap[1]:
        near[:BORDER] = near[height - BORDER :] = True
    return near


def balanced_weight(weight: float, picture: Tensor, problem: FitProblem, wrap: tuple[bool, bool]) -> float:
    """Return the weight of texels near borders with which they should have no more error than others.

    Args:
        weight: that the picture was fitted with
        picture: the fit so far [H, W, K]
        problem: what it should be, without the weight
        wrap: whether it repeats in x and in y
    """
    errors = squared_errors(picture, problem.image, torch.float64)
    near = near_borders(problem.size, wrap, errors.device)
    if problem.weights is None:
        at_border, inside = (float(errors[part].sum() / part.sum().clamp_min(1)) for part in (near, ~near))
    else:
        importance = problem.weights.double()
        errors *= importance
        at_border, inside = (
            float(errors[part].sum() / importance[part].sum().clamp_min(_LEAST)) for part in (near, ~near)
        )
    if min(at_border, inside) <= 0:
        return weight
    excess = at_border / inside / _MOST_OVER**2
    return float(min(max(weight * math.pow(excess, _RESPONSE), 1.0), _MOST_WEIGHT))


def with_border_weight(
    problem: FitProblem, target: FitTarget, weight: float, backend: Backend
) -> tuple[FitProblem, FitTarget]:
    """Return a problem and its target with texels near borders weighing so much more."""
    if weight == 1.0:
        return problem, target
    near = near_borders(problem.size, target.wrap, problem.image.device)
    weights = torch.where(near, weight, 1.0)
    if problem.weights is not None:
        weights = weights * problem.weights
    return replace(problem, weights=weights), backend.prepare_target(problem.image, weights, target.wrap)
