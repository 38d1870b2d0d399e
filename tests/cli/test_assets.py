"""Manifests and glTF at the command line: the same bytes as from a folder, one file per material, an index."""

import copy
import json
import shutil

import numpy as np
import pytest
from helpers.commands import SMALL
from helpers.made_gltf import Asset, gltf_of
from helpers.tiny_material import as_bytes, waves, write_material

from imagegs_tex.formats.igs.container import read_igs
from imagegs_tex.formats.images import write_image
from imagegs_tex.formats.material import read_maps

ON_CPU = (*SMALL, "--backend", "cpu")


@pytest.fixture
def stone(tmp_path):
    return write_material(tmp_path / "stone")


@pytest.fixture
def colours(tmp_path):
    """Another material, of one map."""
    folder = tmp_path / "colours"
    folder.mkdir()
    write_image(folder / "basecolor.png", as_bytes(waves(64, 64, 3, seed=5)))
    return folder


def compress(run, source, output, *more):
    code, _, err = run("compress", source, "-o", output, *ON_CPU, *more)
    assert code == 0, err
    return output.read_bytes() if output.is_file() else None


def test_a_manifest_and_a_gltf_and_a_glb_give_the_bytes_of_the_folder(run, stone, tmp_path):
    folder = compress(run, stone, tmp_path / "folder.igs", "--save-manifest", tmp_path / "stone.json")
    assert compress(run, tmp_path / "stone.json", tmp_path / "manifest.igs") == folder
    metal = {"pbrMetallicRoughness": {"metallicFactor": 0}}
    for how, suffix in (("files", ".gltf"), ("data", ".gltf"), ("views", ".glb")):
        asset = gltf_of(stone, tmp_path / how / f"asset{suffix}", how, **metal)
        assert compress(run, asset, tmp_path / f"{how}.igs") == folder
        compress(run, asset, tmp_path / how)
        assert (tmp_path / how / "stone.igs").read_bytes() == folder


def test_a_manifest_by_itself_and_edited(run, stone, tmp_path):
    code, out, _ = run("compress", stone, "--save-manifest", stone / "m.json")
    assert (code, out) == (0, "")
    document = json.loads((stone / "m.json").read_text(encoding="utf-8"))
    entries = {entry["name"]: entry for entry in document["textures"]}
    assert entries["normal"]["semantics"] == {"normal": "RGB"}
    assert entries["basecolor"]["isSRGB"] is True
    entries["roughness"]["semantics"] = "gloss"
    del document["textures"][document["textures"].index(entries["height"])]
    (stone / "m.json").write_text(json.dumps(document), encoding="utf-8")
    compress(run, stone / "m.json", tmp_path / "a.igs")
    maps = read_igs(tmp_path / "a.igs").maps
    assert [(entry.name, entry.semantic.name) for entry in maps] == [
        ("basecolor", "BASE_COLOUR"), ("normal", "NORMAL"), ("roughness", "GLOSS"),
    ]  # fmt: skip
    assert run("compare", tmp_path / "a.igs", stone / "m.json")[0] == 0
    assert run("compress", stone / "m.json", "-o", tmp_path / "b.igs", *ON_CPU, "--report", tmp_path / "r.json")[0] == 0


def test_an_asset_of_several_materials(run, stone, colours, tmp_path, monkeypatch):
    asset = Asset()
    first = asset.material("Stone", stone, "views", pbrMetallicRoughness={"metallicFactor": 0})
    asset.material("..", colours, "views")
    asset.root["materials"].append({**copy.deepcopy(asset.root["materials"][first]), "name": "Stone too"})
    asset.root["materials"].append({"name": "plain"})
    path = asset.write(tmp_path / "house.glb")
    code, out, err = run(
        "compress", path, "-o", tmp_path / "out" / "deep", *ON_CPU[:-3], "--report", tmp_path / "r.json"
    )
    assert code == 0, err
    assert "none: no textures" in out
    folder = tmp_path / "out" / "deep"
    assert {entry.name for entry in folder.iterdir()} == {"Stone.igs", "map.igs", "materials.json"}
    index = json.loads((folder / "materials.json").read_text(encoding="utf-8"))
    assert index == {
        "source": "house.glb",
        "materials": [
            {"index": 0, "name": "Stone", "file": "Stone.igs"},
            {"index": 1, "name": "..", "file": "map.igs"},
            {"index": 2, "name": "Stone too", "file": "Stone.igs"},
            {"index": 3, "name": "plain", "file": None},
        ],
    }
    report = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))
    assert report["materials"] == index["materials"]
    assert [entry["file"] for entry in report["files"]] == ["Stone.igs", "map.igs"]
    assert report["files"][0]["report"]["file_bytes"] == (folder / "Stone.igs").stat().st_size
    assert run("compare", folder / "Stone.igs", path)[0] == 0
    assert run("compare", folder / "map.igs", path)[0] == 0


def test_images_that_materials_share_are_read_once(run, stone, tmp_path, monkeypatch):
    asset = Asset()
    asset.material("a", stone, "files")
    for number in range(3):  # the same images, but not the same set of maps
        other = copy.deepcopy(asset.root["materials"][0])
        other["name"] = f"b{number}"
        other["pbrMetallicRoughness"]["roughnessFactor" if number else "metallicFactor"] = 0
        if number == 2:
            del other["normalTexture"]
        asset.root["materials"].append(other)
    path = asset.write(tmp_path / "asset" / "house.gltf")
    read = []
    original = read_maps.read_picture

    def counting(path, data=None):
        read.append(path.name)
        return original(path, data)

    monkeypatch.setattr(read_maps, "read_picture", counting)
    compress(run, path, tmp_path / "out")
    assert len(list((tmp_path / "out").glob("*.igs"))) == 4
    assert sorted(read) == ["basecolor.png", "normal.png", "roughness.png"]


def test_unused_area_costs_nothing(run, tmp_path):
    folder = tmp_path / "noise"
    folder.mkdir()
    texels = np.random.default_rng(0).integers(0, 255, (96, 96, 3), np.uint8)
    write_image(folder / "basecolor.png", texels)
    asset = Asset()
    square = np.array([[0.05, 0.05], [0.25, 0.05], [0.25, 0.25], [0.05, 0.25]], np.float32)
    asset.mesh(asset.material("m", folder, "views"), uv=square)
    target = ("--preset", "fast", "--quiet", "--target-psnr", "22", "--backend", "cpu")
    assert run("compress", asset.write(tmp_path / "a.glb"), "-o", tmp_path / "part.igs", *target)[0] == 0
    part = (tmp_path / "part.igs").stat().st_size
    assert run("compress", folder, "-o", tmp_path / "whole.igs", *target)[0] in {0, 1}
    if (tmp_path / "whole.igs").exists():
        assert part < 0.3 * (tmp_path / "whole.igs").stat().st_size


def test_wrong_usage(run, fails, stone, colours, tmp_path):
    code, _, err = run("compress", stone)
    assert code == 2
    assert "--save-manifest" in err
    asset = Asset()
    asset.material("a", stone, "views")
    asset.material("b", colours, "views")
    path = asset.write(tmp_path / "x.glb")
    assert "has 2 materials (a, b)" in fails(3, "compress", path, "-o", tmp_path / "x.igs", *ON_CPU)
    write_image(colours / "normal.png", as_bytes(waves(48, 32, 3)))
    mixed = Asset()
    mixed.material("a", stone, "views")
    mixed.material("b", colours, "views")
    arguments = ("compress", mixed.write(tmp_path / "mixed.glb"), "-o", tmp_path / "out", *ON_CPU, "--fail-fast")
    assert "material b: normal.png is 48 x 32 but basecolor.png is 64 x 64" in fails(3, *arguments)
    assert not (tmp_path / "out").exists()
    (colours / "normal.png").unlink()
    assert "has its images inside it" in fails(
        2, "compress", gltf_of(colours, tmp_path / "y.glb", "views"), "--save-manifest", tmp_path / "m.json"
    )
    assert "must be called something.json" in fails(2, "compress", stone, "--save-manifest", tmp_path / "m.txt")
    same = tmp_path / "both.igs"
    assert "different files" in fails(2, "compress", stone, "-o", same, "--save-manifest", same)
    assert "has no material" in fails(3, "compress", Asset().write(tmp_path / "z.glb"), "-o", tmp_path / "out", *ON_CPU)
    shutil.copy(stone / "normal.png", tmp_path / "not.json")
    assert "is not JSON" in fails(3, "compress", tmp_path / "not.json", "-o", tmp_path / "z.igs", *ON_CPU)
    assert not (tmp_path / "out" / "materials.json").exists()
