"""A residual layer of what Gaussians leave: its basis, its coefficients, and codes chosen by error and bits.

Each code is the cheapest of the nearest, the one below and 0, by squared error plus what the coder's own model says of
its bits at that point. Plain rounding with a dead zone loses 0.2 dB at equal bytes.
The model is run over all places, as if no end were coded: with ends that are known, a component's last coefficient
seems free, and 0.2 dB are lost as well.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.formats.igs.binary_model import length_of
from imagegs_tex.formats.igs.residual_coder import (
    GROUPS,
    INPUTS,
    LEVELS,
    VALUE_NODES,
    coder_tables,
    coefficient_contexts,
    learn,
    new_model,
    predict,
)
from imagegs_tex.formats.igs.residual_layer import (
    BASIS_SCALE,
    MOST_IN_BLOCK,
    OFFSET_SCALE,
    ResidualLayer,
    block_grid,
)
from imagegs_tex.formats.igs.residual_picture import texel_cosines
from imagegs_tex.formats.igs.zigzag import zigzag
from imagegs_tex.jit import njit

RATE_WEIGHT: Final = 0.12
"""Squared steps that a bit weighs; 0.07 and 0.2: no better on five crops, up to 0.4 dB worse."""
_BITS: Final = -np.log2(np.maximum(np.arange(65537), 1) / 65536)
"""Of a decision whose outcome has a probability in 1/65536."""


def make_residual_layer(residual: NDArray[np.floating], step: float, side_log2: int) -> ResidualLayer | None:
    """Return the layer of a residual; None where nothing of it is worth its bits.

    Args:
        residual: [H, W, C], source less picture, in the code domain
        step: of all coefficients
        side_log2: blocks are 2^side_log2 texels wide and high
    """
    height, width, channels = residual.shape
    side, (across, down) = 1 << side_log2, block_grid(width, height, side_log2)
    flat = residual.reshape(-1, channels).astype(np.float64)
    _, vectors = np.linalg.eigh(flat.T @ flat)
    basis_codes = np.rint(vectors.T[::-1] * BASIS_SCALE).astype(np.int16)
    padded = np.pad(residual, ((0, down * side - height), (0, across * side - width), (0, 0)), mode="edge")
    components = padded.astype(np.float64) @ (basis_codes / BASIS_SCALE).T
    table = texel_cosines(side).T
    blocks = components.reshape(down, side, across, side, channels)
    scaled = np.einsum("dyaxk,uy,vx->dakuv", blocks, table, table, optimize=True).reshape(down * across, channels, -1)
    scaled = np.ascontiguousarray(scaled[..., zigzag(side)]) / np.float64(np.float32(step))
    values = _choose(scaled, across, RATE_WEIGHT, coder_tables(side, channels), _BITS).reshape(down * across, -1)
    _limit(values)
    used = values.reshape(len(values), channels, -1).any(axis=(0, 2))
    if not used.any():
        return None
    values, scaled, basis_codes = values.reshape(scaled.shape)[:, used], scaled[:, used], basis_codes[used]
    values = values.reshape(len(values), -1)
    block, place = np.nonzero(values)
    kept = values[block, place]
    off = np.abs(scaled.reshape(values.shape)[block, place]) - np.abs(kept)
    classes = np.minimum(np.abs(kept), 3)
    means = [off[classes == level].mean() if np.any(classes == level) else 0.0 for level in (1, 2, 3)]
    first, second, third = (int(np.clip(np.rint(mean * OFFSET_SCALE), -64, 64)) for mean in means)
    return ResidualLayer(
        side_log2=side_log2, step=float(np.float32(step)), offset_codes=(first, second, third),
        basis_codes=basis_codes, counts=np.bincount(block, minlength=len(values)).astype(np.int32),
        places=place.astype(np.uint16), values=kept.astype(np.int16),
    )  # fmt: skip


def _limit(values: NDArray[np.int16]) -> None:
    """Leave each block [blocks, places] its largest coefficients, as many as the format allows."""
    for block in np.flatnonzero(np.count_nonzero(values, axis=1) > MOST_IN_BLOCK):
        smallest_first = np.argsort(np.abs(values[block]), kind="stable")
        values[block, smallest_first[:-MOST_IN_BLOCK]] = 0


@njit(cache=True, nogil=True)
def _choose(scaled, across, rate_weight, tables, bits):
    """Return codes [blocks, C, places] of coefficients over the step."""
    block_count, channels, place_count = scaled.shape
    values = np.zeros(scaled.shape, np.int16)
    model = new_model(tables.starts[-1], GROUPS * LEVELS, VALUE_NODES, INPUTS)
    row = np.zeros((across, channels, place_count), np.int32)
    above = np.zeros_like(row)
    probabilities = np.zeros(VALUE_NODES, np.int64)
    for block in range(block_count):
        x = block % across
        if x == 0 and block > 0:
            row, above = above, row
            row[:] = 0
        filled = 0
        for k in range(channels):
            own = 0
            for p in range(place_count):
                set_of = coefficient_contexts(k, p, place_count, x, own, filled, row, above, tables, model.contexts)
                size = abs(scaled[block, k, p])
                nearest = min(int(size + 0.5), 1 << 14)
                for node in range(min(nearest + 1, VALUE_NODES)):
                    probabilities[node] = predict(node, set_of, model, tables)
                best, chosen = np.inf, 0
                for value in (nearest, nearest - 1, 0):
                    if value < 0:
                        continue
                    cost = 1.0 if value > 0 else 0.0
                    for node in range(min(value, VALUE_NODES)):
                        cost += bits[probabilities[node]]
                    if value < VALUE_NODES:
                        cost += bits[65536 - probabilities[value]]
                    else:
                        cost += 2 * length_of(value - VALUE_NODES + 1) - 1
                    cost = (size - value) ** 2 + rate_weight * cost
                    if cost < best:
                        best, chosen = cost, value
                for node in range(min(chosen + 1, VALUE_NODES)):
                    again = predict(node, set_of, model, tables)
                    learn(1 if chosen > node else 0, again, node, set_of, model, tables)
                values[block, k, p] = chosen if scaled[block, k, p] >= 0 else -chosen
                row[x, k, p] = chosen
                own += chosen
                filled += chosen
    return values
