"""Bit fields of varying width, packed from the least significant bit of the first byte on."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

_FIELDS_AT_ONCE: Final = 1 << 16


def pack_fields(values: NDArray[np.integer], widths: NDArray[np.integer]) -> bytes:
    """Pack one field per value; the last byte is filled with zeros.

    Args:
        values: [M], 0 <= value < 2^width
        widths: [M] bits, 0..31
    """
    bits = np.empty(int(widths.sum(dtype=np.int64)), np.uint8)
    at = 0
    for start in range(0, len(widths), _FIELDS_AT_ONCE):
        block = slice(start, start + _FIELDS_AT_ONCE)
        wide = widths[block].astype(np.int64)
        count = int(wide.sum())
        place = np.arange(count) - np.repeat(np.cumsum(wide) - wide, wide)  # of each bit in its field
        bits[at : at + count] = (np.repeat(values[block].astype(np.int64), wide) >> place) & 1
        at += count
    return np.packbits(bits, bitorder="little").tobytes()


def unpack_fields(data: bytes, widths: NDArray[np.integer], first_bit: int = 0) -> NDArray[np.int64]:
    """Invert :func:`pack_fields`, from any bit on.

    Args:
        data: holds at least first_bit bits and those that the widths add up to
        widths: [M] bits, 0..31
        first_bit: where the first field begins
    """
    stored = np.frombuffer(data, np.uint8)
    wide = widths.astype(np.int64)
    starts = first_bit + np.cumsum(wide) - wide
    values = np.zeros(len(wide), np.int64)
    if stored.size == 0:
        return values
    for byte in range((int(wide.max(initial=0)) + 14) // 8):  # a field may begin at any bit of its first byte
        index = np.minimum((starts >> 3) + byte, stored.size - 1)  # what lies beyond the end is masked away
        values |= stored[index].astype(np.int64) << (8 * byte)
    return (values >> (starts & 7)) & ((1 << wide) - 1)
