"""Which GPUs there are, asked of the driver: loading torch for that takes seconds of builds that have nothing to do."""

import ctypes
import importlib.util
import runpy
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

PROCESSES_PER_GPU: Final = 8
"""docs/benchmarks/cuda.md has the materials per minute of other numbers."""
_DRIVER: Final = "libcuda.so.1"
_NAME_BYTES: Final = 256
_VERSION_OF_MAJOR: Final = 1000  # the driver says 12080 for CUDA 12.8


@dataclass(frozen=True, slots=True)
class Gpus:
    """Those that this process may use."""

    count: int
    name: str  # of the first, as torch has it


@cache
def gpus_here() -> Gpus | None:
    """Return the GPUs that torch would find on Linux; None where it would find none, or cannot use them.

    It finds them if it was built with CUDA and the driver is of that major version or a later one (CUDA's compatibility
    within a major version), which is what ``torch.cuda.is_available`` comes to.
    """
    major = _cuda_of_torch()
    if major is None:
        return None
    try:
        driver = ctypes.CDLL(_DRIVER)
    except OSError:
        return None
    version, count, device = ctypes.c_int(), ctypes.c_int(), ctypes.c_int()
    name = ctypes.create_string_buffer(_NAME_BYTES)
    if driver.cuInit(0) or driver.cuDriverGetVersion(ctypes.byref(version)):
        return None
    if version.value < major * _VERSION_OF_MAJOR:
        return None
    if driver.cuDeviceGetCount(ctypes.byref(count)) or count.value < 1:
        return None
    if driver.cuDeviceGet(ctypes.byref(device), 0) or driver.cuDeviceGetName(name, _NAME_BYTES, device):
        return None
    return Gpus(count.value, name.value.decode(errors="replace"))


def _cuda_of_torch() -> int | None:
    """Return the major version of CUDA that torch was built with, without loading it."""
    found = importlib.util.find_spec("torch")
    if found is None or not found.submodule_search_locations:
        return None
    version = runpy.run_path(str(Path(found.submodule_search_locations[0]) / "version.py")).get("cuda")
    return None if version is None else int(str(version).partition(".")[0])
