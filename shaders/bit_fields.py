"""Bit fields in words: field after field from a word's lowest bit up, across words."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

WORD_BITS: Final = 32
_WORD_MASK: Final = np.uint64(0xFFFFFFFF)


def bit_lengths(values: NDArray[np.integer]) -> NDArray[np.int64]:
    """Return how many bits each value of 0 to 2^32 - 1 takes; 0 takes none."""
    return np.asarray(np.frexp(values.astype(np.float64))[1], dtype=np.int64)


def put_bits(
    words: NDArray[np.uint32],
    first_bits: NDArray[np.integer],
    values: NDArray[np.integer],
    widths: NDArray[np.integer] | int,
) -> None:
    """Write fields into words whose bits there are zero.

    Args:
        words: to write to
        first_bits: of each field, counted from the lowest bit of the first word
        values: 0 to 2^width - 1
        widths: of each field, 0..32
    """
    shape = np.broadcast_shapes(first_bits.shape, values.shape)
    first = np.broadcast_to(first_bits, shape).ravel().astype(np.int64)
    shifted = np.broadcast_to(values, shape).ravel().astype(np.uint64) << (first % WORD_BITS).astype(np.uint64)
    used = np.broadcast_to(widths, shape).ravel() > 0
    word, shifted = first[used] // WORD_BITS, shifted[used]
    np.bitwise_or.at(words, word, (shifted & _WORD_MASK).astype(np.uint32))
    straddles = shifted > _WORD_MASK
    np.bitwise_or.at(words, word[straddles] + 1, (shifted[straddles] >> np.uint64(WORD_BITS)).astype(np.uint32))
