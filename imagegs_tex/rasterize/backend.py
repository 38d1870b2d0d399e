"""What every rasterizer backend does, and the plain data that go in and out.

One picture, several ways to compute it (docs/igs-format.md, "The picture", in component space and before the offset)::

    q_i = (A dx^2 + 2 B dx dy + C dy^2) / 2          dx, dy = texel centre - mean
    w_i = max(0, exp(-q_i) - exp(-cutoff))
    y   = sum w_i f_i / (EPSILON + sum w_i)

Shapes and units are the same everywhere: means [N, 2] in texels, conics [N, 3] = A, B, C in 1/texels^2 (positive
definite), features [N, K], images [H, W, K]. To render at another scale s, pass means * s and conics / s^2.

Where the picture repeats (``wrap``, for x and for y), a Gaussian is drawn at its mean plus every whole number of
pictures from which its support reaches in: the sums go over all of these copies.
"""

import math
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

import torch
from torch import Tensor

TILE: Final = 16
"""Texels per tile side, on the CPU and on the GPU: a row fills two AVX2 or one AVX-512 register, and the GPU's threads
are laid out for it."""
LOG2_E: Final = math.log2(math.e)

Made = TypeVar("Made")


@dataclass(frozen=True, slots=True)
class Frame:
    """The picture that Gaussians are drawn into, and where their supports end."""

    cutoff: float  # q at which a support ends
    size: tuple[int, int]  # width and height in texels
    wrap: tuple[bool, bool] = (False, False)  # whether the picture repeats in x and in y


class PreparedGeometry(Protocol):
    """Means and conics as a backend reads them, in the tiles that they reach; made once, used for any number of calls.

    The tensors that it was made of must not change as long as it is in use.
    """

    @property
    def count(self) -> int:
        """N."""
        ...

    @property
    def frame(self) -> Frame:
        """The picture."""
        ...


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
    def size(self) -> tuple[int, int]:
        """Width and height in texels."""
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

    def prepare_geometry(
        self,
        means: Tensor,
        conics: Tensor,
        cutoff: float,
        size: tuple[int, int],
        wrap: tuple[bool, bool] = (False, False),
    ) -> PreparedGeometry:
        """Sort Gaussians into the tiles of a picture of size = (width, height) in texels."""
        ...

    def prepare_target(
        self, image: Tensor, weights: Tensor | None = None, wrap: tuple[bool, bool] = (False, False)
    ) -> FitTarget:
        """Bring a picture [H, W, K] into this backend's own order; geometry compared with it must repeat as it does.

        Weights [H, W], float32 and >= 0, say how much the squared error of each texel counts; None: 1 for each.
        """
        ...

    def render(self, geometry: PreparedGeometry, features: Tensor) -> Tensor:
        """Return the picture [H, W, K]."""
        ...

    def render_backward(
        self, geometry: PreparedGeometry, features: Tensor, image_gradient: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return the gradients of means, conics and features for the gradient [H, W, K] of the picture."""
        ...

    def squared_error(self, geometry: PreparedGeometry, features: Tensor, target: FitTarget) -> SquaredError:
        """Render, compare with the target and differentiate, fused."""
        ...

    def leave_one_out(self, geometry: PreparedGeometry, features: Tensor, target: FitTarget) -> Tensor:
        """Return by how much the squared error grows without each Gaussian, all else as it is, float64 [N].

        Each copy of a Gaussian is left out by itself: an approximation only where two of them overlap.
        """
        ...

    def normal_equations(self, geometry: PreparedGeometry, target: FitTarget) -> NormalEquations:
        """Return the linear system of the features."""
        ...

    def multiply(self, equations: NormalEquations, vectors: Tensor) -> Tensor:
        """Return matrix @ vectors for float64 vectors [N, K]."""
        ...

    def solve_features(
        self, equations: NormalEquations, features: Tensor, iterations: int, damping: float
    ) -> Tensor:  # fmt: skip
        """Improve features, float32 [N, K]: see :func:`imagegs_tex.rasterize.conjugate_gradient.conjugate_gradient`.

        Args:
            equations: the system of the current geometry
            features: where to start
            iterations: each costs one multiplication
            damping: relative, see :func:`imagegs_tex.rasterize.conjugate_gradient.damping_of`
        """
        ...


def check_geometry(means: Tensor, conics: Tensor) -> None:
    """Raise ValueError when the shapes do not belong together."""
    count = means.shape[0]
    if means.shape != (count, 2) or conics.shape != (count, 3):
        raise ValueError(f"means {tuple(means.shape)} and conics {tuple(conics.shape)} must be [N, 2] and [N, 3]")


def check_features(features: Tensor, geometry: PreparedGeometry) -> None:
    """Raise ValueError when features are not those of a geometry."""
    if features.ndim != 2 or features.shape[0] != geometry.count:
        raise ValueError(f"features {tuple(features.shape)} must be [N, K], of {geometry.count} Gaussians")


def check_target(target: FitTarget, geometry: PreparedGeometry) -> None:
    """Raise ValueError when a geometry was prepared for another picture than the target is."""
    if (target.size, target.wrap) != (geometry.frame.size, geometry.frame.wrap):
        raise ValueError(f"geometry for {geometry.frame} cannot be compared with {target.size}, wrap {target.wrap}")


def made_by(kind: type[Made], handle: object) -> Made:
    """Return what a backend has prepared, as its own kind; TypeError where another backend prepared it."""
    if not isinstance(handle, kind):
        raise TypeError(f"{type(handle).__name__} was prepared by another backend; {kind.__name__} is what this takes")
    return handle
