"""Whether a file has the same bytes on every processor, by the hashes of files made under emulated ones.

    python benchmarks/build_targets.py [--size 96] [--only NAME ...]

Each line is a compression in a process of its own. First as it is, then with libraries that believe to be on one with
AVX2 where this one has AVX-512: these must give the same hash. Then with one library each, or all of them, left to
take what this processor offers: these show what the common instructions (imagegs_tex/common_instructions.py) are for,
and what they cost.

Where there is qemu-x86_64 (Debian's qemu-user) all of it is run once more as on an Intel and as on an AMD processor,
instruction by instruction: these must give the same hash, too. What MKL does depends on the maker.
"""

import argparse
import hashlib
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

import numpy as np
from llvmlite import binding

from imagegs_tex.formats.images import write_image

_HIDDEN: Final = ("AVX512F", "AVX512CD", "AVX512BW", "AVX512DQ", "AVX512VL", "AVX512ER", "AVX512PF")
_C_LIBRARY: Final = {"GLIBC_TUNABLES": "glibc.cpu.hwcaps=" + ",".join(f"-{name}" for name in _HIDDEN)}
_MKL: Final = {"MKL_ENABLE_INSTRUCTIONS": "AVX2"}
_ONEDNN: Final = {"ONEDNN_MAX_CPU_ISA": "AVX2"}
_NATIVE: Final = {
    "torch": {"ATEN_CPU_CAPABILITY": "avx512"},
    "MKL": {"MKL_CBWR": "AUTO"},
    "numpy": {"NPY_DISABLE_CPU_FEATURES": ""},
    "OpenBLAS": {"OPENBLAS_CORETYPE": ""},
    "kernels": {"NUMBA_CPU_NAME": binding.get_host_cpu_name()},
}
_EVERY: Final = {variable: value for own in _NATIVE.values() for variable, value in own.items()}
CASES: Final[dict[str, dict[str, str]]] = {
    "as it is": {},
    "MKL on AVX2": _MKL,
    "oneDNN on AVX2": _ONEDNN,
    "C library on AVX2": _C_LIBRARY,
    "all on AVX2": {**_MKL, **_ONEDNN, **_C_LIBRARY},
    **{f"native {name}": own for name, own in _NATIVE.items()},
    "native, all": _EVERY,
}
EMULATED: Final = {"Intel, emulated": "Haswell", "AMD, emulated": "EPYC-Rome"}
"""Qemu's names of processors."""


def write_maps(folder: Path, size: int) -> None:
    """Write a colour with edges and grain, and a roughness."""
    generator = np.random.default_rng(3)
    y, x = np.mgrid[:size, :size] / size
    stripes = np.sin(20 * x + 5 * np.sin(9 * y)) > 0
    noise = generator.normal(0, 0.05, (size, size, 3))
    colour = np.stack([0.3 + 0.4 * stripes, 0.5 + 0.3 * x * y, 0.4 + 0.2 * np.cos(7 * y)], axis=-1) + noise
    write_image(folder / "basecolor.png", (np.clip(colour, 0, 1) * 255).astype(np.uint8))
    write_image(folder / "roughness.png", ((0.2 + 0.6 * stripes * y) * 255).astype(np.uint8))


def main() -> None:
    """Print a line for each case."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=96)
    emulator = shutil.which("qemu-x86_64")
    every = [*CASES, *(EMULATED if emulator else [])]
    parser.add_argument("--only", nargs="*", choices=every, default=every)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        source, output = Path(name, "stripes"), Path(name, "stripes.igs")
        source.mkdir()
        write_maps(source, options.size)
        for case in options.only:
            count = str(options.size**2 // 64)
            how = ("--preset", "fast", "--gaussians", count, "--backend", "cpu", "--quiet")
            command = [sys.executable, "-m", "imagegs_tex", "compress", str(source), "-o", str(output), *how]
            own = os.environ | CASES.get(case, {})
            if case in EMULATED:
                command = [str(emulator), "-cpu", EMULATED[case], *command]
            subprocess.run(
                command, env=own, stderr=subprocess.DEVNULL, check=True
            )  # compiles what there are no kernels of
            before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
            subprocess.run(command, env=own, stderr=subprocess.DEVNULL, check=True)  # which qemu fills with warnings
            seconds = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before
            data = output.read_bytes()
            digest = hashlib.sha256(data).hexdigest()[:12]
            print(f"{case:<20} {digest} {len(data)} bytes {seconds:5.1f} s of CPU", flush=True)


if __name__ == "__main__":
    main()
