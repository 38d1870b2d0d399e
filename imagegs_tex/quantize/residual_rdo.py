"""A residual layer of what Gaussians leave: its basis, its coefficients, and codes chosen by error and bits.

Each code is the cheapest of the nearest, the one below and 0, by squared error plus what the coder's own model says of
its bits at that point. Plain rounding with a dead zone loses 0.2 dB at equal bytes.
The model is run over all places, as if no end were coded: with ends that are known, a component's last coefficient
seems free, and 0.2 dB are lost as well.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.formats.igs.binary_model import length_of
from imagegs_tex.formats.igs.residual_coder import (
    GROUPS,
    INPUTS,
    LARGEST_VALUE,
    LEVELS,
    VALUE_NODES,
    begin_block,
    begin_component,
    coder_tables,
    coefficient_contexts,
    learn,
    new_model,
    new_surroundings,
    note,
    predict,
    sum_levels,
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
from imagegs_tex.quantize.residual_nibbles import choose_by_nibbles

RATE_WEIGHT: Final = 0.12
"""Squared steps that a bit weighs; 0.07 and 0.2: no better on five crops, up to 0.4 dB worse."""
_SAMPLED_FROM: Final = 4096
"""Blocks from which on some are enough."""
_STRIPE: Final = 2
_SHARE: Final = 4
_PART: Final = 1024
"""Blocks, about, whose codes are chosen by one model, each part on a thread: that loses 0.002 to 0.01 dB."""
_BITS: Final = -np.log2(np.maximum(np.arange(65537), 1) / 65536)
"""Of a decision whose outcome has a probability in 1/65536."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """Codes of some of a picture's blocks, or of all, and what such a layer costs the whole picture."""

    layer: ResidualLayer | None  # of these blocks; None where nothing is worth its bits, or too much is
    bytes: float  # by the coder's model, or of lists on the GPU
    error: float  # squared


@dataclass(frozen=True, slots=True)
class Coefficients:
    """A residual in blocks of cosines and components of its own, not rounded; K' components, C channels."""

    side_log2: int
    across: int  # blocks
    basis_codes: NDArray[np.int16]  # [K', C]
    values: NDArray[np.float32]  # [blocks, K', side^2], places in the order of zigzag()
    most: NDArray[np.float32]  # [K'], the largest magnitude of each component
    scale: float  # blocks of the picture, for each that is here
    threads: int
    on_gpu: bool = False  # whether codes are chosen by the bits that they take there, not in the file

    @staticmethod
    def of(
        residual: NDArray[np.floating], side_log2: int, threads: int = 1, *, some: bool = False,
        scales: NDArray[np.float64] | None = None, components: NDArray[np.float64] | None = None, on_gpu: bool = False,
    ) -> "Coefficients":  # fmt: skip
        """Transform a residual.

        Args:
            residual: [H, W, C], source less picture in the code domain
            side_log2: blocks are 2^side_log2 texels wide and high
            threads: that transform and choose, whose number changes nothing
            some: of many blocks only some, to estimate by
            scales: [C], 1 at least, of the channels' errors; None for 1
            components: what :func:`principal_components` returns of both, where that is known
            on_gpu: whether codes are chosen by the bits that they take there
        """
        height, width, channels = residual.shape
        across, down = block_grid(width, height, side_log2)
        scales = np.ones(channels) if scales is None else scales
        components = principal_components(residual, scales) if components is None else components
        basis_codes = np.rint(components / scales * BASIS_SCALE).astype(np.int16)
        projection = (basis_codes / BASIS_SCALE * scales**2).T.astype(np.float32)
        rows = _sample(down, across) if some else np.arange(down)
        blocks = transformed(residual, projection, side_log2, rows, threads)
        return Coefficients(
            side_log2, across, basis_codes, blocks, _largest(blocks, across, threads), down / len(rows), threads, on_gpu
        )  # fmt: skip

    def chosen(self, step: float) -> "Chosen":
        """Return the layer of a step, of these blocks, and what it costs the picture."""
        step = float(np.float32(step))
        live = self.most >= step / 2
        components, places = int(np.count_nonzero(live)), self.values.shape[2]
        tables, weights = coder_tables(1 << self.side_log2, components), np.full(components, RATE_WEIGHT)

        def choose(part: slice) -> tuple[_Found, float, float]:
            values = self.values[part]
            # not values[:, live]: its components lie apart in memory, for which numba compiles all of _choose once more
            scaled = np.asarray(
                (values if components == len(live) else values.compress(live, axis=1)) / np.float32(step), np.float32
            )
            if self.on_gpu:
                codes, bits = choose_by_nibbles(scaled, RATE_WEIGHT)
            else:
                codes, bits = _choose(scaled, self.across, weights, tables, _BITS)
            by_block = len(codes), components * places
            limit_blocks(codes.reshape(by_block))
            error = float(_squared_error(scaled, codes)) * step**2
            error += float(np.square(values[:, ~live], dtype=np.float64).sum())
            return _found(codes.reshape(by_block), scaled.reshape(by_block)), float(bits), error

        with ThreadPoolExecutor(self.threads) as pool:
            parts = list(pool.map(choose, _parts(len(self.values), self.across)))
        found, used = _only_used(_joined([part for part, _, _ in parts]), components, places)
        layer = _layer_of(found, self.basis_codes[live][used], self.side_log2, step)
        bits, error = sum(part[1] for part in parts), sum(part[2] for part in parts)
        return Chosen(layer, bits / 8 * self.scale, error * self.scale)

    def layer(self, step: float) -> ResidualLayer | None:
        """Return the layer of a step; None where nothing is worth its bits, or there is more than a file may hold."""
        return self.chosen(step).layer


@dataclass(frozen=True, slots=True)
class _Found:
    """Coefficients of blocks that are not 0."""

    counts: NDArray[np.int32]  # [blocks], of each
    places: NDArray[np.int32]  # [M], component * side^2 + place
    codes: NDArray[np.int16]  # [M]
    off: NDArray[np.float32]  # [M], by how many steps their magnitudes were beyond those of the codes


def transformed(
    residual: NDArray[np.floating], projection: NDArray[np.float32], side_log2: int, rows: NDArray[np.int64],
    threads: int = 1,
) -> NDArray[np.float32]:  # fmt: skip
    """Return the coefficients [blocks, K', side^2] of rows of blocks of a residual [H, W, C], not rounded.

    Args:
        residual: source less picture
        projection: [C, K'], what makes components of channels
        side_log2: blocks are 2^side_log2 texels wide and high
        rows: of blocks
        threads: that transform, whose number changes nothing
    """
    side, across = 1 << side_log2, block_grid(residual.shape[1], residual.shape[0], side_log2)[0]
    table, order = texel_cosines(side).astype(np.float32), zigzag(side)
    values = np.empty((len(rows), across, projection.shape[1], side * side), np.float32)

    def transform(at: int) -> None:
        _transform(residual, projection, table, order, int(rows[at]), values[at])

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(transform, range(len(rows))))
    return values.reshape(len(rows) * across, projection.shape[1], -1)


def choose_codes(
    scaled: NDArray[np.float32],
    across: int,
    side_log2: int,
    rate_weights: NDArray[np.float64] | None = None,
    threads: int = 1,
) -> tuple[NDArray[np.int16], float]:
    """Return codes [blocks, K', places] of coefficients over the step, by error and bits, and their bits.

    Args:
        scaled: [blocks, K', places], places in the order of zigzag()
        across: blocks in a row
        side_log2: of a block's side
        rate_weights: [K'], squared steps that a bit weighs in each component; None: :data:`RATE_WEIGHT`
        threads: whose number changes nothing
    """
    components = scaled.shape[1]
    if components == 0:
        return np.zeros(scaled.shape, np.int16), 0.0
    weights = np.full(components, RATE_WEIGHT) if rate_weights is None else rate_weights
    tables = coder_tables(1 << side_log2, components)

    def choose(part: slice) -> tuple[NDArray[np.int16], float]:
        codes, bits = _choose(scaled[part], across, weights, tables, _BITS)
        return codes, float(bits)

    with ThreadPoolExecutor(threads) as pool:
        found = list(pool.map(choose, _parts(len(scaled), across)))
    return np.concatenate([codes for codes, _ in found]), sum(bits for _, bits in found)


def layer_of(
    codes: NDArray[np.int16], scaled: NDArray[np.float32], basis_codes: NDArray[np.int16], side_log2: int, step: float
) -> ResidualLayer | None:
    """Return the layer of blocks whose codes are chosen; None where there is nothing, or more than a file may hold.

    Args:
        codes: [blocks, places of all components]
        scaled: the same, not rounded, over the step
        basis_codes: [K', C]
        side_log2: of a block's side
        step: float32 value
    """
    return _layer_of(_found(codes, scaled), basis_codes, side_log2, step)


def make_residual_layer(residual: NDArray[np.floating], step: float, side_log2: int) -> ResidualLayer | None:
    """Return the layer of a residual; None where nothing of it is worth its bits.

    Args:
        residual: [H, W, C], source less picture, in the code domain
        step: of all coefficients
        side_log2: blocks are 2^side_log2 texels wide and high
    """
    return Coefficients.of(residual, side_log2).layer(step)


def principal_components(residual: NDArray[np.floating], scales: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the principal components [C, C] of a residual times scales of its channels, the strongest first."""
    channels = residual.shape[2]
    moments = np.zeros((channels, channels))
    for row in residual:
        moments += row.astype(np.float64).T @ row
    _, vectors = np.linalg.eigh(moments * np.outer(scales, scales))
    rows = vectors.T[::-1]
    return rows * np.where(rows[np.arange(channels), np.abs(rows).argmax(axis=1)] < 0, -1.0, 1.0)[:, None]


def _sample(down: int, across: int) -> NDArray[np.int64]:
    """Return the rows of blocks by which bytes are estimated: of many blocks a quarter, some next to each other."""
    rows = np.arange(down)
    return rows[rows // _STRIPE % _SHARE == 0] if down * across >= _SAMPLED_FROM else rows


def _parts(blocks: int, across: int) -> list[slice]:
    """Return the blocks, in rows of so many, of which each part has a model of its own."""
    rows = blocks // across
    parts = max(1, min(rows, blocks // _PART))
    return [slice(*bounds) for bounds in pairwise(rows * part // parts * across for part in range(parts + 1))]


def _largest(values: NDArray[np.float32], across: int, threads: int) -> NDArray[np.float32]:
    """Return the largest magnitude of each component [K'] of blocks [blocks, K', places]."""
    with ThreadPoolExecutor(threads) as pool:
        found = list(pool.map(lambda part: _largest_of(values[part]), _parts(len(values), across)))
    return np.asarray(np.max(found, axis=0))


def _joined(parts: list[_Found]) -> _Found:
    """Return the coefficients of parts, one behind the other."""
    return _Found(
        np.concatenate([part.counts for part in parts]), np.concatenate([part.places for part in parts]),
        np.concatenate([part.codes for part in parts]), np.concatenate([part.off for part in parts]),
    )  # fmt: skip


def _found(codes: NDArray[np.int16], scaled: NDArray[np.float32]) -> _Found:
    """Return what of codes [blocks, places of all components] is not 0; scaled: the same, not rounded."""
    counts = _counts_of(codes)
    total = int(counts.sum())
    found = _Found(counts, np.empty(total, np.int32), np.empty(total, np.int16), np.empty(total, np.float32))
    _gather(codes, scaled, found.places, found.codes, found.off)
    return found


def _only_used(found: _Found, component_count: int, place_count: int) -> tuple[_Found, NDArray[np.bool_]]:
    """Return coefficients with the components counted that any is of, and which of all components these are."""
    components = found.places // place_count
    used = np.bincount(components, minlength=component_count) > 0
    if used.all():
        return found, used
    return replace(found, places=found.places - (np.cumsum(~used).astype(np.int32) * place_count)[components]), used


def _layer_of(found: _Found, basis_codes: NDArray[np.int16], side_log2: int, step: float) -> ResidualLayer | None:
    """Return the layer of coefficients; None where there are none, or more than a file may hold."""
    blocks_held = BLOCKS_PER_COEFFICIENT * len(found.codes) + FREE_BLOCKS
    if not 1 <= len(found.codes) <= MOST_COEFFICIENTS or len(found.counts) > blocks_held:
        return None
    classes = np.minimum(np.abs(found.codes), 3)
    means = [float(found.off[classes == level].mean()) if np.any(classes == level) else 0.0 for level in (1, 2, 3)]
    first, second, third = (int(np.clip(np.rint(mean * OFFSET_SCALE), -MOST_OFFSET, MOST_OFFSET)) for mean in means)
    return ResidualLayer(
        side_log2=side_log2, step=step, offset_codes=(first, second, third), basis_codes=basis_codes,
        counts=found.counts, places=found.places.astype(np.uint16), values=found.codes,
    )  # fmt: skip


def limit_blocks(values: NDArray[np.int16]) -> None:
    """Leave each block [blocks, places] its largest coefficients, as many as the format allows."""
    for block in np.flatnonzero(_counts_of(values) > MOST_IN_BLOCK):
        smallest_first = np.argsort(np.abs(values[block]), kind="stable")
        values[block, smallest_first[:-MOST_IN_BLOCK]] = 0


@njit(cache=True, nogil=True)
def _largest_of(values):
    """Return the largest magnitude of each component [K'] of blocks [blocks, K', places]."""
    most = np.zeros(values.shape[1], np.float32)
    for block in range(values.shape[0]):
        for k in range(values.shape[1]):
            for p in range(values.shape[2]):
                most[k] = max(most[k], abs(values[block, k, p]))
    return most


@njit(cache=True, nogil=True)
def _counts_of(codes):
    """Return how many codes [blocks, places] are not 0 in each block; numpy takes 8 times as long along an axis."""
    counts = np.zeros(codes.shape[0], np.int32)
    for block in range(codes.shape[0]):
        count = 0
        for place in range(codes.shape[1]):
            count += 1 if codes[block, place] != 0 else 0
        counts[block] = count
    return counts


@njit(cache=True, nogil=True)
def _squared_error(scaled, codes):
    """Return the sum of what codes are off, squared, both [blocks, K', places]."""
    total = 0.0
    for block in range(codes.shape[0]):
        for k in range(codes.shape[1]):
            for p in range(codes.shape[2]):
                off = np.float64(scaled[block, k, p] - np.float32(codes[block, k, p]))
                total += off * off
    return total


@njit(cache=True, nogil=True)
def _gather(codes, scaled, places, found, off):
    """Fill in place and code [M] of what of codes [blocks, places] is not 0, and what their magnitudes were beyond."""
    at = 0
    for block in range(codes.shape[0]):
        for place in range(codes.shape[1]):
            code = codes[block, place]
            if code != 0:
                places[at], found[at] = place, code
                off[at] = np.float32(abs(scaled[block, place])) - np.float32(abs(code))
                at += 1


@njit(cache=True, nogil=True)
def _sum_up(block, table, lines, both):
    """Fill in what a block [side, side] has of each cosine, along its columns and along both axes."""
    side = len(table)
    lines[:] = 0.0
    both[:] = 0.0
    for u in range(side):
        for i in range(side):
            for j in range(side):
                lines[u, j] += table[i, u] * block[i, j]
    for u in range(side):
        for j in range(side):
            for v in range(side):
                both[u, v] += lines[u, j] * table[j, v]


@njit(cache=True, nogil=True)
def _transform(residual, projection, table, order, row, values):
    """Fill in the coefficients [across, K', places] of a row of blocks; edges go on beyond the picture [H, W, C]."""
    height, width, channels = residual.shape
    side, components = len(table), projection.shape[1]
    own = np.empty((components, side, side), np.float32)
    lines, both = np.empty((side, side), np.float32), np.empty((side, side), np.float32)
    for x in range(values.shape[0]):
        for i in range(side):
            for j in range(side):
                texel = residual[min(row * side + i, height - 1), min(x * side + j, width - 1)]
                for k in range(components):
                    total = np.float32(0.0)
                    for c in range(channels):
                        total += np.float32(texel[c]) * projection[c, k]
                    own[k, i, j] = total
        for k in range(components):
            _sum_up(own[k], table, lines, both)
            for p in range(side * side):
                values[x, k, p] = both[order[p] // side, order[p] % side]


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
def _choose(scaled, across, rate_weights, tables, bits):
    """Return codes [blocks, K', places] of coefficients over the step, and their bits."""
    block_count, channels, place_count = scaled.shape
    values = np.zeros(scaled.shape, np.int16)
    model = new_model(tables.starts[-1], GROUPS * LEVELS, VALUE_NODES, INPUTS)
    around = new_surroundings(across, channels, place_count)
    probabilities = np.zeros(VALUE_NODES, np.int64)
    total = 0.0
    for block in range(block_count):
        x, odd = begin_block(block, across, around)
        filled = 0
        for k in range(channels):
            own = 0
            begin_component(k, place_count, x, odd, around, tables)
            own_level, filled_level = sum_levels(own, filled, k, tables)
            for p in range(place_count):
                set_of = coefficient_contexts(
                    k, p, place_count, own_level, filled_level, around, tables, model.contexts
                )  # fmt: skip
                size = abs(scaled[block, k, p])
                nearest = min(int(size + 0.5), LARGEST_VALUE)
                if nearest == 0:
                    sure = predict(0, set_of, INPUTS, model, tables)
                    total += bits[65536 - sure]
                    learn(0, sure, 0, set_of, INPUTS, model, tables)
                    continue
                for node in range(min(nearest + 1, VALUE_NODES)):
                    probabilities[node] = predict(node, set_of, INPUTS, model, tables)
                chosen, taken = _cheapest(size, nearest, rate_weights[k], probabilities, bits)
                total += taken
                for node in range(min(chosen + 1, VALUE_NODES)):
                    learn(1 if chosen > node else 0, probabilities[node], node, set_of, INPUTS, model, tables)
                values[block, k, p] = chosen if scaled[block, k, p] >= 0 else -chosen
                if chosen > 0:
                    note(chosen, k, p, x, odd, around, tables)
                    own += chosen
                    filled += chosen
                    own_level, filled_level = sum_levels(own, filled, k, tables)
    return values, total
