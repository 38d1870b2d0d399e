"""Which backend runs here and on what class of processor, found without loading torch where that is possible."""

import hashlib
import os
import platform
import sys
from pathlib import Path
from typing import Final

from llvmlite import binding

from imagegs_tex import common_instructions
from imagegs_tex.builder.gpus import gpus_here
from imagegs_tex.formats.errors import MissingToolError, UsageError

_NVIDIA: Final = (Path("/dev/nvidiactl"), Path("/dev/dxg"), Path("/dev/nvgpu"))  # Linux, WSL, Jetson
_CHOICES: Final = ("NUMBA_CPU_NAME", "NUMBA_CPU_FEATURES", *common_instructions.VARIABLES)
"""Variables that have libraries use other instructions than the processor offers."""


def backend_here(name: str) -> str:
    """Return which backend ``auto`` is here, or the one that was named.

    Raises:
        UsageError: there is no such backend
        MissingToolError: the backend that was named cannot run here
    """
    if name in {"auto", "cuda"} and sys.platform == "linux":
        has_gpu = any(path.exists() for path in _NVIDIA) and gpus_here() is not None
        if has_gpu or name == "auto":
            return "cuda" if has_gpu else "cpu"
    if name in {"cpu", "reference"}:
        return name
    from imagegs_tex.rasterize.select_backend import BACKEND_NAMES, chosen_backend, cuda_problem

    if name not in BACKEND_NAMES:
        raise UsageError(f"there is no backend {name!r}; choose one of {', '.join(BACKEND_NAMES)}")
    problem = None if name == "auto" else cuda_problem()
    if problem is not None:
        raise MissingToolError(f"backend {name} cannot run: {problem}; use --backend cpu")
    return chosen_backend(name)


def processor_class(backend: str, in_children: bool = False) -> str:
    """Return a name that processors share which give the same bytes.

    Of the CPU it is the instructions that kernels and libraries use, since these decide the order of sums: the common
    ones, unless something stands in their way; and the C library, whose functions kernels call. Of a GPU it is the
    model as well, beside the CPU that does the rest.

    Args:
        backend: cpu, cuda or reference
        in_children: whether of processes that this one starts
    """
    text = f"{_instructions(in_children)}, {' '.join(platform.libc_ver()).strip() or sys.platform}"
    if backend != "cuda":
        return text
    return f"{_gpu_name()}, {text}"


def _gpu_name() -> str:
    gpus = gpus_here() if sys.platform == "linux" else None
    if gpus is not None:
        return gpus.name
    import torch

    return torch.cuda.get_device_name()


def _instructions(in_children: bool) -> str:
    problem = common_instructions.problem(in_children)
    if not problem:
        return common_instructions.NAME
    try:
        name, features = binding.get_host_cpu_name(), binding.get_host_cpu_features().flatten()
    except RuntimeError:  # a processor that LLVM knows nothing of
        name, features = platform.processor(), ""
    stated = [os.environ.get(variable, "") for variable in _CHOICES]
    digest = hashlib.sha256("\0".join([name, features, problem, *stated]).encode()).hexdigest()[:8]
    return f"{platform.machine()} {stated[0] or name} {digest}"
