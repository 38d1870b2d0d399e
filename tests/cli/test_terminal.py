"""What commands look like: at 80 and 120 columns, in a pipe and in a terminal."""

import fcntl
import io
import os
import pty
import re
import struct
import subprocess
import sys
import termios

import pytest
from helpers.commands import SMALL
from helpers.tiny_material import as_bytes, waves
from rich.console import Console

from imagegs_tex.cli.columns import print_columns
from imagegs_tex.cli.command_line import command_line
from imagegs_tex.formats.images import write_image

COMMANDS = (
    "compress", "build", "build-cache", "decode", "export", "info", "compare", "view", "emit", "verify", "studio",
    "doctor", "settings",
)  # fmt: skip
LONG = "occlusion_roughness_metallic_of_the_old_wall"


def in_a_terminal(columns, *arguments, **options):
    """Run a command in a pseudo-terminal; return what it wrote there, and its exit code."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name not in {"COLUMNS", "LINES", "NO_COLOR"}}
    process = subprocess.Popen(
        [sys.executable, "-m", "imagegs_tex", *map(str, arguments)],
        stdin=theirs, stdout=theirs, stderr=theirs, env={**environment, "TERM": "xterm"}, **options,
    )  # fmt: skip
    os.close(theirs)
    written = b""
    while True:
        try:
            written += os.read(ours, 65536)
        except OSError:  # the other end is closed
            break
    os.close(ours)
    return written.decode(), process.wait(timeout=60)


def visible(text):
    """Lines without colours, and without the frames of a bar that were drawn over."""
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)
    return [line.split("\r")[-1].rstrip() for line in text.replace("\r\n", "\n").split("\n")]


@pytest.mark.parametrize("columns", [80, 120])
@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_fits_and_breaks_no_word(command, columns, run, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(columns))
    code, out, _ = run(*filter(None, [command]), "--help")
    assert code == 0
    assert max(map(len, out.splitlines())) <= columns
    assert "<bool>" not in out
    assert "int range" not in out
    if not command:
        assert "..." not in out.split("Commands:")[1]
    if command == "compress":
        assert "where they do not, write a manifest with --save-manifest" in " ".join(out.split())


def test_every_command_has_a_line_of_its_own(run):
    _, out, _ = run("--help")
    listed = dict(re.findall(r"^  ([\w-]+) +(\S.*)$", out.split("Commands:")[1], re.MULTILINE))
    assert tuple(listed) == COMMANDS
    assert [entry.name for entry in command_line().registered_commands] == [*COMMANDS]
    assert all(text.endswith(".") for text in listed.values())


@pytest.fixture(scope="module")
def wide(tmp_path_factory):
    """A material with a long name and long readings."""
    folder = tmp_path_factory.mktemp("wide") / "wall"
    folder.mkdir()
    write_image(folder / f"{LONG}.png", as_bytes(waves(48, 48, 3)))
    write_image(folder / "basecolor.png", as_bytes(waves(32, 32, 3)))
    return folder


@pytest.mark.parametrize("columns", [80, 120])
def test_a_terminal_sees_each_phase_and_no_broken_word(wide, tmp_path, columns):
    text, code = in_a_terminal(columns, "compress", wide, "-o", tmp_path / "a.igs", *SMALL[:-1])
    assert code == 0, text
    phases = [text.find(name) for name in ("starting", "reading", "fitting", "rounding", "checking")]
    assert -1 not in phases
    assert phases == sorted(phases)
    assert "dB weighted, " in text
    assert "0.00 dB" not in text
    lines = visible(text)
    assert max(map(len, lines)) <= columns
    assert any(line.split()[0] == LONG for line in lines if line)  # in one piece
    words = " ".join(" ".join(lines).split())
    assert "basecolor: base colour; resampled from 32 x 32 to 48 x 48" in words or columns == 120
    assert re.search(r"\d+ bytes, [\d.]+ bits per texel \([\d.]+ per channel\), 40 Gaussians, [\d.]+ dB, ", words)


def test_a_pipe_gets_lines_of_any_length(wide, run, tmp_path):
    code, out, _ = run("compress", wide, "-o", tmp_path / "a.igs", *SMALL[:-1])
    assert code == 0
    (row,) = [line for line in out.splitlines() if line.startswith("basecolor")]
    assert re.search(r"base colour; resampled from 32 x 32 to 48 x 48 +[\d.]+ +[\d.]+( +[\d.]+){4}$", row)
    assert "\x1b" not in out


def test_a_file_that_is_left_out_is_said_in_a_line_of_its_own(run, tmp_path):
    folder = tmp_path / "rock"
    folder.mkdir()
    write_image(folder / "basecolor.png", as_bytes(waves(32, 32, 3)))
    write_image(folder / "roughness.png", as_bytes(waves(32, 32, 1)))
    write_image(folder / "Rock1.png", as_bytes(waves(20, 20, 3)))
    code, out, _ = run("compress", folder, "-o", tmp_path / "a.igs", *SMALL[:-1])
    assert code == 0
    assert re.search(r"^Rock1\.png is left out: 20 x 20, and its name says nothing$", out, re.MULTILINE)
    assert not re.search(r"^(basecolor|roughness).*Rock1", out, re.MULTILINE)


def test_narrow_tables_keep_words_whole(wide, tmp_path):
    assert in_a_terminal(80, "compress", wide, "-o", tmp_path / "a.igs", *SMALL)[1] == 0
    compared, code = in_a_terminal(80, "compare", tmp_path / "a.igs", wide)
    assert code == 0
    lines = visible(compared)
    assert max(map(len, lines)) <= 80
    assert sum(line.startswith(LONG) for line in lines) == 2  # contrast has a table of its own
    assert re.search(r"^basecolor .*\d\.\d\d \d\.\d\d \d\.\d\d \d\.\d\d$", "\n".join(lines), re.MULTILINE)
    shown, code = in_a_terminal(80, "info", tmp_path / "a.igs")
    assert code == 0
    assert max(map(len, visible(shown))) <= 80
    assert LONG in visible(shown)  # and not in two parts
    assert "format version" in " ".join(" ".join(visible(shown)).split())


@pytest.mark.parametrize("columns", [40, 80, 120])
@pytest.mark.parametrize("words", [("compres",), ("compress", "wall", "--gausians", "5"), ("info", "no_such_file.igs")])
def test_errors_break_between_words_in_a_terminal_and_nowhere_in_a_pipe(columns, words, tmp_path):
    shown, code = in_a_terminal(columns, *words, cwd=tmp_path)
    piped = subprocess.run(
        [sys.executable, "-m", "imagegs_tex", *words], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert code == piped.returncode != 0
    lines = visible(shown.strip())
    assert max(map(len, lines)) <= columns
    assert " ".join(lines) == piped.stderr.strip()
    assert piped.stderr.count("\n") == 1


@pytest.mark.parametrize("width", [60, 80, 100])
def test_names_that_leave_no_room_have_lines_of_their_own(width):
    written = io.StringIO()
    columns = {
        "map": ["basecolor", LONG],
        "semantic": ["base colour", "roughness"],
        "PSNR dB": ["50.37", "50.72"],
        "SSIM": ["0.9993", "0.9"],
        "FLIP": ["0.0245", ""],
        "degrees (mean, p95)": ["", "0.28, 0.70"],
        "alpha test (all, edges)": ["0.03%, 4.0% wrong", "1.00% wrong"],
    }
    print_columns(Console(file=written, width=width, highlight=False), columns, needless="semantic")
    lines = written.getvalue().splitlines()
    assert max(map(len, lines)) <= width
    own = lines.index(LONG)
    assert lines[own + 1].split()[:2] == ["50.72", "0.9"]
    assert lines[own + 1].index("50.72") == lines[own - 1].index("50.37")  # still below one another
    text = "\n".join(lines)
    assert all(text.count(word) == 1 for word in ("0.0245", "0.28, 0.70", "0.03%, 4.0% wrong", "1.00% wrong"))


def test_export_says_something_before_its_libraries_are_loaded(packed, tmp_path):
    text, code = in_a_terminal(80, "export", packed, "-o", tmp_path / "t", "--format", "ply")
    assert code == 0, text
    seen = [text.find(words) for words in ("starting", "4/4", "Gaussians")]
    assert -1 not in seen
    assert seen == sorted(seen)
    assert "None" not in text
    assert max(map(len, visible(text))) <= 80


def test_quiet_is_silent_in_a_terminal(material, tmp_path):
    text, code = in_a_terminal(80, "compress", material, "-o", tmp_path / "a.igs", *SMALL)
    assert (text, code) == ("", 0)
    assert [path.name for path in tmp_path.iterdir()] == ["a.igs"]


@pytest.mark.parametrize(("width", "lines"), [(80, 2), (120, 1)])
def test_words_take_several_lines_before_they_are_left_out(width, lines):
    reading = "normal; coded as stored, off unit length by 7.3/255"
    columns = {
        "map": ["occlusion_roughness_metallic", "normal"],
        "understood as": ["base colour", reading],
        "PSNR dB": ["31.61", "30.23"],
        "contrast": ["0.89 0.92 0.96 0.99"] * 2,
    }
    console = Console(width=width, file=io.StringIO())
    is_told = print_columns(console, columns, needless="understood as", apart="contrast", wrapped="understood as")
    written = console.file.getvalue().splitlines()
    assert is_told
    assert max(map(len, written)) <= width
    first = next(number for number, line in enumerate(written) if "normal; coded" in line)
    found = " ".join(" ".join(line[30:].split()) for line in written[first : first + lines])
    assert all(word in found for word in reading.split())
    assert sum("understood as" in line for line in written) == 1
    narrow = Console(width=56, file=io.StringIO())
    assert not print_columns(narrow, columns, needless="understood as", apart="contrast", wrapped="understood as")
    assert "understood as" not in narrow.file.getvalue()
