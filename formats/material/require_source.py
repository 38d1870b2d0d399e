"""Whether there is anything to read, asked before the readers are loaded, which takes seconds."""

from pathlib import Path

from imagegs_tex.formats.errors import InputError
from imagegs_tex.formats.files.safe_names import printable


def require_source(path: Path) -> None:
    """Raise InputError where neither a folder nor a file has this path."""
    try:
        is_there = path.exists()
    except OSError:
        return  # whoever opens it says why it cannot be
    if not is_there:
        raise InputError(f"{printable(path)} does not exist; give a folder of maps, an image, a manifest or a glTF")
