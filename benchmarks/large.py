"""What the largest pictures take: peak memory and seconds of compress, decode, export, compare and verify.

    large.py [--size 16384x16384] [--channels 3] [--gaussians 2000] [--steps N] [--backend cpu]
             [--only compress decode export compare verify] [--folder DIR]

A picture of waves and noise is made, and each command run on it in a process of its own. The whole size takes some
33 GB in three channels (imagegs_tex/memory.py); sizes below it show how that grows. Memory does not depend on the
number of steps: a few are enough to measure it. Beside the peak stands what imagegs_tex/memory.py says.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.cli.numbers import read_size
from imagegs_tex.formats.images import write_image
from imagegs_tex.memory import Work

STAGES: Final = ("compress", "decode", "export", "compare", "verify")
_BAND: Final = 256


def main() -> None:
    """Run the stages that the command line asks for, and print a row for each."""
    parser = argparse.ArgumentParser(description="Peak memory and seconds with large pictures.")
    parser.add_argument("--size", default="16384x16384", help="WIDTHxHEIGHT in texels")
    parser.add_argument("--channels", type=int, choices=(1, 3), default=3)
    parser.add_argument("--gaussians", type=int, default=2000)
    parser.add_argument("--steps", type=int, help="of the fit; the fast preset's when not given")
    parser.add_argument("--backend", choices=("cpu", "cuda"), default="cpu", help="of compress; the others use the CPU")
    parser.add_argument("--only", nargs="+", choices=STAGES, default=STAGES)
    parser.add_argument("--folder", type=Path, help="where files go, and stay; a temporary one when not given")
    options = parser.parse_args()
    size = read_size(options.size)
    assert size is not None
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        picture = folder / "large.png"
        if "compress" in options.only:
            started = time.perf_counter()
            write_image(picture, made_picture(*size, options.channels))
            print(f"the picture was made in {time.perf_counter() - started:.1f} s", flush=True)
        print(f"{size[0]} x {size[1]}, {options.channels} channels, {options.gaussians} Gaussians")
        print(f"{'stage':10}{'exit':>5}{'peak GB':>9}{'said GB':>9}{'seconds':>9}", flush=True)
        failed = False
        how = ["--gaussians", str(options.gaussians), "--backend", options.backend]
        how += [] if options.steps is None else ["--steps", str(options.steps)]
        for stage, code, peak, seconds in run_stages(picture, options.only, how):
            said = Work[stage.upper()].bytes_for(*size, options.channels)
            print(f"{stage:10}{code:5}{peak / 1e9:9.2f}{said / 1e9:9.2f}{seconds:9.1f}", flush=True)
            failed = failed or code != 0
    sys.exit(failed)


def made_picture(width: int, height: int, channels: int) -> NDArray[np.uint8]:
    """Return waves with some noise [H, W, channels], the same every time."""
    noise = np.random.default_rng(0).integers(-4, 5, (_BAND, width, channels), np.int8)
    texels = np.empty((height, width, channels), np.uint8)
    frequencies = np.array([(1, 3), (2, 1), (3, 2)][:channels], np.float32)
    x = np.arange(width, dtype=np.float32)[None, :, None] / 97
    for top in range(0, height, _BAND):
        y = np.arange(top, min(height, top + _BAND), dtype=np.float32)[:, None, None] / 131
        waves = 128 + 90 * np.sin(x * frequencies[:, 0] + y * frequencies[:, 1])
        texels[top : top + _BAND] = waves + noise[: len(y)]
    return texels


def run_stages(picture: Path, stages: tuple[str, ...], how: list[str]) -> Iterator[tuple[str, int, int, float]]:
    """Run commands one after another; give each one's name, exit code, peak memory in bytes and seconds.

    Args:
        picture: of which files are made beside it
        stages: of STAGES
        how: further arguments of compress
    """
    file, folder = picture.with_suffix(".igs"), picture.parent
    arguments = {
        "compress": [picture, "-o", file, "--preset", "fast", "-q", *how],
        "decode": [file, "-o", folder / "decoded", "--overwrite", "--backend", "cpu", "-q"],
        "export": [file, "-o", folder / "exported", "--backend", "cpu", "-q"],
        "compare": [file, picture, "--json"],
        "verify": [file, "--json"],
    }
    for stage in stages:
        started = time.perf_counter()
        command = [sys.executable, "-m", "imagegs_tex", stage, *map(str, arguments[stage])]
        nowhere = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
        child = os.posix_spawn(sys.executable, command, os.environ, file_actions=nowhere)
        _, status, usage = os.wait4(child, 0)
        yield stage, os.waitstatus_to_exitcode(status), usage.ru_maxrss * 1024, time.perf_counter() - started


if __name__ == "__main__":
    main()
