"""The stages joined: what every command calls, and Python users too."""

import time
from collections.abc import Callable
from pathlib import Path

from imagegs_tex import __version__
from imagegs_tex.backends import make_backend
from imagegs_tex.budget import encode_within_budget
from imagegs_tex.decoder import decode_maps, scaled_size, write_maps
from imagegs_tex.fit import FitProgress
from imagegs_tex.formats.atomic import check_writable, write_bytes
from imagegs_tex.formats.errors import InputError
from imagegs_tex.formats.gaussians import QuantizedGaussianSet
from imagegs_tex.formats.igs import VERSION, decode_igs, encode_igs, read_igs, read_igs_bytes, section_sizes
from imagegs_tex.formats.ingest import load_stack
from imagegs_tex.formats.names import printable
from imagegs_tex.formats.stack import Constant, Samples, TextureMap, TextureStack, expand_map
from imagegs_tex.ledger import byte_ledger
from imagegs_tex.metrics import MapScore, pooled_psnr, pooled_weighted_psnr, score_map
from imagegs_tex.rasterize.backend import Backend
from imagegs_tex.report import CompareReport, CompressReport, InfoReport, MapInfo, Seconds, TargetReport
from imagegs_tex.settings import CompressSettings
from imagegs_tex.shaders.cost import decode_cost
from imagegs_tex.shaders.pack import pack_gaussians
from imagegs_tex.targets import score_targets


def compress(
    source: Path | str,
    output: Path | str,
    settings: CompressSettings | None = None,
    backend: str = "auto",
    threads: int | None = None,
    report: Callable[[FitProgress], None] | None = None,
    *,
    importance: Path | str | None = None,
) -> CompressReport:
    """Compress a folder of maps or a single image to an .igs file.

    Args:
        source: folder or image
        output: the file to write; an older one is replaced only when the new one is complete
        settings: None for the balanced preset
        backend: auto, cpu, cuda or reference
        threads: of the cpu backend; the bytes do not depend on it
        report: called after every step of the fit
        importance: a grey image of the maps' size: black texels do not count, white ones fully; it is not stored

    Returns:
        sizes, times, and the scores of the written file decoded again

    Raises:
        ImageGSTexError: one of its kinds, see :mod:`imagegs_tex.formats.errors`
    """
    started = time.perf_counter()
    chosen = make_backend(backend, threads)
    stack = load_stack(Path(source), None if importance is None else Path(importance))
    return compress_stack(stack, Path(output), settings or CompressSettings(), chosen, report, started)


def compress_stack(
    stack: TextureStack,
    output: Path,
    settings: CompressSettings,
    backend: Backend,
    report: Callable[[FitProgress], None] | None = None,
    started: float | None = None,
) -> CompressReport:
    """Compress a loaded stack; see :func:`compress`."""
    begun = time.perf_counter()
    started = begun if started is None else started
    check_writable(output)
    encoded = encode_within_budget(stack, settings, backend, report)
    data = encode_igs(encoded.quantized)
    encoded_at = time.perf_counter()
    quantized = decode_igs(data)
    scores = score_against(stack, quantized, backend)
    write_bytes(output, data)
    done = time.perf_counter()
    texels = stack.width * stack.height
    return CompressReport(
        width=stack.width, height=stack.height, channels=stack.channel_count, gaussians=quantized.gaussian_count,
        file_bytes=len(data), gpu_bytes=pack_gaussians(quantized).ledger.total, bits_per_texel=8 * len(data) / texels,
        bits_per_channel_texel=8 * len(data) / texels / stack.channel_count, psnr_db=pooled_psnr(scores),
        weighted_psnr_db=pooled_weighted_psnr(scores), maps=tuple(scores),
        targets=tuple(
            TargetReport("all" if target.semantic is None else target.semantic.name.lower(), target.value, value, unit)
            for target, value in score_targets(settings, stack, quantized, backend)
            for unit in ["degrees" if target.in_degrees else "dB"]
        ),
        ledger=byte_ledger(quantized, section_sizes(data)),
        readings=tuple(texture_map.notes for texture_map in stack.maps),
        seconds=Seconds(
            load=begun - started, fit=encoded.effort.seconds.fit, quantize=encoded.effort.seconds.quantize,
            write=done - encoded_at, total=done - started,
        ),
        backend=backend.name, device=str(backend.device), seed=settings.fit.seed, version=__version__,
    )  # fmt: skip


def score_against(
    stack: TextureStack, quantized: QuantizedGaussianSet, backend: Backend, with_flip: bool = False
) -> list[MapScore]:
    """Decode a set and compare every map with the stack that it was made of."""
    return [
        score_map(texture_map, expand_map(stack.texels, texture_map), decoded, with_flip, stack.weights)
        for texture_map, (_, decoded) in zip(stack.maps, decode_maps(quantized, backend), strict=True)
    ]


def decode(
    file: Path | str,
    folder: Path | str,
    *,
    scale: float | None = None,
    size: tuple[int, int] | None = None,
    image_format: str | None = None,
    backend: str = "auto",
    threads: int | None = None,
) -> list[Path]:
    """Decode an .igs file to one image per map.

    Args:
        file: the .igs file
        folder: where the images go; created when missing
        scale: relative size of the result, or
        size: its width and height in texels
        image_format: png, exr or tga; None keeps each map's bit depth in PNG or EXR
        backend: auto, cpu, cuda or reference
        threads: of the cpu backend

    Returns:
        the images' paths, in the order of the file's maps
    """
    quantized = read_igs(Path(file))
    chosen_size = scaled_size(quantized, scale, size)
    return write_maps(decode_maps(quantized, make_backend(backend, threads), chosen_size), Path(folder), image_format)


def compare(
    file: Path | str, source: Path | str, backend: str = "auto", threads: int | None = None
) -> CompareReport:  # fmt: skip
    """Compare an .igs file with the source it was made of: PSNR, SSIM and FLIP per map, degrees for normals.

    Raises:
        InputError: the source's maps are not those of the file
    """
    quantized = read_igs(Path(file))
    stack = load_stack(Path(source))
    sources = _sources_by_name(quantized, stack, Path(source))
    scores = [
        score_map(texture_map, sources[texture_map.name], decoded, with_flip=True)
        for texture_map, decoded in decode_maps(quantized, make_backend(backend, threads))
    ]
    return CompareReport(pooled_psnr(scores), tuple(scores))


def info(file: Path | str) -> InfoReport:
    """Read an .igs file and say what it holds."""
    data = read_igs_bytes(Path(file))
    name = printable(Path(file).name)
    quantized = decode_igs(data, name)
    packed = pack_gaussians(quantized)
    return InfoReport(
        width=quantized.width, height=quantized.height, channels=quantized.channel_count,
        components=quantized.component_count, gaussians=quantized.gaussian_count, version=VERSION,
        file_bytes=len(data), bits_per_texel=8 * len(data) / (quantized.width * quantized.height),
        gpu_bytes=packed.ledger.total, decode_cost=decode_cost(quantized, packed), sections=section_sizes(data, name),
        ledger=byte_ledger(quantized, section_sizes(data, name)),
        maps=tuple(_map_info(texture_map) for texture_map in quantized.maps),
    )  # fmt: skip


def _map_info(texture_map: TextureMap) -> MapInfo:
    return MapInfo(
        name=texture_map.name,
        semantic=texture_map.semantic.name.lower(),
        channel_semantics=tuple(semantic.name.lower() for semantic in texture_map.channel_semantics),
        channels=texture_map.channel_count,
        constant_channels=sum(isinstance(route, Constant) for route in texture_map.routes),
        sample_format=texture_map.sample_format.name.lower(),
        transfer=texture_map.transfer.name.lower(),
    )


def _sources_by_name(quantized: QuantizedGaussianSet, stack: TextureStack, source: Path) -> dict[str, Samples]:
    """Return the source's samples for every map of a file; InputError when they do not belong together."""
    where = printable(source)
    if (quantized.width, quantized.height) != (stack.width, stack.height):
        raise InputError(
            f"{where}: {stack.width} x {stack.height} texels where the file has "
            f"{quantized.width} x {quantized.height}; compare a file with its own source"
        )
    maps = {texture_map.name: texture_map for texture_map in stack.maps}
    samples = {}
    for expected in quantized.maps:
        found = maps.get(expected.name)
        if found is None or (found.channel_count, found.sample_format) != (
            expected.channel_count,
            expected.sample_format,
        ):
            raise InputError(
                f"{where}: has no map {printable(expected.name)} with {expected.channel_count} channels of "
                f"{expected.sample_format.name.lower()}, which the file has; compare a file with its own source"
            )
        samples[expected.name] = expand_map(stack.texels, found)
    return samples
