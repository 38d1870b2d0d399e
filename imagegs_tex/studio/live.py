"""Pictures of a fit while it runs: made beside it, seldom enough that it hardly takes longer.

The fit hands over a snapshot and goes on; a thread of its own draws it where it is time for one, and none otherwise.
"""

import io
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from PIL import Image

from imagegs_tex.decoder.render import render_snapshot_channels
from imagegs_tex.encoder.snapshot_size import Spread, snapshot_bytes, spread_of
from imagegs_tex.fit.control import FitSnapshot
from imagegs_tex.formats.material.stack import TextureStack, expand_map, source_map
from imagegs_tex.formats.vocabulary import TextureMap
from imagegs_tex.pictures.display import Rgb, show_map
from imagegs_tex.pictures.error_map import error_map, fitting_gain, show_error
from imagegs_tex.pictures.gaussian_field import gaussian_field, show_numbers
from imagegs_tex.pictures.gaussians import draw_ellipses, ellipses_of, evenly_chosen
from imagegs_tex.pictures.reduce import enlarged, mean_of_blocks, reduction_for
from imagegs_tex.rasterize.backend import Backend
from imagegs_tex.settings import Precision
from imagegs_tex.studio.jobs import without_closest
from imagegs_tex.studio.live_budget import TimeTaken, is_due

_log = logging.getLogger("imagegs_tex.studio")
SHOWN_SIDE: Final = 320
"""Longest side of a live picture, in pixels."""
_FRAMES: Final = 48
"""Most steps that are kept to look back at."""
_GAUSSIANS_EVERY: Final = 3
"""Frames from one drawing of the Gaussians to the next: they take twice as long as the map and its error."""
_ELLIPSES: Final = 300
"""That are drawn of the Gaussians: as many as can be told apart in a small picture."""
_QUALITY: Final = 85


@dataclass(frozen=True, slots=True)
class Frame:
    """A fit at one step."""

    number: int
    fit: int  # which of a search
    phase: str
    step: int
    steps: int
    psnr_db: float
    gaussians: int
    file_bytes: int | None  # about, of a file of the fit as it is; None: not known
    map_name: str
    error_words: str  # what the brightest colour of the error stands for
    pictures: dict[str, bytes]  # WebP, by the keys of KINDS

    @property
    def moment(self) -> tuple[int, int]:
        """Which step of which fit it shows."""
        return self.fit, self.step


KINDS: Final = {
    "decode": "The picture so far",
    "error": "How far it is from the source",
    "ellipses": "Some of the Gaussians",
    "numbers": "All of them, each in its own colour",
}
"""The live pictures, with what is written above them."""


class LivePictures:
    """Draws snapshots of one run."""

    def __init__(
        self,
        stack: TextureStack,
        backend: Backend,
        precision: Precision,
        on_size: Callable[[str, int], None] | None = None,
    ) -> None:
        """Begin.

        Args:
            stack: the material
            backend: of one thread, as the fit has the others
            precision: of the file that is made
            on_size: called with the phase of each picture and about how many bytes a file of the fit would take
        """
        self.maps = stack.maps
        self._precision, self._on_size = precision, on_size
        self._spread: Spread | None = None
        self.chosen = 0  # which map is shown; the page changes it
        self.frames: list[Frame] = []
        self._stack, self._backend = stack, backend
        self._next: FitSnapshot | None = None  # the one that is drawn, or about to be
        self._latest: FitSnapshot | None = None  # that was offered
        self._awake = threading.Condition()
        self._is_closed = False
        self._began, self._last_began = _now(), 0.0
        self._drawing, self._drawn = TimeTaken(0, 0), 0
        self._thread = threading.Thread(target=self._loop, name="studio-pictures", daemon=True)
        self._thread.start()

    def offer(self, snapshot: FitSnapshot) -> None:
        """Have a snapshot drawn if it is time for one."""
        with self._awake:
            self._latest = snapshot
            if self._next is None and self._is_due():
                self._next = snapshot
                self._awake.notify()

    def draw_last(self) -> None:
        """Draw what was offered last, once a fit is over: its end is what is looked at longest."""
        with self._awake:
            while self._next is not None:
                self._awake.wait()
            last, self._latest = self._latest, None
            if last is not None and (not self.frames or (last.fit, last.step) != self.frames[-1].moment):
                self._draw(last, with_gaussians=True)

    def close(self) -> None:
        """Draw no more."""
        with self._awake:
            self._is_closed = True
            self._awake.notify()
        self._thread.join()

    def _is_due(self) -> bool:
        now = _now()
        fit = TimeTaken(now.clock - self._began.clock, now.processor - self._began.processor - self._drawing.processor)
        return is_due(fit, self._drawing, self._drawn, now.clock - self._last_began)

    def _loop(self) -> None:
        while True:
            with self._awake:
                while not self._is_closed and self._next is None:
                    self._awake.wait()
                snapshot = self._next
                if self._is_closed or snapshot is None:
                    return
            began, worked = time.monotonic(), time.thread_time()
            try:
                self._draw(snapshot, with_gaussians=self._drawn % _GAUSSIANS_EVERY == 0)
            except Exception:  # noqa: BLE001 - the run must not wait for a thread that is gone
                _log.exception("a live picture failed")
            with self._awake:
                took = TimeTaken(time.monotonic() - began, time.thread_time() - worked)
                self._drawing = TimeTaken(self._drawing.clock + took.clock, self._drawing.processor + took.processor)
                self._drawn, self._last_began, self._next = self._drawn + 1, began, None
                self._awake.notify_all()

    def _draw(self, snapshot: FitSnapshot, *, with_gaussians: bool) -> None:
        self._spread = self._spread or spread_of(self._stack)
        file_bytes = snapshot_bytes(snapshot, self._spread, self._precision)
        if self._on_size is not None and file_bytes is not None:
            self._on_size(snapshot.phase, file_bytes)
        fresh = draw(snapshot, self._stack, self.chosen, self._backend, with_gaussians=with_gaussians)
        fresh = replace(fresh, file_bytes=file_bytes)
        older = self.frames[-1].pictures if self.frames else {}
        self._keep(replace(fresh, pictures={**older, **fresh.pictures}))

    def _keep(self, frame: Frame) -> None:
        number = self.frames[-1].number + 1 if self.frames else 0
        kept = [*self.frames, replace(frame, number=number)]
        self.frames = without_closest(kept, lambda each: each.number) if len(kept) > _FRAMES else kept


def _now() -> TimeTaken:
    return TimeTaken(time.monotonic(), time.process_time())


def draw(snapshot: FitSnapshot, stack: TextureStack, chosen: int, backend: Backend, *, with_gaussians: bool) -> Frame:
    """Draw a fit at one step: a map of it, its error, and the Gaussians.

    Args:
        snapshot: of the fit
        stack: the material
        chosen: which map of it
        backend: that renders it
        with_gaussians: whether they are drawn, too
    """
    texture_map, source = stack.maps[chosen], source_map(stack, chosen)
    decoded = expand_map(render_snapshot_channels(snapshot, backend), texture_map)
    factor = reduction_for(snapshot.width, snapshot.height, SHOWN_SIDE)
    error = error_map(source, decoded, texture_map, drawn=stack.drawn_of(chosen), reduction=factor)
    gain = fitting_gain(error)
    pictures = {
        "decode": show_map(np.asarray(mean_of_blocks(decoded, factor), np.float32), texture_map),
        "error": show_error(error, gain),
    }
    if with_gaussians:
        pictures |= _gaussians(snapshot, texture_map, 1 / factor)
    return Frame(
        number=0, fit=snapshot.fit, phase=snapshot.phase, step=snapshot.step, steps=snapshot.steps,
        psnr_db=snapshot.psnr_db, gaussians=snapshot.count, file_bytes=None, map_name=texture_map.name,
        error_words=error.legend(gain), pictures={kind: webp(picture) for kind, picture in pictures.items()},
    )  # fmt: skip


def _gaussians(snapshot: FitSnapshot, texture_map: TextureMap, scale: float) -> dict[str, Rgb]:
    """Draw some of the Gaussians as ellipses, and all of them by number; scale is in pixels per texel."""
    few = evenly_chosen(snapshot.count, _ELLIPSES)
    size = (snapshot.width, snapshot.height)
    channels = np.clip(snapshot.features[few] @ snapshot.basis + snapshot.offset, 0, 1).astype(np.float32)
    colours = show_map(expand_map(channels[None], texture_map), texture_map)[0]
    outlines = ellipses_of(snapshot.means[few], snapshot.log_covariances[few])
    field = gaussian_field(
        snapshot.means, snapshot.log_covariances, snapshot.cutoff, size, snapshot.wrap, scale=scale / 2
    )
    return {
        "ellipses": draw_ellipses(outlines, colours, size, scale=scale),
        "numbers": enlarged(show_numbers(field), 2 * max(field.strongest.shape)),
    }


def webp(picture: Rgb) -> bytes:
    """Return a picture as the bytes of a small file; what is measured or compared is never made of it."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, format="WEBP", quality=_QUALITY, method=0)
    return buffer.getvalue()
