"""JPEG 2000 (.jp2, .j2k): OpenJPEG through imagecodecs, which keeps 16 bits, after the boxes have been read.

https://www.itu.int/rec/T-REC-T.800
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import imagecodecs
import numpy as np

from imagegs_tex.formats.errors import InputError
from imagegs_tex.formats.images.picture import (
    STRAIGHTENED,
    Decoded,
    check_claim,
    check_size,
    straight,
    widened,
    widened_note,
)

_CODESTREAM: Final = b"\xff\x4f\xff\x51"
_CONTAINERS: Final = frozenset({b"jp2h"})
_MOST_TILES: Final = 4096
_MOST_PER_TILE: Final = 64  # the library's time for a tile of nothing is that for some thousand texels
_PALETTE, _CHANNELS_BOX, _COLOUR = b"pclr", b"cdef", b"colr"
_COLOUR_SPACES: Final = {16: "sRGB", 17: "grey"}


@dataclass(slots=True)
class _Boxes:
    """What a JP2 file says around its codestream."""

    codestream: bytes = b""
    has_palette: bool = False
    colour_spaces: list[int] = field(default_factory=list)
    channels: dict[int, tuple[int, int]] = field(default_factory=dict)  # index to type and association


def decode_jpeg2000(data: bytes, where: str) -> Decoded:
    """Decode a JP2 file or a bare codestream; 1 to 16 bits, all channels alike and in full."""
    boxes = _Boxes(codestream=data) if data.startswith(_CODESTREAM) else _read_boxes(data)
    bits = _check_codestream(boxes, where)
    if boxes.has_palette:
        raise InputError(f"{where} is a JPEG 2000 with a palette; save it as RGB")
    for space in boxes.colour_spaces:
        if space not in _COLOUR_SPACES:
            raise InputError(f"{where} is a JPEG 2000 of colour space {space}; save it as sRGB or grey")
    texels = np.asarray(imagecodecs.jpeg2k_decode(boxes.codestream, numthreads=1))
    texels = texels[..., None] if texels.ndim == 2 else texels
    texels = widened(texels, bits)
    notes = widened_note(bits)
    if texels.shape[2] in {2, 4}:
        kind = boxes.channels.get(texels.shape[2] - 1, (1, 0))[0]
        if kind == 2:
            texels, notes = straight(texels, texels.shape[2] - 1), (*notes, STRAIGHTENED)
    return Decoded(texels, notes, is_lossy=True)


def _read_boxes(data: bytes) -> _Boxes:
    found = _Boxes()
    for kind, start, end in _boxes(data, 0, len(data)):
        if kind == b"jp2c" and not found.codestream:
            found.codestream = data[start:end]
        elif kind == _PALETTE:
            found.has_palette = True
        elif kind == _COLOUR and data[start : start + 1] == b"\1" and end - start >= 7:
            found.colour_spaces.append(int.from_bytes(data[start + 3 : start + 7]))
        elif kind == _CHANNELS_BOX:
            for at in range(start + 2, end - 5, 6):
                index, meaning, association = struct.unpack_from(">3H", data, at)
                found.channels[index] = meaning, association
    return found


def _boxes(data: bytes, at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    while at + 8 <= end:
        length, kind = struct.unpack_from(">I4s", data, at)
        start = at + 8
        if length == 1:
            length, start = int.from_bytes(data[at + 8 : at + 16]), at + 16
        stop = end if length == 0 else at + length
        if stop < start:
            return
        stop = min(stop, end)
        if kind in _CONTAINERS:
            yield from _boxes(data, start, stop)
        else:
            yield kind, start, stop
        at = stop


def _check_codestream(boxes: _Boxes, where: str) -> int:
    """Check the size marker of a codestream; return the bits of its samples."""
    data = boxes.codestream
    if not data.startswith(_CODESTREAM) or len(data) < 42:
        raise InputError(f"{where} is a JPEG 2000 without a codestream; it is damaged: export it again")
    right, bottom, left, top, tile_width, tile_height, tile_left, tile_top, count = struct.unpack_from(">8IH", data, 8)
    width, height = right - left, bottom - top
    check_size(where, width, height, count)
    if len(data) < 42 + 3 * count or 0 in {tile_width, tile_height} or tile_left > left or tile_top > top:
        raise InputError(f"{where} has a damaged JPEG 2000 header; export it again")
    depths = {data[42 + 3 * channel] for channel in range(count)}
    steps = {data[at] for channel in range(count) for at in (43 + 3 * channel, 44 + 3 * channel)}
    if steps != {1}:
        raise InputError(f"{where} is a JPEG 2000 with subsampled channels; save it in full")
    if len(depths) > 1 or (depth := depths.pop()) & 0x80 or depth > 15:
        raise InputError(f"{where} is a JPEG 2000 of signed, mixed or more than 16 bits; use 8 or 16 bits")
    tiles = -(-(right - tile_left) // tile_width) * -(-(bottom - tile_top) // tile_height)
    if tiles > _MOST_TILES:
        raise InputError(f"{where} is a JPEG 2000 of {tiles} tiles; use at most {_MOST_TILES}")
    check_claim(where, width * height * count * 4, len(data))  # OpenJPEG decodes to 32 bits
    return depth + 1
