"""``imagegs-tex build``."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imagegs_tex.cli.numbers import read_seconds
from imagegs_tex.cli.options import BackendName, Quiet
from imagegs_tex.formats.errors import ImageGSTexError, InputError, UsageError
from imagegs_tex.settings import Preset

if TYPE_CHECKING:
    from imagegs_tex.builder.request import BuildReport

AsJsonLines = Annotated[bool, typer.Option("--json", help="Print each step as a line of JSON.")]
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
    scheduler: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Dask's workers do it: tcp://farm:8786.")
    ] = None,
    timeout: Annotated[
        float | None, typer.Option(parser=read_seconds, metavar="TIME", help="Give up a material after so long.")
    ] = None,
    keep_going: Annotated[
        bool, typer.Option("--keep-going/--fail-fast", help="Whether to go on when a material cannot be made.")
    ] = True,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and write nothing.")] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Build again whenever something changes.")] = False,
    depfile: Annotated[
        Path | None, typer.Option(metavar="FILE", readable=False, help="Write what was read, for Ninja and Make.")
    ] = None,
    page: Annotated[
        Path | None,
        typer.Option("--html", metavar="FILE", readable=False, help="Write a page of all materials, the worst first."),
    ] = None,
    as_json: AsJsonLines = False,
    backend: BackendName = "auto",
    quiet: Quiet = False,
) -> None:
    """Compress every material of a folder that is not made already, and keep the rest.

    A folder of maps, a manifest, a glTF and a .zip are materials; file names tell several in one folder apart. What is
    made depends on the bytes of the files alone, not on times or places, so a second build does nothing.
    """
    from imagegs_tex.builder.build_tree import BuildWorkers, make_runner
    from imagegs_tex.builder.engine import run_build
    from imagegs_tex.builder.project_file import project_of
    from imagegs_tex.builder.request import BuildReport, BuildRequest
    from imagegs_tex.builder.watch import build_and_watch
    from imagegs_tex.cli.build_progress import build_listener, report_line
    from imagegs_tex.cli.outputs import folder_path
    from imagegs_tex.formats.files.atomic_write import check_writable

    if watch and dry_run:
        raise UsageError("--watch and --dry-run exclude each other; give one of them")
    if scheduler is not None and jobs is not None:
        raise UsageError("--scheduler and --jobs exclude each other: the scheduler's workers are as many as there are")
    folder = folder_path(output, "build")
    told = not (quiet or dry_run)  # what fails, as it fails
    for file, beginning in ((depfile, b""), (page, b"<")):
        if file is not None and not dry_run:
            check_writable(file, beginning)
    cache = None if cache is None else cache.absolute()

    def request_of() -> BuildRequest:
        return BuildRequest(
            project_of(source, preset), folder, cache, backend, keep_going, dry_run, thumbnails=page is not None
        )  # fmt: skip

    def ended(report: BuildReport) -> None:
        _write_files(report, source, folder, depfile, page)
        if as_json:
            report_line(report)
        elif not quiet:
            _print(report, output, page, dry_run)

    def ended_once(result: BuildReport | ImageGSTexError) -> None:
        if isinstance(result, BuildReport):
            ended(result)
            result = _problem(result, told, output) or result
        if isinstance(result, ImageGSTexError):
            print(f"imagegs-tex: {result}", file=sys.stderr, flush=True)

    with (
        make_runner(backend, BuildWorkers(jobs, scheduler, timeout)) as runner,
        build_listener(quiet or dry_run, as_json) as listener,
    ):
        if watch:
            build_and_watch(request_of, runner, listener, ended_once)
        report = run_build(request_of(), runner, listener)
    ended(report)
    problem = _problem(report, told, output)
    if problem is not None:
        raise problem


def _print(report: "BuildReport", output: str, page: Path | None, dry_run: bool) -> None:
    from imagegs_tex.cli.build_progress import print_build, print_plan

    if dry_run:
        print_plan(report)
    else:
        print_build(report, output, page)


def _write_files(report: "BuildReport", source: Path, output: Path, depfile: Path | None, page: Path | None) -> None:
    from imagegs_tex.builder.depfile import depfile_text
    from imagegs_tex.builder.page import page_text
    from imagegs_tex.formats.files.atomic_write import write_bytes

    if report.planned:
        return
    if depfile is not None:
        more = [source] if source.is_file() else []
        text = depfile_text(output, report, more, relative=not source.is_absolute())
        write_bytes(depfile, text.encode("utf-8", "surrogateescape"))
    if page is not None:
        html = page_text(report.tree.root.name, output, report.entries, report.left_out)
        write_bytes(page, html.encode("utf-8", "backslashreplace"))


def _problem(report: "BuildReport", told: bool, output: str) -> ImageGSTexError | None:
    """Return, in one line, what could not be made or misses its target; None where all is as it was asked for.

    Args:
        report: of the build
        told: whether it was said of each material why it failed
        output: the folder of the index
    """
    if text := _incomplete(report, told, output):
        return InputError(text)
    missed = [f"{entry.name}: {entry.report['unreached']}" for entry in report.entries if entry.report.get("unreached")]
    if not missed:
        return None
    if len(missed) > _MOST_NAMED:
        missed[_MOST_NAMED:] = [f"{len(missed) - _MOST_NAMED} more, see materials.json"]
    return ImageGSTexError(f"targets were missed, the best files are kept: {'; '.join(missed)}")


def _incomplete(report: "BuildReport", told: bool, output: str) -> str:
    """Return, in one line, what could not be made; nothing where all was."""
    from imagegs_tex.formats.files.safe_names import printable

    if not report.left_out:
        return ""
    if told:
        failed, index = len(report.left_out), f"{printable(output)}/materials.json"
        return f"{failed} of {failed + len(report.entries)} not made; why is said above, and in {index}"
    named = [f"{printable(bad.name or bad.source)}: {bad.problem}" for bad in report.left_out[:_MOST_NAMED]]
    if len(report.left_out) > _MOST_NAMED:
        named.append(f"{len(report.left_out) - _MOST_NAMED} more, see materials.json")
    rest = ", the others are" if report.entries else ""
    return f"{len(report.left_out)} not made{rest}: {'; '.join(named)}"
