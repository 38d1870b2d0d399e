"""16,384 texels each way go in and out; one more is refused by the header."""

import io
import struct

import numpy as np
import OpenEXR
import pytest
from helpers.image_bytes import dds, ktx2, png, psd, tga
from PIL import Image

from imagegs_tex.formats.errors import InputError
from imagegs_tex.formats.images import encode_image, picture_size, read_picture
from imagegs_tex.formats.images.file_formats import ALL_FORMATS
from imagegs_tex.formats.images.picture import FREE_BYTES, MAX_EXPANSION, check_claim
from imagegs_tex.formats.vocabulary import MAX_SIZE

RNG = np.random.default_rng(11)


@pytest.mark.parametrize("suffix", [".png", ".tga", ".tif", ".exr"])
@pytest.mark.parametrize("shape", [(4, MAX_SIZE), (MAX_SIZE, 4)])
def test_the_longest_sides_come_back_exactly(tmp_path, suffix, shape):
    texels = RNG.integers(0, 256, (*shape, 3), dtype=np.uint8)
    stored = (texels / np.float16(255)).astype(np.float16) if suffix == ".exr" else texels
    path = tmp_path / f"x{suffix}"
    path.write_bytes(encode_image(stored, suffix))
    assert np.array_equal(read_picture(path).texels, stored)
    assert picture_size(path) in {(shape[1], shape[0]), None}


@pytest.mark.parametrize("shape", [(4, MAX_SIZE), (MAX_SIZE, 4)])
def test_the_longest_sides_of_formats_that_are_only_read(tmp_path, shape):
    height, width = shape
    texels = RNG.integers(0, 256, (*shape, 4), dtype=np.uint8)
    files = {
        "x.psd": psd(np.moveaxis(texels, -1, 0), compression=1),
        "x.ktx2": ktx2(texels.tobytes(), 37, width, height),
        "x.dds": dds(texels.tobytes(), width, height, flags=4, code=b"DX10", dx10=(28, 3, 0, 1, 0)),
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
        assert np.array_equal(read_picture(tmp_path / name).texels, texels), name
    buffer = io.BytesIO()
    Image.fromarray(texels[..., :3]).save(buffer, "BMP")
    (tmp_path / "x.bmp").write_bytes(buffer.getvalue())
    assert np.array_equal(read_picture(tmp_path / "x.bmp").texels, texels[..., :3])


def exr(width, tmp_path):
    path = tmp_path / "made.exr"
    OpenEXR.File({"type": OpenEXR.scanlineimage}, {"Y": np.zeros((1, width), np.float16)}).write(str(path))
    return path.read_bytes()


def jpeg(width):
    buffer = io.BytesIO()
    Image.new("L", (width, 1)).save(buffer, "JPEG")
    return buffer.getvalue()


def saved(file_format):
    buffer = io.BytesIO()
    Image.new("P" if file_format == "GIF" else "RGB", (MAX_SIZE + 1, 1)).save(buffer, file_format)
    return buffer.getvalue()


def webp():
    chunk = struct.pack("<4sIB3x", b"VP8X", 10, 0x10) + MAX_SIZE.to_bytes(3, "little") + bytes(3)
    lossless = bytearray(encode_image(np.zeros((1, 1, 4), np.uint8), ".webp")[12:])
    return b"RIFF" + struct.pack("<I", 4 + len(chunk) + len(lossless)) + b"WEBP" + chunk + bytes(lossless)


@pytest.mark.parametrize("name", [entry.name for entry in ALL_FORMATS])
def test_one_texel_more_is_refused(tmp_path, name):
    wide = MAX_SIZE + 1
    row = np.zeros((1, wide, 3), np.uint8)
    data = {
        "PNG": lambda: png(row),
        "JPEG": lambda: jpeg(wide),
        "TGA": lambda: tga(bytes(4 * wide), wide, 1),
        "TIFF": lambda: encode_image(row, ".tif"),
        "WebP": webp,
        "EXR": lambda: exr(wide, tmp_path),
        "BMP": lambda: saved("BMP"),
        "GIF": lambda: saved("GIF"),
        "Radiance HDR": lambda: b"#?RADIANCE\n\n-Y 1 +X %d\n" % wide + bytes(4 * wide),
        "JPEG 2000": lambda: (
            b"\xff\x4f\xff\x51" + struct.pack(">HH8IH3B", 41, 0, wide, 1, 0, 0, wide, 1, 0, 0, 1, 7, 1, 1)
        ),
        "DDS": lambda: dds(bytes(4 * wide), wide, 1, bits=32, masks=(255, 0xFF00, 0xFF0000, 0xFF000000)),
        "KTX 2": lambda: ktx2(bytes(4 * wide), 37, wide, 1),
        "PSD": lambda: psd(np.zeros((3, 1, wide), np.uint8)),
    }[name]()
    path = tmp_path / ("x.tga" if name == "TGA" else "x")
    path.write_bytes(data)
    with pytest.raises(InputError, match="16385 x 1 texels; use 1 to 16384"):
        read_picture(path)


def test_what_a_file_may_claim_grows_with_it():
    check_claim("x", FREE_BYTES, 1)
    check_claim("x", 1000 * MAX_EXPANSION, 1000)
    check_claim("x", MAX_SIZE * MAX_SIZE * 4 * 2, MAX_SIZE * MAX_SIZE * 4 * 2 // 1032)  # deflate at its best
    with pytest.raises(InputError, match="64 MiB of texels in 1 bytes"):
        check_claim("x", FREE_BYTES + 1, 1)
    with pytest.raises(InputError, match="2048 MiB"):
        check_claim("x", MAX_SIZE * MAX_SIZE * 8, 32767)
