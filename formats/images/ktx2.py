"""KTX 2: level 0 of a texture, or of the first of several, with what its metadata says of rows and channels.

https://registry.khronos.org/KTX/specs/2.0/ktxspec.v2.html
"""

import struct
import zlib
from typing import Final

import numpy as np
import zstandard

from imagegs_tex.formats.errors import InputError
from imagegs_tex.formats.files.safe_names import printable
from imagegs_tex.formats.images import gpu_pixels as px
from imagegs_tex.formats.images.picture import STRAIGHTENED, Decoded, Texels, straight
from imagegs_tex.formats.vocabulary import SampleFormat

_HEADER: Final = struct.Struct("<12x9I4I2Q")
_LEVEL: Final = struct.Struct("<3Q")
_NONE, _BASIS, _ZSTD, _ZLIB = range(4)
_PREMULTIPLIED: Final = 1
_FLAGS_AT: Final = 4 + 11  # of the data format descriptor, its length included
_MOST_ENTRIES: Final = 1 << 20
_ASTC: Final = range(157, 185)
_ETC: Final = range(147, 157)


def decode_ktx2(data: bytes, where: str) -> Decoded:
    """Decode level 0 of a KTX 2 file's first picture."""
    if len(data) < _HEADER.size + _LEVEL.size:
        raise InputError(f"{where} has a damaged KTX 2 header; export it again")
    (
        vulkan, _, width, height, depth, layers, faces, _, compression, described_at, described_bytes, entries_at,
        entries_bytes, _, _,
    ) = _HEADER.unpack_from(data)  # fmt: skip
    layout = px.VULKAN.get(vulkan)
    if layout is None:
        raise InputError(f"{where} is {_kind(vulkan, compression)}, which is not read; use BC1 to BC7, or PNG")
    height = max(height, 1)
    if depth > 1:
        raise InputError(f"{where} is a volume texture; give its slices as images")
    px.check_level(where, layout, width, height, len(data))
    level = _level_bytes(data, where, layout.level_bytes(width, height), compression)
    texels = px.read_level(where, layout, level, width, height)
    notes = ["a cube: its first face is read"] if faces > 1 else []
    if layers > 1:
        notes.append(f"the first of {layers} layers is read")
    flags_at = described_at + _FLAGS_AT
    if (
        described_bytes > _FLAGS_AT
        and flags_at < len(data)
        and data[flags_at] & _PREMULTIPLIED
        and texels.shape[2] == 4
    ):
        texels = straight(np.ascontiguousarray(texels), 3)
        notes.append(STRAIGHTENED)
    entries = _entries(data[entries_at : entries_at + min(entries_bytes, _MOST_ENTRIES)])
    orientation = entries.get("KTXorientation", "rd")
    if orientation[1:2] == "u":
        texels = texels[::-1]
        notes.append("its rows go upwards: turned")
    if orientation[:1] == "l":
        texels = texels[:, ::-1]
        notes.append("its columns go to the left: turned")
    swizzle = entries.get("KTXswizzle", "")
    if swizzle not in {"", "rgba", "rgb1"[: texels.shape[2]]}:
        texels = _swizzled(texels, swizzle, where)
        notes.append(f"its channels are taken as {printable(swizzle)}")
    return Decoded(texels, tuple(notes), is_lossy=layout.block != 0)


def _kind(vulkan: int, compression: int) -> str:
    if vulkan == 0:
        return "a KTX 2 of Basis Universal"
    if vulkan in _ASTC or vulkan in _ETC:
        return f"a KTX 2 of {'ASTC' if vulkan in _ASTC else 'ETC or EAC'}"
    return f"a KTX 2 of VkFormat {vulkan}, supercompression {compression}"


def _level_bytes(data: bytes, where: str, needed: int, compression: int) -> bytes:
    """Return level 0, expanded where the file is compressed once more; never more than it needs."""
    at, length, _ = _LEVEL.unpack_from(data, _HEADER.size)
    if at + length > len(data):
        raise InputError(f"{where} ends early; it is damaged: export it again")
    stored = data[at : at + length]
    if compression == _NONE:
        return stored
    if compression == _ZSTD:
        with zstandard.ZstdDecompressor(max_window_size=1 << 27).stream_reader(stored) as reader:
            return bytes(reader.read(needed))
    if compression == _ZLIB:
        return zlib.decompressobj().decompress(stored, needed)
    raise InputError(
        f"{where} is a KTX 2 with supercompression {compression}, which is not read; use BC1 to BC7, or PNG"
    )


def _entries(data: bytes) -> dict[str, str]:
    """Read the texts among the metadata."""
    found, at = {}, 0
    while at + 4 <= len(data):
        length = int.from_bytes(data[at : at + 4], "little")
        key, _, value = data[at + 4 : at + 4 + min(length, 256)].partition(b"\0")
        found[key.decode("latin-1")] = value.split(b"\0")[0].decode("latin-1")
        at += 4 + length + -length % 4
    return found


def _swizzled(texels: Texels, swizzle: str, where: str) -> Texels:
    """Put channels where the metadata says that a shader sees them; equal ones at the end stay one channel each."""
    if len(swizzle) != 4 or not {*swizzle} <= {*"rgba01"}:
        raise InputError(f"{where} has the channel order {printable(swizzle)}; export it again without KTXswizzle")
    whole = SampleFormat.of(texels.dtype).max_value
    planes = []
    for letter in swizzle:
        index = "rgba".find(letter)
        if 0 <= index < texels.shape[2]:
            planes.append(texels[..., index])
        else:
            value = whole if letter in "1a" else 0
            planes.append(np.full(texels.shape[:2], value, texels.dtype))
    if swizzle[3] == "1":
        planes = planes[:3]
    return np.stack(planes, axis=-1)
