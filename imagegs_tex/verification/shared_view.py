"""A file's decoder by way of the decoder of many materials: the same functions, checked by the same shaders.

The material lies in a buffer behind another one, and thin functions fill in its number.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from imagegs_tex.formats.igs.quantized_set import QuantizedGaussianSet
from imagegs_tex.shaders.accessors import Accessor
from imagegs_tex.shaders.build_decoder import Decoder
from imagegs_tex.shaders.gpu_buffer import PackedGaussians, join_materials, pack_gaussians
from imagegs_tex.shaders.include_text import (
    HLSL_INCLUDE,
    STORAGE_INCLUDE,
    TEXTURE_INCLUDE,
    WGSL_GROUP_INCLUDE,
    WGSL_INCLUDE,
)
from imagegs_tex.shaders.meaning_functions import accessor_widths
from imagegs_tex.shaders.shared_decoder import SharedDecoder, most_of, shared_decoder

SHARED_PREFIX: Final = "shared-"
"""Of the names of its variants."""

_OTHER_BLOCKS: Final = 4
_TYPES: Final = {1: "float", 2: "vec2", 3: "vec3", 4: "vec4"}
_FOOTPRINTS: Final = """
IgsTexel igs_sample_at(vec2 p, float lod)
{
    return igs_sample_material_at(igs_material(igs_material_at(IGS_NUMBER)), p, lod);
}
IgsTexel igs_sample_lod(vec2 uv, float lod) { return igs_sample_lod(IGS_NUMBER, uv, lod); }
IgsTexel igs_sample_grad(vec2 uv, vec2 a, vec2 b) { return igs_sample_grad(IGS_NUMBER, uv, a, b); }
IgsTexel igs_sample_stochastic(vec2 uv, vec2 a, vec2 b, vec2 noise)
{
    return igs_sample_stochastic(IGS_NUMBER, uv, a, b, noise);
}
#undef igs_sample
#define igs_sample(uv) igs_sample_grad(IGS_NUMBER, uv, IGS_DDX(uv), IGS_DDY(uv))
"""
_NORMALS: Final = """
#define IGS_NORMAL_LENGTH_EXISTS
float igs_normal_length(IgsTexel texel) { return igs_normal_length(IGS_NUMBER, texel); }
"""
_ROUGHNESS: Final = """
#define IGS_ROUGHNESS_FILTERED_EXISTS
float igs_roughness_filtered(IgsTexel texel) { return igs_roughness_filtered(IGS_NUMBER, texel); }
"""
_GROUP: Final = """
#ifdef IGS_COMPUTE
void igs_decode_group(uvec2 group, uint thread, ivec2 place) { igs_decode_group(IGS_NUMBER, group, thread, place); }
#endif
"""


def view_in_buffer(
    quantized: QuantizedGaussianSet, decoder: Decoder, before: Sequence[PackedGaussians] = ()
) -> Decoder:  # fmt: skip
    """Return the view of a set in a buffer of many.

    Args:
        quantized: the set
        decoder: of it
        before: materials in front of it; none: itself, packed for other blocks and without levels
    """
    others = before or [pack_gaussians(quantized, _OTHER_BLOCKS)]
    materials = [*others, decoder.packed]
    return shared_view(shared_decoder(*most_of(materials), materials=materials), decoder, others)


def shared_view(shared: SharedDecoder, decoder: Decoder, before: Sequence[PackedGaussians] = ()) -> Decoder:
    """Return a file's decoder with the includes of the decoder of many materials, and their buffer.

    Args:
        shared: for at least the components and values of these materials
        decoder: of the file
        before: materials in front of it
    """
    own = decoder.packed
    words = join_materials([*before, own])
    widths = accessor_widths()
    accessors = tuple(accessor for accessor in decoder.accessors if accessor.width <= widths.get(accessor.name, 0))
    own_text = decoder.includes[STORAGE_INCLUDE]
    text = f"""
#define IGS_NUMBER {len(before)}u
IgsTexel igs_decode(vec2 uv) {{ return igs_decode(IGS_NUMBER, uv); }}
IgsTexel igs_decode_at(vec2 p) {{ return igs_decode_at(IGS_NUMBER, p); }}
{_FOOTPRINTS}{"".join(_accessor(each) for each in accessors)}"""
    text += _NORMALS if "#define IGS_NORMAL_LENGTH_EXISTS" in own_text else ""
    text += _ROUGHNESS if "#define IGS_ROUGHNESS_FILTERED_EXISTS" in own_text else ""
    row = f"#define IGS_ROW_LOG2 {own.row_log2}u\n"
    includes = {
        STORAGE_INCLUDE: shared.includes[STORAGE_INCLUDE] + text + _GROUP,
        TEXTURE_INCLUDE: row + shared.includes[TEXTURE_INCLUDE] + text,
        HLSL_INCLUDE: shared.includes[HLSL_INCLUDE] + _hlsl(text + _GROUP),
        WGSL_GROUP_INCLUDE: shared.includes[WGSL_GROUP_INCLUDE],
        WGSL_INCLUDE: f"{shared.includes[WGSL_INCLUDE]}\nconst IGS_NUMBER = {len(before)}u;\n",
    }
    return replace(decoder, includes=includes, accessors=accessors, packed=replace(own, words=words))


def accessor_call(accessor: Accessor) -> str:
    """Return what calls the accessor of the same meaning, as wide as the own decoder's."""
    swizzle = "" if accessor.width == accessor_widths()[accessor.name] else f".{'xyzw'[: accessor.width]}"
    return f"{accessor.name}(IGS_NUMBER, texel){swizzle}"


def _accessor(accessor: Accessor) -> str:
    """Return a function of the own decoder's type."""
    return f"{_TYPES[accessor.width]} {accessor.name}(IgsTexel texel) {{ return {accessor_call(accessor)}; }}\n"


def _hlsl(text: str) -> str:
    return text.replace("uvec2", "uint2").replace("ivec2", "int2").replace("vec", "float")
