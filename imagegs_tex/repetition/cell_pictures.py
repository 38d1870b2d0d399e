"""A picture's cells taken apart: their mean, and the principal components of what differs.

Parts of a cell that repeat by themselves get components of their own, which cost no more and say more.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.formats.igs.repeat_layer import MOST_BLOCK_COMPONENTS, MOST_PICTURES, Lattice
from imagegs_tex.formats.vocabulary import FloatTexels
from imagegs_tex.repetition.find_lattice import Repetition

_SWEEPS: Final = 4
"""Of the search for principal components."""
_SPARE: Final = 4
"""More of them than are wanted, so that these are exact."""

Cells = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a lattice over a picture."""

    row: int  # of the cells
    column: int
    texels: tuple[slice, slice]  # rows and columns of the picture that it covers
    inside: tuple[slice, slice]  # the same, counted from its own corner


@dataclass(frozen=True, slots=True)
class CellPictures:
    """What a picture's cells have in common, and how they differ; D = P_y * P_x * C values of a cell."""

    lattice: Lattice
    picture: FloatTexels  # [H, W, C]
    whole: Cells  # [n, D], cells that lie inside the picture
    places: NDArray[np.int64]  # [n, 2], row and column of each
    mean: Cells  # [D]
    directions: Cells  # [V, D], of length 1, by their energies
    energies: NDArray[np.float64]  # [V], squared error of the whole cells that each takes off
    peaks: NDArray[np.float64]  # [V], largest weight of each over the root mean square of all

    @staticmethod
    def of(picture: FloatTexels, repetition: Repetition) -> "CellPictures | None":
        """Take a picture [H, W, C] apart; None where no cell lies inside."""
        lattice, (height, width, channels) = repetition.lattice, picture.shape
        shape = lattice.period[1], lattice.period[0], channels
        whole = [cell for cell in cells_of(lattice, (width, height)) if is_whole(cell, lattice)]
        if not whole:
            return None
        cells = np.array([picture[cell.texels].ravel() for cell in whole], np.float32)
        mean = cells.mean(axis=0)
        cells_off = cells - mean
        most = min(MOST_PICTURES, MOST_BLOCK_COMPONENTS // channels - 1)
        found = [one for part in _parts(shape, repetition.parts) for one in _principal(cells_off, part, most)]
        found = sorted(found, key=lambda one: -one[0])[:most]
        directions = np.array([direction for _, direction, _ in found], np.float32).reshape(len(found), -1)
        return CellPictures(
            lattice, picture, cells, np.array([(cell.row, cell.column) for cell in whole]), mean, directions,
            np.array([energy for energy, _, _ in found]), np.array([peak for _, _, peak in found]),
        )  # fmt: skip

    @property
    def shape(self) -> tuple[int, int, int]:
        """P_y, P_x, C."""
        return self.lattice.period[1], self.lattice.period[0], self.picture.shape[2]

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the picture."""
        return self.picture.shape[1], self.picture.shape[0]


def cells_of(lattice: Lattice, size: tuple[int, int]) -> Iterator[Cell]:
    """Return the cells that reach a picture of a width and height, row by row."""
    columns, rows = lattice.cells(size)
    for row in range(rows):
        for column in range(columns):
            left = column * lattice.period[0] - lattice.offset(row)
            top = row * lattice.period[1] - lattice.origin[1]
            across = slice(max(0, left), min(size[0], left + lattice.period[0]))
            down = slice(max(0, top), min(size[1], top + lattice.period[1]))
            if across.start < across.stop and down.start < down.stop:
                inside = slice(down.start - top, down.stop - top), slice(across.start - left, across.stop - left)
                yield Cell(row, column, (down, across), inside)


def is_whole(cell: Cell, lattice: Lattice) -> bool:
    """Whether all of a cell lies inside the picture."""
    return cell.inside == (slice(0, lattice.period[1]), slice(0, lattice.period[0]))


def _parts(shape: tuple[int, int, int], counts: tuple[int, int]) -> Iterator[NDArray[np.int64]]:
    """Return the values of a cell that lie in each of so many parts across and down."""
    numbers = np.arange(np.prod(shape)).reshape(shape)
    downs, acrosses = (
        np.rint(np.arange(count + 1) * side / count).astype(int)
        for count, side in zip(counts[::-1], shape, strict=False)
    )
    for top, bottom in pairwise(downs):
        for left, right in pairwise(acrosses):
            yield numbers[top:bottom, left:right].ravel()


def _principal(cells_off: Cells, part: NDArray[np.int64], most: int) -> list[tuple[float, Cells, float]]:
    """Return energy, direction [D] and peak of the strongest principal components of a part of the cells.

    By subspace iteration: few are wanted, of vectors that are long and many.
    """
    values = cells_off if len(part) == cells_off.shape[1] else np.ascontiguousarray(cells_off[:, part])
    wanted = min(most + _SPARE, *values.shape)
    basis = np.random.default_rng(0).normal(size=(len(values), wanted)).astype(np.float32)
    for _ in range(_SWEEPS):
        basis = np.linalg.qr(values @ (values.T @ basis))[0]
    _, singular, rows = np.linalg.svd(basis.T @ values, full_matrices=False)
    found = []
    for value, row in zip(singular[:most].astype(np.float64), rows[:most], strict=True):
        if value <= 0:
            break
        weights = values @ row
        direction = np.zeros(cells_off.shape[1], np.float32)
        direction[part] = row
        peak = float(np.abs(weights).max()) / max(float(value) / np.sqrt(len(values)), 1e-30)
        found.append((float(value) ** 2, direction, peak))
    return found
