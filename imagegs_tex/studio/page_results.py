"""Step 4 of the page: what came out, compared, lit, measured, beside one another, and to take home."""

from collections.abc import Iterator
from dataclasses import asdict
from html import escape
from pathlib import Path
from typing import Any, Final

import gradio as gr

from imagegs_tex.formats.errors import ImageGSTexError
from imagegs_tex.formats.files.safe_names import printable
from imagegs_tex.pictures.lit import model_numbers
from imagegs_tex.reports import CompressReport
from imagegs_tex.settings import DEFAULT_QUALITY, Preset
from imagegs_tex.studio.downloads import PARTS, USUAL_PARTS, contents_of, make_zip
from imagegs_tex.studio.markup import (
    SCORE_HEADINGS,
    bytes_words,
    figures,
    in_words_of_the_page,
    notice,
    phase_words,
    score_rows,
    sizes_curve,
    step,
    table,
    text,
    tiles,
    wide_figures,
)
from imagegs_tex.studio.page_input import PRIVATE, InputPart
from imagegs_tex.studio.page_run import SHOW_RUN, RunPart
from imagegs_tex.studio.results import Result
from imagegs_tex.studio.visitors import Served, Visitor, Visitors
from imagegs_tex.studio.wishes import LADDER_SHARES, Wish

_NOTHING: Final = '<div class="st-faint">Results appear here when a run is done.</div>'
_RESULTS: Final = "results"
_INSPECT: Final = '<div class="st-inspect" hidden></div><div class="st-faint st-why"></div>'
_LIT: Final = '<div class="st-lit" hidden></div>'
_INSPECT_JS: Final = """import(new URL('studio-static/inspector.js', document.baseURI).href).then((module) => {
    const show = module.inspector(element, props.value);
    watch('value', () => show(props.value));
});"""
_LIT_JS: Final = """import(new URL('studio-static/lit.js', document.baseURI).href).then((module) => {
    const show = module.lit(element, props.value);
    watch('value', () => show(props.value));
});"""
TIME_WORDS: Final = {
    "load": "Reading",
    "fit": "Fitting",
    "quantize": "Rounding positions and shapes",
    "encode": "Colours and coding",
    "score": "Measuring",
    "write": "Writing",
    "total": "In all",
}
LEVELS_HEADING: Final = (
    "<h3>Mip levels</h3><p>What is seen from further away: each is half as large, averaged as textures for engines "
    "are.</p>"
)
_FULL: Final = "Make this size again with Balanced: better, takes longer"
_PACK: Final = "Make the .zip"
_PACKING: Final = "Making the .zip …"
_ROUGH_DB: Final = 30.0
"""Below this, speckle is seen at a glance."""
_PNG: Final = "image/png"


def build_results(visitors: Visitors, given: InputPart, running: RunPart) -> None:
    """Build the part."""
    with gr.Column(elem_classes="st-card", elem_id="result-card"):
        gr.HTML(step("4. The result", "nothing is kept when you close the page: download it"), padding=False)
        chooser = gr.Radio([], label="Results of this visit: choose one", visible=False, elem_id="results")
        head = gr.HTML(_NOTHING, elem_id="result-head", padding=False)
        links = gr.HTML(elem_id="links", padding=False)
        full = gr.Button(_FULL, visible=False, elem_id="full", size="sm", elem_classes="st-aside")
        with gr.Column(visible=False, elem_id="result") as whole:
            with gr.Tabs() as tabs:
                with gr.Tab("Compare"):
                    compare = _viewer(_INSPECT, _INSPECT_JS, "compare")
                with gr.Tab("Light"):
                    light = _viewer(_LIT, _LIT_JS, "light")
                with gr.Tab("Numbers"):
                    numbers = gr.HTML(elem_id="numbers", padding=False)
                with gr.Tab("Pictures"):
                    gallery = gr.HTML(elem_id="gallery", padding=False)
                with gr.Tab("Results", id=_RESULTS):
                    sizes = gr.HTML(elem_id="sizes", padding=False)
                    with gr.Column(visible=False) as two:
                        with gr.Row():
                            left = gr.Dropdown([], label="Compare two: A, on the left", elem_id="left")
                            right = gr.Dropdown([], label="B, on the right", elem_id="right")
                        beside = _viewer(_INSPECT, _INSPECT_JS, "beside")
            gr.HTML(step("More to take home", "a .zip of the .igs file and what you choose"), padding=False)
            parts = gr.CheckboxGroup(
                [(words, key) for key, words in PARTS.items()],
                value=list(USUAL_PARTS),
                label="What goes into the .zip, beside the file",
                elem_id="parts",
            )
            pack = gr.Button(_PACK, elem_id="pack")
            zipped = gr.HTML(elem_id="zipped", padding=False)
    details = [head, compare, light, numbers, gallery, links, zipped, full]

    def show(visitor: Visitor, number: int | None) -> list[Any]:
        result = _of(visitor, number)
        if result is None:
            return [_NOTHING, None, None, "", "", "", "", gr.update(visible=False)]
        is_fast = result.report is not None and result.report.preset == Preset.FAST.value
        return [
            _head(result), _compared(visitor, result), _lit(visitor, result), _numbers(result),
            _gallery(visitor, result), _link(visitor, result), "", gr.update(visible=is_fast),
        ]  # fmt: skip

    def new_result(number: int, request: gr.Request) -> list[Any]:
        visitor = visitors.of(request.session_hash)
        has = bool(visitor.results)
        names = _names(visitor)
        chosen = number if has else None
        before = visitor.results[-2].number if len(visitor.results) > 1 else chosen
        return [
            gr.update(choices=names, value=chosen, visible=len(names) > 1), gr.update(visible=has),
            gr.update(choices=names, value=before), gr.update(choices=names, value=chosen),
            _beside(visitor, before, chosen), gr.update(visible=len(names) > 1), _sizes(visitor),
            gr.update(selected=_RESULTS) if _has_climbed(visitor) else gr.skip(), *show(visitor, chosen),
        ]  # fmt: skip

    def choose(number: int, request: gr.Request) -> list[Any]:
        return show(visitors.of(request.session_hash), number)

    def compare_two(first: int, second: int, request: gr.Request) -> dict[str, Any]:
        return _beside(visitors.of(request.session_hash), first, second)

    def make(number: int, chosen: list[str], request: gr.Request) -> Iterator[list[Any]]:
        yield [gr.update(value=_PACKING, interactive=False), ""]
        yield [gr.update(value=_PACK, interactive=True), packed(number, chosen, request)]

    def packed(number: int, chosen: list[str], request: gr.Request) -> str:
        visitor = visitors.of(request.session_hash)
        result = _of(visitor, number)
        if result is None:
            return notice("there is no result yet", "bad")
        is_corrected = visitor.reading is not None and visitor.reading.is_corrected
        manifest = visitor.reading.source if is_corrected and visitor.reading is not None else None
        try:
            path = make_zip(result, chosen, manifest)
        except ImageGSTexError as error:
            return notice(visitor.told(error), "bad")
        address = visitor.address(
            f"result-{result.number}-{visitor.served_count()}.zip", Served(path, "application/zip", path.name)
        )
        return _download(address, path, "zip", _zip_words(path))

    def in_full(number: int, request: gr.Request) -> list[Any]:
        visitor = visitors.of(request.session_hash)
        result = _of(visitor, number)
        wish = Wish() if result is None else Wish("gaussians", float(result.gaussians))
        return [*running.fields.values(wish), *running.start(visitor, wish)]

    running.finished.change(
        new_result, running.finished, [chooser, whole, left, right, beside, two, sizes, tabs, *details],
        api_visibility=PRIVATE, show_progress="hidden",
    )  # fmt: skip
    chooser.input(choose, chooser, details, api_visibility=PRIVATE)
    for field in (left, right):
        field.input(compare_two, [left, right], beside, api_visibility=PRIVATE)
    pack.click(make, [chooser, parts], [pack, zipped], api_visibility=PRIVATE, show_progress="hidden")
    parts.input(lambda: "", None, zipped, api_visibility=PRIVATE, show_progress="hidden")  # it is not of these any more
    full.click(
        in_full, chooser, [*running.fields.all, *running.outputs], api_visibility=PRIVATE, show_progress="hidden"
    )
    full.click(None, None, None, js=SHOW_RUN, api_visibility=PRIVATE)


def _viewer(template: str, script: str, name: str) -> gr.HTML:
    return gr.HTML(None, html_template=template, js_on_load=script, elem_id=name, padding=False)


def _of(visitor: Visitor, number: int | None) -> Result | None:
    return next((result for result in visitor.results if result.number == number), None)


def _is_one_material(visitor: Visitor) -> bool:
    return len({result.title for result in visitor.results}) == 1


def _names(visitor: Visitor) -> list[tuple[str, int]]:
    """Return what results are called where one is chosen, with their numbers; the material where there are several."""
    is_one = _is_one_material(visitor)
    return [
        (
            f"{'' if is_one else f'{printable(result.title)}: '}{bytes_words(result.file_bytes)}"
            f"{'' if result.psnr_db is None else f', {result.psnr_db:.1f} dB'} ({result.asked})",
            result.number,
        )
        for result in visitor.results
    ]


def _served(visitor: Visitor, result: Result, path: Path) -> str:
    return visitor.address(f"result-{result.number}-{path.name}", Served(path, _PNG))


def _head(result: Result) -> str:
    size = bytes_words(result.file_bytes)
    of_source = "in one file"
    if result.source_bytes:
        of_source = f"{100 * result.file_bytes / result.source_bytes:.1f} % of the image files"
    entries = [("Size", size, of_source)]
    if result.psnr_db is not None:
        entries.append(("Closeness", f"{result.psnr_db:.2f} dB", "PSNR over all maps: higher is closer"))
    entries += [
        ("Gaussians", f"{result.gaussians:,}", "soft spots that paint all maps"),
        ("Density", f"{result.bits_per_texel:.2f} bits per texel", f"{result.width} × {result.height} texels"),
    ]
    html = tiles(entries)
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


def _compared(visitor: Visitor, result: Result) -> dict[str, Any]:
    maps = [
        {
            "label": printable(each.label),
            "decoded": _served(visitor, result, each.decoded),
            "source": None if each.source is None else _served(visitor, result, each.source),
            "names": ["Source", "Decoded"],
        }
        for each in result.maps
    ]
    return {"maps": maps, "first": result.first_map}


def _has_climbed(visitor: Visitor) -> bool:
    """Whether the rate ladder has just come to its end."""
    return visitor.task is not None and len(visitor.task.results) == len(LADDER_SHARES)


def _beside(visitor: Visitor, first: int | None, second: int | None) -> dict[str, Any]:
    a, b = _of(visitor, first), _of(visitor, second)
    if a is None or b is None or a is b:
        return {"maps": [], "why": "Choose two results that are not the same." if len(visitor.results) > 1 else ""}
    by_label = {each.label: each for each in a.maps}
    maps = [
        {
            "label": printable(each.label),
            "decoded": _served(visitor, b, each.decoded),
            "source": _served(visitor, a, by_label[each.label].decoded),
            "names": [f"A: {bytes_words(a.file_bytes)}", f"B: {bytes_words(b.file_bytes)}"],
        }
        for each in b.maps
        if each.label in by_label and (a.width, a.height) == (b.width, b.height)
    ]
    why = "" if maps else "These two have no map of one name and size, so that they cannot be compared."
    return {"maps": maps, "first": b.first_map if len(maps) == len(b.maps) else 0, "why": why}


def _lit(visitor: Visitor, result: Result) -> dict[str, Any]:
    used = ", ".join(result.surface_of) or "none"
    return {
        "planes": {name: _served(visitor, result, path) for name, path in result.surface.items()},
        "model": model_numbers(),
        "note": f"Drawn from the decoded maps: {used}. What no map says is grey, flat, rather rough and no metal.",
    }


def _numbers(result: Result) -> str:
    parts = (
        [table(SCORE_HEADINGS, score_rows(result.scores), "Closeness to the source, by map")] if result.scores else []
    )
    report = result.report
    if report is not None:
        ledger = report.ledger
        whole = max(1, report.file_bytes)
        rows = [
            ("Positions", ledger.positions), ("Shapes", ledger.shapes), ("Colours and values", ledger.features),
            ("Index", ledger.index), ("Grain", ledger.detail), ("What maps have in common", ledger.components),
            ("Names and meanings of the maps", ledger.maps), ("Header", ledger.header),
        ]  # fmt: skip
        cells = [[name, f"{count:,}", f"{100 * count / whole:.1f} %"] for name, count in rows]
        parts.append(table(("What the bytes are for", "Bytes", "Share"), cells, "Bytes by attribute"))
        by_map = [
            [printable(name), f"{count:,.0f}", f"{100 * count / whole:.1f} %"] for name, count in ledger.features_by_map
        ]
        parts.append(table(("Map", "Bytes", "Share"), by_map, "Bytes of the colours and values, by map"))
        times = [[TIME_WORDS[part], f"{value:.1f}"] for part, value in asdict(report.seconds).items()]
        by = report.backend if report.backend == report.device else f"{report.backend} on {report.device}"
        parts.append(table(("Part", "Seconds"), times, f"Where the time went (computed by {by})"))
        rest = [
            ["Memory on the GPU, with its index", f"{report.gpu_bytes:,} bytes"],
            ["Seed of the random numbers", str(report.seed)],
        ]
        parts.append(table(("What else", ""), rest))
    if result.command:
        parts.append(
            f'<div><b>The same file from a terminal</b><pre class="st-code">{text(result.command)}</pre></div>'
        )
    return (
        f'<div class="st-tables">{"".join(parts)}</div>'
        if parts
        else notice("A file that was brought alone has nothing to be measured against.")
    )


def _gallery(visitor: Visitor, result: Result) -> str:
    entries, levels = (
        [(printable(each.label), printable(each.note), _served(visitor, result, each.file), "") for each in pictures]
        for pictures in (result.gallery, result.levels)
    )
    return figures(entries) + LEVELS_HEADING + wide_figures(levels)


def _sizes(visitor: Visitor) -> str:
    made = [result for result in visitor.results if result.psnr_db is not None]
    if len(made) < 2:
        return notice(
            "With two results or more, they are compared here. Try five sizes, or start again with another size."
        )
    is_one = _is_one_material(visitor)
    rows = [
        [
            f"{'' if is_one else f'{printable(each.title)}, '}{each.asked}", f"{each.file_bytes:,}",
            f"{each.psnr_db:.2f}", f"{each.gaussians:,}", f"{each.bits_per_texel:.3f}",
        ]
        for each in made
    ]  # fmt: skip
    pictures = [
        (
            bytes_words(each.file_bytes),
            f"{each.psnr_db:.1f} dB, {each.asked}",
            _served(visitor, each, each.maps[each.first_map].decoded),
            "",
        )
        for each in made
    ]
    headings = ("Result", "Bytes", "PSNR (dB)", "Gaussians", "Bits per texel")
    points = [(each.file_bytes, float(each.psnr_db or 0)) for each in made]
    return sizes_curve(points) + table(headings, rows, "Results of this visit") + figures(pictures)


def _link(visitor: Visitor, result: Result) -> str:
    served = Served(result.file, "application/octet-stream", result.file.name)
    note = (
        f"{bytes_words(result.file_bytes)}. It takes a shader decoder to draw from it: tick the one for your engine "
        "under “More to take home”. Plain images, which everything opens, are ticked there already."
    )
    return _download(visitor.address(f"result-{result.number}-file.igs", served), result.file, "igs", note)


def _zip_words(path: Path) -> str:
    """Return how large a .zip is, and what takes how much of it."""
    within = ", ".join(f"{name} {bytes_words(size)}" for name, size in contents_of(path).items())
    return f"{bytes_words(path.stat().st_size)}: {printable(within)}"


def _download(address: str, path: Path, kind: str, note: str) -> str:
    name = text(path.name)
    return (
        f'<div class="st-links"><a href="{address}" download="{name}" data-kind="{kind}">Download {name}</a>'
        f'<span class="st-faint">{escape(note)}</span></div>'
    )
