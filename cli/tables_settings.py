"""The settings as a table for people."""

from collections.abc import Sequence
from typing import Final

from rich.markup import escape
from rich.table import Table

from imagegs_tex.cli.console import make_console
from imagegs_tex.setting_list import Setting, by_topic, text_of

_WIDE: Final = 140
"""Columns of a terminal in which ranges need no second line."""


def print_settings(settings: Sequence[Setting]) -> None:
    """Print name, default, range and meaning of each setting under headings."""
    console = make_console()
    wide = console.width > _WIDE
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for title, most in (("setting", None), ("default", None), ("range", 15), ("meaning", None)):
        table.add_column(
            title, no_wrap=title in {"setting", "default"}, overflow="fold", max_width=None if wide else most
        )
    for topic, own in by_topic(settings).items():
        table.add_row("", "", "", f"[bold]{escape(topic)}[/bold]")
        for setting in own:
            default = "..." if setting.kind == "population" else text_of(setting.default)
            span = "see below" if setting.kind == "population" else setting.range
            table.add_row(setting.name, default, escape(span), escape(_words(setting)))
    console.print(table)
    for setting in settings:
        if setting.kind == "population":
            console.print(f"{setting.name}: {setting.range}", soft_wrap=True)
            console.print(f"default of {setting.name}: {text_of(setting.default)}", soft_wrap=True)
        if setting.presets:
            values = ", ".join(f"{preset} {text_of(value)}" for preset, value in setting.presets)
            console.print(f"{setting.name} of the presets: {values}", soft_wrap=True)


def _words(setting: Setting) -> str:
    return f"{setting.meaning} ({setting.unit})" if setting.unit else setting.meaning
