"""glTF files whose textures are maps of .igs files."""

import json
import struct

import numpy as np
import pytest
from helpers.made_gltf import CLAMP, Asset

from imagegs_tex.formats.errors import InputError
from imagegs_tex.formats.gltf.container import GltfFile
from imagegs_tex.formats.gltf.materials import read_gltf
from imagegs_tex.formats.gltf.write_gltf import EXTENSION, IgsOfMaterial, gltf_with_igs
from imagegs_tex.formats.images import write_image


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    rng = np.random.default_rng(1)
    home = tmp_path_factory.mktemp("maps")
    for name, stems in (("stone", ("basecolor", "normal", "metallic_roughness")), ("wood", ("basecolor_height",))):
        (home / name).mkdir()
        for stem in stems:
            write_image(home / name / f"{stem}.png", rng.integers(0, 256, (16, 16, 3), dtype=np.uint8))
    return home


def made(folders, path, how):
    asset = Asset()
    asset.root["samplers"] = [CLAMP]
    asset.mesh(asset.material("stone", folders / "stone", how, sampler=0))
    asset.mesh(asset.material("wood", folders / "wood", how))
    asset.root["extensionsUsed"] = ["EXT_texture_webp"]
    return asset.write(path, how)


def parts(data):
    """The JSON and the binary of a .glb, whose lengths are looked at."""
    assert struct.unpack_from("<4sII", data) == (b"glTF", 2, len(data))
    length, kind = struct.unpack_from("<I4s", data, 12)
    assert kind == b"JSON"
    assert length % 4 == 0
    rest = 20 + length
    size, kind = struct.unpack_from("<I4s", data, rest)
    assert kind == b"BIN\0"
    assert rest + 8 + size == len(data)
    return json.loads(data[20:rest]), data[rest + 8 :]


def view(document, binary, number):
    place = document["bufferViews"][number]
    return binary[place["byteOffset"] :][: place["byteLength"]]


@pytest.mark.parametrize(("suffix", "how"), [("glb", "views"), ("gltf", "files"), ("gltf", "data")])
def test_images_of_compressed_materials_become_maps_and_all_else_stays(folders, tmp_path, suffix, how):
    path = made(folders, tmp_path / f"asset.{suffix}", how)
    before = path.read_bytes()
    stone = read_gltf(path).materials[0]
    names = frozenset(each.name for each in stone.maps)
    data = gltf_with_igs(path, [IgsOfMaterial("igs/stone.igs", stone, names)])
    assert path.read_bytes() == before
    document, binary = parts(data)
    assert document["extensions"][EXTENSION] == {"version": 1, "files": [{"uri": "igs/stone.igs"}]}
    assert document["extensionsRequired"] == [EXTENSION]
    assert document["extensionsUsed"] == [EXTENSION]
    *textures, last = document["textures"]
    assert [texture["extensions"][EXTENSION] for texture in textures] == [
        {"file": 0, "map": name} for name in ("basecolor", "metallic_roughness", "normal")
    ]
    assert all(texture["sampler"] == 0 and "source" not in texture for texture in textures)
    assert last == {"source": 0}  # of the material that was left out
    (image,) = document["images"]
    kept = view(document, binary, image["bufferView"]) if "bufferView" in image else image["uri"]
    assert kept == (folders / "wood" / "basecolor_height.png").read_bytes() or how == "data"
    (tmp_path / "new.glb").write_bytes(data)
    old, new = GltfFile(path), GltfFile(tmp_path / "new.glb")
    for number, accessor in enumerate(document["accessors"]):
        assert accessor == old.root.need("accessors").at(number).value
        index = new.root.need("accessors").at(number).need("bufferView")
        _, length = new.view(index)
        same = old.root.need("accessors").at(number).need("bufferView")
        assert new.view_bytes(index, 0, length) == old.view_bytes(same, 0, old.view(same)[1])
    assert (
        len(data) < sum(each.stat().st_size for each in tmp_path.iterdir() if each.name != "new.glb") or how == "files"
    )
    assert document["meshes"] == json.loads(json.dumps(old.root.need("meshes").value))


def test_a_map_that_the_file_does_not_have_keeps_its_image(folders, tmp_path):
    path = made(folders, tmp_path / "asset.glb", "views")
    stone = read_gltf(path).materials[0]
    document, binary = parts(gltf_with_igs(path, [IgsOfMaterial("a.igs", stone, frozenset({"normal"}))]))
    pointed = [EXTENSION in texture.get("extensions", {}) for texture in document["textures"]]
    assert pointed == [False, False, True, False]
    wanted = [
        folders / "stone" / "basecolor.png",
        folders / "stone" / "metallic_roughness.png",
        folders / "wood" / "basecolor_height.png",
    ]
    found = [
        view(document, binary, document["images"][texture["source"]]["bufferView"])
        for texture in document["textures"]
        if "source" in texture
    ]
    assert found == [each.read_bytes() for each in wanted]
    with pytest.raises(InputError, match="has no texture that is a map"):
        gltf_with_igs(path, [IgsOfMaterial("a.igs", stone, frozenset())])


def test_compressed_buffers_are_refused(folders, tmp_path):
    asset = Asset()
    asset.mesh(asset.material("stone", folders / "stone", "views"))
    asset.root["bufferViews"][-1]["extensions"] = {"EXT_meshopt_compression": {}}
    path = asset.write(tmp_path / "asset.glb")
    stone = read_gltf(path).materials[0]
    with pytest.raises(InputError, match="EXT_meshopt_compression"):
        gltf_with_igs(path, [IgsOfMaterial("a.igs", stone, frozenset({"normal"}))])
