"""How the shared test materials are read, against what their SOURCES.md says of them."""

import re

import numpy as np
import pytest
from helpers.public_materials import LAYOUTS

from imagegs_tex.formats.images import read_image
from imagegs_tex.formats.material.build_stack import load_stack
from imagegs_tex.formats.material.options import AlphaUse, NormalCoding, SourceOptions
from imagegs_tex.formats.material.stack import expand_map
from imagegs_tex.formats.vocabulary import Coded, Constant, SampleFormat, Semantic, Transfer

pytestmark = pytest.mark.materials

SEMANTICS = {
    "ao": Semantic.OCCLUSION,
    "basecolor": Semantic.BASE_COLOUR,
    "basecolor_height": Semantic.BASE_COLOUR,
    "emissive": Semantic.EMISSIVE,
    "height": Semantic.HEIGHT,
    "image": Semantic.IMAGE,
    "metallic": Semantic.METALLIC,
    "metallic_roughness": Semantic.ROUGHNESS,
    "normal": Semantic.NORMAL,
    "normal_roughness": Semantic.NORMAL,
    "occlusion_roughness_metallic": Semantic.OCCLUSION,
    "roughness": Semantic.ROUGHNESS,
}
ORM = (Semantic.OCCLUSION, Semantic.ROUGHNESS, Semantic.METALLIC)


AS_STORED = SourceOptions(normals=NormalCoding.STORED, alpha=AlphaUse.DATA)

UNIT_NORMALS = {
    "caution_panel", "fabric_pattern_07", "rosewood_veneer1", "rusty_metal_053c", "scratched_metal_055a",
}  # fmt: skip
OTHER_NORMALS = {
    "boombox", "brick_wall_017", "bricks_npot_1000", "facade_005_tiles", "flight_helmet_metal_parts", "franka_link0",
    "ground_037_packed", "mossy_rock_053", "shrub_01_cutout", "stylized_stone_floor_001",
}  # fmt: skip
COLOURS = {"basecolor", "basecolor_height", "emissive", "image"}
ROW = re.compile(r"\| `([^`]+)` \| `[^`]+` \| (\w+) \| (\d+) x (\d+) \| \w+ ?\(?(\d)?\)? \| ([\w -]+) \|")


def table_of(materials, name):
    """What SOURCES.md says of a material's files: width, height, channels, and how samples are stored."""
    text = (materials / "SOURCES.md").read_text(encoding="utf-8")
    section = text.split(f"### {name}\n", 1)[1].split("\n### ", 1)[0]
    depths = {"8-bit": SampleFormat.UINT8, "16-bit": SampleFormat.UINT16, "half float": SampleFormat.FLOAT16}
    return {
        file: (int(width), int(height), int(channels or 3), depths[depth])
        for file, _, width, height, channels, depth in ROW.findall(section)
    }


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_file_is_read_as_its_source_says(materials, name):
    table = table_of(materials, name)
    stack = load_stack(materials / name)
    assert {f"{entry.name}{entry.file_suffix}" for entry in stack.maps} == set(table)
    for texture_map in stack.maps:
        found = (stack.width, stack.height, texture_map.channel_count, texture_map.sample_format)
        assert found == table[f"{texture_map.name}{texture_map.file_suffix}"], texture_map.name
        if texture_map.sample_format.is_float:
            assert texture_map.transfer == Transfer.LOG
        else:
            assert (texture_map.transfer == Transfer.SRGB) == (texture_map.name in COLOURS), texture_map.name


def read_maps(materials, name):
    return {texture_map.name: texture_map for texture_map in load_stack(materials / name).maps}


def test_no_material_is_left_out(materials):
    assert {path.name for path in materials.iterdir() if path.is_dir()} == set(LAYOUTS)


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_map_is_understood_and_comes_back_exactly(materials, name):
    stack = load_stack(materials / name, AS_STORED)
    assert (stack.width, stack.height, stack.channel_count) == LAYOUTS[name]
    for texture_map in stack.maps:
        if (name, texture_map.name) != ("rosewood_veneer1", "occlusion_roughness_metallic"):  # see its own test
            assert texture_map.semantic == SEMANTICS[texture_map.name]
        source, sample_format = read_image(materials / name / f"{texture_map.name}{texture_map.file_suffix}")
        assert texture_map.sample_format == sample_format
        assert np.array_equal(expand_map(stack.texels, texture_map), source)


@pytest.mark.parametrize("name", sorted(UNIT_NORMALS | OTHER_NORMALS))
def test_normals_are_unit_vectors_where_the_source_has_them(materials, name):
    stack = load_stack(materials / name)
    (normal,) = (texture_map for texture_map in stack.maps if texture_map.semantic == Semantic.NORMAL)
    assert bool(normal.unit_normals) == (name in UNIT_NORMALS), normal.notes
    assert stack.channel_count == LAYOUTS[name][2] - (name in UNIT_NORMALS)
    if name in UNIT_NORMALS:
        largest = normal.sample_format.max_value
        vectors = expand_map(stack.texels, normal)[..., :3].astype(np.float64) / largest * 2 - 1
        assert np.abs(np.linalg.norm(vectors, axis=-1) - 1).max() <= 1.8 / largest


@pytest.mark.parametrize(
    ("name", "is_free"), [("image_anime_character", True), ("caution_panel", False), ("ground_037_packed", False)]
)
def test_colour_under_alpha_is_freed_where_that_buys_something(materials, name, is_free):
    stack = load_stack(materials / name)
    assert any(stack.drawn_of(index) is not None for index in range(len(stack.maps))) == is_free


def test_brick_wall_greys_are_one_channel_and_height_has_16_bits(materials):
    maps = read_maps(materials, "brick_wall_017")
    for name in ("roughness", "ao"):
        assert len(maps[name].routes) == 3
        assert len(maps[name].coded_indices) == 1
    assert maps["height"].sample_format == SampleFormat.UINT16
    assert maps["basecolor"].transfer == Transfer.SRGB
    assert maps["normal"].transfer == Transfer.LINEAR


def test_caution_panel_keeps_the_alpha_that_says_something(materials):
    maps = read_maps(materials, "caution_panel")
    assert isinstance(maps["basecolor"].routes[3], Coded)
    assert maps["basecolor"].channel_semantics[3] == Semantic.OPACITY
    assert maps["normal"].routes[3] == Constant(1.0)
    assert maps["metallic_roughness"].routes[0] == Constant(0.0)
    assert maps["metallic_roughness"].channel_semantics == (Semantic.DATA, Semantic.ROUGHNESS, Semantic.METALLIC)


def test_rosewood_packing_has_only_roughness(materials):
    maps = read_maps(materials, "rosewood_veneer1")
    packed = maps["occlusion_roughness_metallic"]
    assert packed.routes == (Constant(1.0), Coded(5), Constant(1.0))
    assert packed.channel_semantics == (Semantic.DATA, Semantic.ROUGHNESS, Semantic.DATA)
    assert maps["normal"].sample_format == SampleFormat.UINT16


def test_stylized_stone_floor_constants_cost_nothing(materials):
    maps = read_maps(materials, "stylized_stone_floor_001")
    assert maps["roughness"].coded_indices == ()
    assert maps["ao"].coded_indices == ()
    stack = load_stack(materials / "stylized_stone_floor_001")
    height = stack.texels[..., maps["height"].coded_indices[0]]
    assert (height.min() * 65535, height.max() * 65535) == pytest.approx((28801, 30879))


def test_packings(materials):
    assert read_maps(materials, "boombox")["occlusion_roughness_metallic"].channel_semantics == ORM
    assert read_maps(materials, "fabric_pattern_07")["occlusion_roughness_metallic"].channel_semantics == ORM
    ground = read_maps(materials, "ground_037_packed")
    assert ground["basecolor_height"].channel_semantics == (*[Semantic.BASE_COLOUR] * 3, Semantic.HEIGHT)
    assert ground["normal_roughness"].channel_semantics == (*[Semantic.NORMAL] * 3, Semantic.ROUGHNESS)


def test_the_half_float_picture(materials):
    image = read_maps(materials, "image_hdr_arboretum")["image"]
    assert image.sample_format == SampleFormat.FLOAT16
    assert image.transfer == Transfer.LOG
    assert image.log_range[0] >= 0
    assert image.log_range[1] > 1
