"""Smaller pictures are means over areas."""

import numpy as np
import pytest
from helpers.made_gaussians import made_set
from hypothesis import given, settings
from hypothesis import strategies as st

from imagegs_tex.decoder.render import render_channels
from imagegs_tex.formats.material.resample import mean_over_area
from imagegs_tex.rasterize.select_backend import make_backend
from imagegs_tex.verification.float64_picture import reference_picture, reference_rows


def slow_mean(image, size):
    """Every texel of the result from every texel of the picture, by how much of it is covered."""

    def shares(full, length):
        edges = np.arange(length + 1) * full / length
        texels = np.arange(full)
        overlap = np.minimum(edges[1:, None], texels + 1) - np.maximum(edges[:-1, None], texels)
        return np.maximum(overlap, 0) * length / full

    height, width, _ = image.shape
    return np.einsum("ay,bx,yxc->abc", shares(height, size[1]), shares(width, size[0]), image.astype(np.float64))


@settings(deadline=None, max_examples=50)
@given(st.integers(1, 90), st.integers(1, 90), st.data())
def test_means_are_those_of_the_slow_way(width, height, data):
    size = data.draw(st.integers(1, width)), data.draw(st.integers(1, height))
    image = np.random.default_rng(width * 100 + height).random((height, width, 2), dtype=np.float32)
    found = mean_over_area(image, size)
    assert found.dtype == np.float32
    assert found.shape == (size[1], size[0], 2)
    assert np.abs(found - slow_mean(image, size)).max() < 1e-6


def test_the_same_size_is_the_same_picture():
    image = np.random.default_rng(0).random((7, 9, 3), dtype=np.float32)
    assert np.array_equal(mean_over_area(image, (9, 7)), image)


@pytest.mark.parametrize("name", ["cpu", "reference"])
@pytest.mark.parametrize("size", [(48, 32), (24, 16), (3, 2), (1, 1), (37, 64), (96, 11), (95, 63)])
def test_a_smaller_decode_is_the_mean_of_the_picture(name, size):
    quantized = made_set(96, 64, 60)
    expected = slow_mean(reference_rows(reference_picture(quantized), 0, 64), size)
    found = render_channels(quantized, make_backend(name), size).numpy()
    assert np.abs(found - expected).max() < 1e-4


def test_one_axis_smaller_and_one_larger():
    quantized = made_set(96, 64, 60)
    backend = make_backend("cpu")
    tall = render_channels(quantized, backend, (96, 128)).numpy()
    assert np.abs(render_channels(quantized, backend, (24, 128)).numpy() - slow_mean(tall, (24, 128))).max() < 1e-6
