"""numba, made to use the whole width of this processor's vectors; all kernels take it from here.

LLVM divides the 512-bit vectors of Intel's servers in two unless told otherwise. Whole ones, over arrays that begin
where a vector does, took 0.66 of the time of the loops over a tile's texels; over arrays that do not, 0.9.
"""

from typing import Any, Final

import numba
import numpy as np
from llvmlite import binding
from numba import config, extending

njit: Final[Any] = numba.njit
intrinsic: Final[Any] = extending.intrinsic
"""Any: as declared, its first argument, which numba fills in, would have to be given."""
VECTOR_BYTES: Final = 64
"""The widest vector: what an array's first byte should be a multiple of."""


def _use_whole_vectors() -> None:
    """Has an effect only where nothing has been compiled yet, and where the environment says nothing of its own."""
    try:
        features = binding.get_host_cpu_features()
    except RuntimeError:  # a processor that LLVM knows nothing of
        return
    configuration: Any = config
    if configuration.CPU_FEATURES is None and features.get("avx512f", False):
        configuration.CPU_FEATURES = f"{features.flatten()},-prefer-256-bit"


_use_whole_vectors()


@njit(inline="always")
def aligned(rows, length):
    """Return an uninitialised float32 array [rows, multiple of 16], each row of which begins where a vector does.

    Not by reshape: LLVM then did not know that texels lie side by side, and vectorised nothing.
    """
    room = np.empty((rows, length + VECTOR_BYTES // 4), np.float32)
    first = (VECTOR_BYTES - room.ctypes.data % VECTOR_BYTES) % VECTOR_BYTES // 4
    return room[:, first : first + length]
