"""Which state a fit has: the one on the GPU where the backend is there, else the one in torch."""

from torch import Tensor

from imagegs_tex.fit.gaussian_set import GaussianSet
from imagegs_tex.fit.problem import ChannelMix
from imagegs_tex.fit.select_losses import make_losses
from imagegs_tex.fit.state import FitState
from imagegs_tex.fit.state_cuda import CudaFitState
from imagegs_tex.fit.state_torch import TorchFitState
from imagegs_tex.rasterize.backend import Backend, FitTarget
from imagegs_tex.rasterize.cuda.backend import CudaBackend
from imagegs_tex.settings import FitSettings


def make_state(
    start: GaussianSet,
    image: Tensor,
    deviations: Tensor,
    target: FitTarget,
    settings: FitSettings,
    backend: Backend,
    *,
    weights: Tensor | None = None,
    mix: ChannelMix | None = None,
) -> FitState:
    """Return the state of a fit.

    Args:
        start: the Gaussians that it begins with
        image: float32 [H, W, K] in component space
        deviations: float32 [K] of its components
        target: the same picture as the backend has it
        settings: rates, and which losses count
        backend: the rasterizer
        weights: float32 [H, W], how much each texel's error counts, as the target knows it too; None: 1
        mix: of components to channels; None: they are the channels
    """
    if isinstance(backend, CudaBackend):
        losses = make_losses(image, mix, settings, backend)
        return CudaFitState(start, deviations, target, settings, backend, losses=losses, weights=weights)
    return TorchFitState(start, image, deviations, target, settings, backend, weights=weights, mix=mix)
