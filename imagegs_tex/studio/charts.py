"""Curves of the page as HTML: closeness and bytes over the time of a run, and closeness over the sizes of results."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby
from typing import Final

from imagegs_tex.studio.jobs import CurvePoint, SizePoint
from imagegs_tex.studio.markup import bytes_words
from imagegs_tex.studio.plain_words import TRIAL

_WIDTH: Final = 560
_HEIGHT: Final = 150
_LEFT, _RIGHT, _TOP, _BOTTOM = 92, 10, 18, 26
"""Margins, where the axes' numbers stand, on a telephone in letters of twice the size."""
_LETTER: Final = 9
"""Width of a letter on a telephone: a part's name stands where the part is wide enough for it."""
_PART_NAMES: Final = {"fitting": "fit", "rounding": "rounding"}
_JUMPS: Final = (
    "It jumps where a part begins: short trials (pale) find out how many Gaussians it takes, the fit begins with that "
    "number, rounding makes of it what a file can hold. It dips where Gaussians go and others come."
)
_DROPS: Final = (
    "It dips where Gaussians go and others come, and where rounding begins: that makes of the fit what a file can hold."
)
_DOTS: Final = ("", "The dot is the file.", "Each dot is a file.")
"""What is said of the dots, by their number."""
_FITS: Final = "It jumps where the next fit begins, with another number of Gaussians. "
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class _Axis:
    """Values from one end of an axis to the other."""

    low: float
    high: float
    ends: tuple[str, str]  # what is written there

    def share(self, value: float) -> float:
        return (value - self.low) / (self.high - self.low)


@dataclass(frozen=True, slots=True)
class _Part:
    """A stretch of a run's time."""

    start: float  # seconds
    name: str


@dataclass(frozen=True, slots=True)
class _Line:
    points: Sequence[Point]
    is_pale: bool = False


def run_curves(points: Sequence[CurvePoint], sizes: Sequence[SizePoint]) -> str:
    """Return the PSNR and the bytes of a run over its time, beside one another; "" before there is anything."""
    if len(points) < 2:
        return ""
    seconds = _axis([*(each.seconds for each in points), *(each.seconds for each in sizes)], "{:.0f} s".format)
    levels = _axis([each.psnr_db for each in points], "{:.1f}".format, 1.0)
    runs = [list(run) for _, run in groupby(points, key=lambda point: point.phase)]
    lines = [_Line([(each.seconds, each.psnr_db) for each in run], _is_trial(run[0].phase)) for run in runs]
    parts = [_Part(run[0].seconds, part_name(run[0].phase)) for run in runs]
    html = _chart(
        ("Closeness to the source over time (PSNR in dB): higher is closer.", _jump_words(runs)), "PSNR over time",
        (seconds, levels), lines, parts=parts,
    )  # fmt: skip
    if sizes:
        amounts = _axis([0, *(each.file_bytes for each in sizes)], bytes_words, 1.0)
        of_runs = [list(run) for _, run in groupby(sizes, key=lambda size: size.phase)]
        bytes_lines = [
            _Line([(each.seconds, each.file_bytes) for each in run], _is_trial(run[0].phase)) for run in of_runs
        ]
        made = [(each.seconds, each.file_bytes) for each in sizes if each.is_file]
        html += _chart(
            ("Size over time: what a file would take, about.", _DOTS[min(2, len(made))]),
            "Bytes over time",
            (seconds, amounts), bytes_lines, made, parts,
        )  # fmt: skip
    return f'<div class="st-curves">{html}</div>'


def sizes_curve(points: Sequence[tuple[int, float]]) -> str:
    """Return qualities over sizes as a picture, with its axes named; sizes double at equal steps."""
    ordered = [(math.log2(size), level) for size, level in sorted(points)]
    sizes = _axis([log for log, _ in ordered], lambda log: bytes_words(2**log))
    levels = _axis([level for _, level in ordered], "{:.1f}".format, 1.0)
    caption = "Closeness (PSNR in dB) over size: each dot is a result, higher is closer"
    return _chart((caption, ""), "PSNR over bytes", (sizes, levels), [_Line(ordered)], ordered)


def _is_trial(phase: str) -> bool:
    """Whether a moment is of a short fit that only finds out how many Gaussians a file needs."""
    return TRIAL.fullmatch(phase) is not None


def part_name(phase: str) -> str:
    """Return what the curves call a part of a run, as ``FitProgress`` names its phase."""
    trial = TRIAL.fullmatch(phase)
    return f"trial {trial[1]}" if trial else _PART_NAMES.get(phase, phase)


def _jump_words(runs: Sequence[Sequence[CurvePoint]]) -> str:
    """Return why a curve does not go on where it was."""
    if _is_trial(runs[0][0].phase):
        return _JUMPS
    return (_FITS if sum(run[0].phase == "fitting" for run in runs) > 1 else "") + _DROPS


def _axis(values: Sequence[float], words: Callable[[float], str], least: float = 1e-3) -> _Axis:
    low = min(values)
    high = max(*values, low + least)
    return _Axis(low, high, (words(low), words(high)))


def _chart(
    caption: tuple[str, str],
    name: str,
    axes: tuple[_Axis, _Axis],
    lines: Sequence[_Line],
    dots: Sequence[Point] = (),
    parts: Sequence[_Part] = (),
) -> str:
    """Return lines and dots between two axes, x and y, with their ends written, and where parts of x begin."""
    across, up = axes
    right, foot = _WIDTH - _RIGHT, _HEIGHT - _BOTTOM

    def place(point: Point) -> Point:
        return _LEFT + across.share(point[0]) * (right - _LEFT), foot - up.share(point[1]) * (foot - _TOP)

    drawn = "".join(
        f'<polyline points="{" ".join("{:.1f},{:.1f}".format(*place(point)) for point in line.points)}" '
        f'class="st-line{" st-trial" if line.is_pale else ""}"/>'
        for line in lines
    )
    marks = "".join('<circle cx="{:.1f}" cy="{:.1f}" r="4" class="st-dot"/>'.format(*place(dot)) for dot in dots)
    starts = [place((part.start, up.low))[0] for part in parts] + [right]
    borders = "".join(
        f'<path d="M{start:.1f},{_TOP}V{foot}" class="st-part"/>'
        + (
            f'<text x="{start + 4:.1f}" y="{_TOP - 3}" class="st-name">{escape(part.name)}</text>'
            if end - start > len(part.name) * _LETTER
            else ""
        )
        for part, start, end in zip(parts, starts, starts[1:], strict=False)
    )
    words, note = caption
    return (
        f'<figure class="st-curve"><figcaption><b>{escape(words)}</b> <span class="st-faint">{escape(note)}</span>'
        "</figcaption>"
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(name)}">'
        f'<path d="M{_LEFT},{_TOP}V{foot}H{right}" class="st-axis"/>{borders}{drawn}{marks}'
        f'<text x="{_LEFT - 6}" y="{_TOP + 8}" text-anchor="end">{escape(up.ends[1])}</text>'
        f'<text x="{_LEFT - 6}" y="{foot - 2}" text-anchor="end">{escape(up.ends[0])}</text>'
        f'<text x="{_LEFT}" y="{foot + 19}">{escape(across.ends[0])}</text>'
        f'<text x="{right}" y="{foot + 19}" text-anchor="end">{escape(across.ends[1])}</text>'
        "</svg></figure>"
    )
