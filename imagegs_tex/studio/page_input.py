"""Step 1 of the page: the material, how each of its files was understood, and how to put that right."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import gradio as gr

from imagegs_tex.formats.errors import ImageGSTexError
from imagegs_tex.formats.files.safe_names import printable
from imagegs_tex.formats.igs.container import MAGIC
from imagegs_tex.formats.material.options import AlphaUse, NormalCoding, SourceOptions
from imagegs_tex.studio.corrections import MapCorrection
from imagegs_tex.studio.examples import EXAMPLES
from imagegs_tex.studio.map_table import map_change, map_table
from imagegs_tex.studio.markup import notice, reading_summary, step
from imagegs_tex.studio.receiving import receive, take_material, understand
from imagegs_tex.studio.uploads import Upload
from imagegs_tex.studio.visitors import Served, Visitor, Visitors

PRIVATE: Final = "private"
"""Visibility of every event: the page is not an API."""
_DROP: Final = """<div class="st-drop"><b>Drop the maps of one material here</b>
<span class="st-faint">Files, a folder, a .zip, a .glb or .gltf with its images, one picture,
or an .igs file to look at. Pictures that come later join those that are there; anything else replaces them.</span>
<div class="st-drop-buttons">
<label>Choose files<input type="file" multiple class="st-files" aria-label="Choose files"></label>
<label>Choose a folder<input type="file" webkitdirectory class="st-folder" aria-label="Choose a folder"></label></div>
<div class="st-drop-say st-faint" aria-live="polite"></div></div>"""
_DROP_JS: Final = Path(__file__).parent / "static" / "dropzone.js"
_TABLE_JS: Final = Path(__file__).parent / "static" / "map_table.js"
_UNDERSTOOD_JS: Final = """(said) => document.dispatchEvent(
    new CustomEvent('st-understood', { detail: said.includes('st-bad') }))"""
_NOTHING_SENT_JS: Final = "() => { document.querySelector('.st-drop-say').textContent = ''; }"
_SALIENCY: Final = "saliency"
_WRAPS: Final = {"auto": None, "repeat": True, "clamp": False}
_WRAP_WORDS: Final = [("As found out", "auto"), ("It repeats", "repeat"), ("It ends at its border", "clamp")]
_ALPHA_WORDS: Final = [
    ("As found out", AlphaUse.AUTO.value),
    ("Coverage: colour under full transparency is free", AlphaUse.COVERAGE.value),
    ("Data: every texel counts", AlphaUse.DATA.value),
    ("Premultiplied: colours are multiplied by it", AlphaUse.PREMULTIPLIED.value),
]
_NORMAL_WORDS: Final = [
    ("As found out", NormalCoding.AUTO.value),
    ("Unit length: two numbers, z follows", NormalCoding.UNIT.value),
    ("As stored: three numbers", NormalCoding.STORED.value),
]
_MATTER_WORDS: Final = [("Every texel alike", "even"), ("What catches the eye (saliency)", _SALIENCY)]


@dataclass(frozen=True, slots=True)
class InputPart:
    """What later parts of the page read of this one."""

    version: gr.State  # grows whenever the material is understood anew
    example: Callable[[str, Visitor], None]  # makes an example the visitor's material
    shown: Callable[[Visitor], list[Any]]  # what the part shows of the visitor's material
    outputs: list[Any]  # where that goes


def build_input(blocks: gr.Blocks, visitors: Visitors, source: Path | None) -> InputPart:
    """Build the part of a page; source is what every visitor begins with."""
    with gr.Column(elem_classes="st-card"):
        gr.HTML(step("1. Your material"), padding=False)
        listening = _DROP_JS.read_text(encoding="utf-8")
        drop = gr.HTML("", html_template=_DROP, js_on_load=listening, elem_id="dropzone", padding=False)
        gr.HTML('<div class="st-or">Nothing at hand? Try an example:</div>', padding=False)
        with gr.Row():
            buttons = [gr.Button(example.label, size="sm", elem_id=f"example-{example.key}") for example in EXAMPLES]
        summary = gr.HTML(elem_id="reading", padding=False)
        version = gr.State(0)
        chooser = gr.Dropdown([], label="Material", info="This input has several; choose one", visible=False)
        table = gr.HTML("", js_on_load=_TABLE_JS.read_text(encoding="utf-8"), elem_id="maps", padding=False)
        with gr.Accordion("The material as a whole", open=False, visible=False) as whole, gr.Row():
            wrap_x, wrap_y = (
                gr.Dropdown(_WRAP_WORDS, value="auto", label=label, min_width=240, info="Whether the material repeats")
                for label in ("From left to right", "From top to bottom")
            )
            alpha = gr.Dropdown(
                _ALPHA_WORDS, value="auto", label="Alpha", min_width=240, info="What transparency means"
            )
            normals = gr.Dropdown(_NORMAL_WORDS, value="auto", label="Normals", min_width=240, info="How they are kept")
            matters = gr.Dropdown(
                _MATTER_WORDS, value="even", label="What matters", min_width=240, info="Where the bytes go first"
            )
        remove = gr.Button(
            "Take these away, begin with another material", visible=False, size="sm", elem_id="anew",
            elem_classes="st-aside",
        )  # fmt: skip
    outputs = [summary, version, table, whole, chooser, alpha, normals, remove]

    def shown(visitor: Visitor, message: str = "", kind: str = "bad") -> list[Any]:
        reading = visitor.reading
        visitor.forget("thumb-")
        number = visitor.served_count()
        if reading is None:
            is_igs = visitor.upload is not None and visitor.upload.is_igs
            words = f"{visitor.upload.title} is shown below." if is_igs and visitor.upload else ""
            return [
                notice(message, kind) + notice(words, "good"), number, "", gr.update(visible=False),
                gr.update(visible=False), gr.update(), gr.update(), gr.update(visible=visitor.upload is not None),
            ]  # fmt: skip
        has_normals = any(row.green for row in reading.rows)
        thumbnails = [
            visitor.address(f"thumb-{index}-{number}.png", Served(row.thumbnail, "image/png"))
            for index, row in enumerate(reading.table)
        ]
        return [
            notice(message, kind) + reading_summary(reading) + notice(_wrap_words(visitor)),
            number,
            map_table(reading.table, thumbnails),
            gr.update(visible=True),
            gr.update(choices=list(reading.materials), value=reading.chosen, visible=len(reading.materials) > 1),
            gr.update(visible=reading.has_alpha),
            gr.update(visible=has_normals),
            gr.update(visible=True),
        ]

    def refresh(visitor: Visitor, chosen: str = "") -> list[Any]:
        try:
            understand(visitor, chosen)
        except ImageGSTexError as error:
            return shown(visitor, visitor.told(error))
        except MemoryError:
            return shown(visitor, "out of memory; use smaller maps")
        return shown(visitor)

    def begin(request: gr.Request) -> list[Any]:
        with visitors.turn(request.session_hash) as visitor:
            if source is not None and visitor.upload is None:
                take_material(visitor, _given(source))
                return [visitor.token, *refresh(visitor)]
            return [visitor.token, *shown(visitor)]

    def sent(request: gr.Request) -> list[Any]:
        with visitors.turn(request.session_hash) as visitor:
            message = receive(visitor)
            return shown(visitor, message.words, message.kind)

    def anew(request: gr.Request) -> list[Any]:
        with visitors.turn(request.session_hash) as visitor:
            take_material(visitor, None)
            visitor.problem, visitor.learnt = "", None
            return shown(visitor)

    def take_example(key: str, visitor: Visitor) -> None:
        example = next(each for each in EXAMPLES if each.key == key)
        folder = visitor.folder / "example" / key
        example.make(folder)
        files = sorted(folder.iterdir())
        path = files[0] if len(files) == 1 else folder
        take_material(visitor, Upload(path, path.name))
        understand(visitor)

    def example_of(key: str) -> Callable[[gr.Request], list[Any]]:
        def take(request: gr.Request) -> list[Any]:
            with visitors.turn(request.session_hash) as visitor:
                take_example(key, visitor)
                return shown(visitor)

        return take

    def choose(name: str, request: gr.Request) -> list[Any]:
        with visitors.turn(request.session_hash) as visitor:
            visitor.corrections.clear()
            return refresh(visitor, name)

    def set_whole(x: str, y: str, alpha_use: str, coding: str, first: str, request: gr.Request) -> list[Any]:
        with visitors.turn(request.session_hash) as visitor:
            visitor.options = _options(x, y, alpha_use, coding, by_saliency=first == _SALIENCY)
            return refresh(visitor, "" if visitor.reading is None else visitor.reading.chosen)

    def correct(event: gr.EventData, request: gr.Request) -> list[Any]:
        with visitors.turn(request.session_hash) as visitor:
            reading = visitor.reading
            change = None if reading is None else map_change(reading.table, event._data)
            if reading is None or change is None:
                return shown(visitor)
            name, correct_one = change
            before = dict(visitor.corrections)
            visitor.corrections[name] = correct_one(visitor.corrections.get(name, MapCorrection()))
            found = refresh(visitor, reading.chosen)
            if visitor.problem:  # what was read before stands, and is what a run takes
                visitor.corrections, visitor.problem = before, ""
            return found

    gr.on([blocks.load], begin, None, [drop, *outputs], api_visibility=PRIVATE)
    remove.click(anew, None, outputs, api_visibility=PRIVATE, show_progress="hidden")
    remove.click(None, None, None, js=_NOTHING_SENT_JS, api_visibility=PRIVATE)
    drop.submit(sent, None, outputs, api_visibility=PRIVATE, show_progress="hidden").then(
        None, summary, None, js=_UNDERSTOOD_JS, api_visibility=PRIVATE
    )
    for example, button in zip(EXAMPLES, buttons, strict=True):
        button.click(example_of(example.key), None, outputs, api_visibility=PRIVATE, show_progress_on=summary)
        button.click(None, None, None, js=_NOTHING_SENT_JS, api_visibility=PRIVATE)
    chooser.input(choose, chooser, outputs, api_visibility=PRIVATE)
    table.input(correct, None, outputs, api_visibility=PRIVATE, trigger_mode="multiple")
    fields = [wrap_x, wrap_y, alpha, normals, matters]
    for field in fields:
        field.input(set_whole, fields, outputs, api_visibility=PRIVATE, show_progress_on=summary)

    return InputPart(version, take_example, shown, outputs)


def _given(source: Path) -> Upload:
    is_igs = source.is_file() and source.open("rb").read(len(MAGIC)) == MAGIC
    return Upload(source, printable(source.name), is_igs, is_given=True)


def _options(x: str, y: str, alpha: str, normals: str, *, by_saliency: bool) -> SourceOptions:
    return SourceOptions(
        wrap=(_WRAPS.get(x), _WRAPS.get(y)),
        alpha=AlphaUse(alpha),
        normals=NormalCoding(normals),
        importance_by_saliency=by_saliency,
    )


def _wrap_words(visitor: Visitor) -> str:
    reading = visitor.reading
    assert reading is not None
    x, y = reading.wrap
    words = {"repeat": "repeats", "clamp": "ends at its border"}
    both = f"{words[x]} in both directions" if x == "repeat" else words[x]
    said = f"It {both}" if x == y else f"From left to right it {words[x]}, from top to bottom it {words[y]}"
    guess = " (guessed from its borders)" if "guessed" in reading.wrap_note else ""
    return f'{said}{guess}. Is that wrong? Say so under "The material as a whole".'
