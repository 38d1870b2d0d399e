"""JPEG, 8 bits: Pillow's libjpeg-turbo, after the header has been looked at.

A file that lacks only its end marker reads; one that lacks texels does not. libjpeg fills what is missing with grey and
tells nobody through Pillow, so :func:`_is_whole` finds it out.
"""

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from PIL import Image

from imagegs_tex.formats.errors import InputError
from imagegs_tex.formats.images.picture import Decoded, Texels, check_claim, check_size

_END: Final = b"\xff\xd9"
_FRAMES: Final = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})  # start of frame, all kinds
_READ_FRAMES: Final = {0xC0: "baseline", 0xC1: "extended", 0xC2: "progressive"}
_ALONE: Final = frozenset({0x01, *range(0xD0, 0xD9)})  # markers without a length
_START_OF_SCAN: Final = 0xDA
_END_OF_IMAGE: Final = 0xD9
_KEPT_APPLICATION: Final = frozenset({0xE0, 0xEE})  # JFIF and Adobe's say which colours the components are
_BLOCKS_PER_BYTE: Final = 8  # a block of 8 x 8 takes at least a bit


@dataclass(frozen=True, slots=True)
class JpegHeader:
    """What decides how much a JPEG decodes to."""

    width: int
    height: int
    components: tuple[int, ...]  # their ids
    bits: int
    frame: int  # marker of the frame


def jpeg_header(data: bytes, where: str) -> JpegHeader:
    """Read the frame header of a JPEG; InputError where there is none."""
    for marker, start, end in _segments(data):
        if marker in _FRAMES:
            if end - start < 6 or end - start < 6 + 3 * data[start + 5]:
                break
            bits, height, width, count = struct.unpack_from(">BHHB", data, start)
            return JpegHeader(width, height, tuple(data[start + 6 : start + 6 + 3 * count : 3]), bits, marker)
    raise InputError(f"{where} is a JPEG without a frame; it is damaged: export it again")


def decode_jpeg(data: bytes, where: str) -> Decoded:
    """Decode a JPEG to grey or RGB."""
    header = jpeg_header(data, where)
    check_size(where, header.width, header.height)
    if header.bits != 8 or header.frame not in _READ_FRAMES:
        kind = f"of {header.bits} bits" if header.bits != 8 else "lossless, hierarchical or arithmetic-coded"
        raise InputError(f"{where} is a JPEG {kind}, which is not read; save it as PNG")
    if len(header.components) not in {1, 3, 4}:
        raise InputError(f"{where} is a JPEG of {len(header.components)} components; use grey or RGB")
    blocks = -(-header.width // 8) * -(-header.height // 8)
    if blocks > _BLOCKS_PER_BYTE * len(data):
        raise InputError(f"{where} ends early: {len(data)} bytes cannot hold {header.width} x {header.height} texels")
    check_claim(where, header.width * header.height * len(header.components), len(data))
    notes = []
    if len(header.components) == 4:
        notes.append("CMYK converted to RGB without a profile")
    kept, is_ended, is_complete = _reduced(data, header)
    texels = _decode(kept + _END)
    if not is_ended:
        if not (is_complete and _is_whole(kept, texels)):
            raise InputError(f"{where} ends early: texels are missing; it is damaged: export it again")
        notes.append("lacks its end marker")
    return Decoded(texels, tuple(notes), is_lossy=True)


def _decode(data: bytes) -> Texels:
    with Image.open(io.BytesIO(data), formats=["JPEG"]) as picture:
        return np.asarray(picture if picture.mode in {"L", "RGB"} else picture.convert("RGB"))


def _is_whole(data: bytes, texels: Texels) -> bool:
    """Whether a scan without an end is complete: then bytes put behind it change nothing."""
    return all(np.array_equal(_decode(data + filling * 32 + _END), texels) for filling in (b"\xaa", b"\x55", b"\x13"))


def _segments(data: bytes, at: int = 2) -> Iterator[tuple[int, int, int]]:
    """Yield each marker with where its content begins and ends; a scan's content ends where its texels do."""
    while at + 4 <= len(data):
        if data[at] != 0xFF:  # stray bytes between segments: libjpeg skips them
            at = data.find(b"\xff", at)
            if at < 0:
                return
            continue
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        if marker in _ALONE or marker == 0:
            at += 2
            continue
        if marker == _END_OF_IMAGE:
            yield marker, at + 2, at + 2
            return
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4])
        if end > len(data):
            return
        if marker == _START_OF_SCAN:
            end = _end_of_scan(data, end)
        yield marker, at + 4, end
        at = end
    if data[at : at + 2] == _END:
        yield _END_OF_IMAGE, at + 2, at + 2


def _end_of_scan(data: bytes, at: int) -> int:
    while True:
        at = data.find(b"\xff", at)
        if at < 0 or at + 1 >= len(data):
            return len(data)
        if data[at + 1] != 0 and data[at + 1] not in _ALONE and data[at + 1] != 0xFF:
            return at
        at += 1 if data[at + 1] == 0xFF else 2


def _reduced(data: bytes, header: JpegHeader) -> tuple[bytes, bool, bool]:
    """Leave out what says nothing about texels, and the end marker.

    Returns:
        the rest, whether there was an end marker, and whether scans say everything of every component
    """
    parts, ended = [data[:2]], False
    missing = {component: {*range(64)} for component in header.components}
    for marker, start, end in _segments(data):
        if marker == _END_OF_IMAGE:
            ended = True
            break
        if marker == 0xFE or (0xE0 <= marker <= 0xEF and marker not in _KEPT_APPLICATION):
            continue
        parts.append(data[start - 4 : end])
        if marker == _START_OF_SCAN:
            _tick_off(data[start:end], missing)
    kept = b"".join(parts)
    if not ended and kept.endswith(b"\xff"):
        kept = kept[:-1]  # half an end marker
    return kept, ended, not any(missing.values())


def _tick_off(scan: bytes, missing: dict[int, set[int]]) -> None:
    """Take from what is missing the coefficients that a scan says to their last bit."""
    count = scan[0] if scan else 0
    if len(scan) < 4 + 2 * count:
        return
    first, last, low_bit = scan[1 + 2 * count], scan[2 + 2 * count], scan[3 + 2 * count] & 15
    if low_bit == 0:
        for component in scan[1 : 1 + 2 * count : 2]:
            missing.get(component, set()).difference_update(range(first, last + 1))
