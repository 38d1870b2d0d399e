"""The command line: what is typed is run, errors become one line and an exit code."""

import atexit
import gc
import io
import re
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from imagegs_tex.cli import state
from imagegs_tex.cli.interrupts import Stopped
from imagegs_tex.formats.errors import ImageGSTexError, OutputError, UsageError
from imagegs_tex.formats.files.safe_names import printable

INTERNAL_ERROR = 1
INTERRUPTED = 130
_NUMBER = re.compile(r"\d[\d.,_]*")
CLOSED_PIPE = 141  # 128 + SIGPIPE, as a shell reports the tools that the signal ends
OUT_OF_MEMORY = 3
_NEW_OBJECTS = 100_000
"""From one look for garbage to the next: what modules are made of lives on, and torch has hundreds of thousands."""
_OUT_OF_MEMORY_TEXT = "out of memory; use smaller maps or fewer Gaussians"
_TORCH_OUT_OF_MEMORY = "DefaultCPUAllocator: can't allocate memory"  # of a plain RuntimeError


def main() -> None:
    """Run the command line and exit with its code."""
    gc.set_threshold(_NEW_OBJECTS)
    atexit.register(gc.freeze)  # nothing is looked for at the end, where all of it goes
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
        _end_quietly()
    except SystemExit as end:
        if isinstance(end.__context__, BrokenPipeError):  # of rich and of typer, which end with 1
            _end_quietly()
        raise
    except OSError as error:
        sys.stdout = None  # what it still holds cannot be written either
        _fail(f"cannot go on: {printable(error)}; free some space or check the path", OutputError.exit_code, error)
    except Exception as error:  # noqa: BLE001 - the last resort promises one line instead of a traceback
        from imagegs_tex.cli.command_line import WRONG_USAGE

        if isinstance(error, WRONG_USAGE):
            _fail(_usage_text(error), UsageError.exit_code, error)
        if _TORCH_OUT_OF_MEMORY in str(error):
            _fail(_OUT_OF_MEMORY_TEXT, OUT_OF_MEMORY, error)
        text = f"internal error: {type(error).__name__}: {printable(error)}; run it with --debug and report this"
        _fail(text, INTERNAL_ERROR, error)


def _end_quietly() -> None:
    """End without a word, as nobody reads any more, and with the code of the tools that the signal ends."""
    sys.stdout = None  # what it still holds cannot be written
    sys.stderr.close()
    sys.exit(CLOSED_PIPE)


def _run() -> None:
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # names may hold what the terminal's encoding does not
    _check_folder()
    arguments = sys.argv[1:] or ["--help"]
    is_plain_info = len(arguments) == 2 and arguments[0] == "info" and not arguments[1].startswith("-")
    code = _run_plain_info(Path(arguments[1])) if is_plain_info else _run_parsed(arguments)
    if code == INTERRUPTED:  # typer's way to say it, without a word
        raise KeyboardInterrupt
    if sys.stdout is not None:
        sys.stdout.flush()  # here, where a full disk can still be reported
    sys.exit(code)


def _run_parsed(arguments: list[str]) -> int | None:
    from imagegs_tex.cli.command_line import COMMANDS, PROGRAM, command_line

    named = next((argument for argument in arguments if not argument.startswith("-")), "")
    app = command_line(named) if named in COMMANDS else command_line()  # all of them, to say which there are
    # not standalone: typer would print wrong usage as a box of several lines
    code: int | None = app(arguments, prog_name=PROGRAM, standalone_mode=False)
    return code


def _run_plain_info(file: Path) -> int:
    """Run ``info FILE.igs`` without the parser of options, which takes as long to import as a file to read."""
    from imagegs_tex.cli.notices import show_notices
    from imagegs_tex.cli.show_info import show_info

    state.debug = state.quiet = False
    show_notices()
    show_info(file, as_json=False)
    return 0


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
    command = "imagegs-tex" if context is None else context.command_path
    text = " ".join(message.replace("Value error, ", "").split()).rstrip(".")
    parted = _parted_number(sys.argv[1:]) if "extra argument" in text else None
    if parted is not None:
        number, unit = parted
        text = f"{number} {unit} are two words to a shell; write {number}{unit} without the space, or '{number} {unit}'"
    return f"{printable(text)}; see {command} --help"


def _parted_number(arguments: Sequence[str]) -> tuple[str, str] | None:
    """Return the first number that a unit follows as a word of its own."""
    from imagegs_tex.cli.numbers import UNITS

    pairs = pairwise(arguments)
    return next((pair for pair in pairs if _NUMBER.fullmatch(pair[0]) and pair[1].lower() in UNITS), None)


def _fail(message: str, code: int, error: BaseException) -> None:
    if state.debug:
        raise error
    line = f"imagegs-tex: {message}"
    if sys.stderr is not None and sys.stderr.isatty():  # a terminal would break it within a word
        import shutil
        import textwrap

        width = shutil.get_terminal_size().columns
        line = textwrap.fill(line, width, break_long_words=False, break_on_hyphens=False)
    print(line, file=sys.stderr)
    sys.exit(code)
