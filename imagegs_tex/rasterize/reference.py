"""The reference backend: plain torch, every copy of every Gaussian at every texel, any device, float32 or float64.

It defines what is right; nothing here is fast. Gradients come from torch's autograd.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from imagegs_tex.formats.igs.quantized_set import EPSILON
from imagegs_tex.rasterize.backend import (
    FitTarget,
    Frame,
    NormalEquations,
    PreparedGeometry,
    SquaredError,
    check_features,
    check_geometry,
    check_target,
    made_by,
)
from imagegs_tex.rasterize.conjugate_gradient import conjugate_gradient, damping_of
from imagegs_tex.rasterize.cpu.threads import available_threads
from imagegs_tex.square_root import square_root

_TEXELS_AT_ONCE = 1 << 22
"""Gaussian-texel pairs evaluated in one chunk: bounds the memory."""


@dataclass(frozen=True, slots=True)
class ReferenceGeometry:
    """Means and conics as they came, of any dtype; gradients flow into them."""

    means: Tensor  # [N, 2]
    conics: Tensor  # [N, 3]
    frame: Frame

    @property
    def count(self) -> int:
        """N."""
        return int(self.means.shape[0])

    def copy_shifts(self) -> list[tuple[int, int]]:
        """Return x, y from a Gaussian to each of its copies, in texels."""
        return copy_shifts(self.means, self.conics, self.frame)

    def weights(self, centres: Tensor, shifts: list[tuple[int, int]]) -> Tensor:
        """Return the weights [P, N] at texel centres [P, 2], each summed over a Gaussian's copies."""
        offsets = centres[:, None, :] - self.means[None, :, :]
        cutoff_weight = torch.exp(torch.tensor(-self.frame.cutoff, dtype=self.means.dtype, device=self.means.device))
        weights = torch.zeros_like(offsets[..., 0])
        for shift_x, shift_y in shifts:
            dx, dy = offsets[..., 0] - shift_x, offsets[..., 1] - shift_y
            q = (self.conics[:, 0] * dx * dx + 2 * self.conics[:, 1] * dx * dy + self.conics[:, 2] * dy * dy) / 2
            weights = weights + (torch.exp(-q) - cutoff_weight).clamp_min(0)
        return weights

    def normalised(self, centres: Tensor, shifts: list[tuple[int, int]]) -> Tensor:
        """Return the weights [P, N] over EPSILON and their sum."""
        weights = self.weights(centres, shifts)
        return weights / (EPSILON + weights.sum(dim=1, keepdim=True))


@dataclass(frozen=True, slots=True)
class ReferenceTarget:
    """The picture as it came."""

    image: Tensor  # [H, W, K]
    weights: Tensor  # [H, W], of the picture's dtype
    wrap: tuple[bool, bool]  # whether it repeats in x and in y

    @property
    def width(self) -> int:
        """Texels across."""
        return int(self.image.shape[1])

    @property
    def height(self) -> int:
        """Texels down."""
        return int(self.image.shape[0])

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in texels."""
        return self.width, self.height

    @property
    def component_count(self) -> int:
        """K."""
        return int(self.image.shape[2])


class ReferenceBackend:
    """Brute force in torch; see :class:`imagegs_tex.rasterize.backend.Backend`."""

    name = "reference"

    def __init__(self, device: torch.device | str = "cpu", threads: int | None = None) -> None:
        self.threads = threads or available_threads()
        self.device = torch.device(device)

    def prepare_geometry(
        self,
        means: Tensor,
        conics: Tensor,
        cutoff: float,
        size: tuple[int, int],
        wrap: tuple[bool, bool] = (False, False),
    ) -> PreparedGeometry:
        """Keep the Gaussians as they are."""
        check_geometry(means, conics)
        return ReferenceGeometry(means, conics, Frame(cutoff, size, wrap))

    def prepare_target(
        self, image: Tensor, weights: Tensor | None = None, wrap: tuple[bool, bool] = (False, False)
    ) -> FitTarget:
        """Keep the picture as it is."""
        image = image.to(self.device)
        return ReferenceTarget(image, torch.ones_like(image[..., 0]) if weights is None else weights.to(image), wrap)

    def render(self, geometry: PreparedGeometry, features: Tensor) -> Tensor:
        """Return the picture [H, W, K]; differentiable, with respect to means and conics too."""
        check_features(features, geometry)
        own, (width, height) = made_by(ReferenceGeometry, geometry), geometry.frame.size
        chunk = max(1, _TEXELS_AT_ONCE // max(1, own.count))
        centres, shifts = texel_centres(width, height, own.means), own.copy_shifts()
        rows = [
            own.normalised(centres[start : start + chunk], shifts) @ features
            for start in range(0, width * height, chunk)
        ]
        return torch.cat(rows).reshape(height, width, features.shape[1])

    def render_backward(
        self, geometry: PreparedGeometry, features: Tensor, image_gradient: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return the gradients of means, conics and features."""
        leaves, image = self._differentiable(made_by(ReferenceGeometry, geometry), features)
        gradients = torch.autograd.grad(image, leaves, image_gradient)
        return gradients[0], gradients[1], gradients[2]

    def _differentiable(self, geometry: ReferenceGeometry, features: Tensor) -> tuple[list[Tensor], Tensor]:
        """Return means, conics and features as leaves, and the picture that is made of them."""
        leaves = [tensor.detach().requires_grad_() for tensor in (geometry.means, geometry.conics, features)]
        with torch.enable_grad():
            return leaves, self.render(ReferenceGeometry(leaves[0], leaves[1], geometry.frame), leaves[2])

    def squared_error(self, geometry: PreparedGeometry, features: Tensor, target: FitTarget) -> SquaredError:
        """Render, compare and differentiate through autograd."""
        check_target(target, geometry)
        wanted = made_by(ReferenceTarget, target)
        leaves, image = self._differentiable(made_by(ReferenceGeometry, geometry), features)
        with torch.enable_grad():
            total = (wanted.weights * (image - wanted.image).double().square().sum(dim=2)).sum()
            gradients = torch.autograd.grad(total, leaves)
        return SquaredError(total.detach(), *gradients)

    def leave_one_out(self, geometry: PreparedGeometry, features: Tensor, target: FitTarget) -> Tensor:
        """Render the picture without each Gaussian, and without each of its copies where it has several."""
        check_target(target, geometry)
        own, wanted = made_by(ReferenceGeometry, geometry), made_by(ReferenceTarget, target)
        centres = texel_centres(wanted.width, wanted.height, own.means)
        by_copy = [own.weights(centres, [shift]) for shift in own.copy_shifts()]
        total = EPSILON + sum(weights.sum(dim=1) for weights in by_copy)
        sums = sum(weights @ features for weights in by_copy)
        image = wanted.image.reshape(-1, wanted.component_count)
        importance = wanted.weights.reshape(-1).double()

        def error(weights: Tensor, feature: Tensor) -> Tensor:
            picture = (sums - weights[:, None] * feature) / (total - weights).clamp_min(EPSILON)[:, None]
            return (importance * (picture - image).double().square().sum(dim=1)).sum()

        whole = error(torch.zeros_like(centres[:, 0]), features[0])
        errors = [
            sum((error(weights[:, n], feature) - whole for weights in by_copy), torch.zeros_like(whole))
            for n, feature in enumerate(features)
        ]
        return torch.stack(errors)

    def normal_equations(self, geometry: PreparedGeometry, target: FitTarget) -> NormalEquations:
        """Accumulate the dense matrix over chunks of texels and keep its non-zero entries."""
        check_target(target, geometry)
        own, wanted = made_by(ReferenceGeometry, geometry), made_by(ReferenceTarget, target)
        matrix = torch.zeros(own.count, own.count, dtype=torch.float64, device=self.device)
        rhs = torch.zeros(own.count, wanted.component_count, dtype=torch.float64, device=self.device)
        centres, shifts = texel_centres(wanted.width, wanted.height, own.means), own.copy_shifts()
        flat = wanted.image.reshape(-1, wanted.component_count)
        importance = wanted.weights.reshape(-1, 1).double()
        chunk = max(1, _TEXELS_AT_ONCE // own.count)
        for start in range(0, len(centres), chunk):
            weights = own.normalised(centres[start : start + chunk], shifts).double()
            weighted = weights * importance[start : start + chunk]
            matrix += weighted.T @ weights
            rhs += weighted.T @ flat[start : start + chunk].double()
        sparse = matrix.to_sparse_csr()
        return NormalEquations(
            sparse.crow_indices(), sparse.col_indices().int(), sparse.values(), matrix.diagonal().clone(), rhs
        )

    def multiply(self, equations: NormalEquations, vectors: Tensor) -> Tensor:
        """Return matrix @ vectors."""
        count = vectors.shape[0]
        matrix = torch.sparse_csr_tensor(
            equations.row_starts, equations.columns.long(), equations.values, (count, count), dtype=torch.float64
        )
        return matrix @ vectors

    def solve_features(
        self, equations: NormalEquations, features: Tensor, iterations: int, damping: float
    ) -> Tensor:  # fmt: skip
        """Improve features by conjugate gradients."""
        return conjugate_gradient(self.multiply, equations, features, iterations, damping_of(equations, damping))


def copy_shifts(means: Tensor, conics: Tensor, frame: Frame) -> list[tuple[int, int]]:
    """Return x, y from a Gaussian to each of its copies, in texels: all that any support can reach the picture from."""
    along_axes: list[list[int]] = []
    with torch.no_grad():
        variances = conics[:, [2, 0]] / (conics[:, 0] * conics[:, 2] - conics[:, 1] ** 2)[:, None]
        reach = square_root(2 * frame.cutoff * variances.double())
        for axis, size in enumerate(frame.size):
            first = last = 0
            if frame.wrap[axis] and len(means):
                first = int(torch.floor(((0.0 - means[:, axis] - reach[:, axis]) / size).min()))
                last = int(torch.ceil(((size - means[:, axis] + reach[:, axis]) / size).max()))
            along_axes.append([copy * size for copy in range(first, last + 1)])
    return [(x, y) for y in along_axes[1] for x in along_axes[0]]


def texel_centres(width: int, height: int, like: Tensor) -> Tensor:
    """Return the texel centres x, y [H * W, 2], row by row, with the dtype and device of another tensor."""
    xs = torch.arange(width, dtype=like.dtype, device=like.device) + 0.5
    ys = torch.arange(height, dtype=like.dtype, device=like.device) + 0.5
    return torch.stack(torch.meshgrid(xs, ys, indexing="xy"), dim=-1).reshape(-1, 2)
