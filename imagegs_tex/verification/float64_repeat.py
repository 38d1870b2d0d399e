"""What docs/igs-format.md, "Repeat", says is added to the picture, and docs/gpu-buffer.md to levels, in float64.

It is apart from every decoder's code.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.formats.igs.repeat_layer import RepeatLayer
from imagegs_tex.verification.float64_residual import dense_blocks, function_means

Float = NDArray[np.float64]
Whole = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class ReferenceRepeat:
    """Cells and the blocks of one as dense coefficients."""

    period: Whole  # [2] across and down, as the following
    origin: Whole
    shift: int
    side: int  # of a block, texels
    blocks: dict[int, Float]  # [(V + 1) K', S, S] by number
    weights: Float  # [V + 1, rows, columns]
    basis: Float  # [K', C]
    means: Float  # [S] of each function over a texel of the level, over its value in the middle; 1 at level 0


def reference_repeat(layer: RepeatLayer | None, box: int) -> ReferenceRepeat | None:
    """Lay out the layer; None without one. Box: a level's texel is that many texels of the picture wide."""
    if layer is None:
        return None
    side, lattice = layer.blocks.side, layer.lattice
    count = layer.picture_count * len(layer.blocks.basis_codes)
    return ReferenceRepeat(
        period=np.array(lattice.period), origin=np.array(lattice.origin), shift=lattice.shift, side=side,
        blocks=dense_blocks(layer.blocks, count), weights=layer.weights, basis=layer.blocks.basis,
        means=function_means(side, box),
    )  # fmt: skip


def repeat_at(repeat: ReferenceRepeat, points: NDArray[np.floating], texels: Whole) -> Float:
    """Return what is added to the channels [P, C].

    Args:
        repeat: the layer
        points: x and y [P, 2] in texels
        texels: those that hold the points [P, 2], and with that tell cell and block
    """
    added = np.zeros((len(points), repeat.basis.shape[1]))
    side, (across, down) = repeat.side, repeat.period
    rows = (texels[:, 1] + repeat.origin[1]) // down
    right = texels[:, 0] + (repeat.origin[0] + rows * repeat.shift) % across
    columns = right // across
    local = np.stack([right - columns * across, texels[:, 1] + repeat.origin[1] - rows * down], axis=1)
    numbers = local[:, 1] // side * -(-across // side) + local[:, 0] // side
    within = points - texels + local % side
    frequencies = np.arange(side)
    scale = np.where(frequencies == 0, 1, np.sqrt(2)) / np.sqrt(side) * repeat.means
    along, below = (scale * np.cos(np.pi / side * frequencies * axis[:, None]) for axis in within.T)
    order = np.argsort(numbers, kind="stable")
    for members in np.split(order, np.flatnonzero(np.diff(numbers[order], prepend=-1))):
        block = repeat.blocks.get(int(numbers[members[0]])) if len(members) else None
        if block is not None:
            by_row = np.einsum("kuv,pu->kpv", block, below[members])
            values = np.einsum("kpv,pv->pk", by_row, along[members])
            pictures = values.reshape(len(members), len(repeat.weights), len(repeat.basis))
            weights = repeat.weights[:, rows[members], columns[members]]
            added[members] = np.einsum("pvk,vp->pk", pictures, weights) @ repeat.basis
    return added
