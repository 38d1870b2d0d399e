"""Shaders around the emitted decoders: they ask for every texel, for given points, and write floats out.

All bindings beyond the decoder's own start at 3, in one space, because translated HLSL has only one.
"""

from typing import Final

from imagegs_tex.shaders.accessors import Accessor
from imagegs_tex.shaders.build_decoder import Decoder
from imagegs_tex.shaders.file_constants import OUTPUT_BINDING
from imagegs_tex.shaders.include_text import HLSL_INCLUDE, STORAGE_INCLUDE, TEXTURE_INCLUDE, fill, sample, with_include
from imagegs_tex.shaders.sample_shaders import OWN_PARTS

POINTS_BINDING: Final = 3
RESULTS_BINDING: Final = 4
PLACE_BINDING: Final = 5
POINTS_ROW_LOG2: Final = 9

_FULL_TARGET: Final = """
void main()
{
    gl_Position = vec4(float((gl_VertexID & 1) * 4 - 1), float((gl_VertexID >> 1) * 4 - 1), 0.0, 1.0);
}
"""


def full_target(fragment_shader: str) -> str:
    """Return a vertex shader of the same GLSL version: one triangle that covers the target."""
    return fragment_shader.splitlines()[0] + _FULL_TARGET


def glsl_compute(decoder: Decoder) -> str:
    """Return the emitted sample that decodes the whole picture."""
    return with_include(fill(sample("sample_compute.comp"), OWN_PARTS), decoder.includes[STORAGE_INCLUDE])


def hlsl_compute() -> str:
    """Return the emitted sample that decodes the whole picture."""
    return fill(sample("sample_compute.hlsl"), OWN_PARTS)


def glsl_points(decoder: Decoder) -> str:
    """Return a compute shader: channels and all accessors at points [P, 2] of uv."""
    return with_include(
        f"""#version 430
//@include
layout(local_size_x = 64) in;
layout(std430, binding = {POINTS_BINDING}) readonly buffer Points {{ uint points[]; }};
layout(std430, binding = {RESULTS_BINDING}) writeonly buffer Results {{ uint results[]; }};
void main()
{{
    uint i = gl_GlobalInvocationID.x;
    if (i >= uint(points.length() / 2)) return;
    IgsTexel texel = igs_decode(vec2(uintBitsToFloat(points[2u * i]), uintBitsToFloat(points[2u * i + 1u])));
{_store_all(decoder, "vec", "results[{at}] = floatBitsToUint({value});")}}}
""",
        decoder.includes[STORAGE_INCLUDE],
    )


def glsl_lookup(decoder: Decoder) -> str:
    """Return a compute shader that looks every texel up by itself, as a pixel shader does.

    Chips made for computing run fragment shaders on few of their cores (an H200 on 4 of 132), and this runs on all.
    """
    return with_include(
        f"""#version 430
//@include
layout(local_size_x = 8, local_size_y = 8) in;
layout(binding = {OUTPUT_BINDING}) writeonly uniform image2DArray target;
void main()
{{
    ivec2 at = ivec2(gl_GlobalInvocationID.xy);
    if (at.x >= IGS_WIDTH || at.y >= IGS_HEIGHT) return;
    IgsTexel texel = igs_decode_at(vec2(at) + 0.5);
    for (int layer = 0; layer < IGS_LAYERS; ++layer) imageStore(target, ivec3(at, layer), igs_layer(texel, layer));
}}
""",
        decoder.includes[STORAGE_INCLUDE],
    )


def hlsl_points(decoder: Decoder) -> str:
    """Return the same as HLSL."""
    return f"""#include "{HLSL_INCLUDE}"
ByteAddressBuffer points : register(t{POINTS_BINDING});
RWByteAddressBuffer results : register(u{RESULTS_BINDING});
cbuffer Place : register(b{PLACE_BINDING}) {{ int2 origin; int use_points; int count; }};
[numthreads(64, 1, 1)]
void CSMain(uint3 id : SV_DispatchThreadID)
{{
    uint i = id.x;
    if (i >= uint(count)) return;
    IgsTexel texel = igs_decode(asfloat(points.Load2(8u * i)));
{_store_all(decoder, "float", "results.Store(4u * ({at}), asuint({value}));")}}}
"""


def glsl_pixel(decoder: Decoder) -> str:
    """Return a fragment shader that writes all channels, at texels or at points."""
    return with_include(
        f"""#version 430
//@include
layout(std430, binding = {POINTS_BINDING}) readonly buffer Points {{ vec2 points[]; }};
uniform ivec2 origin;
uniform bool use_points;
{glsl_targets(decoder)}
void main()
{{
    int at = (int(gl_FragCoord.y) << {POINTS_ROW_LOG2}) + int(gl_FragCoord.x);
    IgsTexel texel = use_points ? igs_decode(points[at]) : igs_decode_at(gl_FragCoord.xy + vec2(origin));
{fill_targets(decoder)}}}
""",
        decoder.includes[STORAGE_INCLUDE],
    )


def texture_pixel(decoder: Decoder) -> str:
    """Return the same for the texture variant in GLSL ES 3.00."""
    return with_include(
        f"""#version 300 es
//@include
uniform highp sampler2D points;
uniform ivec2 origin;
uniform bool use_points;
{glsl_targets(decoder)}
void main()
{{
    vec2 uv = texelFetch(points, ivec2(gl_FragCoord.xy), 0).xy;
    IgsTexel texel = use_points ? igs_decode(uv) : igs_decode_at(gl_FragCoord.xy + vec2(origin));
{fill_targets(decoder)}}}
""",
        decoder.includes[TEXTURE_INCLUDE],
    )


def hlsl_pixel(decoder: Decoder) -> str:
    """Return the same in HLSL."""
    layers = layer_count(decoder)
    targets = "".join(f"    float4 layer{i} : SV_Target{i};\n" for i in range(layers))
    fill = "".join(f"    targets.layer{i} = igs_layer(texel, {i});\n" for i in range(layers))
    return f"""#include "{HLSL_INCLUDE}"
ByteAddressBuffer points : register(t{POINTS_BINDING});
cbuffer Place : register(b{PLACE_BINDING}) {{ int2 origin; int use_points; int count; }};
struct Targets {{
{targets}}};
Targets PSMain(float4 position : SV_Position)
{{
    IgsTexel texel;
    if (use_points != 0) {{
        uint at = (uint(position.y) << {POINTS_ROW_LOG2}u) + uint(position.x);
        texel = igs_decode(asfloat(points.Load2(8u * at)));
    }} else {{
        texel = igs_decode_at(position.xy + float2(origin));
    }}
    Targets targets;
{fill}    return targets;
}}
"""


def result_width(decoder: Decoder) -> int:
    """Return how many floats the points shaders write per point: channels, then the accessors in order."""
    return decoder.channel_count + sum(accessor.width for accessor in decoder.accessors)


def layer_count(decoder: Decoder) -> int:
    """Return how many targets of four channels hold all coded channels."""
    return -(-decoder.channel_count // 4)


def glsl_targets(decoder: Decoder) -> str:
    """Return the declarations of the targets."""
    return "".join(f"layout(location = {i}) out highp vec4 layer{i};\n" for i in range(layer_count(decoder)))


def fill_targets(decoder: Decoder) -> str:
    """Return what writes a texel to the targets."""
    return "".join(f"    layer{i} = igs_layer(texel, {i});\n" for i in range(layer_count(decoder)))


def _store_all(decoder: Decoder, vector: str, store: str) -> str:
    stride = result_width(decoder)
    values = [f"texel.channel[{channel}]" for channel in range(decoder.channel_count)]
    lines = []
    for number, accessor in enumerate(decoder.accessors):
        lines.append(f"    {_type(accessor, vector)} value{number} = {accessor.name}(texel);\n")
        values += [f"value{number}.{axis}" for axis in "xyzw"[: accessor.width]] if accessor.width > 1 else [
            f"value{number}"
        ]  # fmt: skip
    for place, value in enumerate(values):
        lines.append("    " + store.format(at=f"i * {stride}u + {place}u", value=value) + "\n")
    return "".join(lines)


def _type(accessor: Accessor, vector: str) -> str:
    return "float" if accessor.width == 1 else f"{vector}{accessor.width}"
