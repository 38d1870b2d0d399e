"""The parts of a decoder that depend on the file: constants, unpacking of codes, and codes to channels.

Everything here is text made of numbers; no text from the file goes into it. The text is GLSL that glsl_to_hlsl.to_hlsl
understands.
"""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np

from imagegs_tex.formats.igs.quantized_set import EPSILON, QuantizedGaussianSet, basis_values
from imagegs_tex.formats.igs.quantized_set import OFFSET_SCALE as _OFFSET_SCALE
from imagegs_tex.shaders.exact_texels import exact_lines
from imagegs_tex.shaders.gpu_buffer import PackedGaussians
from imagegs_tex.shaders.record_layout import WORD_BITS, Field, RecordLayout
from imagegs_tex.shaders.tile_index import BLOCKS_PER_TILE_LOG2

GROUP_LOG2: Final = 4
"""A workgroup of the compute decoder covers 16 x 16 texels."""

DATA_BINDING: Final = 0
OUTPUT_BINDING: Final = 1
REGION_BINDING: Final = 2
"""Bindings of the buffer, the output images and the region's constants; HLSL uses t0, u1 and b2 for them, so that the
numbers stay distinct where a translator to Vulkan or OpenGL puts all registers into one space."""

_GROUP_FLOATS: Final = 7  # at, along, across, scale in shared memory, before the codes
_MANY_COMPONENTS: Final = (12, 20)
"""Up to 12 components a thread sums up 4 texels, up to 20 it does 2, beyond that 1: about 60 registers of sums."""


def literal(value: float) -> str:
    """Return a float32 as a literal of GLSL and HLSL that reads back as the same number."""
    text = f"{np.float32(value):.9g}"
    return text if "." in text or "e" in text else f"{text}.0"


def constants(quantized: QuantizedGaussianSet, packed: PackedGaussians, derived: Sequence[tuple[int, int]]) -> str:
    """Return the #defines that core.glsl and tiles.glsl use."""
    index = packed.index
    components = quantized.component_count
    block_log2 = index.block_log2
    mask = 1 if block_log2 >= GROUP_LOG2 else 0x33  # a group of 16 texels holds 2 x 2 blocks of 8
    lines = [
        ("IGS_WIDTH", str(quantized.width), "texels"),
        ("IGS_HEIGHT", str(quantized.height), "texels"),
        ("IGS_CHANNELS", str(quantized.channel_count), "coded channels"),
        ("IGS_VALUES", str(quantized.channel_count + len(derived)), "of a texel: coded channels, z of unit normals"),
        ("IGS_LAYERS", str(layer_count(quantized)), "images of four channels that the compute decoder writes"),
        ("IGS_COMPONENTS", str(components), "values that a Gaussian carries"),
        ("IGS_GAUSSIANS", str(quantized.gaussian_count), ""),
        ("IGS_RECORDS_AT", "0u", "word of the buffer"),
        ("IGS_RECORD_WORDS", f"{packed.layout.word_count}u", ""),
        ("IGS_TILES_AT", f"{packed.tiles_at}u", "word of the buffer"),
        ("IGS_ENTRIES_AT", f"{packed.entries_at}u", "word of the buffer"),
        ("IGS_BLOCK_LOG2", f"{block_log2}u", f"blocks of {1 << block_log2} texels"),
        ("IGS_BLOCKS_ACROSS", f"{index.candidates.shape[1]}u", ""),
        ("IGS_BLOCKS_DOWN", f"{index.candidates.shape[0]}u", ""),
        ("IGS_TILES_ACROSS", f"{index.tiles_across}u", f"tiles of {1 << block_log2 + BLOCKS_PER_TILE_LOG2} texels"),
        ("IGS_NONE", "0xFFFFFFFFu", "no Gaussian"),
        (
            "IGS_IMAGES",
            str(math.prod(2 * beside + 1 for beside in index.images)),
            "of a Gaussian, that a point looks at",
        ),
        ("IGS_ROWS", str(group_rows(components)), "texels per thread of the compute decoder at a time"),
        ("IGS_GROUP_MASK", f"{mask}u", "blocks of a group"),
        ("IGS_GROUP_VECTORS", f"{-(-(_GROUP_FLOATS + components) // 4)}u", "of shared memory per Gaussian"),
        ("IGS_POSITION_STEP", literal(2.0**packed.layout.position_exponent), "texels"),
        ("IGS_SIZE_STEP", literal(quantized.size_step), "of m"),
        ("IGS_FORM_STEP", literal(quantized.form_step), "of h and b"),
        ("IGS_EDGE", literal(math.exp(-quantized.cutoff)), f"exp(-{quantized.cutoff:g}), the weight at the cut-off"),
        ("IGS_EPSILON", literal(EPSILON), "added to the sum of weights"),
        ("IGS_LOG2_E", literal(math.log2(math.e)), ""),
        ("IGS_ROOT_HALF_LOG2_E", literal(math.sqrt(math.log2(math.e) / 2)), ""),
        ("IGS_ROW_LOG2", f"{packed.row_log2}u", "texture variant: texels of one word across"),
        ("IGS_ROW_MASK", f"{(1 << packed.row_log2) - 1}u", ""),
    ]
    return "".join(f"#define {name} {value}{f' // {note}' if note else ''}\n" for name, value, note in lines)


def bindings() -> str:
    """Return the #defines that an engine may set to others before the include."""
    lines = [
        ("IGS_BINDING", str(DATA_BINDING)),
        ("IGS_OUTPUT_BINDING", str(OUTPUT_BINDING)),
        ("IGS_REGISTER", f"t{DATA_BINDING}"),
        ("IGS_OUTPUT_REGISTER", f"u{OUTPUT_BINDING}"),
    ]
    return "".join(f"#ifndef {name}\n#define {name} {value}\n#endif\n" for name, value in lines)


def group_rows(component_count: int) -> int:
    """Return how many texels a thread of the compute decoder sums up at a time."""
    return 4 >> sum(component_count > limit for limit in _MANY_COMPONENTS)


def layer_count(quantized: QuantizedGaussianSet) -> int:
    """Return how many images of four channels hold all coded channels."""
    return -(-quantized.channel_count // 4)


def code_functions(
    quantized: QuantizedGaussianSet, packed: PackedGaussians, derived: Sequence[tuple[int, int]]
) -> str:  # fmt: skip
    """Return igs_inside, igs_image, igs_entry, igs_shape_codes, igs_features and igs_finish."""
    return "\n".join(
        [
            _inside_function(quantized.wrap),
            _image_function(quantized.wrap, packed.index.images),
            _entry_function(packed.entry_words),
            _shape_function(packed.layout),
            _features_function(packed.layout, quantized.feature_exponent),
            _finish_function(quantized, packed, derived),
        ]
    )


def _inside_function(wrap: tuple[bool, bool]) -> str:
    values = [
        f"uv.{axis} - floor(uv.{axis})" if repeats else f"clamp(uv.{axis}, 0.0, 1.0)"
        for axis, repeats in zip("xy", wrap, strict=True)
    ]
    return f"""// The texture coordinate inside the picture that one anywhere means.
vec2 igs_inside(vec2 uv)
{{
    return vec2({", ".join(values)});
}}
"""


def _image_function(wrap: tuple[bool, bool], beside: tuple[int, int]) -> str:
    across = 2 * beside[0] + 1
    numbers = (f"image % {across} - {beside[0]}", f"image / {across} - {beside[1]}")
    lines = ""
    for axis, side, repeats, others, number in zip("xy", ("WIDTH", "HEIGHT"), wrap, beside, numbers, strict=True):
        if repeats:
            size = f"float(IGS_{side})"
            more = f" + float({number})" if others else ""
            lines += f"    mean.{axis} += {size} * (floor((p.{axis} - mean.{axis}) / {size} + 0.5){more});\n"
    return f"""// Where an image of a Gaussian lies: the nearest one to a point, or another beside it.
// It is exact in float32 and near the point, so that nothing is lost when it is subtracted.
vec2 igs_image(vec2 mean, vec2 p, int image)
{{
{lines}    return mean;
}}
"""


def _entry_function(entry_words: int) -> str:
    if entry_words == 1:
        body = """    uint word = igs_word(IGS_ENTRIES_AT + entry);
    return ((word >> 16u) & mask) != 0u ? word & 65535u : IGS_NONE;
"""
    else:
        body = """    uint at = IGS_ENTRIES_AT + 2u * entry;
    return (igs_word(at + 1u) & mask) != 0u ? igs_word(at) : IGS_NONE;
"""
    return f"""// The Gaussian of an entry if it reaches one of the blocks in the mask, IGS_NONE otherwise.
uint igs_entry(uint entry, uint mask)
{{
{body}}}
"""


def _shape_function(layout: RecordLayout) -> str:
    codes = ", ".join(f"int({_bits(field)}) + ({field.least})" for field in layout.shape)
    return f"""// Codes m, h, b of the record at a word of the buffer.
ivec3 igs_shape_codes(uint at)
{{
{_loads(layout.shape)}    return ivec3({codes});
}}
"""


def _features_function(layout: RecordLayout, feature_exponent: float) -> str:
    size, used, scale = layout.shape[0], layout.features, "1.0"
    if feature_exponent:
        factor = literal(-0.5 * feature_exponent * math.log2(math.e))
        scale = f"exp2({factor} * (IGS_SIZE_STEP * float(int({_bits(size)}) + ({size.least}))))"
        used = (size, *used)
    codes = "".join(f"    features.code[{k}] = float({_bits(field)});\n" for k, field in enumerate(layout.features))
    return f"""IgsFeatures igs_features(uint gaussian)
{{
    uint at = IGS_RECORDS_AT + gaussian * IGS_RECORD_WORDS;
{_loads(used)}    IgsFeatures features;
    features.scale = {scale};
{codes}    return features;
}}
"""


def _finish_function(
    quantized: QuantizedGaussianSet, packed: PackedGaussians, derived: Sequence[tuple[int, int]]
) -> str:  # fmt: skip
    if quantized.exact is None:
        lines = _channel_lines(quantized, packed.layout)
        used = "    float scale = 1.0 / (IGS_EPSILON + sums.weight);\n"
    else:
        lines, used = [exact_lines(quantized, packed.exact_at)], ""
    if quantized.detail is not None:
        behind = range(quantized.channel_count, quantized.channel_count + len(derived))
        lines += [f"    texel.channel[{value}] = 0.0;\n" for value in behind]  # compilers want all of it set
        lines.append("    texel = igs_add_detail(texel, at);\n")
    for number, sides in enumerate(derived):
        x, y = (f"(2.0 * texel.channel[{side}] - 1.0)" for side in sides)
        z = f"sqrt(max(0.0, 1.0 - {x} * {x} - {y} * {y}))"
        lines.append(f"    texel.channel[{quantized.channel_count + number}] = 0.5 * {z} + 0.5;\n")
    where = ", uvec2 at" if knows_texel(quantized) else ""
    return f"""// Sums to components, components through the basis to channels.
IgsTexel igs_finish(IgsSums sums{where})
{{
{used}    IgsTexel texel;
{"".join(lines)}    return texel;
}}
"""


def knows_texel(quantized: QuantizedGaussianSet) -> bool:
    """Whether igs_finish is told the texel of the picture that it is for."""
    return quantized.detail is not None or quantized.exact is not None


def _channel_lines(quantized: QuantizedGaussianSet, layout: RecordLayout) -> list[str]:
    """Return the statements that make the channels of sums."""
    basis = basis_values(quantized.basis_codes, quantized.basis_scale)
    lines = []
    for k, field in enumerate(layout.features):
        step = literal(quantized.feature_steps[k])
        lines.append(f"    float y{k} = scale * {step} * (sums.code[{k}] + ({literal(field.least)}) * sums.scaled);\n")
    for channel, offset in enumerate(quantized.offset_codes / _OFFSET_SCALE):
        terms = [f"({literal(basis[k, channel])}) * y{k}" for k in range(len(basis)) if basis[k, channel] != 0]
        groups = [" + ".join(terms[start : start + 4]) for start in range(0, len(terms), 4)]
        value = "\n        + ".join([literal(offset), *groups])
        lines.append(f"    texel.channel[{channel}] = clamp({value}, 0.0, 1.0);\n")
    return lines


def _loads(fields: tuple[Field, ...]) -> str:
    words = sorted(
        {
            bit // WORD_BITS
            for field in fields
            if field.bit_count
            for bit in (field.first_bit, field.first_bit + field.bit_count - 1)
        }
    )
    return "".join(f"    uint word{word} = igs_word(at + {word}u);\n" for word in words)


def _bits(field: Field) -> str:
    """Return the expression of a field's stored bits."""
    if field.bit_count == 0:
        return "0u"
    word, shift = divmod(field.first_bit, WORD_BITS)
    low = f"(word{word} >> {shift}u)" if shift else f"word{word}"
    if shift + field.bit_count > WORD_BITS:
        low = f"({low} | (word{word + 1} << {WORD_BITS - shift}u))"
    elif shift + field.bit_count == WORD_BITS:
        return low
    return f"{low} & {(1 << field.bit_count) - 1}u"
