"""Residual layers made up at random, which keep every law."""

import numpy as np

from imagegs_tex.formats.igs.residual_layer import ResidualLayer, block_grid


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
