"""The page: its parts in the order in which they are used, and what they share."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import gradio as gr

from imagegs_tex._version import __version__
from imagegs_tex.studio.jobs import JobQueue
from imagegs_tex.studio.page_input import build_input
from imagegs_tex.studio.page_results import build_results
from imagegs_tex.studio.page_run import build_run
from imagegs_tex.studio.visitors import Visitors

_CSS: Final = Path(__file__).parent / "static" / "studio.css"
_FONT: Final = ("system-ui", "sans-serif")
_MONO: Final = ("ui-monospace", "monospace")
"""Fonts that every machine has: Gradio's own come from another server."""
_HEADER: Final = (
    '<header class="st-head"><h1>imagegs-tex studio</h1><p>Give it the texture maps of a material: colour, normals, '
    "roughness and so on. It makes <b>one small <code>.igs</code> file</b> of them, which a game draws from directly. "
    'Watch it appear, compare it with the source, take it home.</p><p class="st-faint">What you send stays on the '
    f"machine that runs this page, and is removed when you close it. Version {__version__}.</p></header>"
)
_HEAD: Final = '<meta name="viewport" content="width=device-width, initial-scale=1">'


@dataclass(frozen=True, slots=True)
class Page:
    """The page, and how it looks."""

    blocks: gr.Blocks
    theme: gr.themes.Base
    css: str
    head: str


def build_page(visitors: Visitors, queue: JobQueue, source: Path | None) -> Page:
    """Build the page.

    Args:
        visitors: who has it open
        queue: of their runs
        source: a material or an .igs file that it begins with
    """
    with gr.Blocks(title="imagegs-tex studio", analytics_enabled=False) as blocks:
        gr.HTML(_HEADER, padding=False)
        given = build_input(blocks, visitors, source)
        running = build_run(visitors, queue, given)
        build_results(visitors, given, running)
        _when_closed(blocks, visitors)
    blocks.queue(default_concurrency_limit=8, max_size=400, api_open=False)
    return Page(blocks, _theme(), _CSS.read_text(encoding="utf-8"), _HEAD)


def _theme() -> gr.themes.Base:
    """Return Gradio's theme with borders that are seen, labels that look like labels, and text that can be read."""
    faint = "color-mix(in srgb, var(--body-text-color) 75%, transparent)"  # Gradio's greys are hard to read
    theme = gr.themes.Soft(font=_FONT, font_mono=_MONO)
    both = {
        "block_title_background_fill": "none", "block_title_text_color": "*body_text_color",
        "block_shadow": "none", "block_border_width": "0px", "block_background_fill": "transparent",
        "block_info_text_color": faint, "input_placeholder_color": faint,
        "input_border_width": "1px", "input_shadow": "none", "checkbox_label_border_width": "1px",
        "checkbox_label_shadow": "none", "button_border_width": "1px", "button_secondary_shadow": "none",
        "button_primary_shadow": "none", "button_primary_background_fill": "*primary_600",
        "button_primary_border_color": "*primary_600", "checkbox_label_background_fill_selected": "*primary_600",
        "checkbox_background_color_selected": "*primary_600", "slider_color": "*primary_600",
    }  # fmt: skip
    light = dict.fromkeys(
        ("input_border_color", "checkbox_label_border_color", "button_secondary_border_color"), "*neutral_300"
    )
    dark = dict.fromkeys((f"{name}_dark" for name in light), "*neutral_600")
    theme.set(
        **both, **{f"{name}_dark": value for name, value in both.items()}, **light, **dark,
        block_padding="0px", block_title_padding="0px", block_title_text_weight="600", layout_gap="14px",
        body_background_fill="*neutral_100", body_background_fill_dark="*neutral_950",
        checkbox_border_color="*neutral_400", checkbox_border_color_dark="*neutral_400",
    )  # fmt: skip
    return theme


def _when_closed(blocks: gr.Blocks, visitors: Visitors) -> None:
    def leave(request: gr.Request) -> None:
        visitors.leave(request.session_hash)

    blocks.unload(leave)
