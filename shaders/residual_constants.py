"""The parts of residual.glsl that depend on the file, and the numbers of its lists. Files without a residual have none.

The text is GLSL that glsl_to_hlsl understands, made of numbers alone.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Final

from imagegs_tex.formats.igs.quantized_set import QuantizedGaussianSet
from imagegs_tex.formats.igs.residual_layer import BASIS_SCALE, OFFSET_SCALE, ResidualLayer
from imagegs_tex.shaders.file_constants import defines, literal
from imagegs_tex.shaders.gpu_buffer import PackedGaussians
from imagegs_tex.shaders.include_text import source
from imagegs_tex.shaders.residual_words import FAR, NEXT, RUNS, SKIP, TWO, residual_parts

SHARE_LAYER: Final = {
    "repeat": "    igs_share_repeat(igs_group_material(), thread);\n",
    "residual": "    igs_share_residual(igs_group_material(), group, thread);\n",
}
"""What a workgroup begins with, by layer."""
_GROUP_ROWS: Final = 4
"""Texels of a thread at most."""
_LIST_SHARE: Final = 9
"""Coefficients of four texels that a workgroup shares. Blocks of 8 x 8 texels and 16 components at most always have
room: they have 128 coefficients at most, and each component takes one for its end."""


def column_rows(gaussians: str, added: Mapping[str, str]) -> str:
    """Return what is done with all sums of a thread at once.

    Sums are picked by constant numbers, or they would move to memory.

    Args:
        gaussians: what makes channels of ``{sums}``, those of the texel that is ``{row}`` below the first one
        added: of layers that columns get, by name, whether there is one; nothing where there is one for sure
    """
    lines = ""
    for layer, condition in added.items():
        line = f"column = igs_add_{layer}_column(m, column, first_at);\n"
        lines += f"        if ({condition}) {{\n            {line}        }}\n" if condition else f"        {line}"
    texels = ",\n".join(
        f"            {gaussians.format(sums=f'sums[min({row}, IGS_ROWS - 1)]', row=row)}" for row in range(_GROUP_ROWS)
    )
    return f"""        uvec2 first_at = group * uvec2(IGS_GROUP_SIDE, IGS_GROUP_SIDE) + first_texel;
        IgsColumn column = igs_column_of(
{texels}
        );
{lines}"""


def column_store(complete: str) -> str:
    """Return what the compute decoder does with a texel then; complete: what makes values of its channels."""
    return f"                igs_store(ivec2(at) + place, {complete}(m, igs_texel_of_column(column, row), at));\n"


def column_source(added: Collection[str]) -> str:
    """Return what adds layers to columns; added: their names."""
    parts = [source("columns.glsl"), source("cosine_lists.glsl"), *(_COLUMN_SOURCES[layer]() for layer in added)]
    return "\n".join(parts)


def shared_column_source() -> str:
    """Return the same for any layers; memory is shared for those alone that the engine has not left out."""
    layers = "".join(
        f"#if IGS_{layer.upper()} != 0\n{make()}#else\n#define igs_add_{layer}_column(m, column, at) column\n#endif\n"
        for layer, make in _COLUMN_SOURCES.items()
    )
    return f"{column_source(())}\n{layers}"


_COLUMN_SOURCES: Final[dict[str, Callable[[], str]]] = {
    "repeat": lambda: source("repeat_columns.glsl"),
    "residual": lambda: f"{source('residual_tiles.glsl')}\n{source('residual_columns.glsl')}",
}


def nibble_constants() -> str:
    """Return the #defines that cosine_blocks.glsl uses."""
    return defines(
        [
            ("IGS_NIBBLE_RUNS", f"{RUNS}u", "zeros before a coefficient that its nibble does not tell"),
            ("IGS_NIBBLE_TWO", f"{TWO}u", "from here on coefficients of two, without zeros before them"),
            ("IGS_NIBBLE_SKIP", f"{SKIP}u", ""),
            ("IGS_NIBBLE_NEXT", f"{NEXT}u", ""),
            ("IGS_NIBBLE_FAR", f"{FAR}u", ""),
            ("IGS_LIST_SHARE", f"{_LIST_SHARE}u", "coefficients of four texels that the compute decoder shares"),
        ]
    )


def residual_source(quantized: QuantizedGaussianSet, packed: PackedGaussians) -> str:
    """Return what adds the residual to a point's channels; nothing without one."""
    if quantized.residual is None:
        return ""
    at = packed.material_at + packed.residual_at
    blocks = blocks_function("igs_residual_blocks", quantized.residual, at, quantized.width)
    return f"{blocks}\n{source('residual.glsl')}\n"


def blocks_function(name: str, layer: ResidualLayer, at: int, width: int) -> str:
    """Return the function that tells where the blocks of a layer lie.

    Args:
        name: of the function
        layer: the layer
        at: word of the buffer at which it begins
        width: of what the blocks cover, in texels
    """
    parts = residual_parts(layer)
    offsets = ", ".join(literal(code / OFFSET_SCALE) for code in layer.offset_codes)
    numbers = {
        "basis": f"{2 * (at + parts.basis)}u",
        "order": f"{at + parts.order}u",
        "begins": f"{at + parts.blocks}u",
        "lists": f"{at + parts.lists}u",
        "across": f"{-(-width >> layer.side_log2)}u",
        "components": f"{len(layer.basis_codes)}u",
        "log2": f"{layer.side_log2}u",
        "unit": literal(layer.step * 2 / layer.side / BASIS_SCALE),
        "offsets": f"vec3({offsets})",
    }
    lines = "".join(f"    blocks.{name} = {value};\n" for name, value in numbers.items())
    return f"IgsCosineBlocks {name}(IgsMaterial m)\n{{\n    IgsCosineBlocks blocks;\n{lines}    return blocks;\n}}\n"
