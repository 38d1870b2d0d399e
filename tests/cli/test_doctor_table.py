"""What ``doctor`` prints at 80 columns: no path is broken in mid-word."""

import json

import pytest
from rich.console import Console

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
def test_warm_says_what_it_did(run, monkeypatch, compiled, words):
    monkeypatch.setattr("imagegs_tex.warm_up.compile_all", lambda: compiled)
    monkeypatch.setattr("imagegs_tex.doctor.examine", lambda: DoctorReport((), "cpu", ()))
    code, out, err = run("doctor", "--warm", "--json")
    assert (code, err) == (0, f"kernels: {words} {kernel_folder().path}\n")
    assert json.loads(out) == {"findings": [], "used_backend": "cpu", "checks": []}
