"""The detail section: round trip, laws, and the tile that is the same for ever."""

import hashlib
from dataclasses import fields, replace

import numpy as np
import pytest
from helpers.igs_sets import assert_equal_sets, make_set
from hypothesis import given, settings
from hypothesis import strategies as st

from imagegs_tex.formats.errors import IgsError
from imagegs_tex.formats.igs.container import decode_igs, encode_igs, section_sizes
from imagegs_tex.formats.igs.detail_layer import (
    DetailLayer,
    envelope_codes,
    envelope_values,
    pack_detail,
    unpack_detail,
)
from imagegs_tex.formats.igs.noise_tile import LAYER_WEIGHTS, filter_band, filter_transfer, noise_tile, noise_words


def made_layer(seed, channels, components=2, grid=(3, 2), relief=0):
    rng = np.random.default_rng(seed)
    return DetailLayer(
        band_codes=rng.integers(0, 256, (components, 8), dtype=np.uint8),
        channel_codes=rng.integers(0, 256, channels, dtype=np.uint8),
        mixing_codes=rng.integers(-127, 128, (channels, components)).astype(np.int8),
        slope_codes=rng.integers(-32768, 32768, (components, channels)).astype(np.int16),
        envelope_codes=rng.integers(0, 16, grid[::-1], dtype=np.uint8),
        relief=relief,
    )


def assert_same(first, second):
    for field in fields(DetailLayer):
        one, other = (np.asarray(getattr(layer, field.name)) for layer in (first, second))
        assert one.dtype == other.dtype
        assert np.array_equal(one, other), field.name


def test_the_tile_is_the_one_that_files_mean():
    assert hashlib.sha256(noise_tile().tobytes()).hexdigest().startswith("2d84fe82380f7669")
    assert np.abs(noise_tile().mean(axis=(0, 1))).max() < 0.02
    assert noise_tile().std(axis=(0, 1)) == pytest.approx(np.full(8, 2.75), abs=0.05)


def test_words_hold_the_tile():
    words = noise_words().reshape(64, 64)
    for band in range(8):
        assert np.array_equal((words >> np.uint32(4 * band) & np.uint32(15)).astype(int) - 8, noise_tile()[..., band])


def test_weights_keep_the_variance_and_fit_into_bytes():
    squares = np.array([a * a + b * b for a, b in LAYER_WEIGHTS]) / 144
    assert np.abs(squares - 1).max() < 0.1
    assert max(15 * (a + b) for a, b in LAYER_WEIGHTS) <= 255


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 999), st.integers(1, 9), st.integers(1, 4), st.tuples(st.integers(1, 64), st.integers(1, 64)))
def test_a_layer_comes_back(seed, channels, components, grid):
    layer = made_layer(seed, channels, components, grid)
    assert_same(unpack_detail(pack_detail(layer), channels), layer)


@pytest.mark.parametrize("relief", [1, 2])
@pytest.mark.parametrize("components", range(3, 7))
def test_relief_comes_back_with_the_height_at_three_places(components, relief):
    layer = made_layer(8, 4, components, relief=relief)
    assert_same(unpack_detail(pack_detail(layer), 4), layer)
    assert layer.shifts[:3] == ((0, 0), (relief, 0), (0, relief))
    assert len(layer.shifts) == components
    assert made_layer(8, 4, 3).shifts == ((0, 0), (32, 0), (0, 32))


def test_a_file_with_a_layer_comes_back():
    plain = make_set(3)
    layered = replace(plain, detail=made_layer(1, plain.channel_count))
    data = encode_igs(layered)
    assert [size.name for size in section_sizes(data)][-1] == "detail"
    read = decode_igs(data)
    assert_same(read.detail, layered.detail)
    assert_equal_sets(replace(read, detail=None), plain)
    assert encode_igs(read) == data


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda raw: b"", "ends within its head"),
        (lambda raw: b"\x00" + raw[1:], "0 noise components"),
        (lambda raw: b"\x05" + raw[1:], "5 noise components"),
        (lambda raw: raw[:1] + b"\x00" + raw[2:], "an envelope of 0"),
        (lambda raw: raw[:2] + b"\x41" + raw[3:], "an envelope of"),
        (lambda raw: raw[:3] + b"\x03" + raw[4:], "relief 3 of section detail is above 2"),
        (lambda raw: raw[:3] + b"\x01" + raw[4:], "2 noise components is outside 3..6"),
        (lambda raw: b"\x07" + raw[1:3] + b"\x01" + raw[4:], "7 noise components"),
        (lambda raw: raw + b"\x00", "bytes instead of"),
        (lambda raw: raw[:-1], "bytes instead of"),
        (lambda raw: raw[:-1] + b"\x10", "envelope code"),
    ],
)
def test_broken_laws_are_refused_in_their_own_words(change, words):
    raw = pack_detail(made_layer(2, 3))
    with pytest.raises(IgsError, match=words):
        unpack_detail(change(raw), 3)


def test_every_prefix_and_every_further_byte_is_refused():
    plain = make_set(4)
    data = encode_igs(replace(plain, detail=made_layer(5, plain.channel_count)))
    for end in (*range(0, len(data), 7), len(data) - 1):
        with pytest.raises(IgsError):
            decode_igs(data[:end])
    with pytest.raises(IgsError):
        decode_igs(data + b"\x00")


def test_envelope_codes_are_the_nearest():
    assert envelope_codes(np.array([0.0, 0.05, 0.21, 1.0, 1.19, 99.0])).tolist() == [0, 0, 1, 10, 11, 15]
    codes = np.arange(16, dtype=np.uint8)
    assert np.array_equal(envelope_codes(envelope_values(codes)), codes)


def likeness(first, second):
    """How alike planes [64, 64] are at each shift, both taken as repeating."""
    spectra = [np.fft.fft2(plane - plane.mean()) for plane in (first, second)]
    shared = np.fft.ifft2(spectra[0] * spectra[1].conj()).real
    return shared / np.sqrt(np.prod([np.square(np.abs(spectrum)).mean() for spectrum in spectra]))


@pytest.mark.parametrize("band", range(8))
def test_bands_are_like_themselves_by_their_filters_alone(band):
    """Random numbers left 0.06, 0.07, 0.18 and 0.21: five texels to the right, say, all noise was alike."""
    impulse = np.zeros((64, 64), dtype=np.int64)
    impulse[0, 0] = 1
    made, wanted = (likeness(plane, plane) for plane in (noise_tile()[..., band], filter_band(impulse, band)))
    assert np.abs(made - wanted).max() < 0.025


MIXED = [(a, b) for a in range(8) for b in range(a) if not ({a, b} & {4, 6} and {a, b} & {5, 7})]


@pytest.mark.parametrize(("first", "second"), MIXED)
def test_bands_that_are_mixed_are_not_alike(first, second):
    """What two bands have in common at a shift, they lack at the opposite one: their sum has no peak."""
    made = likeness(*(noise_tile()[..., band].astype(float) for band in (first, second)))
    assert abs(made[0, 0]) < 0.03
    opposite = np.roll(made[::-1, ::-1], 1, axis=(0, 1))
    assert np.abs(made + opposite).max() / 2 < 0.045


@pytest.mark.parametrize("relief", [0, 1, 2])
def test_components_read_the_tile_in_different_blocks(relief):
    """But for the three of one height: two in one channel would be alike at the difference of their shifts."""
    shifts = np.array(made_layer(8, 4, 6 if relief else 4, relief=relief).shifts)
    apart = np.abs(shifts[:, None] - shifts) % 64
    farthest = np.minimum(apart, 64 - apart).max(axis=2)
    group = np.arange(len(shifts)) < (3 if relief else 1)
    assert farthest[~(group[:, None] & group) & ~np.eye(len(shifts), dtype=bool)].min() >= 32 - relief


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (33, 48), (64, 64)])
@pytest.mark.parametrize("band", range(8))
def test_a_filters_transfer_is_its_impulses_spectrum(band, size):
    impulse = np.zeros(size, np.int64)
    impulse[0, 0] = 1
    spectrum = np.fft.fft2(filter_band(impulse, band))
    assert np.abs(filter_transfer(*size, band) - spectrum).max() < 1e-9
