"""Both backends side by side: do the GPU and the CPU make files of the same quality?

    backends.py [--cases NAME ...] [--starts N] [--jobs N] [--write]

Each case is fitted with the reference's number of Gaussians from several starts (seeds of the fit). A fit is a chaotic
path: the last bit of a sum, as the backends differ in, moves a single file's PSNR about as much as another start does,
so their means are compared, beside how far starts lie apart. With --write the table in docs/benchmarks/cuda.md is
replaced.
"""

import argparse
import tempfile
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from cases import load_cases
from tables import markdown, replace_table
from workers import side_by_side

import imagegs_tex
from imagegs_tex.settings import DetailMode, Preset, preset_settings

BACKENDS = ("cuda", "cpu")


@dataclass(frozen=True)
class Run:
    """What the files of one start have."""

    psnr_db: tuple[float, float]  # by BACKENDS
    file_bytes: tuple[int, int]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", nargs="*", default=[])
    parser.add_argument("--preset", default="balanced")
    parser.add_argument("--starts", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    names = [case.name for case in load_cases(arguments.cases)]
    tasks = [(name, start) for name in names for start in range(arguments.starts)]
    runs = side_by_side(partial(measure, arguments.preset), tasks, arguments.jobs)
    rows = [
        row_of(name, runs[first : first + arguments.starts])
        for name, first in zip(names, range(0, len(tasks), arguments.starts), strict=True)
    ]
    headings = ["case", "cuda dB", "cpu dB", "difference", "± of starts", "cuda bytes", "cpu bytes", "difference, %"]
    table = markdown(headings, rows)
    print(table)
    if arguments.write:
        replace_table("backends", table)


def measure(preset: str, task: tuple[str, int]) -> Run:
    """Make a file with each backend."""
    name, start = task
    (case,) = load_cases([name])
    settings = replace(preset_settings(Preset(preset)), detail=DetailMode.OFF)
    settings = replace(settings, gaussian_count=case.gaussians, fit=replace(settings.fit, seed=start))
    with case.staged() as folder, tempfile.TemporaryDirectory() as target:
        first, second = (
            imagegs_tex.compress(folder, Path(target) / f"{backend}.igs", settings, backend) for backend in BACKENDS
        )
    run = Run((first.psnr_db, second.psnr_db), (first.file_bytes, second.file_bytes))
    print(name, start, run, flush=True)
    return run


def row_of(name: str, runs: list[Run]) -> list[object]:
    """Return means over the starts, and the deviation of single starts on the cpu."""
    decibels = np.array([run.psnr_db for run in runs])
    on_gpu, on_cpu = decibels.mean(axis=0)
    gpu_bytes, cpu_bytes = np.mean([run.file_bytes for run in runs], axis=0)
    return [
        name, f"{on_gpu:.3f}", f"{on_cpu:.3f}", f"{on_gpu - on_cpu:+.3f}", f"{decibels[:, 1].std():.3f}",
        round(gpu_bytes), round(cpu_bytes), f"{100 * (gpu_bytes / cpu_bytes - 1):+.2f}",
    ]  # fmt: skip


if __name__ == "__main__":
    main()
