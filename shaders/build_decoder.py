"""A file's decoder in memory: its include files and samples as text, its buffer, and what describes them."""

import re
import zlib
from dataclasses import dataclass
from importlib import resources
from typing import Final, Literal

from imagegs_tex.formats.igs.quantized_set import QuantizedGaussianSet
from imagegs_tex.shaders.accessors import Accessor, accessor_functions, list_accessors
from imagegs_tex.shaders.coarse_levels import LevelPictures
from imagegs_tex.shaders.decode_cost import DecodeCost, decode_cost
from imagegs_tex.shaders.derived_z import derived_normals
from imagegs_tex.shaders.detail_constants import (
    DETAIL_NUMBERS,
    detail_constants,
    detail_functions,
    detail_numbers,
    picked_store,
)
from imagegs_tex.shaders.file_constants import (
    bindings,
    constants,
    finish_function,
    group_rows,
    material_functions,
)
from imagegs_tex.shaders.footprint_constants import anisotropy_constant, normal_functions
from imagegs_tex.shaders.glsl_to_hlsl import to_hlsl
from imagegs_tex.shaders.gpu_buffer import PackedGaussians, pack_gaussians

Language = Literal["glsl", "hlsl"]
LANGUAGES: Final[tuple[Language, ...]] = ("glsl", "hlsl")

STORAGE_INCLUDE: Final = "igs_decode.glsl"
TEXTURE_INCLUDE: Final = "igs_decode_texture.glsl"
HLSL_INCLUDE: Final = "igs_decode.hlsl"
_FOOTPRINT_SOURCES: Final = ("levels.glsl", "footprint.glsl", "stochastic.glsl")

_ABOUT: Final = (
    "Decodes one .igs material. Generated for that file; igs_decode(uv) and the accessors are the interface."
)
_STORE: Final = "                igs_store(ivec2(at) + place, igs_finish(m, sums[row], at));\n"
_DECODE: Final = """// igs_decode_material_at of this material.
IgsTexel igs_decode_at(vec2 p)
{
    return igs_decode_material_at(igs_material(), p);
}

// igs_decode_material of this material.
IgsTexel igs_decode(vec2 uv)
{
    return igs_decode_material(igs_material(), uv);
}

"""
_DECODE_GROUP: Final = """// igs_decode_material_group of this material.
void igs_decode_group(uvec2 group, uint thread, ivec2 place)
{
    igs_decode_material_group(igs_material(), group, thread, place);
}
"""
_SAMPLE: Final = """// igs_sample_material_at of this material.
IgsTexel igs_sample_at(vec2 p, float lod)
{
    return igs_sample_material_at(igs_material(), p, lod);
}

// igs_sample_material_lod of this material.
IgsTexel igs_sample_lod(vec2 uv, float lod)
{
    return igs_sample_material_lod(igs_material(), uv, lod);
}

// igs_sample_material_grad of this material.
IgsTexel igs_sample_grad(vec2 uv, vec2 step_x, vec2 step_y)
{
    return igs_sample_material_grad(igs_material(), uv, step_x, step_y);
}

// In a pixel shader, outside of branches: igs_sample_grad with the pixel's own steps.
#define igs_sample(uv) igs_sample_grad(uv, IGS_DDX(uv), IGS_DDY(uv))

"""


_DRAW: Final = """// igs_sample_material_stochastic of this material.
IgsTexel igs_sample_stochastic(vec2 uv, vec2 step_x, vec2 step_y, vec2 noise)
{
    return igs_sample_material_stochastic(igs_material(), uv, step_x, step_y, noise);
}
"""


@dataclass(frozen=True, slots=True)
class Decoder:
    """Everything that emit writes, before it is written."""

    includes: dict[str, str]  # text by file name: all of the *_INCLUDE names
    samples: dict[str, str]  # text by file name; GLSL samples are complete, HLSL samples #include
    packed: PackedGaussians
    accessors: tuple[Accessor, ...]
    cost: DecodeCost
    channel_count: int  # coded channels

    @property
    def has_footprints(self) -> bool:
        """Whether there are functions that take a footprint."""
        return self.packed.coarse is not None


def build_decoder(
    quantized: QuantizedGaussianSet, block_log2: int | None = None, pictures: LevelPictures | None = None
) -> Decoder:
    """Specialise the decoder's source for a file.

    Args:
        quantized: a valid set
        block_log2: see :func:`imagegs_tex.shaders.gpu_buffer.pack_gaussians`
        pictures: of the set, for the functions that take a footprint; None leaves those out

    Raises:
        UsageError: the supports overlap beyond what an index can hold
    """
    packed = pack_gaussians(quantized, block_log2, pictures)
    accessors = list_accessors(quantized.maps)
    derived = [] if pictures is None else list(derived_normals(quantized.maps).values())
    has_detail = quantized.detail is not None
    plain = not has_detail and quantized.exact is None
    detail = _fill(source("detail.glsl"), {"noise": detail_functions(quantized)}) + "\n" if has_detail else ""
    values = quantized.channel_count + len(derived)
    parts = {
        "material": material_functions(quantized, packed, values, detail_numbers(quantized, packed)),
        "detail_numbers": DETAIL_NUMBERS if has_detail else "",
        "detail": detail,
        "finish": finish_function(quantized, packed, derived),
        "store": _STORE if plain else picked_store(group_rows(quantized.component_count)),
        "decode": _DECODE,
        "decode_group": _DECODE_GROUP,
        "sample": _SAMPLE,
        "draw": _DRAW,
        "accessors": accessor_functions(quantized.maps, accessors),
        "surface": _surface(accessors),
        "fetch": f"    IgsTexel texel = {'igs_decode' if pictures is None else 'igs_sample'}(uv);\n",
    }
    head = constants(quantized, packed, derived) + "\n" + bindings()
    has = "".join(f"#define {name.upper()}_EXISTS 1\n" for name in dict.fromkeys(a.name for a in accessors))
    core = _fill(source("core.glsl"), parts)
    if pictures is not None:
        head += anisotropy_constant()
        parts["normals"] = normal_functions(quantized, accessors)
        core = "\n".join([core, *(fill_source(name, parts) for name in _FOOTPRINT_SOURCES)])
    head += detail_constants() if has_detail else ""
    tiles = _fill(source("tiles.glsl"), parts)
    includes = {
        STORAGE_INCLUDE: join_include(
            _ABOUT, head + has, source("storage.glsl"), core, source("tiles_storage.glsl"), tiles
        ),
        TEXTURE_INCLUDE: join_include(_ABOUT, head + has, source("texture.glsl"), core),
        HLSL_INCLUDE: join_include(
            _ABOUT,
            head + has,
            source("buffer.hlsl"),
            to_hlsl(core),
            source("tiles_buffer.hlsl"),
            to_hlsl(tiles),
        ),
    }
    samples = {}
    for name in ("sample_compute.comp", "sample_pixel.vert", "sample_pixel.frag"):
        samples[name] = with_include(_fill(sample(name), parts), includes[STORAGE_INCLUDE])
    for name in ("sample_texture.vert", "sample_texture.frag"):
        samples[name] = with_include(_fill(sample(name), parts), includes[TEXTURE_INCLUDE])
    for name in ("sample_compute.hlsl", "sample_pixel.hlsl"):
        samples[name] = _fill(sample(name), {part: to_hlsl(parts[part]) for part in ("surface", "fetch")})
    cost = decode_cost(quantized, packed, has_levels=pictures is not None)
    return Decoder(includes, samples, packed, accessors, cost, quantized.channel_count)


def source(name: str) -> str:
    """Return a part of the decoders, a file of source/."""
    return _read("source", name)


def sample(name: str) -> str:
    """Return a complete shader that uses a decoder, a file of samples/."""
    return _read("samples", name)


def _read(folder: str, name: str) -> str:
    return resources.files("imagegs_tex.shaders").joinpath(folder, name).read_text("utf-8")


def with_include(shader: str, include: str) -> str:
    """Put an include's text where a GLSL shader asks for it; GLSL itself has no #include."""
    return shader.replace("//@include\n", include)


def fill_source(name: str, parts: dict[str, str]) -> str:
    """Return a file of source/ with its parts that are generated."""
    return _fill(source(name), parts)


def join_include(about: str, head: str, access: str, core: str, tile_access: str = "", tiles: str = "") -> str:
    """Return an include; a second one is an error, unless it is the same once more.

    Args:
        about: what it does, in one line
        head: constants
        access: how the language reads the buffer
        core: the algorithm
        tile_access: what the compute decoder needs of the language
        tiles: the compute decoder
    """
    compute = f"\n#ifdef IGS_COMPUTE\n{tile_access}\n{tiles}#endif // IGS_COMPUTE\n" if tiles else ""
    text = f"{head}\n{access}\n{core}{compute}"
    number = zlib.crc32(text.encode()) >> 1  # a number that a preprocessor surely reads
    return (
        f"// {about}\n#ifdef IGS_DECODE\n#if IGS_DECODE != {number}\n"
        "#error IGS_DECODE: two different includes in one shader; use the one for many materials\n#endif\n#else\n"
        f"#define IGS_DECODE {number}\n\n{text}\n#endif // IGS_DECODE\n"
    )


def _fill(text: str, parts: dict[str, str]) -> str:
    """Replace lines `//@generated part` by the part, which is as far indented as it has to be."""
    return re.sub(r"^ *//@generated (\w+)\n", lambda match: parts[match[1]], text, flags=re.MULTILINE)


def _surface(accessors: tuple[Accessor, ...]) -> str:
    """Return the sample's material: what the file has, and plain values for what it has not."""
    by_name = {accessor.name: accessor for accessor in accessors}

    def first(names: tuple[str, ...], width: int, other: str) -> str:
        for name in names:
            if name in by_name and by_name[name].width >= width:
                narrowed = {1: ".x", 3: ".xyz"}[width] if by_name[name].width > width else ""
                return f"{name}(texel){narrowed}"
        return other

    some = "vec3(texel.channel[0], texel.channel[0], texel.channel[0])"
    albedo = first(("igs_base_colour_linear", "igs_base_colour", "igs_image_linear", "igs_image"), 3, some)
    return (
        f"    vec3 albedo = {albedo};\n"
        f"    vec3 normal = {first(('igs_normal',), 3, 'vec3(0.0, 0.0, 1.0)')};\n"
        f"    float roughness = {first(('igs_roughness',), 1, '0.6')};\n"
    )
