"""The plain form of an .igs file's sections of integers: planes of codes, and LEB128 counts."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.formats.errors import IgsError

_LEB128_BYTES: Final = 4
LEB128_END: Final = 1 << 7 * _LEB128_BYTES
"""Above what so many bytes hold."""


@dataclass(frozen=True, slots=True)
class Plane:
    """How the codes of one plane are stored."""

    least: int  # least code, int16
    width: int  # bytes per code, 1 or 2


def require(holds: bool, message: str) -> None:
    """Raise IgsError with the message unless the law holds."""
    if not holds:
        raise IgsError(message)


def pack_planes(codes: NDArray[np.int16]) -> tuple[list[Plane], list[bytes]]:
    """Return the planes of codes [N, M] and the bytes of each."""
    planes, blocks = [], []
    for column in codes.T:
        least = int(column.min())
        stored = column.astype(np.int64) - least
        width = 1 if stored.max() < 256 else 2
        planes.append(Plane(least, width))
        blocks.append(b"".join((stored >> (8 * byte) & 255).astype(np.uint8).tobytes() for byte in range(width)))
    return planes, blocks


def unpack_planes(raw: bytes, count: int, planes: list[Plane], section: str) -> NDArray[np.int16]:
    """Return the codes [N, M] of planes, back to back in raw; IgsError when they are not exactly that."""
    expected = count * sum(plane.width for plane in planes)
    require(len(raw) == expected, f"section {section} has {len(raw)} bytes instead of {expected}")
    codes = np.empty((count, len(planes)), dtype=np.int16)
    at = 0
    for index, plane in enumerate(planes):
        stored = np.frombuffer(raw, np.uint8, count * plane.width, at).reshape(plane.width, count)
        at += count * plane.width
        values = stored[0].astype(np.int32) + plane.least
        if plane.width == 2:
            values += stored[1].astype(np.int32) << 8
        require(int(values.max()) <= np.iinfo(np.int16).max, f"a code of section {section} is out of range")
        codes[:, index] = values
    return codes


def pack_leb128(values: NDArray[np.int64]) -> bytes:
    """Return values of 0..2^28 - 1, each in the fewest bytes."""
    lengths = np.ones(len(values), np.int64)
    for byte in range(1, _LEB128_BYTES):
        lengths += values >= 1 << 7 * byte
    starts = np.cumsum(lengths) - lengths
    packed = np.empty(int(lengths.sum()), np.uint8)
    for byte in range(int(lengths.max())):
        used = lengths > byte
        continued = (lengths[used] > byte + 1) << 7
        packed[starts[used] + byte] = values[used] >> 7 * byte & 127 | continued
    return packed.tobytes()


def unpack_leb128(raw: bytes, value_count: int, total: int) -> NDArray[np.int32]:
    """Return the values [value_count], which add up to total; IgsError when they do not."""
    message = "section cells does not count every Gaussian once"
    data = np.frombuffer(raw, np.uint8)
    is_last = data < 128
    require(int(np.count_nonzero(is_last)) == value_count and bool(is_last[-1]), message)
    continued = np.flatnonzero(~is_last)
    # a value of several bytes counts at least 128 Gaussians, so there are few
    require(len(continued) <= (_LEB128_BYTES - 1) * (total >> 7), message)
    order = np.arange(len(continued))
    owners = continued - order  # which value each of these bytes belongs to
    places = order - np.searchsorted(owners, owners)
    require(bool(np.all(places < _LEB128_BYTES - 1)), message)
    values = data[is_last].astype(np.int32)
    long_values, byte_counts = np.unique(owners, return_counts=True)
    require(bool(np.all(values[long_values] != 0)), message)  # fewest bytes
    values[long_values] <<= 7 * byte_counts
    np.add.at(values, owners, (data[continued] & 127).astype(np.int32) << 7 * places)
    require(int(values.sum(dtype=np.int64)) == total, message)
    return values
