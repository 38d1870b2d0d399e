"""Step 1 of the page: the material, how each of its files was understood, and how to put that right."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import gradio as gr

from imagegs_tex.formats.errors import ImageGSTexError
from imagegs_tex.formats.files.safe_names import printable
from imagegs_tex.formats.igs.container import MAGIC
from imagegs_tex.formats.material.options import AlphaUse, NormalCoding, SourceOptions
from imagegs_tex.studio.corrections import GREEN_DOWN, GREEN_TURNED, GREEN_UP, MapCorrection
from imagegs_tex.studio.examples import EXAMPLES
from imagegs_tex.studio.markup import map_row, notice, reading_summary, step
from imagegs_tex.studio.meanings import choices
from imagegs_tex.studio.reading import MapRow
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
_TRANSFER_WORDS: Final = [("sRGB: as screens show it", "srgb"), ("Linear", "linear")]
_GREEN_WORDS: Final = [
    ("OpenGL: green is up", GREEN_UP),
    ("DirectX: green is down, keep it so", GREEN_DOWN),
    ("DirectX: turn it into OpenGL", GREEN_TURNED),
]


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
        table = gr.Column()
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
    outputs = [summary, version, whole, chooser, alpha, normals, remove]

    def shown(visitor: Visitor, message: str = "", kind: str = "bad") -> list[Any]:
        reading = visitor.reading
        visitor.forget("thumb-")
        number = visitor.served_count()
        if reading is None:
            is_igs = visitor.upload is not None and visitor.upload.is_igs
            words = f"{visitor.upload.title} is shown below." if is_igs and visitor.upload else ""
            return [
                notice(message, kind) + notice(words, "good"), number, gr.update(visible=False),
                gr.update(visible=False), gr.update(), gr.update(), gr.update(visible=visitor.upload is not None),
            ]  # fmt: skip
        has_normals = any(row.green for row in reading.rows)
        return [
            notice(message, kind) + reading_summary(reading) + notice(_wrap_words(visitor)),
            number,
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
        visitor = visitors.of(request.session_hash)
        if source is not None and visitor.upload is None:
            take_material(visitor, _given(source))
            return [visitor.token, *refresh(visitor)]
        return [visitor.token, *shown(visitor)]

    def sent(request: gr.Request) -> list[Any]:
        visitor = visitors.of(request.session_hash)
        message = receive(visitor)
        return shown(visitor, message.words, message.kind)

    def anew(request: gr.Request) -> list[Any]:
        visitor = visitors.of(request.session_hash)
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
            visitor = visitors.of(request.session_hash)
            take_example(key, visitor)
            return shown(visitor)

        return take

    def choose(name: str, request: gr.Request) -> list[Any]:
        visitor = visitors.of(request.session_hash)
        visitor.corrections.clear()
        return refresh(visitor, name)

    def set_whole(x: str, y: str, alpha_use: str, coding: str, first: str, request: gr.Request) -> list[Any]:
        visitor = visitors.of(request.session_hash)
        visitor.options = _options(x, y, alpha_use, coding, by_saliency=first == _SALIENCY)
        return refresh(visitor, "" if visitor.reading is None else visitor.reading.chosen)

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
    fields = [wrap_x, wrap_y, alpha, normals, matters]
    for field in fields:
        field.input(set_whole, fields, outputs, api_visibility=PRIVATE, show_progress_on=summary)

    with table:

        @gr.render(inputs=[version])  # type: ignore[untyped-decorator]  # Gradio leaves it without types
        def rows(_: int, request: gr.Request) -> None:
            visitor = visitors.of(request.session_hash)
            if visitor.reading is not None:
                for index, row in enumerate(visitor.reading.table):
                    _build_row(visitors, visitor, index, row, outputs, refresh)

    return InputPart(version, take_example, shown, outputs)


def _build_row(
    visitors: Visitors,
    visitor: Visitor,
    index: int,
    row: MapRow,
    outputs: list[Any],
    refresh: Callable[[Visitor, str], list[Any]],
) -> None:
    """Build a map's thumbnail, what is known of it, and the fields to put it right."""
    number = visitor.served_count()
    address = visitor.address(f"thumb-{index}-{number}.png", Served(row.thumbnail, "image/png"))

    def correct(
        shown: object, change: Callable[[MapCorrection, Any], MapCorrection]
    ) -> Callable[[Any, gr.Request], list[Any]]:
        def apply(value: Any, request: gr.Request) -> list[Any]:  # noqa: ANN401 - whatever a field holds
            if value == shown:  # a field that was only visited
                return [gr.skip() for _ in outputs]
            own = visitors.of(request.session_hash)
            before = dict(own.corrections)
            own.corrections[row.name] = change(own.corrections.get(row.name, MapCorrection()), value)
            chosen = "" if own.reading is None else own.reading.chosen
            found = refresh(own, chosen)
            if own.problem:  # what was read before stands, and is what a run takes
                own.corrections, own.problem = before, ""
            return found

        return apply

    with gr.Row(equal_height=False, elem_classes="st-map-row"):
        with gr.Column(scale=3, min_width=240):
            gr.HTML(map_row(row, address), padding=False)
        with gr.Column(scale=2, min_width=200):
            meaning = gr.Dropdown(
                choices(row.channels),
                value=row.meaning,
                label="Meaning",
                elem_id=f"meaning-{index}",
                filterable=True,
                interactive=not row.is_left_out,
            )
            kept = gr.Checkbox(
                not row.is_left_out, label="Goes into the file", elem_id=f"kept-{index}", container=False,
                interactive=True,
            )  # fmt: skip
        if row.is_srgb is not None:
            with gr.Column(scale=2, min_width=200):
                stored = "srgb" if row.is_srgb else "linear"
                transfer = gr.Dropdown(_TRANSFER_WORDS, value=stored, label="Colours are stored", interactive=True)
            transfer.input(
                correct(stored, lambda had, value: replace(had, is_srgb=value == "srgb")), transfer, outputs,
                api_visibility=PRIVATE,
            )  # fmt: skip
        elif row.green is not None:
            with gr.Column(scale=2, min_width=200):
                green = gr.Dropdown(_GREEN_WORDS, value=row.green, label="Normals made for", interactive=True)
            green.input(
                correct(row.green, lambda had, value: replace(had, green=value)), green, outputs,
                api_visibility=PRIVATE,
            )  # fmt: skip
        else:
            with gr.Column(scale=2, min_width=200):
                words = "Not in the file" if row.is_left_out else "Values, kept as they are stored"
                gr.HTML(f'<div class="st-faint st-plain">{words}</div>', padding=False)
    meaning.input(
        correct(row.meaning, lambda had, value: MapCorrection(meaning=value)), meaning, outputs, api_visibility=PRIVATE
    )
    kept.input(
        correct(not row.is_left_out, lambda had, value: replace(had, is_left_out=not value)), kept, outputs,
        api_visibility=PRIVATE,
    )  # fmt: skip


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
