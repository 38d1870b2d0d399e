"""Compiled kernels kept between processes, in the user's own cache folder.

Compiling takes one to three seconds a process, more than fitting a material. A file is written under another name and
renamed, and begins with the digest of its content, so that neither a full disk nor a second process leaves half of one
that is used. Where the folder cannot be used, kernels are compiled.
"""

import hashlib
import os
import sys
import tempfile
from pathlib import Path

_DIGEST_BYTES = 32


def folder() -> Path:
    """Return where compiled kernels lie."""
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or str(Path.home() / "AppData" / "Local")
    else:
        base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "imagegs-tex" / "kernels"


def read(name: str) -> bytes | None:
    """Return a kernel's code, or None if there is none that is whole."""
    try:
        content = (folder() / f"{name}.cubin").read_bytes()
    except (OSError, RuntimeError):  # no home folder is a RuntimeError
        return None
    digest, code = content[:_DIGEST_BYTES], content[_DIGEST_BYTES:]
    return code if hashlib.sha256(code).digest() == digest else None


def write(name: str, code: bytes) -> None:
    """Keep a kernel's code, if that is possible."""
    try:
        folder().mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, path = tempfile.mkstemp(dir=folder())
        with os.fdopen(handle, "wb") as file:
            file.write(hashlib.sha256(code).digest() + code)
        Path(path).replace(folder() / f"{name}.cubin")
    except (OSError, RuntimeError):
        return
