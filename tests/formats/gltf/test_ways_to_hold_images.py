"""A glTF made of a folder is the same stack as the folder, wherever it holds its images."""

import pytest
from helpers.made_gltf import gltf_of
from helpers.public_materials import assert_same
from helpers.tiny_material import write_material

from imagegs_tex.formats.material.build_stack import load_stack

WAYS = {"files": ".gltf", "data": ".gltf", "views": ".glb"}


@pytest.mark.parametrize("how", WAYS)
def test_a_small_material_in_all_ways(tmp_path, how):
    folder = write_material(tmp_path / "stone")
    asset = gltf_of(folder, tmp_path / f"asset{WAYS[how]}", how, pbrMetallicRoughness={"metallicFactor": 0})
    assert_same(load_stack(asset), load_stack(folder))
