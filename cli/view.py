"""``imagegs-tex view``."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from imagegs_tex.cli.numbers import read_size
from imagegs_tex.cli.options import AllowRoot, Alpha, AsJson, BackendName, IgsFile, Quiet, Size, Threads
from imagegs_tex.formats.errors import UsageError
from imagegs_tex.formats.material.options import AlphaUse, SourceOptions


def view(
    file: IgsFile,
    output: Annotated[
        str | None, typer.Option("-o", "--output", metavar="DIR", help="Folder for the pictures.", show_default=False)
    ] = None,
    browser: Annotated[
        bool,
        typer.Option(
            "--browser",
            help="Look at the file in a browser instead: in a light, map by map, texel by texel. Only this machine "
            "reaches the page; Ctrl-C ends it.",
        ),
    ] = False,
    source: Annotated[
        Path | None,
        typer.Option(
            "--source",
            metavar="INPUT",
            readable=False,
            help="What the file was made of. Then source and error stand beside the decode.",
        ),
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option(
            "--html",
            metavar="FILE.html",
            readable=False,
            help="Make one page of it all, too, that loads nothing: to look at in a browser, or to send.",
        ),
    ] = None,
    gain: Annotated[
        float | None,
        typer.Option(metavar="FACTOR", help="How much errors are amplified; what fits each map when not given."),
    ] = None,
    as_json: AsJson = False,
    alpha: Alpha = AlphaUse.AUTO,
    size: Size = None,
    allow_root: AllowRoot = None,
    backend: BackendName = "auto",
    threads: Threads = None,
    quiet: Quiet = False,
) -> None:
    """Draw labelled pictures of a file: maps, errors, Gaussians, bytes, the material under a light.

    Pictures and page of an earlier call are replaced; any other file stays, and is said.
    """
    if browser:
        from imagegs_tex.viewing.serve_viewer import serve_viewer

        if output is not None or html is not None:
            raise UsageError("--browser writes nothing: leave -o and --html")
        options = SourceOptions(alpha=alpha, size=read_size(size), allow_roots=tuple(allow_root or ()))
        serve_viewer(
            file, lambda address: print(f"the viewer is at {address} (Ctrl-C ends it)", flush=True), source, options
        )
        return
    if output is None:
        raise UsageError("give a folder for the pictures with -o DIR, or --browser to look at the file in a browser")
    from imagegs_tex.cli.outputs import folder_path
    from imagegs_tex.cli.progress import step_progress

    folder = folder_path(output, "view")
    options = SourceOptions(alpha=alpha, size=read_size(size), allow_roots=tuple(allow_root or ()))
    with step_progress(quiet) as progress:
        from imagegs_tex.cli.tables import print_view
        from imagegs_tex.reports import as_json as to_json
        from imagegs_tex.viewing.run import view as draw

        report = draw(
            file,
            folder,
            source,
            page=html,
            gain=gain,
            options=options,
            backend=backend,
            threads=threads,
            progress=progress,
        )
    if as_json:
        print(to_json(report), end="")
    elif not quiet:
        print_view(report)
    for line in () if quiet else report.left_out:
        print(line, file=sys.stderr)
