"""The detail layer of a material in the buffer: its envelope, and the numbers that make noise of the noise tile.

docs/gpu-buffer.md, "Detail", lists the words.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.formats.igs.detail_layer import CHANNEL_SCALE_LOG2, MIXING_SCALE, DetailLayer
from imagegs_tex.formats.igs.quantized_set import OFFSET_SCALE

_CELLS_PER_WORD: Final = 8


def envelope_word_count(detail: DetailLayer) -> int:
    """Return the words of the envelope, behind which the numbers lie."""
    return -(-detail.envelope_codes.size // _CELLS_PER_WORD)


def detail_words(detail: DetailLayer | None, offset_codes: NDArray[np.uint16]) -> NDArray[np.uint32]:
    """Return envelope and numbers; nothing without a layer.

    Args:
        detail: of the set
        offset_codes: of the set's channels [C]
    """
    if detail is None:
        return np.empty(0, dtype=np.uint32)
    codes = detail.envelope_codes.ravel().astype(np.uint32)
    cells = np.pad(codes, (0, -codes.size % _CELLS_PER_WORD)).reshape(-1, _CELLS_PER_WORD)
    envelope = (cells << (4 * np.arange(_CELLS_PER_WORD, dtype=np.uint32))).sum(axis=1, dtype=np.uint32)
    bands = detail.band_codes.reshape(-1, 4, 2).transpose(0, 2, 1)  # even ones, odd ones
    amplitudes = 1.0 - detail.slopes @ (offset_codes / OFFSET_SCALE)
    heads = np.column_stack(
        [
            [right | down << 8 for right, down in detail.shifts],
            np.ascontiguousarray(bands).view("<u4")[..., 0],
            amplitudes.astype("<f4").view("<u4"),
        ]
    )
    scales = np.exp2(-detail.channel_codes.astype(np.float64) / CHANNEL_SCALE_LOG2) / MIXING_SCALE
    slopes = detail.slope_codes.astype("<i2").view("<u2").astype(np.uint32)
    mixing = detail.mixing_codes.T.view(np.uint8).astype(np.uint32)
    parts = [
        envelope, [detail.component_count], heads.ravel(), scales.astype("<f4").view("<u4"),
        (slopes | mixing << np.uint32(16)).ravel(),
    ]  # fmt: skip
    return np.concatenate([np.asarray(part, dtype=np.uint32) for part in parts])
