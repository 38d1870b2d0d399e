"""Principal components across channels: what the Gaussians' features are coefficients of.

The channels of a material are correlated (a crack is dark, rough and steep at once). In an orthonormal basis the
squared error is the same, so the fit, the rasterizer and the file all work on components, and most of the bits go to
the first few. Where channels weigh differently, the basis is orthonormal for channels times the roots of their weights,
so that the squared error of components is the weighted one of channels; the file's basis rows have the roots undone.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imagegs_tex.formats.igs.quantized_set import BASIS_CODE_MAX, OFFSET_SCALE, basis_values
from imagegs_tex.formats.row_threads import side_by_side

NEGLIGIBLE_VARIANCE: Final = 1e-7
"""Components below this variance, in squared code units (a hundredth of an 8-bit step's), are left out."""


@dataclass(frozen=True, slots=True)
class Components:
    """Codes as the file holds them, and the values they mean."""

    offset_codes: NDArray[np.uint16]  # [C]
    basis_scale: float  # float32 value
    basis_codes: NDArray[np.int16]  # [K, C]
    deviations: NDArray[np.float64]  # [K] standard deviation of each component over the texels
    channel_weights: NDArray[np.float64]  # [C] how much each channel's squared error counts
    fineness: NDArray[np.float64]  # [K] by how much finer than the feature step each component is rounded

    @property
    def count(self) -> int:
        """K."""
        return len(self.basis_codes)

    @property
    def offset(self) -> NDArray[np.float32]:
        """Mean of each channel [C], in the code domain."""
        return (self.offset_codes / OFFSET_SCALE).astype(np.float32)

    @property
    def basis(self) -> NDArray[np.float32]:
        """Rows [K, C], orthonormal times the roots of the channels' weights, but for their rounding."""
        return basis_values(self.basis_codes, self.basis_scale)

    @property
    def projection(self) -> NDArray[np.float32]:
        """Columns [C, K] that turn channels into components."""
        return np.ascontiguousarray((self.basis * self.channel_weights).T, dtype=np.float32)


def principal_components(
    texels: Tensor, weights: Tensor | None = None, channel_weights: tuple[float, ...] = ()
) -> Components:  # fmt: skip
    """Find the components of a stack's texels [H, W, C] in [0, 1], the largest first, on the device that holds them.

    With weights [H, W] a texel counts by its own, with channel weights [C] a channel does.
    """
    per_channel = np.array(channel_weights or [1.0] * texels.shape[2])
    roots = np.sqrt(per_channel)
    flat = texels.reshape(-1, texels.shape[2])
    importance = None if weights is None else weights.reshape(-1)
    means = flat.mean(dim=0, dtype=torch.float64) if importance is None else _weighted_means(flat, importance)
    offset_codes = np.rint(means.cpu().numpy() * OFFSET_SCALE).astype(np.uint16)
    covariance = _covariance(flat, torch.from_numpy(offset_codes / OFFSET_SCALE).to(flat.device), importance)
    variances, vectors = np.linalg.eigh(covariance.cpu().numpy() * np.outer(roots, roots))
    order = np.argsort(-variances, kind="stable")
    variances, rows = np.maximum(variances[order], 0.0), vectors[:, order].T
    kept = max(1, int((variances > NEGLIGIBLE_VARIANCE).sum()))
    rows = rows[:kept] / roots
    rows *= np.where(rows[np.arange(kept), np.abs(rows).argmax(axis=1)] < 0, -1.0, 1.0)[:, None]  # a sign of our own
    scale = float(np.float32(np.abs(rows).max()))
    codes = np.rint(rows * (BASIS_CODE_MAX / scale)).astype(np.int16)
    return Components(offset_codes, scale, codes, np.sqrt(variances[:kept]), per_channel, np.ones(kept))


def to_components(texels: Tensor, components: Components) -> Tensor:
    """Return the coefficients float32 [H, W, K] of a stack's texels [H, W, C], on the device that holds them."""
    height, width, _ = texels.shape
    image = torch.empty(height, width, components.count, device=texels.device)
    projection, offset = (
        torch.from_numpy(array).to(texels.device) for array in (components.projection, components.offset)
    )

    def project(start: int) -> None:
        torch.matmul(texels[start : start + _BAND] - offset, projection, out=image[start : start + _BAND])

    _for_bands(project, height, image)
    return image


def to_channels(
    image: Tensor,
    basis: NDArray[np.float32],
    offset: NDArray[np.float32],
    added: Tensor | None = None,
    *,
    held: bool = True,
) -> Tensor:
    """Return the channels float32 [H, W, C] of coefficients [H, W, K], on the device that holds them.

    Args:
        image: the coefficients
        basis: [K, C]
        offset: [C]
        added: what a residual adds [H, W, C]
        held: to [0, 1], at last
    """
    height, width, _ = image.shape
    channels = torch.empty(height, width, basis.shape[1], device=image.device)
    rows, shift = (torch.from_numpy(array).to(image.device) for array in (basis, offset))

    def show(start: int) -> None:
        band = channels[start : start + _BAND]
        torch.matmul(image[start : start + _BAND], rows, out=band)
        band.add_(shift)
        if added is not None:
            band.add_(added[start : start + _BAND])
        if held:
            band.clamp_(0.0, 1.0)

    _for_bands(show, height, channels)
    return channels


_BAND: Final = 256
"""Rows handled at once: bounds the memory of temporaries."""


def _for_bands(work: Callable[[int], None], height: int, result: Tensor) -> None:
    """Call a function for the first row of each band, side by side where a result is on the CPU."""
    starts = range(0, height, _BAND)
    if result.is_cuda:
        for start in starts:
            work(start)
    else:
        side_by_side(work, starts)


def _weighted_means(flat: Tensor, importance: Tensor) -> Tensor:
    sums = torch.zeros(flat.shape[1], dtype=torch.float64, device=flat.device)
    for start in range(0, len(flat), 1 << 18):
        sums += importance[start : start + (1 << 18)].double() @ flat[start : start + (1 << 18)].double()
    return (sums / importance.sum(dtype=torch.float64)).clamp(0.0, 1.0)


def _covariance(flat: Tensor, mean: Tensor, importance: Tensor | None) -> Tensor:
    sums = torch.zeros(flat.shape[1], flat.shape[1], dtype=torch.float64, device=flat.device)
    for start in range(0, len(flat), 1 << 18):
        centred = flat[start : start + (1 << 18)] - mean
        weighted = centred if importance is None else centred * importance[start : start + (1 << 18), None]
        sums += weighted.T @ centred
    return sums / (len(flat) if importance is None else importance.sum(dtype=torch.float64))
