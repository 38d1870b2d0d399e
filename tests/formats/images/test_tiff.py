import io

import numpy as np
import pytest
import tifffile
from PIL import Image

from imagegs_tex.formats.errors import InputError
from imagegs_tex.formats.images import encode_image, read_picture

RNG = np.random.default_rng(7)
RGBA8 = RNG.integers(0, 256, (33, 47, 4), dtype=np.uint8)
RGBA16 = RNG.integers(0, 65536, (33, 47, 4), dtype=np.uint16)
FLOATS = RNG.normal(size=(33, 47, 3)).astype(np.float32)


def tiff(texels, **options):
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, texels, metadata=None, **options)
    return buffer.getvalue()


def read(tmp_path, data):
    (tmp_path / "x.tif").write_bytes(data)
    return read_picture(tmp_path / "x.tif")


LAYOUTS = {
    "strips": {"rowsperstrip": 5},
    "tiles": {"tile": (16, 32)},
    "lzw with differences": {"compression": "lzw", "predictor": True},
    "deflate tiles": {"compression": "zlib", "tile": (32, 16), "predictor": True},
    "packbits": {"compression": "packbits"},
    "zstandard": {"compression": "zstd"},
    "big and the other byte order": {"bigtiff": True, "byteorder": ">"},
}


@pytest.mark.parametrize("options", LAYOUTS.values(), ids=LAYOUTS)
@pytest.mark.parametrize("planar", ["contig", "separate"])
@pytest.mark.parametrize("texels", [RGBA8[..., :3], RGBA16, FLOATS], ids=["uint8", "uint16", "float32"])
def test_planes_are_channels_in_every_layout(tmp_path, options, planar, texels):
    stored = np.ascontiguousarray(np.moveaxis(texels, -1, 0)) if planar == "separate" else texels
    extra = {"extrasamples": ["unassalpha"]} if texels.shape[2] == 4 else {}
    found = read(tmp_path, tiff(stored, photometric="rgb", planarconfig=planar, **extra, **options))
    assert found.texels.dtype == texels.dtype
    assert np.array_equal(found.texels, texels)
    assert found.notes == ()


def test_planar_files_as_wide_as_three(tmp_path):
    """What was once taken for 32 x 3 texels."""
    texels = RNG.integers(0, 256, (3, 32, 64), dtype=np.uint8)
    found = read(tmp_path, tiff(texels, photometric="rgb", planarconfig="separate"))
    assert np.array_equal(found.texels, np.moveaxis(texels, 0, -1))


# Alpha


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_associated_alpha_is_divided_out(tmp_path, dtype):
    whole = 1.0 if dtype == np.float32 else np.iinfo(dtype).max
    colour = RNG.random((9, 8, 3)) * whole
    alpha = np.maximum(RNG.random((9, 8, 1)), 0.5) * whole
    if dtype != np.float32:
        colour, alpha = np.rint(colour), np.rint(alpha)
    stored = colour * (alpha / whole)
    stored = np.concatenate([stored if dtype == np.float32 else np.rint(stored), alpha], -1).astype(dtype)
    stored[0, 0] = 0
    found = read(tmp_path, tiff(stored, photometric="rgb", extrasamples=["assocalpha"]))
    assert np.array_equal(found.texels[..., 3], stored[..., 3])
    assert found.texels[0, 0].tolist() == [0, 0, 0, 0]
    off = np.abs(found.texels[..., :3].astype(float) - colour)
    off[0, 0] = 0
    assert off.max() <= (1e-6 if dtype == np.float32 else 1.0)
    assert "divided" in found.notes[0]


def test_associated_alpha_of_grey_and_planar_files(tmp_path):
    stored = np.array([[[50, 100], [20, 200], [7, 0]]], np.uint8)
    found = read(tmp_path, tiff(stored, photometric="minisblack", planarconfig="contig", extrasamples=["assocalpha"]))
    assert found.texels.tolist() == [[[128, 100], [26, 200], [7, 0]]]
    planar = np.ascontiguousarray(np.moveaxis(RGBA8, -1, 0)).copy()
    planar[3] = 255
    data = tiff(planar, photometric="rgb", planarconfig="separate", extrasamples=["assocalpha"])
    assert np.array_equal(read(tmp_path, data).texels[..., :3], RGBA8[..., :3])


def test_straight_and_unspecified_alpha_stay(tmp_path):
    for kind in ("unassalpha", "unspecified"):
        found = read(tmp_path, tiff(RGBA16, photometric="rgb", extrasamples=[kind]))
        assert np.array_equal(found.texels, RGBA16)
        assert found.notes == ()


# What white is, palettes, few bits


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_white_is_zero(tmp_path, dtype):
    texels = RNG.integers(0, np.iinfo(dtype).max, (9, 8), dtype=dtype)
    found = read(tmp_path, tiff(texels, photometric="miniswhite"))
    assert np.array_equal(found.texels[..., 0], np.iinfo(dtype).max - texels)
    assert found.texels.dtype == dtype
    two = tiff(
        np.dstack([texels, texels]), photometric="miniswhite", planarconfig="contig", extrasamples=["unassalpha"]
    )
    found = read(tmp_path, two)
    assert np.array_equal(found.texels, np.dstack([np.iinfo(dtype).max - texels, texels]))


def test_one_bit_where_white_is_zero(tmp_path):
    bits = RNG.random((9, 11)) > 0.5
    assert np.array_equal(read(tmp_path, tiff(bits, photometric="miniswhite")).texels[..., 0], np.where(bits, 0, 255))
    assert np.array_equal(read(tmp_path, tiff(bits, photometric="minisblack")).texels[..., 0], np.where(bits, 255, 0))


@pytest.mark.parametrize(("bits", "whole"), [(2, 255), (4, 255), (10, 65535), (12, 65535), (14, 65535)])
def test_odd_bits_are_widened(tmp_path, bits, whole):
    most = (1 << bits) - 1
    texels = RNG.integers(0, most + 1, (9, 11), dtype=np.uint8 if bits <= 8 else np.uint16)
    texels[0, :2] = 0, most
    data = packed_tiff(texels, bits)
    found = read(tmp_path, data)
    assert np.array_equal(found.texels[..., 0], np.rint(texels.astype(float) * whole / most))
    assert found.notes == (() if bits <= 4 else (f"{bits} bits widened to 16",))


def packed_tiff(texels, bits):
    """A grey TIFF of rows of packed bits, made from one of 8 bits by changing its tag."""
    rows = []
    for row in texels:
        text = "".join(f"{value:0{bits}b}" for value in row.tolist())
        rows.append(int(text.ljust(-(-len(text) // 8) * 8, "0"), 2).to_bytes(-(-len(text) // 8)))
    width = len(rows[0])
    stored = np.frombuffer(b"".join(rows), np.uint8).reshape(len(rows), width)
    data = bytearray(tiff(stored, photometric="minisblack"))
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        for code, value in ((256, texels.shape[1]), (258, bits)):
            tag = file.pages[0].tags[code]
            data[tag.valueoffset : tag.valueoffset + 2] = value.to_bytes(2, "little")
    return bytes(data)


def test_palettes_of_eight_and_sixteen_bits(tmp_path):
    colours = RNG.integers(0, 256, (3, 256), dtype=np.uint16)
    indices = RNG.integers(0, 256, (9, 11), dtype=np.uint8)
    for step in (257, 256):
        found = read(tmp_path, tiff(indices, photometric="palette", colormap=colours * np.uint16(step)))
        assert found.texels.dtype == np.uint8
        assert np.array_equal(found.texels, colours.T[indices])
    wide = RNG.integers(0, 65536, (3, 256), dtype=np.uint16)
    found = read(tmp_path, tiff(indices, photometric="palette", colormap=wide))
    assert np.array_equal(found.texels, wide.T[indices])


def test_cmyk_of_sixteen_bits(tmp_path):
    inks = RNG.integers(0, 65536, (9, 11, 4), dtype=np.uint16)
    found = read(tmp_path, tiff(inks, photometric="separated"))
    paper = 1 - inks / 65535.0
    assert found.texels.dtype == np.uint16
    assert np.abs(found.texels - paper[..., :3] * paper[..., 3:] * 65535).max() <= 1
    assert found.notes == ("CMYK converted to RGB without a profile",)


# Channels, pages, other things


@pytest.mark.parametrize("channels", [5, 7, 32])
@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_more_than_four_channels(tmp_path, channels, planar):
    texels = RNG.integers(0, 65536, (9, 11, channels), dtype=np.uint16)
    stored = np.ascontiguousarray(np.moveaxis(texels, -1, 0)) if planar == "separate" else texels
    data = tiff(stored, photometric="rgb", planarconfig=planar, extrasamples=["unspecified"] * (channels - 3))
    assert np.array_equal(read(tmp_path, data).texels, texels)
    back = read(tmp_path, encode_image(texels.astype(np.uint8), ".tif"))
    assert np.array_equal(back.texels, texels.astype(np.uint8))


def test_too_many_channels_are_refused(tmp_path):
    with pytest.raises(InputError, match="33 channels; use 1 to 32"):
        read(tmp_path, tiff(np.zeros((4, 5, 33), np.uint8), photometric="minisblack", planarconfig="contig"))


def test_the_first_of_several_pages_and_reduced_copies(tmp_path):
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer) as file:
        file.write(RGBA8[::4, ::4, 0], photometric="minisblack", subfiletype=1, metadata=None)
        file.write(RGBA8[..., 0], photometric="minisblack", metadata=None)
    found = read(tmp_path, buffer.getvalue())
    assert np.array_equal(found.texels[..., 0], RGBA8[..., 0])
    assert found.notes == ("page 2 is read: those before it are reduced copies",)
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer) as file:
        for channel in range(3):
            file.write(RGBA8[..., channel], photometric="minisblack", metadata=None)
    found = read(tmp_path, buffer.getvalue())
    assert np.array_equal(found.texels[..., 0], RGBA8[..., 0])
    assert found.notes == ("page 1 of several is read",)


def test_jpeg_within(tmp_path):
    y, x = np.mgrid[:64, :64]
    smooth = np.stack([x * 3, y * 3, x + y], axis=-1).astype(np.uint8)
    options = {"compression": "jpeg", "compressionargs": {"level": 95}, "tile": (32, 32)}
    found = read(tmp_path, tiff(smooth, photometric="rgb", **options))
    assert np.abs(found.texels.astype(int) - smooth).max() < 16
    assert found.is_lossy


@pytest.mark.parametrize(
    ("tag", "words"),
    [
        ((529, 5, 3, (299, 1000, 587, 1000, 114, 1000), True), None),
        ((529, 5, 3, (2126, 10000, 7152, 10000, 722, 10000), True), "tag 529"),  # BT.709
        ((532, 5, 6, (0, 1, 255, 1, 128, 1, 255, 1, 128, 1, 255, 1), True), None),
        ((532, 5, 6, (16, 1, 235, 1, 128, 1, 240, 1, 128, 1, 240, 1), True), "tag 532"),  # video's range
    ],
)
def test_ycbcr_is_what_jpeg_takes_it_for_or_refused(tmp_path, tag, words):
    flat = np.full((32, 32, 3), (200, 100, 50), np.uint8)
    data = tiff(flat, photometric="ycbcr", compression="jpeg", tile=(16, 16), extratags=[tag])
    if words is None:
        found = read(tmp_path, data).texels
        assert found.shape == flat.shape
        assert len(np.unique(found.reshape(-1, 3), axis=0)) == 1
    else:
        with pytest.raises(InputError, match=words):
            read(tmp_path, data)


def test_orientation_is_ignored_and_said(tmp_path):
    found = read(tmp_path, tiff(RGBA8[..., :3], photometric="rgb", extratags=[(274, 3, 1, 6, True)]))
    assert np.array_equal(found.texels, RGBA8[..., :3])
    assert found.notes == ("its orientation tag is ignored: rows stay as stored",)


def test_damaged_lzw_codes_are_an_error(tmp_path):
    """imagecodecs.lzw_decode reads beyond its memory on some of these."""
    data = tiff(RGBA16, photometric="rgb", compression="lzw", rowsperstrip=4)
    whole = read(tmp_path, data).texels
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        offset, length = file.pages[0].dataoffsets[1], file.pages[0].databytecounts[1]
    rng = np.random.default_rng(0)
    for _ in range(200):
        changed = bytearray(data)
        for place in rng.integers(offset, offset + length, 3):
            changed[place] = rng.integers(0, 256)
        try:
            found = read(tmp_path, bytes(changed)).texels
        except InputError:
            continue
        assert found.shape == whole.shape
        assert np.array_equal(found[8:], whole[8:])


@pytest.mark.parametrize("compression", ["lzw", None])
def test_bits_the_other_way_round(tmp_path, compression):
    data = bytearray(tiff(RGBA8[..., :3], photometric="rgb", compression=compression, extratags=[(269, 3, 1, 2, True)]))
    with tifffile.TiffFile(io.BytesIO(data)) as file:  # tifffile writes no such tag
        place = file.pages[0].tags[269].offset
        data[place : place + 2] = (266).to_bytes(2, "little")
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        page = file.pages[0]
        assert page.fillorder == 2
        for offset, length in zip(page.dataoffsets, page.databytecounts, strict=True):
            bits = np.unpackbits(np.frombuffer(data[offset : offset + length], np.uint8), bitorder="little")
            data[offset : offset + length] = np.packbits(bits).tobytes()
    assert np.array_equal(read(tmp_path, bytes(data)).texels, RGBA8[..., :3])


@pytest.mark.parametrize("compression", ["group3", "group4", "tiff_lzw", "packbits", "tiff_deflate"])
def test_one_bit_in_every_compression(tmp_path, compression):
    bits = np.repeat(RNG.random((33, 9)) > 0.5, 5, axis=1)
    Image.fromarray(bits).save(tmp_path / "x.tif", compression=compression)
    assert np.array_equal(read_picture(tmp_path / "x.tif").texels[..., 0], bits * 255)


@pytest.mark.parametrize("texels", [RGBA8[..., :3], RGBA8[..., 0]], ids=["RGB", "grey"])
def test_a_file_that_does_not_say_what_its_colours_are(tmp_path, texels):
    data = bytearray(tiff(texels, photometric="rgb" if texels.ndim == 3 else "minisblack"))
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        place = file.pages[0].tags[262].offset
    data[place : place + 2] = (263).to_bytes(2, "little")  # Thresholding, which says nothing of them
    found = read(tmp_path, bytes(data))
    assert np.array_equal(found.texels.reshape(texels.shape), texels)
    assert found.notes == ("says nothing of its colours: taken as grey or RGB",)


def test_doubles_become_floats(tmp_path):
    texels = RNG.normal(size=(4, 5))
    found = read(tmp_path, tiff(texels, photometric="minisblack"))
    assert np.array_equal(found.texels[..., 0], texels.astype(np.float32))
    assert found.notes == ("64-bit floats become 32-bit ones",)


VOLUME = {"volumetric": True, "tile": (1, 16, 16)}


@pytest.mark.parametrize(
    ("texels", "options", "words"),
    [
        (np.zeros((4, 5), np.int16), {"photometric": "minisblack"}, "signed integers"),
        (np.zeros((4, 5), np.uint32), {"photometric": "minisblack"}, "uint32"),
        (np.zeros((4, 5), np.complex64), {"photometric": "minisblack"}, "complex"),
        (np.zeros((4, 5, 3), np.uint8), {"photometric": "cielab"}, "CIELab"),
        (np.zeros((4, 5), np.uint16), {"photometric": "cfa"}, "camera's raw"),
        (np.zeros((4, 5, 3), np.uint8), {"photometric": "ycbcr"}, "YCbCr without JPEG"),
        (np.zeros((40, 50, 3), np.uint8), {"photometric": "rgb", "compression": "jpeg2000"}, "compression 34712"),
        (
            np.zeros((4, 16, 16), np.uint8),
            {"photometric": "minisblack", "volumetric": True, "tile": (1, 16, 16)},
            "volume",
        ),
    ],
)
def test_what_is_not_read_is_refused_by_name(tmp_path, texels, options, words):
    with pytest.raises(InputError, match=words) as caught:
        read(tmp_path, tiff(texels, **options))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("code", [258, 277, 273, 262, 284])
def test_a_damaged_tag_that_matters_is_no_default(tmp_path, code):
    data = bytearray(tiff(RGBA8[..., :3], photometric="rgb"))
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        place = file.pages[0].tags[code].offset
    data[place + 2 : place + 4] = b"\x63\0"  # a type that there is not
    with pytest.raises(InputError, match=f"damaged tag {code}"):
        read(tmp_path, bytes(data))


def test_a_strip_beyond_the_end_is_refused(tmp_path):
    data = tiff(RGBA8[..., :3], photometric="rgb")
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        tag = file.pages[0].tags[279]
    changed = bytearray(data)
    changed[tag.valueoffset : tag.valueoffset + 4] = (10_000_000).to_bytes(4, "little")
    with pytest.raises(InputError, match="ends early"):
        read(tmp_path, bytes(changed))
