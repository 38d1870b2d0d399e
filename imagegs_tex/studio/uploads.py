"""What a visitor sends, put into a folder of the visitor's own: names made safe, sizes bounded, one thing to read."""

import json
import shutil
import unicodedata
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path, PurePosixPath
from typing import Final

from imagegs_tex.formats.errors import InputError
from imagegs_tex.formats.files.safe_names import printable, safe_stem
from imagegs_tex.formats.igs.container import MAGIC
from imagegs_tex.formats.images import FORMATS, SIGNATURE_BYTES, detect, other_kind
from imagegs_tex.studio.limits import MAX_UNPACKED_BYTES, MAX_UPLOAD_BYTES, MAX_UPLOAD_FILES

_DEEPEST: Final = 6
_LONGEST_GLTF: Final = 64 << 20
_WHOLE: Final = (".glb", ".gltf", ".json", ".zip")
"""What says by itself what belongs together; the first of these that is sent is what is read."""


@dataclass(frozen=True, slots=True)
class Upload:
    """What a visitor has sent, as one thing to read."""

    path: Path  # a folder, or one file in it; an .igs file, too
    title: str  # what to call it: printable
    is_igs: bool = False
    is_given: bool = False  # by who started the studio, who may see where it lies


def safe_relative(name: str) -> PurePosixPath:
    """Turn the name that a browser gives to a file into a relative path that stays where it is put.

    Folders are kept, as a glTF names its images by them. Parts that climb, drives and separators of other systems go.
    """
    parts = [part for part in name.replace("\\", "/").split("/") if part.strip(" .")]
    kept = [_safe_name(part) for part in parts if part not in {".", ".."} and not part.endswith(":")]
    return PurePosixPath(*(kept[-_DEEPEST:] or ["file"]))


def _safe_name(part: str) -> str:
    stem, dot, suffix = unicodedata.normalize("NFC", part).rpartition(".")
    if not dot or len(suffix) > 10 or not suffix.isalnum():
        return safe_stem(part)
    return f"{safe_stem(stem)}.{suffix}"


class Inbox:
    """The files that a visitor sends, one after the other: a delivery, in a folder of its own.

    What was kept before stays until another delivery is kept, so that one that cannot be used takes nothing away.
    """

    def __init__(self, home: Path) -> None:
        self.folder = home / "0"  # of the delivery that arrives
        self.names: list[str] = []  # of its files, as put, in the order in which they came
        self._home = home
        self._deliveries = 0
        self._bytes = 0
        self._kept: Path | None = None

    def clear(self) -> None:
        """Forget the delivery that arrives unless it was kept: the next file begins another."""
        if self.folder != self._kept:
            shutil.rmtree(self.folder, ignore_errors=True)
        self._deliveries += 1
        self.folder = self._home / str(self._deliveries)
        self.names, self._bytes = [], 0

    def keep(self) -> None:
        """Keep the delivery in place of what was kept before."""
        if self._kept is not None and self._kept != self.folder:
            shutil.rmtree(self._kept, ignore_errors=True)
        self._kept = self.folder

    def add_to(self, material: Upload | None) -> tuple[str, ...] | None:
        """Put what a kept material of maps came with beside pictures that were sent without a folder.

        The pictures go into the folder in which the maps lie.

        Returns:
            names of the maps there that what was sent replaces; None: the delivery is a material of its own

        Raises:
            InputError: together they are too many or too large
        """
        if material is None or self._kept is None or self._kept == self.folder or not self._is_loose(self.names):
            return None
        maps = _folder_of_maps(material)
        if maps is None or not maps.is_relative_to(self._kept):
            return None
        sent = {name.casefold() for name in self.names}
        replaced = sorted(path.name for path in maps.iterdir() if path.is_file() and path.name.casefold() in sent)
        self._move_below(maps.relative_to(self._kept))
        for path in sorted(self._kept.rglob("*")):
            if path.is_file() and not (path.parent == maps and path.name in replaced):
                self.count(path.stat().st_size)
                shutil.copyfile(path, self.begin(path.relative_to(self._kept).as_posix()))
        return tuple(replaced)

    def _move_below(self, place: Path) -> None:
        """Move the delivery's files, which have no folders, into one."""
        arrived = self.folder.rename(self.folder.with_suffix(".loose"))  # a file may be called as the folder is
        (self.folder / place).mkdir(parents=True)
        for name in self.names:
            (arrived / name).rename(self.folder / place / name)
        arrived.rmdir()
        self.names = [(place / name).as_posix() for name in self.names]

    @staticmethod
    def _is_loose(names: Sequence[str]) -> bool:
        """Whether files are pictures, at least one, without folders and with nothing that is a material by itself."""
        suffixes = {PurePosixPath(name).suffix.lower() for name in names}
        return (
            not any("/" in name for name in names) and bool(suffixes & {*FORMATS}) and not suffixes & {*_WHOLE, ".igs"}
        )

    def begin(self, name: str) -> Path:
        """Return where a file goes.

        Raises:
            InputError: there are too many, or another has the same name
        """
        if len(self.names) >= MAX_UPLOAD_FILES:
            raise InputError(f"more than {MAX_UPLOAD_FILES} files; send the maps of one material")
        relative = safe_relative(name)
        path = self.folder / relative
        if path.exists():
            raise InputError(f"{printable(relative)} was sent twice; give the files names of their own")
        path.parent.mkdir(parents=True, exist_ok=True)
        self.names.append(relative.as_posix())
        return path

    def count(self, size: int) -> None:
        """Count bytes as they come.

        Raises:
            InputError: together they are more than the studio takes
        """
        self._bytes += size
        if self._bytes > MAX_UPLOAD_BYTES:
            raise InputError(f"more than {MAX_UPLOAD_BYTES >> 20} MiB; send fewer or smaller files")

    def upload(self) -> Upload:
        """Return what was sent as one thing to read.

        Raises:
            InputError: nothing was sent, or several things that are each a material
        """
        if not self.names:
            raise InputError("no file arrived; choose files, a folder or a zip")
        paths = [self.folder / name for name in self.names]
        files = [path for path in paths if not path.name.startswith(".")]
        igs = [path for path in files if _begins_with(path, MAGIC) or path.suffix.lower() == ".igs"]
        if igs:
            if len(files) > 1:
                raise InputError("an .igs file among other files; drop it alone to look at it")
            return Upload(igs[0], printable(igs[0].name), is_igs=True)
        for suffix in _WHOLE:
            found = [path for path in files if path.suffix.lower() == suffix]
            if len(found) > 1 and suffix != ".json":
                raise InputError(f"{len(found)} files of the kind {suffix}; drop one of them")
            if len(found) == 1 and (suffix != ".json" or _is_manifest(found[0])):
                if suffix == ".gltf":
                    _place_beside_gltf(found[0], files)
                elif suffix == ".json":
                    _check_manifest(found[0], self.folder)
                elif suffix == ".zip":
                    _check_zip(found[0])
                return Upload(found[0], printable(found[0].name))
        if len(files) == 1:
            _check_kind(files[0])
            return Upload(files[0], printable(files[0].name))
        return _folder_of(self.folder, files)


def _folder_of_maps(material: Upload) -> Path | None:
    """Return where the maps of a material lie that is a folder of them, or one; None for any other, and for several."""
    if material.path.is_dir():
        has_maps = any(path.suffix.lower() in FORMATS for path in material.path.iterdir() if path.is_file())
        return material.path if has_maps else None
    return material.path.parent if material.path.suffix.lower() in FORMATS and not material.is_igs else None


def _folder_of(folder: Path, files: Sequence[Path]) -> Upload:
    images = [path for path in files if path.suffix.lower() in FORMATS]
    if not images:
        kinds = ", ".join(sorted({printable(path.suffix or path.name) for path in files})[:4])
        raise InputError(f"no picture among the {len(files)} files ({kinds}); send the maps of a material")
    inner = folder
    while len(entries := list(inner.iterdir())) == 1 and entries[0].is_dir():
        inner = entries[0]
    return Upload(inner, printable(inner.name) if inner != folder else _shared_name(images))


def _shared_name(images: Sequence[Path]) -> str:
    """Return what the names of maps begin with, as the material's name."""
    first, last = min(path.stem for path in images), max(path.stem for path in images)
    same = takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=False))
    shared = "".join(letter for letter, _ in same).rstrip(" _-.")
    return printable(shared) if len(shared) > 2 else "material"


def _check_kind(path: Path) -> None:
    """Refuse a file alone that is of no kind that the studio knows, by its name or by what it begins with."""
    if path.suffix.lower() in FORMATS:
        return
    with path.open("rb") as file:
        beginning = file.read(SIGNATURE_BYTES)
    if beginning and detect(beginning) is None and other_kind(beginning) is None:
        usable = ", ".join([".zip", ".glb", ".gltf", ".igs", *FORMATS])
        raise InputError(f"{printable(path.name)} is neither an image nor a material that can be read; use {usable}")


def _begins_with(path: Path, magic: bytes) -> bool:
    with path.open("rb") as file:
        return file.read(len(magic)) == magic


def _is_manifest(path: Path) -> bool:
    """Whether a JSON file names textures: a report or an engine's file beside the maps does not."""
    if path.stat().st_size > _LONGEST_GLTF:
        return False
    try:
        document = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        return False
    return isinstance(document, dict) and "textures" in document


def _check_manifest(manifest: Path, home: Path) -> None:
    """Refuse a manifest whose images would lie anywhere but among what was sent."""
    folder = json.loads(manifest.read_bytes()).get("folder", "")
    if not isinstance(folder, str) or "\0" in folder:
        raise InputError(f"{printable(manifest.name)}: folder must be a name")
    if not (manifest.parent / folder).resolve().is_relative_to(home.resolve()):
        raise InputError(f"{printable(manifest.name)}: its folder leads out of what was sent; send the images with it")


def _check_zip(path: Path) -> None:
    """Refuse a .zip that claims to hold far more than a material, before anything of it is unpacked."""
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(member.file_size for member in archive.infolist())
    except Exception:  # noqa: BLE001 - whatever is wrong with it, its reader says it well
        return
    if size > MAX_UNPACKED_BYTES:
        raise InputError(
            f"{printable(path.name)} holds {size >> 20} MiB unpacked, and the studio takes {MAX_UNPACKED_BYTES >> 20}; "
            "pack the maps of one material"
        )


def _place_beside_gltf(gltf: Path, files: Sequence[Path]) -> None:
    """Put images that were sent without their folders where the glTF says that they are."""
    if gltf.stat().st_size > _LONGEST_GLTF:
        return
    try:
        document = json.loads(gltf.read_bytes())
        entries = [*document.get("images", []), *document.get("buffers", [])]
        addresses = [entry["uri"] for entry in entries if isinstance(entry.get("uri"), str)]
    except (ValueError, RecursionError, AttributeError, TypeError):
        return  # the reader says what is wrong with it
    by_name = {path.name.casefold(): path for path in files}
    for address in addresses:
        parts = PurePosixPath(address).parts
        if ":" in address or address.startswith("/") or ".." in parts or len(parts) < 2:
            continue
        wanted, sent = gltf.parent / address, by_name.get(PurePosixPath(address).name.casefold())
        if sent is not None and not wanted.exists() and wanted.resolve().is_relative_to(gltf.parent.resolve()):
            wanted.parent.mkdir(parents=True, exist_ok=True)
            sent.rename(wanted)
            by_name[sent.name.casefold()] = wanted
