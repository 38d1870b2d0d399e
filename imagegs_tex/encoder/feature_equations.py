"""The linear system of a picture's features: solved, and in the Gaussians' own scales."""

from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imagegs_tex.formats.igs import quantized_set as g
from imagegs_tex.rasterize.backend import Backend, FitTarget, NormalEquations, PreparedGeometry
from imagegs_tex.settings import FitSettings, Precision

ITERATIONS: Final = 40
"""Of conjugate gradients before a file's features are rounded; 60 changed nothing."""
ITERATIONS_OF_A_SWEEP: Final = 20
"""The same where geometry codes are refined beside them: 40 made files of nine cases 0.02 % smaller, 12 as large."""
_DAMPING: Final = 0.1
"""Of these solves, relative to those within the fit."""


def solve(
    geometry: PreparedGeometry,
    features: Tensor,
    target: FitTarget,
    settings: FitSettings,
    backend: Backend,
    iterations: int = ITERATIONS,
) -> tuple[NormalEquations, Tensor]:
    """Return the equations of the features [N, K] of a picture, and their solution, begun from some features."""
    equations = backend.normal_equations(geometry, target)
    damping = settings.solve_damping * _DAMPING
    return equations, backend.solve_features(equations, features, iterations, damping)


def in_own_units(equations: NormalEquations, features: Tensor, scales: Tensor) -> tuple[NormalEquations, Tensor]:
    """Return the equations of features [N, K] that are counted in each Gaussian's own scale [N], and those features."""
    values = torch.repeat_interleave(scales, equations.row_starts.diff())  # in place: large pictures have 10^8 of them
    values.mul_(equations.values).mul_(scales.index_select(0, equations.columns))
    own = NormalEquations(
        row_starts=equations.row_starts, columns=equations.columns, values=values,
        diagonal=equations.diagonal * scales.square(), rhs=equations.rhs * scales[:, None],
    )  # fmt: skip
    return own, features.double() / scales[:, None]


def bit_price(precision: Precision, feature_step: float, diagonal: NDArray[np.float64]) -> float:
    """Return the squared error that one bit is worth: what a feature's rounding costs where it saves a bit.

    Args:
        precision: for the weight of a bit
        feature_step: the largest, in the unit of the equations
        diagonal: [N] of the equations, in each Gaussian's own scale
    """
    return precision.rate_weight * feature_step**2 * float(np.median(diagonal))


def geometry_of(
    means: NDArray[np.floating], log_covariances: NDArray[np.floating], cutoff: float, target: FitTarget,
    backend: Backend,
) -> PreparedGeometry:  # fmt: skip
    """Return what the backend makes of means [N, 2] and log-covariances [N, 3] as values that a file can hold."""
    positions = torch.from_numpy(means.astype(np.float32)).to(backend.device)
    conics = torch.from_numpy(g.conics_of(log_covariances).astype(np.float32)).to(backend.device)
    return backend.prepare_geometry(positions, conics, cutoff, target.size, target.wrap)
