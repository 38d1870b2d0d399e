"""The residual layer of a material in the buffer: for each block a list of coefficients in nibbles, read to its end.

Most coefficients are -1 or 1 behind fewer than five zeros, and take one nibble. At 2 bits per texel a coefficient takes
0.90, 0.82, 1.13 and 0.83 bytes on crops of brick, fabric, facade and moss, with the words that say where blocks begin;
a nibble for the zeros and another for the value take 1.26, 1.21, 1.28 and 1.23. docs/gpu-buffer.md, "Residual".
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.formats.igs.residual_layer import ResidualLayer
from imagegs_tex.formats.igs.zigzag import zigzag

RUNS: Final = 5
"""Zeros before a coefficient that its nibble tells: 0 to 4."""
TWO: Final = 2 * RUNS  # a coefficient of 2 or -2 without zeros before it
SKIP: Final = 12  # RUNS zeros
NEXT: Final = 13  # the next component begins
MORE: Final = 14  # the coefficient before is farther from 0 by 1
FAR: Final = 15  # the coefficient before is m: now 16 (m - 1) + 2 + the next nibble
_FAR_DIGITS: Final = 4
"""That the largest of 16 bits takes."""
_NIBBLES_PER_WORD: Final = 8
_HEAD_WORDS: Final = 3
_GROUP: Final = 8
"""Blocks with one word for where their lists begin; where each does from there on takes 16 bits. A list has at most 128
coefficients, of 9 nibbles and 51 for zeros each, and 254 for components: 7 lists have 55,538 nibbles."""


@dataclass(frozen=True, slots=True)
class ResidualParts:
    """Words at which the parts begin, counted from the first one."""

    basis: int
    order: int
    blocks: int
    lists: int


def residual_parts(layer: ResidualLayer) -> ResidualParts:
    """Return where the parts of a layer lie."""
    order = _HEAD_WORDS - (-layer.basis_codes.size // 2)
    blocks = order + layer.side**2 // 4
    groups = len(layer.counts) // _GROUP + 1  # with the end of the last list
    return ResidualParts(_HEAD_WORDS, order, blocks, blocks + (1 + _GROUP // 2) * groups)


def residual_words(layer: ResidualLayer | None) -> NDArray[np.uint32]:
    """Return the layer's numbers, basis, order of places, blocks and nibbles; nothing without a layer."""
    if layer is None:
        return np.empty(0, dtype=np.uint32)
    head = layer.side_log2 | len(layer.basis_codes) << 8
    offsets = sum((code & 255) << 8 * place for place, code in enumerate(layer.offset_codes))
    step = np.array([layer.step], dtype="<f4").view("<u4")
    basis = layer.basis_codes.astype("<i2").ravel()
    down, across = np.divmod(zigzag(layer.side), layer.side)
    order = (down | across << 4).astype(np.uint8).view("<u4")
    lengths, nibbles = _nibbles(layer)
    begins = np.concatenate([[0], np.cumsum(lengths)])[np.concatenate([[0], np.cumsum(layer.counts)])]
    filled = np.pad(nibbles, (0, -len(nibbles) % _NIBBLES_PER_WORD)).reshape(-1, _NIBBLES_PER_WORD)
    shifts = 4 * np.arange(_NIBBLES_PER_WORD, dtype=np.uint32)
    parts = [
        [head], [offsets], step, np.pad(basis, (0, len(basis) % 2)).view("<u4"), order, _in_groups(begins),
        (filled.astype(np.uint32) << shifts).sum(axis=1, dtype=np.uint32),
    ]  # fmt: skip
    return np.concatenate([np.asarray(part, dtype=np.uint32) for part in parts])


def _in_groups(begins: NDArray[np.int64]) -> NDArray[np.uint32]:
    """Return the words that tell where lists begin [B + 1]: of eight where the first does, and 16 bits for each."""
    groups = -(-len(begins) // _GROUP)
    first = begins[::_GROUP]
    behind = np.zeros(groups * _GROUP, dtype="<u2")
    behind[: len(begins)] = begins - np.repeat(first, _GROUP)[: len(begins)]
    words = np.empty((groups, 1 + _GROUP // 2), dtype=np.uint32)
    words[:, 0], words[:, 1:] = first, behind.view("<u4").reshape(groups, -1)
    return words.ravel()


def _nibbles(layer: ResidualLayer) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Return how many nibbles each coefficient takes [M], and the nibbles of all."""
    component, place = np.divmod(layer.places.astype(np.int64), layer.side * layer.side)
    block = np.repeat(np.arange(len(layer.counts)), layer.counts)
    first_of_block = np.diff(block, prepend=-1) > 0
    before = np.where(first_of_block, 0, np.roll(component, 1))
    nexts = component - before
    zeros = place - np.where(first_of_block | (nexts > 0), -1, np.roll(place, 1)) - 1
    skips, zeros = np.divmod(zeros, RUNS)
    size, negative = np.abs(layer.values.astype(np.int64)), layer.values < 0
    as_two = (zeros == 0) & ((size == 2) | (size == 3))
    more = size - as_two == 2
    digits = np.where(as_two | more | (size == 1), 0, 1)
    for power in range(1, _FAR_DIGITS):
        digits += (digits > 0) & (size > _most_of_digits(power))
    lengths = nexts + skips + 1 + more + 2 * digits
    nibbles = np.zeros(int(lengths.sum()), dtype=np.uint8)
    at = np.cumsum(lengths) - lengths
    for count, code in ((nexts, NEXT), (skips, SKIP)):
        nibbles[np.repeat(at, count) + _within(count)] = code
        at = at + count
    nibbles[at] = np.where(as_two, TWO, 2 * zeros) + negative
    nibbles[at[more] + 1] = MORE
    left, last = size.copy(), at + 2 * digits
    for digit in range(_FAR_DIGITS):
        has = digits > digit
        nibbles[last[has] - 2 * digit - 1] = FAR
        nibbles[last[has] - 2 * digit] = (left[has] - 2) & 15
        left[has] = (left[has] - 2 >> 4) + 1
    return lengths, nibbles


def _most_of_digits(count: int) -> int:
    """Return the largest value that so many nibbles behind FAR tell."""
    return sum(16**digit for digit in range(count + 1))


def _within(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return 0 .. n - 1 for each count n, one after the other."""
    return np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts)
