"""Options that several commands share."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from imagegs_tex.cli import state
from imagegs_tex.formats.material.options import AlphaUse

# readable=False: what cannot be read is said by whoever opens it, in one line and with the right exit code
IgsFile = Annotated[Path, typer.Argument(metavar="FILE.igs", readable=False, help="An .igs file.")]
Source = Annotated[
    Path,
    typer.Argument(
        metavar="INPUT", readable=False, help="A folder of maps (or a .zip of one), an image, a manifest, or a glTF."
    ),
]
BackendName = Annotated[
    str, typer.Option("--backend", metavar="auto|cpu|cuda|reference", help="What computes the picture.")
]
Threads = Annotated[
    int | None, typer.Option("--threads", min=1, metavar="N", help="CPU threads. The result is the same for any.")
]
Alpha = Annotated[
    AlphaUse,
    typer.Option(
        help="Coverage: colour under alpha 0 is free. Data: it counts. Auto: free where that pays. Premultiplied: the "
        "images' colours are multiplied by alpha."
    ),
]
Size = Annotated[
    str | None,
    typer.Option(
        "--size",
        metavar="WxH",
        help="Size in texels that all maps become, like 512x256 or 2K; the largest map's when not given.",
    ),
]
Report = Annotated[
    Path | None,
    typer.Option("--report", metavar="FILE.json", readable=False, help="Write a JSON report; - for standard output."),
]
AllowRoot = Annotated[
    list[Path] | None,
    typer.Option(
        "--allow-root",
        metavar="DIR",
        readable=False,
        help="Folder besides a glTF's own in which its images may lie; repeatable.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


def _be_quiet(quiet: bool) -> bool:
    state.quiet = quiet
    return quiet


Quiet = Annotated[bool, typer.Option("--quiet", "-q", callback=_be_quiet, help="Print errors only.")]
DrawDetail = Annotated[
    bool, typer.Option("--detail/--no-detail", help="Draw the file's detail layer: the grain that the source has.")
]


class LoadedKind(StrEnum):
    """Textures that shaders make at load time."""

    BC = "bc"
    BC1 = "bc1"
    RGBA8 = "rgba8"


Textures = Annotated[
    LoadedKind | None,
    typer.Option(
        "--textures",
        help="Compute shaders that make textures with all mips at load time: BC4, BC5 and BC7; the same with opaque "
        "colour as BC1; or RGBA8.",
    ),
]
