"""What `emit` writes of many materials: it compiles for OpenGL and Vulkan as it is, under any prefix and binding."""

import json
import re
import subprocess

import numpy as np
import pytest
from helpers.made_gaussians import made_map, made_set

from imagegs_tex.formats.errors import UsageError
from imagegs_tex.formats.vocabulary import Coded, Semantic, Transfer, UnitZ
from imagegs_tex.shaders.build_decoder import build_decoder
from imagegs_tex.shaders.emit_materials import BufferMaterial, emit_materials
from imagegs_tex.shaders.gpu_buffer import pack_gaussians
from imagegs_tex.shaders.include_text import HLSL_INCLUDE, STORAGE_INCLUDE, TEXTURE_INCLUDE, with_include
from imagegs_tex.shaders.prefix import read_prefix, with_prefix
from imagegs_tex.shaders.shared_decoder import shared_decoder
from imagegs_tex.verification.toolchain import CompileError, check_glsl, has_tool, hlsl_to_glsl, to_spirv

MAPS = (
    made_map(routes=(Coded(0), Coded(1), Coded(2))),
    made_map("stone_nor_gl", Semantic.NORMAL, (Coded(3), Coded(4), UnitZ()), Transfer.LINEAR),
)
SETS = {"Stone wall": made_set(40, 30, 20, 5, maps=MAPS), "stone-wall": made_set(9, 9, 5, 2, components=1)}
HOSTILE = '#error "x"\n${name}'


@pytest.fixture(scope="module")
def materials():
    sets = [*SETS.items(), (HOSTILE, made_set(1, 1, 1, 1))]
    return [BufferMaterial(name, quantized, pack_gaussians(quantized)) for name, quantized in sets]


def need(require_tool, *tools):
    for tool in tools:
        require_tool(has_tool(tool), f"{tool} is not installed")


def spirv(path, *arguments):
    return json.loads(subprocess.run(["spirv-cross", path, *arguments], capture_output=True, check=True).stdout)


@pytest.mark.parametrize("prefix", ["igs_", "old_wall_"])
def test_glsl_compiles_for_opengl_and_vulkan(materials, tmp_path, prefix, require_tool):
    need(require_tool, "glslangValidator", "spirv-val")
    files = {path.name: path for path in emit_materials(materials, "glsl", tmp_path, prefix)}
    for name, stage in (("sample_compute.comp", "comp"), ("sample_pixel.frag", "frag"), ("sample_pixel.vert", "vert")):
        check_glsl(files[name].read_text(), stage)
        assert len(to_spirv(files[name].read_text(), stage)) > 500
    for stage in ("vert", "frag"):
        check_glsl(files[f"sample_texture.{stage}"].read_text(), stage)
    texts = [path.read_text() for path in files.values() if path.suffix != ".bin"]
    assert f"{prefix}data.bin" in files
    assert prefix == "igs_" or not re.search(r"\b(igs_|Igs|IGS_)", "".join(texts))


@pytest.mark.parametrize("prefix", ["igs_", "wall_"])
def test_hlsl_compiles(materials, tmp_path, prefix, require_tool):
    need(require_tool, "glslangValidator", "spirv-cross")
    files = {path.name: path for path in emit_materials(materials, "hlsl", tmp_path, prefix)}
    include = f"{prefix}decode.hlsl"
    for name, stage in (("sample_compute", "comp"), ("sample_pixel", "vert"), ("sample_pixel", "frag")):
        hlsl_to_glsl(files[f"{name}.hlsl"].read_text(), stage, {include: files[include].read_text()})


def test_the_table_finds_materials_and_meanings(materials, tmp_path):
    emit_materials(materials, "glsl", tmp_path)
    words = np.fromfile(tmp_path / "igs_data.bin", "<u4")
    table = json.loads((tmp_path / "igs_decode_glsl.json").read_text())
    assert [each["material_name"] for each in table["materials"]] == [*SETS, HOSTILE]
    assert [each["word"] for each in table["materials"]] == words[3:6].tolist()
    stone = table["materials"][0]
    assert (stone["normal_y"], [each["function"] for each in stone["meanings"]]) == (
        "up", ["igs_base_colour", "igs_normal"],
    )  # fmt: skip
    assert (table["most_components"], table["most_values"]) == (5, 6)
    numbers = (tmp_path / "igs_materials.h").read_text().splitlines()[1:]
    assert numbers == [
        "#define IGS_MATERIAL_STONE_WALL 0",
        "#define IGS_MATERIAL_STONE_WALL_1 1",
        "#define IGS_MATERIAL_ERROR_X_NAME 2",
    ]  # fmt: skip
    assert "${name}" not in (tmp_path / "igs_readme_glsl.md").read_text()


def test_wgsl_and_modules(materials, tmp_path):
    emit_materials(materials, "wgsl", tmp_path / "wgsl", "wall_")
    text = (tmp_path / "wgsl" / "sample_pixel.wgsl").read_text()
    assert "fn wall_decode(material: u32, uv: vec2f) -> WallTexel {" in text
    assert "const WALL_MATERIAL_STONE_WALL_1 = 1u;" in (tmp_path / "wgsl" / "wall_materials.wgsl").read_text()
    made = []
    emit_materials(
        materials, "glsl", tmp_path / "spv", to_module=lambda text, stage: made.append(stage) or text[:4].encode()
    )
    assert made == ["comp", "vert", "frag"]
    assert (tmp_path / "spv" / "sample_pixel.frag.spv").read_bytes() == b"#ver"


def test_the_decoder_alone(tmp_path):
    names = {path.name for path in emit_materials([], "glsl", tmp_path)}
    assert {STORAGE_INCLUDE, TEXTURE_INCLUDE, "igs_decode_glsl.json", "igs_readme_glsl.md"} < names
    assert not {"igs_data.bin", "igs_materials.h"} & names
    assert (tmp_path / TEXTURE_INCLUDE).read_text() == shared_decoder().includes[TEXTURE_INCLUDE]


def test_sets_bindings_and_spaces(tmp_path, require_tool):
    need(require_tool, "glslangValidator", "spirv-val", "spirv-cross")
    shader = (
        "#version 430\n#define IGS_SET 2\n#define IGS_BINDING 5\n//@include\nlayout(location = 0) out vec4 colour;\n"
    )
    shader += "void main() { colour = igs_layer(igs_decode(1u, vec2(0.5, 0.5)), 0); }\n"
    (tmp_path / "glsl.spv").write_bytes(
        to_spirv(with_include(shader, shared_decoder().includes[STORAGE_INCLUDE]), "frag")
    )
    shader = f'#define IGS_REGISTER t3, space1\n#include "{HLSL_INCLUDE}"\n'
    shader += "float4 PSMain() : SV_Target0 { return igs_layer(igs_decode(1u, float2(0.5, 0.5)), 0); }\n"
    (tmp_path / "hlsl.spv").write_bytes(to_spirv(shader, "frag", shared_decoder().includes))
    for name, place in (("glsl", (2, 5)), ("hlsl", (1, 3))):
        found = spirv(tmp_path / f"{name}.spv", "--reflect")["ssbos"]
        assert [(each["set"], each["binding"]) for each in found] == [place]


def test_two_decoders_in_one_shader(require_tool):
    need(require_tool, "glslangValidator")
    own = build_decoder(SETS["stone-wall"]).includes[STORAGE_INCLUDE]
    other = build_decoder(SETS["Stone wall"]).includes[STORAGE_INCLUDE]
    end = "\nvoid main() {}\n"
    check_glsl(f"#version 430\n{own}\n#define WALL_BINDING 1\n{with_prefix(other, 'wall_')}{end}", "frag")
    with pytest.raises(CompileError, match="two different includes"):
        check_glsl(f"#version 430\n{own}\n{other}{end}", "frag")
    with pytest.raises(CompileError, match=r"two decoders at binding 0 ?: define WALL_BINDING"):
        check_glsl(f"#version 430\n{own}\n{with_prefix(other, 'wall_')}{end}", "frag")


def test_green_is_known_to_a_file_of_its_own():
    includes = build_decoder(SETS["Stone wall"]).includes
    assert all("#define IGS_NORMAL_Y 1 " in text for text in includes.values())
    assert "IGS_NORMAL_Y" not in build_decoder(SETS["stone-wall"]).includes[STORAGE_INCLUDE]


@pytest.mark.parametrize("text", ["", "Wall", "1a", "a__b", "gl_", "_a", "a-b", "x" * 30])
def test_prefixes_that_make_no_names(text):
    with pytest.raises(UsageError, match="--prefix"):
        read_prefix(text)


def test_a_prefix_gets_its_underscore():
    assert (read_prefix("wall"), read_prefix("old_wall_")) == ("wall_", "old_wall_")
    assert with_prefix("IgsTexel igs_decode; IGS_BINDING digs_x", "old_wall_") == (
        "OldWallTexel old_wall_decode; OLD_WALL_BINDING digs_x"
    )
