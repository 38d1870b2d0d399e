"""What differentiates the losses of a fit beside the squared error: numba on the CPU, torch elsewhere."""

from typing import Protocol

from torch import Tensor

from imagegs_tex.fit.losses import squared_error_only
from imagegs_tex.fit.losses_cpu import CpuLosses
from imagegs_tex.fit.losses_torch import TorchLosses
from imagegs_tex.fit.problem import ChannelMix
from imagegs_tex.rasterize.backend import Backend, FitTarget, PreparedGeometry
from imagegs_tex.rasterize.cpu.backend import CpuBackend
from imagegs_tex.settings import FitSettings


class Losses(Protocol):
    """All losses of one picture together."""

    def gradients(
        self, geometry: PreparedGeometry, features: Tensor, target: FitTarget, weights: Tensor | None, turn: int
    ) -> tuple[Tensor, tuple[Tensor, Tensor, Tensor]]:
        """Return the squared error, float64 scalar, and the gradients of means, conics and features of all losses.

        Args:
            geometry: of the Gaussians
            features: float32 [N, K]
            target: the picture
            weights: float32 [H, W], how much each of its texels counts; None: 1
            turn: number of the step: windows of the SSIM take turns
        """
        ...


def make_losses(image: Tensor, mix: ChannelMix | None, settings: FitSettings, backend: Backend) -> Losses | None:
    """Return the losses of a picture [H, W, K]; None: the squared error alone, which backends differentiate."""
    if squared_error_only(settings):
        return None
    if isinstance(backend, CpuBackend):
        return CpuLosses(image, mix, settings, backend)
    return TorchLosses(image, mix, settings, backend)
