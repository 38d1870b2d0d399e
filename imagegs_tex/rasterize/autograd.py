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
        geometry = backend.prepare_geometry(means.detach(), conics.detach(), cutoff, size, wrap)
        ctx.save_for_backward(means, conics, features)  # torch refuses the way back where one of them has changed
        ctx.backend, ctx.geometry = backend, geometry
        return backend.render(geometry, features.detach())

    @staticmethod
    def backward(ctx: Any, image_gradient: Tensor) -> tuple[Tensor | None, ...]:
        _, _, features = ctx.saved_tensors
        gradients = ctx.backend.render_backward(ctx.geometry, features, image_gradient.contiguous())
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
