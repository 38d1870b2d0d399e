"""``imagegs-tex compress``."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from imagegs_tex.cli.options import Alpha, BackendName, Quiet, Size, Source, Threads, parse_size
from imagegs_tex.formats.material.options import AlphaUse, NormalCoding, SourceOptions
from imagegs_tex.settings import CompressSettings, Preset, preset_settings


def compress(
    source: Source,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            metavar="FILE.igs|DIR",
            readable=False,
            help="The file to write; for a glTF of several materials a folder.",
        ),
    ] = None,
    gaussians: Annotated[int | None, typer.Option(min=1, help="Number of Gaussians.")] = None,
    bpp: Annotated[float | None, typer.Option(metavar="BITS", help="Bits per texel of the whole file.")] = None,
    max_bytes: Annotated[int | None, typer.Option(min=1, help="Largest size of the file.")] = None,
    target_psnr: Annotated[float | None, typer.Option(metavar="DB", help="Smallest file of this quality.")] = None,
    target: Annotated[
        list[str] | None,
        typer.Option(
            metavar="MAPS=QUALITY",
            help="Smallest file with this quality of some maps: roughness=36 (dB) or normal=1.5deg (the mean angle); "
            "repeatable. Maps that none names get little.",
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
            help="Grey image of a map's size: black texels do not count, white ones fully.",
        ),
    ] = None,
    size: Size = None,
    wrap: Annotated[
        str | None,
        typer.Option(
            metavar="repeat|clamp[,repeat|clamp]",
            help="Whether the material repeats, or in x,y; guessed when not given.",
        ),
    ] = None,
    normals: Annotated[
        NormalCoding,
        typer.Option(help="Unit: decoded normals have unit length. Stored: as in the file. Auto: as the source's are."),
    ] = NormalCoding.AUTO,
    alpha: Alpha = AlphaUse.AUTO,
    backend: BackendName = "auto",
    seed: Annotated[int, typer.Option(min=0, help="Seed of the initial positions.")] = 0,
    threads: Threads = None,
    report: Annotated[
        Path | None, typer.Option(metavar="FILE.json", readable=False, help="Write a JSON report.")
    ] = None,
    save_manifest: Annotated[
        Path | None,
        typer.Option(metavar="FILE.json", readable=False, help="Write how each map is understood, to edit and use."),
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Compress a material.

    INPUT is a folder of maps (base colour, normal, roughness, ...), a single image, a manifest (.json), or a glTF. File
    names tell what the maps are; where they do not, write a manifest with --save-manifest, edit it and compress that.
    """
    if output is None and save_manifest is None:
        raise typer.BadParameter("give -o FILE.igs, or --save-manifest FILE.json", param_hint="-o")
    settings = _settings(preset, (gaussians, bpp, max_bytes, target_psnr), target or [], time_budget, seed)
    from imagegs_tex import api
    from imagegs_tex.cli.progress import fit_progress
    from imagegs_tex.cli.tables import print_asset, print_compression
    from imagegs_tex.formats.errors import UsageError
    from imagegs_tex.formats.files.atomic_write import JSON_BEGINNING, check_writable, real_path, write_bytes
    from imagegs_tex.formats.material.wrap_detection import parse_wrap
    from imagegs_tex.reports import CompressReport, as_json

    written = [real_path(path) for path in (output, report, save_manifest) if path is not None]
    if len({*written}) < len(written):
        raise UsageError("--output, --report and --save-manifest must name different files; give each its own")
    if source.is_file() and source.resolve() in written:  # the first bytes do not tell a manifest from a report
        raise UsageError("what is written would replace what is read; give it another name")
    repeats = (None, None) if wrap is None else parse_wrap(wrap)
    options = SourceOptions(importance, parse_size(size), normals, alpha, repeats)
    if report is not None:
        check_writable(report, JSON_BEGINNING)
    if save_manifest is not None:
        api.save_manifest(source, save_manifest, options)
    if output is None:
        return
    compress_all = api.compress_asset if api.is_asset(source, output) else api.compress
    with fit_progress(quiet) as progress:
        result = compress_all(source, output, settings, backend, threads, progress, options=options)
    if report is not None:
        write_bytes(report, as_json(result).encode())
    if quiet:
        return
    if isinstance(result, CompressReport):
        print_compression(result, output)
    else:
        print_asset(result, output)


def _settings(
    preset: Preset,
    limits: tuple[int | None, float | None, int | None, float | None],
    targets: list[str],
    time_budget: float | None,
    seed: int,
) -> CompressSettings:
    from imagegs_tex.encoder.quality_targets import parse_target

    chosen = preset_settings(preset)
    gaussians, bpp, max_bytes, target_psnr = limits
    return replace(
        chosen, gaussian_count=gaussians, bits_per_texel=bpp, max_bytes=max_bytes, target_psnr=target_psnr,
        targets=tuple(map(parse_target, targets)), fit=replace(chosen.fit, seed=seed, time_budget=time_budget),
    )  # fmt: skip
