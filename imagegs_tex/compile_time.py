"""How long this process compiles kernels for the CPU, or waits for another process that does."""

from typing import Any, Final

from numba.core import event

COMPILING: Final = "numba:compile"
"""numba's own name for the event; within a kernel that is compiled, that of another one counts once."""
_events: Final[Any] = event  # numba declares no types
_listener: Final[Any] = _events.TimingListener()
_events.register(COMPILING, _listener)


def compiling_seconds() -> float:
    """Return the seconds since the process began."""
    return float(_listener.duration) if _listener.done else 0.0
