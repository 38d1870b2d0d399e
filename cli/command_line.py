"""The Typer application: one file per command."""

from importlib import import_module
from typing import Final

import typer

from imagegs_tex import __version__
from imagegs_tex.cli import state
from imagegs_tex.cli.notices import show_notices

PROGRAM: Final = "imagegs-tex"
WRONG_USAGE: Final = typer.BadParameter.__mro__[1]
"""The base of all that the parser raises; typer keeps it private."""


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"imagegs-tex {__version__}")
        raise typer.Exit


def _root(
    debug: bool = typer.Option(False, "--debug", help="Show a traceback when something goes wrong."),
    version: bool = typer.Option(False, "--version", callback=_print_version, is_eager=True, help="Show the version."),
) -> None:
    state.debug, state.quiet = debug, False
    show_notices()


COMMANDS: Final = {  # in fewer words than each command's own help: a line of 80 columns holds no more
    "compress": "Compress a material.",
    "build": "Compress a tree of materials, only what has changed.",
    "build-cache": "Say what a build's cache holds; make it smaller.",
    "decode": "Decode a file to one image per map.",
    "export": "Decode a file to textures for an engine.",
    "info": "Show what a file holds.",
    "compare": "Compare a file with its source.",
    "view": "Draw labelled pictures of a file.",
    "emit": "Write a shader decoder for a file, or for many.",
    "verify": "Check shader decoders on this machine's OpenGL.",
    "studio": "Compress and look on a page in a browser.",
    "doctor": "Say what this machine has and lacks.",
    "settings": "Show every setting of a fit, for --set.",
}


def command_line(*names: str) -> typer.Typer:
    """Return the application with these commands, or with all of them where none is named.

    A command lives in the file and the function of its name, which are only imported here: all take 40 ms.
    """
    app = typer.Typer(
        name=PROGRAM,
        help="Compress a material's texture stack into one small file of 2D Gaussians, and back.",
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        add_completion=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_root)
    for name in names or COMMANDS:
        function = name.replace("-", "_")
        command = getattr(import_module(f"imagegs_tex.cli.{function}"), function)
        app.command(name, short_help=COMMANDS[name])(command)
    return app
