"""All losses of a fit on the CPU, with the gradient of the picture in the tiles that the rasterizer reads."""

import numpy as np
import torch
from torch import Tensor

from imagegs_tex.fit import similarity_kernels as kernels
from imagegs_tex.fit.losses import shown_channels
from imagegs_tex.fit.problem import ChannelMix
from imagegs_tex.fit.similarity import Planes, planes_of, replace_by_gradient
from imagegs_tex.rasterize.backend import TILE, FitTarget, PreparedGeometry, made_by
from imagegs_tex.rasterize.cpu.backend import CpuBackend, CpuTarget
from imagegs_tex.settings import FitSettings


class CpuLosses:
    """What :func:`imagegs_tex.fit.losses.further_losses` is, and the squared error, without torch's way back.

    See :class:`imagegs_tex.fit.select_losses.Losses`.
    With torch, three quarters of a step's time went into copies of pictures between components and channels, and
    between rows and tiles.
    """

    def __init__(self, image: Tensor, mix: ChannelMix | None, settings: FitSettings, backend: CpuBackend) -> None:
        components = image.shape[2]
        if mix is None:
            mix = ChannelMix(torch.eye(components), torch.zeros(components))
        channels = mix.basis.shape[1] if settings.ssim_weight else 0
        self._basis = np.ascontiguousarray(mix.basis.numpy()[:, :channels], np.float32)
        self._offset = np.ascontiguousarray(mix.offset.numpy()[:channels], np.float32)
        self._wanted: Planes = planes_of(shown_channels(image, mix)[..., :channels])
        self._settings, self._backend = settings, backend

    def gradients(
        self, geometry: PreparedGeometry, features: Tensor, target: FitTarget, weights: Tensor | None, turn: int
    ) -> tuple[Tensor, tuple[Tensor, Tensor, Tensor]]:
        """Return the squared error, and the gradients of means, conics and features of all losses together."""
        backend, settings, wanted = self._backend, self._settings, made_by(CpuTarget, target)
        height, width, across = wanted.height, wanted.width, -(-wanted.width // TILE)
        tiles, run = np.empty_like(wanted.planes), backend.workers.run
        backend.run_over_tiles(kernels.render_in_tiles, geometry, features, tiles)
        shown = np.empty_like(self._wanted)
        if settings.ssim_weight:
            run(kernels.show_channels, len(tiles), tiles, self._basis, self._offset, height, across, shown)
            texels = height * width if weights is None else float(weights.sum())
            scale = -settings.ssim_weight * texels * len(self._offset)
            replace_by_gradient(
                shown, self._wanted, (height, width), backend.workers, weights=weights, turn=turn, scale=scale
            )
        errors = np.empty(len(tiles), np.float32)
        run(
            kernels.total_gradient, len(tiles), tiles, wanted.planes, wanted.importance, self._basis, shown, height,
            across, np.float32(settings.l2_weight), np.float32(settings.l1_weight), errors,
        )  # fmt: skip
        return torch.tensor(errors.astype(np.float64).sum()), backend.backward_of_tiles(geometry, features, tiles)
