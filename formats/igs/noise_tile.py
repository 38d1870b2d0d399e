"""The noise tile: 64 x 64 texels of eight kinds of noise, the same for all files; docs/igs-format.md, "Detail".

Integers throughout, so that every decoder has the very same tile. A texel is one word of eight 4-bit numbers, one per
band, each of mean 0 and a standard deviation of 2.75. Bands 0 and 1 are the two finest octaves, 2 is all that is
coarser than four texels (an octave alone would swing: the slopes of a height made of it repeat), 3 the octave of 16
texels, 4 and 5 short streaks along x and y, 6 and 7 long ones. Filters are binomial, so bands look the same in all
directions; the finest has less of the diagonals of two texels, of which slopes would be twice as much as of the axes:
under a light that was a lattice.
"""

from collections.abc import Callable
from functools import cache
from math import isqrt
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

TILE_SIDE: Final = 64
"""Texels. The tile repeats; decoders shift it from block to block, so that what they draw does not."""
BAND_COUNT: Final = 8
DEVIATION: Final = 2.75
"""Of each band: 4 bits clip it at 2.5 to 2.9 deviations."""
_DEVIATION_64THS: Final = 176
_LOW_PASS: Final = 2
_FIRST_STREAKS: Final = 4
_SEED: Final = 450
"""Of the phases: of 3,000 that whose bands are least like each other, by 0.04 at most where they may be mixed."""
_QUADRATURE: Final = (0, 1, 0, 1, 1, 1, 0, 0)
"""Which bands have their phases a quarter turn, forwards or backwards, from the others'. One of these and one of those
are alike by as much at a shift as they are unlike at the opposite one: mixed, they are like themselves by their own
spectra alone. So bands that have frequencies in common are not of one kind."""
_TURN: Final = TILE_SIDE
"""Steps of a phase in a full turn: one texel of the lowest frequency."""
_COSINE_SCALE: Final = 1 << 14
_WHITE_SHIFT: Final = 26
"""Bits that are dropped of the sum of all waves; its deviation is 127 then."""

BLOCK: Final = 32
"""Texels across a block, nearly: a whole number of blocks fills each axis, so that repeating pictures stay seamless."""
GRID_FACTOR: Final = 4096
"""Blocks are numbered row * 4096 + column, twice that plus the layer is hashed."""
GRID_PERIOD_BITS: Final = 6
COMPONENT_SHIFTS: Final = ((0, 0), (32, 0), (0, 32), (32, 32))
"""Texels by which components read the tile apart: half of it along one axis at least, any two. Nearer, at (7, 17)
texels, a channel of two was like itself by 0.11 there; half a tile away is another block, read elsewhere."""
MOST_RELIEF: Final = 2
"""Texels by which the heights whose differences are slopes may lie apart. Differences of neighbours have little that is
coarse; those of 3 and 4 texels are hardly a gradient any more (0.66 to 0.82 of the energy; of 2, 0.84 to 0.91)."""
LAYER_WEIGHT_ONE: Final = 12
LAYER_WEIGHTS: Final = (
    (0, 12), (1, 12), (2, 12), (3, 12), (4, 11), (6, 11), (7, 10), (8, 9), (9, 8), (10, 7), (11, 6), (11, 4), (12, 3),
    (12, 2), (12, 1), (12, 0), (12, 0),
)  # fmt: skip
"""Of the two layers, in 1/12, by how far a texel is from the first grid's borders and from the second's. The squares of
a pair add up to one within 9 %, and a pair is at most 17: shaders weigh packed numbers of 0 to 15, in bytes.
"""

Plane = NDArray[np.int64]
Values = TypeVar("Values", Plane, NDArray[np.float64])
Step = Callable[[Values, int, int], Values]
"""Of a filter: of a plane, an axis and a distance along it."""


def hash32(values: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Return well-mixed 32-bit numbers: the "lowbias32" finaliser of Wellons (2018), all arithmetic modulo 2^32."""
    mixed = values.copy()
    mixed ^= mixed >> np.uint32(16)
    mixed *= np.uint32(0x7FEB352D)
    mixed ^= mixed >> np.uint32(15)
    mixed *= np.uint32(0x846CA68B)
    mixed ^= mixed >> np.uint32(16)
    return mixed


@cache
def noise_tile() -> NDArray[np.int8]:
    """Return the tile int8 [64, 64, 8], row by row, values -8..7; read-only."""
    tile = np.stack([_band(band) for band in range(BAND_COUNT)], axis=-1)
    tile.setflags(write=False)
    return tile


def noise_words() -> NDArray[np.uint32]:
    """Return the tile uint32 [4096], row by row: band b plus 8 in bits 4 b to 4 b + 3."""
    codes = (noise_tile().astype(np.int64) + 8).reshape(-1, BAND_COUNT)
    return np.asarray((codes << (4 * np.arange(BAND_COUNT))).sum(axis=1), dtype=np.uint32)


def _band(band: int) -> NDArray[np.int8]:
    count = TILE_SIDE * TILE_SIDE
    plane = filter_band(_white_noise(band), band)
    plane = plane * count - plane.sum()
    norm = isqrt(sum(int(value) ** 2 for value in plane.ravel()))  # 64 deviations
    rounded = [(2 * _DEVIATION_64THS * int(value) + norm) // (2 * norm) for value in plane.ravel()]
    return np.clip(np.array(rounded).reshape(plane.shape), -8, 7).astype(np.int8)


def _white_noise(band: int) -> Plane:
    """Return noise [64, 64] of which all frequencies have the same strength, so that filters alone make its likeness.

    Random numbers instead are like themselves by chance: 64 x 64 texels hold a few hundred independent values of a
    coarse band. The best of 15,000 tiles each were off by 0.07 to 0.26; these bands are by 0.02.
    """
    half = TILE_SIDE // 2
    down, across = np.mgrid[: half + 1, :TILE_SIDE]
    numbers = (down * TILE_SIDE + across + _SEED * TILE_SIDE * TILE_SIDE + 1).astype(np.uint32)
    hashes = hash32(numbers)
    phases = (
        hashes + np.uint32(_TURN // 4 * _QUADRATURE[band]) + np.uint32(_TURN // 2) * (hashes >> np.uint32(6 + band))
    )
    # the opposite of a frequency has the same waves; the four that are their own opposites are left out
    used = (down % half > 0) | ((across > 0) & (across < half))
    places = np.arange(TILE_SIDE)
    turns = (phases[..., None] + across[..., None] * places).astype(np.uint8) & np.uint8(_TURN - 1)
    waves = [(table[turns] * used[..., None]).sum(axis=1, dtype=np.int64) for table in _cosines()]
    even, odd = (table[down[:, :1] * places % _TURN].astype(np.int64) for table in _cosines())
    total = even.T @ waves[0] - odd.T @ waves[1]
    return np.asarray((total + (1 << (_WHITE_SHIFT - 1))) >> _WHITE_SHIFT)


@cache
def _cosines() -> tuple[NDArray[np.int16], NDArray[np.int16]]:
    """Return cosines of each phase of a turn, and those of a quarter turn before: sines; as whole numbers."""
    table = np.rint(_COSINE_SCALE * np.cos(2 * np.pi / _TURN * np.arange(_TURN))).astype(np.int16)
    return table, np.roll(table, _TURN // 4)


def filter_band(plane: Plane, band: int) -> Plane:
    """Return a periodic plane [H, W] through the filter of a band; integers stay integers."""
    return _filtered(plane, band, _low, _high)


def filter_transfer(height: int, width: int, band: int) -> NDArray[np.float64]:
    """Return what the filter of a band does to each frequency [H, W] of a periodic plane of that size."""
    turns = [2 * np.cos(2 * np.pi * np.arange(length) / length) for length in (height, width)]

    def cosines(axis: int, distance: int) -> NDArray[np.float64]:
        own = turns[axis][np.arange(len(turns[axis])) * distance % len(turns[axis])]
        return own[:, None] if axis == 0 else own[None]

    def low(plane: NDArray[np.float64], axis: int, distance: int) -> NDArray[np.float64]:
        return plane * (2 + cosines(axis, distance))

    def high(plane: NDArray[np.float64], axis: int, distance: int) -> NDArray[np.float64]:
        return plane * (2 - cosines(axis, distance))

    return _filtered(np.ones((height, width)), band, low, high)


def _filtered(plane: Values, band: int, low: Step[Values], high: Step[Values]) -> Values:
    """Return a plane through the filter of a band, of texels or of frequencies, by its steps along an axis."""
    if band < _FIRST_STREAKS:
        for distance in (1, 2, 4)[:band]:
            plane = low(low(plane, 1, distance), 0, distance)
        if band == _LOW_PASS:
            return plane
        step = 1 << band
        octave = 16 * plane - low(low(plane, 1, step), 0, step)
        return octave if band > 0 else 2 * octave - high(high(plane, 1, 1), 0, 1)
    along, across = (1, 0) if band % 2 == 0 else (0, 1)
    is_long = band >= BAND_COUNT - 2
    for distance in (1, 2, 4, 8) if is_long else (1, 2):
        plane = low(plane, along, distance)
    if not is_long:
        return high(plane, across, 1)
    return 2 * high(plane, across, 1) + high(low(plane, across, 1), across, 2)


def _low(plane: Plane, axis: int, distance: int) -> Plane:
    return np.roll(plane, distance, axis) + 2 * plane + np.roll(plane, -distance, axis)


def _high(plane: Plane, axis: int, distance: int) -> Plane:
    return 2 * plane - np.roll(plane, distance, axis) - np.roll(plane, -distance, axis)


def block_count(length: int) -> int:
    """Return how many blocks of about 32 texels fill an axis."""
    return max(1, (length + BLOCK // 2) // BLOCK)
