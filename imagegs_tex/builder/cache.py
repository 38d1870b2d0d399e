"""A folder that builds share, on one machine or many: what was made under each key.

::

    actions/ab/<key>.json     what lies under a key: facts, and of each file its name, size and SHA-256
    blobs/cd/<sha256>         contents, each once
    uses/<unique>.json        how often a build found what it looked for

Everything is written under another name and renamed, blobs before the action that names them, so readers see whole
entries or none, and two that write the same one write the same. What is read is checked; an entry that is damaged is no
entry.
"""

import hashlib
import json
import os
import secrets
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from imagegs_tex.formats.errors import OutputError
from imagegs_tex.formats.files.atomic_write import write_bytes
from imagegs_tex.formats.files.safe_names import printable

ACTIONS: Final = "actions"
BLOBS: Final = "blobs"
USES: Final = "uses"
MARK_FILE: Final = "imagegs-tex-build-cache.json"
_MARK_TEXT: Final = b'{"imagegs-tex build cache": 1}\n'
_HEX: Final = frozenset("0123456789abcdef")


@dataclass(frozen=True, slots=True)
class Made:
    """What was made under a key."""

    files: dict[str, bytes]  # contents by name: relative, with slashes
    facts: dict[str, object]  # JSON: what a report has of it


class Cache:
    """A shared folder of finished work; safe for many processes and hosts at once."""

    def __init__(self, folder: Path) -> None:
        """Open a cache, and make it if it is not there.

        Args:
            folder: the cache's own

        Raises:
            OutputError: it holds something else, or cannot be written
        """
        self.folder = folder
        mark = folder / MARK_FILE
        if not mark.exists():
            if folder.is_dir() and any(not _is_own(path.name) for path in folder.iterdir()):
                raise OutputError(f"{printable(folder)} is there already and is no build cache; give another folder")
            write_bytes(mark, _MARK_TEXT)
        self.hits = self.misses = self.damaged = self.unwritten = 0

    def load(self, key: str) -> Made | None:
        """Return what was made under a key, None where nothing whole is; an entry that is used is marked as such."""
        path = self._action(key)
        found = self._read(path, key)
        if found is None:
            self.misses += 1
            return None
        self.hits += 1
        with suppress(OSError):  # a cache that is only read serves as well
            os.utime(path)  # no time of ours: the file system's clock is the one that all hosts share
        return found

    def has(self, key: str) -> bool:
        """Whether something lies under a key; whether it is whole is seen when it is loaded."""
        return self._action(key).exists()

    def _read(self, path: Path, key: str) -> Made | None:
        try:
            data = path.read_bytes()
        except OSError:
            return None
        try:
            document = json.loads(data)
            body = document["body"]
            if document["sha256"] != _checksum(body) or body["key"] != key:
                raise ValueError("its checksum is another")
            files = {_relative(name): self._blob(entry["sha256"]) for name, entry in body["files"].items()}
            facts = dict(body["facts"])
        except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
            self.damaged += 1  # or its blob is gone: it is made anew, and written over this one
            return None
        return Made(files, facts)

    def _blob(self, digest: str) -> bytes:
        path = self._blob_path(digest)
        data = path.read_bytes()
        if hashlib.sha256(data).hexdigest() != digest:
            with suppress(OSError):
                path.unlink()  # or it would stand in the way of the whole one
            raise ValueError(f"{path} is damaged")
        return data

    def store(self, key: str, made: Made) -> None:
        """Keep what was made. A cache that is full or cannot be written is no error: the build goes on without."""
        try:
            entries = {}
            for name, data in made.files.items():
                digest = hashlib.sha256(data).hexdigest()
                entries[name] = {"sha256": digest, "bytes": len(data)}
                blob = self._blob_path(digest)
                if not blob.exists() or blob.stat().st_size != len(data):
                    write_bytes(blob, data)
                else:
                    os.utime(blob)  # it is wanted again: no collection takes it before the action is there
            body = {"key": key, "files": entries, "facts": made.facts}
            text = json.dumps({"sha256": _checksum(body), "body": body}, indent=1)
            write_bytes(self._action(key), text.encode())
        except (OutputError, OSError):
            self.unwritten += 1

    def note_use(self) -> None:
        """Write down what this build found, for the cache's statistics."""
        if self.hits + self.misses:
            text = json.dumps({"builds": 1, "hits": self.hits, "misses": self.misses, "damaged": self.damaged})
            with suppress(OutputError):
                write_bytes(self.folder / USES / f"{secrets.token_hex(8)}.json", text.encode())

    def _action(self, key: str) -> Path:
        return self.folder / ACTIONS / key[:2] / f"{key}.json"

    def _blob_path(self, digest: str) -> Path:
        if len(digest) != 64 or not _HEX.issuperset(digest):
            raise ValueError("no SHA-256")
        return self.folder / BLOBS / digest[:2] / digest


def _is_own(name: str) -> bool:
    """Whether a name is of a cache that another build is just making."""
    return name in {ACTIONS, BLOBS, USES, MARK_FILE} or name.startswith(f".{MARK_FILE[:8]}")


def _checksum(body: object) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def _relative(name: str) -> str:
    """Return a name that stays within its folder; ValueError for another: others write into the cache as well."""
    path = PurePosixPath(name)
    if not name or path.is_absolute() or ".." in path.parts or "\\" in name or "\0" in name:
        raise ValueError("a name that leads elsewhere")
    return name
