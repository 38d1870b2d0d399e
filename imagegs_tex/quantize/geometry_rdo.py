"""Improving geometry codes one by one, on rate and distortion together.

Rounding positions and shapes one Gaussian at a time ignores that its neighbours have been rounded too. Here every code
is tried one step up and one step down against the picture as it is, all else fixed, and moves where
``squared error + price * bits`` falls. A trial renders nothing but the patch of texels that the Gaussian reaches. Two
sweeps are worth 5 to 9 % of the bytes (docs/experiments/rounding.md).

The picture is cut into bands of rows that are worked on side by side. Gaussians whose patches cross a border between
bands follow in bands that are shifted by half, then in bands of columns, those shifted by half, and what fits into none
of these one after the other. So the result depends on no thread count.

Where the picture repeats, patches go on beyond its border, on the other side; the shifted bands do too. A Gaussian
whose patch is larger than the picture, so that it would meet itself, rests, and so does one above MOST_TEXELS.
"""

import math
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.formats.igs.quantized_set import EPSILON, least_exponent
from imagegs_tex.quantize.code_lengths import code_lengths
from imagegs_tex.quantize.geometry import GeometryQuantizer
from imagegs_tex.quantize.geometry_rdo_kernels import Codes, Picture, find_patches, refine_within, sum_rows

_BAND: Final = 256
"""Rows or columns."""
_UNUSED_CODE_BITS: Final = 32.0


_Band = tuple[int, int, int, int]
"""First row, the one after the last, first column, the one after the last; beyond the picture where it repeats."""


def refine_geometry(  # noqa: PLR0913 - all of them are needed for a trial
    means: NDArray[np.float64],
    shape_codes: NDArray[np.int16],
    features: NDArray[np.float32],
    image: NDArray[np.float32],
    quantizer: GeometryQuantizer,
    *,
    weights: NDArray[np.float32] | None = None,
    cutoff: float,
    bit_price: float,
    shape_limits: tuple[float, float],
    threads: int,
    resting: NDArray[np.bool_] | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.int16]]:
    """Try every position and shape code one step up and down, once.

    Args:
        means: [N, 2] as the file would hold them
        shape_codes: [N, 3]
        features: [N, K]
        image: the picture in component space [H, W, K]
        quantizer: steps
        weights: [H, W] how much each texel's squared error counts; None: 1
        cutoff: q at which a support ends
        bit_price: squared error that one bit is worth
        shape_limits: least m and greatest length of (h, b) that the fit allows
        threads: bands worked on at once
        resting: [N] which keep their codes; None: none

    Returns:
        means [N, 2] and shape codes [N, 3]
    """
    height, width, components = image.shape
    new_means, codes = means.copy(), shape_codes.astype(np.int64)
    prices, least = shape_prices(codes)
    steps = np.array([quantizer.size_step, quantizer.form_step, quantizer.form_step])
    features = np.ascontiguousarray(features, dtype=np.float32)
    patches = np.empty((len(means), 4), np.int64)
    find_patches(means, codes, steps, cutoff, width, height, quantizer.wrap, patches)
    target, sqrt_weights = np.ascontiguousarray(image), np.ones((height, width), np.float32)
    if weights is not None:
        np.sqrt(weights, out=sqrt_weights)
        target = target * sqrt_weights[:, :, None]
    sums, totals = np.zeros((height, width, components), np.float32), np.full((height, width), np.float32(EPSILON))
    done = np.zeros(len(means), np.bool_) if resting is None else resting.copy()

    picture = Picture(sums, totals, target, sqrt_weights)
    allowed = Codes(
        steps, math.log2(quantizer.position_ratio), least_exponent(width, height), quantizer.cell_log2, prices, least,
        bit_price, *shape_limits, cutoff, np.float32(math.exp(-cutoff)), (width, height), quantizer.wrap,
    )  # fmt: skip

    def add_up(band: _Band) -> None:
        sum_rows(means, codes, features, steps, cutoff, quantizer.wrap, sums, totals, band[0], band[1])

    def work(band: _Band) -> None:
        refine_within(band, done, patches, new_means, codes, features, picture, allowed)

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(add_up, [(first, last, 0, width) for first, last in _bands(height, _BAND, repeats=False)]))
        for bands in _passes(width, height, quantizer.wrap):
            list(pool.map(work, bands))
    return new_means, codes.astype(np.int16)


def shape_prices(codes: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the bits [3, P] of each code of shape codes [N, 3] by their statistics, and the codes [3] of the first."""
    least = codes.min(axis=0) - 1
    lengths = [code_lengths(codes[:, axis], int(least[axis])) for axis in range(3)]
    prices = np.full((3, max(map(len, lengths))), _UNUSED_CODE_BITS)
    for axis, bits in enumerate(lengths):
        prices[axis, : len(bits)] = bits
    return prices, least


def _passes(width: int, height: int, wrap: tuple[bool, bool]) -> list[list[_Band]]:
    """Return bands by pass."""
    rows = [[(*band, 0, width) for band in _bands(height, first, wrap[1])] for first in (_BAND, _BAND // 2)]
    columns = [[(0, height, *band) for band in _bands(width, first, wrap[0])] for first in (_BAND, _BAND // 2)]
    return [*rows, *columns, [(0, height, 0, width)]]


def _bands(size: int, first: int, repeats: bool) -> list[tuple[int, int]]:
    """Return where bands begin and end, the first border given; shifted ones of a picture that repeats go beyond it."""
    borders = list(range(first, size, _BAND))
    if repeats and first < _BAND and borders:
        return list(pairwise([*borders, borders[0] + size]))
    return list(pairwise([0, *borders, size]))
