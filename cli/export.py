"""``imagegs-tex export``."""

from typing import Annotated

import typer

from imagegs_tex.cli.options import AsJson, BackendName, DrawDetail, IgsFile, Quiet, Threads
from imagegs_tex.settings import TextureContainer


def export(
    file: IgsFile,
    output: Annotated[str, typer.Option("-o", "--output", metavar="DIR", help="Folder for the textures.")],
    container: Annotated[
        TextureContainer, typer.Option("--format", help="Kind of file; png writes one picture per level.")
    ] = TextureContainer.DDS,
    bc1: Annotated[bool, typer.Option("--bc1", help="Opaque colour as BC1: half the bytes of BC7, and worse.")] = False,
    detail: DrawDetail = True,
    as_json: AsJson = False,
    backend: BackendName = "auto",
    threads: Threads = None,
    quiet: Quiet = False,
) -> None:
    """Decode a file to textures for an engine: all mip levels, block-compressed, one file per map."""
    from imagegs_tex import api
    from imagegs_tex.cli.outputs import folder_path
    from imagegs_tex.cli.progress import map_progress
    from imagegs_tex.cli.tables import print_export
    from imagegs_tex.reports import as_json as to_json

    folder = folder_path(output, "export", TextureContainer)
    with map_progress(quiet) as progress:
        result = api.export(
            file, folder, container, bc1=bc1, detail=detail, backend=backend, threads=threads, progress=progress
        )
    if as_json:
        print(to_json(result), end="")
    elif not quiet:
        print_export(result)
