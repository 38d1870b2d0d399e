"""The index: no texel misses a Gaussian, blocks are not listed for nothing, and the size stays small."""

from functools import lru_cache

import numpy as np
import pytest
from helpers.made_gaussians import made_set

from imagegs_tex.formats.errors import UsageError
from imagegs_tex.formats.igs.quantized_set import conics_of, dequantize, shape_values
from imagegs_tex.shaders import tile_index as index_module
from imagegs_tex.shaders.decode_cost import decode_cost
from imagegs_tex.shaders.gpu_buffer import DIRECTORY_WORDS, pack_gaussians
from imagegs_tex.shaders.tile_index import build_index


def listed(index, quantized):
    """Whether the index lists a Gaussian for a block: [blocks down, blocks across, N]."""
    across, down = (-(-size >> index.block_log2) for size in (quantized.width, quantized.height))
    count = int(index.gaussians.max()) + 1
    found = np.zeros((4 * index.tiles_down, 4 * index.tiles_across, count), dtype=bool)
    for tile in range(index.tiles_across * index.tiles_down):
        top, left = 4 * (tile // index.tiles_across), 4 * (tile % index.tiles_across)
        for entry in range(index.tile_starts[tile], index.tile_starts[tile + 1]):
            for bit in range(16):
                if index.masks[entry] >> bit & 1:
                    found[top + bit // 4, left + bit % 4, index.gaussians[entry]] = True
    return found[:down, :across]


def least_q(quantized, points):
    """q [P, N] of every Gaussian, of the nearest of its images, at points [P, 2], in float64."""
    values = dequantize(quantized)
    a, b, c = conics_of(shape_values(quantized.shape_codes, quantized.size_step, quantized.form_step)).T
    size = np.array([quantized.width, quantized.height], dtype=np.float64)
    least = np.full((len(points), len(values.means)), np.inf)
    for image in np.ndindex(*(3 if repeats else 1 for repeats in quantized.wrap)):
        d = points[:, None] - values.means[None] - (np.array(image) - quantized.wrap) * size
        least = np.minimum(least, quadratic_form(a, b, c, d))
    return least


def quadratic_form(a, b, c, d):
    return (a * d[..., 0] ** 2 + 2 * b * d[..., 0] * d[..., 1] + c * d[..., 1] ** 2) / 2


@lru_cache(maxsize=1)  # sizes of blocks vary fastest
def set_and_fine_q(thinness, wrap):
    """A set, and q [308, 524, N] of its Gaussians at four points of each texel each way."""
    quantized = made_set(131, 77, 50, thinness=thinness, spread=3, wrap=wrap)
    xs, ys = ((np.arange(4 * size) + 0.5) / 4 for size in (131, 77))
    q = [least_q(quantized, np.stack(np.broadcast_arrays(xs, y), -1)) for y in ys]
    return quantized, np.array(q, dtype=np.float32)


@pytest.mark.parametrize("block_log2", [3, 4, 5])
@pytest.mark.parametrize("wrap", [(False, False), (True, False), (True, True)], ids=str)
@pytest.mark.parametrize("thinness", [0.5, 4.9])
def test_lists_are_complete_and_tight(block_log2, thinness, wrap):
    quantized, fine_q = set_and_fine_q(thinness, wrap)
    index = build_index(quantized, block_log2)
    size = 4 << block_log2
    found = listed(index, quantized)
    slack = 0
    for y in range(found.shape[0]):
        for x in range(found.shape[1]):
            q = fine_q[y * size : (y + 1) * size, x * size : (x + 1) * size]
            reached = q.min(axis=(0, 1)) < quantized.cutoff
            mine = np.zeros(50, dtype=bool)
            mine[: found.shape[2]] = found[y, x]
            assert not np.any(reached & ~mine), "a texel would miss a Gaussian"
            slack += np.count_nonzero(mine & ~reached)
    evaluated = found.sum(axis=2) * np.prod(2 * np.array(index.images) + 1)
    if block_log2 < 5:  # larger ones are put together of blocks of 16, inside the picture
        assert np.array_equal(pack_gaussians(quantized, block_log2).tiles.candidates, evaluated)
    assert slack <= 0.1 * evaluated.sum()  # between the samples, supports may still touch


@pytest.mark.parametrize(
    ("size", "wrap", "images"),
    [
        ((200, 160), (True, True), (0, 0)),
        ((200, 160), (False, False), (0, 0)),
        ((24, 200), (True, True), (1, 0)),
        ((24, 20), (False, True), (0, 1)),
        ((5, 5), (True, True), (6, 6)),
    ],
)
def test_second_images_are_looked_at_only_where_supports_are_as_large_as_the_picture(size, wrap, images):
    quantized = made_set(*size, 30, spread=2.5, thinness=0.0, cutoff=6.0, wrap=wrap)
    assert build_index(quantized, 4).images == images


def test_the_same_set_gives_the_same_words():
    quantized = made_set()
    assert np.array_equal(pack_gaussians(quantized).words, pack_gaussians(quantized).words)


def test_chunks_do_not_change_the_index(monkeypatch):
    quantized = made_set(count=200)
    whole = build_index(quantized, 3)
    monkeypatch.setattr(index_module, "_PAIRS_AT_ONCE", 64)
    parts = build_index(quantized, 3)
    assert np.array_equal(whole.gaussians, parts.gaussians)
    assert np.array_equal(whole.masks, parts.masks)


def test_overlap_beyond_reason_is_refused(monkeypatch):
    monkeypatch.setattr(index_module, "MAX_PAIRS", 100)
    with pytest.raises(UsageError, match="overlap too much"):
        build_index(made_set(), 4)


def test_bytes_of_a_brick_like_case():
    """8,426 Gaussians on 1024 x 1024 texels with 10 components: at most 135 KB."""
    packed = pack_gaussians(made_set(1024, 1024, 8426, 10, spread=4.4, thinness=2.0))
    assert packed.ledger.total == packed.words.nbytes - 4 * DIRECTORY_WORDS - 4
    assert packed.ledger.total <= 135_000


@pytest.mark.parametrize(
    ("spread", "thinness", "mask_log2"),
    [(3.0, 1.0, 1), (4.4, 2.0, 1), (9.0, 4.5, 0)],
    ids=["small", "middling", "long, so that masks would take half as much as records"],
)
def test_masks_are_taken_where_they_are_cheap(spread, thinness, mask_log2):
    quantized = made_set(512, 512, 2000, 10, spread=spread, thinness=thinness)
    assert pack_gaussians(quantized).layout.mask_log2 == mask_log2


def test_cost_is_what_the_lists_say():
    quantized = made_set(100, 50, 40)
    packed = pack_gaussians(quantized, 4)
    cost = decode_cost(quantized, packed)
    by_texel = packed.tiles.candidates.repeat(16, axis=0).repeat(16, axis=1)[:50, :100]
    assert cost.weights_mean == pytest.approx(by_texel.mean())
    assert cost.candidates.max == by_texel.max()
    assert cost.positive_mean <= cost.weights_mean
    assert cost.multiply_adds_mean <= cost.multiply_adds_max
