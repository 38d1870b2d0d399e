"""A residual layer of what Gaussians leave: its basis, its coefficients, and codes chosen by error and bits.

Each code is the cheapest of the nearest, the one below and 0, by squared error plus what the coder's own model says of
its bits at that point. Plain rounding with a dead zone loses 0.2 dB at equal bytes.
The model is run over all places, as if no end were coded: with ends that are known, a component's last coefficient
seems free, and 0.2 dB are lost as well.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.formats.igs.binary_model import length_of
from imagegs_tex.formats.igs.residual_coder import (
    GROUPS,
    INPUTS,
    LARGEST_VALUE,
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
    BLOCKS_PER_COEFFICIENT,
    FREE_BLOCKS,
    MOST_COEFFICIENTS,
    MOST_IN_BLOCK,
    MOST_OFFSET,
    OFFSET_SCALE,
    ResidualLayer,
    block_grid,
)
from imagegs_tex.formats.igs.residual_picture import texel_cosines
from imagegs_tex.formats.igs.zigzag import zigzag
from imagegs_tex.jit import njit

RATE_WEIGHT: Final = 0.12
"""Squared steps that a bit weighs; 0.07 and 0.2: no better on five crops, up to 0.4 dB worse."""
_SAMPLED_FROM: Final = 32
"""Rows of blocks from which on some are enough."""
_STRIPE: Final = 4
_SHARE: Final = 4
_BITS: Final = -np.log2(np.maximum(np.arange(65537), 1) / 65536)
"""Of a decision whose outcome has a probability in 1/65536."""


@dataclass(frozen=True, slots=True)
class Coefficients:
    """A residual in blocks of cosines and components of its own, not rounded; K' components, C channels."""

    side_log2: int
    across: int  # blocks
    basis_codes: NDArray[np.int16]  # [K', C]
    values: NDArray[np.float32]  # [blocks, K', side^2], places in the order of zigzag()

    @staticmethod
    def of(residual: NDArray[np.floating], side_log2: int) -> "Coefficients":
        """Transform a residual [H, W, C], source less picture in the code domain."""
        height, width, channels = residual.shape
        side, (across, down) = 1 << side_log2, block_grid(width, height, side_log2)
        basis_codes = _components(residual)
        projection = (basis_codes / BASIS_SCALE).T.astype(np.float32)
        table, order = texel_cosines(side).astype(np.float32), zigzag(side)
        padding = ((0, down * side - height), (0, across * side - width), (0, 0))
        padded = np.pad(residual.astype(np.float32), padding, mode="edge")
        values = np.empty((down, across, channels, side * side), np.float32)
        for row in range(down):  # bounds the memory of temporaries
            band = (padded[row * side : (row + 1) * side] @ projection).reshape(side, across, side, channels)
            rows = np.tensordot(table, band, (0, 0))  # [u, across, x, K']
            both = np.tensordot(rows, table, (2, 0))  # [u, across, K', v]
            values[row] = both.transpose(1, 2, 0, 3).reshape(across, channels, -1)[..., order]
        return Coefficients(side_log2, across, basis_codes, values.reshape(down * across, channels, -1))

    def estimate(self, step: float) -> tuple[float, float, float]:
        """Return what a layer of a step costs, by some of the blocks: bytes, squared error, coefficients per block."""
        some = self.values[_sample(len(self.values) // self.across, self.across)]
        scale = len(self.values) / len(some)
        live = _live(some, step)
        codes, bits = _choose(some[:, live] / np.float32(step), self.across, RATE_WEIGHT, *self._tables(live))
        flat = codes.reshape(len(codes), -1)
        _limit(flat)
        error = float(np.square(some[:, live] - codes * np.float32(step), dtype=np.float64).sum())
        error += float(np.square(some[:, ~live], dtype=np.float64).sum())
        return bits / 8 * scale, error * scale, np.count_nonzero(flat) / len(flat)

    def layer(self, step: float) -> ResidualLayer | None:
        """Return the layer of a step; None where nothing is worth its bits, or there is more than a file may hold."""
        step = float(np.float32(step))
        live = _live(self.values, step)
        if not live.any():
            return None
        scaled = self.values[:, live] / np.float32(step)
        codes, _ = _choose(scaled, self.across, RATE_WEIGHT, *self._tables(live))
        _limit(codes.reshape(len(codes), -1))
        used = codes.any(axis=(0, 2))
        block, place = np.nonzero(codes[:, used].reshape(len(codes), -1))
        blocks_held = BLOCKS_PER_COEFFICIENT * len(block) + FREE_BLOCKS
        if not 1 <= len(block) <= MOST_COEFFICIENTS or len(codes) > blocks_held:
            return None
        kept = codes[:, used].reshape(len(codes), -1)[block, place]
        off = np.abs(scaled[:, used].reshape(len(codes), -1)[block, place]) - np.abs(kept)
        classes = np.minimum(np.abs(kept), 3)
        means = [float(off[classes == level].mean()) if np.any(classes == level) else 0.0 for level in (1, 2, 3)]
        first, second, third = (int(np.clip(np.rint(mean * OFFSET_SCALE), -MOST_OFFSET, MOST_OFFSET)) for mean in means)
        return ResidualLayer(
            side_log2=self.side_log2, step=step, offset_codes=(first, second, third),
            basis_codes=self.basis_codes[live][used], counts=np.bincount(block, minlength=len(codes)).astype(np.int32),
            places=place.astype(np.uint16), values=kept,
        )  # fmt: skip

    def _tables(self, live: NDArray[np.bool_]) -> tuple[Any, NDArray[np.float64]]:
        return coder_tables(1 << self.side_log2, int(live.sum())), _BITS


def make_residual_layer(residual: NDArray[np.floating], step: float, side_log2: int) -> ResidualLayer | None:
    """Return the layer of a residual; None where nothing of it is worth its bits.

    Args:
        residual: [H, W, C], source less picture, in the code domain
        step: of all coefficients
        side_log2: blocks are 2^side_log2 texels wide and high
    """
    return Coefficients.of(residual, side_log2).layer(step)


def _components(residual: NDArray[np.floating]) -> NDArray[np.int16]:
    """Return the principal components of a residual [C, C], in 1/32767, the strongest first."""
    channels = residual.shape[2]
    moments = np.zeros((channels, channels))
    for row in residual:
        moments += row.astype(np.float64).T @ row
    _, vectors = np.linalg.eigh(moments)
    rows = vectors.T[::-1]
    rows = rows * np.where(rows[np.arange(channels), np.abs(rows).argmax(axis=1)] < 0, -1.0, 1.0)[:, None]
    return np.rint(rows * BASIS_SCALE).astype(np.int16)


def _sample(down: int, across: int) -> NDArray[np.int64]:
    """Return the blocks by which bytes are estimated: a quarter of the rows, some next to each other."""
    rows = np.arange(down)
    if down >= _SAMPLED_FROM:
        rows = rows[rows // _STRIPE % _SHARE == 0]
    return (rows[:, None] * across + np.arange(across)).ravel()


def _live(values: NDArray[np.float32], step: float) -> NDArray[np.bool_]:
    """Return which components [K'] have anything to round."""
    most = np.maximum(values.max(axis=(0, 2)), -values.min(axis=(0, 2)))
    return np.asarray(most >= step / 2)


def _limit(values: NDArray[np.int16]) -> None:
    """Leave each block [blocks, places] its largest coefficients, as many as the format allows."""
    for block in np.flatnonzero(np.count_nonzero(values, axis=1) > MOST_IN_BLOCK):
        smallest_first = np.argsort(np.abs(values[block]), kind="stable")
        values[block, smallest_first[:-MOST_IN_BLOCK]] = 0


@njit(cache=True, nogil=True)
def _cheapest(size, nearest, rate_weight, probabilities, bits):
    """Return the code of a magnitude, of the nearest, the one below and 0, and its bits."""
    best, chosen, taken = np.inf, 0, 0.0
    for value in (nearest, nearest - 1, 0):
        cost = 1.0 if value > 0 else 0.0
        for node in range(min(value, VALUE_NODES)):
            cost += bits[probabilities[node]]
        if value < VALUE_NODES:
            cost += bits[65536 - probabilities[value]]
        else:
            cost += 2 * length_of(value - VALUE_NODES + 1) - 1
        both = (size - value) ** 2 + rate_weight * cost
        if both < best:
            best, chosen, taken = both, value, cost
    return chosen, taken


@njit(cache=True, nogil=True)
def _choose(scaled, across, rate_weight, tables, bits):
    """Return codes [blocks, K', places] of coefficients over the step, and their bits."""
    block_count, channels, place_count = scaled.shape
    values = np.zeros(scaled.shape, np.int16)
    model = new_model(tables.starts[-1], GROUPS * LEVELS, VALUE_NODES, INPUTS)
    row = np.zeros((across, channels, place_count), np.int32)
    above = np.zeros_like(row)
    probabilities = np.zeros(VALUE_NODES, np.int64)
    total = 0.0
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
                nearest = min(int(size + 0.5), LARGEST_VALUE)
                if nearest == 0:
                    sure = predict(0, set_of, model, tables)
                    total += bits[65536 - sure]
                    learn(0, sure, 0, set_of, model, tables)
                    continue
                for node in range(min(nearest + 1, VALUE_NODES)):
                    probabilities[node] = predict(node, set_of, model, tables)
                chosen, taken = _cheapest(size, nearest, rate_weight, probabilities, bits)
                total += taken
                for node in range(min(chosen + 1, VALUE_NODES)):
                    again = predict(node, set_of, model, tables)
                    learn(1 if chosen > node else 0, again, node, set_of, model, tables)
                values[block, k, p] = chosen if scaled[block, k, p] >= 0 else -chosen
                row[x, k, p] = chosen
                own += chosen
                filled += chosen
    return values, total
