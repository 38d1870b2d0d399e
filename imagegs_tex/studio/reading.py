"""How a visitor's material is understood: a row for each map, what was left out and why."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from imagegs_tex.formats.errors import InputError
from imagegs_tex.formats.files.safe_names import printable
from imagegs_tex.formats.images import encode_image, picture_size
from imagegs_tex.formats.material.build_stack import build_stack
from imagegs_tex.formats.material.material_asset import ListedMaterial, MaterialAsset
from imagegs_tex.formats.material.material_source import MapSource, MaterialSource
from imagegs_tex.formats.material.options import SourceOptions
from imagegs_tex.formats.material.stack import TextureStack, source_map
from imagegs_tex.formats.open_material import read_asset
from imagegs_tex.formats.vocabulary import COLOUR_SEMANTICS, Semantic, TextureMap, Transfer, wrap_words
from imagegs_tex.pictures.display import show_map
from imagegs_tex.pictures.lit import points_green_up
from imagegs_tex.studio.corrections import GREEN_DOWN, GREEN_UP, Corrections, MapCorrection, corrected_manifest
from imagegs_tex.studio.demand import Demand, demand_of
from imagegs_tex.studio.folders import without_place
from imagegs_tex.studio.limits import MAX_MATERIAL_TEXELS, MAX_TEXELS
from imagegs_tex.studio.meanings import key_of

THUMBNAIL: Final = 128
"""Longest side of a thumbnail, in pixels."""


@dataclass(frozen=True, slots=True)
class MapRow:
    """One map as the page shows it."""

    name: str  # untrusted text; what corrections go by
    file: str  # printable
    size: str
    samples: str
    channels: tuple[Semantic, ...]
    meaning: str  # a key of .meanings
    note: str  # how it was understood
    is_srgb: bool | None  # None: no colour, or floats, which hold linear light
    green: str | None  # of normals: GREEN_UP, GREEN_DOWN or GREEN_TURNED; None: no normals
    thumbnail: bytes  # PNG
    is_left_out: bool = False  # by the visitor


@dataclass(frozen=True, slots=True)
class Reading:
    """A material as it was understood."""

    title: str
    source: Path  # what is compressed: what was sent, or a manifest that says how it is to be taken
    rows: tuple[MapRow, ...]  # of the maps that are compressed
    table: tuple[MapRow, ...]  # those, and the maps that the visitor left out, in the order of the files
    width: int
    height: int
    channels: int  # coded
    wrap: tuple[str, str]
    wrap_note: str
    has_alpha: bool
    left_out: tuple[str, ...]
    materials: tuple[str, ...]  # names to choose from, where the input has several
    chosen: str
    source_bytes: int  # of the images' files
    is_corrected: bool
    importance: str  # file of the picture that says how much each texel counts; "": none
    demand: Demand

    @property
    def green_up(self) -> bool:
        """Whether green of the normals that are coded points up."""
        return all(row.green != GREEN_DOWN for row in self.rows)


def read(
    source: Path, title: str, own: Path, options: SourceOptions, corrections: Corrections, chosen: str = ""
) -> Reading:
    """Understand a material.

    Args:
        source: a folder, a .zip, an image, a manifest or a glTF
        title: what the visitor calls it
        own: the visitor's folder, where a manifest goes if one is needed
        options: what the visitor said of the whole material
        corrections: what the visitor said of single maps
        chosen: name of the material to take from several; "" for the first

    Raises:
        InputError: it cannot be used, or is larger than the studio takes
    """
    asset = read_asset(source)
    material, names, chosen = _pick(asset, chosen)
    _check_sizes(material)
    is_corrected = any(each.changes_reading for each in corrections.values()) or len(names) > 1
    used, found = source, material
    if is_corrected:
        used = corrected_manifest(material, corrections, own)
        material = read_asset(used).materials[0]
        material = _with_remarks(material, asset)
    stack = build_stack(material, options)
    if stack.width * stack.height > MAX_TEXELS:
        raise _too_large(f"{stack.width} x {stack.height}", title)
    by_name = {map_source.name: map_source for map_source in material.maps}
    rows = tuple(_row(stack, index, by_name, corrections) for index in range(len(stack.maps)))
    return Reading(
        title=title, source=used, rows=rows, table=_table(found, rows, corrections),
        width=stack.width, height=stack.height, channels=stack.channel_count,
        wrap=wrap_words(stack.wrap), wrap_note=stack.wrap_note, has_alpha=any(map(_has_alpha, stack.maps)),
        left_out=tuple(
            without_place(printable(each), own) for each in (*stack.remarks, *asset.left_out, *_problems(asset, names))
        ),
        materials=tuple(names), chosen=chosen, source_bytes=sum(file.bytes for file in stack.inputs),
        is_corrected=is_corrected, importance=printable(material.importance.name) if material.importance else "",
        demand=demand_of(stack),
    )  # fmt: skip


def _pick(asset: MaterialAsset, chosen: str) -> tuple[MaterialSource, list[str], str]:
    """Return a material, the names of all that can be chosen, and its own."""
    usable = [entry for entry in asset.listed if entry.source is not None and not entry.problem]
    if not usable:
        problem = next((entry.problem for entry in asset.listed if entry.problem), "it has no material with textures")
        raise InputError(f"{asset.where}: {problem}")
    names = [_name_of(entry) for entry in usable]
    index = names.index(chosen) if chosen in names else 0
    source = usable[index].source
    assert source is not None
    return asset.materials[source], names, names[index]


def _name_of(entry: ListedMaterial) -> str:
    return printable(entry.name or entry.stem or f"material {entry.index + 1}")


def _problems(asset: MaterialAsset, names: Sequence[str]) -> list[str]:
    """Say which materials cannot be made, where others can."""
    bad = [f"{_name_of(entry)}: {entry.problem}" for entry in asset.listed if entry.problem]
    return bad if names else []


def _with_remarks(material: MaterialSource, asset: MaterialAsset) -> MaterialSource:
    """Keep what there was to say of the files before a manifest named some of them."""
    said = dict.fromkeys(remark for each in asset.materials for remark in each.remarks)
    return replace(material, remarks=tuple(said))


def _check_sizes(material: MaterialSource) -> None:
    """Refuse, by the headers, what would take too much memory and time, before a texel is read."""
    total = 0
    for source in material.maps:
        data = None if source.image.data is None else source.image.data()
        size = picture_size(source.image.path, data)
        if size is None:
            continue  # its reader has limits of its own; the stack is looked at afterwards
        if size[0] * size[1] > MAX_TEXELS:
            raise _too_large(f"{size[0]} x {size[1]}", printable(source.image.path.name))
        total += size[0] * size[1]
    if total > MAX_MATERIAL_TEXELS:
        raise InputError(
            f"the maps have {total} texels together, and the studio takes {MAX_MATERIAL_TEXELS}; use fewer or smaller "
            "ones, or the command line"
        )


def _too_large(size: str, name: str) -> InputError:
    side = round(MAX_TEXELS**0.5)
    return InputError(
        f"{printable(name)} has {size} texels, and the studio takes {side} x {side}; make it smaller, or use the "
        "command line"
    )


def _row(stack: TextureStack, index: int, sources: dict[str, MapSource], corrections: Corrections) -> MapRow:
    texture_map = stack.maps[index]
    samples = source_map(stack, index)
    source = sources.get(texture_map.name)
    step = max(1, -(-max(samples.shape[:2]) // THUMBNAIL))
    shown = show_map(np.ascontiguousarray(samples[::step, ::step]), texture_map)
    bits = texture_map.sample_format.dtype.itemsize * 8
    kind = "floating point" if texture_map.sample_format.is_float else "bits"
    is_colour = texture_map.semantic in COLOUR_SEMANTICS and not texture_map.sample_format.is_float
    file = texture_map.name + texture_map.file_suffix if source is None else source.image.path.name
    return MapRow(
        name=texture_map.name, file=printable(file), size=f"{stack.width} × {stack.height}",
        samples=f"{bits} {kind}" if kind == "bits" else f"{bits} bits, {kind}",
        channels=texture_map.channel_semantics, meaning=key_of(texture_map.channel_semantics),
        note=printable(texture_map.notes), is_srgb=(texture_map.transfer == Transfer.SRGB) if is_colour else None,
        green=_green(texture_map, corrections), thumbnail=encode_image(shown, ".png"),
    )  # fmt: skip


def _table(found: MaterialSource, rows: Sequence[MapRow], corrections: Corrections) -> tuple[MapRow, ...]:
    """Return the rows of a material's maps with those that the visitor left out, each where it was found."""
    aside = [
        _left_out_row(replace(found, maps=(source,)), said.meaning)
        for source in found.maps
        for said in [corrections.get(source.name, MapCorrection())]
        if said.is_left_out
    ]
    place = {source.name: index for index, source in enumerate(found.maps)}
    return tuple(sorted([*rows, *aside], key=lambda row: place.get(row.name, len(place))))


def _left_out_row(alone: MaterialSource, meaning: str | None) -> MapRow:
    stack = build_stack(alone, SourceOptions())
    row = _row(stack, 0, {source.name: source for source in alone.maps}, {})
    return replace(row, meaning=meaning or row.meaning, is_left_out=True, is_srgb=None, green=None)


def _green(texture_map: TextureMap, corrections: Corrections) -> str | None:
    if Semantic.NORMAL not in texture_map.channel_semantics:
        return None
    said = corrections.get(texture_map.name, MapCorrection()).green
    return said or (GREEN_UP if points_green_up([texture_map.name]) else GREEN_DOWN)


def _has_alpha(texture_map: TextureMap) -> bool:
    return Semantic.OPACITY in texture_map.channel_semantics
