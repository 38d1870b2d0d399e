"""DDS files, as Direct3D has them: two fixed headers, then the levels, largest first.

Always with the DX10 header: the older four-letter codes can say neither BC6H, BC7 nor sRGB.
https://learn.microsoft.com/windows/win32/direct3ddds/dds-header
"""

import struct
from typing import Final

from imagegs_tex.formats.gpu_textures.texture import AlphaMode, Texture

_HEADER_BYTES: Final = 124
_PIXEL_FORMAT_BYTES: Final = 32
_CAPS, _HEIGHT, _WIDTH, _PITCH, _PIXEL_FORMAT, _MIP_COUNT, _LINEAR_SIZE = 0x1, 0x2, 0x4, 0x8, 0x1000, 0x20000, 0x80000
_FOUR_LETTERS: Final = 0x4
_COMPLEX, _TEXTURE, _MIPMAP = 0x8, 0x1000, 0x400000
_TEXTURE_2D: Final = 3
_ALPHA_MODES: Final = {  # straight, premultiplied, opaque, custom
    AlphaMode.COVERAGE: 1, AlphaMode.PREMULTIPLIED: 2, AlphaMode.NONE: 3, AlphaMode.DATA: 4,
}  # fmt: skip


def encode_dds(texture: Texture) -> bytes:
    """Return a texture as the bytes of a DDS file."""
    pixel_format = texture.pixel_format
    flags = _CAPS | _HEIGHT | _WIDTH | _PIXEL_FORMAT | _MIP_COUNT
    if pixel_format.is_compressed:
        flags, size = flags | _LINEAR_SIZE, len(texture.levels[0])
    else:
        flags, size = flags | _PITCH, texture.width * pixel_format.unit_bytes
    caps = _TEXTURE | (_COMPLEX | _MIPMAP if len(texture.levels) > 1 else 0)
    header = struct.pack(
        "<4s7I44x2I4s20x5I",
        b"DDS ", _HEADER_BYTES, flags, texture.height, texture.width, size, 0, len(texture.levels),
        _PIXEL_FORMAT_BYTES, _FOUR_LETTERS, b"DX10",
        caps, 0, 0, 0, 0,
    )  # fmt: skip
    dx10 = struct.pack("<5I", pixel_format.dxgi, _TEXTURE_2D, 0, 1, _ALPHA_MODES[texture.alpha])
    return b"".join((header, dx10, *texture.levels))
