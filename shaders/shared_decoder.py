"""One decoder for every material of a buffer: its include files as text.

The geometry, the compute decoder and the functions that take a footprint are those of a single file's decoder; what
that has as constants is read from a material's header here, and so is which channels have which meaning.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from imagegs_tex.shaders.detail_constants import DETAIL_NUMBERS, picked_store, shared_detail_constants
from imagegs_tex.shaders.file_constants import bindings, group_constants, own_or, shared_constants
from imagegs_tex.shaders.footprint_constants import anisotropy_constant
from imagegs_tex.shaders.glsl_to_hlsl import to_hlsl
from imagegs_tex.shaders.glsl_to_wgsl import constants_to_wgsl, to_wgsl
from imagegs_tex.shaders.gpu_buffer import PackedGaussians
from imagegs_tex.shaders.include_text import (
    HLSL_INCLUDE,
    STORAGE_INCLUDE,
    TEXTURE_INCLUDE,
    WGSL_INCLUDE,
    fill_source,
    join_include,
    source,
)
from imagegs_tex.shaders.layout_functions import LAYOUT_NUMBERS, common_members, common_numbers, layout_functions
from imagegs_tex.shaders.meaning_functions import meaning_constants, meaning_functions
from imagegs_tex.shaders.residual_constants import RESIDUAL_NUMBERS, column_rows, column_store, residual_constants

MOST_COMPONENTS: Final = 12
"""Up to so many the compute decoder sums up four texels per thread; more take a define, and registers."""
MOST_VALUES: Final = 16
ROW_LOG2: Final = 11
"""2,048 texels across: what every device can address, and rows enough for 16 MiB."""
_MOST_ROWS: Final = 4

_NUMBERS: Final = (
    DETAIL_NUMBERS
    + """    int normals; // whose z is made of x and y
    uint steps_at; // word of the buffer, as the following
    uint offsets_at;
    uint basis_at;
    uint normals_at;
    float basis_unit;
    uint exact_words; // of a texel of exact samples
    bool has_detail;
    uint residual_at; // word of the buffer; 0 without
"""
    + RESIDUAL_NUMBERS
)
_DECODE: Final = """// A material of the buffer at a point in texels, and at a texture coordinate.
IgsTexel igs_decode_at(uint material, vec2 p)
{
    return igs_decode_material_at(igs_material(igs_material_at(material)), p);
}

IgsTexel igs_decode(uint material, vec2 uv)
{
    return igs_decode_material(igs_material(igs_material_at(material)), uv);
}

"""
_DECODE_GROUP: Final = """// igs_decode_tiles_group of a material of the buffer.
void igs_decode_group(uint material, uvec2 group, uint thread, ivec2 place)
{
    igs_share_material(material, thread);
    igs_decode_tiles_group(group, thread, place);
}
"""
_SHARE_AXES: Final = """#if IGS_DETAIL != 0
    IgsMaterial about = igs_group_material();
    if (about.has_detail) {
        igs_share_axes(igs_with_noise(about), group, thread);
        igs_share_noise(igs_with_noise(about), thread);
    }
#endif
"""
_GROUP_FINISH: Final = """// From sums to the values of a texel `at`. What texels share of a residual costs materials
// without one 1.6 times the time on an H200: only a decoder made for materials with one does it.
IgsTexel igs_group_finish(IgsMaterial m, IgsGroupSums sums, uvec2 at)
{
    IgsTexel texel = igs_group_gaussians(m, sums, at);
    if (IGS_RESIDUAL != 0 && m.residual_at > 0u) {
        vec2 p = vec2(float(at.x) + 0.5, float(at.y) + 0.5);
        texel = igs_add_residual(igs_with_residual(m), texel, p, at);
    }
    return igs_group_complete(m, texel, at);
}
"""
_SHARE_RESIDUAL: Final = "    igs_share_residual(igs_with_residual(igs_group_material()), group, thread);\n"
_SAMPLE: Final = """// The same under a footprint.
IgsTexel igs_sample_lod(uint material, vec2 uv, float lod)
{
    return igs_sample_material_lod(igs_material(igs_material_at(material)), uv, lod);
}

IgsTexel igs_sample_grad(uint material, vec2 uv, vec2 step_x, vec2 step_y)
{
    return igs_sample_material_grad(igs_material(igs_material_at(material)), uv, step_x, step_y);
}
"""
_SAMPLE_MACRO: Final = """
// In a pixel shader, outside of branches: igs_sample_grad with the pixel's own steps.
#define igs_sample(material, uv) igs_sample_grad(material, uv, IGS_DDX(uv), IGS_DDY(uv))

"""

_DRAW: Final = """// One random draw of igs_sample_grad, at the price of one decode.
IgsTexel igs_sample_stochastic(uint material, vec2 uv, vec2 step_x, vec2 step_y, vec2 noise)
{
    return igs_sample_material_stochastic(igs_material(igs_material_at(material)), uv, step_x, step_y, noise);
}
"""


@dataclass(frozen=True, slots=True)
class SharedDecoder:
    """The includes by file name, as a single file's decoder has them."""

    includes: dict[str, str]


def most_of(materials: Sequence[PackedGaussians]) -> tuple[int, int]:
    """Return the most components and the most values that any of some materials has."""
    numbers = [int(packed.words[packed.material_at + 2]) for packed in materials]
    components = max(number >> 8 & 255 for number in numbers)
    return components, max((number & 255) + (number >> 16 & 255) for number in numbers)


def shared_decoder(
    most_components: int = MOST_COMPONENTS,
    most_values: int = MOST_VALUES,
    row_log2: int = ROW_LOG2,
    *,
    materials: Sequence[PackedGaussians] = (),
) -> SharedDecoder:
    """Return the decoder of every buffer whose materials have at most so many components and values.

    Args:
        most_components: of a material
        most_values: coded channels of a material, and normals whose z is made of x and y
        row_log2: of the texture variant, see :class:`.gpu_buffer.PackedGaussians`
        materials: the only ones that it has to decode, what they have in common becomes part of it; none: any
    """
    material = source("shared_material.glsl")
    for name, value in common_members(materials).items() if materials else ():
        material, count = re.subn(rf"^    m\.{name} = .*;$", f"    m.{name} = {value};", material, flags=re.MULTILINE)
        assert count == 1
    layers = [packed.ledger.residual for packed in materials]
    has_residual = "1" if any(layers) or not layers else "0"
    parts = {
        "material": f"{source('shared.glsl')}{material}\n",
        "layout_numbers": LAYOUT_NUMBERS,
        "layout": layout_functions(common_numbers(materials) if materials else {}),
        "more_numbers": _NUMBERS,
        "residual": source("residual.glsl") + "\n",
        "return_finished": "    return igs_finish(m, sums, texel, p);\n",
        "noise": source("shared_detail.glsl"),
        "finish": source("shared_finish.glsl") + "\n",
        "rows": "",
        "store": picked_store(_MOST_ROWS, "igs_group_finish(m, own, at)"),
        "group_header": _group_header(material),
        "group_start": _SHARE_AXES,
        "decode": _DECODE,
        "decode_group": _DECODE_GROUP,
        "sample": _SAMPLE + _SAMPLE_MACRO,
        "draw": _DRAW,
        "accessors": meaning_functions(),
        "normals": "",
    }
    parts["detail"] = fill_source("detail.glsl", parts) + "\n"
    head = shared_constants(most_components, most_values, row_log2) + "\n" + bindings() + anisotropy_constant()
    head += group_constants() + shared_detail_constants() + own_or("IGS_RESIDUAL", has_residual, "0: without residual")
    head += residual_constants() + meaning_constants()
    sources = ("core.glsl", "levels.glsl", "footprint.glsl", "stochastic.glsl")
    core = "\n".join(fill_source(name, parts) for name in sources)
    without_macro = "\n".join(fill_source(name, parts | {"sample": _SAMPLE}) for name in sources)
    parts["group_finish"] = _GROUP_FINISH
    if layers and all(layers):
        rows = column_rows("igs_group_gaussians(m, own, first_at)")
        parts["rows"] = rows.replace("residual_column(m,", "residual_column(igs_with_residual(m),")
        parts["store"] = column_store("igs_group_complete")
        parts["group_start"] += _SHARE_RESIDUAL
        parts["group_finish"] = source("residual_tiles.glsl") + source("residual_columns.glsl")
    noise_tiles = source("detail_tiles.glsl") + "\n" + source("shared_detail_tiles.glsl")
    parts["group_material"] = f"{noise_tiles}\n{fill_source('shared_tiles.glsl', parts)}\n"
    tiles = fill_source("tiles.glsl", parts)
    about = "Decodes every material of a buffer: igs_decode(material, uv) and igs_sample(material, uv)."
    includes = {
        STORAGE_INCLUDE: join_include(about, head, source("storage.glsl"), core, source("tiles_storage.glsl"), tiles),
        TEXTURE_INCLUDE: join_include(about, head, source("texture.glsl"), core),
        HLSL_INCLUDE: join_include(
            about, head, source("buffer.hlsl"), to_hlsl(core), source("tiles_buffer.hlsl"), to_hlsl(tiles)
        ),
        WGSL_INCLUDE: _wgsl(about, head, without_macro),
    }
    return SharedDecoder(includes)


def _group_header(material: str) -> str:
    """Return igs_material with the words of the header that a workgroup shares."""
    text = material.replace("igs_material(uint at)", "igs_group_material()")
    text = text.replace("    IgsMaterial m;\n", "    uint at = igs_header[30];\n    IgsMaterial m;\n")
    text = re.sub(r"(    m\.tiles =) .*;", r"\1 uvec2(igs_header[27], igs_header[28]);", text)
    text = re.sub(r"(    m\.blocks_at =) .*;", r"\1 igs_header[29];", text)
    text = re.sub(r"igs_number\(at \+ (\d+u)\)", r"igs_header_number(\1)", text)
    return re.sub(r"igs_word\(at \+ (\d+u)\)", r"igs_header[\1]", text)


def _wgsl(about: str, head: str, core: str) -> str:
    text = f"{source('buffer.wgsl')}\n{to_wgsl(core)}"
    return f"// {about}\n{constants_to_wgsl(head, text)}\n{text}"
