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
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, Final

from imagegs_tex.builder.jobs import Job, Outcome, Seat, Work
from imagegs_tex.builder.keys import Encoder, this_encoder

_TRIES: Final = 2
"""How often a job is tried whose worker dies: once may be bad luck, twice is the job."""
_START_SECONDS: Final = 60.0
"""What a worker may take to start, beside what its job may take: on a machine that is full, that is seconds."""
_METHOD: Final = "spawn" if sys.platform == "win32" else "forkserver"


@dataclass(slots=True)
class _Worker:
    """One process."""

    process: BaseProcess
    pipe: Connection
    seat: Seat
    number: int = -1  # of the job that it does; -1: none
    job: Job | None = None
    tries: int = 0
    began: float = 0.0  # monotonic
    is_ready: bool = False  # whether it has loaded what it needs


class LocalPool:
    """A :class:`~.runner.Runner` of processes."""

    def __init__(
        self, seats: Sequence[Seat], work: Work, timeout: float | None = None, preload: Sequence[str] = ()
    ) -> None:
        """Prepare a pool; processes start when there is a job for them.

        Args:
            seats: what each worker may use
            work: what it does with a job; a function that a new process can import
            timeout: seconds after which a job is given up and its worker stopped
            preload: modules that the server of the processes loads before it starts any
        """
        self._work, self._timeout = work, timeout
        self._free = list(reversed(seats))  # seats without a process
        self._workers: list[_Worker] = []
        self._folder: str | None = None  # for the workers' temporary files, which they may not live to remove
        self._context: Any = multiprocessing.get_context(_METHOD)  # Any: only one of its kinds preloads
        if _METHOD == "forkserver":
            self._context.set_forkserver_preload(list(preload))

    def encoder(self, backend: str) -> Encoder:
        """Return what processes of this machine make outputs with."""
        return this_encoder(backend, in_children=True)

    def room(self) -> int:
        """Return how many workers have nothing to do."""
        return len(self._free) + sum(worker.number < 0 for worker in self._workers)

    def submit(self, number: int, job: Job) -> None:
        """Give a job to a free worker, or to a new one."""
        idle = next((worker for worker in self._workers if worker.number < 0), None)
        self._give(idle or self._start(self._free.pop()), number, job, 1)

    def _give(self, worker: _Worker, number: int, job: Job, tries: int) -> None:
        worker.number, worker.job, worker.tries = number, job, tries
        worker.began = time.monotonic() + (0.0 if worker.is_ready else _START_SECONDS)
        with suppress(OSError):  # it has died meanwhile, which wait() sees
            worker.pipe.send(job)

    def _start(self, seat: Seat) -> _Worker:
        own, other = self._context.Pipe()
        if self._folder is None:
            self._folder = tempfile.mkdtemp(prefix="imagegs-tex-")
        process = self._context.Process(target=_serve, args=(other, seat, self._work, self._folder), daemon=True)
        process.start()
        other.close()
        worker = _Worker(process, own, seat)
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
                worker.number, worker.job = -1, None
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
            return Outcome(
                None, f"not done after {self._timeout:g} s, and given up; allow more with --timeout, or leave it out",
                self._timeout,
            )  # fmt: skip
        return None

    def _lost(self, worker: _Worker) -> Outcome | None:
        """Have another worker try what one has died of."""
        number, job, tries, code = worker.number, worker.job, worker.tries, self._stop(worker)
        if tries < _TRIES and job is not None:
            self._give(self._start(self._free.pop()), number, job, tries + 1)
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
        self._free.append(worker.seat)

    def close(self) -> None:
        """Stop all workers."""
        for worker in self._workers:
            worker.process.kill()
        for worker in [*self._workers]:
            self._drop(worker)
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None


def _serve(pipe: Connection, seat: Seat, work: Work, folder: str) -> None:
    """Do jobs until nobody sends any more."""
    tempfile.tempdir = folder
    threading.Thread(target=_end_with_parent, args=(folder,), daemon=True).start()
    with suppress(OSError):  # the build has just ended
        pipe.send(None)  # ready: a job's time counts from here
    while True:
        try:
            job = pipe.recv()
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
