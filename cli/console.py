"""Where tables go: as wide as COLUMNS or a terminal says, or as they are when another program reads them."""

import os
import shutil
import sys

from rich.console import Console
from rich.markup import escape

from imagegs_tex.formats.files.safe_names import printable

_UNWRAPPED = 10_000  # columns; tables take only what they need


def make_console() -> Console:
    """Return a console on stdout that wraps lines in a terminal, and elsewhere where COLUMNS is set."""
    if sys.stdout is not None and sys.stdout.isatty():
        return Console(highlight=False, width=shutil.get_terminal_size().columns)  # rich writes nothing at COLUMNS=0
    return Console(highlight=False, width=_asked_width() or _UNWRAPPED)


def _asked_width() -> int:
    """Return what COLUMNS says; 0 where it says nothing. Shells set it, but do not export it by themselves."""
    try:
        return max(0, int(os.environ.get("COLUMNS", "")))
    except ValueError:
        return 0


def plain(value: object) -> str:
    """Return text from outside so that a console prints it as it is, and in one line."""
    return escape(printable(value))


def kernels(gaussians: int, exact: bool) -> str:
    """Say what a file holds its maps as."""
    return "exact samples" if exact else f"{gaussians:,} Gaussian{'' if gaussians == 1 else 's'}"
