"""Compiles kernels in other processes while this one reads images and fits: the first run on a machine.

numba holds the interpreter's lock while it compiles, so threads would gain nothing. Kernels come in groups, each
compiled by a process of its own (:mod:`imagegs_tex.warm_up`) into the folder of compiled kernels, from where this
process loads them; when it needs one before that, it waits. A process that fails is no harm: what is missing then is
compiled here, to the same bits.

The first compress of the example material took 26.6 s longer than the second on two cores when all was compiled in turn
(32.7 s of compiling; 15.9 s of it the entropy coder, which is needed last, and only where there is none in C).
"""

import atexit
import contextlib
import hashlib
import importlib.metadata
import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from imagegs_tex.common_instructions import kernel_target
from imagegs_tex.formats.igs.compiled_coder import is_compiled
from imagegs_tex.kernel_cache import kernel_folder
from imagegs_tex.rasterize.cpu.threads import available_threads

CODER: Final = "coder"
QUANTIZE: Final = "quantize"
RASTERIZE: Final = "rasterize"
OLD_FILES: Final = "old_files"
FAST_FILES: Final = "fast_files"
LOSSES: Final = "losses"
LEVELS: Final = "levels"
RESIDUAL: Final = "residual"
GROUPS: Final = {
    CODER: ("imagegs_tex.formats.igs.byte_coder", "imagegs_tex.formats.igs.prediction_coder",
            "imagegs_tex.formats.igs.range_coder", "imagegs_tex.formats.igs.binary_model",
            "imagegs_tex.formats.igs.cell_density", "imagegs_tex.formats.igs.trained_inputs"),
    QUANTIZE: ("imagegs_tex.quantize.geometry_rdo_kernels", "imagegs_tex.quantize.patch_kernels",
               "imagegs_tex.quantize.geometry_numba", "imagegs_tex.quantize.feature_rdo",
               "imagegs_tex.rasterize.cpu.simd", "imagegs_tex.rasterize.cpu.exp2", "imagegs_tex.metrics.ssim",
               "imagegs_tex.metrics.octave_kernels", "imagegs_tex.decoder.detail_kernel",
               "imagegs_tex.detail.envelope_kernels"),
    RASTERIZE: ("imagegs_tex.rasterize.cpu.kernels", "imagegs_tex.rasterize.cpu.normal_equations",
                "imagegs_tex.rasterize.cpu.tile_lists", "imagegs_tex.rasterize.cpu.simd",
                "imagegs_tex.rasterize.cpu.exp2"),
    OLD_FILES: ("imagegs_tex.formats.igs.context_coder", "imagegs_tex.formats.igs.range_coder",
                "imagegs_tex.formats.igs.binary_model"),
    FAST_FILES: ("imagegs_tex.formats.igs.fast_coder", "imagegs_tex.formats.igs.fast_symbols",
                 "imagegs_tex.formats.igs.binary_model", "imagegs_tex.formats.igs.cell_density"),
    LOSSES: ("imagegs_tex.fit.similarity_kernels", "imagegs_tex.rasterize.cpu.kernels",
             "imagegs_tex.rasterize.cpu.tile_lists", "imagegs_tex.rasterize.cpu.simd",
             "imagegs_tex.rasterize.cpu.exp2"),
    LEVELS: ("imagegs_tex.rasterize.cpu.ordered_kernels", "imagegs_tex.rasterize.cpu.exp2"),
    RESIDUAL: ("imagegs_tex.formats.igs.residual_coder", "imagegs_tex.formats.igs.residual_picture",
               "imagegs_tex.formats.igs.repeat_picture", "imagegs_tex.quantize.residual_rdo",
               "imagegs_tex.quantize.residual_nibbles",
               "imagegs_tex.formats.igs.range_coder", "imagegs_tex.formats.igs.binary_model"),
}  # fmt: skip
"""Modules of each group: all whose kernels it compiles, also within others."""
_OF_COMPRESS: Final = (CODER, QUANTIZE, RASTERIZE)
"""The groups that a compression needs, in the order in which they are worth a process: what is needed first, last."""
_MOST_SECONDS: Final = 300.0
_running: dict[str, subprocess.Popen[bytes]] = {}


def start() -> None:
    """Start compiling what is not compiled yet; does nothing where that cannot help, and nothing twice."""
    cores = available_threads()
    if cores < 2 or not _is_plain_python() or not kernel_folder().writable:
        return
    needed = [group for group in _OF_COMPRESS if group != CODER or not is_compiled()]  # the coder may be there in C
    for group in needed[:cores]:
        if group not in _running and not mark_of(group).exists():
            with contextlib.suppress(OSError):
                _running[group] = subprocess.Popen(
                    command(group), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                    env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
                )  # fmt: skip


def command(group: str) -> list[str]:
    """Return how to compile a group in a process of its own."""
    return [sys.executable, "-P", "-m", "imagegs_tex.warm_up", group]  # -P: not from the current folder


def wait_for(module: str) -> bool:
    """Wait for the process that compiles a module's kernels, if there is one; return whether it is worth a look now."""
    for group, modules in GROUPS.items():
        if module in modules and group in _running:
            try:
                return _running[group].wait(_MOST_SECONDS) == 0
            except subprocess.TimeoutExpired:
                _running[group].kill()
    return False


def mark_of(group: str) -> Path:
    """Return the file that says that a group is compiled, for these sources, this numba and this target."""
    from llvmlite import binding

    target = kernel_target() or (binding.get_host_cpu_name(), "")
    parts = [sys.version, importlib.metadata.version("numba"), *target]
    for module in (*GROUPS[group], "imagegs_tex.jit"):
        found = importlib.util.find_spec(module)
        assert found is not None
        assert found.origin is not None
        state = Path(found.origin).stat()
        parts.append(f"{found.origin} {state.st_mtime_ns} {state.st_size}")
    folder = kernel_folder().path
    assert folder is not None
    return folder / f"{group}-{hashlib.sha256(repr(parts).encode()).hexdigest()[:16]}.compiled"


def _is_plain_python() -> bool:
    """Whether sys.executable is Python, and not an application that embeds it and would be started anew."""
    return not getattr(sys, "frozen", False) and Path(sys.executable or "").stem.lower().startswith("python")


@atexit.register
def _stop() -> None:
    for process in _running.values():
        if process.poll() is None:
            process.terminate()
            process.wait()
