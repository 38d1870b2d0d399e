"""Pictures of a fit while it runs: made beside it, seldom enough that it hardly takes longer.

The fit hands over a snapshot and goes on; a thread of its own draws the newest one and skips the others.
"""

import io
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from PIL import Image

from imagegs_tex.decoder.render import render_snapshot
from imagegs_tex.fit.control import FitSnapshot
from imagegs_tex.formats.material.stack import expand_map
from imagegs_tex.formats.vocabulary import Samples, TextureMap
from imagegs_tex.pictures.display import Rgb, show_map
from imagegs_tex.pictures.error_map import error_map, fitting_gain, show_error
from imagegs_tex.pictures.gaussian_field import gaussian_field, show_numbers
from imagegs_tex.pictures.gaussians import draw_ellipses, ellipses_of, evenly_chosen
from imagegs_tex.pictures.reduce import enlarged, mean_of_blocks, reduction_for
from imagegs_tex.rasterize.backend import Backend

SHOWN_SIDE: Final = 320
"""Longest side of a live picture, in pixels."""
_SHARE: Final = 0.1
"""Of one core's time that drawing may take: with two cores a fit then takes 5 % longer."""
_HURRIED: Final = 4
"""First frames, which come as soon as they can: that is when a fit changes most, and somebody waits to see anything."""
_PAUSE: Final = 0.4
"""Least seconds from one frame to the next."""
_FRAMES: Final = 48
"""Most steps that are kept to look back at; beyond that every second one goes."""
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
    map_name: str
    error_words: str  # what the brightest colour of the error stands for
    pictures: dict[str, bytes]  # WebP, by the keys of KINDS


KINDS: Final = {
    "decode": "What the Gaussians show now",
    "error": "How far it still is from the source",
    "ellipses": "The Gaussians, a sample of them",
    "numbers": "Each in a colour of its own",
}
"""The live pictures, with what is written above them."""


class LivePictures:
    """Draws snapshots of one run."""

    def __init__(self, maps: Sequence[TextureMap], sources: Sequence[Samples], backend: Backend) -> None:
        """Begin.

        Args:
            maps: of the material
            sources: their samples [H, W, channels]
            backend: of one thread, as the fit has the others
        """
        self.maps = tuple(maps)
        self.chosen = 0  # which map is shown; the page changes it
        self.frames: list[Frame] = []
        self._sources, self._backend = sources, backend
        self._newest: FitSnapshot | None = None
        self._awake = threading.Condition()
        self._is_closed = False
        self._not_before, self._drawn = 0.0, 0
        self._thread = threading.Thread(target=self._loop, name="studio-pictures", daemon=True)
        self._thread.start()

    def offer(self, snapshot: FitSnapshot) -> None:
        """Have a snapshot drawn unless a newer one comes before it is its turn."""
        with self._awake:
            self._newest = snapshot
            self._awake.notify()

    def close(self) -> None:
        """Draw no more."""
        with self._awake:
            self._is_closed = True
            self._awake.notify()
        self._thread.join()

    def _loop(self) -> None:
        while True:
            with self._awake:
                while not self._is_closed and (self._newest is None or time.monotonic() < self._not_before):
                    left = self._not_before - time.monotonic()
                    self._awake.wait(timeout=left if self._newest is not None and left > 0 else None)
                if self._is_closed:
                    return
                snapshot, self._newest = self._newest, None
            assert snapshot is not None
            began, worked = time.monotonic(), time.thread_time()
            latest = self.frames[-1] if self.frames else None
            is_due = latest is None or self._drawn % _GAUSSIANS_EVERY == 0
            fresh = draw(snapshot, self.maps, self._sources, self.chosen, self._backend, with_gaussians=is_due)
            self._drawn += 1
            older = {} if latest is None else latest.pictures
            self._keep(replace(fresh, pictures={**older, **fresh.pictures}))
            took = time.thread_time() - worked  # of a core, however busy the others keep it
            pause = _PAUSE if self._drawn < _HURRIED else took / _SHARE
            self._not_before = began + max(_PAUSE, pause)

    def _keep(self, frame: Frame) -> None:
        number = self.frames[-1].number + 1 if self.frames else 0
        kept = [*self.frames, replace(frame, number=number)]
        self.frames = [*kept[:-1:2], kept[-1]] if len(kept) > _FRAMES else kept


def draw(
    snapshot: FitSnapshot,
    maps: Sequence[TextureMap],
    sources: Sequence[Samples],
    chosen: int,
    backend: Backend,
    *,
    with_gaussians: bool,
) -> Frame:
    """Draw a fit at one step: a map of it, its error, and the Gaussians.

    Args:
        snapshot: of the fit
        maps: of the material
        sources: their samples
        chosen: which map
        backend: that renders it
        with_gaussians: whether they are drawn, too
    """
    texture_map, source = maps[chosen], sources[chosen]
    decoded = render_snapshot(snapshot, backend)[chosen][1]
    factor = reduction_for(snapshot.width, snapshot.height, SHOWN_SIDE)
    error = error_map(source, decoded, texture_map, reduction=factor)
    gain = fitting_gain(error)
    pictures = {
        "decode": show_map(np.asarray(mean_of_blocks(decoded, factor), np.float32), texture_map),
        "error": show_error(error, gain),
    }
    if with_gaussians:
        pictures |= _gaussians(snapshot, texture_map, 1 / factor)
    return Frame(
        number=0, fit=snapshot.fit, phase=snapshot.phase, step=snapshot.step, steps=snapshot.steps,
        psnr_db=snapshot.psnr_db, gaussians=snapshot.count, map_name=texture_map.name,
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
