"""The studio's own folders: one below the system's temporary folder, one in it for each visitor, none left behind.

A running studio holds a lock in its folder. One that was killed holds none, so the next to start removes what it left.
"""

import contextlib
import os
import re
import secrets
import shutil
import tempfile
from pathlib import Path
from types import TracebackType
from typing import IO, Final

_PREFIX: Final = "imagegs-tex-studio-"
_LOCK: Final = ".lock"
SENT: Final = "sent"
"""Where a visitor's folder has what was sent."""


class StudioFolders:
    """The folder of one running studio."""

    def __init__(self, parent: Path | None = None) -> None:
        home = Path(tempfile.gettempdir()) if parent is None else parent
        remove_abandoned(home)
        self.root = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=home)).resolve()
        self._lock = (self.root / _LOCK).open("w")
        _lock(self._lock)

    def visitor(self) -> Path:
        """Make a folder that nobody can guess the name of."""
        folder = self.root / secrets.token_urlsafe(16)
        folder.mkdir(mode=0o700)
        return folder

    def close(self) -> None:
        """Remove everything."""
        self._lock.close()
        shutil.rmtree(self.root, ignore_errors=True)

    def __enter__(self) -> "StudioFolders":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def without_place(message: str, home: Path) -> str:
    """Return a message without the place of a visitor's folder, which is nobody's business and helps nobody.

    Args:
        message: that may name files in it
        home: the visitor's folder; what was sent lies in numbered folders of its folder SENT
    """
    sent, own, divider = re.escape(str(home / SENT)), re.escape(str(home)), re.escape(os.sep)
    for folder in (rf"{sent}{divider}\d+", sent, own):  # a delivery's, of all of them, the visitor's
        message = re.sub(f"{folder}{divider}", "", message)
        message = re.sub(rf"{folder}(?!\w)", "what was sent", message)
    head, _, rest = message.partition(": ")
    return rest if rest.startswith(f"{head}: ") else message


def remove_abandoned(home: Path) -> list[Path]:
    """Remove the folders of studios that run no more, and return which they were."""
    removed = []
    for folder in sorted(home.glob(f"{_PREFIX}*")):
        if folder.is_symlink() or not folder.is_dir() or not _is_ours(folder):
            continue
        with contextlib.suppress(OSError):
            lock = (folder / _LOCK).open("r+")
            with lock:
                _lock(lock)  # an OSError where its studio runs
            shutil.rmtree(folder, ignore_errors=True)
            removed.append(folder)
    return removed


def _is_ours(folder: Path) -> bool:
    return not hasattr(os, "getuid") or folder.stat().st_uid == os.getuid()


def _lock(file: IO[str]) -> None:
    """Take the lock or raise OSError; the system gives it back when the process ends, however it ends."""
    if os.name == "nt":
        import msvcrt

        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]  # on Windows alone
        return
    import fcntl

    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
