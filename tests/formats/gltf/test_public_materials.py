"""A glTF made of a folder is the same stack as the folder."""

import pytest
from helpers.made_gltf import gltf_of
from helpers.public_materials import LAYOUTS, assert_same
from helpers.tiny_material import write_material

from imagegs_tex.formats.material.build_stack import load_stack

WAYS = {"files": ".gltf", "data": ".gltf", "views": ".glb"}

# How the materials' own assets use them.
MORE = {
    "rosewood_veneer1": {"pbrMetallicRoughness": {"metallicFactor": 0}},
    "brick_wall_017": {"pbrMetallicRoughness": {"metallicFactor": 0}},
    "mossy_rock_053": {"pbrMetallicRoughness": {"metallicFactor": 0}},
    "rusty_metal_053c": {"pbrMetallicRoughness": {"metallicFactor": 0}},
    "scratched_metal_055a": {"pbrMetallicRoughness": {"metallicFactor": 0}},
    "facade_005_tiles": {"pbrMetallicRoughness": {"metallicFactor": 0}},
    "stylized_stone_floor_001": {"pbrMetallicRoughness": {"metallicFactor": 0}},
    "flight_helmet_lenses": {"alphaMode": "BLEND"},
    "caution_panel": {"alphaMode": "BLEND"},
    "shrub_01_cutout": {"alphaMode": "MASK"},
}


@pytest.mark.materials
@pytest.mark.parametrize("name", [name for name in LAYOUTS if not name.startswith("image_")])
def test_every_material_is_the_same_as_its_folder(materials, tmp_path, name):
    folder = load_stack(materials / name)
    for how, suffix in [("files", ".gltf"), ("views", ".glb")]:
        asset = gltf_of(materials / name, tmp_path / how / f"asset{suffix}", how, **MORE.get(name, {}))
        assert_same(load_stack(asset), folder)


@pytest.mark.parametrize("how", WAYS)
def test_a_small_material_in_all_ways(tmp_path, how):
    folder = write_material(tmp_path / "stone")
    asset = gltf_of(folder, tmp_path / f"asset{WAYS[how]}", how, pbrMetallicRoughness={"metallicFactor": 0})
    assert_same(load_stack(asset), load_stack(folder))
