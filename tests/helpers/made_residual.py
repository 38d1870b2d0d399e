"""Residual layers made up at random, which keep every law."""

import numpy as np

from imagegs_tex.formats.igs.residual_layer import MOST_IN_BLOCK, ResidualLayer, block_grid


def made_layer(size, channels, side_log2, *, components=None, density=0.1, seed=0, scale=2.0, step=0.01):
    """A layer of a picture of a size with an empty block, and a code of -700 in the first one."""
    random = np.random.default_rng([seed, side_log2])
    across, down = block_grid(*size, side_log2)
    own = components or channels
    dense = np.rint(random.normal(0, scale, (across * down, own << 2 * side_log2))).astype(np.int16)
    dense[random.random(dense.shape) > min(density, 100 / dense.shape[1])] = 0
    dense[0, 5] = -700
    dense[1:2] = 0
    block, place = np.nonzero(dense)
    basis = np.linalg.qr(random.normal(size=(channels, channels)))[0][:own]
    return ResidualLayer(
        side_log2=side_log2, step=float(np.float32(step)), offset_codes=(3, -5, 0),
        basis_codes=np.rint(basis * 32767).astype(np.int16),
        counts=np.bincount(block, minlength=len(dense)).astype(np.int32), places=place.astype(np.uint16),
        values=dense[block, place],
    )  # fmt: skip


def made_residual(quantized, side_log2=3, density=0.1, spread=1.2, step=0.02, seed=1, components=None, only=None):
    """A layer of a set.

    density: of coefficients that are not 0, as far as a block may have; spread: of their codes;
    only: the coefficients instead, (block, component * side^2 + place, code)
    """
    rng = np.random.default_rng(seed)
    across, down = block_grid(quantized.width, quantized.height, side_log2)
    channels = quantized.channel_count
    own = components or channels
    codes = np.zeros((across * down, own << 2 * side_log2), np.int64)
    if only is None:
        codes[:] = np.rint(rng.normal(0, spread, codes.shape))
        codes[codes == 0] = 1
        codes[rng.random(codes.shape) >= density] = 0
        for block in codes:
            block[np.flatnonzero(block)[MOST_IN_BLOCK:]] = 0
    for block, place, code in only or []:
        codes[block, place] = code
    block, place = np.nonzero(codes)
    basis = np.linalg.qr(rng.normal(size=(channels, channels)))[0][:own]
    return ResidualLayer(
        side_log2=side_log2, step=float(np.float32(step)), offset_codes=(3, -9, 14),
        basis_codes=np.rint(basis * 32767).astype(np.int16),
        counts=np.bincount(block, minlength=len(codes)).astype(np.int32), places=place.astype(np.uint16),
        values=codes[block, place].astype(np.int16),
    )  # fmt: skip
