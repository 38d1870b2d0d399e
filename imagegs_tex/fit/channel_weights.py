"""How much each channel's error counts, so that smooth maps of little contrast keep what they have.

The squared error of all channels together is smallest when bits go where the error is largest, and that is where there
is most noise: a height map whose detail is ten times finer than the base colour's grain gets next to nothing. What a
fit leaves of a channel is about its detail, here its variance within blocks as wide as Gaussians are apart, so a
channel weighs by how much less of it there is than is usual in the material. At equal bytes that is nearly free
(docs/experiments/channels.md).
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.formats.material.stack import TextureStack
from imagegs_tex.formats.row_threads import in_bands
from imagegs_tex.formats.vocabulary import SCALAR_SEMANTICS, Coded, FloatTexels, Semantic

EXPONENT: Final = 0.7
"""Of the ratio of details: 0.5 left a smooth height (stylized_stone_floor_001) 1.2 dB behind the reference's, this
leaves none behind; 1 cost a crop of fabric_pattern_07 0.5 dB as a whole."""
MOST: Final = 4.0
"""A channel weighs at most this; 2 was too little for heights."""
_BLOCK: Final = 11
"""Texels: about the distance between Gaussians."""
_BLOCK_ROWS: Final = 16
"""Rows of blocks that are added up at once."""
_ENOUGH_TEXELS: Final = 1 << 21
"""Of larger pictures, only some rows of blocks are looked at."""
_LEAST_DETAIL: Final = 1e-5
"""Deviation within blocks, below a 16-bit step: avoids a division by zero."""


def channel_weights(stack: TextureStack) -> tuple[float, ...]:
    """Return how much the squared error of each coded channel counts [C]: what the stack asks for, times 1 to MOST."""
    details = _details(stack.texels)
    typical = float(np.sqrt(details.mean()))
    weights = np.ones(stack.channel_count)
    for group in _groups(stack):
        own = max(float(np.sqrt(details[group].mean())), _LEAST_DETAIL)
        weights[group] = np.maximum(weights[group], min(MOST, (typical / own) ** EXPONENT))
    return tuple(float(weight) for weight in weights * (stack.channel_weights or 1.0))


def _groups(stack: TextureStack) -> Iterator[list[int]]:
    """Give the coded channels that make one thing: a colour, a normal, or a scalar by itself."""
    for texture_map in stack.maps:
        found: dict[tuple[Semantic, int], list[int]] = {}
        for route, semantic in zip(texture_map.routes, texture_map.channel_semantics, strict=True):
            if isinstance(route, Coded):
                scalar = route.index if semantic in SCALAR_SEMANTICS else -1
                found.setdefault((semantic, scalar), []).append(route.index)
        yield from found.values()


def _details(texels: FloatTexels) -> NDArray[np.float64]:
    """Return the mean variance within blocks of each channel [C]; rests at the right and bottom edges are left out."""
    height, width, channels = texels.shape
    high, wide = min(_BLOCK, height), min(_BLOCK, width)
    down, across = height // high, width // wide
    blocks = texels[: down * high, : across * wide].reshape(down, high, across, wide, channels)
    blocks = blocks[:: max(1, height * width // _ENOUGH_TEXELS)]

    def variances(rows: slice) -> NDArray[np.float32]:
        # Sums go over a block's texels, each beside those of all blocks in the row: long rows take half the time.
        return np.asarray(np.ascontiguousarray(blocks[rows].transpose(1, 3, 0, 2, 4)).var(axis=(0, 1)))

    found = np.concatenate(in_bands(variances, len(blocks), 1))
    total = np.zeros(channels)
    for first in range(0, len(blocks), _BLOCK_ROWS):
        total += found[first : first + _BLOCK_ROWS].sum(axis=(0, 1), dtype=np.float64)
    return np.asarray(total / (len(blocks) * across))
