"""Bit fields of varying width, packed from the least significant bit of the first byte on."""

import numpy as np
from numpy.typing import NDArray


def pack_fields(values: NDArray[np.integer], widths: NDArray[np.integer]) -> bytes:
    """Pack one field per value; the last byte is filled with zeros.

    Args:
        values: [M], 0 <= value < 2^width
        widths: [M] bits, 0..31
    """
    bit_of, index = _bit_addresses(widths)
    bits = (values.astype(np.int64)[index] >> bit_of) & 1
    return np.packbits(bits.astype(np.uint8), bitorder="little").tobytes()


def unpack_fields(data: bytes, widths: NDArray[np.integer]) -> NDArray[np.int64] | None:
    """Invert :func:`pack_fields`; None when the filling is not zero.

    Args:
        data: exactly the bytes that the widths add up to
        widths: [M] bits, 0..31
    """
    bit_of, index = _bit_addresses(widths)
    bits = np.unpackbits(np.frombuffer(data, np.uint8), bitorder="little")
    if np.any(bits[bit_of.size :]):
        return None
    values = np.zeros(len(widths), dtype=np.int64)
    for bit in range(int(widths.max(initial=0))):
        used = bit_of == bit
        values[index[used]] |= bits[: bit_of.size][used].astype(np.int64) << bit
    return values


def _bit_addresses(widths: NDArray[np.integer]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return, for every bit of the stream, its place in its field and the field's index."""
    wide = widths.astype(np.int64)
    ends = np.cumsum(wide)
    index = np.repeat(np.arange(len(wide)), wide)
    bit_of = np.arange(int(ends[-1]) if len(wide) else 0) - np.repeat(ends - wide, wide)
    return bit_of, index
