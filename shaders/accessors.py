"""Typed accessors: functions of the emitted include that turn coded channels into values with a meaning.

A map's name is untrusted text. What of it enters a shader is letters a..z, digits and single underscores after a fixed
prefix, unique within the file; where nothing is left, the map's number stands for it.
"""

import re
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from imagegs_tex.formats.transfer_functions import (
    LOG_KNEE,
    SRGB_EXPONENT,
    SRGB_OFFSET,
    SRGB_SLOPE,
    SRGB_TOE_ENCODED,
)
from imagegs_tex.formats.vocabulary import (
    COLOUR_SEMANTICS,
    SCALAR_SEMANTICS,
    Coded,
    Constant,
    Semantic,
    TextureMap,
    Transfer,
    UnitZ,
)
from imagegs_tex.shaders.file_constants import literal

Kind = Literal["samples", "linear light", "unit normal", "one minus"]

_MAX_NAME: Final = 40
_MAX_VECTOR: Final = 4
_TYPES: Final = {1: "float", 2: "vec2", 3: "vec3", 4: "vec4"}


@dataclass(frozen=True, slots=True)
class Accessor:
    """One function `type name(IgsTexel texel)`."""

    name: str
    width: int  # 1..4 floats
    kind: Kind
    map_index: int
    channels: tuple[int, ...]  # of the map's file, those it reads
    note: str  # one line for comment and documentation, made of our own words only


def list_accessors(maps: tuple[TextureMap, ...]) -> tuple[Accessor, ...]:
    """Return the accessors of a stack: by meaning first, then one per map with its channels as in the file."""
    found: list[Accessor] = []
    taken: set[str] = set()
    for index, texture_map in enumerate(maps):
        for semantic in dict.fromkeys(texture_map.channel_semantics):
            if semantic != Semantic.DATA:
                found += _by_semantic(index, texture_map, semantic, taken)
    found += _roughness_from_gloss(maps, found, taken)
    for index, texture_map in enumerate(maps):
        name = _unique(f"igs_map_{_identifier(texture_map.name, index)}", taken)
        channels = range(texture_map.channel_count)
        if texture_map.channel_count <= _MAX_VECTOR:
            parts = [(name, tuple(channels))]
        else:
            parts = [(_unique(f"{name}_{channel}", taken), (channel,)) for channel in channels]
        for part, chosen in parts:
            note = f"map {index} as in its file, {_encoding(texture_map, Semantic.DATA)}"
            found.append(Accessor(part, len(chosen), "samples", index, chosen, note))
    return tuple(found)


def accessor_functions(maps: tuple[TextureMap, ...], accessors: tuple[Accessor, ...]) -> str:
    """Return the accessors as GLSL that glsl_to_hlsl.to_hlsl understands."""
    return "\n".join([HELPERS, *(_function(maps[accessor.map_index], accessor) for accessor in accessors)])


def _by_semantic(index: int, texture_map: TextureMap, semantic: Semantic, taken: set[str]) -> list[Accessor]:
    channels = tuple(channel for channel, meaning in enumerate(texture_map.channel_semantics) if meaning == semantic)[
        : 1 if semantic in SCALAR_SEMANTICS else _MAX_VECTOR
    ]  # a grey picture's three channels are one value
    name = _unique(f"igs_{semantic.name.lower()}", taken)
    if semantic == Semantic.NORMAL and len(channels) >= 2:
        note = "unit vector in tangent space; green points up or down as in the source"
        return [Accessor(name, 3, "unit normal", index, channels[:3], note)]
    found = [Accessor(name, len(channels), "samples", index, channels, _encoding(texture_map, semantic))]
    if texture_map.transfer == Transfer.SRGB and semantic in COLOUR_SEMANTICS:
        linear = _unique(f"{name}_linear", taken)
        found.append(Accessor(linear, len(channels), "linear light", index, channels, "linear light"))
    return found


def _roughness_from_gloss(
    maps: tuple[TextureMap, ...], found: list[Accessor], taken: set[str]
) -> list[Accessor]:  # fmt: skip
    """Return igs_roughness for a material that says gloss instead, so that a shader need not know which it was."""
    gloss = [accessor for accessor in found if accessor.name == f"igs_{Semantic.GLOSS.name.lower()}"]
    name = f"igs_{Semantic.ROUGHNESS.name.lower()}"
    if name in taken or not gloss or maps[gloss[0].map_index].transfer == Transfer.LOG:
        return []
    note = "0..1, linear: one minus the gloss"
    return [Accessor(_unique(name, taken), 1, "one minus", gloss[0].map_index, gloss[0].channels, note)]


def _encoding(texture_map: TextureMap, semantic: Semantic) -> str:
    if texture_map.transfer == Transfer.LOG:
        low, high = texture_map.log_range
        return f"linear values {low:g}..{high:g}, the log coding undone"
    if texture_map.transfer == Transfer.SRGB:
        if semantic in COLOUR_SEMANTICS:
            return "0..1, sRGB-encoded"
        if semantic == Semantic.DATA:
            return "0..1, colours sRGB-encoded"
    return "0..1, linear"


def _function(texture_map: TextureMap, accessor: Accessor) -> str:
    samples = [sample_expression(texture_map, channel) for channel in accessor.channels]
    if accessor.kind == "unit normal":
        if len(samples) == 2 or isinstance(texture_map.routes[accessor.channels[2]], UnitZ):
            sides = (_stored_sample(texture_map, channel) for channel in accessor.channels[:2])
            body = f"    return igs_unit_from_xy(vec2({', '.join(sides)}));\n"
        else:
            body = f"    return igs_unit(vec3({', '.join(samples)}));\n"
    else:
        if accessor.kind == "one minus":
            samples = [f"1.0 - {sample}" for sample in samples]
        if accessor.kind == "linear light":
            samples = [f"igs_srgb_to_linear({sample})" for sample in samples]
        joined = ", ".join(samples)
        body = f"    return {joined if len(samples) == 1 else f'{_TYPES[len(samples)]}({joined})'};\n"
    head = f"{_TYPES[accessor.width]} {accessor.name}(IgsTexel texel)"
    return f"// {accessor.note}\n{head}\n{{\n{body}}}\n"


def sample_expression(texture_map: TextureMap, channel: int) -> str:
    """Return GLSL for a channel's sample value, made of the IgsTexel `texel`."""
    for normal in texture_map.unit_normals:
        if channel in normal:
            sides = ", ".join(_stored_sample(texture_map, side) for side in normal[:2])
            return f"igs_unit_samples(vec2({sides})).{'xyz'[normal.index(channel)]}"
    return _stored_sample(texture_map, channel)


def _stored_sample(texture_map: TextureMap, channel: int) -> str:
    route = texture_map.routes[channel]
    if isinstance(route, Constant):
        return literal(route.value)
    assert isinstance(route, Coded)
    value = f"texel.channel[{route.index}]"
    if texture_map.transfer == Transfer.LOG:
        low, high = (literal(float(np.copysign(np.log2(1 + abs(x) / LOG_KNEE), x))) for x in texture_map.log_range)
        return f"igs_unlog({value}, {low}, {high})"
    return value


def _identifier(name: str, index: int) -> str:
    kept = re.sub(r"[^a-z0-9]+", "_", name.lower()[: 4 * _MAX_NAME]).strip("_")[:_MAX_NAME].strip("_")
    return kept or str(index)


def _unique(name: str, taken: set[str]) -> str:
    unique, number = name, 2
    while unique in taken:
        unique = f"{name}_{number}"
        number += 1
    taken.add(unique)
    return unique


_TOE, _SLOPE, _OFFSET, _SCALE, _EXPONENT = (
    f"{number:g}" for number in (SRGB_TOE_ENCODED, SRGB_SLOPE, SRGB_OFFSET, 1 + SRGB_OFFSET, SRGB_EXPONENT)
)
HELPERS: Final = f"""float igs_srgb_to_linear(float value)
{{
    return value <= {_TOE} ? value / {_SLOPE} : pow((max(value, 0.0) + {_OFFSET}) / {_SCALE}, {_EXPONENT});
}}

// The log transfer undone: low and high are the ends of the range, coded.
float igs_unlog(float code, float low, float high)
{{
    float coded = low + code * (high - low);
    float size = {literal(LOG_KNEE)} * (exp2(abs(coded)) - 1.0);
    return coded < 0.0 ? -size : size;
}}

vec3 igs_unit(vec3 samples)
{{
    vec3 direction = 2.0 * samples - vec3(1.0, 1.0, 1.0);
    float size = length(direction);
    return size > 0.000001 ? direction / size : vec3(0.0, 0.0, 1.0);
}}

vec3 igs_unit_from_xy(vec2 samples)
{{
    vec2 side = 2.0 * samples - vec2(1.0, 1.0);
    return igs_unit(0.5 * vec3(side.x, side.y, sqrt(max(0.0, 1.0 - dot(side, side)))) + vec3(0.5, 0.5, 0.5));
}}

// The samples of a unit normal whose z is not stored.
vec3 igs_unit_samples(vec2 samples)
{{
    return 0.5 * igs_unit_from_xy(samples) + vec3(0.5, 0.5, 0.5);
}}
"""
