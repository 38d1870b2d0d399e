"""The coarse levels: what a shader reads where its footprint is 2^first_level texels or more, 16 unless told otherwise.

A texel of level l covers 2^l x 2^l texels of the picture, counted from its top left corner, and is the mean of those
inside the picture: a box filter, as in the mip chains of L. Williams ("Pyramidal Parametrics", 1983). Levels go from
the first one until one texel is left. They are derived from the picture whenever a decoder is built, and never stored
in a file. A texel takes 10 bits per channel, three channels to a word: with 8 bits, rounding alone is 59 dB, which is
where level 6 of some materials lies; 16 bits take 60 % more.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.formats.igs.quantized_set import QuantizedGaussianSet
from imagegs_tex.shaders.derived_z import derived_normals, with_derived

FIRST_LEVEL: Final = 4
"""Unless told otherwise. Each level less takes four times the bytes and a quarter of the worst sample's decodes."""
FIRST_LEVEL_RANGE: Final = (1, 4)
CHANNEL_BITS: Final = 10
CHANNELS_PER_WORD: Final = 3
MAX_CODE: Final = (1 << CHANNEL_BITS) - 1


@dataclass(frozen=True, slots=True)
class CoarseLevel:
    """Where one level lies."""

    level: int  # texels are 2^level texels of the picture wide and high
    first_word: int  # counted from the first word of the first level
    across: int  # texels
    down: int  # texels


@dataclass(frozen=True, slots=True)
class CoarseLevels:
    """All coarse levels of a material, as the buffer holds them."""

    levels: tuple[CoarseLevel, ...]  # the first one, the next, ... to the one of 1 x 1 texels
    channel_count: int  # C, coded channels and what derived_z.py adds
    texel_words: int  # words per texel
    words: NDArray[np.uint32]


def coarse_layout(quantized: QuantizedGaussianSet, first_level: int = FIRST_LEVEL) -> CoarseLevels:
    """Return the levels of a set from one of FIRST_LEVEL_RANGE on, all texels zero: enough to know what they take."""
    channels = quantized.channel_count + len(derived_normals(quantized.maps))
    texel_words = -(-channels // CHANNELS_PER_WORD)
    levels, at, level = [], 0, first_level
    while True:
        across, down = -(-quantized.width >> level), -(-quantized.height >> level)
        levels.append(CoarseLevel(level, at, across, down))
        at += across * down * texel_words
        if across == down == 1:
            return CoarseLevels(tuple(levels), channels, texel_words, np.zeros(at, dtype=np.uint32))
        level += 1


def coarse_levels(
    quantized: QuantizedGaussianSet, texels: NDArray[np.float32], first_level: int = FIRST_LEVEL
) -> CoarseLevels:
    """Average the picture of a set.

    Args:
        quantized: the set
        texels: its coded channels [H, W, C] in [0, 1]
        first_level: of FIRST_LEVEL_RANGE
    """
    layout = coarse_layout(quantized, first_level)
    sums, counts = _halved(with_derived(quantized.maps, texels)), _halved(np.ones((*texels.shape[:2], 1)))
    at, words = 1, []
    for level in layout.levels:
        while at < level.level:
            sums, counts, at = _halved(sums), _halved(counts), at + 1
        words.append(_packed(sums / counts, layout.texel_words))
    return replace(layout, words=np.concatenate(words))


def _halved(values: NDArray[np.floating]) -> NDArray[np.float64]:
    """Add up 2 x 2 values; beyond the edge there is nothing."""
    odd = [(0, values.shape[0] % 2), (0, values.shape[1] % 2), (0, 0)]
    even = np.pad(values, odd) if any(after for _, after in odd) else values
    pairs = np.add(even[0::2], even[1::2], dtype=np.float64)
    return np.asarray(pairs[:, 0::2] + pairs[:, 1::2])


def _packed(means: NDArray[np.float64], texel_words: int) -> NDArray[np.uint32]:
    codes = np.rint(np.clip(means, 0, 1) * MAX_CODE).astype(np.uint32).reshape(-1, means.shape[2])
    words = np.zeros((len(codes), texel_words), dtype=np.uint32)
    for channel in range(means.shape[2]):
        word, place = divmod(channel, CHANNELS_PER_WORD)
        words[:, word] |= codes[:, channel] << np.uint32(CHANNEL_BITS * place)
    return words.ravel()
