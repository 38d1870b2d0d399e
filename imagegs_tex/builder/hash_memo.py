"""SHA-256 of files, remembered by what the file system says of them, so that a second build reads nothing."""

import json
import os
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Final

from imagegs_tex.formats.errors import ImageGSTexError
from imagegs_tex.formats.files.atomic_write import write_bytes
from imagegs_tex.formats.files.file_hash import hash_file

_FRESH: Final = 2_000_000_000
"""Nanoseconds within which a file could change once more without its times showing it: not remembered that soon."""
_THREADS: Final = 8  # of a network's file system one alone waits most of the time


class HashMemo:
    """Hashes by device, inode, size and times: a file that is renamed, or reached by another path, keeps its own.

    The time of the last change of the inode counts too: tools that copy files set the other one back.
    """

    def __init__(self, path: Path) -> None:
        """Read what an earlier build remembered; a file that is damaged or not there remembers nothing."""
        self._path = path
        self._known: dict[str, str] = {}
        self._used: dict[str, str] = {}
        self._written = b""
        with suppress(OSError, ValueError):
            self._written = path.read_bytes()
            read = json.loads(self._written)
            if isinstance(read, dict):
                self._known = {str(key): str(value) for key, value in read.items()}
        self.read_count = 0  # files that had to be read

    def sha256(self, path: Path) -> str:
        """Return a file's SHA-256 in hexadecimal; InputError when it cannot be read, or changes while it is."""
        try:
            before = _state(path)
        except OSError:
            return hash_file(path).sha256  # which says what is wrong
        known = self._used.get(before) or self._known.get(before)
        if known is None:
            self.read_count += 1
            known = hash_file(path).sha256
            changed = path.stat()
            if _key(changed) != before or time.time_ns() - max(changed.st_mtime_ns, changed.st_ctime_ns) < _FRESH:
                return known
        self._used[before] = known
        return known

    def hash_all(self, paths: Iterable[Path]) -> None:
        """Hash files side by side; those that cannot be read are left for who asks for them."""

        def remember(path: Path) -> None:
            with suppress(ImageGSTexError, OSError):
                self.sha256(path)

        unknown = [path for path in paths if not self._is_known(path)]
        if unknown:
            with ThreadPoolExecutor(_THREADS) as pool:
                list(pool.map(remember, unknown))

    def _is_known(self, path: Path) -> bool:
        try:
            state = _state(path)
        except OSError:
            return True
        known = self._known.get(state)
        if known is not None:
            self._used[state] = known
        return state in self._used

    def save(self) -> None:
        """Write down what was asked for since; what was not is forgotten."""
        data = json.dumps(self._used, sort_keys=True, separators=(",", ":")).encode()
        if data != self._written:
            write_bytes(self._path, data)


def _state(path: Path) -> str:
    return _key(path.stat())


def _key(state: os.stat_result) -> str:
    return f"{state.st_dev}:{state.st_ino}:{state.st_size}:{state.st_mtime_ns}:{state.st_ctime_ns}"
