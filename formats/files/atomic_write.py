"""Files that are written whole or not at all.

Everything goes to a temporary name in the target's own folder and is renamed when it is complete, so a full disk, a
crash or Ctrl-C leaves neither half a file nor a damaged old one.
"""

import contextlib
import errno
import os
import re
import secrets
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from imagegs_tex.formats.errors import OutputError
from imagegs_tex.formats.files.safe_names import printable

JSON_BEGINNING: Final = b"{"
"""Of every report and manifest."""
_TEMPORARY: Final = re.compile(r"\..{1,40}\.[0-9a-f]{12}\.tmp", re.DOTALL)
_REMEDIES = {
    errno.ENOSPC: "the disk is full; free some space and try again",
    errno.EDQUOT: "the disk quota is used up; free some space and try again",
    errno.EACCES: "no permission; choose another folder or change its permissions",
    errno.EPERM: "no permission; choose another folder or change its permissions",
    errno.EROFS: "the file system is read-only; choose another folder",
    errno.ENOTDIR: "part of its path is a file, not a folder; choose another path",
    errno.EISDIR: "it is a folder; give the name of a file",
    errno.ENAMETOOLONG: "the name is too long; choose a shorter one",
}


def is_temporary(name: str) -> bool:
    """Whether a name is one under which :func:`write_files` writes; who was killed leaves such a file."""
    return _TEMPORARY.fullmatch(name) is not None


def check_writable(path: Path, beginning: bytes) -> None:
    """Refuse with OutputError, before hours of work, what cannot be written or would replace another kind of file.

    Args:
        path: what will be written
        beginning: of the bytes to come. A file that begins otherwise is perhaps a source, and is not to be replaced
    """
    if path.is_dir():
        raise cannot_write(path, IsADirectoryError(errno.EISDIR, ""))
    if path.exists() and not path.is_file():
        if not os.access(path, os.W_OK):
            raise cannot_write(path, PermissionError(errno.EACCES, ""))
        return
    folder = real_path(path).parent
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    if not folder.is_dir():
        raise cannot_write(path, NotADirectoryError(errno.ENOTDIR, ""))
    try:
        with tempfile.TemporaryFile(dir=folder):  # permissions tell root, and of some file systems, nothing
            pass
        older = _first_bytes(path, len(beginning)) if path.is_file() else b""
    except OSError as error:
        raise cannot_write(path, error) from error
    if older and older != beginning:
        raise OutputError(f"{printable(path)} is there already and is something else; give another name")


def real_path(path: Path) -> Path:
    """Return a path with its links followed; OutputError when they lead in a circle."""
    try:
        return path.resolve()
    except RuntimeError:
        raise OutputError(f"cannot write {printable(path)}: its links lead in a circle; choose another path") from None


def check_absent(paths: Iterable[Path], remedy: str) -> None:
    """Refuse, with OutputError, to replace any file."""
    for path in paths:
        if path.exists():
            raise OutputError(f"{printable(path)} is there already; {remedy}")


def write_bytes(path: Path, data: bytes) -> None:
    """Write one file whole or not at all; see :func:`write_files`."""
    write_files({path: data})


def write_files(files: Mapping[Path, bytes] | Iterable[tuple[Path, bytes]]) -> None:
    """Write several files: all are complete on disk under temporary names before the first one is renamed.

    Existing files are replaced; a link is followed and its target replaced; a device or pipe such as /dev/stdout is
    written to directly. Missing folders are created, and stay when writing fails.

    Args:
        files: contents by path, in their order; pairs may be made one after the other

    Raises:
        OutputError: a file cannot be written; temporary files are gone and nothing was replaced. Only if renaming
            itself fails (a folder removed meanwhile) can earlier files of the set have been replaced already, each
            one whole.
    """
    pending: list[tuple[Path, Path]] = []
    target = Path()
    try:
        for path, data in files.items() if isinstance(files, Mapping) else files:
            target = path
            if path.exists() and not path.is_file() and not path.is_dir():
                path.write_bytes(data)  # by this name: where /dev/stdout is a pipe, its real path is none
                continue
            final = real_path(path) if path.is_symlink() else path
            if final.is_dir():
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
            _make_folder(final.parent)
            # 40 characters of at most 4 bytes leave room for the rest of the name within 255 bytes.
            temporary = final.with_name(f".{final.name[:40]}.{secrets.token_hex(6)}.tmp")
            pending.append((temporary, final))
            with temporary.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        while pending:
            temporary, target = pending[0]
            temporary.replace(target)
            pending.pop(0)
    except OSError as error:
        raise cannot_write(target, error) from error
    finally:
        for temporary, _ in pending:
            with contextlib.suppress(OSError):  # the error that brought us here is the one to report
                temporary.unlink(missing_ok=True)


def _first_bytes(path: Path, count: int) -> bytes:
    with path.open("rb") as file:
        return file.read(count)


def _make_folder(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise OutputError(f"cannot use folder {printable(path)}: a file has that name; choose another one") from None


def cannot_write(path: Path, error: OSError) -> OutputError:
    """Return what to raise where a path cannot be written, with what to do about it."""
    remedy = _REMEDIES.get(error.errno or 0, f"{error.strerror or error}; choose another path")
    return OutputError(f"cannot write {printable(path)}: {printable(remedy)}")
