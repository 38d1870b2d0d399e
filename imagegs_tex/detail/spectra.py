"""Spectra as sums of the noise tile's bands: of what energies a component is made."""

from functools import cache, lru_cache
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.detail.residual import OCTAVES
from imagegs_tex.formats.igs.noise_tile import BAND_COUNT, DEVIATION, TILE_SIDE, filter_transfer, noise_tile
from imagegs_tex.metrics.kept_contrast import BLUR_DEVIATIONS, blur_transfer

Array = NDArray[np.float64]

_ISOTROPIC: Final = (0, 1, 2, 3)
_LOW_PASS: Final = 2
_ALONG_X: Final = (4, 6)
_ALONG_Y: Final = (5, 7)
_DIRECTED: Final = 3.0
"""How much more energy long streaks along one axis must have than along the other, over all components together: wood
and scratched metal have 3.1 to 4.3 times. Blocks of stone and rust have 2.6 to 2.8: with streaks they look woven."""
_FIBRE: Final = 4.0
"""How much more energy short streaks along one axis must have for noise to be streaks alone: wood has 5.9 to 6.8 times,
scratched metal 2.1, blocks of stone 2.6. Fine noise without a direction makes cork of wood, however little there is."""
_SOLVER_TURNS: Final = 500


@cache
def octave_energies(*, slopes: int = 0) -> Array:
    """Return what each band of the tile has in each octave of kept contrast [octaves, 8], for an energy of 1.

    With ``slopes``, what its differences to the texels so far to the right and below have together.
    """
    transfers = [np.ones(TILE_SIDE), *(blur_transfer(TILE_SIDE, deviation) for deviation in BLUR_DEVIATIONS)]
    blurs = [np.outer(transfer, transfer) for transfer in transfers]
    power = _tile_powers() * (slope_gain(TILE_SIDE, TILE_SIDE, slopes) if slopes else 1.0)
    octaves = [np.square(finer - coarser) for finer, coarser in pairwise(blurs[: OCTAVES + 1])]
    return np.stack([(power * octave).sum(axis=(1, 2)) for octave in octaves])


def usable_bands(power: Array, *, height: bool = False) -> tuple[int, ...]:
    """Return the bands that noise of a power [H, W] may have: streaks along the axis that it favours, if any.

    With ``height`` it is that of a height, whose slopes have nothing coarse without the low-pass.
    """
    measured = _measured(power)
    short, long = (measured[x] / max(measured[y], 1e-30) for x, y in zip(_ALONG_X, _ALONG_Y, strict=True))
    if max(short, 1 / max(short, 1e-30)) > _FIBRE:
        return (*([_LOW_PASS] if height else []), *(_ALONG_X if short > 1 else _ALONG_Y))
    if long > _DIRECTED:
        return (*_ISOTROPIC, *_ALONG_X)
    return (*_ISOTROPIC, *(_ALONG_Y if long < 1 / _DIRECTED else ()))


def slope_gain(height: int, width: int, apart: int = 1) -> Array:
    """Return what taking differences to texels at the right and below does to powers [H, W], both added up."""
    down, across = (2 - 2 * np.cos(2 * np.pi * apart * np.fft.fftfreq(length)) for length in (height, width))
    return np.asarray(down[:, None] + across[None])


def band_energies(power: Array, usable: tuple[int, ...] = _ISOTROPIC, *, slopes: int = 0) -> Array:
    """Return the energies [8] of the tile's bands that explain a component.

    Args:
        power: its power spectrum [H, W] as of ``numpy.fft.fft2``, over (H W)^2
        usable: bands that it may have
        slopes: texels apart, where the power is that of a height's differences; explained is the height
    """
    energies, bands = np.zeros(BAND_COUNT), list(usable)
    energies[bands] = _non_negative_solution(_responses(slopes)[:, bands], _measured(power))
    return energies


def _measured(power: Array) -> Array:
    """Return the energy [8] that each band's filter lets through."""
    return np.asarray(_band_powers(*power.shape).reshape(BAND_COUNT, -1) @ power.reshape(-1) * power.size)


def _non_negative_solution(matrix: Array, wanted: Array) -> Array:
    """Return x >= 0 with a small error of matrix @ x, all numbers >= 0: multiplicative updates (Lee and Seung 2001)."""
    solution = np.full(matrix.shape[1], wanted.sum() / matrix.sum())
    for _ in range(_SOLVER_TURNS):
        solution = solution * (matrix.T @ wanted) / np.maximum(matrix.T @ (matrix @ solution), 1e-30)
    return np.asarray(solution)


@cache
def _responses(slopes: int) -> Array:
    """Return what each band's filter lets through of each band of the tile, or of its slopes [filter, band]."""
    made = _tile_powers() * (slope_gain(TILE_SIDE, TILE_SIDE, slopes) if slopes else 1.0)
    return np.asarray(np.einsum("fyx,byx->fb", _band_powers(TILE_SIDE, TILE_SIDE), made) * made[0].size)


@cache
def _tile_powers() -> Array:
    """Return the bands' power spectra [8, 64, 64] as they are in the tile, of sum 1 nearly.

    Rounding to 4 bits is in them: white noise of a hundredth of the energy, more than a coarse band's slopes have.
    """
    planes = np.moveaxis(noise_tile().astype(np.float64), 2, 0) / DEVIATION
    return np.asarray(np.square(np.abs(np.fft.fft2(planes))) / planes[0].size ** 2)


@lru_cache(2)  # the tile's, and those of one size of middles
def _band_powers(height: int, width: int) -> Array:
    """Return each band's power spectrum [8, H, W], of sum 1; 0 where a picture is too small for a band.

    Filters are sums of products of one for each axis, so transforms of two lines are enough.
    """
    powers = np.stack([np.square(filter_transfer(height, width, band)) for band in range(BAND_COUNT)])
    return np.asarray(powers / np.maximum(powers.sum(axis=(1, 2), keepdims=True), 1.0))
