"""The residual in the buffer, read from docs/gpu-buffer.md: lists that give back every code, and what they take."""

from dataclasses import replace

import numpy as np
import pytest
from helpers.made_gaussians import made_set
from helpers.made_residual import made_residual
from helpers.plain_residual_words import read_blocks

from imagegs_tex.decoder.level_render import level_pictures
from imagegs_tex.formats.igs.residual_layer import MOST_IN_BLOCK, ResidualLayer, block_grid
from imagegs_tex.formats.igs.zigzag import zigzag
from imagegs_tex.shaders.coarse_levels import levels_limit
from imagegs_tex.shaders.decode_cost import decode_cost
from imagegs_tex.shaders.gpu_buffer import DIRECTORY_WORDS, join_materials, pack_gaussians, reserve_levels
from imagegs_tex.shaders.residual_words import residual_parts, residual_words


def read_residual(words, number=0):
    """Return step, offsets, basis [K', C], and per block its coefficients {(component, u, v): code}."""
    head = words[int(words[3 + number]) :]
    assert int(head[3]) >> 3 & 1
    assert int(head[3]) >> 24 == 0
    width, height, channels = int(head[1]) & 0xFFFF, int(head[1]) >> 16, int(head[2]) & 255
    return read_blocks(head[int(head[22]) :], (width, height), channels)


CASES = {
    "noise": (made_set(61, 45, 20, 4), {"density": 0.2}),
    "small blocks": (made_set(19, 6, 9, 3), {"side_log2": 2, "density": 0.5}),
    "large blocks": (made_set(40, 33, 9, 3, wrap=(True, False)), {"side_log2": 4, "density": 0.05, "spread": 60}),
    "one coefficient": (made_set(30, 20, 9, 5), {"only": [(5, 4 * 64 + 63, -1)]}),
    "none": (made_set(30, 20, 9, 2), {"only": []}),
    "values": (made_set(16, 8, 9, 4), {"only": [
        (0, 0, 2), (0, 1, -3), (0, 3, 2), (0, 4, 17), (0, 70, 18), (0, 71, -273), (0, 255, 274), (1, 0, -4369),
        (1, 2, 4370), (1, 9, 16384), (1, 10, 3),
    ]}),
    "one texel": (made_set(1, 1, 1, 1), {"density": 1.0}),
}  # fmt: skip


def _case(name):
    quantized, options = CASES[name]
    return replace(quantized, residual=made_residual(quantized, **options))


@pytest.mark.parametrize("name", CASES)
def test_lists_give_back_the_codes(name):
    quantized = _case(name)
    layer = quantized.residual
    packed = pack_gaussians(quantized)
    step, offsets, basis, blocks = read_residual(packed.words)
    assert (step, tuple(offsets)) == (np.float32(layer.step), layer.offset_codes)
    assert np.array_equal(basis, layer.basis_codes)
    across, down = block_grid(quantized.width, quantized.height, layer.side_log2)
    assert len(blocks) == across * down
    expected = [{} for _ in blocks]
    block = np.repeat(np.arange(len(blocks)), layer.counts)
    for number, place, value in zip(block, layer.places.tolist(), layer.values.tolist(), strict=True):
        component, p = divmod(place, layer.side**2)
        expected[number][component, *divmod(int(zigzag(layer.side)[p]), layer.side)] = value
    assert blocks == expected
    assert packed.ledger.total == packed.words.nbytes - 4 * DIRECTORY_WORDS - 4


def test_what_nibbles_take():
    quantized = made_set(16, 8, 9, 3)
    for only, count in (
        ([(0, 0, 1)], 1), ([(0, 4, -1)], 1), ([(0, 5, 1)], 2), ([(1, 0, -2)], 1), ([(1, 1, 2)], 2), ([(0, 0, 3)], 2),
        ([(0, 1, 3)], 3), ([(0, 0, 17)], 3), ([(0, 0, -18)], 5), ([(0, 0, 273)], 5), ([(0, 0, 274)], 7),
        ([(0, 0, 4369)], 7), ([(0, 0, 4370)], 9), ([(1, 128, 1)], 3), ([(1, 0, 1), (1, 63, 1)], 2 + 12),
    ):  # fmt: skip
        layer = made_residual(quantized, only=only)
        words, parts = residual_words(layer), residual_parts(layer)
        assert words[parts.blocks + 2] & 0xFFFF == count, only  # where the second block's list ends
        assert len(words) == parts.lists + -(-count // 8)


def test_the_longest_lists_fit_into_their_bits():
    blocks, components = 17, 255
    ends = np.linspace(0, components - 1, MOST_IN_BLOCK).astype(int)  # each behind 51 fives of zeros, or fewer
    layer = ResidualLayer(
        side_log2=4, step=1.0, offset_codes=(0, 0, 0), basis_codes=np.ones((components, 1), dtype=np.int16),
        counts=np.full(blocks, MOST_IN_BLOCK, dtype=np.int32),
        places=np.tile(ends * 256 + 255, blocks).astype(np.uint16),
        values=np.full(blocks * MOST_IN_BLOCK, -32767, dtype=np.int16),
    )  # fmt: skip
    found = read_blocks(residual_words(layer), (blocks * 16, 16), 1)[3]
    assert found == [{(k, *divmod(int(zigzag(16)[255]), 16)): -32767 for k in ends}] * blocks


def test_levels_and_ledger_know_of_it():
    quantized = _case("noise")
    plain = replace(quantized, residual=None)
    packed = pack_gaussians(quantized, pictures=level_pictures(quantized))
    assert packed.ledger.residual == reserve_levels(quantized).ledger.residual > 2000
    assert reserve_levels(plain).ledger.residual == 0
    without = packed.ledger.total - packed.ledger.coarse
    assert packed.ledger.coarse <= levels_limit(without)
    assert reserve_levels(quantized).ledger.total >= packed.ledger.total
    # in a buffer of several, and beside one without
    joined = join_materials([pack_gaussians(plain), packed])
    assert read_residual(joined, 1)[3] == read_residual(packed.words)[3]
    flags = int(joined[int(joined[3]) + 3])
    assert (flags >> 3 & 1, int(joined[int(joined[3]) + 22])) == (0, 0)


def test_the_work_is_counted():
    quantized = made_set(12, 8, 9, 3)  # a block of 8 columns, one of 4
    layered = replace(quantized, residual=made_residual(quantized, only=[(0, 3, 1), (0, 64, -2), (1, 130, 9)]))
    plain, more = (decode_cost(of, pack_gaussians(of), has_levels=True) for of in (quantized, layered))
    first, second = 2 * 15 + 2 * 3, 15 + 3 * 3
    assert more.residual_multiply_adds.max == first
    assert more.residual_multiply_adds_mean == pytest.approx((8 * first + 4 * second) / 12)
    assert plain.residual_multiply_adds.max == plain.residual_multiply_adds_mean == 0
    assert more.multiply_adds_max == plain.multiply_adds_max + first
    added = [a.multiply_adds_mean - b.multiply_adds_mean for a, b in zip(more.samples, plain.samples, strict=True)]
    mean = more.residual_multiply_adds_mean
    coefficients = (8 * 2 + 4 * 1) / 12  # with their means over a level's texels: 12 more, and 4 per level
    assert added == pytest.approx([mean, 4 * mean, mean + 20 * coefficients, mean + 24 * coefficients, 0])
    small = replace(quantized, residual=made_residual(quantized, side_log2=2))
    cost = decode_cost(small, pack_gaussians(small), has_levels=True)
    assert cost.samples[2].multiply_adds_mean > plain.samples[2].multiply_adds_mean + 1
    assert cost.samples[3].multiply_adds_mean == pytest.approx(plain.samples[3].multiply_adds_mean)
