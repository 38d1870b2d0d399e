"""Textures that components, expressions of VRM 0 and scripts move: all of their texels count."""

import numpy as np
import pytest
from helpers.made_gltf import QUARTER, Asset
from helpers.noise_maps import noise, save

from imagegs_tex.formats.gltf.materials import read_gltf
from imagegs_tex.formats.material.build_stack import build_stack, load_stack
from imagegs_tex.formats.material.uv_coverage import MARGIN


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


def animated(*pointers):
    channels = [
        {"sampler": 0, "target": {"path": "pointer", "extensions": {"KHR_animation_pointer": {"pointer": pointer}}}}
        for pointer in pointers
    ]
    return lambda root: root.update(animations=[{"channels": channels, "samplers": []}])


TRANSFORM = "extensions/KHR_texture_transform"
POINTERS = {
    "offset of a base colour": (f"/materials/0/pbrMetallicRoughness/baseColorTexture/{TRANSFORM}/offset", True),
    "rotation of a normal": (f"/materials/0/normalTexture/{TRANSFORM}/rotation", True),
    "scale within an extension": (
        f"/materials/0/extensions/KHR_materials_clearcoat/clearcoatTexture/{TRANSFORM}/scale", True,
    ),
    "a template": (f"/materials/{{index}}/emissiveTexture/{TRANSFORM}/offset", True),
    "another material": (f"/materials/7/emissiveTexture/{TRANSFORM}/offset", False),
    "a factor": ("/materials/0/pbrMetallicRoughness/baseColorFactor", False),
    "weights of a mesh": ("/meshes/0/weights", False),
    "a light": ("/extensions/KHR_lights_punctual/lights/0/color", False),
}  # fmt: skip


@pytest.mark.parametrize("case", POINTERS)
def test_animation_pointers_move_what_they_point_to(tmp_path, case):
    pointer, moves = POINTERS[case]
    assert (shown(tmp_path, animated(pointer)) is None) == moves


def test_one_of_many_channels_is_enough(tmp_path):
    still = [f"/nodes/{number}/translation" for number in range(40)]
    assert shown(tmp_path, animated(*still, POINTERS["rotation of a normal"][0])) is None


def test_morph_targets_of_coordinates_show_all(tmp_path):
    def morph(root):
        root["meshes"][0]["primitives"][0]["targets"] = [{"TEXCOORD_0": 0}]

    assert shown(tmp_path, morph) is None


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_transform_that_stands_places_quantized_coordinates(tmp_path, dtype):
    """As gltfpack writes them: whole numbers, and a scale that makes them coordinates."""
    save(tmp_path, basecolor=noise(1, 2, 3, size=(64, 64)))
    asset = Asset()
    index = asset.material("m", tmp_path, "views")
    most = np.iinfo(dtype).max
    corners = np.array([[0, 0], [most, 0], [most, most], [0, most]], dtype)
    asset.mesh(index, uv=corners, normalized=True)
    where = {"offset": [0.5, 0.25], "scale": [0.25, 0.25]}
    texture = asset.root["materials"][0]["pbrMetallicRoughness"]["baseColorTexture"]
    texture["extensions"] = {"KHR_texture_transform": where}
    counted = load_stack(asset.write(tmp_path / "x.glb")).weights > 0
    assert counted[16:32, 32:48].all()
    assert not counted[: 16 - 2 - MARGIN].any()
    assert not counted[32 + 2 + MARGIN :].any()
    assert not counted[:, : 32 - 2 - MARGIN].any()
    assert not counted[:, 48 + 2 + MARGIN :].any()


def test_variants_show_what_either_mesh_does(tmp_path):
    save(tmp_path, basecolor=noise(1, 2, 3, size=(64, 64)))
    (tmp_path / "b").mkdir()
    save(tmp_path / "b", basecolor=noise(4, 5, 6, size=(64, 64)))
    asset = Asset()
    first, second = (asset.material(name, folder, "views") for name, folder in (("a", tmp_path), ("b", tmp_path / "b")))
    asset.mesh(first, uv=QUARTER)
    mesh = asset.mesh(first, uv=QUARTER / 2)
    mesh["extensions"] = {"KHR_materials_variants": {"mappings": [{"material": second, "variants": [0]}]}}
    a, b = (build_stack(material) for material in read_gltf(asset.write(tmp_path / "x.glb")).materials)
    assert (a.weights[:32, :32] > 0).all()
    assert (b.weights[:16, :16] > 0).all()
    inner = slice(16 + 2 + MARGIN, 64 - 2 - MARGIN)  # a margin beyond the border comes in on the other side
    assert not (b.weights[inner, inner] > 0).any()
