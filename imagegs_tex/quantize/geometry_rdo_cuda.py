"""Improving geometry codes on the GPU: the trials of :mod:`.geometry_rdo`, many Gaussians side by side.

Those whose patches may have a common texel move one after the other (:mod:`.turns_cuda`): none sees another one move.
There are no bands.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imagegs_tex.formats.igs import quantized_set as g
from imagegs_tex.quantize.geometry import GeometryQuantizer
from imagegs_tex.quantize.geometry_rdo import shape_prices
from imagegs_tex.quantize.geometry_rdo_kernels import MARGIN, MOST_TEXELS, REACH
from imagegs_tex.quantize.turns_cuda import earlier_in_squares, shuffled_numbers
from imagegs_tex.rasterize.backend import TILE
from imagegs_tex.rasterize.cuda.backend import CudaBackend
from imagegs_tex.rasterize.cuda.driver import Double, Module, Pointer
from imagegs_tex.rasterize.cuda.load_kernels import load_kernels

_CLAIM: Final = 8
"""Texels per side of the squares by which patches are told apart."""
_THREADS: Final = 256
_REFINING: Final = 512
"""Threads per Gaussian that sum errors: a large patch is a long way for few."""
_PLANNING: Final = 32
"""Threads per Gaussian that work out what is tried next."""
_BLOCKS_AT_MOST: Final = 132
"""One per multiprocessor of the largest GPU: what takes the time is the longest row of Gaussians that wait for each
other, and more blocks would keep others' kernels out."""


def geometry_kernels(device: torch.device) -> Module:
    """Return the kernels of geometry_rdo.cu."""
    return load_kernels("geometry_rdo.cu", device, CLAIM=_CLAIM, THREADS=_REFINING)


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
    turns = patch_turns(new_means, codes, quantizer, cutoff, module)
    count = len(means)
    state = torch.zeros(1 + count, dtype=torch.int32, device=device)  # the turn, and who is done
    code_bits = torch.from_numpy(prices).to(device)
    importance = Pointer(0) if weights is None else weights.contiguous()
    steps = (quantizer.size_step, quantizer.form_step, math.log2(quantizer.position_ratio))
    blocks = min(count, _BLOCKS_AT_MOST)
    rooms = torch.empty(blocks, turns.most_texels, dtype=torch.int32, device=device)
    module.kernel("refine_patches")(
        blocks, _REFINING + _PLANNING, turns.order, turns.starts, turns.earlier, state, state[1:], count, turns.patches,
        turns.row_starts, turns.spans, rooms, turns.most_texels, features, image, components, importance, cutoff_weight,
        width, height, *map(Double, (*steps, bit_price, *shape_limits)),
        g.least_exponent(quantizer.width, quantizer.height), quantizer.cell_log2, *map(int, quantizer.wrap), code_bits,
        *least.tolist(), prices.shape[1], new_means, codes, texels, remainders,
    )  # fmt: skip
    return new_means.cpu().numpy(), codes.cpu().numpy().astype(np.int16)


@dataclass(frozen=True, slots=True)
class PatchTurns:
    """What each can reach, and who waits for whom; all but a number on the GPU."""

    patches: Tensor  # int32 [N, 4] left, top, columns, rows that trials can reach; no columns: it rests
    row_starts: Tensor  # int64 [N + 1] where the spans of each begin
    spans: Tensor  # int32 [rows of all and one for each, 2]: see geometry_rdo.cu
    most_texels: int  # of a patch's spans
    order: Tensor  # int32 [N] large patches first: they would hold up others at the end
    starts: Tensor  # int64 [N + 1] where the squares of each begin
    earlier: Tensor  # int32 [squares of all] place in the order of who works in that square before; -1: nobody


def patch_turns(
    means: Tensor, codes: Tensor, quantizer: GeometryQuantizer, cutoff: float, module: Module
) -> PatchTurns:
    """Return in which order Gaussians are refined.

    Args:
        means: float64 [N, 2] on the GPU
        codes: int32 [N, 3] of the shapes
        quantizer: steps
        cutoff: q at which a support ends
        module: of :func:`geometry_kernels`
    """
    count, device = len(means), means.device
    size, blocks = (quantizer.width, quantizer.height), -(-count // _THREADS)
    patches = torch.empty(count, 4, dtype=torch.int32, device=device)
    steps = (quantizer.size_step, quantizer.form_step)
    module.kernel("find_patches")(
        blocks, _THREADS, means, codes, count, *map(Double, (*steps, cutoff, REACH, MARGIN)), *size,
        *map(int, quantizer.wrap), MOST_TEXELS, patches,
    )  # fmt: skip
    row_starts = _starts(patches[:, 3].long() + 1)
    spans = torch.empty(int(row_starts[-1]), 2, dtype=torch.int32, device=device)
    module.kernel("find_spans")(
        -(-count // (_THREADS // 32)), _THREADS, means, codes, count, *map(Double, (*steps, cutoff, REACH)), patches,
        row_starts, spans,
    )  # fmt: skip
    texels = spans[row_starts[1:] - 1, 1]
    keys = (torch.frexp(texels.double()).exponent.long() << 32) + torch.from_numpy(shuffled_numbers(count)).to(device)
    order = torch.argsort(keys, descending=True)
    places = torch.empty(count, dtype=torch.int32, device=device)
    places[order] = torch.arange(count, dtype=torch.int32, device=device)
    counts = torch.empty(count, dtype=torch.int64, device=device)
    module.kernel("count_squares")(blocks, _THREADS, patches, row_starts, spans, count, *size, counts)
    starts = _starts(counts)
    all_squares, most_texels = torch.stack([starts[-1], texels.max().long()]).tolist()
    squares = torch.empty(all_squares, dtype=torch.int64, device=device)
    module.kernel("list_squares")(blocks, _THREADS, patches, row_starts, spans, count, *size, starts, places, squares)
    earlier = earlier_in_squares(squares)
    return PatchTurns(patches, row_starts, spans, most_texels, order.int(), starts, earlier)


def _starts(counts: Tensor) -> Tensor:
    """Return where each begins of so many int64 [N] in a row, and where all end [N + 1]."""
    starts = torch.zeros(len(counts) + 1, dtype=torch.int64, device=counts.device)
    torch.cumsum(counts, dim=0, out=starts[1:])
    return starts
