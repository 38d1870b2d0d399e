"""The manifest: a JSON file that says which images a material has and how each is to be taken.

docs/manifest.schema.json is its schema, docs/manifest.md says what the keys mean. The words are those of NVIDIA's
neural texture compression where it has them.
"""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from imagegs_tex.formats.errors import UsageError
from imagegs_tex.formats.files.json_reader import Json, read_json
from imagegs_tex.formats.files.safe_names import printable, unique_name
from imagegs_tex.formats.files.safe_paths import path_below
from imagegs_tex.formats.material.material_source import (
    MAX_LOSS_SCALE,
    ImageFile,
    MapSource,
    MaterialSource,
    channel_name,
    sorted_maps,
)
from imagegs_tex.formats.material.name_reading import StatedSemantics
from imagegs_tex.formats.material.name_words import MEANINGS
from imagegs_tex.formats.material.stack import TextureStack
from imagegs_tex.formats.vocabulary import MAX_CHANNELS, MAX_SIZE, Semantic, TextureMap, Transfer

MANIFEST_SUFFIX: Final = ".json"
MAX_TEXTURES: Final = 256
MAX_NAME: Final = 256
"""Most characters of a map's name."""

_DOCUMENT_KEYS: Final = frozenset({"$schema", "folder", "textures", "wrap", "importance", "size"})
_TEXTURE_KEYS: Final = frozenset(
    {
        *("fileName", "name", "semantics", "channelSwizzle", "isSRGB", "lossFunctionScale", "verticalFlip", "invert"),
        *("alternate", "note"),
    }
)
_WRAPS: Final = {"repeat": True, "clamp": False}
_LETTERS: Final = "RGBA"


def read_manifest(path: Path) -> MaterialSource:
    """Read a manifest.

    Args:
        path: the JSON file; the images that it names are below its folder, or below its ``folder``

    Raises:
        InputError: in one line with the place: not JSON, an unknown key, a wrong type, a missing file, a path that
            leaves the folder, two textures with one name
    """
    document = read_json(path, "manifest")
    document.members(_DOCUMENT_KEYS)
    if (schema := document.get("$schema")) is not None:
        schema.text()
    folder = path.parent
    if (stated := document.get("folder")) is not None:
        folder /= stated.text()
        if "\0" in stated.text() or not folder.is_dir():
            raise stated.error(f"folder {printable(stated.text())} does not exist")
    textures = document.need("textures")
    if not 1 <= len(textures) <= MAX_TEXTURES:
        raise textures.error(f"{len(textures)} textures is outside 1..{MAX_TEXTURES}")
    maps = [_read_texture(texture, folder) for texture in textures]
    names: dict[str, Json] = {}
    for source, texture in zip(maps, textures, strict=True):
        other = names.setdefault(source.name.casefold(), texture)
        if other is not texture:
            raise texture.error(f'has the name {printable(source.name)}, as {other.place} has; give it another "name"')
    mask = document.get("importance")
    return MaterialSource(
        where=printable(path), maps=sorted_maps(maps), wrap=_read_wrap(document.get("wrap")),
        importance=None if mask is None else _read_path(mask, folder), size=_read_size(document.get("size")),
        one_map_per_semantic=True,
    )  # fmt: skip


def _read_texture(texture: Json, folder: Path) -> MapSource:
    texture.members(_TEXTURE_KEYS)
    path = _read_path(texture.need("fileName"), folder)
    name, semantics, swizzle = (texture.get(key) for key in ("name", "semantics", "channelSwizzle"))
    is_srgb, scale, flip = (texture.get(key) for key in ("isSRGB", "lossFunctionScale", "verticalFlip"))
    invert, alternate, note = (texture.get(key) for key in ("invert", "alternate", "note"))
    if note is not None:
        note.text()
    if name is not None and not 1 <= len(name.text()) <= MAX_NAME:
        raise name.error(f"must have 1 to {MAX_NAME} characters")
    if swizzle is not None and not _read_channels(swizzle):
        raise swizzle.error("names no channel")
    return MapSource(
        image=ImageFile(path),
        name=path.stem if name is None else name.text(),
        statement=None if semantics is None else StatedSemantics(_read_semantics(semantics)),
        swizzle=None if swizzle is None else _read_channels(swizzle),
        is_srgb=None if is_srgb is None else is_srgb.flag(),
        loss_scale=() if scale is None else _read_scale(scale),
        flips_vertically=flip is not None and flip.flag(),
        inverted=() if invert is None else _read_channels(invert),
        is_alternate=alternate is not None and alternate.flag(),
    )


def _read_path(value: Json, folder: Path) -> Path:
    found = path_below(folder, value.text(), follow_links=True)
    if isinstance(found, str):
        raise value.error(f"{printable(value.text())} {found}; name a file below the manifest's folder")
    return found


def _read_channels(value: Json) -> tuple[int, ...]:
    """Read channels: a string of R, G, B, A, or an array of numbers from 0 on."""
    if isinstance(value.value, list):
        if len(value) > MAX_CHANNELS:
            raise value.error(f"has {len(value)} channels; use at most {MAX_CHANNELS}")
        return tuple(entry.integer(0, MAX_CHANNELS - 1) for entry in value)
    text = value.text()
    if len(text) > MAX_CHANNELS or any(letter not in _LETTERS for letter in text):
        raise value.error(f"{printable(repr(text))} names no channels; use letters of RGBA")
    return tuple(_LETTERS.index(letter) for letter in text)


def _read_semantics(value: Json) -> Semantic | dict[int, Semantic]:
    if isinstance(value.value, str):
        return _semantic(value, value.text())
    found: dict[int, Semantic] = {}
    for word, channels in value.members().items():
        semantic = _semantic(channels, word)
        if not _read_channels(channels):
            raise channels.error("names no channel")
        for channel in _read_channels(channels):
            other = found.setdefault(channel, semantic)
            if other != semantic:
                raise channels.error(f"channel {channel_name(channel)} already is {other.name.lower()}; choose one")
    return found


def _semantic(value: Json, word: str) -> Semantic:
    names = {semantic.name.lower(): semantic for semantic in Semantic}
    if word in names:
        return names[word]
    meant = MEANINGS.get("".join(letter for letter in word.lower() if letter.isalnum()))
    use = meant.name.lower() if meant is not None else ", ".join(names)
    raise value.error(f"{printable(repr(word))} is no semantic; use {use}")


def _read_scale(value: Json) -> tuple[float, ...]:
    entries = list(value) if isinstance(value.value, list) else [value]
    if not 1 <= len(entries) <= MAX_CHANNELS:
        raise value.error(f"must have 1 to {MAX_CHANNELS} numbers")
    return tuple(entry.number(1 / MAX_LOSS_SCALE, MAX_LOSS_SCALE) for entry in entries)


def _read_wrap(value: Json | None) -> tuple[bool | None, bool | None]:
    """Read one word for both axes, or two for x and y."""
    if value is None:
        return None, None
    entries = list(value) if isinstance(value.value, list) else [value, value]
    if len(entries) != 2 or any(entry.text() not in _WRAPS for entry in entries):
        raise value.error('must be "repeat" or "clamp", or an array of two of these, for x and y')
    x, y = (_WRAPS[entry.text()] for entry in entries)
    return x, y


def _read_size(value: Json | None) -> tuple[int, int] | None:
    if value is None:
        return None
    if len(value) != 2:
        raise value.error("must have two numbers: width and height in texels")
    return value.at(0).integer(1, MAX_SIZE), value.at(1).integer(1, MAX_SIZE)


def manifest_text(material: MaterialSource, stack: TextureStack, file: Path) -> str:
    """Write down how a material was understood, so that it can be edited; reading it gives the same stack.

    Args:
        material: what was read
        stack: what came out
        file: where the text will be saved; an existing folder

    Raises:
        UsageError: a map is inside another file
    """
    paths = [source.image.path for source in material.maps]
    if any(source.image.data is not None for source in material.maps):
        raise UsageError(f"{material.where} has its images inside it; a manifest can only name files: unpack it first")
    folder = _absolute(file.parent)
    root = folder
    absolute = [_absolute(path) for path in [*paths, *filter(None, [material.importance])]]
    if not all(path.is_relative_to(folder) for path in absolute):
        root = Path(os.path.commonpath([path.parent for path in absolute]))
    document: dict[str, object] = {}
    if root != folder:
        document["folder"] = Path(os.path.relpath(root, folder)).as_posix()
    wraps = ["repeat" if repeats else "clamp" for repeats in stack.wrap]
    document["wrap"] = wraps[0] if wraps[0] == wraps[1] else wraps
    if material.size is not None:
        document["size"] = list(material.size)
    if material.importance is not None:
        document["importance"] = absolute[-1].relative_to(root).as_posix()
    by_name = {source.name: (source, path) for source, path in zip(material.maps, absolute, strict=False)}
    taken: dict[str, int] = {}  # names that differ by case alone are one name in a manifest
    document["textures"] = [
        {
            **_texture(by_name[name][0], texture_map, by_name[name][1].relative_to(root), alternate),
            "name": unique_name(name, taken),
        }
        for texture_map, alternate in zip(stack.maps, _alternates(stack.maps), strict=True)
        for name in [texture_map.name]
    ]
    text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    # a file name that is no valid text becomes an escape that JSON knows as well
    return text.encode("utf-8", "backslashreplace").decode()


def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(path))  # noqa: PTH100 - resolve() would follow links


def _alternates(maps: Sequence[TextureMap]) -> list[bool]:
    """Tell for each map whether an earlier one has one of its semantics."""
    seen: set[Semantic] = set()
    found = []
    for texture_map in maps:
        own = {*texture_map.channel_semantics} - {Semantic.DATA}
        found.append(bool(own & seen))
        seen |= own
    return found


def _texture(source: MapSource, texture_map: TextureMap, path: Path, is_alternate: bool) -> dict[str, object]:
    entry: dict[str, object] = {"fileName": path.as_posix(), "name": texture_map.name}
    if source.swizzle is not None:
        entry["channelSwizzle"] = _channels(source.swizzle)
    channels: dict[str, list[int]] = {}
    for channel, semantic in enumerate(texture_map.channel_semantics):
        if semantic != Semantic.DATA:
            channels.setdefault(semantic.name.lower(), []).append(channel)
    entry["semantics"] = {word: _channels(tuple(of)) for word, of in channels.items()} or "data"
    entry["isSRGB"] = texture_map.transfer == Transfer.SRGB
    if source.loss_scale:
        entry["lossFunctionScale"] = source.loss_scale[0] if len(source.loss_scale) == 1 else list(source.loss_scale)
    if source.flips_vertically:
        entry["verticalFlip"] = True
    if source.inverted:
        entry["invert"] = _channels(source.inverted)
    if is_alternate:
        entry["alternate"] = True
    entry["note"] = texture_map.notes
    return entry


def _channels(channels: tuple[int, ...]) -> str | list[int]:
    if all(channel < len(_LETTERS) for channel in channels):
        return "".join(_LETTERS[channel] for channel in channels)
    return list(channels)
