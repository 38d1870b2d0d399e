"""Kill a build at random moments, again and again, and look whether anything is left that is not whole.

    python benchmarks/build_kills.py [--kills 100] [--materials 60] [--seed 0]

The work is pretended (a few milliseconds each), so that kills fall on planning, writing, caching and the index as often
as on work. Each build changes the tree a little before it is killed. After every kill all files of the output and the
cache are checked; at the end a build that nobody kills must give the tree of a build into an empty folder, byte for
byte.
"""

import argparse
import contextlib
import hashlib
import json
import multiprocessing
import random
import shutil
import signal
import sys
import tempfile
import time
from multiprocessing.process import BaseProcess
from pathlib import Path

from imagegs_tex.builder.build_tree import BuildWorkers, devices_of
from imagegs_tex.builder.cache import Made
from imagegs_tex.builder.engine import run_build
from imagegs_tex.builder.jobs import IGS_FILE, CompressJob, Job, Outcome, Seat
from imagegs_tex.builder.keys import Encoder
from imagegs_tex.builder.local_pool import LocalPool
from imagegs_tex.builder.project_file import ProjectFile
from imagegs_tex.builder.request import BuildReport, BuildRequest
from imagegs_tex.builder.state import STATE_FOLDER
from imagegs_tex.formats.files.atomic_write import is_temporary
from imagegs_tex.formats.igs.container import MAGIC

ENCODER = Encoder("0", 4, "code", (), "3.11", "cpu", "test")


class Pool(LocalPool):
    """A pool with an encoder that asks for nothing."""

    def encoder(self, backend: str) -> Encoder:
        """Return one that is always the same."""
        del backend
        return ENCODER


def pretend(job: Job, seat: Seat) -> Outcome:
    """Make 20 kB that depend on the input, in 5 ms."""
    del seat
    assert isinstance(job, CompressJob)
    assert job.source is not None
    time.sleep(0.005)
    content = b"".join(entry.image.path.read_bytes() for entry in job.source.maps)
    return Outcome(Made({IGS_FILE: MAGIC + hashlib.sha256(content).digest() * 640}, {"psnr_db": 30.0}))


def build(tree: Path, output: Path, cache: Path) -> BuildReport:
    """Build with two processes."""
    pool = Pool(devices_of("cpu", BuildWorkers(jobs=2)), pretend)
    try:
        return run_build(BuildRequest(ProjectFile(tree), output, cache), pool)
    finally:
        pool.close()


def change(tree: Path, materials: int, rng: random.Random) -> None:
    """Write a few maps anew, remove some materials, bring some back."""
    for _ in range(6):
        folder = tree / f"{rng.randrange(5)}" / f"m{rng.randrange(materials)}"
        if rng.random() < 0.25 and folder.exists():
            shutil.rmtree(folder)
        else:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "basecolor.png").write_bytes(rng.randbytes(200))


def wait_for_begin(process: BaseProcess, output: Path) -> None:
    """Wait until a process has the output's lock, so that kills do not fall on Python starting."""
    lock = output / STATE_FOLDER / "lock"
    while process.is_alive():
        with contextlib.suppress(OSError, ValueError):
            if json.loads(lock.read_bytes())["pid"] == process.pid:
                return
        time.sleep(0.002)


def problems_of(output: Path, cache: Path) -> list[str]:
    """Say what is not whole."""
    found = []
    for path in output.rglob("*.igs"):
        data = path.read_bytes()
        if len(data) != len(MAGIC) + 32 * 640 or data[len(MAGIC) :] != data[len(MAGIC) : len(MAGIC) + 32] * 640:
            found.append(f"{path} is not whole")
    for path in (cache / "blobs").glob("*/*"):
        if not is_temporary(path.name) and hashlib.sha256(path.read_bytes()).hexdigest() != path.name:
            found.append(f"{path} is not whole")
    for path in [output / "materials.json", *(cache / "actions").glob("*/*.json")]:
        if path.exists():
            try:
                json.loads(path.read_bytes())
            except ValueError:
                found.append(f"{path} is not whole")
    return found


def files_of(folder: Path) -> dict[str, bytes]:
    """All files, without what a build keeps for itself but with what it has left there."""
    kept = {"hashes.json", "lock.guard"}
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name not in kept
    }


def main() -> None:
    """Run it and say what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--materials", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    context = multiprocessing.get_context("forkserver")
    with tempfile.TemporaryDirectory() as name:
        tree, output, cache = Path(name, "in"), Path(name, "out"), Path(name, "cache")
        for number in range(options.materials):
            folder = tree / str(number % 5) / f"m{number}"
            folder.mkdir(parents=True)
            (folder / "basecolor.png").write_bytes(rng.randbytes(200))
        whole = context.Process(target=build, args=(tree, output, cache))
        whole.start()
        wait_for_begin(whole, output)
        began = time.perf_counter()
        whole.join()
        longest = time.perf_counter() - began
        killed, problems = 0, list[str]()
        while killed < options.kills:
            change(tree, options.materials, rng)
            if killed % 10 == 5:  # the last build goes on from what kills have left
                shutil.rmtree(cache, ignore_errors=True)  # killed before there was one
                shutil.rmtree(output, ignore_errors=True)
            process = context.Process(target=build, args=(tree, output, cache))
            process.start()
            wait_for_begin(process, output)
            process.join(rng.uniform(0, longest))
            if process.is_alive():
                process.kill()
                process.join()
            killed += process.exitcode == -signal.SIGKILL
            problems += problems_of(output, cache)
        report = build(tree, output, cache)
        build(tree, Path(name, "fresh"), Path(name, "fresh cache"))
        same = files_of(output) == files_of(Path(name, "fresh"))
        print(f"{killed} kills within 0 to {longest:.2f} s; {len(problems)} files not whole; then {report.counts}")
        print("the tree is that of a build into an empty folder" if same else "THE TREE DIFFERS")
        sys.exit(bool(problems) or not same)


if __name__ == "__main__":
    main()
