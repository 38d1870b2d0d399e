"""Tags of colour change no texel, and a JPEG that lacks nothing but its end is read, with a note."""

import io
import struct
import zlib

import numpy as np
import pytest
import tifffile
from helpers.noise_maps import noise
from PIL import Image, ImageCms

from imagegs_tex.formats.errors import InputError
from imagegs_tex.formats.images import encode_image, read_picture

RGB = noise(1, 2, 3, size=(40, 48))
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()


def read(tmp_path, name, data):
    (tmp_path / name).write_bytes(data)
    return read_picture(tmp_path / name)


def chunk(name, payload):
    return struct.pack(">I", len(payload)) + name + payload + struct.pack(">I", zlib.crc32(name + payload))


CHUNKS = {
    "gamma 1.0": chunk(b"gAMA", struct.pack(">I", 100000)),
    "gamma and primaries": chunk(b"gAMA", struct.pack(">I", 45455))
    + chunk(b"cHRM", struct.pack(">8I", 31270, 32900, 70800, 29200, 17000, 79700, 13100, 4600)),
    "BT.2020 with PQ": chunk(b"cICP", bytes([9, 16, 0, 1])),
    "a profile of another space": chunk(b"iCCP", b"lab\0\0" + zlib.compress(PROFILE)),
    "a damaged profile": chunk(b"iCCP", b"lab\0\0" + b"no stream"),
    "significant bits": chunk(b"sBIT", bytes([5, 6, 5])),
    "a background": chunk(b"bKGD", struct.pack(">3H", 9, 9, 9)),
}


@pytest.mark.parametrize("tags", CHUNKS)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_pngs_tags_change_no_texel(tmp_path, tags, dtype):
    texels = RGB.astype(dtype) * (257 if dtype == np.uint16 else 1)
    data = encode_image(texels, ".png")
    found = read(tmp_path, "x.png", data[:33] + CHUNKS[tags] + data[33:])
    assert np.array_equal(found.texels, texels)


def saved(file_format, **options):
    buffer = io.BytesIO()
    Image.fromarray(RGB).save(buffer, file_format, **options)
    return buffer.getvalue()


@pytest.mark.parametrize(("name", "file_format"), [("x.webp", "WEBP"), ("x.tif", "TIFF"), ("x.png", "PNG")])
def test_profiles_change_no_texel(tmp_path, name, file_format):
    options = {"lossless": True} if file_format == "WEBP" else {}
    assert np.array_equal(read(tmp_path, name, saved(file_format, icc_profile=PROFILE, **options)).texels, RGB)


def test_a_jpegs_profile_and_orientation_change_no_texel(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees
    plain = read(tmp_path, "plain.jpg", saved("JPEG", quality=90)).texels
    assert np.array_equal(
        read(tmp_path, "x.jpg", saved("JPEG", quality=90, icc_profile=PROFILE, exif=exif)).texels, plain
    )


def test_a_tiffs_transfer_function_changes_no_texel(tmp_path):
    ramp = tuple(int(value) for value in np.linspace(0, 65535, 256) ** 2 / 65535)
    tags = [(301, "H", 256, ramp, True), (318, "2I", 2, (3127, 10000, 3290, 10000), True)]
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, RGB, photometric="rgb", extratags=tags, metadata=None)
    assert np.array_equal(read(tmp_path, "x.tif", buffer.getvalue()).texels, RGB)


JPEGS = {
    "baseline": {},
    "progressive": {"progressive": True},
    "restart markers": {"restart_marker_blocks": 2},
    "subsampled": {"subsampling": 2},
    "not subsampled": {"subsampling": 0},
}


@pytest.mark.parametrize("options", JPEGS)
@pytest.mark.parametrize("behind", [b"", bytes(100), b"\xff"], ids=["nothing", "zeros", "half a marker"])
def test_a_jpeg_that_lacks_its_end_alone_is_read_with_a_note(tmp_path, options, behind):
    data = saved("JPEG", **JPEGS[options])
    whole = read(tmp_path, "whole.jpg", data)
    found = read(tmp_path, "x.jpg", data[:-2] + behind)
    assert np.array_equal(found.texels, whole.texels)
    assert whole.notes == ()
    assert any("end" in note for note in found.notes), found.notes


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_a_jpeg_without_all_of_its_texels_is_refused(tmp_path, share):
    data = saved("JPEG")
    with pytest.raises(InputError):
        read(tmp_path, "x.jpg", data[: int(share * len(data))])
