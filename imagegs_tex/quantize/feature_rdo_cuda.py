"""Rounding features on the GPU: the descent of :mod:`imagegs_tex.quantize.feature_rdo`, many Gaussians side by side.

Those of a round are no neighbours in the matrix (:mod:`.independent_sets_cuda`): none sees another's codes change.
"""

from functools import cached_property
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imagegs_tex.quantize.feature_rdo import SWEEPS, FeaturePrices
from imagegs_tex.quantize.independent_sets_cuda import Rounds, find_rounds
from imagegs_tex.rasterize.backend import NormalEquations
from imagegs_tex.rasterize.cuda.driver import Double, Launch, Pointer
from imagegs_tex.rasterize.cuda.load_kernels import load_kernels

_THREADS: Final = 128
_WARPS: Final = _THREADS // 32


class GpuDescent:
    """Sweeps over feature codes on the GPU; see :class:`imagegs_tex.quantize.feature_rdo.Descent`."""

    def __init__(self, equations: NormalEquations, best: Tensor) -> None:
        self._row_starts, self._columns, self._values = equations.row_starts, equations.columns, equations.values
        self._diagonal, self._best = equations.diagonal, best.double().contiguous()
        self._module = load_kernels("feature_rdo.cu", best.device, THREADS=_THREADS)

    def sweep(
        self,
        codes: NDArray[np.int64],
        steps: NDArray[np.float64],
        bit_price: float,
        prices: FeaturePrices,
        floor: float,
    ) -> NDArray[np.int64]:
        """Return codes after SWEEPS sweeps over all of them."""
        device, components = self._best.device, codes.shape[1]
        arrays = (
            codes.astype(np.int32),
            steps,
            prices.bits,
            prices.starts.astype(np.int32),
            prices.least.astype(np.int32),
        )
        moving, code_values, bits, starts, least = (torch.from_numpy(array).to(device) for array in arrays)
        distances = moving * code_values - self._best
        lanes = 1 << (components - 1).bit_length()
        choose = self._module.kernel("choose_round").bound(
            _THREADS, self._rounds.order, self._row_starts, self._columns, self._values, self._diagonal, self._best,
            code_values, Double(floor), Double(bit_price), bits, starts, least, components, lanes, distances, moving,
        )  # fmt: skip
        for _ in range(SWEEPS):
            for members, size in self._rounds.each():
                choose(size, {0: members})
        return moving.cpu().numpy().astype(np.int64)

    @cached_property
    def _rounds(self) -> Rounds:
        count = len(self._best)
        launches: list[Launch] = []

        def take(number: int, rounds: Tensor, waiting: int) -> None:
            if not launches:
                colour = self._module.kernel("colour_rows")
                launches.append(
                    colour.bound(_THREADS, self._row_starts, self._columns, count, 0, rounds, Pointer(waiting))
                )
            launches[0](-(-count // _WARPS), {3: number, 5: waiting})

        return find_rounds(count, self._best.device, take)
