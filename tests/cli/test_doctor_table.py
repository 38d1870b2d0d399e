"""What ``doctor`` prints at 80 columns: no path is broken in mid-word."""

import os
import subprocess
import sys

import pytest
from rich.console import Console

from imagegs_tex.builder import processor
from imagegs_tex.cli.tables import print_doctor
from imagegs_tex.doctor import DoctorReport, Finding
from imagegs_tex.kernel_cache import kernel_folder

LONG = "/home/somebody/.cache/imagegs-tex/a/very/long/place/kernels"


@pytest.mark.parametrize("columns", [80, 120])
def test_long_paths_stand_below_the_table(columns, monkeypatch, capsys):
    monkeypatch.setattr("imagegs_tex.cli.tables.make_console", lambda: Console(width=columns))
    findings = (
        Finding("kernel folder", LONG, "compiled kernels", ""),
        Finding("OpenGL", "llvmpipe (LLVM 15.0.6, 256 bits) OpenGL 4.5 and more", "verify", ""),
        Finding("glslangValidator", "/usr/bin/glslangValidator", "checks emitted shaders", ""),
        Finding("dxc", None, "a second opinion on emitted HLSL, optional", "get it"),
    )
    print_doctor(DoctorReport(findings, "cpu", ()))
    lines = capsys.readouterr().out.splitlines()
    assert f"kernel folder: {LONG}" in lines
    (row,) = (line for line in lines if line.startswith("kernel folder "))
    assert "see below" in row
    assert any("/usr/bin/glslangValidator" in line for line in lines)
    assert max(len(line) for line in lines if LONG not in line) <= columns
    assert "dxc: get it" in lines


@pytest.mark.parametrize(("compiled", "words"), [(True, "compiled into"), (False, "all there already, in")])
def test_warm_says_what_it_did_and_looks_at_nothing(run, monkeypatch, compiled, words):
    monkeypatch.setattr("imagegs_tex.warm_up.compile_all", lambda: compiled)
    monkeypatch.delattr("imagegs_tex.doctor.examine")
    assert run("doctor", "--warm") == (0, f"kernels: {words} {kernel_folder().path}\n", "")


def test_warm_has_no_json(fails):
    assert "--warm" in fails(2, "doctor", "--warm", "--json")


def test_warm_without_a_gpu_loads_no_torch(tmp_path):
    """Where everything is compiled there is nothing to wait for: torch alone takes two seconds."""
    if any(path.exists() for path in processor._NVIDIA):
        pytest.skip("there is a GPU")
    program = (
        "import sys, imagegs_tex.warm_up as w\n"
        "w.mark_of = lambda group: w.kernel_folder().path\n"
        "assert not w.compile_all()\n"
        "assert 'torch' not in sys.modules and 'numba' not in sys.modules"
    )
    environment = os.environ | {"IMAGEGS_TEX_CACHE": str(tmp_path)}
    subprocess.run([sys.executable, "-c", program], env=environment, check=True)
