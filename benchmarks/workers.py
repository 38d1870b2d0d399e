"""Cases side by side, each in a process of its own with a backend of its own."""

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")


def side_by_side(work: Callable[[Task], Result], tasks: Iterable[Task], jobs: int) -> list[Result]:
    """Return what work makes of each task, in their order; both must be picklable unless there is one job."""
    if jobs <= 1:
        return [work(task) for task in tasks]
    threads = str(max(1, (os.cpu_count() or 1) // jobs))
    os.environ.update({"OMP_NUM_THREADS": threads, "NUMBA_NUM_THREADS": threads})  # what children start with
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        return list(pool.map(work, tasks))
