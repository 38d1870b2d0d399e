import numpy as np
import pytest
from helpers.made_gaussians import made_map

from imagegs_tex.formats.vocabulary import Coded, Constant, SampleFormat, Semantic, Transfer, UnitZ
from imagegs_tex.pictures.display import CHECKER_GREYS, exposure_of, map_parts, show_map
from imagegs_tex.pictures.reduce import enlarged, mean_of_blocks, reduction_for

THREE = (Coded(0), Coded(1), Coded(2))


def texels(*values, dtype=np.uint8):
    return np.array(values, dtype=dtype).reshape(1, 1, -1)


def test_srgb_colours_are_shown_as_they_are_stored():
    colour = made_map(routes=THREE)
    assert show_map(texels(10, 200, 77), colour).tolist() == [[[10, 200, 77]]]


def test_sixteen_bits_are_rounded_to_eight():
    height = made_map(semantic=Semantic.HEIGHT, transfer=Transfer.LINEAR, sample_format=SampleFormat.UINT16)
    assert show_map(texels(65535, dtype=np.uint16), height).tolist() == [[[255, 255, 255]]]
    assert show_map(texels(128 * 257 + 100, dtype=np.uint16), height).tolist() == [[[128, 128, 128]]]


def test_linear_colours_get_the_srgb_curve():
    colour = made_map(routes=THREE, transfer=Transfer.LINEAR)
    assert show_map(texels(55, 55, 55), colour)[0, 0, 0] == 128  # linear 0.216 is sRGB 0.502


def test_two_channel_normals_get_their_blue():
    normal = made_map(semantic=Semantic.NORMAL, routes=(Coded(0), Coded(1)), transfer=Transfer.LINEAR)
    assert show_map(texels(128, 128), normal).tolist() == [[[128, 128, 255]]]
    assert show_map(texels(255, 128), normal)[0, 0, 2] == 128  # lies flat: z is 0


def test_alpha_shows_a_checkerboard():
    routes = (*THREE, Coded(3))
    meanings = (Semantic.BASE_COLOUR,) * 3 + (Semantic.OPACITY,)
    colour = made_map(routes=routes, channel_semantics=meanings)
    picture = np.tile(texels(200, 100, 0, 0), (16, 16, 1))
    picture[0, 0, 3] = 255
    shown = show_map(picture, colour)
    assert shown[0, 0].tolist() == [200, 100, 0]
    dark, light = (round(255 * grey) for grey in CHECKER_GREYS)
    assert shown[1, 1].tolist() == [dark] * 3
    assert shown[8, 1].tolist() == [light] * 3
    picture[..., 3] = 128
    assert abs(int(show_map(picture, colour)[1, 1, 0]) - (200 + dark) / 2) <= 1


def test_an_opaque_alpha_is_no_part():
    meanings = (Semantic.BASE_COLOUR,) * 3 + (Semantic.OPACITY,)
    opaque = made_map(routes=(*THREE, Constant(1.0)), channel_semantics=meanings)
    assert [part.alpha for part in map_parts(opaque)] == [None]


def test_hdr_colours_are_tone_mapped_with_the_exposure_of_the_source():
    sky = made_map(
        semantic=Semantic.EMISSIVE, routes=THREE, transfer=Transfer.LOG, log_range=(0.0, 1000.0),
        sample_format=SampleFormat.FLOAT32,
    )  # fmt: skip
    source = np.full((4, 4, 3), 500.0, dtype=np.float32)
    exposure = exposure_of(source, sky)
    assert exposure == pytest.approx(4 / 500)  # 4 / (1 + 4) is 0.8
    assert show_map(source, sky, exposure=exposure)[0, 0, 0] == 231  # sRGB of linear 0.8
    assert show_map(source * 0, sky, exposure=exposure)[0, 0, 0] == 0
    darker = show_map(source / 2, sky, exposure=exposure)[0, 0, 0]
    assert darker == 213  # 2 / 3


def test_a_float_height_goes_from_its_lowest_to_its_highest_value():
    height = made_map(
        semantic=Semantic.HEIGHT, transfer=Transfer.LOG, log_range=(-2.0, 6.0), sample_format=SampleFormat.FLOAT32
    )
    assert [show_map(texels(v, dtype=np.float32), height)[0, 0, 0] for v in (-2, 2, 6)] == [0, 128, 255]


def test_packed_channels_are_named_and_a_fourth_is_a_picture_of_its_own():
    meanings = (Semantic.OCCLUSION, Semantic.ROUGHNESS, Semantic.METALLIC, Semantic.HEIGHT)
    packed = made_map(
        semantic=Semantic.OCCLUSION, routes=(*THREE, Coded(3)), channel_semantics=meanings, transfer=Transfer.LINEAR
    )
    first, second = map_parts(packed)
    assert first.label == "red: occlusion, green: roughness, blue: metallic"
    assert second.label == "alpha: height"
    assert show_map(texels(1, 2, 3, 4), packed, first).tolist() == [[[1, 2, 3]]]
    assert show_map(texels(1, 2, 3, 4), packed, second).tolist() == [[[4, 4, 4]]]


@pytest.mark.parametrize("count", range(1, 9))
def test_every_coded_channel_is_shown_once(count):
    data = made_map(
        semantic=Semantic.DATA, routes=tuple(Coded(index) for index in range(count)), transfer=Transfer.LINEAR
    )
    shown = [channel for part in map_parts(data) for channel in part.channels]
    assert sorted(shown) == list(range(count))
    assert show_map(np.zeros((2, 3, count), np.uint8), data).shape == (2, 3, 3)


def test_a_normal_with_a_derived_z_is_one_picture():
    normal = made_map(semantic=Semantic.NORMAL, routes=(Coded(0), Coded(1), UnitZ()), transfer=Transfer.LINEAR)
    assert [part.channels for part in map_parts(normal)] == [(0, 1, 2)]


def test_means_of_blocks_count_what_is_left_at_the_border():
    planes = np.arange(15, dtype=np.uint8).reshape(3, 5, 1)
    found = mean_of_blocks(planes, 2)[..., 0]
    assert found.tolist() == [[3.0, 5.0, 6.5], [10.5, 12.5, 14.0]]


def test_large_pictures_are_reduced_by_whole_factors():
    assert [reduction_for(*size, 1024) for size in ((1024, 3), (1025, 3), (16384, 8192))] == [1, 2, 16]
    rows = np.arange(3000, dtype=np.float32)[:, None, None] * np.ones((1, 2000, 1), np.float32)
    assert mean_of_blocks(rows, 3)[:, 0, 0].tolist() == [3 * row + 1 for row in range(1000)]


def test_small_pictures_are_enlarged_texel_by_texel():
    picture = np.array([[[1, 2, 3], [4, 5, 6]]], dtype=np.uint8)
    large = enlarged(picture, 5)
    assert large.shape == (2, 4, 3)
    assert large[1].tolist() == [[1, 2, 3], [1, 2, 3], [4, 5, 6], [4, 5, 6]]
