"""What all commands share: wrong usage, help, exit codes, and the process around them."""

import errno
import os
import re
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.commands import SMALL, python

from imagegs_tex import __version__
from imagegs_tex.cli.console import make_console
from imagegs_tex.cli.main import main


@pytest.mark.parametrize(
    "arguments",
    [
        ("compress",),
        ("compress", "x"),
        ("compress", "x", "-o", "y", "--gaussians", "0"),
        ("compress", "x", "-o", "y", "--gaussians", "many"),
        ("compress", "x", "-o", "y", "--max-bytes", "0"),
        ("compress", "x", "-o", "y", "--preset", "slow"),
        ("compress", "x", "-o", "y", "--threads", "0"),
        ("compress", "x", "-o", "y", "--time-budget", "0"),
        ("decode", "x"),
        ("decode", "x", "-o", "y", "--format", "gif"),
        ("info",),
        ("compare", "x"),
        ("decode", "x", "-o"),
        ("decode", "x", "-o", "y", "--scale", "half"),
        ("export", "x", "-o", "y", "--format", "jpg"),
        ("info", "x", "y"),
        ("info", "--no-such-option"),
        ("explode",),
        ("--no-such-option",),
    ],
    ids=" ".join,
)
def test_wrong_usage_is_one_line_with_a_remedy(fails, arguments):
    assert re.search(r"; see imagegs-tex[a-z ]* --help$", fails(2, *arguments))


def test_a_wrong_value_names_the_right_ones(fails):
    error = fails(2, "compress", "x", "-o", "y", "--preset", "slow")
    assert "'--preset': 'slow' is not one of 'fast', 'balanced', 'best'; see imagegs-tex compress --help" in error


def test_no_command_gives_help(run):
    code, out, err = run()
    assert (code, err) == (0, "")
    assert "Usage: imagegs-tex" in out


@pytest.mark.parametrize("command", ["info", "decode", "compare", "compress"])
def test_an_input_without_permission(fails, material, packed, tmp_path, monkeypatch, command):
    """Pretended, because nothing is without permission for root."""

    source, whole = material / "basecolor.png", Path.open

    def refuse(path, *arguments, **options):
        if path in {source, packed}:
            raise PermissionError(errno.EACCES, "Permission denied")
        return whole(path, *arguments, **options)

    monkeypatch.setattr(os, "access", lambda *_, **__: False)
    monkeypatch.setattr(Path, "open", refuse)
    arguments = {
        "info": (packed,), "decode": (packed, "-o", tmp_path / "maps"), "compare": (packed, source),
        "compress": (source, "-o", tmp_path / "a.igs", *SMALL),
    }[command]  # fmt: skip
    assert re.search("permission|Permission", fails(3, command, *arguments))


@pytest.mark.parametrize("command", ["info", "decode", "compare"])
def test_a_damaged_igs_file(fails, material, packed, tmp_path, command):
    bad = tmp_path / "bad\n.igs"
    data = bytearray(packed.read_bytes())
    data[len(data) // 2] ^= 255
    bad.write_bytes(data)
    options = {"info": (), "decode": ("-o", tmp_path / "maps"), "compare": (material,)}[command]
    assert r"bad\n.igs: the checksum of section" in fails(4, command, bad, *options)
    bad.write_bytes(b"")
    assert "not an .igs file" in fails(4, command, bad, *options)
    fails(3, command, tmp_path / "missing.igs", *options)
    fails(3, command, tmp_path, *options)
    assert {path.name for path in tmp_path.iterdir()} == {bad.name}


@pytest.mark.parametrize("command", ["info FILE", "info FILE --json", "--help", "compress --help", "settings"])
def test_nobody_reads_stdout(packed, command):
    reader, writer = os.pipe()
    os.close(reader)
    words = [str(packed) if word == "FILE" else word for word in command.split()]
    process = subprocess.Popen(
        [sys.executable, "-m", "imagegs_tex", *words], stdout=writer, stderr=subprocess.PIPE, text=True
    )
    os.close(writer)
    _, err = process.communicate(timeout=60)
    assert err == ""
    assert process.returncode == 141


def test_stdout_is_full(packed, require_tool):
    require_tool(Path("/dev/full").exists(), "needs /dev/full")
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "imagegs_tex", "info", str(packed), "--json"],
            stdout=full, stderr=subprocess.PIPE, text=True, check=False, timeout=60,
        )  # fmt: skip
    assert done.returncode == 3
    assert re.fullmatch(r"imagegs-tex: [^\n]+\n", done.stderr), done.stderr


def test_stdout_is_closed(packed, tmp_path):
    script = f'exec "{sys.executable}" -m imagegs_tex decode "{packed}" -o "{tmp_path}/maps" >&-'
    done = subprocess.run(["/bin/sh", "-c", script], stderr=subprocess.PIPE, text=True, check=False, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(list((tmp_path / "maps").iterdir())) == 4


def test_help_answers_at_once():
    times = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        process = python("--help")
        out, _ = process.communicate(timeout=60)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        # processor time, which other programs on the machine do not change much
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert process.returncode == 0
    assert all(word in out for word in ("compress", "decode", "export", "info", "compare"))
    assert min(times) < 0.5


@pytest.mark.parametrize("command", ["compress", "decode", "export", "info", "compare", "emit", "verify", "doctor"])
def test_every_command_has_help_without_torch(run, command):
    code, out, _ = run(command, "--help")
    assert code == 0
    assert "Usage: " in out


def test_help_loads_no_torch():
    code = (
        "import sys; sys.argv = ['imagegs-tex', 'compress', '--help']\n"
        "from imagegs_tex.cli.main import main\n"
        "try: main()\nexcept SystemExit: pass\n"
        "assert not {'torch', 'numba', 'numpy'} & set(sys.modules), 'slow imports'\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_compress_of_nothing_says_so_before_anything_heavy_is_loaded(tmp_path):
    code = (
        "import sys; sys.argv = ['imagegs-tex', 'compress', 'nowhere', '-o', 'a.igs']\n"
        "from imagegs_tex.cli.main import main\n"
        "try: main()\nexcept SystemExit as ended: assert ended.code == 3\n"
        "loaded = {'torch', 'numba', 'numpy', 'imagegs_tex.background_compilation'} & set(sys.modules)\n"
        "assert not loaded, loaded\n"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr == (
        "imagegs-tex: nowhere does not exist; give a folder of maps, an image, a manifest or a glTF\n"
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["info", "emit", "doctor"])
def test_nothing_is_wrapped_where_no_terminal_is(run, packed, tmp_path, monkeypatch, command):
    for nothing in (None, "", "0", "wide"):
        with monkeypatch.context() as patch:
            if nothing is not None:
                patch.setenv("COLUMNS", nothing)
            assert make_console().width > 1000
    folder = tmp_path / "a folder with a name that is longer than any line of forty columns"
    arguments = {"info": (packed,), "emit": (packed, "-o", folder), "doctor": ()}[command]
    _, out, _ = run(command, *arguments)
    wanted = {"info": "format  transfer", "emit": "Gaussians evaluated  most", "doctor": "largest difference"}[command]
    assert any(wanted in line and len(line) > 40 for line in out.splitlines())
    assert all(len(line.split()) != 1 or "/" in line for line in out.splitlines())  # no leftover of a wrapped cell


@pytest.mark.parametrize("columns", [60, 80])
@pytest.mark.parametrize("command", ["info", "compare"])
def test_a_pipe_follows_columns(run, packed, material, monkeypatch, command, columns):
    arguments = {"info": (packed,), "compare": (packed, material)}[command]
    unwrapped = run(command, *arguments)[1]
    monkeypatch.setenv("COLUMNS", str(columns))
    code, out, _ = run(command, *arguments)
    assert code == 0
    assert max(map(len, unwrapped.splitlines())) > columns >= max(map(len, out.splitlines()))
    if command == "info":  # which has no columns to leave out or apart
        assert "".join(out.split()) == "".join(unwrapped.split())


def test_an_error_in_a_pipe_is_one_line_whatever_columns_says(fails, monkeypatch, tmp_path):
    monkeypatch.setenv("COLUMNS", "40")
    assert len(fails(3, "info", tmp_path / "none.igs")) > 40


def test_version(run):
    assert run("--version") == (0, f"imagegs-tex {__version__}\n", "")


def test_debug_shows_the_traceback(monkeypatch, tmp_path):
    from imagegs_tex.cli import state
    from imagegs_tex.formats.errors import InputError

    monkeypatch.setattr(state, "debug", False)
    monkeypatch.setattr(sys, "argv", ["imagegs-tex", "--debug", "info", str(tmp_path / "none.igs")])
    with pytest.raises(InputError):
        main()


def test_an_internal_error_is_one_line(run, packed, monkeypatch):
    def broken(_):
        raise ZeroDivisionError("a\nb")

    monkeypatch.setattr("imagegs_tex.file_info.info", broken)
    code, _, err = run("info", packed)
    assert code == 1
    assert re.fullmatch(r"imagegs-tex: internal error: ZeroDivisionError: a\\nb; [^\n]+\n", err)


@pytest.mark.parametrize("arguments", [["info", "x.igs"], ["doctor"], ["compress", "/", "-o", "x.igs"]])
def test_a_current_folder_that_was_deleted_is_said(run, tmp_path, monkeypatch, arguments):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    try:
        code, _, err = run(*arguments)
    finally:
        os.chdir(tmp_path)
    assert code == 2
    assert err == "imagegs-tex: the current folder was deleted; change to another one (cd) and try again\n"
