"""The normal equations on the GPU: multiplied without a matrix, written out as one when somebody asks.

The solver only multiplies, and one multiplication is a forward and a backward pass over the tiles. Writing the matrix
out takes as long as many of those and is done once per file, for the rounding of the features.
"""

import math
from typing import Final

import torch
from torch import Tensor

from imagegs_tex.rasterize.backend import TILE, NormalEquations
from imagegs_tex.rasterize.cuda.driver import Long, Module, Pointer
from imagegs_tex.rasterize.cuda.load_kernels import load_kernels
from imagegs_tex.rasterize.cuda.tile_lists import CudaLists

_KEY_BITS: Final = 22
"""Bits of a Gaussian's number within a pair's key."""
_PAIRS_AT_ONCE: Final = 1 << 26
"""Pairs sorted in one go; bounds the memory at about 4 GB."""
_THREADS: Final = TILE * TILE
_SIDE: Final = 32
"""Gaussians of the blocks that a tile's matrix is computed in."""
_SHARED_BYTES: Final = 2 * _SIDE * (_THREADS + 1) * 4


class CudaNormalEquations(NormalEquations):
    """:class:`NormalEquations` with the matrix as tile lists; its entries are computed when first read."""

    __slots__ = ("_matrix", "importance", "lists")

    lists: CudaLists
    importance: Tensor | Pointer  # float32 [tiles, texels of a tile]; nothing where each texel counts 1
    _matrix: tuple[Tensor, Tensor, Tensor] | None

    def __init__(self, lists: CudaLists, importance: Tensor | Pointer, diagonal: Tensor, rhs: Tensor) -> None:
        given = {"lists": lists, "importance": importance, "diagonal": diagonal, "rhs": rhs, "_matrix": None}
        for name, value in given.items():
            object.__setattr__(self, name, value)

    @property
    def row_starts(self) -> Tensor:
        """Int64 [N + 1]."""
        return self._entries()[0]

    @property
    def columns(self) -> Tensor:
        """Int32 [M]."""
        return self._entries()[1]

    @property
    def values(self) -> Tensor:
        """Float64 [M]."""
        return self._entries()[2]

    def _entries(self) -> tuple[Tensor, Tensor, Tensor]:
        if self._matrix is None:
            object.__setattr__(self, "_matrix", written_out(self.lists, self.importance))
        assert self._matrix is not None
        return self._matrix


def written_out(lists: CudaLists, importance: Tensor | Pointer) -> tuple[Tensor, Tensor, Tensor]:
    """Return row starts int64 [N + 1], columns int32 [M] and values float64 [M] of the matrix."""
    device = lists.records.device
    correlate = _module(device).kernel("correlate")
    pair_ends = torch.cumsum(torch.diff(lists.tile_starts) ** 2, dim=0)
    keys, values = torch.empty(0, dtype=torch.int64, device=device), torch.empty(0, dtype=torch.float64, device=device)
    first, done = 0, 0
    while first < lists.tile_count:
        last = int(torch.searchsorted(pair_ends, done + _PAIRS_AT_ONCE, right=True))
        last = min(max(last, first + 1), lists.tile_count)
        starts = torch.cat([pair_ends.new_tensor([done]), pair_ends[first:last]]) - done
        pairs = int(starts[-1])
        new_keys = torch.empty(pairs, dtype=torch.int64, device=device)
        products = torch.empty(pairs, device=device)
        correlate(
            last - first, _THREADS, lists.records, lists.records.shape[1], lists.ordered_info, lists.ordered_copies,
            lists.tile_starts, math.exp(-lists.frame.cutoff), *lists.frame.size, lists.across, importance, first,
            starts, new_keys, products, shared_bytes=_SHARED_BYTES,
        )  # fmt: skip
        new_keys, new_values = _merged(new_keys, products.double())
        keys, values = _merged(torch.cat([keys, new_keys]), torch.cat([values, new_values])) if first else (
            new_keys, new_values)  # fmt: skip
        first, done = last, done + pairs
    rows = keys >> _KEY_BITS
    count = len(lists.records)
    row_starts = torch.searchsorted(rows, torch.arange(count + 1, device=device))
    return row_starts, (keys & ((1 << _KEY_BITS) - 1)).int(), values


def _module(device: torch.device) -> Module:
    return load_kernels("gram_matrix.cu", device, THREADS=_THREADS, SIDE=_SIDE, KEY_BITS=_KEY_BITS)


def _merged(keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
    """Sort by key and sum the values of equal keys, in their order."""
    device = keys.device
    keys, order = torch.sort(keys, stable=True)
    unique, lengths = torch.unique_consecutive(keys, return_counts=True)
    starts = torch.zeros(len(unique) + 1, dtype=torch.int64, device=device)
    torch.cumsum(lengths, dim=0, out=starts[1:])
    sums = torch.empty(len(unique), dtype=torch.float64, device=device)
    sum_runs = _module(device).kernel("sum_runs")
    sum_runs(-(-len(unique) // _THREADS), _THREADS, values[order], starts, Long(len(unique)), sums)
    return unique, sums
