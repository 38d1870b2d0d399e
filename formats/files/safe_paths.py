"""Paths written in files from outside: they name files below a folder, and nothing else."""

import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")


def path_below(folder: Path, text: str, follow_links: bool, roots: Sequence[Path] = ()) -> Path | str:
    """Return the path of a file below a folder, or in a few words why there is none.

    Args:
        folder: that must not be left
        text: a relative path with slashes; untrusted
        follow_links: whether links may lead outside: those that users made themselves may, unpacked ones must not
        roots: further folders that users allow: what lies below them is no outside
    """
    problem = ""
    parts = PurePosixPath(text).parts
    if not text or "\0" in text or len(text) > 4096:
        problem = "is no file name"
    elif _SCHEME.match(text):
        problem = "is an address, not a file"
    elif "\\" in text:
        problem = "has a backslash; use /"
    elif text.startswith("/") and not roots:
        problem = "is an absolute path"
    elif ".." in parts and not roots:
        problem = "leads outside the folder"
    if problem:
        return problem
    path = folder.joinpath(*parts)
    try:
        if ".." in parts or text.startswith("/"):
            path = path.resolve()
            if not _is_below(path, [folder, *roots]):
                return "leads outside the folder and outside what is allowed"
        elif not follow_links and not _is_below(path, [folder, *roots]):
            return "is a link that leads outside the folder"
        if not path.is_file():
            return "does not exist" if not path.exists() else "is not a file"
    except (OSError, RuntimeError):  # a name too long, a circle of links
        return "cannot be found"
    return path


def _is_below(path: Path, folders: Sequence[Path]) -> bool:
    return any(path.resolve().is_relative_to(folder.resolve()) for folder in folders)
