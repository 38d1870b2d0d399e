"""The repeat in the buffer, read from docs/gpu-buffer.md, its bytes and its work."""

from dataclasses import replace

import numpy as np
import pytest
from helpers.made_gaussians import made_set
from helpers.made_repeat import with_repeat
from helpers.made_residual import made_residual
from helpers.plain_residual_words import read_blocks

from imagegs_tex.decoder.level_render import level_pictures
from imagegs_tex.formats.igs.residual_layer import block_grid
from imagegs_tex.formats.igs.zigzag import zigzag
from imagegs_tex.shaders.coarse_levels import levels_limit
from imagegs_tex.shaders.decode_cost import decode_cost
from imagegs_tex.shaders.gpu_buffer import DIRECTORY_WORDS, join_materials, pack_gaussians, reserve_levels

CASES = {
    "shift": with_repeat(made_set(77, 61, 9, 4), period=(21, 18), origin=(5, 3), shift=7, side_log2=3, components=3),
    "one picture": with_repeat(made_set(20, 11, 9, 2), pictures=0),
    "many pictures": with_repeat(made_set(40, 33, 9, 3), period=(3, 50), pictures=13, side_log2=4, density=0.02),
}
BOTH = replace(CASES["shift"], residual=made_residual(CASES["shift"]))


def _halves(word):
    return int(word) & 0xFFFF, int(word) >> 16


@pytest.mark.parametrize("quantized", [*CASES.values(), BOTH], ids=[*CASES, "residual"])
def test_words_give_back_the_layer(quantized):
    layer, packed = quantized.repeat, pack_gaussians(quantized)
    material = packed.words[int(packed.words[3]) :]
    assert int(material[3]) >> 3 & 3 == 2 + (quantized.residual is not None)
    part = material[int(material[22]) :]
    assert _halves(part[0]) == layer.lattice.period
    assert _halves(part[1]) == layer.lattice.origin
    shift, across = _halves(part[2])
    count, weights_at, end = part[3:6].tolist()
    assert (shift, count) == (layer.lattice.shift, len(layer.weight_codes))
    channels = quantized.channel_count
    _, _, basis, blocks = read_blocks(part[6:], layer.lattice.period, channels)
    assert np.array_equal(basis, layer.blocks.basis_codes)
    grid = block_grid(*layer.lattice.period, layer.blocks.side_log2)
    expected = [{} for _ in range(grid[0] * grid[1])]
    block = np.repeat(np.arange(len(expected)), layer.blocks.counts)
    for number, place, value in zip(block, layer.blocks.places.tolist(), layer.blocks.values.tolist(), strict=True):
        component, p = divmod(place, layer.blocks.side**2)
        expected[number][component, *divmod(int(zigzag(layer.blocks.side)[p]), layer.blocks.side)] = value
    assert blocks == expected
    down = layer.weight_codes.shape[1]
    assert across == layer.weight_codes.shape[2]
    codes = part[weights_at:end].view(np.int8)[: count * across * down].reshape(down, across, count)
    assert np.array_equal(np.moveaxis(codes, -1, 0), layer.weight_codes)
    if quantized.residual is not None:
        size = quantized.width, quantized.height
        assert np.array_equal(read_blocks(part[end:], size, channels)[2], quantized.residual.basis_codes)
    assert packed.ledger.repeat == 4 * end
    assert packed.ledger.total == packed.words.nbytes - 4 * DIRECTORY_WORDS - 4


def test_levels_and_ledger_know_of_it():
    plain = replace(BOTH, repeat=None)
    packed = pack_gaussians(BOTH, pictures=level_pictures(BOTH))
    assert packed.ledger.repeat == reserve_levels(BOTH).ledger.repeat > 500
    assert reserve_levels(plain).ledger.repeat == 0
    assert packed.ledger.coarse <= levels_limit(packed.ledger.total - packed.ledger.coarse, repeats=True)
    assert reserve_levels(BOTH).ledger.total >= packed.ledger.total
    joined = join_materials([pack_gaussians(plain), packed])
    first, second = (joined[int(joined[3 + number]) :] for number in (0, 1))
    assert [int(material[3]) >> 3 & 3 for material in (first, second)] == [1, 3]
    assert int(second[int(second[22])]) == 21 | 18 << 16


def test_the_work_is_counted():
    quantized = CASES["shift"]
    layer = quantized.repeat
    plain, more = (
        decode_cost(of, pack_gaussians(of), has_levels=True) for of in (replace(quantized, repeat=None), quantized)
    )
    size, across = layer.blocks.side, block_grid(*layer.lattice.period, layer.blocks.side_log2)[0]
    begins = np.concatenate([[0], np.cumsum(layer.blocks.counts)])
    work = []
    for y in range(quantized.height):
        row, local_y = divmod(y + 3, 18)
        for x in range(quantized.width):
            local_x = (x + (5 + 7 * row) % 21) % 21
            block = local_y // size * across + local_x // size
            first, end = begins[block : block + 2]
            components = 1 + (int(layer.blocks.places[end - 1]) // size**2 if end > first else 0)
            work.append(15 * (end - first) + 4 * components)
    assert more.repeat_multiply_adds_mean == pytest.approx(np.mean(work))
    assert more.repeat_multiply_adds.max == max(work)
    assert plain.repeat_multiply_adds.max == plain.repeat_multiply_adds_mean == 0
    assert more.multiply_adds_max == plain.multiply_adds_max + max(work)
    added = [a.multiply_adds_mean - b.multiply_adds_mean for a, b in zip(more.samples, plain.samples, strict=True)]
    assert added[:2] == pytest.approx([np.mean(work), 4 * np.mean(work)])
    assert 2 * np.mean(work) < added[2] < added[3] < 3 * np.mean(work)
    assert added[4:] == [0] * len(added[4:])
