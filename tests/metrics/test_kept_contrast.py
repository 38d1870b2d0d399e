"""Kept contrast against blurs computed plainly, and what it says of known changes."""

import itertools

import numpy as np
import pytest
import torch

from imagegs_tex.metrics.kept_contrast import BLUR_DEVIATIONS, EMPTY_BAND, kept_contrast


def measured(source, decoded):
    return kept_contrast(*(torch.from_numpy(picture.astype(np.float32)) for picture in (source, decoded)))


def blurred(picture, deviation):
    offsets = np.arange(-4 * deviation, 4 * deviation + 1)
    taps = np.exp(-0.5 * (offsets / deviation) ** 2)
    taps /= taps.sum()
    for axis in (0, 1):
        picture = sum(tap * np.roll(picture, int(offset), axis) for tap, offset in zip(taps, offsets, strict=True))
    return picture


def deviations(picture):
    levels = [picture, *(blurred(picture, deviation) for deviation in BLUR_DEVIATIONS)]
    return np.array([(finer - coarser).std((0, 1)) for finer, coarser in itertools.pairwise(levels)])


def plainly(source, decoded):
    ratios = []
    for want, have in zip(deviations(source), deviations(decoded), strict=True):
        full = want > EMPTY_BAND
        ratios.append((have[full] / want[full]).mean() if full.any() else None)
    return ratios


@pytest.mark.parametrize("shape", [(40, 57, 3), (64, 32, 1), (1, 64, 1), (5, 3, 2), (33, 1, 4)])
def test_it_is_what_blurs_give(shape):
    rng = np.random.default_rng(1)
    source = rng.random(shape)
    decoded = blurred(source, 1) + 0.1 * rng.random(shape)
    wanted = plainly(source, decoded)
    assert any(ratio is not None for ratio in wanted)
    for found, ratio in zip(measured(source, decoded), wanted, strict=True):
        assert found == (None if ratio is None else pytest.approx(ratio, rel=1e-5))


def test_a_smooth_picture_with_little_grain_keeps_its_digits():
    y, x = np.mgrid[0:128, 0:160]
    grain = np.random.default_rng(2).standard_normal((128, 160, 1))
    smooth = (0.5 + 0.4 * np.sin(x / 160 * 2 * np.pi) * np.cos(y / 128 * 2 * np.pi))[..., None]
    source, decoded = smooth + 2e-4 * grain, smooth + 1e-4 * grain
    assert measured(source, decoded) == pytest.approx(plainly(source, decoded), rel=1e-5)
    assert measured(source, decoded)[0] < 0.95


def test_an_octave_blurred_away_is_missing_and_the_others_are_there():
    source = np.random.default_rng(3).random((128, 128, 3))
    finest, second, third, last = measured(source, blurred(source, 1))
    assert finest < 0.25
    assert 0.4 < second < 0.8
    assert third > 0.8
    assert last > 0.95
    assert measured(source, source) == pytest.approx((1, 1, 1, 1))


def test_channels_and_maps_without_contrast_do_not_count():
    grain = np.random.default_rng(4).random((32, 32, 1))
    flat = np.full((32, 32, 1), 0.25)
    source, decoded = np.concatenate([grain, flat], 2), np.concatenate([grain / 2, flat + grain], 2)
    assert measured(source, decoded) == pytest.approx((0.5,) * 4, rel=1e-5)
    assert measured(flat, flat + grain) is None
    assert measured(np.zeros((1, 1, 3)), np.ones((1, 1, 3))) is None
