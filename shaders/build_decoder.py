"""A file's decoder in memory: its include files and samples as text, its buffer, and what describes them."""

import re
from dataclasses import dataclass
from typing import Final, Literal

from imagegs_tex.formats.igs.quantized_set import QuantizedGaussianSet
from imagegs_tex.shaders.accessors import Accessor, accessor_functions, list_accessors
from imagegs_tex.shaders.added_layers import added_parts
from imagegs_tex.shaders.coarse_levels import LevelPictures
from imagegs_tex.shaders.decode_cost import DecodeCost, decode_cost
from imagegs_tex.shaders.derived_z import derived_normals
from imagegs_tex.shaders.detail_constants import (
    DETAIL_NUMBERS,
    SHARE_AXES,
    detail_functions,
    detail_numbers,
    own_detail_constants,
    rotated_rows,
    row_loop,
    written_rows,
)
from imagegs_tex.shaders.file_constants import (
    MOST_ROWS,
    bindings,
    constants,
    finish_function,
    group_constants,
    group_rows,
    material_functions,
)
from imagegs_tex.shaders.footprint_constants import anisotropy_constant, normal_functions
from imagegs_tex.shaders.glsl_to_hlsl import to_hlsl
from imagegs_tex.shaders.gpu_buffer import PackedGaussians, pack_gaussians
from imagegs_tex.shaders.include_text import (
    HLSL_INCLUDE,
    STORAGE_INCLUDE,
    TEXTURE_INCLUDE,
    fill,
    fill_source,
    join_include,
    source,
)
from imagegs_tex.shaders.layout_functions import layout_functions, layout_numbers
from imagegs_tex.shaders.meaning_table import GREEN_DOWN, GREEN_UP, normal_green
from imagegs_tex.shaders.residual_constants import nibble_constants
from imagegs_tex.shaders.sample_shaders import OWN_PARTS, sample_shaders
from imagegs_tex.shaders.written_out import write_out

Language = Literal["glsl", "hlsl"]
LANGUAGES: Final[tuple[Language, ...]] = ("glsl", "hlsl")

_FOOTPRINT_SOURCES: Final = ("levels.glsl", "footprint.glsl", "stochastic.glsl")

_ABOUT: Final = (
    "Decodes one .igs material. Generated for that file; igs_decode(uv) and the accessors are the interface."
)
_LOOPED_COMPONENTS: Final = 8
"""Up to which NVIDIA's compiler unrolls the loop over a thread's texels that are finished without noise. With nine an
H200 takes 0.044 ms for 1024 x 1024 texels of 9 channels, 0.036 where they are written out; with seven and eight 0.5 and
1.8 % less by the loop."""
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
_GROUP_MATERIAL: Final = """IgsMaterial igs_group_material()
{
    return igs_material();
}

"""
_DECODE_GROUP: Final = """// igs_decode_tiles_group of this material.
void igs_decode_group(uvec2 group, uint thread, ivec2 place)
{
    igs_decode_tiles_group(group, thread, place);
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
    layered = quantized.residual is not None or quantized.repeat is not None
    detail = fill(source("detail.glsl"), {"noise": detail_functions(quantized)}) + "\n" if has_detail else ""
    values = quantized.channel_count + len(derived)
    finish = finish_function(quantized, packed, derived)
    parts = {
        "material": material_functions(quantized, packed, values, detail_numbers(quantized, packed)),
        "layout_numbers": "",
        "layout": layout_functions(layout_numbers(packed.layout), packed.layout.tiles_across),
        "more_numbers": DETAIL_NUMBERS if has_detail else "",
        "detail": detail,
        "layers": "",
        "finish": finish,
        "source_material": "        IgsMaterial known = m;\n",
        "return_finished": "    return igs_finish(m, sums, texel);\n",
        "rows": _finished_rows(quantized),
        "decode": _DECODE,
        "group_material": _GROUP_MATERIAL + (_group_finish(finish) if has_detail else ""),
        "group_start": SHARE_AXES if has_detail else "",
        "decode_group": _DECODE_GROUP,
        "sample": _SAMPLE,
        "draw": _DRAW,
        "accessors": accessor_functions(quantized.maps, accessors),
        "surface": _surface(accessors),
        "fetch": f"    IgsTexel texel = {'igs_decode' if pictures is None else 'igs_sample'}(uv);\n",
    }
    parts |= added_parts(quantized, packed, parts)
    head = constants(quantized, packed, derived) + "\n" + bindings() + group_constants()
    has = "".join(f"#define {name.upper()}_EXISTS 1\n" for name in dict.fromkeys(a.name for a in accessors))
    if "IGS_NORMAL_EXISTS" in has:
        y = {GREEN_UP: 1, GREEN_DOWN: -1}.get(normal_green(quantized.maps), 0)
        has += f"#define IGS_NORMAL_Y {y} // green points up: 1, down: -1, its map's name does not say: 0\n"
    core = fill(source("core.glsl"), parts)
    if pictures is not None:
        head += anisotropy_constant()
        parts["normals"] = normal_functions(quantized, accessors)
        core = "\n".join([core, *(fill_source(name, parts) for name in _FOOTPRINT_SOURCES)])
    head += (own_detail_constants(quantized) if has_detail else "") + (nibble_constants() if layered else "")
    tiles = write_out(fill(source("tiles.glsl"), parts))
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
    samples = sample_shaders(includes, OWN_PARTS | parts)
    cost = decode_cost(quantized, packed, has_levels=pictures is not None)
    return Decoder(includes, samples, packed, accessors, cost, quantized.channel_count)


def _finished_rows(quantized: QuantizedGaussianSet) -> str:
    """Return what makes texels of a thread's sums."""
    rows = group_rows(quantized.component_count)
    finish = "igs_finish" if quantized.detail is None else "igs_group_finish"
    rotated = rotated_rows(rows, f"{finish}(m, igs_plain_sums(sums[0]), at)")
    if quantized.exact is not None or rows < MOST_ROWS:  # else a stack frame holds sums[row]: nvcc, 128 bytes
        return rotated
    each = f"{finish}(m, igs_plain_sums(sums[row]), at)"
    if quantized.component_count <= _LOOPED_COMPONENTS:
        plain = row_loop(f"                igs_store(ivec2(at) + place, {each});\n")
    else:
        plain = written_rows(rows, each)
    return plain if quantized.detail is None else f"#if IGS_DETAIL != 0\n{rotated}#else\n{plain}#endif\n"


def _group_finish(finish: str) -> str:
    """Return what draws noise, igs_finish or igs_complete, with what a workgroup shares of that."""
    drawing = finish.split("\n\n", 1)[-1]  # behind what makes channels of sums, where that is apart
    text = re.sub(r" igs_(finish|complete)\(", r" igs_group_\1(", drawing).replace("igs_grain(", "igs_group_grain(")
    return f"{source('detail_tiles.glsl')}\n{text}\n"


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
