"""Repeat layers made up at random, which keep every law."""

from dataclasses import replace

import numpy as np

from imagegs_tex.formats.igs.repeat_layer import Lattice, RepeatLayer
from imagegs_tex.formats.igs.residual_layer import MOST_IN_BLOCK, ResidualLayer, block_grid


def made_repeat(
    size, channels, *, period=(13, 10), origin=(0, 0), shift=0, pictures=2, components=None, side_log2=2, density=0.1,
    spread=1.2, step=0.02, seed=1,
):  # fmt: skip
    """A layer of a picture of a size with weights of all codes, an empty block, and a code of -300 in the first one.

    pictures: V, beside the one that all cells have; density: of coefficients that are not 0, as far as a block may
    have; spread: of their codes
    """
    random = np.random.default_rng([seed, side_log2])
    lattice = Lattice(period, origin, shift)
    across, down = block_grid(*period, side_log2)
    own = components or channels
    dense = np.rint(random.normal(0, spread, (across * down, (pictures + 1) * own << 2 * side_log2))).astype(np.int16)
    dense[dense == 0] = 1
    dense[random.random(dense.shape) >= density] = 0
    dense[1:2] = 0
    for block in dense:
        block[np.flatnonzero(block)[MOST_IN_BLOCK - 1 :]] = 0
    dense[0, 5] = -300
    block, place = np.nonzero(dense)
    basis = np.linalg.qr(random.normal(size=(channels, channels)))[0][:own]
    columns, rows = lattice.cells(size)
    return RepeatLayer(
        lattice=lattice,
        blocks=ResidualLayer(
            side_log2=side_log2, step=float(np.float32(step)), offset_codes=(3, -9, 14),
            basis_codes=np.rint(basis * 32767).astype(np.int16),
            counts=np.bincount(block, minlength=len(dense)).astype(np.int32), places=place.astype(np.uint16),
            values=dense[block, place],
        ),
        weight_codes=random.integers(-128, 128, (pictures, rows, columns)).astype(np.int8),
    )  # fmt: skip


def with_repeat(quantized, **options):
    """A set with a layer of its own size and channels."""
    size = quantized.width, quantized.height
    return replace(quantized, repeat=made_repeat(size, quantized.channel_count, **options))
