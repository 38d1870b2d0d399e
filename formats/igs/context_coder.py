"""Codec 2, integer codes one plane after another: docs/igs-format.md, "Context coding", in code.

Seven statistics of :mod:`.binary_model` are mixed for each decision, each of another context: what the neighbours have,
what the other planes say of the same Gaussian, ...

Against one Zstandard frame per section this takes 11 % off whole files (geometric mean of 21 materials; 5 to 20 %):
Zstandard spends whole bits per code and knows no context. An order-0 arithmetic coder alone would take 3 %, contexts
that are averaged instead of mixed 6 %.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.formats.igs.binary_model import (
    FIRST_STATISTIC,
    MAX_LENGTH,
    SHARES,
    adapt,
    context_starts,
    last_above,
    length_of,
    mixed_probability,
    sign_of,
    squash_table,
    stretch_statistics,
    stretch_table,
)
from imagegs_tex.formats.igs.coded_frame import decode_frame, encode_frame
from imagegs_tex.formats.igs.range_coder import code_bit, finish, first_interval, is_full
from imagegs_tex.jit import njit

PROBABILITY_BITS: Final = 12
"""Of the probabilities that the arithmetic coder sees; the statistics have 16."""
CONTEXT_SIZES: Final = (1, 49, 36, 201, 48, 63, 40)
"""Contexts of each of the seven statistics."""
_MODELLED_BITS: Final = 3
"""Bits below the leading one that have statistics; the others cost one bit each."""
_LENGTH_NODES: Final = 2 + MAX_LENGTH
_LONGEST_MODELLED: Final = 10
NODES: Final = _LENGTH_NODES + ((1 << _MODELLED_BITS) - 1) * (_LONGEST_MODELLED - 1)
FIRST_WEIGHT: Final = 9000
LEARNING_RATE: Final = 20
_INPUTS: Final = len(CONTEXT_SIZES)
_ROWS: Final = sum(CONTEXT_SIZES)

LOGISTIC: Final = (
    1, 2, 4, 6, 10, 17, 27, 45, 74, 120, 194, 311, 488, 747, 1102, 1546, 2048, 2550, 2994, 3349, 3608, 3785, 3902, 3976,
    4022, 4051, 4069, 4079, 4086, 4090, 4092, 4094, 4095,
)  # fmt: skip
"""4096 / (1 + e^(-x / 256)) at x = -2048, -1920, ... 2048, rounded; between these points it is interpolated."""


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Where each item of a plane looks for similar ones; an index is less than the item's own, or -1."""

    left: NDArray[np.int32]  # [N]
    up: NDArray[np.int32]  # [N]


_SQUASH: Final = squash_table(LOGISTIC, least=1)
_STRETCH: Final = stretch_table(_SQUASH, PROBABILITY_BITS)
_STARTS: Final = context_starts(CONTEXT_SIZES)


def cell_neighbours(cell_numbers: NDArray[np.int64], across: int) -> Neighbours:
    """Return the neighbours of Gaussians sorted by cell: the one before, and the last one above in the cell's column.

    Args:
        cell_numbers: [N] ascending, row * across + column
        across: cells per row
    """
    left = np.arange(-1, len(cell_numbers) - 1, dtype=np.int32)
    return Neighbours(left, last_above(cell_numbers, across))


def grid_neighbours(count: int, across: int) -> Neighbours:
    """Return the neighbours of cells row by row: the one before, and the one above."""
    indices = np.arange(count, dtype=np.int32)
    return Neighbours(indices - 1, np.maximum(indices - across, -1))


def encode_planes(codes: NDArray[np.integer], neighbours: Neighbours, groups: NDArray[np.integer]) -> bytes:
    """Code planes one after another.

    Args:
        codes: [N, M] in -2^22..2^22
        neighbours: of the N items
        groups: [N] something else that is known of each item, 0..6
    """
    return encode_frame(codes, lambda values, coded: _run(values, neighbours, groups, coded, decoding=False))


def decode_planes(
    data: bytes, plane_count: int, neighbours: Neighbours, groups: NDArray[np.integer]
) -> NDArray[np.int32]:
    """Invert :func:`encode_planes`; return codes [N, M].

    Raises:
        ValueError: the data are not exactly what these planes take
    """

    def decode(values: NDArray[np.int32], coded: NDArray[np.uint8]) -> int:
        return _run(values, neighbours, groups, coded, decoding=True)

    return decode_frame(data, len(neighbours.left), plane_count, decode)


def _run(
    values: NDArray[np.int32],
    neighbours: Neighbours,
    groups: NDArray[np.integer],
    coded: NDArray[np.uint8],
    *,
    decoding: bool,
) -> int:
    tables = _SQUASH, _STRETCH, SHARES, _STARTS
    left, up, known = neighbours.left, neighbours.up, groups.astype(np.uint8)
    return int(_code_planes(values, left, up, known, coded, decoding, *tables))


@njit(cache=True, nogil=True)
def _decide(
    bit, node, contexts, stretched, statistics, counts, weights, interval, coded, decoding, squashed, stretches, shares
):
    """Predict one decision, code it, and learn from it."""
    stretch_statistics(node, _INPUTS, contexts, statistics, stretches, stretched)
    total = 0
    for i in range(_INPUTS):
        total += weights[node, i] * stretched[i]
    probability = mixed_probability(total, squashed)
    bit = code_bit(bit, probability, PROBABILITY_BITS, interval, coded, decoding)
    error = ((bit << PROBABILITY_BITS) - probability) * LEARNING_RATE
    for i in range(_INPUTS):
        weights[node, i] += (stretched[i] * error + 32768) >> 16
    adapt(bit, node, _INPUTS, contexts, statistics, counts, shares)
    return bit


@njit(cache=True, nogil=True)
def _code_planes(values, left, up, groups, coded, decoding, squashed, stretches, shares, starts):
    """Encode values [N, M] into coded, or decode them from it; return the bytes used, -1 if there were too few."""
    count, plane_count = values.shape
    statistics = np.empty((_ROWS, NODES), np.uint16)
    counts = np.empty((_ROWS, NODES), np.uint8)
    weights = np.empty((NODES, _INPUTS), np.int64)
    contexts = np.empty(_INPUTS, np.int64)
    stretched = np.empty(_INPUTS, np.int64)
    longest = np.zeros(count, np.uint8)
    interval = first_interval(coded, decoding)
    state = (contexts, stretched, statistics, counts, weights, interval, coded, decoding, squashed, stretches, shares)
    for k in range(plane_count):
        statistics[:] = FIRST_STATISTIC
        counts[:] = 0
        weights[:] = FIRST_WEIGHT
        for n in range(count):
            on_left = values[left[n], k] if left[n] >= 0 else 0
            above = values[up[n], k] if up[n] >= 0 else on_left
            left_length, up_length = min(5, length_of(on_left)), min(5, length_of(above))
            first = length_of(values[n, k - 1]) if k > 0 else 0
            second = length_of(values[n, k - 2]) if k > 1 else 0
            third = length_of(values[n, k - 3]) if k > 2 else 0
            contexts[0] = 0
            contexts[1] = min(6, first) * 7 + min(6, second)
            contexts[2] = left_length * 6 + up_length
            contexts[3] = 100 + min(max((on_left + above + 1) >> 1, -100), 100)
            contexts[4] = min(11, 2 * first + second + third) * 4 + min(3, (left_length + up_length) >> 1)
            contexts[5] = groups[n] * 9 + sign_of(on_left) * 3 + sign_of(above)
            contexts[6] = min(9, longest[n]) * 4 + min(3, left_length)
            for i in range(_INPUTS):
                contexts[i] += starts[i]
            value = values[n, k]
            magnitude, length = abs(value), length_of(value)
            if _decide(1 if length > 0 else 0, 0, *state):
                negative = _decide(1 if value < 0 else 0, 1, *state)
                reached = 1
                while reached < MAX_LENGTH and _decide(1 if length > reached else 0, 1 + reached, *state):
                    reached += 1
                length = reached
                found, prefix = 1, 1
                for place in range(length - 2, -1, -1):
                    bit = (magnitude >> place) & 1
                    if length - 2 - place < _MODELLED_BITS:
                        block = min(length, _LONGEST_MODELLED) - 2
                        bit = _decide(bit, _LENGTH_NODES + 7 * block + prefix - 1, *state)
                        prefix = 2 * prefix + bit
                    else:
                        bit = code_bit(bit, 1 << (PROBABILITY_BITS - 1), PROBABILITY_BITS, interval, coded, decoding)
                    found = 2 * found + bit
                values[n, k] = -found if negative else found
            longest[n] = max(longest[n], length)
            if not decoding and is_full(interval, coded):
                return -1
    return finish(interval, coded, decoding)
