"""glTF as exporters and people make it: addresses, padding, one picture listed twice, moving UVs, broken materials."""

import base64
import copy
import json
import struct

import numpy as np
import pytest
from helpers.image_bytes import dds, ktx2
from helpers.made_gltf import QUARTER, Asset
from helpers.noise_maps import noise, save

from imagegs_tex.formats.errors import InputError
from imagegs_tex.formats.gltf.materials import read_gltf
from imagegs_tex.formats.images import encode_image
from imagegs_tex.formats.material.build_stack import build_stack, load_stack
from imagegs_tex.formats.material.options import AlphaUse, Coverage, SourceOptions
from imagegs_tex.formats.material.stack import expand_map
from imagegs_tex.formats.vocabulary import Semantic

NOISE = noise(1, 2, 3)
PICTURE = encode_image(NOISE, ".png")


def document_of(uri, **more):
    return {
        "asset": {"version": "2.0"}, "images": [{"uri": uri}], "textures": [{"source": 0}],
        "materials": [{"normalTexture": {"index": 0}}], **more,
    }  # fmt: skip


def only_texels(path, **options):
    stack = load_stack(path, SourceOptions(**options))
    (found,) = stack.maps
    return expand_map(stack.texels, found)


# --- addresses


@pytest.mark.parametrize(
    "uri",
    ["tex\\a_normal.png", ".\\tex\\a_normal.png", "tex%5Ca_normal.png", "tex/./a_normal.png", "tex/a%5Fnormal.png"],
)
def test_addresses_below_the_asset(tmp_path, uri):
    (tmp_path / "tex").mkdir()
    (tmp_path / "tex" / "a_normal.png").write_bytes(PICTURE)
    (tmp_path / "x.gltf").write_text(json.dumps(document_of(uri)))
    assert np.array_equal(only_texels(tmp_path / "x.gltf"), NOISE)


@pytest.mark.parametrize("before", [b"", b"\xef\xbb\xbf", b"\r\n\t ", b"\xef\xbb\xbf\n"], ids=repr)
@pytest.mark.parametrize("name", ["x.gltf", "x.glb"])
def test_text_is_read_whatever_the_file_is_called(tmp_path, name, before):
    (tmp_path / "a_normal.png").write_bytes(PICTURE)
    (tmp_path / name).write_bytes(before + json.dumps(document_of("a_normal.png")).encode())
    assert np.array_equal(only_texels(tmp_path / name), NOISE)


@pytest.mark.parametrize(
    ("uri", "name"),
    [
        ("caf%E9 no%201.png", "caf\xe9 no 1.png"),  # escaped from Windows' Western code page
        (" tex\\a_normal.png ", "tex/a_normal.png"),
        ("%20tex/a_normal.png", "tex/a_normal.png"),
        ("%E7%9F%B3.png", "\u77f3.png"),
    ],
)
def test_addresses_in_other_code_pages_and_with_spaces_around(tmp_path, uri, name):
    (tmp_path / "tex").mkdir()
    (tmp_path / name).write_bytes(PICTURE)
    (tmp_path / "x.gltf").write_text(json.dumps(document_of(uri)))
    assert np.array_equal(only_texels(tmp_path / "x.gltf"), NOISE)


def test_members_that_are_null_are_not_there(tmp_path):
    document = document_of(DATA_URIS["no type"])
    document["images"][0] |= {"bufferView": None, "name": None}
    document["textures"][0] |= {"sampler": 0, "extensions": None}
    document["samplers"] = [{"wrapS": None, "wrapT": 33071}]
    document["materials"][0] |= {"name": None, "pbrMetallicRoughness": None, "emissiveTexture": None, "extras": None}
    document["materials"][0]["normalTexture"] |= {"texCoord": None, "extensions": {"KHR_texture_transform": None}}
    document |= {"buffers": None, "nodes": None, "meshes": None, "animations": None, "extensions": None}
    (tmp_path / "x.gltf").write_text(json.dumps(document))
    assert np.array_equal(only_texels(tmp_path / "x.gltf"), NOISE)
    assert load_stack(tmp_path / "x.gltf").wrap == (True, False)


ABOVE = ["../tex/a.png", "..\\tex\\a.png", "sub/../../tex/a.png", "link/a.png"]


@pytest.mark.parametrize("uri", ABOVE)
def test_textures_above_the_folder_take_permission(tmp_path, uri):
    (tmp_path / "home" / "sub").mkdir(parents=True)
    (tmp_path / "tex").mkdir()
    (tmp_path / "tex" / "a.png").write_bytes(PICTURE)
    (tmp_path / "home" / "link").symlink_to(tmp_path / "tex")
    path = tmp_path / "home" / "x.gltf"
    path.write_text(json.dumps(document_of(uri)))
    with pytest.raises(InputError, match=r"leads outside the folder; .*--allow-root"):
        load_stack(path)
    (tmp_path / "other").mkdir()
    with pytest.raises(InputError, match="outside"):
        load_stack(path, SourceOptions(allow_roots=(tmp_path / "other",)))
    assert np.array_equal(only_texels(path, allow_roots=(tmp_path / "other", tmp_path / "tex")), NOISE)


@pytest.mark.parametrize("uri", ["../../etc/passwd", "/etc/passwd", "..\\..\\secret.png"])
def test_permission_for_one_folder_is_none_for_others(tmp_path, uri):
    (tmp_path / "secret.png").write_bytes(PICTURE)
    (tmp_path / "a" / "home").mkdir(parents=True)
    (tmp_path / "a" / "tex").mkdir()
    path = tmp_path / "a" / "home" / "x.gltf"
    path.write_text(json.dumps(document_of(uri)))
    with pytest.raises(InputError, match=r"leads outside|is an absolute path"):
        load_stack(path, SourceOptions(allow_roots=(tmp_path / "a" / "tex",)))


PAYLOAD = base64.b64encode(PICTURE).decode()
DATA_URIS = {
    "capitals": f"DATA:image/png;BASE64,{PAYLOAD}",
    "mixed": f"Data:Image/PNG;Base64,{PAYLOAD}",
    "no type": f"data:;base64,{PAYLOAD}",
    "parameters": f"data:application/octet-stream;charset=utf-8;base64,{PAYLOAD}",
    "lines": "data:image/png;base64," + "\r\n".join(PAYLOAD[at : at + 76] for at in range(0, len(PAYLOAD), 76)),
    "spaces": f"data:image/png;base64, {PAYLOAD[:40]} {PAYLOAD[40:]}\n",
    "no padding": "data:image/png;base64,"
    + base64.b64encode(PICTURE + bytes(1 + -len(PICTURE) % 3)).decode().strip("="),
    "of URLs": "data:image/png;base64," + base64.urlsafe_b64encode(PICTURE).decode(),
    "escaped": "data:image/png;base64," + PAYLOAD.replace("/", "%2F").replace("+", "%2B").replace("=", "%3D"),
}


@pytest.mark.parametrize("case", DATA_URIS)
def test_data_uris_as_they_occur(tmp_path, case):
    (tmp_path / "x.gltf").write_text(json.dumps(document_of(DATA_URIS[case])))
    assert np.array_equal(only_texels(tmp_path / "x.gltf"), NOISE)


def test_lines_broken_within_the_json_itself(tmp_path):
    text = json.dumps(document_of(DATA_URIS["lines"])).replace("\\r\\n", "\r\n")
    (tmp_path / "x.gltf").write_text(text)
    assert np.array_equal(only_texels(tmp_path / "x.gltf"), NOISE)


@pytest.mark.parametrize(
    "uri",
    ["DATA:image/png;base64,{}?", "dat:image/png;base64,{}", "data:image/png;base64;{}", "image/png;base64,{}", "{}"],
)
def test_messages_never_print_a_payload(tmp_path, uri):
    (tmp_path / "x.gltf").write_text(json.dumps(document_of(uri.format("Zm9v" * 900))))
    with pytest.raises(InputError) as caught:
        load_stack(tmp_path / "x.gltf")
    assert str(caught.value).count("Zm9v") <= 20


@pytest.mark.parametrize("padding", [b"\0", b" ", b" \0\0", b"\0" * 7])
def test_glb_with_json_padded_with_zeros(tmp_path, padding):
    text = json.dumps(document_of(DATA_URIS["no type"])).encode() + padding
    chunks = struct.pack("<II", len(text), 0x4E4F534A) + text
    (tmp_path / "x.glb").write_bytes(struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks)
    assert np.array_equal(only_texels(tmp_path / "x.glb"), NOISE)


# --- the same picture twice


def twice(tmp_path, how):
    """An asset whose occlusion and metallic-roughness are the same picture, listed twice."""
    save(tmp_path, a_orm=NOISE, b_orm=NOISE, colour=noise(4, 5, 6))
    asset = Asset()
    first = asset.image(tmp_path / "a_orm.png", "files" if how == "mixed" else how)
    second = asset.image(tmp_path / ("b_orm.png" if how == "files" else "a_orm.png"), "data" if how == "mixed" else how)
    if how == "one uri":
        asset.root["images"][second]["uri"] = asset.root["images"][first]["uri"]
    if how == "one view":
        asset.root["images"][second]["bufferView"] = asset.root["images"][first]["bufferView"]
    colour = asset.image(tmp_path / "colour.png", "data")
    asset.root["materials"].append(
        {
            "pbrMetallicRoughness": {
                "baseColorTexture": asset.texture(colour),
                "metallicRoughnessTexture": asset.texture(second),
            },
            "occlusionTexture": asset.texture(first),
        }
    )
    return asset


@pytest.mark.parametrize("how", ["files", "data", "views", "mixed", "one uri", "one view"])
def test_a_picture_that_is_listed_twice_is_one_map(tmp_path, how):
    usual = {"one uri": "files", "one view": "views"}
    asset = twice(tmp_path, usual.get(how, how)) if how not in usual else twice_at_one_place(tmp_path, how)
    stack = load_stack(asset.write(tmp_path / "out" / "x.gltf"))
    assert stack.channel_count == 6
    (packed,) = (entry for entry in stack.maps if entry.name != "colour")
    assert packed.channel_semantics == (Semantic.OCCLUSION, Semantic.ROUGHNESS, Semantic.METALLIC)
    assert "are the same picture" in packed.notes
    assert np.array_equal(expand_map(stack.texels, packed), NOISE)


def twice_at_one_place(tmp_path, how):
    asset = twice(tmp_path, "files" if how == "one uri" else "views")
    key = "uri" if how == "one uri" else "bufferView"
    asset.root["images"][1][key] = asset.root["images"][0][key]
    return asset


def test_pictures_of_one_size_that_differ_stay_two(tmp_path):
    asset = twice(tmp_path, "files")
    other = bytearray(asset.files["b_orm.png"])
    pixels = NOISE.copy()
    pixels[0, 0, 0] ^= 1
    asset.files["b_orm.png"] = encode_image(pixels, ".png")
    stack = load_stack(asset.write(tmp_path / "out" / "x.gltf"))
    assert len(stack.maps) == 3
    assert stack.channel_count == 7  # of the two only the channel that differs is coded twice
    assert other != asset.files["b_orm.png"]


def test_materials_whose_pictures_are_listed_apart_share_a_file(tmp_path):
    asset = twice(tmp_path, "views")
    other = copy.deepcopy(asset.root["materials"][0])
    other["occlusionTexture"]["index"], other["pbrMetallicRoughness"]["metallicRoughnessTexture"]["index"] = 1, 2
    asset.root["materials"].append(other)
    assert [entry.source for entry in read_gltf(asset.write(tmp_path / "x.glb")).listed] == [0, 0]


# --- moving UVs


def moving(tmp_path):
    """An asset that shows a small part of its map."""
    save(tmp_path, basecolor=noise(1, 2, 3, size=(64, 64)))
    asset = Asset()
    index = asset.material("m", tmp_path, "views")
    primitive = asset.mesh(index, uv=QUARTER / 2)
    return asset, asset.root["materials"][index], primitive, tmp_path / "x.glb"


POINTER = "/materials/0/pbrMetallicRoughness/baseColorTexture/extensions/KHR_texture_transform/offset"
BINDS = [{"material": 0, "offset": [0.5, 0]}]


def animated(pointer):
    target = {"path": "pointer", "extensions": {"KHR_animation_pointer": {"pointer": pointer}}}
    return {"animations": [{"channels": [{"target": target}]}]}


def extended(name, value):
    return {"extensions": {name: value}}


TARGETS = {
    "pointer": animated(POINTER),
    "property": {"animations": [extended("EXT_property_animation", {"channels": [{"target": POINTER}]})]},
    "graph": extended("KHR_interactivity", {"graphs": [{"nodes": [{"value": [POINTER]}]}]}),
    "template": extended("KHR_interactivity", {"graphs": [{"nodes": [{"pointer": POINTER.replace("/0/", "/{i}/")}]}]}),
    "binds": extended("VRMC_vrm", {"expressions": {"preset": {"happy": {"textureTransformBinds": BINDS}}}}),
    "vrm 0": extended("VRM", {"materialProperties": [{"floatProperties": {"_UvAnimScrollX": 0.5}}]}),
}


@pytest.mark.parametrize("case", TARGETS)
def test_all_texels_count_where_something_moves_the_texture(tmp_path, case):
    asset, _, _, path = moving(tmp_path)
    assert load_stack(asset.write(path)).weights is not None
    asset.root |= copy.deepcopy(TARGETS[case])
    assert load_stack(asset.write(path)).weights is None


def test_toon_materials_that_scroll_and_morphed_coordinates(tmp_path):
    asset, material, primitive, path = moving(tmp_path)
    material["extensions"] = {"VRMC_materials_mtoon": {"uvAnimationScrollXSpeedFactor": 0}}
    assert load_stack(asset.write(path)).weights is not None
    material["extensions"]["VRMC_materials_mtoon"]["uvAnimationScrollXSpeedFactor"] = 0.1
    assert load_stack(asset.write(path)).weights is None
    del material["extensions"]
    primitive["targets"] = [{"POSITION": 0}]
    assert load_stack(asset.write(path)).weights is not None
    primitive["targets"] = [{"TEXCOORD_0": 0}]
    assert load_stack(asset.write(path)).weights is None


MATERIALS = {
    "panner": {"extras": {"panner": [0, 0.2]}},
    "speed": {"extras": {"uv_speed": 0.2}},
    "axis": {"extras": {"scrollY": -1}},
    "text": {"extras": {"UVScroll": "0.5 0"}},
    "flipbook": {"extras": {"flipbook": {"columns": 4}}},
    "animated": {"extras": {"animatedTexture": True}},
    "own shader": {"extensions": {"NEEDLE_techniques_webgl": {"technique": 0}}},
}
STILL = {
    "panner": {"extras": {"panner": [0, 0]}},
    "speed": {"extras": {"speed": 2, "uv_channel": 1}},
    "axis": {"extras": {"scroll": 1, "scrollbar": 3}},
    "text": {"extras": {"UVScroll": "0 0.0"}},
    "flipbook": {"extras": {"book": {"columns": 4}}},
    "animated": {"extras": {"animatedTexture": False}},
    "own shader": {"extensions": {"KHR_materials_unlit": {}}},
}


@pytest.mark.parametrize("case", MATERIALS)
def test_what_materials_and_meshes_say_of_motion(tmp_path, case):
    asset, material, _, path = moving(tmp_path)
    material |= STILL[case]
    assert load_stack(asset.write(path)).weights is not None
    material |= MATERIALS[case]
    assert load_stack(asset.write(path)).weights is None
    del material["extras" if "extras" in MATERIALS[case] else "extensions"]
    asset.root["meshes"][0] |= MATERIALS[case]
    assert load_stack(asset.write(path)).weights is None


COMPRESSED = {
    "KHR_meshopt_compression": "view",
    "EXT_meshopt_compression": "view",
    "MESHOPT_compression": "view",
    "KHR_draco_mesh_compression": "primitive",
    "VENDOR_mesh_compression": "primitive",
}


@pytest.mark.parametrize("case", COMPRESSED)
def test_of_compressed_coordinates_all_texels_count(tmp_path, case):
    asset, _, primitive, path = moving(tmp_path)
    accessor = asset.root["accessors"][primitive["attributes"]["TEXCOORD_0"]]
    holder = asset.root["bufferViews"][accessor["bufferView"]] if COMPRESSED[case] == "view" else primitive
    holder["extensions"] = {case: {"buffer": 0, "byteLength": 4, "byteStride": 8, "count": 4}}
    assert load_stack(asset.write(path)).weights is None


@pytest.mark.parametrize(
    "pointer",
    [
        "/nodes/0/translation",
        "/materials/0/emissiveFactor",
        "/materials/1/normalTexture/extensions/KHR_texture_transform/scale",
    ],
)
def test_other_animations_change_nothing(tmp_path, pointer):
    asset, _, _, path = moving(tmp_path)
    asset.root |= animated(pointer)
    assert load_stack(asset.write(path)).weights is not None


def test_coverage_off(tmp_path):
    asset, _, _, path = moving(tmp_path)
    stack = load_stack(asset.write(path), SourceOptions(coverage=Coverage.OFF))
    assert stack.weights is None
    assert stack.wrap == load_stack(path).wrap


# --- images of other formats


def gpu_image(kind):
    """A picture [8, 8, 3 or 4] that a texture of GPUs holds without loss, and that texture."""
    texels = noise(1, 2, 3, 4, size=(8, 8))
    pixels = texels.tobytes()
    if kind == "dds":
        return texels, dds(pixels, 8, 8, flags=4, code=b"DX10", dx10=(28, 3, 0, 1, 0))
    return texels, ktx2(pixels, 37, 8, 8)


@pytest.mark.parametrize("kind", ["dds", "ktx2"])
@pytest.mark.parametrize("place", ["file", "data", "view"])
@pytest.mark.parametrize("slot", ["source", "extension"])
def test_textures_of_gpus_are_read(tmp_path, kind, place, slot):
    texels, data = gpu_image(kind)
    asset = Asset()
    entry = {"name": "gpu"}
    if place == "file":
        asset.files[f"a.{kind}"] = data
        entry["uri"] = f"a.{kind}"
    elif place == "data":
        entry["uri"] = "data:image/x;base64," + base64.b64encode(data).decode()
    else:
        entry["bufferView"] = asset.view(data)
    asset.root["images"].append(entry)
    extension = {"dds": "MSFT_texture_dds", "ktx2": "KHR_texture_basisu"}[kind]
    asset.root["textures"].append({"source": 0} if slot == "source" else {"extensions": {extension: {"source": 0}}})
    asset.root["materials"].append({"pbrMetallicRoughness": {"baseColorTexture": {"index": 0}}})
    assert np.array_equal(only_texels(asset.write(tmp_path / "x.gltf"), alpha=AlphaUse.DATA), texels)


def test_a_plain_image_comes_before_one_of_a_gpu(tmp_path, maps):
    asset = Asset()
    asset.material("m", maps, "views")
    asset.root["textures"][0]["extensions"] = {"KHR_texture_basisu": {"source": 99}}
    assert len(load_stack(asset.write(tmp_path / "x.glb")).maps) == 3


# --- broken materials


def break_image(asset, name):
    asset.root["images"][-1] = {"uri": name}


BREAKS = {
    "missing": (lambda asset: break_image(asset, "gone.png"), "gone.png does not exist"),
    "no source": (lambda asset: asset.root["textures"].__setitem__(-1, {}), "has no image"),
    "ktx 1": (
        lambda asset: break_image(asset, "data:image/ktx;base64,q0tUWCAxMbsNChoK"),
        "is a KTX 1 texture, which cannot be read",
    ),
    "no texture": (lambda asset: asset.root["textures"].pop(), "there is no textures"),
    "outside": (lambda asset: break_image(asset, "../x.png"), "leads outside the folder"),
    "name": (lambda asset: asset.root["materials"][-1].update(name=7), "must be a string"),
    "no image": (lambda asset: break_image(asset, "data:image/png;base64,AAAA"), "is no image that is known"),
    "drawing": (lambda asset: break_image(asset, "data:image/svg+xml;utf8,<svg/>"), "is an SVG drawing"),
    "view": (lambda asset: asset.root["bufferViews"][-1].update(byteLength=10**8), "reaches beyond its buffer"),
    "sampler": (lambda asset: asset.root["textures"][-1].update(sampler=7), "there is no samplers[7]"),
    "text": (lambda asset: asset.root["textures"][-1].update(source="1"), "must be a whole number, not a string"),
}


@pytest.mark.parametrize("case", BREAKS)
def test_a_broken_material_is_listed_with_its_reason_and_the_rest_is_there(tmp_path, maps, case):
    asset = Asset()
    (tmp_path / "single").mkdir()
    save(tmp_path / "single", basecolor=noise(7, 8, 9))
    asset.material("good", maps, "views")
    asset.material("bad", tmp_path / "single", "views")
    change, reason = BREAKS[case]
    change(asset)
    read = read_gltf(asset.write(tmp_path / "x.glb"))
    good, bad = read.listed
    assert (good.name, good.source, good.stem, good.problem) == ("good", 0, "good", "")
    assert (bad.source, bad.stem) == (None, "material_1" if case == "name" else "bad")
    assert reason in bad.problem
    assert "\n" not in bad.problem
    assert len(build_stack(read.materials[0]).maps) == 3
    assert len(load_stack(tmp_path / "x.glb", material="good").maps) == 3
    with pytest.raises(InputError, match="has 2 materials"):
        load_stack(tmp_path / "x.glb")
    with pytest.raises(InputError) as caught:
        load_stack(tmp_path / "x.glb", material=bad.stem)
    assert reason in str(caught.value)


def test_a_stray_image_that_cannot_be_had_is_said(tmp_path, maps):
    asset = Asset()
    asset.material("m", maps, "views")
    asset.root["images"].append({"uri": "rock_height.png"})
    read = read_gltf(asset.write(tmp_path / "x.glb"))
    assert len(read.materials[0].maps) == 3
    assert "rock_height.png does not exist" in read.left_out[0]
