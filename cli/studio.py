"""``imagegs-tex studio``."""

from pathlib import Path
from typing import Annotated

import typer


def studio(
    source: Annotated[
        Path | None,
        typer.Argument(
            metavar="INPUT|FILE.igs",
            readable=False,
            help="What the page begins with: a material, or a file to look at.",
        ),
    ] = None,
    host: Annotated[
        str,
        typer.Option(metavar="ADDRESS", help="Address to listen at; 0.0.0.0 lets others in, without a password."),
    ] = "127.0.0.1",
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, metavar="N", help="Port; 7860 or the next free one if not given.")
    ] = None,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the page in a browser.")] = True,
) -> None:
    """Compress materials on a page in a browser: see them, watch the fit, turn the light, download.

    The page is at http://localhost:7860 and only this machine reaches it, unless --host says otherwise. Ctrl-C ends it
    and removes everything that was not downloaded.
    """
    from imagegs_tex.studio.serve import serve

    serve(source, host, port, open_browser=browser)
