"""How much memory there is for this process."""

import os
from pathlib import Path
from typing import Final

_LIMITS: Final = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


def machine_bytes() -> int | None:
    """Return the memory that this process may have, the machine's with its swap or its container's; None: unknown."""
    try:
        there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") + _swap_bytes()
    except (AttributeError, OSError, ValueError):
        return None
    limits = [int(text) for text in map(_text_of, _LIMITS) if text.isdecimal()]
    return min([there, *limits])


def _swap_bytes() -> int:
    lines = _text_of(Path("/proc/meminfo")).splitlines()
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("SwapTotal:"))


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""
