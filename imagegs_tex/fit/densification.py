"""Which Gaussians a fit lets go of, and where it puts new ones: pruning and densification.

A fit starts with more Gaussians than it ends with, keeps those that the picture needs most, and puts new ones where its
error is: Image-GS adds Gaussians there too (Zhang et al. 2025). That takes a fifth off the bytes at equal PSNR
(docs/experiments/placement.md).
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor

from imagegs_tex.fit.gaussian_set import GaussianSet
from imagegs_tex.fit.initialise import Products, initialise
from imagegs_tex.fit.problem import squared_errors
from imagegs_tex.fit.state import FitState
from imagegs_tex.rasterize.backend import Backend, FitTarget, PreparedGeometry
from imagegs_tex.settings import FitSettings

PRUNING_ROUNDS: Final = 4
"""Two that overlap may each be dispensable, but not both: at once left holes, 0.7 % more bytes; 8 are no better."""
_MOST_GROWTH: Final = 1.5
"""Over the number that is expected, where Gaussians are balanced with others."""
_LEAST_WORTH: Final = 0.05
"""Share of Gaussians that are worth less than :func:`usual_worth`. Where a material was edited and fitted anew, that is
the same within 8 % inside and outside (stylized_stone_floor_001, 1024 x 1024, of 1,548 and 8,004 Gaussians)."""
_LEAST_ERROR: Final = 1e-6
"""Share of the mean that every texel has at least, so that a picture without error gets new Gaussians too."""


@dataclass(frozen=True, slots=True)
class Population:
    """What changes of one fit's population need to know."""

    image: Tensor  # float32 [H, W, K] in component space
    weights: Tensor | None  # float32 [H, W], how much each texel's squared error counts; None: 1
    target: FitTarget  # the same picture as the backend has it
    backend: Backend
    generator: np.random.Generator  # decides between equally good places
    initial_size: float = FitSettings().initial_size  # standard deviation of new ones over the spacing around them
    gradients: Products | None = None  # of the picture; None: found where needed

    def change(self, state: FitState, kept: int, total: int) -> Tensor:
        """Keep at most so many Gaussians of a state, and add new ones behind them until there are so many in all.

        Returns:
            int64 [M]: which of those that were there have stayed
        """
        count = state.result().count
        stayed = torch.arange(count, device=self.backend.device)
        for left in np.rint(np.linspace(count, kept, PRUNING_ROUNDS + 1))[1:].astype(int).tolist():
            if left < state.result().count:
                members = most_important(self._importance(state), left)
                stayed = stayed[members]
                state.prune(members)
                state.solve()
        missing = total - state.result().count
        if missing > 0:
            state.append(self._where_the_error_is(state, missing))
        return stayed

    def balance(self, state: FitState, count: int, worth: float) -> Tensor:
        """Leave a state as many Gaussians that each is worth what others are; returns as :meth:`change`.

        With N of them the squared error falls like 1/N, and what each takes off it like 1/N^2.

        Args:
            state: that is changed
            count: about how many there are then
            worth: squared error that others take off it, as :func:`usual_worth` has it
        """
        stayed = self.change(state, count, count)
        found = max(usual_worth(self._importance(state)), 0.0)
        wanted = max(1, round(count * min(math.sqrt(found / max(worth, 1e-30)), _MOST_GROWTH)))
        return stayed[self.change(state, min(wanted, count), wanted)]

    def picture(self, state: FitState) -> Tensor:
        """Return what a state draws, float32 [H, W, K]."""
        return self.backend.render(self._prepared(state), state.result().features)

    def _importance(self, state: FitState) -> Tensor:
        """Return by how much the squared error grows without each Gaussian, float64 [N]."""
        return self.backend.leave_one_out(self._prepared(state), state.result().features, self.target)

    def _prepared(self, state: FitState) -> PreparedGeometry:
        """Return what the backend makes of a state's geometry, unrounded."""
        gaussians = state.result()
        return self.backend.prepare_geometry(
            gaussians.means, gaussians.conics, state.cutoff, self.target.size, self.target.wrap
        )

    def _where_the_error_is(self, state: FitState, count: int) -> GaussianSet:
        """Return new Gaussians for what a state leaves of the picture, sized as part of all that there are then."""
        gaussians, wrap = state.result(), self.target.wrap
        error = squared_errors(self.picture(state), self.image)
        if self.weights is not None:
            error = error * self.weights
        mean = error.mean(dtype=torch.float64).float().clamp_min(torch.finfo(torch.float32).tiny)
        # the density follows the weights' root: with the error itself for a weight, files were 1 % larger
        density, settings = (error / mean).square() + _LEAST_ERROR, FitSettings(initial_size=self.initial_size)
        found = initialise(self.image, count, self.generator, density, wrap, settings, products=self.gradients)
        shapes = found.log_covariances.clone()
        shapes[:, 0] -= math.log((gaussians.count + count) / count)
        return GaussianSet(found.means, shapes, found.features)


def most_important(importance: Tensor, count: int) -> Tensor:
    """Return the indices of the greatest values of [N], int64 [count], ascending; the first of equal ones."""
    order = torch.sort(importance, descending=True, stable=True).indices
    return torch.sort(order[:count]).values


def usual_worth(importance: Tensor) -> float:
    """Return what nearly all of a fit's Gaussians are worth at least, of the importance [N] of all."""
    return float(torch.quantile(importance, _LEAST_WORTH))
