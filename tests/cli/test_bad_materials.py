"""Further ways in which one material of an asset is bad: the others are made, with the values that they always have."""

import json

import numpy as np
import pytest
from helpers.made_gltf import Asset
from helpers.tiny_material import as_bytes, waves

from imagegs_tex import CompressSettings, FitSettings, compress_asset
from imagegs_tex.formats.images import encode_image, write_image

QUICK = CompressSettings(gaussian_count=20, fit=FitSettings(steps=4, refine_sweeps=0))
LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:aa\nsize 3\n"


def picture(folder, seed):
    folder.mkdir()
    write_image(folder / "basecolor.png", as_bytes(waves(16, 16, 3, seed)))
    return folder


@pytest.fixture
def parts(tmp_path):
    """An asset of three materials, each with one picture in a file of its own: good.png, bad.png, last.png."""
    asset = Asset()
    for seed, name in enumerate(("good", "bad", "last")):
        folder = picture(tmp_path / name, seed)
        asset.material(name, folder, "files")
        asset.root["images"][-1]["uri"] = f"{name}.png"
        asset.files[f"{name}.png"] = asset.files.pop("basecolor.png")
    return asset


def of_bad(asset):
    return asset.root["materials"][1]


def texture_of_bad(asset):
    return of_bad(asset)["pbrMetallicRoughness"]["baseColorTexture"]


def damaged_mesh(asset, **accessor):
    asset.mesh(1)
    asset.root["accessors"][0].update(accessor)


def add_coat(asset):
    asset.root["images"].append({"uri": "coat.png"})
    coat = {"clearcoatTexture": asset.texture(3)}
    of_bad(asset)["extensions"] = {"KHR_materials_clearcoat": coat}


BREAKS = {
    "empty file": (lambda asset: asset.files.update({"bad.png": b""}), "bad.png is empty"),
    "web page": (lambda asset: asset.files.update({"bad.png": b"<!DOCTYPE html>404"}), "is a web page"),
    "Git LFS": (lambda asset: asset.files.update({"bad.png": LFS}), "git lfs pull gets it"),
    "index as text": (lambda asset: texture_of_bad(asset).update(index="1"), "must be a whole number, not a string"),
    "index below 0": (lambda asset: texture_of_bad(asset).update(index=-1), "baseColorTexture.index"),
    "no such sampler": (lambda asset: asset.root["textures"][1].update(sampler=7), "there is no samplers[7]"),
    "a number for a slot": (lambda asset: of_bad(asset).update(normalTexture=1), "must be an object, not a number"),
    "an extension's image": (add_coat, "coat.png does not exist"),
    "a mesh without its numbers": (lambda asset: damaged_mesh(asset, count=5000), "accessors[0]: needs"),
}


@pytest.mark.parametrize("case", BREAKS)
def test_the_others_are_made_byte_for_byte_as_without_the_break(parts, tmp_path, case):
    compress_asset(parts.write(tmp_path / "whole" / "x.gltf"), tmp_path / "expected", QUICK, "cpu")
    change, reason = BREAKS[case]
    change(parts)
    report = compress_asset(parts.write(tmp_path / "asset" / "x.gltf"), tmp_path / "out", QUICK, "cpu")
    good, bad, last = report.materials
    assert (good.file, bad.file, last.file) == ("good.igs", None, "last.igs")
    assert reason in bad.left_out
    assert "\n" not in bad.left_out
    index = json.loads((tmp_path / "out" / "materials.json").read_text(encoding="utf-8"))
    assert [entry.get("left_out") for entry in index["materials"]] == [None, bad.left_out, None]
    for name in ("good.igs", "last.igs"):
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "expected" / name).read_bytes()


@pytest.mark.parametrize("shape", [(1, 1), (2, 1), (1, 3)])
def test_placeholders_take_what_they_can_hold(parts, tmp_path, shape):
    texels = np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)
    parts.files["bad.png"] = encode_image(texels, ".png")
    report = compress_asset(parts.write(tmp_path / "asset" / "x.gltf"), tmp_path / "out", QUICK, "cpu")
    assert [entry.file for entry in report.materials] == ["good.igs", "bad.igs", "last.igs"]
    assert report.files[1].report.gaussians <= shape[0] * shape[1]
    assert report.files[0].report.gaussians == 20
