"""The command line: one Typer application, one file per command, errors turned into one line and an exit code."""

import gc
import io
import sys
from importlib import import_module
from pathlib import Path
from typing import Final

import typer

from imagegs_tex import __version__
from imagegs_tex.cli import state
from imagegs_tex.cli.interrupts import Stopped
from imagegs_tex.cli.notices import show_notices
from imagegs_tex.formats.errors import ImageGSTexError, OutputError, UsageError
from imagegs_tex.formats.files.safe_names import printable

_PROGRAM = "imagegs-tex"
INTERNAL_ERROR = 1
INTERRUPTED = 130
OUT_OF_MEMORY = 3
_OUT_OF_MEMORY_TEXT = "out of memory; use smaller maps or fewer Gaussians"
_TORCH_OUT_OF_MEMORY = "DefaultCPUAllocator: can't allocate memory"  # of a plain RuntimeError
_WRONG_USAGE = typer.BadParameter.__mro__[1]  # the base of all that the parser raises; typer keeps it private


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


_COMMANDS: Final = {  # in fewer words than each command's own help: a line of 80 columns holds no more
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
        name=_PROGRAM,
        help="Compress a material's texture stack into one small file of 2D Gaussians, and back.",
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        add_completion=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_root)
    for name in names or _COMMANDS:
        function = name.replace("-", "_")
        command = getattr(import_module(f"imagegs_tex.cli.{function}"), function)
        app.command(name, short_help=_COMMANDS[name])(command)
    return app


def main() -> None:
    """Run the command line and exit with its code."""
    try:
        _run()
    except ImageGSTexError as error:
        _fail(str(error), error.exit_code, error)
    except Stopped as error:
        _fail(str(error), INTERRUPTED, error)
    except KeyboardInterrupt as error:
        _fail("interrupted; nothing was left half-written", INTERRUPTED, error)
    except MemoryError as error:
        _fail(_OUT_OF_MEMORY_TEXT, OUT_OF_MEMORY, error)
    except BrokenPipeError:
        sys.stderr.close()  # nobody reads any more: end quietly, as other tools do
        sys.exit(INTERNAL_ERROR)
    except OSError as error:
        sys.stdout = None  # what it still holds cannot be written either
        _fail(f"cannot go on: {printable(error)}; free some space or check the path", OutputError.exit_code, error)
    except Exception as error:  # noqa: BLE001 - the last resort promises one line instead of a traceback
        if isinstance(error, _WRONG_USAGE):
            _fail(_usage_text(error), UsageError.exit_code, error)
        if _TORCH_OUT_OF_MEMORY in str(error):
            _fail(_OUT_OF_MEMORY_TEXT, OUT_OF_MEMORY, error)
        text = f"internal error: {type(error).__name__}: {printable(error)}; run it with --debug and report this"
        _fail(text, INTERNAL_ERROR, error)


def _run() -> None:
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # names may hold what the terminal's encoding does not
    _check_folder()
    arguments = sys.argv[1:] or ["--help"]
    named = next((argument for argument in arguments if not argument.startswith("-")), "")
    gc.disable()  # of what imports make nothing is garbage, and looking for it takes `info` 25 ms
    app = command_line(named) if named in _COMMANDS else command_line()  # all of them, to say which there are
    gc.enable()
    # not standalone: typer would print wrong usage as a box of several lines
    code = app(arguments, prog_name=_PROGRAM, standalone_mode=False)
    if code == INTERRUPTED:  # typer's way to say it, without a word
        raise KeyboardInterrupt
    if sys.stdout is not None:
        sys.stdout.flush()  # here, where a full disk can still be reported
    sys.exit(code)


def _check_folder() -> None:
    """Refuse to work in a folder that was deleted: relative paths lead nowhere, and MKL cannot be loaded."""
    try:
        Path.cwd()
    except FileNotFoundError:
        raise UsageError("the current folder was deleted; change to another one (cd) and try again") from None


def _usage_text(error: Exception) -> str:
    """Return what the parser of the command line has to say, as one line with what to do."""
    message = str(error.format_message() if hasattr(error, "format_message") else error)
    context = getattr(error, "ctx", None)
    command = _PROGRAM if context is None else context.command_path
    text = " ".join(message.replace("Value error, ", "").split()).rstrip(".")
    return f"{printable(text)}; see {command} --help"


def _fail(message: str, code: int, error: BaseException) -> None:
    if state.debug:
        raise error
    print(f"imagegs-tex: {message}", file=sys.stderr)
    sys.exit(code)
