"""How long work shows that it lives: a bar in a terminal (of a fit with PSNR and ETA), plain lines elsewhere."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.markup import escape

from imagegs_tex.fit.loop import FitProgress
from imagegs_tex.formats.files.safe_names import printable

_SECONDS_BETWEEN_LINES = 5.0


@contextmanager
def fit_progress(quiet: bool) -> Iterator[Callable[[FitProgress], None] | None]:
    """Give a callback that shows a fit's progress on stderr; None when nothing is to be shown."""
    if quiet:
        yield None
    elif sys.stderr.isatty():
        with _bar() as callback:
            yield callback
    else:
        yield _lines()


@contextmanager
def map_progress(quiet: bool) -> Iterator[Callable[[str, int, int], None] | None]:
    """Give a callback that shows which map is being written, on stderr; None when nothing is to be shown."""
    if quiet:
        yield None
    elif sys.stderr.isatty():
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn

        columns = (TextColumn("{task.fields[name]}"), BarColumn(), TextColumn("{task.completed}/{task.total}"))
        with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
            task = progress.add_task("maps", total=None, name="")

            def show(name: str, done: int, count: int) -> None:
                progress.update(task, completed=done, total=count, name=escape(printable(name)))

            yield show
    else:
        yield _map_line


def _map_line(name: str, done: int, count: int) -> None:
    if done < count:
        print(f"map {done + 1}/{count}: {printable(name)}", file=sys.stderr, flush=True)


class _FitNames:
    """Numbers the fits of one command: a search for a size or a PSNR takes several, each from its own first step."""

    def __init__(self) -> None:
        self._numbers = {"trial": 0, "fit": 0}
        self._last: FitProgress | None = None

    def name(self, state: FitProgress) -> str:
        """Return what to call the fit that stands there; a new one has begun where steps do not go on."""
        kind = "trial" if state.trial else "fit"
        if self._last is None or state.step < self._last.step or state.trial != self._last.trial:
            self._numbers[kind] += 1
        self._last = state
        return f"{kind} {self._numbers[kind]}"


@contextmanager
def _bar() -> Iterator[Callable[[FitProgress], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.fields[fit]}"), BarColumn(), TextColumn("{task.percentage:3.0f} %"),
        TextColumn("{task.fields[psnr]:.2f} dB (weighted)"), TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("fit", total=None, psnr=0.0, fit="fit 1")
        fits = _FitNames()

        def show(state: FitProgress) -> None:
            progress.update(
                task, completed=state.step, total=state.steps, psnr=state.psnr_db, fit=fits.name(state)
            )  # fmt: skip

        yield show


def _lines() -> Callable[[FitProgress], None]:
    last = time.monotonic()
    fits = _FitNames()

    def show(state: FitProgress) -> None:
        nonlocal last
        name = fits.name(state)
        now = time.monotonic()
        if state.step != state.steps and now - last < _SECONDS_BETWEEN_LINES:
            return
        last = now
        left = state.seconds * (state.steps - state.step) / max(1, state.step)
        print(
            f"{name}: {state.step}/{state.steps}  {state.psnr_db:.2f} dB (weighted)  {left:.0f} s left",
            file=sys.stderr,
            flush=True,
        )

    return show
