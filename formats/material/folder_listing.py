"""What lies in a folder, on disk or in a .zip, without looking below it before it is asked for."""

import stat
import zipfile
from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from imagegs_tex.formats.errors import InputError
from imagegs_tex.formats.files.safe_names import printable
from imagegs_tex.formats.images.file_formats import FORMATS
from imagegs_tex.formats.material.material_source import ImageFile
from imagegs_tex.formats.material.require_source import require_source

ZIP_SUFFIX: Final = ".zip"
MAX_ENTRIES: Final = 10_000
"""Most files of a folder or a .zip: a bound for what a source can make its reader do."""
MAX_MEMBER_BYTES: Final = 1 << 30
"""Most bytes of a file in a .zip, unpacked."""

_MAX_DIRECTORY_BYTES: Final = 16 << 20  # of a .zip's list of its files
_END: Final = b"PK\5\6"
_END_BYTES: Final = 22 + 65535  # with the longest comment
_END64_LOCATOR: Final = b"PK\6\7"
_END64: Final = b"PK\6\6"
_NOT_LOOKED_AT: Final = frozenset({"__MACOSX"})
_DAMAGED: Final = "is it damaged? download or pack it again"


@dataclass(frozen=True, slots=True)
class Folder:
    """One folder. Hidden files and folders are not listed, but hidden images are named among the others."""

    where: str  # printable
    files: tuple[ImageFile, ...]  # of whatever kind; those in a .zip have their data there
    folders: Mapping[str, Callable[[], "Folder"]]  # by name
    others: tuple[str, ...] = ()  # names of what is neither, or hidden: links to nothing, pipes, .wall_normal.png


def is_zip(path: Path) -> bool:
    """Whether a path is a file that calls itself a .zip."""
    return path.suffix.lower() == ZIP_SUFFIX and path.is_file()


def list_folder(path: Path) -> Folder:
    """List a folder on disk; InputError when there is none."""
    try:
        require_source(path)
        if not path.is_dir():
            raise InputError(f"{printable(path)} is no folder; give a folder of maps, an image, a manifest or a glTF")
        every = list(path.iterdir())
        entries = [entry for entry in every if not entry.name.startswith(".")]
        files = tuple(ImageFile(entry) for entry in entries if entry.is_file())
        folders = {entry.name: _lister(entry) for entry in entries if entry.is_dir()}
    except OSError as error:
        raise InputError(f"{printable(path)} cannot be listed ({printable(error.strerror)}); check it") from None
    known = {file.path.name for file in files} | folders.keys()
    return Folder(printable(path), files, folders, others_of((entry.name for entry in every), known))


def others_of(names: Iterable[str], known: Container[str]) -> tuple[str, ...]:
    """Return which names of a folder's entries are for ``others``, where it is known what is a file or a folder."""
    return tuple(name for name in names if name not in known and _is_worth_saying(name))


def _is_worth_saying(name: str) -> bool:
    """Whether somebody may miss what is called so: of hidden files images alone, and none of macOS's resource forks."""
    return not name.startswith(".") or (not name.startswith("._") and Path(name).suffix.lower() in FORMATS)


def _lister(path: Path) -> Callable[[], Folder]:
    return lambda: list_folder(path)


def list_zip(path: Path) -> Folder:
    """List a .zip as the folder that it holds. Nothing is unpacked to disk, and files are unpacked when they are read.

    Raises:
        InputError: damaged, encrypted, a path that leads out of it, more than MAX_ENTRIES files or MAX_MEMBER_BYTES in
            one of them
    """
    where = printable(path)
    try:
        _check_directory(path, where)
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except InputError:
        raise
    except OSError as error:
        raise InputError(f"{where} cannot be read ({printable(error.strerror)}); check it") from None
    except Exception as error:  # noqa: BLE001 - of a file that lies, zipfile raises whatever comes
        raise InputError(f"{where} is no .zip ({printable(error) or type(error).__name__}); {_DAMAGED}") from None
    if len(members) > MAX_ENTRIES:
        raise InputError(
            f"{where} has {len(members)} files; at most {MAX_ENTRIES} are looked at: unpack what is needed"
        )
    root: _Tree = {}
    for member in members:
        parts = _parts(member.filename, where)
        if not parts or any(part.startswith(".") or part in _NOT_LOOKED_AT for part in parts):
            continue
        home = root
        for part in parts if member.is_dir() else parts[:-1]:
            inner = home.setdefault(part, {})
            if not isinstance(inner, dict):
                raise InputError(f"{where} has {printable(part)} as a file and as a folder; {_DAMAGED}")
            home = inner
        if not member.is_dir() and not stat.S_ISLNK(member.external_attr >> 16):
            if parts[-1] in home:
                raise InputError(f"{where} has {printable(member.filename)} twice; {_DAMAGED}")
            home[parts[-1]] = ImageFile(path.joinpath(*parts), _unpacker(path, member))
    return _folder(path, root)


_Tree = dict[str, "ImageFile | _Tree"]


def _folder(path: Path, tree: _Tree) -> Folder:
    files = tuple(entry for entry in tree.values() if isinstance(entry, ImageFile))
    folders = {name: _tree_lister(path / name, entry) for name, entry in tree.items() if isinstance(entry, dict)}
    return Folder(printable(path), files, folders)


def _tree_lister(path: Path, tree: _Tree) -> Callable[[], Folder]:
    return lambda: _folder(path, tree)


def _check_directory(path: Path, where: str) -> None:
    """Refuse a .zip whose list of files is absurd, before zipfile makes an object of each (PKWARE APPNOTE 4.3.16)."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - _END_BYTES))
        tail = file.read()
        at = tail.rfind(_END)
        if at < 0:
            return  # zipfile says what is wrong
        directory = int.from_bytes(tail[at + 12 : at + 16], "little")
        locator = tail[at - 20 : at] if at >= 20 else b""
        if locator.startswith(_END64_LOCATOR):
            file.seek(min(size, int.from_bytes(locator[8:16], "little")))
            end64 = file.read(56)
            if end64.startswith(_END64):
                directory = int.from_bytes(end64[40:48], "little")
    if directory > _MAX_DIRECTORY_BYTES:
        raise InputError(f"{where} lists {directory} bytes of file names; at most {_MAX_DIRECTORY_BYTES} are looked at")


def _parts(name: str, where: str) -> tuple[str, ...]:
    """Return the parts of a member's path, which never leads out of the .zip."""
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or (path.parts and ":" in path.parts[0]):
        raise InputError(f"{where} has {printable(name)}, which leads out of it; do not trust it, or pack it again")
    return path.parts


def _unpacker(path: Path, member: zipfile.ZipInfo) -> Callable[[], bytes]:
    where = printable(path / member.filename)

    def unpack() -> bytes:
        if member.flag_bits & 1:
            raise InputError(f"{where} is encrypted; unpack it first")
        if member.file_size > MAX_MEMBER_BYTES:
            raise InputError(f"{where} has {member.file_size} bytes; at most {MAX_MEMBER_BYTES} are unpacked")
        try:
            with zipfile.ZipFile(path) as archive, archive.open(member) as file:
                return file.read(MAX_MEMBER_BYTES + 1)  # never more than the size that is stated
        except Exception as error:  # noqa: BLE001 - codecs and checksums have errors of their own
            reason = printable(error) or type(error).__name__
            raise InputError(f"{where} cannot be unpacked ({reason}); {_DAMAGED}") from None

    return unpack
