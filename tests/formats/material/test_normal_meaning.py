"""Normals that are not what their names say: of other spaces, and without z."""

import io
import json

import numpy as np
import pytest
from helpers.made_gltf import Asset
from helpers.noise_maps import save
from helpers.tiny_material import as_bytes, as_words, waves
from PIL import Image

from imagegs_tex.api import save_manifest
from imagegs_tex.formats.material.build_stack import load_stack
from imagegs_tex.formats.material.options import AlphaUse, NormalCoding, SourceOptions
from imagegs_tex.formats.material.stack import expand_map, source_map
from imagegs_tex.formats.vocabulary import Semantic

SIZE = 48
AS_STORED = SourceOptions(normals=NormalCoding.STORED)


def tangent(seed=0, steepness=0.7):
    """Unit vectors [H, W, 3] with z > 0."""
    sides = steepness * (2 * waves(SIZE, SIZE, 2, seed) - 1)
    return np.concatenate([sides, np.sqrt(1 - np.square(sides).sum(axis=-1, keepdims=True))], axis=-1)


def sphere():
    """Unit vectors in all directions, on black."""
    y, x = (np.mgrid[:SIZE, :SIZE] + 0.5) / SIZE * [[[np.pi]], [[2 * np.pi]]]
    return np.stack([np.sin(y) * np.cos(x), np.sin(y) * np.sin(x), np.cos(y)], axis=-1)


def bytes_of(vectors):
    return as_bytes((vectors + 1) / 2)


def only_map(folder, options=AS_STORED):
    stack = load_stack(folder, options)
    (found,) = stack.maps
    return found, source_map(stack, 0)


BACKGROUNDS = {"none": None, "black": (0, 0, 0), "grey": (128, 128, 128), "white": (255, 255, 255)}


@pytest.mark.parametrize("background", BACKGROUNDS)
@pytest.mark.parametrize("bits", [8, 16])
def test_normals_whose_z_is_below_0_are_data_with_three_components(tmp_path, background, bits):
    texels = bytes_of(sphere())
    if background != "none":
        texels[:, : SIZE // 3] = BACKGROUNDS[background]
    if bits == 16:
        texels = texels.astype(np.uint16) * 257
    save(tmp_path, rock_normal=texels)
    found, source = only_map(tmp_path)
    assert found.channel_semantics == (Semantic.DATA,) * 3
    assert "of the texels: object or world space, so plain data with all three components" in found.notes
    assert np.array_equal(source, texels)


def test_components_as_floats(tmp_path):
    save(tmp_path, rock_normal=sphere().astype(np.float32))
    assert only_map(tmp_path)[0].semantic == Semantic.DATA
    save(tmp_path, rock_normal=tangent().astype(np.float32))
    assert only_map(tmp_path)[0].semantic == Semantic.NORMAL


@pytest.mark.parametrize(
    "texels",
    [bytes_of(tangent()), bytes_of(tangent(steepness=0.05)), as_bytes(waves(SIZE, SIZE, 3)), as_words(waves(9, 9, 3))],
    ids=["steep", "flat", "no normals", "16 bits"],
)
def test_other_maps_stay_normals_as_they_are(tmp_path, texels):
    save(tmp_path, rock_normal=texels)
    found, source = only_map(tmp_path)
    assert found.channel_semantics == (Semantic.NORMAL,) * 3
    assert np.array_equal(source, texels)


def test_some_noise_below_0_is_no_other_space(tmp_path):
    vectors = tangent()
    vectors[:2, :10, 2] *= -1  # 0.9 % of the texels
    save(tmp_path, rock_normal=bytes_of(vectors))
    assert only_map(tmp_path)[0].semantic == Semantic.NORMAL


@pytest.mark.parametrize("blue", [0, 128, 255])
@pytest.mark.parametrize("bits", [8, 16])
def test_z_is_made_of_x_and_y_where_blue_is_constant(tmp_path, blue, bits):
    whole = bytes_of(tangent()) if bits == 8 else as_words((tangent() + 1) / 2)
    largest = 2**bits - 1
    texels = whole.copy()
    texels[..., 2] = round(blue * largest / 255)
    save(tmp_path, rock_normal=texels)
    found, source = only_map(tmp_path)
    assert found.semantic == Semantic.NORMAL
    assert f"z is made of x and y: B is {texels[0, 0, 2] / largest:.4g} everywhere" in found.notes
    assert np.array_equal(source[..., :2], texels[..., :2])
    assert np.abs(source[..., 2].astype(int) - whole[..., 2]).max() <= 0.02 * largest  # z of rounded x and y
    lengths = np.linalg.norm(source.astype(np.float64) / largest * 2 - 1, axis=-1)
    assert np.abs(lengths - 1).max() < 0.01


def test_z_that_was_made_up_is_unit_z_and_decodes_so(tmp_path):
    texels = bytes_of(tangent())
    texels[..., 2] = 0
    save(tmp_path, rock_normal=texels)
    stack = load_stack(tmp_path)
    assert stack.channel_count == 2
    assert expand_map(stack.texels, stack.maps[0])[..., 2].min() > 128


def test_a_packed_normal_without_z(tmp_path):
    texels = np.concatenate([bytes_of(tangent()), as_bytes(waves(SIZE, SIZE, 1, 3))], axis=-1)
    texels[..., 2] = 0
    save(tmp_path, rock_normal_roughness=texels)
    found, source = only_map(tmp_path)
    assert found.channel_semantics == (*[Semantic.NORMAL] * 3, Semantic.ROUGHNESS)
    assert source[..., 2].min() > 128
    assert np.array_equal(source[..., 3], texels[..., 3])


DXT5NM = {"unity": (255, None, 255), "black": (0, None, 0), "grey": (None, None, None), "mixed": (255, None, None)}


def packed_for_dxt5(vectors, case, bits=8):
    """Red, green, blue, alpha: x in alpha, y in green, and in red and blue a constant or y again."""
    whole = as_bytes((vectors + 1) / 2) if bits == 8 else as_words((vectors + 1) / 2)
    x, y = whole[..., 0], whole[..., 1]
    scale = 1 if bits == 8 else 257
    planes = [y if value is None else np.full_like(y, value * scale) for value in DXT5NM[case]]
    return whole, np.stack([*planes, x], axis=-1)


@pytest.mark.parametrize("case", DXT5NM)
@pytest.mark.parametrize("bits", [8, 16])
def test_dxt5nm_is_unpacked(tmp_path, case, bits):
    whole, texels = packed_for_dxt5(tangent(), case, bits)
    save(tmp_path, rock_normal=texels)
    found, source = only_map(tmp_path)
    assert found.channel_semantics == (Semantic.NORMAL,) * 3
    assert found.notes.split("; ")[1] == "DXT5nm: x is alpha, y is green, z is made of them"
    assert np.array_equal(source[..., :2], whole[..., :2])
    assert np.abs(source[..., 2].astype(int) - whole[..., 2]).max() <= 0.02 * (2**bits - 1)


def test_a_manifest_says_what_it_says_of_dxt5nm(tmp_path):
    whole, texels = packed_for_dxt5(tangent(), "unity")
    save(tmp_path, rock=texels)
    entry = {"fileName": "rock.png", "semantics": {"normal": "RGB", "opacity": "A"}}
    (tmp_path / "m.json").write_text(json.dumps({"textures": [entry]}))
    found, source = only_map(tmp_path / "m.json")
    assert 'looks like DXT5nm, x in alpha and y in green: a manifest with "channelSwizzle": "AGB"' in found.notes
    assert np.array_equal(source, texels)
    entry = {"fileName": "rock.png", "channelSwizzle": "AGB", "semantics": {"normal": "RGB"}}
    (tmp_path / "m.json").write_text(json.dumps({"textures": [entry]}))
    found, source = only_map(tmp_path / "m.json")
    assert np.abs(source.astype(int) - whole).max() <= 5


@pytest.mark.parametrize("what", ["a height in alpha", "an opaque alpha", "no unit vectors in alpha and green"])
def test_other_maps_of_four_channels_are_not_unpacked(tmp_path, what):
    whole = bytes_of(tangent())
    alpha = as_bytes(waves(SIZE, SIZE, 1, 3))
    texels = np.concatenate([whole, np.full_like(alpha, 255) if what == "an opaque alpha" else alpha], axis=-1)
    if what == "no unit vectors in alpha and green":
        noise = np.random.default_rng(0).choice([0, 255], (SIZE, SIZE)).astype(np.uint8)
        texels = np.stack([np.full_like(noise, 255), noise, np.full_like(noise, 255), noise[::-1]], axis=-1)
    save(tmp_path, rock_normal=texels)
    found, source = only_map(tmp_path, SourceOptions(normals=NormalCoding.STORED, alpha=AlphaUse.DATA))
    assert "DXT5nm" not in found.notes
    assert np.array_equal(source[..., [0, 1, 3]], texels[..., [0, 1, 3]])


def test_nearly_flat_normals_keep_the_blue_of_1_that_they_have(tmp_path):
    texels = bytes_of(tangent(steepness=0.05))
    texels[..., 2] = 255
    save(tmp_path, rock_normal=texels)
    assert np.array_equal(only_map(tmp_path)[1], texels)


def test_what_cannot_be_x_and_y_gets_no_z(tmp_path):
    texels = np.random.default_rng(0).integers(0, 2, (SIZE, SIZE, 3), np.uint8) * 255
    texels[..., 2] = 0
    save(tmp_path, rock_normal=texels)
    assert np.array_equal(only_map(tmp_path)[1], texels)


def stated(folder, texels, how):
    """The same picture as a normal of a glTF, or of a manifest."""
    folder.mkdir()
    save(folder, x=texels)
    if how == "manifest":
        path = folder / "m.json"
        path.write_text(json.dumps({"textures": [{"fileName": "x.png", "semantics": "normal"}]}))
        return path
    asset = Asset()
    asset.root["materials"].append({"normalTexture": asset.texture(asset.image(folder / "x.png", "views"))})
    return asset.write(folder / "x.glb")


@pytest.mark.parametrize(("how", "meaning"), [("glTF", Semantic.DATA), ("manifest", Semantic.NORMAL)])
def test_texels_count_for_more_than_a_gltf_and_for_less_than_a_manifest(tmp_path, how, meaning):
    found, source = only_map(stated(tmp_path / "m", bytes_of(sphere()), how))
    assert found.channel_semantics == (meaning,) * 3
    assert "z is below 0 in 4" in found.notes or "z is below 0 in 5" in found.notes
    assert np.array_equal(source, bytes_of(sphere()))


@pytest.mark.parametrize("how", ["glTF", "manifest"])
def test_z_is_made_whoever_says_that_it_is_a_normal(tmp_path, how):
    texels = bytes_of(tangent())
    texels[..., 2] = 0
    found, source = only_map(stated(tmp_path / "m", texels, how))
    assert "z is made of x and y: B is 0 everywhere" in found.notes
    assert source[..., 2].min() > 128


def test_a_saved_manifest_gives_the_same_normals(tmp_path):
    texels = bytes_of(tangent())
    texels[..., 2] = 0
    save(tmp_path, a_normal=texels, b_normal_world=bytes_of(sphere()), c_normal=bytes_of(sphere()))
    plain = load_stack(tmp_path)
    save_manifest(tmp_path, tmp_path / "m.json")
    again = load_stack(tmp_path / "m.json")
    assert [entry.channel_semantics for entry in again.maps] == [entry.channel_semantics for entry in plain.maps]
    assert np.array_equal(again.texels, plain.texels)


@pytest.mark.parametrize(
    "options", [{"quality": 95, "subsampling": 0}, {"quality": 75}, {"quality": 90, "progressive": True}]
)
def test_z_is_made_where_a_jpeg_left_blue_nearly_0(tmp_path, options):
    vectors = tangent(3, steepness=0.5)
    texels = bytes_of(vectors)
    texels[..., 2] = 0
    data = io.BytesIO()
    Image.fromarray(texels).save(data, "JPEG", **options)
    (tmp_path / "rock_normal.jpg").write_bytes(data.getvalue())
    found, source = only_map(tmp_path)
    assert found.semantic == Semantic.NORMAL
    assert "z is made of x and y: B is 0 or nearly so everywhere" in found.notes
    assert np.abs(source[..., 2] / 127.5 - 1 - vectors[..., 2]).max() < 0.2  # of x and y that the JPEG has changed
    stored = np.asarray(Image.open(io.BytesIO(data.getvalue())))
    assert np.array_equal(source[..., :2], stored[..., :2])


@pytest.mark.parametrize("blue", [128, 200, 254])
def test_blue_that_varies_a_little_where_somebody_painted_it_stays(tmp_path, blue):
    texels = bytes_of(tangent())
    texels[..., 2] = blue + np.random.default_rng(0).integers(-1, 2, texels.shape[:2])
    save(tmp_path, rock_normal=texels)
    assert np.array_equal(only_map(tmp_path)[1], texels)


@pytest.mark.parametrize(
    "name",
    [
        "ObjSpaceNrm",
        "normal_objspace",
        "ViewSpaceNormal",
        "cameraspace_normal",
        "NormalLocalSpace",
        "nrm_WldSpace",
        "OSNormal",
        "normal-object-space",
        "NormalWS_2k",
    ],
)
def test_spaces_in_further_spellings(tmp_path, name):
    texels = bytes_of(tangent())
    save(tmp_path, **{f"rock_{name}": texels})
    found, source = only_map(tmp_path)
    assert found.channel_semantics == (Semantic.DATA,) * 3
    assert np.array_equal(source, texels)


@pytest.mark.parametrize("name", ["normal_local", "normal_tangent", "NormalModel", "tangentspace_normal"])
def test_names_of_tangent_space_stay_normals(tmp_path, name):
    save(tmp_path, **{f"rock_{name}": bytes_of(tangent())})
    assert only_map(tmp_path)[0].semantic == Semantic.NORMAL
