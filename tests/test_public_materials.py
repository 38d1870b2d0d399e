"""The shared test materials: how each is read, against what SOURCES.md says of it, and what becomes of it.

One file for all that needs them, so that each is read once: reading took half of the time of these tests.
"""

import json
import re
from dataclasses import dataclass, replace
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from helpers.made_gltf import gltf_of
from helpers.public_materials import LAYOUTS, assert_same

from imagegs_tex import CompressSettings, FitSettings, decode
from imagegs_tex.api import compress_stack
from imagegs_tex.formats.images import read_image
from imagegs_tex.formats.material.build_stack import build_stack, load_stack
from imagegs_tex.formats.material.manifest import manifest_text
from imagegs_tex.formats.material.material_source import MaterialSource
from imagegs_tex.formats.material.options import AlphaUse, NormalCoding, SourceOptions
from imagegs_tex.formats.material.stack import TextureStack, expand_map
from imagegs_tex.formats.material.wrap_detection import decide_wrap
from imagegs_tex.formats.open_material import read_material
from imagegs_tex.formats.vocabulary import Coded, Constant, SampleFormat, Semantic, Transfer
from imagegs_tex.rasterize.select_backend import make_backend

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
    "boombox", "brick_wall_017", "bricks_npot_1000", "facade_005_tiles", "flight_helmet_lenses",
    "flight_helmet_metal_parts", "franka_link0", "ground_037_packed", "mossy_rock_053", "shrub_01_cutout",
    "stylized_stone_floor_001",
}  # fmt: skip
FREED = {"image_anime_character"}
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


@dataclass(frozen=True)
class Public:
    """A material as it is read, and the stacks that are made of it."""

    name: str
    folder: Path
    material: MaterialSource
    stack: TextureStack
    as_stored: TextureStack


SURFACES = [name for name in LAYOUTS if not name.startswith("image_")]
PICTURES = [name for name in LAYOUTS if name.startswith("image_")]


@pytest.fixture(scope="module", params=SURFACES + PICTURES)
def public(request, materials, maps_of):
    folder = materials / request.param
    material = read_material(folder)
    stack = build_stack(material)
    maps_of.known[request.param] = {texture_map.name: texture_map for texture_map in stack.maps}
    return Public(request.param, folder, material, stack, build_stack(material, AS_STORED))


class MapsOf:
    """Each material's maps by name, which take little memory."""

    def __init__(self, materials):
        self.materials, self.known = materials, {}

    def __call__(self, name):
        if name not in self.known:
            self.known[name] = {texture_map.name: texture_map for texture_map in load_stack(self.materials / name).maps}
        return self.known[name]


@pytest.fixture(scope="module")
def maps_of(materials):
    return MapsOf(materials)


def test_no_material_is_left_out(materials):
    assert {path.name for path in materials.iterdir() if path.is_dir()} == set(LAYOUTS)


def test_every_file_is_read_as_its_source_says(materials, public):
    table, stack = table_of(materials, public.name), public.stack
    assert {f"{entry.name}{entry.file_suffix}" for entry in stack.maps} == set(table)
    for texture_map in stack.maps:
        found = (stack.width, stack.height, texture_map.channel_count, texture_map.sample_format)
        assert found == table[f"{texture_map.name}{texture_map.file_suffix}"], texture_map.name
        if texture_map.sample_format.is_float:
            assert texture_map.transfer == Transfer.LOG
        else:
            assert (texture_map.transfer == Transfer.SRGB) == (texture_map.name in COLOURS), texture_map.name


def test_every_map_is_understood_and_comes_back_exactly(public):
    stack = public.as_stored
    assert (stack.width, stack.height, stack.channel_count) == LAYOUTS[public.name]
    for texture_map in stack.maps:
        if (public.name, texture_map.name) != ("rosewood_veneer1", "occlusion_roughness_metallic"):  # see its own test
            assert texture_map.semantic == SEMANTICS[texture_map.name]
        source, sample_format = read_image(public.folder / f"{texture_map.name}{texture_map.file_suffix}")
        assert texture_map.sample_format == sample_format
        assert np.array_equal(expand_map(stack.texels, texture_map), source)


def test_normals_are_unit_vectors_where_the_source_has_them(public):
    name, stack = public.name, public.stack
    normals = [texture_map for texture_map in stack.maps if texture_map.semantic == Semantic.NORMAL]
    assert len(normals) == (name in UNIT_NORMALS | OTHER_NORMALS)
    assert [bool(normal.unit_normals) for normal in normals] == [name in UNIT_NORMALS] * len(normals)
    assert stack.channel_count == LAYOUTS[name][2] - (name in UNIT_NORMALS)
    if name in UNIT_NORMALS:
        (normal,) = normals
        largest = normal.sample_format.max_value
        vectors = expand_map(stack.texels, normal)[..., :3].astype(np.float64) / largest * 2 - 1
        assert np.abs(np.linalg.norm(vectors, axis=-1) - 1).max() <= 1.8 / largest


def test_colour_under_alpha_is_freed_where_that_buys_something(public):
    drawn = [public.stack.drawn_of(index) for index in range(len(public.stack.maps))]
    assert any(each is not None for each in drawn) == (public.name in FREED)


def test_what_repeats_is_guessed_right(materials, public):
    """Tileable ones repeat both ways, atlases and single pictures clamp; so they do at half the size."""
    sources = (materials / "SOURCES.md").read_text(encoding="utf-8")
    layouts = dict(re.findall(r"^### (\S+)\n.*?layout: (\w+|-)", sources, re.MULTILINE | re.DOTALL))
    assert set(layouts) == set(LAYOUTS)
    wanted = (layouts[public.name] == "tileable",) * 2
    assert public.stack.wrap == wanted, public.stack.wrap_note
    height, width = (side // 2 * 2 for side in public.stack.texels.shape[:2])
    texels = public.stack.texels[:height, :width]
    half = (texels[::2, ::2] + texels[1::2, ::2] + texels[::2, 1::2] + texels[1::2, 1::2]) / 4
    assert decide_wrap(half)[0] == wanted


@pytest.fixture(scope="module")
def schema(repository):
    found = json.loads((repository / "docs" / "manifest.schema.json").read_text(encoding="utf-8"))
    return jsonschema.Draft202012Validator(found)


def test_a_manifest_is_the_same_as_its_folder(public, tmp_path, schema):
    file = tmp_path / "m.json"
    file.write_text(manifest_text(public.material, public.as_stored, file), encoding="utf-8")
    schema.validate(json.loads(file.read_text(encoding="utf-8")))
    assert_same(load_stack(file), public.stack)


WAYS = {"files": ".gltf", "views": ".glb"}
"""One for each material in turn: tests/formats/gltf/test_ways_to_hold_images.py tries all with one."""

# How the materials' own assets use them.
MORE = {
    "rosewood_veneer1": {"pbrMetallicRoughness": {"metallicFactor": 0}},
    "brick_wall_017": {"pbrMetallicRoughness": {"metallicFactor": 0}},
    "mossy_rock_053": {"pbrMetallicRoughness": {"metallicFactor": 0}},
    "rusty_metal_053c": {"pbrMetallicRoughness": {"metallicFactor": 0}},
    "scratched_metal_055a": {"pbrMetallicRoughness": {"metallicFactor": 0}},
    "facade_005_tiles": {"pbrMetallicRoughness": {"metallicFactor": 0}},
    "stylized_stone_floor_001": {"pbrMetallicRoughness": {"metallicFactor": 0}},
    "flight_helmet_lenses": {"alphaMode": "BLEND"},
    "caution_panel": {"alphaMode": "BLEND"},
    "shrub_01_cutout": {"alphaMode": "MASK"},
}


@pytest.mark.parametrize("public", SURFACES, indirect=True)  # the first of all, or pytest would read them once more
def test_a_gltf_is_the_same_as_its_folder(public, tmp_path):
    how = list(WAYS)[SURFACES.index(public.name) % 2]
    asset = gltf_of(public.folder, tmp_path / f"asset{WAYS[how]}", how, **MORE.get(public.name, {}))
    assert_same(load_stack(asset), public.stack)


FEW = CompressSettings(gaussian_count=500, fit=FitSettings(steps=6))


def corner(stack, width=128, height=112):
    """The top left of a stack, which is not what wraps and weights are of."""
    rows, columns = slice(min(height, stack.height)), slice(min(width, stack.width))

    def cut(planes):
        return tuple(None if plane is None else plane[rows, columns] for plane in planes)

    return replace(
        stack, width=columns.stop, height=rows.stop, texels=np.ascontiguousarray(stack.texels[rows, columns]),
        weights=None, wrap=(False, False), originals=cut(stack.originals), drawn=cut(stack.drawn),
    )  # fmt: skip


def test_a_file_of_it_comes_back_map_by_map(public, tmp_path):
    """A corner of most, with few Gaussians and steps: a whole one takes half a minute."""
    stack = public.stack if public.name == "image_anime_character" else corner(public.stack)
    assert compress_stack(stack, tmp_path / "m.igs", FEW, make_backend("cpu")).psnr_db > 8
    decoded = {path.stem: path for path in decode(tmp_path / "m.igs", tmp_path / "maps", backend="cpu")}
    assert set(decoded) == {texture_map.name for texture_map in stack.maps}
    for texture_map in stack.maps:
        found, sample_format = read_image(decoded[texture_map.name])
        assert found.shape == (stack.height, stack.width, texture_map.channel_count)
        assert sample_format == texture_map.sample_format
        if not texture_map.coded_indices:
            assert np.array_equal(found, expand_map(stack.texels, texture_map))


# --- what single ones are told apart by


def test_brick_wall_greys_are_one_channel_and_height_has_16_bits(maps_of):
    maps = maps_of("brick_wall_017")
    for name in ("roughness", "ao"):
        assert len(maps[name].routes) == 3
        assert len(maps[name].coded_indices) == 1
    assert maps["height"].sample_format == SampleFormat.UINT16
    assert maps["basecolor"].transfer == Transfer.SRGB
    assert maps["normal"].transfer == Transfer.LINEAR


def test_caution_panel_keeps_the_alpha_that_says_something(maps_of):
    maps = maps_of("caution_panel")
    assert isinstance(maps["basecolor"].routes[3], Coded)
    assert maps["basecolor"].channel_semantics[3] == Semantic.OPACITY
    assert maps["normal"].routes[3] == Constant(1.0)
    assert maps["metallic_roughness"].routes[0] == Constant(0.0)
    assert maps["metallic_roughness"].channel_semantics == (Semantic.DATA, Semantic.ROUGHNESS, Semantic.METALLIC)


def test_rosewood_packing_has_only_roughness(maps_of):
    maps = maps_of("rosewood_veneer1")
    packed = maps["occlusion_roughness_metallic"]
    assert packed.routes == (Constant(1.0), Coded(5), Constant(1.0))
    assert packed.channel_semantics == (Semantic.DATA, Semantic.ROUGHNESS, Semantic.DATA)
    assert maps["normal"].sample_format == SampleFormat.UINT16


def test_stylized_stone_floor_constants_cost_nothing(materials):
    stack = load_stack(materials / "stylized_stone_floor_001")
    maps = {texture_map.name: texture_map for texture_map in stack.maps}
    assert maps["roughness"].coded_indices == ()
    assert maps["ao"].coded_indices == ()
    height = stack.texels[..., maps["height"].coded_indices[0]]
    assert (height.min() * 65535, height.max() * 65535) == pytest.approx((28801, 30879))


def test_packings(maps_of):
    assert maps_of("boombox")["occlusion_roughness_metallic"].channel_semantics == ORM
    assert maps_of("fabric_pattern_07")["occlusion_roughness_metallic"].channel_semantics == ORM
    ground = maps_of("ground_037_packed")
    assert ground["basecolor_height"].channel_semantics == (*[Semantic.BASE_COLOUR] * 3, Semantic.HEIGHT)
    assert ground["normal_roughness"].channel_semantics == (*[Semantic.NORMAL] * 3, Semantic.ROUGHNESS)


def test_the_half_float_picture(maps_of):
    image = maps_of("image_hdr_arboretum")["image"]
    assert image.sample_format == SampleFormat.FLOAT16
    assert image.transfer == Transfer.LOG
    assert image.log_range[0] >= 0
    assert image.log_range[1] > 1
