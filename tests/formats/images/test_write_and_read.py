import struct
import zlib
from pathlib import Path

import imagecodecs
import numpy as np
import OpenEXR
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from imagegs_tex.formats.errors import InputError, UsageError
from imagegs_tex.formats.images import WRITTEN, can_hold, encode_image, read_image, write_image
from imagegs_tex.formats.vocabulary import MAX_SIZE, SampleFormat

LOSSLESS = [
    (suffix, sample_format, channel_count)
    for suffix, file_format in WRITTEN.items()
    for sample_format in SampleFormat
    for channel_count in (1, 2, 3, 4, 5, 9, 32)
    if file_format.lossless and can_hold(suffix, sample_format, channel_count)
]


def random_texels(sample_format, channel_count, width=23, height=17, seed=0):
    rng = np.random.default_rng(seed)
    texels = rng.random((height, width, channel_count)) * sample_format.max_value
    if sample_format.is_float:
        texels = (texels - 0.3) * 100
    return (
        np.rint(texels).astype(sample_format.dtype)
        if not sample_format.is_float
        else texels.astype(sample_format.dtype)
    )


@pytest.mark.parametrize(("suffix", "sample_format", "channel_count"), LOSSLESS)
def test_lossless_files_come_back_exactly(tmp_path, suffix, sample_format, channel_count):
    texels = random_texels(sample_format, channel_count)
    path = tmp_path / f"x{suffix.upper()}"
    write_image(path, texels)
    back, back_format = read_image(path)
    assert back_format == sample_format
    assert back.dtype == texels.dtype
    assert back.flags.c_contiguous
    assert np.array_equal(back, texels)


def test_the_layouts_that_other_libraries_lose_are_covered():
    assert (".png", SampleFormat.UINT16, 3) in LOSSLESS
    assert (".tif", SampleFormat.UINT16, 4) in LOSSLESS
    assert (".exr", SampleFormat.FLOAT16, 3) in LOSSLESS


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(LOSSLESS), st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_lossless_files_of_any_size_come_back_exactly(tmp_path_factory, case, width, height, seed):
    suffix, sample_format, channel_count = case
    texels = random_texels(sample_format, channel_count, width, height, seed)
    path = tmp_path_factory.getbasetemp() / f"any{suffix}"
    write_image(path, texels)
    assert np.array_equal(read_image(path)[0], texels)


@pytest.mark.parametrize("channel_count", [1, 3])
def test_jpeg_is_close(tmp_path, channel_count):
    y, x = np.mgrid[:32, :48]
    texels = np.stack([x * 4, y * 6, 128 + x - y], axis=-1)[..., :channel_count].astype(np.uint8)
    write_image(tmp_path / "x.jpg", texels)
    back, sample_format = read_image(tmp_path / "x.jpg")
    assert sample_format == SampleFormat.UINT8
    assert np.abs(back.astype(int) - texels).max() <= 6


def test_colour_under_alpha_zero_is_kept_in_webp(tmp_path):
    texels = random_texels(SampleFormat.UINT8, 4)
    texels[..., 3] = 0
    write_image(tmp_path / "x.webp", texels)
    assert np.array_equal(read_image(tmp_path / "x.webp")[0], texels)


@pytest.mark.parametrize("suffix", list(WRITTEN))
def test_the_same_bytes_twice(suffix):
    sample_format = SampleFormat.FLOAT16 if suffix == ".exr" else SampleFormat.UINT8
    texels = random_texels(sample_format, 3)
    assert encode_image(texels, suffix) == encode_image(texels, suffix)


def test_two_dimensional_arrays_are_one_channel():
    texels = random_texels(SampleFormat.UINT16, 1)
    assert encode_image(texels[..., 0], ".png") == encode_image(texels, ".png")


@pytest.mark.parametrize(
    ("suffix", "sample_format", "channel_count"),
    [
        (".jpg", SampleFormat.UINT8, 4),
        (".jpg", SampleFormat.UINT16, 3),
        (".png", SampleFormat.FLOAT32, 3),
        (".png", SampleFormat.UINT8, 5),
        (".exr", SampleFormat.UINT8, 3),
        (".gif", SampleFormat.UINT8, 3),
    ],
)
def test_what_a_format_cannot_hold_is_refused_with_a_remedy(suffix, sample_format, channel_count):
    with pytest.raises(UsageError, match=r"cannot hold .*; use \.(png|tif|exr)"):
        encode_image(random_texels(sample_format, channel_count), suffix)


# How files made elsewhere are understood.


def test_palettes_one_bit_and_transparency(tmp_path):
    rng = np.random.default_rng(1)
    rgb = Image.fromarray(rng.integers(0, 256, (9, 11, 3), dtype=np.uint8))
    palette = rgb.quantize(8)
    palette.save(tmp_path / "palette.png")
    palette.save(tmp_path / "palette.tif")
    palette.save(tmp_path / "transparent.png", transparency=0)
    Image.fromarray(rng.random((9, 11)) > 0.5).save(tmp_path / "bits.png")
    Image.fromarray(rng.random((9, 11)) > 0.5).save(tmp_path / "bits.tif")
    rgb.convert("LA").save(tmp_path / "la.png")
    expected = np.asarray(palette.convert("RGB"))
    assert np.array_equal(read_image(tmp_path / "palette.png")[0], expected)
    assert np.array_equal(read_image(tmp_path / "palette.tif")[0], expected)
    transparent = read_image(tmp_path / "transparent.png")[0]
    assert transparent.shape == (9, 11, 4)
    assert set(np.unique(transparent[..., 3])) == {0, 255}
    assert read_image(tmp_path / "la.png")[0].shape == (9, 11, 2)
    for name in ("bits.png", "bits.tif"):
        bits = read_image(tmp_path / name)[0]
        assert bits.shape == (9, 11, 1)
        assert set(np.unique(bits)) == {0, 255}


def test_cmyk_becomes_rgb(tmp_path):
    cmyk = Image.new("CMYK", (16, 16), (0, 255, 255, 0))
    for name in ("cmyk.jpg", "cmyk.tif"):
        cmyk.save(tmp_path / name)
        texels = read_image(tmp_path / name)[0]
        assert texels.shape == (16, 16, 3)
        assert np.abs(texels[0, 0].astype(int) - [255, 0, 0]).max() < 8


def test_exif_orientation_is_ignored(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # rotate by 90 degrees
    Image.new("RGB", (8, 4)).save(tmp_path / "x.jpg", exif=exif)
    assert read_image(tmp_path / "x.jpg")[0].shape == (4, 8, 3)


def test_tga_from_the_bottom_up(tmp_path):
    header = struct.pack("<BBBHHBHHHHBB", 0, 0, 2, 0, 0, 0, 0, 0, 1, 2, 24, 0)  # 1 x 2, origin at the bottom left
    (tmp_path / "x.tga").write_bytes(header + bytes([1, 2, 3]) + bytes([4, 5, 6]))  # BGR, bottom row first
    assert read_image(tmp_path / "x.tga")[0].tolist() == [[[6, 5, 4]], [[3, 2, 1]]]


def png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def test_interlaced_sixteen_bit_png(tmp_path, capfd):
    texels = random_texels(SampleFormat.UINT16, 3, width=13, height=11)
    passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    rows = b"".join(
        b"\0" + row.astype(">u2").tobytes()
        for x, y, step_x, step_y in passes
        for row in texels[y::step_y, x::step_x]
        if row.size
    )
    header = struct.pack(">IIBBBBB", 13, 11, 16, 2, 0, 0, 1)
    (tmp_path / "x.png").write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", header)
        + png_chunk(b"IDAT", zlib.compress(rows))
        + png_chunk(b"IEND", b"")
    )
    assert np.array_equal(read_image(tmp_path / "x.png")[0], texels)
    assert capfd.readouterr() == ("", "")


def write_exr(path: Path, channels: dict) -> None:
    OpenEXR.File({"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}, channels).write(str(path))


def test_exr_channels_are_ordered_and_mixed_depths_become_float(tmp_path):
    planes = {name: np.full((4, 5), index, dtype=np.float16) for index, name in enumerate("ABGR")}
    write_exr(tmp_path / "x.exr", planes)
    texels, sample_format = read_image(tmp_path / "x.exr")
    assert sample_format == SampleFormat.FLOAT16
    assert texels[0, 0].tolist() == [3, 2, 1, 0]
    planes["Z"] = np.full((4, 5), 9, dtype=np.float32)
    planes["extra.B"], planes["extra.R"] = np.full((4, 5), 10, np.float16), np.full((4, 5), 11, np.float16)
    write_exr(tmp_path / "y.exr", planes)
    texels, sample_format = read_image(tmp_path / "y.exr")
    assert sample_format == SampleFormat.FLOAT32
    assert texels[0, 0].tolist() == [3, 2, 1, 0, 9, 11, 10]


def test_exr_of_integers_alone_is_refused(tmp_path):
    write_exr(tmp_path / "x.exr", {"id": np.zeros((4, 5), np.uint32)})
    with pytest.raises(InputError, match=r"only integer channels \(id\)"):
        read_image(tmp_path / "x.exr")


def test_integer_tiff_of_32_bits_is_refused(tmp_path):
    (tmp_path / "x.tif").write_bytes(imagecodecs.tiff_encode(np.zeros((4, 5), np.uint32), photometric="minisblack"))
    with pytest.raises(InputError, match="uint32"):
        read_image(tmp_path / "x.tif")


# Files that cannot be read: always InputError, always one line, nothing printed.


def assert_one_line(caught) -> None:
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 700


@pytest.mark.parametrize("suffix", list(WRITTEN))
@pytest.mark.parametrize("deep", [False, True])
def test_every_truncation_is_an_input_error_or_complete(tmp_path, suffix, deep, capfd):
    held = sorted(f for f in SampleFormat if can_hold(suffix, f, 3))
    texels = random_texels(held[-1] if deep else held[0], 3)
    data = encode_image(texels, suffix)
    path = tmp_path / f"x{suffix}"
    path.write_bytes(data)
    whole = read_image(path)[0]
    for length in sorted({*range(40), *range(40, len(data), max(1, len(data) // 40)), len(data) - 1}):
        path.write_bytes(data[:length])
        try:
            texels = read_image(path)[0]
        except InputError as error:
            assert "\n" not in str(error)  # noqa: PT017 - a prefix may also be complete
        else:
            # Only bytes that carry no texels may be missing: checksums, end markers, a footer.
            assert length > len(data) // 2
            assert np.array_equal(texels, whole)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("suffix", list(WRITTEN))
@pytest.mark.parametrize("content", [b"", b"\0" * 100, b"this is no image", bytes(range(256)) * 20])
def test_garbage_is_an_input_error(tmp_path, suffix, content, capfd):
    path = tmp_path / f"x{suffix}"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_image(path)
    assert_one_line(caught)
    assert capfd.readouterr() == ("", "")


def test_paths_that_are_no_images(tmp_path):
    (tmp_path / "x.png").mkdir()
    (tmp_path / "x.txt").write_bytes(b"x")
    for name, reason in (("x.png", "cannot be read"), ("gone.png", "does not exist"), ("x.txt", "not an image")):
        with pytest.raises(InputError, match=reason) as caught:
            read_image(tmp_path / name)
        assert_one_line(caught)


def test_control_characters_in_names_are_not_printed(tmp_path):
    (tmp_path / "a\n\x1b[31mb.png").write_bytes(b"x")
    with pytest.raises(InputError) as caught:
        read_image(tmp_path / "a\n\x1b[31mb.png")
    assert_one_line(caught)
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize("bit_depth", [8, 16])
def test_a_png_that_claims_an_absurd_size_is_refused_before_decoding(tmp_path, bit_depth):
    header = struct.pack(">IIBBBBB", MAX_SIZE + 1, 2**31 - 1, bit_depth, 2, 0, 0, 0)
    chunks = png_chunk(b"IHDR", header) + png_chunk(b"IDAT", zlib.compress(b"\0")) + png_chunk(b"IEND", b"")
    (tmp_path / "x.png").write_bytes(b"\x89PNG\r\n\x1a\n" + chunks)
    with pytest.raises(InputError, match=r"x\.png has 16385 x 2147483647 texels; use 1 to 16384|cannot be read"):
        read_image(tmp_path / "x.png")


def test_a_tiff_that_claims_an_absurd_size_is_refused_before_decoding(tmp_path):
    data = bytearray(imagecodecs.tiff_encode(np.zeros((4, 5), np.uint16), photometric="minisblack"))
    entries = struct.pack("<HHI", 256, 3, 1), struct.pack("<HHI", 256, 4, 1)
    place = max(data.find(entry) for entry in entries)
    data[place : place + 12] = struct.pack("<HHII", 256, 4, 1, 2_000_000_000)
    (tmp_path / "x.tif").write_bytes(data)
    with pytest.raises(InputError, match="2000000000 x 4 texels"):
        read_image(tmp_path / "x.tif")


def test_pillow_keeps_its_own_limit_for_others(tmp_path):
    before = Image.MAX_IMAGE_PIXELS
    write_image(tmp_path / "x.png", random_texels(SampleFormat.UINT8, 3))
    read_image(tmp_path / "x.png")
    assert before == Image.MAX_IMAGE_PIXELS
