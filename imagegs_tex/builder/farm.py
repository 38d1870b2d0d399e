"""Workers of other machines, through Dask distributed.

Dask gives the workers their jobs, notices when one is lost and gives its jobs to another; workers may come and go. What
it does not do is done here: few jobs are handed in at a time, so that a scheduler holds little however large the tree
is; a scheduler that is started anew gets what it had not done yet; and files are sent along where a worker does not see
them.
"""

import asyncio
import queue
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

from imagegs_tex.builder.jobs import NOT_SEEN, CompressJob, Job, Outcome, Seat, Work, given_up
from imagegs_tex.builder.keys import Encoder, this_encoder
from imagegs_tex.formats.errors import MissingToolError, UsageError, install_extra
from imagegs_tex.formats.files.safe_names import printable

try:
    import distributed
except ImportError:
    raise MissingToolError(f"--scheduler needs Dask distributed; install it: {install_extra('farm')}") from None

_CLIENT: Final[Any] = distributed.Client  # distributed has types, but not of a client's arguments
_OPEN: Final = frozenset({"running", "connecting", "newly-created"})  # states of a client that is not closed
_JOBS_PER_THREAD: Final = 2  # one that is done, one that waits for it
_TRIES: Final = 10
"""How often a job is handed in anew whose worker was lost. Dask itself gives up after the fourth loss; where workers
are taken away every few seconds, that is bad luck, and not the job."""
_SECONDS_BETWEEN_COUNTS: Final = 2.0
_FETCH_SECONDS: Final = 60.0  # for which results are waited for before their workers count as lost
_RESTART_SECONDS: Final = 60.0
_PATIENCE: Final = 600.0
"""Seconds without a scheduler or a worker before a build gives up."""


@dataclass(slots=True)
class _Running:
    """A job that was handed in."""

    job: Job
    future: Any  # distributed has types, but not of what a future holds
    tries: int = 1


@dataclass(frozen=True, slots=True)
class _Answer:
    """What comes back of a job."""

    outcome: Outcome
    hanging: str = ""  # address of the worker that still has a thread at it


class Farm:
    """A :class:`~.runner.Runner` of Dask's workers."""

    def __init__(self, address: str, work: Work, timeout: float | None = None) -> None:
        """Find the scheduler.

        Args:
            address: such as tcp://farm:8786
            work: what workers do with a job; a function that they can import
            timeout: seconds after which a job is given up and its worker started anew

        Raises:
            MissingToolError: there is none, or distributed is not installed
        """
        self._address, self._work, self._timeout = address, work, timeout
        self._running: dict[int, _Running] = {}
        self._done: queue.SimpleQueue[tuple[int, Any]] = queue.SimpleQueue()
        self._hanging: set[str] = set()  # workers with a thread that is left behind
        self._threads, self._counted = 0, 0.0
        self._resources: dict[str, float] | None = None
        self._client = self._connect(30.0)

    def _connect(self, seconds: float) -> Any:  # noqa: ANN401 - a client, as _CLIENT has no type
        deadline = time.monotonic() + seconds
        while True:
            try:
                return _CLIENT(self._address, timeout=5, set_as_default=False)
            except ValueError as error:
                raise UsageError(
                    f"--scheduler {printable(self._address)}: {printable(error)}; write it like tcp://farm:8786"
                ) from None
            except (TimeoutError, OSError) as error:
                if time.monotonic() > deadline:
                    raise MissingToolError(
                        f"no Dask scheduler answers at {printable(self._address)} ({printable(error)}); start it, or "
                        "give another --scheduler"
                    ) from None
                time.sleep(0.5)

    def encoder(self, backend: str) -> Encoder:
        """Return what the workers make outputs with; MissingToolError where they are not all alike."""
        found = self._encoders(backend)
        encoders = list(found.values())
        for worker, own in found.items():
            if own != encoders[0]:
                raise MissingToolError(
                    f"worker {printable(worker)} has {own.processor}, version {own.version}; another has "
                    f"{encoders[0].processor}, version {encoders[0].version}: they give other bytes; use workers that "
                    "are all alike"
                )
        info = self._client.scheduler_info(n_workers=-1)["workers"].values()
        if encoders[0].backend == "cuda" and any("GPU" in worker.get("resources", {}) for worker in info):
            self._resources = {"GPU": 1}
        return encoders[0]

    def _encoders(self, backend: str) -> dict[str, Encoder]:
        """Ask all workers, or the first that comes: a cluster that adapts starts one when there is something to do."""
        deadline = time.monotonic() + _PATIENCE
        asked = None
        while time.monotonic() < deadline:
            with suppress(OSError):  # one has just gone
                found: dict[str, Encoder] = self._client.run(_encoder_there, backend)
                if found:
                    return found
            if asked is None or asked.cancelled():
                asked = self._client.submit(_encoder_there, backend, pure=False)
            if asked.done():
                with suppress(distributed.KilledWorker):
                    return {"": asked.result(timeout=_FETCH_SECONDS)}
                asked = None
            time.sleep(0.5)
        raise MissingToolError(f"the scheduler at {printable(self._address)} has no workers; start some")

    def expect_work(self) -> None:
        """Nothing: its workers are there."""

    def room(self) -> int:
        """Return how many more jobs there should be in the scheduler."""
        now = time.monotonic()
        if now - self._counted > _SECONDS_BETWEEN_COUNTS:
            self._counted = now
            try:
                self._threads = sum(self._client.nthreads().values())
            except Exception as error:
                if not self._is_gone(error):
                    raise
                self._threads = 0
        return max(1, self._threads * _JOBS_PER_THREAD) - len(self._running)

    def submit(self, jobs: Sequence[tuple[int, Job]]) -> None:
        """Hand jobs in."""
        for number, job in jobs:
            self._running[number] = _Running(job, None)
        self._hand_in([number for number, _ in jobs])

    def _hand_in(self, numbers: Sequence[int]) -> None:
        """Hand jobs in by one message: one for each took twice the time."""
        entries = [self._running[number] for number in numbers]
        try:
            futures = self._client.map(
                partial(_do_there, self._work, self._timeout), [entry.job for entry in entries], pure=False,
                resources=self._resources, retries=0,
            )  # fmt: skip
        except Exception as error:
            if not self._is_gone(error):
                raise
            futures = [None] * len(entries)
        for number, entry, future in zip(numbers, entries, futures, strict=True):
            entry.future = future
            if future is not None:
                future.add_done_callback(lambda done, number=number: self._done.put((number, done)))

    def _is_gone(self, error: Exception) -> bool:
        """Whether there is no scheduler just now: a client that is closed raises what it likes."""
        return isinstance(error, TimeoutError | OSError | RuntimeError) or self._client.status not in _OPEN

    def wait(self, seconds: float) -> list[tuple[int, Outcome]]:
        """Return what is done; see :class:`~.runner.Runner`."""
        self._find_scheduler_again()
        done = []
        ended = [
            (number, future)
            for number, future in self._events(seconds)
            if number in self._running and self._running[number].future is future  # else it was done anew
        ]
        results = self._results([future for _, future in ended])
        for number, future in ended:
            outcome = self._outcome_of(number, future, results)
            if outcome is not None:
                self._running.pop(number).future.release()  # or Dask does it anew when its worker is lost
                done.append((number, outcome))
        while self._hanging:
            self._restart(self._hanging.pop())
        return done

    def _events(self, seconds: float) -> list[tuple[int, Any]]:
        found: list[tuple[int, Any]] = []
        with suppress(queue.Empty):
            found.append(self._done.get(timeout=max(seconds, 0.001)))
            while True:
                found.append(self._done.get_nowait())
        return found

    def _results(self, futures: Sequence[Any]) -> dict[str, _Answer]:
        """Fetch what is done, all at once, by the futures' keys; where one cannot be fetched, none is there."""
        finished = [future for future in futures if future.status == "finished"]
        gather = partial(self._client.gather, finished, asynchronous=True)
        with suppress(Exception):  # a worker has just gone: then each is asked for alone, and says what is wrong
            found = self._client.sync(gather, callback_timeout=_FETCH_SECONDS)
            return dict(zip([future.key for future in finished], found, strict=True))
        return {}

    def _outcome_of(
        self,
        number: int,
        future: Any,  # noqa: ANN401 - distributed has types, but not of a future
        results: dict[str, _Answer],
    ) -> Outcome | None:
        """Return how a job ended; None where it is done anew."""
        entry = self._running[number]
        if future.status == "finished":
            try:
                answer = results.get(future.key) or future.result(timeout=_FETCH_SECONDS)
            except (TimeoutError, OSError, asyncio.CancelledError, RuntimeError):  # its worker has just gone
                return self._anew(number, "its result was lost")
            if answer.hanging:
                self._hanging.add(answer.hanging)
            outcome: Outcome = answer.outcome
            if outcome.problem != NOT_SEEN or not isinstance(entry.job, CompressJob):
                return outcome
            entry.job = _with_data(entry.job)
            self._hand_in([number])
            return None
        if future.status == "error" and not isinstance(
            error := future.exception(timeout=_FETCH_SECONDS), distributed.KilledWorker
        ):
            return Outcome(None, f"its worker failed: {type(error).__name__}: {printable(error)}; look at its log")
        return self._anew(number, "its workers were lost")

    def _anew(self, number: int, why: str) -> Outcome | None:
        entry = self._running[number]
        entry.tries += 1
        if entry.tries > _TRIES:
            return Outcome(None, f"{why}, {_TRIES} times; is there enough memory?")
        self._hand_in([number])
        return None

    def _restart(self, worker: str) -> None:
        """Have a worker's nanny start it anew; what else it was doing is lost, and done anew."""
        with suppress(Exception):  # it has no nanny, or is gone: then Dask has one thread less, or one worker
            self._client.restart_workers([worker], timeout=_RESTART_SECONDS, raise_for_error=False)

    def _find_scheduler_again(self) -> None:
        """Where the connection is closed for good, wait for a scheduler and give it what is not done."""
        if self._client.status in _OPEN:
            return
        with suppress(Exception):
            self._client.close(timeout=1)
        self._client = self._connect(_PATIENCE)
        self._hand_in([*self._running])

    def close(self) -> None:
        """Take back what is not done, and leave the workers to others."""
        for entry in self._running.values():
            if entry.future is not None:
                with suppress(Exception):
                    entry.future.cancel()
        self._running = {}
        with suppress(Exception):
            self._client.close(timeout=5)


def _encoder_there(backend: str) -> Encoder:
    return this_encoder(backend)


def _do_there(work: Work, timeout: float | None, job: Job) -> _Answer:
    """Do a job in a worker, with one thread: a worker has as many jobs at once as it has threads."""
    if isinstance(job, CompressJob) and job.data is None and not all(path.exists() for path in job.files):
        return _Answer(Outcome(None, NOT_SEEN))
    if timeout is None:
        return _Answer(work(job, Seat(1, "cuda")))
    # A thread cannot be stopped, and Dask's workers may have no processes of their own. So a thread that hangs is left
    # behind, and its worker is started anew by whoever takes this answer.
    ended: queue.SimpleQueue[Outcome | Exception] = queue.SimpleQueue()
    threading.Thread(target=_try, args=(work, job, ended), daemon=True).start()
    try:
        outcome = ended.get(timeout=timeout)
    except queue.Empty:
        return _Answer(given_up(timeout), distributed.get_worker().address)
    if isinstance(outcome, Exception):
        raise outcome
    return _Answer(outcome)


def _try(work: Work, job: Job, ended: "queue.SimpleQueue[Outcome | Exception]") -> None:
    try:
        ended.put(work(job, Seat(1, "cuda")))
    except Exception as error:  # noqa: BLE001 - raised again where it is waited for
        ended.put(error)


def _with_data(job: CompressJob) -> CompressJob:
    return replace(job, data={str(path): path.read_bytes() for path in job.files})
