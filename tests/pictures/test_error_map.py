import numpy as np
import pytest
from helpers.made_gaussians import made_map

from imagegs_tex.formats.vocabulary import Coded, Semantic, Transfer
from imagegs_tex.metrics.scores import score_map
from imagegs_tex.pictures.colour_scale import SCALE, number_colours, scale_colours
from imagegs_tex.pictures.display import map_parts
from imagegs_tex.pictures.error_map import ErrorMap, error_map, fitting_gain, show_error

COLOUR = made_map(routes=(Coded(0), Coded(1), Coded(2)))
NORMAL = made_map(semantic=Semantic.NORMAL, routes=(Coded(0), Coded(1), Coded(2)), transfer=Transfer.LINEAR)


def test_the_mean_square_is_that_of_the_psnr():
    rng = np.random.default_rng(0)
    source, decoded = rng.integers(0, 256, (2, 31, 17, 3), dtype=np.uint8)
    error = error_map(source, decoded, COLOUR)
    score = score_map(COLOUR, source, decoded)
    assert np.square(error.values / 100).mean(dtype=np.float64) == pytest.approx(score.squared_error / score.values)


def test_a_tenth_of_the_range_is_the_scales_end_at_a_gain_of_ten():
    source = np.zeros((1, 4, 3), np.float32)
    decoded = source + np.array([0, 12.75, 25.5, 51], np.float32)[None, :, None]  # 0, 5, 10, 20 %
    error = error_map(source, decoded, COLOUR)
    assert error.values[0] == pytest.approx([0, 5, 10, 20])
    assert error.legend(10) == "10 %"
    shown = show_error(error, 10)[0]
    assert shown[0].tolist() == list(SCALE[0])
    assert np.abs(shown[1].astype(int) - SCALE[4]).max() <= 2  # the middle
    assert shown[2].tolist() == shown[3].tolist() == list(SCALE[-1])


def test_normals_are_compared_in_degrees():
    flat, tilted = np.array([[[127.5, 127.5, 255]]]), np.array([[[255, 127.5, 127.5]]])
    error = error_map(flat, tilted, NORMAL)
    assert error.values[0, 0] == pytest.approx(90, abs=1e-3)
    assert error.unit == "°"
    assert error.legend(8) == "11.2°"


def test_colours_that_are_not_drawn_do_not_count():
    meanings = (Semantic.BASE_COLOUR,) * 3 + (Semantic.OPACITY,)
    cut_out = made_map(routes=tuple(Coded(index) for index in range(4)), channel_semantics=meanings)
    source, decoded = np.zeros((1, 2, 4), np.uint8), np.full((1, 2, 4), 255, np.uint8)
    decoded[..., 3] = 0
    error = error_map(source, decoded, cut_out, drawn=np.array([[True, False]]))
    assert error.values[0] == pytest.approx([100 * np.sqrt(0.75), 0])


def test_a_part_has_the_error_of_its_channels():
    meanings = (Semantic.OCCLUSION, Semantic.ROUGHNESS, Semantic.METALLIC, Semantic.HEIGHT)
    packed = made_map(
        semantic=Semantic.OCCLUSION, routes=tuple(Coded(index) for index in range(4)), channel_semantics=meanings,
        transfer=Transfer.LINEAR,
    )  # fmt: skip
    source, decoded = np.zeros((1, 1, 4), np.uint8), np.array([[[0, 0, 0, 255]]], np.uint8)
    colours, height = map_parts(packed)
    assert error_map(source, decoded, packed, colours).values[0, 0] == 0
    assert error_map(source, decoded, packed, height).values[0, 0] == 100


def test_a_reduced_error_is_the_mean_over_its_texels():
    source = np.zeros((4, 6, 3), np.uint8)
    decoded = source.copy()
    decoded[0, 0] = 255
    error = error_map(source, decoded, COLOUR, reduction=2)
    assert error.values.shape == (2, 3)
    assert error.values[0, 0] == pytest.approx(25)
    assert error.values.sum() == pytest.approx(25)


@pytest.mark.parametrize(("high", "gain"), [(0.0, 128), (0.5, 128), (12.5, 8), (13, 4), (80, 1), (100, 1)])
def test_the_fitting_gain_keeps_most_texels_within_the_scale(high, gain):
    assert fitting_gain(ErrorMap(np.full((4, 4), high, np.float32), 100.0, "%")) == gain


def test_the_scale_brightens_throughout():
    luminance = scale_colours(np.linspace(0, 1, 200)) @ np.array([0.2126, 0.7152, 0.0722])
    assert np.all(np.diff(luminance) >= -1e-9)
    assert scale_colours(np.array([np.nan, -1, 2])).tolist() == [list(SCALE[0]), list(SCALE[0]), list(SCALE[-1])]


def test_neighbouring_numbers_have_colours_far_apart():
    colours = number_colours(np.arange(500)).astype(int)
    assert np.abs(np.diff(colours, axis=0)).max(axis=1).min() > 40
    assert number_colours([-1]).tolist() == [[0, 0, 0]]
    assert len({tuple(colour) for colour in colours.tolist()}) > 480
