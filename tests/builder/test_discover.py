import unicodedata
import zipfile

import pytest
from helpers.made_gltf import gltf_of
from helpers.tree_builds import write_map, write_textures

from imagegs_tex.api import save_manifest
from imagegs_tex.builder.discover import discover
from imagegs_tex.builder.globs import matches
from imagegs_tex.formats.errors import InputError


def names(tree):
    return [material.name for material in tree.materials]


def test_folders_of_maps_at_any_depth(tmp_path):
    for name in ("a/basecolor.png", "b/c/d/normal.png", "b/c/roughness.png"):
        write_map(tmp_path / name)
    assert names(discover(tmp_path)) == ["a", "b/c", "b/c/d"]


def test_several_materials_in_one_folder(tmp_path):
    for name in ("stone_basecolor", "stone_normal", "wood_basecolor", "wood_normal"):
        write_map(tmp_path / "flat" / f"{name}.png")
    found = discover(tmp_path)
    assert names(found) == ["flat/stone", "flat/wood"]
    assert [path.name for path in found.materials[1].files] == ["wood_basecolor.png", "wood_normal.png"]


def test_maps_below_a_model_belong_to_it(tmp_path):
    write_map(tmp_path / "chair/textures/basecolor.png")
    write_map(tmp_path / "chair/preview.png")
    assert names(discover(tmp_path)) == ["chair"]


def test_a_manifest_describes_its_folder(tmp_path):
    write_map(tmp_path / "m/x.png")
    write_map(tmp_path / "m/y.png")
    (tmp_path / "m/stone.json").write_text('{"textures": [{"fileName": "x.png"}]}')
    (tmp_path / "m/settings.json").write_text('{"volume": 11}')
    found = discover(tmp_path)
    assert names(found) == ["m"]
    assert {path.name for path in found.materials[0].files} == {"stone.json", "x.png"}


def test_a_folder_keeps_its_name_when_its_manifest_is_written_into_it(tmp_path):
    write_textures(tmp_path / "a/rock")
    assert names(discover(tmp_path)) == ["a/rock"]
    manifest = tmp_path / "a/rock/material.json"
    save_manifest(tmp_path / "a/rock", manifest)
    found = discover(tmp_path)
    assert names(found) == ["a/rock"]
    assert found.materials[0].container == (manifest,)
    (tmp_path / "a/rock/mossy.json").write_bytes(manifest.read_bytes())  # one of two is not the folder
    assert names(discover(tmp_path)) == ["a/rock/material", "a/rock/mossy"]


def test_a_manifest_of_images_elsewhere_has_its_own_name(tmp_path):
    write_map(tmp_path / "maps/x/basecolor.png")
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists/wall.json").write_text('{"folder": "../maps/x", "textures": [{"fileName": "basecolor.png"}]}')
    assert "lists/wall" in names(discover(tmp_path))


def test_a_gltf_describes_its_folder(tmp_path):
    write_textures(tmp_path / "source")
    (tmp_path / "tree/asset").mkdir(parents=True)
    gltf_of(tmp_path / "source", tmp_path / "tree/asset/thing.glb", "glb")
    found = discover(tmp_path / "tree")
    assert names(found) == ["asset/thing"]
    assert [path.name for path in found.materials[0].container] == ["thing.glb"]


def test_a_zip_is_a_material(tmp_path):
    image = write_map(tmp_path / "elsewhere/basecolor.png")
    (tmp_path / "tree").mkdir()
    with zipfile.ZipFile(tmp_path / "tree/pack.zip", "w") as archive:
        archive.write(image, "basecolor.png")
    assert names(discover(tmp_path / "tree")) == ["pack"]


def test_one_bad_source_stops_no_other(tmp_path):
    write_map(tmp_path / "good/basecolor.png")
    (tmp_path / "bad.glb").write_bytes(b"no")
    for name in ("stone_basecolor", "stone_normal", "wood_basecolor", "wood_normal", "normal"):
        write_map(tmp_path / "unclear" / f"{name}.png")
    found = discover(tmp_path)
    assert names(found) == ["good"]
    assert [bad.source.name for bad in found.bad] == ["bad.glb", "unclear"]


def test_what_is_excluded_hidden_or_an_output_is_not_looked_at(tmp_path):
    for name in ("a/basecolor.png", "wip/b/basecolor.png", ".hidden/basecolor.png", "out/c/basecolor.png"):
        write_map(tmp_path / name)
    assert names(discover(tmp_path, ["wip"], [tmp_path / "out"])) == ["a"]


def test_pictures_beside_folders_are_said_and_left_out(tmp_path):
    write_map(tmp_path / "preview.png")
    write_map(tmp_path / "a/basecolor.png")
    found = discover(tmp_path)
    assert names(found) == ["a"]
    assert "1 images whose names say nothing" in found.remarks[0]


def test_links_in_circles_end(tmp_path):
    write_map(tmp_path / "a/basecolor.png")
    (tmp_path / "a/up").symlink_to(tmp_path)
    (tmp_path / "self").symlink_to(tmp_path / "self")
    (tmp_path / "linked").symlink_to(tmp_path / "a")
    found = discover(tmp_path)
    assert names(found) == ["a", "linked"]
    assert any("lead in a circle" in remark for remark in found.remarks)


def test_maps_that_are_links_to_nothing_are_said(tmp_path):
    write_map(tmp_path / "a/basecolor.png")
    for name in ("a/normal.png", "b/basecolor.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).symlink_to(tmp_path / "gone.png")
    found = discover(tmp_path)
    assert names(found) == ["a"]
    assert found.remarks == ("a: not read: normal.png",)
    assert [(bad.source.as_posix(), "basecolor.png: no file" in bad.problem) for bad in found.bad] == [("b", True)]
    assert not discover(tmp_path, ["**/normal.png", "b/*.png"]).remarks


def test_names_that_differ_by_case_or_unicode_form_only_are_told_apart(tmp_path):
    composed, decomposed = (unicodedata.normalize(form, "größe") for form in ("NFC", "NFD"))
    for name in ("Stone", "stone", composed, decomposed):
        write_map(tmp_path / "P" / name / "basecolor.png", name)
    write_map(tmp_path / "p" / "STONE" / "basecolor.png")
    tree = discover(tmp_path)
    found = names(tree)
    assert len({unicodedata.normalize("NFC", name).casefold() for name in found}) == len(found) == 5
    assert found == sorted(found)
    assert names(discover(tmp_path)) == found
    renamed = [
        f"{material.source.as_posix()} is {material.name} " for material in tree.materials if "_" in material.name
    ]
    assert len(renamed) == len(tree.remarks) == 3
    assert all(any(remark.startswith(words) for remark in tree.remarks) for words in renamed)


def test_names_that_no_file_system_takes_are_made_safe(tmp_path):
    write_map(tmp_path / "a:b?" / "basecolor.png")
    assert names(discover(tmp_path)) == ["a_b_"]


def test_maps_in_the_tree_itself_are_called_like_it(tmp_path):
    write_map(tmp_path / "stone" / "basecolor.png")
    assert names(discover(tmp_path / "stone")) == ["stone"]


@pytest.mark.parametrize(
    ("pattern", "fitting", "other"),
    [
        ("props/**", ["props/a", "props/a/b"], ["prop/a", "x/props/a"]),
        ("**/wip/**", ["wip/a", "a/b/wip/c"], ["wipe/a"]),
        ("*_ui", ["a_ui", "b/c/d_ui"], ["a_ui/b"]),
        ("a/*/c", ["a/b/c"], ["a/b/b/c", "a/c"]),
        ("a/[!x-z]?", ["a/bc"], ["a/xc", "a/b"]),
        ("größe", [unicodedata.normalize("NFD", "größe")], ["Größe"]),
        ("a.b", ["a.b"], ["axb"]),
    ],
)
def test_patterns(pattern, fitting, other):
    assert all(matches(pattern, name) for name in fitting)
    assert not any(matches(pattern, name) for name in other)


def test_a_pattern_that_means_nothing_is_said():
    with pytest.raises(InputError, match="cannot be read"):
        matches("[z-a]", "x")
