"""``imagegs-tex decode``."""

from pathlib import Path
from typing import Annotated

import typer

from imagegs_tex.cli.options import BackendName, IgsFile, Quiet, Threads, parse_size
from imagegs_tex.settings import ImageFormat


def decode(
    file: IgsFile,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="DIR", readable=False, help="Folder for the maps.")],
    scale: Annotated[float | None, typer.Option(help="Relative size of the result.")] = None,
    size: Annotated[str | None, typer.Option(metavar="WxH", help="Size of the result in texels.")] = None,
    image_format: Annotated[
        ImageFormat | None, typer.Option("--format", help="Image format; the maps' own bit depth when not given.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace images that are there already.")] = False,
    backend: BackendName = "auto",
    threads: Threads = None,
    quiet: Quiet = False,
) -> None:
    """Decode a file to one image per map, with the names, channels and bit depths of the source."""
    from imagegs_tex import api

    chosen = None if image_format is None else image_format.value
    paths = api.decode(
        file, output, scale=scale, size=parse_size(size), image_format=chosen, overwrite=overwrite, backend=backend,
        threads=threads,
    )  # fmt: skip
    if not quiet:
        for path in paths:
            print(path)
