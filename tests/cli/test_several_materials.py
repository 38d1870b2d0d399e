"""Several materials in one input at the command line: what is made, what is left out and why, and the exit code."""

import json
import shutil
import zipfile

import numpy as np
import pytest
from helpers.commands import SMALL
from helpers.made_gltf import Asset
from helpers.tiny_material import as_bytes, waves

from imagegs_tex import compress_asset
from imagegs_tex.formats.errors import TargetError
from imagegs_tex.formats.igs.container import read_igs
from imagegs_tex.formats.images import read_image, write_image
from imagegs_tex.formats.vocabulary import Semantic
from imagegs_tex.settings import CompressSettings, FitSettings, QualityTarget

ON_CPU = (*SMALL, "--backend", "cpu")
LOUD = tuple(option for option in ON_CPU if option != "--quiet")
QUICK = CompressSettings(gaussian_count=40, fit=FitSettings(steps=20))


def folder_of(path, size=32, seed=0, **maps):
    path.mkdir()
    planes = waves(size, size, 3, seed)
    write_image(path / "basecolor.png", as_bytes(planes))
    for name, texels in maps.items():
        write_image(path / f"{name}.png", texels)
    return path


@pytest.fixture
def house(tmp_path):
    """An asset of five materials: two are well, one has a missing image, one a truncated one, one other proportions."""
    asset = Asset()
    asset.material("wall", folder_of(tmp_path / "wall", seed=1), "views")
    asset.material("gone", folder_of(tmp_path / "gone", seed=2), "views")
    asset.root["images"][-1] = {"uri": "gone.png"}
    cut = folder_of(tmp_path / "cut", seed=3)
    data = (cut / "basecolor.png").read_bytes()
    (cut / "basecolor.png").write_bytes(data[: len(data) // 2])
    asset.material("cut", cut, "views")
    asset.material("bent", folder_of(tmp_path / "bent", seed=4, normal=as_bytes(waves(32, 8, 3))), "views")
    asset.material("roof", folder_of(tmp_path / "roof", seed=5), "views")
    return asset.write(tmp_path / "asset" / "house.glb")


REASONS = {
    "gone": "gone.png does not exist",
    "cut": "ends within its texels",
    "bent": "normal.png is 32 x 8 but basecolor.png is 32 x 32",
}


def test_bad_materials_do_not_stop_an_asset(run, fails, house, tmp_path):
    line = fails(3, "compress", house, "-o", tmp_path / "out", *ON_CPU, "--report", tmp_path / "r.json")
    assert "house.glb: 3 of 5 materials left out, the others are made: material gone: " in line
    made = {path.name: path for path in (tmp_path / "out").iterdir()}
    assert set(made) == {"wall.igs", "roof.igs", "materials.json"}
    assert [entry.name for entry in read_igs(made["roof.igs"]).maps] == ["basecolor"]
    index = json.loads(made["materials.json"].read_text(encoding="utf-8"))["materials"]
    report = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))
    assert report["materials"] == index
    assert [entry["file"] for entry in report["files"]] == ["wall.igs", "roof.igs"]
    assert [(entry["name"], entry["file"]) for entry in index] == [
        ("wall", "wall.igs"), ("gone", None), ("cut", None), ("bent", None), ("roof", "roof.igs"),
    ]  # fmt: skip
    for entry in index:
        assert ("left_out" in entry) == (entry["name"] in REASONS)
        assert REASONS.get(entry["name"], "") in entry.get("left_out", "")
    for name, reason in REASONS.items():
        assert f"material {name}: " in line
        assert reason in line
    assert run("compare", made["wall.igs"], house)[0] == 0


def test_what_is_left_out_is_printed_with_its_name(run, house, tmp_path):
    code, out, _ = run("compress", house, "-o", tmp_path / "out", *LOUD)
    assert code == 3
    for name, reason in REASONS.items():
        (line,) = [line for line in out.splitlines() if line.startswith(f"{name} is left out: ")]
        assert reason in line
    assert "wall.igs" in out


def test_fail_fast_stops_before_the_first_fit(fails, house, tmp_path):
    line = fails(3, "compress", house, "-o", tmp_path / "out", *ON_CPU, "--fail-fast")
    assert "gone.png does not exist" in line
    assert not (tmp_path / "out").exists()


def test_an_asset_of_which_nothing_can_be_made(fails, tmp_path):
    asset = Asset()
    asset.material("gone", folder_of(tmp_path / "gone"), "views")
    asset.root["images"][-1] = {"uri": "gone.png"}
    path = asset.write(tmp_path / "x.glb")
    line = fails(3, "compress", path, "-o", tmp_path / "out", *ON_CPU)
    assert "1 of 1 materials left out, nothing is made: material gone: " in line
    assert {entry.name for entry in (tmp_path / "out").iterdir()} == {"materials.json"}
    assert "gone.png does not exist" in fails(3, "compress", path, "-o", tmp_path / "x.igs", *ON_CPU)


@pytest.mark.parametrize(
    ("settings", "remark"),
    [
        (QUICK, "40 Gaussians were asked for: 16 are the most for 16 texels"),
        (CompressSettings(bits_per_texel=16.0, fit=FitSettings(steps=20)), "this is the smallest"),
    ],
    ids=["count", "bits"],
)
def test_settings_are_what_a_small_material_can_hold(tmp_path, settings, remark):
    """A placeholder of one texel, one of 4 x 4, and a usual material."""
    asset = Asset()
    white = tmp_path / "white"
    white.mkdir()
    write_image(white / "basecolor.png", as_bytes(waves(1, 1, 3) * 0 + 1))
    asset.material("white", white, "views")
    asset.material("tiny", folder_of(tmp_path / "tiny", size=4), "views")
    asset.material("usual", folder_of(tmp_path / "usual"), "views")
    report = compress_asset(asset.write(tmp_path / "x.glb"), tmp_path / "out", settings, backend="cpu")
    assert [entry.left_out for entry in report.materials] == [None] * 3
    white_report, tiny_report, usual_report = (entry.report for entry in report.files)
    assert (white_report.gaussians, white_report.remarks) == (1, ())
    assert tiny_report.gaussians <= 16
    assert remark in tiny_report.remarks[0]
    assert usual_report.remarks == ()


def test_a_request_that_fits_no_material_is_wrong_usage(fails, house, tmp_path):
    assert "is impossible" in fails(
        2, "compress", house, "-o", tmp_path / "out", "--quiet", "--preset", "fast", "--bpp", "1e-9000"
    )


@pytest.fixture
def flat(tmp_path):
    """A folder of two materials and something else."""
    folder = tmp_path / "flat"
    folder.mkdir()
    for seed, name in enumerate(("Brick", "Wood")):
        planes = waves(32, 32, 4, seed)
        write_image(folder / f"{name}_albedo.png", as_bytes(planes[..., :3]))
        write_image(folder / f"{name}_rough.png", as_bytes(planes[..., 3]))
    (folder / "notes.txt").write_text("x")
    return folder


@pytest.mark.parametrize("how", ["folder", "zip"])
def test_materials_of_a_flat_folder_get_a_file_each(run, flat, tmp_path, how):
    source = flat
    if how == "zip":
        source = tmp_path / "flat.zip"
        with zipfile.ZipFile(source, "w") as archive:
            for path in flat.iterdir():
                archive.write(path, f"inner/{path.name}")
    code, out, err = run("compress", source, "-o", tmp_path / "out", *LOUD)
    assert code == 0, err
    assert "not read: notes.txt" in out
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"Brick.igs", "Wood.igs", "materials.json"}
    index = json.loads((tmp_path / "out" / "materials.json").read_text(encoding="utf-8"))
    assert index["source"] == source.name
    assert [(entry["name"], entry["file"]) for entry in index["materials"]] == [
        ("Brick", "Brick.igs"), ("Wood", "Wood.igs"),
    ]  # fmt: skip
    for name in ("Brick", "Wood"):
        file = tmp_path / "out" / f"{name}.igs"
        assert [entry.name for entry in read_igs(file).maps] == [f"{name}_albedo", f"{name}_rough"]
        assert run("compare", file, source)[0] == 0
    assert run("decode", tmp_path / "out" / "Wood.igs", "-o", tmp_path / "maps")[0] == 0
    assert read_image(tmp_path / "maps" / "Wood_albedo.png")[0].shape == (32, 32, 3)


def test_several_materials_are_not_one_file(fails, flat, tmp_path):
    line = fails(3, "compress", flat, "-o", tmp_path / "x.igs", *ON_CPU)
    assert "has 2 materials (Brick, Wood); compress it to a folder" in line
    shutil.copy(flat / "Wood_rough.png", flat / "rough.png")
    line = fails(3, "compress", flat, "-o", tmp_path / "out", *ON_CPU)
    assert "Brick (2 maps), Wood (2 maps); but not whose rough.png is" in line
    assert not (tmp_path / "out").exists()


def test_one_bad_material_of_a_folder(fails, flat, tmp_path):
    (flat / "Brick_rough.png").write_bytes(b"no picture")
    line = fails(3, "compress", flat, "-o", tmp_path / "out", *ON_CPU)
    assert "1 of 2 materials left out, the others are made: material Brick: " in line
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"Wood.igs", "materials.json"}


def test_textures_above_the_folder(run, fails, tmp_path, monkeypatch):
    folder = folder_of(tmp_path / "tex")
    asset = Asset()
    asset.material("m", folder, "files")
    asset.files.clear()
    asset.root["images"][0]["uri"] = "..\\tex\\basecolor.png"
    path = asset.write(tmp_path / "home" / "x.gltf")
    assert "--allow-root" in fails(3, "compress", path, "-o", tmp_path / "a.igs", *ON_CPU)
    allowed = ("--allow-root", folder)
    assert run("compress", path, "-o", tmp_path / "a.igs", *ON_CPU, *allowed)[0] == 0
    assert run("compare", tmp_path / "a.igs", path, *allowed)[0] == 0
    assert run("view", tmp_path / "a.igs", "--source", path, "-o", tmp_path / "view", *allowed)[0] == 0
    assert "--allow-root" in fails(3, "verify", tmp_path / "a.igs", "--source", path)
    read = []
    monkeypatch.setattr(
        "imagegs_tex.verification.verify", lambda file, languages, stack, **more: read.append(stack) or 1 / 0
    )
    run("verify", tmp_path / "a.igs", "--source", path, *allowed)  # as far as where OpenGL begins
    assert [texture_map.name for texture_map in read[0].maps] == ["basecolor"]
    assert "give --source" in fails(2, "verify", tmp_path / "a.igs", *allowed)


# --- targets that some materials miss


@pytest.fixture
def smooth_and_noisy(tmp_path):
    """An asset of a material that reaches 45 dB and one of noise that does not."""
    asset = Asset()
    asset.material("smooth", folder_of(tmp_path / "smooth"), "views")
    (tmp_path / "noisy").mkdir()
    noise = np.random.default_rng(1).integers(0, 256, (64, 64, 3)).astype(np.uint8)
    write_image(tmp_path / "noisy" / "basecolor.png", noise)
    asset.material("noisy", tmp_path / "noisy", "views")
    return asset.write(tmp_path / "x.glb")


TARGETS = {
    "psnr": CompressSettings(target_psnr=33.0, fit=FitSettings(steps=20)),
    "of a map": CompressSettings(targets=(QualityTarget(33.0, Semantic.BASE_COLOUR),), fit=FitSettings(steps=20)),
    "of all maps": CompressSettings(targets=(QualityTarget(34.0),), fit=FitSettings(steps=20)),
}


@pytest.mark.parametrize(
    ("target", "keep_best"), [("psnr", False), ("psnr", True), ("of a map", False), ("of all maps", True)]
)
def test_a_target_that_one_material_misses(smooth_and_noisy, tmp_path, target, keep_best):
    folder = tmp_path / "out"
    report = compress_asset(smooth_and_noisy, folder, TARGETS[target], "cpu", keep_best=keep_best)
    smooth, noisy = report.materials
    assert (smooth.file, smooth.left_out) == ("smooth.igs", None)
    assert noisy.file == ("noisy.igs" if keep_best else None)
    by_name = {entry.file: entry.report for entry in report.files}
    assert by_name["smooth.igs"].unreached is None
    assert "was not reached" in by_name["noisy.igs"].unreached
    assert by_name["noisy.igs"].targets[0].reached < by_name["noisy.igs"].targets[0].asked
    assert by_name["noisy.igs"].written is keep_best
    assert noisy.left_out == (None if keep_best else by_name["noisy.igs"].unreached)
    files = {"smooth.igs", "materials.json"} | ({"noisy.igs"} if keep_best else set())
    assert {path.name for path in folder.iterdir()} == files
    index = json.loads((folder / "materials.json").read_text())["materials"]
    assert [entry["file"] for entry in index] == [smooth.file, noisy.file]


def test_fail_fast_ends_with_the_material_that_misses_its_target(smooth_and_noisy, tmp_path):
    with pytest.raises(TargetError) as caught:
        compress_asset(smooth_and_noisy, tmp_path / "out", TARGETS["psnr"], "cpu", fail_fast=True)
    assert caught.value.report.written is False
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"smooth.igs"}


def test_a_missed_target_of_several_ends_with_1_and_the_report(fails, smooth_and_noisy, tmp_path):
    report = tmp_path / "r.json"
    arguments = ("--target-psnr", "33", "--preset", "fast", "--backend", "cpu", "-q", "--report", report)
    line = fails(1, "compress", smooth_and_noisy, "-o", tmp_path / "out", *arguments)
    assert "material noisy.igs: 33.00 dB was not reached" in line
    found = json.loads(report.read_text(encoding="utf-8"))
    assert [entry["file"] for entry in found["materials"]] == ["smooth.igs", None]
