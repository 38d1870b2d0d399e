"""``imagegs-tex build-cache``."""

import json
from pathlib import Path
from typing import Annotated

import typer

from imagegs_tex.cli.numbers import read_bytes
from imagegs_tex.cli.options import AsJson


def build_cache(
    folder: Annotated[Path, typer.Argument(metavar="DIR", readable=False, help="What builds have as --cache.")],
    gc: Annotated[
        int | None,
        typer.Option(parser=read_bytes, metavar="SIZE", help="Remove what was unused for longest, down to this size."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say what a build's cache holds and how often it helped; with --gc, make it smaller."""
    from dataclasses import asdict

    from imagegs_tex.builder.cache_upkeep import collect_garbage, examine_cache
    from imagegs_tex.cli.build_progress import size_text
    from imagegs_tex.cli.console import make_console, plain

    report = examine_cache(folder) if gc is None else collect_garbage(folder, gc)
    if as_json:
        print(json.dumps(asdict(report), indent=2))
        return
    console = make_console()
    console.print(f"{plain(folder)}: {_counted(report.entries, 'entry', 'entries')}, {size_text(report.bytes)}")
    if report.waiting_bytes:
        waiting = size_text(report.waiting_bytes)
        console.print(f"{waiting} more in files without an entry; --gc removes them when they are an hour old")
    asked = report.hits + report.misses
    if asked:
        found = f"{report.hits} of {asked} ({report.hits / asked:.0%})"
        damaged = f", {report.damaged} damaged" if report.damaged else ""
        console.print(
            f"{_counted(report.builds, 'build', 'builds')} found {found} of what they looked for here{damaged}"
        )
    if gc is not None:
        console.print(
            f"{_counted(report.removed_entries, 'entry', 'entries')} removed, {size_text(report.removed_bytes)} freed"
        )


def _counted(count: int, one: str, more: str) -> str:
    return f"{count} {one if count == 1 else more}"
