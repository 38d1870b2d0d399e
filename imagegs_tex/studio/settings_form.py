"""Every setting of a fit as a field, made from the settings' own definitions: the page knows none by itself."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import gradio as gr

from imagegs_tex.setting_list import Setting, by_topic, list_settings, text_of
from imagegs_tex.settings import Preset

_UNCHANGED: Final = ""
"""What a field holds that asks for nothing of its own."""


def build_settings_form() -> dict[str, Any]:
    """Build a field for every setting, by its name; an empty one leaves the setting as the preset has it."""
    fields: dict[str, Any] = {}
    for topic, settings in by_topic(list_settings()).items():
        gr.HTML(f'<div class="st-group">{topic}</div>', padding=False)
        with gr.Row(elem_classes="st-settings"):
            for setting in settings:
                fields[setting.name] = _field(setting)
    return fields


def assignments(values: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what the fields ask for, as ``--set`` takes it.

    Args:
        values: of the fields, by the names of their settings
    """
    given = {name: str(value or "").strip() for name, value in values.items()}
    return tuple(f"{name}={text}" for name, text in given.items() if text != _UNCHANGED)


def empty_form(names: Iterable[str]) -> list[str]:
    """Return the values of fields that ask for nothing."""
    return [_UNCHANGED for _ in names]


def _field(setting: Setting) -> Any:  # noqa: ANN401 - one kind of field or another
    label = setting.name.replace("_", " ")
    said = f"{setting.meaning}."
    name = f"setting-{setting.name}"
    if setting.kind == "choice":
        choices = [(f"as usual: {text_of(setting.default)}", _UNCHANGED), *((each, each) for each in setting.choices)]
        return gr.Dropdown(choices, value=_UNCHANGED, label=label, info=said, min_width=220, elem_id=name)
    unit = f", in {setting.unit}" if setting.unit else ""
    lines = 2 if setting.kind == "population" else 1  # what is usual is as long as two
    return gr.Textbox(
        _UNCHANGED, label=label, info=f"{said} {setting.range}{unit}.",
        placeholder=f"as usual: {usual_words(setting)}", min_width=220, lines=lines, max_lines=lines, elem_id=name,
    )  # fmt: skip


def usual_words(setting: Setting) -> str:
    """Return what a setting is when nothing is asked for."""
    if not setting.presets:
        return text_of(setting.default)
    by_preset = dict(setting.presets)
    return ", ".join(f"{text_of(by_preset[preset.value])} {preset.value}" for preset in Preset)
