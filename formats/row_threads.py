"""Rows of a picture in bands, worked on side by side: numpy leaves Python to other threads while it computes.

What a band writes depends on nothing but its rows, and results come back in order, so the thread count changes no bit.
Bands stay in a cache: also on one core, steps one after another over whole pictures wait for memory.
"""

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

_ROWS: Final = 128
_MOST_THREADS: Final = 8
"""A memory's bandwidth is shared out by then."""

Item = TypeVar("Item")
Result = TypeVar("Result")
Other = TypeVar("Other")


def in_bands(work: Callable[[slice], Result], height: int, rows: int = _ROWS) -> list[Result]:
    """Call a function for the rows of each band, and return what it returns, from top to bottom."""
    return side_by_side(work, [slice(first, min(height, first + rows)) for first in range(0, height, rows)])


def side_by_side(work: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
    """Call a function for each item, and return what it returns, in order."""
    waiting = list(items)
    threads = min(len(waiting), _MOST_THREADS, _available())
    if threads <= 1:
        return [work(item) for item in waiting]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(work, waiting))


def both(first: Callable[[], Result], second: Callable[[], Other]) -> tuple[Result, Other]:
    """Call two functions side by side, and return what they return."""
    if _available() <= 1:
        return first(), second()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(first)
        own = second()
        return waiting.result(), own


def _available() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
