"""A residual layer of which some blocks are coded anew, where they no longer hold what they should."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.formats.igs.residual_coder import LARGEST_VALUE
from imagegs_tex.formats.igs.residual_layer import (
    BASIS_SCALE,
    BLOCKS_PER_COEFFICIENT,
    FREE_BLOCKS,
    MOST_COEFFICIENTS,
    MOST_IN_BLOCK,
    ResidualLayer,
    block_grid,
    coefficient_values,
)
from imagegs_tex.quantize.residual_rdo import choose_codes, limit_blocks, transformed

_OFF: Final = 2.0
"""Steps by which no coefficient is off whose code was chosen: one of 1.6 may be 0 where its bits are dear."""


@dataclass(frozen=True, slots=True)
class HeldBlocks:
    """A layer, and what its blocks should hold now; K' components with those that complete its basis to C channels."""

    layer: ResidualLayer
    grid: tuple[int, int]  # blocks across and down
    basis_codes: NDArray[np.int16]  # [C, C], the layer's and what no colour of it has
    off: NDArray[np.float32]  # [blocks, C, places], what a block should hold less what it does, over the step
    threads: int

    @staticmethod
    def of(layer: ResidualLayer, residual: NDArray[np.floating], threads: int = 1) -> "HeldBlocks":
        """Compare a layer with what it should add to a picture now.

        Args:
            layer: the layer
            residual: [H, W, C], source less picture in the code domain
            threads: whose number changes nothing
        """
        height, width, _ = residual.shape
        grid, basis_codes = block_grid(width, height, layer.side_log2), _completed(layer)
        projection = np.linalg.pinv(basis_codes / BASIS_SCALE).astype(np.float32)
        off = transformed(residual, projection, layer.side_log2, np.arange(grid[1]), threads)
        off /= np.float32(layer.step)
        off.reshape(len(off), -1)[_block_of_each(layer), layer.places] -= _held(layer)
        return HeldBlocks(layer, grid, basis_codes, off, threads)

    def changed(self) -> NDArray[np.bool_]:
        """Return which blocks [down, across] hold something else than they should."""
        most = np.maximum(self.off.max(axis=(1, 2)), -self.off.min(axis=(1, 2)))
        return np.asarray(most > _usual_most(self.layer)).reshape(self.grid[::-1])

    def recoded(self, anew: NDArray[np.bool_]) -> ResidualLayer | None:
        """Return the layer with blocks coded anew; None where that is more, or less, than a file may hold.

        Args:
            anew: which blocks [down, across], one at least; all others keep their coefficients
        """
        layer, place_count, is_new = self.layer, self.off.shape[2], anew.reshape(-1)
        block = _block_of_each(layer)
        stays = ~is_new[block]
        found, places, values = self._chosen(anew)
        blocks = np.concatenate([block[stays], found])
        places = np.concatenate([layer.places[stays], places])
        values = np.concatenate([layer.values[stays], values])
        most_blocks = BLOCKS_PER_COEFFICIENT * len(values) + FREE_BLOCKS
        if not 1 <= len(values) <= MOST_COEFFICIENTS or len(is_new) > most_blocks:
            return None
        used = np.arange(len(self.basis_codes)) < len(layer.basis_codes)
        used[places // place_count] = True
        places = (np.cumsum(used) - 1)[places // place_count] * place_count + places % place_count
        order = np.lexsort((places, blocks))
        return replace(
            layer, basis_codes=self.basis_codes[used],
            counts=np.bincount(blocks, minlength=len(is_new)).astype(np.int32),
            places=places[order].astype(np.uint16), values=values[order],
        )  # fmt: skip

    def _chosen(self, anew: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int16]]:
        """Return block, place and code [M] of all coefficients that blocks [down, across] have when they are coded."""
        layer = self.layer
        rows, columns = (np.flatnonzero(anew.any(axis=axis)) for axis in (1, 0))
        lines, places = np.arange(rows[0], rows[-1] + 1), np.arange(columns[0], columns[-1] + 1)
        part = (lines[:, None] * self.grid[0] + places).reshape(-1)  # a rectangle, for what is beside each
        number = np.full(len(self.off), -1)
        number[part] = np.arange(len(part))
        at = number[_block_of_each(layer)]
        inside = at >= 0
        scaled = self.off[part]
        scaled.reshape(len(part), -1)[at[inside], layer.places[inside]] += _held(layer)[inside]
        codes = choose_codes(scaled, len(places), layer.side_log2, threads=self.threads)[0].reshape(len(part), -1)
        limit_blocks(codes)
        codes[~anew.reshape(-1)[part]] = 0
        found = np.nonzero(codes)
        return part[found[0]], found[1], codes[found]


def _block_of_each(layer: ResidualLayer) -> NDArray[np.int64]:
    """Return the block [M] of each coefficient."""
    return np.repeat(np.arange(len(layer.counts)), layer.counts)


def _held(layer: ResidualLayer) -> NDArray[np.float32]:
    """Return what the coefficients' codes mean [M], over the step."""
    return (coefficient_values(layer) / layer.step).astype(np.float32)


def _usual_most(layer: ResidualLayer) -> NDArray[np.float64]:
    """Return by how many steps a coefficient is off at most where nothing has changed [blocks].

    What a full block has no room for is no larger than the smallest that it holds.
    """
    smallest = np.full(len(layer.counts), LARGEST_VALUE)
    np.minimum.at(smallest, _block_of_each(layer), np.abs(layer.values.astype(np.int64)))
    return np.where(layer.counts == MOST_IN_BLOCK, smallest + _OFF, _OFF)


def _completed(layer: ResidualLayer) -> NDArray[np.int16]:
    """Return a layer's components, and behind them those at right angles to all of them [C, C]."""
    rows = layer.basis_codes / BASIS_SCALE
    others = np.linalg.svd(rows)[2][len(rows) :]
    others *= np.where(others[np.arange(len(others)), np.abs(others).argmax(axis=1)] < 0, -1.0, 1.0)[:, None]
    return np.concatenate([layer.basis_codes, np.rint(others * BASIS_SCALE).astype(np.int16)])
