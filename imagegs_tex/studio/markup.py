"""Pieces of the page as HTML; every text that comes from outside is escaped."""

import re
from collections.abc import Sequence
from html import escape
from typing import Final

from imagegs_tex.advice import closeness_of
from imagegs_tex.formats.files.safe_names import printable
from imagegs_tex.metrics.scores import MapScore
from imagegs_tex.studio.closeness import closeness_words
from imagegs_tex.studio.estimate import SPREAD, TIME_SPREAD, Estimate
from imagegs_tex.studio.jobs import Job, JobState
from imagegs_tex.studio.plain_words import phase_words
from imagegs_tex.studio.reading import Reading
from imagegs_tex.studio.wishes import GOALS

_FEW_COLUMNS: Final = 3
"""Of a table that a telephone has room for."""
NO_VALUE: Final = "–"
"""In a cell for a measure that has no meaning there; a list on a telephone leaves it out."""
_NONE: Final = ' class="st-none"'
_ADVICE: Final = (
    ("; mend or leave out one of them, or say with --size WxH what all become", "; scale one of them, or leave it out"),
    (", in folders there, or below a folder given with --allow-root", " or in folders there; send them with it"),
)
"""What messages advise, and what takes its place where there are no such options."""


def step(title: str, note: str = "") -> str:
    """Return the heading of a part of the page."""
    return f'<div class="st-step"><h2>{escape(title)}</h2><span>{escape(note)}</span></div>'


def text(value: object) -> str:
    """Return text of any origin for HTML."""
    return escape(printable(value))


def in_words_of_the_page(message: str) -> str:
    """Return advice that names options of the command line with what there is to do on the page instead."""
    named = message
    for advice, words in _ADVICE:
        named = named.replace(advice, words)
    for goal in GOALS:
        # not of a pair: the page has no field for the other one
        named = re.sub(rf"{goal.flag} ([^\s,;]*\d[^\s,;]*+)(?! --)", rf'"{goal.label}" of \1', named)
    option = r"--[a-z-]+(?:[ =]\S*[^\s,;])?"
    return re.sub(rf"(?<!\S)({option}(?: {option})*)", r"\1 from a terminal", named)  # no name with -- in it


def notice(message: str, kind: str = "info") -> str:
    """Return a box with a message; kinds are info, good and bad."""
    if not message:
        return ""
    role = "alert" if kind == "bad" else "status"
    return f'<div class="st-notice st-{kind}" role="{role}">{escape(message)}</div>'


def reading_summary(reading: Reading) -> str:
    """Return what a material is, in a line, and what was left out of it."""
    count, aside = len(reading.table), len(reading.table) - len(reading.rows)
    maps = f"{count} map{'s' if count != 1 else ''}{f', {aside} left out' if aside else ''}"
    lines = [
        f"<b>{text(reading.title)}</b>: {maps}, {reading.width} × {reading.height} "
        f"texels, {bytes_words(reading.source_bytes)} as image files."
    ]
    html = f'<div class="st-notice st-good" role="status">{" ".join(lines)}</div>'
    if reading.importance:
        html += notice(f"{reading.importance} says how much each texel counts: white ones fully, black ones not.")
    if reading.left_out:
        items = "".join(f"<li>{escape(in_words_of_the_page(each))}</li>" for each in reading.left_out)
        html += f'<div class="st-leftout"><b>Left out, or worth knowing</b><ul>{items}</ul></div>'
    return html


def estimate_words(
    goal: str, found: Estimate, spread: float, seconds: float, ladder: float, source_bytes: int
) -> str:  # fmt: skip
    """Return what a run is likely to come to, before it is started.

    Args:
        goal: a key of :data:`.wishes.GOALS`
        found: the estimate
        spread: factor on its size that is well possible, up and down
        seconds: that the run takes here
        ladder: seconds that five sizes take
        source_bytes: of the images
    """
    low, high = found.file_bytes / spread, min(found.file_bytes * spread, max(source_bytes, found.file_bytes))
    shares = [f"{100 * size / source_bytes:.2g}" for size in (low, high)] if source_bytes else []
    of_source = f" ({' to '.join(dict.fromkeys(shares))} % of the image files)" if shares else ""
    size = f"about <b>{bytes_words(low)} to {bytes_words(high)}</b>{of_source}"
    if found.is_given:
        size = f"about <b>{bytes_words(found.file_bytes)}</b>"
    sure = "Two files of three are within this; once one is made, more is known. " if spread == SPREAD else ""
    if found.is_given or goal == "psnr":
        sure = ""
    if goal == "psnr":
        size = "as large as it takes"
    return (
        f'<div class="st-estimate">The file becomes {size}, in about <b>{_span(seconds)}</b>. '
        f'<span class="st-faint">{sure}Five sizes take about {_span(ladder)}.</span></div>'
    )


def _span(seconds: float) -> str:
    """Return the times within which a run is likely to end."""
    low, high = (seconds_words(float(f"{each:.2g}")) for each in (seconds / TIME_SPREAD, seconds * TIME_SPREAD))
    return f"{low} to {high}"


READY: Final = '<div class="st-status"><b>Ready.</b> Press Start.</div>'


def status(job: Job | None, position: int, left: float | None = None) -> str:
    """Return how a run stands: words and a bar.

    Args:
        job: the run; None: there is none
        position: how many come before it
        left: seconds that it takes still; None: nobody knows
    """
    if job is None:
        return '<div class="st-status st-faint">Nothing is running. Choose a material above and press Start.</div>'
    if job.state == JobState.WAITING:
        where = "You are next." if position == 0 else f"{position} run{'s' if position != 1 else ''} before yours."
        return f'<div class="st-status" data-state="waiting"><b>Waiting</b> {where}</div>'
    if job.state == JobState.FAILED:
        return f'<div data-state="failed">{notice(job.error, "bad")}</div>'
    if job.state == JobState.ABANDONED:
        return '<div class="st-status" data-state="abandoned">Taken out of the queue.</div>'
    if job.state == JobState.DONE:
        return (
            f'<div class="st-status" data-state="done"><b>Done</b> after {seconds_words(job.seconds)}. '
            '<a href="#result-card">See the result</a></div>'
        )
    progress = job.progress
    phase = "starting" if progress is None else progress.phase
    words, share = [*filter(None, [job.part]), f"<b>{escape(phase_words(phase))}</b>"], 0.0
    if progress is not None and progress.steps:
        share = progress.step / progress.steps
        if progress.step:
            words.append(f"step {progress.step} of {progress.steps}")
    if progress is not None and progress.psnr_db is not None:
        words.append(f"{progress.psnr_db:.1f} dB")
    if progress is not None and progress.gaussians is not None:
        words.append(f"{progress.gaussians:,} Gaussians")
    words.append(f"{seconds_words(job.seconds)} so far")
    if left is not None:
        words.append(f"about {seconds_words(float(f'{left:.2g}'))} left in all")
    bar = '<div class="st-bar st-unknown" role="progressbar"><div></div></div>'  # how far it is nobody knows
    if share > 0:
        bar = (
            f'<div class="st-bar" role="progressbar" aria-valuenow="{round(100 * share)}" aria-valuemin="0" '
            f'aria-valuemax="100"><div style="width:{100 * share:.1f}%"></div></div>'
        )
    return f'<div class="st-status" data-state="running">{" · ".join(words)}{bar}</div>'


def seconds_words(seconds: float) -> str:
    """Return a time as it is said."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 600:
        return f"{seconds // 60:.0f} min {seconds % 60 // 10 * 10:.0f} s"
    return f"{seconds / 60:.0f} min"


def bytes_words(count: float) -> str:
    """Return a size as it is said."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000 or unit == "GB":
            return f"{count:.0f} {unit}" if unit == "bytes" or count >= 100 else f"{count:.1f} {unit}"
        count /= 1000
    raise AssertionError


def figures(entries: Sequence[tuple[str, str, str, str]]) -> str:
    """Return pictures side by side: each a title, a note, an address, and that of the picture that stood there."""
    cells = "".join(
        f'<figure class="st-figure"><figcaption><b>{escape(title)}</b><span class="st-faint">{escape(note)}</span>'
        f'</figcaption><div class="st-under"{f" style=background-image:url({before})" if before else ""}>'
        f'<img src="{address}" alt="{escape(title)}"></div></figure>'
        for title, note, address, before in entries
    )
    return f'<div class="st-figures">{cells}</div>'


def wide_figures(entries: Sequence[tuple[str, str, str, str]]) -> str:
    """Return pictures below one another, each as wide as it is; entries as in :func:`figures`."""
    return f'<div class="st-wide">{figures(entries)}</div>'


def tiles(entries: Sequence[tuple[str, str, str]]) -> str:
    """Return the figures of a result: each a name, a value and what it means."""
    cells = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(value)}<small>{escape(note)}</small></dd></div>"
        for name, value, note in entries
    )
    return f'<dl class="st-tiles">{cells}</dl>'


def closeness_list(scores: Sequence[MapScore]) -> str:
    """Return how close each map is, in a word and in a few more."""
    items = "".join(
        f'<li><b>{text(score.name)}</b> <span class="st-word st-{word}">{word}</span> '
        f'<span class="st-faint">{escape(closeness_words(score))}</span></li>'
        for score in scores
        for word in [closeness_of(score)]
    )
    return f'<ul class="st-close-list" aria-label="How close each map is">{items}</ul>' if items else ""


def table(headings: Sequence[str], rows: Sequence[Sequence[str]], caption: str = "") -> str:
    """Return a table; the first column names the row. On a telephone one of many columns becomes a list."""
    head = "".join(f"<th scope='col'>{escape(each)}</th>" for each in headings)
    body = "".join(
        f"<tr><th scope='row'>{escape(row[0])}</th>"
        + "".join(
            f'<td data-label="{escape(heading)}"{_NONE if cell == NO_VALUE else ""}>{escape(cell)}</td>'
            for heading, cell in zip(headings[1:], row[1:], strict=True)
        )
        + "</tr>"
        for row in rows
    )
    many = " st-many" if len(headings) > _FEW_COLUMNS else ""
    title = f"<caption>{escape(caption)}</caption>" if caption else ""
    inner = f"{title}<thead><tr>{head}</tr></thead><tbody>{body}</tbody>"
    return f'<div class="st-scroll"><table class="st-table{many}">{inner}</table></div>'


def score_rows(scores: Sequence[MapScore]) -> list[list[str]]:
    """Return what was measured of each map as cells; a dash where a measure has no meaning."""

    def number(value: float | None, form: str) -> str:
        return NO_VALUE if value is None else format(value, form)

    return [
        [
            printable(score.name), score.semantic.replace("_", " "), closeness_of(score),
            f"{score.psnr_db:.2f}", f"{score.ssim:.4f}",
            number(score.flip, ".4f"), number(score.normal_degrees_mean, ".2f"),
            number(score.normal_degrees_p95, ".2f"),
        ]
        for score in scores
    ]  # fmt: skip


SCORE_HEADINGS: Final = (
    "Map", "Meaning", "In a word", "PSNR in dB: higher is closer", "SSIM: 1 is equal", "FLIP: 0 is equal",
    "Normals: degrees off, mean", "Normals: degrees off, 95 of 100 texels less",
)  # fmt: skip
