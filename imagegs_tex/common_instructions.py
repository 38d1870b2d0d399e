"""The same bytes on every x86-64 processor since 2013: libraries use the instructions that all of those have.

Left to themselves, libraries take what a processor offers, and each choice has its own order of sums and its own last
bits: MKL's exp, products and transforms, torch's hyperbolic functions, numpy's functions of float64, OpenBLAS's eigen-
vectors, and loops that LLVM vectorises. So each is told to use AVX2 with fused multiply-add, MKL what it calls
compatible, which gives one result on the processors of every maker, but for roots (square_root.py). On a processor with
AVX-512 a compression takes 3 % longer by that, at best of ten, and 10 % in the median (docs/benchmarks/builds.md).

They read their variables when they are loaded, so this is done when :mod:`imagegs_tex` is imported, by variables of the
environment, which children have too. Whoever sets one of them beforehand has their own choice.
"""

import functools
import os
import platform
import re
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Final


def _numpy_version() -> tuple[int, int] | None:
    """Return numpy's version without loading numpy; None if it cannot be told. importlib.metadata takes 20 ms."""
    found = find_spec("numpy")
    if found is None or found.origin is None:
        return None
    text = (Path(found.origin).parent / "version.py").read_text(encoding="utf-8")
    said = re.search(r"^version = ['\"](\d+)\.(\d+)", text, re.MULTILINE)
    return None if said is None else (int(said[1]), int(said[2]))


def _beyond_avx2() -> str:
    """Return numpy's names of what it would use beyond AVX2; it warns of those that it does not know."""
    version = _numpy_version()
    if version is None:
        return ""
    if version >= (2, 4):
        return "X86_V4 AVX512_ICL AVX512_SPR"
    return "AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL AVX512_ICL"


VARIABLES: Final = {
    "ATEN_CPU_CAPABILITY": "avx2",
    "MKL_CBWR": "COMPATIBLE",
    "OPENBLAS_CORETYPE": "Haswell",
    "NPY_DISABLE_CPU_FEATURES": _beyond_avx2(),
}
"""What each library is told, by the variable that it reads."""
NAME: Final = "x86-64-v3"
"""The x86-64 psABI's name of what is used: AVX2, FMA, BMI2 and what goes with them."""
_LLVM_NAME: Final = "haswell"
_FEATURES: Final = (
    "64bit cmov cx8 cx16 fxsr mmx sahf sse sse2 sse3 ssse3 sse4.1 sse4.2 popcnt xsave avx avx2 fma bmi bmi2 f16c lzcnt "
    "movbe crc32"
)
_BASE: Final = frozenset({"avx2", "fma", "bmi", "bmi2", "f16c", "lzcnt", "movbe"})
_LIBRARIES: Final = ("numpy", "torch")


def _set_variables() -> tuple[str, ...]:
    """Set what nobody has set; return the libraries that were loaded before and may not have seen it."""
    late = any(variable not in os.environ for variable in VARIABLES)
    for variable, value in VARIABLES.items():
        os.environ.setdefault(variable, value)
    return tuple(name for name in _LIBRARIES if late and name in sys.modules)


_loaded_before: Final = _set_variables() if platform.machine().lower() in {"x86_64", "amd64"} else _LIBRARIES


@functools.cache
def kernel_target() -> tuple[str, str] | None:
    """Return LLVM's names of the processor and features that kernels are compiled for; None: this very processor.

    It is the common one, unless this processor lacks some of it or the variables of numba say otherwise.
    """
    from llvmlite import binding

    if "NUMBA_CPU_NAME" in os.environ or "NUMBA_CPU_FEATURES" in os.environ:
        return None
    try:
        offered = binding.get_host_cpu_features()
    except RuntimeError:  # a processor that LLVM knows nothing of
        return None
    if not all(offered.get(feature, False) for feature in _BASE):
        return None
    return _LLVM_NAME, ",".join(f"+{feature}" for feature in _FEATURES.split())


def problem(in_children: bool = False) -> str:
    """Return why bytes may be those of this processor alone; empty: they are the common ones.

    Args:
        in_children: whether of processes that this one starts, which have the variables from their beginning
    """
    chosen = [f"{variable}={os.environ[variable]}" for variable in VARIABLES if _is_chosen(variable)]
    if chosen:
        return f"{', '.join(chosen)} was chosen"
    if kernel_target() is None:
        return f"kernels are not compiled for {NAME}"
    if _loaded_before and not in_children:
        return f"{' and '.join(_loaded_before)} came before imagegs_tex"
    return ""


def _is_chosen(variable: str) -> bool:
    return os.environ.get(variable) != VARIABLES[variable]
