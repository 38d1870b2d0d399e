"""Who has the page open: each visitor's folder, material, runs and pictures, which no other visitor can reach."""

import secrets
import shutil
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from imagegs_tex.formats.errors import UsageError
from imagegs_tex.formats.material.options import SourceOptions
from imagegs_tex.studio.corrections import MapCorrection
from imagegs_tex.studio.folders import SENT, StudioFolders, without_place
from imagegs_tex.studio.jobs import Job
from imagegs_tex.studio.limits import ABSENCE_SECONDS, MAX_RESULTS, MAX_VISITORS
from imagegs_tex.studio.live import Frame
from imagegs_tex.studio.markup import in_words_of_the_page
from imagegs_tex.studio.reading import Reading
from imagegs_tex.studio.results import Result
from imagegs_tex.studio.uploads import Inbox, Upload
from imagegs_tex.studio.work import Task


@dataclass(frozen=True, slots=True)
class Served:
    """Something that a visitor's browser may get: bytes in memory, or a file of the visitor's own folder."""

    content: bytes | Path
    media_type: str
    file_name: str = ""  # to save it as; "" to show it


@dataclass
class Visitor:
    """One open page."""

    token: str  # the secret in the addresses of what it may get
    folder: Path
    inbox: Inbox
    upload: Upload | None = None
    options: SourceOptions = field(default_factory=SourceOptions)
    corrections: dict[str, MapCorrection] = field(default_factory=dict)
    reading: Reading | None = None
    learnt: float | None = None  # of the material's last file, as .estimate has it; None: none was made
    problem: str = ""  # why the material cannot be used as it is said to be
    task: Task | None = None
    job: Job | None = None
    results: list[Result] = field(default_factory=list)
    served: dict[str, Served] = field(default_factory=dict)
    left_at: float | None = None  # since when nothing was heard of it
    seen_at: float = field(default_factory=time.monotonic)
    looking: int | None = None  # number of the frame that is looked back at; None: the newest
    live_map: int = 0  # which map the live pictures show
    shown_frame: Frame | None = None
    next_number: int = 1  # of the next run's first result
    lock: threading.Lock = field(default_factory=threading.Lock)  # held while the material is changed
    _count: int = 0
    _shown: dict[str, Any] = field(default_factory=dict)

    def address(self, name: str, served: Served) -> str:
        """Let the browser get something, and return where."""
        self.served[name] = served
        return f"studio/{self.token}/{name}"

    def told(self, message: object) -> str:
        """Return what the page says of an error or a remark."""
        return in_words_of_the_page(without_place(str(message), self.folder))

    def served_count(self) -> int:
        """Return a number that was not returned before, so that browsers take nothing for something older."""
        self._count += 1
        return self._count

    def changed(self, part: str, value: Any) -> Any:  # noqa: ANN401 - whatever a part of the page shows
        """Return what a part of the page is to show, or Gradio's word for leaving it as it is."""
        if self._shown.get(part, self) == value:
            return {"__type__": "update"}
        self._shown[part] = value
        return value

    def forget_shown(self, part: str) -> None:
        """Show a part anew, whatever it shows now."""
        self._shown.pop(part, None)

    def keep(self, results: Sequence[Result]) -> None:
        """Keep new results; the oldest make room."""
        self.results += results
        while len(self.results) > MAX_RESULTS:
            gone = self.results.pop(0)
            self.forget(f"result-{gone.number}-")
            shutil.rmtree(gone.file.parent, ignore_errors=True)

    def forget(self, prefix: str) -> None:
        """Take back what begins with a name."""
        for name in [name for name in self.served if name.startswith(prefix)]:
            del self.served[name]


class Visitors:
    """All open pages."""

    def __init__(self, folders: StudioFolders) -> None:
        self._folders = folders
        self._by_page: dict[str, Visitor] = {}
        self._by_token: dict[str, Visitor] = {}
        self._lock = threading.Lock()

    def of(self, page: str | None) -> Visitor:
        """Return the visitor of a page, a new one if it has none.

        Args:
            page: what Gradio calls the page; random, made by the browser

        Raises:
            UsageError: there is no page
        """
        if not page:
            raise UsageError("this needs the page; open it in a browser")
        with self._lock:
            found = self._by_page.get(page)
            if found is None:
                self._make_room()
                folder = self._folders.visitor()
                found = Visitor(secrets.token_urlsafe(24), folder, Inbox(folder / SENT))
                self._by_page[page] = self._by_token[found.token] = found
            found.left_at, found.seen_at = None, time.monotonic()
            return found

    @contextmanager
    def turn(self, page: str | None) -> Iterator[Visitor]:
        """Give the visitor of a page to one event after the other: what a visitor does to the material may not mix.

        Args and errors as of :meth:`of`.
        """
        visitor = self.of(page)
        with visitor.lock:
            yield visitor

    def with_token(self, token: str) -> Visitor | None:
        """Return the visitor whose secret is given."""
        with self._lock:
            return self._by_token.get(token)

    def leave(self, page: str | None) -> None:
        """Take note that a page was closed, or lost its connection."""
        with self._lock:
            found = self._by_page.get(page or "")
            if found is not None:
                found.left_at = time.monotonic()

    def sweep(self, absence: float = ABSENCE_SECONDS) -> int:
        """Remove everything of those that are gone, and return how many that were."""
        with self._lock:
            now = time.monotonic()
            gone = [
                page
                for page, each in self._by_page.items()
                if each.left_at is not None and now - each.left_at >= absence
            ]
            for page in gone:
                self._remove(page)
            return len(gone)

    @property
    def count(self) -> int:
        """Open pages."""
        return len(self._by_page)

    def _make_room(self) -> None:
        if len(self._by_page) >= MAX_VISITORS:
            idle = [page for page, each in self._by_page.items() if each.job is None or each.job.is_over]
            self._remove(min(idle or self._by_page, key=lambda page: self._by_page[page].seen_at))

    def _remove(self, page: str) -> None:
        visitor = self._by_page.pop(page)
        del self._by_token[visitor.token]
        if visitor.job is not None:
            visitor.job.abandoned.set()
        visitor.served.clear()
        shutil.rmtree(visitor.folder, ignore_errors=True)
