"""How a file's own decoder adds repeat and residual to what its Gaussians make of a point."""

from collections.abc import Mapping

from imagegs_tex.formats.igs.quantized_set import QuantizedGaussianSet
from imagegs_tex.shaders.detail_constants import row_loop
from imagegs_tex.shaders.gpu_buffer import PackedGaussians
from imagegs_tex.shaders.include_text import source
from imagegs_tex.shaders.repeat_constants import repeat_source
from imagegs_tex.shaders.residual_constants import (
    SHARE_LAYER,
    column_rows,
    column_source,
    column_store,
    residual_source,
)


def added_parts(
    quantized: QuantizedGaussianSet, packed: PackedGaussians, parts: Mapping[str, str]
) -> dict[str, str]:  # fmt: skip
    """Return the parts of a decoder that are others with such a layer; nothing without."""
    layered, repeats = quantized.residual is not None, quantized.repeat is not None
    if not layered and not repeats:
        return {}
    changed = {
        "layers": "".join(
            [source("cosine_blocks.glsl"), "\n", repeat_source(quantized, packed), residual_source(quantized, packed)]
        ),
        "finish": parts["finish"] + _finish(layered=layered, repeats=repeats),
        "return_finished": "    return igs_finish(m, sums, texel, p);\n",
    }
    complete = "igs_complete" if quantized.detail is None else "igs_group_complete"
    added = {**({"repeat": ""} if repeats else {}), **({"residual": ""} if layered else {})}
    rows = column_rows("igs_gaussians(m, igs_plain_sums({sums}))", added)
    return changed | {
        "group_material": f"{parts['group_material']}{column_source(added)}\n",
        "group_start": parts["group_start"] + "".join(SHARE_LAYER[layer] for layer in added),
        "rows": rows + row_loop(column_store(complete)),
    }


def _finish(*, layered: bool, repeats: bool) -> str:
    """Return igs_finish."""
    lines = "    texel = igs_add_repeat(m, texel, p, at);\n" if repeats else ""
    lines += "    texel = igs_add_residual(m, texel, p, at);\n" if layered else ""
    return f"""
// What Gaussians have summed up at a point of the texel `at`, and what layers add, to values.
IgsTexel igs_finish(IgsMaterial m, IgsSums sums, uvec2 at, vec2 p)
{{
    IgsTexel texel = igs_gaussians(m, sums);
{lines}    return igs_complete(m, texel, at);
}}
"""
