"""How a material is understood, and corrected in place: the manifest says the same as the page."""

import json
import zipfile

import numpy as np
import pytest
from helpers.tiny_material import as_bytes, waves, write_material

from imagegs_tex.formats.errors import InputError
from imagegs_tex.formats.images import read_image, write_image
from imagegs_tex.formats.material.build_stack import load_stack
from imagegs_tex.formats.material.options import SourceOptions
from imagegs_tex.formats.vocabulary import Semantic, Transfer
from imagegs_tex.studio import reading
from imagegs_tex.studio.corrections import MapCorrection
from imagegs_tex.studio.map_table import map_row
from imagegs_tex.studio.markup import reading_summary
from imagegs_tex.studio.meanings import choices, key_of, semantics_of

OPTIONS = SourceOptions()


def read(source, own, corrections=None, chosen=""):
    return reading.read(source, "stone", own, OPTIONS, corrections or {}, chosen)


@pytest.fixture
def stone(tmp_path):
    return write_material(tmp_path / "stone")


def test_every_map_is_a_row_with_a_thumbnail(stone, tmp_path):
    (stone / "notes.docx").write_bytes(b"x")
    found = read(stone, tmp_path / "own")
    assert [(row.name, row.meaning, row.is_srgb, row.green) for row in found.rows] == [
        ("basecolor", "base_colour", True, None),
        ("height", "height", None, None),
        ("normal", "normal", None, "up"),
        ("roughness", "roughness", None, None),
    ]
    assert [row.samples for row in found.rows] == ["8 bits", "16 bits", "8 bits", "8 bits"]
    assert all(row.thumbnail.startswith(b"\x89PNG") for row in found.rows)
    assert (found.width, found.height, found.source, found.is_corrected) == (64, 64, stone, False)
    assert any("notes.docx" in line for line in found.left_out)
    assert not (tmp_path / "own").exists()  # nothing is written where nothing is corrected


def test_corrections_go_through_a_manifest_that_the_command_line_takes(stone, tmp_path):
    own = tmp_path / "own"
    corrections = {
        "roughness": MapCorrection(meaning="gloss"),
        "height": MapCorrection(is_left_out=True),
        "basecolor": MapCorrection(is_srgb=False),
        "normal": MapCorrection(green="turned"),
    }
    found = read(stone, own, corrections)
    assert [(row.name, row.meaning) for row in found.rows] == [
        ("basecolor", "base_colour"), ("normal", "normal"), ("roughness", "gloss"),
    ]  # fmt: skip
    stack = load_stack(found.source)
    by_name = {texture_map.name: texture_map for texture_map in stack.maps}
    assert by_name["basecolor"].transfer == Transfer.LINEAR
    assert by_name["roughness"].semantic == Semantic.GLOSS
    plain = load_stack(stone)
    green = by_name["normal"].coded_indices[1]
    before = next(each for each in plain.maps if each.name == "normal").coded_indices[1]
    assert np.allclose(stack.texels[..., green], 1 - plain.texels[..., before])


def test_a_map_that_is_left_out_keeps_its_row_and_can_be_taken_back(stone, tmp_path):
    own = tmp_path / "own"
    corrections = {"height": MapCorrection(is_left_out=True)}
    found = read(stone, own, corrections)
    assert [row.name for row in found.rows] == ["basecolor", "normal", "roughness"]
    assert [(row.name, row.is_left_out) for row in found.table] == [
        ("basecolor", False), ("height", True), ("normal", False), ("roughness", False),
    ]  # fmt: skip
    assert [row.meaning for row in found.table] == ["base_colour", "height", "normal", "roughness"]
    assert "4 maps, 1 left out" in reading_summary(found)
    aside = found.table[1]
    assert aside.thumbnail == read(stone, own).rows[1].thumbnail
    assert "You left it out" in map_row(1, aside, "x.png")
    said = read(stone, own, {"height": MapCorrection(meaning="cavity", is_left_out=True)})
    assert said.table[1].meaning == "cavity"  # as it was said before
    back = read(stone, own, {"height": MapCorrection()})
    assert [row.name for row in back.rows] == [row.name for row in found.table]
    assert back.table == back.rows
    assert "left out" not in reading_summary(back)


def test_a_second_map_of_a_meaning_is_an_alternate(stone, tmp_path):
    found = read(stone, tmp_path / "own", {"height": MapCorrection(meaning="roughness")})
    assert [row.meaning for row in found.rows] == ["base_colour", "roughness", "normal", "roughness"]


def test_maps_of_a_zip_are_corrected_from_copies(stone, tmp_path):
    archive = tmp_path / "stone.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for path in stone.iterdir():
            file.write(path, f"maps/{path.name}")
    own = tmp_path / "own"
    found = read(archive, own, {"roughness": MapCorrection(meaning="metallic")})
    assert [row.meaning for row in found.rows] == ["base_colour", "height", "normal", "metallic"]
    document = json.loads(found.source.read_text())
    for texture in document["textures"]:
        path = own / document.get("folder", ".") / texture["fileName"]
        assert path.resolve().is_relative_to(own.resolve())
        assert np.array_equal(read_image(path)[0], read_image(stone / path.name)[0])


def test_a_manifests_importance_picture_is_named(stone, tmp_path):
    write_image(stone / "focus.png", np.full((64, 64), 200, np.uint8))
    manifest = stone / "material.json"
    manifest.write_text(json.dumps({"textures": [{"fileName": "basecolor.png"}], "importance": "focus.png"}))
    assert "focus.png says how much each texel counts" in reading_summary(read(manifest, tmp_path / "own"))
    corrected = read(manifest, tmp_path / "own", {"basecolor": MapCorrection(meaning="emissive")})
    assert (corrected.is_corrected, corrected.importance) == (True, "focus.png")
    assert read(stone, tmp_path / "own").importance == ""


def test_nothing_left_is_said(stone, tmp_path):
    names = ("basecolor", "height", "normal", "roughness")
    with pytest.raises(InputError, match="every map would be left out"):
        read(stone, tmp_path / "own", {name: MapCorrection(is_left_out=True) for name in names})


def test_of_several_materials_one_is_chosen(tmp_path):
    folder = tmp_path / "two"
    for name in ("brick", "slate"):
        planes = waves(16, 16, 4, seed=len(name))
        write_image(folder / f"{name}_basecolor.png", as_bytes(planes[..., :3]))
        write_image(folder / f"{name}_roughness.png", as_bytes(planes[..., 3]))
    found = read(folder, tmp_path / "own", chosen="slate")
    assert (found.materials, found.chosen) == (("brick", "slate"), "slate")
    assert [row.name for row in found.rows] == ["slate_basecolor", "slate_roughness"]


def test_too_many_texels_are_refused_by_the_header(stone, tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "MAX_TEXELS", 64 * 64 - 1)
    monkeypatch.setattr(reading, "build_stack", lambda *_: pytest.fail("texels were read"))
    with pytest.raises(InputError, match=r"basecolor\.png has 64 x 64 texels"):
        read(stone, tmp_path / "own")


def test_what_is_no_picture_is_said(tmp_path):
    (tmp_path / "fake").mkdir()
    (tmp_path / "fake" / "basecolor.png").write_bytes(b"MZ this is a program")
    with pytest.raises(InputError, match=r"basecolor\.png"):
        read(tmp_path / "fake", tmp_path / "own")


@pytest.mark.parametrize(
    ("channels", "key"),
    [
        ((Semantic.BASE_COLOUR,) * 3, "base_colour"),
        ((*(Semantic.BASE_COLOUR,) * 3, Semantic.OPACITY), "base_colour"),
        ((Semantic.OCCLUSION, Semantic.ROUGHNESS, Semantic.METALLIC), "orm"),
        ((Semantic.DATA, Semantic.ROUGHNESS, Semantic.METALLIC), "metallicroughness"),
        ((Semantic.HEIGHT, Semantic.ROUGHNESS), "as read"),
    ],
)
def test_channels_have_a_choice_that_says_them(channels, key):
    assert key_of(channels) == key
    assert key in {value for _, value in choices(channels)}


def test_packings_name_their_channels():
    assert semantics_of("orm") == {"occlusion": "R", "roughness": "G", "metallic": "B"}
    assert semantics_of("metallicsmoothness") == {"metallic": "R", "gloss": "A"}
    assert semantics_of("normal") == "normal"
