"""``imagegs-tex build``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imagegs_tex.cli.numbers import read_seconds
from imagegs_tex.cli.options import BackendName, Quiet
from imagegs_tex.settings import Preset

if TYPE_CHECKING:
    from imagegs_tex.builder.request import BuildReport

_MOST_NAMED = 8  # materials that failed, in one line


def build(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="INPUT_DIR|PROJECT.toml",
            readable=False,
            help="A folder with materials, however deep, or a project file that says how each is made.",
        ),
    ],
    output: Annotated[
        str,
        typer.Option(
            "-o", "--output", metavar="DIR", help="Folder for the .igs files and materials.json, their index."
        ),
    ],
    cache: Annotated[
        Path | None,
        typer.Option(metavar="DIR", readable=False, help="Folder of finished work that builds and machines share."),
    ] = None,
    preset: Annotated[
        Preset | None, typer.Option(help="How much time to spend on each; balanced, or as the project file says.")
    ] = None,
    jobs: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Processes; one per core, or eight per GPU, if not given.")
    ] = None,
    timeout: Annotated[
        float | None, typer.Option(parser=read_seconds, metavar="TIME", help="Give up a material after so long.")
    ] = None,
    keep_going: Annotated[
        bool, typer.Option("--keep-going/--fail-fast", help="Whether to go on when a material cannot be made.")
    ] = True,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and write nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print each step as a line of JSON.")] = False,
    backend: BackendName = "auto",
    quiet: Quiet = False,
) -> None:
    """Compress every material of a folder that is not made already, and keep the rest.

    A folder of maps, a manifest, a glTF and a .zip are materials; file names tell several in one folder apart. What is
    made depends on the bytes of the files alone, not on times or places, so a second build does nothing.
    """
    from imagegs_tex.builder.build_tree import Workers, build_tree
    from imagegs_tex.cli.build_progress import build_listener, print_build, print_plan, report_line
    from imagegs_tex.cli.outputs import folder_path

    with build_listener(quiet or dry_run, as_json) as listener:
        report = build_tree(
            source, folder_path(output, "build"), cache=cache, preset=preset, backend=backend,
            workers=Workers(jobs, timeout), keep_going=keep_going, dry_run=dry_run, listener=listener,
        )  # fmt: skip
    if as_json:
        report_line(report)
    elif dry_run:
        print_plan(report)
    elif not quiet:
        print_build(report, output)
    _check_complete(report)


def _check_complete(report: "BuildReport") -> None:
    from imagegs_tex.formats.errors import InputError
    from imagegs_tex.formats.files.safe_names import printable

    if not report.left_out:
        return
    named = [f"{printable(bad.name or bad.source)}: {bad.problem}" for bad in report.left_out[:_MOST_NAMED]]
    if len(report.left_out) > _MOST_NAMED:
        named.append(f"{len(report.left_out) - _MOST_NAMED} more, see materials.json")
    raise InputError(f"{len(report.left_out)} not made, the others are: {'; '.join(named)}")
