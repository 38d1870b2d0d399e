"""What the page shows of results: figures, tables, what its viewers get, and links to take home."""

from dataclasses import asdict
from html import escape
from pathlib import Path
from typing import Any, Final

from imagegs_tex.formats.files.safe_names import printable
from imagegs_tex.formats.igs.optional_sections import (
    DETAIL_SECTION,
    EXACT_SECTION,
    REPEAT_SECTION,
    RESIDUAL_SECTION,
)
from imagegs_tex.reports import CompressReport
from imagegs_tex.settings import DEFAULT_QUALITY, Preset
from imagegs_tex.studio.charts import sizes_curve
from imagegs_tex.studio.closeness import measured, words_of_all
from imagegs_tex.studio.downloads import contents_of
from imagegs_tex.studio.markup import (
    SCORE_HEADINGS,
    bytes_words,
    closeness_list,
    figures,
    in_words_of_the_page,
    notice,
    score_rows,
    table,
    text,
    tiles,
    wide_figures,
)
from imagegs_tex.studio.plain_words import phase_words
from imagegs_tex.studio.results import Result
from imagegs_tex.studio.viewer import igs_address
from imagegs_tex.studio.visitors import Served, Visitor
from imagegs_tex.studio.wishes import LADDER_SHARES

TIME_WORDS: Final = {
    "load": "Reading",
    "fit": "Fitting",
    "quantize": "Rounding positions and shapes",
    "encode": "Colours and coding",
    "score": "Measuring",
    "write": "Writing",
    "total": "In all",
}
_SECTION_WORDS: Final = {
    "header": "Header",
    "maps": "Names and meanings of the maps",
    "components": "What maps have in common",
    "cells": "Index",
    "positions": "Positions",
    "shapes": "Shapes",
    "features": "Colours and values",
    DETAIL_SECTION: "Grain",
    EXACT_SECTION: "Texels kept as they are",
    RESIDUAL_SECTION: "What Gaussians leave over",
    REPEAT_SECTION: "What repeats",
}
LEVELS_HEADING: Final = (
    "<h3>Mip levels</h3><p>What is seen from further away: each is half as large, averaged as textures for engines "
    "are.</p>"
)
_ROUGH_DB: Final = 30.0
"""Below this, speckle is seen at a glance."""
_NO_SOURCE: Final = "There is no source to compare with: the .igs file was brought alone."
_NOT_LISTED: Final = "An .igs file that was brought alone is not listed here: it has nothing to be measured against."
_PNG: Final = "image/png"


def result_of(visitor: Visitor, number: int | None) -> Result | None:
    """Return a visitor's result by its number; None if there is none."""
    return next((result for result in visitor.results if result.number == number), None)


def _is_one_material(visitor: Visitor) -> bool:
    return len({result.title for result in visitor.results}) == 1


def result_names(visitor: Visitor) -> list[tuple[str, int]]:
    """Return what results are called where one is chosen, with their numbers; the material where there are several."""
    is_one = _is_one_material(visitor)
    return [
        (
            f"{'' if is_one else f'{printable(result.title)}: '}{bytes_words(result.info.file_bytes)}"
            f"{'' if result.psnr_db is None else f', {result.psnr_db:.1f} dB'} ({result.asked})",
            result.number,
        )
        for result in visitor.results
    ]


def _served(visitor: Visitor, result: Result, path: Path) -> str:
    return visitor.address(f"result-{result.number}-{path.name}", Served(path, _PNG))


def head_of(result: Result) -> str:
    """Return the figures of a result, and what is worth knowing of it."""
    info = result.info
    of_source = "in one file"
    if result.source_bytes:
        of_source = f"{100 * info.file_bytes / result.source_bytes:.1f} % of the image files"
    entries = [("Size", bytes_words(info.file_bytes), of_source)]
    scores = measured(result)
    if scores:
        counts, meanings = words_of_all(scores)
        decibels = "" if result.psnr_db is None else f". PSNR over all maps {result.psnr_db:.2f} dB, higher is closer"
        entries.append(("Closeness", counts, f"{meanings}{decibels}"))
    entries += [
        ("Gaussians", f"{info.gaussians:,}", "soft spots that paint all maps"),
        ("Density", f"{info.bits_per_texel:.2f} bits per texel", f"{info.width} × {info.height} texels"),
    ]
    html = tiles(entries) + closeness_list(scores)
    report = result.report
    if report is None:
        return html
    if report.stopped and report.stopped_at is not None:
        at = report.stopped_at
        html += notice(
            f"You stopped it at step {at.step} of {at.steps} ({phase_words(at.phase)}); the file is whole, but rougher."
        )
    if report.unreached is not None:
        html += notice(f"What was asked for is not reached: {report.unreached}. This is the best file there is.", "bad")
    html += notice(_why(report))
    return html + "".join(notice(f"Worth knowing: {in_words_of_the_page(warning)}") for warning in report.warnings)


def _why(report: CompressReport) -> str:
    """Return why a result is rougher than it could be, and what to choose for a better one; "" where it is not."""
    is_small = report.psnr_db < _ROUGH_DB if report.quality is None else report.quality < DEFAULT_QUALITY
    if report.preset == Preset.FAST.value:
        more = "Balanced, or a higher quality," if is_small else "Balanced"
        return f"Quick{' and small' if is_small else ''} settings made this: choose {more} for less speckle."
    return "Small settings made this: choose a higher quality for less speckle." if is_small else ""


def compared(visitor: Visitor, result: Result) -> dict[str, Any]:
    """Return what the viewer of a result gets: each map, decoded and source."""
    maps = [
        {
            "label": printable(each.label),
            "decoded": _served(visitor, result, each.decoded),
            "source": None if each.source is None else _served(visitor, result, each.source),
            "names": ["Source", "Decoded"],
        }
        for each in result.maps
    ]
    why = "" if any(each["source"] for each in maps) else _NO_SOURCE
    return {"maps": maps, "first": result.first_map, "why": why}


def has_climbed(visitor: Visitor) -> bool:
    """Whether the rate ladder has just come to its end."""
    return visitor.task is not None and len(visitor.task.results) == len(LADDER_SHARES)


def beside_one_another(visitor: Visitor, first: int | None, second: int | None) -> dict[str, Any]:
    """Return what the viewer of two results gets: the maps that both have."""
    a, b = result_of(visitor, first), result_of(visitor, second)
    if a is None or b is None or a is b:
        return {"maps": [], "why": "Choose two results that are not the same." if len(visitor.results) > 1 else ""}
    by_label = {each.label: each for each in a.maps}
    maps = [
        {
            "label": printable(each.label),
            "decoded": _served(visitor, b, each.decoded),
            "source": _served(visitor, a, by_label[each.label].decoded),
            "names": [f"A: {bytes_words(a.info.file_bytes)}", f"B: {bytes_words(b.info.file_bytes)}"],
        }
        for each in b.maps
        if each.label in by_label and (a.info.width, a.info.height) == (b.info.width, b.info.height)
    ]
    why = "" if maps else "These two have no map of one name and size, so that they cannot be compared."
    return {"maps": maps, "first": b.first_map if len(maps) == len(b.maps) else 0, "why": why}


def numbers_of(result: Result) -> str:
    """Return the tables of a result."""
    parts = [
        table(SCORE_HEADINGS, score_rows(measured(result)), "Closeness to the source, by map")
        if result.scores
        else notice("A file that was brought alone has nothing to be measured against.")
    ]
    info, report = result.info, result.report
    rows = [
        [_SECTION_WORDS.get(each.name, each.name), f"{each.stored_bytes:,}", _share(each.stored_bytes, info.file_bytes)]
        for each in info.sections
        if each.stored_bytes
    ]
    parts.append(table(("What the bytes are for", "Bytes", "Share"), rows, "Bytes by attribute"))
    by_map = [
        [printable(name), f"{count:,.0f}", _share(count, info.file_bytes)]
        for name, count in info.ledger.features_by_map
    ]
    parts.append(table(("Map", "Bytes", "Share"), by_map, "Bytes of the colours and values, by map"))
    rest = [
        ["Memory on the GPU, at most", f"{info.gpu_bytes + info.gpu_shared_bytes:,} bytes"],
        ["– this material's own", f"{info.gpu_bytes:,} bytes"],
        ["– once for all materials", f"{info.gpu_shared_bytes:,} bytes"],
    ]
    if report is not None:
        times = [[TIME_WORDS[part], f"{value:.1f}"] for part, value in asdict(report.seconds).items()]
        by = report.backend if report.backend == report.device else f"{report.backend} on {report.device}"
        parts.append(table(("Part", "Seconds"), times, f"Where the time went (computed by {by})"))
        rest.append(["Seed of the random numbers", str(report.seed)])
    parts.append(table(("What else", ""), rest))
    if result.command:
        parts.append(
            f'<div><b>The same file from a terminal</b><pre class="st-code">{text(result.command)}</pre></div>'
        )
    return f'<div class="st-tables">{"".join(parts)}</div>'


def _share(count: float, whole: int) -> str:
    return f"{100 * count / whole:.1f} %"


def gallery_of(visitor: Visitor, result: Result) -> str:
    """Return all pictures of a result."""
    entries, levels = (
        [(printable(each.label), printable(each.note), _served(visitor, result, each.file), "") for each in pictures]
        for pictures in (result.gallery, result.levels)
    )
    return figures(entries) + LEVELS_HEADING + wide_figures(levels)


def sizes_of(visitor: Visitor) -> str:
    """Return the curve, the table and the pictures of all results of a visit."""
    made = [result for result in visitor.results if result.psnr_db is not None]
    brought = "" if len(made) == len(visitor.results) else notice(_NOT_LISTED)
    if brought and not made:
        return brought
    if len(made) < 2:
        return brought + notice(
            "With two results or more, they are compared here. Try five sizes, or start again with another size."
        )
    is_one = _is_one_material(visitor)
    rows = [
        [
            f"{'' if is_one else f'{printable(each.title)}, '}{each.asked}", f"{each.info.file_bytes:,}",
            f"{each.psnr_db:.2f}", f"{each.info.gaussians:,}", f"{each.info.bits_per_texel:.3f}",
        ]
        for each in made
    ]  # fmt: skip
    pictures = [
        (
            bytes_words(each.info.file_bytes),
            f"{each.psnr_db:.1f} dB, {each.asked}",
            _served(visitor, each, each.maps[each.first_map].decoded),
            "",
        )
        for each in made
    ]
    headings = ("Result", "Bytes", "PSNR (dB)", "Gaussians", "Bits per texel")
    points = [(each.info.file_bytes, float(each.psnr_db or 0)) for each in made]
    return sizes_curve(points) + table(headings, rows, "Results of this visit") + brought + figures(pictures)


def file_link(visitor: Visitor, result: Result) -> str:
    """Return the link to the .igs file."""
    note = (
        f"{bytes_words(result.info.file_bytes)}. Everything opens plain images, which the .zip under “More to take "
        "home” has. A game that draws from the .igs itself needs a shader decoder: tick the one of your engine there."
    )
    return download_link(igs_address(visitor, result), result.file, "igs", note)


def zip_words(path: Path) -> str:
    """Return how large a .zip is, and what takes how much of it."""
    within = ", ".join(f"{name} {bytes_words(size)}" for name, size in contents_of(path).items())
    return f"{bytes_words(path.stat().st_size)}: {printable(within)}"


def download_link(address: str, path: Path, kind: str, note: str) -> str:
    """Return a link that saves a file."""
    name = text(path.name)
    return (
        f'<div class="st-links"><a href="{address}" download="{name}" data-kind="{kind}">Download {name}</a>'
        f'<span class="st-faint">{escape(note)}</span></div>'
    )
