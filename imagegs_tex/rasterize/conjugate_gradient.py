"""The features for fixed geometry: a sparse linear system, solved by conjugate gradients.

Adam alone gets there too, but slowly: neighbouring Gaussians overlap, so the features are strongly coupled. A few
iterations of this between Adam's steps are worth 0.2 to 3 dB at the same number of steps:
docs/experiments/optimiser.md.
"""

from collections.abc import Callable
from typing import Final

import torch
from torch import Tensor

from imagegs_tex.rasterize.backend import NormalEquations

LEAST_ENERGY: Final = 1e-300
"""What is divided by at least."""
LEAST_DAMPING: Final = 1e-12
"""What is added to the diagonal at least."""


def damping_of(equations: NormalEquations, relative: float) -> Tensor:
    """Return a damping relative to the matrix's median diagonal entry, float64 scalar.

    To the greatest where most Gaussians meet no texel's centre: without any, features of the others ran away (a start
    of 746 Gaussians on a picture of 3 x 3).
    """
    median = equations.diagonal.median()
    return relative * torch.where(median > 0, median, equations.diagonal.amax()) + LEAST_DAMPING


def conjugate_gradient(
    multiply: Callable[[NormalEquations, Tensor], Tensor],
    equations: NormalEquations,
    features: Tensor,
    iterations: int,
    damping: Tensor,
) -> Tensor:
    """Improve features by conjugate gradients with a diagonal preconditioner.

    Hestenes and Stiefel, "Methods of conjugate gradients for solving linear systems", 1952.

    Args:
        multiply: a backend's product of the matrix with vectors
        equations: the system of the current geometry
        features: float32 [N, K], where to start and what the damping pulls towards
        iterations: each costs one multiplication
        damping: float64 scalar, added to the diagonal, in its unit; keeps features of almost invisible Gaussians in
            bounds, and all of them small, which is worth bits

    Returns:
        float32 [N, K]
    """
    start = features.double()
    diagonal = (equations.diagonal + damping)[:, None]
    solution = start.clone()
    residual = equations.rhs - multiply(equations, start)
    preconditioned = residual / diagonal
    direction = preconditioned.clone()
    energy = (residual * preconditioned).sum(dim=0)
    for _ in range(iterations):
        product = multiply(equations, direction) + damping * direction
        step = energy / (direction * product).sum(dim=0).clamp_min(LEAST_ENERGY)
        solution += step * direction
        residual -= step * product
        preconditioned = residual / diagonal
        next_energy = (residual * preconditioned).sum(dim=0)
        direction = preconditioned + (next_energy / energy.clamp_min(LEAST_ENERGY)) * direction
        energy = next_energy
    return solution.to(features.dtype)
