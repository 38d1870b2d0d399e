"""The viewer of runtime/web in the page: its own files by name, and a frame with one result in it."""

from html import escape
from pathlib import Path
from typing import Final

from imagegs_tex.formats.errors import MissingToolError
from imagegs_tex.studio.markup import notice
from imagegs_tex.studio.results import Result
from imagegs_tex.studio.visitors import Served, Visitor
from imagegs_tex.viewing.serve_viewer import CONTENT_TYPES, VIEWER, viewer_query, web_folder

_PAGE: Final = f"studio-viewer/{VIEWER}/index.html"
_TO_PAGE: Final = "../../"
"""From the viewer's folder to the studio's page, which addresses start from."""
IGS_TYPE: Final = "application/octet-stream"


def viewer_files() -> dict[str, Path]:
    """Return what the viewer is made of, by its names in addresses; nothing where it was not built."""
    try:
        folder = web_folder()
    except MissingToolError:
        return {}
    return {
        path.relative_to(folder).as_posix(): path
        for path in sorted(folder.rglob("*"))
        if path.suffix in CONTENT_TYPES and path.is_file()
    }


def igs_address(visitor: Visitor, result: Result) -> str:
    """Let the browser get a result's file, and return where."""
    return visitor.address(f"result-{result.number}-file.igs", Served(result.file, IGS_TYPE, result.file.name))


def in_viewer(visitor: Visitor, result: Result) -> str:
    """Return a frame in which the viewer shows a result beside its source."""
    try:
        web_folder()
    except MissingToolError as error:
        return notice(str(error), "bad")
    sources = [
        _TO_PAGE + visitor.address(f"result-{result.number}-{path.name}", Served(path, "image/png"))
        for path in result.viewer_sources
    ]
    query = viewer_query(_TO_PAGE + igs_address(visitor, result), sources, green_up=result.green_up)
    address = escape(f"{_PAGE}{query}")
    maps = "beside its source" if sources else "alone"
    return (
        '<div class="st-faint">All maps together on a body in a light. Your browser decodes the .igs file itself here, '
        f"as a game does; “Maps” has what it decodes, each map {maps}, its mip levels and the Gaussians. To compare "
        "texels, “Compare” is the place. What no map says is grey, flat, rather rough and no metal. "
        f'<a href="{address}" target="_blank" rel="noopener">Open it in a tab of its own</a></div>'
        f'<iframe class="st-viewer" src="{address}&amp;embedded=1" title="Viewer of {escape(result.file.name)}" '
        'loading="lazy"></iframe>'
    )
