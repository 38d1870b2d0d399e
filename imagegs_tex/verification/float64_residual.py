"""What docs/igs-format.md, "Residual", says is added to the picture, and docs/gpu-buffer.md to levels, in float64.

It is apart from every decoder's code.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.formats.igs.residual_layer import ResidualLayer, coefficient_values

Float = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ReferenceResidual:
    """The blocks of a layer as dense coefficients."""

    side: int  # texels
    across: int  # blocks
    blocks: dict[int, Float]  # [K', S, S] by number: component, frequency down, frequency across; none where all are 0
    basis: Float  # [K', C]
    means: Float  # [S] of each function over a texel of the level, over its value in the middle; 1 at level 0


def reference_residual(layer: ResidualLayer | None, width: int, box: int = 1) -> ReferenceResidual | None:
    """Lay out the coefficients; None without a layer, or where a level's texels are larger than its blocks.

    Args:
        layer: the layer
        width: of the picture, texels
        box: a level's texel is that many texels of the picture wide
    """
    if layer is None or box > layer.side:
        return None
    blocks = dense_blocks(layer, len(layer.basis_codes))
    return ReferenceResidual(layer.side, -(-width // layer.side), blocks, layer.basis, function_means(layer.side, box))


def function_means(side: int, box: int) -> Float:
    """Return the mean of each function over BOX points one texel apart, over its value in their middle [S]."""
    points = np.arange(box) - (box - 1) / 2
    return np.asarray(np.cos(np.pi * np.arange(side)[:, None] * points / side).mean(axis=1))


def dense_blocks(layer: ResidualLayer, components: int) -> dict[int, Float]:
    """Return blocks [components, S, S] by number, frequency down, then across; none where all coefficients are 0."""
    side = layer.side
    order = _diagonals(side)
    blocks: dict[int, Float] = {}
    numbers = np.repeat(np.arange(len(layer.counts)), layer.counts).tolist()
    for number, place, value in zip(numbers, layer.places.tolist(), coefficient_values(layer).tolist(), strict=True):
        component, p = divmod(place, side * side)
        blocks.setdefault(number, np.zeros((components, side, side)))[component, *order[p]] = value
    return blocks


def residual_at(residual: ReferenceResidual, points: NDArray[np.floating], texels: NDArray[np.int64]) -> Float:
    """Return what is added to the channels [P, C].

    Args:
        residual: the layer
        points: x and y [P, 2] in texels
        texels: those that hold the points [P, 2], and with that tell the block
    """
    added = np.zeros((len(points), residual.basis.shape[1]))
    columns, lines = (texels // residual.side).T
    within = points - texels // residual.side * residual.side
    frequencies = np.arange(residual.side)
    scale = np.where(frequencies == 0, 1, np.sqrt(2)) / np.sqrt(residual.side) * residual.means
    across, down = (scale * np.cos(np.pi / residual.side * frequencies * axis[:, None]) for axis in within.T)
    numbers = lines * residual.across + columns
    order = np.argsort(numbers, kind="stable")
    starts = np.flatnonzero(np.diff(numbers[order], prepend=-1))
    for members in np.split(order, starts):
        block = residual.blocks.get(int(numbers[members[0]])) if len(members) else None
        if block is not None:
            by_row = np.einsum("kuv,pu->kpv", block, down[members])
            added[members] = np.einsum("kpv,pv->pk", by_row, across[members]) @ residual.basis
    return added


def _diagonals(side: int) -> list[tuple[int, int]]:
    """Return (u, v) of each place of a component."""
    found = []
    for total in range(2 * side - 1):
        rising = range(max(0, total - side + 1), min(total, side - 1) + 1)
        found += [(i, total - i) if total % 2 == 0 else (total - i, i) for i in rising]
    return found
