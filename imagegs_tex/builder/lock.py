"""One build at a time in an output folder, also when the one before was killed or another host has it."""

import fcntl
import json
import os
import secrets
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from imagegs_tex.builder.file_clock import file_system_time
from imagegs_tex.formats.errors import OutputError
from imagegs_tex.formats.files.atomic_write import cannot_write
from imagegs_tex.formats.files.safe_names import printable

_BEAT_SECONDS: Final = 10.0
_STALE_SECONDS: Final = 120.0
"""Without a sign of life from another host; of this one the process itself is looked for."""


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder.

    Args:
        folder: where the lock's files lie; it is there

    Raises:
        OutputError: another build has it (with its owner and age), or the folder cannot be written
    """
    path, token = folder / "lock", secrets.token_hex(8)
    try:
        with (folder / "lock.guard").open("a") as guard:
            fcntl.flock(guard, fcntl.LOCK_EX)  # two that find the same stale lock must not both take it
            owner = _owner(path)
            if owner is not None:
                raise OutputError(owner)
            text = {
                "host": socket.gethostname(), "pid": os.getpid(), "began": _began(os.getpid()), "token": token,
                "since": file_system_time(folder),
            }  # fmt: skip
            path.write_text(json.dumps(text), encoding="utf-8")
    except OSError as error:
        raise cannot_write(path, error) from None
    ended = threading.Event()
    beat = threading.Thread(target=_beat, args=(path, ended), daemon=True)
    beat.start()
    try:
        yield
    finally:
        ended.set()
        beat.join()
        with suppress(OSError, ValueError):
            if json.loads(path.read_text(encoding="utf-8")).get("token") == token:
                path.unlink()


def _beat(path: Path, ended: threading.Event) -> None:
    while not ended.wait(_BEAT_SECONDS):
        with suppress(OSError):
            os.utime(path)


def _owner(path: Path) -> str | None:
    """Return who has a lock, for a message; None where nobody has it, or its owner is gone."""
    try:
        state = path.stat()
        found = json.loads(path.read_text(encoding="utf-8"))
        host, pid, began, since = str(found["host"]), int(found["pid"]), found["began"], float(found["since"])
    except FileNotFoundError:
        return None
    except (ValueError, LookupError, TypeError):
        return None  # its writer was killed before it had written: nobody else writes it
    now = file_system_time(path.parent)
    silent = now - state.st_mtime
    if host == socket.gethostname():
        if _began(pid) != began or began is None:
            return None
        alive = f"process {pid} of this machine"
    elif silent > _STALE_SECONDS:
        return None
    else:
        alive = f"process {pid} on {printable(host)}, alive {max(0, silent):.0f} s ago"
    return (
        f"{printable(path.parent.parent)} has been built for {max(0, now - since):.0f} s by {alive}; wait for it, or "
        f"remove {printable(path)} if that is not so"
    )


def _began(pid: int) -> str | None:
    """Return when a process began, in whatever unit: a number that is given out anew belongs to another. None: gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        return text.rpartition(")")[2].split()[19]  # proc(5): field 22, after a name that may hold anything
    except OSError:
        pass
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        return "there"
    return None if Path("/proc/self").exists() else "there"
