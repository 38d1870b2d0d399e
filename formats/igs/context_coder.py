"""Entropy coding of integer codes, one plane after another: docs/igs-format.md, "Context coding", in code.

Each code becomes a few yes-or-no decisions. For each decision seven small statistics, each of another context (what the
neighbours have, what the other planes say of the same Gaussian, ...), give a probability; a mixer that learns on the
way weighs them, and a binary arithmetic coder spends what the outcome was worth. All of it is integer
arithmetic, so that every machine decodes the same.

Against one Zstandard frame per section this takes 11 % off whole files (geometric mean of 21 materials; 5 to 20 %):
Zstandard spends whole bits per code and knows no context. An order-0 arithmetic coder alone would take 3 %, contexts
that are averaged instead of mixed 6 %.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.formats.igs.range_coder import code_bit, first_interval
from imagegs_tex.jit import njit

PROBABILITY_BITS: Final = 12
"""Of the probabilities that the arithmetic coder sees; the statistics have 16."""
CONTEXT_SIZES: Final = (1, 49, 36, 201, 48, 63, 40)
"""Contexts of each of the seven statistics."""
GROUPS: Final = 7
MAX_LENGTH: Final = 23
"""Bits of the greatest magnitude."""
_MODELLED_BITS: Final = 3
"""Bits below the leading one that have statistics; the others cost one bit each."""
_LENGTH_NODES: Final = 2 + MAX_LENGTH
_LONGEST_MODELLED: Final = 10
NODES: Final = _LENGTH_NODES + ((1 << _MODELLED_BITS) - 1) * (_LONGEST_MODELLED - 1)
COUNT_LIMIT: Final = 120
FIRST_WEIGHT: Final = 9000
LEARNING_RATE: Final = 20
_INPUTS: Final = len(CONTEXT_SIZES)
_CONTEXT_STARTS: Final = np.concatenate([[0], np.cumsum(CONTEXT_SIZES)[:-1]]).astype(np.int64)
_CONTEXTS: Final = sum(CONTEXT_SIZES)
_STRETCH_LIMIT: Final = 2047

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


def squash(stretched: int) -> int:
    """Return the probability, in 1/4096, of a stretched one in -2047..2047."""
    place, rest = (stretched >> 7) + 16, stretched & 127
    return max(1, (LOGISTIC[place] * (128 - rest) + LOGISTIC[place + 1] * rest + 64) >> 7)


_SQUASH: Final = np.array([squash(d) for d in range(-_STRETCH_LIMIT, _STRETCH_LIMIT + 1)], np.int64)
_STRETCH: Final = np.minimum(np.searchsorted(_SQUASH, np.arange(4096)) - _STRETCH_LIMIT, _STRETCH_LIMIT)
"""The least stretched value whose squash is at least the probability."""
_SHARES: Final = np.array([655360 // (10 * n + 16) for n in range(COUNT_LIMIT + 1)], np.int64)
"""How far a statistic moves towards an outcome, in 1/65536, after n outcomes."""


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
    planes = np.ascontiguousarray(codes.T, dtype=np.int32)
    centres = centres_of(codes)
    room = 2 * planes.size + 256
    while True:
        coded = np.zeros(room, np.uint8)
        used = _code_planes(
            planes, neighbours.left, neighbours.up, groups.astype(np.uint8), centres, coded, False, *_tables()
        )
        if used >= 0:
            return centres.astype("<i2").tobytes() + coded[:used].tobytes()
        room *= 4


def decode_planes(
    data: bytes, plane_count: int, neighbours: Neighbours, groups: NDArray[np.integer]
) -> NDArray[np.int32]:
    """Invert :func:`encode_planes`; return codes [N, M].

    Raises:
        ValueError: the data are not exactly what these planes take
    """
    head = 2 * plane_count
    if len(data) <= head:
        raise ValueError("too short")
    centres = np.frombuffer(data, "<i2", plane_count).astype(np.int32)
    planes = np.zeros((plane_count, len(neighbours.left)), np.int32)
    coded = np.frombuffer(data, np.uint8, offset=head).copy()  # writable, as the encoder's: compiled once for both
    used = _code_planes(
        planes, neighbours.left, neighbours.up, groups.astype(np.uint8), centres, coded, True, *_tables()
    )  # fmt: skip
    if used != len(coded):
        raise ValueError(f"takes {used} bytes of {len(coded)}")
    return planes.T


def centres_of(codes: NDArray[np.integer]) -> NDArray[np.int32]:
    """Return the most frequent value of each plane of codes [N, M], as far as 16 bits hold it."""
    centres = []
    for plane in codes.astype(np.int64).T:
        least = int(plane.min())
        centres.append(np.clip(least + np.bincount(plane - least).argmax(), -32768, 32767))
    return np.array(centres, np.int32)


def _tables() -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    return _SQUASH, _STRETCH, _SHARES, _CONTEXT_STARTS


@njit(cache=True, nogil=True)
def last_above(cell_numbers, across):
    """Return the last item [N] of the nearest cell above, in the same column, that holds any; -1 without one."""
    count = len(cell_numbers)
    above = np.full(count, -1, np.int32)
    last = np.full(across, -1, np.int32)
    row_start = 0
    for n in range(count + 1):
        if n < count and cell_numbers[n] // across == cell_numbers[row_start] // across:
            continue
        for m in range(row_start, n):
            above[m] = last[cell_numbers[m] % across]
        for m in range(row_start, n):
            last[cell_numbers[m] % across] = m
        row_start = n
    return above


@njit(cache=True, inline="always")
def _length(value):
    """Bits of a magnitude; 0 for 0."""
    magnitude, length = abs(value), 0
    while magnitude > 0:
        magnitude >>= 1
        length += 1
    return length


@njit(cache=True, inline="always")
def _sign(value):
    return 0 if value == 0 else (1 if value > 0 else 2)


@njit(cache=True, nogil=True)
def _decide(
    bit, node, contexts, stretched, statistics, counts, weights, interval, coded, decoding, squashed, stretches, shares
):
    """Predict one decision, code it, and learn from it."""
    total = 0
    for i in range(_INPUTS):
        stretched[i] = stretches[statistics[contexts[i], node] >> 4]
        total += weights[node, i] * stretched[i]
    mixed = min(max(total >> 16, -_STRETCH_LIMIT), _STRETCH_LIMIT)
    probability = squashed[mixed + _STRETCH_LIMIT]
    bit = code_bit(bit, probability, PROBABILITY_BITS, interval, coded, decoding)
    error = ((bit << PROBABILITY_BITS) - probability) * LEARNING_RATE
    for i in range(_INPUTS):
        weights[node, i] += (stretched[i] * error + 32768) >> 16
        at = contexts[i]
        share = shares[counts[at, node]]
        if bit:
            statistics[at, node] += ((65535 - statistics[at, node]) * share) >> 16
        else:
            statistics[at, node] -= (statistics[at, node] * share) >> 16
        if counts[at, node] < COUNT_LIMIT:
            counts[at, node] += 1
    return bit


@njit(cache=True, nogil=True)
def _code_planes(planes, left, up, groups, centres, coded, decoding, squashed, stretches, shares, starts):
    """Encode planes [M, N] into coded, or decode them from it; return the bytes used, -1 if there were too few."""
    plane_count, count = planes.shape
    statistics = np.empty((_CONTEXTS, NODES), np.uint16)
    counts = np.empty((_CONTEXTS, NODES), np.uint8)
    weights = np.empty((NODES, _INPUTS), np.int64)
    contexts = np.empty(_INPUTS, np.int64)
    stretched = np.empty(_INPUTS, np.int64)
    longest = np.zeros(count, np.uint8)
    interval = first_interval(coded, decoding)
    state = (contexts, stretched, statistics, counts, weights, interval, coded, decoding, squashed, stretches, shares)
    for k in range(plane_count):
        statistics[:] = 32768
        counts[:] = 0
        weights[:] = FIRST_WEIGHT
        plane, centre = planes[k], centres[k]
        for n in range(count):
            on_left = plane[left[n]] - centre if left[n] >= 0 else 0
            above = plane[up[n]] - centre if up[n] >= 0 else on_left
            left_length, up_length = min(5, _length(on_left)), min(5, _length(above))
            first = _length(planes[k - 1, n] - centres[k - 1]) if k > 0 else 0
            second = _length(planes[k - 2, n] - centres[k - 2]) if k > 1 else 0
            third = _length(planes[k - 3, n] - centres[k - 3]) if k > 2 else 0
            contexts[0] = 0
            contexts[1] = min(6, first) * 7 + min(6, second)
            contexts[2] = left_length * 6 + up_length
            contexts[3] = 100 + min(max((on_left + above + 1) >> 1, -100), 100)
            contexts[4] = min(11, 2 * first + second + third) * 4 + min(3, (left_length + up_length) >> 1)
            contexts[5] = groups[n] * 9 + _sign(on_left) * 3 + _sign(above)
            contexts[6] = min(9, longest[n]) * 4 + min(3, left_length)
            for i in range(_INPUTS):
                contexts[i] += starts[i]
            value = plane[n] - centre
            magnitude, length = abs(value), _length(value)
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
                if decoding:
                    plane[n] = centre - found if negative else centre + found
            elif decoding:
                plane[n] = centre
                length = 0
            longest[n] = max(longest[n], length)
            if not decoding and interval[3] + 8 > coded.shape[0]:
                return -1
    if not decoding:
        coded[interval[3]] = interval[1] >> 24  # zeros that follow are implied
    return interval[3] + 1
