"""Normals as unit vectors: z from x and y where the source allows, and what comes back."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imagegs_tex.formats.images import write_image
from imagegs_tex.formats.material.build_stack import load_stack
from imagegs_tex.formats.material.options import NormalCoding, SourceOptions
from imagegs_tex.formats.material.stack import expand_map, source_map, unit_samples
from imagegs_tex.formats.vocabulary import Coded, Constant, SampleFormat, Semantic, TextureMap, Transfer, UnitZ

UNIT, STORED = SourceOptions(normals=NormalCoding.UNIT), SourceOptions(normals=NormalCoding.STORED)


def bumps(height=24, width=20, tilt=0.8, seed=0):
    """Unit vectors [H, W, 3] with z > 0."""
    rng = np.random.default_rng(seed)
    sides = rng.uniform(-tilt, tilt, (height, width, 2)) / np.sqrt(2)
    z = np.sqrt(np.maximum(1 - np.square(sides).sum(axis=-1, keepdims=True), 0))
    return np.concatenate([sides, z], axis=-1)


def stored(vectors, dtype=np.uint8):
    return np.rint((vectors + 1) / 2 * np.iinfo(dtype).max).astype(dtype)


def vectors_of(samples):
    return samples.astype(np.float64) / np.iinfo(samples.dtype).max * 2 - 1


def load(tmp_path, texels, options=None, name="normal"):
    write_image(tmp_path / f"{name}.png", texels)
    return load_stack(tmp_path, options)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_unit_normals_take_two_channels_and_come_back(tmp_path, dtype):
    source = stored(bumps(), dtype)
    stack = load(tmp_path, source)
    assert stack.maps[0].routes == (Coded(0), Coded(1), UnitZ())
    assert stack.texels.shape == (24, 20, 2)
    assert "unit vectors, z from x and y" in stack.maps[0].notes
    decoded = expand_map(stack.texels, stack.maps[0])
    assert decoded.dtype == dtype
    assert np.abs(decoded.astype(int) - source).max() <= 1
    assert np.array_equal(source_map(stack, 0), source)  # scores are against the file


def test_other_maps_keep_their_channels(tmp_path):
    rng = np.random.default_rng(1)
    colour, height = rng.integers(0, 256, (24, 20, 3), np.uint8), rng.integers(0, 65536, (24, 20, 1), np.uint16)
    write_image(tmp_path / "basecolor.png", colour)
    write_image(tmp_path / "z_height.png", height)
    stack = load(tmp_path, stored(bumps()))
    assert [texture_map.name for texture_map in stack.maps] == ["basecolor", "normal", "z_height"]
    assert stack.channel_count == 6
    assert stack.maps[2].routes == (Coded(5),)
    assert np.array_equal(expand_map(stack.texels, stack.maps[0]), colour)
    assert np.array_equal(expand_map(stack.texels, stack.maps[2]), height)


def test_data_in_the_alpha_of_a_normal_map_is_kept(tmp_path):
    roughness = np.random.default_rng(2).integers(0, 256, (24, 20, 1), np.uint8)
    stack = load(tmp_path, np.concatenate([stored(bumps()), roughness], axis=2), name="normal_roughness")
    assert stack.maps[0].routes == (Coded(0), Coded(1), UnitZ(), Coded(2))
    assert np.array_equal(expand_map(stack.texels, stack.maps[0])[..., 3:], roughness)


def test_normals_that_are_no_unit_vectors_are_coded_as_stored(tmp_path):
    short = stored(bumps() * 0.8)
    stack = load(tmp_path, short)
    assert stack.maps[0].routes == (Coded(0), Coded(1), Coded(2))
    assert "coded as stored, off unit length" in stack.maps[0].notes
    assert np.array_equal(expand_map(stack.texels, stack.maps[0]), short)


def test_normals_at_the_rim_are_coded_as_stored(tmp_path):
    vectors = bumps()
    vectors[0, :4] = [0.9996, 0, 0.0283]
    stack = load(tmp_path, stored(vectors))
    assert stack.channel_count == 3


def test_directions_survive_when_short_normals_are_made_unit(tmp_path):
    vectors = bumps()
    stack = load(tmp_path, stored(vectors * 0.7, np.uint16), UNIT)
    assert stack.maps[0].routes == (Coded(0), Coded(1), UnitZ())
    decoded = vectors_of(expand_map(stack.texels, stack.maps[0]))
    assert np.abs(decoded - vectors).max() < 1e-3
    assert np.array_equal(source_map(stack, 0), stored(vectors * 0.7, np.uint16))


def test_stored_is_obeyed(tmp_path):
    stack = load(tmp_path, stored(bumps()), STORED)
    assert stack.channel_count == 3
    assert not any(isinstance(route, UnitZ) for route in stack.maps[0].routes)


@pytest.mark.parametrize("options", [None, UNIT, STORED], ids=["auto", "unit", "stored"])
def test_a_flat_normal_costs_nothing(tmp_path, options):
    flat = np.full((24, 20, 3), [128, 128, 255], np.uint8)
    stack = load(tmp_path, flat, options)
    assert all(isinstance(route, Constant) for route in stack.maps[0].routes)
    assert np.array_equal(expand_map(stack.texels, stack.maps[0]), flat)


@pytest.mark.parametrize("options", [None, UNIT, STORED], ids=["auto", "unit", "stored"])
def test_two_channel_normals_stay_two_channels(tmp_path, options):
    write_image(tmp_path / "normal.tif", stored(bumps())[..., :2])
    stack = load_stack(tmp_path, options)
    if stack.maps[0].channel_count == 2:
        assert stack.maps[0].routes == (Coded(0), Coded(1))


def test_vectors_without_a_direction_and_pointing_inwards_become_something_valid(tmp_path):
    source = stored(bumps())
    source[0, 0] = 127  # about zero
    source[0, 1] = 0
    source[0, 2] = [255, 128, 40]  # z < 0
    decoded = vectors_of(expand_map((stack := load(tmp_path, source, UNIT)).texels, stack.maps[0]))
    assert np.abs(np.linalg.norm(decoded, axis=-1) - 1).max() < 0.01
    assert np.abs(decoded[0, 0] - [0, 0, 1]).max() < 0.01
    assert np.isfinite(stack.texels).all()
    assert stack.texels.min() >= 0
    assert stack.texels.max() <= 1


def test_grey_normals_are_left_alone(tmp_path):
    grey = np.random.default_rng(3).integers(0, 256, (24, 20, 1), np.uint8)
    stack = load(tmp_path, grey.repeat(3, axis=2), UNIT)
    assert np.array_equal(expand_map(stack.texels, stack.maps[0]), grey.repeat(3, axis=2))


SAMPLES = st.floats(0, 1, width=32)


@settings(max_examples=200, deadline=None)
@given(SAMPLES, SAMPLES)
def test_any_two_numbers_give_a_unit_vector(x, y):
    """A decoder's x and y are off, and may lie beyond the unit circle."""
    vector = 2 * np.array(unit_samples(np.float64(x), np.float64(y))) - 1
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-12)
    assert vector[2] >= 0
    side = np.array([2 * x - 1, 2 * y - 1])
    if np.hypot(*side) <= 1:
        assert np.allclose(vector[:2], side, atol=1e-12)
    else:
        assert vector[:2] @ side == pytest.approx(np.hypot(*side))  # the same way, on the circle


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0, 0.5), st.sampled_from([np.uint8, np.uint16]))
def test_noisy_decodes_are_unit_to_within_their_rounding(seed, noise, dtype):
    rng = np.random.default_rng(seed)
    texels = (bumps(tilt=1.3, seed=seed)[..., :2] + 1) / 2 + rng.normal(0, noise, (24, 20, 2))
    normal, sample_format = Semantic.NORMAL, SampleFormat.of(np.dtype(dtype))
    routes = (Coded(0), Coded(1), UnitZ())
    texture_map = TextureMap("n", ".png", normal, (normal,) * 3, Transfer.LINEAR, sample_format, routes)
    decoded = vectors_of(expand_map(texels.astype(np.float32), texture_map))
    assert np.abs(np.linalg.norm(decoded, axis=-1) - 1).max() <= 1.8 / np.iinfo(dtype).max
