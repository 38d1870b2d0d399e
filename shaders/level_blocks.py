"""Pictures of a few bits per texel that a shader reads at random: blocks of 4 x 4 texels, transformed, in fixed fields.

Channels are turned into components by the picture's own principal axes, and each component's 4 x 4 texels into sums
and differences (the Walsh-Hadamard transform; W. Pratt and others, "Hadamard transform image coding", 1969). A block is
of one of four classes, each with its own table of field widths (adaptive transform coding by classes; W.-H. Chen and
H. Smith, 1977), so that flat blocks take few bits and busy ones many; all fields have one step. docs/gpu-buffer.md,
"Levels", defines every bit.

The first coefficient is the block's mean, the first four give the means of its quarters: one picture serves three
levels of a mip chain.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.shaders.bit_fields import put_bits

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

_WIDEST: Final = 15
_PRICE: Final = 0.1155
"""Squared error that a bit may cost, in squared steps: 2 ln 2 / 12, the slope of step^2 / 12 over bits."""
_ROUNDS: Final = 5
_FIRST_CLASSES: Final = (0.45, 0.75, 0.92)
_PLANNED: Final = 1024
"""Blocks that widths are chosen by, at most: with all of them, the error changes by 0.05 dB."""

Float = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Transformed:
    """A picture as coefficients."""

    across: int  # blocks
    mean: NDArray[np.int16]  # [V] codes
    axes: NDArray[np.int16]  # [V, V] codes, row k is component k, from the strongest on
    coefficients: NDArray[np.float32]  # [B, V, 16]: of an orthonormal transform


@dataclass(frozen=True, slots=True)
class Plan:
    """Widths of the fields of each class."""

    step: float
    widths: NDArray[np.int64]  # [4, V, 16]

    @property
    def class_bits(self) -> NDArray[np.int64]:
        """Bits of a block's record by class."""
        return np.asarray(self.widths.sum(axis=(1, 2)))


def signs() -> Float:
    """Return the transform [16, 4, 4]: +1 or -1 by coefficient, row and column.

    Bits 0 and 2 of a coefficient's number belong to columns, 1 and 3 to rows; the lower one of each changes the sign
    between halves, the upper one between neighbours.
    """
    number, place = np.arange(COEFFICIENTS), np.arange(SIDE)
    one = [
        (-1.0) ** (np.outer(number >> axis & 1, place >> 1) + np.outer(number >> (2 + axis) & 1, place & 1))
        for axis in (0, 1)
    ]
    return np.asarray(one[1][:, :, None] * one[0][:, None, :])


def transform(picture: Float, centred: bool) -> Transformed:
    """Turn a picture [h, w, V] into coefficients.

    Args:
        picture: of at least one texel
        centred: whether its mean is taken away first
    """
    filled = _filled(picture)
    down, across, values = filled.shape[0] // SIDE, filled.shape[1] // SIDE, filled.shape[2]
    mean = np.rint(np.clip(picture.mean(axis=(0, 1)), 0, 1) * CODE_MAX * centred).astype(np.int16)
    centre = filled - mean / CODE_MAX
    flat = centre.reshape(-1, values)
    axes = np.linalg.eigh(flat.T @ flat)[1].T[::-1]
    axes = axes * np.where(axes[np.arange(values), np.abs(axes).argmax(axis=1)] < 0, -1.0, 1.0)[:, None]
    codes = np.rint(axes * CODE_MAX).astype(np.int16)
    components = flat @ (codes.T / CODE_MAX)
    blocks = components.reshape(down, SIDE, across, SIDE, values).transpose(0, 2, 4, 1, 3).reshape(-1, COEFFICIENTS)
    coefficients = (blocks @ signs().reshape(COEFFICIENTS, -1).T / SIDE).astype(np.float32)
    return Transformed(across, mean, codes, coefficients.reshape(down * across, values, COEFFICIENTS))


def _filled(picture: Float) -> Float:
    """Pad to whole blocks by the means of what is inside of each 2 x 2 texels, then of each 4 x 4: for few bits."""
    down, across, _ = picture.shape
    filled = np.pad(picture, [(0, -down % SIDE), (0, -across % SIDE), (0, 0)])
    inside = np.zeros(filled.shape[:2], dtype=np.bool_)
    inside[:down, :across] = True
    for side in (2, 4):
        cells = filled.reshape(filled.shape[0] // side, side, filled.shape[1] // side, side, -1)
        known = inside.reshape(cells.shape[:4])[..., None]
        means = (cells * known).sum(axis=(1, 3), keepdims=True) / np.maximum(known.sum(axis=(1, 3), keepdims=True), 1)
        filled = np.where(known, cells, means).reshape(filled.shape)
        known = np.broadcast_to(known.any(axis=(1, 3), keepdims=True), known.shape)
        inside = known.reshape(inside.shape)
    return filled


def plan(transformed: Transformed, step: float) -> Plan:
    """Choose widths for a step of the coefficients by what a bit saves of the squared error."""
    every = -(-len(transformed.coefficients) // _PLANNED)
    size = _sizes(transformed.coefficients[::every], step)
    widest = min(_WIDEST, max(0, int(np.ceil(np.log2(max(float(size.max()), 0.5)))) + 1))
    costs = np.stack([_costs(size, np.full(size.shape[1], width)) for width in range(widest + 1)])
    rank = np.argsort(np.argsort(np.log2(1 + size).sum(axis=1), kind="stable"), kind="stable") / max(1, len(size))
    classes = np.searchsorted(_FIRST_CLASSES, rank, side="right")
    widths = np.zeros((CLASSES, size.shape[1]), dtype=np.int64)
    for _ in range(_ROUNDS):
        for number in range(CLASSES):
            widths[number] = costs[:, classes == number].sum(axis=1).argmin(axis=0)
        chosen = _classes(costs, widths)
        if np.array_equal(chosen, classes):
            break
        classes = chosen
    return Plan(step, widths.reshape(CLASSES, -1, COEFFICIENTS))


def _sizes(coefficients: NDArray[np.float32], step: float) -> NDArray[np.float32]:
    """Return the coefficients of each block [B, M] in steps, without signs."""
    return np.asarray(np.abs(coefficients.reshape(len(coefficients), -1)) / np.float32(step), dtype=np.float32)


def _costs(size: NDArray[np.float32], widths: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return error and price of coefficients [B, M] in fields of some widths [M], in squared steps."""
    reach = np.where(widths > 0, np.exp2(widths - 1.0), 0.0).astype(np.float32)
    off = np.where(size < reach, size - np.floor(size) - np.float32(0.5), size - reach + np.float32(0.5))
    off = np.where(widths > 0, off, size)
    return np.asarray(off * off + (_PRICE * widths).astype(np.float32), dtype=np.float32)


def _classes(costs: NDArray[np.float32], widths: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the cheapest class of each block, by costs [W, B, M] of every width."""
    place = np.arange(widths.shape[1])
    return np.asarray(np.stack([costs[of, :, place].sum(axis=0) for of in widths]).argmin(axis=0))


def classify(transformed: Transformed, chosen: Plan) -> NDArray[np.int64]:
    """Return the class of each block [B]."""
    size = _sizes(transformed.coefficients, chosen.step)
    flat = chosen.widths.reshape(CLASSES, -1)
    return np.asarray(np.stack([_costs(size, of).sum(axis=1) for of in flat]).argmin(axis=0))


def size_of(transformed: Transformed, chosen: Plan) -> int:
    """Return about how many words :func:`pack` makes, from every so many blocks."""
    every = -(-len(transformed.coefficients) // _PLANNED)
    some = Transformed(0, transformed.mean, transformed.axes, transformed.coefficients[::every])
    bits = chosen.class_bits[classify(some, chosen)].mean() * len(transformed.coefficients)
    return _fixed_words(transformed, chosen)[-1] + int(bits / 32) + 1


def _fixed_words(transformed: Transformed, chosen: Plan) -> tuple[int, int, int]:
    """Return at which words tables, groups and records begin."""
    counts = _component_counts(chosen)
    tables = HEAD_WORDS + -(-(1 + int(counts.max())) * len(transformed.mean) // 2)
    groups = tables + 2 * int(counts.sum())
    return tables, groups, groups + GROUP_WORDS * -(-len(transformed.coefficients) // GROUP)


def _component_counts(chosen: Plan) -> NDArray[np.int64]:
    """Return how many components a record of each class has: up to the last one with a field."""
    used = chosen.widths.any(axis=2) * np.arange(1, chosen.widths.shape[1] + 1)
    return np.asarray(used.max(axis=1))


def pack(transformed: Transformed, chosen: Plan) -> NDArray[np.uint32]:
    """Return the words of a picture."""
    classes, counts = classify(transformed, chosen), _component_counts(chosen)
    bits = chosen.class_bits
    tables, groups, records = _fixed_words(transformed, chosen)
    starts = np.cumsum(bits[classes]) - bits[classes]
    words = np.zeros(records + -(-int(bits[classes].sum()) // 32), dtype=np.uint32)
    words[0] = np.float32(chosen.step / SIDE).view(np.uint32)
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
    scaled = transformed.coefficients.reshape(len(classes), -1) / np.float32(chosen.step)
    for number, widths in enumerate(chosen.widths.reshape(CLASSES, -1)):
        own, used = np.flatnonzero(classes == number), widths > 0
        half = np.exp2(widths[used] - 1.0)
        codes = np.clip(np.floor(scaled[own][:, used]) + half, 0, 2 * half - 1).astype(np.int64)
        first = starts[own, None] + (np.cumsum(widths) - widths)[used]
        put_bits(words[records:], first, codes, widths[used])
    return words
