"""Where the encoder's heavy steps beside the fit run: on the CPU, or on the GPU that the rasterizer works on.

Chosen once, by the backend (:func:`compute_on`), so that no stage asks which backend it has.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from imagegs_tex.decoder.maps import decode_maps
from imagegs_tex.decoder.render import render_channels
from imagegs_tex.encoder.quality_targets import reached
from imagegs_tex.formats.igs.quantized_set import QuantizedGaussianSet
from imagegs_tex.formats.material.stack import TextureStack, source_map
from imagegs_tex.metrics.row_bands import by_maps
from imagegs_tex.metrics.scores import MapScore, score_map
from imagegs_tex.metrics.scores_cuda import pooled_psnr_on_gpu, score_on_gpu
from imagegs_tex.quantize.feature_rdo import CpuDescent, Descent
from imagegs_tex.quantize.feature_rdo_cuda import GpuDescent
from imagegs_tex.quantize.geometry import GeometryQuantizer
from imagegs_tex.quantize.geometry_rdo import refine_geometry
from imagegs_tex.quantize.geometry_rdo_cuda import refine_geometry_on_gpu
from imagegs_tex.rasterize.backend import Backend, NormalEquations
from imagegs_tex.rasterize.cuda.backend import CudaBackend
from imagegs_tex.settings import QualityTarget


class Compute(Protocol):
    """What the encoder needs computed beside pictures and their gradients."""

    def descent(self, equations: NormalEquations, features: Tensor) -> Descent:
        """Return what rounds features [N, K] that solve some equations."""
        ...

    def refine_geometry(  # noqa: PLR0913 - those of geometry_rdo.refine_geometry
        self,
        means: NDArray[np.float64],
        shape_codes: NDArray[np.int16],
        features: Tensor,
        image: Tensor,
        quantizer: GeometryQuantizer,
        *,
        weights: Tensor | None,
        cutoff: float,
        bit_price: float,
        shape_limits: tuple[float, float],
    ) -> tuple[NDArray[np.float64], NDArray[np.int16]]:
        """Do what :func:`imagegs_tex.quantize.geometry_rdo.refine_geometry` does, tensors on the backend's device."""
        ...

    def all_reached(
        self, targets: Sequence[QualityTarget], stack: TextureStack, quantized: QuantizedGaussianSet
    ) -> list[float]:
        """Return the dB that a set has of what each target asks for; degrees as -20 log10."""
        ...

    def score(self, stack: TextureStack, quantized: QuantizedGaussianSet) -> list[MapScore]:
        """Decode a set and compare every map with the stack that it was made of."""
        ...


def compute_on(backend: Backend) -> Compute:
    """Return what computes where a backend does."""
    return GpuCompute(backend) if isinstance(backend, CudaBackend) else CpuCompute(backend)


@dataclass(frozen=True, slots=True)
class CpuCompute:
    """In numba and numpy, whatever device the backend has."""

    backend: Backend

    def descent(self, equations: NormalEquations, features: Tensor) -> Descent:
        """Return sweeps in numba."""
        tensors = (equations.row_starts, equations.columns, equations.values, equations.diagonal, features.double())
        return CpuDescent(*(tensor.cpu().numpy() for tensor in tensors))

    def refine_geometry(  # noqa: PLR0913 - as in Compute, and which rest, for local_fit
        self,
        means: NDArray[np.float64],
        shape_codes: NDArray[np.int16],
        features: Tensor,
        image: Tensor,
        quantizer: GeometryQuantizer,
        *,
        weights: Tensor | None,
        cutoff: float,
        bit_price: float,
        shape_limits: tuple[float, float],
        resting: NDArray[np.bool_] | None = None,
    ) -> tuple[NDArray[np.float64], NDArray[np.int16]]:
        """Refine in bands, as many at once as the backend has threads; those resting [N] keep their codes."""
        return refine_geometry(
            means, shape_codes, features.cpu().numpy(), image.cpu().numpy(), quantizer,
            weights=None if weights is None else weights.cpu().numpy(), cutoff=cutoff, bit_price=bit_price,
            shape_limits=shape_limits, threads=self.backend.threads, resting=resting,
        )  # fmt: skip

    def all_reached(
        self, targets: Sequence[QualityTarget], stack: TextureStack, quantized: QuantizedGaussianSet
    ) -> list[float]:
        """Decode the maps and compare those that a target names."""
        decoded = [samples for _, samples in decode_maps(quantized, self.backend)]
        return [reached(target, stack, decoded) for target in targets]

    def score(self, stack: TextureStack, quantized: QuantizedGaussianSet) -> list[MapScore]:
        """Decode the maps and compare each, side by side."""
        maps = [decoded for _, decoded in decode_maps(quantized, self.backend)]

        def score(index: int) -> MapScore:
            source, drawn = source_map(stack, index), stack.drawn_of(index)
            return score_map(stack.maps[index], source, maps[index], weights=stack.weights, drawn=drawn)

        return by_maps(score, range(len(maps)), stack.width * stack.height)


@dataclass(frozen=True, slots=True)
class GpuCompute:
    """On the GPU; what one of its parts does not know is left to the CPU."""

    backend: CudaBackend

    def descent(self, equations: NormalEquations, features: Tensor) -> Descent:
        """Return sweeps over Gaussians that are no neighbours."""
        return GpuDescent(equations, features)

    def refine_geometry(  # noqa: PLR0913 - as in Compute
        self,
        means: NDArray[np.float64],
        shape_codes: NDArray[np.int16],
        features: Tensor,
        image: Tensor,
        quantizer: GeometryQuantizer,
        *,
        weights: Tensor | None,
        cutoff: float,
        bit_price: float,
        shape_limits: tuple[float, float],
    ) -> tuple[NDArray[np.float64], NDArray[np.int16]]:
        """Refine in rounds of Gaussians that share no texel."""
        return refine_geometry_on_gpu(
            means, shape_codes, features, image, quantizer, self.backend,
            weights=weights, cutoff=cutoff, bit_price=bit_price, shape_limits=shape_limits,
        )  # fmt: skip

    def all_reached(
        self, targets: Sequence[QualityTarget], stack: TextureStack, quantized: QuantizedGaussianSet
    ) -> list[float]:
        """Score on the GPU where all maps together are asked for; single maps are the CPU's."""
        if any(target.semantic is not None for target in targets):
            return CpuCompute(self.backend).all_reached(targets, stack, quantized)
        return [pooled_psnr_on_gpu(stack, render_channels(quantized, self.backend))] * len(targets)

    def score(self, stack: TextureStack, quantized: QuantizedGaussianSet) -> list[MapScore]:
        """Compare without the picture leaving the GPU."""
        return score_on_gpu(stack, render_channels(quantized, self.backend))
