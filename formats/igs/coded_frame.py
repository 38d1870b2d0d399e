"""The frame of the coders of integer planes: a centre per plane, then exactly as many bytes as the codes take."""

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

_BYTES_PER_CODE: Final = 4
"""Room for what codes take; more is made where that is not enough."""

Coder = Callable[[NDArray[np.int32], NDArray[np.uint8]], int]
"""Codes values [N, M], each off its plane's centre, into bytes, or decodes them; the bytes used, or -1."""


def encode_frame(codes: NDArray[np.integer], code: Coder) -> bytes:
    """Return the planes' centres and the coder's bytes.

    Args:
        codes: [N, M] in -2^22..2^22
        code: the coder
    """
    planes = np.ascontiguousarray(codes, dtype=np.int32)
    centres = centres_of(planes)
    room = _BYTES_PER_CODE * planes.size + 256
    while True:
        coded = np.zeros(room, np.uint8)
        used = code(planes - centres, coded)
        if used >= 0:
            return centres.astype("<i2").tobytes() + coded[:used].tobytes()
        room *= 4


def decode_frame(data: bytes, count: int, plane_count: int, code: Coder) -> NDArray[np.int32]:
    """Invert :func:`encode_frame`; return codes [count, plane_count].

    Raises:
        ValueError: the data are not exactly what these planes take
    """
    head = 2 * plane_count
    if len(data) <= head:
        raise ValueError("too short")
    centres = np.frombuffer(data, "<i2", plane_count).astype(np.int32)
    values = np.zeros((count, plane_count), np.int32)
    coded = np.frombuffer(data, np.uint8, offset=head).copy()  # writable, as the encoder's: compiled once for both
    used = code(values, coded)
    if used != len(coded):
        raise ValueError(f"takes {used} bytes of {len(coded)}")
    return values + centres


def centres_of(codes: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return the most frequent value of each plane of codes [N, M], as far as 16 bits hold it."""
    centres = []
    for plane in codes.astype(np.int64).T:
        least = int(plane.min())
        centres.append(np.clip(least + np.bincount(plane - least).argmax(), -32768, 32767))
    return np.array(centres, np.int32)
