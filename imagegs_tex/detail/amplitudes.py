"""How strong noise is where: growth with the decoded channels, and an envelope on a coarse grid for the rest."""

from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imagegs_tex.detail.envelope_kernels import interpolated, mean_misses
from imagegs_tex.detail.residual import KEPT, Missing, octaves_of
from imagegs_tex.formats.igs.detail_layer import MAX_AMPLITUDE, MAX_GRID, SLOPE_SCALE
from imagegs_tex.metrics.octave_kernels import fine_contrast
from imagegs_tex.metrics.row_bands import channel_parts
from imagegs_tex.metrics.visible_error import blur_in_torch
from imagegs_tex.square_root import square_root

Array = NDArray[np.float64]

BLOCK: Final = 8  # texels, of local deviations
_SURE: Final = 1.1
"""By how much the source's contrast in a block must exceed the decode's to count as missing."""
_UNUSUAL: Final = 1.5
"""A block's energy over its contrast, as a multiple of what is usual in the channel, above which it is an edge's."""
_LEAST: Final = 0.05  # of the mean, below which a block is as good as clean
_ENVELOPE_TURNS: Final = 12
_DAMPING: Final = 0.8
_TOO_MUCH: Final = 2.0
"""How much more a block counts that gets too much than one that gets too little."""
_EXCESS: Final = 1.4
"""How much more contrast than the source has a cell may get before it counts as too much."""
_EXCEEDING: Final = 0.15
"""Share of the cells that may get too much."""
_HARMLESS: Final = 0.15
"""Noise in a cell, of the source's usual contrast, that is never too much."""
WEAKEST: Final = 0.7
"""Of the factors by which noise is weakened where it is too much."""
_KEPT_OCTAVES: Final = 2
_HALF_A_STEP: Final = 0.5 / 255
_LARGEST: Final = 2.0
_LARGEST_QUANTILE: Final = 0.995
_CLEAN: Final = 0.27
"""Below that an envelope's factor is none: an eighth of the largest. Clean paint of caution_panel's middle is as clean
as the source's so, and no noise comes from there into its neighbours; without, it had 1.1 to 1.6 times the contrast."""
_CELL: Final = 16  # texels, of the envelope's finest grid


def block_means(picture: Tensor) -> Array:
    """Return the means of blocks of 8 x 8 texels [rows, columns] of a picture [H, W]."""
    return np.asarray(_blocks(picture[..., None]).double().cpu().numpy()[..., 0])


def missing_grain(source: Tensor, decoded: Tensor) -> tuple[Array, Array]:
    """Return how much fine contrast a decode misses, and how much of that is grain.

    What the source has in a block less what the decode has, not the residual: an edge that is there, but not quite in
    its place, misses nothing, and noise beside it would be specks. An edge that is lost counts little: a block's
    contrast is the mean of the roots, squared, in which what is everywhere counts. Energy that a block misses beyond
    what that contrast usually means is an edge's; as grain it would be all over the place.

    Args:
        source: float32 [H, W, C]
        decoded: the same of the file without detail

    Returns:
        strengths by block [rows, columns, C], each channel's root mean square 1, and shares of the energy 0..1 [C]
    """
    (own, own_energy), (kept, kept_energy) = (_fine_contrast(picture) for picture in (source, decoded))
    contrast = np.maximum(np.square(own) - np.square(_SURE * kept), 0.0)
    energy = np.maximum(own_energy - kept_energy, 0.0)
    shares = np.ones(contrast.shape[2])
    for channel in range(len(shares)):
        found, roots = energy[..., channel], contrast[..., channel]
        grainy = roots > _LEAST * roots.mean()
        if np.any(grainy):
            limit = _UNUSUAL * np.median(found[grainy] / roots[grainy])
            shares[channel] = np.minimum(found, limit * roots).sum() / max(float(found.sum()), 1e-30)
    return np.sqrt(contrast / np.maximum(contrast.mean(axis=(0, 1)), 1e-30)), shares


def even_factors(source: Tensor, decoded: Tensor, drawn: Tensor, weakest: float = WEAKEST) -> Array:
    """Return by how much noise must be weaker for most cells to have about the source's fine contrast at most.

    Where grain is uneven beyond what growth and envelope can say, noise of the right energy over all is too strong in
    most places: flakes on paint would become specks all over it.

    Args:
        source: float32 [H, W, C]
        decoded: the same of the file without detail
        drawn: with it
        weakest: the least factor

    Returns:
        factors [C], from ``weakest`` to 1
    """
    own, kept, made = (_cell_energies(picture) for picture in (source, decoded, drawn))
    floors = np.maximum(_LEAST * np.sqrt(own.mean(axis=0)), _HALF_A_STEP)
    most = np.square(_EXCESS * (np.sqrt(own) + floors) - floors)
    added = np.maximum(made - kept, 0.0)
    fitting = np.sqrt(np.maximum(most - kept, 0.0) / np.maximum(added, 1e-30))
    fitting[added < np.square(_HARMLESS) * own.mean(axis=0)] = np.inf
    return np.asarray(np.clip(np.quantile(fitting, _EXCEEDING, axis=0, method="lower"), weakest, 1.0))


def bounding_factors(missing: Missing, drawn: Tensor) -> Array:
    """Return by how much noise must be stronger or weaker for each channel's contrast to be within its bounds.

    Where no factor suits both octaves, the nearest to 1 that suits one.

    Args:
        missing: energies that noise should add; more than that is never asked for, 0 for no noise
        drawn: float32 [H, W, C], the decode with detail

    Returns:
        factors [C]
    """
    own, kept = missing.source[:_KEPT_OCTAVES], missing.decoded[:_KEPT_OCTAVES]
    least, most = (np.maximum(bound**2 * own - kept, 0.0) for bound in KEPT)
    least = np.minimum(least, missing.energies[:_KEPT_OCTAVES])
    added = np.maximum(octaves_of(drawn, missing.channels)[:_KEPT_OCTAVES] - kept, 1e-12)
    up, down = np.sqrt(least / added).max(axis=0), np.sqrt(most / added).min(axis=0)
    factors = np.clip(1.0, np.minimum(up, down), np.maximum(up, down))
    return np.where(missing.channels, factors, 1.0)


def _cell_energies(picture: Tensor) -> Array:
    """Return the energy below four texels by cells of 16 texels [cells, C]."""
    energies = _fine_contrast(picture, _CELL)[1]
    return energies.reshape(-1, energies.shape[2])


def _fine_contrast(picture: Tensor, side: int = BLOCK) -> tuple[Array, Array]:
    """Return contrast and energy below four texels by block [rows, columns, C]."""
    return fine_contrast(picture, side) if picture.device.type == "cpu" else contrast_in_torch(picture, side)


def contrast_in_torch(picture: Tensor, side: int) -> tuple[Array, Array]:
    """Do what :func:`fine_contrast` does on any device."""
    found = []
    for part in channel_parts(*picture.shape):
        own = picture[..., part]
        fine = own - blur_in_torch(blur_in_torch(own, 1), 2)
        found.append((_blocks(square_root(fine.abs()), side).square(), _blocks(fine.square(), side)))
    contrast, energy = (torch.cat(kind, dim=2).double().cpu().numpy() for kind in zip(*found, strict=True))
    return contrast, energy


def block_levels(decoded: Tensor, offset: Array) -> Array:
    """Return the means of blocks [rows, columns, C] of a decode's channels [H, W, C], less offsets [C]."""
    return np.asarray(_blocks(decoded).double().cpu().numpy() - offset)


def growth(strengths: Array, levels: Array) -> Array:
    """Return slopes [C] of a strength over the channels, rounded as a file has them.

    The strength is 1 + slopes (channels - offset), where that is above 0, times a number that is of no interest here.
    Squared errors count relative to the strength: what is clean must stay clean, where edges are lost more may be lost.

    Args:
        strengths: what there is, by block [rows, columns]
        levels: of :func:`block_levels` [rows, columns, C]
    """
    channels = levels.shape[2]
    levels = levels.reshape(-1, channels)
    known, found = np.concatenate([np.ones((len(levels), 1)), levels], axis=1), strengths.reshape(-1)
    weights = 1 / (np.square(found) + max(found.mean(), 1e-6) ** 2)
    # a little ridge: channels that hardly vary must not get large slopes
    gram = (known * weights[:, None]).T @ known / weights.sum() + np.diag([0.0, *np.full(channels, 1e-4)])
    base, *slopes = np.linalg.solve(gram, known.T @ (weights * found) / weights.sum())
    slopes = np.clip(np.array(slopes) / max(base, 1e-3), -127.0, 127.0)
    return np.asarray(np.rint(slopes * SLOPE_SCALE) / SLOPE_SCALE)


def less_offset(decoded: Tensor, offset: Array) -> Tensor:
    """Return a decode's channels [H, W, C] less offsets [C]."""
    return decoded - torch.from_numpy(offset.astype(np.float32)).to(decoded.device)


def amplitudes(slopes: Array, centred: Tensor) -> Tensor:
    """Return the strength of each texel [H, W] by slopes [C], as decoders have it; centred: of :func:`less_offset`."""
    made = centred @ torch.from_numpy(slopes.astype(np.float32)).to(centred.device)
    return made.add_(1.0).clamp_(0.0, MAX_AMPLITUDE)


def finest_grid(width: int, height: int) -> tuple[int, int]:
    """Return columns and rows of the envelope: cells of 16 texels, or larger ones where there would be too many."""
    columns, rows = (min(max(1, length // _CELL), MAX_GRID) for length in (width, height))
    return columns, rows


def envelope(found: Array, predicted: Array, grid: tuple[int, int]) -> Array:
    """Return factors [rows, columns] on the strength that the channels predict, both given by block.

    The largest is about the largest that a file can hold, so that all of the range is left for what is cleaner.
    Decoders interpolate between the cells' centres, so factors are corrected by what comes out. Means are those of
    logarithms: a cell that is clean in part counts as rather clean.
    """
    least = _LEAST * found.mean()
    wanted, made = np.log(np.maximum(found, least)), np.log(np.maximum(predicted, least))
    (height, width), (columns, rows) = found.shape, grid
    between = *between_two(height, rows), *between_two(width, columns)
    cells = np.arange(height) * rows // height, np.arange(width) * columns // width
    counts = np.multiply.outer(np.bincount(cells[0], minlength=rows), np.bincount(cells[1], minlength=columns))
    middle, drawn = np.empty((height, columns)), np.empty_like(wanted)
    steps, sums, weights = np.zeros((3, rows, columns))
    for turn in range(_ENVELOPE_TURNS):
        interpolated(np.exp(steps), *between, middle, drawn)
        mean_misses(wanted, made, np.log(drawn, out=drawn), _TOO_MUCH, *cells, sums, weights)
        steps += (sums / counts) / (weights / counts) * (1.0 if turn == 0 else _DAMPING)
    factors = np.exp(steps)
    factors *= _LARGEST / np.quantile(factors, _LARGEST_QUANTILE)
    return np.where(factors < _CLEAN, 0.0, factors)


def renewed_envelope(
    factors: Array, anew: NDArray[np.bool_], found: Array, predicted: Array, places: tuple[slice, slice],
    size: tuple[int, int],
) -> Array:  # fmt: skip
    """Return an envelope's factors [rows, columns] with those of some cells as strong as the others are.

    What a factor of 1 means is not known of a part of the picture, and is what suits the cells that stay.

    Args:
        factors: the envelope
        anew: cells that are new [rows, columns]
        found: how strong noise should be, by block, of a part of the picture that holds them and some that stay
        predicted: how strong the channels predict it there
        places: rows and columns of those blocks
        size: rows and columns of the picture's blocks
    """
    rows, columns = (between_cells(length, cells) for length, cells in zip(size, factors.shape, strict=True))
    rows, columns = rows[places[0]], columns[places[1]]
    lines = (np.arange(length)[place] for length, place in zip(size, places, strict=True))
    cells = np.ix_(*(own * count // length for own, count, length in zip(lines, anew.shape, size, strict=True)))
    new = anew[cells]
    drawn = rows @ factors @ columns.T
    known = ~new & (drawn > _CLEAN)
    if not known.any():
        return factors
    least = _LEAST * found[~new].mean()
    off = np.log(np.maximum(found, least)) - np.log(np.maximum(predicted, least))
    level, above = 0.0, off[known] - np.log(drawn[known])
    for _ in range(_ENVELOPE_TURNS):  # what is too much counts more, as in :func:`envelope`
        level = float(np.average(above, weights=np.where(above < level, _TOO_MUCH, 1.0)))
    renewed = np.where(anew, 1.0, factors)
    number = np.arange(anew.size).reshape(anew.shape)[cells][new]
    for turn in range(_ENVELOPE_TURNS):
        left = (off - level - np.log(np.maximum(rows @ renewed @ columns.T, _CLEAN / 2)))[new]
        weights = np.where(left < 0, _TOO_MUCH, 1.0)
        sums, counts = (np.bincount(number, values, anew.size) for values in (left * weights, weights))
        step = (sums / np.maximum(counts, 1e-9)).reshape(anew.shape)
        renewed *= np.exp(step * (1.0 if turn == 0 else _DAMPING))
    return np.where(anew & (renewed < _CLEAN), 0.0, renewed)


def between_cells(length: int, cells: int) -> Array:
    """Return the shares [length, cells] of cells at places of an axis, linear between their centres."""
    at = np.clip((np.arange(length) + 0.5) * cells / length - 0.5, 0, cells - 1)
    return np.asarray(np.maximum(0.0, 1 - np.abs(at[:, None] - np.arange(cells))))


def between_two(length: int, cells: int) -> tuple[NDArray[np.int64], Array]:
    """Return the first of the two cells that places of an axis lie between [length], and the shares of both [., 2]."""
    shares = between_cells(length, cells)
    first = np.asarray((shares > 0).argmax(axis=1), np.int64)
    second = np.minimum(first + 1, cells - 1)
    places = np.arange(length)
    return first, np.stack([shares[places, first], np.where(second > first, shares[places, second], 0.0)], axis=1)


def _blocks(picture: Tensor, side: int = BLOCK) -> Tensor:
    """Return the means of square blocks [rows, columns, channels], without what is left over at the border."""
    height, width, channels = picture.shape
    side = min(side, height, width)
    down, across = height // side, width // side
    return picture[: down * side, : across * side].reshape(down, side, across, side, channels).mean(dim=(1, 3))
