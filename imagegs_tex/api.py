"""The stages joined: what every command calls, and Python users too.

Whatever a user can get wrong is one of the :class:`imagegs_tex.ImageGSTexError` kinds below; arguments of a wrong type
are ``TypeError`` or ``ValueError`` as usual. A function that fails leaves no new and no half-written file.
"""

import math
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from imagegs_tex import background_compilation
from imagegs_tex._version import __version__
from imagegs_tex.advice import larger_than_source, target_names, warnings_of
from imagegs_tex.compile_time import compiling_seconds
from imagegs_tex.decoder.maps import decode_maps
from imagegs_tex.decoder.render import check_alone, image_paths, render_channels, scaled_size, write_maps
from imagegs_tex.encoder.compute import compute_on
from imagegs_tex.encoder.quality_targets import score_targets
from imagegs_tex.encoder.rate_control import encode_within_budget
from imagegs_tex.encoder.start_file import read_start, settings_from_start
from imagegs_tex.fit.control import FitControl
from imagegs_tex.fit.loop import FitProgress
from imagegs_tex.formats.errors import TargetError, UsageError
from imagegs_tex.formats.files.atomic_write import JSON_BEGINNING, check_absent, check_writable, write_bytes
from imagegs_tex.formats.files.file_hash import hash_file
from imagegs_tex.formats.files.safe_names import printable
from imagegs_tex.formats.igs.container import (
    MAGIC,
    decode_igs,
    read_igs,
    read_igs_bytes,
    section_sizes,
)
from imagegs_tex.formats.material.build_stack import build_stack, load_stack, stack_of
from imagegs_tex.formats.material.manifest import MANIFEST_SUFFIX, manifest_text
from imagegs_tex.formats.material.options import AlphaUse, NormalCoding, SourceOptions
from imagegs_tex.formats.material.stack import TextureStack, source_map
from imagegs_tex.formats.open_material import read_material
from imagegs_tex.formats.vocabulary import wrap_words
from imagegs_tex.memory import Work, check_by_headers, check_memory
from imagegs_tex.metrics.byte_ledger import byte_ledger
from imagegs_tex.metrics.detail_contrast import score_detail
from imagegs_tex.metrics.lpips import load_lpips
from imagegs_tex.metrics.match_source import is_enlarged, source_indices
from imagegs_tex.metrics.poor_colour import score_poor_colour
from imagegs_tex.metrics.scores import pooled_psnr, pooled_weighted_psnr, score_map
from imagegs_tex.metrics.upsampling import score_enlarged
from imagegs_tex.provenance import processor_name, versions
from imagegs_tex.rasterize.backend import Backend
from imagegs_tex.rasterize.select_backend import make_backend
from imagegs_tex.reports import (
    CompareReport,
    CompressReport,
    ExportReport,
    ExportSettings,
    Seconds,
    SplatReport,
    TargetReport,
)
from imagegs_tex.saliency.importance import with_saliency
from imagegs_tex.settings import (
    DEFAULT_TEXELS_PER_GAUSSIAN,
    CompressSettings,
    InitialPlacement,
    SplatFormat,
    TextureContainer,
    asked_quality,
    preset_of,
)
from imagegs_tex.shaders.gpu_buffer import resident_bytes
from imagegs_tex.splats.export_splats import export_splats
from imagegs_tex.textures.export_maps import export_maps


def compress(  # noqa: PLR0913 - a choice each
    source: Path | str,
    output: Path | str,
    settings: CompressSettings | None = None,
    backend: str = "auto",
    threads: int | None = None,
    progress: Callable[[FitProgress], None] | None = None,
    *,
    options: SourceOptions | None = None,
    keep_best: bool = False,
    control: FitControl | None = None,
    start: Path | str | None = None,
) -> CompressReport:
    """Compress one material to an .igs file.

    Args:
        source: a folder of maps, an image, a manifest, or a glTF with one material; 1 to 16384 texels each way
        output: the file to write; an older .igs file is replaced only when the new one is complete, another never
        settings: how large, how good, how long; None for the balanced preset and quality 50
        backend: auto, cpu, cuda or reference
        threads: of the cpu backend, 1 or more; None for one per core; the bytes do not depend on it
        progress: called when a phase begins and after every step of a fit (every eighth on a GPU); what it raises ends
            the compression
        options: which texels matter, how normals are coded, what alpha is, whether the material repeats, its size;
            None: as the images suggest
        keep_best: whether the best file is written where no file reaches the targets, or has so few bytes
        control: snapshots of the fits, searches' pilots included, and a way to end the run: once its stop is set, the
            step is finished, the file is made of what there is (in a search the best so far), and the report says so
        start: an .igs file whose Gaussians the fit goes on from: an edited map, another target, another size; or a
            checkpoint of Image-GS or of gsplat's fit of an image; settings of None are then those of
            :func:`settings_from_start`. A file with a residual serves after an edit alone, one of exact samples or of
            what repeats not at all: the fit is then from the beginning, and the remarks say so

    Returns:
        sizes in bytes, times in seconds, and the scores in dB of what the written file holds, which is read back

    Raises:
        TargetError: no number of Gaussians reaches a target, or is as small as a limit; it has the report of the best
            file, or of the smallest
        UsageError: settings exclude each other, or ask for what there is not: a backend that does not exist
        InputError: the source is missing, damaged, of an unknown kind, or its maps do not fit together
        OutputError: the output is there and no .igs file, or cannot be written; said before the fit
        MissingToolError: the backend that was named cannot run on this machine
    """
    started = time.perf_counter()
    background_compilation.start()
    if progress is not None:
        progress(FitProgress("reading"))
    chosen = make_backend(backend, threads)
    usual = CompressSettings() if start is None else settings_from_start(CompressSettings())
    roots = () if options is None else options.allow_roots
    material = read_material(Path(source), roots=roots)
    check_by_headers(material, options, printable(output))
    stack = stack_of(Path(source), material, options)
    return compress_stack(
        stack, Path(output), settings or usual, chosen, progress, started, options=options,
        keep_best=keep_best, control=control, start=start,
    )  # fmt: skip


def save_manifest(source: Path | str, file: Path | str, options: SourceOptions | None = None) -> None:
    """Write down how a material is understood, as a manifest that can be edited and compressed in its place.

    Args:
        source: a folder of maps, an image, a manifest, or a glTF with one material and images in files of their own
        file: the manifest, ending in .json
        options: of them the importance mask, the size and the wrap go into the manifest

    Raises:
        UsageError: the manifest's name does not end in .json
        InputError: the source cannot be used
        OutputError: the manifest is there and is something else, or cannot be written
    """
    target = Path(file)
    if target.suffix.lower() != MANIFEST_SUFFIX:
        raise UsageError(f"{printable(target)}: a manifest must be called something{MANIFEST_SUFFIX}; rename it")
    check_writable(target, JSON_BEGINNING)
    chosen, material = (
        options or SourceOptions(),
        read_material(Path(source), roots=() if options is None else options.allow_roots),
    )
    material = replace(material, importance=chosen.importance or material.importance, size=chosen.size or material.size)
    as_read = replace(chosen, normals=NormalCoding.STORED, alpha=AlphaUse.DATA)
    write_bytes(target, manifest_text(material, build_stack(material, as_read), target).encode())


def compress_stack(  # noqa: PLR0913 - those of compress
    stack: TextureStack,
    output: Path,
    settings: CompressSettings,
    backend: Backend,
    progress: Callable[[FitProgress], None] | None = None,
    started: float | None = None,
    *,
    options: SourceOptions | None = None,
    keep_best: bool = False,
    control: FitControl | None = None,
    start: Path | str | None = None,
) -> CompressReport:
    """Compress a loaded stack, which knows whether it repeats; see :func:`compress`.

    Args:
        stack: float32 texels [H, W, C] in the code domain, and the maps that they make
        output: the file to write
        settings: how large, how good, how long
        backend: of :func:`imagegs_tex.rasterize.select_backend.make_backend`
        progress: called after every step of the fit
        started: clock in seconds (``time.perf_counter``) from which the report's total counts; None: now
        options: how the images were taken, for the report; and whether texels count by saliency
        keep_best: see :func:`compress`
        control: see :func:`compress`
        start: see :func:`compress`
    """
    begun, compiled = time.perf_counter(), compiling_seconds()
    placed_by_saliency = settings.fit.init == InitialPlacement.SALIENCY
    stack = with_saliency(stack, options or SourceOptions(), placed_by_saliency, backend.device)
    started = begun if started is None else started
    most = stack.width * stack.height
    gaussians = min(most, settings.gaussian_count or max(1, most // DEFAULT_TEXELS_PER_GAUSSIAN))
    size = stack.width, stack.height, stack.channel_count
    check_memory(Work.COMPRESS, *size, printable(output), gaussians=gaussians)
    check_writable(output, MAGIC)
    earlier = None if start is None else read_start(Path(start), stack, settings.fit.cutoff)
    encoded = encode_within_budget(stack, settings, backend, progress, control, earlier)
    encoded_at = time.perf_counter()
    if progress is not None:
        progress(FitProgress("checking"))
    quantized = encoded.quantized
    with closing(encoded.files), ThreadPoolExecutor(4) as pool:  # the coder in C leaves Python to the scores
        read_back = encoded.files.check(quantized)
        resident = pool.submit(resident_bytes, quantized)
        scores = compute_on(backend).score(stack, quantized)
        beside = backend.device.type == "cpu"  # FLIP leaves Python to others, too, and has one thread
        poor = pool.submit(score_poor_colour, scores, stack, quantized, backend) if beside else None
        scores = score_detail(scores, stack, range(len(stack.maps)), quantized, backend)
        poor_scores = score_poor_colour(scores, stack, quantized, backend) if poor is None else poor.result()
        shown = [replace(score, flip=seen.flip) for score, seen in zip(scores, poor_scores, strict=True)]
        targets = tuple(
            TargetReport("all" if target.semantic is None else target.semantic.name.lower(), target.value, value, unit)
            for target, value in score_targets(encoded.targets, stack, quantized, backend)
            for unit in ["degrees" if target.in_degrees else "dB"]
        )
        data, gpu_bytes = encoded.files.encoded(quantized), resident.result()
        if not read_back.result():
            raise RuntimeError("the file does not hold what was encoded: a fault of the coder")
    ledger = byte_ledger(quantized, section_sizes(data))
    scored_at = time.perf_counter()
    stopped_at = encoded.stopped_at
    written = encoded.unreached is None or keep_best or stopped_at is not None
    if written:
        write_bytes(output, data)
    if encoded.watch is not None:
        encoded.watch.complete()
    done = time.perf_counter()
    effort, texels = encoded.effort.seconds, stack.width * stack.height
    warnings = warnings_of(shown, ledger, quantized.gaussian_count, texels, target_names(stack.maps))
    larger = larger_than_source(len(data), sum(read.bytes for read in stack.inputs)) if stack.inputs else None
    source_width, source_height = stack.source_size or (stack.width, stack.height)
    report = CompressReport(
        width=stack.width, height=stack.height, source_width=source_width, source_height=source_height,
        channels=stack.channel_count, gaussians=quantized.gaussian_count,
        file_bytes=len(data), gpu_bytes=gpu_bytes, bits_per_texel=8 * len(data) / texels,
        bits_per_channel_texel=8 * len(data) / texels / stack.channel_count, psnr_db=pooled_psnr(scores),
        weighted_psnr_db=pooled_weighted_psnr(scores), maps=tuple(scores),
        quality=encoded.settings.quality if encoded.goes_on else asked_quality(encoded.settings),
        targets=targets, unreached=encoded.unreached, written=written,
        stopped=stopped_at is not None, stopped_at=stopped_at,
        warnings=warnings if larger is None else (*warnings, larger), ledger=ledger,
        readings=tuple(texture_map.notes for texture_map in stack.maps),
        wrap=wrap_words(quantized.wrap), wrap_reading=stack.wrap_note, remarks=(*stack.remarks, *encoded.remarks),
        seconds=Seconds(
            load=begun - started, fit=effort.fit, quantize=effort.quantize,
            encode=encoded_at - begun - effort.fit - effort.quantize, score=scored_at - encoded_at,
            write=done - scored_at, total=done - started,
        ),
        compiling_seconds=compiling_seconds() - compiled,
        inputs=stack.inputs, start=None if start is None else hash_file(Path(start)),
        preset=preset_of(encoded.settings), settings=encoded.settings, options=options or SourceOptions(),
        backend=backend.name, device=str(backend.device), processor=processor_name(backend.device),
        seed=settings.fit.seed, version=__version__, versions=versions(),
    )  # fmt: skip
    if encoded.unreached is not None and stopped_at is None:
        remedy = "ask for less, try --gaussians" if encoded.targets else "allow more"
        kept = f"it is kept as {printable(output)}" if written else f"{remedy}, or --keep-best"
        raise TargetError(f"{encoded.unreached}: {kept}", report)
    return report


def decode(  # noqa: PLR0913 - one argument per option of the command
    file: Path | str,
    folder: Path | str,
    *,
    scale: float | None = None,
    size: tuple[int | None, int | None] | None = None,
    image_format: str | None = None,
    overwrite: bool = False,
    premultiplied: bool = False,
    detail: bool = True,
    backend: str = "auto",
    threads: int | None = None,
) -> list[Path]:
    """Decode an .igs file to one image per map.

    Args:
        file: the .igs file
        folder: where the images go; created when missing
        scale: relative size of the result, above 0, or
        size: its width and height, 1 to 16384 texels each, of which one may be None, to keep the proportions; neither:
            as large as the source was. Large pictures are drawn in bands: the peak of memory is the samples of all
            maps, one encoded image, and about a gigabyte
        image_format: png, exr or tga; None keeps each map's bit depth, in PNG or for floats in EXR
        overwrite: whether files that are there are replaced, or stood beside when they have other suffixes; they may be
            the source, whose names decoded maps have
        premultiplied: whether colours are multiplied by their alpha
        detail: whether the file's detail layer is drawn, where it has one
        backend: auto, cpu, cuda or reference
        threads: of the cpu backend

    Returns:
        the images' paths, in the order of the file's maps

    Raises:
        UsageError: scale and size are both given, or impossible, or an image format cannot hold a map
        InputError: the file cannot be read
        IgsError: it is no .igs file or damaged, or two of its maps would be one image
        OutputError: an image is there already, or cannot be written; then none is
        MissingToolError: the backend that was named cannot run on this machine
    """
    quantized = read_igs(Path(file))
    chosen_size = scaled_size(quantized, scale, size)
    paths = image_paths(quantized.maps, Path(folder), image_format)
    if not overwrite:
        check_absent(paths, "decode to another folder, or allow it with --overwrite")
        check_alone(paths)
    drawn = max(chosen_size[0], quantized.width), max(chosen_size[1], quantized.height)
    check_memory(Work.DECODE, *drawn, quantized.channel_count, printable(file))
    chosen = make_backend(backend, threads)
    maps = decode_maps(quantized, chosen, chosen_size, with_detail=detail, premultiplied=premultiplied)
    write_maps(maps, paths)
    return paths


def export(  # noqa: PLR0913 - one argument per option of the command
    file: Path | str,
    folder: Path | str,
    container: TextureContainer | str = TextureContainer.DDS,
    *,
    bc1: bool = False,
    premultiplied: bool = False,
    detail: bool = True,
    backend: str = "auto",
    threads: int | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> ExportReport:
    """Decode an .igs file to textures with whole mip chains, block-compressed as each map's meaning asks for.

    Args:
        file: the .igs file
        folder: where the textures go; created when missing
        container: dds, ktx2, or png for one picture per level
        bc1: opaque colour as BC1, which takes half the bytes of BC7 and shows it
        premultiplied: whether colours are multiplied by their alpha, as :func:`decode` has it, and the texture says so
        detail: whether the file's detail layer is drawn, where it has one
        backend: auto, cpu, cuda or reference
        threads: of the cpu backend
        progress: called with the name of the map begun, how many maps are done and how many there are

    Returns:
        for each map its pixel format, levels, bytes and files, in the order of the file's maps

    Raises:
        UsageError: a map has more than four channels, which no texture holds
        InputError: the file cannot be read
        IgsError: it is no .igs file or damaged, or two of its maps would be one texture
        OutputError: a texture cannot be written; then none is
        MissingToolError: the block encoder (the extra ``export``) is not installed, or the backend cannot run
        ValueError: there is no such container
    """
    quantized = read_igs(Path(file))
    chosen = TextureContainer(container)
    check_memory(Work.EXPORT, quantized.width, quantized.height, quantized.channel_count, printable(file))
    drawn_by = make_backend(backend, threads)
    texels = render_channels(quantized, drawn_by, with_detail=detail).cpu().numpy()
    maps = export_maps(quantized.maps, texels, Path(folder), chosen, bc1, progress, premultiplied=premultiplied)
    return ExportReport(
        chosen.value, tuple(maps), ExportSettings(bc1, premultiplied, detail), hash_file(Path(file)),
        drawn_by.name, str(drawn_by.device), processor_name(drawn_by.device), versions(),
    )  # fmt: skip


def export_gaussians(
    file: Path | str,
    folder: Path | str,
    splat_format: SplatFormat | str = SplatFormat.PLY,
    *,
    progress: Callable[[str, int, int], None] | None = None,
) -> SplatReport:
    """Write an .igs file's Gaussians as splats, one file per map, for viewers of 3D Gaussian splats.

    A viewer paints them over each other, where a decoder takes their weighted mean: what it shows is like the map, not
    the map.

    Args:
        file: the .igs file
        folder: where the splats go; created when missing
        splat_format: ply, which most viewers read, or splat
        progress: called with the name of the map begun, how many maps are done and how many there are

    Returns:
        for each map its number of Gaussians, bytes and file, in the order of the file's maps

    Raises:
        InputError: the file cannot be read
        IgsError: it is no .igs file or damaged
        OutputError: a file cannot be written; then none is
        MissingToolError: gsplat (the extra ``splats``) is not installed
        ValueError: there is no such format
    """
    quantized = read_igs(Path(file))
    chosen = SplatFormat(splat_format)
    maps = export_splats(quantized, Path(folder), chosen, progress)
    return SplatReport(chosen.value, tuple(maps), hash_file(Path(file)), versions())


def compare(
    file: Path | str,
    source: Path | str,
    backend: str = "auto",
    threads: int | None = None,
    options: SourceOptions | None = None,
    *,
    gamma: float = 1.0,
    lpips_weights: Path | str | None = None,
) -> CompareReport:
    """Compare an .igs file with the source it was made of: PSNR, SSIM and FLIP per map, degrees for normals.

    A source that is larger, in the same proportions, is what a file made smaller is held against at the source's size,
    beside what Lanczos and bicubic filters make of as many texels.

    Args:
        file: the .igs file
        source: a folder of maps, an image, a manifest, or a glTF of which the material called like the file is taken
        backend: auto, cpu, cuda or reference
        threads: of the cpu backend
        options: the same as in :func:`compress`: alpha, which decides whether colours under an alpha of 0 count, and
            size
        gamma: the power, above 0, that values are raised to before they are compared; FLIP and degrees are as ever
        lpips_weights: folder of the weights of LPIPS, which is then measured, too; see the artist's guide

    Returns:
        the pooled PSNR in dB, and for each map of the file its scores: dB, SSIM and FLIP (0 to 1), degrees

    Raises:
        InputError: the source cannot be used, its maps are not those of the file, or the file cannot be read
        IgsError: the file is no .igs file or damaged
        MissingToolError: the backend that was named cannot run on this machine
    """
    data = read_igs_bytes(Path(file))
    quantized = decode_igs(data, printable(Path(file).name))
    check_memory(Work.COMPARE, quantized.width, quantized.height, quantized.channel_count, printable(file))
    stack = load_stack(Path(source), options, material=Path(file).stem)
    indices = source_indices(quantized, stack, source, larger=True)
    if not 0 < gamma < math.inf:
        raise UsageError(f"a gamma of {gamma:g} is not above 0; give one like 2.2")
    lpips = None if lpips_weights is None else load_lpips(Path(lpips_weights))
    chosen = make_backend(backend, threads)
    enlarged = is_enlarged(quantized, stack)
    decoded_maps = decode_maps(quantized, chosen, (stack.width, stack.height))
    scores = [
        score_map(
            texture_map, source_map(stack, index), decoded, True, stack.weights, stack.drawn_of(index), gamma=gamma,
            lpips=lpips,
        )
        for index, (texture_map, decoded) in zip(indices, decoded_maps, strict=True)
    ]  # fmt: skip
    if not enlarged:
        scores = score_detail(scores, stack, indices, quantized, chosen)
    ledger = byte_ledger(quantized, section_sizes(data))
    texels, names = stack.width * stack.height, target_names([texture_map for texture_map, _ in decoded_maps])
    return CompareReport(
        psnr_db=pooled_psnr(scores), maps=tuple(scores),
        # what is lost at a larger size says nothing about the file's own
        warnings=() if enlarged else warnings_of(scores, ledger, quantized.gaussian_count, texels, names),
        upsampling=score_enlarged(quantized, stack, indices) if enlarged else None, gamma=gamma,
        options=options or SourceOptions(),
        file=hash_file(Path(file)), inputs=stack.inputs,
        backend=chosen.name, device=str(chosen.device), processor=processor_name(chosen.device), versions=versions(),
    )  # fmt: skip
