import io
import struct
import zlib

import numpy as np
import pytest
from helpers.image_bytes import png, png_chunk
from PIL import Image

from imagegs_tex.formats.errors import InputError
from imagegs_tex.formats.images import encode_image, read_image, read_picture

RNG = np.random.default_rng(5)
RGB8 = RNG.integers(0, 256, (9, 14, 3), dtype=np.uint8)
RGBA16 = RNG.integers(0, 65536, (9, 14, 4), dtype=np.uint16)


def read(tmp_path, data, name="x.png"):
    (tmp_path / name).write_bytes(data)
    return read_picture(tmp_path / name)


def big_profile(size):
    noise = np.random.default_rng(0).bytes(size)
    return png_chunk(b"iCCP", b"a profile\0\0" + zlib.compress(noise, 0))


BIG_METADATA = {
    "icc of 3 MB": big_profile(3 << 20),
    "text of 2 MB": png_chunk(b"tEXt", b"Comment\0" + b"x" * (2 << 20)),
    "compressed text that expands to 100 MB": png_chunk(b"zTXt", b"Raw\0\0" + zlib.compress(bytes(100 << 20), 9)),
    "international text of 9 MB": png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + b"<x/>" * (9 << 18)),
    "exif of 2 MB": png_chunk(b"eXIf", b"II*\0\x08\0\0\0" + bytes(2 << 20)),
    "private of 12 MB": png_chunk(b"prVt", bytes(12 << 20)),
    "damaged checksum of a text": png_chunk(b"tEXt", b"a\0b")[:-1] + b"?",
    "damaged profile": png_chunk(b"iCCP", b"no end of name"),
    "twenty thousand texts": png_chunk(b"tEXt", b"a\0b") * 20_000,
}


@pytest.mark.parametrize("extra", BIG_METADATA.values(), ids=BIG_METADATA)
@pytest.mark.parametrize("texels", [RGB8, RGBA16], ids=["8 bits", "16 bits"])
def test_metadata_of_any_size_and_state_is_skipped(tmp_path, extra, texels, capfd):
    found = read(tmp_path, png(texels, extra))
    assert np.array_equal(found.texels, texels)
    assert found.notes == ()
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    "tags",
    [
        png_chunk(b"gAMA", struct.pack(">I", 45455)),
        png_chunk(b"gAMA", struct.pack(">I", 100000)) + png_chunk(b"cHRM", struct.pack(">8I", *range(1, 9))),
        png_chunk(b"sRGB", b"\0"),
        png_chunk(b"cICP", b"\x01\x01\x00\x01"),  # BT.709
        png_chunk(b"cICP", b"\x06\x06\x00\x01"),  # BT.601
        png_chunk(b"sBIT", b"\5\6\5"),
    ],
    ids=["gamma 0.45", "linear with primaries", "sRGB", "BT.709", "BT.601", "significant bits"],
)
@pytest.mark.parametrize("bits", [8, 16])
def test_tags_of_colour_change_no_texel(tmp_path, tags, bits):
    texels = RGB8 if bits == 8 else np.ascontiguousarray(RGBA16[..., :3])
    assert np.array_equal(read(tmp_path, png(texels, tags)).texels, texels)


def test_a_gamma_that_is_not_applied_is_said(tmp_path):
    found = read(tmp_path, png(RGB8, png_chunk(b"gAMA", struct.pack(">I", 100000))))
    assert found.notes == ("its gamma tag (1) is not applied: values stay as stored",)


def test_an_animation_gives_its_still_picture_and_says_so(tmp_path):
    found = read(tmp_path, png(RGB8, png_chunk(b"acTL", struct.pack(">II", 2, 0))))
    assert np.array_equal(found.texels, RGB8)
    assert found.notes == ("animated: its still picture is read",)


def test_a_png_without_its_end_reads_with_a_note(tmp_path):
    found = read(tmp_path, png(RGBA16, end=False))
    assert np.array_equal(found.texels, RGBA16)
    assert found.notes == ("lacks its end marker",)


@pytest.mark.parametrize(("depth", "step"), [(1, 255), (2, 85), (4, 17)])
def test_few_bits_are_stretched(tmp_path, depth, step):
    most = (1 << depth) - 1
    values = np.arange(16, dtype=np.uint8).reshape(2, 8) & most
    bits = np.unpackbits(values[..., None], axis=-1)[..., 8 - depth :].reshape(2, -1)
    packed = np.packbits(bits, axis=1)[..., None]
    data = bytearray(png(packed, depth=depth, colour_type=0))
    data[16:20] = struct.pack(">I", 8)
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    assert np.array_equal(read(tmp_path, bytes(data)).texels[..., 0], values * step)


def test_transparent_colours_of_sixteen_bits_become_alpha(tmp_path):
    texels = np.array([[[1, 2, 3], [400, 500, 600]]], np.uint16)
    found = read(tmp_path, png(texels, png_chunk(b"tRNS", struct.pack(">3H", 400, 500, 600))))
    assert found.texels.tolist() == [[[1, 2, 3, 65535], [400, 500, 600, 0]]]


# The signature decides, whatever a file is called.


@pytest.mark.parametrize("name", ["x.tga", "x.tif", "x.exr", "x.hdr", "x.jpg", "x.image", "x"])
def test_sixteen_bits_of_a_png_survive_every_name(tmp_path, name):
    found = read(tmp_path, encode_image(RGBA16, ".png"), name)
    assert np.array_equal(found.texels, RGBA16)
    assert ("read as PNG" in " ".join(found.notes)) == (name not in {"x.image", "x"})


@pytest.mark.parametrize(
    ("suffix", "name"), [(".jpg", "x.tif"), (".exr", "x.png"), (".tif", "x.tga"), (".webp", "x.jpg"), (".tif", "x.exr")]
)
def test_files_read_as_what_they_are(tmp_path, suffix, name):
    texels = RGB8.astype(np.float16) / np.float16(7) if suffix == ".exr" else RGB8
    data = encode_image(texels, suffix)
    wanted = read(tmp_path, data, f"right{suffix}")
    found = read(tmp_path, data, name)
    assert np.array_equal(found.texels, wanted.texels)
    assert found.texels.dtype == texels.dtype
    assert found.is_lossy == wanted.is_lossy
    assert found.notes[0].startswith(f"called {name[1:]}, but read as ")


@pytest.mark.parametrize(
    ("data", "name", "kind"),
    [
        (b"\0\0\0\x1cftypavif" + bytes(40), "x.png", "an AVIF image"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "x.tga", "git lfs pull"),
        (b"\xabKTX 11\xbb\r\n\x1a\n" + bytes(60), "x.ktx2", "a KTX 1 texture"),
        (b"%PDF-1.7", "x.tif", "a PDF"),
        (b"<!DOCTYPE html><html>", "x.jpg", "a web page"),
    ],
)
def test_what_else_a_file_is_is_said(tmp_path, data, name, kind):
    with pytest.raises(InputError, match=kind) as caught:
        read(tmp_path, data, name)
    assert "\n" not in str(caught.value)


# JPEG


def jpeg(texels, **options):
    buffer = io.BytesIO()
    Image.fromarray(texels).save(buffer, "JPEG", **options)
    return buffer.getvalue()


JPEGS = {
    "baseline": {"quality": 90},
    "full chroma": {"quality": 95, "subsampling": 0},
    "progressive": {"quality": 90, "progressive": True},
    "restarts": {"quality": 80, "restart_marker_blocks": 1},
}
SMOOTH = np.stack(np.meshgrid(np.arange(70) * 3, np.arange(50) * 4), axis=-1)
SMOOTH = np.concatenate([SMOOTH, SMOOTH[..., :1] // 2], axis=-1).astype(np.uint8)


@pytest.mark.parametrize("options", JPEGS.values(), ids=JPEGS)
@pytest.mark.parametrize("grey", [False, True])
def test_a_jpeg_without_its_end_marker_reads_with_a_note(tmp_path, options, grey):
    data = jpeg(SMOOTH[..., 0] if grey else SMOOTH, **options)
    whole = read(tmp_path, data, "x.jpg")
    assert data.endswith(b"\xff\xd9")
    assert whole.notes == ()
    for short in (data[:-2], data[:-1]):
        found = read(tmp_path, short, "x.jpg")
        assert np.array_equal(found.texels, whole.texels)
        assert found.notes == ("lacks its end marker",)


@pytest.mark.parametrize("options", JPEGS.values(), ids=JPEGS)
def test_a_jpeg_without_texels_is_refused(tmp_path, options):
    data = jpeg(SMOOTH, **options)
    scan = data.rindex(b"\xff\xda")
    lengths = {len(data) - 5, len(data) - 20, scan, scan + 20, (scan + len(data)) // 2, len(data) // 2}
    for length in sorted(lengths):
        with pytest.raises(InputError) as caught:
            read(tmp_path, data[:length], "x.jpg")
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("marker", [b"\xff\xe1", b"\xff\xe2", b"\xff\xfe"], ids=["EXIF", "ICC", "comment"])
def test_metadata_of_a_jpeg_changes_nothing(tmp_path, marker):
    data = jpeg(SMOOTH)
    extra = (marker + struct.pack(">H", 65000) + RNG.bytes(64998)) * 40
    found = read(tmp_path, data[:2] + extra + data[2:], "x.jpg")
    assert np.array_equal(found.texels, read_image_of(tmp_path, data))
    assert found.notes == ()


def test_a_profile_of_bt709_changes_no_jpeg(tmp_path):
    profile = b"a BT.709 profile, or something that says it is" * 30
    assert np.array_equal(
        read(tmp_path, jpeg(SMOOTH, icc_profile=profile), "x.jpg").texels, read_image_of(tmp_path, jpeg(SMOOTH))
    )


def read_image_of(tmp_path, data):
    (tmp_path / "plain.jpg").write_bytes(data)
    return read_image(tmp_path / "plain.jpg")[0]


def test_jpegs_of_other_depths_are_refused_by_name(tmp_path):
    data = bytearray(jpeg(SMOOTH))
    frame = data.index(b"\xff\xc0")
    for place, value, words in (
        (frame + 4, 12, "12 bits"),
        (frame + 1, 0xC9, "arithmetic"),
        (frame + 1, 0xC3, "lossless"),
    ):
        changed = bytearray(data)
        changed[place] = value
        with pytest.raises(InputError, match=words):
            read(tmp_path, bytes(changed), "x.jpg")
