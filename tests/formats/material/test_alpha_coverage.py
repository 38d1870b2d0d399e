"""Colours under an alpha of 0: free where nobody painted them, kept where they may be data."""

import numpy as np
import pytest

from imagegs_tex.formats.images import write_image
from imagegs_tex.formats.material.alpha_coverage import CUTOUT_WEIGHT
from imagegs_tex.formats.material.build_stack import load_stack
from imagegs_tex.formats.material.options import AlphaUse, SourceOptions
from imagegs_tex.formats.material.stack import expand_map

COVERAGE, DATA = SourceOptions(alpha=AlphaUse.COVERAGE), SourceOptions(alpha=AlphaUse.DATA)


def leaf(under=(0, 0, 0), height=32, width=40):
    """A green disk with alpha; the given colour lies under alpha 0."""
    y, x = np.mgrid[:height, :width]
    inside = np.hypot(y - height / 2, x - width / 2) < 11
    colour = np.stack([40 + 2 * x, 150 + y, 30 + x], axis=-1)
    texels = np.concatenate([np.where(inside[..., None], colour, under), 255 * inside[..., None]], axis=-1)
    return texels.astype(np.uint8), inside


def load(folder, options=None, **maps):
    for name, texels in maps.items():
        write_image(folder / f"{name}.png", texels)
    return load_stack(folder, options)


def test_free_colour_continues_what_is_around(tmp_path):
    texels, inside = leaf()
    stack = load(tmp_path, COVERAGE, basecolor=texels)
    assert "free" in stack.maps[0].notes
    assert np.array_equal(stack.drawn_of(0), inside)
    expanded = expand_map(stack.texels, stack.maps[0])
    assert np.array_equal(expanded[inside], texels[inside])
    assert np.array_equal(expanded[..., 3], texels[..., 3])
    hidden = expanded[~inside][:, :3].astype(int)
    assert hidden.min() > 30  # no black is left
    jumps = np.abs(np.diff(expanded[..., 1].astype(int), axis=1))
    assert jumps.max() < 20


def test_data_is_kept_bit_by_bit(tmp_path):
    texels, _ = leaf()
    stack = load(tmp_path, DATA, basecolor=texels)
    assert stack.drawn_of(0) is None
    assert np.array_equal(expand_map(stack.texels, stack.maps[0]), texels)


def test_packed_maps_lose_nothing_under_zero(tmp_path):
    """The fourth channel of these is a height, a roughness, a gloss: no alpha."""
    texels, _ = leaf()
    stack = load(tmp_path, COVERAGE, basecolor_height=texels, normal_roughness=texels, metallic_smoothness=texels)
    for texture_map in stack.maps:
        assert np.array_equal(expand_map(stack.texels, texture_map), texels), texture_map.name
    assert not any(stack.drawn_of(index) is not None for index in range(3))


def test_by_itself_only_expensive_colour_is_freed(tmp_path):
    cleared, _ = leaf()
    stack = load(tmp_path, basecolor=cleared)
    assert "is kept" in stack.maps[0].notes
    assert stack.drawn_of(0) is None
    assert np.array_equal(expand_map(stack.texels, stack.maps[0]), cleared)
    painted, inside = leaf(np.random.default_rng(0).integers(0, 256, (32, 40, 3)))
    stack = load(tmp_path, basecolor=painted)
    assert "is free" in stack.maps[0].notes
    assert np.array_equal(stack.drawn_of(0), inside)
    expanded = expand_map(stack.texels, stack.maps[0])
    assert np.array_equal(expanded[inside], painted[inside])
    assert np.abs(np.diff(expanded[..., 1].astype(int), axis=1)).max() < 40


def test_an_opacity_map_frees_the_colour_and_nothing_else(tmp_path):
    texels, inside = leaf()
    normal = np.random.default_rng(1).integers(0, 256, (32, 40, 3), np.uint8)
    stack = load(tmp_path, COVERAGE, basecolor=texels[..., :3], opacity=texels[..., 3:], normal=normal)
    names = {texture_map.name: index for index, texture_map in enumerate(stack.maps)}
    assert np.array_equal(stack.drawn_of(names["basecolor"]), inside)
    assert stack.drawn_of(names["normal"]) is None
    assert np.array_equal(expand_map(stack.texels, stack.maps[names["normal"]]), normal)


@pytest.mark.parametrize("alpha", [0, 255, 1])
def test_alpha_that_shows_all_or_nothing_frees_nothing(tmp_path, alpha):
    texels, _ = leaf()
    texels[..., 3] = alpha
    stack = load(tmp_path, COVERAGE, basecolor=texels)
    assert np.array_equal(expand_map(stack.texels, stack.maps[0]), texels)


def test_the_least_alpha_shows_its_colour(tmp_path):
    texels, inside = leaf((9, 9, 9))
    texels[~inside, 3] = 1
    texels[0, 0, 3] = 0
    stack = load(tmp_path, COVERAGE, basecolor=texels)
    kept = np.ones_like(inside)
    kept[0, 0] = False
    assert np.array_equal(stack.drawn_of(0), kept)
    assert np.array_equal(expand_map(stack.texels, stack.maps[0])[kept], texels[kept])


def test_a_grey_picture_whose_alpha_equals_it_is_left_alone(tmp_path):
    grey = np.random.default_rng(2).integers(0, 256, (32, 40, 1), np.uint8)
    stack = load(tmp_path, COVERAGE, basecolor=grey.repeat(4, axis=2))
    assert np.array_equal(expand_map(stack.texels, stack.maps[0]), grey.repeat(4, axis=2))


def test_the_alpha_of_cut_outs_counts_more_and_that_of_glass_does_not(tmp_path):
    texels, _ = leaf()
    assert load(tmp_path, COVERAGE, basecolor=texels).channel_weights == (1, 1, 1, CUTOUT_WEIGHT)
    assert set(load(tmp_path, DATA, basecolor=texels).channel_weights) <= {1}
    texels[..., 3] = 60 + texels[..., 0]
    assert set(load(tmp_path, COVERAGE, basecolor=texels).channel_weights) <= {1}
