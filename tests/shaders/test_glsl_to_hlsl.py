"""The translation of the decoders: what it changes, and that it passes nothing on that HLSL does not know."""

import pytest
from helpers.made_gaussians import made_set

from imagegs_tex.shaders.build_decoder import build_decoder
from imagegs_tex.shaders.glsl_to_hlsl import to_hlsl
from imagegs_tex.shaders.include_text import HLSL_INCLUDE, STORAGE_INCLUDE, source

GLSL = """// A vec2 per texel.
struct IgsPair {
    vec2 at;
    uvec3 codes[IGS_COUNT];
};

IgsPair igs_pair(ivec2 place, float scale)
{
    IgsPair pair;
    for (int k = 0; k < IGS_COUNT; ++k) {
        pair.codes[k] = uvec3(uint(place.x), uint(place.y), 1u << uint(k));
    }
    pair.at = scale > 0.0 ? vec2(place) / scale : vec2(0.0, 0.0);
    return pair;
}
"""
HLSL = """// A float2 per texel.
struct IgsPair {
    float2 at;
    uint3 codes[IGS_COUNT];
};

IgsPair igs_pair(int2 place, float scale)
{
    IgsPair pair;
    for (int k = 0; k < IGS_COUNT; ++k) {
        pair.codes[k] = uint3(uint(place.x), uint(place.y), 1u << uint(k));
    }
    pair.at = scale > 0.0 ? float2(place) / scale : float2(0.0, 0.0);
    return pair;
}
"""


def test_only_the_names_of_vectors_change():
    assert to_hlsl(GLSL) == HLSL


@pytest.mark.parametrize("name", ["core", "detail", "footprint", "tiles"])
def test_the_sources_are_written_in_the_subset(name):
    assert "vec2" not in to_hlsl(source(f"{name}.glsl"))


def test_an_emitted_decoder_is_its_translation():
    """The HLSL include holds the GLSL one's algorithm, from its first structure to its last accessor."""
    includes = build_decoder(made_set()).includes
    first, last = "// One Gaussian's geometry", "// map 0 as in its file"
    glsl = includes[STORAGE_INCLUDE][includes[STORAGE_INCLUDE].index(first) :]
    assert to_hlsl(glsl[: glsl.index(last)]) in includes[HLSL_INCLUDE]


@pytest.mark.parametrize(
    "line",
    [
        "mat2 turn;",
        "mat3 turn = frame;",
        "bvec2 inside;",
        "double sum = 0.0;",
        "sampler2D picture;",
        "highp float x = 1.0;",
        "const int table[2] = int[2](1, 2);",
        "float table[] = float[](1.0, 2.0);",
        "vec2 one = vec2(1.0);",
        "ivec3 none = ivec3(0);",
        "float x = fract(y);",
        "float x = mix(a, b, 0.5);",
        "float x = mod(a, 2.0);",
        "float x = inversesqrt(y);",
        "float x = dFdx(y);",
        "float x = 1.0 + intBitsToFloat( y );",
        "vec4 x = texelFetch(igs_data, at, 0);",
        "if (any(lessThan(a, b))) { return; }",
        "layout(location = 0) out vec4 colour;",
        "vec2 p = gl_FragCoord.xy;",
        "#ifdef IGS_COMPUTE",
        "#version 430",
    ],
)
def test_what_hlsl_does_not_know_is_refused(line):
    shader = GLSL.replace("    IgsPair pair;\n", f"    IgsPair pair;\n    {line}\n")
    with pytest.raises(ValueError, match="no HLSL for"):
        to_hlsl(shader)
    assert to_hlsl(GLSL.replace("    IgsPair pair;\n", f"    IgsPair pair; // {line}\n"))  # a comment is no code
