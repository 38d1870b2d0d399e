"""Compiled CUDA kernels kept between processes, beside numba's.

Compiling takes one to three seconds a process, more than fitting a material. A file is written under another name and
renamed, and begins with the digest of its content, so that neither a full disk nor a second process leaves half of one
that is used. Where the folder cannot be used, kernels are compiled.
"""

import hashlib
import os
import tempfile
from pathlib import Path

from imagegs_tex.kernel_cache import kernel_folder

_DIGEST_BYTES = 32


def read(name: str) -> bytes | None:
    """Return a kernel's code, or None if there is none that is whole."""
    folder = kernel_folder().path
    try:
        content = b"" if folder is None else (folder / f"{name}.cubin").read_bytes()
    except OSError:
        return None
    digest, code = content[:_DIGEST_BYTES], content[_DIGEST_BYTES:]
    return code if hashlib.sha256(code).digest() == digest else None


def write(name: str, code: bytes) -> None:
    """Keep a kernel's code, if that is possible."""
    folder = kernel_folder().path
    if folder is None:
        return
    try:
        handle, path = tempfile.mkstemp(dir=folder)
        with os.fdopen(handle, "wb") as file:
            file.write(hashlib.sha256(code).digest() + code)
        Path(path).replace(folder / f"{name}.cubin")
    except OSError:
        return
