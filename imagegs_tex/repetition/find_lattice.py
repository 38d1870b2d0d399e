"""Whether a picture repeats on a lattice, and on which: by its autocorrelation.

A period is taken where the picture is like itself at all of its multiples; a lattice whose rows begin further left each
(bricks) by the place of a row's best match. Pictures that repeat nowhere are told by a part of them at half its size.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from imagegs_tex.formats.igs.repeat_layer import MOST_PERIOD, Lattice
from imagegs_tex.formats.row_threads import side_by_side
from imagegs_tex.formats.vocabulary import FloatTexels

LEAST_LIKENESS: Final = 0.75
"""Correlation of a picture with itself a period away. fabric_pattern_07, of cloth that differs, has 0.72."""
_GATE_LIKENESS: Final = 0.6
_GATE_SIDE: Final = 1024
"""Texels of the part that is looked at first."""
_GATE_CHANNELS: Final = 4
_LEAST_PERIOD: Final = 8
_LEAST_CELLS: Final = 6
"""Whole ones; of fewer, little is won."""
_PROMINENCE: Final = 0.12
"""By so much a period is more like than the median of all shifts."""
_MOST_PARTS: Final = 8
_PART_SHARE: Final = 0.6
"""Of what a period has over the median, that a part of it must have to be one."""

Float = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Repetition:
    """A lattice, and how many things that repeat by themselves a cell holds."""

    lattice: Lattice
    parts: tuple[int, int]  # across and down: 128 rows may be three tiles of 42 2/3 rows
    likeness: float  # mean correlation with the picture periods away


def find_repetition(texels: FloatTexels) -> Repetition | None:
    """Return the lattice of a picture [H, W, C]; None where it does not repeat.

    Args:
        texels: in the code domain
    """
    part = _middle(texels)
    variances = side_by_side(lambda channel: np.ascontiguousarray(part[..., channel]).var(), range(part.shape[2]))
    strongest = np.argsort(-np.array(variances), kind="stable")[:_GATE_CHANNELS]
    part = part[..., np.sort(strongest)]
    even = part[: part.shape[0] // 2 * 2, : part.shape[1] // 2 * 2]
    reduced = np.asarray((even[::2, ::2] + even[1::2, ::2] + even[::2, 1::2] + even[1::2, 1::2]) / 4, np.float32)
    if min(reduced.shape[:2]) < _LEAST_PERIOD or _periods(_autocorrelation(reduced), _GATE_LIKENESS, 4) is None:
        return None
    likeness = _autocorrelation(texels)
    found = _periods(likeness, LEAST_LIKENESS, _LEAST_PERIOD)
    if found is None:
        return None
    (across, down), shift, value = found
    height, width = texels.shape[:2]
    lattice = Lattice((across, down), (0, 0), shift)
    if max(across, down) > MOST_PERIOD or (width // across) * (height // down) < _LEAST_CELLS:
        return None
    parts = _parts(likeness, lattice, value)
    return Repetition(_from_seams(texels, lattice), parts, value)


def _middle(texels: FloatTexels) -> FloatTexels:
    height, width = texels.shape[:2]
    top, left = max(0, (height - _GATE_SIDE) // 2), max(0, (width - _GATE_SIDE) // 2)
    return texels[top : top + _GATE_SIDE, left : left + _GATE_SIDE]


def _autocorrelation(texels: FloatTexels) -> Float:
    """Return the correlation of a picture with itself moved down by 0..H/2 and across by 0..W/2, then -W/2..-1."""
    height, width, channels = texels.shape
    down, across = height // 2, width // 2
    size = height + down, width + across
    power = torch.zeros(size[0], size[1] // 2 + 1)
    for channel in range(channels):
        plane = torch.from_numpy(np.ascontiguousarray(texels[..., channel]))
        moved = torch.fft.rfft2(plane - plane.mean(), s=size)
        power += moved.real**2 + moved.imag**2
    sums = torch.fft.irfft2(power, s=size).numpy()[: down + 1].astype(np.float64)
    columns = np.concatenate([np.arange(across + 1), np.arange(-across, 0)])
    overlap = (height - np.arange(down + 1))[:, None] * (width - np.abs(columns))
    total = max(float(sums[0, 0]), 1e-30) / (height * width)
    return np.asarray(sums[:, columns] / overlap / total)


def _periods(likeness: Float, least_likeness: float, least: int) -> tuple[tuple[int, int], int, float] | None:
    """Return period and shift, and how like a picture is to itself there; None where it does not repeat.

    Along an axis on which it does not, the period is the whole picture.
    """
    down, across = likeness.shape[0] - 1, likeness.shape[1] // 2
    own = _smallest(_multiples(likeness[0, : across + 1], least), likeness[0, : across + 1], least_likeness)
    if own is None:
        column = likeness[:, 0]
        found = _smallest(_multiples(column, least), column, least_likeness)
        return None if found is None else ((2 * across, found[0]), 0, found[1])
    period = own[0]
    columns = np.concatenate([np.arange(across + 1), np.arange(-across, 0)])
    folded = np.zeros((down + 1, period))
    np.add.at(folded.T, columns % period, likeness.T)
    folded /= np.bincount(columns % period, minlength=period)
    best = np.zeros(down + 1)
    shifts = np.zeros(down + 1, np.int64)
    for rows in range(least, down + 1):
        lags = np.arange(rows, down + 1, rows)
        places = -np.arange(1, len(lags) + 1)[:, None] * np.arange(period) % period
        scores = folded[lags[:, None], places].mean(axis=0)
        shifts[rows] = 0 if scores[0] >= scores.max() - _tolerance(scores.max()) else scores.argmax()
        best[rows] = scores[shifts[rows]]
    found = _smallest(best, np.sort(folded, axis=1)[:, period // 2], least_likeness)
    if found is None:
        return (period, 2 * down), 0, own[1]
    return (period, found[0]), int(shifts[found[0]]), found[1]


def _multiples(line: Float, least: int) -> Float:
    """Return the mean correlation at the multiples of each lag, 0 below the least."""
    return np.array([line[lag::lag].mean() if lag >= least else 0.0 for lag in range(len(line))])


def _smallest(scores: Float, line: Float, least_likeness: float) -> tuple[int, float] | None:
    """Return the smallest lag that is about as good as the best one, and its score."""
    most = float(scores.max(initial=0.0))
    if most < least_likeness or most < float(np.median(line)) + _PROMINENCE:
        return None
    lag = int(np.flatnonzero(scores >= most - _tolerance(most))[0])
    return lag, float(scores[lag])


def _tolerance(most: float) -> float:
    return 0.25 * max(0.0, 1 - most) + 0.004


def _parts(likeness: Float, lattice: Lattice, value: float) -> tuple[int, int]:
    """Return into how many parts a cell falls across and down that are like each other."""
    lines = likeness[0, : likeness.shape[1] // 2 + 1], likeness[:, 0]
    counts = []
    for line, period in zip(lines, lattice.period, strict=True):
        base = float(np.median(line))
        count = 1
        for parts in range(2, min(_MOST_PARTS, period // _LEAST_PERIOD) + 1):
            lags = np.rint(np.arange(1, parts) * period / parts).astype(np.int64)
            own = lags[lags < len(line)]
            if len(own) and line[own].mean() - base >= _PART_SHARE * (value - base):
                count = parts
        counts.append(count)
    return counts[0], counts[1]


def _from_seams(texels: FloatTexels, lattice: Lattice) -> Lattice:
    """Return the lattice with its cells begun where what differs from cell to cell changes: between tiles."""
    (across, down), (height, width) = lattice.period, texels.shape[:2]
    columns, rows = width // across - (lattice.shift > 0), height // down
    cells = np.stack([
        np.stack([
            texels[j * down : (j + 1) * down, (at := i * across + (across - lattice.offset(j)) % across) : at + across]
            for i in range(columns)
        ]) for j in range(rows)
    ])  # fmt: skip
    differs = cells - cells.mean(axis=(0, 1))
    origin = []
    for axis, neighbours in ((3, 1), (2, 0)):
        moved = np.moveaxis(differs, (axis, neighbours), (0, 1))  # [texel, cell, ...]
        period, count = moved.shape[:2]
        flat = moved.reshape(period, count, -1)
        energy = np.einsum("tcx,tcx->t", flat, flat)
        covariance = np.einsum("tcx,tcx->t", flat[:-1], flat[1:])
        last = np.einsum("cx,cx->", flat[-1, :-1], flat[0, 1:]) * count / max(1, count - 1)
        pairs = np.append(covariance, last if count > 1 else covariance.mean())
        seams = pairs / np.maximum(np.sqrt(energy * np.roll(energy, -1)), 1e-12)  # of a texel and the next one
        least, usual = float(seams.min()), float(np.median(seams))
        clear = seams[-1] > least + 0.25 * (usual - least) and count > 2
        origin.append((period - 1 - int(seams.argmin())) % period if clear else 0)
    return Lattice(lattice.period, (origin[0], origin[1]), lattice.shift)
