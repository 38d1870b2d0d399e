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
        wrap: tuple[bool, bool],
    ) -> Tensor:
        ctx.save_for_backward(means, conics, features)
        ctx.backend, ctx.cutoff, ctx.wrap = backend, cutoff, wrap
        return backend.render(means.detach(), conics.detach(), features.detach(), cutoff, size, wrap)

    @staticmethod
    def backward(ctx: Any, image_gradient: Tensor) -> tuple[Tensor | None, ...]:
        means, conics, features = ctx.saved_tensors
        gradient = image_gradient.contiguous()
        gradients = ctx.backend.render_backward(means, conics, features, ctx.cutoff, gradient, ctx.wrap)
        return (*gradients, None, None, None, None)


def rasterize(
    means: Tensor,
    conics: Tensor,
    features: Tensor,
    backend: Backend,
    cutoff: float,
    size: tuple[int, int],
    wrap: tuple[bool, bool] = (False, False),
) -> Tensor:
    """Render the picture, differentiable with respect to means, conics and features.

    Args:
        means: [N, 2] x, y in texels
        conics: [N, 3] A, B, C of the inverse covariance in 1/texels^2, positive definite
        features: [N, K]
        backend: which code computes it
        cutoff: q at which a support ends
        size: width and height in texels
        wrap: whether the picture repeats in x and in y

    Returns:
        [H, W, K]
    """
    image: Tensor = _Rasterize.apply(  # type: ignore[no-untyped-call]  # torch leaves it without types
        means, conics, features, backend, cutoff, size, wrap
    )
    return image
