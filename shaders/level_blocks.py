"""Pictures of a few bits per texel that a shader reads at random: blocks of 4 x 4 texels, transformed, in fixed fields.

Channels are turned into components by the picture's own principal axes, and each component's 4 x 4 texels into sums
and differences (the Walsh-Hadamard transform; W. Pratt and others, "Hadamard transform image coding", 1969). A block is
of one of four classes, each with its own table of field widths (adaptive transform coding by classes; W.-H. Chen and
H. Smith, 1977), so that flat blocks take few bits and busy ones many; all fields have one step. docs/gpu-buffer.md,
"Levels", defines every bit.

The first coefficient is the block's mean, the first four give the means of its quarters: one picture serves three
levels of a mip chain.

All of it is whole numbers, but for the axes (principal_axes.py) and a product that tells how many steps a coefficient
is, so that runtime/c/igs_levels.h makes the same bytes. Texels are in units of 2^-20, coefficients and steps of 2^-22.
"""

import math
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.shaders.bit_fields import bit_lengths, put_bits
from imagegs_tex.shaders.principal_axes import principal_axes

SIDE: Final = 4
COEFFICIENTS: Final = SIDE * SIDE
CLASSES: Final = 4
LEVELS_PER_SET: Final = 3
GROUP: Final = 32
"""Blocks that share an offset."""
GROUP_WORDS: Final = 3
HEAD_WORDS: Final = 8
CODE_MAX: Final = 32767
"""Of means and axes, which are at most 1."""
TEXEL_LOG2: Final = 20
STEP_LOG2: Final = 22

_AXIS_LOG2: Final = 15
_WIDEST: Final = 15
_SIZE_LOG2: Final = 6
"""Coefficients are compared in 1/64 steps."""
_SIZE_MAX: Final = 1 << 21
_HALF: Final = 1 << _SIZE_LOG2 - 1
_PRICE: Final = 473
"""Squared error that a bit may cost, in squared 1/64 steps: 2 ln 2 / 12 steps, the slope of step^2 / 12 over bits."""
_ROUNDS: Final = 5
_FIRST_CLASSES: Final = (45, 75, 92)
"""Percent of the blocks, by how busy they are."""
PLANNED: Final = 2048
"""Blocks that widths are chosen by, at most: with all of them, the error changes by less than 0.1 dB."""

Whole = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Transformed:
    """A picture as coefficients."""

    across: int  # blocks
    mean: NDArray[np.int16]  # [V] codes
    axes: NDArray[np.int16]  # [V, V] codes, row k is component k, from the strongest on
    coefficients: NDArray[np.int32]  # [B, V, 16]: of an orthonormal transform, in 2^-22


@dataclass(frozen=True, slots=True)
class Plan:
    """Widths of the fields of each class."""

    step: int  # in 2^-22
    widths: Whole  # [4, V, 16]

    @property
    def class_bits(self) -> Whole:
        """Bits of a block's record by class."""
        return np.asarray(self.widths.sum(axis=(1, 2)))


def signs() -> Whole:
    """Return the transform [16, 4, 4]: +1 or -1 by coefficient, row and column.

    Bits 0 and 2 of a coefficient's number belong to columns, 1 and 3 to rows; the lower one of each changes the sign
    between halves, the upper one between neighbours.
    """
    number, place = np.arange(COEFFICIENTS), np.arange(SIDE)
    one = [
        1 - 2 * (np.outer(number >> axis & 1, place >> 1) + np.outer(number >> (2 + axis) & 1, place & 1) & 1)
        for axis in (0, 1)
    ]
    return np.asarray(one[1][:, :, None] * one[0][:, None, :])


def transform(picture: Whole, centred: bool) -> Transformed:
    """Turn a picture [h, w, V] in 2^-20 into coefficients.

    Args:
        picture: of at least one texel
        centred: whether its mean is taken away first
    """
    filled = _filled(picture)
    down, across, values = filled.shape[0] // SIDE, filled.shape[1] // SIDE, filled.shape[2]
    mean = np.zeros(values, dtype=np.int64)
    if centred:
        count = picture.shape[0] * picture.shape[1]
        doubled = 2 * CODE_MAX * picture.sum(axis=(0, 1)) + (count << TEXEL_LOG2)
        mean = np.clip(doubled // (count << TEXEL_LOG2 + 1), 0, CODE_MAX)
    flat = (filled - ((mean << TEXEL_LOG2) + CODE_MAX // 2) // CODE_MAX).reshape(-1, values)
    axes = principal_axes(flat >> 4)  # 2^-16: their moments fit into 64 bits
    components = flat @ axes.T + (1 << _AXIS_LOG2 - 1) >> _AXIS_LOG2
    blocks = components.reshape(down, SIDE, across, SIDE, values).transpose(0, 2, 4, 1, 3).reshape(-1, COEFFICIENTS)
    coefficients = (blocks @ signs().reshape(COEFFICIENTS, -1).T).astype(np.int32)
    shape = (down * across, values, COEFFICIENTS)
    return Transformed(across, mean.astype(np.int16), axes.astype(np.int16), coefficients.reshape(shape))


def _filled(picture: Whole) -> Whole:
    """Pad to whole blocks by the means of what is inside of each 2 x 2 texels, then of each 4 x 4: for few bits."""
    down, across, _ = picture.shape
    if down % SIDE == 0 and across % SIDE == 0:
        return picture
    filled = np.pad(picture, [(0, -down % SIDE), (0, -across % SIDE), (0, 0)])
    inside = np.zeros(filled.shape[:2], dtype=np.bool_)
    inside[:down, :across] = True
    for side in (2, 4):
        cells = filled.reshape(filled.shape[0] // side, side, filled.shape[1] // side, side, -1)
        known = inside.reshape(cells.shape[:4])[..., None]
        means = (cells * known).sum(axis=(1, 3), keepdims=True) // np.maximum(known.sum(axis=(1, 3), keepdims=True), 1)
        filled = np.where(known, cells, means).reshape(filled.shape)
        known = np.broadcast_to(known.any(axis=(1, 3), keepdims=True), known.shape)
        inside = known.reshape(inside.shape)
    return filled


def sampled(transformed: Transformed, most: int) -> Transformed:
    """Return every so many blocks, at most so many of them."""
    every = -(-len(transformed.coefficients) // most) | 1  # even numbers meet the same few columns again and again
    return replace(transformed, coefficients=transformed.coefficients[::every])


def plan(transformed: Transformed, step: int) -> Plan:
    """Choose widths for a step of the coefficients by what a bit saves of the squared error."""
    sizes = _sizes(transformed.coefficients, step)
    lengths = bit_lengths(sizes >> _SIZE_LOG2)
    widest = min(_WIDEST, int(lengths.max()) + 1)
    busy = bit_lengths(sizes >> _SIZE_LOG2 - 2).sum(axis=1)
    rank = np.empty(len(sizes), dtype=np.int64)
    rank[np.argsort(busy, kind="stable")] = np.arange(len(sizes))
    classes = (100 * rank[:, None] >= np.multiply(_FIRST_CLASSES, len(sizes))).sum(axis=1)
    for _ in range(_ROUNDS):
        widths = _widths(sizes, lengths, classes, widest)
        chosen = _cheapest(sizes, widths)
        if np.array_equal(chosen, classes):
            break
        classes = chosen
    return Plan(step, widths.reshape(CLASSES, -1, COEFFICIENTS))


def _sizes(coefficients: NDArray[np.int32], step: int) -> NDArray[np.int32]:
    """Return the coefficients of each block [B, M] in 1/64 steps, without signs; one product in float32, cut off."""
    scale = np.float32((1 << _SIZE_LOG2) / step)
    sizes = np.abs(coefficients.reshape(len(coefficients), -1)).astype(np.float32) * scale
    return np.asarray(np.minimum(sizes, np.float32(_SIZE_MAX)), dtype=np.int32)


def _widths(sizes: NDArray[np.int32], lengths: Whole, classes: Whole, widest: int) -> Whole:
    """Return the width [4, M] that costs least for each coefficient in each class.

    A width's error follows from sums over the coefficients of each length: shorter ones fit, longer ones are cut off.
    """
    shape = CLASSES, _WIDEST + 2, sizes.shape[1]
    key = ((classes[:, None] * shape[1] + lengths) * shape[2] + np.arange(shape[2])).ravel()
    rest = (sizes & 2 * _HALF - 1) - _HALF
    sums = []
    for values in (None, sizes, sizes.astype(np.float64) ** 2, rest.astype(np.float64) ** 2):  # exact: below 2^53
        found = np.bincount(key, None if values is None else values.ravel(), minlength=math.prod(shape))
        sums.append(found.astype(np.int64).reshape(shape))
    counts, first, second, fitting = sums
    members = counts.sum(axis=1)
    costs = [second.sum(axis=1)]
    for width in range(1, widest + 1):
        over = (_HALF << width) - _HALF
        beyond = second[:, width:] - 2 * over * first[:, width:] + over * over * counts[:, width:]
        costs.append(fitting[:, :width].sum(axis=1) + beyond.sum(axis=1) + _PRICE * width * members)
    return np.asarray(np.argmin(costs, axis=0))


def _cheapest(sizes: NDArray[np.int32], widths: Whole) -> Whole:
    """Return the class [B] in which each block costs least, by squared error in 1/64 steps and bits."""
    of_class = []
    for own in widths:
        used = own > 0
        stored, reach = sizes[:, used], (_HALF << own[used]).astype(np.int32)
        off = np.where(stored < reach, stored & 2 * _HALF - 1, stored - reach + 2 * _HALF) - _HALF
        lost = sizes[:, ~used & (widths > 0).any(axis=0)]  # what no class stores costs all of them the same
        error = np.square(off, dtype=np.float64).sum(axis=1) + np.square(lost, dtype=np.float64).sum(axis=1)
        of_class.append(error + _PRICE * int(own.sum()))
    return np.asarray(np.argmin(of_class, axis=0))


def classify(transformed: Transformed, chosen: Plan) -> Whole:
    """Return the class of each block [B]."""
    return _cheapest(_sizes(transformed.coefficients, chosen.step), chosen.widths.reshape(CLASSES, -1))


def size_of(some: Transformed, chosen: Plan, count: int) -> int:
    """Return about how many words :func:`pack` makes of so many blocks, from some of them."""
    bits = int(chosen.class_bits[classify(some, chosen)].sum()) * count // len(some.coefficients)
    return _fixed_words(some, chosen, count)[-1] + bits // 32 + 1


def _fixed_words(transformed: Transformed, chosen: Plan, count: int) -> tuple[int, int, int]:
    """Return at which words tables, groups and records begin."""
    counts = _component_counts(chosen)
    tables = HEAD_WORDS + -(-(1 + int(counts.max())) * len(transformed.mean) // 2)
    groups = tables + 2 * int(counts.sum())
    return tables, groups, groups + GROUP_WORDS * -(-count // GROUP)


def _component_counts(chosen: Plan) -> NDArray[np.int64]:
    """Return how many components a record of each class has: up to the last one with a field."""
    used = chosen.widths.any(axis=2) * np.arange(1, chosen.widths.shape[1] + 1)
    return np.asarray(used.max(axis=1))


def pack(transformed: Transformed, chosen: Plan) -> NDArray[np.uint32]:
    """Return the words of a picture."""
    classes, counts = classify(transformed, chosen), _component_counts(chosen)
    bits = chosen.class_bits
    tables, groups, records = _fixed_words(transformed, chosen, len(classes))
    starts = np.cumsum(bits[classes]) - bits[classes]
    words = np.zeros(records + -(-int(bits[classes].sum()) // 32), dtype=np.uint32)
    words[0] = np.float32(chosen.step * 2.0 ** -(STEP_LOG2 + 2)).view(np.uint32)
    words[1:4] = int(counts.max()) | tables << 8, groups, records
    words[4:HEAD_WORDS] = counts | np.cumsum(counts) - counts << 8 | bits << 16
    rows = np.concatenate([transformed.mean, transformed.axes[: int(counts.max())].ravel()])
    words[HEAD_WORDS:tables] = np.pad(rows, (0, len(rows) % 2)).astype("<i2").view("<u4")
    nibbles = np.concatenate([of[:count].reshape(-1, 8) for of, count in zip(chosen.widths, counts, strict=True)])
    words[tables:groups] = (nibbles << 4 * np.arange(8)).sum(axis=1)
    every = words[groups:records].reshape(-1, GROUP_WORDS)
    every[:, 0] = starts[::GROUP]
    paired = np.pad(classes, (0, -len(classes) % GROUP)).reshape(-1, 2, GROUP // 2)
    every[:, 1:] = (paired << 2 * np.arange(GROUP // 2)).sum(axis=2)
    flat = transformed.coefficients.reshape(len(classes), -1)
    for number, widths in enumerate(chosen.widths.reshape(CLASSES, -1)):
        own, used = np.flatnonzero(classes == number), widths > 0
        half = 1 << widths[used] - 1
        codes = np.clip(flat[own][:, used] // chosen.step + half, 0, 2 * half - 1)
        first = starts[own, None] + (np.cumsum(widths) - widths)[used]
        put_bits(words[records:], first, codes, widths[used])
    return words
