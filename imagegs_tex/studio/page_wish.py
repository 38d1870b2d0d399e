"""Step 2 of the page: what is asked for, and the buttons that start a run."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import gradio as gr

from imagegs_tex.formats.errors import UsageError
from imagegs_tex.settings import DEFAULT_QUALITY, MOST_QUALITY, Preset
from imagegs_tex.studio.estimate import usual_amount
from imagegs_tex.studio.markup import step
from imagegs_tex.studio.page_input import PRIVATE
from imagegs_tex.studio.settings_form import assignments, build_settings_form, empty_form
from imagegs_tex.studio.visitors import Visitors
from imagegs_tex.studio.wishes import GOALS, PRESET_WORDS, QUALITY, QUALITY_WORDS, Wish, goal_of, quality_word

BACKENDS: Final = {
    "auto": "The best that this machine has",
    "cpu": "The processor (cpu)",
    "cuda": "An NVIDIA GPU (cuda)",
    "reference": "The definition, very slow (reference)",
}
_START_WORDS: Final = (
    '<div class="st-faint"><b>Start</b> takes your choices above. <b>Try five sizes</b> makes five quick files, from '
    "small to large, to choose from. <b>Start with defaults</b> takes the usual choices instead of yours; your maps "
    "stay.</div>"
)
_START: Final = "Start"
_SHOW: Final = "Show it"
_LEAST: Final = 1
"""Where the slider of the quality begins: a file of quality 0 there is not."""
_SCALE: Final = (
    '<div class="st-scale" role="group" aria-label="Usual qualities">'
    + "".join(
        f'<button type="button" class="st-quality" data-at="{at}" title="Quality {at}" '
        f'style="left:{100 * (at - _LEAST) / (MOST_QUALITY - _LEAST):.1f}%">{word}</button>'
        for at, word in QUALITY_WORDS
    )
    + "</div>"
)
_SCALE_JS: Final = """element.addEventListener('click', (event) => {
    const at = event.target.dataset.at;
    if (!at) return;
    element.querySelector('.st-scale').dataset.chosen = at;
    trigger('select');
});"""
_CHOSEN_JS: Final = "() => Number(document.querySelector('.st-scale').dataset.chosen)"
_SETTINGS_WORDS: Final = (
    '<div class="st-faint">No first file needs these. A field that is left empty stays as usual; what is usual is '
    "written in it.</div>"
)


@dataclass(frozen=True, slots=True)
class WishFields:
    """The fields that say what is asked for."""

    goal: gr.Radio
    quality: gr.Slider  # the amount where the goal is quality
    amount: gr.Number  # of any other goal
    preset: gr.Radio
    detail: gr.Checkbox
    backend: gr.Dropdown
    every: gr.Slider
    advanced: dict[str, Any]  # fields of further settings, by their names

    @property
    def all(self) -> list[Any]:
        """In the order of :meth:`values`."""
        first = [self.goal, self.quality, self.amount, self.preset, self.detail, self.backend, self.every]
        return [*first, *self.advanced.values()]

    def wish(self, values: Mapping[Any, Any]) -> Wish:
        """Return what the fields' values ask for.

        Raises:
            UsageError: they hold what no choice of the page is
        """
        backend, preset = values[self.backend], values[self.preset]
        if backend not in BACKENDS or preset not in {each.value for each in Preset}:
            raise UsageError("there is no such choice; reload the page")
        goal = goal_of(values[self.goal]).key
        amount = values[self.quality if goal == QUALITY else self.amount]
        return Wish(
            goal=goal, amount=float(amount or 0), preset=Preset(preset),
            detail=bool(values[self.detail]), backend=backend, every=max(1, min(1000, int(values[self.every] or 1))),
            assignments=assignments({name: values[each] for name, each in self.advanced.items()}),
        )  # fmt: skip

    def values(self, wish: Wish) -> list[Any]:
        """Return what the fields show for a wish without further settings."""
        first = [wish.goal, *_amounts(wish.goal, wish.amount), wish.preset.value, wish.detail, wish.backend, wish.every]
        return [*first, *empty_form(self.advanced)]


def _amounts(goal: str, amount: float) -> list[dict[str, Any]]:
    """Return what the two fields of amounts become: the one that the goal has is shown."""
    chosen = goal_of(goal)
    if goal == QUALITY:
        return [gr.update(visible=True, value=amount, label=_quality_label(amount)), gr.update(visible=False)]
    return [gr.update(visible=False), gr.update(visible=True, value=amount, label=f"{chosen.label} in {chosen.unit}")]


def _quality_label(quality: float) -> str:
    return f"How good: {quality:g}, {quality_word(quality)}"


@dataclass(frozen=True, slots=True)
class WishPart:
    """What later parts of the page read of this one."""

    fields: WishFields
    command: gr.Textbox  # the same as a command line
    estimate: gr.HTML  # about how large, how long
    start: gr.Button
    ladder: gr.Button
    defaults: gr.Button
    why_not: gr.HTML  # why none of them can be pressed

    start_words: gr.HTML  # what each of them does

    def for_material(self, *, is_igs: bool) -> list[dict[str, Any]]:
        """Return what :attr:`of_material` becomes with a material: a file that is ready-made leaves nothing to set."""
        return [gr.update(visible=not is_igs), *[gr.update(interactive=not is_igs)] * 4]

    @property
    def of_material(self) -> list[Any]:
        """What depends on the kind of the material, beside :attr:`starters`."""
        first = self.fields
        return [self.start_words, first.goal, first.quality, first.amount, first.preset]

    @property
    def starters(self) -> list[gr.Button]:
        """All buttons that start a run."""
        return [self.start, self.ladder, self.defaults]

    @staticmethod
    def pressable(*, is_over: bool, is_igs: bool, is_shown: bool) -> list[dict[str, Any]]:
        """Return what :attr:`starters` become.

        Args:
            is_over: no run is under way
            is_igs: the material is a file that is ready-made, which can only be shown
            is_shown: it is, so that there is nothing to press
        """
        others = gr.update(visible=not is_igs, interactive=is_over)
        first = gr.update(value=_SHOW if is_igs else _START, visible=not is_shown, interactive=is_over)
        return [first, others, others]


def build_wish(visitors: Visitors) -> WishPart:
    """Build the part."""
    with gr.Column(elem_classes="st-card"):
        gr.HTML(step("2. How large, how good", "the defaults are fine to begin with"), padding=False)
        with gr.Row():
            with gr.Column(min_width=300):
                goal = gr.Radio(
                    [(each.label, each.key) for each in GOALS], value=QUALITY, label="What decides the size"
                )
                quality = gr.Slider(
                    _LEAST, MOST_QUALITY, value=DEFAULT_QUALITY, step=1, label=_quality_label(DEFAULT_QUALITY),
                    elem_id="quality",
                )  # fmt: skip
                scale = gr.HTML("", html_template=_SCALE, js_on_load=_SCALE_JS, padding=False)
                amount = gr.Number(0, label="Amount", visible=False, minimum=0, elem_id="amount")
            with gr.Column(min_width=300):
                preset = gr.Radio(
                    [(words, each.value) for each, words in PRESET_WORDS.items()],
                    value=Preset.BALANCED.value,
                    label="How much time to spend",
                )
        with gr.Accordion("All settings of the fit", open=False):
            gr.HTML(_SETTINGS_WORDS, padding=False)
            with gr.Row():
                detail = gr.Checkbox(
                    True, label="Draw fine grain", info="A few hundred bytes describe the grain that is lost",
                    min_width=300,
                )  # fmt: skip
                backend = gr.Dropdown(
                    [(words, key) for key, words in BACKENDS.items()], value="auto", label="What computes",
                    min_width=300,
                )  # fmt: skip
                every = gr.Slider(
                    1, 50, value=4, step=1, label="Steps between live pictures", min_width=300,
                    info="At the soonest; never so many that it slows",
                )  # fmt: skip
            advanced = build_settings_form()
        with gr.Accordion("As a command line", open=False):
            command = gr.Textbox(
                "", label="The same file from a terminal", lines=2, buttons=["copy"], interactive=False,
                elem_id="command",
            )  # fmt: skip
        estimated = gr.HTML("", elem_id="estimate", padding=False)
        with gr.Row():
            start = gr.Button(_START, variant="primary", elem_id="start", scale=2)
            ladder = gr.Button("Try five sizes, fast", elem_id="ladder")
            defaults = gr.Button("Start with defaults", elem_id="defaults")
        why_not = gr.HTML("", elem_id="why-not", padding=False)
        start_words = gr.HTML(_START_WORDS, padding=False, elem_id="start-words")

    def new_goal(key: str, request: gr.Request) -> list[dict[str, Any]]:
        visitor = visitors.of(request.session_hash)
        own = None if visitor.reading is None else usual_amount(visitor.reading.demand, key, visitor.learnt or 1.0)
        return _amounts(key, goal_of(key).usual if own is None else own)

    def show_scale(key: str) -> dict[str, Any]:
        return gr.update(visible=key == QUALITY)

    def name_quality(value: float) -> dict[str, Any]:
        return gr.update(label=_quality_label(value))

    goal.input(
        new_goal, goal, [quality, amount], api_visibility=PRIVATE, show_progress="hidden", trigger_mode="always_last"
    )
    scale.select(None, None, quality, js=_CHOSEN_JS, api_visibility=PRIVATE, show_progress="hidden")
    goal.change(show_scale, goal, scale, api_visibility=PRIVATE, show_progress="hidden")
    quality.change(
        name_quality, quality, quality, api_visibility=PRIVATE, show_progress="hidden", trigger_mode="always_last"
    )
    fields = WishFields(goal, quality, amount, preset, detail, backend, every, advanced)
    return WishPart(fields, command, estimated, start, ladder, defaults, why_not, start_words)
