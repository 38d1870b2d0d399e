"""The parts of footprint.glsl that depend on the file: a long footprint's samples, what normals tell of roughness.

The text is GLSL that glsl_to_hlsl.to_hlsl understands, made of numbers and of accessors' names.
"""

from typing import Final

from imagegs_tex.formats.igs.quantized_set import QuantizedGaussianSet
from imagegs_tex.formats.vocabulary import Coded
from imagegs_tex.shaders.accessors import Accessor
from imagegs_tex.shaders.derived_z import derived_normals

MAX_ANISOTROPY: Final = 4
"""Samples along the longer side of a footprint, unless IGS_MAX_ANISOTROPY says otherwise."""

_VECTOR: Final = 3


def anisotropy_constant() -> str:
    """Return the #define of how often a long footprint is sampled, which an engine may set."""
    return f"#ifndef IGS_MAX_ANISOTROPY\n#define IGS_MAX_ANISOTROPY {MAX_ANISOTROPY}\n#endif\n"


def normal_functions(quantized: QuantizedGaussianSet, accessors: tuple[Accessor, ...]) -> str:
    """Return igs_normal_length and igs_roughness_filtered, where the material has what they need."""
    names = {accessor.name: accessor for accessor in accessors}
    normal = names.get("igs_normal")
    values = None if normal is None else normal_values(quantized, normal)
    if values is None:
        return ""
    samples = [f"texel.channel[{value}]" for value in values]
    text = f"""#define IGS_NORMAL_LENGTH_EXISTS 1
// Length of the mean of the normals under the footprint: 1 where they agree, less where they differ.
float igs_normal_length(IgsTexel texel)
{{
    return length(2.0 * vec3({", ".join(samples)}) - vec3(1.0, 1.0, 1.0));
}}
"""
    if "igs_roughness" in names:
        text += """
#define IGS_ROUGHNESS_FILTERED_EXISTS 1
// Roughness with the spread of the normals under the footprint added: the length a of their mean tells their variance
// on each axis, (1 - a) / a (Toksvig, Mipmapping Normal Maps, 2005), and a GGX lobe of alpha = roughness^2 widens to
// alpha^2 + 2 (1 - a) / a (as in M. Olano and D. Baker, LEAN Mapping, 2010).
float igs_roughness_filtered(IgsTexel texel)
{
    float size = clamp(igs_normal_length(texel), 0.001, 1.0);
    float alpha = igs_roughness(texel) * igs_roughness(texel);
    return sqrt(sqrt(min(1.0, alpha * alpha + 2.0 * (1.0 - size) / size)));
}
"""
    return text


def normal_values(quantized: QuantizedGaussianSet, normal: Accessor) -> list[int] | None:
    """Return where a texel holds x, y and z of a normal; None where one of them is a constant."""
    derived = derived_normals(quantized.maps)
    routes = [quantized.maps[normal.map_index].routes[channel] for channel in normal.channels]
    values = [route.index for route in routes if isinstance(route, Coded)]
    if normal.kind == "unit normal" and normal.map_index in derived:
        return [*values[:2], quantized.channel_count + list(derived).index(normal.map_index)]
    return values if normal.kind == "unit normal" and len(values) == _VECTOR else None
