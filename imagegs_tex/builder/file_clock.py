"""The clock of a file system: the one that made its files' times, and that all hosts which share it have in common."""

import secrets
from pathlib import Path


def file_system_time(folder: Path) -> float:
    """Return the time in seconds by the clock of a folder's file system; OSError where it cannot be written.

    The name is one of :mod:`imagegs_tex.formats.files.atomic_write`'s: what a kill leaves goes with other leftovers.
    """
    probe = folder / f".now.{secrets.token_hex(6)}.tmp"
    try:
        probe.touch()
        return probe.stat().st_mtime
    finally:
        probe.unlink(missing_ok=True)
