"""What materials of a glTF say about their maps."""

import copy

import numpy as np
import pytest
from helpers.made_gltf import Asset, gltf_of
from helpers.noise_maps import noise, save

from imagegs_tex.formats.errors import InputError
from imagegs_tex.formats.gltf.materials import read_gltf
from imagegs_tex.formats.images import read_image, write_image
from imagegs_tex.formats.material.build_stack import build_stack, load_stack
from imagegs_tex.formats.material.stack import expand_map, source_map
from imagegs_tex.formats.vocabulary import Semantic, Transfer


def maps_of(path, material=None):
    return {texture_map.name: texture_map for texture_map in load_stack(path, material=material).maps}


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
    asset = Asset()
    given_names = ["Wood.PNG", "wood", "", "../../x", "a" * 5000]
    slots = ["baseColorTexture", "metallicRoughnessTexture"]
    images = []
    for number in range(len(given_names) + 1):
        save(tmp_path, my_file=noise(number, 2, 3))  # the same picture would be the same map
        if number < len(given_names):
            images.append(asset.image(tmp_path / "my_file.png", "views"))
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


@pytest.mark.parametrize("padding", [b"\0", b"\0\0\0", b" \0\n\0", b"\r\n\0"])
@pytest.mark.parametrize("how", ["files", "data"])
def test_zeros_behind_the_json_of_a_file_of_text(tmp_path, padding, how):
    texels = noise(1, 2, 3)
    save(tmp_path / "maps", basecolor=texels)
    path = gltf_of(tmp_path / "maps", tmp_path / "asset.gltf", how)
    path.write_bytes(path.read_bytes() + padding)
    (material,) = read_gltf(path).materials
    assert np.array_equal(source_map(build_stack(material), 0), texels)
    path.write_bytes(path.read_bytes()[: -len(padding)] + b"\0{}")
    with pytest.raises(InputError, match="is not JSON"):
        read_gltf(path)
