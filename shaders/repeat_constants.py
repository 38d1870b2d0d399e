"""The parts of repeat.glsl that depend on the file. Files without a repeat have none.

The text is GLSL that glsl_to_hlsl understands, made of numbers alone.
"""

from imagegs_tex.formats.igs.quantized_set import QuantizedGaussianSet
from imagegs_tex.shaders.gpu_buffer import PackedGaussians
from imagegs_tex.shaders.include_text import fill_source
from imagegs_tex.shaders.repeat_words import HEAD_WORDS, WEIGHTS_AT
from imagegs_tex.shaders.residual_constants import blocks_function


def repeat_source(quantized: QuantizedGaussianSet, packed: PackedGaussians) -> str:
    """Return what adds the repeat to a point's channels; nothing without one."""
    layer = quantized.repeat
    if layer is None:
        return ""
    lattice = layer.lattice
    at = packed.material_at + packed.last_at
    numbers = {
        "period": f"uvec2({lattice.period[0]}u, {lattice.period[1]}u)",
        "origin": f"uvec2({lattice.origin[0]}u, {lattice.origin[1]}u)",
        "shift": f"{lattice.shift}u",
        "across": f"{lattice.cells((quantized.width, quantized.height))[0]}u",
        "pictures": f"{layer.picture_count - 1}u",
        "weights": f"{4 * (at + int(packed.words[at + WEIGHTS_AT]))}u",
    }
    lines = "".join(f"    lattice.{name} = {value};\n" for name, value in numbers.items())
    function = f"IgsLattice igs_lattice(IgsMaterial m)\n{{\n    IgsLattice lattice;\n{lines}    return lattice;\n}}\n\n"
    blocks = blocks_function("igs_repeat_blocks", layer.blocks, at + HEAD_WORDS, lattice.period[0])
    return fill_source("repeat.glsl", {"lattice": f"{blocks}\n{function}"}) + "\n"
