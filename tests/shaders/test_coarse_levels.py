"""Stored levels: pictures of few bits, how they lie in the buffer, and what samples of them cost."""

import numpy as np
import pytest
from helpers.made_gaussians import made_set

from imagegs_tex.shaders.coarse_levels import (
    LEAST_SHARE,
    SHARE,
    LevelPictures,
    coarse_levels,
    level_range,
    level_widening,
    levels_limit,
)
from imagegs_tex.shaders.decode_cost import decode_cost
from imagegs_tex.shaders.gpu_buffer import pack_gaussians, reserve_levels, resident_bytes
from imagegs_tex.shaders.level_blocks import (
    STEP_LOG2,
    TEXEL_LOG2,
    classify,
    pack,
    plan,
    sampled,
    signs,
    size_of,
    transform,
)
from imagegs_tex.verification.float64_levels import read_levels

SIZES = [(64, 64), (131, 77), (1, 1), (700, 3), (16, 17), (33, 256)]


def smooth(height, width, channels, seed=1):
    """A picture that blocks can code."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width][..., None] / 20
    wave = np.sin(x * rng.normal(size=channels) + y * rng.normal(size=channels) + rng.normal(size=channels))
    return (0.5 + 0.3 * wave + 0.05 * rng.normal(size=wave.shape)).clip(0, 1).astype(np.float32)


def pictures_of(quantized, texels):
    """Levels that are differences are stored as a whole: nothing is widened."""
    levels = level_range(quantized)
    sizes = levels.sizes[: levels.direct - levels.first]
    nothing = [np.zeros((down, across, texels.shape[2]), dtype=np.float32) for across, down in sizes]
    return LevelPictures(texels, tuple(nothing))


def test_the_transform_is_orthogonal_and_says_means_first():
    flat = signs().reshape(16, 16)
    assert np.array_equal(flat @ flat.T, 16 * np.eye(16))
    assert np.all(signs()[0] == 1)
    for coefficient in signs()[:4]:  # constant over quarters
        assert np.all(coefficient[:2, :2] == coefficient[0, 0])


@pytest.mark.parametrize("step", [0.3, 0.05, 0.01])
def test_a_picture_is_within_about_a_step(step):
    picture = smooth(37, 50, 5).astype(np.float64)
    transformed = transform(np.rint(picture * 2.0**TEXEL_LOG2).astype(np.int64), True)
    chosen = plan(transformed, round(step * 2.0**STEP_LOG2))
    words = pack(transformed, chosen)
    some = sampled(transformed, 60)
    assert len(some.coefficients) < len(transformed.coefficients) == 130
    about = size_of(some, plan(some, chosen.step), len(transformed.coefficients))
    assert abs(about - len(words)) <= 1 + len(words) // 10
    material = np.zeros(14 + len(words), dtype=np.uint32)
    material[[1, 10, 11, 12]] = 50 | 37 << 16, 12, 0, 1
    material[13:-1] = words
    read = read_levels(material, 0, 5)
    assert read.values[0].shape == picture.shape
    assert np.sqrt(np.square(read.values[0] - picture).mean()) < 0.6 * step
    assert read.step == pytest.approx(step)


def test_flat_blocks_take_fewer_bits_than_busy_ones():
    picture = np.full((64, 64, 3), 0.5)
    picture[:16, :16] = np.random.default_rng(0).random((16, 16, 3))
    transformed = transform(np.rint(picture * 2.0**TEXEL_LOG2).astype(np.int64), True)
    chosen = plan(transformed, round(0.02 * 2.0**STEP_LOG2))
    bits = chosen.class_bits[classify(transformed, chosen)].reshape(16, 16)
    assert bits[:4, :4].min() > 100
    assert np.median(bits[4:, 4:]) < 20


@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize("channels", [1, 4, 10])
def test_levels_are_means(width, height, channels):
    quantized = made_set(width, height, 5, channels)
    texels = smooth(height, width, channels)
    coarse = coarse_levels(quantized, pictures_of(quantized, texels), 1 << 20)
    levels = coarse.range
    assert (levels.first, levels.direct) == (2, 4)
    assert levels.sizes[-1] == (1, 1)
    material = np.zeros(12, dtype=np.uint32)
    material[[1, 10, 11]] = width | height << 16, 12, 2 | levels.last << 8 | 4 << 16
    read = read_levels(np.concatenate([material, coarse.words]), 0, channels)
    for level, (values, (across, down)) in enumerate(zip(read.values, levels.sizes, strict=True), 2):
        side = 1 << level
        covered = [
            [texels[y * side : (y + 1) * side, x * side : (x + 1) * side].mean(axis=(0, 1)) for x in range(across)]
            for y in range(down)
        ]
        error = values - covered  # of few texels, most of which have one bit too few: no mean to speak of
        assert np.sqrt(np.square(error).mean()) < 0.6 * read.step if error.size > 9 else np.abs(error).max() < read.step
    assert read.step < 0.005


def test_fewer_bytes_are_kept_to():
    quantized = made_set(256, 256, 5, 4)
    pictures = pictures_of(quantized, smooth(256, 256, 4))
    for limit in (12_000, 8_000, 3_000):
        coarse = coarse_levels(quantized, pictures, limit)
        assert 0.85 * limit < coarse.words.nbytes <= limit


def test_where_nothing_differs_nothing_is_stored():
    quantized = made_set(64, 64, 5, 3)
    flat = np.full((64, 64, 3), 0.25, dtype=np.float32)
    same = [np.full((down, across, 3), 0.25, dtype=np.float32) for across, down in ((16, 16), (8, 8))]
    coarse = coarse_levels(quantized, LevelPictures(flat, tuple(same)), 2048)
    assert coarse.words[:2].tolist() == [0, 0]
    assert coarse.words[2] > 0


def test_they_lie_behind_the_tiles():
    quantized = made_set(131, 77, 50, 4)
    packed = pack_gaussians(quantized, pictures=pictures_of(quantized, smooth(77, 131, 4)))
    plain, reserved = pack_gaussians(quantized), reserve_levels(quantized)
    assert np.array_equal(packed.tiles.words, reserved.tiles.words)
    at = packed.material_at + packed.coarse_at
    assert np.array_equal(packed.words[at : at + len(packed.coarse.words)], packed.coarse.words)
    assert packed.words[packed.material_at + 10] == packed.coarse_at
    assert packed.words[packed.material_at + 11] == 2 | 8 << 8 | 4 << 16
    assert plain.words[plain.material_at + 10] == 0
    assert plain.ledger.coarse == 0
    rest = packed.ledger.total - packed.ledger.coarse
    assert packed.ledger.coarse == packed.coarse.words.nbytes <= levels_limit(rest)
    assert resident_bytes(quantized) == rest + levels_limit(rest)


def test_levels_take_a_share_of_the_rest():
    share, of = SHARE
    assert levels_limit(100_000) == share * 100_000 // of
    assert (levels_limit(100), levels_limit(100, repeats=True)) == LEAST_SHARE
    assert [level_widening(level) for level in (0, 1, 2)] == [0, 0.25, 1.25]  # of 1, 2 and 4 points one texel apart


def test_costs_by_level():
    quantized = made_set(1024, 512, 300, 4)
    cost = decode_cost(quantized, pack_gaussians(quantized), has_levels=True)
    assert [sample.level for sample in cost.samples] == list(range(11))
    assert [sample.decodes for sample in cost.samples] == [1, 4, 1, 1, *[0] * 7]
    assert [sample.blocks for sample in cost.samples] == [0, 0, *[4] * 9]
    assert [sample.gaussians_max // cost.candidates.max for sample in cost.samples[:5]] == [1, 4, 1, 1, 0]
    assert decode_cost(quantized, pack_gaussians(quantized)).samples == ()
