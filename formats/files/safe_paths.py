"""Paths written in files from outside: they name files below a folder, and nothing else."""

import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Final

_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_DRIVE: Final = re.compile(r"[A-Za-z]:/")


def path_below(folder: Path, text: str, follow_links: bool, roots: Sequence[Path] = ()) -> Path | str:
    """Return the path of a file below a folder, or in a few words why there is none.

    Args:
        folder: that must not be left
        text: a relative path with slashes; untrusted
        follow_links: whether links may lead outside: those that users made themselves may, unpacked ones must not;
            with ".." in the path they never may
        roots: further folders that users allow: what lies below them is no outside
    """
    problem = ""
    parts = PurePosixPath(text).parts
    if not text or "\0" in text or len(text) > 4096:
        problem = "is no file name"
    elif _DRIVE.match(text) or (text.startswith("/") and not roots):
        problem = "is an absolute path"
    elif _SCHEME.match(text):
        problem = "is an address, not a file"
    elif "\\" in text:
        problem = "has a backslash; use /"
    if problem:
        return problem
    path = folder.joinpath(*parts)
    try:
        if ".." in parts or text.startswith("/"):
            path = path.resolve()
            if not _is_below(path, [folder, *roots]):
                return f"leads outside the folder{' and outside what is allowed' if roots else ''}"
        elif not follow_links and not _is_below(path, [folder, *roots]):
            return "is a link that leads outside the folder"
        if not path.is_file():
            return "does not exist" if not path.exists() else "is not a file"
    except (OSError, RuntimeError):  # a name too long, a circle of links
        return "cannot be found"
    return path


def spelled_otherwise(folder: Path, text: str) -> str | None:
    """Return the path of the one file below a folder that a path names but for capitals and Unicode form, or None.

    Where assets are made (Windows, macOS) they name the same file.

    Args:
        folder: that must not be left
        text: a relative path with slashes, which leads to no file; untrusted
    """
    found = []
    try:
        for part in PurePosixPath(text).parts:
            names = [entry.name for entry in folder.iterdir() if _alike(entry.name) == _alike(part)]
            name = part if part in names else names[0] if len(names) == 1 else ""
            if not name or part in {"..", "/"}:
                return None
            found.append(name)
            folder /= name
    except OSError:
        return None
    return "/".join(found) or None


def _alike(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _is_below(path: Path, folders: Sequence[Path]) -> bool:
    return any(path.resolve().is_relative_to(folder.resolve()) for folder in folders)
