"""``imagegs-tex export``."""

from enum import StrEnum
from typing import Annotated

import typer

from imagegs_tex.cli.options import AsJson, BackendName, DrawDetail, IgsFile, Quiet, Threads
from imagegs_tex.settings import SplatFormat, TextureContainer


class ExportFormat(StrEnum):
    """What a file can be exported as: textures, or splats."""

    DDS = TextureContainer.DDS.value
    KTX2 = TextureContainer.KTX2.value
    PNG = TextureContainer.PNG.value
    PLY = SplatFormat.PLY.value
    SPLAT = SplatFormat.SPLAT.value


def export(
    file: IgsFile,
    output: Annotated[str, typer.Option("-o", "--output", metavar="DIR", help="Folder for the textures.")],
    export_format: Annotated[
        ExportFormat,
        typer.Option(
            "--format",
            help="Kind of file; png writes one picture per level, ply and splat the Gaussians for viewers of splats.",
        ),
    ] = ExportFormat.DDS,
    bc1: Annotated[bool, typer.Option("--bc1", help="Opaque colour as BC1: half the bytes of BC7, and worse.")] = False,
    premultiplied: Annotated[bool, typer.Option("--premultiplied", help="Multiply colours by their alpha.")] = False,
    detail: DrawDetail = True,
    as_json: AsJson = False,
    backend: BackendName = "auto",
    threads: Threads = None,
    quiet: Quiet = False,
) -> None:
    """Decode a file to textures for an engine: all mip levels, block-compressed, one file per map.

    With --format ply or splat it writes the Gaussians instead, for viewers of 3D Gaussian splats.
    """
    from imagegs_tex.cli.outputs import folder_path
    from imagegs_tex.cli.progress import step_progress
    from imagegs_tex.formats.errors import UsageError

    folder = folder_path(output, "export", ExportFormat)
    splats = export_format.value in {each.value for each in SplatFormat}
    for name, given in (("--bc1", bc1), ("--premultiplied", premultiplied)):
        if splats and given:
            raise UsageError(f"{name} is for textures; leave it away with --format {export_format.value}")
    with step_progress(quiet) as progress:  # at once: loading torch takes seconds
        from imagegs_tex import api
        from imagegs_tex.cli.tables import print_export, print_splats
        from imagegs_tex.reports import as_json as to_json

        if splats:
            made = api.export_gaussians(file, folder, export_format.value, progress=progress)
        else:
            result = api.export(
                file, folder, export_format.value, bc1=bc1, premultiplied=premultiplied, detail=detail,
                backend=backend, threads=threads, progress=progress,
            )  # fmt: skip
    if as_json:
        print(to_json(made if splats else result), end="")
    elif not quiet and splats:
        print_splats(made)
    elif not quiet:
        print_export(result)
