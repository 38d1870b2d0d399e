"""Write a decoder's files, and say which decoders in the same folder no longer fit the buffer there."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from imagegs_tex.formats.files.atomic_write import write_files
from imagegs_tex.formats.files.safe_names import printable
from imagegs_tex.shaders.emitted_names import BUFFER_FILE
from imagegs_tex.shaders.include_text import HLSL_INCLUDE, STORAGE_INCLUDE, TEXTURE_INCLUDE, WGSL_INCLUDE
from imagegs_tex.shaders.prefix import with_prefix

_INCLUDES: Final = (STORAGE_INCLUDE, TEXTURE_INCLUDE, HLSL_INCLUDE, WGSL_INCLUDE)
_logger: Final = logging.getLogger("imagegs_tex")


def write_decoder(folder: Path, files: Mapping[str, bytes], prefix: str) -> list[Path]:
    """Write files into a folder, all or none, and return their paths.

    Args:
        folder: created when missing; files of these names are replaced
        files: bytes by name
        prefix: of the names

    Raises:
        OutputError: a file cannot be written
    """
    buffer = with_prefix(BUFFER_FILE, prefix)
    others = [name for name in (with_prefix(each, prefix) for each in _INCLUDES) if name not in files]
    unfit = [name for name in others if (folder / name).is_file()] if _replaces(folder / buffer, files) else []
    paths = {folder / name: data for name, data in files.items()}
    write_files(paths)
    for name in unfit:
        _logger.warning(
            "%s was made for another %s than the one that is there now; emit it again, too",
            printable(folder / name), buffer,
        )  # fmt: skip
    return list(paths)


def _replaces(buffer: Path, files: Mapping[str, bytes]) -> bool:
    """Whether there is a buffer of other bytes than what will be written."""
    new = files.get(buffer.name)
    try:
        return new is not None and buffer.read_bytes() != new
    except OSError:  # there is none; what is in the way is said when it is written
        return False
