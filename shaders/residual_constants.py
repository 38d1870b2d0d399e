"""The parts of residual.glsl that depend on the file, and the numbers of its lists. Files without a residual have none.

The text is GLSL that glsl_to_hlsl understands, made of numbers alone.
"""

from typing import Final

from imagegs_tex.formats.igs.quantized_set import QuantizedGaussianSet
from imagegs_tex.formats.igs.residual_layer import BASIS_SCALE, OFFSET_SCALE
from imagegs_tex.shaders.file_constants import defines, literal
from imagegs_tex.shaders.gpu_buffer import PackedGaussians
from imagegs_tex.shaders.residual_words import FAR, NEXT, RUNS, SKIP, TWO, residual_parts

RESIDUAL_NUMBERS: Final = """    uint residual_basis;   // of the buffer, in numbers of 16 bits
    uint residual_order;   // word of the buffer, as the following
    uint residual_blocks;
    uint residual_lists;
    uint residual_across;  // blocks
    uint residual_log2;    // of a block's side
    float residual_unit;   // of a coefficient in a channel
    vec3 residual_offsets; // beyond codes of 1, 2 and more
"""
"""What a material's numbers hold beside the others."""

FINISH: Final = """
// What Gaussians have summed up at a point of the texel `at`, and what the residual adds, to values.
IgsTexel igs_finish(IgsMaterial m, IgsSums sums, uvec2 at, vec2 p)
{
    IgsTexel texel = igs_gaussians(m, sums);
    if (m.widening == 0.0) {
        texel = igs_add_residual(m, texel, p, at);
    }
    return igs_complete(m, texel, at);
}
"""
"""Of a file's own decoder."""

SHARE_RESIDUAL: Final = "    igs_share_residual(igs_group_material(), group, thread);\n"
"""What a workgroup begins with."""
_GROUP_ROWS: Final = 4
"""Texels of a thread at most."""
_LIST_SHARE: Final = 9
"""Coefficients of four texels that a workgroup shares. Blocks of 8 x 8 texels and 16 components at most always have
room: they have 128 coefficients at most, and each component takes one for its end."""


def column_rows(gaussians: str) -> str:
    """Return what is done with all sums of a thread at once.

    Sums are picked by constant numbers, or they would move to memory.

    Args:
        gaussians: what makes channels of sums, which are called ``own``
    """
    texels = ",\n".join(
        f"            {gaussians.replace('own', f'sums[min({row}, IGS_ROWS - 1)]')}" for row in range(_GROUP_ROWS)
    )
    return f"""        uvec2 first_at = group * uvec2(IGS_GROUP_SIDE, IGS_GROUP_SIDE) + first_texel;
        IgsColumn column = igs_column_of(
{texels}
        );
        column = igs_add_residual_column(m, column, first_at);
"""


def column_store(complete: str) -> str:
    """Return what the compute decoder does with a texel then; complete: what makes values of its channels."""
    return f"                igs_store(ivec2(at) + place, {complete}(m, igs_texel_of_column(column, row), at));\n"


def residual_constants() -> str:
    """Return the #defines that residual.glsl uses."""
    return defines(
        [
            ("IGS_RESIDUAL_RUNS", f"{RUNS}u", "zeros before a coefficient that its nibble does not tell"),
            ("IGS_RESIDUAL_TWO", f"{TWO}u", "from here on coefficients of two, without zeros before them"),
            ("IGS_RESIDUAL_SKIP", f"{SKIP}u", ""),
            ("IGS_RESIDUAL_NEXT", f"{NEXT}u", ""),
            ("IGS_RESIDUAL_FAR", f"{FAR}u", ""),
            ("IGS_LIST_SHARE", f"{_LIST_SHARE}u", "coefficients of four texels that the compute decoder shares"),
        ]
    )


def residual_numbers(quantized: QuantizedGaussianSet, packed: PackedGaussians) -> dict[str, str]:
    """Return those numbers; none without a residual."""
    layer = quantized.residual
    if layer is None:
        return {}
    at = packed.material_at + packed.last_at
    parts = residual_parts(layer)
    offsets = ", ".join(literal(code / OFFSET_SCALE) for code in layer.offset_codes)
    return {
        "residual_basis": f"{2 * (at + parts.basis)}u",
        "residual_order": f"{at + parts.order}u",
        "residual_blocks": f"{at + parts.blocks}u",
        "residual_lists": f"{at + parts.lists}u",
        "residual_across": f"{-(-quantized.width >> layer.side_log2)}u",
        "residual_log2": f"{layer.side_log2}u",
        "residual_unit": literal(layer.step * 2 / layer.side / BASIS_SCALE),
        "residual_offsets": f"vec3({offsets})",
    }
