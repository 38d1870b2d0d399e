"""What tells a file from every other: its SHA-256."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from imagegs_tex.formats.errors import InputError
from imagegs_tex.formats.files.safe_names import printable


@dataclass(frozen=True, slots=True)
class HashedFile:
    """A file as a report names it."""

    name: str  # printable, without its folder
    bytes: int
    sha256: str  # of the whole content, 64 hexadecimal digits


def hash_file(path: Path) -> HashedFile:
    """Hash a file without holding it in memory; InputError when it cannot be read."""
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256")
            return HashedFile(printable(path.name), file.tell(), digest.hexdigest())
    except OSError as error:
        raise InputError(f"{printable(path)} cannot be read ({printable(error.strerror)}); check it") from None


def hash_bytes(name: str, data: bytes) -> HashedFile:
    """Hash what lies inside another file.

    Args:
        name: what to call it; untrusted
        data: its content
    """
    return HashedFile(printable(name), len(data), hashlib.sha256(data).hexdigest())
