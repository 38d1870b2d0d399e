"""What a fit moves: parameters, Adam's moments, the geometry in use. In torch here; on a GPU in fit_cuda.py."""

import math
from collections.abc import Callable
from typing import Final, Protocol

import torch
from torch import Tensor

from imagegs_tex.fit.gaussian_set import GaussianSet
from imagegs_tex.fit.losses import generic_loss
from imagegs_tex.quantize.geometry import GeometryQuantizer
from imagegs_tex.rasterize.backend import Backend, FitTarget
from imagegs_tex.rasterize.conjugate_gradient import damping_of
from imagegs_tex.settings import FitSettings

SMALLEST_LOG_SIZE: Final = 2 * math.log(0.25)
"""A quarter of a texel: below it a Gaussian slips between the texel centres."""
LARGEST_FORM: Final = 4.0
"""Length of (h, b): axes at most e^4 = 55 to 1, which float32 evaluates well."""
LARGEST_DEVIATION: Final = 0.05
"""Pictures, along an axis in which the picture repeats: long Gaussians run across the border and cost every texel on
their way. fabric_pattern_07 with 8,426 Gaussians: with 4, 133 evaluations per texel, 25.15 dB in 50,650 bytes; with
0.115, 44 and 25.14 dB in 50,513 bytes; with 0.05, 37 and 25.05 dB in 48,402 bytes; clamped, 31."""
_FREE_DEVIATION: Final = 24.0
"""Texels that a standard deviation may have in any case: what is short for a small picture is none of its cost."""
_MOST_PICTURES: Final = 4.0
"""The format allows images from up to 64 pictures away, of supports of up to 8 deviations."""
BETAS: Final = (0.9, 0.99)
ADAM_EPSILON: Final = 1e-15
SMALLEST_DEVIATION: Final = 1e-6

WIDTH_RANGE: Final = (0.3, 30.0)
"""Texels: within it a Gaussian's mean moves in proportion to its own width along each axis."""

Rates = tuple[float, float, float]
"""Of means (own widths), shapes (m, h, b) and features (deviations of their components) per step."""


class FitState(Protocol):
    """One fit's parameters and how they move."""

    cutoff: float
    """q at which a support ends, for the next solve and step."""

    def set_rounding(self, rounding: GeometryQuantizer | None) -> None:
        """Choose the geometry that the next solve and step see: rounded, or as it is."""
        ...

    def set_texel_weights(self, target: FitTarget, weights: Tensor | None) -> None:
        """Go on with the same picture, its texels weighing otherwise."""
        ...

    def solve(self) -> None:
        """Pull the features to where they belong for the geometry in use."""
        ...

    def descend(self, rates: Rates) -> Tensor:
        """Take a step and return the squared error before it, a scalar."""
        ...

    def error(self) -> float:
        """Return the squared error of the geometry in use."""
        ...

    def result(self) -> GaussianSet:
        """Return the set as it is, unrounded."""
        ...

    def prune(self, members: Tensor) -> None:
        """Let go of all Gaussians but those of the indices int64 [M]; moments stay with theirs; unrounded until use."""
        ...

    def append(self, extra: GaussianSet) -> None:
        """Put Gaussians behind those that are there, their moments at zero; unrounded until use."""
        ...


class TorchFitState:
    """The state in torch, for every backend and every loss."""

    def __init__(
        self,
        start: GaussianSet,
        image: Tensor,
        deviations: Tensor,
        target: FitTarget,
        settings: FitSettings,
        backend: Backend,
        *,
        weights: Tensor | None = None,
    ) -> None:
        self._take([start.means.clone(), start.log_covariances.clone(), start.features.clone()], None)
        self._image, self._weights, self._deviations, self._target = image, weights, deviations, target
        self._settings, self._backend, self.cutoff = settings, backend, settings.cutoff
        self._constrain()
        self.set_rounding(None)

    def set_rounding(self, rounding: GeometryQuantizer | None) -> None:
        """Choose the geometry; gradients pass straight through the rounding."""
        means, shapes = self._means, self._log_covariances
        if rounding is not None:
            with torch.no_grad():
                nearest_means, nearest_shapes = rounding.nearest(means, shapes)
            means = means + (nearest_means - means).detach()
            shapes = shapes + (nearest_shapes - shapes).detach()
        self._current = GaussianSet(means, shapes, self._features)

    def set_texel_weights(self, target: FitTarget, weights: Tensor | None) -> None:
        """Let texels weigh otherwise."""
        self._target, self._weights = target, weights

    def solve(self) -> None:
        """Solve a little."""
        settings, current = self._settings, self._current
        with torch.no_grad():
            equations = self._backend.normal_equations(current.means, current.conics, self.cutoff, self._target)
            damping = damping_of(equations, settings.solve_damping)
            self._features.copy_(
                self._backend.solve_features(equations, self._features, settings.solve_iterations, damping)
            )

    def descend(self, rates: Rates) -> Tensor:
        """Take a step with Adam."""
        error = self._backward()
        for group, rate in zip(self._optimiser.param_groups, rates, strict=True):
            group["lr"] = rate
        before, means_before = self._features.detach().clone(), self._means.detach().clone()
        widths = torch.rsqrt(self._current.conics.detach()[:, [0, 2]]).clamp(*WIDTH_RANGE)
        self._optimiser.step()
        with torch.no_grad():
            self._means.copy_(means_before + (self._means - means_before) * widths)
            # the features' rate follows each component's own deviation: Adam steps by rate, whatever the gradient
            scale = self._deviations.clamp_min(SMALLEST_DEVIATION)
            self._features.copy_(before + (self._features - before) * scale)
        self._optimiser.zero_grad(set_to_none=True)
        self._constrain()
        return error

    def error(self) -> float:
        """Return the squared error of the geometry in use."""
        with torch.no_grad():
            current = self._current
            return float(
                self._backend.squared_error(
                    current.means, current.conics, current.features, self.cutoff, self._target
                ).total
            )

    def result(self) -> GaussianSet:
        """Return the set as it is, unrounded."""
        return GaussianSet(self._means.detach(), self._log_covariances.detach(), self._features.detach())

    def prune(self, members: Tensor) -> None:
        """Let go of all Gaussians but some."""
        self._change(lambda _, values: values[members])

    def append(self, extra: GaussianSet) -> None:
        """Put Gaussians behind those that are there."""
        added = (extra.means, extra.log_covariances, extra.features)
        self._change(
            lambda place, values: torch.cat([values, added[place]]),
            lambda place, moments: torch.cat([moments, torch.zeros_like(added[place])]),
        )
        self._constrain()

    def _change(
        self,
        change: Callable[[int, Tensor], Tensor],
        change_moments: Callable[[int, Tensor], Tensor] | None = None,
    ) -> None:
        """Replace means (place 0), log-covariances (1) and features (2), and their moments with them."""
        leaves = (self._means, self._log_covariances, self._features)
        moments = [
            {
                name: value if name == "step" else (change_moments or change)(place, value)
                for name, value in self._optimiser.state[leaf].items()
            }
            for place, leaf in enumerate(leaves)
        ]
        self._take([change(place, leaf.detach()) for place, leaf in enumerate(leaves)], moments)
        self.set_rounding(None)

    def _take(self, values: list[Tensor], moments: list[dict[str, Tensor]] | None) -> None:
        """Make leaves of means, log-covariances and features, with an optimiser that has their moments."""
        leaves = [value.requires_grad_() for value in values]
        self._means, self._log_covariances, self._features = leaves
        self._optimiser = torch.optim.Adam([{"params": [leaf]} for leaf in leaves], betas=BETAS, eps=ADAM_EPSILON)
        for leaf, kept in zip(leaves, moments or [], strict=False):
            self._optimiser.state[leaf] = kept

    def _constrain(self) -> None:
        constrain(self._means, self._log_covariances, (self._target.width, self._target.height), self._target.wrap)

    def _backward(self) -> Tensor:
        """Leave gradients in the leaves and return the squared error."""
        settings, current = self._settings, self._current
        conics = current.conics
        if squared_error_only(settings):
            with torch.no_grad():
                error = self._backend.squared_error(current.means, conics, current.features, self.cutoff, self._target)
            torch.autograd.backward(
                [current.means, conics, current.features],
                [error.means, error.conics.to(conics.dtype), error.features],
            )
            return error.total
        loss, squared = generic_loss(
            current, conics, self.cutoff, self._image, settings, self._backend,
            weights=self._weights, wrap=self._target.wrap,
        )  # fmt: skip
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it without types
        return squared


def make_state(
    start: GaussianSet,
    image: Tensor,
    deviations: Tensor,
    target: FitTarget,
    settings: FitSettings,
    backend: Backend,
    *,
    weights: Tensor | None = None,
) -> FitState:
    """Return the state for a backend; the one on the GPU knows the squared error alone."""
    if backend.name == "cuda" and squared_error_only(settings):
        from imagegs_tex.fit.state_cuda import CudaFitState
        from imagegs_tex.rasterize.cuda.backend import CudaBackend

        assert isinstance(backend, CudaBackend)
        return CudaFitState(start, deviations, target, settings, backend)
    return TorchFitState(start, image, deviations, target, settings, backend, weights=weights)


def squared_error_only(settings: FitSettings) -> bool:
    """Whether the loss is the squared error and nothing else."""
    return settings.l1_weight == 0 and settings.ssim_weight == 0


def constrain(
    means: Tensor, log_covariances: Tensor, size: tuple[int, int], wrap: tuple[bool, bool] = (False, False)
) -> None:
    """Keep means inside the picture and shapes within what the format holds and float32 evaluates well.

    Where the picture repeats, a mean that leaves on one side comes back on the other.
    """
    with torch.no_grad():
        for axis in (0, 1):
            if wrap[axis]:
                means[:, axis].remainder_(size[axis])
                means[:, axis].masked_fill_(means[:, axis] >= size[axis], 0.0)  # just below zero rounds up to the size
            else:
                means[:, axis].clamp_(0.0, size[axis] - 1e-2)
        log_covariances[:, 0].clamp_(SMALLEST_LOG_SIZE, largest_log_size(size))
        form = log_covariances[:, 1:]
        length = torch.linalg.vector_norm(form, dim=1, keepdim=True)
        form.mul_((LARGEST_FORM / length.clamp_min(LARGEST_FORM)).clamp_max(1.0))
        for axis in (0, 1):
            if wrap[axis]:
                _limit_deviation(log_covariances, axis, largest_deviation(size) * size[axis])


def _limit_deviation(log_covariances: Tensor, axis: int, most: float) -> None:
    """Shrink Gaussians whose standard deviation along an axis is above a number of texels."""
    m, h, b = log_covariances.unbind(dim=1)
    r = torch.hypot(h, b)
    sinhc = torch.where(r > 0, torch.sinh(r) / r.clamp_min(1e-30), 1.0)
    log_variance = torch.log(torch.cosh(r) + (h if axis == 0 else -h) * sinhc)  # of exp([h, b; b, -h])
    m.copy_(torch.minimum(m, 2 * math.log(most) - log_variance).clamp_min(SMALLEST_LOG_SIZE))


def largest_deviation(size: tuple[int, int]) -> float:
    """Return the largest standard deviation along an axis that repeats, over the picture's length along that axis."""
    return min(_MOST_PICTURES, max(LARGEST_DEVIATION, _FREE_DEVIATION / min(size)))


def largest_log_size(size: tuple[int, int]) -> float:
    """Upper bound of m: a standard deviation as long as the picture's longer side."""
    return max(2 * math.log(max(size)), SMALLEST_LOG_SIZE + 1)
