"""Real compressions on Dask while workers and the scheduler are lost: the tree must be the one of processes here.

    python benchmarks/build_farm.py [--materials 24] [--size 48] [--every 8]

A scheduler and two workers in processes of their own. Every few seconds a worker is killed and another starts in its
place; after a third of the materials the scheduler is killed and starts anew, and a third worker joins for good.
"""

import argparse
import os
import random
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

import imagegs_tex
from imagegs_tex.formats.images import write_image


class Cluster:
    """A scheduler and its workers."""

    def __init__(self, folder: Path) -> None:
        """Start two workers."""
        self._folder, self.killed = folder, 0
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]
        self.address = f"tcp://127.0.0.1:{self._port}"
        self.scheduler = self._start_scheduler()
        self.workers = [self._start_worker(), self._start_worker()]

    def _start_scheduler(self) -> subprocess.Popen[bytes]:
        return self._start("distributed.cli.dask_scheduler", "--port", str(self._port), "--no-dashboard")

    def _start_worker(self) -> subprocess.Popen[bytes]:
        how = ("--nthreads", "1", "--no-nanny", "--no-dashboard", "--local-directory", str(self._folder))
        return self._start("distributed.cli.dask_worker", self.address, *how)

    def _start(self, module: str, *arguments: str) -> subprocess.Popen[bytes]:
        log = (self._folder / "log").open("ab")
        return subprocess.Popen([sys.executable, "-m", module, *arguments], stdout=log, stderr=log, env=os.environ)

    def kill_a_worker(self, rng: random.Random) -> None:
        """Kill one and start another in its place."""
        index = rng.randrange(len(self.workers))
        self.workers[index].kill()
        self.workers[index].wait()
        self.workers[index] = self._start_worker()
        self.killed += 1

    def restart_scheduler(self) -> None:
        """Kill the scheduler, start it anew, and have another worker join."""
        self.scheduler.kill()
        self.scheduler.wait()
        self.scheduler = self._start_scheduler()
        self.workers.append(self._start_worker())

    def stop(self) -> None:
        """End all."""
        for process in [*self.workers, self.scheduler]:
            process.kill()
            process.wait()


def write_tree(root: Path, count: int, size: int) -> None:
    """Write materials of two maps."""
    generator = np.random.default_rng(1)
    y, x = np.mgrid[:size, :size] / size
    for number in range(count):
        folder = root / f"m{number:03d}"
        folder.mkdir(parents=True)
        waves = 0.5 + 0.4 * np.sin(6 * x[..., None] * (1 + number % 5) + 3 * y[..., None] * np.arange(1, 5))
        texels = (np.clip(waves + generator.normal(0, 0.02, waves.shape), 0, 1) * 255).astype(np.uint8)
        write_image(folder / "basecolor.png", np.ascontiguousarray(texels[..., :3]))
        write_image(folder / "roughness.png", np.ascontiguousarray(texels[..., 3]))


def files_of(folder: Path) -> dict[str, bytes]:
    """All files but what a build keeps for itself."""
    found = (path for path in folder.rglob("*") if path.is_file() and ".imagegs-build" not in path.parts)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def main() -> None:
    """Run it and say whether the trees are alike."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--materials", type=int, default=24)
    parser.add_argument("--size", type=int, default=48)
    parser.add_argument("--every", type=float, default=8.0, metavar="SECONDS", help="between kills")
    options = parser.parse_args()
    rng = random.Random(0)
    with tempfile.TemporaryDirectory() as name:
        tree, there, here = Path(name, "in"), Path(name, "there"), Path(name, "here")
        write_tree(tree, options.materials, options.size)
        fast = imagegs_tex.Preset.FAST
        began = time.perf_counter()
        local = imagegs_tex.BuildWorkers(jobs=2)
        report = imagegs_tex.build_tree(tree, here, preset=fast, backend="cpu", workers=local)
        seconds = time.perf_counter() - began
        print(f"two processes here: {report.counts.made} made, {len(report.left_out)} not, {seconds:.0f} s", flush=True)
        cluster, ended = Cluster(Path(name)), threading.Event()

        def disturb() -> None:
            restarted = False
            while not ended.wait(options.every):
                if not restarted and len(list(there.rglob("*.igs"))) >= options.materials // 3:
                    cluster.restart_scheduler()
                    restarted = True
                    print(f"scheduler started anew after {time.perf_counter() - began:.0f} s", flush=True)
                else:
                    cluster.kill_a_worker(rng)

        thread = threading.Thread(target=disturb)
        began = time.perf_counter()
        thread.start()
        try:
            farm = imagegs_tex.BuildWorkers(scheduler=cluster.address)
            report = imagegs_tex.build_tree(tree, there, preset=fast, backend="cpu", workers=farm)
        finally:
            ended.set()
            thread.join()
            cluster.stop()
        same = files_of(there) == files_of(here)
        print(
            f"Dask: {report.counts.made} made, {len(report.left_out)} not, {time.perf_counter() - began:.0f} s, "
            f"{cluster.killed} workers killed, {len(cluster.workers)} at the end"
        )
        print("the tree is the same, byte for byte" if same else "THE TREE DIFFERS")
        sys.exit(not same)


if __name__ == "__main__":
    main()
