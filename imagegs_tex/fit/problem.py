"""What is fitted: a picture in component space, and what its errors mean for the channels."""

from dataclasses import dataclass

import torch
from torch import Tensor

from imagegs_tex.fit.initialise import Products
from imagegs_tex.formats.row_threads import in_bands
from imagegs_tex.metrics.scores import psnr_of


@dataclass(frozen=True, slots=True)
class ChannelMix:
    """What components mean: channels = components @ basis + offset."""

    basis: Tensor  # float32 [K, C]
    offset: Tensor  # float32 [C]


@dataclass(frozen=True, slots=True)
class FitProblem:
    """A picture in component space, and what its errors mean for the channels."""

    image: Tensor  # float32 [H, W, K]
    deviations: Tensor  # float32 [K] standard deviation of each component
    channel_weight: float  # sum of the coded channels' weights: C where each weighs 1
    weights: Tensor | None = None  # float32 [H, W], how much each texel's error counts; None: 1
    saliency: Tensor | None = None  # float32 [H, W] in [0, 1], where the first Gaussians are to be, if they follow it
    mix: ChannelMix | None = None  # None: the components are the channels
    gradients: Products | None = None  # of the picture, by kept_products; None: found where needed

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in texels."""
        return int(self.image.shape[1]), int(self.image.shape[0])

    @property
    def texel_weight(self) -> float:
        """Sum of the texels' weights: the number of texels where they have none."""
        if self.weights is None:
            return float(self.image.shape[0] * self.image.shape[1])
        return float(self.weights.sum(dtype=torch.float64))

    def psnr(self, squared_error: float) -> float:
        """Return the PSNR in dB of a squared error summed over texels and components, channels by their weights."""
        return psnr_of(squared_error / (self.texel_weight * self.channel_weight))


def squared_errors(picture: Tensor, image: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
    """Return each texel's squared error [H, W] of a picture [H, W, K], summed over components as numbers of a kind."""

    def of(rows: slice) -> Tensor:
        return (picture[rows] - image[rows]).square_().sum(dim=2, dtype=dtype)

    return of(slice(None)) if image.is_cuda else torch.cat(in_bands(of, len(image)))
