"""One size for all maps of a material: that of its largest map, or the one that was asked for.

Real assets mix sizes: base colour at 2048, packed roughness at 1024. One set of Gaussians has one grid of texels, so
smaller maps are enlarged, which costs few bytes, since what is smooth needs few; making the larger ones smaller would
lose what somebody painted. Maps of other proportions are refused unless a size was asked for: mostly a mistake.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from imagegs_tex.formats.errors import InputError
from imagegs_tex.formats.files.safe_names import printable
from imagegs_tex.formats.images import picture_size, read_image
from imagegs_tex.formats.material.material_source import MaterialSource
from imagegs_tex.formats.material.name_reading import MapReading, label
from imagegs_tex.formats.material.read_maps import SourceMap
from imagegs_tex.formats.material.resample import resampled
from imagegs_tex.formats.material.wrap_detection import SaidWrap, decide_wrap
from imagegs_tex.formats.vocabulary import Samples, Semantic

Size = tuple[int, int]
"""Width and height in texels."""
_Map = tuple[SourceMap, MapReading]


def check_sizes(materials: Iterable[MaterialSource]) -> None:
    """Refuse materials with maps of several proportions by their headers, before time goes into those before them."""
    for material in materials:
        if material.size is not None:
            continue
        needed = [source.image for source in material.maps if not source.is_optional]
        sizes = {image: picture_size(image.path, image.data() if image.data else None) for image in needed}
        known = [(image, size) for image, size in sizes.items() if size is not None]
        if not known:
            continue
        largest, chosen = max(known, key=lambda pair: pair[1][0] * pair[1][1])
        for image, size in known:
            if not same_proportions(size, chosen):
                texels, _ = read_image(image.path, image.data() if image.data else None)
                if not _is_flat(texels):
                    raise _distorted(image.path.name, size, largest.path.name, chosen, f"{material.where}: ")


def of_one_size(
    maps: Sequence[_Map], asked: Size | None, wrap: SaidWrap, downsample: float = 1.0
) -> tuple[list[_Map], frozenset[Size], tuple[str, ...]]:
    """Bring all maps of a material to one size, and leave out what is no map.

    No maps are optional images whose names say nothing or that have the size of no other, and pictures of another size
    whose names say nothing (previews).

    Args:
        maps: at least one
        asked: the size; None: that of the largest map
        wrap: whether the material repeats in x and y; where nobody said, each map that is enlarged is asked
        downsample: how many times smaller than the largest map all become, across and down, where no size is asked for

    Returns:
        the maps, those that were resampled with a note of it, the sizes that they had, and a line for each file that is
        left out
    """
    kept, left_out = _without_previews(maps)
    sizes = frozenset(_size(source) for source, _ in kept)
    largest = max((source for source, _ in kept), key=lambda source: np.prod(_size(source)))
    chosen = asked or _smaller(_size(largest), downsample)
    found = []
    for source, reading in kept:
        if _size(source) == chosen:
            found.append((source, reading))
            continue
        if asked is None and not same_proportions(_size(source), chosen) and not _is_flat(source.texels):
            raise _distorted(_file_name(source), _size(source), _file_name(largest), chosen)
        if asked is None:
            _check_names((source, reading), kept)
        repeats = (
            _repeats(source, wrap) if chosen[0] > _size(source)[0] or chosen[1] > _size(source)[1] else (False, False)
        )
        note = f"resampled from {_words(_size(source))} to {_words(chosen)}"
        found.append((
            replace(source, texels=resampled(source.texels, chosen, repeats)),
            replace(reading, note="; ".join([reading.note, note])),
        ))  # fmt: skip
    return found, sizes, tuple(left_out)


def _smaller(size: Size, times: float) -> Size:
    width, height = (max(1, round(side / times)) for side in size)
    return width, height


def _without_previews(maps: Sequence[_Map]) -> tuple[list[_Map], list[str]]:
    """Return what is a map, and in words what else was there."""
    understood = {
        _size(source) for source, reading in maps if reading.semantic != Semantic.DATA and not source.source.is_optional
    }
    expected = understood or {_size(maps[0][0])}
    kept, left_out = [], []
    for source, reading in maps:
        fits = _size(source) in expected
        says_nothing = reading.semantic == Semantic.DATA
        if source.source.is_optional and (says_nothing or not fits):
            continue
        if not fits and says_nothing and understood and source.source.statement is None:
            left_out.append(f"{_file_name(source)} is left out: {_words(_size(source))}, and its name says nothing")
            continue
        kept.append((source, reading))
    return kept, left_out


def _check_names(entry: _Map, maps: Sequence[_Map]) -> None:
    """Refuse one map twice, at two sizes, where only names tell what they are: two sets of files in one folder."""
    source, reading = entry
    for other, its_reading in maps:
        by_name = source.source.statement is None and other.source.statement is None
        same = reading.semantic == its_reading.semantic != Semantic.DATA
        if by_name and same and _size(other) != _size(source):
            raise InputError(
                f"{_file_name(source)} is {_words(_size(source))} and {_file_name(other)} {_words(_size(other))}, and "
                f"both are {label(reading.semantic)}; leave one out, or say in a manifest what they are"
            )


def _repeats(source: SourceMap, wrap: SaidWrap) -> tuple[bool, bool]:
    if wrap[0] is not None and wrap[1] is not None:
        return wrap[0], wrap[1]
    values = np.asarray(source.texels, dtype=np.float32) / np.float32(source.sample_format.max_value)
    return decide_wrap(values, wrap)[0]


def same_proportions(size: Size, other: Size) -> bool:
    """Whether a picture keeps its proportions at another size, but for half a texel of the smaller."""
    small, large = sorted((size, other), key=lambda each: each[0] * each[1])
    return any(
        abs(small[axis] * large[1 - axis] - small[1 - axis] * large[axis]) <= large[1 - axis] / 2 for axis in (0, 1)
    )


def _is_flat(texels: Samples) -> bool:
    return bool((texels == texels[:1, :1]).all())


def _distorted(name: str, size: Size, other: str, its_size: Size, where: str = "") -> InputError:
    return InputError(
        f"{where}{printable(name)} is {_words(size)} but {printable(other)} is {_words(its_size)}, which are other "
        "proportions; mend or leave out one of them, or say with --size WxH what all become"
    )


def _file_name(source: SourceMap) -> str:
    return printable(source.source.image.path.name)


def _size(source: SourceMap) -> Size:
    return source.texels.shape[1], source.texels.shape[0]


def _words(size: Size) -> str:
    return f"{size[0]} x {size[1]}"
