"""Weights between channels: the automatic rule, what components make of them, what they do to a file's maps."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from helpers.tiny_material import waves
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from imagegs_tex import CompressSettings, FitSettings
from imagegs_tex.api import compress_stack
from imagegs_tex.fit.channel_weights import MOST, channel_weights
from imagegs_tex.formats.material.stack import TextureStack
from imagegs_tex.formats.vocabulary import Coded, SampleFormat, Semantic, TextureMap, Transfer
from imagegs_tex.quantize.channel_basis import principal_components, to_channels, to_components
from imagegs_tex.rasterize.select_backend import make_backend

SIDE = 96


def map_of(name, semantic, channels, transfer=Transfer.LINEAR):
    semantics = (semantic,) * len(channels)
    routes = tuple(map(Coded, channels))
    return TextureMap(name, ".png", semantic, semantics, transfer, SampleFormat.UINT16, routes)


@pytest.fixture(scope="module")
def stack():
    """A grainy colour, a normal of medium detail, and a smooth height of little contrast."""
    rng = np.random.default_rng(5)
    smooth = waves(SIDE, SIDE, 7)
    texels = np.concatenate(
        [
            smooth[..., :3] * 0.8 + 0.2 * rng.random((SIDE, SIDE, 3)),
            0.4 + 0.2 * smooth[..., 3:6] + 0.1 * rng.random((SIDE, SIDE, 3)),
            0.5 + 0.05 * (smooth[..., 6:] - 0.5),
        ],
        axis=2,
    )
    maps = (
        map_of("colour", Semantic.BASE_COLOUR, (0, 1, 2), Transfer.SRGB),
        map_of("normal", Semantic.NORMAL, (3, 4, 5)),
        map_of("height", Semantic.HEIGHT, (6,)),
    )
    return TextureStack(SIDE, SIDE, maps, np.ascontiguousarray(texels, dtype=np.float32))


def test_the_less_detail_the_more_weight_within_bounds(stack):
    weights = channel_weights(stack)
    assert weights[0] == weights[1] == weights[2] == 1.0
    assert 1.0 < weights[3] == weights[4] == weights[5] <= MOST
    assert weights[6] == MOST


def test_the_channels_of_one_picture_weigh_the_same(stack):
    maps = (map_of("picture", Semantic.IMAGE, (0, 1, 2), Transfer.SRGB),)
    texels = np.ascontiguousarray(stack.texels[..., [0, 3, 6]])
    assert channel_weights(replace(stack, maps=maps, texels=texels)) == (1.0, 1.0, 1.0)


def test_what_the_stack_asks_for_multiplies(stack):
    asked = (1.0, 2.0, 0.5, 1.0, 1.0, 3.0, 0.25)
    products = np.multiply(channel_weights(stack), asked)
    assert channel_weights(replace(stack, channel_weights=asked)) == pytest.approx(products)


@pytest.mark.parametrize("size", [(1, 1), (5, 40), (40, 5), (12, 12)])
def test_any_size_has_weights(stack, size):
    width, height = size
    cut = replace(stack, width=width, height=height, texels=np.ascontiguousarray(stack.texels[:height, :width]))
    assert all(1.0 <= weight <= MOST for weight in channel_weights(cut))


@pytest.mark.parametrize("asked", [(1.0,), (1.0,) * 6 + (0.0,), (1.0,) * 6 + (np.inf,), (1.0,) * 6 + (-1.0,)], ids=str)
def test_impossible_weights_are_refused(stack, asked):
    with pytest.raises(ValueError, match="channel weights"):
        replace(stack, channel_weights=asked)


@given(
    texels=arrays(np.float32, (9, 8, 4), elements=st.floats(0, 1, width=32)),
    weights=arrays(np.float64, 4, elements=st.floats(0.25, 8)),
)
def test_the_error_of_components_is_the_weighted_error_of_channels(texels, weights):
    components = principal_components(torch.from_numpy(texels), None, tuple(weights))
    image = to_components(torch.from_numpy(texels), components)
    change = 0.01 * torch.randn(image.shape, generator=torch.Generator().manual_seed(1))
    first, second = (
        to_channels(picture, components.basis, np.full(4, 0.5, np.float32)).numpy() for picture in (0 * image, change)
    )
    wanted = float((np.square(second - first, dtype=np.float64) * weights).sum())
    assert float(change.double().square().sum()) == pytest.approx(wanted, rel=2e-3)


def test_weights_leave_no_map_behind_and_cost_the_others_little(stack, tmp_path):
    even = replace(stack, channel_weights=tuple(1 / np.array(channel_weights(stack))))
    settings = CompressSettings(max_bytes=5000, fit=FitSettings(steps=120))
    backend = make_backend("cpu", 2)
    without, with_weights = (
        {score.name: score.psnr_db for score in compress_stack(each, tmp_path / "a.igs", settings, backend).maps}
        for each in (even, stack)
    )
    assert with_weights["height"] > without["height"] + 2
    assert with_weights["colour"] > without["colour"] - 0.7  # 0.2 to 0.5 by the seed, for 6 to 10 dB of the height
