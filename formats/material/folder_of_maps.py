"""A folder of image files -> the materials whose maps lie there."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from imagegs_tex.formats.errors import InputError
from imagegs_tex.formats.files.safe_names import printable, safe_stem, unique_name
from imagegs_tex.formats.images import FORMATS, copies_of_others, picture_size
from imagegs_tex.formats.material.folder_listing import Folder
from imagegs_tex.formats.material.material_asset import ListedMaterial, MaterialAsset
from imagegs_tex.formats.material.material_source import ImageFile, MapSource, MaterialSource, sorted_maps
from imagegs_tex.formats.material.name_groups import (
    group_names,
    lesser_versions,
    normal_twins,
    pictures_of_all,
    says_something,
)
from imagegs_tex.formats.material.name_words import normal_convention, split_name

MAX_IMAGES: Final = 4096
"""Most images of a folder: a bound for what a source can make its reader do."""
MAX_MAPS: Final = 256
"""Most images of a material, as an .igs file has no more maps."""

MAX_PACKED_TEXELS: Final = 1 << 31
"""Most texels of a .zip's images together, by their headers: a few kilobytes can claim any number of them."""

MAP_FOLDERS: Final = ("textures", "texture", "tex", "maps", "images")
"""Where tools put maps, below a model."""
_OWN_SUFFIXES: Final = frozenset({".igs", ".json"})  # what this project writes, which nobody misses among the maps
_MOST_MAPS_NAMED: Final = 64  # of those that cannot be read
_NO_IMAGES: Final = frozenset(
    {".txt", ".md", ".pdf", ".html", ".url", ".mtl", ".obj", ".fbx", ".blend", ".mtlx", ".usd"}
)
_SEPARATOR: Final = re.compile(r"(?<=[^\W_])[ ._-](?=[^\W_])")  # one, between letters or digits
_MOST_NAMED: Final = 8  # files, folders or materials listed in one line
_DEEPEST: Final = 4  # folders that hold nothing but one folder, one within the other


def materials_of_folder(folder: Folder) -> MaterialAsset:
    """Find the maps of a folder, and whose they are.

    Maps may lie in the folder itself; in ``textures`` or the like below it, if it has no maps itself; or in its only
    folder. Names tell several materials apart (:mod:`.name_groups`). Of a normal map in both conventions the one for
    OpenGL is taken, of a map in several resolutions the finest; previews are no maps. What is left out is said in the
    remarks of the materials, or of the asset if there are several.

    Raises:
        InputError: no images, two files with one stem, or several materials whose names do not tell which map is whose
    """
    home, remarks = _home_of_maps(folder)
    images, copies = _images(home)
    remarks += copies
    remarks += _others(home)
    packed = [image for image in images if image.data is not None]
    texels = sum(width * height for width, height in filter(None, map(_size, packed)))
    if texels > MAX_PACKED_TEXELS:
        raise InputError(f"{home.where} has images of {texels} texels; at most {MAX_PACKED_TEXELS} are unpacked")
    lesser = lesser_versions([image.path.stem for image in images])
    remarks += [
        f"{_shown(images[index])} is left out: {_shown(images[kept])} is the same map, finer"
        for index, kept in sorted(lesser.items())
    ]
    images = [image for index, image in enumerate(images) if index not in lesser]
    groups = group_names([image.path.stem for image in images])
    if groups is None:
        material = _material(home.where, "", images, remarks)
        return MaterialAsset(home.where, (ListedMaterial("", 0, 0),), (material,))
    if groups.unclear:
        names = _some([f"{printable(name)} ({_count(members, 'map')})" for name, members in groups.groups.items()])
        unclear = _some([printable(images[index].path.name) for index in groups.unclear])
        raise InputError(
            f"{home.where} has several materials by its file names: {names}; but not whose {unclear} is: put each "
            "material in a folder of its own, or write a manifest for each"
        )
    remarks += [f"{_shown(images[index])} is left out: its name says nothing" for index in groups.silent]
    stems: dict[str, int] = {}
    listed, materials = [], []
    for index, (name, members) in enumerate(sorted(groups.groups.items(), key=lambda item: item[0].casefold())):
        stem = unique_name(safe_stem(name), stems)
        where = f"{home.where}, material {printable(name)}"
        materials.append(_material(where, stem, [images[member] for member in members], [], name))
        listed.append(ListedMaterial(name, index, index, stem))
    return MaterialAsset(home.where, tuple(listed), tuple(materials), tuple(remarks))


def _material(
    where: str, stem: str, images: Sequence[ImageFile], remarks: Sequence[str], name: str = ""
) -> MaterialSource:  # fmt: skip
    if len(images) > MAX_MAPS:
        raise InputError(f"{where} has {len(images)} maps; a file holds {MAX_MAPS}: put others into another folder")
    twins = normal_twins([image.path.stem for image in images])
    said = [
        f"{_shown(images[twin])} is left out: {_shown(images[kept])} has the same normals{_for_opengl(images[kept])}"
        for twin, kept in sorted(twins.items())
    ]
    shown = pictures_of_all([image.path.stem for image in images])
    said += [
        f"{_shown(images[index])} is left out: a picture of the material, whose base colour is {_shown(images[colour])}"
        "; a manifest takes it in"
        for index, colour in sorted(shown.items())
    ]
    left_out = twins.keys() | shown.keys()
    maps = [MapSource(image, image.path.stem) for index, image in enumerate(images) if index not in left_out]
    return MaterialSource(where, sorted_maps(maps), name=name, stem=stem, remarks=(*remarks, *said))


def _home_of_maps(folder: Folder) -> tuple[Folder, list[str]]:
    """Return the folder that holds the maps, and what there is to say of the way there."""
    remarks: list[str] = []
    home = folder
    for _ in range(_DEEPEST):
        own = [file for file in home.files if _is_image(file)]
        if any(says_something(image.path.stem) for image in own):
            if home.folders:
                remarks.append(f"not looked into: {_some([printable(name) for name in sorted(home.folders)])}")
            return home, remarks
        inner = {name: home.folders[name]() for name in sorted(home.folders) if _may_hold_maps(name, home, own)}
        filled = {name: below for name, below in inner.items() if any(_is_image(file) for file in below.files)}
        named = next((name for wanted in MAP_FOLDERS for name in filled if name.lower() == wanted), None)
        if named is None and len(filled) > 1 and not own:
            raise InputError(
                f"{home.where} has no images itself, but {_some([printable(name) for name in filled])} have; give one "
                "of these folders"
            )
        if named is None and not own and len(inner) == 1:
            named = next(iter(inner))
        if named is None and len(filled) == 1 and not own:
            named = next(iter(filled))
        if named is None:
            return home, remarks
        remarks += [f"{_shown(image)} is left out: the maps are in {printable(named)}" for image in own[:_MOST_NAMED]]
        home = inner[named]
    return home, remarks


def _may_hold_maps(name: str, home: Folder, images: Sequence[ImageFile]) -> bool:
    """Beside pictures only the usual names are looked into; without any, all folders are."""
    return name.lower() in MAP_FOLDERS if images else len(home.folders) <= MAX_IMAGES


def _images(folder: Folder) -> tuple[list[ImageFile], list[str]]:
    """Return the image files of a folder in a fixed order, and what stands beside one of them for the same map."""
    found = [file for file in folder.files if _is_image(file)]
    if not found:
        asset = next((file for file in folder.files if _suffix(file) in {".gltf", ".glb"}), None)
        if asset is not None:
            name = printable(asset.path.name)
            unpack = "" if asset.data is None else "unpack it and "
            raise InputError(f"{folder.where} has no images but {name}; {unpack}give that file itself")
        raise InputError(f"{folder.where} has no images; put maps there with a suffix of {', '.join(FORMATS)}")
    if len(found) > MAX_IMAGES:
        raise InputError(f"{folder.where} has {len(found)} images; at most {MAX_IMAGES} are read: give a part of them")
    found.sort(key=lambda file: (file.path.name.casefold(), file.path.name))
    copies = copies_of_others(file.path for file in found)
    found = [file for file in found if file.path not in copies]
    by_stem: dict[str, ImageFile] = {}
    for file in found:
        other = by_stem.setdefault(_spelling(file), file)
        # where case tells files apart, their maps are two; with two suffixes it mostly is one map, saved twice, as with
        # another separator or Unicode form
        is_case_alone = other.path.stem.casefold() == file.path.stem.casefold() and other.path.stem != file.path.stem
        if other is not file and (not is_case_alone or _suffix(other) != _suffix(file)):
            raise InputError(
                f"{folder.where} has {_shown(other)} and {_shown(file)}, which are the same map by name; rename or "
                "remove one"
            )
    return found, [
        f"{printable(copy.name)} is left out: {printable(own.name)} stands for it" for copy, own in copies.items()
    ]


def _spelling(file: ImageFile) -> str:
    """A file's stem as people read it: "Brick-Albedo", "brick_albedo" and "brick albedo" are one."""
    return _SEPARATOR.sub("_", unicodedata.normalize("NFC", file.path.stem)).casefold()


def _others(folder: Folder) -> list[str]:
    """Say which files are no images that can be read, every one whose name is that of a map."""
    unread = [file.path for file in folder.files if not _is_image(file) and _suffix(file) not in _OWN_SUFFIXES]
    maps = [path for path in map(Path, folder.others) if _says_map(path)]
    maps += [path for path in unread if _says_map(path)]
    rest = [path for path in (*unread, *map(Path, folder.others)) if path not in maps]
    names = [
        *sorted(printable(path.name) for path in maps)[:_MOST_MAPS_NAMED],
        *_first(sorted(printable(path.name) for path in rest)),
    ]
    return [f"not read: {', '.join(names)}"] if names else []


def _says_map(path: Path) -> bool:
    """Whether a file is called as a map would be: "wall_height.ppm" and ".wall_ao.png.bak" are."""
    stem = path.name.strip(".").partition(".")[0]
    return path.suffix.lower() not in _NO_IMAGES and says_something(stem)


def _size(image: ImageFile) -> tuple[int, int] | None:
    return picture_size(image.path, None if image.data is None else image.data())


def _is_image(file: ImageFile) -> bool:
    return _suffix(file) in FORMATS


def _suffix(file: ImageFile) -> str:
    return file.path.suffix.lower()


def _shown(file: ImageFile) -> str:
    return printable(file.path.name)


def _for_opengl(file: ImageFile) -> str:
    return " for OpenGL" if normal_convention(split_name(file.path.stem)).startswith("OpenGL") else ""


def _some(names: Iterable[str]) -> str:
    return ", ".join(_first(list(names)))


def _first(names: Sequence[str]) -> list[str]:
    """The first names, the last of them with how many more there are."""
    if len(names) <= _MOST_NAMED:
        return list(names)
    return [*names[: _MOST_NAMED - 1], f"{names[_MOST_NAMED - 1]} and {len(names) - _MOST_NAMED} more"]


def _count(members: Sequence[int], noun: str) -> str:
    return f"{len(members)} {noun}{'' if len(members) == 1 else 's'}"
