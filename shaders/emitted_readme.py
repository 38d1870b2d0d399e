"""The one-page README beside an emitted decoder: what to bind, what to call, what it costs."""

from typing import Any, Final

from imagegs_tex.shaders.emitted_names import description_file

_USE: Final = {
    "glsl": """## How to use it
**Pixel shader, GLSL 4.30.** Put `igs_decode.glsl` after `#version`, upload `igs_data.bin` to a storage buffer, bind it
to {binding} (or `#define IGS_BINDING` first), and call:
```glsl
IgsTexel texel = igs_decode(uv);   // (0, 0) is the top left corner; outside [0, 1]: {wrap}
{example}
```
`igs_decode_at(p)` takes a point in texels instead; texel (x, y) has its centre at (x + 0.5, y + 0.5). One
`igs_decode` serves all accessors: call it once.

**WebGL 2, GLSL ES 3.00, GLSL 3.30.** The same with `igs_decode_texture.glsl`; the buffer is the `usampler2D igs_data`,
a texture R32UI of {texture} texels with the bytes of `igs_data.bin` in row order (zeros fill the last row), filter
NEAREST, no mips.

**Compute, GLSL 4.30.** `sample_compute.comp` is complete: bind the buffer to {binding} and a 2D array image with
{layers} layers (RGBA8, RGBA16F or RGBA32F) to image unit {output}, dispatch {groups} groups. For a region, set
`igs_first_group` to its top left corner in units of 32 texels and dispatch fewer groups.""",
    "hlsl": """## How to use it
**Pixel shader, shader model 5.0 and newer.** `#include "igs_decode.hlsl"`, upload `igs_data.bin` to a raw
buffer, bind it to {binding} (or `#define IGS_REGISTER` first), and call:
```hlsl
IgsTexel texel = igs_decode(uv);   // (0, 0) is the top left corner; outside [0, 1]: {wrap}
{example}
```
`igs_decode_at(p)` takes a point in texels instead; texel (x, y) has its centre at (x + 0.5, y + 0.5). One
`igs_decode` serves all accessors: call it once. Entry points of `sample_pixel.hlsl`: `VSMain`, `PSMain`.

**Compute.** `sample_compute.hlsl`, entry point `CSMain`: bind the buffer to {binding}, a `Texture2DArray` with {layers}
layers to {output}, and `int2 igs_first_group` to b2; dispatch {groups} groups. For a region, set it to the top left
corner in units of 32 texels and dispatch fewer groups.""",
}


_MIPS: Final = {
    "glsl": """## Minification
`igs_sample(uv)` (pixel shaders, outside of branches), `igs_sample_lod(uv, lod)` and `igs_sample_grad(uv, dFdx, dFdy)`
return the material under a footprint, as from a box-filtered mip chain. The table is for one sample at a whole level;
between two levels both are sampled, and a long footprint takes up to IGS_MAX_ANISOTROPY samples.
`igs_sample_stochastic(uv, step_x, step_y, noise)` is one random draw of the same, at the price of one decode.""",
    "hlsl": """## Minification
`igs_sample(uv)` (pixel shaders, outside of branches), `igs_sample_lod(uv, lod)` and `igs_sample_grad(uv, ddx, ddy)`
return the material under a footprint, as from a box-filtered mip chain. The table is for one sample at a whole level;
between two levels both are sampled, and a long footprint takes up to IGS_MAX_ANISOTROPY samples.
`igs_sample_stochastic(uv, step_x, step_y, noise)` is one random draw of the same, at the price of one decode.""",
}


def _mips(description: dict[str, Any]) -> str:
    """Return the section about footprints with what samples cost; empty without those functions."""
    samples = description["cost"]["samples"]
    if not samples:
        return ""
    direct = next(s["level"] for s in samples if not s["decodes"])
    rows = "".join(
        f"| {'from ' if s['level'] == direct else ''}{s['level']}{' on' if s['level'] == direct else ''} "
        f"| {s['decodes']} | {s['gaussians_median']:g} | {s['gaussians_max']} | {s['multiply_adds_mean']:.0f} "
        f"| {s['blocks']} |\n"
        for s in samples[: direct + 1]
    )
    return f"""
{_MIPS[description["language"]]}

| level | decodes | Gaussians evaluated: median | most | multiply-adds | blocks of stored levels read, at most |
|---|---|---|---|---|---|
{rows}"""


def _detail(description: dict[str, Any]) -> str:
    """Return the section about noise; empty without a detail layer."""
    if "noise_components" not in description:
        return ""
    components, cost = description["noise_components"], description["cost"]["detail_multiply_adds"]
    return f"""
## Detail
What the Gaussians leave is drawn as noise of {components} components. It depends on the texel alone and takes
{cost} of the multiply-adds. `#define IGS_DETAIL 0` before the include leaves it out; coarse levels keep what is left of
it in their means.
"""


def _layers(description: dict[str, Any]) -> str:
    """Return the sections about repeat and residual; empty without them."""
    cost, text = description["cost"], ""
    for name, about in (
        ("repeat", "What repeats is added as blocks of cosines of one cell, weighed by each cell's numbers"),
        ("residual", "What the Gaussians leave is added as blocks of cosines"),
    ):
        if f"{name}_multiply_adds" in cost:
            text += f"""
## {name.capitalize()}
{about}: {cost[f"{name}_multiply_adds_mean"]:.0f} of the multiply-adds \
in the mean, {cost[f"{name}_multiply_adds"]["max"]} in the fullest block.
"""
    return text


def readme(description: dict[str, Any]) -> str:
    """Return the page as Markdown. It contains no text from the file: maps appear by number and accessor.

    Args:
        description: of :func:`imagegs_tex.shaders.emit.describe`
    """
    language = description["language"]
    data, output = description["bindings"][0], description["bindings"][-2]
    texture = next((binding for binding in description["bindings"] if "texture_width" in binding), None)
    groups = [-(-description[side] // 32) for side in ("width", "height")]
    vector = "vec" if language == "glsl" else "float"
    types = {1: "float"} | {size: f"{vector}{size}" for size in (2, 3, 4)}
    accessors = description["accessors"]
    example = accessors[0]
    use = _USE[language].format(
        wrap=" in x, ".join(description["wrap"]) + " in y",
        binding=f"binding {data['binding']}" if language == "glsl" else f"register {data['register']}",
        output=output["binding"] if language == "glsl" else f"register {output['register']}",
        texture=f"{texture['texture_width']} x {texture['texture_height']}" if texture else "",
        layers=output["layers"],
        groups=f"{groups[0]} x {groups[1]}",
        example=f"{types[example['floats']]} value = {example['name']}(texel);",
    )
    rows = "".join(f"| `{a['name']}` | {types[a['floats']]} | {a['value']} |\n" for a in accessors)
    cost, buffer = description["cost"], description["buffer"]
    shared = buffer["bytes"] - buffer["material"]["total"]
    parts = ", ".join(f"{section['name'].replace('_', ' ')} {section['bytes']:,}" for section in buffer["sections"])
    return f"""# Decoder of one material in {language.upper()}
{description["width"]} x {description["height"]} texels, {description["channels"]} coded channels,
{description["gaussians"]:,} Gaussians. Generated; `{description_file(language)}` says the same for programs.

{use}

## Accessors
Each takes the `IgsTexel`. For every one `<NAME IN CAPITALS>_EXISTS` is defined.

| function | type | value |
|---|---|---|
{rows}
`texel.channel[i]` is coded channel i in [0, 1]; `igs_layer(texel, i)` is four of them.

## Memory and cost
{buffer["bytes"]:,} bytes on the GPU: {parts}.
{buffer["material"]["total"]:,} of them are the material's, {shared:,} are there once for all materials of a buffer.
Steps and basis are constants in the code, so the include belongs to this one material.

| per texel | median | 99% | most |
|---|---|---|---|
| Gaussians evaluated (blocks of {cost["block_size"]}) | {cost["candidates"]["median"]:g} \
| {cost["candidates"]["p99"]:g} | {cost["candidates"]["max"]} |
| entries a pixel shader looks at (tiles of {cost["tile_size"]}) | {cost["entries"]["median"]:g} \
| {cost["entries"]["p99"]:g} | {cost["entries"]["max"]} |

On average {cost["weights_mean"]:.1f} weights, {cost["positive_mean"]:.1f} of them above zero, and
{cost["multiply_adds_mean"]:.0f} multiply-adds per texel; never more than {cost["multiply_adds_max"]}.
{_detail(description)}{_layers(description)}{_mips(description)}
`imagegs-tex verify` runs these decoders on your machine's OpenGL and holds them against the reference decode.
"""
