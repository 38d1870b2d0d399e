"""The coarse levels: means of what lies inside the picture, packed so that a shader finds them."""

from itertools import pairwise

import numpy as np
import pytest
from helpers.made_gaussians import made_set

from imagegs_tex.shaders.coarse_levels import FIRST_LEVEL, MAX_CODE, coarse_layout, coarse_levels
from imagegs_tex.shaders.decode_cost import decode_cost
from imagegs_tex.shaders.gpu_buffer import pack_gaussians


def unpacked(coarse, level, channel):
    """One channel of a level [down, across] in [0, 1], bit by bit."""
    count = level.across * level.down * coarse.texel_words
    words = coarse.words[level.first_word : level.first_word + count].reshape(-1, coarse.texel_words)
    code = words[:, channel // 3] >> np.uint32(10 * (channel % 3)) & np.uint32(1023)
    return code.reshape(level.down, level.across) / MAX_CODE


@pytest.mark.parametrize(("width", "height"), [(64, 64), (131, 77), (1, 1), (700, 3), (16, 17), (33, 256)])
@pytest.mark.parametrize(("channels", "first"), [(1, FIRST_LEVEL), (3, 1), (4, 2), (10, FIRST_LEVEL)])
def test_levels_are_means(width, height, channels, first):
    quantized = made_set(width, height, 5, channels)
    texels = np.random.default_rng(1).random((height, width, channels), dtype=np.float32)
    coarse = coarse_levels(quantized, texels, first)
    assert [level.level for level in coarse.levels] == list(range(first, first + len(coarse.levels)))
    assert (coarse.levels[-1].across, coarse.levels[-1].down) == (1, 1)
    for level in coarse.levels:
        side = 1 << level.level
        for y in range(level.down):
            for x in range(level.across):
                covered = texels[y * side : (y + 1) * side, x * side : (x + 1) * side].astype(np.float64)
                for channel in range(channels):
                    difference = unpacked(coarse, level, channel)[y, x] - covered[..., channel].mean()
                    assert abs(difference) <= 0.5 / MAX_CODE + 1e-9


def test_the_layout_is_that_of_the_levels():
    quantized = made_set(131, 77, 5, 4)
    coarse = coarse_levels(quantized, np.zeros((77, 131, 4), dtype=np.float32))
    empty = coarse_layout(quantized)
    assert empty.levels == coarse.levels
    assert empty.words.nbytes == coarse.words.nbytes


def test_each_level_less_takes_about_four_times_the_bytes():
    quantized = made_set(256, 256, 5, 9)
    sizes = [coarse_layout(quantized, first).words.nbytes for first in (1, 2, 3, 4)]
    assert all(3.9 < more / less < 4.1 for more, less in pairwise(sizes))


def test_they_lie_behind_the_tiles():
    quantized = made_set(131, 77, 50, 4)
    coarse = coarse_levels(quantized, np.random.default_rng(0).random((77, 131, 4), dtype=np.float32))
    packed, plain = pack_gaussians(quantized, coarse=coarse), pack_gaussians(quantized)
    assert np.array_equal(packed.tiles.words, plain.tiles.words)
    at = packed.material_at + packed.coarse_at
    assert np.array_equal(packed.words[at : at + len(coarse.words)], coarse.words)
    assert packed.words[packed.material_at + 10] == packed.coarse_at
    assert plain.words[plain.material_at + 10] == 0
    assert plain.ledger.coarse == 0
    assert packed.ledger.coarse == coarse.words.nbytes == packed.ledger.total - plain.ledger.total


def test_bytes_of_a_brick_like_case():
    """8,426 Gaussians on 1024 x 1024 texels with 10 components and 9 channels: at most 200 KB with coarse levels."""
    quantized = made_set(1024, 1024, 8426, 9, components=10, spread=4.4, thinness=2.0)
    assert pack_gaussians(quantized, coarse=coarse_layout(quantized)).ledger.total <= 200_000


@pytest.mark.parametrize("first", [1, 2, 3, FIRST_LEVEL])
def test_costs_by_level(first):
    quantized = made_set(1024, 512, 300, 4)
    packed, coarse = pack_gaussians(quantized), coarse_layout(quantized, first)
    cost = decode_cost(quantized, packed, coarse)
    assert [sample.level for sample in cost.samples] == list(range(11))
    for sample, taps in zip(cost.samples, (1, 4, 16, 64)[:first], strict=False):
        assert sample.decodes == taps
        assert sample.gaussians_max == taps * cost.candidates.max
    for sample in cost.samples[first:]:
        assert (sample.decodes, sample.coarse_words) == (0, 4 * coarse.texel_words)
    assert decode_cost(quantized, packed).samples == ()
