"""What a visitor of the studio waits for the first live picture, and the studio's memory after each of some runs.

    python benchmarks/studio_runs.py [--runs 10] [--example small_cobbles] [--preset fast]

Runs go through the studio's queue, after its own run to warm up; the page adds its half second between two looks. The
page's first example with its defaults is begun first, and left after its first picture. What must hold, in the last
line: the first picture after at most 5 s, and no more memory after the last run than after the second but for 5 %.
"""

import argparse
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Final

from imagegs_tex.formats.material.options import SourceOptions
from imagegs_tex.settings import Preset
from imagegs_tex.studio.examples import EXAMPLES
from imagegs_tex.studio.jobs import Job, JobQueue, JobState
from imagegs_tex.studio.warm import warm_job
from imagegs_tex.studio.wishes import Wish
from imagegs_tex.studio.work import Task, compress_task

_MOST_SECONDS: Final = 5.0
_MOST_GROWTH: Final = 1.05
_LOOK: Final = 0.02
_VERDICT: Final = {True: "holds", False: "TOO MUCH"}


def main() -> int:
    """Measure, print a line for each run, and return 1 where it is too much."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--example", choices=[each.key for each in EXAMPLES], default="small_cobbles")
    parser.add_argument("--preset", choices=[each.value for each in Preset], default=Preset.FAST.value)
    asked = parser.parse_args()
    example = next(each for each in EXAMPLES if each.key == asked.example)
    queue, firsts, sizes = JobQueue(), [], []
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "material"
        source.mkdir()
        example.make(source)
        _wait(queue, warm_job())
        print(f"warm: {_resident():.0f} MB", flush=True)
        firsts.append(_first_of_all(queue, Path(folder)))
        print(f"{EXAMPLES[0].label}, as the page begins: first picture {firsts[0]:.2f} s", flush=True)
        for number in range(asked.runs):
            home = Path(folder) / str(number)
            task = Task("material", source, SourceOptions(), Wish(preset=Preset(asked.preset)), home, 1, source)
            job = Job("material", partial(compress_task, task))
            first = _wait(queue, job, task)
            assert job.state == JobState.DONE, job.error
            firsts.append(first)
            sizes.append(_resident())
            print(
                f"run {number + 1}: first picture {first:.2f} s, whole {job.seconds:.1f} s, {sizes[-1]:.0f} MB",
                flush=True,
            )
    queue.close()
    second = sizes[min(1, len(sizes) - 1)]
    is_quick, is_steady = max(firsts) <= _MOST_SECONDS, sizes[-1] <= _MOST_GROWTH * second
    print(
        f"first picture after at most {max(firsts):.2f} s of {_MOST_SECONDS:.0f}: {_VERDICT[is_quick]}; memory after "
        f"run {min(2, asked.runs)} {second:.0f} MB, after run {asked.runs} {sizes[-1]:.0f} MB: {_VERDICT[is_steady]}"
    )
    return int(not (is_quick and is_steady))


def _first_of_all(queue: JobQueue, folder: Path) -> float:
    """Begin the first example with the page's defaults, and leave it after its first picture."""
    source = folder / "first"
    source.mkdir()
    EXAMPLES[0].make(source)
    task = Task("first", source, SourceOptions(), Wish(), folder / "first_home", 1, source)
    return _wait(queue, Job("first", partial(compress_task, task)), task, is_left=True)


def _wait(queue: JobQueue, job: Job, task: Task | None = None, *, is_left: bool = False) -> float:
    """Have a run made, and return after how many seconds its first picture was there; 0 where it has none.

    Args:
        queue: that it goes through
        job: the run
        task: what it does; None: it has no pictures
        is_left: whether nobody waits any more once there is a picture
    """
    asked, first = time.monotonic(), 0.0
    queue.submit(job)
    while not job.is_over:
        if task is not None and not first and task.live is not None and task.live.frames:
            first = time.monotonic() - asked
            if is_left:
                job.abandoned.set()
        time.sleep(_LOOK)
    return first


def _resident() -> float:
    """Return the memory of this process in MB."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


if __name__ == "__main__":
    sys.exit(main())
