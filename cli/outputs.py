"""Where results go: what ``-o`` and ``--report`` mean, decided before any work is done."""

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from imagegs_tex.formats.errors import OutputError, UsageError
from imagegs_tex.formats.files.safe_names import printable

STANDARD_OUTPUT: Final = Path("-")
_TEXTURES: Final = frozenset({".dds", ".ktx", ".ktx2"})
_IMAGES: Final = frozenset(
    {".png", ".jpg", ".jpeg", ".tga", ".tif", ".tiff", ".bmp", ".gif", ".webp", ".exr", ".hdr", ".psd", ".jp2", ".avif"}
)
_SHADERS: Final = frozenset({".glsl", ".hlsl", ".frag", ".vert", ".comp", ".h"})


def igs_path(text: str, source: Path, *, many: bool = False) -> Path:
    """Return the .igs file that ``-o`` means: a folder gets one with the source's name.

    Args:
        text: as given; "-" is standard output
        source: what is compressed
        many: whether there may be several files, so that what has no .igs suffix is a folder and is returned as it is

    Raises:
        UsageError: the suffix is that of another kind of file
    """
    path = Path(text)
    if path == STANDARD_OUTPUT:
        return path
    suffix = path.suffix.lower()
    folder = _is_folder(text)
    if (not folder and suffix == ".igs") or (path.exists() and not path.is_dir() and not path.is_file()):
        return path
    if not folder and suffix in _TEXTURES | _IMAGES | _SHADERS | {".json"}:
        raise UsageError(f"-o {printable(text)}: compress writes .igs files; {_instead(path)}")
    if many:
        return path
    if folder or not suffix:
        return path / f"{source.resolve().name if source.is_dir() else source.stem}.igs"
    raise UsageError(f"-o {printable(text)}: end it in .igs for a file, or in / for a folder")


def folder_path(text: str, command: str, formats: Iterable[str] = ()) -> Path:
    """Return the folder that ``-o`` means.

    Args:
        text: as given
        command: that writes into it
        formats: that the command's --format knows

    Raises:
        UsageError: it is standard output, or has the suffix of a file
    """
    path = Path(text)
    if path == STANDARD_OUTPUT:
        raise UsageError(f"-o -: {command} writes several files, not standard output; give -o DIR")
    if not _is_folder(text) and path.suffix.lower() in _TEXTURES | _IMAGES | _SHADERS | {".igs", ".json"}:
        wanted = printable(path.with_suffix(""))
        suffix = path.suffix.lower().removeprefix(".")
        hint = f" --format {suffix}" if suffix in {str(name) for name in formats} else ""
        raise UsageError(f"-o {printable(text)}: {command} writes into a folder; give -o {wanted}{hint}")
    return path


def check_report(path: Path | None) -> None:
    """Refuse, before the work, a report that cannot be written."""
    from imagegs_tex.formats.files.atomic_write import JSON_BEGINNING, check_writable

    if path is not None and path != STANDARD_OUTPUT:
        check_writable(path, JSON_BEGINNING)


def write_report(path: Path | None, text: str) -> None:
    """Write a report where it was asked for."""
    from imagegs_tex.formats.files.atomic_write import write_bytes

    if path == STANDARD_OUTPUT:
        print(text, end="", flush=True)
    elif path is not None:
        write_bytes(path, text.encode())


def check_pipe() -> None:
    """Refuse to write an .igs file to a terminal."""
    if sys.stdout is None or sys.stdout.isatty():
        raise OutputError("-o -: standard output is a terminal; send it to a file or a program, or give -o FILE.igs")


def write_to_pipe(data: bytes) -> None:
    """Write bytes to standard output."""
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def _is_folder(text: str) -> bool:
    return text.endswith(("/", os.sep)) or Path(text).is_dir()


def _instead(path: Path) -> str:
    """Say which command makes a kind of file."""
    suffix, name = path.suffix.lower(), printable(path.with_suffix(""))
    begin = f"give -o {name}.igs"
    if suffix in _TEXTURES:
        kind = "dds" if suffix == ".dds" else "ktx2"
        return f"{begin}, then: imagegs-tex export {name}.igs -o {name} --format {kind}"
    if suffix in _IMAGES:
        return f"{begin}, then: imagegs-tex decode {name}.igs -o {name}"
    if suffix in _SHADERS:
        return f"{begin}, then: imagegs-tex emit {name}.igs -o {name}"
    return f"{begin}; for a report --report {printable(path)}, for a manifest --save-manifest {printable(path)}"
