"""A run looked at while it goes on: pictures and numbers of its snapshots, in a folder."""

import csv
import io
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from imagegs_tex.decoder.render import render_snapshot
from imagegs_tex.fit.control import FitSnapshot
from imagegs_tex.formats.files.atomic_write import write_files
from imagegs_tex.formats.files.safe_names import safe_stems
from imagegs_tex.formats.material.stack import TextureStack, source_map
from imagegs_tex.metrics.scores import score_map
from imagegs_tex.pictures.display import Rgb, exposure_of, show_map
from imagegs_tex.pictures.error_map import error_map, fitting_gain, show_error
from imagegs_tex.pictures.gaussian_field import gaussian_field, show_numbers
from imagegs_tex.pictures.gaussians import draw_ellipses, ellipses_of, evenly_chosen
from imagegs_tex.pictures.labels import label_font
from imagegs_tex.rasterize.backend import Backend

_MOST_PIXELS: Final = 1024
"""Of the longer side of pictures of Gaussians."""
_ADDED: Final = (64, 200, 96)
_REMOVED: Final = (230, 64, 64)
_INK: Final = (225, 225, 225)
_GROUND: Final = (27, 28, 31)
_LINES: Final = ((120, 190, 255), (255, 190, 90))
_PLOT_SIZE: Final = (900, 420)
_PLOT_MARGIN: Final = 90


class RunPictures:
    """Writes what a snapshot shows as soon as it comes: the ``on_snapshot`` of a :class:`imagegs_tex.FitControl`."""

    def __init__(self, folder: Path, stack: TextureStack, backend: Backend) -> None:
        """Begin a folder.

        Args:
            folder: created when missing; files of the same names are replaced
            stack: that is compressed, for errors and scores
            backend: draws the snapshots
        """
        self._folder, self._stack, self._backend = folder, stack, backend
        self._stems = safe_stems(texture_map.name for texture_map in stack.maps)
        self._rows: list[dict[str, object]] = []
        self._before: FitSnapshot | None = None

    def __call__(self, snapshot: FitSnapshot) -> None:
        """Write decoded maps, their errors, Gaussians, what came and went, and a line of metrics.csv."""
        begin = f"fit{snapshot.fit}_step{snapshot.step:05d}"
        files: dict[str, Rgb] = {}
        row: dict[str, object] = {
            "fit": snapshot.fit, "phase": snapshot.phase, "step": snapshot.step, "steps": snapshot.steps,
            "psnr_db": round(snapshot.psnr_db, 4), "gaussians": snapshot.count, "cutoff": snapshot.cutoff,
        }  # fmt: skip
        behind: Rgb | None = None
        for index, (texture_map, samples) in enumerate(render_snapshot(snapshot, self._backend)):
            source, stem = source_map(self._stack, index), self._stems[index]
            shown = show_map(samples, texture_map, exposure=exposure_of(source, texture_map))
            error = error_map(source, samples, texture_map, drawn=self._stack.drawn_of(index))
            files[f"{begin}_{stem}.png"] = shown
            files[f"{begin}_{stem}_error.png"] = show_error(error, fitting_gain(error))
            behind = shown if behind is None else behind
            score = score_map(
                texture_map, source, samples, weights=self._stack.weights, drawn=self._stack.drawn_of(index)
            )  # fmt: skip
            row[f"psnr_db {stem}"] = round(score.psnr_db, 4)
        files |= {f"{begin}_{name}.png": picture for name, picture in self._gaussians(snapshot, behind).items()}
        added, removed = self._changes(snapshot)
        row |= {"added": len(added), "removed": len(removed)}
        self._rows.append(row)
        encoded = {self._folder / name: _png(picture) for name, picture in files.items()}
        write_files({**encoded, self._folder / "metrics.csv": self._table().encode()})
        self._before = snapshot

    def finish(self) -> None:
        """Write run.png: PSNR and number of Gaussians over the steps of all fits, one after the other."""
        if self._rows:
            write_files({self._folder / "run.png": _png(self._plot())})

    def _gaussians(self, snapshot: FitSnapshot, behind: Rgb | None) -> dict[str, Rgb]:
        size = (snapshot.width, snapshot.height)
        scale = min(8.0, _MOST_PIXELS / max(size))
        chosen = evenly_chosen(snapshot.count)
        colours = np.full((len(chosen), 3), 160, np.uint8)
        ellipses = ellipses_of(snapshot.means[chosen], snapshot.log_covariances[chosen])
        field = gaussian_field(
            snapshot.means, snapshot.log_covariances, snapshot.cutoff, size, snapshot.wrap, scale
        )  # fmt: skip
        found = {
            "ellipses": draw_ellipses(ellipses, colours, size, scale=scale, behind=behind),
            "numbers": show_numbers(field),
        }
        added, removed = self._changes(snapshot)
        if len(added) or len(removed):
            before = snapshot if self._before is None else self._before
            means = np.concatenate([snapshot.means[added], before.means[removed]])
            shapes = np.concatenate([snapshot.log_covariances[added], before.log_covariances[removed]])
            colours = np.array([_ADDED] * len(added) + [_REMOVED] * len(removed), np.uint8)
            found["changes"] = draw_ellipses(ellipses_of(means, shapes), colours, size, scale=scale, behind=behind)
        return found

    def _changes(self, snapshot: FitSnapshot) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Return which Gaussians have come since the last snapshot of the fit, and which of that one have gone."""
        before = self._before
        if before is None or before.fit != snapshot.fit:
            return np.zeros(0, np.intp), np.zeros(0, np.intp)
        added = np.flatnonzero(~np.isin(snapshot.numbers, before.numbers))
        return added, np.flatnonzero(~np.isin(before.numbers, snapshot.numbers))

    def _table(self) -> str:
        text = io.StringIO()
        table = csv.DictWriter(text, list(self._rows[0]), lineterminator="\n")
        table.writeheader()
        table.writerows(self._rows)
        return text.getvalue()

    def _plot(self) -> Rgb:
        """Draw two lines over the steps, each with its own scale."""
        steps = np.cumsum([0, *self._taken()])[1:].astype(np.float64)
        picture = Image.new("RGB", _PLOT_SIZE, _GROUND)
        pen, font = ImageDraw.Draw(picture), label_font(14)
        right, bottom = (side - _PLOT_MARGIN for side in _PLOT_SIZE)
        across = _PLOT_MARGIN + (right - _PLOT_MARGIN) * steps / max(1.0, float(steps[-1]))
        pen.rectangle((_PLOT_MARGIN, _PLOT_MARGIN, right, bottom), outline=_INK)
        for place, (name, label) in enumerate((("psnr_db", "dB"), ("gaussians", "Gaussians"))):
            values = np.array([float(str(row[name])) for row in self._rows])
            low, high = float(values.min()), float(values.max())
            down = bottom - (bottom - _PLOT_MARGIN) * (values - low) / max(high - low, 1e-9)
            points = list(zip(across.tolist(), down.tolist(), strict=True))
            pen.line(points, fill=_LINES[place], width=2)
            for x, y in points:
                pen.ellipse((x - 3, y - 3, x + 3, y + 3), fill=_LINES[place])
            edge = (8, right + 8)[place]
            for y, value in ((_PLOT_MARGIN, high), (bottom - 16, low)):
                pen.text((edge, y), f"{value:.5g}", fill=_LINES[place], font=font)
            pen.text((edge, _PLOT_MARGIN - 24), label, fill=_LINES[place], font=font)
        pen.text((_PLOT_MARGIN, bottom + 10), "0", fill=_INK, font=font)
        pen.text((right - 90, bottom + 10), f"{steps[-1]:.0f} steps", fill=_INK, font=font)
        return np.asarray(picture)

    def _taken(self) -> list[int]:
        """Return the steps from each snapshot to the next; a new fit begins at its own first."""
        taken, last = [], (-1, 0)
        for row in self._rows:
            fit, step = int(str(row["fit"])), int(str(row["step"]))
            taken.append(step - last[1] if fit == last[0] else step)
            last = fit, step
        return taken


def _png(picture: Rgb) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "png")
    return buffer.getvalue()
