"""Processes of this machine, kept warm from one job to the next.

Not ``ProcessPoolExecutor``: a worker that dies breaks all of that, and none of its workers can be stopped when it
hangs. Workers are forked from a server. For work on the CPU that has loaded everything and fitted one tiny material, so
that each starts in no time; it has no threads, which would not survive a fork. For GPUs it has loaded nothing.
"""

import multiprocessing
import os
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import forkserver
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from types import ModuleType
from typing import Any, Final

from imagegs_tex.builder.jobs import Job, Outcome, Seat, Work, given_up
from imagegs_tex.builder.keys import Encoder, this_encoder
from imagegs_tex.rasterize.cpu.threads import available_threads, one_thread_in_libraries

_TRIES: Final = 2
"""How often a job is tried whose worker dies: once may be bad luck, twice is the job."""
_START_SECONDS: Final = 60.0
"""What a worker may take to start, beside what its job may take: on a machine that is full, that is seconds."""
_MAIN: Final = frozenset({"__main__", "__mp_main__"})  # in a process that multiprocessing has started, it is the latter
_SAFE_PATH: Final = "PYTHONSAFEPATH"
_METHOD: Final = "spawn" if sys.platform == "win32" else "forkserver"


@dataclass(slots=True)
class _Worker:
    """One process."""

    process: BaseProcess
    pipe: Connection
    device: str
    number: int = -1  # of the job that it does; -1: none
    job: Job | None = None
    threads: int = 0  # that the job has
    tries: int = 0
    began: float = 0.0  # monotonic
    is_ready: bool = False  # whether it has loaded what it needs


class LocalPool:
    """A :class:`~.runner.Runner` of processes."""

    def __init__(
        self, devices: Sequence[str], work: Work, timeout: float | None = None, preload: Sequence[str] = ()
    ) -> None:
        """Prepare a pool; processes start when there is a job for them.

        Args:
            devices: what each worker computes with: cpu, or a GPU such as cuda:1
            work: what it does with a job; a function that a new process can import
            timeout: seconds after which a job is given up and its worker stopped
            preload: modules that the server of the processes loads before it starts any
        """
        self._work, self._timeout = work, timeout
        self._free = list(reversed(devices))  # those without a process
        self._workers: list[_Worker] = []
        self._folder: str | None = None  # for the workers' temporary files, which they may not live to remove
        self._context: Any = multiprocessing.get_context(_METHOD)  # Any: only one of its kinds preloads
        self._preloads = _METHOD == "forkserver" and bool(preload)
        if _METHOD == "forkserver":
            self._context.set_forkserver_preload(list(preload))

    def encoder(self, backend: str) -> Encoder:
        """Return what processes of this machine make outputs with."""
        return this_encoder(backend, in_children=True)

    def expect_work(self) -> None:
        """Have the server of the processes load what they need, while this one finds out what there is to do."""
        if self._preloads:
            with _apart():
                forkserver.ensure_running()

    def room(self) -> int:
        """Return how many workers have nothing to do."""
        return len(self._free) + sum(worker.number < 0 for worker in self._workers)

    def submit(self, jobs: Sequence[tuple[int, Job]]) -> None:
        """Give jobs to free workers, or to new ones, and to each its share of the cores that have nothing to do."""
        cores = available_threads() - sum(worker.threads for worker in self._workers)
        for (number, job), threads in zip(jobs, shares(cores, len(jobs)), strict=True):
            idle = next((worker for worker in self._workers if worker.number < 0), None)
            self._give(idle or self._start(self._free.pop()), number, job, threads, 1)

    def _give(self, worker: _Worker, number: int, job: Job, threads: int, tries: int) -> None:
        worker.number, worker.job, worker.threads, worker.tries = number, job, threads, tries
        worker.began = time.monotonic() + (0.0 if worker.is_ready else _START_SECONDS)
        with suppress(OSError):  # it has died meanwhile, which wait() sees
            worker.pipe.send((job, Seat(threads, worker.device)))

    def _start(self, device: str) -> _Worker:
        own, other = self._context.Pipe()
        if self._folder is None:
            self._folder = tempfile.mkdtemp(prefix="imagegs-tex-")
        process = self._context.Process(target=_serve, args=(other, self._work, self._folder), daemon=True)
        with _without_main(self._work), _apart():
            process.start()
        other.close()
        worker = _Worker(process, own, device)
        self._workers.append(worker)
        return worker

    def wait(self, seconds: float) -> list[tuple[int, Outcome]]:
        """Return what is done; see :class:`~.runner.Runner`."""
        busy = [worker for worker in self._workers if worker.number >= 0]
        if self._timeout is not None and busy:
            soonest = min(worker.began for worker in busy) + self._timeout - time.monotonic()
            seconds = max(0.0, min(seconds, soonest))
        ready = set(wait([worker.pipe for worker in busy], seconds))
        done = []
        for worker in busy:
            outcome = self._outcome_of(worker, worker.pipe in ready)
            if outcome is not None:
                done.append((worker.number, outcome))
                worker.number, worker.job, worker.threads = -1, None, 0
        for worker in [worker for worker in self._workers if worker.number < 0 and not worker.process.is_alive()]:
            self._drop(worker)
        return done

    def _outcome_of(self, worker: _Worker, is_ready: bool) -> Outcome | None:
        if is_ready:
            try:
                outcome: Outcome | None = worker.pipe.recv()
            except (EOFError, OSError):
                return self._lost(worker)
            if outcome is None:
                worker.is_ready, worker.began = True, time.monotonic()
            return outcome
        if self._timeout is not None and time.monotonic() - worker.began > self._timeout:
            self._stop(worker)
            return given_up(self._timeout)
        return None

    def _lost(self, worker: _Worker) -> Outcome | None:
        """Have another worker try what one has died of."""
        number, job, threads, tries, code = (
            worker.number, worker.job, worker.threads, worker.tries, self._stop(worker),
        )  # fmt: skip
        if tries < _TRIES and job is not None:
            self._give(self._start(self._free.pop()), number, job, threads, tries + 1)
            return None
        how = f"by signal {-code}" if code is not None and code < 0 else f"with code {code}"
        return Outcome(None, f"its worker was ended {how}, {tries} times; is there enough memory? try fewer --jobs")

    def _stop(self, worker: _Worker) -> int | None:
        worker.process.kill()
        self._drop(worker)
        return worker.process.exitcode

    def _drop(self, worker: _Worker) -> None:
        worker.process.join()
        worker.pipe.close()
        self._workers.remove(worker)
        self._free.append(worker.device)

    def close(self) -> None:
        """Stop all workers."""
        for worker in self._workers:
            worker.process.kill()
        for worker in [*self._workers]:
            self._drop(worker)
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None


def shares(cores: int, jobs: int) -> list[int]:
    """Return how many of so many cores each of some jobs gets; never none."""
    return [max(1, (cores + index) // jobs) for index in range(jobs)]


@contextmanager
def _apart() -> Iterator[None]:
    """Have processes that start meanwhile share the cores, and look for no module in the current folder.

    There a clone named imagegs_tex would be taken for the package where that is installed as editable.
    """
    is_chosen = _SAFE_PATH in os.environ
    os.environ.setdefault(_SAFE_PATH, "1")
    try:
        with one_thread_in_libraries():
            yield
    finally:
        if not is_chosen:
            os.environ.pop(_SAFE_PATH, None)


@contextmanager
def _without_main(work: Work) -> Iterator[None]:
    """Have processes start without the module that this one was started with, unless their work is in it.

    They need nothing of it, it takes time, and a script that builds without ``if __name__ == "__main__"`` would build
    again in each of them.
    """
    main = sys.modules["__main__"]
    if work.__module__ not in _MAIN:
        sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def _serve(pipe: Connection, work: Work, folder: str) -> None:
    """Do jobs until nobody sends any more."""
    tempfile.tempdir = folder
    threading.Thread(target=_end_with_parent, args=(folder,), daemon=True).start()
    with suppress(OSError):  # the build has just ended
        pipe.send(None)  # ready: a job's time counts from here
    while True:
        try:
            job, seat = pipe.recv()
            pipe.send(work(job, seat))
        except (EOFError, OSError, KeyboardInterrupt):
            return


def _end_with_parent(folder: str) -> None:
    """End this process when the build has been killed, however far the job is: nobody takes it any more."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        shutil.rmtree(folder, ignore_errors=True)
        os._exit(1)
