"""Spectra as sums of the noise tile's bands: of what energies a component is made."""

from functools import cache
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.detail.residual import OCTAVES
from imagegs_tex.formats.igs.noise_tile import BAND_COUNT, TILE_SIDE, filter_band
from imagegs_tex.metrics.kept_contrast import BLUR_DEVIATIONS, blur_transfer

Array = NDArray[np.float64]

_ISOTROPIC: Final = (0, 1, 2, 3)
_ALONG_X: Final = (4, 6)
_ALONG_Y: Final = (5, 7)
_DIRECTED: Final = 1.7
"""How much more energy streaks along one axis must have than along the other. Without such a limit, grain without a
direction came out as a sum of streaks along both axes, which looks like cloth."""

_SOLVER_TURNS: Final = 500


@cache
def octave_energies() -> Array:
    """Return what each band of the tile has in each octave of kept contrast [octaves, 8], for an energy of 1."""
    transfers = [np.ones(TILE_SIDE), *(blur_transfer(TILE_SIDE, deviation) for deviation in BLUR_DEVIATIONS)]
    blurs = [np.outer(transfer, transfer) for transfer in transfers]
    power = _band_powers(TILE_SIDE, TILE_SIDE)
    octaves = [np.square(finer - coarser) for finer, coarser in pairwise(blurs[: OCTAVES + 1])]
    return np.stack([(power * octave).sum(axis=(1, 2)) for octave in octaves])


def band_energies(power: Array) -> Array:
    """Return the energies [8] of the tile's bands that explain a component.

    Args:
        power: its power spectrum [H, W] as of ``numpy.fft.fft2``, over (H W)^2
    """
    measured = (_band_powers(*power.shape) * power).sum(axis=(1, 2)) * power.size
    allowed = list(_ISOTROPIC)
    ratios = [measured[x] / max(measured[y], 1e-30) for x, y in zip(_ALONG_X, _ALONG_Y, strict=True)]
    if max(ratios) > _DIRECTED and max(ratios) > 1 / min(ratios):
        allowed += _ALONG_X
    elif 1 / min(ratios) > _DIRECTED:
        allowed += _ALONG_Y
    energies = np.zeros(BAND_COUNT)
    energies[allowed] = _non_negative_solution(_responses()[:, allowed], measured)
    return energies


def _non_negative_solution(matrix: Array, wanted: Array) -> Array:
    """Return x >= 0 with a small error of matrix @ x, all numbers >= 0: multiplicative updates (Lee and Seung 2001)."""
    solution = np.full(matrix.shape[1], wanted.sum() / matrix.sum())
    for _ in range(_SOLVER_TURNS):
        solution = solution * (matrix.T @ wanted) / np.maximum(matrix.T @ (matrix @ solution), 1e-30)
    return np.asarray(solution)


@cache
def _responses() -> Array:
    """Return what each band's filter lets through of each band of the tile [filter, band]."""
    power = _band_powers(TILE_SIDE, TILE_SIDE)
    return np.asarray(np.einsum("fyx,byx->fb", power, power) * power[0].size)


def _band_powers(height: int, width: int) -> Array:
    """Return each band's power spectrum [8, H, W], of sum 1."""
    impulse = np.zeros((height, width), dtype=np.int64)
    impulse[0, 0] = 1
    powers = [np.square(np.abs(np.fft.fft2(filter_band(impulse, band)))) for band in range(BAND_COUNT)]
    return np.stack([power / power.sum() for power in powers])
