import os
import re
import shlex
import shutil
import subprocess
import sys
import tarfile
import time

import pytest
from helpers.tree_builds import build, write_map, write_textures, write_tree

from imagegs_tex.builder.depfile import depfile_text

SCRIPT = """
import sys
from pathlib import Path
from helpers.tree_builds import build
from imagegs_tex.builder.depfile import depfile_text
report, made = build(Path("tree"), Path("out"))
Path("tree.d").write_text(depfile_text(Path("out"), report))
with open("log", "a") as log:
    log.write(",".join(made) + "\\n")
"""
MAKEFILE = """
out/materials.json: ; $(PYTHON) build.py && touch $@
-include tree.d
"""
NINJA = """
rule build
  command = $python build.py
  depfile = tree.d
  restat = 1
build out/materials.json: build
"""


@pytest.fixture
def place(tmp_path, repository):
    """A tree with awkward names, and a build of it that logs what it makes."""
    write_tree(tmp_path / "tree", ["props/box", "a b/c#d", "cash$/e"])
    (tmp_path / "build.py").write_text(SCRIPT)
    return tmp_path


def run(place, repository, *command):
    path = os.pathsep.join([str(repository / "tests"), os.environ.get("PYTHONPATH", "")])
    own = os.environ | {"PYTHONPATH": path, "PYTHON": sys.executable}
    done = subprocess.run(command, check=False, cwd=place, env=own, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return (place / "log").read_text().splitlines()


def later(path):
    """Give a file a time that no build tool takes for older than what it has made."""
    os.utime(path, (time.time() + 5, time.time() + 5))


@pytest.mark.parametrize("tool", ["make", "ninja"])
def test_a_build_tool_runs_a_build_when_something_changed_and_only_then(place, repository, tool, require_tool):
    require_tool(shutil.which(tool) is not None, f"{tool} is not installed")
    (place / "Makefile").write_text(MAKEFILE)
    (place / "build.ninja").write_text(NINJA.replace("$python", sys.executable))
    assert len(run(place, repository, tool)) == 1
    assert len(run(place, repository, tool)) == 1
    write_map(place / "tree/a b/c#d/roughness.png", "new")
    later(place / "tree/a b/c#d/roughness.png")
    log = run(place, repository, tool)
    assert log[1:] == ["a b/c#d"]
    os.utime(place / "tree/a b/c#d/roughness.png", (1, 1))
    run(place, repository, tool)
    shutil.rmtree(place / "tree/cash$")
    later(place / "tree")
    log = run(place, repository, tool)
    assert log[-1] == ""
    assert not (place / "out/cash$").exists()


def test_the_documented_rule_for_bazel_builds_a_tree_when_it_has_changed(tmp_path, repository, require_tool):
    """With the real command, since nothing else says that the rule calls it rightly."""
    require_tool(shutil.which("bazel") is not None, "bazel is not installed (bazel-bootstrap)")
    place, cache = tmp_path / "place", tmp_path / "cache"
    guide = (repository / "docs" / "guide" / "build-engineer.md").read_text(encoding="utf-8")
    (rule,) = re.findall(r"```starlark\n(.*?)```", guide, re.DOTALL)
    write_textures(place / "assets" / "box")
    (place / "assets" / "project.toml").write_text('[defaults]\npreset = "fast"\ngaussians = 11\nset = ["steps=4"]\n')
    (place / "WORKSPACE").touch()
    (place / "BUILD").write_text(rule.replace("/mnt/cache", str(cache)))
    command = tmp_path / "bin" / "imagegs-tex"
    command.parent.mkdir()
    own = {name: os.environ[name] for name in ("HOME", "PYTHONPATH", "XDG_CACHE_HOME") if name in os.environ}
    exports = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in own.items())
    command.write_text(
        f'#!/bin/sh\n{exports}exec {sys.executable} -m imagegs_tex "$@" --backend cpu --jobs 1\n'
    )  # Bazel gives its commands a PATH and little else
    command.chmod(0o755)
    bazel = ["bazel", f"--output_user_root={tmp_path / 'bazel'}"]
    own = os.environ | {"PATH": f"{command.parent}{os.pathsep}{os.environ['PATH']}"}

    def cooked():
        done = subprocess.run(
            [*bazel, "build", "//:cooked"], check=False, cwd=place, env=own, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        with tarfile.open(place / "bazel-bin" / "cooked.tar") as archive:
            return {member.name: archive.extractfile(member).read() for member in archive if member.isfile()}

    try:
        first = cooked()
        shutil.copytree(place / "assets" / "box", place / "assets" / "can")  # which is in the cache
        second = cooked()
    finally:
        subprocess.run([*bazel, "shutdown"], check=False, cwd=place, capture_output=True)
    assert first.keys() == {"cooked/box.igs", "cooked/materials.json"}
    assert second.keys() == {*first, "cooked/can.igs"}
    assert second["cooked/can.igs"] == second["cooked/box.igs"] == first["cooked/box.igs"]


def test_it_names_every_file_and_folder_that_was_read(tmp_path, monkeypatch):
    write_tree(tmp_path / "in", ["a"])
    report, _ = build(tmp_path / "in", tmp_path / "out")
    monkeypatch.chdir(tmp_path)
    lines = depfile_text(tmp_path / "out", report).splitlines()
    assert lines[0] == f"{tmp_path}/out/materials.json: \\"
    assert {line.strip(" \\") for line in lines[1:5]} == {"in", "in/a", "in/a/basecolor.png", "in/a/roughness.png"}
    assert "in/a/basecolor.png:" in lines
    absolute = depfile_text(tmp_path / "out", report, [tmp_path / "p.toml"], relative=False)
    assert f" {tmp_path}/p.toml \\" in absolute.splitlines()
