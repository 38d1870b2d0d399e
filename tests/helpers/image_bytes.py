"""Image files made byte by byte, for what no library at hand writes."""

import struct
import zlib

import imagecodecs
import numpy as np


def png_chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(texels, *extra, depth=None, colour_type=None, end=True):
    """A PNG of [H, W, C] whole bytes or 16-bit words, with chunks between header and texels."""
    height, width, channels = texels.shape
    depth = depth or 8 * texels.itemsize
    colour_type = {1: 0, 2: 4, 3: 2, 4: 6}[channels] if colour_type is None else colour_type
    rows = b"".join(b"\0" + row.astype(f">u{texels.itemsize}").tobytes() for row in texels)
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, 0))
    texel_chunk = png_chunk(b"IDAT", zlib.compress(rows))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(extra) + texel_chunk + (png_chunk(b"IEND", b"") if end else b"")


def tga(pixels, width, height, kind=2, depth=32, descriptor=0x20, colours=b"", colour_bits=0, footer_type=None):
    """A TGA; pixels are the bytes as they are stored; footer_type: the attributes type of version 2's extension."""
    count = len(colours) * 8 // colour_bits if colour_bits else 0
    header = struct.pack(
        "<BBBHHBHHHHBB", 0, int(count > 0), kind, 0, count, colour_bits, 0, 0, width, height, depth, descriptor
    )
    data = header + colours + pixels
    if footer_type is not None:
        extension = bytearray(495)
        extension[0:2] = struct.pack("<H", 495)
        extension[494] = footer_type
        data += bytes(extension) + struct.pack("<II", len(data), 0) + b"TRUEVISION-XFILE.\0"
    return data


def dds(pixels, width, height, *, flags=0x41, code=b"\0\0\0\0", bits=0, masks=(0, 0, 0, 0), caps2=0, dx10=None):
    """A DDS of one level; dx10: DXGI format, dimension, flags, count, alpha mode."""
    head = struct.pack(
        "<4s7I44x2I4s5I5I",
        b"DDS ",
        124,
        0x1007,
        height,
        width,
        0,
        0,
        1,
        32,
        flags,
        code,
        bits,
        *masks,
        0x1000,
        caps2,
        0,
        0,
        0,
    )
    return head + (b"" if dx10 is None else struct.pack("<5I", *dx10)) + pixels


def ktx2(level, vulkan, width, height, *, layers=0, faces=1, depth=0, compression=0, entries=b"", flags=0, raw=None):
    """A KTX 2 of one level; raw: the bytes of the level expanded, where it is compressed once more."""
    description = struct.pack("<I", 44) + struct.pack("<IHHBBBB", 0, 2, 40, 1, 1, 1, flags) + bytes(28)
    described_at = 80 + 24
    entries_at = described_at + len(description)
    level_at = entries_at + len(entries)
    header = struct.pack(
        "<12s9I4I2Q", b"\xabKTX 20\xbb\r\n\x1a\n", vulkan, 1, width, height, depth, layers, faces, 1, compression,
        described_at, len(description), entries_at if entries else 0, len(entries), 0, 0,
    )  # fmt: skip
    index = struct.pack("<3Q", level_at, len(level), len(raw or level))
    return header + index + description + entries + level


def ktx2_entry(key, value):
    text = f"{key}\0{value}\0".encode()
    return struct.pack("<I", len(text)) + text + bytes(-len(text) % 4)


def psd(planes, mode=3, compression=0, version=1, palette=b"", resources=b"", layers=b"", bits=None):
    """A PSD of [channels, rows, columns] as stored in native order, or of packed bytes with bits=1."""
    channels, height, width = planes.shape
    bits = bits or 8 * planes.itemsize
    if bits == 1:
        width *= 8
    stored = planes.astype(planes.dtype.newbyteorder(">"))
    head = struct.pack(">4sH6xHIIHH", b"8BPS", version, channels, height, width, bits, mode)
    size = ">I" if version == 1 else ">Q"
    head += struct.pack(">I", len(palette)) + palette + struct.pack(">I", len(resources)) + resources
    head += struct.pack(size, len(layers)) + layers + struct.pack(">H", compression)
    if compression == 0:
        return head + stored.tobytes()
    if compression == 2:
        return head + zlib.compress(stored.tobytes())
    rows = [imagecodecs.packbits_encode(row.tobytes()) for plane in stored for row in plane]
    return head + struct.pack(f">{len(rows)}{'HI'[version - 1]}", *map(len, rows)) + b"".join(rows)


def bc1_block(colour0, colour1, indices):
    """A BC1 block: two 565 colours and 16 indices of two bits, row by row."""
    packed = sum(index << 2 * place for place, index in enumerate(np.ravel(indices).tolist()))
    return struct.pack("<HHI", colour0, colour1, packed)
