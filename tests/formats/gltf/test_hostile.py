"""Hostile and damaged glTF files: one clear line for each."""

import copy
import json
import os
import struct
import time
import tracemalloc

import numpy as np
import pytest
from helpers.made_gltf import CLAMP, QUARTER, Asset
from helpers.noise_maps import noise, save
from hypothesis import given, settings
from hypothesis import strategies as st

from imagegs_tex.formats.errors import InputError
from imagegs_tex.formats.material.build_stack import load_stack


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
    "..%5coutside.png": "leads outside the folder",
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
    "x.ktx2": "is no KTX 2 image",
    "data:image/png;base64": "is a data URI without data",
    "data:image/png;base64,AA%A": "not base64",
    "data:image/png;base64,????": "not base64",
    "data:image/png,abc": "is no image that is known",
    "data:image/png;base64,": "is no image that is known",
    "data:image/ktx2;base64,q0tUWCAyMLsNChoK": "KTX 2",
    "data:image/ktx;base64,q0tUWCAxMbsNChoK": "is a KTX 1 texture, which cannot be read",
    "data:image/png;base64,iVBORw0KGgo=": "has a damaged PNG header",
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
    "basisu of nothing": (("textures", 0), {"extensions": {"KHR_texture_basisu": {}}}, "has no image"),
    "basisu index": (
        ("textures", 0),
        {"extensions": {"KHR_texture_basisu": {"source": 99}}},
        r"there is no images\[99\]",
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


def to_be_damaged(tmp_path_factory, sampler=None):
    """A folder that all examples share, and an asset with a mesh and two nodes."""
    base = tmp_path_factory.getbasetemp() / "damage"
    if not base.exists():
        (base / "maps").mkdir(parents=True)
        save(base / "maps", basecolor=noise(1, 2, 3), normal=noise(4, 5, 6))
    asset = Asset()
    asset.mesh(asset.material("m", base / "maps", "views", sampler=sampler), uv=QUARTER)
    asset.root["nodes"] = [{"children": [1]}, {"mesh": 0}]
    return base, asset


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_random_damage_is_an_input_error_or_nothing(tmp_path_factory, data):
    """Bytes of the JSON, of the headers and of the meshes; the images have tests of their own."""
    base, asset = to_be_damaged(tmp_path_factory)
    damaged = bytearray(asset.glb())
    json_length = struct.unpack_from("<I", damaged, 12)[0]
    places = st.one_of(st.integers(0, 20 + json_length), st.integers(len(damaged) - 60, len(damaged) - 1))
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(places)] = data.draw(st.integers(0, 255))
    path = base / "x.glb"
    path.write_bytes(damaged)
    started = time.process_time()
    assert "\n" not in complaint(path)
    assert time.process_time() - started < 20


JSON_VALUES = (
    st.none() | st.booleans() | st.integers(-5, 2**40) | st.floats() | st.text(max_size=5) | st.just([]) | st.just({})
)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_any_value_anywhere_is_an_input_error_or_nothing(tmp_path_factory, data):
    base, asset = to_be_damaged(tmp_path_factory, sampler=0)
    asset.root["samplers"] = [dict(CLAMP)]
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
