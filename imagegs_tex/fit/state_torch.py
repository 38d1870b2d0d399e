"""The state of a fit in torch, for every backend and every loss: Adam with autograd (Kingma and Ba 2015)."""

import math
from collections.abc import Callable
from typing import Final

import torch
from torch import Tensor

from imagegs_tex.fit.gaussian_set import GaussianSet
from imagegs_tex.fit.problem import ChannelMix
from imagegs_tex.fit.select_losses import make_losses
from imagegs_tex.fit.state import ADAM_EPSILON, BETAS, SMALLEST_DEVIATION, WIDTH_RANGE, Rates, constrain
from imagegs_tex.quantize.geometry import GeometryQuantizer
from imagegs_tex.rasterize.backend import Backend, FitTarget, PreparedGeometry
from imagegs_tex.settings import FitSettings
from imagegs_tex.square_root import square_root

_NAMES: Final = ("means", "log_covariances", "features")


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
        mix: ChannelMix | None = None,
    ) -> None:
        self._geometry: tuple[Tensor, PreparedGeometry] | None = None
        self._take([start.means.clone(), start.log_covariances.clone(), start.features.clone()], None)
        self._weights, self._deviations, self._target = weights, deviations, target
        self._losses = make_losses(image, mix, settings, backend)
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
        self._current, self._geometry = GaussianSet(means, shapes, self._features), None

    def _prepared(self) -> tuple[Tensor, PreparedGeometry]:
        """Return the conics in use, differentiable, and what the backend made of the geometry."""
        if self._geometry is None or self._geometry[1].frame.cutoff != self.cutoff:
            with torch.enable_grad():
                conics = self._current.conics
            geometry = self._backend.prepare_geometry(
                self._current.means, conics, self.cutoff, self._target.size, self._target.wrap
            )
            self._geometry = conics, geometry
        return self._geometry

    def set_texel_weights(self, target: FitTarget, weights: Tensor | None) -> None:
        """Let texels weigh otherwise."""
        self._target, self._weights = target, weights

    def solve(self) -> None:
        """Solve a little."""
        settings = self._settings
        with torch.no_grad():
            _, geometry = self._prepared()
            equations = self._backend.normal_equations(geometry, self._target)
            solved = self._backend.solve_features(
                equations, self._features, settings.solve_iterations, settings.solve_damping
            )
            self._features.copy_(solved)

    def descend(self, rates: Rates) -> Tensor:
        """Take a step with Adam."""
        error = self._backward()
        before, means_before = self._features.detach().clone(), self._means.detach().clone()
        widths = torch.rsqrt(self._prepared()[0].detach()[:, [0, 2]]).clamp(*WIDTH_RANGE)
        self._geometry = None  # where nothing is rounded, the parameters in use move
        with torch.no_grad():
            for leaf, moments, rate in zip(self._leaves, self._moments, rates, strict=True):
                _step(leaf, moments, rate)
            self._means.copy_(means_before + (self._means - means_before) * widths)
            # the features' rate follows each component's own deviation: Adam steps by rate, whatever the gradient
            scale = self._deviations.clamp_min(SMALLEST_DEVIATION)
            self._features.copy_(before + (self._features - before) * scale)
        for leaf in self._leaves:
            leaf.grad = None
        self._constrain()
        return error

    def error(self) -> float:
        """Return the squared error of the geometry in use."""
        with torch.no_grad():
            _, geometry = self._prepared()
            return float(self._backend.squared_error(geometry, self._features, self._target).total)

    def result(self) -> GaussianSet:
        """Return the set as it is, unrounded."""
        return GaussianSet(self._means.detach(), self._log_covariances.detach(), self._features.detach())

    def tensors(self) -> dict[str, Tensor]:
        """Return parameters and moments."""
        named = {}
        for name, leaf, moments in zip(_NAMES, self._leaves, self._moments, strict=True):
            named[name] = leaf.detach()
            named |= {f"{name}.{kind}": value for kind, value in moments.items()}
        return named

    def restore(self, tensors: dict[str, Tensor]) -> None:
        """Take parameters and moments."""
        device = self._means.device
        moments: list[dict[str, Tensor]] = [{} for _ in _NAMES]
        for name, value in tensors.items():
            leaf, _, kind = name.partition(".")
            if kind:  # torch keeps the step on the CPU
                moments[_NAMES.index(leaf)][kind] = value if kind == "step" else value.to(device)
        self._take([tensors[name].to(device) for name in _NAMES], moments)
        self.set_rounding(None)

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
        moments = [
            {name: value if name == "step" else (change_moments or change)(place, value) for name, value in own.items()}
            for place, own in enumerate(self._moments)
        ]
        self._take([change(place, leaf.detach()) for place, leaf in enumerate(self._leaves)], moments)
        self.set_rounding(None)

    def _take(self, values: list[Tensor], moments: list[dict[str, Tensor]] | None) -> None:
        """Make leaves of means, log-covariances and features; their moments are empty before the first step."""
        self._leaves = [value.requires_grad_() for value in values]
        self._means, self._log_covariances, self._features = self._leaves
        self._moments: list[dict[str, Tensor]] = moments or [{} for _ in values]

    def _constrain(self) -> None:
        with torch.no_grad():
            constrain(self._means, self._log_covariances, self._target.size, self._target.wrap)

    def _backward(self) -> Tensor:
        """Leave gradients in the leaves and return the squared error."""
        conics, geometry = self._prepared()
        current = self._current
        with torch.no_grad():
            if self._losses is None:
                error = self._backend.squared_error(geometry, current.features, self._target)
                weight = self._settings.l2_weight
                total, gradients = error.total, (weight * error.means, weight * error.conics, weight * error.features)
            else:
                total, gradients = self._losses.gradients(
                    geometry, current.features, self._target, self._weights, self._steps_done
                )
        # A sum with these gradients: handing them to torch.autograd.backward imports sympy, half a second of a start
        of_leaves = zip((current.means, conics, current.features), gradients, strict=True)
        whole = torch.stack([(values * gradient.to(values.dtype)).sum() for values, gradient in of_leaves]).sum()
        whole.backward()  # type: ignore[no-untyped-call]  # torch leaves it without types
        return total

    @property
    def _steps_done(self) -> int:
        """Steps with Adam so far."""
        moments = self._moments[0]
        return int(moments["step"]) if moments else 0


def _step(leaf: Tensor, moments: dict[str, Tensor], rate: float) -> None:
    """Move a leaf against its gradient, and its moments with it.

    Not ``torch.optim.Adam``, whose constructor imports torch's compiler: a second at the start of every fit; and not
    what it is made of, whose roots depend on the processor (square_root.py).
    """
    assert leaf.grad is not None
    if not moments:
        moments |= {"step": torch.zeros(()), "exp_avg": torch.zeros_like(leaf), "exp_avg_sq": torch.zeros_like(leaf)}
    moments["step"] += 1
    first, second = (1 - beta ** float(moments["step"]) for beta in BETAS)
    moments["exp_avg"].lerp_(leaf.grad, 1 - BETAS[0])
    moments["exp_avg_sq"].mul_(BETAS[1]).addcmul_(leaf.grad, leaf.grad, value=1 - BETAS[1])
    widths = square_root(moments["exp_avg_sq"]).div_(math.sqrt(second)).add_(ADAM_EPSILON)
    leaf.addcdiv_(moments["exp_avg"], widths, value=-rate / first)
