"""``imagegs-tex compare``."""

from pathlib import Path
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
    gamma: Annotated[
        float,
        typer.Option(
            metavar="POWER", help="Compare values to this power: 2.2 is about light, where they are sRGB codes."
        ),
    ] = 1.0,
    lpips_weights: Annotated[
        Path | None,
        typer.Option(metavar="DIR", readable=False, help="Folder of alexnet.pth and alex.pth: LPIPS, too."),
    ] = None,
    alpha: Alpha = AlphaUse.AUTO,
    size: Size = None,
    allow_root: AllowRoot = None,
    backend: BackendName = "auto",
    threads: Threads = None,
) -> None:
    """Compare a file with its source: PSNR, SSIM and FLIP per map, degrees for normals, alpha test, pooled PSNR.

    A file made smaller than its source is scored at the source's size, beside Lanczos and bicubic filters.
    """
    from imagegs_tex.cli.progress import working

    with working("comparing"):
        from imagegs_tex import api
        from imagegs_tex.cli.tables import print_comparison
        from imagegs_tex.reports import as_json as to_json

        options = SourceOptions(alpha=alpha, size=read_size(size), allow_roots=tuple(allow_root or ()))
        result = api.compare(
            file, source, backend, threads, options, gamma=gamma, lpips_weights=lpips_weights
        )  # fmt: skip
    if as_json:
        print(to_json(result), end="")
    else:
        print_comparison(result, file)
    if min_psnr is not None and result.psnr_db < min_psnr:
        typer.echo(f"imagegs-tex: {result.psnr_db:.2f} dB is below the {min_psnr:.2f} dB asked for", err=True)
        raise typer.Exit(1)
