"""Textures that components, expressions of VRM 0 and scripts move: all of their texels count."""

import numpy as np
import pytest
from helpers.made_gltf import QUARTER, Asset
from helpers.noise_maps import noise, save

from imagegs_tex.formats.gltf.materials import read_gltf
from imagegs_tex.formats.material.build_stack import build_stack, load_stack


def shown(tmp_path, change):
    """Return how many texels count of a map of which an eighth by an eighth is shown, None for all."""
    save(tmp_path, basecolor=noise(1, 2, 3, size=(64, 64)))
    asset = Asset()
    index = asset.material("m", tmp_path, "views")
    asset.mesh(index, uv=QUARTER / 2)
    asset.root["nodes"] = [{"mesh": 0}]
    change(asset.root)
    weights = load_stack(asset.write(tmp_path / "x.glb")).weights
    return None if weights is None else int((weights > 0).sum())


def expression(name):
    values = [{"materialName": "m", "propertyName": name, "targetValue": [1, 1, 0.5, 0]}]
    vrm = {"blendShapeMaster": {"blendShapeGroups": [{"name": "blink", "materialValues": values}]}}
    return lambda root: root.update(extensions={"VRM": vrm})


def component(speed):
    extensions = {"MOZ_hubs_components": {"uv-scroll": {"speed": speed, "increment": {"x": 0, "y": 0}}}}
    return lambda root: root["nodes"][0].update(extensions=extensions)


MOVING = {
    "VRM 0, scale and offset": expression("_MainTex_ST"),
    "VRM 0, one axis": expression("_BumpMap_ST_S"),
    "Hubs": component({"x": 0.1, "y": 0}),
    "extras of a material": lambda root: root["materials"][0].update(extras={"uv_scroll_speed": [0.1, 0]}),
    "extras of a node": lambda root: root["nodes"][0].update(extras={"UVAnimation": {"fps": 12}}),
    "a switch": lambda root: root["materials"][0].update(extras={"textureScroll": True}),
}
STILL = {
    "nothing": lambda _: None,
    "VRM 0, colour": expression("_Color"),
    "Hubs that stands": component({"x": 0, "y": 0}),
    "other extras": lambda root: root["materials"][0].update(extras={"scroll": 1, "uv_set": 2}),
    "a switch that is off": lambda root: root["nodes"][0].update(extras={"uvScroll": False}),
}


@pytest.mark.parametrize("case", MOVING)
def test_what_moves_shows_all_texels(tmp_path, case):
    assert shown(tmp_path, MOVING[case]) is None


@pytest.mark.parametrize("case", STILL)
def test_what_stands_shows_what_the_mesh_does(tmp_path, case):
    found = shown(tmp_path, STILL[case])
    assert found is not None
    assert found < 64 * 64 / 3


def test_extras_of_one_material_move_that_one_alone(tmp_path):
    save(tmp_path, basecolor=noise(1, 2, 3, size=(64, 64)))
    (tmp_path / "b").mkdir()
    save(tmp_path / "b", basecolor=noise(4, 5, 6, size=(64, 64)))
    asset = Asset()
    for name, folder in (("a", tmp_path), ("b", tmp_path / "b")):
        asset.mesh(asset.material(name, folder, "views"), uv=np.asarray(QUARTER / 2, np.float32))
    asset.root["materials"][1]["extras"] = {"uvscroll": [0, 0.2]}
    a, b = (build_stack(material) for material in read_gltf(asset.write(tmp_path / "x.glb")).materials)
    assert a.weights is not None
    assert b.weights is None
