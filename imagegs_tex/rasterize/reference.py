"""The reference backend: plain torch, every image of every Gaussian at every texel, any device, float32 or float64.

It defines what is right; nothing here is fast. Gradients come from torch's autograd.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from imagegs_tex.formats.igs.quantized_set import EPSILON
from imagegs_tex.rasterize.backend import FitTarget, NormalEquations, SquaredError, check_arguments
from imagegs_tex.rasterize.conjugate_gradient import conjugate_gradient
from imagegs_tex.rasterize.cpu.threads import available_threads

_TEXELS_AT_ONCE = 1 << 22
"""Gaussian-texel pairs evaluated in one chunk: bounds the memory."""


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
    def component_count(self) -> int:
        """K."""
        return int(self.image.shape[2])


class ReferenceBackend:
    """Brute force in torch; see :class:`imagegs_tex.rasterize.backend.Backend`."""

    name = "reference"

    def __init__(self, device: torch.device | str = "cpu", threads: int | None = None) -> None:
        self.threads = threads or available_threads()
        self.device = torch.device(device)

    def render(
        self,
        means: Tensor,
        conics: Tensor,
        features: Tensor,
        cutoff: float,
        size: tuple[int, int],
        wrap: tuple[bool, bool] = (False, False),
    ) -> Tensor:
        """Return the picture [H, W, K]; differentiable."""
        check_arguments(means, conics, features)
        width, height = size
        chunk = max(1, _TEXELS_AT_ONCE // max(1, means.shape[0]))
        centres = texel_centres(width, height, means)
        shifts = image_shifts(means, conics, cutoff, size, wrap)
        rows = [
            _normalised(means, conics, cutoff, centres[start : start + chunk], shifts) @ features
            for start in range(0, width * height, chunk)
        ]
        return torch.cat(rows).reshape(height, width, features.shape[1])

    def render_backward(
        self,
        means: Tensor,
        conics: Tensor,
        features: Tensor,
        cutoff: float,
        image_gradient: Tensor,
        wrap: tuple[bool, bool] = (False, False),
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return the gradients of means, conics and features."""
        height, width, _ = image_gradient.shape
        leaves = [tensor.detach().requires_grad_() for tensor in (means, conics, features)]
        with torch.enable_grad():
            image = self.render(leaves[0], leaves[1], leaves[2], cutoff, (width, height), wrap)
            gradients = torch.autograd.grad(image, leaves, image_gradient)
        return gradients[0], gradients[1], gradients[2]

    def prepare_target(
        self, image: Tensor, weights: Tensor | None = None, wrap: tuple[bool, bool] = (False, False)
    ) -> FitTarget:
        """Keep the picture as it is."""
        image = image.to(self.device)
        return ReferenceTarget(image, torch.ones_like(image[..., 0]) if weights is None else weights.to(image), wrap)

    def squared_error(
        self, means: Tensor, conics: Tensor, features: Tensor, cutoff: float, target: FitTarget
    ) -> SquaredError:
        """Render, compare and differentiate through autograd."""
        assert isinstance(target, ReferenceTarget)
        leaves = [tensor.detach().requires_grad_() for tensor in (means, conics, features)]
        with torch.enable_grad():
            image = self.render(leaves[0], leaves[1], leaves[2], cutoff, (target.width, target.height), target.wrap)
            errors = (image - target.image).double().square().sum(dim=2)
            total = (target.weights * errors).sum()
            gradients = torch.autograd.grad(total, leaves)
        return SquaredError(total.detach(), *gradients)

    def leave_one_out(
        self, means: Tensor, conics: Tensor, features: Tensor, cutoff: float, target: FitTarget
    ) -> Tensor:  # fmt: skip
        """Render the picture without each Gaussian, and without each of its images where it has several."""
        assert isinstance(target, ReferenceTarget)
        centres = texel_centres(target.width, target.height, means)
        shifts = image_shifts(means, conics, cutoff, (target.width, target.height), target.wrap)
        by_image = [_weights(means, conics, cutoff, centres, [shift]) for shift in shifts]
        total = EPSILON + sum(weights.sum(dim=1) for weights in by_image)
        sums = sum(weights @ features for weights in by_image)
        wanted = target.image.reshape(-1, target.component_count)
        importance = target.weights.reshape(-1).double()

        def error(weights: Tensor, feature: Tensor) -> Tensor:
            picture = (sums - weights[:, None] * feature) / (total - weights).clamp_min(EPSILON)[:, None]
            return (importance * (picture - wanted).double().square().sum(dim=1)).sum()

        whole = error(torch.zeros_like(centres[:, 0]), features[0])
        errors = [
            sum((error(weights[:, n], feature) - whole for weights in by_image), torch.zeros_like(whole))
            for n, feature in enumerate(features)
        ]
        return torch.stack(errors)

    def normal_equations(self, means: Tensor, conics: Tensor, cutoff: float, target: FitTarget) -> NormalEquations:
        """Accumulate the dense matrix over chunks of texels and keep its non-zero entries."""
        assert isinstance(target, ReferenceTarget)
        count = means.shape[0]
        matrix = torch.zeros(count, count, dtype=torch.float64, device=self.device)
        rhs = torch.zeros(count, target.component_count, dtype=torch.float64, device=self.device)
        centres = texel_centres(target.width, target.height, means)
        shifts = image_shifts(means, conics, cutoff, (target.width, target.height), target.wrap)
        flat = target.image.reshape(-1, target.component_count)
        importance = target.weights.reshape(-1, 1).double()
        chunk = max(1, _TEXELS_AT_ONCE // count)
        for start in range(0, len(centres), chunk):
            weights = _normalised(means, conics, cutoff, centres[start : start + chunk], shifts).double()
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
        self, equations: NormalEquations, features: Tensor, iterations: int, damping: Tensor
    ) -> Tensor:  # fmt: skip
        """Improve features by conjugate gradients."""
        return conjugate_gradient(self.multiply, equations, features, iterations, damping)


def _normalised(means: Tensor, conics: Tensor, cutoff: float, centres: Tensor, shifts: list[tuple[int, int]]) -> Tensor:
    """Return the weights over their sum [P, N] at texel centres [P, 2]."""
    weights = _weights(means, conics, cutoff, centres, shifts)
    return weights / (EPSILON + weights.sum(dim=1, keepdim=True))


def _weights(means: Tensor, conics: Tensor, cutoff: float, centres: Tensor, shifts: list[tuple[int, int]]) -> Tensor:
    """Return the weights [P, N] at texel centres [P, 2], each summed over a Gaussian's images."""
    offsets = centres[:, None, :] - means[None, :, :]
    edge = torch.exp(torch.tensor(-cutoff, dtype=means.dtype, device=means.device))
    weights = torch.zeros_like(offsets[..., 0])
    for shift_x, shift_y in shifts:
        dx, dy = offsets[..., 0] - shift_x, offsets[..., 1] - shift_y
        q = (conics[:, 0] * dx * dx + 2 * conics[:, 1] * dx * dy + conics[:, 2] * dy * dy) / 2
        weights = weights + (torch.exp(-q) - edge).clamp_min(0)
    return weights


def image_shifts(
    means: Tensor, conics: Tensor, cutoff: float, size: tuple[int, int], wrap: tuple[bool, bool]
) -> list[tuple[int, int]]:
    """Return x, y from a Gaussian to each of its images, in texels: all that any support can reach the picture from."""
    along_axes: list[list[int]] = []
    with torch.no_grad():
        variances = conics[:, [2, 0]] / (conics[:, 0] * conics[:, 2] - conics[:, 1] ** 2)[:, None]
        reach = torch.sqrt(2 * cutoff * variances.double())
        for axis in (0, 1):
            first = last = 0
            if wrap[axis] and len(means):
                first = int(torch.floor(((0.0 - means[:, axis] - reach[:, axis]) / size[axis]).min()))
                last = int(torch.ceil(((size[axis] - means[:, axis] + reach[:, axis]) / size[axis]).max()))
            along_axes.append([image * size[axis] for image in range(first, last + 1)])
    return [(x, y) for y in along_axes[1] for x in along_axes[0]]


def texel_centres(width: int, height: int, like: Tensor) -> Tensor:
    """Return the texel centres x, y [H * W, 2], row by row, with the dtype and device of another tensor."""
    xs = torch.arange(width, dtype=like.dtype, device=like.device) + 0.5
    ys = torch.arange(height, dtype=like.dtype, device=like.device) + 0.5
    return torch.stack(torch.meshgrid(xs, ys, indexing="xy"), dim=-1).reshape(-1, 2)
