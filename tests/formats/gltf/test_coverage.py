"""Where meshes of a glTF use its maps, and which axes wrap."""

import copy

import numpy as np
import pytest
from helpers.made_gltf import CLAMP, QUARTER, SQUARE, SQUARE_INDICES, Asset
from helpers.noise_maps import noise, save

from imagegs_tex.formats.gltf.materials import read_gltf
from imagegs_tex.formats.material.build_stack import load_stack
from imagegs_tex.formats.material.uv_coverage import used_texels


def coverage_of(tmp_path, folder, **mesh):
    asset = Asset()
    sampler = mesh.pop("sampler", None)
    if sampler is not None:
        asset.root["samplers"] = [sampler]
    index = asset.material("m", folder, "views", sampler=None if sampler is None else 0)
    transform = mesh.pop("transform", None)
    if transform is not None:
        for slot in asset.root["materials"][index]["pbrMetallicRoughness"].values():
            slot["extensions"] = {"KHR_texture_transform": transform}
        for slot in ("normalTexture", "occlusionTexture"):
            asset.root["materials"][index][slot]["extensions"] = {"KHR_texture_transform": transform}
    asset.mesh(index, **mesh)
    material = read_gltf(asset.write(tmp_path / "x.glb")).materials[0]
    sets = material.uv_sets()
    return None if sets is None else used_texels(sets, 256, 128)


def corners(used):
    rows, columns = np.nonzero(used)
    return rows.min(), rows.max(), columns.min(), columns.max()


BYTES = (QUARTER * 255).astype(np.uint8)


@pytest.mark.parametrize(
    "mesh",
    [
        {"uv": QUARTER},
        {"uv": QUARTER, "indices": SQUARE_INDICES.astype(np.uint8)},
        {"uv": QUARTER, "indices": SQUARE_INDICES.astype(np.uint32)},
        {"uv": QUARTER[[0, 1, 2, 0, 2, 3]], "indices": None},
        {"uv": QUARTER[[0, 1, 3, 2]], "indices": None, "mode": 5},
        {"uv": QUARTER, "indices": None, "mode": 6},
        {"uv": QUARTER, "indices": np.array([0, 1, 3, 2], np.uint16), "mode": 5},
        {"uv": BYTES, "normalized": True},
        {"uv": (QUARTER * 65535).astype(np.uint16), "normalized": True},
        {"uv": SQUARE, "transform": {"scale": [0.5, 0.5]}},
        {"uv": SQUARE, "transform": {"scale": [0.5, 0.5], "rotation": np.pi / 2, "offset": [0, 0.5]}},
        {
            "uv": np.concatenate([QUARTER, np.full((2, 2), np.nan, np.float32)]),
            "indices": np.array([0, 1, 2, 0, 2, 3, 0, 4, 5], np.uint8),
        },
    ],
    ids=range(12),
)
def test_the_used_quarter_is_found(tmp_path, maps, mesh):
    used = coverage_of(tmp_path, maps, sampler=CLAMP, **mesh)
    rows_first, rows_last, columns_first, columns_last = corners(used)
    assert (rows_first, columns_first) == (0, 0)
    assert 64 + 7 <= rows_last <= 64 + 8
    assert 128 + 7 <= columns_last <= 128 + 8
    assert used.sum() == (rows_last + 1) * (columns_last + 1)


@pytest.mark.parametrize("mode", [0, 1, 2, 3])
def test_points_and_lines_use_everything(tmp_path, maps, mode):
    assert coverage_of(tmp_path, maps, uv=QUARTER, mode=mode) is None


def test_other_coordinates_and_compressed_meshes_use_everything(tmp_path, maps):
    assert coverage_of(tmp_path, maps, uv=QUARTER, transform={"texCoord": 1}) is None
    asset = Asset()
    primitive = asset.mesh(asset.material("m", maps, "views"), uv=QUARTER)
    for change in ("KHR_draco_mesh_compression", None):
        if change:
            primitive["extensions"] = {change: {"bufferView": 0, "attributes": {}}}
        else:
            del primitive["extensions"]
            asset.root["accessors"][0]["sparse"] = {"count": 1}
        assert read_gltf(asset.write(tmp_path / "x.glb")).materials[0].uv_sets() is None


def test_a_stack_has_the_weights(tmp_path):
    folder = tmp_path / "maps"
    folder.mkdir()
    save(folder, basecolor=noise(1, 2, 3, size=(64, 64)))
    asset = Asset()
    asset.mesh(asset.material("m", folder, "views"), uv=QUARTER / 2)
    stack = load_stack(asset.write(tmp_path / "x.glb"))
    plain = load_stack(folder)
    used = stack.weights == 1
    assert np.array_equal(stack.weights, used)
    assert 16**2 < used.sum() < 40**2
    assert np.array_equal(stack.texels, plain.texels)  # scores stay those of what was given


def test_materials_that_share_maps_share_their_coverage(tmp_path, maps):
    asset = Asset()
    asset.material("a", maps, "views")
    asset.root["materials"].append({**copy.deepcopy(asset.root["materials"][0]), "name": "b"})
    asset.root["samplers"] = [CLAMP]
    for texture in asset.root["textures"]:
        texture["sampler"] = 0
    asset.mesh(0, uv=QUARTER / 2)
    assert read_gltf(asset.write(tmp_path / "x.glb")).materials[0].uv_sets() is None  # b is not used here
    asset.mesh(1, uv=QUARTER)
    used = used_texels(read_gltf(asset.write(tmp_path / "x.glb")).materials[0].uv_sets(), 256, 128)
    assert corners(used)[1] == 64 + 8


def test_variants_count_as_users(tmp_path, maps):
    asset = Asset()
    index = asset.material("m", maps, "views")
    primitive = asset.mesh(index, uv=QUARTER)
    del primitive["material"]
    primitive["extensions"] = {"KHR_materials_variants": {"mappings": [{"material": index, "variants": [0]}]}}
    assert read_gltf(asset.write(tmp_path / "x.glb")).materials[0].uv_sets() is not None


@pytest.mark.parametrize(
    ("sampler", "uv", "wrap"),
    [
        (None, SQUARE, (False, False)),  # samplers repeat by default: it says nothing unless a mesh goes beyond
        (None, SQUARE * [3, 1], (True, False)),
        ({"wrapS": 33071}, SQUARE * 3, (False, True)),
        (CLAMP, SQUARE * 3, (False, False)),
    ],
    ids=range(4),
)
def test_wrap(tmp_path, maps, sampler, uv, wrap):
    asset = Asset()
    if sampler:
        asset.root["samplers"] = [sampler]
    index = asset.material("m", maps, "views", sampler=0 if sampler else None)
    asset.mesh(index, uv=uv.astype(np.float32))
    assert load_stack(asset.write(tmp_path / "x.glb")).wrap == wrap
