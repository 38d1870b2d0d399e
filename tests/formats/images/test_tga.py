import numpy as np
import pytest
from helpers.image_bytes import tga

from imagegs_tex.formats.errors import InputError
from imagegs_tex.formats.images import read_picture

RNG = np.random.default_rng(6)
RGBA = RNG.integers(0, 256, (5, 7, 4), dtype=np.uint8)
NO_ALPHA = "the header says that there is no alpha"


def read(tmp_path, data):
    (tmp_path / "x.tga").write_bytes(data)
    return read_picture(tmp_path / "x.tga")


def bgra(texels):
    return texels[..., [2, 1, 0, 3]].tobytes()


def with_alpha(value):
    texels = RGBA.copy()
    texels[..., 3] = value
    return texels


@pytest.mark.parametrize("value", [0, 128, 255])
def test_a_fourth_byte_that_is_no_alpha_and_says_nothing_is_left_out(tmp_path, value):
    found = read(tmp_path, tga(bgra(with_alpha(value)), 7, 5))
    assert np.array_equal(found.texels, RGBA[..., :3])
    assert found.notes[0].startswith(NO_ALPHA)


def test_runs_of_texels_without_alpha_are_read_likewise(tmp_path):
    texels = np.zeros((5, 7, 4), np.uint8)
    texels[..., :3] = (9, 8, 7)
    pixels = b"".join(bytes([0x80 | 6]) + bgra(row[:1]) for row in texels)
    found = read(tmp_path, tga(pixels, 7, 5, kind=10))
    assert np.array_equal(found.texels, texels[..., :3])


def test_a_fourth_byte_that_varies_is_alpha_and_said(tmp_path):
    found = read(tmp_path, tga(bgra(RGBA), 7, 5))
    assert np.array_equal(found.texels, RGBA)
    assert found.notes == (f"{NO_ALPHA}, but the fourth channel varies: read as alpha",)


@pytest.mark.parametrize("value", [0, 255])
def test_alpha_that_the_header_promises_is_kept(tmp_path, value):
    found = read(tmp_path, tga(bgra(with_alpha(value)), 7, 5, descriptor=0x28))
    assert np.array_equal(found.texels, with_alpha(value))
    assert found.notes == ()


def test_the_attributes_type_counts_as_well(tmp_path):
    without = read(tmp_path, tga(bgra(with_alpha(0)), 7, 5, descriptor=0x28, footer_type=0))
    assert np.array_equal(without.texels, RGBA[..., :3])
    straight = read(tmp_path, tga(bgra(RGBA), 7, 5, descriptor=0x28, footer_type=3))
    assert np.array_equal(straight.texels, RGBA)
    assert straight.notes == ()


def test_premultiplied_alpha_is_divided_out(tmp_path):
    alpha = RNG.integers(100, 256, (5, 7, 1), dtype=np.uint8)
    alpha[0, 0] = 0
    stored = np.rint(RGBA[..., :3] * (alpha / 255.0)).astype(np.uint8)
    found = read(tmp_path, tga(bgra(np.concatenate([stored, alpha], -1)), 7, 5, descriptor=0x28, footer_type=4))
    assert np.array_equal(found.texels[..., 3:], alpha)
    assert np.abs(found.texels[1:, :, :3].astype(int) - RGBA[1:, :, :3]).max() <= 2
    assert found.texels[0, 0, :3].tolist() == [0, 0, 0]
    assert "divided" in found.notes[0]


# Colour maps

COLOURS = RNG.integers(0, 256, (12, 4), dtype=np.uint8)
INDICES = RNG.integers(0, 12, (5, 7), dtype=np.uint8)


def test_colour_maps_with_alpha(tmp_path):
    found = read(tmp_path, tga(INDICES.tobytes(), 7, 5, 1, 8, 0x28, bgra(COLOURS), 32))
    assert np.array_equal(found.texels, COLOURS[INDICES])
    runs = b"".join(bytes([row.size - 1]) + row.tobytes() for row in INDICES)
    assert np.array_equal(read(tmp_path, tga(runs, 7, 5, 9, 8, 0x28, bgra(COLOURS), 32)).texels, COLOURS[INDICES])


@pytest.mark.parametrize("value", [0, 255])
def test_colour_maps_whose_alpha_says_nothing(tmp_path, value):
    colours = COLOURS.copy()
    colours[:, 3] = value
    found = read(tmp_path, tga(INDICES.tobytes(), 7, 5, 1, 8, 0x20, bgra(colours), 32))
    assert np.array_equal(found.texels, COLOURS[INDICES][..., :3])


def test_colour_maps_of_24_and_16_bits(tmp_path):
    found = read(tmp_path, tga(INDICES.tobytes(), 7, 5, 1, 8, 0x20, COLOURS[:, [2, 1, 0]].tobytes(), 24))
    assert np.array_equal(found.texels, COLOURS[INDICES][..., :3])
    words = RNG.integers(0, 1 << 15, 12, dtype=np.uint16)
    five = np.stack([words >> 10 & 31, words >> 5 & 31, words & 31], axis=-1)
    found = read(tmp_path, tga(INDICES.tobytes(), 7, 5, 1, 8, 0x20, words.astype("<u2").tobytes(), 16))
    assert np.array_equal(found.texels, np.rint(five * 255 / 31).astype(np.uint8)[INDICES])


def test_a_colour_map_that_begins_later(tmp_path):
    data = bytearray(tga((INDICES + 100).tobytes(), 7, 5, 1, 8, 0x28, bgra(COLOURS), 32))
    data[3:5] = (100).to_bytes(2, "little")
    assert np.array_equal(read(tmp_path, bytes(data)).texels, COLOURS[INDICES])
    data[3:5] = (101).to_bytes(2, "little")
    with pytest.raises(InputError, match="colours that its colour map does not have"):
        read(tmp_path, bytes(data))


@pytest.mark.parametrize(
    ("descriptor", "turned"),
    [(0x00, np.s_[::-1, :]), (0x10, np.s_[::-1, ::-1]), (0x20, np.s_[:, :]), (0x30, np.s_[:, ::-1])],
)
def test_every_origin(tmp_path, descriptor, turned):
    found = read(tmp_path, tga(bgra(RGBA), 7, 5, descriptor=descriptor | 8))
    assert np.array_equal(found.texels, RGBA[turned])


def test_sixteen_bits_per_texel(tmp_path):
    words = RNG.integers(0, 1 << 16, (5, 7), dtype=np.uint16)
    five = np.stack([words >> 10 & 31, words >> 5 & 31, words & 31], axis=-1)
    rgb = np.rint(five * 255 / 31).astype(np.uint8)
    found = read(tmp_path, tga(words.astype("<u2").tobytes(), 7, 5, 2, 16, 0x21))
    assert np.array_equal(found.texels[..., :3], rgb)
    assert np.array_equal(found.texels[..., 3], (words >> 15) * 255)
    found = read(tmp_path, tga((words & 0x7FFF).astype("<u2").tobytes(), 7, 5, 2, 16, 0x20))
    assert np.array_equal(found.texels, rgb)


def test_grey_with_alpha(tmp_path):
    found = read(tmp_path, tga(RGBA[..., :2].tobytes(), 7, 5, 3, 16, 0x28))
    assert np.array_equal(found.texels, RGBA[..., :2])


@pytest.mark.parametrize(("kind", "depth"), [(1, 16), (2, 8), (3, 32), (32, 24), (0, 24), (4, 24)])
def test_other_kinds_are_refused(tmp_path, kind, depth):
    with pytest.raises(InputError, match="no TGA that can be read"):
        read(tmp_path, tga(bytes(500), 7, 5, kind, depth))


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.bmp"])
def test_a_tga_of_version_2_is_told_by_its_end_whatever_it_is_called(tmp_path, name):
    texels = np.random.default_rng(3).integers(0, 256, (4, 5, 4), np.uint8)
    path = tmp_path / name
    path.write_bytes(tga(texels[..., [2, 1, 0, 3]].tobytes(), 5, 4, descriptor=0x28, footer_type=3))
    found = read_picture(path)
    assert np.array_equal(found.texels, texels)
    assert f"called {path.suffix}, but read as TGA, which it is" in found.notes


@pytest.mark.parametrize(
    ("packets", "channels"),
    [
        (bytes([0x80 + 34]) + bytes([9, 8, 7]), 3),  # one run for all 35 texels
        (bytes([19]) + bytes(range(60)) + bytes([0x80 + 14]) + bytes([1, 2, 3]), 3),  # rows within a raw packet
        (bytes([0x80 + 8, 5, 6, 7, 200, 0x80 + 25, 1, 2, 3, 100]), 4),
        (bytes([0x80 + 127]) + bytes([4]), 1),  # longer than the picture
    ],
)
def test_packets_may_go_on_in_the_next_row(tmp_path, packets, channels):
    """As writers before version 2 made them."""
    expected, place = b"", 0
    while place < len(packets):
        count, runs = (packets[place] & 127) + 1, packets[place] >= 128
        own = packets[place + 1 : place + 1 + channels * (1 if runs else count)]
        expected, place = expected + own * (count if runs else 1), place + 1 + len(own)
    stored = np.frombuffer(expected[: 35 * channels], np.uint8).reshape(5, 7, channels)
    wanted = stored if channels == 1 else stored[..., [2, 1, 0, 3][:channels]]
    data = tga(packets, 7, 5, 11 if channels == 1 else 10, 8 * channels, 0x28 if channels == 4 else 0x20)
    assert np.array_equal(read(tmp_path, data).texels.reshape(5, 7, channels), wanted)
    cut = tga(packets[:-channels], 7, 5, 11 if channels == 1 else 10, 8 * channels, 0x28 if channels == 4 else 0x20)
    with pytest.raises(InputError, match="cannot be read"):
        read(tmp_path, cut)
