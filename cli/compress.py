"""``imagegs-tex compress``."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from imagegs_tex.cli.options import BackendName, Source, Threads
from imagegs_tex.settings import CompressSettings, Preset, preset_settings


def compress(
    source: Source,
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="FILE.igs", readable=False, help="The file to write.")
    ],
    gaussians: Annotated[int | None, typer.Option(min=1, help="Number of Gaussians.")] = None,
    bpp: Annotated[float | None, typer.Option(metavar="BITS", help="Bits per texel of the whole file.")] = None,
    max_bytes: Annotated[int | None, typer.Option(min=1, help="Largest size of the file.")] = None,
    target_psnr: Annotated[float | None, typer.Option(metavar="DB", help="Smallest file of this quality.")] = None,
    target: Annotated[
        list[str] | None,
        typer.Option(
            metavar="MAPS=QUALITY",
            help="Smallest file with this quality of some maps: roughness=36 (dB) or normal=1.5deg; repeatable.",
        ),
    ] = None,
    preset: Annotated[Preset, typer.Option(help="How much time to spend.")] = Preset.BALANCED,
    time_budget: Annotated[
        float | None, typer.Option(min=0.1, metavar="SECONDS", help="Fit for this long instead of a number of steps.")
    ] = None,
    importance: Annotated[
        Path | None,
        typer.Option(
            metavar="MASK.png",
            readable=False,
            help="Grey image of the maps' size: black texels do not count, white ones fully.",
        ),
    ] = None,
    backend: BackendName = "auto",
    seed: Annotated[int, typer.Option(min=0, help="Seed of the initial positions.")] = 0,
    threads: Threads = None,
    report: Annotated[
        Path | None, typer.Option(metavar="FILE.json", readable=False, help="Write a JSON report.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")] = False,
) -> None:
    """Compress a material: INPUT is a folder of maps (base colour, normal, roughness, ...) or a single image."""
    settings = _settings(preset, (gaussians, bpp, max_bytes, target_psnr), target or [], time_budget, seed)
    from imagegs_tex import pipeline
    from imagegs_tex.cli.progress import fit_progress
    from imagegs_tex.cli.tables import print_compression
    from imagegs_tex.formats.atomic import check_writable, write_bytes
    from imagegs_tex.formats.errors import UsageError
    from imagegs_tex.report import as_json

    if report is not None:
        check_writable(report)
        if report.resolve() == output.resolve():
            raise UsageError("--report and --output name the same file; give two")
    with fit_progress(quiet) as progress:
        result = pipeline.compress(source, output, settings, backend, threads, progress, importance=importance)
    if report is not None:
        write_bytes(report, as_json(result).encode())
    if not quiet:
        print_compression(result, output)


def _settings(
    preset: Preset,
    limits: tuple[int | None, float | None, int | None, float | None],
    targets: list[str],
    time_budget: float | None,
    seed: int,
) -> CompressSettings:
    from imagegs_tex.targets import parse_target

    chosen = preset_settings(preset)
    gaussians, bpp, max_bytes, target_psnr = limits
    return replace(
        chosen, gaussian_count=gaussians, bits_per_texel=bpp, max_bytes=max_bytes, target_psnr=target_psnr,
        targets=tuple(map(parse_target, targets)), fit=replace(chosen.fit, seed=seed, time_budget=time_budget),
    )  # fmt: skip
