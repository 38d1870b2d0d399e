"""Ctrl-C during a compression: once, and the file is made of what there is; twice, and nothing is left."""

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from imagegs_tex.formats.files.safe_names import printable

if TYPE_CHECKING:
    from imagegs_tex.fit.loop import FitProgress
    from imagegs_tex.reports import AssetReport, CompressReport


class Stopped(Exception):  # noqa: N818 - no error: the file is written
    """A run that Ctrl-C has ended early, with its file written."""


class Interrupts:
    """What Ctrl-C has asked for so far: a stop flag of a :class:`imagegs_tex.FitControl`."""

    def __init__(self, quiet: bool) -> None:
        self._asked = self._said = False
        self._quiet = quiet
        self._begun = False  # before the first step there is nothing to keep

    def is_set(self) -> bool:
        """Whether to end and keep what there is."""
        return self._asked

    def handle(self, *_: object) -> None:
        """Take a Ctrl-C."""
        if self._asked or not self._begun:
            raise KeyboardInterrupt
        self._asked = True

    def watched(self, progress: "Callable[[FitProgress], None] | None") -> "Callable[[FitProgress], None]":
        """Return a callback of progress that also sees when steps begin, and says that a stop was heard.

        It is said here and not when the signal comes, in the middle of any other line.
        """

        def watch(state: "FitProgress") -> None:
            self._begun = self._begun or state.step > 0
            if self._asked and not self._said:
                self._said = True
                if not self._quiet:
                    print(
                        "stopping: the file is made of what there is; Ctrl-C again aborts", file=sys.stderr, flush=True
                    )
            if progress is not None:
                progress(state)

        return watch


@contextmanager
def stop_on_interrupt(quiet: bool) -> Iterator[Interrupts]:
    """Let Ctrl-C stop and keep; where something else handles it, or it is ignored, that stays."""
    interrupts = Interrupts(quiet)
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield interrupts
        return
    signal.signal(signal.SIGINT, interrupts.handle)
    try:
        yield interrupts
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def check_stopped(interrupts: Interrupts, result: "CompressReport | AssetReport", file: Path) -> None:
    """Raise :class:`Stopped`, which says what the files are, when a stop was asked for."""
    from imagegs_tex.reports import CompressReport

    if not interrupts.is_set():
        return
    last = result if isinstance(result, CompressReport) else result.files[-1].report
    made = "" if isinstance(result, CompressReport) else f"{len(result.files)} files, the last of "
    point = last.stopped_at
    if point is None:
        raise Stopped(f"interrupted when {printable(file)} was complete")
    step = f", step {point.step} of {point.steps}" if point.steps else ""
    raise Stopped(f"interrupted ({point.phase}{step}); {printable(file)} has {made}what there was then")
