"""A glTF made of a folder is the same stack as the folder."""

import numpy as np
import pytest
from made_gltf import gltf_of
from test_materials import LAYOUTS
from tiny_material import write_material

from imagegs_tex.formats.igs_maps import pack_maps
from imagegs_tex.formats.ingest import load_stack

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


def assert_same(stack, other):
    """All that an .igs file is made of."""
    assert pack_maps(stack.maps) == pack_maps(other.maps)
    assert np.array_equal(stack.texels, other.texels)
    assert (stack.wrap, stack.weights) == (other.wrap, other.weights)


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
