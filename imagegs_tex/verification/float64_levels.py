"""The stored levels of a buffer as docs/gpu-buffer.md, "Levels", defines them: read field by field, in float64.

It shares no code with what packs them or with a decoder.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]


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
    material = words[material_at:].tolist()
    size = material[1] & 0xFFFF, material[1] >> 16
    first, last, direct = material[11] & 255, material[11] >> 8 & 255, material[11] >> 16 & 255
    table = material[10]
    values: list[Float] = []
    steps = [0.0]
    picture = np.empty(0)
    for level in range(first, last + 1):
        across, down = (-(-side >> level) for side in size)
        part = 0 if level < direct else (level - direct) % 3
        if part == 0:
            number = level - first if level < direct else direct - first + (level - direct) // 3
            start = material[table + number]
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


def _read_picture(material: list[int], at: int, picture: Float) -> float:
    """Fill a picture [4 d, 4 a, V] of whole blocks from the set of a word; return the step of its coefficients."""
    value_count = picture.shape[2]
    step = float(np.array([material[at]], dtype="<u4").view("<f4")[0])
    components, tables = material[at + 1] & 255, at + (material[at + 1] >> 8)
    groups, records = at + material[at + 2], at + material[at + 3]
    heads = material[at + 4 : at + 8]
    rows = np.array([_code(material, at + 8, k) for k in range((1 + components) * value_count)]) / 32767
    rows = rows.reshape(1 + components, value_count)
    widths = [
        [[_nibble(material, tables + 2 * ((head >> 8 & 255) + k), t) for t in range(16)] for k in range(head & 255)]
        for head in heads
    ]
    signs = np.array([[[_sign(t, y, x) for x in range(4)] for y in range(4)] for t in range(16)], dtype=np.float64)
    blocks_across = picture.shape[1] // 4
    for block in range(picture.shape[0] // 4 * blocks_across):
        group = groups + 3 * (block // 32)
        kinds = [material[group + 1 + k // 16] >> 2 * (k % 16) & 3 for k in range(block % 32 + 1)]
        bit = material[group] + sum(heads[kind] >> 16 for kind in kinds[:-1])
        coefficients = np.zeros((components, 16))
        for k, of_component in enumerate(widths[kinds[-1]]):
            for t, width in enumerate(of_component):
                if width:
                    coefficients[k, t] = _field(material, records, bit, width) + 0.5 - (1 << width - 1)
                    bit += width
        texels = np.einsum("kt,tyx,kv->yxv", step * coefficients, signs, rows[1:])
        y, x = 4 * (block // blocks_across), 4 * (block % blocks_across)
        picture[y : y + 4, x : x + 4] = rows[0] + texels
    return 4 * step


def _sign(number: int, y: int, x: int) -> int:
    along = (number & 1) * (x >> 1) + (number >> 2 & 1) * (x & 1)
    down = (number >> 1 & 1) * (y >> 1) + (number >> 3) * (y & 1)
    return 1 - 2 * (along + down & 1)


def _nibble(material: list[int], at: int, number: int) -> int:
    return material[at + number // 8] >> 4 * (number % 8) & 15


def _code(material: list[int], at: int, number: int) -> int:
    code = material[at + number // 2] >> 16 * (number % 2) & 0xFFFF
    return code - 0x10000 if code & 0x8000 else code


def _field(material: list[int], at: int, bit: int, width: int) -> int:
    low, high = at + bit // 32, at + (bit + width - 1) // 32
    return (material[low] | material[high] << 32 * (high - low)) >> bit % 32 & (1 << width) - 1
