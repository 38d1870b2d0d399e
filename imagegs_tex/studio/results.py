"""What a run has come to: the file, its scores, and pictures of it, each a file in the result's own folder."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.decoder.maps import decode_maps
from imagegs_tex.file_info import InfoReport, info_of
from imagegs_tex.formats.files.atomic_write import write_bytes
from imagegs_tex.formats.files.safe_names import printable
from imagegs_tex.formats.igs.container import decode_igs, read_igs_bytes
from imagegs_tex.formats.igs.quantized_set import QuantizedGaussianSet, dequantize
from imagegs_tex.formats.images import encode_image
from imagegs_tex.formats.material.stack import TextureStack, source_map
from imagegs_tex.formats.vocabulary import COLOUR_SEMANTICS, Samples, TextureMap
from imagegs_tex.metrics.match_source import source_indices
from imagegs_tex.metrics.scores import MapScore, score_map
from imagegs_tex.pictures.display import Rgb, exposure_of, map_parts, show_map, words
from imagegs_tex.pictures.error_map import error_map, fitting_gain, show_error
from imagegs_tex.pictures.gaussian_field import gaussian_field, show_numbers
from imagegs_tex.pictures.gaussians import draw_ellipses, ellipses_of, evenly_chosen, gaussian_colours
from imagegs_tex.pictures.lit import points_green_up
from imagegs_tex.pictures.reduce import mean_of_blocks, reduction_for
from imagegs_tex.pictures.tiling import level_strip, mip_levels
from imagegs_tex.rasterize.backend import Backend
from imagegs_tex.reports import CompressReport
from imagegs_tex.studio.part_sizes import part_sizes
from imagegs_tex.studio.placement import PlacementPicture
from imagegs_tex.viewing.source_pictures import source_picture

GALLERY_SIDE: Final = 640
"""Longest side of a picture of the gallery, in pixels."""
_LEAST_LEVEL: Final = 4


@dataclass(frozen=True, slots=True)
class ResultMap:
    """One picture of a map, with the source's if there is one."""

    label: str  # the map's name and meaning: untrusted text
    decoded: Path  # PNG
    source: Path | None
    is_colour: bool


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture of the gallery."""

    label: str  # untrusted text
    note: str
    file: Path


@dataclass(frozen=True, slots=True)
class Result:
    """One finished file."""

    number: int  # of the visitor's results, from 1
    title: str
    asked: str  # what was asked for, in words
    command: str  # that makes the same file; "" for a file that was brought
    folder: Path  # of its pictures, in that of the file
    file: Path  # alone with what belongs to it: its folder goes when the result does
    info: InfoReport  # of the file
    psnr_db: float | None
    scores: tuple[MapScore, ...]
    maps: tuple[ResultMap, ...]
    viewer_sources: tuple[Path, ...]  # PNGs of the sources' codes, one for each map of the file; none without a source
    green_up: bool  # whether green of its normals points up (OpenGL)
    gallery: tuple[Picture, ...]
    first_map: int  # of maps: the one to begin with, a colour if there is one
    levels: tuple[Picture, ...]  # mip levels of each map
    report: CompressReport | None
    source_bytes: int
    part_sizes: dict[str, int]  # of .part_sizes


@dataclass(frozen=True, slots=True)
class ResultNames:
    """What a result is called."""

    number: int
    title: str
    asked: str
    command: str


@dataclass(frozen=True, slots=True)
class ResultSource:
    """What a result was made of."""

    stack: TextureStack
    report: CompressReport
    file_bytes: int  # of its images
    green_up: bool | None  # whether green of its normals points up; None: what the maps' names say
    placement: Sequence[PlacementPicture]


def make_result(
    names: ResultNames, file: Path, folder: Path, backend: Backend, source: ResultSource | None = None
) -> Result:
    """Decode a file and draw all that the page shows of it.

    Args:
        names: what to call it
        file: the .igs file
        folder: where the pictures go
        backend: the rasterizer
        source: what it was made of; None: a file that was brought alone

    Raises:
        IgsError: the file is damaged
        InputError: the stack is not what the file was made of
    """
    stack = None if source is None else source.stack
    report = None if source is None else source.report
    data, name = read_igs_bytes(file), printable(file.name)
    quantized = decode_igs(data, name)
    held = info_of(data, quantized, name)
    decoded = decode_maps(quantized, backend, with_detail=True)
    indices = range(len(quantized.maps)) if stack is None else source_indices(quantized, stack, file)
    sources = [None if stack is None else source_map(stack, index) for index in indices]
    scores: list[MapScore] = []
    if stack is not None:
        plain = decode_maps(quantized, backend)
        scores = [
            score_map(texture_map, source_map(stack, index), samples, True, stack.weights, stack.drawn_of(index))
            for index, (texture_map, samples) in zip(indices, plain, strict=True)
        ]
    folder.mkdir(parents=True, exist_ok=True)
    shown = [
        _shown_maps(texture_map, samples, original, folder / f"map_{number}")
        for number, ((texture_map, samples), original) in enumerate(zip(decoded, sources, strict=True))
    ]
    maps = [entry for entries in shown for entry in entries]
    drawn = [None if stack is None else stack.drawn_of(index) for index in indices]
    gallery = _gallery(quantized, decoded, sources, drawn, folder)
    levels = [
        Picture(texture_map.name, words(texture_map.semantic), _saved(folder / f"levels_{number}.png", made))
        for number, (texture_map, samples) in enumerate(decoded)
        for made in [_levels(samples, texture_map)]
    ]
    placement = () if source is None else source.placement
    gallery += [Picture(each.label, each.note, _saved(folder / each.name, each.picture)) for each in placement]
    names_say_up = points_green_up(texture_map.name for texture_map, _ in decoded)
    viewer_sources = [
        _written(folder / "viewer" / f"source_{number}.png", source_picture(original, texture_map))
        for number, ((texture_map, _), original) in enumerate(zip(decoded, sources, strict=True))
        if original is not None
    ]
    sizes = part_sizes(quantized, [[each.decoded for each in entries] for entries in shown], held.gpu_bytes)
    return Result(
        number=names.number, title=names.title, asked=names.asked, command=names.command, folder=folder, file=file,
        info=held, psnr_db=None if report is None else report.psnr_db, scores=tuple(scores),
        maps=tuple(maps), first_map=next((index for index, each in enumerate(maps) if each.is_colour), 0),
        levels=tuple(levels), viewer_sources=tuple(viewer_sources), gallery=tuple(gallery),
        green_up=names_say_up if source is None or source.green_up is None else source.green_up,
        report=report, source_bytes=0 if source is None else source.file_bytes, part_sizes=sizes,
    )  # fmt: skip


def _shown_maps(texture_map: TextureMap, decoded: Samples, source: Samples | None, stem: Path) -> list[ResultMap]:
    exposure = exposure_of(decoded if source is None else source, texture_map)
    found = []
    for number, part in enumerate(map_parts(texture_map)):
        label = f"{texture_map.name}: {part.label or words(texture_map.semantic)}"
        pictures = [
            None if samples is None else show_map(samples, texture_map, part, exposure) for samples in (decoded, source)
        ]
        paths = [
            None if picture is None else _saved(stem.with_name(f"{stem.name}_{number}_{kind}.png"), picture)
            for kind, picture in zip(("decoded", "source"), pictures, strict=True)
        ]
        assert paths[0] is not None
        found.append(ResultMap(label, paths[0], paths[1], texture_map.semantic in COLOUR_SEMANTICS))
    return found


def _gallery(
    quantized: QuantizedGaussianSet,
    decoded: Sequence[tuple[TextureMap, Samples]],
    sources: Sequence[Samples | None],
    drawn: Sequence[NDArray[np.bool_] | None],
    folder: Path,
) -> list[Picture]:
    """Draw what is looked at at a glance: every map and its error, and the Gaussians."""
    found = []
    factor = reduction_for(quantized.width, quantized.height, GALLERY_SIDE)
    for number, ((texture_map, samples), source, counted) in enumerate(zip(decoded, sources, drawn, strict=True)):
        shown = show_map(np.asarray(mean_of_blocks(samples, factor), np.float32), texture_map)
        label = f"{texture_map.name}, decoded"
        meaning = words(texture_map.semantic)
        found.append(Picture(label, meaning, _saved(folder / f"gallery_{number}_decoded.png", shown)))
        if source is not None:
            error = error_map(source, samples, texture_map, drawn=counted, reduction=factor)
            gain = fitting_gain(error)
            label, note = f"{texture_map.name}, error", f"black: none, yellow: {error.legend(gain)} and more"
            found.append(Picture(label, note, _saved(folder / f"gallery_{number}_error.png", show_error(error, gain))))
    values = dequantize(quantized)
    size, scale = (quantized.width, quantized.height), 1 / factor
    few = evenly_chosen(quantized.gaussian_count)
    outlines = ellipses_of(values.means[few], values.log_covariances[few])
    first = next((each for each, _ in decoded if each.semantic in COLOUR_SEMANTICS), decoded[0][0])
    ellipses = draw_ellipses(outlines, gaussian_colours(values, first)[few], size, scale=scale)
    note = f"{len(few):,} of {quantized.gaussian_count:,}, in the colours of {first.name}"
    found.append(Picture("Gaussians", note, _saved(folder / "gallery_gaussians.png", ellipses)))
    field = gaussian_field(values.means, values.log_covariances, quantized.cutoff, size, quantized.wrap, scale=scale)
    found.append(
        Picture(
            "Gaussians, each in a colour of its own",
            "the strongest at each place",
            _saved(folder / "gallery_numbers.png", show_numbers(field)),
        )
    )
    return found


def _levels(samples: Samples, texture_map: TextureMap) -> Rgb:
    """Draw mip levels side by side, from the first that is no larger than a picture of the gallery."""
    levels = mip_levels(samples, texture_map)
    small = [level for level in levels if GALLERY_SIDE / 2 >= max(level.shape[:2]) >= _LEAST_LEVEL]
    return level_strip(small or levels[-1:])


def _saved(path: Path, picture: Rgb) -> Path:
    return _written(path, encode_image(picture, ".png"))


def _written(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(path, data)
    return path
