"""Every file of a folder that may be a map is read or named; two spellings of one map are refused."""

import os
import unicodedata

import numpy as np
import pytest
from helpers.noise_maps import noise, save

from imagegs_tex.formats.errors import InputError
from imagegs_tex.formats.images import encode_image, write_image
from imagegs_tex.formats.material.build_stack import load_stack
from imagegs_tex.formats.material.folder_of_maps import _MOST_NAMED
from imagegs_tex.formats.material.stack import expand_map


def left_out(folder):
    """Return the names behind "not read:"."""
    lines = [line for line in load_stack(folder).remarks if line.startswith("not read: ")]
    return lines[0].removeprefix("not read: ").split(", ") if lines else []


UNREAD_MAPS = [
    "wall_height.ppm", "wall_rough.heic", "wall_metal", "wall_ao.png.bak", "wall_opacity.qoi", "wall_spec.xcf",
    "wall_height.dpx", "wall_glow.svg", "wall_nrm.vtf", "wall_gloss.basis", "wall_mask.blp", "wall_rgh.png.crdownload",
    "wall_disp.tx", "wall_emi.jxr", "wall_bump.pcx", "wall_cav.avif", "wall_norm.jxl", ".wall_normal.png",
]  # fmt: skip


def test_all_that_are_called_like_maps_are_named_and_come_first(tmp_path):
    save(tmp_path, wall_albedo=noise(1, 2, 3))
    others = [f"page{number}.html" for number in range(_MOST_NAMED + 4)]
    for name in (*others, *UNREAD_MAPS, ".DS_Store", "._wall_height.png", ".gitignore"):
        (tmp_path / name).write_bytes(b"?")
    names = left_out(tmp_path)
    assert names[: len(UNREAD_MAPS)] == sorted(UNREAD_MAPS)
    assert len(names[len(UNREAD_MAPS) :]) == _MOST_NAMED
    assert names[-1].endswith(" and 4 more")


def test_links_to_nothing_and_pipes_are_named(tmp_path):
    save(tmp_path, wall_albedo=noise(1, 2, 3))
    (tmp_path / "wall_height.png").symlink_to(tmp_path / "nowhere.png")
    os.mkfifo(tmp_path / "wall_ao.png")
    (tmp_path / "wall_normal.png").mkdir()
    assert left_out(tmp_path) == ["wall_ao.png", "wall_height.png"]
    assert "not looked into: wall_normal.png" in load_stack(tmp_path).remarks


def test_pictures_as_browsers_save_them(tmp_path):
    save(tmp_path, wall_albedo=noise(1, 2, 3))
    (tmp_path / "wall_height.jfif").write_bytes(encode_image(np.full_like(noise(1), 90), ".jpg"))
    stack = load_stack(tmp_path)
    assert {entry.name: entry.semantic.name for entry in stack.maps} == {
        "wall_albedo": "BASE_COLOUR", "wall_height": "HEIGHT",
    }  # fmt: skip
    assert (expand_map(stack.texels, stack.maps[1]) == 90).all()
    assert left_out(tmp_path) == []


def test_capitals_of_suffixes_do_not_matter(tmp_path):
    (tmp_path / "wall_albedo.PNG").write_bytes(encode_image(noise(1, 2, 3), ".png"))
    (tmp_path / "WALL_AO.Tga").write_bytes(encode_image(noise(4), ".tga"))
    stack = load_stack(tmp_path)
    assert {entry.name: entry.semantic.name for entry in stack.maps} == {
        "wall_albedo": "BASE_COLOUR", "WALL_AO": "OCCLUSION",
    }  # fmt: skip
    assert np.array_equal(expand_map(stack.texels, stack.maps[1]), noise(4))
    assert left_out(tmp_path) == []


@pytest.mark.parametrize(
    "names",
    [
        ("brick-albedo", "brick_albedo"),
        ("Brick albedo", "brick.albedo"),
        ("old_brick-ao", "old-brick_ao"),
        tuple(unicodedata.normalize(form, "Höhe_ao") for form in ("NFC", "NFD")),
    ],
)
def test_two_spellings_of_one_name_are_refused(tmp_path, names):
    for number, name in enumerate(names):
        write_image(tmp_path / f"{name}.png", noise(number, size=(8, 8)))
    with pytest.raises(InputError, match="which are the same map by name; rename or remove one"):
        load_stack(tmp_path)


@pytest.mark.parametrize("names", [("albedo", "Albedo"), ("albedo_a:b", "albedo_a?b"), ("albedo_1", "albedo_11")])
def test_names_that_differ_otherwise_are_two_maps(tmp_path, names):
    for number, name in enumerate(names):
        write_image(tmp_path / f"{name}.png", noise(number, number + 5, number + 9, size=(8, 8)))
    assert sorted(entry.name for entry in load_stack(tmp_path).maps) == sorted(names)
