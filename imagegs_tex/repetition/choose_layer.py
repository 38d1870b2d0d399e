"""A repeat layer of a picture's cells: which components are worth their bits, rounded pictures, and weights.

One step rounds all pictures. An error in one of them counts once for each cell, as often as its weights are large; so
bits weigh the less the larger these are. Weights are solved for once the pictures are rounded.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.formats.igs.repeat_layer import MOST_PLACES, WEIGHT_RANGE, WEIGHT_SCALE, RepeatLayer
from imagegs_tex.formats.igs.residual_layer import ResidualLayer, block_grid
from imagegs_tex.formats.igs.residual_picture import residual_picture
from imagegs_tex.quantize.residual_rdo import RATE_WEIGHT, Coefficients, choose_codes, layer_of, limit_blocks
from imagegs_tex.repetition.cell_pictures import CellPictures, Cells, cells_of, is_whole

_LEAST_COEFFICIENT: Final = 0.6
"""Steps, from which on one is counted as kept."""
_COEFFICIENT_BITS: Final = 4.0
_MOST_CODE: Final = 120
"""Of a weight at first; solved for again, some become larger."""
_LEAST_SCALE: Final = 3 / WEIGHT_SCALE
_RIDGE: Final = 1e-9


@dataclass(frozen=True, slots=True)
class RepeatCoefficients:
    """Pictures of a cell in blocks of cosines, not rounded."""

    cells: CellPictures
    side_log2: int
    basis_codes: NDArray[np.int16]  # [C, C]
    values: NDArray[np.float32]  # [blocks, V + 1, C, side^2], of pictures whose weights have the mean square 1

    @staticmethod
    def of(cells: CellPictures, side_log2: int) -> "RepeatCoefficients":
        """Transform the pictures."""
        scales = np.sqrt(cells.energies / len(cells.whole)).astype(np.float32)
        pictures = np.concatenate([cells.mean[None], cells.directions * scales[:, None]])
        side, (down, across, _) = 1 << side_log2, cells.shape
        padding = ((0, -down % side), (0, -across % side), (0, 0))
        stacked = np.concatenate([np.pad(picture.reshape(cells.shape), padding, mode="edge") for picture in pictures])
        found = Coefficients.of(stacked, side_log2)
        values = found.values.reshape(len(pictures), -1, *found.values.shape[1:]).transpose(1, 0, 2, 3)
        return RepeatCoefficients(cells, side_log2, found.basis_codes, np.ascontiguousarray(values))

    def layer(self, step: float) -> RepeatLayer | None:
        """Return the layer of a step; None where nothing is worth its bits, or it is more than a file may hold."""
        step = float(np.float32(step))
        chosen, scales = self._worth(step)
        divisors = (scales[:, None, None] * step).astype(np.float32)
        scaled: NDArray[np.float32] = np.divide(self.values[:, chosen], divisors, dtype=np.float32)
        live = np.abs(scaled).max(axis=(0, 1, 3)) >= 1 / 2
        scaled = scaled[:, :, live]
        blocks, _, components, places = scaled.shape
        if scaled.size == 0 or scaled.size > MOST_PLACES:
            return None
        across = block_grid(*self.cells.lattice.period, self.side_log2)[0]
        weights = np.repeat(RATE_WEIGHT / np.square(scales), components)
        codes, _ = choose_codes(scaled.reshape(blocks, -1, places), across, self.side_log2, weights)
        limit_blocks(codes.reshape(blocks, -1))
        by_picture = codes.reshape(scaled.shape)
        used, kept = np.asarray(by_picture.any(axis=(0, 1, 3))), np.asarray(by_picture.any(axis=(0, 2, 3)))
        kept[0] = True
        part = np.ix_(np.arange(blocks), kept, used, np.arange(places))
        layer = layer_of(
            by_picture[part].reshape(blocks, -1), scaled[part].reshape(blocks, -1), self.basis_codes[live][used],
            self.side_log2, step,
        )  # fmt: skip
        return None if layer is None else _weighted(self.cells, layer, int(kept.sum()))

    def _worth(self, step: float) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """Return the pictures that are worth their bits, the first one too, and how large their weights should be.

        A bit is worth RATE_WEIGHT squared steps in each cell. Weights of the root mean square s make errors of a
        picture's K coefficients s^2 as important and those of the weights 1 / s^2, and move bits from the n weights to
        the coefficients: their sum is least where K s^2 / 6 + p (n - K) - r / s^2 = 0.
        """
        cells, count = self.cells, len(self.cells.whole)
        chosen, scales = [0], [1.0]
        for number, (energy, peak) in enumerate(zip(cells.energies, cells.peaks, strict=True), 1):
            kept = int((np.abs(self.values[:, number]) > _LEAST_COEFFICIENT * step).sum())
            if kept == 0:
                continue
            price = RATE_WEIGHT / np.log(2) * (count - kept)
            rounding = energy / (6 * WEIGHT_SCALE**2 * count * step**2)
            square = (np.sqrt(price**2 + 2 / 3 * kept * rounding) - price) / (kept / 3)
            scale = float(np.clip(np.sqrt(square), _LEAST_SCALE, _MOST_CODE / WEIGHT_SCALE / peak))
            bits = count * np.log2(max(2.0, 4 * scale * WEIGHT_SCALE)) + _COEFFICIENT_BITS * kept
            if energy > RATE_WEIGHT * step**2 * count * bits:
                chosen.append(number)
                scales.append(scale)
        return np.array(chosen), np.array(scales)


def _weighted(cells: CellPictures, blocks: ResidualLayer, picture_count: int) -> RepeatLayer:
    """Return the layer with the weights that suit its pictures as they were rounded."""
    lattice = cells.lattice
    columns, rows = lattice.cells(cells.size)
    codes = np.zeros((picture_count - 1, rows, columns), np.int8)
    if picture_count == 1:
        return RepeatLayer(lattice, blocks, codes)
    pictures = drawn_pictures(blocks, lattice.period, picture_count)
    flat = pictures.reshape(picture_count, -1)
    codes[:, cells.places[:, 0], cells.places[:, 1]] = _solved(flat, cells.whole)
    for cell in cells_of(lattice, cells.size):
        if not is_whole(cell, lattice):
            own = pictures[(slice(None), *cell.inside)].reshape(picture_count, -1)
            codes[:, cell.row, cell.column] = _solved(own, cells.picture[cell.texels].reshape(1, -1))[:, 0]
    return RepeatLayer(lattice, blocks, codes)


def _solved(pictures: Cells, cells: Cells) -> NDArray[np.int8]:
    """Return codes [V, n] of the weights with which pictures [1 + V, D] come nearest to cells [n, D]."""
    own = pictures[1:]
    system = (own @ own.T).astype(np.float64)
    system[np.diag_indices_from(system)] += _RIDGE + _RIDGE * np.trace(system)
    weights = np.linalg.solve(system, (own @ cells.T - (own @ pictures[0])[:, None]).astype(np.float64))
    return np.clip(np.rint(weights * WEIGHT_SCALE), *WEIGHT_RANGE).astype(np.int8)


def drawn_pictures(blocks: ResidualLayer, period: tuple[int, int], picture_count: int) -> Cells:
    """Return the pictures of a cell [V + 1, P_y, P_x, C] as their codes say them."""
    of = np.repeat(np.arange(len(blocks.counts)), blocks.counts)
    per_picture = len(blocks.basis_codes) * blocks.side**2
    number, place = np.divmod(blocks.places, per_picture)
    drawn = []
    for picture in range(picture_count):
        own = number == picture
        counts = np.bincount(of[own], minlength=len(blocks.counts)).astype(np.int32)
        one = replace(blocks, counts=counts, places=place[own], values=blocks.values[own])
        drawn.append(residual_picture(one, period, period))
    return np.array(drawn)
