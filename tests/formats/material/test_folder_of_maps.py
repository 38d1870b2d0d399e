"""What folders and .zip files of artists hold: several materials, two conventions, maps below, things to refuse."""

import io
import random
import stat
import struct
import time
import zipfile
import zlib

import numpy as np
import pytest
from helpers.noise_maps import noise, save
from hypothesis import given, settings
from hypothesis import strategies as st

from imagegs_tex.formats.errors import InputError
from imagegs_tex.formats.images import encode_image
from imagegs_tex.formats.material import folder_listing
from imagegs_tex.formats.material.build_stack import build_stack, load_stack
from imagegs_tex.formats.material.name_groups import group_names, normal_twins
from imagegs_tex.formats.material.stack import expand_map
from imagegs_tex.formats.open_material import read_asset
from imagegs_tex.formats.vocabulary import Semantic


def fill(folder, names, seed=1):
    """Write a picture of noise for each name; return what each file holds, by stem."""
    folder.mkdir(parents=True, exist_ok=True)
    made = {}
    for number, name in enumerate(names.split()):
        made[name] = noise(*range(seed + 3 * number, seed + 3 * number + 3))
        save(folder, **{name: made[name]})
    return made


def stems_by_material(path):
    asset = read_asset(path)
    return {
        entry.name: {source.name for source in asset.materials[entry.source].maps}
        for entry in asset.listed
        if entry.source is not None
    }


SEVERAL = {
    "brick_albedo brick_normal wood_albedo wood_normal": {
        "brick": "brick_albedo brick_normal",
        "wood": "wood_albedo wood_normal",
    },
    "T_Door_D T_Door_N T_Door_ORM T_Wall_D T_Wall_N": {
        "T_Door": "T_Door_D T_Door_N T_Door_ORM",
        "T_Wall": "T_Wall_D T_Wall_N",
    },
    "Bricks090_2K-PNG_Color Bricks090_2K-PNG_NormalGL Wood051_1K-PNG_Color Wood051_1K-PNG_Roughness": {
        "Bricks090": "Bricks090_2K-PNG_Color Bricks090_2K-PNG_NormalGL",
        "Wood051": "Wood051_1K-PNG_Color Wood051_1K-PNG_Roughness",
    },
    "brick_albedo wood_albedo stone_albedo": {"brick": "brick_albedo", "wood": "wood_albedo", "stone": "stone_albedo"},
    "Col_brick AO_brick ORM_brick Col_wood AO_wood Nrm_wood": {
        "brick": "Col_brick AO_brick ORM_brick",
        "wood": "Col_wood AO_wood Nrm_wood",
    },
    "brickalbedo bricknormal woodalbedo woodnormal": {
        "brick": "brickalbedo bricknormal",
        "wood": "woodalbedo woodnormal",
    },
    "A_ARMD A_D B_ARMD B_D": {"A": "A_ARMD A_D", "B": "B_ARMD B_D"},
    "albedo_brick normal_brick albedo_wood normal_wood": {
        "brick": "albedo_brick normal_brick",
        "wood": "albedo_wood normal_wood",
    },
    "tile01 tile01_n tile01_s tile02 tile02_n": {"tile01": "tile01 tile01_n tile01_s", "tile02": "tile02 tile02_n"},
    "wall_albedo wall_normal wall_detail_normal floor_albedo floor_normal": {
        "wall": "wall_albedo wall_normal wall_detail_normal",
        "floor": "floor_albedo floor_normal",
    },
    "material_0_baseColor material_0_normal material_1_baseColor": {
        "material_0": "material_0_baseColor material_0_normal",
        "material_1": "material_1_baseColor",
    },
    "hero_BaseColor.1001 hero_BaseColor.1002 hero_Normal.1001 hero_Normal.1002": {
        "hero_1001": "hero_BaseColor.1001 hero_Normal.1001",
        "hero_1002": "hero_BaseColor.1002 hero_Normal.1002",
    },
    "hero_1001_Roughness hero_1001_BaseColor hero_1011_Roughness hero_1011_BaseColor": {
        "hero_1001": "hero_1001_Roughness hero_1001_BaseColor",
        "hero_1011": "hero_1011_Roughness hero_1011_BaseColor",
    },
    "hero_Metallic_u1_v1 hero_BaseColor_u1_v1 hero_Metallic_u2_v1 hero_BaseColor_u2_v1": {
        "hero_u1_v1": "hero_Metallic_u1_v1 hero_BaseColor_u1_v1",
        "hero_u2_v1": "hero_Metallic_u2_v1 hero_BaseColor_u2_v1",
    },
    "wall_albedo_1 wall_normal_1 wall_albedo_2 wall_normal_2": {
        "wall_1": "wall_albedo_1 wall_normal_1",
        "wall_2": "wall_albedo_2 wall_normal_2",
    },
}  # fmt: skip


@pytest.mark.parametrize("names", SEVERAL)
def test_several_materials_are_told_apart(tmp_path, names):
    fill(tmp_path, names)
    assert stems_by_material(tmp_path) == {name: {*own.split()} for name, own in SEVERAL[names].items()}
    with pytest.raises(InputError, match=rf"has {len(SEVERAL[names])} materials \(.*compress it to a folder"):
        load_stack(tmp_path)
    first = min(SEVERAL[names], key=str.casefold)
    assert {entry.name for entry in load_stack(tmp_path, material=first).maps} == {*SEVERAL[names][first].split()}


@pytest.mark.parametrize(
    ("names", "kept", "left_out"),
    [
        (
            "wall_1K_Color wall_2K_Color wall_1K_Normal wall_2K_Normal wall_1K_AO",
            "wall_2K_Color wall_2K_Normal wall_1K_AO",
            {"wall_1K_Color": "wall_2K_Color", "wall_1K_Normal": "wall_2K_Normal"},
        ),
        (
            "vd3_4K_Albedo vd3_4K_Normal_LOD0 vd3_4K_Normal_LOD1 vd3_4K_Normal_LOD2",
            "vd3_4K_Albedo vd3_4K_Normal_LOD0",
            {"vd3_4K_Normal_LOD1": "vd3_4K_Normal_LOD0", "vd3_4K_Normal_LOD2": "vd3_4K_Normal_LOD0"},
        ),
        (
            "rock_albedo_2048x2048 rock_albedo_512x512 rock_normal_512",
            "rock_albedo_2048x2048 rock_normal_512",
            {"rock_albedo_512x512": "rock_albedo_2048x2048"},
        ),
        ("a_512_color b_1024_color a_512_normal", "a_512_color b_1024_color a_512_normal", {}),
        ("wall_color Wall_color wall_normal", "wall_color Wall_color wall_normal", {}),
        ("wall_color_2 wall_color_4 wall_normal", "wall_color_2 wall_color_4 wall_normal", {}),
    ],
)
def test_of_a_map_in_several_resolutions_the_finest_is_taken(tmp_path, names, kept, left_out):
    fill(tmp_path, names)
    asset = read_asset(tmp_path)
    found = {source.name for material in asset.materials for source in material.maps}
    assert found == {*kept.split()}
    remarks = [*asset.left_out, *(remark for material in asset.materials for remark in material.remarks)]
    said = [f"{less}.png is left out: {finer}.png is the same map, finer" for less, finer in left_out.items()]
    assert sorted(remarks) == sorted(said)


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        ("Bricks089 Bricks089_2K-PNG_Color Bricks089_2K-PNG_NormalGL Bricks089_2K-PNG_Roughness", "Bricks089"),
        ("steel_albedo steel_normal-ogl steel_roughness steel_preview", "steel_preview"),
        ("tbzj_2K_Albedo tbzj_2K_Normal tbzj_Preview", "tbzj_Preview"),
        ("wall_albedo wall_normal wall", "wall"),
        ("wall_albedo wall_normal wall_Thumbnail", "wall_Thumbnail"),
        ("wall wall_normal wall_rough", ""),
        ("wall_normal wall_rough wall_preview", ""),
        ("wall_albedo wall_normal IMG_0042", ""),
        ("wall_albedo wall_normal wall_render", ""),
    ],
)
def test_a_picture_of_the_material_is_no_map_of_it(tmp_path, names, shown):
    """Previews, and the bare name beside a base colour; where nothing else is one, the bare name is the base colour."""
    fill(tmp_path, names)
    (material,) = read_asset(tmp_path).materials
    assert {source.name for source in material.maps} == {*names.split()} - {shown}
    said = [remark for remark in material.remarks if "a picture of the material, whose base colour is " in remark]
    assert [remark.startswith(f"{shown}.png is left out: ") for remark in said] == [True] * bool(shown)


def test_a_bare_name_that_is_a_word_for_a_map_is_the_material_s_where_others_go_on_from_it(tmp_path):
    fill(tmp_path, "brick01 brick01_normal metal03 metal03_normal")
    assert stems_by_material(tmp_path) == {
        "brick01": {"brick01", "brick01_normal"},
        "metal03": {"metal03", "metal03_normal"},
    }


ONE = [
    "albedo normal roughness",
    "wall_albedo wall_normal wall_detail_normal wall_detail_mask",
    "fabric_col_1 fabric_col_2 fabric_col_3 fabric_nor_gl",
    "ToyCar_basecolor ToyCar_clearcoat ToyCar_occlusion Fabric_normal",
    "wall_dirt_color wall_color wall_normal",
    "hero_BaseColor_1001 hero_Normal_1001",
    "worn_metal_albedo worn_metal_rough worn_metal_metal",
]


@pytest.mark.parametrize("names", ONE)
def test_one_material_stays_one(tmp_path, names):
    fill(tmp_path, names)
    assert list(stems_by_material(tmp_path).values()) == [{*names.split()}]


UNCLEAR = {
    "brick_albedo brick_normal wood_albedo wood_normal roughness": "brick (2 maps), wood (2 maps); but not whose rough",
    "hero_BaseColor_1001 hero_BaseColor_1002 hero_Mask": "hero_1001 (1 map), hero_1002 (1 map); but not whose hero",
    "a_albedo b_albedo c_albedo normal ao": "a (1 map), b (1 map), c (1 map); but not whose ao.png, normal.png is",
}  # fmt: skip


@pytest.mark.parametrize("names", UNCLEAR)
def test_a_map_that_may_be_anybodys_is_refused_with_the_groups(tmp_path, names):
    fill(tmp_path, names)
    with pytest.raises(InputError) as caught:
        read_asset(tmp_path)
    assert UNCLEAR[names] in str(caught.value)
    assert "put each material in a folder of its own" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_name_that_says_nothing_is_left_out_of_several(tmp_path):
    fill(tmp_path, "brick_albedo brick_normal wood_albedo wood_normal IMG_0042 brick_render7")
    asset = read_asset(tmp_path)
    assert asset.left_out == ("IMG_0042.png is left out: its name says nothing",)
    assert stems_by_material(tmp_path)["brick"] == {"brick_albedo", "brick_normal", "brick_render7"}


TWINS = {
    "Rock053_1K-JPG_NormalDX Rock053_1K-JPG_NormalGL Rock053_1K-JPG_Color": "Rock053_1K-JPG_NormalDX",
    "wall_nor_dx_2k wall_nor_gl_4k wall_diff_2k": "wall_nor_dx_2k",
    "Default_Normal_DirectX Default_Normal_OpenGL Default_Base_color": "Default_Normal_DirectX",
    "brick_normal_directx_1k brick_normal_opengl_1k brick_color_1k": "brick_normal_directx_1k",
}


@pytest.mark.parametrize("names", TWINS)
def test_of_two_conventions_opengl_is_kept(tmp_path, names):
    made = fill(tmp_path, names)
    stack = load_stack(tmp_path)
    assert {entry.name for entry in stack.maps} == {*names.split()} - {TWINS[names]}
    assert stack.channel_count == 6
    (normal,) = (entry for entry in stack.maps if entry.semantic == Semantic.NORMAL)
    assert normal.notes.startswith("normal (OpenGL, green up)")
    assert np.array_equal(expand_map(stack.texels, normal), made[normal.name])
    (remark,) = stack.remarks
    assert remark.startswith(f"{TWINS[names]}.png is left out: ")
    assert remark.endswith("has the same normals for OpenGL")


SPELLINGS = {
    "OpenGL": (
        "_Normal_OpenGL",
        "_normal_gl",
        "-NormalGL",
        "_nor_gl",
        "_NormalOGL",
        "NormalMap_OpenGL",
        "_normal-ogl_2k",
    ),
    "": ("_Normal", "_normal", "-nrm", "_NormalMap", "_nor_2k", "Normal", "_Normal_4K"),
    "DirectX": ("_Normal_DirectX", "_normal_dx", "-NormalDX", "_nor_dx", "_NormalDirectX_1k", "NormalMapDX", "_nrm-dx"),
}


@pytest.mark.parametrize(
    "conventions", [("OpenGL", ""), ("", "DirectX"), ("OpenGL", "DirectX"), ("OpenGL", "", "DirectX")]
)
def test_of_normals_however_they_are_spelt_the_one_for_opengl_stays(conventions):
    """The first of these that is there; the same with other spellings, other orders, and other maps between."""
    rng = random.Random(7)
    for _ in range(300):
        stems = ["Wall" + rng.choice(SPELLINGS[convention]) for convention in conventions]
        others = ["Wall_Color", "Wall_normal_strength", "Wall_detail_normal_gl", "Roof_normal", "Wall_Roughness"]
        order = rng.sample([*stems, *others], len(stems) + len(others))
        twins = {order[twin]: order[kept] for twin, kept in normal_twins(order).items()}
        assert twins == dict.fromkeys(stems[1:], stems[0]), order


@pytest.mark.parametrize(
    ("names", "left_out", "why"),
    [
        ("Wall_Normal Wall_Normal_OpenGL Wall_Color", "Wall_Normal", "has the same normals for OpenGL"),
        ("Wall_Normal Wall_Normal_DirectX Wall_Color", "Wall_Normal_DirectX", "Wall_Normal.png has the same normals"),
        ("wall_nrm wall_normal-gl wall_albedo", "wall_nrm", "has the same normals for OpenGL"),
    ],
)
def test_a_normal_that_does_not_say_its_convention_beside_one_that_does(tmp_path, names, left_out, why):
    fill(tmp_path, names)
    stack = load_stack(tmp_path)
    assert {entry.name for entry in stack.maps} == {*names.split()} - {left_out}
    (remark,) = stack.remarks
    assert remark.startswith(f"{left_out}.png is left out: ")
    assert remark.endswith(why)


def test_directx_alone_is_read_as_such(tmp_path):
    fill(tmp_path, "wall_NormalDX wall_detail_NormalGL wall_Color")
    notes = {entry.name: entry.notes for entry in load_stack(tmp_path).maps}
    assert notes["wall_NormalDX"].startswith("normal (DirectX, green down)")
    assert notes["wall_detail_NormalGL"].startswith("normal (OpenGL, green up)")


@pytest.mark.parametrize(
    ("top", "below", "found"),
    [
        ("", {"textures": "wall_diff wall_nor_gl"}, "wall_diff wall_nor_gl"),
        ("render", {"Textures": "wall_diff"}, "wall_diff"),
        ("", {"a": "wall_diff"}, "wall_diff"),
        ("", {"textures": "wall_diff", "source": "wall_sculpt"}, "wall_diff"),
        ("wall_albedo", {"textures": "wall_diff"}, "wall_albedo"),
        ("photo", {"other": "wall_diff"}, "photo"),
    ],
)
def test_where_maps_are_looked_for(tmp_path, top, below, found):
    fill(tmp_path, top)
    for name, names in below.items():
        fill(tmp_path / name, names)
    (tmp_path / "wall.blend").write_bytes(b"x")
    stack = load_stack(tmp_path)
    assert {entry.name for entry in stack.maps} == {*found.split()}
    if top == "render":
        assert "render.png is left out: the maps are in Textures" in stack.remarks
    if top == "wall_albedo":
        assert "not looked into: textures" in stack.remarks
        assert "not read: wall.blend" in stack.remarks


def test_several_folders_of_maps_are_refused_by_name(tmp_path):
    fill(tmp_path / "1K", "wall_diff")
    fill(tmp_path / "2K", "wall_diff")
    with pytest.raises(InputError, match="has no images itself, but 1K, 2K have; give one of these folders"):
        load_stack(tmp_path)


def test_names_that_differ_by_case_are_two_maps_where_the_system_tells_them_apart(tmp_path):
    made = fill(tmp_path, "Wall_mask wall_mask WALL_MASK")
    if len(list(tmp_path.iterdir())) < 3:
        pytest.skip("file names are not case-sensitive here")
    stack = load_stack(tmp_path)
    for texture_map in stack.maps:
        assert np.array_equal(expand_map(stack.texels, texture_map), made[texture_map.name])


def test_thousands_of_names_take_no_time():
    started = time.process_time()
    assert group_names([f"{number}_normal" for number in range(2000)]) is None
    assert len(group_names([f"m{n}x_{word}" for n in range(700) for word in ("albedo", "rough")]).groups) == 700
    assert group_names(["_".join(["albedo", "normal", "rough"] * 20) + f"_{n}" for n in range(300)]) is None
    assert time.process_time() - started < 10


# --- .zip


def zip_of(path, entries, **more):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, **more) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return path


def png(*channels):
    return encode_image(noise(*channels), ".png")


MAPS = {"wall_diff": (1, 2, 3), "wall_nor_gl": (4, 5, 6), "wall_rough": (7,)}


@pytest.mark.parametrize("prefix", ["", "Wall_4K/", "wall/textures/", "textures/", "a/b/c/"])
def test_a_zip_is_read_as_the_folder_that_it_holds(tmp_path, prefix):
    entries = {f"{prefix}{name}.png": png(*channels) for name, channels in MAPS.items()}
    entries |= {"__MACOSX/._wall_diff.png": b"x", ".hidden.png": b"x", "wall.blend": b"x"}
    stack = load_stack(zip_of(tmp_path / "wall.ZIP", entries))
    assert [entry.name for entry in stack.maps] == sorted(MAPS)
    for texture_map in stack.maps:
        assert np.array_equal(expand_map(stack.texels, texture_map), noise(*MAPS[texture_map.name]))
    assert {entry.name for entry in tmp_path.iterdir()} == {"wall.ZIP"}


def test_a_zip_gives_the_stack_of_its_folder(tmp_path):
    fill(tmp_path / "folder", "brick_albedo brick_normal wood_albedo wood_normal")
    entries = {path.name: path.read_bytes() for path in (tmp_path / "folder").iterdir()}
    packed = read_asset(zip_of(tmp_path / "x.zip", entries))
    plain = read_asset(tmp_path / "folder")
    assert [entry.stem for entry in packed.listed] == [entry.stem for entry in plain.listed] == ["brick", "wood"]
    for own, other in zip(packed.materials, plain.materials, strict=True):
        assert np.array_equal(build_stack(own).texels, build_stack(other).texels)


def refused(path, message):
    started = time.process_time()
    with pytest.raises(InputError, match=message) as caught:
        load_stack(path)
    assert "\n" not in str(caught.value)
    assert time.process_time() - started < 5


@pytest.mark.parametrize(
    "name",
    ["../evil_albedo.png", "/etc/evil_albedo.png", "a/../../evil_albedo.png", "..\\evil_albedo.png", "c:\\evil.png"],
)
def test_no_path_of_a_zip_leads_out(tmp_path, name):
    (tmp_path / "in").mkdir()
    path = zip_of(tmp_path / "in" / "x.zip", {"wall_albedo.png": png(1, 2, 3), name: png(1)})
    refused(path, "leads out of it")
    assert [entry.name for entry in tmp_path.rglob("*")] == ["in", "x.zip"]


def test_links_in_a_zip_are_not_followed(tmp_path):
    link = zipfile.ZipInfo("wall_normal.png")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    (tmp_path / "secret.png").write_bytes(png(9, 8, 7))
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("wall_albedo.png", png(1, 2, 3))
        archive.writestr(link, str(tmp_path / "secret.png"))
    assert [entry.name for entry in load_stack(path).maps] == ["wall_albedo"]


def test_bombs_are_refused_before_they_are_unpacked(tmp_path, monkeypatch):
    picture = png(1, 2, 3)
    monkeypatch.setattr(folder_listing, "MAX_MEMBER_BYTES", 10_000)
    refused(
        zip_of(tmp_path / "a.zip", {"wall_albedo.png": bytes(20_000)}), "has 20000 bytes; at most 10000 are unpacked"
    )
    monkeypatch.setattr(folder_listing, "MAX_ENTRIES", 3)
    refused(zip_of(tmp_path / "b.zip", {f"{n}_albedo.png": picture for n in range(4)}), "has 4 files; at most 3")
    header = bytearray(picture)
    struct.pack_into(">II", header, 16, 16384, 16384)
    struct.pack_into(">I", header, 29, zlib.crc32(header[12:29]))
    monkeypatch.setattr(folder_listing, "MAX_ENTRIES", 100)
    claims = {f"wall_x{number}.png": bytes(header) for number in range(9)}
    refused(zip_of(tmp_path / "c.zip", claims), "has images of 2415919104 texels; at most 2147483648 are unpacked")


def test_a_list_of_files_that_is_absurd_is_not_read(tmp_path):
    data = bytearray(zip_of(tmp_path / "x.zip", {"wall_albedo.png": png(1)}).read_bytes())
    struct.pack_into("<I", data, data.rfind(b"PK\5\6") + 12, 2**31)
    (tmp_path / "x.zip").write_bytes(data)
    refused(tmp_path / "x.zip", "lists 2147483648 bytes of file names")


def test_what_a_zip_may_not_be(tmp_path):
    (tmp_path / "x.zip").write_bytes(b"no zip at all")
    refused(tmp_path / "x.zip", r"x\.zip is no \.zip")
    refused(zip_of(tmp_path / "x.zip", {}), "has no images")
    refused(zip_of(tmp_path / "x.zip", {"readme.txt": "x", "scene.gltf": "{}"}), "unpack it and give that file")
    refused(zip_of(tmp_path / "x.zip", {"a": b"x", "a/wall_albedo.png": png(1)}), "as a file and as a folder")
    refused(zip_of(tmp_path / "x.zip", {"1K/wall_diff.png": png(1), "2K/wall_diff.png": png(1)}), "1K, 2K have")
    data = bytearray(zip_of(tmp_path / "x.zip", {"wall_albedo.png": png(1)}).read_bytes())
    data[60] ^= 255  # within the picture: its checksum says so
    (tmp_path / "x.zip").write_bytes(data)
    refused(tmp_path / "x.zip", "cannot be")
    data = bytearray(zip_of(tmp_path / "x.zip", {"wall_albedo.png": png(1)}).read_bytes())
    data[data.find(b"PK\1\2") + 8] |= 1
    (tmp_path / "x.zip").write_bytes(data)
    refused(tmp_path / "x.zip", "is encrypted; unpack it first")


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_any_damage_of_a_zip_is_an_input_error_or_nothing(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "damaged.zip"
    buffer = io.BytesIO()
    zip_of(buffer, {"wall/wall_albedo.png": png(1, 2, 3), "wall/wall_rough.png": png(4)})
    damaged = bytearray(buffer.getvalue())
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(damaged[: data.draw(st.integers(len(damaged) // 2, len(damaged)))])
    assert "\n" not in complaint(path)
    path.unlink()


def complaint(path):
    try:
        load_stack(path)
    except InputError as error:
        return str(error)
    return ""
