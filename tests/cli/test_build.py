import json

import pytest
from helpers.commands import python
from helpers.tree_builds import write_textures

from imagegs_tex.batch import BatchItem, compress_many
from imagegs_tex.settings import Preset, preset_settings


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("build")
    for seed, name in enumerate(("props/box", "props/can", "wall")):
        write_textures(folder / "in" / name, seed)
    return folder, run(folder, "--cache", folder / "cache")


def run(folder, *more):
    process = python("build", folder / "in", "-o", folder / "out", "--preset", "fast", "--backend", "cpu", *more)
    out, err = process.communicate()
    return process.returncode, out, err


def test_each_file_is_what_compress_makes_of_the_material(built, tmp_path):
    folder, (code, out, err) = built
    assert code == 0, err
    assert "3 made" in out
    items = [
        BatchItem(folder / "in" / name, tmp_path / f"{number}.igs") for number, name in enumerate(("props/box", "wall"))
    ]
    compress_many(items, preset_settings(Preset.FAST), backend="cpu")
    assert (folder / "out/props/box.igs").read_bytes() == (tmp_path / "0.igs").read_bytes()
    assert (folder / "out/wall.igs").read_bytes() == (tmp_path / "1.igs").read_bytes()


def test_a_second_build_keeps_all(built):
    folder, _ = built
    code, out, err = run(folder)
    assert (code, err) == (0, "")
    assert "3 unchanged" in out


def test_json_lines_and_exit_code_3_for_what_fails(built):
    folder, _ = built
    (folder / "in/broken.glb").write_bytes(b"no glTF")
    code, out, err = run(folder, "--json")
    lines = [json.loads(line) for line in out.splitlines()]
    assert code == 3
    assert [line["step"] for line in lines] == ["planned", "failed", "kept", "kept", "kept", "finished"]
    assert lines[-1]["left_out"][0]["source"] == "broken.glb"
    assert err.startswith("imagegs-tex: 1 not made, the others are: broken.glb: ")
    assert err.count("\n") == 1
    code, _, err = run(folder, "--fail-fast", "--quiet")
    assert code == 3
    assert err.startswith("imagegs-tex: broken.glb: ")
    (folder / "in/broken.glb").unlink()


def test_a_dry_run_lists_what_it_would_do(built):
    folder, _ = built
    process = python(
        "build", folder / "in", "-o", folder / "none", "--preset", "fast", "--cache", folder / "cache", "--dry-run"
    )
    out, _ = process.communicate()
    assert "take from the cache props/box" in out
    assert not (folder / "none").exists()
