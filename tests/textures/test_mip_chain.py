"""Mip chains: what an average means for each kind of channel, and sizes that do not halve evenly."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imagegs_tex.formats.transfer_functions import linear_to_srgb, srgb_to_linear
from imagegs_tex.textures.mip_chain import ChannelRoles, level_count, mip_chain, unit_normals

SIZES = st.integers(1, 40)


def random_picture(width, height, channels, seed=0):
    return np.random.default_rng(seed).random((height, width, channels), dtype=np.float32)


def discs(size, radius, count):
    """Alpha of small discs in random places, whose edges are one texel wide."""
    y, x = np.mgrid[:size, :size] + 0.5
    alpha = np.zeros((size, size))
    for at_x, at_y in np.random.default_rng(7).uniform(0, size, (count, 2)):
        alpha = np.maximum(alpha, np.clip(radius + 0.5 - np.hypot(x - at_x, y - at_y), 0, 1))
    return alpha.astype(np.float32)


@settings(max_examples=60, deadline=None)
@given(SIZES, SIZES)
def test_a_chain_halves_down_to_one_texel_and_keeps_the_mean(width, height):
    picture = random_picture(width, height, 2)
    chain = mip_chain(picture, ChannelRoles())
    assert chain[0] is picture
    assert len(chain) == level_count(width, height)
    for level, values in enumerate(chain):
        assert values.shape == (max(1, height >> level), max(1, width >> level), 2)
        np.testing.assert_allclose(values.mean((0, 1)), picture.mean((0, 1)), atol=1e-5)
    assert chain[-1].shape[:2] == (1, 1)


def test_an_odd_size_weighs_texels_by_area():
    row = np.array([0, 1, 2, 3, 4], np.float32)[None, :, None]
    level = mip_chain(row, ChannelRoles())[1]
    # two footprints of 2.5 texels: the middle texel counts half in each
    np.testing.assert_allclose(level[0, :, 0], [(0 + 1 + 0.5 * 2) / 2.5, (0.5 * 2 + 3 + 4) / 2.5], rtol=1e-6)


def test_a_ramp_does_not_drift_at_odd_sizes():
    """The centre of a ramp stays where it is; a 2 x 2 box that drops the last texel would move it by half a texel."""
    ramp = np.broadcast_to(np.linspace(0, 1, 63, dtype=np.float32)[None, :, None], (63, 63, 1))
    for level in mip_chain(np.ascontiguousarray(ramp), ChannelRoles()):
        assert level.mean() == pytest.approx(0.5, abs=1e-5)
        np.testing.assert_allclose(level[..., 0], 1 - level[:, ::-1, 0], atol=1e-5)


def test_colours_are_averaged_in_linear_light():
    board = np.where(np.indices((8, 8)).sum(0) % 2, 0.9, 0.2)
    picture = np.repeat(board[..., None].astype(np.float32), 2, axis=-1)
    level = mip_chain(picture, ChannelRoles(srgb=(0,)))[1]
    # light of 0.78741 and 0.03310, the mean of 0.41026 sRGB-encoded
    np.testing.assert_allclose(level[..., 0], 0.67282, atol=1e-4)
    np.testing.assert_allclose(level[..., 1], 0.55, atol=1e-6)  # data


def test_the_srgb_curve_is_its_own_inverse():
    values = np.linspace(0, 1, 4096, dtype=np.float32)
    np.testing.assert_allclose(linear_to_srgb(srgb_to_linear(values)), values, atol=2e-6)
    assert float(srgb_to_linear(np.float32(0.5))) == pytest.approx(0.21404, abs=1e-5)


@pytest.mark.parametrize("stored", [2, 3])
def test_normals_are_averaged_as_vectors(stored):
    tilt = np.float32(np.sin(np.radians(40)))
    rise = np.float32(np.cos(np.radians(40)))
    vectors = np.zeros((4, 4, 3), np.float32)
    vectors[:] = (0, tilt, rise)
    vectors[::2, :, 0], vectors[::2, :, 1] = tilt, 0  # rows that lean right, rows that lean down
    level = mip_chain(((vectors + 1) / 2)[..., :stored], ChannelRoles(normal=tuple(range(stored))))[1]
    mean = np.array([tilt / 2, tilt / 2, rise])
    wanted = mean / np.linalg.norm(mean)
    np.testing.assert_allclose(2 * level - 1, np.broadcast_to(wanted[:stored], level.shape), atol=1e-6)


def test_normals_are_unit_vectors_at_every_level_and_opposed_ones_point_up():
    picture = random_picture(33, 20, 4)
    for level in mip_chain(picture, ChannelRoles(normal=(1, 2, 3)))[1:]:
        np.testing.assert_allclose(np.linalg.norm(2 * level[..., 1:] - 1, axis=-1), 1, atol=1e-5)
    opposed = np.array([[[0, 0.5, 0.5], [1, 0.5, 0.5]]], np.float32)
    np.testing.assert_allclose(mip_chain(opposed, ChannelRoles(normal=(0, 1, 2)))[1], [[[0.5, 0.5, 1]]], atol=1e-6)


def test_lengths_of_normals_do_not_weigh():
    short = np.array([[[0.6, 0.5, 0.5], [0.5, 1.0, 0.5]]], np.float32)  # (0.2, 0, 0) and (0, 1, 0)
    level = mip_chain(short, ChannelRoles(normal=(0, 1, 2)))[1]
    np.testing.assert_allclose(2 * level - 1, [[[np.sqrt(0.5), np.sqrt(0.5), 0]]], atol=1e-5)
    np.testing.assert_allclose(unit_normals(short)[0, 0], [1, 0, 0], atol=1e-5)


def test_colour_under_no_coverage_does_not_bleed():
    picture = np.zeros((8, 8, 4), np.float32)
    picture[...] = (0, 1, 0, 0)  # green, and not there
    picture[::2, ::2] = (1, 0, 0, 1)
    roles = ChannelRoles(coverage=3, covered=(0, 1, 2))
    for level in mip_chain(picture, roles)[1:]:
        np.testing.assert_allclose(level[..., :3], np.broadcast_to((1.0, 0.0, 0.0), level[..., :3].shape), atol=1e-3)
    bled = mip_chain(picture, ChannelRoles())[1]
    assert bled[0, 0, 1] == pytest.approx(0.75)
    nowhere = np.zeros((4, 4, 4), np.float32)
    nowhere[..., 1] = 0.8
    np.testing.assert_allclose(mip_chain(nowhere, roles)[2][0, 0], [0, 0.8, 0, 0], atol=1e-5)


@pytest.mark.parametrize(("radius", "count"), [(1.5, 200), (2.0, 600), (3.0, 900)])
def test_a_cut_out_keeps_the_share_that_passes_the_alpha_test(radius, count):
    alpha = discs(240, radius, count)[..., None]
    share = (alpha >= 0.5).mean()
    chain = mip_chain(alpha, ChannelRoles(coverage=0))
    for level in chain[1:5]:
        assert (level >= 0.5).mean() == pytest.approx(share, abs=1.5 / level.size)
        assert level.max() <= 1
    if radius < 3:  # in plain averages they are gone by the third level
        assert (mip_chain(alpha, ChannelRoles())[3] >= 0.5).mean() < share / 3


def test_equal_texels_pass_together_or_not_at_all():
    dots = np.zeros((64, 64, 1), np.float32)
    dots[::8, ::8] = 1
    level = mip_chain(dots, ChannelRoles(coverage=0))[2]
    assert (level >= 0.5).mean() == 0  # 0 is nearer to 1 in 64 than 1 in 4 is
    dots[1::8, ::8] = dots[::8, 1::8] = 1
    assert (mip_chain(dots, ChannelRoles(coverage=0))[1] >= 0.5).mean() == pytest.approx(1 / 16)


def test_a_random_cut_out_keeps_its_share_exactly():
    generator = np.random.default_rng(1)
    coarse = generator.random((32, 32)) < 0.3
    alpha = np.kron(coarse, np.ones((4, 4))) + generator.normal(0, 0.02, (128, 128))
    alpha = np.clip(alpha, 0, 1).astype(np.float32)[..., None]
    share = (alpha >= 0.5).mean()
    for level in mip_chain(alpha, ChannelRoles(coverage=0))[:5]:
        count = level.size
        assert abs((level >= 0.5).sum() - share * count) <= 1
        assert abs((np.rint(level * 255) >= 128).sum() - share * count) <= 1  # rounding moves no texel over the edge


def test_translucency_keeps_its_mean():
    alpha = 0.2 + 0.5 * random_picture(64, 64, 1)
    for level in mip_chain(alpha, ChannelRoles(coverage=0)):
        assert level.mean() == pytest.approx(alpha.mean(), abs=1e-4)


def test_what_is_there_everywhere_stays_opaque():
    alpha = np.ones((16, 16, 1), np.float32)
    assert all((level == 1).all() for level in mip_chain(alpha, ChannelRoles(coverage=0)))
