"""The repeat layer of a material in the buffer: its lattice, the blocks of a cell, the weights of each cell.

docs/gpu-buffer.md, "Repeat".
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.formats.igs.repeat_layer import RepeatLayer
from imagegs_tex.shaders.residual_words import residual_words

HEAD_WORDS: Final = 6
"""Behind them the blocks of a cell begin, as a residual's."""
WEIGHTS_AT: Final = 4
"""Word of the head that tells where weights begin, counted from the first."""


def repeat_words(layer: RepeatLayer | None, size: tuple[int, int]) -> NDArray[np.uint32]:
    """Return head, blocks and weights; nothing without a layer. Size: of the picture."""
    if layer is None:
        return np.empty(0, dtype=np.uint32)
    lattice, blocks = layer.lattice, residual_words(layer.blocks)
    weights = np.moveaxis(layer.weight_codes, 0, -1).astype(np.int8).ravel()
    weights_at = HEAD_WORDS + len(blocks)
    head = [
        lattice.period[0] | lattice.period[1] << 16,
        lattice.origin[0] | lattice.origin[1] << 16,
        lattice.shift | lattice.cells(size)[0] << 16,
        layer.picture_count - 1,
        weights_at,
        weights_at - (-weights.size // 4),
    ]
    filled = np.pad(weights, (0, -weights.size % 4)).view("<u4")
    return np.concatenate([np.array(head, dtype=np.uint32), blocks, filled.astype(np.uint32)])
