"""The parts of a decoder that depend on the file: constants, the material's numbers, and codes to channels.

Everything here is text made of numbers; no text from the file goes into it. The text is GLSL that glsl_to_hlsl.to_hlsl
understands.
"""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np

from imagegs_tex.formats.igs.quantized_set import EPSILON, QuantizedGaussianSet, basis_values, least_exponent
from imagegs_tex.formats.igs.quantized_set import OFFSET_SCALE as _OFFSET_SCALE
from imagegs_tex.shaders.exact_texels import exact_lines
from imagegs_tex.shaders.gpu_buffer import PackedGaussians
from imagegs_tex.shaders.material_header import least_words, size_factor
from imagegs_tex.shaders.tile_layout import NEAR_TILES

DATA_BINDING: Final = 0
OUTPUT_BINDING: Final = 1
REGION_BINDING: Final = 2
"""Bindings of the buffer, the output images and the region's constants; HLSL uses t0, u1 and b2 for them, so that the
numbers stay distinct where a translator to Vulkan or OpenGL puts all registers into one space."""

_GROUP_FLOATS: Final = 10  # at, along, box, across in shared memory, before the codes
_GROUP_BYTES: Final = 14336  # for Gaussians: WebGPU has 16,384 in all
MOST_BASIS_VECTORS: Final = 64
"""Of 16 bytes, that the compute decoder of many materials has room for in shared memory: 1,024 of WebGPU's 16,384."""
MOST_ROWS: Final = 4
"""Texels that a thread of the compute decoder sums up at a time, where there are few components."""
_MANY_COMPONENTS: Final = (12, 20)
"""Up to 12 components a thread sums up 4 texels, up to 20 it does 2, beyond that 1: about 60 registers of sums."""


def literal(value: float) -> str:
    """Return a float32 as a literal of GLSL and HLSL that reads back as the same number."""
    text = f"{np.float32(value):.9g}"
    return text if "." in text or "e" in text else f"{text}.0"


def constants(quantized: QuantizedGaussianSet, packed: PackedGaussians, derived: Sequence[tuple[int, int]]) -> str:
    """Return the #defines that core.glsl and tiles.glsl use."""
    components = quantized.component_count
    lines = [
        ("IGS_WIDTH", str(quantized.width), "texels"),
        ("IGS_HEIGHT", str(quantized.height), "texels"),
        ("IGS_CHANNELS", str(quantized.channel_count), "coded channels"),
        ("IGS_VALUES", str(quantized.channel_count + len(derived)), "of a texel: coded channels, z of unit normals"),
        ("IGS_LAYERS", str(layer_count(quantized)), "images of four channels that the compute decoder writes"),
        ("IGS_COMPONENTS", str(components), "values that a Gaussian carries"),
        ("IGS_ROWS", str(group_rows(components)), "texels per thread of the compute decoder at a time"),
        ("IGS_GROUP_VECTORS", str(group_vectors(components)), "of shared memory per Gaussian"),
        ("IGS_CODE_VECTORS", str(max(group_vectors(components) - 3, 1)), "of them behind the first two features"),
        ("IGS_WIDTH_WORDS", str(-(-components // _WIDTHS_PER_WORD)), "of a tile's widths of features"),
        ("IGS_ROW_LOG2", f"{packed.row_log2}u", "texture variant: texels of one word across"),
        ("IGS_ROW_MASK", f"{(1 << packed.row_log2) - 1}u", ""),
        *_NUMBERS,
    ]
    return defines(lines)


def shared_constants(most_components: int, most_values: int, row_log2: int) -> str:
    """Return the same for the decoder of all materials with at most so many components and values.

    An engine may set all three before the include.
    """
    few, many = _MANY_COMPONENTS
    return (
        own_or("IGS_COMPONENTS", str(most_components), "values that a Gaussian carries at most")
        + own_or("IGS_VALUES", str(most_values), "of a texel at most: coded channels, z of unit normals")
        + own_or("IGS_ROW_LOG2", f"{row_log2}u", "texture variant: texels of one word across, as a power of two")
        + f"#if IGS_COMPONENTS > {many}\n#define IGS_ROWS 1 // texels per thread of the compute decoder at a time\n"
        f"#elif IGS_COMPONENTS > {few}\n#define IGS_ROWS 2\n#else\n#define IGS_ROWS 4\n#endif\n"
        + defines(
            [
                ("IGS_CHANNELS", "IGS_VALUES", ""),
                ("IGS_LAYERS", "((IGS_VALUES + 3) / 4)", "images of four channels that the compute decoder writes"),
                (
                    "IGS_GROUP_VECTORS",
                    f"((IGS_COMPONENTS + {_GROUP_FLOATS + 3}) / 4)",
                    "of shared memory per Gaussian",
                ),
                ("IGS_CODE_VECTORS", "((IGS_COMPONENTS + 3) / 4)", "of them behind the first two features, at most"),
                (
                    "IGS_WIDTH_WORDS",
                    f"((IGS_COMPONENTS + {_WIDTHS_PER_WORD - 1}) / {_WIDTHS_PER_WORD})",
                    "of a tile's widths of features",
                ),
                ("IGS_ROW_MASK", "((1u << IGS_ROW_LOG2) - 1u)", ""),
                *_NUMBERS,
            ]
        )
        + f"#if (IGS_COMPONENTS + 1) * IGS_LAYERS > {MOST_BASIS_VECTORS}\n"
        "#define IGS_BASIS_FITS 0 // into the compute decoder's shared memory\n#define IGS_BASIS_VECTORS 1\n#else\n"
        "#define IGS_BASIS_FITS 1\n#define IGS_BASIS_VECTORS ((IGS_COMPONENTS + 1) * IGS_LAYERS)\n#endif\n"
    )


def shared_layers(values: int) -> int:
    """Return how many vectors of four hold so many values."""
    return -(-values // 4)


def _near(axis: int) -> str:
    """Return how far tiles around one are from the first along an axis, two bits each."""
    return f"0x{sum(place[axis] + 1 << 2 * k for k, place in enumerate(NEAR_TILES)):04X}u"


_WIDTHS_PER_WORD: Final = 6
"""Of features, whose widths have at most five bits."""
_NUMBERS: Final = [
    ("IGS_NEAR_COLUMNS", _near(0), "of the tiles around one"),
    ("IGS_NEAR_ROWS", _near(1), ""),
    ("IGS_EPSILON", literal(EPSILON), "added to the sum of weights"),
    ("IGS_LOG2_E", literal(math.log2(math.e)), ""),
    ("IGS_ROOT_HALF_LOG2_E", literal(math.sqrt(math.log2(math.e) / 2)), ""),
]


def defines(lines: Sequence[tuple[str, str, str]]) -> str:
    """Return #defines of names, values and notes."""
    return "".join(f"#define {name} {value}{f' // {note}' if note else ''}\n" for name, value, note in lines)


def own_or(name: str, value: str, note: str = "") -> str:
    """Return a #define that an engine may set to something else before the include."""
    return f"#ifndef {name}\n{defines([(name, value, note)])}#endif\n"


def bindings() -> str:
    """Return the #defines that an engine may set to others before the include."""
    lines = [
        ("IGS_SET", "0"),
        ("IGS_BINDING", str(DATA_BINDING)),
        ("IGS_OUTPUT_BINDING", str(OUTPUT_BINDING)),
        ("IGS_REGISTER", f"t{DATA_BINDING}"),
        ("IGS_OUTPUT_REGISTER", f"u{OUTPUT_BINDING}"),
    ]
    return "".join(own_or(name, value) for name, value in lines)


def group_rows(component_count: int) -> int:
    """Return how many texels a thread of the compute decoder sums up at a time."""
    return MOST_ROWS >> sum(component_count > limit for limit in _MANY_COMPONENTS)


def group_vectors(component_count: int) -> int:
    """Return how many vectors of four a Gaussian takes in the compute decoder's shared memory."""
    return -(-(_GROUP_FLOATS + component_count) // 4)


def group_constants() -> str:
    """Return the #defines of the compute decoder's workgroup; whoever includes it may choose IGS_GROUP_LOG2."""
    few, many = (4 * (_GROUP_BYTES // (16 * slots)) - _GROUP_FLOATS for slots in (128, 64))
    return f"""#ifndef IGS_GROUP_LOG2
#define IGS_GROUP_LOG2 4 // 64 threads decode 16 x 16 texels; 5: 256 threads decode 32 x 32
#endif
#define IGS_GROUP_THREADS (1u << (2 * IGS_GROUP_LOG2 - 2))
#define IGS_GROUP_SIDE (1u << IGS_GROUP_LOG2)
#define IGS_GROUP_PARTS (1u << (2 * IGS_GROUP_LOG2 - 7)) // of 16 x 8 texels
#if IGS_COMPONENTS > {many}
#define IGS_GROUP_SLOTS 32u // Gaussians in shared memory
#elif IGS_COMPONENTS > {few} || IGS_GROUP_LOG2 == 4
#define IGS_GROUP_SLOTS 64u
#else
#define IGS_GROUP_SLOTS 128u
#endif
"""


def layer_count(quantized: QuantizedGaussianSet) -> int:
    """Return how many images of four channels hold all coded channels."""
    return -(-quantized.channel_count // 4)


def material_functions(
    quantized: QuantizedGaussianSet, packed: PackedGaussians, values: int, more: dict[str, str]
) -> str:
    """Return igs_material with the numbers of this material's header.

    Args:
        quantized: a valid set
        packed: its buffer
        values: of a texel
        more: numbers of the detail layer
    """
    layout = packed.layout
    tiles_at = packed.material_at + packed.tiles_at
    sides = zip(quantized.wrap, (quantized.width, quantized.height), strict=True)
    turns = [literal(1 / side if repeats else 0.0) for repeats, side in sides]
    numbers = {
        "at": f"{packed.material_at}u",
        "width": quantized.width,
        "height": quantized.height,
        "channels": quantized.channel_count,
        "components": quantized.component_count,
        "repeat_x": str(quantized.wrap[0]).lower(),
        "repeat_y": str(quantized.wrap[1]).lower(),
        "images": f"ivec2({packed.images[0]}, {packed.images[1]})",
        "size": f"vec2({quantized.width}.0, {quantized.height}.0)",
        "turns": f"vec2({', '.join(turns)})",
        "tiles": f"uvec2({layout.tiles_across}u, {layout.tiles_down}u)",
        "tiles_at": f"{tiles_at}u",
        "blocks_at": f"{tiles_at + layout.head_words * layout.tiles_across * layout.tiles_down}u",
        "exact_at": f"{0 if quantized.exact is None else packed.material_at + packed.last_at}u",
        "levels_at": f"{packed.material_at + packed.coarse_at}u",
        "first_level": 0 if packed.coarse is None else packed.coarse.range.first,
        "direct_level": 0 if packed.coarse is None else packed.coarse.range.direct,
        "last_level": 0 if packed.coarse is None else packed.coarse.range.last,
        "values": values,
        "widening": "0.0",
        "head_words": f"{layout.head_words}u",
        "least": f"uvec3({', '.join(f'0x{word:08X}u' for word in least_words(layout))})",
        "position_step": literal(2.0 ** (least_exponent(quantized.width, quantized.height) - 1)),
        "size_step": literal(quantized.size_step),
        "form_step": literal(quantized.form_step),
        "edge": literal(math.exp(-quantized.cutoff)),
        "limit": literal(quantized.cutoff * math.log2(math.e)),
        "size_factor": literal(size_factor(quantized)),
        **more,
    }
    lines = "".join(f"    m.{name} = {value};\n" for name, value in numbers.items())
    return f"""IgsMaterial igs_material()
{{
    IgsMaterial m;
{lines}    return m;
}}
"""


def finish_function(
    quantized: QuantizedGaussianSet, packed: PackedGaussians, derived: Sequence[tuple[int, int]]
) -> str:  # fmt: skip
    """Return igs_finish with the basis of this material."""
    if quantized.exact is None:
        lines = _channel_lines(quantized)
        used = "    float scale = 1.0 / (IGS_EPSILON + sums.weight);\n"
    else:
        lines, used = [exact_lines(quantized, packed.material_at + packed.last_at)], ""
    layered = quantized.residual is not None or quantized.repeat is not None
    if layered or quantized.detail is not None:
        behind = range(quantized.channel_count, quantized.channel_count + len(derived))
        lines += [f"    texel.channel[{value}] = 0.0;\n" for value in behind]  # compilers want all of it set
    if layered:
        lines.append(SUMS_END)
    if quantized.detail is not None:
        lines.append(
            "    if (m.widening == 0.0) {\n        texel = igs_add_detail(m, texel, igs_grain(m, at));\n    }\n"
        )
    for number, sides in enumerate(derived):
        x, y = (f"(2.0 * texel.channel[{side}] - 1.0)" for side in sides)
        z = f"sqrt(max(0.0, 1.0 - {x} * {x} - {y} * {y}))"
        lines.append(f"    texel.channel[{quantized.channel_count + number}] = 0.5 * {z} + 0.5;\n")
    name, given = ("igs_gaussians", "") if layered else ("igs_finish", ", uvec2 at")
    return f"""// Sums to components, components through the basis to channels.
IgsTexel {name}(IgsMaterial m, IgsSums sums{given})
{{
{used}    IgsTexel texel;
{"".join(lines)}    return texel;
}}
"""


SUMS_END: Final = """    return texel;
}

// The channels with all layers, held to 0..1, to values.
IgsTexel igs_complete(IgsMaterial m, IgsTexel texel, uvec2 at)
{
    texel = igs_in_range(texel);
"""
"""Of files with a repeat or a residual: where what is made of sums ends, before it is added."""


def _channel_lines(quantized: QuantizedGaussianSet) -> list[str]:
    """Return the statements that make the channels of sums."""
    basis = basis_values(quantized.basis_codes, quantized.basis_scale)
    lines = [
        f"    float y{k} = scale * {literal(step)} * sums.code[{k}];\n"
        for k, step in enumerate(quantized.feature_steps)
    ]
    for channel, offset in enumerate(quantized.offset_codes / _OFFSET_SCALE):
        terms = [f"({literal(basis[k, channel])}) * y{k}" for k in range(len(basis)) if basis[k, channel] != 0]
        groups = [" + ".join(terms[start : start + 4]) for start in range(0, len(terms), 4)]
        value = "\n        + ".join([literal(offset), *groups])
        held = value if quantized.residual or quantized.repeat else f"clamp({value}, 0.0, 1.0)"
        lines.append(f"    texel.channel[{channel}] = {held};\n")
    return lines
