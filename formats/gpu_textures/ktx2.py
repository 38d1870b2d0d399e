"""KTX 2 files, as Vulkan, OpenGL and glTF have them: an index of levels, a description of the texels, the levels.

https://registry.khronos.org/KTX/specs/2.0/ktxspec.v2.html. Levels are not supercompressed: blocks go from the file to
the GPU as they are, and whoever packs a game's files compresses them anyway.
"""

import math
import struct
from typing import Final

from imagegs_tex.formats.gpu_textures.texture import (
    BC1_SRGB,
    BC4,
    BC5,
    BC6H,
    BC7,
    BC7_SRGB,
    BLOCK,
    AlphaMode,
    PixelFormat,
    Texture,
)

_MAGIC: Final = b"\xabKTX 20\xbb\r\n\x1a\n"
_HEADER_BYTES: Final = 80  # the index of levels begins here
_LEVEL_ENTRY_BYTES: Final = 24
_MODELS: Final = {BC1_SRGB: 128, BC4: 131, BC5: 132, BC6H: 133, BC7: 134, BC7_SRGB: 134}
_PLAIN_MODEL: Final = 1  # red, green, blue and alpha apart
_BT709: Final = 1
_LINEAR, _SRGB = 1, 2
_FLOAT, _SIGNED = 0x80, 0x40
_ALPHA_CHANNEL: Final = 15
_PREMULTIPLIED: Final = 1  # flag of the block
_DESCRIPTION_VERSION: Final = 2


def encode_ktx2(texture: Texture, writer: str) -> bytes:
    """Return a texture as the bytes of a KTX 2 file.

    Args:
        texture: what to write
        writer: name and version of the program, for the file's KTXwriter entry
    """
    pixel_format = texture.pixel_format
    description = _description(pixel_format, texture.alpha)
    # In the order of the keys. Rows go from the top, as in all of this project's pictures.
    entries = _entry("KTXorientation", "rd") + _entry("KTXwriter", writer)
    description_at = _HEADER_BYTES + _LEVEL_ENTRY_BYTES * len(texture.levels)
    entries_at = description_at + len(description)
    places, data = _place_levels(texture, entries_at + len(entries))
    header = struct.pack(
        "<12s13I2Q",
        _MAGIC, pixel_format.vulkan, 1 if pixel_format.is_compressed else 2, texture.width, texture.height, 0, 0, 1,
        len(texture.levels), 0,
        description_at, len(description), entries_at, len(entries), 0, 0,
    )  # fmt: skip
    index = b"".join(
        struct.pack("<3Q", place, len(level), len(level)) for place, level in zip(places, texture.levels, strict=True)
    )
    return b"".join((header, index, description, entries, data))


def _place_levels(texture: Texture, start: int) -> tuple[list[int], bytes]:
    """Lay the levels out from a place in the file on, smallest first; return each level's place, and the bytes."""
    alignment = math.lcm(texture.pixel_format.unit_bytes, 4)
    places, parts, end = [], [], start
    for level in reversed(texture.levels):
        padding = -end % alignment
        places.append(end + padding)
        parts += [bytes(padding), level]
        end += padding + len(level)
    return places[::-1], b"".join(parts)


def _entry(key: str, value: str) -> bytes:
    text = f"{key}\0{value}\0".encode()
    return struct.pack("<I", len(text)) + text + bytes(-len(text) % 4)


def _description(pixel_format: PixelFormat, alpha: AlphaMode) -> bytes:
    """Return the data format descriptor: its length, and one basic block that says what the bits of a texel are."""
    samples = b"".join(_samples(pixel_format))
    block_bytes = 24 + len(samples)
    side = BLOCK - 1 if pixel_format.is_compressed else 0
    block = struct.pack(
        "<I2H8B8B",
        0, _DESCRIPTION_VERSION, block_bytes,
        _MODELS.get(pixel_format, _PLAIN_MODEL), _BT709, _SRGB if pixel_format.is_srgb else _LINEAR,
        _PREMULTIPLIED if alpha == AlphaMode.PREMULTIPLIED else 0,
        side, side, 0, 0,
        pixel_format.unit_bytes, 0, 0, 0, 0, 0, 0, 0,
    )  # fmt: skip
    return struct.pack("<I", 4 + block_bytes) + block + samples


def _samples(pixel_format: PixelFormat) -> list[bytes]:
    """Return 16 bytes per sample: a whole block for colour formats, a channel otherwise."""
    whole = pixel_format in {BC1_SRGB, BC6H, BC7, BC7_SRGB}
    count = 1 if whole else pixel_format.channel_count
    bits = 8 * pixel_format.unit_bytes // count
    lower, upper = 0, (1 << min(bits, 32)) - 1
    qualifiers = 0
    if pixel_format.is_float:
        qualifiers = _FLOAT if pixel_format == BC6H else _FLOAT | _SIGNED
        lower = _float_bits(0.0 if pixel_format == BC6H else -1.0)
        upper = _float_bits(1.0)
    return [
        struct.pack(
            "<H2B4x2I", bits * index, bits - 1, qualifiers | (_ALPHA_CHANNEL if index == 3 else index), lower, upper
        )
        for index in range(count)
    ]


def _float_bits(value: float) -> int:
    return int(struct.unpack("<I", struct.pack("<f", value))[0])
