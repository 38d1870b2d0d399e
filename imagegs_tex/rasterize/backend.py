"""What every rasterizer backend does, and the plain data that go in and out.

One picture, several ways to compute it (docs/igs-format.md, "The picture", in component space and before the offset)::

    q_i = (A dx^2 + 2 B dx dy + C dy^2) / 2          dx, dy = texel centre - mean
    w_i = max(0, exp(-q_i) - exp(-cutoff))
    y   = sum w_i f_i / (EPSILON + sum w_i)

Shapes and units are the same everywhere: means [N, 2] in texels, conics [N, 3] = A, B, C in 1/texels^2 (positive
definite), features [N, K], images [H, W, K]. To render at another scale s, pass means * s and conics / s^2.

Where the picture repeats (``wrap``, for x and for y), a Gaussian is drawn at its mean plus every whole number of
pictures from which its support reaches in: the sums go over all of these images.
"""

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class SquaredError:
    """Sum of squared errors over all texels and components, each texel times its weight, and its gradients."""

    total: Tensor  # scalar float64
    means: Tensor  # [N, 2]
    conics: Tensor  # [N, 3], with respect to A, B, C
    features: Tensor  # [N, K]


@dataclass(frozen=True, slots=True)
class NormalEquations:
    """The picture is linear in the features: the best ones solve matrix @ features = rhs.

    With normalised weights v_i(p) = w_i / (EPSILON + sum w) and W(p), how much a texel of the target counts (1 if it
    does not say): matrix_ij = sum_p W v_i v_j, rhs_i = sum_p W v_i target(p).
    The matrix is symmetric, positive semi-definite, and sparse: an entry for each pair whose supports share a tile.
    """

    row_starts: Tensor  # int64 [N + 1]
    columns: Tensor  # int32 [M], each once per row, in any order
    values: Tensor  # float64 [M]
    diagonal: Tensor  # float64 [N]
    rhs: Tensor  # float64 [N, K]


class FitTarget(Protocol):
    """A picture that a backend has brought into the order in which it reads it; made once per fit."""

    @property
    def width(self) -> int:
        """Texels across."""
        ...

    @property
    def height(self) -> int:
        """Texels down."""
        ...

    @property
    def component_count(self) -> int:
        """K."""
        ...

    @property
    def wrap(self) -> tuple[bool, bool]:
        """Whether the picture repeats in x and in y."""
        ...


class Backend(Protocol):
    """One way to compute the picture. Deterministic: the same call gives the same bits, whatever the thread count."""

    name: str
    device: torch.device
    threads: int  # CPU threads, also for what every backend leaves to the CPU

    def render(
        self,
        means: Tensor,
        conics: Tensor,
        features: Tensor,
        cutoff: float,
        size: tuple[int, int],
        wrap: tuple[bool, bool] = (False, False),
    ) -> Tensor:
        """Return the picture [H, W, K] for size = (width, height) in texels."""
        ...

    def render_backward(
        self,
        means: Tensor,
        conics: Tensor,
        features: Tensor,
        cutoff: float,
        image_gradient: Tensor,
        wrap: tuple[bool, bool] = (False, False),
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return the gradients of means, conics and features for the gradient [H, W, K] of the picture."""
        ...

    def prepare_target(
        self, image: Tensor, weights: Tensor | None = None, wrap: tuple[bool, bool] = (False, False)
    ) -> FitTarget:
        """Bring a picture [H, W, K] into this backend's own order; whatever is done with it then repeats as it does.

        Weights [H, W], float32 and >= 0, say how much the squared error of each texel counts; None: 1 for each.
        """
        ...

    def squared_error(
        self, means: Tensor, conics: Tensor, features: Tensor, cutoff: float, target: FitTarget
    ) -> SquaredError:
        """Render, compare with the target and differentiate, fused."""
        ...

    def leave_one_out(
        self, means: Tensor, conics: Tensor, features: Tensor, cutoff: float, target: FitTarget
    ) -> Tensor:  # fmt: skip
        """Return by how much the squared error grows without each Gaussian, all else as it is, float64 [N].

        Each image of a Gaussian is left out by itself: an approximation only where two of them overlap.
        """
        ...

    def normal_equations(self, means: Tensor, conics: Tensor, cutoff: float, target: FitTarget) -> NormalEquations:
        """Return the linear system of the features for fixed geometry."""
        ...

    def multiply(self, equations: NormalEquations, vectors: Tensor) -> Tensor:
        """Return matrix @ vectors for float64 vectors [N, K]."""
        ...

    def solve_features(
        self, equations: NormalEquations, features: Tensor, iterations: int, damping: Tensor
    ) -> Tensor:  # fmt: skip
        """Improve features, float32 [N, K]: see :func:`imagegs_tex.rasterize.conjugate_gradient.conjugate_gradient`."""
        ...


def check_arguments(means: Tensor, conics: Tensor, features: Tensor) -> None:
    """Raise ValueError when the shapes do not belong together."""
    count = means.shape[0]
    if means.shape != (count, 2) or conics.shape != (count, 3) or features.ndim != 2 or features.shape[0] != count:
        raise ValueError(
            f"means {tuple(means.shape)}, conics {tuple(conics.shape)} and features {tuple(features.shape)} "
            "must be [N, 2], [N, 3] and [N, K]"
        )
