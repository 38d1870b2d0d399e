"""Photoshop's PSD and PSB: the flattened picture that lies behind the layers.

https://www.adobe.com/devnet-apps/photoshop/fileformatashtml. An own reader over numpy, since Pillow's has 8 bits and no
alpha; rows of runs are expanded by imagecodecs.
"""

import struct
import zlib
from collections.abc import Iterator
from typing import Any, Final

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from imagegs_tex.formats.errors import InputError
from imagegs_tex.formats.images.picture import Decoded, Texels, check_claim, check_size

_HEADER: Final = struct.Struct(">4sH6xHIIHH")
_BITMAP, _GREY, _INDEXED, _RGB, _CMYK, _MULTICHANNEL, _DUOTONE = 0, 1, 2, 3, 4, 7, 8
_COLOURS: Final = {_BITMAP: 1, _GREY: 1, _INDEXED: 1, _RGB: 3, _CMYK: 4, _MULTICHANNEL: 0, _DUOTONE: 1}
_NAMES: Final = {9: "Lab"}
_SAMPLES: Final[dict[int, np.dtype[Any]]] = {8: np.dtype(">u1"), 16: np.dtype(">u2"), 32: np.dtype(">f4")}
_PLAIN, _RUNS, _ZIP, _ZIP_DIFFERENCES = range(4)
_VERSION_INFO: Final = 1057


def decode_psd(data: bytes, where: str) -> Decoded:
    """Decode the flattened picture: integers of 8 and 16 bits or floats, alpha channels behind the colours."""
    if len(data) < _HEADER.size:
        raise InputError(f"{where} has a damaged PSD header; export it again")
    _, version, channels, height, width, bits, mode = _HEADER.unpack_from(data)
    if version not in {1, 2} or mode not in _COLOURS or bits not in ({1} if mode == _BITMAP else {8, 16, 32}):
        kind = _NAMES.get(mode, f"mode {mode}")
        raise InputError(
            f"{where} is a PSD of {kind}, {bits} bits, which is not read; save it as RGB or grey, 8 or 16 bits"
        )
    if channels < _COLOURS[mode]:
        raise InputError(f"{where} has a damaged PSD header; export it again")
    check_size(where, width, height, channels)
    check_claim(where, channels * width * height * max(1, bits // 8), len(data))
    palette, resources, layers, at = _sections(data, version, where)
    if _has_no_picture(resources):
        raise InputError(f"{where} was saved without its flattened picture; save it with Maximize Compatibility")
    row_bytes = -(-width * bits // 8)
    planes = _planes(data, at, channels * height, row_bytes, version, where)
    notes = [] if len(layers) < 6 else ["its flattened picture is read"]
    if mode == _BITMAP:
        return Decoded(np.where(np.unpackbits(planes, axis=1)[:, :width] == 0, np.uint8(255), np.uint8(0)))
    stored: Texels = planes.view(_SAMPLES[bits]).reshape(channels, height, width)
    texels = np.moveaxis(stored.astype(stored.dtype.newbyteorder("=")), 0, -1)
    if mode == _INDEXED:
        if len(palette) != 768:
            raise InputError(f"{where} has a palette of {len(palette)} bytes; save it as RGB")
        return Decoded(np.frombuffer(palette, np.uint8).reshape(3, 256).T[texels[..., 0]], tuple(notes))
    if mode == _CMYK:
        texels, more = _from_cmyk(texels, where)
        notes += more
    if mode == _RGB and channels > 3 and len(layers) >= 6 and struct.unpack_from(">h", layers, 4)[0] < 0:
        notes.append("its colours are blended with white where it is transparent, as Photoshop stores them")
    return Decoded(texels, tuple(notes))


def _sections(data: bytes, version: int, where: str) -> tuple[bytes, bytes, bytes, int]:
    """Return palette, resources and layers, and where the picture begins."""
    at, found = _HEADER.size, []
    for name, size in (("palette", 4), ("resources", 4), ("layers", 4 * version)):
        length = int.from_bytes(data[at : at + size])
        if at + size + length > len(data):
            raise InputError(f"{where} ends within its {name}; it is damaged: export it again")
        # of the layers only the length and the number matter: their length has the same size as the section's
        head = at + size
        found.append(data[head : head + (min(length, 16) if name == "layers" else length)])
        at = head + length
    layers = found[2]
    return found[0], found[1], (layers[4:] if version == 2 else layers), at


def _has_no_picture(resources: bytes) -> bool:
    for number, start, length in _resources(resources):
        if number == _VERSION_INFO and length >= 5:
            return resources[start + 4] == 0
    return False


def _resources(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield each resource's number, and where its content begins and how long it is."""
    at = 0
    while at + 12 <= len(data):
        number = int.from_bytes(data[at + 4 : at + 6])
        at += 6 + (data[at + 6] + 2) // 2 * 2
        length = int.from_bytes(data[at : at + 4])
        yield number, at + 4, min(length, len(data) - at - 4)
        at += 4 + length + length % 2


def _planes(data: bytes, at: int, rows: int, row_bytes: int, version: int, where: str) -> NDArray[np.uint8]:
    """Return the rows of all channels, one below the other: [rows, row_bytes]."""
    if at + 2 > len(data):
        raise InputError(f"{where} has no flattened picture; save it with Maximize Compatibility")
    compression = int.from_bytes(data[at : at + 2])
    at += 2
    if compression == _PLAIN:
        if len(data) - at < rows * row_bytes:
            raise InputError(f"{where} ends early; it is damaged: export it again")
        return np.frombuffer(data, np.uint8, rows * row_bytes, at).reshape(rows, row_bytes)
    if compression == _ZIP:
        whole = zlib.decompressobj().decompress(data[at:], rows * row_bytes)
        if len(whole) < rows * row_bytes:
            raise InputError(f"{where} ends early; it is damaged: export it again")
        return np.frombuffer(whole, np.uint8).reshape(rows, row_bytes)
    if compression != _RUNS:
        kind = "differences" if compression == _ZIP_DIFFERENCES else f"compression {compression}"
        raise InputError(f"{where} stores its flattened picture as {kind}, which is not read; save it again")
    if len(data) - at < rows * 2 * version:
        raise InputError(f"{where} ends early; it is damaged: export it again")
    lengths = np.frombuffer(data, f">u{2 * version}", rows, at).astype(np.int64)
    at += rows * 2 * version
    found = np.empty((rows, row_bytes), np.uint8)
    for row, length in enumerate(lengths.tolist()):
        expanded = imagecodecs.packbits_decode(data[at : at + length], out=row_bytes)
        if at + length > len(data) or len(expanded) != row_bytes:
            raise InputError(f"{where} has a damaged row; export it again")
        found[row] = np.frombuffer(expanded, np.uint8)
        at += length
    return found


def _from_cmyk(texels: Texels, where: str) -> tuple[Texels, list[str]]:
    """Return RGB, and what is behind the inks; the file holds how much of each ink is not there."""
    if texels.dtype not in (np.uint8, np.uint16):
        raise InputError(f"{where} holds CMYK as floats; save it as RGB")
    whole = np.iinfo(texels.dtype).max
    wide = texels[..., :4].astype(np.uint64)
    rgb = ((wide[..., :3] * wide[..., 3:] + whole // 2) // whole).astype(texels.dtype)
    return np.concatenate([rgb, texels[..., 4:]], axis=-1), ["CMYK converted to RGB without a profile"]
