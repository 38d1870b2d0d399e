"""From real numbers to geometry codes, by rounding.

The arithmetic from codes back to values is imagegs_tex.formats.igs.quantized_set, used here for every rounding, so that
the fit, the writer and all decoders agree on what a code means.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imagegs_tex.formats.igs import quantized_set as g
from imagegs_tex.quantize.geometry_torch import log_diagonal, nearest_positions
from imagegs_tex.settings import Precision

_WANTED_PER_CELL: Final = 1.0
_INT16: Final = np.iinfo(np.int16)


@dataclass(frozen=True, slots=True)
class GeometryQuantizer:
    """Rounds means and log-covariances to what the file can hold."""

    width: int  # texels
    height: int  # texels
    cell_log2: int
    position_ratio: float  # float32 value
    size_step: float  # float32 value
    form_step: float  # float32 value
    wrap: tuple[bool, bool] = (False, False)  # whether the picture repeats in x and in y

    def codes(
        self, means: NDArray[np.floating], log_covariances: NDArray[np.floating]
    ) -> tuple[NDArray[np.int32], NDArray[np.int16], NDArray[np.int32]]:
        """Return position codes [N, 2], shape codes [N, 3] and position exponents [N, 2]."""
        shape_codes = self.shape_codes(log_covariances)
        shapes = g.shape_values(shape_codes, self.size_step, self.form_step)
        exponents = self._exponents(shapes)
        position_steps = np.exp2(exponents)
        # the last code whose position, half a step on, still lies inside the picture
        size = np.array([self.width, self.height], dtype=np.float64)
        last = np.maximum(np.ceil(size / position_steps - 0.5) - 1, 0)
        inside = np.where(self.wrap, means % size, means.astype(np.float64))
        position_codes = np.clip(np.floor(inside / position_steps), 0, last).astype(np.int32)
        # where the size is no multiple of the step, the first code of the next picture can be nearer than the last here
        position_codes[np.array(self.wrap) & (2 * inside > size + (last + 1) * position_steps)] = 0
        return position_codes, shape_codes, exponents

    def shape_codes(self, log_covariances: NDArray[np.floating]) -> NDArray[np.int16]:
        """Return the shape codes [N, 3] alone, in a twelfth of the time."""
        steps = np.array([self.size_step, self.form_step, self.form_step])
        return np.asarray(np.rint(log_covariances.astype(np.float64) / steps).astype(np.int16))

    def values(
        self, position_codes: NDArray[np.int32], shape_codes: NDArray[np.int16]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the means [N, 2] and log-covariances [N, 3] that codes mean."""
        shapes = g.shape_values(shape_codes, self.size_step, self.form_step)
        return np.asarray((position_codes + 0.5) * np.exp2(self._exponents(shapes)), dtype=np.float64), shapes

    def _exponents(self, shapes: NDArray[np.float64]) -> NDArray[np.int32]:
        """Return the position exponents [N, 2] of shapes [N, 3]."""
        least = g.least_exponent(self.width, self.height)
        return g.clamp_exponents(g.rounded_exponents(shapes, self.position_ratio), least, self.cell_log2)

    def nearest(self, means: Tensor, log_covariances: Tensor) -> tuple[Tensor, Tensor]:
        """Return the values [N, 2] and [N, 3] that the codes mean; same device and dtype."""
        if means.device.type != "cpu":
            return self._nearest_in_torch(means, log_covariances)
        position_codes, shape_codes, exponents = self.codes(means.cpu().numpy(), log_covariances.cpu().numpy())
        values = (position_codes + 0.5) * np.exp2(exponents)
        shapes = g.shape_values(shape_codes, self.size_step, self.form_step)
        return (
            torch.from_numpy(values).to(dtype=means.dtype, device=means.device),
            torch.from_numpy(shapes).to(dtype=means.dtype, device=means.device),
        )

    def _nearest_in_torch(self, means: Tensor, log_covariances: Tensor) -> tuple[Tensor, Tensor]:
        """The same in torch, so that nothing leaves the GPU; :meth:`codes` alone decides what is stored."""
        steps = (self.size_step, self.form_step, self.form_step)
        shapes = [torch.round(log_covariances[:, i].double() / step) * step for i, step in enumerate(steps)]
        m, h, b = shapes
        least, values = g.least_exponent(self.width, self.height), []
        for axis, (size, sign) in enumerate(((self.width, -1), (self.height, 1))):
            widths = (m - log_diagonal(h, b, sign)) * (0.5 / math.log(2.0))  # log2 of 1/√A and 1/√C
            exponents = torch.round(widths + math.log2(self.position_ratio)).clamp(least, self.cell_log2)
            values.append(nearest_positions(means[:, axis].double(), exponents, size, self.wrap[axis]))
        return torch.stack(values, dim=1).to(means.dtype), torch.stack(shapes, dim=1).to(means.dtype)


def geometry_quantizer(
    width: int, height: int, count: int, precision: Precision, wrap: tuple[bool, bool] = (False, False)
) -> GeometryQuantizer:
    """Choose cells that hold about one Gaussian each, which is where counts and positions together are smallest."""
    wanted = np.log2(max(1.0, width * height * _WANTED_PER_CELL / count)) / 2
    cell_log2 = int(np.clip(np.rint(wanted), *g.CELL_LOG2_RANGE))
    return GeometryQuantizer(
        width, height, cell_log2, _f32(precision.position_ratio), _f32(precision.size_step),
        _f32(precision.form_step), wrap,
    )  # fmt: skip


def _f32(value: float) -> float:
    return float(np.float32(value))
