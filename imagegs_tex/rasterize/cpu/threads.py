"""Spread a kernel over threads: ranges of work, taken by whichever thread is free.

Kernels are compiled without numba's own parallel loops: those took twice as long to compile, and their fixed division
of the work made every step wait for the slowest thread. What a range writes depends on nothing but the range, so the
thread count changes no bit.
"""

import functools
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import pairwise
from typing import Final

_FEWEST: Final = 32
"""Tiles or Gaussians that are worth more than one thread."""
_SHARE: Final = 2
"""A range is what is left, over so many times the threads: large ones first, so that few have to be started."""
_SMALLEST: Final = 64, 4
"""By which all of the work is divided for the smallest ranges, or by so many times the threads where that is more: by
them threads end at about the same time."""

_LIBRARIES: Final = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""By which FLIP, numpy and torch are told how many threads to have."""


def available_threads() -> int:
    """Return how many cores this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def one_thread_in_libraries() -> Iterator[None]:
    """Have processes that start meanwhile share the cores: in each, libraries would take one thread per core, and spin.

    Whoever has set a library's variable has their own choice.
    """
    unset = [variable for variable in _LIBRARIES if variable not in os.environ]
    os.environ.update(dict.fromkeys(unset, "1"))
    try:
        yield
    finally:
        for variable in unset:
            os.environ.pop(variable, None)


@functools.lru_cache(64)
def _ranges(length: int, threads: int) -> list[tuple[int, int]]:
    """Return ranges that cover 0..length, ever smaller ones."""
    bounds, least = [0], max(1, length // max(_SMALLEST[0], _SMALLEST[1] * threads))
    while (left := length - bounds[-1]) > 0:
        bounds.append(bounds[-1] + min(left, max(least, left // (_SHARE * threads))))
    return list(pairwise(bounds))


class Workers:
    """Threads that live as long as their backend."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._pool = ThreadPoolExecutor(count - 1, thread_name_prefix="imagegs-tex") if count > 1 else None

    def run(self, kernel: Callable[..., None], length: int, *arguments: object) -> None:
        """Call kernel(*arguments, begin, end) for ranges that cover 0..length, and wait for all of them."""
        if self._pool is None or length < _FEWEST:
            kernel(*arguments, 0, length)
            return
        ranges = iter(_ranges(length, self.count))  # of a list: taking the next one is a single step of the interpreter

        def work() -> None:
            for begin, end in ranges:
                kernel(*arguments, begin, end)

        others = [self._pool.submit(work) for _ in range(self.count - 1)]
        try:
            work()  # here, too: the thread that asks has nothing else to do
        finally:
            for future in others:
                future.result()

    def close(self) -> None:
        """Let the threads go."""
        if self._pool is not None:
            self._pool.shutdown()
