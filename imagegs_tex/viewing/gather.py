"""What the pictures of a file need: each map shown, compared and scored, no larger than it is drawn."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from imagegs_tex.decoder.maps import decode_maps
from imagegs_tex.file_info import InfoReport, info_of
from imagegs_tex.formats.files.file_hash import HashedFile
from imagegs_tex.formats.files.safe_names import printable
from imagegs_tex.formats.igs.container import decode_igs, read_igs_bytes
from imagegs_tex.formats.igs.quantized_set import DequantizedGaussians, QuantizedGaussianSet, dequantize
from imagegs_tex.formats.material.build_stack import load_stack
from imagegs_tex.formats.material.options import SourceOptions
from imagegs_tex.formats.material.stack import TextureStack, source_map
from imagegs_tex.formats.vocabulary import COLOUR_SEMANTICS, Samples, Semantic, TextureMap
from imagegs_tex.metrics.detail_contrast import score_with_detail
from imagegs_tex.metrics.match_source import source_indices
from imagegs_tex.metrics.scores import MapScore, pooled_psnr, score_map
from imagegs_tex.pictures.display import MapPart, Rgb, exposure_of, map_parts, show_map, words
from imagegs_tex.pictures.error_map import ErrorMap, error_map, fitting_gain
from imagegs_tex.pictures.lit import Surface, points_green_up, surface_of
from imagegs_tex.pictures.reduce import mean_of_blocks, reduction_for
from imagegs_tex.rasterize.backend import Backend

MOST_SHOWN: Final = 1024
"""Texels of a picture across and down; what is larger is shown reduced by a whole factor."""
CROP: Final = 256
"""Texels across and down of the cut-outs that are shown at their own size."""

Reduced = tuple[TextureMap, Samples]


@dataclass(frozen=True, slots=True)
class ShownPart:
    """One picture of a map."""

    part: MapPart
    source: Rgb | None  # [H / reduction, W / reduction, 3]
    decode: Rgb  # the same
    error: ErrorMap | None
    gain: float  # of the error's scale; 1 without one


@dataclass(frozen=True, slots=True)
class ShownMap:
    """One map of the file."""

    texture_map: TextureMap
    parts: tuple[ShownPart, ...]
    source_crop: Rgb | None  # of the first part, at most CROP x CROP texels from its middle
    decode_crop: Rgb
    score: MapScore | None
    feature_bytes: float  # of the file, those of its features that are the map's


@dataclass(frozen=True, slots=True)
class Result:
    """A file, decoded and perhaps compared."""

    name: str  # printable
    info: InfoReport
    reduction: int  # texels of the file per texel shown
    has_detail: bool
    maps: tuple[ShownMap, ...]
    psnr_db: float | None  # over all channels
    source_bytes: int | None  # of the source's files; None without one, or where they are of another size
    quantized: QuantizedGaussianSet
    values: DequantizedGaussians
    main: int  # which map Gaussians are coloured by, and of which tiles and levels are shown
    source_surface: Surface | None
    decode_surface: Surface
    main_decode: Samples  # of that map, reduced, [H / reduction, W / reduction, channels]
    inputs: tuple[HashedFile, ...]  # of the source

    @property
    def is_lit(self) -> bool:
        """Whether it is a material that a light can be shown on: a picture alone is none."""
        return bool(set(self.decode_surface.used) - {words(Semantic.IMAGE), words(Semantic.OPACITY)})


@dataclass(frozen=True, slots=True)
class LoadedFile:
    """An .igs file as it was read."""

    path: Path
    data: bytes
    quantized: QuantizedGaussianSet


def load(path: Path) -> LoadedFile:
    """Read a file once; InputError or IgsError as of :func:`imagegs_tex.read_igs`."""
    data = read_igs_bytes(path)
    return LoadedFile(path, data, decode_igs(data, printable(path.name)))


def gather(
    file: LoadedFile,
    source: Path | None,
    backend: Backend,
    options: SourceOptions | None = None,
    progress: Callable[[str, int, int], None] | None = None,
    gain: float | None = None,
) -> Result:
    """Decode a file, compare it where there is a source, and keep what its pictures need.

    Args:
        file: of :func:`load`
        source: what it was made of
        backend: the rasterizer
        options: how the source is read
        progress: called with the name of the map begun, how many maps are done and how many there are
        gain: of all error maps; None: what fits each

    Raises:
        InputError: as of :func:`imagegs_tex.compare`
    """
    quantized, name = file.quantized, printable(file.path.name)
    told = info_of(file.data, quantized, name)
    stack = None if source is None else load_stack(source, options, material=file.path.stem)
    indices = [-1] * len(quantized.maps) if stack is None else source_indices(quantized, stack, source)
    plain = decode_maps(quantized, backend)
    shown = plain if quantized.detail is None else decode_maps(quantized, backend, with_detail=True)
    reduction = reduction_for(quantized.width, quantized.height, MOST_SHOWN)
    maps: list[ShownMap] = []
    reduced: list[list[Reduced]] = [[], []]  # of the source and of the decode
    bytes_of = [size for _, size in told.ledger.features_by_map]
    for number, ((texture_map, decoded), (_, detailed)) in enumerate(zip(plain, shown, strict=True)):
        if progress is not None:
            progress(texture_map.name, number, len(plain))
        original = None if stack is None else source_map(stack, indices[number])
        drawn = None if stack is None else stack.drawn_of(indices[number])
        score = None
        if stack is not None and original is not None:
            score = score_map(texture_map, original, decoded, True, stack.weights, drawn)
            if quantized.detail is not None:
                score = score_with_detail(score, texture_map, original, detailed)
            reduced[0].append((texture_map, mean_of_blocks(original, reduction)))
        reduced[1].append((texture_map, mean_of_blocks(detailed, reduction)))
        exposure = exposure_of(detailed if original is None else original, texture_map)
        parts = []
        for part in map_parts(texture_map):
            error = None
            if original is not None:
                error = error_map(original, decoded, texture_map, part, drawn=drawn, reduction=reduction)
            parts.append(
                ShownPart(
                    part,
                    None if original is None else show_map(reduced[0][-1][1], texture_map, part, exposure),
                    show_map(reduced[1][-1][1], texture_map, part, exposure),
                    error,
                    1.0 if error is None else gain or fitting_gain(error),
                )
            )
        crop = None if original is None else show_map(_middle(original), texture_map, None, exposure)
        decode_crop = show_map(_middle(detailed), texture_map, None, exposure)
        maps.append(ShownMap(texture_map, tuple(parts), crop, decode_crop, score, bytes_of[number]))
    scores = [shown_map.score for shown_map in maps if shown_map.score is not None]
    main = _first_coloured(quantized)
    green_up = points_green_up(entry.name for entry in quantized.maps)
    return Result(
        name=name,
        info=told,
        reduction=reduction,
        has_detail=quantized.detail is not None,
        maps=tuple(maps),
        psnr_db=pooled_psnr(scores) if scores else None,
        source_bytes=None if options is not None and options.size is not None else _bytes_of(stack),
        quantized=quantized,
        values=dequantize(quantized),
        main=main,
        source_surface=surface_of(reduced[0], green_up=green_up) if stack is not None else None,
        decode_surface=surface_of(reduced[1], green_up=green_up),
        main_decode=reduced[1][main][1],
        inputs=() if stack is None else stack.inputs,
    )


def _middle(samples: Samples) -> Samples:
    """Return the cut-out of a map that is shown at its own size."""
    top, left = (max(0, (side - CROP) // 2) for side in samples.shape[:2])
    return samples[top : top + CROP, left : left + CROP]


def _first_coloured(quantized: QuantizedGaussianSet) -> int:
    """Return the map that Gaussians are coloured by: the base colour, else colours, else the first."""
    meanings = [texture_map.semantic for texture_map in quantized.maps]
    if Semantic.BASE_COLOUR in meanings:
        return meanings.index(Semantic.BASE_COLOUR)
    return next((index for index, meaning in enumerate(meanings) if meaning in COLOUR_SEMANTICS), 0)


def _bytes_of(stack: TextureStack | None) -> int | None:
    return sum(entry.bytes for entry in stack.inputs) if stack is not None and stack.inputs else None
