"""One picture listed twice in a folder or a manifest: coded once, whatever its maps take it for."""

import json

import numpy as np
import pytest
from helpers.noise_maps import noise, save
from helpers.tiny_material import as_bytes, waves, write_material

from imagegs_tex import compress, decode
from imagegs_tex.formats.images import read_image, write_image
from imagegs_tex.formats.material.build_stack import load_stack
from imagegs_tex.formats.material.options import AlphaUse, NormalCoding, SourceOptions
from imagegs_tex.formats.material.stack import expand_map, source_map
from imagegs_tex.formats.vocabulary import Semantic, UnitZ
from imagegs_tex.settings import CompressSettings, FitSettings

ORM = noise(1, 2, 3)


def unit_normals(size=24):
    slopes = waves(size, size, 2) - 0.5
    vectors = np.concatenate([slopes, np.ones((size, size, 1))], axis=2)
    return as_bytes(0.5 + 0.5 * vectors / np.linalg.norm(vectors, axis=2, keepdims=True))


def manifest(folder, *textures):
    path = folder / "m.json"
    path.write_text(json.dumps({"textures": list(textures)}))
    return path


def of_name(stack, name):
    return next(texture_map for texture_map in stack.maps if texture_map.name == name)


FOLDERS = {
    "one meaning": ({"x_albedo": noise(4, 5, 6), "x_diffuse": noise(4, 5, 6)}, 3),
    "two meanings": ({"x_orm": ORM, "x_rma": ORM}, 3),
    "no meaning": ({"x_basecolor": noise(4, 5, 6), "x_wobble": noise(4, 5, 6), "x_roughness": noise(7)}, 4),
    "one channel of it": ({"x_orm": ORM, "x_ao": ORM[..., :1]}, 3),
    "its channels in another order": ({"x_orm": ORM, "x_mro": ORM[..., ::-1]}, 3),
    "three times": ({"x_a": noise(8, 9, 10, 11), "x_b": noise(8, 9, 10, 11), "x_c": noise(8, 9, 10, 11)}, 4),
    "16 bits": ({"x_height": noise(4, dtype=np.uint16), "x_displacement": noise(4, dtype=np.uint16)}, 1),
    "floats": ({"x_emissive": noise(4, 5, 6, dtype=np.uint16).astype(np.float32) / 999} | {
        "x_emission": noise(4, 5, 6, dtype=np.uint16).astype(np.float32) / 999}, 3),
    "not quite": ({"x_orm": ORM, "x_rma": ORM ^ (np.arange(120).reshape(12, 10, 1) == 7)}, 6),
    "8 and 16 bits": ({"x_height": noise(4), "x_displacement": noise(4, dtype=np.uint16)}, 2),
}  # fmt: skip


@pytest.mark.parametrize("case", FOLDERS)
def test_a_folder_that_lists_a_picture_twice(tmp_path, case):
    maps, coded = FOLDERS[case]
    stack = load_stack(save(tmp_path, **maps), SourceOptions(alpha=AlphaUse.DATA))
    assert stack.channel_count == coded
    assert sorted(texture_map.name for texture_map in stack.maps) == sorted(maps)
    for index, texture_map in enumerate(stack.maps):
        expected = maps[texture_map.name]
        assert np.allclose(expand_map(stack.texels, texture_map), expected, rtol=1e-5, atol=0)
        assert np.allclose(source_map(stack, index), expected, rtol=1e-5, atol=0)
    later = " ".join(texture_map.notes for texture_map in stack.maps[1:])
    assert ("coded once" in later) == (coded < sum(texels.shape[2] for texels in maps.values()))


def test_the_reading_names_the_other_map(tmp_path):
    stack = load_stack(save(tmp_path, x_ao=ORM[..., :1], x_orm=ORM, x_rma=ORM, x_srm=noise(20, 2, 21)))
    assert "coded once" not in of_name(stack, "x_ao").notes
    assert of_name(stack, "x_orm").notes.endswith("; 1 of 3 channels is that of x_ao, coded once")
    assert of_name(stack, "x_rma").notes.endswith(
        "; 1 of 3 channels is that of x_ao, coded once; 2 of 3 channels are those of x_orm, coded once"
    )
    assert of_name(stack, "x_srm").notes.endswith("; 1 of 3 channels is that of x_orm, coded once")


def test_the_reading_of_a_whole_picture(tmp_path):
    stack = load_stack(save(tmp_path, x_orm=ORM, x_rma=ORM))
    assert "coded once" not in of_name(stack, "x_orm").notes
    assert of_name(stack, "x_rma").notes.endswith("; the same picture as x_orm, coded once")


@pytest.mark.parametrize("how", ["one file", "two files", "swizzled"])
def test_a_manifest_that_lists_a_picture_twice(tmp_path, how):
    save(tmp_path, orm=ORM, copy=ORM)
    second = {"fileName": "copy.png" if how == "two files" else "orm.png", "name": "second", "alternate": True}
    if how == "swizzled":
        second |= {"channelSwizzle": "GR", "semantics": {"roughness": "R", "occlusion": "G"}, "lossFunctionScale": 3}
    else:
        second |= {"semantics": {"metallic": "R", "occlusion": "G", "roughness": "B"}}
    first = {"fileName": "orm.png", "name": "first", "semantics": {"occlusion": "R", "roughness": "G", "metallic": "B"}}
    stack = load_stack(manifest(tmp_path, first, second))
    assert stack.channel_count == 3
    assert np.array_equal(expand_map(stack.texels, of_name(stack, "first")), ORM)
    expected = ORM[..., [1, 0]] if how == "swizzled" else ORM
    assert np.array_equal(expand_map(stack.texels, of_name(stack, "second")), expected)
    assert of_name(stack, "second").semantic == (Semantic.ROUGHNESS if how == "swizzled" else Semantic.METALLIC)
    assert stack.channel_weights == ((3.0, 3.0, 1.0) if how == "swizzled" else (1.0, 1.0, 1.0))  # the most of any map


@pytest.mark.parametrize("coding", NormalCoding)
def test_a_normal_listed_twice_is_one(tmp_path, coding):
    once, both = tmp_path / "once", tmp_path / "both"
    for folder, names in ((once, ["a_normal"]), (both, ["a_normal", "b_normal"])):
        folder.mkdir()
        for name in names:
            write_image(folder / f"{name}.png", unit_normals())
    single, stack = (load_stack(folder, SourceOptions(normals=coding)) for folder in (once, both))
    assert np.array_equal(stack.texels, single.texels)
    assert stack.channel_weights == single.channel_weights
    assert [texture_map.routes for texture_map in stack.maps] == [single.maps[0].routes] * 2
    assert [np.array_equal(source_map(stack, index), unit_normals()) for index in (0, 1)] == [True, True]


def test_a_normal_that_is_plain_data_too_keeps_its_z(tmp_path):
    write_image(tmp_path / "a_normal.png", unit_normals())
    write_image(tmp_path / "a_position.png", unit_normals())
    stack = load_stack(tmp_path)
    assert stack.channel_count == 3
    assert "coded as stored, as a_position has the same channels" in stack.maps[0].notes
    assert UnitZ() not in stack.maps[0].routes
    assert all(np.array_equal(expand_map(stack.texels, one), unit_normals()) for one in stack.maps)


def cut_out():
    """RGBA [24, 24, 4] with noise where alpha is 0."""
    texels = np.dstack([as_bytes(waves(24, 24, 3)), np.where(np.arange(24) < 14, 255, 0) * np.ones((24, 1))])
    texels[:, 14:, :3] = np.random.default_rng(1).integers(0, 255, (24, 10, 3))
    return texels.astype(np.uint8)


@pytest.mark.parametrize("use", [AlphaUse.AUTO, AlphaUse.COVERAGE])
def test_a_cut_out_listed_twice_is_one(tmp_path, use):
    once, both = tmp_path / "once", tmp_path / "both"
    for folder, names in ((once, ["x_albedo"]), (both, ["x_albedo", "x_diffuse"])):
        folder.mkdir()
        for name in names:
            write_image(folder / f"{name}.png", cut_out())
    single, stack = (load_stack(folder, SourceOptions(alpha=use)) for folder in (once, both))
    assert np.array_equal(stack.texels, single.texels)
    assert not np.array_equal(expand_map(single.texels, single.maps[0]), cut_out())  # its colour is free
    assert stack.channel_weights == single.channel_weights
    assert all(np.array_equal(stack.drawn_of(index), single.drawn_of(0)) for index in (0, 1))


def test_a_cut_outs_colour_that_is_plain_data_too_is_kept(tmp_path):
    write_image(tmp_path / "a_albedo.png", cut_out())
    write_image(tmp_path / "a_position.png", cut_out())
    stack = load_stack(tmp_path, SourceOptions(alpha=AlphaUse.COVERAGE))
    assert stack.channel_count == 4
    assert "is kept" in stack.maps[0].notes
    assert all(np.array_equal(expand_map(stack.texels, one), cut_out()) for one in stack.maps)


def test_both_maps_come_back_and_cost_what_one_does(tmp_path):
    once = write_material(tmp_path / "once")
    both = write_material(tmp_path / "both")
    (both / "rma.png").write_bytes((both / "basecolor.png").read_bytes())
    settings = CompressSettings(gaussian_count=40, fit=FitSettings(steps=20))
    reports = [compress(folder, tmp_path / f"{folder.name}.igs", settings) for folder in (once, both)]
    assert reports[0].channels == reports[1].channels
    assert reports[1].file_bytes - reports[0].file_bytes < 64  # a row in the table of maps
    decode(tmp_path / "both.igs", tmp_path / "out")
    names = ["basecolor.png", "rma.png"]
    first, second = (read_image(tmp_path / "out" / name)[0] for name in names)
    assert np.array_equal(first, second)
    assert np.abs(first.astype(int) - read_image(both / "rma.png")[0]).mean() < 40
