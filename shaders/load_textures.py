"""Textures made at load time by compute shaders: which ones, of what, and the shaders' text.

A texture is one of a map. Its planes are the values that are averaged from level to level; textures.glsl says how tiles
are made and halved, blocks.glsl and the files beside it how blocks are. The text is GLSL that glsl_to_hlsl understands,
made of numbers and of our own names alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from imagegs_tex.formats.gpu_textures.texture import (
    BC1_SRGB,
    BC4,
    BC5,
    BC7,
    BC7_SRGB,
    BLOCK,
    R16,
    RGBA8,
    RGBA8_SRGB,
    PixelFormat,
)
from imagegs_tex.formats.transfer_functions import (
    SRGB_EXPONENT,
    SRGB_OFFSET,
    SRGB_SLOPE,
    SRGB_TOE_ENCODED,
)
from imagegs_tex.shaders.build_decoder import Language
from imagegs_tex.shaders.file_constants import group_vectors, literal
from imagegs_tex.shaders.glsl_to_hlsl import to_hlsl
from imagegs_tex.shaders.include_text import HLSL_INCLUDE, STORAGE_INCLUDE, fill_source, source

JOBS_BINDING: Final = 2
SCRATCH_BINDING: Final = 3
JOB_PLACES: Final = 32
"""Words of a job before the places of its textures' levels: docs/textures-at-load.md."""
LEVELS_AT_ONCE: Final = 3
"""Levels that a workgroup makes of its tile of 16 x 16 texels: blocks have 4 x 4."""

SHADERS: Final[dict[Language, tuple[str, str]]] = {
    "glsl": ("textures_first.comp", "textures_next.comp"),
    "hlsl": ("textures_first.hlsl", "textures_next.hlsl"),
}
"""The shader that decodes and the one that makes coarser levels of what that leaves."""

LOADABLE: Final = frozenset({BC1_SRGB, BC4, BC5, BC7, BC7_SRGB, R16, RGBA8, RGBA8_SRGB})
"""Pixel formats that the shaders write."""

MADE_Z: Final = -1
"""Stands for a channel that the map has not."""

_LEAST_WEIGHT: Final = 1e-4  # of a texel with coverage 0, as in a chain that `export` makes
_TILE_TEXELS: Final = 336  # 16 x 16, 8 x 8, 4 x 4
_SHARED_BYTES: Final = 32768  # that every OpenGL 4.3 and Direct3D 11 has for a workgroup
_OTHER_SHARED_BYTES: Final = 3712  # 1,024 each for the basis and the axes of the noise
_RESIDUAL_SHARED_BYTES: Final = 1024
_GROUP_SLOTS: Final = 64

_ENCODERS: Final = {BC1_SRGB: "bc1.glsl", BC4: "bc4.glsl", BC5: "bc4.glsl", BC7: "bc7.glsl", BC7_SRGB: "bc7.glsl"}


@dataclass(frozen=True, slots=True)
class LoadedTexture:
    """A texture that the shaders make of a map."""

    map_index: int
    pixel_format: PixelFormat  # of LOADABLE
    planes: tuple[str, ...]  # GLSL of an IgsTexel `texel`: sample values of what is averaged
    map_channels: tuple[int, ...]  # of those; MADE_Z for z of a normal that is made of the two before it
    channels: tuple[int, ...]  # plane of each channel of the texture
    srgb: tuple[int, ...] = ()  # planes that are averaged in linear light
    normal: bool = False  # whether planes 0 to 2 are samples (v + 1) / 2 of unit vectors
    unit: bool = False  # whether such vectors get length 1 at level 0, too
    coverage: int | None = None  # plane of the alpha
    covered: tuple[int, ...] = ()  # planes that count by it


def texture_sets(
    textures: Sequence[LoadedTexture], component_count: int, *, has_residual: bool = False
) -> tuple[tuple[LoadedTexture, ...], ...]:
    """Split textures into sets that one pair of shaders makes: as many as shared memory has room for.

    Args:
        textures: in order
        component_count: of the material
        has_residual: whether the material has one
    """
    left = (
        _SHARED_BYTES
        - _OTHER_SHARED_BYTES
        - _RESIDUAL_SHARED_BYTES * has_residual
        - 16 * _GROUP_SLOTS * group_vectors(component_count)
    )
    most = max(4, 2 * (left // (4 * _TILE_TEXELS)))
    sets: list[list[LoadedTexture]] = []
    used = most
    for texture in textures:
        if used + len(texture.planes) > most:
            sets.append([])
            used = 0
        sets[-1].append(texture)
        used += len(texture.planes)
    return tuple(tuple(each) for each in sets)


def plane_count(textures: Sequence[LoadedTexture]) -> int:
    """Return how many values of a texel the shaders of a set hold."""
    return sum(len(texture.planes) for texture in textures)


def _held_words(planes: int) -> int:
    return -(-planes // 2)


def job_words(textures: Sequence[LoadedTexture]) -> int:
    """Return the numbers of a job of a set."""
    return JOB_PLACES + 2 * LEVELS_AT_ONCE * len(textures)


def texture_shaders(
    includes: Mapping[str, str],
    textures: Sequence[LoadedTexture],
    language: Language,
    decode: str = "group, thread, place",
    more: str = "",
) -> tuple[str, str]:
    """Return the two shaders of a set as text; GLSL is complete, HLSL includes the decoder.

    Args:
        includes: of the decoder, by file name
        textures: of the set
        language: of the shaders
        decode: the arguments of igs_decode_group, made of material, group, thread and place
        more: functions that planes need beside those of the decoder; with them, jobs have routes
    """
    head = _constants(textures, bool(more))
    core = _core(textures, decode, more)
    if language == "glsl":
        text = (
            "#version 430\n{about}#define IGS_COMPUTE\n#define IGS_OWN_STORE\n"
            + includes[STORAGE_INCLUDE].replace("{", "{{").replace("}", "}}")
            + "\n"
            + _braced(head + _bindings() + source("textures_storage.glsl") + "\n" + core)
            + "\nlayout(local_size_x = 64) in;\n\nvoid main()\n{{\n"
            "    {entry}(gl_WorkGroupID, gl_LocalInvocationIndex);\n}}\n"
        )
    else:
        text = (
            "{about}#define IGS_COMPUTE\n#define IGS_OWN_STORE\n"
            + f'#include "{HLSL_INCLUDE}"\n\n'
            + _braced(head + _bindings() + source("textures_buffer.hlsl") + "\n" + to_hlsl(core))
            + "\n[numthreads(64, 1, 1)]\n"
            "void CSMain(uint3 group : SV_GroupID, uint thread : SV_GroupIndex)\n{{\n    {entry}(group, thread);\n}}\n"
        )
    return (
        text.format(about=_FIRST, entry="igs_textures_first"),
        text.format(about=_NEXT, entry="igs_textures_next"),
    )


_FIRST: Final = (
    "// Decodes tiles of 16 x 16 texels and writes the blocks of their first levels: a workgroup per tile.\n"
)
_NEXT: Final = (
    "// Makes coarser levels of what the shader before left in the scratch buffer: a workgroup per 16 x 16 texels.\n"
)


def _braced(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def _constants(textures: Sequence[LoadedTexture], has_routes: bool) -> str:
    words = job_words(textures) + (2 * plane_count(textures) if has_routes else 0)
    lines = [
        ("IGS_TEXTURES", len(textures), "textures of a set"),
        ("IGS_PLANES", plane_count(textures), "values of a texel that they are made of"),
        ("IGS_HELD_WORDS", _held_words(plane_count(textures)), "of shared memory for them"),
        ("IGS_JOB_WORDS", words, "numbers of a job"),
        ("IGS_JOB_PLACES", JOB_PLACES, "of them before the places of levels"),
    ]
    return "".join(f"#define {name} {value} // {note}\n" for name, value, note in lines)


def _bindings() -> str:
    lines = [
        ("IGS_JOBS_BINDING", JOBS_BINDING),
        ("IGS_SCRATCH_BINDING", SCRATCH_BINDING),
        ("IGS_JOBS_REGISTER", f"t{JOBS_BINDING}"),
        ("IGS_SCRATCH_REGISTER", f"u{SCRATCH_BINDING}"),
    ]
    return "".join(f"#ifndef {name}\n#define {name} {value}\n#endif\n" for name, value in lines) + "\n"


def _core(textures: Sequence[LoadedTexture], decode: str, more: str) -> str:
    """Return all of the program that both languages share."""
    encoders = dict.fromkeys(_ENCODERS[each.pixel_format] for each in textures if each.pixel_format in _ENCODERS)
    blocks = source("blocks.glsl") + "".join(source(name) for name in encoders)
    tile = f"""
// Decodes a group of a material.
void igs_decode_tile(uint material, uvec2 group, uint thread, ivec2 place)
{{
    igs_decode_group({decode});
}}
"""
    generated = "\n".join(
        [more, _TO_SRGB, _planes(textures), _means(textures), _samples(textures), blocks, _writes(textures), tile]
    )
    return fill_source("textures.glsl", {"textures": generated})


def _firsts(textures: Sequence[LoadedTexture]) -> list[tuple[int, LoadedTexture]]:
    """Return each texture with the number of its first plane."""
    found, first = [], 0
    for texture in textures:
        found.append((first, texture))
        first += len(texture.planes)
    return found


def _planes(textures: Sequence[LoadedTexture]) -> str:
    lines = [expression for texture in textures for expression in texture.planes]
    body = "".join(f"    planes.plane[{number}] = {expression};\n" for number, expression in enumerate(lines))
    return f"""// The samples of a texel that textures are made of.
IgsPlanes igs_planes(IgsTexel texel)
{{
    IgsPlanes planes;
{body}    return planes;
}}
"""


def _means(textures: Sequence[LoadedTexture]) -> str:
    """Return what turns samples of level 0 into what may be averaged."""
    body = ""
    for number, (first, texture) in enumerate(_firsts(textures)):
        places = [f"planes.plane[{first + plane}]" for plane in range(len(texture.planes))]
        body += "".join(f"    {places[plane]} = igs_srgb_to_linear({places[plane]});\n" for plane in texture.srgb)
        if texture.coverage is not None:
            weight = f"({places[texture.coverage]} + {literal(_LEAST_WEIGHT)})"
            body += "".join(f"    {places[plane]} *= {weight};\n" for plane in texture.covered)
        if texture.normal:
            body += f"    vec3 normal{number} = igs_unit(vec3({', '.join(places[:3])}));\n"
            body += "".join(f"    {places[axis]} = 0.5 * normal{number}.{'xyz'[axis]} + 0.5;\n" for axis in range(3))
    return f"""// What is averaged of those: linear light, vectors of length 1, colours times their coverage.
IgsPlanes igs_means(IgsPlanes planes)
{{
{body}    return planes;
}}
"""


def _samples(textures: Sequence[LoadedTexture]) -> str:
    """Return what turns means into samples again, and says of which planes a texture is."""
    undone, level_0, picked = "", "", ""
    for number, (first, texture) in enumerate(_firsts(textures)):
        places = [f"planes.plane[{first + plane}]" for plane in range(len(texture.planes))]
        if texture.coverage is not None:
            weight = f"({places[texture.coverage]} + {literal(_LEAST_WEIGHT)})"
            undone += "".join(f"        {places[plane]} /= {weight};\n" for plane in texture.covered)
        undone += "".join(f"        {places[plane]} = igs_linear_to_srgb({places[plane]});\n" for plane in texture.srgb)
        if texture.normal:
            vector = f"vec3({', '.join(places[:3])})"
            undone += _unit(number, places, vector)
            level_0 += _unit(number, places, vector) if texture.unit else ""
        planes = [str(first + plane) for plane in texture.channels] + ["-1"] * (4 - len(texture.channels))
        picked += f"    planes = number == {number}u ? ivec4({', '.join(planes)}) : planes;\n"
    ways = [_WRITES[each.pixel_format] for each in textures]
    order = sorted(range(len(textures)), key=lambda number: ways.index(ways[number]))
    turns = "".join(f"    number = turn == {turn}u ? {number}u : number;\n" for turn, number in enumerate(order))
    return f"""// The samples of a texel again; level 0 has them, but for vectors of which only two sides are kept.
IgsPlanes igs_samples(IgsPlanes planes, bool level_0)
{{
    if (level_0) {{
{level_0}    }} else {{
{undone}    }}
    return planes;
}}

// The planes of a texture's channels, -1 for those that it has not.
ivec4 igs_texture_planes(uint number)
{{
    ivec4 planes = ivec4(-1, -1, -1, -1);
{picked}    return planes;
}}

// The textures by format.
uint igs_texture_in_turn(uint turn)
{{
    uint number = 0u;
{turns}    return number;
}}

// Whether a texture's values have 16 bits.
bool igs_is_wide(uint number)
{{
    return {_is_one_of([number for number, each in enumerate(textures) if each.pixel_format == R16])};
}}
"""


def _unit(number: int, places: Sequence[str], samples: str) -> str:
    normal = f"normal{number}"
    lines = f"        vec3 {normal} = igs_unit({samples});\n"
    return lines + "".join(f"        {places[axis]} = 0.5 * {normal}.{'xyz'[axis]} + 0.5;\n" for axis in range(3))


def _writes(textures: Sequence[LoadedTexture]) -> str:
    """Return what writes blocks: each encoder once, since compilers copy it to each call."""
    body = ""
    for written in dict.fromkeys(_WRITES[each.pixel_format] for each in textures):
        own = [number for number, each in enumerate(textures) if _WRITES[each.pixel_format] == written]
        body += f"    if ({_is_one_of(own)}) {{\n{written}    }}\n"
    opaque = [number for number, each in enumerate(textures) if len(each.channels) < BLOCK]
    return f"""// A block of a texture to the output.
//   at     the block
//   last   the last texel of the level, counted from the block's first
//   place  word of the level, words from one row of blocks, or of texels, to the next
void igs_write_texels(uint number, IgsBlock texels, uvec2 at, ivec2 last, ivec2 place)
{{
    bool opaque = {_is_one_of(opaque)};
{body}}}
"""


def _is_one_of(numbers: Sequence[int]) -> str:
    return " || ".join(f"number == {number}u" for number in numbers) or "false"


def _block_words(encoded: str, count: int) -> str:
    words = "".join(f"        igs_write(word + {k}u, words.{'xyzw'[k]});\n" for k in range(count))
    return (
        f"        uvec{count} words = {encoded};\n"
        f"        uint word = uint(place.x) + at.y * uint(place.y) + {count}u * at.x;\n{words}"
    )


_PLAIN: Final = """        for (int k = 0; k < 16; ++k) {
            if ((k & 3) <= last.x && (k >> 2) <= last.y) {
                uint word = uint(place.x) + (4u * at.y + uint(k >> 2)) * uint(place.y) + 4u * at.x + uint(k & 3);
                igs_write(word, texels.texel[k]);
            }
        }
"""
_PLAIN_16: Final = """        for (int k = 0; k < 16; k += 2) {
            if ((k & 3) <= last.x && (k >> 2) <= last.y) {
                uint word = uint(place.x) + (4u * at.y + uint(k >> 2)) * uint(place.y) + 2u * at.x + uint((k & 3) >> 1);
                igs_write(word, texels.texel[k] | (texels.texel[k + 1] << 16u));
            }
        }
"""
_WRITES: Final = {
    BC1_SRGB: _block_words("igs_bc1(texels)", 2),
    BC4: _block_words("igs_bc4(texels, 0)", 2),
    BC5: _block_words("uvec4(igs_bc4(texels, 0), igs_bc4(texels, 1))", 4),
    BC7: _block_words("igs_bc7(texels, opaque)", 4),
    BC7_SRGB: _block_words("igs_bc7(texels, opaque)", 4),
    R16: _PLAIN_16,
    RGBA8: _PLAIN,
    RGBA8_SRGB: _PLAIN,
}

_TO_SRGB: Final = f"""float igs_linear_to_srgb(float value)
{{
    float toe = {SRGB_SLOPE:g} * value;
    return value <= {literal(SRGB_TOE_ENCODED / SRGB_SLOPE)} ? toe
        : {1 + SRGB_OFFSET:g} * pow(max(value, 0.0), {literal(1 / SRGB_EXPONENT)}) - {SRGB_OFFSET:g};
}}
"""
