"""Reports that can drive a build: what was read, with what it was made, and where the time went."""

import hashlib
import json
import platform
import shutil

import numpy as np
import pytest
import torch
from helpers.commands import SMALL
from helpers.tiny_material import as_bytes, waves

from imagegs_tex import CompressSettings, FitSettings, __version__, preset_settings
from imagegs_tex.formats.images import write_image
from imagegs_tex.settings import Preset, preset_of


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def named(paths):
    return {path.name: (path.stat().st_size, digest(path)) for path in paths}


def inputs_of(report):
    return {entry["name"]: (entry["bytes"], entry["sha256"]) for entry in report["inputs"]}


@pytest.fixture
def made(run, material, tmp_path):
    arguments = ("--seed", "7", "--normals", "stored", "--wrap", "repeat,clamp", "--backend", "cpu")
    code, out, _ = run("compress", material, "-o", tmp_path / "a.igs", *SMALL, *arguments, "--report", "-")
    assert code == 0
    return tmp_path / "a.igs", json.loads(out)


def test_a_report_says_what_was_read_and_with_what(made, material):
    _, report = made
    assert inputs_of(report) == named(material.iterdir())
    assert report["preset"] == "fast"
    assert (report["settings"]["gaussian_count"], report["settings"]["max_bytes"]) == (40, None)
    assert report["settings"]["fit"]["steps"] == preset_settings(Preset.FAST).fit.steps
    assert report["settings"]["fit"]["seed"] == report["seed"] == 7
    assert report["settings"]["precision"]["size_step"] == CompressSettings().precision.size_step
    assert (report["options"]["normals"], report["options"]["wrap"]) == ("stored", [True, False])
    assert report["versions"]["imagegs_tex"] == report["version"] == __version__
    assert report["versions"]["torch"] == torch.__version__
    assert report["versions"]["python"] == platform.python_version()
    assert set(report["versions"]) == {"imagegs_tex", "torch", "numba", "numpy", "python"}
    assert (report["backend"], report["device"]) == ("cpu", "cpu")
    assert torch.backends.cpu.get_cpu_capability() in report["processor"]


def test_the_seconds_add_up(made):
    _, report = made
    parts = {name: value for name, value in report["seconds"].items() if name != "total"}
    assert set(parts) == {"load", "fit", "quantize", "encode", "score", "write"}
    assert all(value >= 0 for value in parts.values())
    assert sum(parts.values()) == pytest.approx(report["seconds"]["total"], rel=1e-6)
    assert parts["fit"] > 0
    assert parts["score"] > 0


def test_of_a_manifest_the_images_the_mask_and_the_manifest(run, material, tmp_path):
    mask = tmp_path / "mask.png"
    write_image(mask, np.full((64, 64), 200, np.uint8))
    manifest = material.parent / "stone.json"
    assert run("compress", material, "--save-manifest", manifest)[0] == 0
    arguments = ("-o", tmp_path / "a.igs", *SMALL, "--importance", mask, "--report", "-")
    report = json.loads(run("compress", manifest, *arguments)[1])
    assert inputs_of(report) == named([manifest, mask, *material.iterdir()])
    assert report["options"]["importance"] == "mask.png"
    manifest.unlink()


def test_of_an_image_the_image_once(run, tmp_path):
    picture = tmp_path / "wall.png"
    write_image(picture, as_bytes(waves(32, 32, 3)))
    report = json.loads(run("compress", picture, "-o", tmp_path / "a.igs", *SMALL, "--report", "-")[1])
    assert inputs_of(report) == named([picture])


def test_of_a_zip_the_zip_and_what_is_in_it(run, material, tmp_path):
    packed = shutil.make_archive(str(tmp_path / "stone"), "zip", material)
    report = json.loads(run("compress", packed, "-o", tmp_path / "a.igs", *SMALL, "--report", "-")[1])
    assert inputs_of(report) == named([tmp_path / "stone.zip", *material.iterdir()])


def test_settings_of_a_file_and_of_the_command_line_and_the_start(run, made, material, tmp_path):
    start, _ = made
    (tmp_path / "s.toml").write_text("steps = 33\nseed = 9\n")
    given = ("--settings", tmp_path / "s.toml", "--set", "l1_weight=0.5", "--report", "-")
    report = json.loads(run("compress", material, "-o", tmp_path / "b.igs", *SMALL, *given)[1])
    fit = report["settings"]["fit"]
    assert (fit["steps"], fit["seed"], fit["l1_weight"]) == (33, 9, 0.5)
    assert (report["seed"], report["preset"], report["start"]) == (9, None, None)
    given = ("--start", start, "--report", "-")
    report = json.loads(run("compress", material, "-o", tmp_path / "c.igs", *SMALL, *given)[1])
    assert report["start"] == {"name": "a.igs", "bytes": start.stat().st_size, "sha256": digest(start)}


def test_a_missed_target_is_reported_with_all_of_it(run, material, tmp_path):
    code, out, _ = run("compress", material, "-o", tmp_path / "a.igs", "--max-bytes", "90", "--preset", "fast", "-q",
                       "--backend", "cpu", "--report", "-")  # fmt: skip
    report = json.loads(out)
    assert code == 1
    assert "were not reached" in report["unreached"]
    assert inputs_of(report) == named(material.iterdir())
    assert (report["settings"]["max_bytes"], report["preset"], report["backend"]) == (90, "fast", "cpu")


def test_other_commands_name_the_file(run, made, material, tmp_path):
    path, _ = made
    compared = json.loads(run("compare", path, material, "--json", "--backend", "cpu")[1])
    assert inputs_of(compared) == named(material.iterdir())
    assert compared["file"] == {"name": "a.igs", "bytes": path.stat().st_size, "sha256": digest(path)}
    assert (compared["backend"], compared["versions"]["torch"]) == ("cpu", torch.__version__)
    assert json.loads(run("info", path, "--json")[1])["sha256"] == digest(path)
    code, out, _ = run("export", path, "-o", tmp_path / "pictures", "--format", "png", "--json", "-q")
    assert (code, json.loads(out)["file"]["sha256"]) == (0, digest(path))


MADE_BY = {"backend": "cpu", "device": "cpu"}


def check_made_by(report, path):
    assert {name: report[name] for name in MADE_BY} == MADE_BY
    assert torch.backends.cpu.get_cpu_capability() in report["processor"]
    assert report["versions"]["imagegs_tex"] == __version__
    assert report["file"] == {"name": path.name, "bytes": path.stat().st_size, "sha256": digest(path)}


def test_export_says_with_what(run, packed, tmp_path):
    arguments = ("--format", "png", "--premultiplied", "--no-detail", "--json", "-q", "--backend", "cpu")
    report = json.loads(run("export", packed, "-o", tmp_path, *arguments)[1])
    check_made_by(report, packed)
    assert report["container"] == "png"
    assert report["settings"] == {"bc1": False, "premultiplied": True, "detail": False}


def test_compare_and_view_say_how_the_source_was_taken(run, packed, material, tmp_path):
    arguments = ("--backend", "cpu", "--alpha", "data", "--size", "64x64")
    compared = json.loads(run("compare", packed, material, "--json", *arguments)[1])
    seen = json.loads(
        run("view", packed, "-o", tmp_path, "--source", material, "--json", "--backend", "cpu", "--size", "64x64")[1]
    )
    for report in (compared, seen):
        check_made_by(report, packed)
        assert inputs_of(report) == named(material.iterdir())
        assert report["options"]["size"] == [64, 64]
    assert compared["options"]["alpha"] == "data"
    alone = json.loads(run("view", packed, "-o", tmp_path, "--json", "--backend", "cpu")[1])
    check_made_by(alone, packed)
    assert alone["inputs"] == []


def test_info_says_what_a_file_can_know(run, packed):
    report = json.loads(run("info", packed, "--json")[1])
    assert report["sha256"] == digest(packed)
    assert (report["file_bytes"], report["version"], report["gaussians"]) == (packed.stat().st_size, 4, 120)


def test_a_builds_index_says_what_was_read_and_with_what(run, material, tmp_path):
    tree, output = tmp_path / "tree", tmp_path / "out"
    shutil.copytree(material, tree / "stone")
    project = tmp_path / "project.toml"
    project.write_text('input = "tree"\n[defaults]\ngaussians = 40\npreset = "fast"\nseed = 5\n')
    code, _, err = run("build", project, "-o", output, "-q", "--backend", "cpu")
    assert code == 0, err
    index = json.loads((output / "materials.json").read_bytes())
    (entry,) = index["materials"]
    assert entry["inputs"] == [
        {"name": path.name, "sha256": digest(path)} for path in sorted((tree / "stone").iterdir())
    ]
    assert (entry["report"]["preset"], entry["report"]["seed"]) == ("fast", 5)
    assert entry["sha256"] == digest(output / entry["file"])
    assert (index["encoder"]["backend"], index["encoder"]["version"]) == ("cpu", __version__)
    assert index["encoder"]["processor"]
    assert index["encoder"]["libraries"]["torch"] == torch.__version__


@pytest.mark.parametrize("preset", list(Preset))
def test_a_preset_is_known_by_its_settings(preset):
    assert preset_of(preset_settings(preset)) == preset
    assert preset_of(CompressSettings(fit=FitSettings(steps=17))) is None
