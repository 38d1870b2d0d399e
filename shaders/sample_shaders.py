"""Complete shaders around a decoder: a lit surface, and decoding into images."""

from collections.abc import Mapping
from typing import Final

from imagegs_tex.shaders.glsl_to_hlsl import to_hlsl
from imagegs_tex.shaders.include_text import (
    STORAGE_INCLUDE,
    TEXTURE_INCLUDE,
    WGSL_GROUP_INCLUDE,
    WGSL_INCLUDE,
    fill,
    sample,
    with_include,
)

OWN_PARTS: Final = {
    "material_member": "",
    "material_uniform": "",
    "group": "    igs_decode_group(group, gl_LocalInvocationIndex, -32 * igs_first_group);\n",
    "hlsl_group": "    igs_decode_group(group.xy + uint2(igs_first_group), thread, -32 * igs_first_group);\n",
    "hlsl_number": "    int2 igs_unused;\n",
    "hlsl_constants": "",
}
"""Of a single file's decoder."""
SHARED_PARTS: Final = {
    "material_member": "    uint material; // number in the buffer\n",
    "material_uniform": "uniform uint material; // number in the buffer\n",
    "group": "    igs_decode_group(material, group, gl_LocalInvocationIndex, -32 * igs_first_group);\n",
    "hlsl_group": "    igs_decode_group(material, group.xy + uint2(igs_first_group), thread, -32 * igs_first_group);\n",
    "hlsl_number": "    uint material; // number in the buffer\n    uint igs_unused;\n",
    "hlsl_constants": "cbuffer IgsSurface : register(b2)\n{\n    uint material; // number in the buffer\n};\n\n",
    "fetch": "    IgsTexel texel = igs_sample(material, uv);\n",
    "surface": """    vec3 albedo = igs_base_colour_linear(material, texel);
    vec3 normal = igs_normal(material, texel);
    float roughness = igs_roughness(material, texel);
""",
}
"""Of the decoder of many materials."""

_STORAGE: Final = ("sample_compute.comp", "sample_pixel.vert", "sample_pixel.frag")
_TEXTURE: Final = ("sample_texture.vert", "sample_texture.frag")
_WGSL: Final = {"sample_compute.wgsl": (WGSL_INCLUDE, WGSL_GROUP_INCLUDE), "sample_pixel.wgsl": (WGSL_INCLUDE,)}
_HLSL: Final = ("sample_compute.hlsl", "sample_pixel.hlsl")


def sample_shaders(includes: Mapping[str, str], parts: Mapping[str, str]) -> dict[str, str]:
    """Return the shaders by file name: GLSL with the include in it, HLSL that includes it.

    Args:
        includes: of the decoder
        parts: what samples/ leave open
    """
    hlsl = {**parts, **{part: to_hlsl(parts[part]) for part in ("fetch", "surface")}}
    return {
        **{name: with_include(fill(sample(name), parts), includes[STORAGE_INCLUDE]) for name in _STORAGE},
        **{name: with_include(fill(sample(name), parts), includes[TEXTURE_INCLUDE]) for name in _TEXTURE},
        **{name: fill(sample(name), hlsl) for name in _HLSL},
        **{
            name: with_include(sample(name), "\n".join(includes[each] for each in used))
            for name, used in _WGSL.items()
            if WGSL_INCLUDE in includes
        },
    }
