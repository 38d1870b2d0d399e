"""TGA: Pillow expands the pixels; what they mean is read here.

Pillow drops the alpha of colour maps, believes an alpha that the header calls none, and ignores an alpha that colours
have been multiplied by. Truevision TGA File Format Specification 2.0, 1991.
"""

import io
import struct
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from imagegs_tex.formats.errors import InputError
from imagegs_tex.formats.images.picture import (
    STRAIGHTENED,
    Decoded,
    Texels,
    check_claim,
    check_size,
    straight,
    widened,
    without_stated_alpha,
)

_HEADER: Final = struct.Struct("<BBB HHB HHHH BB")
_FOOTER: Final = b"TRUEVISION-XFILE.\0"
_FOOTER_BYTES: Final = 26
_EXTENSION_BYTES: Final = 495
_MAPPED, _COLOUR, _GREY = 1, 2, 3
_RUNS: Final = 8  # added to the kind of picture
_DEPTHS: Final = {_MAPPED: (8,), _COLOUR: (15, 16, 24, 32), _GREY: (8, 16)}
_PREMULTIPLIED: Final = 4  # attributes types of the extension area
_NO_ALPHA: Final = frozenset({0, 1})


def decode_tga(data: bytes, where: str) -> Decoded:
    """Decode a TGA: colour maps become RGB or RGBA, 15 and 16 bits per texel 8 per channel."""
    if len(data) < _HEADER.size:
        raise InputError(f"{where} is no TGA image, nor any other that can be read; export it again")
    (
        id_bytes, has_map, kind, map_first, map_length, map_bits, _, _, width, height, depth, descriptor,
    ) = _HEADER.unpack_from(data)  # fmt: skip
    kind_alone = kind & ~_RUNS
    if has_map > 1 or depth not in _DEPTHS.get(kind_alone, ()) or kind > _GREY + _RUNS or descriptor >> 6:
        raise InputError(
            f"{where} is no TGA that can be read (kind {kind}, {depth} bits); export it again as 8-bit RGB or RGBA"
        )
    check_size(where, width, height)
    check_claim(where, width * height * 4, len(data))
    map_at = _HEADER.size + id_bytes
    pixels_at = map_at + (map_length * -(-map_bits // 8) if has_map else 0)
    pixels, attributes_type = _split_extension(data, pixels_at)
    grey_kind = _GREY | (kind & _RUNS)
    if kind_alone == _MAPPED:
        colours, notes = _colour_map(data[map_at:pixels_at], map_length, map_bits, descriptor & 15, where)
        indices = _expand(pixels, grey_kind, width, height, 8, descriptor)
        own = indices.astype(np.int64) - map_first
        if own.min() < 0 or own.max() >= len(colours):
            raise InputError(f"{where} uses colours that its colour map does not have; it is damaged: export it again")
        return Decoded(colours[own], notes)
    if depth in {15, 16} and kind_alone == _COLOUR:
        words = _expand(pixels, grey_kind, width, height, 16, descriptor)
        texels, says_none = _from_555(words.view("<u2")[..., 0]), descriptor & 15 == 0
        if depth == 15:
            return Decoded(texels[..., :3])
    else:
        texels = _expand(pixels, kind, width, height, depth, descriptor)
        says_none = descriptor & 15 == 0 or attributes_type in _NO_ALPHA
    if texels.ndim == 2 or texels.shape[2] != 4:
        return Decoded(texels)
    if attributes_type == _PREMULTIPLIED:
        return Decoded(straight(texels, 3), (STRAIGHTENED,))
    return Decoded(*without_stated_alpha(texels, says_none))


def _split_extension(data: bytes, pixels_at: int) -> tuple[bytes, int | None]:
    """Return the bytes of the pixels, and the attributes type of a file of version 2 that has one."""
    if not data.endswith(_FOOTER) or len(data) < pixels_at + _FOOTER_BYTES:
        return data[pixels_at:], None
    extension_at = int.from_bytes(data[-_FOOTER_BYTES : 4 - _FOOTER_BYTES], "little")
    pixels = data[pixels_at:-_FOOTER_BYTES]
    if extension_at < pixels_at or extension_at + _EXTENSION_BYTES > len(data):
        return pixels, None
    return pixels, data[extension_at + _EXTENSION_BYTES - 1]


def _expand(pixels: bytes, kind: int, width: int, height: int, depth: int, descriptor: int) -> NDArray[np.uint8]:
    """Let Pillow expand runs and turn rows the right way up: channels come as bytes, colours in the order R, G, B."""
    try:
        return _opened(pixels, kind, width, height, depth, descriptor)
    except OSError:
        whole = _without_runs(pixels, width * height, depth // 8) if kind & _RUNS else None
        if whole is None:
            raise
    return _opened(whole, kind & ~_RUNS, width, height, depth, descriptor)


def _opened(pixels: bytes, kind: int, width: int, height: int, depth: int, descriptor: int) -> NDArray[np.uint8]:
    header = _HEADER.pack(0, 0, kind, 0, 0, 0, 0, 0, width, height, depth, descriptor & 0x30)
    with Image.open(io.BytesIO(header + pixels), formats=["TGA"]) as picture:
        return np.array(picture)


def _without_runs(data: bytes, texels: int, texel_bytes: int) -> bytes | None:
    """Expand packets that go on into the next row, as writers before version 2 made them and Pillow refuses them.

    Returns:
        the texels' bytes; None where some are missing
    """
    parts, place, missing = [], 0, texels
    while missing > 0 and place < len(data):
        count, is_run = min((data[place] & 127) + 1, missing), data[place] >= 128
        own = data[place + 1 : place + 1 + texel_bytes * (1 if is_run else count)]
        if len(own) < texel_bytes * (1 if is_run else count):
            return None
        parts.append(own * count if is_run else own)
        place, missing = place + 1 + len(own), missing - count
    return None if missing else b"".join(parts)


def _colour_map(
    data: bytes, length: int, bits: int, attribute_bits: int, where: str
) -> tuple[Texels, tuple[str, ...]]:  # fmt: skip
    """Return the colours of a map, [colours, 3 or 4]; alpha only where the map has some."""
    if bits not in {15, 16, 24, 32} or len(data) < length * -(-bits // 8) or length == 0:
        raise InputError(f"{where} has a colour map of {length} colours in {bits} bits; export it again without one")
    if bits <= 16:
        colours = _from_555(np.frombuffer(data, "<u2", length))
    else:
        colours = np.frombuffer(data, np.uint8, length * bits // 8).reshape(length, bits // 8)
        colours = colours[:, [2, 1, 0, 3][: bits // 8]]
    if colours.shape[1] == 4 and bits == 32:
        texels, notes = without_stated_alpha(colours[None], attribute_bits == 0)
        is_opaque = texels.shape[2] == 4 and bool((texels[..., 3] == 255).all())
        return (texels[0, :, :3] if is_opaque else texels[0]), (() if is_opaque else notes)
    has_alpha = bits == 16 and attribute_bits > 0 and not (colours[:, 3] == colours[0, 3]).all()
    return (colours if has_alpha else colours[:, :3]), ()


def _from_555(words: Texels) -> NDArray[np.uint8]:
    """Return RGBA of 16-bit texels: five bits each, and one of alpha on top."""
    channels = [widened(words >> shift & 31, 5) for shift in (10, 5, 0)]
    return np.stack([*channels, widened(words >> 15, 1)], axis=-1)
