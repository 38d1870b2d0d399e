"""The Gaussian set as the fit sees it: real numbers, in torch."""

from dataclasses import dataclass

import torch
from torch import Tensor

from imagegs_tex.formats.igs.quantized_set import DequantizedGaussians


@dataclass(frozen=True, slots=True)
class GaussianSet:
    """N Gaussians in component space; all tensors float32 on one device."""

    means: Tensor  # [N, 2] x, y in texels, inside the picture
    log_covariances: Tensor  # [N, 3] m, h, b of the symmetric log-covariance, in log texels^2
    features: Tensor  # [N, K]

    @property
    def count(self) -> int:
        """N."""
        return int(self.means.shape[0])

    @property
    def conics(self) -> Tensor:
        """A, B, C of the inverse covariances [N, 3], in 1/texels^2."""
        return conics_of(self.log_covariances)


def conics_of(log_covariances: Tensor) -> Tensor:
    """Return the inverse covariances A, B, C [N, 3] of log-covariances m, h, b [N, 3]; differentiable everywhere.

    docs/igs-format.md, section 5. sinh(r)/r comes from its series below r = 0.1, where the quotient has no gradient.
    """
    m, h, b = log_covariances.unbind(dim=1)
    squared = h * h + b * b
    small = squared < 0.01
    r = torch.sqrt(torch.where(small, torch.ones_like(squared), squared))
    cosh = torch.where(small, 1 + squared * (1 / 2 + squared / 24), torch.cosh(r))
    quotient = torch.where(small, 1 + squared * (1 / 6 + squared / 120), torch.sinh(r) / r)
    scale = torch.exp(-m)
    return torch.stack([scale * (cosh - h * quotient), -scale * b * quotient, scale * (cosh + h * quotient)], dim=1)


def from_dequantized(values: DequantizedGaussians, device: torch.device) -> GaussianSet:
    """Return the set that a file's codes mean."""
    return GaussianSet(
        torch.from_numpy(values.means).to(device),
        torch.from_numpy(values.log_covariances).to(device),
        torch.from_numpy(values.features).to(device),
    )
