"""Runs: one at a time, in the order in which they were asked for, each with its log, its state and a way to end it.

One thread works, as a fit uses every core anyway; requests of the page only ask how a run stands.
"""

import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final, TypeVar

from imagegs_tex.fit.loop import FitProgress
from imagegs_tex.formats.errors import ImageGSTexError, UsageError
from imagegs_tex.formats.files.safe_names import printable
from imagegs_tex.studio.folders import without_place
from imagegs_tex.studio.limits import LOG_LINES, MAX_WAITING
from imagegs_tex.studio.plain_words import phase_words

_POINTS: Final = 400
"""Most points of a curve."""
_STEPS_A_LINE: Final = 20
_Item = TypeVar("_Item")
_log = logging.getLogger("imagegs_tex.studio")


class JobState(StrEnum):
    """Where a run stands."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    ABANDONED = "abandoned"


class Abandoned(BaseException):
    """Nobody waits for this run any more."""


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """The fit at one moment."""

    seconds: float  # since the run began
    phase: str
    step: int
    psnr_db: float
    gaussians: int


@dataclass(frozen=True, slots=True)
class SizePoint:
    """How large a file is at one moment."""

    seconds: float  # since the run began
    phase: str
    file_bytes: int
    is_file: bool  # a file that is made; else about what one would take that was made of the fit as it is


@dataclass(frozen=True, slots=True)
class Plan:
    """What an estimate says of a run, at a pace of 1."""

    seconds: float  # in all
    after_fit: float  # of them: once the last step of a fit is done
    further_fits: float  # that may follow a full one, in fits


@dataclass
class Job:
    """One run of one visitor."""

    title: str
    work: Callable[["Job"], None]
    state: JobState = JobState.WAITING
    stop: threading.Event = field(default_factory=threading.Event)  # end it and keep what there is
    abandoned: threading.Event = field(default_factory=threading.Event)  # end it, nobody waits
    log: deque[str] = field(default_factory=lambda: deque(maxlen=LOG_LINES))
    curve: list[CurvePoint] = field(default_factory=list)
    sizes: list[SizePoint] = field(default_factory=list)
    progress: FitProgress | None = None
    error: str = ""
    part: str = ""  # which of its files it is at, where it makes several
    home: Path | None = None  # the visitor's folder, whose place no message names
    planned: Plan | None = None  # None: there is no estimate
    began: float = 0.0
    ended: float = 0.0
    _phase: str = ""

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen."""
        return self.state not in {JobState.WAITING, JobState.RUNNING}

    @property
    def seconds(self) -> float:
        """How long it has been running."""
        if not self.began:
            return 0.0
        return (self.ended or time.monotonic()) - self.began

    def say(self, line: str) -> None:
        """Add a line to the log."""
        self.log.append(f"{self.seconds:7.1f} s  {self.told(line)}")

    def told(self, message: object) -> str:
        """Return what the page says of a message."""
        return printable(message) if self.home is None else without_place(printable(message), self.home)

    def on_progress(self, progress: FitProgress) -> None:
        """Take note of where the compression stands; raises :class:`Abandoned` to end one that nobody waits for."""
        if self.abandoned.is_set():
            raise Abandoned
        self.progress = progress
        is_new = progress.phase != self._phase
        self._phase = progress.phase
        if progress.psnr_db is not None:
            self._add_point(progress, progress.psnr_db)
        if is_new or (progress.step and progress.step % _STEPS_A_LINE == 0):
            self.say(progress_line(progress))

    def _add_point(self, progress: FitProgress, psnr_db: float) -> None:
        self.curve.append(CurvePoint(self.seconds, progress.phase, progress.step, psnr_db, progress.gaussians or 0))
        if len(self.curve) > _POINTS:
            self.curve = without_closest(self.curve, lambda point: point.seconds)

    def add_size(self, phase: str, file_bytes: int, *, is_file: bool = False) -> None:
        """Take note of how large the file would be, or is."""
        self.sizes.append(SizePoint(self.seconds, phase, file_bytes, is_file))
        if len(self.sizes) > _POINTS:
            self.sizes = without_closest(self.sizes, lambda point: point.seconds)


def progress_line(progress: FitProgress) -> str:
    """Return one line of a log."""
    parts = []
    if progress.step:
        parts.append(f"step {progress.step} of {progress.steps}")
    if progress.psnr_db is not None:
        parts.append(f"{progress.psnr_db:.2f} dB")
    if progress.gaussians is not None:
        parts.append(f"{progress.gaussians:,} Gaussians")
    words = phase_words(progress.phase)
    return f"{words}: {', '.join(parts)}" if parts else words


def without_closest(items: Sequence[_Item], place: Callable[[_Item], float]) -> list[_Item]:
    """Return items but for the one whose neighbours are closest to one another, so that many are thinned evenly.

    Every second one, whenever there are too many, left one of a thousand of those that came first.

    Args:
        items: at least three, by ascending place
        place: of an item
    """
    places = [place(item) for item in items]
    gone = min(range(1, len(items) - 1), key=lambda index: places[index + 1] - places[index - 1])
    return [*items[:gone], *items[gone + 1 :]]


class JobQueue:
    """The runs of all visitors."""

    def __init__(self) -> None:
        self._jobs: deque[Job] = deque()
        self._changed = threading.Condition()
        self._running: Job | None = None
        self._is_closed = False
        self.pace = 1.0  # time that runs take here, over what estimates say; the last ones count most
        self._thread = threading.Thread(target=self._loop, name="studio-worker", daemon=True)
        self._thread.start()

    def submit(self, job: Job) -> None:
        """Put a run at the end of the queue.

        Raises:
            UsageError: the queue is full
        """
        with self._changed:
            waiting = [each for each in self._jobs if not each.abandoned.is_set()]
            if len(waiting) >= MAX_WAITING:
                raise UsageError(f"{len(waiting)} runs are waiting already; try again in a few minutes")
            self._jobs.append(job)
            self._changed.notify()

    def position(self, job: Job) -> int:
        """Return how many runs come before one: 0 for the one that is next, or that is under way."""
        with self._changed:
            before = 0 if self._running is None or self._running is job else 1
            for each in self._jobs:
                if each is job:
                    return before
                before += not each.abandoned.is_set()
            return 0

    def leave(self, job: Job) -> None:
        """Take a run out that has not begun; one that has is asked to stop."""
        with self._changed:
            job.stop.set()
            if job in self._jobs:
                self._jobs.remove(job)
                job.state = JobState.ABANDONED

    def close(self) -> None:
        """End the run that is under way and take no more."""
        with self._changed:
            self._is_closed = True
            for job in [*self._jobs, *filter(None, [self._running])]:
                job.abandoned.set()
            self._changed.notify()
        self._thread.join(timeout=10)

    def _loop(self) -> None:
        while (job := self._next()) is not None:
            run(job)
            if job.planned is not None and job.state == JobState.DONE and not job.stop.is_set():
                self.pace = math.sqrt(self.pace * job.seconds / job.planned.seconds)
            with self._changed:
                self._running = None

    def _next(self) -> Job | None:
        with self._changed:
            while not self._jobs and not self._is_closed:
                self._changed.wait()
            if self._is_closed:
                return None
            self._running = self._jobs.popleft()
            return self._running


def run(job: Job) -> None:
    """Do the work of a run, whatever comes of it."""
    if job.abandoned.is_set() or job.stop.is_set():
        job.state = JobState.ABANDONED
        return
    job.began, job.state = time.monotonic(), JobState.RUNNING
    try:
        job.work(job)
    except Abandoned:
        state = JobState.ABANDONED
    except ImageGSTexError as error:
        job.error, state = job.told(error), JobState.FAILED
    except MemoryError:
        job.error, state = "out of memory; use smaller maps or fewer Gaussians", JobState.FAILED
    except Exception as error:  # noqa: BLE001 - whatever it was, the next run must go on
        _log.exception("a run failed")
        job.error = f"internal error: {type(error).__name__}; the log of the studio has the details"
        state = JobState.FAILED
    else:
        state = JobState.DONE
    job.ended = time.monotonic()
    if job.error:
        job.say(job.error)
    job.state = state  # last: who sees it sees everything else, too
