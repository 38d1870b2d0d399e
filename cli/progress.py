"""How long work shows that it lives: a bar in a terminal (with phase, PSNR and time left), plain lines elsewhere."""

import math
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.markup import escape

from imagegs_tex.formats.files.safe_names import printable

if TYPE_CHECKING:  # the bar is there before torch is loaded, which takes seconds
    from imagegs_tex.fit.loop import FitProgress

SECONDS_BETWEEN_LINES = 5.0
_UNTYPICAL_STEPS = 2  # the first ones compile kernels


@contextmanager
def fit_progress(quiet: bool) -> Iterator["Callable[[FitProgress], None] | None"]:
    """Give a callback that shows a compression's progress on stderr; None when nothing is to be shown."""
    if quiet:
        yield None
    elif sys.stderr is not None and sys.stderr.isatty():
        with _bar() as callback:
            yield callback
    else:
        yield _lines()


@contextmanager
def working(what: str, quiet: bool = False) -> Iterator[None]:
    """Show in a terminal that something goes on that has no steps."""
    if quiet or sys.stderr is None or not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status(what):
        yield


@contextmanager
def step_progress(
    quiet: bool, what: str = "map", pause: float = 0.0
) -> Iterator[Callable[[str, int, int], None] | None]:
    """Give a callback that shows on stderr which step of how many begins; None when nothing is to be shown.

    Args:
        quiet: nothing is
        what: a step is called in lines
        pause: seconds between two lines at least
    """
    if quiet:
        yield None
    elif sys.stderr.isatty():
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn

        columns = (TextColumn("{task.fields[name]}"), BarColumn(), TextColumn("{task.fields[share]}"))
        with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
            task = progress.add_task(what, total=None, name="starting", share="")

            def show(name: str, done: int, count: int) -> None:
                progress.update(
                    task, completed=done, total=count, name=escape(printable(name)), share=f"{done}/{count}"
                )

            yield show
    else:
        yield _step_lines(what, pause)


def _step_lines(what: str, pause: float) -> Callable[[str, int, int], None]:
    last = -math.inf

    def show(name: str, done: int, count: int) -> None:
        nonlocal last
        now = time.monotonic()
        if done < count and now - last >= pause:
            last = now
            print(f"{what} {done + 1}/{count}: {printable(name)}", file=sys.stderr, flush=True)

    return show


def _words(state: "FitProgress") -> str:
    """Say how the picture of a fit is now."""
    if state.psnr_db is None or state.gaussians is None:
        return ""
    return f"{state.psnr_db:.2f} dB weighted, {state.gaussians:,} Gaussian{'s' if state.gaussians != 1 else ''}"


def _time_left(state: "FitProgress") -> str:
    if state.steps == 0 or state.step <= _UNTYPICAL_STEPS or state.seconds == 0:
        return ""
    return f"{state.seconds * (state.steps - state.step) / state.step:.0f} s"


@contextmanager
def _bar() -> Iterator[Callable[["FitProgress"], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    columns = (
        TextColumn("{task.fields[phase]:<13}"), BarColumn(14), TextColumn("{task.fields[share]:>5}"),
        TextColumn("{task.fields[words]}"), TextColumn("{task.fields[left]}"),
    )  # fmt: skip
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        phase = "starting"
        task = progress.add_task("", total=None, phase=phase, share="", words="", left="")

        def show(state: "FitProgress") -> None:
            nonlocal phase
            begins, phase = state.phase != phase, state.phase
            progress.update(
                task, completed=state.step, total=state.steps or None, phase=state.phase,
                share=f"{state.step / state.steps:4.0%}" if state.steps else "", words=_words(state),
                left=_time_left(state), refresh=begins,  # a short phase is seen, too
            )  # fmt: skip

        yield show


def _lines() -> Callable[["FitProgress"], None]:
    """Print a line when a phase begins, when its steps are done, and every few seconds between."""
    last, phase = time.monotonic(), ""

    def show(state: "FitProgress") -> None:
        nonlocal last, phase
        if state.phase == "reading":  # what is wrong with the input stays the only line
            return
        now = time.monotonic()
        begins, ends = state.phase != phase, state.steps > 0 and state.step == state.steps
        if not begins and not ends and now - last < SECONDS_BETWEEN_LINES:
            return
        last, phase = now, state.phase
        parts = [f"{state.step}/{state.steps}" if state.steps else "", _words(state)]
        if left := "" if ends else _time_left(state):
            parts.append(f"{left} left")
        print(": ".join(filter(None, [state.phase, ", ".join(filter(None, parts))])), file=sys.stderr, flush=True)

    return show
