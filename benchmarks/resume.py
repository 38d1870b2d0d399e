"""Runs that are killed at random steps, as by kill -9, and go on: whether each ends in the bytes of one that was not.

python benchmarks/resume.py [--kills 20] [--backend cpu] [--seed 0]
"""

import argparse
import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

import numpy as np

import imagegs_tex
from imagegs_tex import Checkpointing, CompressSettings, FitControl, FitProgress, FitSettings
from imagegs_tex.formats.images import write_image

SIDE: Final = 128
STEPS: Final = 60
EVERY: Final = 4
SETTINGS: Final = {
    "a number of Gaussians": CompressSettings(gaussian_count=300, fit=FitSettings(steps=STEPS, refine_sweeps=1)),
    "a size": CompressSettings(max_bytes=2500, fit=FitSettings(steps=STEPS, refine_sweeps=1)),
}


def make_material(folder: Path) -> None:
    """Write a material with detail at every scale."""
    rng = np.random.default_rng(1)
    planes = sum(np.kron(rng.random((SIDE // n, SIDE // n, 4)), np.ones((n, n, 1))) for n in (1, 2, 4, 8, 16, 32))
    codes = np.rint(np.asarray(planes) / 6 * 255).astype(np.uint8)
    write_image(folder / "basecolor.png", codes[..., :3])
    write_image(folder / "roughness.png", codes[..., 3])


def compress(work: Path, name: str, backend: str, kill_at: int | None, *, resume: bool) -> str:
    """Compress with checkpoints, and return the file's hash; the process ends without a word after so many steps."""
    taken = 0

    def count(state: FitProgress) -> None:
        nonlocal taken
        taken += state.psnr_db is not None
        if taken == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    output = work / "a.igs"
    control = FitControl(1, checkpoints=Checkpointing(work / "saved", EVERY, resume))
    imagegs_tex.compress(work / "stone", output, SETTINGS[name], backend, progress=count, control=control)
    return hashlib.sha256(output.read_bytes()).hexdigest()


def main() -> None:
    """Kill and go on, again and again."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--backend", default="cpu")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.child is not None:
        compress(Path(chosen.child[0]), chosen.child[1], chosen.backend, int(chosen.child[2]), resume=False)
        return
    rng = random.Random(chosen.seed)
    different = 0
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        make_material(work / "stone")
        wanted = {name: compress(work, name, chosen.backend, None, resume=False) for name in SETTINGS}
        # a GPU tells of every eighth step, a search has about twice the steps of one fit
        told = 1 if chosen.backend == "cpu" else 8
        for number in range(chosen.kills):
            name = list(SETTINGS)[number % 2]
            shutil.rmtree(work / "saved", ignore_errors=True)
            (work / "a.igs").unlink(missing_ok=True)
            kill_at = rng.randrange(1, (STEPS - 4 + 50 * (number % 2)) // told)
            child = [sys.executable, __file__, "--backend", chosen.backend, "--child", folder, name, str(kill_at)]
            code = subprocess.run(child, check=False).returncode
            found = compress(work, name, chosen.backend, None, resume=True)
            same = found == wanted[name] and code == -signal.SIGKILL
            different += not same
            print(
                f"{name}: killed at step {kill_at * told}, {found[:16]}, {'the same' if same else 'DIFFERENT'}",
                flush=True,
            )
    print(f"{chosen.kills - different} of {chosen.kills} ended in the same bytes on {chosen.backend}")
    sys.exit(different > 0)


if __name__ == "__main__":
    main()
