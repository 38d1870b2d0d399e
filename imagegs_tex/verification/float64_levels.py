"""The stored levels of a buffer as docs/gpu-buffer.md, "Levels", defines them: read field by field, in float64.

It shares no code with what packs them or with a decoder.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]
Words = NDArray[np.uint64]
"""Of 32 bits each."""


@dataclass(frozen=True, slots=True)
class StoredLevels:
    """What a material's buffer says of its levels."""

    first: int  # the first level that is stored
    direct: int  # the first that is stored itself, and not as a difference
    values: tuple[Float, ...]  # [down, across, V] of the first, the next, ... the last one
    step: float  # the largest of all pictures' coefficients: about their error, where everything is right


def read_levels(words: NDArray[np.uint32], material_at: int, value_count: int) -> StoredLevels:
    """Read the levels of a material.

    Args:
        words: the buffer
        material_at: word at which the material begins
        value_count: V, coded channels and normals whose z is not coded
    """
    material = words[material_at:].astype(np.uint64)
    head = material[:12].tolist()
    size = head[1] & 0xFFFF, head[1] >> 16
    first, last, direct = head[11] & 255, head[11] >> 8 & 255, head[11] >> 16 & 255
    table = head[10]
    values: list[Float] = []
    steps = [0.0]
    picture = np.empty(0)
    for level in range(first, last + 1):
        across, down = (-(-side >> level) for side in size)
        part = 0 if level < direct else (level - direct) % 3
        if part == 0:
            number = level - first if level < direct else direct - first + (level - direct) // 3
            start = int(material[table + number])
            picture = np.zeros((4 * -(-down // 4), 4 * -(-across // 4), value_count))
            if start:
                step = _read_picture(material, table + start, picture)
                steps.append(step)
        rows = _cells(picture, 0, part, _covered(size[1], level - part))[:down]
        values.append(_cells(rows, 1, part, _covered(size[0], level - part))[:, :across])
    return StoredLevels(first, direct, tuple(values), max(steps))


def _covered(size: int, level: int) -> Float:
    """Return how much of the picture each texel of a level covers along an axis, up to whole blocks of them."""
    count = 4 * -(-size >> level + 2)
    return np.asarray(np.clip(size - (np.arange(count) << level), 0, 1 << level), dtype=np.float64)


def _cells(picture: Float, axis: int, part: int, covered: Float) -> Float:
    """Average 2^part texels along an axis, by what they cover; beyond the picture there is nothing."""
    weights = covered.reshape(-1, 1 << part)
    total = np.maximum(weights.sum(axis=1), 1)
    moved = np.moveaxis(picture, axis, 0)
    means = np.einsum("cs,cs...->c...", weights, moved.reshape(len(weights), 1 << part, *moved.shape[1:]))
    return np.moveaxis(means / total.reshape(-1, *[1] * (means.ndim - 1)), 0, axis)


def _read_picture(words: Words, at: int, picture: Float) -> float:
    """Fill a picture [4 d, 4 a, V] of whole blocks from the set of a word; return the step of its coefficients."""
    down, across, value_count = picture.shape[0] // 4, picture.shape[1] // 4, picture.shape[2]
    material = words[at:]
    head = material[:8].tolist()
    step = float(material[:1].astype("<u4").view("<f4")[0])
    components, tables = head[1] & 255, head[1] >> 8
    rows = np.array([_code(material, 8, k) for k in range((1 + components) * value_count)]) / 32767
    rows = rows.reshape(1 + components, value_count)
    widths = [
        [[_nibble(material, tables + 2 * ((kind >> 8 & 255) + k), t) for t in range(16)] for k in range(kind & 255)]
        for kind in head[4:]
    ]
    signs = np.array([[_sign(t, place // 4, place % 4) for place in range(16)] for t in range(16)], dtype=np.float64)
    kinds, bits = _places(material[head[2] :], np.array(head[4:]) >> 16, down * across)
    coefficients = np.zeros((down * across, components, 16))
    for kind, of_kind in enumerate(widths):
        chosen = np.flatnonzero(kinds == kind)
        bit = bits[chosen]
        for k, of_component in enumerate(of_kind):
            for t, width in enumerate(of_component):
                if width:
                    fields = _fields(material[head[3] :], bit, width)
                    coefficients[chosen, k, t] = step * (fields + 0.5 - (1 << width - 1))
                    bit = bit + width
    texels = np.moveaxis(coefficients @ signs, 1, -1) @ rows[1:] + rows[0]  # [blocks, 16, V]
    blocks = texels.reshape(down, across, 4, 4, value_count)
    picture[:] = np.moveaxis(blocks, 2, 1).reshape(picture.shape)
    return 4 * step


def _places(groups: Words, sizes: NDArray[np.int64], count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return each block's kind, and the bit at which its coefficients begin; sizes: bits of a block, by kind."""
    numbers = np.arange(-(-count // 32) * 32)
    heads = groups[: 3 * len(numbers) // 32].astype(np.int64).reshape(-1, 3)
    within = numbers.reshape(-1, 32) % 32
    kinds = np.take_along_axis(heads[:, 1:], within // 16, axis=1) >> 2 * (within % 16) & 3
    taken = sizes[kinds]
    bits = heads[:, :1] + np.cumsum(taken, axis=1) - taken
    return kinds.ravel()[:count], bits.ravel()[:count]


def _sign(number: int, y: int, x: int) -> int:
    along = (number & 1) * (x >> 1) + (number >> 2 & 1) * (x & 1)
    down = (number >> 1 & 1) * (y >> 1) + (number >> 3) * (y & 1)
    return 1 - 2 * (along + down & 1)


def _nibble(material: Words, at: int, number: int) -> int:
    return int(material[at + number // 8]) >> 4 * (number % 8) & 15


def _code(material: Words, at: int, number: int) -> int:
    code = int(material[at + number // 2]) >> 16 * (number % 2) & 0xFFFF
    return code - 0x10000 if code & 0x8000 else code


def _fields(records: Words, bits: NDArray[np.int64], width: int) -> NDArray[np.int64]:
    """Return the number of so many bits at each bit."""
    low, high = bits // 32, (bits + width - 1) // 32
    both = records[low] | records[high] << (32 * (high - low)).astype(np.uint64)
    return np.asarray((both >> (bits % 32).astype(np.uint64)).astype(np.int64) & (1 << width) - 1)
