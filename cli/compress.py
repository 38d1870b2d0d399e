"""``imagegs-tex compress``."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imagegs_tex.cli.numbers import (
    read_bits,
    read_bytes,
    read_count,
    read_decibels,
    read_quality,
    read_seconds,
    read_size,
)
from imagegs_tex.cli.options import AllowRoot, Alpha, BackendName, Quiet, Report, Size, Source, Threads
from imagegs_tex.formats.errors import ImageGSTexError, InputError, TargetError, UsageError
from imagegs_tex.formats.igs.entropy import Entropy
from imagegs_tex.formats.material.options import (
    AlphaUse,
    Coverage,
    NormalCoding,
    SaliencyMethod,
    SaliencyOptions,
    SourceOptions,
)
from imagegs_tex.formats.material.require_source import require_source
from imagegs_tex.settings import DetailMode, InitialPlacement, Preset

if TYPE_CHECKING:
    from imagegs_tex.fit.checkpoint import Checkpointing
    from imagegs_tex.reports import AssetReport, CompressReport
    from imagegs_tex.viewing.run_pictures import RunPictures

_BY_SALIENCY = Path("auto")
_MOST_NAMED = 8  # materials that are left out, in one line


def compress(
    source: Source,
    output: Annotated[
        str | None,
        typer.Option(
            "-o",
            "--output",
            metavar="FILE.igs|DIR|-",
            help="The file to write; a folder gets NAME.igs, or one file for each material of a glTF; - is standard "
            "output.",
        ),
    ] = None,
    quality: Annotated[
        float | None,
        typer.Option(
            parser=read_quality,
            metavar="0..100",
            help="How good it looks: 25 is small, 50 good, 75 high. 50 unless something else is asked for.",
        ),
    ] = None,
    gaussians: Annotated[
        int | None, typer.Option(parser=read_count, metavar="N", help="Number of Gaussians, like 2000 or 50k.")
    ] = None,
    bpp: Annotated[
        float | None, typer.Option(parser=read_bits, metavar="BITS", help="Bits per texel of the whole file.")
    ] = None,
    max_bytes: Annotated[
        int | None,
        typer.Option(parser=read_bytes, metavar="BYTES", help="Largest size of the file: 50000, 50k, 1.5MB or 48KiB."),
    ] = None,
    max_gpu_bytes: Annotated[
        int | None,
        typer.Option(
            parser=read_bytes,
            metavar="BYTES",
            help="The same of what it adds to a buffer on a GPU, coarse levels included.",
        ),
    ] = None,
    target_psnr: Annotated[
        float | None, typer.Option(parser=read_decibels, metavar="DB", help="Smallest file of this quality.")
    ] = None,
    target: Annotated[
        list[str] | None,
        typer.Option(
            metavar="MAPS=QUALITY",
            help="Smallest file with this quality of some maps: roughness=36 (dB) or normal=1.5deg (the mean angle); "
            "repeatable. Maps that none names get little.",
        ),
    ] = None,
    keep_best: Annotated[
        bool,
        typer.Option("--keep-best", help="Where a target or a size cannot be reached, write the best file there is."),
    ] = False,
    preset: Annotated[Preset, typer.Option(help="How much time to spend.")] = Preset.BALANCED,
    time_budget: Annotated[
        float | None,
        typer.Option(
            parser=read_seconds, metavar="TIME", help="Fit for this long (90s, 1.5min) instead of a number of steps."
        ),
    ] = None,
    steps: Annotated[int | None, typer.Option(metavar="N", help="Steps of a fit, instead of the preset's.")] = None,
    patience: Annotated[
        int | None, typer.Option(metavar="N", help="End a fit early after so many steps without a gain.")
    ] = None,
    init: Annotated[
        InitialPlacement | None,
        typer.Option(help="Where Gaussians start: by the picture's gradient, where people look first, or anywhere."),
    ] = None,
    random_share: Annotated[
        float | None, typer.Option(metavar="SHARE", help="Share of the first Gaussians that are spread evenly, 0 to 1.")
    ] = None,
    ssim_weight: Annotated[
        float | None, typer.Option(metavar="WEIGHT", help="How much lost structure (1 - SSIM) counts beside the error.")
    ] = None,
    assignments: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Any setting that imagegs-tex settings lists; repeatable."),
    ] = None,
    settings_file: Annotated[
        Path | None,
        typer.Option("--settings", metavar="FILE.toml", readable=False, help="Settings from a file, as name = value."),
    ] = None,
    importance: Annotated[
        Path | None,
        typer.Option(
            metavar="MASK.png|auto",
            readable=False,
            help="Grey image of a map's size: black texels do not count, white ones fully. Auto: by saliency, where "
            "people look first.",
        ),
    ] = None,
    saliency: Annotated[
        SaliencyMethod, typer.Option(help="How saliency is found: of the picture alone, or by the network EML-Net.")
    ] = SaliencyMethod.ESTIMATE,
    saliency_weights: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR|hub:OWNER/NAME",
            help="Folder of EML-Net's three .pth files, or a repository of Hugging Face's hub that has them.",
            readable=False,
        ),
    ] = None,
    saliency_map: Annotated[
        Path | None,
        typer.Option(
            metavar="MAP.png", readable=False, help="Grey image of a map's size, white where people look: your own."
        ),
    ] = None,
    size: Size = None,
    downsample: Annotated[
        float,
        typer.Option(metavar="TIMES", help="How many times smaller all maps become, across and down; see compare."),
    ] = 1.0,
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
    coverage: Annotated[
        Coverage,
        typer.Option(
            help="Auto: texels that no mesh of a glTF shows do not count. Off: all do, for UVs that scripts move."
        ),
    ] = Coverage.AUTO,
    allow_root: AllowRoot = None,
    fail_fast: Annotated[
        bool, typer.Option("--fail-fast", help="Stop at the first material that cannot be made, of several.")
    ] = False,
    detail: Annotated[
        DetailMode,
        typer.Option(help="Auto: noise, in a few hundred bytes, where the source has grain that the Gaussians lose."),
    ] = DetailMode.AUTO,
    checkpoint: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", readable=False, help="Save the run here every --every steps, to go on with --resume."
        ),
    ] = None,
    resume: Annotated[
        Path | None,
        typer.Option(metavar="DIR", readable=False, help="Go on from checkpoints: the same bytes as without a break."),
    ] = None,
    snapshots: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            readable=False,
            help="Draw the run here every --every steps: maps, errors, Gaussians, numbers.",
        ),
    ] = None,
    output_gltf: Annotated[
        Path | None,
        typer.Option(
            "--output-gltf",
            metavar="FILE.glb",
            readable=False,
            help="Of a glTF, with a folder as -o: write the model, too, with the files' maps in place of images.",
        ),
    ] = None,
    start: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.igs|FILE.pt",
            readable=False,
            help="Begin from a file's Gaussians, in an eighth of the steps: after an edit, for another target or size. "
            "Image-GS's and gsplat's checkpoints, too.",
        ),
    ] = None,
    every: Annotated[
        int, typer.Option(min=1, metavar="N", help="Steps from one checkpoint or snapshot to the next.")
    ] = 50,
    entropy: Annotated[
        Entropy,
        typer.Option(help="Small: the fewest bytes. Fast: read in a small part of the time, some 2 % larger."),
    ] = Entropy.SMALL,
    backend: BackendName = "auto",
    seed: Annotated[int | None, typer.Option(metavar="N", help="Seed of the initial positions; 0.")] = None,
    threads: Threads = None,
    report: Report = None,
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
    require_source(source)  # before anything is loaded or compiled for it
    from imagegs_tex import background_compilation

    background_compilation.start()  # importing torch takes seconds in which kernels can be compiled
    from imagegs_tex.cli.outputs import STANDARD_OUTPUT, igs_path, write_report
    from imagegs_tex.cli.progress import fit_progress

    with fit_progress(quiet) as progress:  # at once: loading torch takes seconds
        from imagegs_tex import api, assets
        from imagegs_tex.cli.compress_settings import chosen_settings
        from imagegs_tex.cli.interrupts import check_stopped, stop_on_interrupt
        from imagegs_tex.cli.tables import print_asset, print_compression
        from imagegs_tex.fit.control import FitControl
        from imagegs_tex.formats.material.wrap_detection import parse_wrap
        from imagegs_tex.reports import AssetReport, CompressReport, as_json

        named = {
            "steps": steps, "patience": patience, "init": init, "random_share": random_share, "seed": seed,
            "ssim_weight": ssim_weight, "time_budget": time_budget,
        }  # fmt: skip
        settings = chosen_settings(
            preset, (quality, gaussians, bpp, max_bytes, max_gpu_bytes, target_psnr), target or (), detail=detail,
            named=named,
            assignments=assignments or (), file=settings_file, goes_on=start is not None,
            entropy=entropy,
        )  # fmt: skip
        repeats = (None, None) if wrap is None else parse_wrap(wrap)
        by_saliency = importance == _BY_SALIENCY
        options = SourceOptions(
            None if by_saliency else importance, read_size(size), normals, alpha, repeats, coverage,
            importance_by_saliency=by_saliency, allow_roots=tuple(allow_root or ()),
            saliency=SaliencyOptions(saliency, saliency_weights, saliency_map), downsample=downsample,
        )  # fmt: skip
        several = output is not None and assets.is_asset(source, Path(output), options)
        file = None if output is None else igs_path(output, source, many=several)
        _check_paths(source, file, report, save_manifest, output_gltf, is_asset=several)
        if save_manifest is not None:
            api.save_manifest(source, save_manifest, options)
        if file is None:
            return
        several = several and file != STANDARD_OUTPUT
        if several and not (start is None and snapshots is None):
            raise UsageError("--start and --snapshots are for one material; give -o FILE.igs")
        pictures = None if snapshots is None else _run_pictures(snapshots, source, options, backend, threads)
        one, many = partial(api.compress, start=start), partial(assets.compress_asset, fail_fast=fail_fast)
        with _on_disk(file) as path, stop_on_interrupt(quiet) as interrupts:
            control = FitControl(every, pictures, interrupts, _checkpoints(checkpoint, resume, every))
            try:
                result = (many if several else one)(
                    source, path, settings, backend, threads, interrupts.watched(progress), options=options,
                    keep_best=keep_best, control=control,
                )  # fmt: skip
            except TargetError as error:
                write_report(report, as_json(error.report))
                raise
        _write_beside(report, output_gltf, result, source, file, options)
        if pictures is not None:
            pictures.finish()
    is_printed = not quiet and STANDARD_OUTPUT not in {file, report}
    if is_printed and isinstance(result, CompressReport):
        print_compression(result, file)
    if is_printed and isinstance(result, AssetReport):
        print_asset(result, file)
    check_stopped(interrupts, result, file)
    if isinstance(result, AssetReport):
        _check_complete(result, source)


def _run_pictures(
    folder: Path, source: Path, options: SourceOptions, backend: str, threads: int | None
) -> "RunPictures":
    """Return what draws a run's snapshots into a folder."""
    from imagegs_tex.formats.material.build_stack import load_stack
    from imagegs_tex.rasterize.select_backend import make_backend
    from imagegs_tex.viewing.run_pictures import RunPictures

    return RunPictures(folder, load_stack(source, options), make_backend(backend, threads))


def _checkpoints(checkpoint: Path | None, resume: Path | None, every: int) -> "Checkpointing | None":
    """Return where a run is saved: what it goes on from is also where it goes on to save."""
    from imagegs_tex.fit.checkpoint import Checkpointing

    if checkpoint is not None and resume is not None and checkpoint != resume:
        raise UsageError("--checkpoint and --resume name two folders; a run goes on in the folder that it resumes")
    folder = checkpoint if resume is None else resume
    return None if folder is None else Checkpointing(folder, every, resume is not None)


def _write_beside(
    report: Path | None, gltf: Path | None, result: "CompressReport | AssetReport", source: Path, file: Path,
    options: SourceOptions,
) -> None:  # fmt: skip
    """Write what goes with the files: the report, and a glTF that refers to them."""
    from imagegs_tex.asset_gltf import write_gltf_with_igs
    from imagegs_tex.cli.outputs import write_report
    from imagegs_tex.reports import AssetReport, as_json

    write_report(report, as_json(result))
    if gltf is not None and isinstance(result, AssetReport) and not result.stopped:
        write_gltf_with_igs(source, file, result, gltf, options)


def _check_paths(
    source: Path, file: Path | None, report: Path | None, manifest: Path | None, gltf: Path | None, *, is_asset: bool
) -> None:
    """Refuse outputs that would replace each other or the source, or cannot be written."""
    from imagegs_tex.cli.outputs import STANDARD_OUTPUT, check_pipe, check_report
    from imagegs_tex.formats.files.atomic_write import real_path

    if manifest == STANDARD_OUTPUT:
        raise UsageError("--save-manifest -: paths in a manifest are relative to it; give --save-manifest FILE.json")
    written = [real_path(path) for path in (file, report, manifest, gltf) if path is not None]
    if len({*written}) < len(written):
        raise UsageError(
            "--output, --report, --save-manifest and --output-gltf must name different files; give each its own"
        )
    if gltf is not None:
        from imagegs_tex.asset_gltf import check_output_gltf

        check_output_gltf(source, gltf, is_asset=is_asset)
    if source.is_file() and source.resolve() in written:  # the first bytes do not tell a manifest from a report
        raise UsageError("what is written would replace what is read; give it another name")
    check_report(report)
    if file == STANDARD_OUTPUT:
        check_pipe()


@contextmanager
def _on_disk(file: Path) -> Iterator[Path]:
    """Give the path to write a file to; for standard output one whose bytes go there afterwards."""
    from imagegs_tex.cli.outputs import STANDARD_OUTPUT, write_to_pipe

    if file != STANDARD_OUTPUT:
        yield file
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file.igs"
        try:
            yield path
        finally:  # the best file of a target that is not reached, too
            if path.exists():
                write_to_pipe(path.read_bytes())


def _check_complete(report: "AssetReport", source: Path) -> None:
    """Raise an error, with the reasons, where materials were left out or have not the quality that was asked for."""
    from imagegs_tex.formats.files.safe_names import printable

    targets = {file.report.unreached for file in report.files} - {None}
    left_out = [(material.name, material.left_out) for material in report.materials if material.left_out is not None]
    broken = [(name, reason) for name, reason in left_out if reason not in targets]
    poor = [(file.file, file.report.unreached) for file in report.files if file.report.unreached is not None]
    named = [f"material {printable(name)}: {reason}" for name, reason in (broken or poor)[:_MOST_NAMED]]
    if len(broken or poor) > _MOST_NAMED:
        named.append(f"{len(broken or poor) - _MOST_NAMED} more, see the report")
    if broken:
        count = f"{len(broken)} of {len(report.materials)} materials"
        rest = "the others are made" if any(file.report.written for file in report.files) else "nothing is made"
        raise InputError(f"{printable(source)}: {count} left out, {rest}: {'; '.join(named)}")
    if poor:
        raise ImageGSTexError(f"{printable(source)}: {'; '.join(named)}")
