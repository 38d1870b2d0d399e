"""The differentiable operation: :func:`rasterize` is torch's view of any backend."""

from typing import Any

import torch
from torch import Tensor

from imagegs_tex.rasterize.backend import Backend


class _Rasterize(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        means: Tensor,
        conics: Tensor,
        features: Tensor,
        backend: Backend,
        cutoff: float,
        size: tuple[int, int],
    ) -> Tensor:
        ctx.save_for_backward(means, conics, features)
        ctx.backend, ctx.cutoff = backend, cutoff
        return backend.render(means.detach(), conics.detach(), features.detach(), cutoff, size)

    @staticmethod
    def backward(ctx: Any, image_gradient: Tensor) -> tuple[Tensor | None, ...]:
        means, conics, features = ctx.saved_tensors
        gradients = ctx.backend.render_backward(means, conics, features, ctx.cutoff, image_gradient.contiguous())
        return (*gradients, None, None, None)


def rasterize(
    means: Tensor, conics: Tensor, features: Tensor, backend: Backend, cutoff: float, size: tuple[int, int]
) -> Tensor:
    """Render the picture, differentiable with respect to means, conics and features.

    Args:
        means: [N, 2] x, y in texels
        conics: [N, 3] A, B, C of the inverse covariance in 1/texels^2, positive definite
        features: [N, K]
        backend: which code computes it
        cutoff: q at which a support ends
        size: width and height in texels

    Returns:
        [H, W, K]
    """
    # torch leaves Function.apply without types
    image: Tensor = _Rasterize.apply(means, conics, features, backend, cutoff, size)  # type: ignore[no-untyped-call]
    return image
