"""What a fit moves, as its loop sees it, and the limits that every step keeps.

The one in torch is :mod:`.state_torch`, the one on a GPU :mod:`.state_cuda`; :mod:`.select_state` chooses.
"""

import math
from typing import Final, Protocol

import torch
from torch import Tensor

from imagegs_tex.fit.gaussian_set import GaussianSet
from imagegs_tex.quantize.geometry import GeometryQuantizer
from imagegs_tex.quantize.geometry_torch import log_diagonal
from imagegs_tex.rasterize.backend import FitTarget

SMALLEST_LOG_SIZE: Final = 2 * math.log(0.25)
"""A quarter of a texel: below it a Gaussian slips between the texel centres."""
LARGEST_FORM: Final = 4.0
"""Length of (h, b): axes at most e^4 = 55 to 1, which float32 evaluates well."""
LARGEST_DEVIATION: Final = 0.05
"""Pictures, along an axis in which the picture repeats: long Gaussians run across the border and cost every texel on
their way. With 4, a fabric took 133 evaluations per texel, 25.15 dB and 50,650 bytes; with 0.05, 37, 25.05 and
48,402."""
_FREE_DEVIATION: Final = 24.0
"""Texels that a standard deviation may have in any case: what is short for a small picture is none of its cost."""
_MOST_PICTURES: Final = 4.0
"""The format allows copies from up to 64 pictures away, of supports of up to 8 deviations."""
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

    def tensors(self) -> dict[str, Tensor]:
        """Return parameters, moments and the optimiser's step, by name: all that steps change but the cut-off."""
        ...

    def restore(self, tensors: dict[str, Tensor]) -> None:
        """Take what :meth:`tensors` of another state of the same fit returned, bit by bit; unrounded until use."""
        ...

    def prune(self, members: Tensor) -> None:
        """Let go of all Gaussians but those of the indices int64 [M]; moments stay with theirs; unrounded until use."""
        ...

    def append(self, extra: GaussianSet) -> None:
        """Put Gaussians behind those that are there, their moments at zero; unrounded until use."""
        ...


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
    m.copy_(torch.minimum(m, 2 * math.log(most) - log_diagonal(h, b, -1 if axis else 1)).clamp_min(SMALLEST_LOG_SIZE))


def largest_deviation(size: tuple[int, int]) -> float:
    """Return the largest standard deviation along an axis that repeats, over the picture's length along that axis."""
    return min(_MOST_PICTURES, max(LARGEST_DEVIATION, _FREE_DEVIATION / min(size)))


def largest_log_size(size: tuple[int, int]) -> float:
    """Upper bound of m: a standard deviation as long as the picture's longer side."""
    return max(2 * math.log(max(size)), SMALLEST_LOG_SIZE + 1)
