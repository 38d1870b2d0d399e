"""The same bytes on every processor: what libraries are told, and that those who believe to be elsewhere agree."""

import os
import re
import subprocess
import sys

import numpy as np
import pytest
import torch
from helpers.tree_builds import write_textures

from imagegs_tex import common_instructions
from imagegs_tex.builder.processor import processor_class
from imagegs_tex.square_root import square_root, square_root_

ELSEWHERE = {
    "MKL_ENABLE_INSTRUCTIONS": "AVX2",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX512F,-AVX512CD,-AVX512BW,-AVX512DQ,-AVX512VL",
}
"""A processor with AVX2 as far as each library can see."""


def run(code, **variables):
    own = {name: value for name, value in os.environ.items() if name not in common_instructions.VARIABLES} | variables
    done = subprocess.run([sys.executable, *code], env=own, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def said(*lines, **variables):
    return run(["-c", "; ".join([*lines, "print(common_instructions.problem())"])], **variables)


@pytest.fixture
def common():
    if common_instructions.kernel_target() is None:
        pytest.skip(f"this processor is no {common_instructions.NAME}")


def test_libraries_are_told_before_they_are_loaded_unless_somebody_has_chosen(common):
    ours = "from imagegs_tex import common_instructions"
    assert said(ours) == ""
    assert said("import numpy", ours) == "numpy came before imagegs_tex"
    assert said(ours, MKL_CBWR="AVX2") == "MKL_CBWR=AVX2 was chosen"
    assert said(ours, NUMBA_CPU_NAME="generic") == "kernels are not compiled for x86-64-v3"
    assert said("import numpy", ours, **common_instructions.VARIABLES) == ""


def test_torch_uses_what_it_was_told(common):
    code = "import torch, imagegs_tex; print(torch.backends.cpu.get_cpu_capability())"
    assert run(["-c", code]) == "AVX2"


def test_nobody_takes_roots_by_mkl(repository):
    theirs = re.compile(r"torch\.sqrt|\.sqrt_?\(\)|\*\* ?0\.5|\.pow\(0\.5|\bimport adam\b|torch\.linalg\.lstsq")
    sources = [path for folder in ("imagegs_tex", "formats") for path in (repository / folder).rglob("*.py")]
    found = [
        f"{path.name}: {line}" for path in sources for line in path.read_text().splitlines() if theirs.search(line)
    ]
    assert found == ["reading.py:     side = round(MAX_TEXELS**0.5)"]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_roots(dtype):
    values = torch.cat([torch.tensor([0.0, 1e-30, 1.0, torch.inf]), 10 * torch.rand(10000)]).to(dtype)
    wanted = torch.from_numpy(np.sqrt(values.numpy()))
    assert torch.allclose(square_root(values), wanted, rtol=2 * torch.finfo(dtype).eps, atol=0)
    assert torch.equal(square_root(values), square_root_(values.clone()))
    leaf = torch.tensor([4.0, 9.0], dtype=dtype, requires_grad=True)
    square_root(leaf).sum().backward()
    assert torch.allclose(leaf.grad, torch.tensor([1 / 4, 1 / 6], dtype=dtype))


def test_processors_that_give_the_same_bytes_are_of_one_class(common, monkeypatch):
    monkeypatch.setattr(common_instructions, "_loaded_before", ())
    usual = processor_class("cpu")
    assert usual.startswith("x86-64-v3, ")
    monkeypatch.setattr(common_instructions, "_loaded_before", ("numpy",))
    assert processor_class("cpu") != usual
    assert processor_class("cpu", in_children=True) == usual
    monkeypatch.setattr(common_instructions, "_loaded_before", ())
    monkeypatch.setattr("llvmlite.binding.get_host_cpu_name", lambda: "another")
    assert processor_class("cpu") == usual
    monkeypatch.setenv("OPENBLAS_CORETYPE", "SkylakeX")
    assert processor_class("cpu").startswith("x86_64 another ")


def test_a_processor_that_libraries_take_for_another_gives_the_same_bytes(common, tmp_path):
    source = write_textures(tmp_path / "waves", seed=5, size=48)
    made = []
    for name, variables in (("here", {}), ("elsewhere", ELSEWHERE)):
        output = tmp_path / f"{name}.igs"
        how = ["--preset", "fast", "--quality", "50", "--backend", "cpu", "--threads", "1", "--quiet"]
        run(["-m", "imagegs_tex", "compress", str(source), "-o", str(output), *how], **variables)
        made.append(output.read_bytes())
    assert made[0] == made[1]
