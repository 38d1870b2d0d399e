"""What a missing extra says: one line that names the remedy, with exit code 5; and nobody else needs it."""

import re
import subprocess
import sys
import tomllib

import pytest

NOT_FOR_USERS = {"dev", "docs"}
MODULES = {
    "verify": "moderngl",
    "export": "ispc_texcomp",
    "cuda": "gsplat",
    "splats": "gsplat",
    "studio": "gradio",
    "farm": "distributed",
    "watch": "watchfiles",
    "wgsl": "wgpu",
}
NEED = {
    "verify": ("verify", "{file}"),
    "export": ("export", "{file}", "-o", "{folder}/textures"),
    "splats": ("export", "{file}", "-o", "{folder}/splats", "--format", "ply"),
    "studio": ("studio", "--no-browser"),
    "farm": ("build", "{folder}", "-o", "{folder}/out", "--scheduler", "tcp://localhost:1"),
    "watch": ("build", "{folder}", "-o", "{folder}/out", "--watch"),
    "wgsl": ("verify", "{file}", "--lang", "wgsl"),
}
"""Nothing needs the extra cuda: it is measured against."""
PROGRAM = """
import importlib.util, sys
find, module = importlib.util.find_spec, sys.argv.pop(1)
sys.modules[module] = None  # importing it is an ImportError
importlib.util.find_spec = lambda name, *rest: None if name == module else find(name, *rest)
from imagegs_tex.cli.main import main
main()
"""


def run_without(module, *arguments):
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, module, *map(str, arguments)], capture_output=True, text=True, check=False
    )


def test_every_extra_has_its_case(repository):
    with (repository / "pyproject.toml").open("rb") as file:
        extras = set(tomllib.load(file)["project"]["optional-dependencies"])
    assert extras - NOT_FOR_USERS == set(MODULES)


@pytest.mark.parametrize("extra", NEED)
def test_a_missing_extra_is_one_line_with_the_remedy(packed, tmp_path, extra):
    arguments = [each.format(file=packed, folder=tmp_path) for each in NEED[extra]]
    done = run_without(MODULES[extra], *arguments)
    assert done.returncode == 5
    assert re.fullmatch(r"imagegs-tex: [^\n]+\n", done.stderr), done.stderr
    assert f"pip install '.[{extra}]' in the checkout" in done.stderr
    assert done.stdout == ""
    assert list(tmp_path.iterdir()) == []


def test_pictures_are_exported_without_the_block_encoder(packed, tmp_path):
    done = run_without(MODULES["export"], "export", packed, "-o", tmp_path, "--format", "png", "--quiet")
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "stone_basecolor.png").exists() or list(tmp_path.glob("*basecolor*"))


@pytest.mark.parametrize("extra", NEED)
def test_doctor_names_what_is_missing(extra, monkeypatch):
    """In this process, where the kernels are loaded already; only looking for the module is pretended to fail."""
    import importlib.util

    from imagegs_tex import doctor

    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == MODULES[extra] else find(name, *rest)
    )
    missing = [finding for finding in (*doctor._libraries(), doctor._opengl()) if finding.found is None]
    assert f"pip install '.[{extra}]' in the checkout" in {finding.remedy for finding in missing}
