"""How a build scales where nothing takes time but the build itself.

    python benchmarks/build_scale.py check [--materials 10000]     a second build of so many that are cached
    python benchmarks/build_scale.py local [--materials 100000]    so many that are made in no time, by two processes
    python benchmarks/build_scale.py dask  [--materials 100000]    the same by Dask's local cluster of 64 threads

Every material is a folder with one image of some bytes that is never read as one.
"""

import argparse
import resource
import tempfile
import time
from pathlib import Path
from typing import Any
from unittest import mock

from imagegs_tex.builder.build_tree import BuildWorkers, devices_of
from imagegs_tex.builder.cache import Made
from imagegs_tex.builder.engine import run_build
from imagegs_tex.builder.jobs import IGS_FILE, Job, Outcome, Seat
from imagegs_tex.builder.keys import Encoder, this_encoder
from imagegs_tex.builder.local_pool import LocalPool
from imagegs_tex.builder.project_file import ProjectFile
from imagegs_tex.builder.request import BuildReport, BuildRequest
from imagegs_tex.builder.runner import Runner
from imagegs_tex.formats.igs.container import MAGIC

_PER_FOLDER = 500
_THREADS = 64


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


def build(tree: Path, output: Path, runner: Runner, cache: Path | None = None) -> BuildReport:
    """Build and say how long it took."""
    began, used = time.perf_counter(), time.process_time()
    report = run_build(BuildRequest(ProjectFile(tree), output, cache, "cpu"), runner)
    total, own = time.perf_counter() - began, time.process_time() - used
    count = max(1, report.counts.total)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{report.counts.made} made, {report.counts.hit} hit, {report.counts.kept} kept: {total:.1f} s, "
        f"{1000 * total / count:.2f} ms each ({1000 * own / count:.2f} of it this process), {memory:.0f} MiB at most",
        flush=True,
    )
    return report


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
        runner = _farm(name) if options.what == "dask" else LocalPool(devices_of("cpu", BuildWorkers(jobs=2)), pretend)
        try:
            build(tree, output, runner, cache if options.what == "check" else None)
            time.sleep(2.5)  # files that have just been written are read again
            build(tree, output, runner)
            build(tree, output, runner)
            if options.what == "check":
                build(tree, Path(name, "another"), runner, cache)
        finally:
            runner.close()


def _farm(folder: str) -> Runner:
    import distributed

    from imagegs_tex.builder.farm import Farm

    local_cluster: Any = distributed.LocalCluster  # which is without types
    cluster = local_cluster(
        n_workers=1, threads_per_worker=_THREADS, processes=True, dashboard_address=None, local_directory=folder
    )

    class OwnFarm(Farm):
        """Closes its cluster, too."""

        def encoder(self, backend: str) -> Encoder:
            """Return this machine's without asking."""
            return this_encoder(backend)

        def close(self) -> None:
            """Let everybody go."""
            super().close()
            cluster.close()

    return OwnFarm(cluster.scheduler_address, pretend)


if __name__ == "__main__":
    main()
