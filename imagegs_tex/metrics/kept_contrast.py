"""How much of the source's local contrast a decode keeps, by octave.

A band is the difference of two neighbours among the picture and its Gaussian blurs of 1, 2, 4 and 8 texels deviation,
the picture taken as repeating; kept contrast is a band's standard deviation in the decode over that in the source. 1 is
as much contrast as the source has, 0 none. PSNR says little of it: 27 dB of brick keep 13 % of the finest band.

No blur is computed. By Parseval's theorem a band's variance is the power spectrum times the squared difference of the
two blurs' transfer functions, summed; one transform of a channel gives all four. At 1024 x 1024 x 9 channels that takes
0.2 s of one core (SSIM takes 0.16 there), on a GPU 6 ms, and once 0.2 s for its library of transforms; blurring would
take 4.5 thousand million multiply-adds.
"""

import functools
import math
from collections.abc import Sequence
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imagegs_tex.formats.row_threads import side_by_side
from imagegs_tex.metrics.octave_kernels import plane_of, spectrum_sums
from imagegs_tex.square_root import square_root_

BLUR_DEVIATIONS: Final = (1, 2, 4, 8)
"""Texels; band k lies between blurs k - 1 and k, of which the first is the picture itself."""
EMPTY_BAND: Final = 1e-4
"""Standard deviation below which a band of the source holds nothing that could be kept."""
_TAPS_END: Final = 4.0  # deviations from the middle at which a blur ends
_VALUES_AT_ONCE: Final = 1 << 22  # of a power spectrum, in float64


def kept_contrast(source: Tensor, decoded: Tensor) -> tuple[float | None, ...] | None:
    """Return the kept contrast of each band, finest first, averaged over the channels where the source's is not empty.

    Args:
        source: float32 [H, W, C] in [0, 1]
        decoded: the same shape, on the same device

    Returns:
        a ratio per band, None where the source's band is empty in every channel; None when all are
    """
    return kept_of_deviations(torch.stack([band_deviations(picture) for picture in (source, decoded)]))


def kept_of_deviations(found: Tensor) -> tuple[float | None, ...] | None:
    """Return the same of the deviations [2, C, bands] of source and decode."""
    wanted, kept = found.cpu().numpy()
    ratios: list[float | None] = []
    for band in range(len(BLUR_DEVIATIONS)):
        full = wanted[:, band] > EMPTY_BAND
        ratios.append(float((kept[full, band] / wanted[full, band]).mean()) if full.any() else None)
    return tuple(ratios) if any(ratio is not None for ratio in ratios) else None


def band_deviations(picture: Tensor, wanted: Sequence[int] | None = None) -> Tensor:
    """Return the standard deviation of each channel's bands, float64 [C, bands], of a picture float32 [H, W, C].

    Of the channels that are wanted, where they are named.
    """
    height, width, count = picture.shape
    channels = range(count) if wanted is None else wanted
    down, across = (_products(length) for length in (height, width))
    half = width // 2 + 1
    twice = np.full((half, 1), 2.0)  # a real picture's other half
    twice[0] = 1.0
    if width % 2 == 0:
        twice[-1] = 1.0
    across = across[:half] * twice

    def sums_on_cpu(channel: int) -> Tensor:
        spectrum = torch.fft.rfft2(torch.from_numpy(plane_of(picture, channel)))
        parts = torch.view_as_real(spectrum).numpy().reshape(height, -1)
        return torch.from_numpy(spectrum_sums(parts, np.ascontiguousarray(across.T), down))

    def sums_on_device(channel: int) -> Tensor:
        values = picture[..., channel]  # without its mean, which would take float32's digits
        return sums_in_torch(torch.fft.rfft2(values - values.mean()), across, down)

    on_cpu = picture.device.type == "cpu"
    found = side_by_side(sums_on_cpu, channels) if on_cpu else [sums_on_device(at) for at in channels]
    sums = torch.stack(found)
    # (a - b)^2 = a^2 - 2 a b + b^2, for each pair of neighbouring blurs
    variances = sums[:, 0:-2:2] - 2 * sums[:, 1::2] + sums[:, 2::2]
    return square_root_(variances.clamp_min_(0) / (height * width) ** 2)


def sums_in_torch(spectrum: Tensor, across: NDArray[np.float64], down: NDArray[np.float64]) -> Tensor:
    """Return a power spectrum's sums with products of transfer functions, float64 [products], on any device.

    Args:
        spectrum: complex64 [H, W / 2 + 1]
        across: [W / 2 + 1, products] along x
        down: [H, products] along y
    """
    # copied: torch warns of arrays that cannot be written to, as these are, which are kept
    along_x, along_y = (torch.tensor(values, device=spectrum.device) for values in (across, down))
    sums = torch.zeros(along_x.shape[1], dtype=torch.float64, device=spectrum.device)
    rows = max(1, _VALUES_AT_ONCE // spectrum.shape[1])
    for block, factors in zip(torch.split(spectrum, rows), torch.split(along_y, rows), strict=True):
        sums += (block.abs().double().square_() @ along_x).mul_(factors).sum(dim=0)
    return sums


@functools.lru_cache(8)
def _products(length: int) -> NDArray[np.float64]:
    """Return the products of transfer functions along an axis: of each blur with itself and with the next coarser one.

    float64 [length, 2 bands + 1] in the order 00, 01, 11, 12, 22, ...
    """
    functions = [np.ones(length), *(blur_transfer(length, deviation) for deviation in BLUR_DEVIATIONS)]
    pairs = [functions[number // 2] * functions[(number + 1) // 2] for number in range(2 * len(functions) - 1)]
    products = np.stack(pairs, axis=1)
    products.setflags(write=False)
    return products


def blur_transfer(length: int, deviation: int) -> NDArray[np.float64]:
    """Return what a Gaussian blur, cut off and wrapped around as often as it takes, does to each frequency [length]."""
    reach = math.floor(_TAPS_END * deviation + 0.5)
    offsets = np.arange(-reach, reach + 1)
    taps = np.exp(-0.5 * np.square(offsets / deviation))
    wrapped = np.bincount(offsets % length, taps / taps.sum(), minlength=length)
    return np.asarray(np.fft.fft(wrapped).real)
