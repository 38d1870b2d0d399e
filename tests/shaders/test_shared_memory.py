"""What a workgroup shares has room where compute shaders have the least."""

import re
import subprocess
from dataclasses import replace

import pytest
from helpers.made_gaussians import made_set
from helpers.made_residual import made_residual

from imagegs_tex.shaders.build_decoder import build_decoder
from imagegs_tex.shaders.gpu_buffer import pack_gaussians
from imagegs_tex.shaders.include_text import STORAGE_INCLUDE
from imagegs_tex.shaders.shared_decoder import shared_decoder
from imagegs_tex.verification.toolchain import has_tool

LEAST = 32768
"""Of Direct3D 11 and many drivers of OpenGL, bytes."""
SIZES = {"uint": 4, "float": 4, "vec2": 8, "vec4": 16, "uvec4": 16}


def shared_bytes(include, tmp_path, defines=""):
    """Bytes of all arrays that 32 x 32 texels share."""
    file = tmp_path / "decoder.comp"
    text = f"#version 430\n{defines}#define IGS_COMPUTE\n#define IGS_GROUP_LOG2 5\n{include}\nvoid main() {{}}\n"
    file.write_text(text, encoding="utf-8")
    done = subprocess.run(["glslangValidator", "-E", file], capture_output=True, text=True, check=True)
    arrays = re.findall(r"\bshared\s+(\w+)\s+\w+\s*\[([^;]*)\]\s*;", done.stdout)
    assert len(arrays) > 6
    total = 0
    for kind, size in arrays:
        whole = re.sub(r"\b(\d+)u\b", r"\1", size).replace("uint", "int").replace("/", "//")
        assert re.fullmatch(r"[\d\s()+*/<-]*(?:int[\d\s()+*/<-]*)*", whole), whole
        total += SIZES[kind] * eval(whole)
    return total


@pytest.mark.parametrize("components", [12, 17, 32])
def test_it_has_room(components, require_tool, tmp_path):
    """With all layers that there are, at the most channels."""
    require_tool(has_tool("glslangValidator"), "glslangValidator is not installed")
    quantized = made_set(40, 30, 20, 32, components=components, detail={"components": 6, "relief": 2})
    quantized = replace(quantized, residual=made_residual(quantized))
    packed = pack_gaussians(quantized)
    decoders = build_decoder(quantized), shared_decoder(components, 32, materials=[packed]), shared_decoder(32, 32)
    for decoder in decoders:
        assert shared_bytes(decoder.includes[STORAGE_INCLUDE], tmp_path) <= LEAST


def test_all_layers_of_any_material_have_room(require_tool, tmp_path):
    """As the decoder of any material is unless told otherwise, but for lists that groups share."""
    require_tool(has_tool("glslangValidator"), "glslangValidator is not installed")
    include = shared_decoder().includes[STORAGE_INCLUDE]
    plain, layered = (shared_bytes(include, tmp_path, f"#define IGS_LAYERED {layered}\n") for layered in (0, 1))
    assert plain + 10240 < layered <= LEAST


def test_noise_takes_little_of_it(require_tool, tmp_path):
    """Ten components fill five vectors of a Gaussian; of the envelope no more rows are shared than 32 texels need."""
    require_tool(has_tool("glslangValidator"), "glslangValidator is not installed")
    plain = made_set(256, 256, 20, 12, components=10)
    noisy = made_set(256, 256, 20, 12, components=10, detail={"components": 3, "grid": (4, 4)})
    without, with_noise = (
        shared_bytes(build_decoder(quantized).includes[STORAGE_INCLUDE], tmp_path) for quantized in (plain, noisy)
    )
    assert without < 11800
    assert with_noise < without + 1800
