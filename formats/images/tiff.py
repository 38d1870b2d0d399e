"""TIFF: tifffile finds tags and segments, imagecodecs expands them; what a sample means is decided here.

Every tag that decides it is read, or the file is refused by the tag's name: bits, sample format, photometric
interpretation, planar configuration, extra samples, colour map. tifffile alone returns samples as stored, and libtiff's
own conversions lose 16 bits. TIFF 6.0, Adobe 1992.
"""

import io
import logging
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import imagecodecs
import numpy as np
import tifffile
from numpy.typing import NDArray

from imagegs_tex.formats.errors import InputError
from imagegs_tex.formats.images.jpeg import jpeg_header
from imagegs_tex.formats.images.picture import (
    STRAIGHTENED,
    Decoded,
    Texels,
    check_claim,
    check_size,
    straight,
    widened,
    widened_note,
)

_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _PALETTE, _MASK, _CMYK, _YCBCR = range(7)
_COLOURS: Final = {_WHITE_IS_ZERO: 1, _BLACK_IS_ZERO: 1, _RGB: 3, _PALETTE: 1, _CMYK: 4, _YCBCR: 3}
_PHOTOMETRIC_NAMES: Final = {
    _MASK: "a transparency mask", 8: "CIELab", 9: "ICCLab", 10: "ITULab", 32803: "a camera's raw picture",
    32844: "LogL", 32845: "LogLuv", 34892: "a camera's raw picture", 51177: "depth",
}  # fmt: skip
_LZW: Final = 5
_JPEG: Final = 7
_COMPRESSIONS: Final = {
    1: "none", 2: "CCITT", 3: "CCITT group 3", 4: "CCITT group 4", _LZW: "LZW", _JPEG: "JPEG", 8: "Deflate",
    32773: "PackBits", 32946: "Deflate", 34925: "LZMA", 50000: "Zstandard",
}  # fmt: skip
_BITS: Final = {1: {*range(1, 17)}, 3: {16, 32, 64}}  # by sample format: unsigned, float
_UNSIGNED, _FLOAT = 1, 3
_SAMPLE_KINDS: Final = {2: "signed integers", 5: "complex integers", 6: "complex numbers"}
_ASSOCIATED: Final = 1
_CONTIGUOUS, _SEPARATE = 1, 2
_REDUCED: Final = 1  # subfile type: a smaller copy of another page
_MOST_PAGES_SEEN: Final = 8
_ORIENTATION: Final = 274
_PHOTOMETRIC: Final = 262
_YCBCR_COEFFICIENTS, _REFERENCE_BLACK_WHITE = 529, 532
_BT601: Final = (0.299, 0.587, 0.114)
_JPEG_RANGE: Final = (0, 255, 128, 255, 128, 255)
_DECIDING: Final = frozenset({
    254, 255, 256, 257, 258, 259, _PHOTOMETRIC, 266, 273, 277, 278, 279, 284, 317, 320, 322, 323, 324, 325, 338, 339,
    347, _YCBCR_COEFFICIENTS, 530, _REFERENCE_BLACK_WHITE, 32997,
})  # fmt: skip
"""Tags without which samples would mean something else, or be others."""
_COLOUR_MAP: Final = 320


def decode_tiff(data: bytes, where: str) -> Decoded:
    """Decode the first full page of a TIFF: palettes become RGB, associated alpha straight, white the most."""
    with _quiet(), tifffile.TiffFile(io.BytesIO(data)) as file:
        page, notes = _first_page(file, where)
        _check_tags(page, data, where)
        if page.tags.get(_PHOTOMETRIC) is None:
            page.photometric = (
                tifffile.PHOTOMETRIC.RGB if page.samplesperpixel >= 3 else tifffile.PHOTOMETRIC.MINISBLACK
            )
            notes.append("says nothing of its colours: taken as grey or RGB")
        _check(page, data, where)
        return _meant(page, _stored(page, data), notes)


def _first_page(file: tifffile.TiffFile, where: str) -> tuple[tifffile.TiffPage, list[str]]:
    pages = file.pages
    notes = []
    for number in range(_MOST_PAGES_SEEN):
        try:
            page = pages[number]
        except IndexError:
            break
        assert isinstance(page, tifffile.TiffPage)
        if int(page.subfiletype) & _REDUCED:
            continue
        try:
            pages[number + 1]
            notes.append(f"page {number + 1} of several is read")
        except IndexError:
            pass
        if number:
            notes = [f"page {number + 1} is read: those before it are reduced copies"]
        return page, notes
    raise InputError(f"{where} has no page in full size; export it again")


def _check_tags(page: tifffile.TiffPage, data: bytes, where: str) -> None:
    """Refuse a page of which tifffile could not read a tag that matters: it goes on with a default."""
    is_big = data[2:4] in {b"+\0", b"\0+"}
    order, entry, head = ("<" if data[:2] == b"II" else ">"), (20 if is_big else 12), (8 if is_big else 2)
    count = int.from_bytes(data[page.offset : page.offset + head], "little" if order == "<" else "big")
    start = page.offset + head
    if start + count * entry > len(data):
        raise InputError(f"{where} ends within its tags; it is damaged: export it again")
    for at in range(start, start + count * entry, entry):
        (code,) = struct.unpack_from(f"{order}H", data, at)
        if code in _DECIDING and page.tags.valueof(code) is None:
            raise InputError(f"{where} has a damaged tag {code}; export it again")


def _check(page: tifffile.TiffPage, data: bytes, where: str) -> None:
    """Refuse what is not read, tag by tag, before anything is allocated."""
    width, height, channels = int(page.imagewidth), int(page.imagelength), int(page.samplesperpixel)
    check_size(where, width, height, channels)
    photometric, compression = int(page.photometric), int(page.compression)
    if photometric not in _COLOURS:
        kind = _PHOTOMETRIC_NAMES.get(photometric, f"photometric interpretation {photometric}")
        raise InputError(f"{where} is a TIFF of {kind}, which is not read; save it as RGB or grey")
    if compression not in _COMPRESSIONS:
        raise InputError(
            f"{where} is a TIFF with compression {compression}, which is not read; save it with Deflate or LZW"
        )
    sample_kind, bits = _samples(page, where)
    if channels < _COLOURS[photometric]:
        raise InputError(f"{where} is a TIFF of {channels} channels where its colours need more; export it again")
    is_converted = photometric in {_WHITE_IS_ZERO, _PALETTE, _CMYK, _YCBCR}
    if is_converted and (sample_kind == _FLOAT or (photometric != _WHITE_IS_ZERO and bits > 16)):
        raise InputError(f"{where} is a TIFF of floats that are neither grey nor RGB; save it as RGB")
    if photometric == _YCBCR:
        _check_ycbcr(page, compression, where)
    if int(page.planarconfig) not in {_CONTIGUOUS, _SEPARATE} or int(page.imagedepth) != 1:
        raise InputError(
            f"{where} is a TIFF of planar configuration {int(page.planarconfig)}, or a volume; save it flat"
        )
    check_claim(where, width * height * channels * -(-bits // 8), len(data))
    _check_segments(page, data, where)


def _check_ycbcr(page: tifffile.TiffPage, compression: int, where: str) -> None:
    """Refuse YCbCr that is not what JPEG takes it for: the coefficients of BT.601 over the full range."""
    if compression != _JPEG:
        raise InputError(f"{where} is a TIFF of YCbCr without JPEG, which is not read; save it as RGB")
    for code, wanted in ((_YCBCR_COEFFICIENTS, _BT601), (_REFERENCE_BLACK_WHITE, _JPEG_RANGE)):
        stated = page.tags.valueof(code)
        if stated is not None and not np.allclose(np.divide(stated[::2], stated[1::2]), wanted, rtol=0, atol=0.002):
            raise InputError(f"{where} is a TIFF of YCbCr with another tag {code} than JPEG's; save it as RGB")


def _samples(page: tifffile.TiffPage, where: str) -> tuple[int, int]:
    """Return what kind of numbers samples are, and their bits."""
    stated: tuple[object, object] = page.sampleformat, page.bitspersample
    sample_format, bits = stated
    if not isinstance(sample_format, int) or not isinstance(bits, int) or page.dtype is None:
        raise InputError(f"{where} is a TIFF with channels of different bits; save them all with 8 or 16")
    kind = int(sample_format) if int(sample_format) in {_FLOAT, *_SAMPLE_KINDS} else _UNSIGNED
    if kind in _SAMPLE_KINDS or bits not in _BITS[kind]:
        what = _SAMPLE_KINDS.get(kind, f"float{bits}" if kind == _FLOAT else f"uint{bits}")
        raise InputError(f"{where} has samples of type {what}; use 8 or 16-bit integers, half or float")
    return kind, bits


def _check_segments(page: tifffile.TiffPage, data: bytes, where: str) -> None:
    """Refuse segments that are not within the file, too few, or of another size than the page says."""
    planes = int(page.samplesperpixel) if page.planarconfig == _SEPARATE else 1
    if page.is_tiled:
        across, down = int(page.tilewidth), int(page.tilelength)
        if across < 1 or down < 1 or int(page.tiledepth) != 1:
            raise InputError(f"{where} has tiles without a size; it is damaged: export it again")
        count = -(-int(page.imagewidth) // across) * -(-int(page.imagelength) // down)
    else:
        across, down = int(page.imagewidth), int(page.rowsperstrip)
        count = -(-int(page.imagelength) // down) if down > 0 else 0
    check_claim(where, across * down * 8 * int(page.samplesperpixel), len(data))
    offsets, lengths = page.dataoffsets, page.databytecounts
    if count < 1 or len(offsets) < count * planes or len(lengths) < count * planes:
        raise InputError(f"{where} has fewer strips or tiles than its size needs; it is damaged: export it again")
    for offset, length in zip(offsets[: count * planes], lengths[: count * planes], strict=True):
        if length < 1 or offset + length > len(data):
            raise InputError(f"{where} ends early, or lacks a strip or tile; it is damaged: export it again")
        if page.compression == _JPEG:
            header = jpeg_header(data[offset : offset + length], where)
            if header.width > across or header.height > down or header.bits != 8:
                raise InputError(f"{where} has JPEG tiles of another size than it says; it is damaged: export it again")


def _stored(page: tifffile.TiffPage, data: bytes) -> Texels:
    """Return the samples as stored, [H, W, channels]; the page and its segments are checked."""
    width, height, channels = int(page.imagewidth), int(page.imagelength), int(page.samplesperpixel)
    planes, own = (channels, 1) if page.planarconfig == _SEPARATE else (1, channels)
    is_lzw, fill_order = page.compression == _LZW, int(page.fillorder)
    if is_lzw:
        page.compression, page.fillorder = tifffile.COMPRESSION.NONE, tifffile.FILLORDER.MSB2LSB
    found = np.empty((planes, height, width, own), page.dtype)
    across, down = (page.tilewidth, page.tilelength) if page.is_tiled else (width, int(page.rowsperstrip))
    each = -(-width // across) * -(-height // down)
    for index in range(planes * each):
        segment = data[page.dataoffsets[index] : page.dataoffsets[index] + page.databytecounts[index]]
        if is_lzw:
            above = index % each // -(-width // across) * down
            rows = down if page.is_tiled else min(down, height - above)
            segment = _expand_lzw(segment, -(-across * own * int(page.bitspersample) // 8), rows, fill_order)
        part, (plane, _, top, left, _), _ = page.decode(segment, index, jpegtables=page.jpegtables)
        assert part is not None
        found[plane, top : top + down, left : left + across] = part[0, : height - top, : width - left]
    return np.moveaxis(found[..., 0], 0, -1) if planes > 1 else found[0]


def _expand_lzw(segment: bytes, row_bytes: int, rows: int, fill_order: int) -> bytes:
    """Expand a strip or tile by libtiff, as a file of its own: imagecodecs' decoder crashes on damaged codes."""
    entries = {
        256: row_bytes, 257: rows, 258: 8, 259: _LZW, 262: _BLACK_IS_ZERO, 266: fill_order, 273: 0, 277: 1, 278: rows,
        279: len(segment),
    }  # fmt: skip
    entries[273] = 8 + 2 + 12 * len(entries) + 4
    head = struct.pack("<4sIH", b"II*\0", 8, len(entries))
    head += b"".join(struct.pack("<HHII", code, 4, 1, value) for code, value in entries.items())
    return bytes(imagecodecs.tiff_decode(head + bytes(4) + segment).tobytes())


def _meant(page: tifffile.TiffPage, texels: Texels, notes: list[str]) -> Decoded:
    """Turn samples as stored into what they mean."""
    photometric, bits = int(page.photometric), int(page.bitspersample)
    orientation = page.tags.valueof(_ORIENTATION, 1)
    if orientation != 1:
        notes.append("its orientation tag is ignored: rows stay as stored")
    if photometric == _PALETTE:
        colours, extra = _palette(page.tags.valueof(_COLOUR_MAP), bits)[texels[..., 0]], texels[..., 1:]
        if extra.shape[2]:
            notes.append("channels beside its palette are left out")
        return Decoded(colours, tuple(notes))
    if texels.dtype.kind in "bu":
        texels = widened(texels.astype(np.uint16 if bits > 8 else np.uint8), bits)
        notes += widened_note(bits)
    if texels.dtype == np.float64:
        notes.append("64-bit floats become 32-bit ones")
    whole = np.iinfo(texels.dtype).max if texels.dtype.kind == "u" else 1
    colour_count = _COLOURS[photometric]
    if photometric == _WHITE_IS_ZERO:
        texels = np.concatenate([whole - texels[..., :1], texels[..., 1:]], axis=-1)
    if photometric == _CMYK:
        wide = whole - texels[..., :4].astype(np.int64)
        rgb = ((wide[..., :3] * wide[..., 3:] + whole // 2) // whole).astype(texels.dtype)
        texels, colour_count = np.concatenate([rgb, texels[..., 4:]], axis=-1), 3
        notes.append("CMYK converted to RGB without a profile")
    if _ASSOCIATED in tuple(page.extrasamples)[:1] and texels.shape[2] > colour_count:
        if texels.dtype == np.float64:
            texels = texels.astype(np.float32)
        texels = straight(texels, colour_count)
        notes.append(STRAIGHTENED)
    return Decoded(texels, tuple(notes), is_lossy=int(page.compression) == _JPEG)


def _palette(stored: object, bits: int) -> NDArray[np.uint8 | np.uint16]:
    """Return the colours of a palette, [colours, 3]: as 8 bits where its 16 bits hold no more."""
    words = np.asarray(stored, dtype=np.uint16).reshape(3, 1 << bits).T
    high = (words >> 8).astype(np.uint8)
    low = words & 255
    if np.array_equal(low, high) or not low.any():
        return high
    return words


def encode_tiff(texels: Texels) -> bytes:
    """Encode [H, W, C] with Deflate; a second or fourth channel is straight alpha."""
    channel_count = texels.shape[2]
    return bytes(
        imagecodecs.tiff_encode(
            texels if channel_count > 1 else texels[..., 0],
            compression=imagecodecs.TIFF.COMPRESSION.ADOBE_DEFLATE,
            photometric="rgb" if channel_count >= 3 else "minisblack",
            planarconfig="contig",
            extrasample="unassalpha" if channel_count in {2, 4} else None,
        )
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep tifffile from logging: what is wrong with a file is one line, and it is ours."""
    logger = logging.getLogger("tifffile")
    before = logger.disabled
    logger.disabled = True
    try:
        yield
    finally:
        logger.disabled = before
