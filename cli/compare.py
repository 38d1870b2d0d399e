"""``imagegs-tex compare``."""

from typing import Annotated

import typer

from imagegs_tex.cli.numbers import read_decibels, read_size
from imagegs_tex.cli.options import AllowRoot, Alpha, AsJson, BackendName, IgsFile, Size, Source, Threads
from imagegs_tex.formats.material.options import AlphaUse, SourceOptions


def compare(
    file: IgsFile,
    source: Source,
    as_json: AsJson = False,
    min_psnr: Annotated[
        float | None,
        typer.Option(parser=read_decibels, metavar="DB", help="Exit with 1 when the pooled PSNR is lower."),
    ] = None,
    alpha: Alpha = AlphaUse.AUTO,
    size: Size = None,
    allow_root: AllowRoot = None,
    backend: BackendName = "auto",
    threads: Threads = None,
) -> None:
    """Compare a file with its source: PSNR, SSIM and FLIP per map, degrees for normals, alpha test, pooled PSNR."""
    from imagegs_tex.cli.progress import working

    with working("comparing"):
        from imagegs_tex import api
        from imagegs_tex.cli.tables import print_comparison
        from imagegs_tex.reports import as_json as to_json

        options = SourceOptions(alpha=alpha, size=read_size(size), allow_roots=tuple(allow_root or ()))
        result = api.compare(file, source, backend, threads, options)
    if as_json:
        print(to_json(result), end="")
    else:
        print_comparison(result, file)
    if min_psnr is not None and result.psnr_db < min_psnr:
        typer.echo(f"imagegs-tex: {result.psnr_db:.2f} dB is below the {min_psnr:.2f} dB asked for", err=True)
        raise typer.Exit(1)
