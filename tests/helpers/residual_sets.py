"""Random residual layers that keep every law of the format."""

import numpy as np

from imagegs_tex.formats.igs.residual_layer import ResidualLayer, block_grid

MOST_IN_BLOCK = 128


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
