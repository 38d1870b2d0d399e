"""What a worker does with a job; it keeps its backend from one to the next."""

import functools
import json
import os
import tempfile
import threading
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from imagegs_tex.builder.cache import Made
from imagegs_tex.builder.jobs import IGS_FILE, CompressJob, Job, Outcome, ProductJob, Seat
from imagegs_tex.builder.keys import this_encoder
from imagegs_tex.builder.products import THUMBNAIL
from imagegs_tex.formats.errors import ImageGSTexError, InputError, MissingToolError, TargetError
from imagegs_tex.formats.files.safe_names import printable
from imagegs_tex.formats.material.material_source import MaterialSource

if TYPE_CHECKING:
    from collections.abc import Callable

    from imagegs_tex.formats.material.stack import TextureStack
    from imagegs_tex.rasterize.backend import Backend
    from imagegs_tex.reports import CompressReport

THUMBNAIL_SIDE: Final = 96
"""Texels of a thumbnail's longer side."""
_REPORTED: Final = (
    *("width", "height", "channels", "gaussians", "file_bytes", "gpu_bytes", "bits_per_texel", "psnr_db"),
    *("weighted_psnr_db", "maps", "targets", "unreached", "warnings", "readings", "wrap", "wrap_reading", "preset"),
    "seed",
)
"""What of a report depends on nothing but what is in the key."""


def run_job(job: Job, seat: Seat) -> Outcome:
    """Do a job; whatever goes wrong with it is its outcome."""
    started = time.perf_counter()
    try:
        _check_encoder(job)
        made = _compress(job, seat) if isinstance(job, CompressJob) else _make_product(job, seat)
    except ImageGSTexError as error:
        return Outcome(None, str(error), time.perf_counter() - started)
    except MemoryError:
        return Outcome(None, "does not fit into memory; use smaller or fewer maps, or fewer jobs at once")
    except Exception as error:  # noqa: BLE001 - one material must not end the others
        return Outcome(None, f"internal error: {type(error).__name__}: {printable(error)}; compress it alone")
    return Outcome(made, seconds=time.perf_counter() - started)


_local = threading.local()


def _backend(name: str, seat: Seat) -> "Backend":
    """Return this thread's backend: Dask's workers may have several, and a backend is for one at a time."""
    from imagegs_tex.rasterize.select_backend import make_backend

    kept: dict[tuple[str, Seat], Backend] = _local.__dict__.setdefault("backends", {})
    if (name, seat) not in kept:
        kept[name, seat] = make_backend(name, seat.threads, seat.device)
    return kept[name, seat]


_own_encoder = functools.cache(this_encoder)


def _check_encoder(job: Job) -> None:
    own = _own_encoder(job.encoder.backend)
    if own == job.encoder:
        return
    names = ("version", "code", "libraries", "python", "backend", "processor")
    name = next((name for name in names if getattr(own, name) != getattr(job.encoder, name)), "format")
    found = [printable(getattr(encoder, name)) for encoder in (own, job.encoder)]
    if name == "code":  # a hash
        found = [digest[:12] for digest in found]
    raise MissingToolError(
        f"the worker's {name} is not the build's ({'; '.join(found)}): its bytes would be others; give workers that "
        "are all alike"
    )


def _compress(job: CompressJob, seat: Seat) -> Made:
    from imagegs_tex.api import compress_stack
    from imagegs_tex.assets import compress_one_of_many
    from imagegs_tex.formats.material.build_stack import build_stack
    from imagegs_tex.reports import as_json

    recipe, backend = job.recipe, _backend(job.encoder.backend, seat)
    with tempfile.TemporaryDirectory(prefix="imagegs-tex-") as folder:
        stack = build_stack(_open(job, Path(folder)), recipe.options)
        output = Path(folder) / IGS_FILE
        compress_with = partial(compress_stack, output=output, backend=backend, options=recipe.options, keep_best=True)
        try:
            report = _warm(job, stack, compress_with, Path(folder)) or compress_one_of_many(
                stack, recipe.settings, compress_with
            )
        except TargetError as error:  # whether the best file will do, the build decides
            report = error.report
        read = json.loads(as_json(report))
        return Made({IGS_FILE: output.read_bytes()}, {name: read[name] for name in _REPORTED})


def _warm(
    job: CompressJob, stack: "TextureStack", compress_with: "Callable[..., CompressReport]", folder: Path
) -> "CompressReport | None":
    """Go on from an earlier file; None where there is none, or what is asked for cannot be reached from it."""
    from imagegs_tex.assets import compress_one_of_many
    from imagegs_tex.encoder.start_file import settings_from_start
    from imagegs_tex.settings import asked_quality

    if job.start is None:
        return None
    (folder / "start.igs").write_bytes(job.start)
    asked = asked_quality(job.recipe.settings)  # which one that nobody states would not be with a start
    settings = replace(settings_from_start(job.recipe.settings), quality=asked)
    try:
        report = compress_one_of_many(stack, settings, partial(compress_with, start=folder / "start.igs"))
    except (TargetError, InputError):
        return None
    return None if report.unreached else report


def _open(job: CompressJob, folder: Path) -> MaterialSource:
    """Return a job's material, its files written to a folder where they came with it."""
    from imagegs_tex.formats.open_material import read_material

    moved: dict[Path, Path] = {}
    if job.data is not None:
        common = os.path.commonpath([Path(path).parent for path in job.data])
        for path, data in job.data.items():
            target = folder / "source" / Path(path).relative_to(common)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
            moved[Path(path)] = target
    if job.source is None:
        if job.container is None:
            raise InputError(f"{printable(job.name)} has no source")
        return read_material(moved.get(job.container, job.container), job.stem)
    maps = [
        replace(source, image=replace(source.image, path=moved.get(source.image.path, source.image.path)))
        for source in job.source.maps
    ]
    mask = job.source.importance
    return replace(job.source, maps=tuple(maps), importance=None if mask is None else moved.get(mask, mask))


def _make_product(job: ProductJob, seat: Seat) -> Made:
    kind, _, value = job.product.partition("-")
    with tempfile.TemporaryDirectory(prefix="imagegs-tex-") as name:
        igs, output = Path(name) / f"{job.name.rpartition('/')[2]}.igs", Path(name) / "out"
        igs.write_bytes(job.igs)
        output.mkdir()
        if kind == "emit":
            _emit(igs, output, value)
        elif kind == "export":
            from imagegs_tex.api import export

            export(igs, output, value, backend=job.encoder.backend, threads=seat.threads)
        elif kind == THUMBNAIL:
            _draw_thumbnail(igs, output, job, seat)
        elif kind == "view":
            from imagegs_tex.viewing.run import view

            view(igs, output, backend=job.encoder.backend, threads=seat.threads)
        else:
            _verify(igs, output)
        found = sorted(path for path in output.rglob("*") if path.is_file())
        return Made({path.relative_to(output).as_posix(): path.read_bytes() for path in found}, {})


def _emit(igs: Path, output: Path, language: str) -> None:
    from imagegs_tex.decoder.render import shader_decoder
    from imagegs_tex.formats.igs.container import read_igs
    from imagegs_tex.shaders.emit import emit

    quantized = read_igs(igs)
    emit(quantized, "hlsl" if language == "hlsl" else "glsl", output, shader_decoder(quantized))


def _draw_thumbnail(igs: Path, output: Path, job: ProductJob, seat: Seat) -> None:
    from imagegs_tex.decoder.maps import decode_maps
    from imagegs_tex.formats.igs.container import read_igs
    from imagegs_tex.formats.images import write_image
    from imagegs_tex.formats.vocabulary import COLOUR_SEMANTICS
    from imagegs_tex.pictures.display import show_map

    quantized = read_igs(igs)
    scale = min(1.0, THUMBNAIL_SIDE / max(quantized.width, quantized.height))
    size = max(1, round(quantized.width * scale)), max(1, round(quantized.height * scale))
    maps = decode_maps(quantized, _backend(job.encoder.backend, seat), size)
    shown = next((entry for entry in maps if entry[0].semantic in COLOUR_SEMANTICS), maps[0])
    write_image(output / "thumbnail.png", show_map(shown[1], shown[0]))


def _verify(igs: Path, output: Path) -> None:
    from imagegs_tex.formats.files.file_hash import hash_file
    from imagegs_tex.formats.igs.container import read_igs
    from imagegs_tex.verification.report import as_json
    from imagegs_tex.verification.run import verify

    report = replace(verify(read_igs(igs), repeats=0), file=hash_file(igs))  # times would be others every time
    if not report.passed:
        failed = ", ".join(variant.name for variant in report.variants if not variant.passed)
        raise ImageGSTexError(f"verify: {failed}: not the reference decode; see imagegs-tex verify")
    (output / "verify.json").write_text(as_json(report), encoding="utf-8")
