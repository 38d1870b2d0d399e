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
        gr.HTML(
            '<header class="st-head"><h1>imagegs-tex studio</h1><p>Give it the maps of a material, all together. They '
            "become one small <code>.igs</code> file that a game draws from directly. Watch it appear, compare it with "
            f'the source, take it home.</p><p class="st-faint">Version {__version__}. What you send stays on the '
            "machine that runs this page, and is removed when you close it.</p></header>"
        )
        given = build_input(blocks, visitors, source)
        running = build_run(visitors, queue, given)
        build_results(visitors, given, running)
        _when_closed(blocks, visitors)
    blocks.queue(default_concurrency_limit=8, max_size=400, api_open=False)
    theme = gr.themes.Soft(font=_FONT, font_mono=_MONO)
    faint = "color-mix(in srgb, var(--body-text-color) 75%, transparent)"  # Gradio's greys are hard to read
    theme.set(block_info_text_color=faint, input_placeholder_color=faint)
    return Page(blocks, theme, _CSS.read_text(encoding="utf-8"), _HEAD)


def _when_closed(blocks: gr.Blocks, visitors: Visitors) -> None:
    def leave(request: gr.Request) -> None:
        visitors.leave(request.session_hash)

    blocks.unload(leave)
