"""The error that is seen: masked by the source's own contrast, coarse before fine."""

import numpy as np
import pytest
import torch
from helpers.plain_map import make_map

from imagegs_tex.formats.material.stack import TextureStack
from imagegs_tex.formats.vocabulary import Coded, Semantic
from imagegs_tex.metrics.visible_error import VISIBLE_CAP_DB, blur, grain, visible_error

RNG = np.random.default_rng(5)
NOISE = torch.from_numpy(RNG.normal(size=(96, 96, 1)).astype(np.float32))
FLAT = np.full((96, 96, 1), 0.5, np.float32)


def stack_of(texels, semantic=Semantic.ROUGHNESS, maps=None):
    chosen = maps or (make_map([Coded(index) for index in range(texels.shape[2])], semantic=semantic),)
    return TextureStack(texels.shape[1], texels.shape[0], chosen, np.ascontiguousarray(texels, np.float32))


def decibels(stack, error, drawn=True):
    return visible_error(stack, torch.device("cpu"), drawn=drawn).decibels(torch.from_numpy(stack.texels) + error)


def test_no_error_is_not_seen():
    assert decibels(stack_of(FLAT), torch.zeros(96, 96, 1)) == VISIBLE_CAP_DB


def test_twice_the_error_is_six_decibels():
    first, second = (decibels(stack_of(FLAT), factor * NOISE) for factor in (0.01, 0.02))
    assert first - second == pytest.approx(6.02, abs=0.01)


@pytest.mark.parametrize("step", [1, 2, 4])
@pytest.mark.parametrize("shape", [(1, 1, 2), (3, 40, 1), (40, 3, 2), (23, 31, 3)])
def test_blurred_are_five_taps_each_way_that_go_on_at_the_border(shape, step):
    picture = np.random.default_rng(2).random(shape, np.float32)
    expected = picture.astype(np.float64)
    for axis in (0, 1):
        indices = np.arange(shape[axis])
        expected = sum(
            weight / 16 * np.take(expected, np.clip(indices + tap * step, 0, shape[axis] - 1), axis)
            for tap, weight in zip(range(-2, 3), (1, 4, 6, 4, 1), strict=True)
        )
    assert np.abs(blur(torch.from_numpy(picture), step).numpy() - expected).max() < 1e-6


def test_fine_errors_show_less_than_coarse_ones():
    coarse = blur(blur(blur(NOISE, 1), 2), 4)
    coarse = coarse / coarse.std() * NOISE.std()
    assert decibels(stack_of(FLAT), 0.01 * NOISE) > decibels(stack_of(FLAT), 0.01 * coarse) + 3


def test_grain_hides_errors_and_an_edge_that_stands_alone_hardly():
    grainy = FLAT + 0.08 * NOISE.numpy()
    colour = Semantic.BASE_COLOUR
    edge = np.where(np.arange(96)[None, :, None] < 48, 0.3, 0.7) * np.ones_like(FLAT)
    flat, edged, hidden = (decibels(stack_of(texels, colour), 0.01 * NOISE) for texels in (FLAT, edge, grainy))
    assert hidden > flat + 6
    assert edged < flat + 2
    assert decibels(stack_of(grainy, colour), 0.01 * NOISE, drawn=False) < hidden - 1  # no noise will be drawn


def test_grain_hides_coarse_errors_less_than_fine_ones():
    coarse = blur(blur(blur(NOISE, 1), 2), 4)
    grainy = FLAT + 0.08 * NOISE.numpy()
    fine, rough = (
        decibels(stack_of(grainy, Semantic.BASE_COLOUR), error, drawn=False)
        - decibels(stack_of(FLAT, Semantic.BASE_COLOUR), error, drawn=False)
        for error in (0.01 * NOISE, 0.03 * coarse)
    )
    assert 1 < rough < 0.7 * fine


def test_grain_is_the_contrast_around():
    assert grain(torch.from_numpy(FLAT)).max() == 0
    one, two = (float(grain(scale * NOISE).mean()) for scale in (0.05, 0.1))
    assert two == pytest.approx(2 * one, rel=1e-4)
    assert 0.02 < one < 0.05


def test_chroma_is_seen_less_than_luma():
    colour = stack_of(np.repeat(FLAT, 3, axis=2), Semantic.BASE_COLOUR)
    luma = torch.tensor([0.02, 0.02, 0.02]) * torch.ones(96, 96, 3)
    chroma = torch.tensor([0.02, -0.0103, 0.0]) * torch.ones(96, 96, 3)
    assert decibels(colour, chroma) > decibels(colour, luma) + 3


def test_one_map_that_is_much_worse_is_not_averaged_away():
    maps = tuple(make_map([Coded(index)], semantic=Semantic.ROUGHNESS) for index in range(4))
    stack = stack_of(np.repeat(FLAT, 4, axis=2), maps=maps)
    error = 0.01 * NOISE.repeat(1, 1, 4)
    alike = decibels(stack, error)
    error[..., 1:] = 0
    assert alike - decibels(stack, error) == pytest.approx(-3.01, abs=0.01)  # a mean would say -6


def test_a_scalar_is_seen_by_its_own_range():
    ramp = np.linspace(0.0, 1.0, 96, dtype=np.float32)[None, :, None] * np.ones((96, 1, 1), np.float32)
    wide, narrow = (stack_of(texels) for texels in (ramp, 0.5 + 0.2 * (ramp - 0.5)))
    assert decibels(wide, 0.01 * NOISE) > decibels(narrow, 0.01 * NOISE) + 10


def test_texels_count_by_their_importance():
    error = 0.01 * NOISE
    error[:48] = 0
    stack = stack_of(FLAT)
    weights = np.ones((96, 96), np.float32)
    weights[48:] = 0
    weighed = TextureStack(96, 96, stack.maps, stack.texels, weights)
    assert decibels(weighed, error) > decibels(stack, error) + 6
