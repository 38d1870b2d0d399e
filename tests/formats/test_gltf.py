import copy
import json
import os
import struct
import time
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_gltf import SQUARE, SQUARE_INDICES, Asset
from test_ingest import noise, save

from imagegs_tex.formats.coverage import used_texels
from imagegs_tex.formats.errors import InputError
from imagegs_tex.formats.gltf import read_gltf
from imagegs_tex.formats.images import read_image, write_image
from imagegs_tex.formats.ingest import load_stack
from imagegs_tex.formats.stack import Semantic, Transfer, expand_map

QUARTER = np.array([[0, 0], [0.5, 0], [0.5, 0.5], [0, 0.5]], np.float32)


@pytest.fixture
def maps(tmp_path):
    folder = tmp_path / "maps"
    folder.mkdir()
    save(folder, basecolor=noise(1, 2, 3), normal=noise(4, 5, 6), occlusion_roughness_metallic=noise(7, 8, 9))
    return folder


def maps_of(path, material=None):
    return {texture_map.name: texture_map for texture_map in load_stack(path, material=material).maps}


# --- what materials say


def test_semantics_come_from_the_slots_and_not_from_names(tmp_path):
    save(tmp_path, a=noise(1, 2, 3, 4), b=noise(5, 6, 7))
    asset = Asset()
    first, second = (asset.image(tmp_path / f"{name}.png", "views") for name in "ab")
    material = {
        "pbrMetallicRoughness": {
            "baseColorTexture": asset.texture(first),
            "metallicRoughnessTexture": asset.texture(second),
        },
        "occlusionTexture": asset.texture(second),
        "alphaMode": "MASK",
    }
    asset.root["materials"].append(material)
    found = maps_of(asset.write(tmp_path / "x.glb"))
    assert found["a"].channel_semantics == (*[Semantic.BASE_COLOUR] * 3, Semantic.OPACITY)
    assert found["b"].channel_semantics == (Semantic.OCCLUSION, Semantic.ROUGHNESS, Semantic.METALLIC)
    assert (found["a"].transfer, found["b"].transfer) == (Transfer.SRGB, Transfer.LINEAR)
    del material["alphaMode"]
    assert maps_of(asset.write(tmp_path / "x.glb"))["a"].channel_semantics[3] == Semantic.DATA


def test_factors_of_0_switch_channels_off(maps, tmp_path):
    asset = Asset()
    material = asset.root["materials"]
    asset.material("m", maps, "views")
    material[0]["pbrMetallicRoughness"]["metallicFactor"] = 0
    material[0]["emissiveFactor"] = [0, 0, 0]
    found = maps_of(asset.write(tmp_path / "x.glb"))["occlusion_roughness_metallic"]
    assert found.channel_semantics == (Semantic.OCCLUSION, Semantic.ROUGHNESS, Semantic.DATA)
    material[0]["occlusionTexture"]["strength"] = 0
    found = maps_of(asset.write(tmp_path / "x.glb"))["occlusion_roughness_metallic"]
    assert found.channel_semantics == (Semantic.DATA, Semantic.ROUGHNESS, Semantic.DATA)


def test_white_metallic_is_metal_unless_it_is_switched_off(tmp_path):
    folder = tmp_path / "m"
    folder.mkdir()
    save(folder, occlusion_roughness_metallic=noise(None, 1, None))
    asset = Asset()
    asset.material("steel", folder, "views")
    found = maps_of(asset.write(tmp_path / "x.glb"))["occlusion_roughness_metallic"]
    assert found.channel_semantics == (Semantic.OCCLUSION, Semantic.ROUGHNESS, Semantic.METALLIC)
    asset.root["materials"][0]["pbrMetallicRoughness"]["metallicFactor"] = 0.0
    found = maps_of(asset.write(tmp_path / "x.glb"))["occlusion_roughness_metallic"]
    assert found.channel_semantics == (Semantic.DATA, Semantic.ROUGHNESS, Semantic.DATA)


def test_extensions_known_and_unknown(tmp_path):
    save(tmp_path, coat=noise(1, 2, 3), spec=noise(4, 5, 6, 7), what_thickness=noise(8))
    asset = Asset()
    textures = {
        name: asset.texture(asset.image(tmp_path / f"{name}.png", "views"))
        for name in ("coat", "spec", "what_thickness")
    }
    asset.root["materials"].append(
        {
            "extensions": {
                "KHR_materials_clearcoat": {
                    "clearcoatTexture": textures["coat"],
                    "clearcoatRoughnessTexture": textures["coat"],
                },
                "KHR_materials_pbrSpecularGlossiness": {"specularGlossinessTexture": textures["spec"]},
                "ACME_new": {"thicknessTexture": textures["what_thickness"], "level": 3},
            },
        }
    )
    found = maps_of(asset.write(tmp_path / "x.glb"))
    assert found["coat"].channel_semantics == (Semantic.CLEARCOAT, Semantic.ROUGHNESS, Semantic.DATA)
    assert found["spec"].channel_semantics == (*[Semantic.SPECULAR] * 3, Semantic.GLOSS)
    assert set(found) == {"coat", "spec", "what_thickness"}


def test_images_without_a_slot_are_maps_of_the_only_material_when_their_names_say_so(maps, tmp_path):
    save(maps, rock_height=noise(1, dtype=np.uint16), thumbnail=noise(2, 3, 4))
    write_image(maps / "rock_ao.png", noise(1, size=(5, 5)))  # of another size: no map of this material
    asset = Asset()
    asset.material("m", maps, "views")
    found = maps_of(asset.write(tmp_path / "x.glb"))
    assert set(found) == {"basecolor", "normal", "occlusion_roughness_metallic", "rock_height"}
    assert found["rock_height"].semantic == Semantic.HEIGHT
    asset.material("other", maps, "views")
    assert "rock_height" not in maps_of(asset.write(tmp_path / "x.glb"), "m")


def test_names_of_images(tmp_path):
    """The file's stem; the given name without an image's suffix; a number; never the same twice."""
    save(tmp_path, my_file=noise(1, 2, 3))
    asset = Asset()
    given_names = ["Wood.PNG", "wood", "", "../../x", "a" * 5000]
    slots = ["baseColorTexture", "metallicRoughnessTexture"]
    images = [asset.image(tmp_path / "my_file.png", "views") for _ in given_names]
    for index, name in zip(images, given_names, strict=True):
        asset.root["images"][index]["name"] = name
    outer = asset.image(tmp_path / "my_file.png", "files", uri="folder/my%20file.png")
    asset.files["folder/my file.png"] = asset.files.pop("folder/my%20file.png")
    asset.root["materials"].append(
        {
            "pbrMetallicRoughness": {slot: asset.texture(index) for slot, index in zip(slots, images, strict=False)},
            "normalTexture": asset.texture(images[2]),
            "occlusionTexture": asset.texture(images[3]),
            "emissiveTexture": asset.texture(outer),
            "extensions": {"KHR_materials_sheen": {"sheenColorTexture": asset.texture(images[4])}},
        }
    )
    assert set(maps_of(asset.write(tmp_path / "x.glb"))) == {
        "Wood",
        "wood_2",
        "image_2",
        "../../x",
        "a" * 200,
        "my file",
    }


def test_16_bit_and_jpeg_and_webp_images_inside_an_asset(tmp_path):
    generator = np.random.default_rng(0)
    write_image(tmp_path / "a.png", generator.integers(0, 65535, (9, 7, 3), np.uint16))
    for name in ("b.jpg", "c.webp"):
        write_image(tmp_path / name, generator.integers(0, 255, (9, 7, 3), np.uint8))
    asset = Asset()
    slots = {"normalTexture": "a.png", "emissiveTexture": "b.jpg"}
    material = {slot: asset.texture(asset.image(tmp_path / name, "data")) for slot, name in slots.items()}
    webp = asset.image(tmp_path / "c.webp", "data")
    asset.root["textures"].append({"extensions": {"EXT_texture_webp": {"source": webp}}})
    material["pbrMetallicRoughness"] = {"baseColorTexture": {"index": 2}}
    asset.root["materials"].append(material)
    stack = load_stack(asset.write(tmp_path / "x.gltf"))
    assert [texture_map.file_suffix for texture_map in stack.maps] == [".png", ".jpg", ".webp"]
    for texture_map in stack.maps:
        source, _ = read_image(tmp_path / f"{texture_map.name}{texture_map.file_suffix}")
        assert np.array_equal(expand_map(stack.texels, texture_map), source)


def test_what_an_image_is_counts_and_not_what_it_is_called(maps, tmp_path):
    asset = Asset()
    asset.material("m", maps, "views")
    for image in asset.root["images"]:
        image["mimeType"] = "image/jpeg"
    assert {texture_map.file_suffix for texture_map in load_stack(asset.write(tmp_path / "x.glb")).maps} == {".png"}


# --- several materials


def test_materials_with_the_same_maps_are_one_source(maps, tmp_path):
    asset = Asset()
    asset.material("A/b", maps, "views")
    same = copy.deepcopy(asset.root["materials"][0])
    asset.root["materials"] += [
        {**same, "name": "second", "doubleSided": True},
        {"name": "plain"},
        {**same, "name": "a_B", "alphaMode": "BLEND"},
    ]
    read = read_gltf(asset.write(tmp_path / "x.glb"))
    assert [entry.source for entry in read.listed] == [0, 0, None, 1]
    assert [entry.name for entry in read.listed] == ["A/b", "second", "plain", "a_B"]
    assert [material.stem for material in read.materials] == ["A_b", "a_B_2"]
    assert load_stack(tmp_path / "x.glb", material="a_B_2").maps[0].name == "basecolor"
    with pytest.raises(InputError, match=r"has 2 materials \(A/b, a_B\); compress it to a folder"):
        load_stack(tmp_path / "x.glb")


def test_materials_without_a_name(maps, tmp_path):
    asset = Asset()
    asset.material("", maps, "views")
    asset.root["materials"].insert(0, {"name": ""})
    read = read_gltf(asset.write(tmp_path / "x.glb"))
    assert [entry.name for entry in read.listed] == ["material_0", "material_1"]


# --- where meshes use the maps


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


CLAMP = {"wrapS": 33071, "wrapT": 33071}
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


# --- hostile and damaged files


@pytest.fixture
def asset(maps):
    made = Asset()
    made.mesh(made.material("m", maps, "views"), uv=QUARTER)
    return made


def fails(path, message):
    with pytest.raises(InputError, match=message) as caught:
        load_stack(path)
    assert "\n" not in str(caught.value)


URIS = {
    "../outside.png": "leads outside the folder",
    "%2e%2e/outside.png": "leads outside the folder",
    "a/%2e%2e%2f..%2foutside.png": "leads outside the folder",
    "..%5coutside.png": "has a backslash",
    "/etc/passwd": "is an absolute path",
    "%2fetc/passwd": "is an absolute path",
    "//host/x.png": "is an absolute path",
    "file:///etc/passwd": "is an address",
    "http://example.com/x.png": "is an address",
    "HTTPS://example.com/x.png": "is an address",
    "c:x.png": "is an address",
    "x%00.png": "is no file name",
    "": "is no file name",
    "gone.png": "does not exist",
    ".": "is not a file",
    "link.png": "is a link that leads outside the folder",
    "loop.png": "cannot be found|does not exist|leads outside",
    "asset.gltf": "is not an image",
    "x.ktx2": "GPU-compressed images cannot be read",
    "data:image/png;base64": "is a data URI without data",
    "data:image/png;base64,AA%A": "not base64",
    "data:image/png;base64,????": "not base64",
    "data:image/png,abc": "is neither PNG nor JPEG nor WebP",
    "data:image/png;base64,": "is neither PNG nor JPEG nor WebP",
    "data:image/ktx2;base64,q0tUWCAyMLsNChoK": "GPU-compressed images cannot be read",
    "data:image/png;base64,iVBORw0KGgo=": "cannot be read",
}  # fmt: skip


@pytest.mark.parametrize("uri", URIS)
def test_hostile_uris(tmp_path, uri):
    home = tmp_path / "home"
    (home / "a").mkdir(parents=True)
    save(tmp_path, outside=noise(1, 2, 3))
    (home / "link.png").symlink_to(tmp_path / "outside.png")
    (home / "loop.png").symlink_to(home / "loop.png")
    (home / "x.ktx2").write_bytes(b"x")
    document = {
        "asset": {"version": "2.0"}, "images": [{"uri": uri}], "textures": [{"source": 0}],
        "materials": [{"normalTexture": {"index": 0}}],
    }  # fmt: skip
    (home / "asset.gltf").write_text(json.dumps(document))
    fails(home / "asset.gltf", URIS[uri])
    document["buffers"] = [{"byteLength": 10, "uri": uri}]
    document["bufferViews"] = [{"buffer": 0, "byteLength": 10}]
    document["images"] = [{"bufferView": 0, "mimeType": "image/png"}]
    (home / "asset.gltf").write_text(json.dumps(document))
    fails(home / "asset.gltf", ".")


CHANGES = {
    "no version": (("asset",), {}, "is a glTF of no version"),
    "old": (("asset", "version"), "1.0", "of version 1.0; export it as glTF 2.0"),
    "version a number": (("asset", "version"), 2, "must be a string"),
    "no materials": (("materials",), [], "has no material with a texture"),
    "materials no array": (("materials",), 7, "materials: must be an array"),
    "material no object": (("materials", 0), 7, "must be an object, not a number"),
    "texture index": (
        ("materials", 0, "normalTexture", "index"),
        99,
        r"normalTexture\.index: there is no textures\[99\]",
    ),
    "texture index below 0": (("materials", 0, "normalTexture", "index"), -1, "-1 is outside"),
    "texture index text": (("materials", 0, "normalTexture", "index"), "0", "must be a whole number"),
    "huge index": (("materials", 0, "normalTexture", "index"), 10**30, "is outside"),
    "image index": (("textures", 0, "source"), 99, r"there is no images\[99\]"),
    "no source": (("textures", 0), {}, r"textures\[0\]: has no image"),
    "basisu": (
        ("textures", 0),
        {"extensions": {"KHR_texture_basisu": {"source": 0}}},
        r"only a GPU-compressed image \(KHR_texture_basisu\)",
    ),
    "image of nothing": (("images", 0), {}, "must have either a uri or a bufferView"),
    "image of both": (("images", 0, "uri"), "x.png", "must have either a uri or a bufferView"),
    "view index": (("images", 0, "bufferView"), 99, r"there is no bufferViews\[99\]"),
    "view too long": (("bufferViews", 0, "byteLength"), 10**9, "reaches beyond its buffer"),
    "view beyond": (("bufferViews", 0, "byteOffset"), 10**9, "reaches beyond its buffer"),
    "view below 0": (("bufferViews", 0, "byteOffset"), -4, "-4 is outside"),
    "view empty": (("bufferViews", 0, "byteLength"), 0, "0 is outside"),
    "view of another buffer": (("bufferViews", 0, "buffer"), 1, r"there is no buffers\[1\]"),
    "sampler": (("textures", 0, "sampler"), 0, r"there is no samplers\[0\]"),
    "two parents": (("nodes",), [{"children": [2]}, {"children": [2]}, {}], "node 2 has two parents"),
    "circle": (
        ("nodes",),
        [{}, {"children": [2]}, {"children": [1]}],
        "has node 1 within itself|has node 2 within itself",
    ),
    "own child": (("nodes",), [{"children": [0]}], "has node 0 within itself"),
    "child of nothing": (("nodes",), [{"children": [5]}], r"there is no nodes\[5\]"),
    "accessor index": (("meshes", 0, "primitives", 0, "indices"), 99, r"there is no accessors\[99\]"),
    "too many vertices": (("accessors", 0, "count"), 10**9, "needs 8000000000 bytes of a view of 32"),
    "too many indices": (("accessors", 1, "count"), 7, "needs 14 bytes of a view of 12"),
    "index beyond": (("accessors", 0, "count"), 3, "has the index 3 of only 3 vertices"),
    "no count": (("accessors", 0, "count"), 0, "0 is outside"),
    "wrong type": (("accessors", 0, "type"), "VEC3", "is of a type that its use does not allow"),
    "wrong component": (("accessors", 0, "componentType"), 1, "is of a type"),
    "signed indices": (("accessors", 1, "componentType"), 5122, "is of a type"),
    "stride": (("bufferViews", 3, "byteStride"), 2, "2 is outside 8..252"),
    "mode": (("meshes", 0, "primitives", 0, "mode"), 9, "9 is outside 0..6"),
    "strength": (("materials", 0, "occlusionTexture", "strength"), "x", "must be a number"),
    "scale": (
        ("materials", 0, "normalTexture", "extensions"),
        {"KHR_texture_transform": {"scale": [1]}},
        "must have two numbers",
    ),
    "name": (("materials", 0, "name"), 3, "must be a string"),
}


@pytest.mark.parametrize("case", CHANGES)
def test_a_broken_asset_is_one_clear_line(asset, tmp_path, case):
    place, value, message = CHANGES[case]
    home = asset.root
    for key in place[:-1]:
        home = home[key]
    home[place[-1]] = value
    fails(asset.write(tmp_path / "x.glb"), message)


def test_too_many_images(asset, tmp_path):
    asset.root["images"] += [copy.deepcopy(asset.root["images"][0]) for _ in range(65)]
    fails(asset.write(tmp_path / "x.glb"), "material m has 68 images; use at most 64")


def test_wrong_wraps(asset, tmp_path):
    asset.root["samplers"] = [{"wrapS": 1}]
    asset.root["textures"][0]["sampler"] = 0
    fails(asset.write(tmp_path / "x.glb"), "1 is no way to wrap")


def test_deep_nodes_are_no_problem(asset, tmp_path):
    asset.root["nodes"] = [{"children": [index + 1]} for index in range(50_000)] + [{}]
    load_stack(asset.write(tmp_path / "x.glb"))


def test_every_truncated_prefix_fails_and_so_does_one_more_byte(asset, tmp_path):
    data = asset.glb()
    path = tmp_path / "x.glb"
    for length in range(len(data)):
        path.write_bytes(data[:length])
        fails(path, ".")
    path.write_bytes(data + b"\0")
    fails(path, "says that it has")
    path.write_bytes(data)
    load_stack(path)


@pytest.mark.parametrize(
    ("at", "value", "message"),
    [
        (0, 0, "has no glTF header"),
        (4, 1, "binary glTF of version 1"),
        (8, 2**32 - 1, "says that it has 4294967295 bytes"),
        (12, 2**32 - 1, "has a chunk of 4294967295 bytes"),
        (12, 0, "is not JSON"),
        (16, 1, "does not begin with JSON"),
    ],
)
def test_lengths_and_kinds_that_lie(asset, tmp_path, at, value, message):
    data = bytearray(asset.glb())
    struct.pack_into("<I", data, at, value)
    (tmp_path / "x.glb").write_bytes(data)
    fails(tmp_path / "x.glb", message)


def test_a_buffer_shorter_than_it_says(asset, tmp_path):
    for how in ("files", "data"):
        path = asset.write(tmp_path / "x.gltf", how)
        document = json.loads(path.read_text())
        document["buffers"][0]["byteLength"] = 10**12
        document["bufferViews"][0]["byteLength"] = 10**11
        path.write_text(json.dumps(document))
        fails(path, "fewer than its views use")


def test_many_primitives_with_one_accessor_cost_little(asset, tmp_path):
    big = np.random.default_rng(0).random((300_000, 2), np.float32)
    primitive = asset.mesh(0, uv=big, indices=None)
    asset.root["meshes"][0]["primitives"] += [copy.deepcopy(primitive) for _ in range(5000)]
    tracemalloc.start()
    load_stack(asset.write(tmp_path / "x.glb"))
    assert tracemalloc.get_traced_memory()[1] < 300 << 20
    tracemalloc.stop()


def complaint(path):
    """The error that a file gives, if any."""
    try:
        load_stack(path)
    except InputError as error:
        return str(error)
    return ""


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_random_damage_is_an_input_error_or_nothing(tmp_path_factory, data):
    """Bytes of the JSON, of the headers and of the meshes; the images have tests of their own."""
    base = tmp_path_factory.getbasetemp() / "damage"
    if not base.exists():
        (base / "maps").mkdir(parents=True)
        save(base / "maps", basecolor=noise(1, 2, 3), normal=noise(4, 5, 6))
    asset = Asset()
    asset.mesh(asset.material("m", base / "maps", "views"), uv=QUARTER)
    asset.root["nodes"] = [{"children": [1]}, {"mesh": 0}]
    damaged = bytearray(asset.glb())
    json_length = struct.unpack_from("<I", damaged, 12)[0]
    places = st.one_of(st.integers(0, 20 + json_length), st.integers(len(damaged) - 60, len(damaged) - 1))
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(places)] = data.draw(st.integers(0, 255))
    path = base / "x.glb"
    path.write_bytes(damaged)
    started = time.perf_counter()
    assert "\n" not in complaint(path)
    assert time.perf_counter() - started < 20


JSON_VALUES = (
    st.none() | st.booleans() | st.integers(-5, 2**40) | st.floats() | st.text(max_size=5) | st.just([]) | st.just({})
)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_any_value_anywhere_is_an_input_error_or_nothing(tmp_path_factory, data):
    base = tmp_path_factory.getbasetemp() / "damage"
    if not base.exists():
        (base / "maps").mkdir(parents=True)
        save(base / "maps", basecolor=noise(1, 2, 3), normal=noise(4, 5, 6))
    asset = Asset()
    asset.root["samplers"] = [dict(CLAMP)]
    asset.mesh(asset.material("m", base / "maps", "views", sampler=0), uv=QUARTER)
    asset.root["nodes"] = [{"children": [1]}, {"mesh": 0}]
    places = []

    def walk(value, place):
        entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for key, inner in entries:
            places.append((*place, key))
            walk(inner, (*place, key))

    walk(asset.root, ())
    *way, last = data.draw(st.sampled_from(places))
    home = asset.root
    for key in way:
        home = home[key]
    home[last] = data.draw(JSON_VALUES)
    assert "\n" not in complaint(asset.write(base / "y.glb"))


def test_files_that_cannot_be_read(tmp_path):
    (tmp_path / "x.glb").write_bytes(b"")
    fails(tmp_path / "x.glb", "has no glTF header")
    (tmp_path / "x.gltf").write_bytes(b"\x00\x01")
    fails(tmp_path / "x.gltf", "is not JSON")
    if os.geteuid() != 0:
        (tmp_path / "x.gltf").chmod(0)
        fails(tmp_path / "x.gltf", "cannot be read")
