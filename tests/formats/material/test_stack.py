import numpy as np
import pytest
from helpers.plain_map import make_map

from imagegs_tex.formats.material.stack import TextureStack, expand_map
from imagegs_tex.formats.vocabulary import (
    MAX_CHANNELS,
    MAX_SIZE,
    Coded,
    Constant,
    SampleFormat,
    Transfer,
)


@pytest.mark.parametrize("sample_format", [SampleFormat.UINT8, SampleFormat.UINT16])
def test_every_integer_survives_the_code_domain(sample_format):
    stored = np.arange(int(sample_format.max_value) + 1).astype(sample_format.dtype)[np.newaxis, :, np.newaxis]
    texels = np.divide(stored, sample_format.max_value, dtype=np.float32)
    assert np.array_equal(expand_map(texels, make_map([Coded(0)], sample_format)), stored)
    for value in (0, 1, 117, int(sample_format.max_value)):
        constant = make_map([Constant(value / sample_format.max_value)], sample_format)
        assert expand_map(texels[:, :1], constant)[0, 0, 0] == value


def test_expand_follows_routes():
    texels = np.array([[[0.0, 1.0], [0.5, 0.25]]], dtype=np.float32)
    routes = [Coded(1), Coded(0), Coded(1), Constant(1.0)]
    expanded = expand_map(texels, make_map(routes))
    assert expanded.tolist() == [[[255, 0, 255, 255], [64, 128, 64, 255]]]
    assert expanded.dtype == np.uint8


def test_expand_clips_what_a_decoder_overshoots():
    texels = np.array([[[-0.5], [1.5]]], dtype=np.float32)
    assert expand_map(texels, make_map([Coded(0)])).ravel().tolist() == [0, 255]
    assert expand_map(texels, make_map([Coded(0)], SampleFormat.FLOAT32)).ravel().tolist() == [0, 1]
    log = make_map([Coded(0)], SampleFormat.FLOAT16, Transfer.LOG, (-2.0, 8.0))
    assert expand_map(texels, log).ravel().tolist() == [-2, 8]


def test_constants_of_float_maps_are_samples_not_codes():
    texels = np.zeros((1, 1, 1), dtype=np.float32)
    log = make_map([Coded(0), Constant(3.5)], SampleFormat.FLOAT16, Transfer.LOG, (0.0, 8.0))
    assert expand_map(texels, log).tolist() == [[[0.0, 3.5]]]


@pytest.mark.parametrize(
    "change",
    [
        {"width": 0},
        {"height": MAX_SIZE + 1},
        {"maps": ()},
        {"maps": (make_map([Coded(2)]),)},
        {"texels": np.zeros((4, 3, 2), dtype=np.float32)},
        {"texels": np.zeros((3, 4, 2), dtype=np.float64)},
        {"texels": np.zeros((3, 4, 0), dtype=np.float32)},
        {"texels": np.zeros((3, 4, MAX_CHANNELS + 1), dtype=np.float32)},
        {"texels": np.zeros((3, 4), dtype=np.float32)},
        {"texels": np.zeros((3, 8, 2), dtype=np.float32)[:, ::2]},
        {"weights": np.ones((4, 3), dtype=np.float32)},
        {"weights": np.ones((3, 4), dtype=np.float64)},
    ],
)
def test_a_stack_refuses_contradictions(change):
    good = {
        "width": 4,
        "height": 3,
        "maps": (make_map([Coded(1)]),),
        "texels": np.zeros((3, 4, 2), dtype=np.float32),
    }
    assert TextureStack(**good).channel_count == 2
    with pytest.raises(ValueError, match=r"\w"):
        TextureStack(**{**good, **change})
