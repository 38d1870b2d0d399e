"""BMP, GIF, Radiance HDR, JPEG 2000 and PSD."""

import io
import struct

import imagecodecs
import numpy as np
import pytest
from helpers.image_bytes import psd
from PIL import Image

from imagegs_tex.formats.errors import InputError
from imagegs_tex.formats.images import read_picture

RNG = np.random.default_rng(9)
RGB = RNG.integers(0, 256, (9, 14, 3), dtype=np.uint8)
RGBA = RNG.integers(0, 256, (9, 14, 4), dtype=np.uint8)
WIDE = RNG.integers(0, 65536, (9, 14, 4), dtype=np.uint16)


def read(tmp_path, data, name):
    (tmp_path / name).write_bytes(data)
    return read_picture(tmp_path / name)


def saved(picture, file_format, **options):
    buffer = io.BytesIO()
    picture.save(buffer, file_format, **options)
    return buffer.getvalue()


# BMP


def bmp(pixels, width, height, bits, compression=0, masks=b"", header_bytes=40):
    offset = 14 + header_bytes + (len(masks) if header_bytes == 40 else 0)
    header = struct.pack("<IiiHHIIiiII", header_bytes, width, height, 1, bits, compression, len(pixels), 0, 0, 0, 0)
    header += masks.ljust(header_bytes - 40, b"\0") if header_bytes > 40 else masks
    return b"BM" + struct.pack("<IHHI", offset + len(pixels), 0, 0, offset) + header + pixels


def padded_rows(texels):
    rows = [row.tobytes() for row in texels]
    return b"".join(row + bytes(-len(row) % 4) for row in rows)


@pytest.mark.parametrize("upwards", [True, False])
def test_bmp_of_24_bits_in_both_directions(tmp_path, upwards):
    stored = RGB[::-1, :, ::-1] if upwards else RGB[:, :, ::-1]
    found = read(tmp_path, bmp(padded_rows(stored), 14, 9 if upwards else -9, 24), "x.bmp")
    assert np.array_equal(found.texels, RGB)


def test_bmp_of_32_bits_has_alpha_only_where_a_mask_says_so(tmp_path):
    stored = RGBA[::-1][..., [2, 1, 0, 3]].tobytes()
    assert np.array_equal(read(tmp_path, bmp(stored, 14, 9, 32), "x.bmp").texels, RGBA[..., :3])
    masks = struct.pack("<4I", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    found = read(tmp_path, bmp(stored, 14, 9, 32, 3, masks, 108), "x.bmp")
    assert np.array_equal(found.texels, RGBA)


def test_bmp_of_16_bits_palettes_and_one_bit(tmp_path):
    words = RNG.integers(0, 1 << 15, (8, 14), dtype=np.uint16)
    found = read(tmp_path, bmp(padded_rows(words[::-1].astype("<u2")), 14, 8, 16), "x.bmp")
    five = np.stack([words >> 10 & 31, words >> 5 & 31, words & 31], axis=-1)
    assert np.abs(found.texels - five * 255 / 31).max() <= 1
    palette = Image.fromarray(RGB).quantize(9)
    assert np.array_equal(read(tmp_path, saved(palette, "BMP"), "x.bmp").texels, np.asarray(palette.convert("RGB")))
    bits = RNG.random((9, 14)) > 0.5
    assert np.array_equal(read(tmp_path, saved(Image.fromarray(bits), "BMP"), "x.bmp").texels[..., 0], bits * 255)


# GIF


def test_gif_palettes_and_transparency(tmp_path):
    palette = Image.fromarray(RGB).quantize(12)
    found = read(tmp_path, saved(palette, "GIF"), "x.gif")
    assert np.array_equal(found.texels, np.asarray(palette.convert("RGB")))
    assert found.notes == ()
    clear = read(tmp_path, saved(palette, "GIF", transparency=3), "x.gif").texels
    assert np.array_equal(clear[..., 3] == 0, np.asarray(palette) == 3)


def test_gif_of_several_frames_gives_the_first(tmp_path):
    frames = [Image.fromarray(RGB).quantize(16), Image.fromarray(RGB[::-1].copy()).quantize(16)]
    found = read(tmp_path, saved(frames[0], "GIF", save_all=True, append_images=frames[1:]), "x.gif")
    assert np.array_equal(found.texels[..., :3], np.asarray(frames[0].convert("RGB")))
    assert found.notes == ("animated: its first frame is read",)


# Radiance HDR


def rgbe(texels):
    """Mantissas and exponent of floats, rounded down, as Radiance writes them."""
    exponents = np.frexp(texels.max(axis=-1))[1]
    mantissas = np.floor(texels * 256.0 / np.exp2(exponents)[..., None])
    return np.concatenate([mantissas, (exponents + 128)[..., None]], axis=-1).astype(np.uint8)


def values(stored):
    return (stored[..., :3] * np.exp2(stored[..., 3:].astype(float) - 136)).astype(np.float32)


def hdr(stored, size=None, header=b"FORMAT=32-bit_rle_rgbe\n"):
    height, width = stored.shape[:2]
    size = size or b"-Y %d +X %d" % (height, width)
    return b"#?RADIANCE\n" + header + b"\n" + size + b"\n" + stored.tobytes()


HDR = rgbe(np.exp(RNG.normal(size=(9, 14, 3)) * 4))


def test_radiance_values_are_exact(tmp_path):
    found = read(tmp_path, hdr(HDR), "x.hdr")
    assert found.texels.dtype == np.float32
    assert np.array_equal(found.texels, values(HDR))
    assert found.notes == ()
    assert float(found.texels.max()) > 10


def test_radiance_runs(tmp_path):
    smooth = (RNG.random((9, 40, 3)) * 3).astype(np.float32)
    smooth[:, 10:30] = 0.5
    data = imagecodecs.rgbe_encode(smooth)
    found = read(tmp_path, bytes(data), "x.hdr")
    assert np.abs(found.texels - smooth).max() <= smooth.max() / 128
    assert np.array_equal(found.texels[:, 12:28], np.full((9, 16, 3), 0.5, np.float32))


@pytest.mark.parametrize(
    ("signs", "turned"),
    [((b"+", b"+"), np.s_[::-1]), ((b"-", b"-"), np.s_[:, ::-1]), ((b"+", b"-"), np.s_[::-1, ::-1])],
)
def test_radiance_in_other_directions(tmp_path, signs, turned):
    size = signs[0] + b"Y 9 " + signs[1] + b"X 14"
    assert np.array_equal(read(tmp_path, hdr(HDR, size), "x.hdr").texels, values(HDR)[turned])


def test_radiance_exposure_is_said(tmp_path):
    found = read(tmp_path, hdr(HDR, header=b"# a comment\nEXPOSURE=2.5\nFORMAT=32-bit_rle_rgbe\n"), "x.hdr")
    assert np.array_equal(found.texels, values(HDR))
    assert found.notes == ("its EXPOSURE of 2.5 is not applied: values stay as stored",)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (hdr(HDR, header=b"FORMAT=32-bit_rle_xyze\n"), "32-bit_rle_xyze"),
        (hdr(HDR, b"+X 14 -Y 9"), "save it upright"),
        (hdr(HDR)[:-1], "ends early"),
        (hdr(HDR, b"-Y 99999 +X 99999"), "99999 x 99999 texels"),
        (b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n", "header without an end"),
    ],
)
def test_radiance_refusals(tmp_path, data, words):
    with pytest.raises(InputError, match=words.replace("+", r"\+")):
        read(tmp_path, data, "x.hdr")


# JPEG 2000


def jp2(texels, codec="jp2"):
    return bytes(imagecodecs.jpeg2k_encode(texels, level=0, codecformat=codec, reversible=True))


@pytest.mark.parametrize("codec", ["jp2", "j2k"])
@pytest.mark.parametrize(
    "texels", [RGB, RGB[..., 0], RGBA, WIDE, WIDE[..., 0]], ids=["RGB", "L", "RGBA", "RGBA16", "L16"]
)
def test_lossless_jpeg2000_is_exact(tmp_path, codec, texels):
    found = read(tmp_path, jp2(np.ascontiguousarray(texels), codec), "x.jp2")
    assert found.texels.dtype == texels.dtype
    assert np.array_equal(found.texels.reshape(texels.shape), texels)
    assert found.notes == ()


def test_jpeg2000_of_twelve_bits_is_widened(tmp_path):
    texels = RNG.integers(0, 4096, (9, 14), dtype=np.uint16)
    texels[0, :2] = 0, 4095
    data = bytes(imagecodecs.jpeg2k_encode(texels, level=0, codecformat="j2k", reversible=True, bitspersample=12))
    found = read(tmp_path, data, "x.j2k")
    assert np.array_equal(found.texels[..., 0], np.rint(texels * (65535 / 4095)))
    assert found.notes == ("12 bits widened to 16",)


def test_jpeg2000_of_hostile_headers(tmp_path):
    data = bytearray(jp2(RGB, "j2k"))
    for at, number, words in ((8, 2_000_000, "2000000 x 9 texels"), (24, 1, "tiles"), (28, 0, "damaged")):
        changed = bytearray(data)
        changed[at : at + 4] = number.to_bytes(4)
        if at == 24:
            changed[8:16] = struct.pack(">2I", 5000, 5000)
        with pytest.raises(InputError, match=words):
            read(tmp_path, bytes(changed), "x.j2k")
    changed = bytearray(data)
    changed[43] = 2
    with pytest.raises(InputError, match="subsampled"):
        read(tmp_path, bytes(changed), "x.j2k")


# PSD


@pytest.mark.parametrize("compression", [0, 1, 2])
@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize(
    "texels", [RGB, WIDE, RNG.normal(size=(9, 14, 3)).astype(np.float32)], ids=["8", "16", "float"]
)
def test_flattened_pictures_are_exact(tmp_path, compression, version, texels):
    found = read(tmp_path, psd(np.moveaxis(texels, -1, 0), compression=compression, version=version), "x.psd")
    assert found.texels.dtype == texels.dtype
    assert np.array_equal(found.texels, texels)


def test_other_modes_of_psd(tmp_path):
    grey = RGBA[..., :2]
    assert np.array_equal(read(tmp_path, psd(np.moveaxis(grey, -1, 0), mode=1), "x.psd").texels, grey)
    palette = RNG.integers(0, 256, (3, 256), dtype=np.uint8)
    found = read(tmp_path, psd(RGB[..., 0][None], mode=2, palette=palette.tobytes()), "x.psd")
    assert np.array_equal(found.texels, palette.T[RGB[..., 0]])
    bits = RNG.random((9, 16)) > 0.5
    found = read(tmp_path, psd(np.packbits(bits, axis=1)[None], mode=0, bits=1), "x.psd")
    assert np.array_equal(found.texels[..., 0], np.where(bits, 0, 255))
    inks = RNG.random((4, 9, 14))
    found = read(tmp_path, psd(np.rint(inks * 65535).astype(np.uint16), mode=4), "x.psd")
    assert np.abs(found.texels - np.moveaxis(inks[:3] * inks[3], 0, -1) * 65535).max() <= 2
    assert found.notes == ("CMYK converted to RGB without a profile",)


def test_layers_are_said_and_transparency_warned_of(tmp_path):
    layers = struct.pack(">Ih", 2, 1) + bytes(10)
    assert read(tmp_path, psd(np.moveaxis(RGB, -1, 0), layers=layers), "x.psd").notes == (
        "its flattened picture is read",
    )
    layers = struct.pack(">Ih", 2, -1) + bytes(10)
    found = read(tmp_path, psd(np.moveaxis(RGBA, -1, 0), layers=layers), "x.psd")
    assert np.array_equal(found.texels, RGBA)
    assert "blended with white" in found.notes[1]


def test_a_psd_without_its_flattened_picture_is_refused(tmp_path):
    resource = b"8BIM" + struct.pack(">HHI", 1057, 0, 6) + struct.pack(">IBx", 1, 0)
    with pytest.raises(InputError, match="Maximize Compatibility"):
        read(tmp_path, psd(np.moveaxis(RGB, -1, 0), resources=resource), "x.psd")
    with pytest.raises(InputError, match="PSD of Lab"):
        read(tmp_path, psd(np.moveaxis(RGB, -1, 0), mode=9), "x.psd")


def test_profiles_of_any_size_in_other_formats(tmp_path):
    profile = RNG.bytes(3 << 20)
    found = read(tmp_path, saved(Image.fromarray(RGB), "WEBP", lossless=True, icc_profile=profile), "x.webp")
    assert np.array_equal(found.texels, RGB)
    resources = b"8BIM" + struct.pack(">HHI", 1039, 0, len(profile)) + profile
    assert np.array_equal(read(tmp_path, psd(np.moveaxis(RGB, -1, 0), resources=resources), "x.psd").texels, RGB)
    found = read(tmp_path, saved(Image.fromarray(RGB), "TIFF", icc_profile=profile), "x.tif")
    assert np.array_equal(found.texels, RGB)


# Bombs


SIDES = struct.pack("<HH", 16384, 16384)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("x.webp", saved(Image.new("RGBA", (4100, 4100)), "WEBP", lossless=True, method=0)),
        (
            "x.gif",
            b"GIF89a"
            + struct.pack("<HH", 16384, 16384)
            + b"\0\0\0,\0\0\0\0"
            + struct.pack("<HH", 16384, 16384)
            + b"\0\2",
        ),
        ("x.jp2", jp2(np.zeros((4200, 4200), np.uint8), "j2k")),
    ],
)
def test_files_that_expand_beyond_reason_are_refused(tmp_path, name, data):
    with pytest.raises(InputError, match="MiB of texels in"):
        read(tmp_path, data, name)
