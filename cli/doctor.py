"""``imagegs-tex doctor``."""

from typing import Annotated

import typer

from imagegs_tex.cli.options import AsJson
from imagegs_tex.formats.errors import UsageError
from imagegs_tex.formats.files.safe_names import printable


def doctor(
    as_json: AsJson = False,
    warm: Annotated[
        bool,
        typer.Option(
            "--warm", help="Compile every kernel now and end: for a container image, where its user can write nothing."
        ),
    ] = False,
) -> None:
    """Say what this machine has, what will be used, how to get what is missing, and whether every backend is right."""
    from imagegs_tex.cli.progress import working

    if warm and as_json:
        raise UsageError("--json is of what this machine has, which --warm does not look at; give one of them")
    if warm:
        with working("compiling kernels: a minute or two"):
            from imagegs_tex.kernel_cache import kernel_folder
            from imagegs_tex.warm_up import compile_all

            done = "compiled into" if compile_all() else "all there already, in"
        typer.echo(f"kernels: {done} {printable(kernel_folder().path)}")
        return
    with working("looking at what there is"):
        from imagegs_tex.cli.tables import print_doctor
        from imagegs_tex.doctor import examine
        from imagegs_tex.reports import as_json as to_json

        report = examine()
    if as_json:
        print(to_json(report), end="")
    else:
        print_doctor(report)
    if not report.healthy:
        raise typer.Exit(1)
