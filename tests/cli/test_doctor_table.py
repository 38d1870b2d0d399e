"""What ``doctor`` prints at 80 columns: no path is broken in mid-word."""

import pytest
from rich.console import Console

from imagegs_tex.cli.tables import print_doctor
from imagegs_tex.doctor import DoctorReport, Finding

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
