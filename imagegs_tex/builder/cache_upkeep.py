"""What lies in a cache, how often it helped, and how it is kept small."""

import json
import secrets
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from imagegs_tex.builder.cache import ACTIONS, BLOBS, MARK_FILE, USES
from imagegs_tex.builder.file_clock import file_system_time
from imagegs_tex.formats.errors import InputError, OutputError
from imagegs_tex.formats.files.atomic_write import cannot_write, write_bytes
from imagegs_tex.formats.files.safe_names import printable

_GRACE_SECONDS: Final = 3600.0
"""For which a file that nothing refers to stays: whoever has just written it will write what refers to it."""


@dataclass(frozen=True, slots=True)
class CacheReport:
    """A cache, after what was done with it."""

    entries: int  # actions: compressions and products
    bytes: int  # of their files, each once, and of the entries themselves
    builds: int  # since the cache began
    hits: int
    misses: int
    damaged: int  # entries that were found to be so, and made anew
    waiting_bytes: int  # of files that nothing refers to; a collection takes them when they are an hour old
    removed_entries: int = 0
    removed_bytes: int = 0


@dataclass(frozen=True, slots=True)
class _Action:
    path: Path
    used: float  # by the file system's clock
    size: int
    blobs: dict[str, int]  # sizes by hash


def examine_cache(folder: Path) -> CacheReport:
    """Say what a cache holds; InputError when there is none."""
    _check(folder)
    actions = list(_actions(folder))
    blobs = {digest: size for action in actions for digest, size in action.blobs.items()}
    waiting = 0
    for path in (folder / BLOBS).glob("*/*"):
        with suppress(FileNotFoundError):
            waiting += path.stat().st_size if path.name not in blobs else 0
    return _report(folder, actions, sum(blobs.values()) + sum(action.size for action in actions), waiting)


def collect_garbage(folder: Path, most_bytes: int) -> CacheReport:
    """Remove what was not used for longest, until the rest has so many bytes at most.

    Other builds may use the cache meanwhile: what they look for and is gone, they make.

    Args:
        folder: the cache
        most_bytes: that are to stay

    Raises:
        InputError: there is no such cache
        OutputError: something cannot be removed
    """
    _check(folder)
    now = _now(folder)
    kept: list[_Action] = []
    wanted: set[str] = set()
    size = removed = removed_bytes = waiting = 0
    for action in sorted(_actions(folder), key=lambda action: (-action.used, action.path.name)):
        more = action.size + sum(length for digest, length in action.blobs.items() if digest not in wanted)
        if not removed and size + more <= most_bytes:
            size += more
            wanted.update(action.blobs)
            kept.append(action)
        else:
            removed += 1
            removed_bytes += _remove(action.path)
    for path in (folder / BLOBS).glob("*/*"):
        with suppress(FileNotFoundError):
            if path.name in wanted:
                continue
            state = path.stat()
            if now - state.st_mtime > _GRACE_SECONDS:
                removed_bytes += _remove(path)
            else:
                waiting += state.st_size
    for path in [*(folder / ACTIONS).glob("*/.*.tmp"), *folder.glob("*/.*.tmp")]:  # of a build that was killed
        with suppress(FileNotFoundError):
            if now - path.stat().st_mtime > _GRACE_SECONDS:
                removed_bytes += _remove(path)
    _fold_uses(folder)
    return _report(folder, kept, size, waiting, removed, removed_bytes)


def _check(folder: Path) -> None:
    if not (folder / MARK_FILE).is_file():
        raise InputError(f"{printable(folder)} is no build cache; give the folder that a build had as --cache")


def _actions(folder: Path) -> Iterator[_Action]:
    for path in (folder / ACTIONS).glob("*/*.json"):
        blobs: dict[str, int] = {}
        try:
            state = path.stat()
            entries = json.loads(path.read_bytes())["body"]["files"].values()
            blobs = {str(entry["sha256"]): int(entry["bytes"]) for entry in entries}
        except FileNotFoundError:  # another collection
            continue
        except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
            pass  # damaged: it has no files, and goes when its time has come
        yield _Action(path, state.st_mtime, state.st_size, blobs)


def _remove(path: Path) -> int:
    try:
        size = path.stat().st_size
        path.unlink()
    except FileNotFoundError:
        return 0
    except OSError as error:
        raise OutputError(f"cannot remove {printable(path)}: {error.strerror}; change its permissions") from None
    return size


def _now(folder: Path) -> float:
    try:
        return file_system_time(folder)
    except OSError as error:
        raise cannot_write(folder, error) from None


def _uses(folder: Path) -> tuple[dict[str, int], list[Path]]:
    total = dict.fromkeys(("builds", "hits", "misses", "damaged"), 0)
    paths = []
    for path in sorted((folder / USES).glob("*.json")):
        with suppress(OSError, ValueError, TypeError, AttributeError, LookupError):
            read = json.loads(path.read_bytes())
            own = {name: int(read[name]) for name in total}
            total = {name: value + own[name] for name, value in total.items()}
            paths.append(path)
    return total, paths


def _fold_uses(folder: Path) -> None:
    """Put the notes of many builds into one."""
    total, paths = _uses(folder)
    if len(paths) > 1:
        write_bytes(folder / USES / f"{secrets.token_hex(8)}.json", json.dumps(total).encode())
        for path in paths:
            _remove(path)


def _report(
    folder: Path, actions: list[_Action], size: int, waiting: int, removed: int = 0, removed_bytes: int = 0
) -> CacheReport:  # fmt: skip
    uses, _ = _uses(folder)
    return CacheReport(
        len(actions), size, uses["builds"], uses["hits"], uses["misses"], uses["damaged"], waiting, removed,
        removed_bytes,
    )  # fmt: skip
