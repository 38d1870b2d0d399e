"""The tiles' blocks, read back bit by bit by what docs/gpu-buffer.md says: all codes, and who reaches what."""

import numpy as np
import pytest
from helpers.made_gaussians import made_set
from helpers.read_gpu_buffer import read_material

from imagegs_tex.formats.errors import UsageError
from imagegs_tex.formats.igs.quantized_set import dequantize, least_exponent
from imagegs_tex.shaders.bit_fields import bit_lengths, put_bits
from imagegs_tex.shaders.gpu_buffer import BLOCKS, pack_gaussians
from imagegs_tex.shaders.tile_index import build_index

CASES = {
    "plain": made_set(200, 150, 120, 5),
    "repeats": made_set(200, 150, 120, 5, wrap=(True, True)),
    "repeats in x, far ones": made_set(400, 300, 90, 3, wrap=(True, False), spread=8),
    "fewer tiles than neighbours": made_set(70, 60, 40, 2, wrap=(True, True), spread=4),
    "one tile": made_set(9, 5, 12, 2, wrap=(True, True), spread=3),
    "one Gaussian": made_set(1, 1, 1, 1),
    "empty tiles": made_set(300, 150, 12, 3, within=(0.2, 0.3), spread=1),
    "thin": made_set(128, 128, 60, 4, thinness=4.9, spread=4),
    "coarsest positions": made_set(4096, 64, 60, 2, spread=6),
    "21 components": made_set(96, 64, 80, 24, components=21),
}


def sorted_rows(table):
    return table[np.lexsort(table.T[::-1])]


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("block_log2", [None, *BLOCKS])
def test_all_codes_are_there_once(case, block_log2):
    quantized = CASES[case]
    found, _ = read_material(pack_gaussians(quantized, block_log2).words)
    step = 2.0 ** (least_exponent(quantized.width, quantized.height) - 1)
    positions = dequantize(quantized).means.astype(np.float64) / step
    expected = np.concatenate([positions.astype(np.int64), quantized.shape_codes, quantized.feature_codes], axis=1)
    assert np.array_equal(sorted_rows(found), sorted_rows(expected))


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("block_log2", [3, 4, 5, 6])
def test_entries_are_those_of_the_index(case, block_log2):
    quantized = CASES[case]
    tile_log2, mask_log2 = BLOCKS[block_log2]
    index = build_index(quantized, tile_log2 - 2)
    packed = pack_gaussians(quantized, block_log2)
    table, entries = read_material(packed.words)
    step = 2.0 ** (least_exponent(quantized.width, quantized.height) - 1)
    positions = (dequantize(quantized).means.astype(np.float64) / step).astype(np.int64)
    rows = np.concatenate([positions, quantized.shape_codes, quantized.feature_codes], axis=1)
    names = {tuple(row): [] for row in rows.tolist()}
    for number, row in enumerate(rows.tolist()):
        names[tuple(row)].append(number)
    tile_of = np.repeat(np.arange(len(index.scanned)), index.scanned)
    expected = set()
    for tile, gaussian, mask in zip(tile_of.tolist(), index.gaussians.tolist(), index.masks.tolist(), strict=True):
        quarters = [0x0033, 0x00CC, 0x3300, 0xCC00]
        kept = {0: 0, 1: sum(bool(mask & of) << bit for bit, of in enumerate(quarters)), 2: mask}[mask_log2]
        expected.add((tile, tuple(rows[gaussian].tolist()), kept))
    assert {(tile, tuple(table[number].tolist()), mask) for tile, number, mask in entries} == expected
    assert len(entries) == len(index.gaussians) == packed.tiles.scanned.sum()


def test_widest_and_narrowest_fields():
    quantized = made_set(count=3, channels=3)
    quantized.feature_codes[:] = [[-32768, 0, -1], [32767, 0, 0], [0, 0, 0]]
    found, _ = read_material(pack_gaussians(quantized).words)
    assert np.array_equal(sorted_rows(found[:, 5:]), sorted_rows(quantized.feature_codes.astype(np.int64)))


def test_fields_cross_words():
    words = np.zeros(3, dtype=np.uint32)
    put_bits(words, np.array([0, 30, 62, 64]), np.array([5, 0xFFFFFFFF, 3, 0]), np.array([3, 32, 2, 0]))
    assert [int(word) for word in words] == [0xC0000005, 0xFFFFFFFF, 0]
    assert bit_lengths(np.array([0, 1, 2, 3, 4, 255, 256, 2**32 - 1])).tolist() == [0, 1, 2, 2, 3, 8, 9, 32]


@pytest.mark.parametrize("size", [(1, 1), (1, 200), (200, 1)])
def test_a_gaussian_beyond_the_last_tile_is_refused(size):
    """Steps of a large Gaussian are longer than a side, so that the middle of its first one lies beyond all tiles."""
    quantized = made_set(*size, count=3, spread=3000.0, thinness=0.0, cell_log2=8)
    with pytest.raises(UsageError, match="beyond the picture's last tile"):
        pack_gaussians(quantized)
