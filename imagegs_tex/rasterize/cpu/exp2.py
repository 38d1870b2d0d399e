"""2^-t as the kernels compute it: a polynomial and a shift of bits. numba's own np.exp took five times as long."""

from typing import Final

import numpy as np
from llvmlite import ir
from numba import types

from imagegs_tex.jit import REORDERED, intrinsic, njit

LARGEST: Final = 126.0
"""From here on 2^-t is constant."""
POLYNOMIAL: Final = (0.0009449, 0.0092058, 0.05529736, 0.24018014, 0.69314372, 1.0)
"""2^x in [-1, 0], minimax, highest power first: relative error below 3e-7, and 2^0 is exact."""
_P5, _P4, _P3, _P2, _P1, _P0 = (np.float32(coefficient) for coefficient in POLYNOMIAL)
_LARGEST: Final = np.float32(LARGEST)


@intrinsic
def _float_of_bits(typing_context, bits):
    def generate(context, builder, signature, arguments):
        return builder.bitcast(arguments[0], ir.FloatType())

    return types.float32(types.int32), generate


@njit(fastmath=REORDERED, inline="always")
def exp2_of_minus(t):
    """2^-t of one number t >= 0, float32; loops over it vectorise."""
    t = min(t, _LARGEST)
    whole = np.int32(t)
    rest = np.float32(whole) - t  # in (-1, 0]
    power = ((((_P5 * rest + _P4) * rest + _P3) * rest + _P2) * rest + _P1) * rest + _P0
    bits = (np.int32(127) - whole) << np.int32(23)
    return power * _float_of_bits(bits)
