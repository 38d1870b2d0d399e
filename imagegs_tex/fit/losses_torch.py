"""All losses of a fit in torch, for every backend: one picture, one way back."""

import torch
from torch import Tensor

from imagegs_tex.fit.losses import further_losses, shown_channels
from imagegs_tex.fit.problem import ChannelMix
from imagegs_tex.rasterize.backend import Backend, FitTarget, PreparedGeometry
from imagegs_tex.settings import FitSettings


class TorchLosses:
    """:func:`imagegs_tex.fit.losses.further_losses` and the squared error; see :class:`.select_losses.Losses`."""

    def __init__(self, image: Tensor, mix: ChannelMix | None, settings: FitSettings, backend: Backend) -> None:
        self._image, self._mix, self._settings, self._backend = image, mix, settings, backend
        self._wanted = shown_channels(image, mix) if settings.ssim_weight else None

    def gradients(
        self, geometry: PreparedGeometry, features: Tensor, target: FitTarget, weights: Tensor | None, turn: int
    ) -> tuple[Tensor, tuple[Tensor, Tensor, Tensor]]:
        """Return the squared error, and the gradients of means, conics and features of all losses together."""
        settings = self._settings
        with torch.no_grad():
            picture = self._backend.render(geometry, features)
        with torch.enable_grad():
            loss = further_losses(
                picture.requires_grad_(), self._image, settings, weights=weights, mix=self._mix, turn=turn,
                wanted=self._wanted,
            )  # fmt: skip
        (gradient,) = torch.autograd.grad(loss, picture)
        with torch.no_grad():
            difference = picture - self._image
            weighed = difference if weights is None else difference * weights[..., None]
            total = torch.sum(weighed * difference, dtype=torch.float64)
            gradient = gradient.add(weighed, alpha=2 * settings.l2_weight).contiguous()
            return total, self._backend.render_backward(geometry, features, gradient)
