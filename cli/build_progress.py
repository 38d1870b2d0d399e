"""What ``build`` shows: a bar in a terminal, a line for each material that is made elsewhere, or JSON lines."""

import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from rich.markup import escape

from imagegs_tex.builder.page import worst_first
from imagegs_tex.builder.progress import BuildEvent, Counts, Step
from imagegs_tex.builder.request import BuildReport
from imagegs_tex.cli.console import make_console, plain
from imagegs_tex.formats.files.safe_names import printable

if TYPE_CHECKING:
    from rich.console import Console

_PLANNED_WORDS = {Step.MADE: "make", Step.HIT: "take from the cache", Step.KEPT: "keep"}
_MOST_NOTES = 20
_MOST_WARNED = 5  # materials with a line of their own
_UNITS = ("B", "KB", "MB", "GB", "TB")


@contextmanager
def build_listener(quiet: bool, as_json: bool) -> Iterator[Callable[[BuildEvent], None] | None]:
    """Give a function that shows a build's steps; None where nothing is to be shown."""
    if as_json:
        yield _print_json
    elif quiet:
        yield None
    elif sys.stderr is not None and sys.stderr.isatty():
        with _bar() as show:
            yield show
    else:
        yield _print_line


def size_text(count: int) -> str:
    """Return a number of bytes for people, in powers of 1000."""
    value, unit = float(count), 0
    while value >= 999.5 and unit < len(_UNITS) - 1:
        value, unit = value / 1000, unit + 1
    return f"{value:.0f} {_UNITS[unit]}" if unit == 0 or value >= 99.5 else f"{value:.3g} {_UNITS[unit]}"


def time_text(seconds: float) -> str:
    """Return a time for people."""
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes = round(seconds) // 60
    return f"{minutes} min {round(seconds) % 60} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def _print_json(event: BuildEvent) -> None:
    fields = asdict(event)
    if event.step != Step.MADE:
        del fields["seconds"]
    print(json.dumps({key: value for key, value in fields.items() if value not in ("", None)}), flush=True)


def _print_line(event: BuildEvent) -> None:
    counts, name = event.counts, printable(event.name)
    if event.step == Step.MADE:
        size = f"{size_text(event.bytes)}, {time_text(event.seconds)}"
        print(f"{counts.done}/{counts.total} made {name}: {size}", file=sys.stderr, flush=True)
    elif event.step == Step.FAILED:
        print(f"{counts.done}/{counts.total} failed {name}: {event.problem}", file=sys.stderr, flush=True)
    elif event.step == Step.REMOVED:
        print(f"removed {name}", file=sys.stderr, flush=True)


@contextmanager
def _bar() -> Iterator[Callable[[BuildEvent], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    columns = (BarColumn(14), TextColumn("{task.fields[words]}"))
    began = 0.0
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=None, words="looking at the tree")

        def show(event: BuildEvent) -> None:
            nonlocal began
            counts = event.counts
            if event.step == Step.PLANNED:
                began = time.monotonic()
            if event.step == Step.FAILED:
                progress.console.print(f"failed {plain(event.name)}: {escape(event.problem)}", soft_wrap=True)
            words = _words(counts, time.monotonic() - began)
            progress.update(task, total=counts.total or None, completed=counts.done, words=words)

        yield show


def _words(counts: Counts, seconds: float) -> str:
    """Return where a build is, in at most 64 columns."""
    parts = [f"{counts.done}/{counts.total}"]
    parts += [
        f"{number} {word}"
        for number, word in ((counts.kept + counts.hit, "there"), (counts.failed, "failed"))
        if number
    ]
    if counts.running:
        parts.append(f"{counts.running} running")
    if counts.file_bytes:
        parts.append(f"{size_text(counts.source_bytes)} → {size_text(counts.file_bytes)}")
    if counts.bytes_made and counts.bytes_to_make > counts.bytes_made:
        left = seconds * (counts.bytes_to_make / counts.bytes_made - 1)
        parts.append(f"{time_text(left)} left")
    return ", ".join(parts)


def print_build(report: BuildReport, output: str, page: Path | None = None) -> None:
    """Say in a few lines how a build ended.

    Args:
        report: of the build
        output: the folder of the index
        page: where the page of all materials is, if there is one
    """
    counts = report.counts
    console = make_console()
    _print_remarks(console, report)
    done = [
        (counts.made, "made"),
        (counts.hit, "from the cache"),
        (counts.kept, "unchanged"),
        (counts.failed, "failed"),
    ]
    words = [f"{number} {word}" for number, word in [*done, (len(report.removed), "removed")] if number] or [
        "no materials"
    ]
    console.print(f"{plain(output)}: {', '.join(words)}, in {time_text(report.seconds)}")
    if counts.file_bytes:
        share = counts.file_bytes / max(1, counts.source_bytes)
        console.print(f"{size_text(counts.source_bytes)} of maps in {size_text(counts.file_bytes)} ({share:.1%})")
    if report.common_psnr_db:
        console.print(f"the budget is shared for {report.common_psnr_db:g} dB each, plus psnr-over")
    _print_warnings(console, report, output, page)


def _print_warnings(console: "Console", report: BuildReport, output: str, page: Path | None) -> None:
    """Say how many materials have warnings and where those are, and what is wrong with the worst few."""
    warned = [entry for entry in worst_first(report.entries) if entry.warnings]
    if not warned:
        return
    index = f"{plain(output.rstrip('/'))}/materials.json"
    where = f"{index}; --html FILE makes a page of them" if page is None else f"{plain(page)} and {index}"
    have = "has" if len(warned) == 1 else "have"
    console.print(f"{len(warned):,} of {len(report.entries):,} materials {have} warnings, see {where}")
    for entry in warned[:_MOST_WARNED]:
        what = _without_advice(entry.warnings[0])
        more = f" (and {len(entry.warnings) - 1} more)" if entry.warnings[1:] else ""
        console.print(f"warning: {plain(entry.name)}: {plain(what)}{more}")


def _without_advice(warning: str) -> str:
    """Return a warning without what to ask for, which is in the index; names in it may hold anything."""
    what, _, advice = warning.rpartition("; ")
    return what if advice.startswith(("--", "it")) else warning


def _print_remarks(console: "Console", report: BuildReport) -> None:
    for remark in report.remarks[:_MOST_NOTES]:
        console.print(f"note: {plain(remark)}")
    if len(report.remarks) > _MOST_NOTES:
        console.print(f"note: and {len(report.remarks) - _MOST_NOTES} more; --json has them all")


def print_plan(report: BuildReport) -> None:
    """Say what a dry run has found."""
    console = make_console()
    _print_remarks(console, report)
    for name, step in report.planned:
        if step != Step.KEPT:
            console.print(f"{_PLANNED_WORDS[step]} {plain(name)}")
    for name in report.removed:
        console.print(f"remove {plain(name)}")
    numbers = Counter(step for _, step in report.planned)
    words = [f"{numbers[step]} to {word}" for step, word in _PLANNED_WORDS.items() if numbers[step]]
    words += [f"{len(report.removed)} to remove"] if report.removed else []
    console.print(", ".join(words) or "nothing to do")


def report_line(report: BuildReport) -> None:
    """Print a build's end as a line of JSON."""
    fields = {
        "step": "finished",
        "counts": asdict(report.counts),
        "left_out": [asdict(bad) for bad in report.left_out],
        "warnings": {entry.name: entry.warnings for entry in report.entries if entry.warnings},
        "removed": report.removed,
        "planned": dict(report.planned),
        "remarks": report.remarks,
        "index_changed": report.index_changed,
        "common_psnr_db": report.common_psnr_db,
        "seconds": round(report.seconds, 3),
    }
    print(json.dumps(fields), flush=True)
