"""The functions that tell how the fields of tiles are laid out, by the header or by what is known.

A decoder of one file knows all of them, a decoder made for some materials those that these have in common: what a
compiler knows costs nothing.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from imagegs_tex.shaders.gpu_buffer import PackedGaussians
from imagegs_tex.shaders.material_header import packed_layout
from imagegs_tex.shaders.tile_layout import TileLayout

_BYTES: Final = (
    ("tile_log2", "mask_log2", "position_bits", "offset_bits"),
    ("stride_bits", "own_count_bits", "reach_bits", "width_bits"),
    ("group_count_bits", "entry_count_bits", "tile_bits", "listed_bits"),
)
"""By word of the header and byte."""
_WORDS: Final = ("tile_numbers", "head_numbers", "list_numbers")
LAYOUT_NUMBERS: Final = """    uint tile_numbers; // four bytes each: tile_log2, mask_log2, position_bits, offset_bits
    uint head_numbers; // stride_bits, count_bits, reach_bits, width_bits
    uint list_numbers; // group_count_bits, entry_count_bits, tile_bits, listed_bits
    float tile_row;    // 1 over the tiles across
"""
"""What a material's numbers hold where they are not known."""
_ABOUT: Final = """\
// Tiles are 2^tile_log2 texels, masks tell 2^mask_log2 blocks apart along both axes, others are widths of what tiles
// hold, in bits. Those of the header are unpacked where they are used: as members they would fill the registers.
"""


def layout_numbers(layout: TileLayout) -> dict[str, int]:
    """Return the numbers by name."""
    words = packed_layout(layout)
    return {name: words[word] >> 8 * byte & 255 for word, names in enumerate(_BYTES) for byte, name in enumerate(names)}


def layout_functions(known: Mapping[str, int], tiles_across: int | None = None) -> str:
    """Return the functions.

    Args:
        known: numbers by name, others come from the header
        tiles_across: None: the header's
    """
    text = _ABOUT
    for word, names in enumerate(_BYTES):
        for byte, name in enumerate(names):
            unpacked = f"igs_field(m.{_WORDS[word]}, {8 * byte}u, 8u)"
            text += _function(f"uint igs_{name}(IgsMaterial m)", f"{known[name]}u" if name in known else unpacked)
    # A division of integers of the buffer takes long; the product is right below 2^21 tiles.
    row = "uint((float(number) + 0.5) * m.tile_row)" if tiles_across is None else f"number / {tiles_across}u"
    return text + _function("uint igs_tile_row(IgsMaterial m, uint number)", row)


def common_numbers(materials: Sequence[PackedGaussians]) -> dict[str, int]:
    """Return the numbers that are the same in all of some materials."""
    first, *others = (layout_numbers(material.layout) for material in materials)
    return {name: value for name, value in first.items() if all(other[name] == value for other in others)}


def common_members(materials: Sequence[PackedGaussians]) -> dict[str, str]:
    """Return what IgsMaterial holds the same of all of some materials, as far as much of the decoder hangs on it."""
    headers = [material.words[material.material_at :] for material in materials]

    def same(word: int, shift: int, bits: int) -> int | None:
        found = {int(header[word]) >> shift & (1 << bits) - 1 for header in headers}
        return found.pop() if len(found) == 1 else None

    members = {}
    for name, shift in (("repeat_x", 0), ("repeat_y", 1), ("has_detail", 2)):
        flag = same(3, shift, 1)
        if flag is not None:
            members[name] = "true" if flag else "false"
    if same(3, 8, 16) == 0:
        members["images"] = "ivec2(0, 0)"
    layered, repeating = same(3, 3, 1), same(3, 4, 1)
    if layered == 1 or repeating == 1 or same(22, 0, 32) == 0:
        members["exact_at"] = "0u"
    if layered == 0:
        members["residual_at"] = "0u"
    if repeating == 0:
        members["repeat_at"] = "0u"
    for name, shift in (("channels", 0), ("components", 8), ("normals", 16)):
        count = same(2, shift, 8)
        if count is not None:
            members[name] = str(count)
    words = same(8, 0, 32)
    return members if words is None else members | {"head_words": f"{words}u"}


def _function(head: str, value: str) -> str:
    return f"{head}\n{{\n    return {value};\n}}\n\n"
