"""Step 4 of the page: what came out, compared, in the viewer, measured, beside one another, and to take home."""

from collections.abc import Iterator
from typing import Any, Final

import gradio as gr

from imagegs_tex.formats.errors import ImageGSTexError
from imagegs_tex.settings import Preset
from imagegs_tex.studio.downloads import USUAL_PARTS, make_zip, part_choices
from imagegs_tex.studio.markup import notice, step
from imagegs_tex.studio.page_input import PRIVATE, InputPart
from imagegs_tex.studio.page_run import SHOW_RUN, RunPart
from imagegs_tex.studio.result_views import (
    beside_one_another,
    compared,
    download_link,
    file_link,
    gallery_of,
    has_climbed,
    head_of,
    numbers_of,
    result_names,
    result_of,
    sizes_of,
    zip_words,
)
from imagegs_tex.studio.results import Result
from imagegs_tex.studio.viewer import in_viewer
from imagegs_tex.studio.visitors import Served, Visitor, Visitors
from imagegs_tex.studio.wishes import Wish

_NOTHING: Final = '<div class="st-faint">Results appear here when a run is done.</div>'
_RESULTS: Final = "results"
_COMPARE_WORDS: Final = (
    '<div class="st-faint">One map at a time, flat, each texel as it was sent and as it comes out of the file. “In the '
    "light” has the material as a game shows it.</div>"
)
_INSPECT: Final = '<div class="st-inspect" hidden></div><div class="st-faint st-why"></div>'
_INSPECT_JS: Final = """import(new URL('studio-static/inspector.js', document.baseURI).href).then((module) => {
    const show = module.inspector(element, props.value);
    watch('value', () => show(props.value));
});"""
_FULL: Final = "Make this size again with Balanced: better, takes longer"
_PACK: Final = "Download the .zip"
_PACKING: Final = "Making the .zip …"
_SAVE_JS: Final = """() => {
    let times = 40; // over two seconds: a busy page takes a while until the link stands there
    const end = setInterval(() => {
        const link = document.querySelector('#zipped a');
        if (link) link.click();
        if (link || !(times -= 1)) clearInterval(end);
    }, 50);
}"""
"""What the browser does once a .zip is there: who asked for it need not press again."""


def build_results(visitors: Visitors, given: InputPart, running: RunPart) -> None:
    """Build the part."""
    with gr.Column(elem_classes="st-card", elem_id="result-card"):
        gr.HTML(step("4. The result", "nothing is kept when you close the page: download it"), padding=False)
        chooser = gr.Radio([], label="Results of this visit: choose one", visible=False, elem_id="results")
        head = gr.HTML(_NOTHING, elem_id="result-head", padding=False)
        links = gr.HTML(elem_id="links", padding=False)
        full = gr.Button(_FULL, visible=False, elem_id="full", size="sm", elem_classes="st-aside")
        with gr.Column(visible=False, elem_id="result") as whole:
            with gr.Tabs(overflow_behavior="wrap") as tabs:
                with gr.Tab("Compare"):
                    gr.HTML(_COMPARE_WORDS, padding=False)
                    compare = _inspector("compare")
                with gr.Tab("In the light"):
                    viewer = gr.HTML(elem_id="viewer", padding=False)
                with gr.Tab("Numbers"):
                    numbers = gr.HTML(elem_id="numbers", padding=False)
                with gr.Tab("Pictures"):
                    gallery = gr.HTML(elem_id="gallery", padding=False)
                with gr.Tab("All results", id=_RESULTS):
                    sizes = gr.HTML(elem_id="sizes", padding=False)
                    with gr.Column(visible=False) as two:
                        with gr.Row():
                            left = gr.Dropdown([], label="Compare two: A, on the left", elem_id="left")
                            right = gr.Dropdown([], label="B, on the right", elem_id="right")
                        beside = _inspector("beside")
            gr.HTML(step("More to take home", "a .zip of the .igs file and what you choose"), padding=False)
            parts = gr.CheckboxGroup(
                [],
                value=[],
                label="What goes into the .zip, beside the file",
                elem_id="parts",
            )
            pack = gr.Button(_PACK, elem_id="pack")
            zipped = gr.HTML(elem_id="zipped", padding=False)
    details = [head, compare, viewer, numbers, gallery, links, parts, zipped, full]

    def show(visitor: Visitor, number: int | None) -> list[Any]:
        result = result_of(visitor, number)
        if result is None:
            return [_NOTHING, None, "", "", "", "", gr.skip(), "", gr.update(visible=False)]
        is_fast = result.report is not None and result.report.preset == Preset.FAST.value
        return [
            head_of(result), compared(visitor, result), in_viewer(visitor, result), numbers_of(result),
            gallery_of(visitor, result), file_link(visitor, result), _parts(result), "",
            gr.update(visible=is_fast),
        ]  # fmt: skip

    def new_result(number: int, request: gr.Request) -> list[Any]:
        visitor = visitors.of(request.session_hash)
        has = bool(visitor.results)
        names = result_names(visitor)
        chosen = number if has else None
        before = visitor.results[-2].number if len(visitor.results) > 1 else chosen
        return [
            gr.update(choices=names, value=chosen, visible=len(names) > 1), gr.update(visible=has),
            gr.update(choices=names, value=before), gr.update(choices=names, value=chosen),
            beside_one_another(visitor, before, chosen), gr.update(visible=len(names) > 1), sizes_of(visitor),
            gr.update(selected=_RESULTS) if has_climbed(visitor) else gr.skip(), *show(visitor, chosen),
        ]  # fmt: skip

    def choose(number: int, request: gr.Request) -> list[Any]:
        return show(visitors.of(request.session_hash), number)

    def compare_two(first: int, second: int, request: gr.Request) -> dict[str, Any]:
        return beside_one_another(visitors.of(request.session_hash), first, second)

    def make(number: int, chosen: list[str], request: gr.Request) -> Iterator[list[Any]]:
        yield [gr.update(value=_PACKING, interactive=False), ""]
        yield [gr.update(value=_PACK, interactive=True), packed(number, chosen, request)]

    def packed(number: int, chosen: list[str], request: gr.Request) -> str:
        visitor = visitors.of(request.session_hash)
        result = result_of(visitor, number)
        if result is None:
            return notice("there is no result yet", "bad")
        try:
            path = make_zip(result, chosen)
        except ImageGSTexError as error:
            return notice(visitor.told(error), "bad")
        address = visitor.address(
            f"result-{result.number}-{visitor.served_count()}.zip", Served(path, "application/zip", path.name)
        )
        return download_link(address, path, "zip", zip_words(path))

    def in_full(number: int, request: gr.Request) -> list[Any]:
        visitor = visitors.of(request.session_hash)
        result = result_of(visitor, number)
        wish = Wish() if result is None else Wish("gaussians", float(result.info.gaussians))
        return [*running.fields.values(wish), *running.start(visitor, wish)]

    running.finished.change(
        new_result, running.finished, [chooser, whole, left, right, beside, two, sizes, tabs, *details],
        api_visibility=PRIVATE, show_progress="hidden",
    )  # fmt: skip
    chooser.input(choose, chooser, details, api_visibility=PRIVATE, trigger_mode="always_last")
    for field in (left, right):
        field.input(compare_two, [left, right], beside, api_visibility=PRIVATE, trigger_mode="always_last")
    pack.click(make, [chooser, parts], [pack, zipped], api_visibility=PRIVATE, show_progress="hidden").then(
        None, None, None, js=_SAVE_JS, api_visibility=PRIVATE
    )
    parts.input(  # it is not of these any more
        lambda: "", None, zipped, api_visibility=PRIVATE, show_progress="hidden", trigger_mode="always_last"
    )
    full.click(
        in_full, chooser, [*running.fields.all, *running.outputs], api_visibility=PRIVATE, show_progress="hidden"
    )
    full.click(None, None, None, js=SHOW_RUN, api_visibility=PRIVATE)


def _parts(result: Result) -> dict[str, Any]:
    """Return the choices of a .zip with their sizes, the usual ones ticked."""
    choices = part_choices(result)
    return gr.update(choices=choices, value=[key for _, key in choices if key in USUAL_PARTS])


def _inspector(name: str) -> gr.HTML:
    return gr.HTML(None, html_template=_INSPECT, js_on_load=_INSPECT_JS, elem_id=name, padding=False)
