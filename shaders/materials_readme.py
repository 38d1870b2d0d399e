"""The page beside an emitted decoder of many materials: what to bind, what to call, what lies in the buffer."""

from typing import Any, Final

from imagegs_tex.shaders.emitted_names import description_file

_USE: Final = {
    "glsl": """**OpenGL 4.3 and Vulkan, GLSL 4.30.** Put `igs_decode.glsl` after `#version`, upload `igs_data.bin`
to a storage buffer, bind it to
binding 0 (Vulkan: set 0), or say otherwise by `IGS_BINDING` and `IGS_SET` before the include:
```glsl
IgsTexel texel = igs_sample(material, uv);   // with the pixel's footprint; igs_decode(material, uv) is level 0
vec3 colour    = igs_base_colour_linear(material, texel);
vec3 normal    = igs_normal(material, texel);
float rough    = igs_roughness(material, texel);
```
**WebGL 2, GLSL ES 3.00, GLSL 3.30.** The same with `igs_decode_texture.glsl`; the buffer is the `usampler2D
igs_data`: a texture R32UI of
{texture} texels with the bytes of `igs_data.bin` in row order (zeros fill the last row), filter NEAREST, no mips.

**Compute.** `#define IGS_COMPUTE` before the include adds `igs_decode_group(material, group, thread, place)`: 64
threads decode 16 x 16 texels, or with `#define IGS_GROUP_LOG2 5` 256 threads 32 x 32.
`sample_compute.comp` is complete: the buffer at binding 0, a 2D array image of {layers} layers at 1, a group per 32
x 32 texels.""",
    "wgsl": """**WebGPU.** Put `igs_decode.wgsl` in front of a shader and bind `igs_data.bin` as a read-only
storage buffer to group 0, binding 0:
```wgsl
let texel  = igs_sample(material, uv); // in a fragment shader, outside of branches; igs_decode(material, uv) is level 0
let colour = igs_base_colour_linear(material, texel);
let normal = igs_normal(material, texel);
let rough  = igs_roughness(material, texel);
```
`sample_pixel.wgsl` (vertex_main, fragment_main) is a lit surface, `sample_compute.wgsl` decodes texels into {layers}
layers of four channels.

**Compute.** `igs_decode_group.wgsl`, behind `igs_decode.wgsl`, adds `igs_decode_group(material, group, thread, place)`,
which a workgroup of IGS_GROUP_THREADS (256) threads calls to decode 32 x 32 texels; `igs_store` takes them.""",
    "hlsl": """**Shader model 5.0 and newer.** `#include "igs_decode.hlsl"`, upload `igs_data.bin` to a raw buffer,
bind it to t0, or say
otherwise by `IGS_REGISTER` before the include (`#define IGS_REGISTER t4, space1`):
```hlsl
IgsTexel texel = igs_sample(material, uv);   // with the pixel's footprint; igs_decode(material, uv) is level 0
float3 colour  = igs_base_colour_linear(material, texel);
float3 normal  = igs_normal(material, texel);
float rough    = igs_roughness(material, texel);
```
**Compute.** `#define IGS_COMPUTE` before the include adds `igs_decode_group(material, group, thread, place)`: 64
threads decode 16 x 16 texels, or with `#define IGS_GROUP_LOG2 5` 256 threads 32 x 32.
`sample_compute.hlsl` (CSMain) is complete: the buffer at t0, a `RWTexture2DArray<float4>` of {layers} layers at u1,
constants at b2, a group per
32 x 32 texels. `sample_pixel.hlsl` (VSMain, PSMain) is a lit surface.""",
}


def materials_readme(description: dict[str, Any]) -> str:
    """Return the page as Markdown. It contains no text from files: materials appear by number.

    Args:
        description: of :func:`.emit_materials.describe_materials`
    """
    materials, language = description["materials"], description["language"]
    texture = next((each for each in description["bindings"] if "texture_width" in each), None)
    use = _USE[language].format(
        texture=f"{texture['texture_width']} x {texture['texture_height']}" if texture else "",
        layers=-(-description["most_values"] // 4),
    )
    is_wgsl = language == "wgsl"
    numbers = "igs_materials.wgsl" if is_wgsl else "igs_materials.h"
    more = (
        "change the constants `IGS_COMPONENTS` and `IGS_VALUES`"
        if is_wgsl
        else "define `IGS_COMPONENTS` and `IGS_VALUES` before it"
    )
    rows = "".join(
        f"| {each['material']} | {each['width']} x {each['height']} "
        f"| {', '.join(entry['meaning'] for entry in each['meanings']) or 'data'} "
        f"| {each['normal_y']} | {each['gaussians']:,} | {each['bytes']:,} |\n"
        for each in materials
    )
    table = (
        f"""
## The buffer
{description["buffer"]["bytes"]:,} bytes on the GPU. `{description_file(language)}` has the materials' names,
meanings and maps; `{numbers}` has their numbers.

| material | texels | meanings | green of normals | Gaussians | bytes |
|---|---|---|---|---|---|
{rows}"""
        if materials
        else """
## Buffers
Any buffer of `imagegs-tex emit A.igs B.igs -o DIR`, or one made at load from .igs files.
"""
    )
    return f"""# Decoder of many materials in {language.upper()}
One include reads every material of a buffer; a material is a number, and what its channels mean is in the buffer.

{use}

A function exists for each meaning; a material without it gives a plain value, and `igs_has(material,
IGS_MEANING_EMISSIVE)` tells.
`igs_normal_y(material)` is 1 where green of the normals points up, -1 where down, 0 where the map's name does not
say.
`igs_sample_lod`, `igs_sample_grad` and `igs_sample_stochastic` take other footprints.

The include takes up to {description["most_components"]} components and {description["most_values"]} values; for
buffers with more {more}.
{table}"""
