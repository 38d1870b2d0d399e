"""The state of a fit on a GPU: what :mod:`imagegs_tex.fit.state_torch` does in torch, in a handful of launches.

A step in torch is some 200 launches and took 5 ms of the host's time on an H200, ten times what the rasterizer needs
for a 1K picture. Here it is about 12, and one iteration of the solver 5.
"""

import math
from typing import Final

import torch
from torch import Tensor

from imagegs_tex.fit.gaussian_set import GaussianSet
from imagegs_tex.fit.select_losses import Losses
from imagegs_tex.fit.state import (
    ADAM_EPSILON,
    BETAS,
    LARGEST_FORM,
    SMALLEST_DEVIATION,
    SMALLEST_LOG_SIZE,
    WIDTH_RANGE,
    Rates,
    constrain,
    largest_deviation,
    largest_log_size,
)
from imagegs_tex.formats.igs import quantized_set as g
from imagegs_tex.quantize.geometry import GeometryQuantizer
from imagegs_tex.rasterize.backend import FitTarget, PreparedGeometry
from imagegs_tex.rasterize.cuda.backend import CudaBackend
from imagegs_tex.rasterize.cuda.driver import Double
from imagegs_tex.rasterize.cuda.load_kernels import load_kernels
from imagegs_tex.settings import FitSettings

_THREADS: Final = 256
_STEP_THREADS: Final = 128


class CudaFitState:
    """Parameters, Adam's moments and the geometry in use; see :class:`imagegs_tex.fit.state.FitState`."""

    def __init__(
        self,
        start: GaussianSet,
        deviations: Tensor,
        target: FitTarget,
        settings: FitSettings,
        backend: CudaBackend,
        *,
        losses: Losses | None = None,
        weights: Tensor | None = None,
    ) -> None:
        self._means, self._shapes = start.means.contiguous().clone(), start.log_covariances.contiguous().clone()
        self._features = start.features.contiguous().clone()
        self._deviations = deviations.float().clamp_min(SMALLEST_DEVIATION)
        self._target, self._weights, self._losses = target, weights, losses
        self._settings, self.cutoff = settings, settings.cutoff
        self._backend = backend
        self._first = torch.zeros(start.count, 5 + start.features.shape[1], device=backend.device)
        self._second = torch.zeros_like(self._first)
        self._steps = 0
        module = load_kernels("adam.cu", backend.device)
        self._use_geometry, self._adam_step = module.kernel("use_geometry"), module.kernel("adam_step")
        constrain(self._means, self._shapes, target.size, target.wrap)
        self.set_rounding(None)

    def set_rounding(self, rounding: GeometryQuantizer | None) -> None:
        """Choose the geometry that the next solve and step see: rounded, or as it is."""
        count = len(self._means)
        self._geometry: PreparedGeometry | None = None
        self._used_means, self._used_shapes = torch.empty_like(self._means), torch.empty_like(self._shapes)
        self._conics = torch.empty_like(self._shapes)
        width, height = self._target.size
        steps, exponents = (1.0, 1.0, 1.0), (0, 0)
        if rounding is not None:
            steps = (rounding.size_step, rounding.form_step, rounding.position_ratio)
            exponents = (g.least_exponent(rounding.width, rounding.height), rounding.cell_log2)
        self._use_geometry(
            -(-count // _THREADS), _THREADS, self._means, self._shapes, count, int(rounding is not None),
            Double(steps[0]), Double(steps[1]), Double(math.log2(steps[2])), *exponents, width, height,
            *map(int, self._target.wrap), self._used_means, self._used_shapes, self._conics,
        )  # fmt: skip

    def _prepared(self) -> PreparedGeometry:
        """Return what the backend made of the geometry in use."""
        if self._geometry is None or self._geometry.frame.cutoff != self.cutoff:
            self._geometry = self._backend.prepare_geometry(
                self._used_means, self._conics, self.cutoff, self._target.size, self._target.wrap
            )
        return self._geometry

    def set_texel_weights(self, target: FitTarget, weights: Tensor | None) -> None:
        """Let texels weigh otherwise."""
        self._target, self._weights = target, weights

    def solve(self) -> None:
        """Pull the features to where they belong for the geometry in use."""
        settings = self._settings
        equations = self._backend.normal_equations(self._prepared(), self._target)
        self._features = self._backend.solve_features(
            equations, self._features, settings.solve_iterations, settings.solve_damping
        )

    def descend(self, rates: Rates) -> Tensor:
        """Take a step and return the squared error before it, float64 scalar on the GPU."""
        total, gradients = self._gradients()
        self._steps += 1
        corrections = [1 / (1 - beta**self._steps) for beta in BETAS]
        count, components = self._features.shape
        width, height = self._target.size
        self._adam_step(
            -(-count // _STEP_THREADS), _STEP_THREADS, self._used_shapes, *gradients, self._deviations, count,
            components, *BETAS, *corrections, ADAM_EPSILON, *rates, float(width), float(height),
            *map(int, self._target.wrap), SMALLEST_LOG_SIZE, largest_log_size((width, height)), LARGEST_FORM,
            largest_deviation((width, height)), *WIDTH_RANGE,
            self._means, self._shapes, self._features, self._first, self._second,
        )  # fmt: skip
        return total

    def _gradients(self) -> tuple[Tensor, tuple[Tensor, Tensor, Tensor]]:
        """Return the squared error, and the gradients of means, conics and features."""
        if self._losses is not None:
            geometry = self._prepared()
            return self._losses.gradients(geometry, self._features, self._target, self._weights, self._steps)
        error = self._backend.squared_error(self._prepared(), self._features, self._target)
        return error.total, (error.means, error.conics, error.features)

    def error(self) -> float:
        """Return the squared error of the geometry in use; waits for the GPU."""
        return float(self._backend.squared_error(self._prepared(), self._features, self._target).total)

    def result(self) -> GaussianSet:
        """Return the set as it is, unrounded."""
        return GaussianSet(self._means, self._shapes, self._features)

    def tensors(self) -> dict[str, Tensor]:
        """Return parameters, moments and the number of steps."""
        return {
            "means": self._means, "log_covariances": self._shapes, "features": self._features,
            "first": self._first, "second": self._second, "steps": torch.tensor(self._steps),
        }  # fmt: skip

    def restore(self, tensors: dict[str, Tensor]) -> None:
        """Take parameters, moments and the number of steps."""
        self._means, self._shapes, self._features, self._first, self._second = (
            tensors[name].to(self._backend.device).contiguous()
            for name in ("means", "log_covariances", "features", "first", "second")
        )
        self._steps = int(tensors["steps"])
        self.set_rounding(None)

    def prune(self, members: Tensor) -> None:
        """Let go of all Gaussians but those of the indices int64 [M]."""
        self._means, self._shapes, self._features = self._means[members], self._shapes[members], self._features[members]
        self._first, self._second = self._first[members], self._second[members]
        self.set_rounding(None)

    def append(self, extra: GaussianSet) -> None:
        """Put Gaussians behind those that are there; their moments start at zero."""
        self._means = torch.cat([self._means, extra.means])
        self._shapes = torch.cat([self._shapes, extra.log_covariances])
        self._features = torch.cat([self._features, extra.features])
        fresh = torch.zeros(extra.count, self._first.shape[1], device=self._backend.device)
        self._first, self._second = torch.cat([self._first, fresh]), torch.cat([self._second, fresh])
        constrain(self._means, self._shapes, self._target.size, self._target.wrap)
        self.set_rounding(None)
