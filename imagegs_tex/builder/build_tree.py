"""The build as Python users and the command line call it."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from imagegs_tex.builder.engine import run_build
from imagegs_tex.builder.gpus import PROCESSES_PER_GPU, gpus_here
from imagegs_tex.builder.jobs import Job, Outcome, Seat
from imagegs_tex.builder.local_pool import LocalPool
from imagegs_tex.builder.processor import backend_here
from imagegs_tex.builder.progress import Listener
from imagegs_tex.builder.project_file import project_of
from imagegs_tex.builder.request import BuildReport, BuildRequest
from imagegs_tex.builder.runner import Runner
from imagegs_tex.rasterize.cpu.threads import available_threads
from imagegs_tex.settings import Preset

_WARM: Final = "imagegs_tex.builder.warm"


@dataclass(frozen=True, slots=True)
class BuildWorkers:
    """Who does the work."""

    jobs: int | None = None  # processes of this machine; None: one per core, or eight per GPU
    scheduler: str | None = None  # address of a Dask scheduler whose workers do it in their place
    timeout: float | None = None  # seconds after which a material is given up


def build_tree(  # noqa: PLR0913 - a choice each
    source: Path | str,
    output: Path | str,
    *,
    cache: Path | str | None = None,
    preset: Preset | None = None,
    backend: str = "auto",
    workers: BuildWorkers | None = None,
    keep_going: bool = True,
    dry_run: bool = False,
    listener: Listener | None = None,
) -> BuildReport:
    """Compress every material of a tree that is not there already as it would be made.

    Args:
        source: a folder of materials, or a project file (.toml), which says how each is made
        output: a folder for the .igs files, which lie in it as the materials do in the tree, and for an index of them
        cache: a folder that builds share, on this machine or many; None: the output alone is looked at
        preset: how much time to spend on each; None: balanced, or what the project file says
        backend: auto, cpu, cuda or reference
        workers: how many, and for how long
        keep_going: whether a material that cannot be made stops no other
        dry_run: whether to write nothing and say what would be done
        listener: is told of every step

    Returns:
        how many were made, found and left out, and why

    Raises:
        InputError: there is no such tree; without ``keep_going`` also the first material that cannot be made
        OutputError: the output or the cache cannot be written or is something else, or another build has the output
        UsageError: there is no such backend, or the output is the tree itself
        MissingToolError: the backend that was named cannot run on this machine
    """
    request = BuildRequest(
        project_of(Path(source), preset), Path(output), None if cache is None else Path(cache).absolute(), backend,
        keep_going, dry_run,
    )  # fmt: skip
    with make_runner(backend, workers or BuildWorkers()) as runner:
        return run_build(request, runner, listener)


@contextmanager
def make_runner(backend: str, workers: BuildWorkers) -> Iterator[Runner]:
    """Give whoever does the work; nobody begins before there is some.

    Args:
        backend: auto, cpu, cuda or reference
        workers: who, and how many

    Raises:
        MissingToolError: the backend cannot run, no scheduler answers, or Dask is not installed
    """
    runner: Runner
    if workers.scheduler is None:
        devices = devices_of(backend, workers)
        # torch refuses CUDA after a fork of what has as much as asked for a GPU: there each process loads for itself
        preload = [_WARM] if set(devices) == {"cpu"} else []
        runner = LocalPool(devices, do_job, workers.timeout, preload)
    else:
        from imagegs_tex.builder.farm import Farm

        runner = Farm(workers.scheduler, do_job, workers.timeout)
    try:
        yield runner
    finally:
        runner.close()


def do_job(job: Job, seat: Seat) -> Outcome:
    """Do a job; loads what that needs when it is called."""
    from imagegs_tex.builder.work import run_job

    return run_job(job, seat)


def devices_of(backend: str, workers: BuildWorkers) -> list[str]:
    """Return what each process of this machine computes with: as many as cores, or GPUs shared out."""
    if backend_here(backend) != "cuda":
        return ["cpu"] * (workers.jobs or available_threads())
    gpus = _gpu_count()
    return [f"cuda:{index % gpus}" for index in range(workers.jobs or gpus * PROCESSES_PER_GPU)]


def _gpu_count() -> int:
    gpus = gpus_here() if sys.platform == "linux" else None
    if gpus is not None:
        return gpus.count
    import torch

    return torch.cuda.device_count()
