"""Codec 6, bytes of descriptions by context: docs/igs-format.md, "Description coding", in code.

Sections maps and components are a few hundred bytes that a general compressor hardly shortens: names and numbers that
most files have in common. Here each bit is predicted by six statistics of :mod:`.binary_model`, mixed like those of the
other coders. Before a section's maps the coder learns a fixed text of maps as they are usually called, so that what is
usual costs next to nothing; bytes of components are told apart by the field that they belong to.

Against Zstandard frames this takes 0.57 % off files (mean of nine materials at the reference's PSNR), with a basis
rounded as channel_basis.py does: maps take 24 bytes instead of 103, components 133 instead of 178.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.formats.igs.binary_model import (
    COUNT_LIMIT,
    FIRST_STATISTIC,
    SHARES,
    STATISTIC_BITS,
    mixed_probability,
    squash_table,
    stretch_table,
)
from imagegs_tex.formats.igs.prediction_coder import LOGISTIC, PROBABILITY_BITS
from imagegs_tex.formats.igs.range_coder import code_bit, finish, first_interval
from imagegs_tex.formats.igs.usual_maps import USUAL_MAPS
from imagegs_tex.jit import njit

CONTEXTS: Final = 6
SLOT_BITS: Final = 16
"""Statistics are found by hashing; two that meet share theirs, in every decoder alike."""
FIRST_WEIGHT: Final = 22000
"""In 1/65536."""
LEARNING_RATE: Final = 82
WEIGHT_SETS: Final = 4
"""Chosen by how many contexts have been met before."""
CONFIDENCE: Final = (0, 6, 8)
"""Of a statistic with as many outcomes, in eighths."""
LAST_ROW: Final = 8

_SQUASH: Final = squash_table(LOGISTIC, least=1)
_STRETCH: Final = stretch_table(_SQUASH, PROBABILITY_BITS)
_CONFIDENCE: Final = np.array(CONFIDENCE, np.int64)
_LEARNED: Final = np.array(list(USUAL_MAPS), np.uint8)
_NOTHING: Final = np.zeros(0, np.uint8)


def code_maps(values: NDArray[np.int32], coded: NDArray[np.uint8], *, decoding: bool) -> int:
    """Code the bytes [n, 1] of section maps into coded, or decode them from it; return the bytes used, or -1."""
    return int(_code(values, coded, decoding, _LEARNED, 0, 0, _SQUASH, _STRETCH, SHARES, _CONFIDENCE))


def code_components(
    values: NDArray[np.int32], coded: NDArray[np.uint8], channels: int, components: int, *, decoding: bool
) -> int:
    """Code the bytes [n, 1] of section components likewise."""
    return int(_code(values, coded, decoding, _NOTHING, channels, components, _SQUASH, _STRETCH, SHARES, _CONFIDENCE))


@njit(cache=True)
def _joined(found, number):
    return ((found + number + 1) * 0x9E3779B1) & 0xFFFFFFFF


@njit(cache=True)
def _find_map_contexts(data, at, contexts):
    """Fill in hashes of the last 0, 1, 2, 3, 4 and 6 bytes before data[at]; 0 where there are none."""
    for i in range(CONTEXTS):
        contexts[i] = _joined(0, i)
        for back in range(1, (i if i < CONTEXTS - 1 else CONTEXTS) + 1):
            contexts[i] = _joined(contexts[i], data[at - back] if at >= back else 0)


@njit(cache=True)
def _find_component_contexts(data, at, channels, components, contexts):
    """Fill in hashes of the field of data[at], and of the byte before and the like byte before."""
    row, basis = 0, 2 * channels + 4 * components
    if at < 2 * channels:
        field, back = at & 1, 2
    elif at < basis:
        field, back = 2 + ((at - 2 * channels) & 3), 4
    elif at < basis + 2 * channels * components:
        field, back, row = 6 + ((at - basis) & 1), 2 * channels, min(LAST_ROW, (at - basis) // (2 * channels))
    else:
        field, back = 8 + (at - basis - 2 * channels * components) % 3, 3
    before, like = data[at - 1] if at > 0 else 0, data[at - back] if at >= back else 0
    for i in range(CONTEXTS):
        contexts[i] = _joined(_joined(0, i), field)
    contexts[1] = _joined(contexts[1], like)
    contexts[2] = _joined(contexts[2], before)
    contexts[3] = _joined(contexts[3], row)
    contexts[4] = _joined(_joined(contexts[4], before), like)
    contexts[5] = _joined(contexts[5], data[at - 2] if at >= 2 else 0)


@njit(cache=True)
def _code(values, coded, decoding, learned, channels, components, squash, stretch, shares, confidence):
    first, count = learned.shape[0], learned.shape[0] + values.shape[0]
    data = np.zeros(count, np.int64)
    data[:first] = learned
    statistics, outcomes = np.full(1 << SLOT_BITS, FIRST_STATISTIC, np.int64), np.zeros(1 << SLOT_BITS, np.int64)
    weights = np.full((WEIGHT_SETS, CONTEXTS), FIRST_WEIGHT, np.int64)
    contexts, slots = np.zeros(CONTEXTS, np.int64), np.zeros(CONTEXTS, np.int64)
    stretched = np.zeros(CONTEXTS, np.int64)
    interval = first_interval(coded, decoding)
    for at in range(count):
        if channels > 0:
            _find_component_contexts(data, at, channels, components, contexts)
        else:
            _find_map_contexts(data, at, contexts)
        byte = data[at] if at < first else (0 if decoding else np.int64(values[at - first, 0]))
        prefix = 1
        for place in range(7, -1, -1):
            met, total = 0, 0
            for i in range(CONTEXTS):
                slots[i] = ((contexts[i] + prefix * 0x85EBCA6B) & 0xFFFFFFFF) >> (32 - SLOT_BITS)
                seen = outcomes[slots[i]]
                met += 1 if i > 0 and seen > 0 else 0
                of_eight = confidence[min(seen, len(CONFIDENCE) - 1)]
                stretched[i] = (stretch[statistics[slots[i]] >> (STATISTIC_BITS - 12)] * of_eight) >> 3
            row = weights[min(met, WEIGHT_SETS - 1)]
            for i in range(CONTEXTS):
                total += row[i] * stretched[i]
            probability = mixed_probability(total, squash)
            bit = (byte >> place) & 1
            if at >= first:
                bit = code_bit(bit, probability, PROBABILITY_BITS, interval, coded, decoding)
            error = ((bit << 16) - probability) * LEARNING_RATE
            for i in range(CONTEXTS):
                row[i] += (stretched[i] * error + (1 << 19)) >> 20
                p, share = statistics[slots[i]], shares[outcomes[slots[i]]]
                statistics[slots[i]] = p + (((65535 - p) * share) >> 16) if bit else p - ((p * share) >> 16)
                outcomes[slots[i]] = min(COUNT_LIMIT, outcomes[slots[i]] + 1)
            prefix = 2 * prefix + int(bit)
        data[at] = prefix & 255
        if at >= first:
            values[at - first, 0] = prefix & 255
        if not decoding and interval[3] + 8 > coded.shape[0]:
            return -1
    return finish(interval, coded, decoding)
