"""Where tables go: as wide as a terminal, or as they are when another program reads them."""

import sys

from rich.console import Console
from rich.markup import escape

from imagegs_tex.formats.files.safe_names import printable

_UNWRAPPED = 10_000  # columns; tables take only what they need


def make_console() -> Console:
    """Return a console on stdout that wraps lines in a terminal alone."""
    is_terminal = sys.stdout is not None and sys.stdout.isatty()
    return Console(highlight=False, width=None if is_terminal else _UNWRAPPED)


def plain(value: object) -> str:
    """Return text from outside so that a console prints it as it is, and in one line."""
    return escape(printable(value))


def kernels(gaussians: int, exact: bool) -> str:
    """Say what a file holds its maps as."""
    return "exact samples" if exact else f"{gaussians:,} Gaussian{'' if gaussians == 1 else 's'}"
