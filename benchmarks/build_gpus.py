"""Materials per minute of a build on one GPU and on several.

    python benchmarks/build_gpus.py MATERIAL [--count 256] [--size 1024] [--gaussians 8426] [--runs 1:8:128 2:8 2:16]

The tree has copies of one material that repeats, each shifted by its own number of texels, so all take as long and none
is another's copy. A run is a number of GPUs, processes for each of them, and perhaps fewer materials than there are. A
first build of a few compiles what is not compiled.
"""

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Final

import numpy as np

from imagegs_tex.formats.images import FORMATS, read_picture, write_image

PROJECT: Final = """input = "{tree}"
[defaults]
preset = "balanced"
gaussians = {gaussians}
"""


def write_shifted(material: Path, target: Path, size: int, shift: tuple[int, int]) -> None:
    """Write the first texels of a material's maps, shifted."""
    target.mkdir(parents=True)
    for path in sorted(material.iterdir()):
        if path.suffix.lower() in FORMATS:
            texels = read_picture(path).texels[:size, :size]
            write_image(target / f"{path.stem}.png", np.ascontiguousarray(np.roll(texels, shift, (0, 1))))


def build(folder: Path, tree: str, backend: str, gpus: int, jobs: int) -> float:
    """Build a tree of this folder on the first GPUs and return the seconds that it took."""
    shutil.rmtree(folder / "out", ignore_errors=True)
    command = [sys.executable, "-m", "imagegs_tex", "build", str(folder / f"{tree}.toml"), "-o", str(folder / "out")]
    own = os.environ | {"CUDA_VISIBLE_DEVICES": ",".join(map(str, range(gpus)))}
    began = time.perf_counter()
    done = subprocess.run(
        [*command, "--jobs", str(jobs), "--backend", backend], env=own, capture_output=True, text=True, check=False
    )
    seconds = time.perf_counter() - began
    if done.returncode:
        print(f"exit code {done.returncode}: {done.stderr[-300:]}", flush=True)
    return seconds


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("material", type=Path)
    parser.add_argument("--count", type=int, default=256)
    parser.add_argument("--size", type=int, default=1024)
    parser.add_argument("--gaussians", type=int, default=8426)
    parser.add_argument("--backend", default="cuda")
    parser.add_argument("--runs", nargs="*", default=["1:8:128", "2:8", "2:16"])
    options = parser.parse_args()
    runs = [[*map(int, run.split(":")), options.count][:3] for run in options.runs]
    rng = random.Random(5)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        began = time.perf_counter()
        trees = {f"tree{count}": count for count in {2 * max(runs)[0], *(run[2] for run in runs)}}
        with ProcessPoolExecutor() as pool:
            for number in range(options.count):
                shift = rng.randrange(options.size), rng.randrange(options.size)
                pool.submit(write_shifted, options.material, folder / "all" / f"m{number:03d}", options.size, shift)
        for tree, count in trees.items():
            (folder / tree).mkdir()
            for number in range(count):
                (folder / tree / f"m{number:03d}").symlink_to(folder / "all" / f"m{number:03d}")
            (folder / f"{tree}.toml").write_text(PROJECT.format(tree=tree, gaussians=options.gaussians))
        print(f"{options.count} materials written in {time.perf_counter() - began:.0f} s", flush=True)
        first = build(folder, f"tree{2 * max(runs)[0]}", options.backend, max(runs)[0], 2 * max(runs)[0])
        print(f"first build of {2 * max(runs)[0]}: {first:.0f} s", flush=True)
        for gpus, per_gpu, count in runs:
            seconds = build(folder, f"tree{count}", options.backend, gpus, gpus * per_gpu)
            rate = 60 * count / seconds
            print(f"{gpus} GPUs, {per_gpu} processes each, {count}: {seconds:.1f} s, {rate:.0f} a minute", flush=True)


if __name__ == "__main__":
    main()
