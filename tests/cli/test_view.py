"""``imagegs-tex view``: which pictures there are, what they say, and what is never replaced."""

import json
from pathlib import Path

import numpy as np
import pytest
from helpers.made_gaussians import made_map, made_set
from PIL import Image

import imagegs_tex
from imagegs_tex.formats.igs.container import write_igs
from imagegs_tex.formats.images import write_image
from imagegs_tex.formats.vocabulary import Coded, Semantic, Transfer

ALWAYS = {"overview", "gaussians_ellipses", "gaussians_number", "bytes", "lit", "tiling", "mips"}
MAPS = {"basecolor", "height", "normal", "roughness"}


def stems(folder):
    return {path.stem for path in folder.iterdir()}


@pytest.fixture(scope="module")
def scripted(tmp_path_factory):
    """A file whose names mean harm."""
    names = ("../../climb", "overview", "<script>alert(1)</script>", "overview")
    maps = tuple(made_map(name, Semantic.DATA, (Coded(i),), Transfer.LINEAR) for i, name in enumerate(names))
    path = tmp_path_factory.mktemp("hostile") / "hostile.igs"
    write_igs(path, made_set(maps=maps))
    return path


@pytest.fixture(scope="module")
def compared(packed, material, tmp_path_factory):
    """The folder of a file's pictures with its source, and the report."""
    folder = tmp_path_factory.mktemp("compared")
    return folder, imagegs_tex.view(packed, folder, material, gain=1.0, backend="cpu")


def test_a_picture_of_every_map_and_of_the_file(compared):
    folder, report = compared
    assert stems(folder) == ALWAYS | MAPS
    assert {Path(picture.path) for picture in report.pictures} == set(folder.iterdir())
    for picture in report.pictures:
        with Image.open(picture.path) as found:
            assert found.mode == "RGB"
            assert found.size == (picture.width, picture.height)
            assert min(found.size) > 150
    assert {score.name for score in report.maps} == MAPS


def test_source_decode_and_error_stand_side_by_side(compared, material):
    shown = np.asarray(Image.open(compared[0] / "height.png"))
    assert shown.shape[1] == 3 * 256 + 4 * 16
    left = shown[:, 16 : 16 + 256, 0].astype(float)
    source = np.asarray(Image.open(material / "height.png")).astype(float) / 257
    rows = [top for top in range(left.shape[0] - 256) if np.abs(left[top + 2, 2] - source[0, 0]) <= 0.5]
    assert min(np.abs(left[top : top + 256 : 4, ::4] - source).max() for top in rows) <= 0.5  # texels as squares of 4


def test_a_higher_gain_is_a_brighter_error(run, compared, packed, material, tmp_path):
    code, out, _ = run("view", packed, "--source", material, "-o", tmp_path, "--gain", "64")
    assert code == 0
    assert f"11 pictures in {tmp_path}, " in out
    assert "dB over all channels" in out
    for stem in ALWAYS | MAPS:
        assert f"{stem}.png" in out
    dark, bright = (
        np.asarray(Image.open(folder / "height.png")).astype(int)[-300:-60, 32 + 2 * (256 + 16) :].sum()
        for folder in (compared[0], tmp_path)
    )
    assert bright > 2 * dark


def test_pictures_are_replaced_and_other_files_never(run, fails, packed, material, tmp_path):
    run("view", packed, "-o", tmp_path)
    before = (tmp_path / "normal.png").read_bytes()
    run("view", packed, "-o", tmp_path)
    assert (tmp_path / "normal.png").read_bytes() == before
    source = {path: path.read_bytes() for path in material.iterdir()}
    err = fails(3, "view", packed, "-o", material)
    assert "basecolor.png is there already and no picture of view" in err
    assert {path: path.read_bytes() for path in material.iterdir()} == source


def test_names_of_a_file_stay_in_their_folder_and_leave_other_pictures_alone(run, scripted, tmp_path):
    code, _, err = run("view", scripted, "-o", tmp_path / "here")
    assert code == 0
    assert stems(tmp_path / "here") == {
        "_.._climb", "overview_2", "overview_3", "_script_alert(1)__script_", *ALWAYS - {"lit"}
    }  # fmt: skip
    assert "lit.png is left out: no map has" in err
    assert [path.name for path in tmp_path.iterdir()] == ["here"]


def test_a_report_is_json(run, packed, tmp_path):
    _, out, _ = run("view", packed, "-o", tmp_path, "--json", "--quiet")
    report = json.loads(out)
    assert report["maps"] == []
    assert report["psnr_db"] is None
    assert len(report["pictures"]) == 11
    assert report["reduction"] == 1


def test_large_maps_are_shown_reduced_and_say_so(run, tmp_path):
    write_igs(tmp_path / "wide.igs", made_set(width=2500, height=64, channels=2))
    code, out, _ = run("view", tmp_path / "wide.igs", "-o", tmp_path / "out")
    assert code == 0
    assert "reduced by 3" in out
    with Image.open(tmp_path / "out" / "data0.png") as picture:
        assert picture.size[0] == 834 + 32


def test_many_maps_and_many_channels_stay_within_bounds(run, tmp_path):
    maps = tuple(made_map(f"data{i:02}", Semantic.DATA, (Coded(i % 3),), Transfer.LINEAR) for i in range(20))
    many = made_map("many", Semantic.DATA, tuple(Coded(i) for i in range(14)), Transfer.LINEAR)
    write_igs(tmp_path / "many.igs", made_set(width=16, height=16, count=5, channels=14, maps=(many, *maps)))
    assert run("view", tmp_path / "many.igs", "-o", tmp_path / "out")[0] == 0
    assert len(stems(tmp_path / "out")) == 21 + len(ALWAYS - {"lit"})
    sizes = [Image.open(tmp_path / "out" / f"{stem}.png").size for stem in ("overview", "many")]
    assert sizes[0][1] < 4 * 400  # 15 maps in rows of four
    assert 8 * 256 < sizes[1][1] < 9 * 400  # of its 12 pictures


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1), (5, 3)])
def test_tiny_maps_have_pictures_too(run, tmp_path, size):
    write_igs(tmp_path / "tiny.igs", made_set(width=size[0], height=size[1], count=3, channels=1))
    assert run("view", tmp_path / "tiny.igs", "-o", tmp_path / "out")[0] == 0


def test_what_cannot_be_done_is_one_line(fails, packed, material, tmp_path):
    broken = tmp_path / "broken.igs"
    broken.write_bytes(packed.read_bytes()[:-9])
    fails(4, "view", broken, "-o", tmp_path / "out")
    fails(3, "view", tmp_path / "none.igs", "-o", tmp_path / "out")
    fails(3, "view", packed, "--source", tmp_path / "nothing", "-o", tmp_path / "out")
    fails(2, "view", packed, "-o", tmp_path / "out.png")
    for gain in ("0", "-1", "nan", "inf", "much"):
        fails(2, "view", packed, "-o", tmp_path / "out", "--gain", gain)
    assert "end it in .html" in fails(2, "view", packed, "-o", tmp_path / "out", "--html", "-")
    (tmp_path / "folder.html").mkdir()
    fails(3, "view", packed, "-o", tmp_path / "out", "--html", tmp_path / "folder.html")
    other = tmp_path / "other"
    write_image(other / "basecolor.png", np.zeros((8, 8, 3), np.uint8))
    assert "8 x 8" in fails(3, "view", packed, "--source", other, "-o", tmp_path / "out")
    assert not (tmp_path / "out").exists()
