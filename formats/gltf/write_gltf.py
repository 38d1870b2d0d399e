"""A glTF whose textures are maps of .igs files: the extension IMAGEGS_texture_igs, docs/gltf-extension.md."""

import copy
import hashlib
import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from imagegs_tex.formats.errors import InputError
from imagegs_tex.formats.files.json_reader import Json
from imagegs_tex.formats.files.safe_names import printable
from imagegs_tex.formats.gltf.container import GltfFile
from imagegs_tex.formats.gltf.materials import OTHER_SOURCES
from imagegs_tex.formats.material.material_source import ImageFile, MaterialSource

EXTENSION: Final = "IMAGEGS_texture_igs"
EXTENSION_VERSION: Final = 1
_REFERS_TO_IMAGES: Final = "EXT_lights_image_based"
"""The one extension that names images without a texture: all of them stay where an asset has it."""
_REFERS_TO_BUFFERS: Final = "EXT_meshopt_compression"
_MIME_TYPES: Final = {
    ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".jfif": "image/jpeg", ".webp": "image/webp",
}  # fmt: skip
_GLB: Final = struct.Struct("<4sII")
_CHUNK: Final = struct.Struct("<I4s")

Object = dict[str, Any]
"""Of a glTF's JSON, which its reader has walked through before anything here looks at it."""


@dataclass(frozen=True, slots=True)
class IgsOfMaterial:
    """What has become of one of an asset's distinct sets of maps."""

    uri: str  # of the .igs file, relative to where the glTF goes
    material: MaterialSource
    maps: frozenset[str]  # names of the file's maps


def gltf_with_igs(source: Path, files: Sequence[IgsOfMaterial], roots: Sequence[Path] = ()) -> bytes:
    """Return a glTF as .glb with maps of .igs files in place of images; all else is in it.

    Args:
        source: the .gltf or .glb file that the .igs files were made of
        files: those files
        roots: further folders in which what the source names may lie

    Raises:
        InputError: the file is damaged, one that it names is missing, none of its textures is a map of the files, or
            its buffers are compressed
    """
    file = GltfFile(source, roots)
    _check_objects(file)
    assert isinstance(file.root.value, dict)
    document: Object = copy.deepcopy(file.root.value)
    places = _maps_by_digest(files)
    textures: list[Object] = document.get("textures", [])
    is_pointed = [_point_to_map(file, at, texture, places) for at, texture in enumerate(textures)]
    if not any(is_pointed):
        raise InputError(f"{file.where} has no texture that is a map of the .igs files; compress it once more")
    listed = [{"uri": entry.uri} for entry in files]
    document.setdefault("extensions", {})[EXTENSION] = {"version": EXTENSION_VERSION, "files": listed}
    for key in ("extensionsUsed", "extensionsRequired"):
        gone = {name for name in OTHER_SOURCES if not any(name in each.get("extensions", {}) for each in textures)}
        document[key] = [*(name for name in document.get(key, []) if name not in gone), EXTENSION]
    images, dropped_views = _keep_used_images(document)
    return _glb(document, _one_buffer(file, document, images, dropped_views))


def _check_objects(file: GltfFile) -> None:
    """Raise InputError where what is changed here is not made of objects."""
    lists = [file.root.get(key) for key in ("textures", "images", "bufferViews")]
    for each in (file.root, *(entry for found in lists if found is not None for entry in found)):
        extensions = each.get("extensions")
        for extension in () if extensions is None else extensions.members().values():
            extension.members()
    for key in ("extensionsUsed", "extensionsRequired"):
        for name in file.root.get(key) or ():
            name.text()


def _maps_by_digest(files: Sequence[IgsOfMaterial]) -> dict[bytes, tuple[int, str]]:
    """Return which file and which map of it has an image's bytes."""
    found: dict[bytes, tuple[int, str]] = {}
    for place, entry in enumerate(files):
        for each in entry.material.maps:
            if each.name in entry.maps:
                found.setdefault(_digest(each.image), (place, each.name))
    return found


def _digest(image: ImageFile) -> bytes:
    return hashlib.sha256(_bytes_of(image)).digest()


def _bytes_of(image: ImageFile) -> bytes:
    if image.data is not None:
        return image.data()
    try:
        return image.path.read_bytes()
    except OSError as error:
        raise InputError(f"{printable(image.path)} cannot be read ({printable(error.strerror)}); check it") from None


def _point_to_map(
    file: GltfFile, at: int, texture: Object, places: Mapping[bytes, tuple[int, str]]
) -> bool:  # fmt: skip
    """Put the extension in place of a texture's image, if that is a map of a file."""
    stated = file.root.need("textures").at(at)
    sources = [stated.get("source"), *(stated.find("extensions", name, "source") for name in OTHER_SOURCES)]
    source = next((each for each in sources if each is not None), None)
    try:
        found = None if source is None else places.get(_digest(file.image(source).file))
    except InputError:  # missing, or for GPUs alone: its material was left out, which has been said
        return False
    if found is None:
        return False
    texture.pop("source", None)
    extensions = {name: each for name, each in texture.get("extensions", {}).items() if name not in OTHER_SOURCES}
    texture["extensions"] = {**extensions, EXTENSION: {"file": found[0], "map": found[1]}}
    return True


def _keep_used_images(document: Object) -> tuple[list[int], set[int]]:
    """Take out images that no texture has any more.

    Returns:
        numbers in the source of those that stay, and of the buffer views that only the others had
    """
    images: list[Object] = document.get("images", [])
    textures: list[Object] = document.get("textures", [])
    homes = [texture for texture in textures if "source" in texture]
    for texture in textures:
        homes += [each for name, each in texture.get("extensions", {}).items() if name in OTHER_SOURCES]
    used = {home["source"] for home in homes}
    if _REFERS_TO_IMAGES in document["extensionsUsed"]:
        used = set(range(len(images)))
    kept = sorted(used)
    for home in homes:
        home["source"] = kept.index(home["source"])
    document["images"] = [images[number] for number in kept]
    views = {image["bufferView"] for image in images if "bufferView" in image}
    return kept, views - {image["bufferView"] for image in document["images"] if "bufferView" in image}


def _one_buffer(file: GltfFile, document: Object, images: Sequence[int], dropped: set[int]) -> bytes:
    """Gather what the buffer views hold, and image files that stay, into one buffer.

    A view that only an image had keeps its number and a byte of the buffer, because others are known by their numbers.
    """
    binary = bytearray()
    views: list[Object] = document.get("bufferViews", [])
    for number, view in enumerate(views):
        if _REFERS_TO_BUFFERS in view.get("extensions", {}):
            raise InputError(f"{file.where} has buffers of {_REFERS_TO_BUFFERS}; export it without")
        index = file.root.need("bufferViews").at(number)
        length = 1 if number in dropped else index.need("byteLength").integer(1)
        data = b"\0" if number in dropped else file.view_bytes(_number(file, number), 0, length)
        _append(binary, view, data)
    for image, number in zip(document["images"], images, strict=True):
        if "bufferView" in image:
            continue
        found = file.image(_number(file, number)).file
        image.pop("uri", None)
        image["mimeType"] = _MIME_TYPES.get(found.path.suffix.lower(), "application/octet-stream")
        image["bufferView"] = len(views)
        image.setdefault("name", found.path.stem)
        views.append({})
        _append(binary, views[-1], _bytes_of(found))
    if not document["images"]:
        del document["images"]
    if views:
        document["bufferViews"] = views
        document["buffers"] = [{"byteLength": len(binary)}]
    return bytes(binary)


def _number(file: GltfFile, number: int) -> Json:
    return Json(number, file.where)


def _append(binary: bytearray, view: Object, data: bytes) -> None:
    binary += bytes(-len(binary) % 4)  # accessors and chunks begin at multiples of 4
    view.update(buffer=0, byteOffset=len(binary), byteLength=len(data))
    binary += data


def _glb(document: Object, binary: bytes) -> bytes:
    text = json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
    chunks = [(b"JSON", text + b" " * (-len(text) % 4))]
    if binary:
        chunks.append((b"BIN\0", binary + bytes(-len(binary) % 4)))
    body = b"".join(_CHUNK.pack(len(data), kind) + data for kind, data in chunks)
    return _GLB.pack(b"glTF", 2, _GLB.size + len(body)) + body
