"""How a build scales where nothing takes time but the build itself.

    python benchmarks/build_scale.py check [--materials 10000]     a second build of so many that are cached
    python benchmarks/build_scale.py local [--materials 100000]    so many that are made in no time, by two processes
    python benchmarks/build_scale.py dask  [--materials 100000]    the same by 64 of Dask's workers on this machine

Every material is a folder with one image of some bytes that is never read as one. Dask's scheduler and four processes
with 16 workers each are processes of their own, so that what each takes can be told.
"""

import argparse
import os
import resource
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from unittest import mock

from imagegs_tex.builder.build_tree import BuildWorkers, devices_of
from imagegs_tex.builder.cache import Made
from imagegs_tex.builder.engine import run_build
from imagegs_tex.builder.jobs import IGS_FILE, Job, Outcome, Seat
from imagegs_tex.builder.local_pool import LocalPool
from imagegs_tex.builder.progress import BuildEvent, Step
from imagegs_tex.builder.project_file import ProjectFile
from imagegs_tex.builder.request import BuildReport, BuildRequest
from imagegs_tex.builder.runner import Runner
from imagegs_tex.formats.igs.container import MAGIC

_PER_FOLDER = 500
_WORKERS = (4, 16)  # processes, and threads in each
_SAY_EVERY = 10_000


def pretend(job: Job, seat: Seat) -> Outcome:
    """Make a small file that depends on the job."""
    del seat
    facts: dict[str, object] = {"psnr_db": 30.0, "width": 64, "height": 64, "maps": [], "readings": ["base colour"]}
    return Outcome(Made({IGS_FILE: MAGIC + job.name.encode() * 8}, facts))


def write_tree(root: Path, count: int) -> None:
    """Write materials."""
    for number in range(count):
        folder = root / f"{number // _PER_FOLDER:04d}" / f"m{number:06d}"
        folder.mkdir(parents=True)
        (folder / "basecolor.png").write_bytes(f"image {number}".encode() * 20)


class DaskHere:
    """A scheduler and workers of this machine, in processes of their own."""

    def __init__(self, folder: str) -> None:
        """Start them."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.address = f"tcp://127.0.0.1:{port}"
        self._log = Path(folder, "log")
        own = ("--no-nanny", "--no-dashboard", "--nthreads", str(_WORKERS[1]), "--local-directory", folder)
        self._scheduler = self._start("dask_scheduler", "--port", str(port), "--no-dashboard")
        self._workers = [self._start("dask_worker", self.address, *own) for _ in range(_WORKERS[0])]

    def _start(self, module: str, *arguments: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", f"distributed.cli.{module}", *arguments]
        with self._log.open("ab") as log:
            return subprocess.Popen(command, stdout=log, stderr=log)

    def say_what_it_took(self, count: int) -> None:
        """Print processor time and memory of the scheduler and of the workers."""
        for title, processes in (("scheduler", [self._scheduler]), ("workers", self._workers)):
            seconds = sum(_seconds_of(process.pid) for process in processes)
            peaks = [_peak_of(process.pid) for process in processes]
            print(f"  {title}: {1000 * seconds / count:.2f} ms each, {max(peaks):.0f} MiB at most", flush=True)

    def stop(self) -> None:
        """End them."""
        for process in [*self._workers, self._scheduler]:
            process.kill()
            process.wait()


def _seconds_of(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _peak_of(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def build(tree: Path, output: Path, runner: Runner, cache: Path | None = None) -> BuildReport:
    """Build and say how long it took."""
    began, used = time.perf_counter(), time.process_time()

    def listen(event: BuildEvent) -> None:
        done = event.counts.made
        if event.step == Step.MADE and done % _SAY_EVERY == 0:
            print(f"  {done} made after {time.perf_counter() - began:.0f} s, {_peak():.0f} MiB", flush=True)

    report = run_build(BuildRequest(ProjectFile(tree), output, cache, "cpu"), runner, listen)
    total, own = time.perf_counter() - began, time.process_time() - used
    count = max(1, report.counts.total)
    print(
        f"{report.counts.made} made, {report.counts.hit} hit, {report.counts.kept} kept: {total:.1f} s, "
        f"{1000 * total / count:.2f} ms each ({1000 * own / count:.2f} of it this process), {_peak():.0f} MiB at most",
        flush=True,
    )
    return report


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Run one of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["check", "local", "dask"])
    parser.add_argument("--materials", type=int)
    options = parser.parse_args()
    count = options.materials or (10_000 if options.what == "check" else 100_000)
    no_disk = mock.patch("os.fsync", return_value=None)  # the disk's time is not what is measured
    with no_disk, tempfile.TemporaryDirectory() as name:
        tree, output, cache = Path(name, "in"), Path(name, "out"), Path(name, "cache")
        write_tree(tree, count)
        if options.what == "dask":
            from imagegs_tex.builder.farm import Farm

            cluster = DaskHere(name)
            try:
                farm = Farm(cluster.address, pretend)
                build(tree, output, farm)
                cluster.say_what_it_took(count)
                farm.close()
            finally:
                cluster.stop()
        pool = LocalPool(devices_of("cpu", BuildWorkers(jobs=2)), pretend)
        try:
            if options.what != "dask":
                build(tree, output, pool, cache if options.what == "check" else None)
            time.sleep(2.5)  # files that have just been written are read again
            build(tree, output, pool)
            build(tree, output, pool)
            if options.what == "check":
                build(tree, Path(name, "another"), pool, cache)
        finally:
            pool.close()


if __name__ == "__main__":
    main()
