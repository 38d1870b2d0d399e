"""PNG: libpng through imagecodecs, which keeps 16 bits, with nothing but the chunks that make texels.

Text, profiles and everything else that says nothing about a sample's value is left away before the library sees it, so
that no limit on it refuses a sound file, as Pillow's do (1 MiB of text or profile).
"""

import struct
import zlib
from typing import Final

import imagecodecs
import numpy as np

from imagegs_tex.formats.errors import InputError
from imagegs_tex.formats.images.picture import Decoded, check_claim, check_size

_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_KEPT: Final = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT"})
_END: Final = b"\0\0\0\0IEND\xaeB`\x82"
_CHANNELS: Final = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by colour type
_DEPTHS: Final = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_SRGB_GAMMA: Final = 45455


def decode_png(data: bytes, where: str) -> Decoded:
    """Decode a PNG: palettes and transparent colours become channels, 1, 2 and 4 bits become 8."""
    width, height = _check_header(data, where)
    parts, notes, ended, at = [_SIGNATURE], [], False, len(_SIGNATURE)
    while at + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        end = at + 12 + length
        if kind == b"IEND":
            ended = True
            break
        if kind in _KEPT:
            if end > len(data):
                raise InputError(f"{where} cannot be read: it ends within its texels; export it again")
            parts.append(data[at:end])
        elif kind == b"acTL":
            notes.append("animated: its still picture is read")
        elif kind == b"gAMA" and length == 4 and end <= len(data):
            (gamma,) = struct.unpack_from(">I", data, at + 8)
            if abs(gamma - _SRGB_GAMMA) > 50:
                notes.append(f"its gamma tag ({gamma / 100000:g}) is not applied: values stay as stored")
        at = end
    if not ended:
        notes.append("lacks its end marker")
    parts.append(_END)
    texels = np.asarray(imagecodecs.png_decode(b"".join(parts)))
    if texels.shape[:2] != (height, width):
        raise InputError(f"{where} is damaged; export it again")
    return Decoded(texels, tuple(dict.fromkeys(notes)))


def _check_header(data: bytes, where: str) -> tuple[int, int]:
    if len(data) < 33 or data[8:16] != b"\0\0\0\rIHDR" or zlib.crc32(data[12:29]) != int.from_bytes(data[29:33]):
        raise InputError(f"{where} has a damaged PNG header and cannot be read; export it again")
    width, height, depth, colour = struct.unpack_from(">IIBB", data, 16)
    check_size(where, width, height)
    if depth not in _DEPTHS.get(colour, ()):
        raise InputError(f"{where} is a PNG of colour type {colour} with {depth} bits, which is none; export it again")
    channels = 4 if colour == 3 else _CHANNELS[colour] + 1 - colour // 4  # palettes and transparency add up to RGBA
    check_claim(where, width * height * channels * max(1, depth // 8), len(data))
    return width, height
