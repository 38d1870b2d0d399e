"""Improving geometry codes on the GPU: the trials of :mod:`.geometry_rdo`, many Gaussians side by side.

Those of a round have patches without a common texel (:mod:`.independent_sets_cuda`), so none sees another one move.
There are no bands.
"""

import math
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imagegs_tex.formats.igs import quantized_set as g
from imagegs_tex.quantize.geometry import GeometryQuantizer
from imagegs_tex.quantize.geometry_rdo import shape_prices
from imagegs_tex.quantize.geometry_rdo_kernels import MARGIN, MOST_TEXELS, REACH
from imagegs_tex.quantize.independent_sets_cuda import Rounds, find_rounds
from imagegs_tex.rasterize.backend import TILE
from imagegs_tex.rasterize.cuda.backend import CudaBackend
from imagegs_tex.rasterize.cuda.driver import Double, Launch, Module, Pointer
from imagegs_tex.rasterize.cuda.load_kernels import load_kernels

_CLAIM: Final = 8
"""Texels per side of the squares that a round's Gaussians claim."""
_SIDE: Final = 8
"""Threads per Gaussian that claim them."""
_THREADS: Final = 256
_REFINING: Final = 512
"""Threads per Gaussian of a round: a large patch is a long way for few."""


def geometry_kernels(device: torch.device) -> Module:
    """Return the kernels of geometry_rdo.cu."""
    return load_kernels("geometry_rdo.cu", device, CLAIM=_CLAIM, SIDE=_SIDE, THREADS=_REFINING)


def refine_geometry_on_gpu(  # noqa: PLR0913 - those of refine_geometry
    means: NDArray[np.float64],
    shape_codes: NDArray[np.int16],
    features: Tensor,
    image: Tensor,
    quantizer: GeometryQuantizer,
    backend: CudaBackend,
    *,
    weights: Tensor | None,
    cutoff: float,
    bit_price: float,
    shape_limits: tuple[float, float],
) -> tuple[NDArray[np.float64], NDArray[np.int16]]:
    """Do what :func:`.geometry_rdo.refine_geometry` does, with features, image and weights on the GPU."""
    device, (height, width, components) = backend.device, image.shape
    prices, least = shape_prices(shape_codes.astype(np.int64))
    module = geometry_kernels(device)
    new_means = torch.tensor(means, device=device)
    codes = torch.tensor(shape_codes, dtype=torch.int32, device=device)
    image, features = image.contiguous(), features.float().contiguous()
    texels = torch.empty(height, width, 4, device=device)
    remainders = torch.empty(height, width, components, device=device)
    conics = g.conics_of(g.shape_values(shape_codes, quantizer.size_step, quantizer.form_step)).astype(np.float32)
    geometry = backend.prepare_geometry(
        new_means.float(), torch.from_numpy(conics).to(device), cutoff, (width, height), quantizer.wrap
    )
    lists = backend.lists_of(geometry, features)
    cutoff_weight = math.exp(-cutoff)
    module.kernel("sum_picture")(
        lists.tile_count, TILE * TILE, lists.records, lists.records.shape[1], lists.ordered_info, lists.ordered_copies,
        lists.tile_starts, cutoff_weight, width, height, lists.across, image, components, texels, remainders,
    )  # fmt: skip
    patches, rounds = patch_rounds(new_means, codes, quantizer, cutoff, module)
    code_bits = torch.from_numpy(prices).to(device)
    importance = Pointer(0) if weights is None else weights.contiguous()
    steps = (quantizer.size_step, quantizer.form_step, math.log2(quantizer.position_ratio))
    refine = module.kernel("refine_round").bound(
        _REFINING, rounds.order, patches, features, image, components, importance, cutoff_weight, width, height,
        *map(Double, (*steps, bit_price, *shape_limits)), g.least_exponent(quantizer.width, quantizer.height),
        quantizer.cell_log2, *map(int, quantizer.wrap), code_bits, *least.tolist(), prices.shape[1], new_means, codes,
        texels, remainders,
    )  # fmt: skip
    for members, size in rounds.each():
        refine(size, {0: members})
    return new_means.cpu().numpy(), codes.cpu().numpy().astype(np.int16)


def patch_rounds(
    means: Tensor, codes: Tensor, quantizer: GeometryQuantizer, cutoff: float, module: Module
) -> tuple[Tensor, Rounds]:
    """Return the patches that trials can reach, int32 [N, 4], and rounds of Gaussians whose patches lie apart.

    Args:
        means: float64 [N, 2] on the GPU
        codes: int32 [N, 3] of the shapes
        quantizer: steps
        cutoff: q at which a support ends
        module: of :func:`geometry_kernels`
    """
    count, device = len(means), means.device
    width, height = quantizer.width, quantizer.height
    patches = torch.empty(count, 4, dtype=torch.int32, device=device)
    steps = (quantizer.size_step, quantizer.form_step)
    module.kernel("find_patches")(
        -(-count // _THREADS), _THREADS, means, codes, count, *map(Double, (*steps, cutoff, REACH, MARGIN)), width,
        height, *map(int, quantizer.wrap), MOST_TEXELS, patches,
    )  # fmt: skip
    best = torch.zeros(-(-width // _CLAIM) * -(-height // _CLAIM), dtype=torch.int64, device=device)
    blocks = -(-count * _SIDE // _THREADS)
    launches: list[Launch] = []

    def take_round(number: int, rounds: Tensor, waiting: int) -> None:
        if not launches:
            launches.append(
                module.kernel("claim_squares").bound(_THREADS, patches, rounds, count, 0, width, height, best)
            )
            launches.append(
                module.kernel("take_rounds").bound(
                    _THREADS, patches, count, 0, width, height, best, rounds, Pointer(waiting)
                )
            )
        launches[0](blocks, {3: number})
        launches[1](blocks, {2: number, 7: waiting})

    return patches, find_rounds(count, device, take_round)
