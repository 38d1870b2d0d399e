"""Where compiled kernels are kept, and what happens where they cannot be: read-only machines, bad folders, damage."""

import contextlib
import errno
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from imagegs_tex import background_compilation, decode, kernel_cache, warm_up
from imagegs_tex.compile_time import compiling_seconds
from imagegs_tex.formats.errors import OutputError
from imagegs_tex.jit import njit

KERNEL = """
from imagegs_tex.jit import njit

@njit(cache=True)
def double(value):
    return 2 * value
"""


@pytest.fixture(autouse=True)
def asked_anew():
    kernel_cache.kernel_folder.cache_clear()
    yield
    kernel_cache.kernel_folder.cache_clear()


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Folders for each choice, all of them usable; a test spoils those that it is about."""
    monkeypatch.setenv("IMAGEGS_TEX_CACHE", str(tmp_path / "stated"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "user"))
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    return tmp_path


def spoil(path: Path) -> None:
    """Nothing can be made below a file, not even by root."""
    path.write_bytes(b"")


def test_the_stated_folder_comes_first_and_is_made(place):
    assert kernel_cache.kernel_folder() == kernel_cache.KernelFolder(place / "stated" / "kernels", True, "")
    assert kernel_cache.kernel_folder().compiling == "compiling kernels, first run only"


def test_without_a_stated_one_the_users_is_taken_without_a_word(place, monkeypatch):
    monkeypatch.delenv("IMAGEGS_TEX_CACHE")
    assert kernel_cache.kernel_folder() == kernel_cache.KernelFolder(place / "user/imagegs-tex/kernels", True, "")


@pytest.mark.parametrize("relative", ["rel", "./cache", "~/.cache", ""])
def test_a_cache_home_that_is_no_absolute_path_is_ignored(place, monkeypatch, relative):
    """As the XDG Base Directory Specification has it: it would be another folder in every current folder."""
    monkeypatch.delenv("IMAGEGS_TEX_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", relative)
    monkeypatch.setenv("HOME", str(place / "home"))
    monkeypatch.chdir(place)
    assert kernel_cache.kernel_folder().path == place / "home/.cache/imagegs-tex/kernels"


def test_a_bad_stated_folder_is_replaced_and_named(place):
    spoil(place / "stated")
    folder = kernel_cache.kernel_folder()
    assert folder.path == place / "user/imagegs-tex/kernels"
    assert "IMAGEGS_TEX_CACHE cannot be used (Not a directory)" in folder.compiling
    assert str(folder.path) in folder.compiling


def test_without_a_usable_home_kernels_go_to_a_folder_of_our_own(place, monkeypatch):
    monkeypatch.delenv("IMAGEGS_TEX_CACHE")
    spoil(place / "user")
    folder = kernel_cache.kernel_folder()
    assert folder.path == place / "temporary" / f"imagegs-tex-{os.getuid()}" / "kernels"
    assert folder.path.parent.stat().st_mode & 0o777 == 0o700
    assert "the user's cache folder cannot be used (Not a directory); set IMAGEGS_TEX_CACHE to" in folder.compiling


def test_no_home_at_all(place, monkeypatch):
    def none():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("IMAGEGS_TEX_CACHE")
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(Path, "home", none)
    folder = kernel_cache.kernel_folder()
    assert folder.path.parent.parent == place / "temporary"
    assert "Could not determine home directory" in folder.compiling


@pytest.mark.parametrize("trap", ["open to others", "a link"])
def test_a_temporary_folder_that_others_could_fill_is_not_used(place, monkeypatch, trap):
    monkeypatch.delenv("IMAGEGS_TEX_CACHE")
    spoil(place / "user")
    own = place / "temporary" / f"imagegs-tex-{os.getuid()}"
    if trap == "a link":
        (place / "elsewhere").mkdir(mode=0o700)
        own.symlink_to(place / "elsewhere")
    else:
        own.mkdir()
        own.chmod(0o777)
    folder = kernel_cache.kernel_folder()
    assert folder.path is None
    assert "anew in every run, since the user's cache folder cannot be used" in folder.compiling


def test_a_folder_that_is_only_read_serves_where_it_holds_kernels(place, monkeypatch):
    def read_only(**_):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(tempfile, "TemporaryFile", read_only)
    (place / "user/imagegs-tex/kernels/igs").mkdir(parents=True)
    folder = kernel_cache.kernel_folder()
    assert (folder.path, folder.writable) == (place / "user/imagegs-tex/kernels", False)
    assert "it cannot be written; set IMAGEGS_TEX_CACHE" in folder.compiling
    shutil.rmtree(place / "user")
    kernel_cache.kernel_folder.cache_clear()
    assert kernel_cache.kernel_folder().path is None


def load_kernel(file: Path):
    """Import a module anew, as another process would."""
    spec = importlib.util.spec_from_file_location("kernel_of_a_test", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.double


def test_kernels_are_kept_and_damage_is_mended(place):
    file = place / "module.py"
    file.write_text(KERNEL)
    assert load_kernel(file)(4) == 8
    again = load_kernel(file)
    assert again(4) == 8
    assert sum(again.stats.cache_hits.values()) == 1
    (index,) = (place / "stated").rglob("*.nbi")
    for broken in (b"", index.read_bytes()[:-9], b"\x00" * 40):
        index.write_bytes(broken)
        assert load_kernel(file)(5) == 10
        assert sum(load_kernel(file).stats.cache_hits.values()) == 0
    assert not list(place.rglob("__pycache__/*.nbi"))  # nothing beside the source, which may be read-only


PARTS = """
from imagegs_tex.jit import njit

FACTOR = 2

@njit(cache=True)
def inner(value):
    return value + 1
"""
WHOLE = """
from parts_of_a_test import FACTOR, inner
from imagegs_tex.jit import njit

@njit(cache=True)
def middle(value):
    return inner(value)

@njit(cache=True)
def double(value):
    return FACTOR * middle(value)
"""


def in_another_process(file):
    """Return what a kernel says to 5, and whether it had to be compiled."""
    code = f"import {file.stem} as m; print(m.double(5), sum(m.double.stats.cache_hits.values()))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=file.parent)
    value, hits = done.stdout.split()
    return int(value), hits == "0"


def test_what_is_kept_runs_without_what_numba_needs_to_compile(place):
    (place / "parts_of_a_test.py").write_text(KERNEL)
    code = "import sys, parts_of_a_test as m; print(m.double(4), 'numba.np.linalg' in sys.modules, m.double(1.5))"
    said = [
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=place).stdout
        for _ in range(2)
    ]
    assert said == ["8 True 3.0\n", "8 False 3.0\n"]


@pytest.mark.parametrize(
    ("change", "value"),
    [(("value + 1", "value + 2"), 14), (("FACTOR = 2", "FACTOR = 3"), 18)],
    ids=["a kernel that it calls", "a constant of another module"],
)
def test_a_kernel_is_compiled_anew_when_what_it_is_made_of_changes(place, change, value):
    (place / "parts_of_a_test.py").write_text(PARTS)
    file = place / "whole_of_a_test.py"
    file.write_text(WHOLE)
    assert in_another_process(file) == (12, True)
    assert in_another_process(file) == (12, False)
    (place / "parts_of_a_test.py").write_text(PARTS.replace(*change))
    os.utime(place / "parts_of_a_test.py", ns=(1, 1))  # Python's own cache of modules goes by seconds
    assert in_another_process(file) == (value, True)


def test_every_kernel_belongs_to_a_group(repository):
    """A module that is not listed is compiled where it is needed, beside the process that compiles it already."""
    listed = {module for modules in background_compilation.GROUPS.values() for module in modules}
    found = set()
    for top, package in (("imagegs_tex", "imagegs_tex"), ("formats", "imagegs_tex.formats")):
        for file in (repository / top).rglob("*.py"):
            if "\nfrom imagegs_tex.jit import " in file.read_text(encoding="utf-8"):
                inside = ".".join(file.relative_to(repository / top).with_suffix("").parts)
                found.add(f"{package}.{inside}")
    assert found == listed
    assert set(warm_up._GROUPS) == set(background_compilation.GROUPS)


def test_a_full_disk_is_no_error(place, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    file = place / "module.py"
    file.write_text(KERNEL)
    double = load_kernel(file)
    monkeypatch.setattr(os, "replace", full)
    assert (double(4), double(1.5)) == (8, 3.0)


def test_literal_arguments_make_no_variants():
    @njit
    def add(value, step):
        return value + step

    @njit
    def both(value):
        return add(value, 1) + add(value, 2) + add(value, step=3)

    assert both(10) == 36
    assert len(add.signatures) == 1


CASES = {
    "nothing can be written": (
        {"IMAGEGS_TEX_CACHE": "", "XDG_CACHE_HOME": "file/cache", "HOME": "file", "TMPDIR": "taken"},
        None,
        "compiling kernels, anew in every run, since the user's cache folder cannot be used (Not a directory); "
        "set IMAGEGS_TEX_CACHE to a folder that can be written",
    ),
    "IMAGEGS_TEX_CACHE is a bad place": (
        {"IMAGEGS_TEX_CACHE": "file", "XDG_CACHE_HOME": "user"},
        "user/imagegs-tex/kernels",
        None,
    ),
    "HOME is missing": (
        {"IMAGEGS_TEX_CACHE": "", "XDG_CACHE_HOME": "", "HOME": "file/nobody", "TMPDIR": "temporary"},
        f"temporary/imagegs-tex-{os.getuid()}/kernels",
        None,
    ),
}


@pytest.fixture(scope="module")
def compiled(tmp_path_factory, repository):
    """A folder with the kernels that `decode` needs, and what it decodes."""
    folder = tmp_path_factory.mktemp("compiled")
    err = run_decode(repository, folder, {"IMAGEGS_TEX_CACHE": str(folder)})
    assert err == "imagegs-tex: compiling kernels, first run only\n"
    return folder


def run_decode(repository, folder, variables):
    """Decode a file in a process of its own; return what it said."""
    done = subprocess.run(
        [sys.executable, "-m", "imagegs_tex", "decode", repository / "tests/golden/version_1.igs",
         "-o", folder / "maps", "--backend", "cpu"],
        capture_output=True, text=True, check=False, env=os.environ | variables,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == len(list((folder / "maps").iterdir())) > 0
    return done.stderr


@pytest.mark.parametrize("case", CASES)
def test_a_machine_that_cannot_keep_kernels_as_usual_decodes_all_the_same(repository, tmp_path, compiled, case):
    variables, kept, said = CASES[case]
    spoil(tmp_path / "file")
    (tmp_path / "temporary").mkdir()
    (tmp_path / "taken" / f"imagegs-tex-{os.getuid()}").mkdir(parents=True, mode=0o755)  # others see into it
    if kept is not None:  # what was compiled before is found there, and nothing is said
        (tmp_path / kept).parent.mkdir(mode=0o700, parents=True)
        shutil.copytree(compiled / "kernels", tmp_path / kept)
    err = run_decode(repository, tmp_path, {key: value and str(tmp_path / value) for key, value in variables.items()})
    assert err == ("" if said is None else f"imagegs-tex: {said}\n")
    for path in (compiled / "maps").iterdir():
        assert (tmp_path / "maps" / path.name).read_bytes() == path.read_bytes()
    paths = decode(repository / "tests/golden/version_1.igs", tmp_path / "here", backend="cpu")
    assert [path.read_bytes() for path in paths] == [(tmp_path / "maps" / path.name).read_bytes() for path in paths]


def test_the_warm_up_leaves_nothing_for_a_compression_to_compile(tmp_path):
    """In a process of its own, whose kernels have the types that the warm-up gave them."""
    code = f"""
import gc, sys
from dataclasses import replace
sys.path.insert(0, {str(Path(__file__).parent)!r})
from numba.core.dispatcher import Dispatcher
from helpers.tiny_material import write_material
from pathlib import Path
import imagegs_tex
from imagegs_tex import background_compilation, warm_up
background_compilation.start = lambda: None

def signatures():
    kernels = [each for each in gc.get_objects() if isinstance(each, Dispatcher)]
    return {{(each.py_func.__module__, each.py_func.__name__, str(sig)) for each in kernels for sig in each.signatures
            if each.py_func.__module__.startswith("imagegs_tex.")}}

for group in warm_up._GROUPS.values():
    group()
before = signatures()
folder = Path({str(tmp_path)!r})
settings = replace(imagegs_tex.preset_settings(imagegs_tex.Preset.FAST), gaussian_count=60)
imagegs_tex.compress(write_material(folder / "stone"), folder / "a.igs", settings, backend="cpu")
imagegs_tex.decode(folder / "a.igs", folder / "maps", backend="cpu")
new = signatures() - before
assert len(before) > 10 and not new, new
"""
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.fixture
def no_processes(monkeypatch, place):
    """A machine of four cores on which nothing is compiled, no coder in C either, and processes do nothing."""
    monkeypatch.setattr(background_compilation, "is_compiled", lambda: False)
    monkeypatch.setattr(background_compilation, "_running", {})
    monkeypatch.setattr(background_compilation, "available_threads", lambda: 4)
    commands = []

    def command(group):
        commands.append(group)
        return [sys.executable, "-c", "raise SystemExit(len('ab'))" if group == "coder" else "pass"]

    monkeypatch.setattr(background_compilation, "command", command)
    monkeypatch.setattr(warm_up, "command", command)
    return commands


def test_processes_are_started_once_for_what_is_not_compiled(no_processes):
    background_compilation.mark_of("quantize").touch()
    background_compilation.start()
    background_compilation.start()
    assert no_processes == ["coder", "rasterize"]
    assert background_compilation.wait_for("imagegs_tex.rasterize.cpu.kernels")
    assert not background_compilation.wait_for("imagegs_tex.formats.igs.prediction_coder")  # failed: compile it here
    assert not background_compilation.wait_for("imagegs_tex.quantize.geometry_rdo")  # not started
    assert not background_compilation.wait_for("elsewhere")


def test_a_coder_in_c_needs_no_process(no_processes, monkeypatch):
    monkeypatch.setattr(background_compilation, "is_compiled", lambda: True)
    background_compilation.start()
    assert no_processes == ["quantize", "rasterize"]


@pytest.mark.parametrize("obstacle", ["one core", "embedded", "memory only"])
def test_no_process_is_started_where_it_would_not_help(no_processes, place, monkeypatch, obstacle):
    if obstacle == "one core":
        monkeypatch.setattr(background_compilation, "available_threads", lambda: 1)
    elif obstacle == "embedded":
        monkeypatch.setattr(sys, "executable", "/opt/maya/bin/maya.bin")
    else:
        for name in ("stated", "user"):
            spoil(place / name)
        monkeypatch.setattr(tempfile, "tempdir", str(place / "stated"))
    background_compilation.start()
    assert no_processes == []


def test_a_mark_is_of_these_sources(place):
    marks = {background_compilation.mark_of(group) for group in background_compilation.GROUPS}
    assert len(marks) == len(background_compilation.GROUPS)
    assert all(mark.parent == place / "stated" / "kernels" for mark in marks)


def test_doctor_warm_compiles_what_is_missing_and_nothing_twice(no_processes, place, monkeypatch):
    monkeypatch.setattr(warm_up, "_use_gpu", lambda: None)
    there = ["coder", "losses", "levels"]  # the process of the coder would fail
    for group in there:
        background_compilation.mark_of(group).touch()
    assert warm_up.compile_all()
    assert sorted(no_processes) == sorted(set(background_compilation.GROUPS) - set(there))
    for group in background_compilation.GROUPS:
        background_compilation.mark_of(group).touch()
    no_processes.clear()
    assert not warm_up.compile_all()
    assert no_processes == []


def test_doctor_warm_says_where_it_fails(no_processes, place, monkeypatch):
    with pytest.raises(OutputError, match=r"kernels could not be compiled into .*stated/kernels"):
        warm_up.compile_all()
    assert sorted(no_processes) == sorted(background_compilation.GROUPS)
    kernel_cache.kernel_folder.cache_clear()
    for name in ("stated", "user"):
        with contextlib.suppress(OSError):
            shutil.rmtree(place / name)
        spoil(place / name)
    monkeypatch.setattr(tempfile, "tempdir", str(place / "stated"))
    with pytest.raises(OutputError, match=r"be kept: IMAGEGS_TEX_CACHE cannot be used .*; set IMAGEGS_TEX_CACHE"):
        warm_up.compile_all()


def test_time_of_compiling_is_counted_and_once_for_kernels_within_others():
    inner = njit(lambda value: value + 1)
    outer = njit(lambda value: inner(value) * 2)
    began, before = time.perf_counter(), compiling_seconds()
    assert outer(3) == 8
    took = compiling_seconds() - before
    assert 0 < took <= time.perf_counter() - began
    assert outer(4) == 10
    assert compiling_seconds() == before + took
