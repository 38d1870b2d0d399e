"""One decoder for every material of a buffer: its include files as text.

The geometry, the compute decoder and the functions that take a footprint are those of a single file's decoder; what
that has as constants is read from a material's header here, and so is which channels have which meaning.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import indent
from typing import Final

from imagegs_tex.shaders.detail_constants import DETAIL_NUMBERS, picked_store, row_loop, shared_detail_constants
from imagegs_tex.shaders.file_constants import bindings, group_constants, own_or, shared_constants
from imagegs_tex.shaders.footprint_constants import anisotropy_constant
from imagegs_tex.shaders.glsl_to_hlsl import to_hlsl
from imagegs_tex.shaders.gpu_buffer import PackedGaussians
from imagegs_tex.shaders.include_text import (
    HLSL_INCLUDE,
    STORAGE_INCLUDE,
    TEXTURE_INCLUDE,
    fill_source,
    join_include,
    source,
)
from imagegs_tex.shaders.layout_functions import LAYOUT_NUMBERS, common_members, common_numbers, layout_functions
from imagegs_tex.shaders.meaning_functions import meaning_constants, meaning_functions
from imagegs_tex.shaders.residual_constants import (
    SHARE_LAYER,
    column_rows,
    column_store,
    nibble_constants,
    shared_column_source,
)
from imagegs_tex.shaders.wgsl_includes import wgsl_includes
from imagegs_tex.shaders.written_out import write_out

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
    uint repeat_at; // word of the buffer, as the following; 0 without
    uint residual_at;
"""
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
_SOURCE_MATERIAL: Final = """        // Its numbers anew, for what is done once for each source: compilers do not know
        // that the number added is 0. Held over all Gaussians they would fill registers.
        IgsMaterial known = igs_material(m.at + (source >> 31u));
"""
_RETURN_FINISHED: Final = """    IgsMaterial known = igs_material(m.at + (sources >> 31u)); // anew, as above
    known.widening = m.widening;
    return igs_finish(known, sums, texel, p);
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
        igs_share_grain(igs_with_noise(about), group, thread);
        igs_share_noise(igs_with_noise(about), thread);
    }
#endif
"""
_SHARE_LAYERS: Final = "".join(
    f"#if IGS_LAYERED != 0 && IGS_{layer.upper()} != 0\n"
    f"    if (igs_group_material().{layer}_at > 0u) {{\n    {share}    }}\n#endif\n"
    for layer, share in SHARE_LAYER.items()
)
_ROWS: Final = "IGS_ROWS + int(group.x >> 31u)"
"""Groups count from 0, which compilers do not know. With a bound that they know they write out all that follows for
each row: an H200 takes 0.138 instead of 0.092 ms for 1024 x 1024 texels with noise."""
_STORE_ROWS: Final = """        if (igs_stores_rows(m)) {
            igs_store_rows(m, sums, group * uvec2(IGS_GROUP_SIDE, IGS_GROUP_SIDE) + first_texel, place);
        } else {
"""
_GROUP_FINISH: Final = """// From sums to the values of a texel `at`. What texels share of repeat and residual
// costs materials without them 1.5 times the time on an H200: only with IGS_LAYERED they do.
IgsTexel igs_group_finish(IgsMaterial m, IgsGroupSums sums, uvec2 at)
{
    IgsTexel texel = igs_group_repeat(m, igs_group_gaussians(m, sums, at), at);
    if (IGS_RESIDUAL != 0 && m.residual_at > 0u) {
        texel = igs_add_residual(m, texel, igs_centre(at), at);
    }
    return igs_group_complete(m, texel, at);
}
"""
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
    repeats = [packed.ledger.repeat for packed in materials]
    has_residual, has_repeat = (str(int(any(each) or not each)) for each in (layers, repeats))
    texels = row_loop(picked_store(_MOST_ROWS, "igs_group_finish(m, own, at)"), _ROWS)
    parts = {
        "material": f"{source('shared.glsl')}{material}\n",
        "layout_numbers": LAYOUT_NUMBERS,
        "layout": layout_functions(common_numbers(materials) if materials else {}),
        "more_numbers": _NUMBERS,
        "layers": _layers(),
        "source_material": "        IgsMaterial known = m;\n" if materials else _SOURCE_MATERIAL,
        "return_finished": "    return igs_finish(m, sums, texel, p);\n" if materials else _RETURN_FINISHED,
        "noise": source("shared_detail.glsl"),
        "finish": source("shared_finish.glsl") + "\n",
        "rows": _store_rows(texels),
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
    head += own_or("IGS_REPEAT", has_repeat, "0: without repeat")
    layered = sum(bool(more or again) for more, again in zip(layers, repeats, strict=True))
    head += own_or(
        "IGS_LAYERED", str(int(2 * layered > len(materials))), "1: groups share lists of residual and repeat"
    )
    head += nibble_constants() + meaning_constants()
    sources = ("core.glsl", "levels.glsl", "footprint.glsl", "stochastic.glsl")
    core = "\n".join(fill_source(name, parts) for name in sources)
    without_macro = "\n".join(fill_source(name, parts | {"sample": _SAMPLE}) for name in sources)
    parts["group_finish"] = _GROUP_FINISH + source("shared_rows.glsl")
    noise_tiles = source("detail_tiles.glsl") + "\n" + source("shared_detail_tiles.glsl")
    about = "Decodes every material of a buffer: igs_decode(material, uv) and igs_sample(material, uv)."
    wgsl = wgsl_includes(about, head, without_macro, _tiles(parts, noise_tiles), (most_components, most_values))
    columns = {
        name: "" if each and all(each) else f"IGS_{name.upper()} != 0 && m.{name}_at > 0u"
        for name, each in (("repeat", repeats), ("residual", layers))
    }
    rows = column_rows("igs_group_gaussians(m, {sums}, first_at + uvec2(0u, {row}u))", columns)
    rows += row_loop(column_store("igs_group_complete"), _ROWS)
    parts["rows"] = _store_rows(_by_layers(texels, rows))
    parts["group_finish"] = _by_layers(_GROUP_FINISH, shared_column_source()) + source("shared_rows.glsl")
    parts["group_start"] += _SHARE_LAYERS
    tiles = write_out(_tiles(parts, noise_tiles))
    includes = {
        STORAGE_INCLUDE: join_include(about, head, source("storage.glsl"), core, source("tiles_storage.glsl"), tiles),
        TEXTURE_INCLUDE: join_include(about, head, source("texture.glsl"), core),
        HLSL_INCLUDE: join_include(
            about, head, source("buffer.hlsl"), to_hlsl(core), source("tiles_buffer.hlsl"), to_hlsl(tiles)
        ),
    }
    return SharedDecoder(includes | wgsl)


def _store_rows(loop: str) -> str:
    """Return what stores a thread's texels: layer by layer, or else by a loop over them.

    The loop is not behind it, without turns then: compilers would hold sums twice.
    """
    inner = indent(loop, "    ", lambda line: not line.startswith("#"))
    return f"{_STORE_ROWS}{inner}        }}\n"


def _by_layers(texels: str, columns: str) -> str:
    """Return what is done texel by texel, or else by columns."""
    return f"#if IGS_LAYERED == 0\n{texels}#else\n{columns}#endif\n"


def _tiles(parts: dict[str, str], noise: str) -> str:
    """Return the compute decoder; noise: what a workgroup shares of that."""
    material = f"{noise}\n{fill_source('shared_tiles.glsl', parts)}\n"
    return fill_source("tiles.glsl", parts | {"group_material": material})


def _layers() -> str:
    """Return what adds repeat and residual."""
    repeat = fill_source("repeat.glsl", {"lattice": source("shared_repeat.glsl")})
    blocks = f"{source('cosine_blocks.glsl')}\n{source('shared_cosine_blocks.glsl')}\n"
    return f"{blocks}{repeat}\n{source('residual.glsl')}\n"


def _group_header(material: str) -> str:
    """Return igs_material with the words of the header that a workgroup shares."""
    text = material.replace("igs_material(uint at)", "igs_group_material()")
    text = text.replace("    IgsMaterial m;\n", "    uint at = igs_header[30];\n    IgsMaterial m;\n")
    text = re.sub(r"(    m\.tiles =) .*;", r"\1 uvec2(igs_header[27], igs_header[28]);", text)
    text = re.sub(r"(    m\.blocks_at =) .*;", r"\1 igs_header[29];", text)
    text = re.sub(r"igs_number\(at \+ (\d+u)\)", r"igs_header_number(\1)", text)
    return re.sub(r"igs_word\(at \+ (\d+u)\)", r"igs_header[\1]", text)
