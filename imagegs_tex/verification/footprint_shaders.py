"""Shaders that ask for samples with a footprint: lod and steps given per point, or a pixel's own."""

from typing import Final

from imagegs_tex.shaders.build_decoder import Decoder
from imagegs_tex.shaders.include_text import HLSL_INCLUDE, STORAGE_INCLUDE, TEXTURE_INCLUDE, with_include
from imagegs_tex.verification.probe_shaders import (
    PLACE_BINDING,
    POINTS_BINDING,
    RESULTS_BINDING,
    fill_targets,
    glsl_targets,
    layer_count,
)

REQUEST_FLOATS: Final = 8
"""u, v, step x (2), step y (2), lod, and which of them count: 0 the lod, 1 the steps, 2 and more a draw of the steps'
footprint, whose noise is in the lod's place and in what is above 2."""

NORMAL_FUNCTIONS: Final = ("igs_normal_length", "igs_roughness_filtered")


def normal_functions(decoder: Decoder) -> tuple[str, ...]:
    """Return which of the functions about normals a decoder has."""
    text = decoder.includes[STORAGE_INCLUDE]
    return tuple(name for name in NORMAL_FUNCTIONS if f"#define {name.upper()}_EXISTS" in text)


def result_width(decoder: Decoder) -> int:
    """Return how many floats the compute shaders write per request: channels, then the functions about normals."""
    return decoder.channel_count + len(normal_functions(decoder))


def glsl_requests(decoder: Decoder) -> str:
    """Return a compute shader: samples at requests [P, 8]."""
    value = f"uintBitsToFloat(points[{REQUEST_FLOATS}u * i + {{0}}u])"
    return with_include(
        f"""#version 430
//@include
layout(local_size_x = 64) in;
layout(std430, binding = {POINTS_BINDING}) readonly buffer Points {{ uint points[]; }};
layout(std430, binding = {RESULTS_BINDING}) writeonly buffer Results {{ uint results[]; }};
void main()
{{
    uint i = gl_GlobalInvocationID.x;
    if (i >= uint(points.length() / {REQUEST_FLOATS})) return;
    float request[{REQUEST_FLOATS}];
{"".join(f"    request[{k}] = {value.format(k)};{chr(10)}" for k in range(REQUEST_FLOATS))}{_sample("vec2")}
{_store(decoder, "results[{at}] = floatBitsToUint({value});")}}}
""",
        decoder.includes[STORAGE_INCLUDE],
    )


def hlsl_requests(decoder: Decoder) -> str:
    """Return the same in HLSL."""
    value = f"asfloat(points.Load(4u * ({REQUEST_FLOATS}u * i + {{0}}u)))"
    return f"""#include "{HLSL_INCLUDE}"
ByteAddressBuffer points : register(t{POINTS_BINDING});
RWByteAddressBuffer results : register(u{RESULTS_BINDING});
cbuffer Place : register(b{PLACE_BINDING}) {{ int2 origin; int use_points; int count; }};
[numthreads(64, 1, 1)]
void CSMain(uint3 id : SV_DispatchThreadID)
{{
    uint i = id.x;
    if (i >= uint(count)) return;
    float request[{REQUEST_FLOATS}];
{"".join(f"    request[{k}] = {value.format(k)};{chr(10)}" for k in range(REQUEST_FLOATS))}{_sample("float2")}
{_store(decoder, "results.Store(4u * ({at}), asuint({value}));")}}}
"""


def glsl_pixels(decoder: Decoder) -> str:
    """Return a fragment shader: igs_sample, or igs_sample_lod where a level is given."""
    return with_include(_pixels(decoder, "#version 430"), decoder.includes[STORAGE_INCLUDE])


def texture_pixels(decoder: Decoder) -> str:
    """Return the same for the texture variant in GLSL ES 3.00."""
    return with_include(_pixels(decoder, "#version 300 es"), decoder.includes[TEXTURE_INCLUDE])


def hlsl_pixels(decoder: Decoder) -> str:
    """Return the same in HLSL."""
    layers = layer_count(decoder)
    targets = "".join(f"    float4 layer{i} : SV_Target{i};\n" for i in range(layers))
    fill = "".join(f"    targets.layer{i} = igs_layer(texel, {i});\n" for i in range(layers))
    return f"""#include "{HLSL_INCLUDE}"
cbuffer Place : register(b{PLACE_BINDING}) {{ float2 origin; float2 uv_step; float4 level; }};
struct Targets {{
{targets}}};
Targets PSMain(float4 position : SV_Position)
{{
    float2 uv = (position.xy + origin) * uv_step;
    IgsTexel own = igs_sample(uv);
    IgsTexel texel = igs_sample_lod(uv, level.x);
    if (level.x < 0.0) {{
        texel = own;
    }}
    Targets targets;
{fill}    return targets;
}}
"""


def _pixels(decoder: Decoder, version: str) -> str:
    return f"""{version}
//@include
uniform vec2 origin;
uniform vec2 uv_step;
uniform float level;
{glsl_targets(decoder)}
void main()
{{
    vec2 uv = (gl_FragCoord.xy + origin) * uv_step;
    IgsTexel own = igs_sample(uv);
    IgsTexel texel = igs_sample_lod(uv, level);
    if (level < 0.0) {{
        texel = own;
    }}
{fill_targets(decoder)}}}
"""


def _sample(vector: str) -> str:
    return f"""    {vector} uv = {vector}(request[0], request[1]);
    {vector} step_x = {vector}(request[2], request[3]);
    {vector} step_y = {vector}(request[4], request[5]);
    IgsTexel texel;
    if (request[7] >= 2.0) {{
        texel = igs_sample_stochastic(uv, step_x, step_y, {vector}(request[6], request[7] - 2.0));
    }} else if (request[7] > 0.5) {{
        texel = igs_sample_grad(uv, step_x, step_y);
    }} else {{
        texel = igs_sample_lod(uv, request[6]);
    }}
"""


def _store(decoder: Decoder, store: str) -> str:
    values = [f"texel.channel[{channel}]" for channel in range(decoder.channel_count)]
    values += [f"{name}(texel)" for name in normal_functions(decoder)]
    at = f"i * {len(values)}u + "
    return "".join(
        "    " + store.format(at=f"{at}{place}u", value=value) + "\n" for place, value in enumerate(values)
    )  # fmt: skip
