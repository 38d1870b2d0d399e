"""Maps of several sizes in one material: what they become, what is said of it, and what is refused."""

import json

import numpy as np
import pytest
from helpers.made_gltf import Asset

from imagegs_tex.formats.errors import InputError
from imagegs_tex.formats.gltf.materials import read_gltf
from imagegs_tex.formats.images import write_image
from imagegs_tex.formats.material.build_stack import build_stack, load_stack
from imagegs_tex.formats.material.common_size import check_sizes
from imagegs_tex.formats.material.options import SourceOptions
from imagegs_tex.formats.material.resample import resampled
from imagegs_tex.formats.material.stack import source_map

CLAMP, REPEAT = (False, False), (True, True)


def noise(width, height, channels=3, seed=0, dtype=np.uint8):
    shape = (height, width, channels)
    return np.random.default_rng(seed).integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)


def save(folder, **maps):
    folder.mkdir(exist_ok=True)
    for name, texels in maps.items():
        write_image(folder / f"{name}.png", texels)
    return folder


@pytest.fixture
def mixed(tmp_path):
    """Base colour at 32 x 16, packed roughness at half of that, a flat emission of 4 x 4."""
    return save(
        tmp_path / "mixed", basecolor=noise(32, 16), occlusion_roughness_metallic=noise(16, 8, seed=1),
        emissive=np.full((4, 4, 3), 7, np.uint8),
    )  # fmt: skip


def by_name(stack):
    return {texture_map.name: source_map(stack, index) for index, texture_map in enumerate(stack.maps)}


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_half_the_size_is_the_mean_of_four(dtype):
    texels = noise(12, 8, dtype=dtype)
    means = texels.reshape(4, 2, 6, 2, 3).mean(axis=(1, 3))
    found = resampled(texels, (6, 4), CLAMP)
    assert found.dtype == dtype
    assert np.abs(found - means).max() <= 0.5


def test_twice_the_size_lies_linearly_between_centres():
    line = np.array([[0, 40, 80, 200]], np.uint8)[..., None]
    assert resampled(line, (8, 1), CLAMP)[0, :, 0].tolist() == [0, 10, 30, 50, 70, 110, 170, 200]
    assert resampled(line, (8, 1), REPEAT)[0, :, 0].tolist() == [50, 10, 30, 50, 70, 110, 170, 150]


@pytest.mark.parametrize("size", [(1, 1), (7, 3), (30, 2), (5, 40)])
def test_one_value_stays_that_value(size):
    texels = np.full((5, 9, 2), 0.1, np.float16)
    texels[..., 1] = 3e4
    found = resampled(texels, size, REPEAT)
    assert found.shape == (size[1], size[0], 2)
    assert np.array_equal(found, np.broadcast_to(texels[:1, :1], found.shape))


def test_enlarging_and_shrinking_again_keeps_the_mean_of_a_picture_that_repeats():
    texels = noise(9, 6, dtype=np.uint16)
    larger = resampled(texels, (27, 12), REPEAT)
    assert np.abs(larger.mean(axis=(0, 1)) - texels.mean(axis=(0, 1))).max() < 1


def test_all_become_as_large_as_the_largest(mixed):
    stack = load_stack(mixed)
    maps = by_name(stack)
    assert (stack.width, stack.height) == (32, 16)
    assert np.array_equal(maps["basecolor"], noise(32, 16))
    packed = noise(16, 8, seed=1)
    assert np.array_equal(maps["occlusion_roughness_metallic"], resampled(packed, (32, 16), CLAMP))
    notes = {texture_map.name: texture_map.notes for texture_map in stack.maps}
    assert notes["occlusion_roughness_metallic"].endswith("resampled from 16 x 8 to 32 x 16")
    assert "resampled" not in notes["basecolor"]


def test_an_enlarged_map_goes_on_across_the_border_where_the_material_repeats(mixed):
    found = by_name(load_stack(mixed, SourceOptions(wrap=REPEAT)))["occlusion_roughness_metallic"]
    assert np.array_equal(found, resampled(noise(16, 8, seed=1), (32, 16), REPEAT))


def test_a_size_that_was_asked_for(mixed):
    stack = load_stack(mixed, SourceOptions(size=(16, 8)))
    assert np.array_equal(by_name(stack)["occlusion_roughness_metallic"], noise(16, 8, seed=1))
    assert np.array_equal(by_name(stack)["basecolor"], resampled(noise(32, 16), (16, 8), CLAMP))


def test_a_manifest_says_the_size_and_a_user_overrides_it(mixed):
    textures = [{"fileName": path.name} for path in sorted(mixed.iterdir())]
    file = mixed / "m.json"
    file.write_text(json.dumps({"textures": textures, "size": [8, 4]}), encoding="utf-8")
    assert load_stack(file).texels.shape[:2] == (4, 8)
    assert load_stack(file, SourceOptions(size=(10, 5))).texels.shape[:2] == (5, 10)


@pytest.mark.parametrize("size", [[8], [0, 4], [8, 20000], "8x4", [8.5, 4]])
def test_a_size_that_is_none(mixed, size):
    file = mixed / "m.json"
    file.write_text(json.dumps({"textures": [{"fileName": "basecolor.png"}], "size": size}), encoding="utf-8")
    with pytest.raises(InputError, match="size") as caught:
        load_stack(file)
    assert "\n" not in str(caught.value)


def test_other_proportions_are_refused_unless_a_size_is_asked_for(tmp_path):
    folder = save(tmp_path / "x", basecolor=noise(32, 16), normal=noise(16, 16))
    with pytest.raises(InputError, match=r"normal\.png is 16 x 16 but basecolor\.png is 32 x 16.*--size"):
        load_stack(folder)
    assert load_stack(folder, SourceOptions(size=(32, 16))).texels.shape[:2] == (16, 32)


def test_of_one_map_at_two_sizes_the_finer_gives_the_size(tmp_path):
    stack = load_stack(save(tmp_path / "x", rock_2k_albedo=noise(32, 32), rock_1k_albedo=noise(16, 16, seed=1)))
    assert np.array_equal(by_name(stack)["rock_2k_albedo"], noise(32, 32))
    assert [remark.partition(" is ")[0] for remark in stack.remarks] == ["rock_1k_albedo.png"]


def test_a_mask_may_have_the_size_of_any_map(mixed, tmp_path):
    mask = np.zeros((8, 16), np.uint8)
    mask[:, 8:] = 255
    write_image(tmp_path / "mask.png", mask)
    weights = load_stack(mixed, SourceOptions(importance=tmp_path / "mask.png")).weights
    assert weights.shape == (16, 32)
    assert weights[:, :15].max() == 0
    assert weights[:, 17:].min() == 1
    write_image(tmp_path / "mask.png", mask[:5])
    with pytest.raises(InputError, match="is 16 x 5 texels and the material 32 x 16"):
        load_stack(mixed, SourceOptions(importance=tmp_path / "mask.png"))


@pytest.mark.parametrize("how", ["files", "data", "views"])
def test_a_gltf_of_mixed_sizes_is_the_same_as_the_folder(mixed, tmp_path, how):
    asset = Asset()
    asset.material("m", mixed, how)
    found = load_stack(asset.write(tmp_path / "x.gltf"))  # without a mesh, samplers say that it repeats
    folder = load_stack(mixed, SourceOptions(wrap=REPEAT))
    assert np.array_equal(found.texels, folder.texels)
    assert [texture_map.name for texture_map in found.maps] == [texture_map.name for texture_map in folder.maps]


def test_a_later_material_of_other_proportions_is_refused_before_any_is_begun(mixed, tmp_path):
    asset = Asset()
    asset.material("good", mixed, "files")
    bad = save(tmp_path / "bad", basecolor=noise(64, 16), normal=noise(16, 16))
    for name in ("basecolor", "normal"):
        (bad / f"{name}.png").rename(bad / f"{name}_2.png")
    images = {name: asset.texture(asset.image(bad / f"{name}_2.png", "files")) for name in ("basecolor", "normal")}
    asset.root["materials"].append(
        {"pbrMetallicRoughness": {"baseColorTexture": images["basecolor"]}, "normalTexture": images["normal"]}
    )
    materials = read_gltf(asset.write(tmp_path / "x.gltf")).materials
    build_stack(materials[0])
    with pytest.raises(InputError, match=r"normal_2\.png is 16 x 16 but basecolor_2\.png is 64 x 16"):
        check_sizes(materials)
