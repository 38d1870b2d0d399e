"""Inputs of several materials: each becomes an .igs file of its own, with an index; what cannot be made is left out."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from itertools import takewhile
from pathlib import Path
from typing import Final

from imagegs_tex import background_compilation
from imagegs_tex.api import compress_stack
from imagegs_tex.fit.checkpoint import remove_checkpoints
from imagegs_tex.fit.control import FitControl
from imagegs_tex.fit.loop import FitProgress
from imagegs_tex.formats.errors import InputError, TargetError, UsageError
from imagegs_tex.formats.files.atomic_write import JSON_BEGINNING, check_writable, write_bytes
from imagegs_tex.formats.files.safe_names import printable
from imagegs_tex.formats.gltf.materials import is_gltf
from imagegs_tex.formats.material.build_stack import build_stack
from imagegs_tex.formats.material.common_size import check_sizes
from imagegs_tex.formats.material.material_asset import ListedMaterial, MaterialAsset
from imagegs_tex.formats.material.options import SourceOptions
from imagegs_tex.formats.material.read_maps import shared_reader
from imagegs_tex.formats.material.stack import TextureStack
from imagegs_tex.formats.open_material import read_asset
from imagegs_tex.memory import check_by_headers
from imagegs_tex.rasterize.select_backend import make_backend
from imagegs_tex.reports import (
    AssetFile,
    AssetIndex,
    AssetMaterial,
    AssetReport,
    CompressReport,
    as_json,
)
from imagegs_tex.settings import (
    CompressSettings,
)

IGS_SUFFIX: Final = ".igs"
ASSET_INDEX: Final = "materials.json"
"""What :func:`compress_asset` calls its index."""
_STOPPED_BEFORE: Final = "the run was stopped before its turn; run it again"


def compress_asset(  # noqa: PLR0913 - a choice each
    source: Path | str,
    folder: Path | str,
    settings: CompressSettings | None = None,
    backend: str = "auto",
    threads: int | None = None,
    progress: Callable[[FitProgress], None] | None = None,
    *,
    options: SourceOptions | None = None,
    keep_best: bool = False,
    fail_fast: bool = False,
    control: FitControl | None = None,
) -> AssetReport:
    """Compress every material of an input to an .igs file of its own; those with the very same maps share one.

    A material that cannot be made is left out, with the reason in the report and in the index; the others are made.

    Args:
        source: a .gltf or .glb file, or a folder (or .zip) of maps of several materials
        folder: where the files go, named after the materials, with an index (:data:`ASSET_INDEX`) of which material
            has which; created when missing
        settings: for each material; None for the balanced preset and quality 50. More Gaussians than a material has
            texels are as many as those
        backend: auto, cpu, cuda or reference
        threads: of the cpu backend, 1 or more; the bytes do not depend on it
        progress: called after every step of each fit
        keep_best: see :func:`compress`
        options: see :func:`compress`; an importance mask only for an asset with one material
        fail_fast: whether the first material that cannot be made is an error that ends the run
        control: see :func:`compress`; materials after the one that a stop cuts short are left out

    Returns:
        the input's materials in its order, with the reasons of those that are left out, and a report for each file

    Raises:
        UsageError: as in :func:`compress`, for every material; or an importance mask for several
        InputError: the input has no material, or, with ``fail_fast``, one of its materials cannot be made
        OutputError: a file cannot be written; files of materials before it are there
        MissingToolError: the backend that was named cannot run on this machine
    """
    background_compilation.start()
    chosen = make_backend(backend, threads)
    asset = read_asset(Path(source), () if options is None else options.allow_roots)
    if options is not None and options.importance is not None and len(asset.materials) > 1:
        raise UsageError(f"{printable(source)} has {len(asset.materials)} materials; --importance is for one")
    if fail_fast:
        _check_asset(asset, options)
    target = Path(folder)
    check_writable(target / ASSET_INDEX, JSON_BEGINNING)
    read = shared_reader(asset.materials)
    made: list[AssetFile | InputError | UsageError] = []
    for material in takewhile(lambda _: control is None or not control.is_stopped, asset.materials):
        started = time.perf_counter()
        if progress is not None:
            progress(FitProgress("reading"))
        name = f"{material.stem}{IGS_SUFFIX}"
        try:
            check_by_headers(material, options, printable(target / name))
            stack = build_stack(material, options, read)
            if control is not None and control.is_stopped:  # while it was read
                break
            compress_with = partial(
                compress_stack, output=target / name, backend=chosen, progress=progress, started=started,
                options=options, keep_best=keep_best, control=control and control.of_material(material.stem),
            )  # fmt: skip
            report = compress_one_of_many(stack, settings or CompressSettings(), compress_with)
        except TargetError as error:
            if fail_fast:
                raise
            made.append(AssetFile(name, error.report))
        except (InputError, UsageError, MemoryError) as error:
            if fail_fast:
                raise
            too_large = InputError(f"{material.where} does not fit into memory; use smaller or fewer maps")
            made.append(too_large if isinstance(error, MemoryError) else error)
        else:
            made.append(AssetFile(name, report))
    made += [InputError(_STOPPED_BEFORE)] * (len(asset.materials) - len(made))
    wrong = [entry for entry in made if isinstance(entry, UsageError)]
    if wrong and not any(isinstance(entry, AssetFile) for entry in made):
        raise wrong[0]
    materials = tuple(_asset_material(entry, made) for entry in asset.listed)
    index = AssetIndex(printable(Path(source).name), materials, asset.left_out)
    write_bytes(target / ASSET_INDEX, as_json(index).encode())
    files = tuple(entry for entry in made if isinstance(entry, AssetFile))
    stopped = control is not None and control.is_stopped
    if control is not None and control.checkpoints is not None and not stopped:
        remove_checkpoints(control.checkpoints.folder)
    return AssetReport(materials, files, asset.left_out, stopped)


def _check_asset(asset: MaterialAsset, options: SourceOptions | None) -> None:
    """Raise what is wrong with any material as far as that is seen before time goes into those before it."""
    for entry in asset.listed:
        if entry.problem:
            raise InputError(entry.problem)
    if options is None or options.size is None:
        check_sizes(asset.materials)


def compress_one_of_many(
    stack: TextureStack, settings: CompressSettings, compress_with: Callable[..., CompressReport]
) -> CompressReport:
    """Compress a stack with settings that were made for others, too: with as many Gaussians as it can hold at most.

    Args:
        stack: one of several
        settings: of all of them
        compress_with: :func:`compress_stack` with everything but the stack and the settings
    """
    most = stack.width * stack.height
    one = replace(
        settings,
        quality=None,
        gaussian_count=1,
        bits_per_texel=None,
        max_bytes=None,
        max_gpu_bytes=None,
        target_psnr=None,
        targets=(),
    )

    def compressed(own: CompressSettings, *remarks: str) -> CompressReport:
        return compress_with(replace(stack, remarks=(*stack.remarks, *remarks)), settings=own)

    if stack.is_constant:
        return compressed(one)
    if settings.gaussian_count is not None and settings.gaussian_count > most:
        remark = f"{settings.gaussian_count} Gaussians were asked for: {most} are the most for {most} texels"
        return compressed(replace(settings, gaussian_count=most), remark)
    try:
        return compressed(settings)
    except TargetError:
        if settings.bits_per_texel is None:
            raise
    remark = f"no file of {most} texels has {settings.bits_per_texel:g} bits per texel: this is the smallest"
    return compressed(one, remark)


def _asset_material(entry: ListedMaterial, made: Sequence[AssetFile | InputError | UsageError]) -> AssetMaterial:
    if entry.problem:
        return AssetMaterial(entry.index, entry.name, None, entry.problem)
    if entry.source is None:
        return AssetMaterial(entry.index, entry.name, None)
    result = made[entry.source]
    if isinstance(result, AssetFile):
        if not result.report.written:
            return AssetMaterial(entry.index, entry.name, None, result.report.unreached)
        return AssetMaterial(entry.index, entry.name, result.file)
    return AssetMaterial(entry.index, entry.name, None, str(result))


def is_asset(source: Path, output: Path, options: SourceOptions | None = None) -> bool:
    """Whether a source has several materials, or is a glTF, to be compressed to a folder.

    It is where the output is a folder or has no .igs suffix.
    """
    if not output.is_dir() and output.suffix.lower() == IGS_SUFFIX:
        return False
    return is_gltf(source) or len(read_asset(source, () if options is None else options.allow_roots).listed) > 1
