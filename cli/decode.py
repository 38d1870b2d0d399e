"""``imagegs-tex decode``."""

import sys
from typing import Annotated

import typer

from imagegs_tex.cli.numbers import read_scale, read_size
from imagegs_tex.cli.options import BackendName, DrawDetail, IgsFile, Quiet, Threads
from imagegs_tex.settings import ImageFormat


def decode(
    file: IgsFile,
    output: Annotated[str, typer.Option("-o", "--output", metavar="DIR", help="Folder for the maps.")],
    scale: Annotated[
        float | None,
        typer.Option(parser=read_scale, metavar="SCALE", help="Relative size of the result: 0.5, 50%, 1/2."),
    ] = None,
    size: Annotated[
        str | None, typer.Option(metavar="WxH", help="Size of the result in texels, like 512x256 or 2K.")
    ] = None,
    width: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Width in texels; without --height in proportion.")
    ] = None,
    height: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Height in texels; without --width in proportion.")
    ] = None,
    image_format: Annotated[
        ImageFormat | None, typer.Option("--format", help="Image format; the maps' own bit depth when not given.")
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace images that are there, or write beside them.")
    ] = False,
    premultiplied: Annotated[bool, typer.Option("--premultiplied", help="Multiply colours by their alpha.")] = False,
    detail: DrawDetail = True,
    backend: BackendName = "auto",
    threads: Threads = None,
    quiet: Quiet = False,
) -> None:
    """Decode a file to one image per map, with the names, channels and bit depths of the source."""
    from imagegs_tex.cli.outputs import folder_path
    from imagegs_tex.cli.progress import working

    folder = folder_path(output, "decode", ImageFormat)
    chosen = None if image_format is None else image_format.value
    with working("decoding", quiet):
        from imagegs_tex import api
        from imagegs_tex.decoder.render import renamed
        from imagegs_tex.formats.igs.container import read_igs

        paths = api.decode(
            file, folder, scale=scale, size=_size(size, width, height), image_format=chosen, overwrite=overwrite,
            premultiplied=premultiplied, detail=detail, backend=backend, threads=threads,
        )  # fmt: skip
    if not quiet:
        for path in paths:
            print(path)
        for line in renamed(read_igs(file).maps, paths):
            print(line, file=sys.stderr)


def _size(size: str | None, width: int | None, height: int | None) -> tuple[int | None, int | None] | None:
    """Return the size that options ask for, a side that none names as None."""
    if width is None and height is None:
        return read_size(size)
    if size is not None:
        raise typer.BadParameter("give either --size, or --width and --height", param_hint="--size")
    return width, height
