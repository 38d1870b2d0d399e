"""A folder of folders -> the materials in it.

In each folder: every glTF and every .zip is a source of its own, and so is every manifest. Images of a folder that
has a glTF or a manifest are that one's. A manifest that is the only source beside images stands for its folder and has
the folder's name, as they had it without the manifest. Otherwise the images of a folder are its materials, one or
several by their names (:mod:`imagegs_tex.formats.material.folder_of_maps`), also where they lie in ``textures`` or the
like below it.
"""

import os
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Final

from imagegs_tex.builder.globs import matches_any
from imagegs_tex.builder.tree import BadSource, Tree, TreeMaterial
from imagegs_tex.formats.errors import InputError
from imagegs_tex.formats.files.safe_names import printable, safe_stem, unique_name
from imagegs_tex.formats.gltf.container import GltfFile, is_gltf
from imagegs_tex.formats.images import FORMATS
from imagegs_tex.formats.material.folder_listing import Folder, is_zip, others_of
from imagegs_tex.formats.material.folder_of_maps import MAP_FOLDERS, materials_of_folder
from imagegs_tex.formats.material.manifest import MANIFEST_SUFFIX
from imagegs_tex.formats.material.material_asset import MaterialAsset
from imagegs_tex.formats.material.material_source import ImageFile
from imagegs_tex.formats.material.name_groups import says_something
from imagegs_tex.formats.open_material import read_asset

MAX_FOLDERS: Final = 1_000_000
"""Most folders of a tree: links to folders can make a few of them endless without a circle."""
_MANIFEST_WORDS: Final = (b'"textures"', b'"fileName"')  # what every manifest has, and hardly another JSON file
_LARGEST_MANIFEST: Final = 16 << 20  # bytes
_LOST: Final = "{}: no file is there (a link that leads nowhere?); put it back, or exclude it"


@dataclass(frozen=True, slots=True)
class _Listing:
    """One folder, without what is hidden or excluded."""

    path: Path
    files: tuple[Path, ...]  # by name
    folders: tuple[Path, ...]  # by name
    others: tuple[str, ...]  # names of what is neither: links to nothing, pipes; and of hidden images

    @property
    def images(self) -> tuple[Path, ...]:
        return tuple(path for path in self.files if path.suffix.lower() in FORMATS)

    @property
    def lost_images(self) -> tuple[str, ...]:
        """Those of the others that would be images."""
        return tuple(name for name in self.others if not name.startswith(".") and Path(name).suffix.lower() in FORMATS)


@dataclass(slots=True)
class _Findings:
    """What is gathered on the way."""

    root: Path
    excluded: Sequence[str]
    materials: list[TreeMaterial] = field(default_factory=list)  # not named apart yet
    bad: list[BadSource] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    folders: list[Path] = field(default_factory=list)

    def relative(self, path: Path) -> Path:
        return path.relative_to(self.root)


def check_root(root: Path) -> None:
    """Refuse, with InputError, what is no folder."""
    if not root.is_dir():
        raise InputError(f"{printable(root.absolute())} is no folder; give a folder of materials, or a project file")


def discover(root: Path, excluded: Sequence[str] = (), not_into: Iterable[Path] = ()) -> Tree:
    """Find the materials of a tree. Links to folders are followed, but in no circle; hidden names are not looked at.

    Args:
        root: the folder
        excluded: patterns (:mod:`.globs`) over paths relative to it, of files and of folders
        not_into: folders that are left out wherever they turn up: the output, the cache

    Raises:
        InputError: there is no such folder, or it has no end
    """
    root = root.absolute()
    check_root(root)
    found = _Findings(root, excluded)
    skipped = {_identity(path) for path in not_into if path.is_dir()}
    waiting = [(root, frozenset[tuple[int, int]]())]
    while waiting:
        path, above = waiting.pop()
        try:
            own = _identity(path)
            if own in skipped:
                continue
            if own in above:
                found.remarks.append(f"{printable(found.relative(path))} is left out: its links lead in a circle")
                continue
            listing = _list(path, found)
        except OSError as error:
            found.bad.append(BadSource(found.relative(path), f"cannot be listed ({printable(error.strerror)})"))
            continue
        found.folders.append(path)
        if len(found.folders) > MAX_FOLDERS:
            raise InputError(f"{printable(root)} has more than {MAX_FOLDERS} folders; exclude some, or build less")
        taken = _look_at(listing, found)
        waiting += [(folder, above | {own}) for folder in reversed(listing.folders) if folder not in taken]
    bad = sorted(found.bad, key=lambda bad: bad.source.parts)
    materials = tuple(_named_apart(found))
    return Tree(root, materials, tuple(bad), tuple(found.remarks), tuple(found.folders))


def _list(path: Path, found: _Findings) -> _Listing:
    with os.scandir(path) as entries:
        every = sorted((entry for entry in entries if not _is_excluded(entry, found)), key=lambda entry: entry.name)
        kept = [entry for entry in every if not entry.name.startswith(".")]
        files = tuple(Path(entry.path) for entry in kept if _is(entry.is_file))
        folders = tuple(Path(entry.path) for entry in kept if _is(entry.is_dir))
    known = {entry.name for entry in (*files, *folders)}
    return _Listing(path, files, folders, others_of((entry.name for entry in every), known))


def _is(kind: Callable[[], bool]) -> bool:
    try:
        return kind()
    except OSError:  # a link that leads to itself
        return False


def _identity(path: Path) -> tuple[int, int]:
    state = path.stat()
    return state.st_dev, state.st_ino


def _is_excluded(entry: "os.DirEntry[str]", found: _Findings) -> bool:
    return bool(found.excluded) and matches_any(found.excluded, Path(entry.path).relative_to(found.root).as_posix())


def _look_at(listing: _Listing, found: _Findings) -> frozenset[Path]:
    """Add the materials of a folder; return those of its folders that belong to them."""
    map_folders = [path for path in listing.folders if path.name.lower() in MAP_FOLDERS]
    manifests = [path for path in listing.files if _is_manifest(path)]
    described = [path for path in listing.files if is_gltf(path) or path in manifests]
    sources = [*described, *(path for path in listing.files if is_zip(path))]
    stands_for_folder = sources == manifests[:1] and bool(listing.images or map_folders)
    for path in sources:
        _add(found, path, listing.path if stands_for_folder else path.with_suffix(""), partial(read_asset, path))
    if described:
        return frozenset(map_folders)
    images = listing.images
    if any(says_something(path.stem) for path in images) or (images and not listing.folders):
        below: list[Path] = []
    else:
        below = [path for path in map_folders if _list(path, found).images]
        if not below:
            if images:
                where = printable(found.relative(listing.path))
                found.remarks.append(f"{where}: {len(images)} images whose names say nothing are left out")
            elif listing.lost_images:
                found.bad.append(BadSource(found.relative(listing.path), _LOST.format(", ".join(listing.lost_images))))
            return frozenset()
    _add(found, listing.path, listing.path, lambda: materials_of_folder(_as_folder(listing, below, found)))
    return frozenset(below)


def _as_folder(listing: _Listing, below: Iterable[Path], found: _Findings) -> Folder:
    inner = {path.name: partial(_as_folder, _list(path, found), (), found) for path in below}
    return Folder(printable(listing.path), tuple(map(ImageFile, listing.files)), inner, listing.others)


def _is_manifest(path: Path) -> bool:
    if path.suffix.lower() != MANIFEST_SUFFIX:
        return False
    try:
        if path.stat().st_size > _LARGEST_MANIFEST:
            return False
        data = path.read_bytes()
    except OSError:
        return False
    return all(word in data for word in _MANIFEST_WORDS)


def _add(found: _Findings, source: Path, home: Path, read: Callable[[], MaterialAsset]) -> None:
    """Add the materials of one source: ``home`` itself if there is one, below it if there are several."""
    relative = found.relative(source)
    try:
        asset = read()
        container = _container(source)
    except InputError as error:
        found.bad.append(BadSource(relative, str(error)))
        return
    except OSError as error:
        found.bad.append(BadSource(relative, f"cannot be read ({printable(error.strerror)})"))
        return
    several = len(asset.listed) > 1
    for entry in asset.listed:
        if entry.problem:
            found.bad.append(BadSource(relative / entry.stem, entry.problem))
    found.remarks += [f"{printable(relative)}: {line}" for line in asset.left_out]
    inner = found.relative(home)
    for material in asset.materials:
        path = inner / material.stem if several else inner
        name = path.as_posix() if path.parts else found.root.name
        found.remarks += [f"{printable(path.as_posix()) if path.parts else name}: {line}" for line in material.remarks]
        found.materials.append(TreeMaterial(name, relative, material, container, material.stem))


def _container(path: Path) -> tuple[Path, ...]:
    if is_gltf(path):
        return (path, *GltfFile(path).buffer_files())
    return () if path.is_dir() else (path,)


def _named_apart(found: _Findings) -> list[TreeMaterial]:
    """Give each material a name that is a safe path, and no other's on any file system."""
    taken: dict[str, dict[str, int]] = {}  # by folder, whatever its case
    named = []
    for material in sorted(found.materials, key=lambda material: (material.name, material.source.parts)):
        *folders, stem = (safe_stem(part) for part in unicodedata.normalize("NFC", material.name).split("/"))
        home = "/".join(folders)
        own = unique_name(stem, taken.setdefault(home.casefold(), {}))
        name = "/".join([*folders, own])
        if own != stem:
            source = printable(material.source)
            found.remarks.append(
                f"{source} is {name} in the output: another has its name, but for case or Unicode form"
            )
        named.append(replace(material, name=name))
    return sorted(named, key=lambda material: material.name)
