"""The parts of detail.glsl that depend on the file: constants, and how bands make components and those the channels.

The text is GLSL that glsl_to_hlsl understands, made of numbers alone. Files without a detail layer have none of it.
"""

from typing import Final

import numpy as np

from imagegs_tex.formats.igs.detail_layer import (
    BAND_SCALE,
    MAX_AMPLITUDE,
    MAX_NOISE_COMPONENTS,
    RELIEF_COMPONENTS,
    DetailLayer,
)
from imagegs_tex.formats.igs.noise_tile import (
    DEVIATION,
    GRID_FACTOR,
    LAYER_WEIGHT_ONE,
    LAYER_WEIGHTS,
    TILE_SIDE,
    block_count,
)
from imagegs_tex.formats.igs.quantized_set import OFFSET_SCALE, QuantizedGaussianSet
from imagegs_tex.shaders.file_constants import defines, literal, own_or
from imagegs_tex.shaders.gpu_buffer import PackedGaussians

_MOST_COMPONENTS: Final = MAX_NOISE_COMPONENTS + RELIEF_COMPONENTS - 1
_BAND_MIDDLE: Final = 8
"""What words of the tile hold for 0."""
_HALF_BANDS: Final = 4
"""Of a word's bands."""
_GRID_MULTIPLY_ADDS: Final = 2
"""Of a component: what the two grids weigh."""
_ENVELOPE_MULTIPLY_ADDS: Final = 6
_ENVELOPE_ROWS: Final = 6
"""In 32 texels, cells of 8 texels are so many; those of the encoder have 16 or more."""
_GROUP_SIDE: Final = 32
"""Texels of the larger workgroups."""


def detail_constants(most_rows: int = _ENVELOPE_ROWS) -> str:
    """Return the #defines that detail.glsl uses; most_rows: cells of the envelope that 32 texels down need."""
    lines = [
        ("IGS_NOISE_BLOCK_ROW", f"{GRID_FACTOR}u", "block numbers from one row to the next"),
        (
            "IGS_ENVELOPE_ROWS",
            f"{min(most_rows, _ENVELOPE_ROWS)}u",
            "of cells, that a group of the compute decoder shares at most",
        ),
    ]
    # The last of the 17 pairs is that before it, so that 16 fill two words.
    assert LAYER_WEIGHTS[-1] == LAYER_WEIGHTS[-2]
    for layer, name in enumerate(("FIRST", "SECOND")):
        for start in (0, 8):
            codes = [pair[layer] << 4 * place for place, pair in enumerate(LAYER_WEIGHTS[start : start + 8])]
            lines.append((f"IGS_{name}_WEIGHTS_{start}", f"0x{sum(codes):08X}u", "twelfths, 4 bits each"))
    return own_or("IGS_DETAIL", "1", "0: without noise") + defines(lines)


def own_detail_constants(quantized: QuantizedGaussianSet) -> str:
    """Return the same for one material, of whose envelope a group shares no more than it needs."""
    assert quantized.detail is not None
    rows = quantized.detail.envelope_codes.shape[0]
    return detail_constants(-(-_GROUP_SIDE * rows // quantized.height) + 2)


def shared_detail_constants() -> str:
    """Return the same with what shared_detail.glsl uses."""
    return detail_constants() + defines(
        [
            ("IGS_SUM_MIDDLE", f"{_BAND_MIDDLE * _SUM_SCALE}u", "what sums hold for 0, of a weight of 1"),
            ("IGS_NOISE_SCALE", literal(_NOISE_SCALE), ""),
            ("IGS_MOST_AMPLITUDE", literal(MAX_AMPLITUDE), ""),
            ("IGS_NOISES", str(_MOST_COMPONENTS), "components at most"),
        ]
    )


_SUM_SCALE: Final = 1 << 12
"""By how much weighed sums of bands are more in the shaders: nothing has to be shifted then."""
_NOISE_SCALE: Final = 1 / (_SUM_SCALE * BAND_SCALE * LAYER_WEIGHT_ONE * DEVIATION)
"""What makes a component's noise of its weighed sum of bands."""
DETAIL_NUMBERS: Final = """    uint envelope_at; // word of the buffer
    uvec2 envelope_cells;
    uint noise_at; // word of the buffer
    uvec2 noise_blocks;
"""
"""What a material's numbers hold beside the others."""


SHARE_AXES: Final = """#if IGS_DETAIL != 0
    igs_share_grain(igs_group_material(), group, thread);
#endif
"""
"""What a workgroup begins with where noise is drawn."""


def detail_numbers(quantized: QuantizedGaussianSet, packed: PackedGaussians) -> dict[str, str]:
    """Return those numbers; none without a detail layer."""
    if quantized.detail is None:
        return {}
    rows, columns = quantized.detail.envelope_codes.shape
    return {
        "envelope_at": f"{packed.material_at + packed.envelope_at}u",
        "envelope_cells": f"uvec2({columns}u, {rows}u)",
        "noise_at": f"{packed.noise_at}u",
        "noise_blocks": f"uvec2({block_count(quantized.width)}u, {block_count(quantized.height)}u)",
    }


def detail_functions(quantized: QuantizedGaussianSet) -> str:
    """Return igs_add_detail."""
    detail = quantized.detail
    assert detail is not None
    offset = quantized.offset_codes / OFFSET_SCALE
    noises = "".join(_component(detail, offset, component) for component in range(detail.component_count))
    channels = ""
    for channel, mixing in enumerate(detail.mixing):
        terms = " + ".join(f"({literal(share * _NOISE_SCALE)}) * noise{k}" for k, share in enumerate(mixing) if share)
        if terms:
            value = f"clamp(texel.channel[{channel}] + {terms}, 0.0, 1.0)"
            channels += f"        texel.channel[{channel}] = {value};\n"
    return f"""// Adds the noise of a texel of the picture to its channels. Each component has its own bands, and an
// amplitude that grows with the channels.
IgsTexel igs_add_detail(IgsMaterial m, IgsTexel texel, IgsGrain grain)
{{
    if (IGS_DETAIL != 0) {{
{noises}{channels}    }}
    return texel;
}}
"""


def row_loop(store: str, bound: str = "IGS_ROWS", behind: str = "") -> str:
    """Return the loop over a thread's texels.

    Args:
        store: what is done with the one of ``row``, at the texel ``at``
        bound: of rows
        behind: what is done then, whether the texel is one of the picture or not
    """
    return f"""        for (int row = 0; row < {bound}; ++row) {{
            uvec2 at = group * uvec2(IGS_GROUP_SIDE, IGS_GROUP_SIDE) + first_texel + uvec2(0u, uint(row));
            if (at.x < uint(m.width) && at.y < uint(m.height)) {{
{store}            }}
{behind}        }}
"""


def picked_store(most_rows: int, finish: str) -> str:
    """Return what the compute decoder does with the sums of a texel, of which a thread has at most so many.

    They are picked by constant numbers: the loop over a thread's texels is not unrolled where much follows, and then
    sums[row] moves all sums to memory, which takes an H200 0.063 instead of 0.048 ms for 1024 x 1024 texels of 9
    channels.

    Args:
        most_rows: texels of a thread
        finish: what makes a texel of the sums, which are called ``own``
    """
    picked = "".join(
        f"                if (row == {row}) {{\n"
        f"                    own = sums[min({row}, IGS_ROWS - 1)];\n                }}\n"
        for row in range(1, most_rows)
    )
    store = f"                igs_store(ivec2(at) + place, {finish});\n"
    return f"                IgsGroupSums own = sums[0];\n{picked}{store}"


def rotated_rows(rows: int, finish: str) -> str:
    """Return the loop over a thread's texels that makes them of sums, which move up from texel to texel.

    So the next one's are always the first: ``sums[row]`` would move all of them to memory, as above, and a copy that
    is picked by constant numbers would be held beside them.

    Args:
        rows: texels of a thread
        finish: what makes a texel of ``sums[0]``
    """
    moves = "".join(f"            sums[{row}] = sums[{row + 1}];\n" for row in range(rows - 1))
    return row_loop(f"                igs_store(ivec2(at) + place, {finish});\n", behind=moves)


def detail_multiply_adds(detail: DetailLayer) -> int:
    """Return what a texel's noise takes; its places in the tile, which are integer arithmetic, come on top."""
    components = detail.component_count * (_GRID_MULTIPLY_ADDS + 2)  # the middle and the strength
    bands = np.count_nonzero(detail.band_codes)
    strengths = np.array(sorted({*map(tuple, detail.slope_codes.tolist())}))  # np.unique imports numpy.ma: 10 ms
    terms = 2 * bands + np.count_nonzero(detail.mixing_codes) + np.count_nonzero(strengths)
    return _ENVELOPE_MULTIPLY_ADDS + components + int(terms + len(strengths))  # and the envelope of each strength


def _component(detail: DetailLayer, offset: np.ndarray, component: int) -> str:
    """Return what draws one component: bands, added up exactly in integers, times envelope and amplitude.

    What scales it to a deviation of 1 is in the channels' shares. Equal slopes make one strength: a height's three.
    """
    codes = [int(code) << 12 - 4 * (band % _HALF_BANDS) for band, code in enumerate(detail.band_codes[component])]
    low, high = (f"uvec4({', '.join(f'{code}u' for code in half)})" for half in (codes[:4], codes[4:]))
    places = ", ".join(_place(f"grain.{grid}", detail.shifts[component]) for grid in ("first", "second"))
    middle = _BAND_MIDDLE * _SUM_SCALE * int(detail.band_codes[component].sum())
    text = f"        float total{component} = igs_total(m, grain, uvec2({places}), {low}, {high}, {middle}u);\n"
    first = _strength_of(detail, component)
    if first == component:
        slopes = detail.slopes[component]
        growth = [f"({literal(slope)}) * texel.channel[{channel}]" for channel, slope in enumerate(slopes) if slope]
        amplitude = " + ".join([literal(1.0 - float(slopes @ offset)), *growth])
        limited = f"clamp({amplitude}, 0.0, {literal(MAX_AMPLITUDE)})"
        text += f"        float strength{component} = grain.envelope * {limited};\n"
    return f"{text}        float noise{component} = strength{first} * total{component};\n"


def _place(grid: str, shift: tuple[int, int]) -> str:
    """Return a texel of the tile, so many texels further right and down. Half a tile is a bit of either."""
    right, down = shift
    if right % (TILE_SIDE // 2) or down % (TILE_SIDE // 2):
        return f"igs_shifted({grid}, {right}u, {TILE_SIDE * down}u)"
    return f"{grid} ^ {right + TILE_SIDE * down}u" if right + down else grid


def _strength_of(detail: DetailLayer, component: int) -> int:
    """Return the first component with the same slopes, whose strength is its own."""
    return int(np.all(detail.slope_codes == detail.slope_codes[component], axis=1).argmax())


def written_rows(rows: int, finish: str) -> str:
    """Return the same for each of a thread's texels by itself: a loop that is not unrolled moves sums to memory.

    Args:
        rows: texels of a thread
        finish: what makes a texel of ``sums[row]``, which stands for each of them
    """
    texels = "".join(
        f"""        if (at.x < uint(m.width) && at.y < uint(m.height)) {{
            igs_store(ivec2(at) + place, {finish.replace("[row]", f"[{row}]")});
        }}
        at.y += 1u;
"""
        for row in range(rows)
    )
    return f"        uvec2 at = group * uvec2(IGS_GROUP_SIDE, IGS_GROUP_SIDE) + first_texel;\n{texels}"
