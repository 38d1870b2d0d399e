"""The geometry's arithmetic for one Gaussian, in numba: what :mod:`imagegs_tex.formats.igs.quantized_set` says.

docs/igs-format.md, section 5. Homes beside this one: numpy there and in :mod:`.geometry`, torch in
:mod:`.geometry_torch`, the GPU's kernels in gaussian.cuh. tests/quantize/test_geometry_arithmetic.py compares all.
"""

import math

import numpy as np

from imagegs_tex.jit import njit


@njit(cache=True, nogil=True)
def conic_of(m, h, b):
    """A, B, C of the inverse covariance, in 1/texels^2, of a log-covariance m, h, b."""
    r = math.sqrt(h * h + b * b)
    s = math.sinh(r) / r if r > 0 else 1.0
    scale = math.exp(-m)
    return scale * (math.cosh(r) - h * s), -scale * b * s, scale * (math.cosh(r) + h * s)


@njit(cache=True, nogil=True)
def exponent_of(coefficient, log2_ratio, least, cell_log2):
    """log2 of the position step along the axis that a conic's coefficient A or C belongs to."""
    return min(float(cell_log2), max(float(least), np.rint(log2_ratio - 0.5 * math.log2(coefficient))))


@njit(cache=True, nogil=True)
def nearest_position(value, exponent, size, repeats):
    """The nearest position that a file can hold, in texels, with a step of 2^exponent."""
    step = 2.0**exponent
    last = max(math.ceil(size / step - 0.5) - 1.0, 0.0)
    if repeats:
        value %= size
        if 2.0 * value > size + (last + 1.0) * step:
            return 0.5 * step
    return (min(max(math.floor(value / step), 0.0), last) + 0.5) * step


@njit(cache=True, nogil=True)
def nearest_copy(position, other, size, repeats):
    """A position, or the copy of it that is nearest to another."""
    return position + size * np.rint((other - position) / size) if repeats else position


@njit(cache=True, nogil=True)
def box_of(x, y, conic, cutoff, size, wrap, reach, margin):
    """Left, top, columns and rows of the texels that a support, stretched by reach, comes within a margin of.

    Where the picture repeats they go on beyond its border, and may be more than it has.
    """
    a, b, c = conic
    determinant = max(a * c - b * b, 1e-9 * a * c)
    half_width = reach * math.sqrt(2.0 * cutoff * c / determinant) + margin
    half_height = reach * math.sqrt(2.0 * cutoff * a / determinant) + margin
    left, right = math.floor(x - half_width - 0.5), math.floor(x + half_width - 0.5)
    top, bottom = math.floor(y - half_height - 0.5), math.floor(y + half_height - 0.5)
    if not wrap[0]:
        left, right = max(0, left), min(size[0] - 1, right)
    if not wrap[1]:
        top, bottom = max(0, top), min(size[1] - 1, bottom)
    return left, top, max(0, right - left + 1), max(0, bottom - top + 1)
