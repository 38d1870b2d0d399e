"""Section 10: the page's plain reading of it agrees, codes survive, laws hold, and the picture is the page's sum."""

import math
import random
import struct
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from helpers.fuzz_igs import damaged
from helpers.igs_sets import make_set
from helpers.made_repeat import made_repeat, with_repeat
from helpers.plain_repeat import PlainRepeat
from hypothesis import given, settings
from hypothesis import strategies as st

from imagegs_tex.decoder import bands
from imagegs_tex.decoder.render import render_channels
from imagegs_tex.formats.errors import IgsError
from imagegs_tex.formats.igs import compiled_coder
from imagegs_tex.formats.igs.container import decode_igs, encode_igs, section_sizes
from imagegs_tex.formats.igs.exact_samples import ExactSamples
from imagegs_tex.formats.igs.repeat_layer import Lattice, pack_repeat, unpack_repeat
from imagegs_tex.formats.igs.repeat_picture import repeat_picture
from imagegs_tex.formats.igs.residual_picture import residual_picture
from imagegs_tex.rasterize.select_backend import make_backend

SIZE, CHANNELS = (31, 23), 3
LATTICES = {
    "plain": {},
    "off the corner": {"origin": (5, 9), "side_log2": 3},
    "bricks": {"period": (12, 5), "origin": (3, 2), "shift": 6},
    "slanted": {"period": (9, 7), "shift": 2, "pictures": 1},
    "no weights": {"pictures": 0, "side_log2": 3},
    "one texel": {"period": (1, 1), "pictures": 1},
    "larger than the picture": {"period": (64, 40), "origin": (50, 30), "side_log2": 4, "components": 1},
    "rows": {"period": (40, 1), "pictures": 3, "shift": 17},
}


def layer_of(name):
    return made_repeat(SIZE, CHANNELS, **LATTICES[name])


@cache
def plain_of(name):
    return PlainRepeat(pack_repeat(layer_of(name), SIZE), *SIZE, CHANNELS)


@pytest.mark.parametrize("name", LATTICES)
def test_the_page_reads_it(name):
    layer = layer_of(name)
    plain = plain_of(name)
    places = {pair: p for p, pair in enumerate(plain.places)}
    blocks = [
        sorted((component * plain.side**2 + places[u, v], q) for (component, u, v), q in block.items())
        for block in plain.blocks.values()
    ]
    assert [len(block) for block in blocks] == layer.blocks.counts.tolist()
    flat = [code for block in blocks for code in block]
    assert flat == list(zip(layer.blocks.places.tolist(), layer.blocks.values.tolist(), strict=True))
    np.testing.assert_array_equal(
        np.array(plain.weights).reshape(layer.weight_codes.shape), layer.weight_codes.astype(np.int32)
    )


@pytest.mark.parametrize("name", LATTICES)
@pytest.mark.parametrize("times", [1, 3])
def test_a_texel_is_the_pages_sum(name, times):
    layer = layer_of(name)
    plain = plain_of(name)
    drawn = repeat_picture(layer, SIZE, (times * SIZE[0], times * SIZE[1]))
    for x, y in ((0, 0), (30, 22), (7, 9), (13, 20), (22, 3)):
        places = x * times + times - 1, y * times
        expected = plain.added(*((place + 0.5) / times for place in places))
        np.testing.assert_allclose(drawn[places[1], places[0]], expected, atol=1e-5, rtol=1e-5)
    assert np.abs(drawn).max() > 0.05


def same(found, layer):
    assert found.lattice == layer.lattice
    for name in ("counts", "places", "values", "basis_codes"):
        np.testing.assert_array_equal(getattr(found.blocks, name), getattr(layer.blocks, name), name)
    np.testing.assert_array_equal(found.weight_codes, layer.weight_codes)
    assert (found.blocks.step, found.blocks.offset_codes) == (layer.blocks.step, layer.blocks.offset_codes)


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_codes_survive(data):
    whole = st.integers(1, 40)
    size, period = (data.draw(st.tuples(whole, whole)) for _ in range(2))
    origin = tuple(data.draw(st.integers(0, side - 1)) for side in period)
    shift, pictures = data.draw(st.integers(0, period[0] - 1)), data.draw(st.integers(0, 4))
    side_log2, components = data.draw(st.integers(2, 4)), data.draw(st.integers(1, CHANNELS))
    layer = made_repeat(
        size, CHANNELS, period=period, origin=origin, shift=shift, pictures=pictures, side_log2=side_log2,
        components=components, seed=data.draw(st.integers(0, 99)),
    )  # fmt: skip
    same(unpack_repeat(pack_repeat(layer, size), size, CHANNELS), layer)
    whole_picture = repeat_picture(layer, size, size)
    part = slice(size[1] // 3, size[1])
    np.testing.assert_array_equal(repeat_picture(layer, size, size, part), whole_picture[part])


def test_the_coder_in_c_and_in_python_agree(monkeypatch):
    layer = layer_of("bricks")
    packed = pack_repeat(layer, SIZE)
    monkeypatch.setattr(compiled_coder, "is_compiled", lambda: False)
    assert pack_repeat(layer, SIZE) == packed
    same(unpack_repeat(packed, SIZE, CHANNELS), layer)


def test_a_cell_of_one_picture_is_a_residual():
    layer = made_repeat(SIZE, CHANNELS, period=(32, 24), pictures=0, side_log2=3)
    np.testing.assert_array_equal(repeat_picture(layer, SIZE, SIZE), residual_picture(layer.blocks, SIZE, SIZE))


def test_rows_of_cells_begin_further_left():
    lattice = Lattice((8, 4), (1, 2), 3)
    assert [lattice.offset(row) for row in range(4)] == [1, 4, 7, 2]
    assert lattice.cells((24, 10)) == (4, 3)
    assert Lattice((8, 4), (1, 2)).cells((24, 10)) == (4, 3)
    assert Lattice((8, 4)).cells((24, 12)) == (3, 3)


@pytest.mark.parametrize(
    ("at", "form", "value", "words"),
    [
        (0, "<B", 5, "blocks of 2"),
        (1, "<b", 65, "an offset of section repeat"),
        (4, "<f", math.nan, "the step of section repeat"),
        (8, "<I", 0, "section repeat is empty"),
        (8, "<I", 12 * 128 + 1, "more coefficients"),
        (8, "<I", 3, "not what its codes take"),
        (12, "<B", 0, "0 components"),
        (12, "<B", CHANNELS + 1, "4 components"),
        (13, "<B", 32, "32 more pictures"),
        (13, "<B", 3, "not what they take|shorter than"),
        (13, "<B", 0, "weights of no picture"),
        (14, "<H", 0, "a period of 0"),
        (16, "<H", 16385, "a period of 13 x 16385"),
        (18, "<H", 13, "within a period"),
        (20, "<H", 10, "within a period"),
        (22, "<H", 13, "within a period"),
        (24, "<I", 0, "too many weights"),
        (24, "<I", 1, "not what they take"),
        (24, "<I", 2**32 - 1, "shorter than its coefficients"),
    ],
)
def test_a_broken_law_is_told(at, form, value, words):
    data = bytearray(pack_repeat(layer_of("plain"), SIZE))
    struct.pack_into(form, data, at, value)
    with pytest.raises(IgsError, match=words):
        unpack_repeat(bytes(data), SIZE, CHANNELS)


def test_what_would_take_long_is_told():
    data = bytearray(pack_repeat(layer_of("plain"), SIZE))
    with pytest.raises(IgsError, match="too many weights"):
        unpack_repeat(bytes(data), (16384, 16384), CHANNELS)
    struct.pack_into("<HH", data, 14, 16384, 64)
    with pytest.raises(IgsError, match="too many blocks"):
        unpack_repeat(bytes(data), SIZE, CHANNELS)
    layer = made_repeat(SIZE, 10, pictures=24)
    data = bytearray(pack_repeat(layer, SIZE))
    data[13] = 25
    with pytest.raises(IgsError, match="have 260 components"):
        unpack_repeat(bytes(data), SIZE, 10)
    data[13] = 24
    struct.pack_into("<HH", data, 14, 256, 256)
    with pytest.raises(IgsError, match="too large together"):
        unpack_repeat(bytes(data), SIZE, 10)


def test_every_prefix_and_one_byte_more_are_told():
    data = pack_repeat(layer_of("plain"), SIZE)
    for end in [*range(40), *range(40, len(data) - 1, 7)]:  # the last byte may leave another stream
        words = "within its head" if end < 28 else "shorter than|not what its codes take"
        with pytest.raises(IgsError, match=words):
            unpack_repeat(data[:end], SIZE, CHANNELS)
    with pytest.raises(IgsError, match="not what its codes take"):
        unpack_repeat(data + b"\0", SIZE, CHANNELS)


def test_damage_is_an_error_or_another_layer():
    generator, valid = random.Random(5), 0
    whole = [pack_repeat(layer_of(name), SIZE) for name in LATTICES]
    for _ in range(600):
        try:
            layer = unpack_repeat(damaged(generator.choice(whole), generator), SIZE, CHANNELS)
        except IgsError:
            continue
        valid += 1
        assert layer.blocks.counts.sum() == len(layer.blocks.places)
        assert layer.blocks.counts.max() <= 128
        pack_repeat(layer, SIZE)
    assert valid > 3


def test_what_cannot_be_written():
    layer = layer_of("plain")
    with pytest.raises(IgsError, match="another number of cells"):
        pack_repeat(replace(layer, weight_codes=layer.weight_codes[:, 1:]), SIZE)
    with pytest.raises(IgsError, match="another number of blocks"):
        pack_repeat(replace(layer, blocks=replace(layer.blocks, counts=layer.blocks.counts[1:])), SIZE)


def test_section_in_a_file():
    plain = make_set()
    repeated = with_repeat(plain, origin=(2, 3), shift=4)
    data = encode_igs(repeated)
    assert [size.name for size in section_sizes(data)][-1] == "repeat"
    again = decode_igs(data)
    assert encode_igs(again) == data
    same(again.repeat, repeated.repeat)
    with pytest.raises(ValueError, match="another number of channels"):
        encode_igs(replace(plain, repeat=made_repeat((plain.width, plain.height), 2)))
    exact = ExactSamples(np.zeros((plain.height, plain.width, 5), np.uint32), (1,) * 5)
    with pytest.raises(ValueError, match="exact samples has no repeat"):
        encode_igs(replace(repeated, exact=exact))


@pytest.mark.parametrize("backend", ["reference", "cpu"])
def test_the_picture_has_it(backend, monkeypatch):
    plain, rasterizer = make_set(), make_backend(backend)
    repeated = with_repeat(plain)
    size = plain.width, plain.height
    found, without = (render_channels(quantized, rasterizer).numpy() for quantized in (repeated, plain))
    added = repeat_picture(repeated.repeat, size, size)
    inside = (without > 0) & (without < 1)
    np.testing.assert_allclose(found[inside], np.clip(without + added, 0, 1)[inside], atol=2e-6)
    large = 2 * size[0], 2 * size[1]
    whole = render_channels(repeated, rasterizer, large).numpy()
    monkeypatch.setattr(bands, "_WHOLE_BYTES", 0)
    monkeypatch.setattr(bands, "_BAND_BYTES", 4 * large[0] * 8 * 11)
    parts = list(bands.channel_bands(repeated, rasterizer, large))
    assert len(parts) > 5
    np.testing.assert_allclose(np.concatenate([part for _, part in parts]), whole, atol=2e-6)
    one = render_channels(repeated, rasterizer, (1, 1)).numpy()
    np.testing.assert_allclose(one[0, 0], found.mean(axis=(0, 1)), atol=1e-5)
