"""The fit: one loop in torch over any backend's rasterizer.

Adam moves means, log-covariances and features; every few steps a short solve pulls the features to where they belong
for the geometry of the moment. In the second part of the loop the geometry is rounded on the way forward
(straight-through), so that it settles on values that the file can hold.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor

from imagegs_tex.gaussians import GaussianSet
from imagegs_tex.initialise import initialise
from imagegs_tex.losses import generic_loss
from imagegs_tex.rasterize.backend import Backend, Target
from imagegs_tex.settings import FitSettings
from imagegs_tex.solve import damping_of, solve_features

SMALLEST_LOG_SIZE: Final = 2 * math.log(0.25)
"""A quarter of a texel: below it a Gaussian slips between the texel centres."""
LARGEST_FORM: Final = 4.0
"""Length of (h, b): axes at most e^4 = 55 to 1, which float32 evaluates well."""
_BETAS: Final = (0.9, 0.99)
_PSNR_CAP: Final = 120.0

GeometryRounding = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
"""Means [N, 2] and log-covariances [N, 3] to the nearest values that the file can hold."""


@dataclass(frozen=True, slots=True)
class FitProgress:
    """Where a fit stands."""

    step: int  # steps done
    steps: int  # steps in all, an estimate under a time budget
    psnr_db: float  # over all coded channels, before clamping and rounding to samples
    seconds: float  # since the first step


@dataclass(frozen=True, slots=True)
class FitProblem:
    """A picture in component space, and what its errors mean for the channels."""

    image: Tensor  # float32 [H, W, K]
    deviations: Tensor  # float32 [K] standard deviation of each component
    channel_count: int  # C, of the coded channels

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in texels."""
        return int(self.image.shape[1]), int(self.image.shape[0])

    def psnr(self, squared_error: float) -> float:
        """Return the PSNR in dB over all channels of a squared error summed over texels and components."""
        mean = squared_error / (self.image.shape[0] * self.image.shape[1] * self.channel_count)
        return min(_PSNR_CAP, -10 * math.log10(max(mean, 10 ** (-_PSNR_CAP / 10))))


def fit(
    problem: FitProblem,
    target: Target,
    count: int,
    settings: FitSettings,
    backend: Backend,
    *,
    rounding: GeometryRounding | None = None,
    report: Callable[[FitProgress], None] | None = None,
) -> GaussianSet:
    """Fit Gaussians to a picture.

    Args:
        problem: the picture
        target: the same picture, as the backend prepared it
        count: N, at least 1
        settings: rates and schedule
        backend: the rasterizer
        rounding: None leaves the geometry unrounded
        report: called after every step

    Returns:
        the fitted set; its geometry is not rounded yet, its features belong to the rounded geometry
    """
    start = initialise(problem.image, count, np.random.default_rng(settings.seed))
    means = start.means.clone().requires_grad_()
    log_covariances = start.log_covariances.clone().requires_grad_()
    features = start.features.clone().requires_grad_()
    optimiser = torch.optim.Adam([{"params": [tensor]} for tensor in (means, log_covariances, features)], betas=_BETAS,
                                 eps=1e-15)  # fmt: skip
    _constrain(means, log_covariances, problem.size)
    schedule = _Schedule(settings)
    while (share := schedule.share()) < 1.0:
        rounded = rounding is not None and share >= settings.quantize_from
        used_means, used_shapes = means, log_covariances
        if rounded and rounding is not None:
            with torch.no_grad():
                nearest_means, nearest_shapes = rounding(means, log_covariances)
            used_means = means + (nearest_means - means).detach()
            used_shapes = log_covariances + (nearest_shapes - log_covariances).detach()
        current = GaussianSet(used_means, used_shapes, features)
        if schedule.step % settings.solve_interval == 0:
            _solve(current, target, settings, backend, features)
        error = _backward(current, problem, target, settings, backend)
        decay = schedule.rate(share)
        rates = (settings.mean_rate, settings.shape_rate, settings.feature_rate)
        for group, rate in zip(optimiser.param_groups, rates, strict=True):
            group["lr"] = rate * decay
        # the features' rate follows each component's own deviation: Adam steps by rate, whatever the gradient
        scale = problem.deviations.clamp_min(1e-6)
        _step_scaled(optimiser, features, scale)
        _constrain(means, log_covariances, problem.size)
        schedule.step += 1
        if report is not None:
            report(FitProgress(schedule.step, schedule.steps(), problem.psnr(float(error)), schedule.seconds()))
    return GaussianSet(means.detach(), log_covariances.detach(), features.detach())


class _Schedule:
    """How far the fit is, by steps or by the clock, and what rate that means."""

    def __init__(self, settings: FitSettings) -> None:
        self.settings = settings
        self.step = 0
        self.started = time.perf_counter()

    def seconds(self) -> float:
        return time.perf_counter() - self.started

    def share(self) -> float:
        if self.settings.time_budget is None:
            return self.step / max(1, self.settings.steps)
        return self.seconds() / self.settings.time_budget

    def steps(self) -> int:
        if self.settings.time_budget is None:
            return self.settings.steps
        return max(self.step, round(self.step / max(self.share(), 1e-3)))

    def rate(self, share: float) -> float:
        start = self.settings.decay_from
        if share < start:
            return 1.0
        return float(self.settings.last_rate ** ((share - start) / (1 - start)))


def _solve(
    current: GaussianSet, target: Target, settings: FitSettings, backend: Backend, features: Tensor
) -> None:  # fmt: skip
    with torch.no_grad():
        equations = backend.normal_equations(current.means, current.conics, settings.cutoff, target)
        damping = damping_of(equations, settings.solve_damping)
        features.copy_(solve_features(backend, equations, features, settings.solve_iterations, damping))


def _backward(
    current: GaussianSet, problem: FitProblem, target: Target, settings: FitSettings, backend: Backend
) -> Tensor:  # fmt: skip
    """Leave gradients in the leaves and return the squared error."""
    conics = current.conics
    if settings.l1_weight == 0 and settings.ssim_weight == 0:
        with torch.no_grad():
            error = backend.squared_error(current.means, conics, current.features, settings.cutoff, target)
        torch.autograd.backward(
            [current.means, conics, current.features],
            [error.means, error.conics.to(conics.dtype), error.features],
        )
        return error.total
    loss, squared = generic_loss(current, conics, problem.image, settings, backend)
    loss.backward()  # type: ignore[no-untyped-call]
    return squared


def _step_scaled(optimiser: torch.optim.Adam, features: Tensor, scale: Tensor) -> None:
    """Take Adam's step with the features' rate multiplied by a scale per component [K]."""
    before = features.detach().clone()
    optimiser.step()
    with torch.no_grad():
        features.copy_(before + (features - before) * scale)
    optimiser.zero_grad(set_to_none=True)


def _constrain(means: Tensor, log_covariances: Tensor, size: tuple[int, int]) -> None:
    """Keep means inside the picture and shapes within what the format holds and float32 evaluates well."""
    with torch.no_grad():
        means[:, 0].clamp_(0.0, size[0] - 1e-2)
        means[:, 1].clamp_(0.0, size[1] - 1e-2)
        largest = 2 * math.log(max(size))
        log_covariances[:, 0].clamp_(SMALLEST_LOG_SIZE, max(largest, SMALLEST_LOG_SIZE + 1))
        form = log_covariances[:, 1:]
        length = torch.linalg.vector_norm(form, dim=1, keepdim=True)
        form.mul_((LARGEST_FORM / length.clamp_min(LARGEST_FORM)).clamp_max(1.0))
