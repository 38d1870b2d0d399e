"""The geometry's arithmetic in torch: conics that gradients flow through, and values that a file can hold.

docs/igs-format.md, section 5. Homes beside this one: numpy in :mod:`imagegs_tex.formats.igs.quantized_set`, which says
what is right, and :mod:`.geometry`, numba in :mod:`.geometry_numba`, the GPU's kernels in gaussian.cuh.
tests/quantize/test_geometry_arithmetic.py compares all.
"""

import torch
from torch import Tensor

from imagegs_tex.square_root import square_root


def conics_of(log_covariances: Tensor) -> Tensor:
    """Return the inverse covariances A, B, C [N, 3] of log-covariances m, h, b [N, 3]; differentiable everywhere.

    sinh(r)/r comes from its series below r = 0.1, where the quotient has no gradient.
    """
    m, h, b = log_covariances.unbind(dim=1)
    squared = h * h + b * b
    small = squared < 0.01
    r = square_root(torch.where(small, torch.ones_like(squared), squared))
    cosh = torch.where(small, 1 + squared * (1 / 2 + squared / 24), torch.cosh(r))
    quotient = torch.where(small, 1 + squared * (1 / 6 + squared / 120), torch.sinh(r) / r)
    scale = torch.exp(-m)
    return torch.stack([scale * (cosh - h * quotient), -scale * b * quotient, scale * (cosh + h * quotient)], dim=1)


def log_diagonal(h: Tensor, b: Tensor, sign: int) -> Tensor:
    """Return the logarithm of cosh r + sign h sinh(r)/r [N], r = |(h, b)|; not differentiable at r = 0.

    Plus m it is the log-variance along x for a sign of 1, along y for -1; the other way round it is log C and log A,
    minus m.
    """
    r = torch.hypot(h, b)
    h_sinhc = h * torch.where(r > 0, torch.sinh(r) / r.clamp_min(torch.finfo(r.dtype).tiny), 1.0)
    return torch.log(torch.cosh(r) + sign * h_sinhc)


def nearest_positions(positions: Tensor, exponents: Tensor, size: int, repeats: bool) -> Tensor:
    """Return the nearest positions [N] along an axis that a file can hold, float64 texels, with steps of 2^exponents.

    Args:
        positions: float64 [N] texels
        exponents: float64 [N], whole numbers
        size: of the picture along the axis
        repeats: whether the picture does along it
    """
    steps = torch.exp2(exponents)
    last = (torch.ceil(size / steps - 0.5) - 1).clamp_min(0)
    inside = positions.remainder(size) if repeats else positions
    codes = torch.minimum(torch.floor(inside / steps).clamp_min(0), last)
    if repeats:  # the first of the next picture can be nearer than the last here
        codes = torch.where(2 * inside > size + (last + 1) * steps, 0.0, codes)
    return (codes + 0.5) * steps
