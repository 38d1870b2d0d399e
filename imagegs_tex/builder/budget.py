"""A number of bytes for a whole tree, shared so that quality is even.

Each material is made at the usual quality, and fitted with a quarter and four times the Gaussians that searches begin
with. Between and beyond these, PSNR is taken to be linear in the
logarithm of the bytes. The common PSNR is the largest multiple of a quarter dB at which all files together stay within
the budget, found by bisection; each material then gets the bytes that it needs for that as its limit, so the sum holds
however wrong a model is. In steps, because a material that changes a little then mostly changes no other's limit.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

from imagegs_tex.builder.jobs import Recipe
from imagegs_tex.formats.errors import InputError
from imagegs_tex.settings import DEFAULT_TEXELS_PER_GAUSSIAN

STEP_DB: Final = 0.25
FACTORS: Final = (0.25, 4.0)
"""Numbers of Gaussians of two trial fits, over one for DEFAULT_TEXELS_PER_GAUSSIAN."""
_RANGE_DB: Final = (1.0, 90.0)
_LEAST_SLOPE: Final = 1e-3  # dB per doubling: a model rises, whatever the fits say


@dataclass(frozen=True, slots=True)
class Trial:
    """What a trial fit gave."""

    bytes: int
    psnr_db: float
    texels: int


Measure = Callable[[Sequence[tuple[str, Recipe]]], Mapping[tuple[str, Recipe], Trial]]
"""Fits materials by name and recipe; those that cannot be made are left out."""


def share_budget(
    budget: int, recipes: Mapping[str, Recipe], over: Callable[[str], float], measure: Measure
) -> tuple[dict[str, Recipe], float]:
    """Give each material a limit.

    Args:
        budget: bytes of all files together
        recipes: of all materials, by name; those with a limit of their own keep it
        over: dB that a material gets above the common quality
        measure: does the trial fits

    Returns:
        the recipes with their limits, and the common PSNR in dB

    Raises:
        InputError: the budget is too small for the materials
    """
    fixed = {name: recipe for name, recipe in recipes.items() if recipe.settings.max_bytes is not None}
    left = budget - sum(recipe.settings.max_bytes or 0 for recipe in fixed.values())
    free = {name: recipe for name, recipe in recipes.items() if name not in fixed}
    if not free:
        return dict(recipes), 0.0
    models = _models(free, measure)
    if not models:
        return dict(recipes), 0.0

    def limits_at(quality: float) -> dict[str, int]:
        return {name: bytes_for(points, quality + over(name)) for name, points in models.items()}

    low, high = (round(bound / STEP_DB) for bound in _RANGE_DB)
    if sum(limits_at(low * STEP_DB).values()) > left:
        raise InputError(
            f"a budget of {budget} bytes is too small for {len(recipes)} materials: the smallest files take about "
            f"{budget - left + sum(limits_at(low * STEP_DB).values())}"
        )
    while high - low > 1:
        middle = (low + high) // 2
        if sum(limits_at(middle * STEP_DB).values()) <= left:
            low = middle
        else:
            high = middle
    quality = low * STEP_DB
    limited = {
        name: replace(free[name], settings=replace(free[name].settings, gaussian_count=None, max_bytes=limit))
        for name, limit in limits_at(quality).items()
    }
    return {**recipes, **limited}, quality


def _models(free: Mapping[str, Recipe], measure: Measure) -> dict[str, list[tuple[float, float]]]:
    """Return for each material its trial fits as (PSNR, log2 of bytes), both rising."""
    first = measure([(name, _trial(recipe, None)) for name, recipe in free.items()])
    texels = {name: trial.texels for (name, _), trial in first.items()}
    others = [
        (name, _trial(free[name], max(1, round(count / DEFAULT_TEXELS_PER_GAUSSIAN * factor))))
        for name, count in texels.items()
        for factor in FACTORS
    ]
    found: dict[str, list[Trial]] = {}
    for (name, _), trial in [*first.items(), *measure(others).items()]:
        found.setdefault(name, []).append(trial)
    return {name: _rising(trials) for name, trials in found.items()}


def _trial(recipe: Recipe, count: int | None) -> Recipe:
    return replace(recipe, products=(), settings=replace(recipe.settings, gaussian_count=count))


def _rising(trials: Sequence[Trial]) -> list[tuple[float, float]]:
    points: list[tuple[float, float]] = []
    for trial in sorted(trials, key=lambda trial: trial.bytes):
        point = min(trial.psnr_db, _RANGE_DB[1]), math.log2(trial.bytes)
        if not points or (point[0] > points[-1][0] and point[1] > points[-1][1]):
            points.append(point)
    return points


def bytes_for(points: Sequence[tuple[float, float]], quality: float) -> int:
    """Return how many bytes a model says that a quality takes; never fewer than half of its smallest trial.

    Args:
        points: (PSNR, log2 of bytes), both rising
        quality: PSNR in dB
    """
    least = points[0][1] - 1
    if len(points) == 1:
        return math.floor(2 ** points[0][1])  # nothing is gained by more: a material of one value
    pairs = list(pairwise(points))
    (p0, b0), (p1, b1) = next((pair for pair in pairs if quality <= pair[1][0]), pairs[-1])
    slope = max((p1 - p0) / (b1 - b0), _LEAST_SLOPE)
    return math.floor(2 ** min(max(least, b0 + (quality - p0) / slope), 40.0))
