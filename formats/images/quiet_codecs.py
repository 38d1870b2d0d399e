"""Codecs that say nothing while threads read: libpng and libtiff print to stderr, OpenEXR through Python's print."""

import contextlib
import os
import sys
import threading
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TextIO, cast

from PIL import Image

from imagegs_tex.formats.vocabulary import MAX_SIZE

_STDERR: Final = 2


@dataclass(slots=True)
class _AtWork:
    """Which threads read, and what the last of them leaves as it was."""

    changing: threading.Lock = field(default_factory=threading.Lock)
    readers: list[int] = field(default_factory=list)
    cleanup: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)


_at_work: Final = _AtWork()


class _OfOthers:
    """Stdout or stderr, which takes nothing from threads that read, and passes on what others write."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._changing = threading.Lock()
        self._instead: int | None = None

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the stream has
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write what no reading thread says."""
        if threading.get_ident() in _at_work.readers:
            return len(text)
        with self._changing:
            if self._instead is None:
                return self._stream.write(text)
            data = text.encode(self._stream.encoding or "utf-8", "backslashreplace")
            while data:
                data = data[os.write(self._instead, data) :]
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write them one by one."""
        for line in lines:
            self.write(line)

    def pass_to(self, file: int | None) -> None:
        """Write to an open file by its number in place of the stream, or to the stream again."""
        with self._changing:
            self._stream.flush()
            self._instead = file


@contextmanager
def codecs_at_work() -> Iterator[None]:
    """Keep codecs quiet and let Pillow open what we accept, as long as any thread reads: both are the whole process's.

    What other threads print meanwhile is printed. Pillow's own limit is below 16384², and
    :func:`~imagegs_tex.formats.images.picture.check_size` stands in for it.
    """
    with _at_work.changing:
        if not _at_work.readers:
            with contextlib.ExitStack() as entered:
                entered.enter_context(_quiet())
                entered.callback(setattr, Image, "MAX_IMAGE_PIXELS", Image.MAX_IMAGE_PIXELS)
                Image.MAX_IMAGE_PIXELS = MAX_SIZE * MAX_SIZE
                _at_work.cleanup = entered.pop_all()
        _at_work.readers.append(threading.get_ident())
    try:
        yield
    finally:
        with _at_work.changing:
            _at_work.readers.remove(threading.get_ident())
            if not _at_work.readers:
                _at_work.cleanup.close()


@contextmanager
def _quiet() -> Iterator[None]:
    with contextlib.ExitStack() as cleanup, warnings.catch_warnings(), Path(os.devnull).open("w") as nothing:
        warnings.simplefilter("ignore")  # Pillow warns about damaged metadata
        if sys.stdout is not None:
            cleanup.enter_context(contextlib.redirect_stdout(cast("TextIO", _OfOthers(sys.stdout))))
        with contextlib.suppress(OSError):  # no stderr at all
            saved = os.dup(_STDERR)
            cleanup.callback(os.close, saved)
            if _is_stderr(sys.stderr):
                others = _OfOthers(sys.stderr)
                others.pass_to(saved)
                cleanup.callback(others.pass_to, None)
                cleanup.enter_context(contextlib.redirect_stderr(cast("TextIO", others)))
            cleanup.callback(os.dup2, saved, _STDERR)
            os.dup2(nothing.fileno(), _STDERR)
        yield


def _is_stderr(stream: TextIO | None) -> bool:
    try:
        return stream is not None and stream.fileno() == _STDERR
    except (OSError, ValueError):  # it has no number, or is closed
        return False
