"""Which libraries make the bytes of a file depend on the processor, by the hashes of files made under emulated targets.

    python benchmarks/build_targets.py [--size 96] [--only NAME ...]

Each line is a compression in a process of its own in which one library, or all of them, is told by its own variable to
use the instructions of a processor with AVX2, where this one has AVX-512.
"""

import argparse
import hashlib
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

import numpy as np

from imagegs_tex.formats.images import write_image

_AVX2: Final = "+64bit,+sse2,+sse3,+ssse3,+sse4.1,+sse4.2,+popcnt,+avx,+avx2,+fma,+bmi,+bmi2,+f16c,+lzcnt,+movbe,+cx16"
_NUMBA: Final = {"NUMBA_CPU_NAME": "haswell", "NUMBA_CPU_FEATURES": _AVX2}
_TORCH: Final = {"ATEN_CPU_CAPABILITY": "avx2"}
_NUMPY: Final = {"NPY_DISABLE_CPU_FEATURES": "AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL AVX512_ICL AVX512_SPR"}
_BLAS: Final = {"OPENBLAS_CORETYPE": "Haswell", "MKL_CBWR": "AVX2", "ONEDNN_MAX_CPU_ISA": "AVX2"}
CASES: Final[dict[str, dict[str, str]]] = {
    "as it is": {},
    "again": {},
    "torch": _TORCH,
    "numpy": _NUMPY,
    "blas": _BLAS,
    "torch, numpy, blas": {**_TORCH, **_NUMPY, **_BLAS},
    "numba": _NUMBA,
    "all": {**_NUMBA, **_TORCH, **_NUMPY, **_BLAS},
}


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
    parser.add_argument("--only", nargs="*", choices=list(CASES))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        source, output = Path(name, "stripes"), Path(name, "stripes.igs")
        source.mkdir()
        write_maps(source, options.size)
        for case in options.only or CASES:
            count = str(options.size**2 // 64)
            how = ("--preset", "fast", "--gaussians", count, "--backend", "cpu", "--quiet")
            command = [sys.executable, "-m", "imagegs_tex", "compress", str(source), "-o", str(output), *how]
            own = os.environ | CASES[case]
            subprocess.run(command, env=own, check=True)  # compiles what this target has no kernels of
            began = time.perf_counter()
            subprocess.run(command, env=own, check=True)
            seconds = time.perf_counter() - began
            data = output.read_bytes()
            print(f"{case:<20} {hashlib.sha256(data).hexdigest()[:12]} {len(data)} bytes {seconds:5.1f} s", flush=True)


if __name__ == "__main__":
    main()
