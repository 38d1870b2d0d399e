"""Rounding features on the GPU: the descent of :mod:`imagegs_tex.quantize.feature_rdo`, many Gaussians side by side.

Neighbours in the matrix move one after the other (:mod:`.turns_cuda`): none sees another's codes change.
"""

from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imagegs_tex.quantize.feature_rdo import CODE_LIMIT, SWEEPS, CodeStatistics, FeaturePrices
from imagegs_tex.quantize.turns_cuda import shuffled_order
from imagegs_tex.rasterize.backend import NormalEquations
from imagegs_tex.rasterize.cuda.driver import Double, Pointer
from imagegs_tex.rasterize.cuda.load_kernels import load_kernels

_THREADS: Final = 128


class GpuDescent:
    """Sweeps over feature codes on the GPU; see :class:`imagegs_tex.quantize.feature_rdo.Descent`."""

    def __init__(self, equations: NormalEquations, best: Tensor) -> None:
        self._row_starts, self._columns, self._values = equations.row_starts, equations.columns, equations.values
        self._diagonal, self._best = equations.diagonal, best.double().contiguous()
        self._module = load_kernels("feature_rdo.cu", best.device, THREADS=_THREADS)
        self._order = torch.from_numpy(shuffled_order(len(best))).to(best.device)

    def nearest(self, steps: NDArray[np.float64]) -> Tensor:
        """Return the codes nearest to the best features."""
        values = torch.from_numpy(steps).to(self._best.device)
        return (self._best / values).round_().clamp_(-CODE_LIMIT, CODE_LIMIT).int()

    def statistics(self, codes: Tensor) -> CodeStatistics:
        """Return how often each code comes."""
        least, greatest = torch.stack([codes.amin(dim=0), codes.amax(dim=0)]).long().cpu().numpy()
        least -= 1
        lengths = greatest - least + 2
        ends = np.cumsum(lengths)
        shifts = torch.from_numpy(ends - lengths - least).to(codes.device)
        counts = torch.bincount((codes + shifts).reshape(-1), minlength=int(ends[-1])).cpu().numpy()
        return CodeStatistics(least, np.split(counts, ends[:-1]))

    def sweep(
        self, codes: Tensor, steps: NDArray[np.float64], bit_price: float, prices: FeaturePrices, floor: float
    ) -> Tensor:  # fmt: skip
        """Return codes after SWEEPS sweeps over all of them."""
        device, (count, components) = codes.device, codes.shape
        arrays = (steps, prices.bits, prices.starts.astype(np.int32), prices.least.astype(np.int32))
        code_values, bits, starts, least = (torch.from_numpy(array).to(device) for array in arrays)
        moving = codes.clone()
        distances = moving * code_values - self._best
        lanes = 1 << (components - 1).bit_length()
        state = torch.zeros(count + SWEEPS, dtype=torch.int32, device=device)  # who is done, and the turn of each sweep
        choose = self._module.kernel("choose_codes").bound(
            _THREADS, self._order, Pointer(0), state, 0, self._row_starts, self._columns, self._values,
            self._diagonal, self._best, code_values, Double(floor), Double(bit_price), bits, starts, least, components,
            lanes, distances, moving,
        )  # fmt: skip
        for sweep in range(SWEEPS):
            choose(count, {1: state[count + sweep :].data_ptr(), 3: sweep + 1})
        return moving

    def read(self, codes: Tensor) -> NDArray[np.int16]:
        """Return codes as they are stored."""
        return np.asarray(codes.short().cpu().numpy())
