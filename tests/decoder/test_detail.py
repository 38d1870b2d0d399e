"""The noise as drawn: its statistics, no repetition to see, no seam, and nothing where a file asks for nothing."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from helpers.made_gaussians import made_detail, made_map, made_set
from helpers.plain_detail import plain_detail

from imagegs_tex.decoder.detail import KeptNoise, add_detail, add_in_torch
from imagegs_tex.decoder.maps import decode_maps
from imagegs_tex.decoder.render import render_channels
from imagegs_tex.formats.igs.detail_layer import DetailLayer
from imagegs_tex.formats.igs.noise_tile import BAND_COUNT, DEVIATION, noise_tile
from imagegs_tex.formats.vocabulary import Coded, SampleFormat, Semantic, Transfer, UnitZ
from imagegs_tex.rasterize.select_backend import make_backend

CPU = make_backend("cpu")
SCALE = 1 / 16
REACH = [(2, 2), (6, 6), (6, 6), (30, 30), (6, 2), (2, 6), (30, 6), (6, 30)]
"""Texels in x and y up to which a band is correlated with itself: twice the reach of its filters."""


def one_band(band, components=1):
    """Each component of the same band makes a channel of its own, with a deviation of SCALE."""
    bands = np.zeros((components, BAND_COUNT), np.uint8)
    bands[:, band] = 255
    return DetailLayer(
        band_codes=bands,
        channel_codes=np.full(components, 64, np.uint8),  # 2^-4
        mixing_codes=127 * np.eye(components, dtype=np.int8),
        slope_codes=np.zeros((components, components), np.int16),
        envelope_codes=np.full((1, 1), 10, np.uint8),  # 1
    )


def drawn(detail, width, height, wrap=(False, False)):
    """The noise alone [H, W, C], in deviations."""
    channels = len(detail.channel_codes)
    grey = torch.full((height, width, channels), 0.5)
    found = add_detail(grey, detail, np.full(channels, 0.5, np.float32), (width, height), wrap)
    return (found.numpy().astype(np.float64) - 0.5) / SCALE


@pytest.mark.parametrize(
    ("size", "drawn_size", "wrap", "components", "relief"),
    [
        ((1, 1), (1, 1), (False, False), 1, 0),
        ((3, 200), (3, 200), (True, False), 2, 0),
        ((150, 47), (150, 47), (True, True), 4, 0),
        ((96, 64), (96, 64), (False, False), 6, 2),
        ((40, 30), (120, 75), (False, True), 3, 1),
    ],
)
def test_the_kernel_has_what_the_format_says_bit_by_bit(size, drawn_size, wrap, components, relief):
    picture = np.random.default_rng(9).random((*drawn_size[::-1], 3), np.float32)
    detail, offset = made_detail(3, components, relief=relief), np.array([0.5, 0.25, 0.125], np.float32)
    expected = plain_detail(picture, detail, offset, size, wrap)
    assert np.abs(expected - picture).max() > 1e-3
    found = add_detail(torch.from_numpy(picture.copy()), detail, offset, size, wrap)
    assert np.array_equal(found.numpy(), expected)
    if size == drawn_size:
        kept = KeptNoise.of(
            torch.from_numpy(picture), replace(detail, channel_codes=detail.channel_codes + 9), offset, wrap
        )
        assert np.array_equal(kept.added(detail).numpy(), expected)
    first, last = drawn_size[1] // 3, drawn_size[1] - drawn_size[1] // 4
    band = torch.from_numpy(picture[first:last].copy())
    add_detail(band, detail, offset, size, wrap, (first, drawn_size[1]))
    assert np.array_equal(band.numpy(), expected[first:last])
    in_torch = torch.from_numpy(picture.copy())
    add_in_torch(in_torch, detail, offset, size, wrap, (0, drawn_size[1]))
    assert np.abs(in_torch.numpy() - expected).max() < 1e-5


@pytest.mark.parametrize("band", range(BAND_COUNT))
def test_every_band_is_of_deviation_one_and_does_not_repeat(band):
    tile = noise_tile()[..., band] / DEVIATION
    assert tile.mean() == pytest.approx(0, abs=0.01)
    assert tile.std() == pytest.approx(1, abs=0.02)
    noise = drawn(one_band(band), 512, 512)[..., 0]
    assert noise.std() == pytest.approx(1, abs=0.02)
    correlation = np.fft.ifft2(np.abs(np.fft.fft2(noise - noise.mean(), (1024, 1024))) ** 2).real
    correlation /= correlation[0, 0]  # zeros around the picture: nothing wraps
    lags = np.abs(np.fft.fftfreq(1024, 1 / 1024))
    outside = (lags[None] > REACH[band][0]) | (lags[:, None] > REACH[band][1])
    assert np.abs(correlation[outside]).max() < 0.1


@pytest.mark.parametrize("band", [1, 2])
@pytest.mark.parametrize(("size", "tolerance"), [(1000, 0.1), (96, 0.15), (33, 0.15)])
def test_across_the_border_of_what_repeats_it_is_as_inside(size, tolerance, band):
    noise = drawn(one_band(band, components=4), size, size, (True, True))
    for axis in (0, 1):
        correlation = 1 - np.square(noise - np.roll(noise, -1, axis)).mean(axis=(1 - axis, 2)) / 2
        assert correlation[-1] == pytest.approx(correlation.mean(), abs=tolerance)  # the last texel and the first
        assert correlation.mean() == pytest.approx({1: 0.49, 2: 0.89}[band], abs=0.03)


def test_components_are_independent():
    noise = drawn(one_band(2, components=4), 512, 512).reshape(-1, 4)
    correlation = np.corrcoef(noise.T) - np.eye(4)
    assert np.abs(correlation).max() < 0.1


@pytest.mark.parametrize("factor", [2, 4])
def test_smaller_pictures_are_as_noisy_as_averages_of_texels(factor):
    quantized = replace(made_set(256, 256, 300, 4), detail=made_detail(4))
    size = (256 // factor, 256 // factor)

    def noise(of):
        return (
            render_channels(quantized, CPU, of, with_detail=True).numpy() - render_channels(quantized, CPU, of).numpy()
        )

    means = noise(None).reshape(size[1], factor, size[0], factor, -1).mean(axis=(1, 3))
    variances = noise(size).var(axis=(0, 1))
    mixed = np.any(quantized.detail.mixing_codes != 0, axis=1)
    assert mixed.sum() >= 3
    assert variances[mixed] == pytest.approx(means.var(axis=(0, 1))[mixed], rel=0.1)
    assert variances[mixed].min() > 1e-6


def test_larger_pictures_repeat_the_noise_of_their_texels():
    detail = one_band(0)
    own = drawn(detail, 40, 30)[..., 0]
    larger = add_detail(torch.full((60, 120, 1), 0.5), detail, np.full(1, 0.5, np.float32), (40, 30), (False, False))
    found = (larger.numpy()[..., 0] - 0.5) / SCALE
    assert np.abs(found - own.repeat(2, axis=0).repeat(3, axis=1)).max() < 1e-5


def test_channels_without_noise_stay_exact():
    quantized = made_set(96, 64, 100, 3)
    detail = made_detail(3)
    mixing = np.array([[100, -50], [0, 0], [0, 90]], np.int8)
    noisy = replace(quantized, detail=replace(detail, mixing_codes=mixing))
    plain = render_channels(quantized, CPU).numpy()
    found = render_channels(noisy, CPU, with_detail=True).numpy()
    assert np.array_equal(found[..., 1], plain[..., 1])
    assert np.abs(found - plain).max(axis=(0, 1))[[0, 2]].min() > 0.01
    assert found.min() >= 0
    assert found.max() <= 1
    assert np.array_equal(render_channels(noisy, CPU).numpy(), plain)  # asked for without


def test_an_empty_cell_of_the_envelope_is_clean():
    codes = np.full((4, 4), 10, np.uint8)
    codes[:2, :2] = 0
    noise = drawn(replace(one_band(0), envelope_codes=codes), 128, 128)[..., 0]
    assert not noise[:48, :48].any()  # to the centre of the last empty cell
    assert noise[80:, 80:].std() == pytest.approx(1, abs=0.1)


def test_normals_stay_unit():
    maps = (
        made_map(routes=(Coded(0),)),
        made_map(
            "normal", Semantic.NORMAL, (Coded(1), Coded(2), UnitZ()), Transfer.LINEAR,
            sample_format=SampleFormat.UINT16,
        ),
    )  # fmt: skip
    detail = replace(made_detail(3), mixing_codes=np.array([[0, 0], [127, 0], [60, 127]], np.int8))
    quantized = replace(made_set(96, 64, 100, 3, maps=maps), detail=detail)
    samples, plain = (decode_maps(quantized, CPU, with_detail=noise)[1][1] for noise in (True, False))
    vectors = samples / 65535 * 2 - 1
    assert np.linalg.norm(vectors, axis=2) == pytest.approx(1, abs=1e-4)
    assert np.abs(samples.astype(int) - plain).max() > 1000
