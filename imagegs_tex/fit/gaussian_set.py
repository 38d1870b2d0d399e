"""The Gaussian set as the fit sees it: real numbers, in torch."""

from dataclasses import dataclass

from torch import Tensor

from imagegs_tex.quantize.geometry_torch import conics_of


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


@dataclass(frozen=True, slots=True)
class Fit:
    """What a fit has come to, and what another can go on from."""

    gaussians: GaussianSet  # the geometry is not rounded, the features belong to the rounded geometry
    cutoff: float  # q at which a support ends
    border_weight: float  # of texels near borders at which the picture repeats
