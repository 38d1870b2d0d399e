"""What the library's log says, as lines on stderr, unless --quiet."""

import logging
import sys

from imagegs_tex.cli import state
from imagegs_tex.formats.files.safe_names import printable


class _OnStderr(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        if not state.quiet and sys.stderr is not None:
            print(f"imagegs-tex: {printable(record.getMessage())}", file=sys.stderr, flush=True)


def show_notices() -> None:
    """Have notices of the library printed, whatever the process did with its log before."""
    logger = logging.getLogger("imagegs_tex")
    if not any(isinstance(handler, _OnStderr) for handler in logger.handlers):
        logger.addHandler(_OnStderr())
        logger.setLevel(logging.INFO)
        logger.propagate = False
