"""DDS: level 0 of a texture, or of the first of several.

An own reader of the header: Pillow's has 8 bits for everything, BC6H included. The legacy formats are those of
https://learn.microsoft.com/windows/win32/direct3ddds/dx-graphics-dds-pguide.
"""

import struct
from dataclasses import dataclass
from typing import Final

import numpy as np

from imagegs_tex.formats.errors import InputError
from imagegs_tex.formats.files.safe_names import printable
from imagegs_tex.formats.images import gpu_pixels as px
from imagegs_tex.formats.images.picture import (
    STRAIGHTENED,
    Decoded,
    check_claim,
    check_size,
    straight,
    without_stated_alpha,
)

_HEADER: Final = struct.Struct("<4x7I44x2I4s5I4I4x")
_DX10: Final = struct.Struct("<5I")
_TEXTURE_2D: Final = 3
_PREMULTIPLIED: Final = 2  # of the DX10 header's alpha modes
_CUBE: Final = 0x4  # of its flags
_HAS_ALPHA, _ALPHA_ONLY, _FOUR_LETTERS, _RGB, _LUMINANCE = 0x1, 0x2, 0x4, 0x40, 0x20000
_CUBE_CAPS, _VOLUME_CAPS = 0x200, 0x200000
_FOUR_LETTER_CODES: Final = {
    b"DXT1": px.BC1, b"DXT2": px.BC2, b"DXT3": px.BC2, b"DXT4": px.BC3, b"DXT5": px.BC3, b"ATI1": px.BC4,
    b"BC4U": px.BC4, b"ATI2": px.BC5, b"BC5U": px.BC5,
}  # fmt: skip
_NUMBERS: Final = {
    36: px.RGBA16,
    111: px.R16F,
    112: px.RG16F,
    113: px.RGBA16F,
    114: px.R32F,
    115: px.RG32F,
    116: px.RGBA32F,
}
_PREMULTIPLIED_CODES: Final = frozenset({b"DXT2", b"DXT4"})


@dataclass(frozen=True, slots=True)
class _Masks:
    """Channels of a texel that lie in one word."""

    bits: int
    masks: tuple[int, ...]
    says_no_alpha: bool


def decode_dds(data: bytes, where: str) -> Decoded:
    """Decode level 0 of a DDS file's first picture."""
    if len(data) < _HEADER.size:
        raise InputError(f"{where} has a damaged DDS header; export it again")
    size, _, height, width, _, _, _, _, kind, code, bits, *masks, _, caps2, _, _ = _HEADER.unpack_from(data)
    if size != 124:
        raise InputError(f"{where} has a damaged DDS header; export it again")
    check_size(where, width, height)
    notes: list[str] = []
    start, is_premultiplied = _HEADER.size, code in _PREMULTIPLIED_CODES
    layout: px.PixelLayout | _Masks
    if kind & _FOUR_LETTERS and code == b"DX10":
        layout, is_premultiplied, several = _dx10(data, where)
        start += _DX10.size
        notes += several
    elif kind & _FOUR_LETTERS:
        found = _FOUR_LETTER_CODES.get(code) or _NUMBERS.get(int.from_bytes(code, "little"))
        if found is None:
            raise InputError(
                f"{where} is a DDS of {printable(code.decode('latin-1'))}, which is not read; use BC1 to BC7"
            )
        layout = found
    else:
        layout = _legacy(where, kind, bits, tuple(masks))
    if caps2 & _VOLUME_CAPS:
        raise InputError(f"{where} is a volume texture; give its slices as images")
    if caps2 & _CUBE_CAPS:
        notes.append("a cube: its first face is read")
    if isinstance(layout, _Masks):
        check_claim(where, width * height * 8, len(data))
        texels = px.read_masked(where, data[start:], width, height, layout.bits, layout.masks)
        if texels.shape[2] == 4:
            kept, more = without_stated_alpha(texels, layout.says_no_alpha)
            return Decoded(kept, (*notes, *more))
        return Decoded(texels, tuple(notes))
    px.check_level(where, layout, width, height, len(data))
    level = px.read_level(where, layout, data[start : start + layout.level_bytes(width, height)], width, height)
    if is_premultiplied and level.shape[2] == 4:
        level = straight(np.ascontiguousarray(level), 3)
        notes.append(STRAIGHTENED)
    return Decoded(level, tuple(dict.fromkeys(notes)), is_lossy=layout.block != 0)


def _dx10(data: bytes, where: str) -> tuple[px.PixelLayout, bool, list[str]]:
    """Read the second header: layout, whether alpha is premultiplied, notes."""
    if len(data) < _HEADER.size + _DX10.size:
        raise InputError(f"{where} has a damaged DDS header; export it again")
    dxgi, dimension, flags, count, alpha = _DX10.unpack_from(data, _HEADER.size)
    layout = px.DXGI.get(dxgi)
    if layout is None:
        raise InputError(f"{where} is a DDS of DXGI format {dxgi}, which is not read; use BC1 to BC7 or 8-bit RGBA")
    if dimension != _TEXTURE_2D:
        raise InputError(f"{where} is no 2D texture; give its slices as images")
    notes = ["a cube: its first face is read"] if flags & _CUBE else []
    if count > 1:
        notes.append(f"the first of {count} slices is read")
    return layout, alpha & 7 == _PREMULTIPLIED, notes


def _legacy(where: str, kind: int, bits: int, masks: tuple[int, ...]) -> _Masks:
    """Return the channels of a format that is said by masks."""
    red, green, blue, alpha = masks
    has_alpha = bool(kind & (_HAS_ALPHA | _ALPHA_ONLY)) and alpha > 0
    if kind & _RGB:
        if bits == 32 and not has_alpha and red | green | blue == 0xFFFFFF:
            return _Masks(bits, (red, green, blue, 0xFF000000), says_no_alpha=True)
        return _Masks(bits, (red, green, blue, *([alpha] if has_alpha else [])), says_no_alpha=False)
    if kind & _LUMINANCE:
        return _Masks(bits, (red, *([alpha] if has_alpha else [])), says_no_alpha=False)
    if kind & _ALPHA_ONLY:
        return _Masks(bits, (alpha,), says_no_alpha=False)
    raise InputError(
        f"{where} is a DDS of an unknown kind ({kind:#x}), which is not read; use BC1 to BC7 or 8-bit RGBA"
    )
