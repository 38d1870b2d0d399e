"""Blocks of a residual coded anew: those that hold what they should no more, as well as at first, and no others."""

import numpy as np
import pytest

from imagegs_tex.formats.igs.residual_layer import pack_residual
from imagegs_tex.formats.igs.residual_picture import residual_picture
from imagegs_tex.quantize.recoded_blocks import HeldBlocks
from imagegs_tex.quantize.residual_rdo import make_residual_layer

SIZE = (100, 84)
STEP = 0.02
EDIT = (slice(28, 50), slice(40, 62))


def left(grey=False):
    """Stripes and noise [H, W, 3]."""
    random = np.random.default_rng(1)
    x, y = np.meshgrid(np.arange(SIZE[0]), np.arange(SIZE[1]))
    stripes = 0.1 * np.sin(x * 0.9) * (y > 12) + random.normal(0, 0.05, SIZE[::-1])
    return stripes[..., None] * [1.0, 0.6, -0.3] + (0 if grey else random.normal(0, 0.02, (*SIZE[::-1], 3)))


def edited(residual, colour=(1.0, 0.6, -0.3)):
    texels = residual.copy()
    texels[EDIT] = np.random.default_rng(2).normal(0, 0.1, texels[EDIT].shape[:2])[..., None] * colour
    return texels


def by_block(layer):
    starts = np.cumsum(layer.counts) - layer.counts
    return [
        (layer.places[at : at + count].tolist(), layer.values[at : at + count].tolist())
        for at, count in zip(starts, layer.counts, strict=True)
    ]


def error_of(residual, layer):
    return np.square(residual - residual_picture(layer, SIZE, SIZE)).mean()


@pytest.mark.parametrize("side_log2", [2, 3, 4])
def test_only_blocks_of_an_edit_are_coded_anew(side_log2):
    residual = left()
    layer = make_residual_layer(residual, STEP, side_log2)
    assert not HeldBlocks.of(layer, residual).changed().any()
    now = edited(residual)
    held = HeldBlocks.of(layer, now, threads=2)
    changed = held.changed()
    inside, side = np.zeros(changed.shape, dtype=bool), 1 << side_log2
    inside[28 // side : -(-50 // side), 40 // side : -(-62 // side)] = True
    assert not changed[~inside].any()
    assert changed.sum() > 0.7 * inside.sum()
    made = held.recoded(inside)
    before, after = by_block(layer), by_block(made)
    for block in np.flatnonzero(~inside):
        assert before[block] == after[block]
    assert error_of(now, made) < 1.1 * error_of(residual, layer)
    assert not HeldBlocks.of(made, now).changed().any()
    assert len(pack_residual(made, SIZE)) < 1.1 * len(pack_residual(make_residual_layer(now, STEP, side_log2), SIZE))


def test_colours_of_another_kind_get_a_component():
    residual = left(grey=True)
    layer = make_residual_layer(residual, STEP, 3)
    assert len(layer.basis_codes) == 1
    now = edited(residual, (0.3, -0.5, 1.0))
    held = HeldBlocks.of(layer, now)
    made = held.recoded(held.changed())
    assert len(made.basis_codes) == 3
    np.testing.assert_array_equal(made.basis_codes[0], layer.basis_codes[0])
    assert error_of(now, made) < 2 * error_of(residual, layer)  # of three components in the edit, in place of one


def test_a_layer_that_would_be_empty_is_none():
    residual = np.zeros((16, 16, 3))
    residual[:8, :8] = 0.2
    layer = make_residual_layer(residual, STEP, 3)
    held = HeldBlocks.of(layer, np.zeros((16, 16, 3)))
    assert held.changed().tolist() == [[True, False], [False, False]]
    assert held.recoded(held.changed()) is None
