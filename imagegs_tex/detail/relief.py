"""Normals' noise as the slopes of one height: which two channels are slopes, and what that height is made of.

Slopes of a surface belong together: the field (x, y) is a height's gradient. Of what the Gaussians leave of normals
0.84 to 0.96 of the energy is a gradient (mossy_rock_053, rosewood, rust, scratched metal), of two independent noises
0.5: under a light that looks like crumpled foil.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from imagegs_tex.detail.pattern import middle
from imagegs_tex.detail.residual import OCTAVE_WEIGHTS, Missing
from imagegs_tex.detail.spectra import band_energies, octave_energies, slope_gain, usable_bands
from imagegs_tex.formats.igs.noise_tile import MOST_RELIEF
from imagegs_tex.formats.material.stack import TextureStack
from imagegs_tex.formats.vocabulary import Coded, Semantic

Array = NDArray[np.float64]

_LEAST_SHARE: Final = 0.65
"""Of the energy that must be a gradient; less is noise of its own in x and y, such as a JPEG's."""
_BALANCE_TURNS: Final = 300
_SMOOTH: Final = 0.62
"""Share of the finest octave in what slopes miss, below which heights two texels apart make them. Smooth relief (woven
cloth 0.38 to 0.45, stone blocks 0.50 to 0.57) misses more that is coarse than differences of neighbours can have: 1.25,
0.76 and 0.48 times the octaves of cloth at half the reference's bytes, 1.00 each two texels apart. Rough relief (rock,
brick, metal) has 0.72 to 0.81, and is less of a gradient so (0.7 instead of 0.9 of the energy)."""


@dataclass(frozen=True, slots=True)
class Relief:
    """Two channels that get the slopes of one height."""

    across: int  # the channel of slopes along x
    down: int  # along y
    sign: float  # -1 where y counts upwards (OpenGL), else 1
    apart: int  # texels between the heights whose differences are slopes
    bands: Array  # [8] strengths of the tile's bands in the height, whose slopes have the energy that is missing


def find_relief(stack: TextureStack, residual: Tensor, missing: Missing) -> Relief | None:
    """Return the slopes of the first normal map that misses some; None where none are a surface's.

    Args:
        stack: for what channels mean
        residual: float32 [H, W, C], the source without the decode
        missing: energies of the channels
    """
    for texture_map in stack.maps:
        channels = [
            route.index
            for route, semantic in zip(texture_map.routes, texture_map.channel_semantics, strict=True)
            if isinstance(route, Coded) and semantic == Semantic.NORMAL
        ][:2]
        if len(channels) < 2 or not np.all(missing.channels[channels]):
            continue
        spectra = [np.fft.fft2(plane) for plane in middle(residual[..., channels]).transpose(2, 0, 1)]
        share, sign = gradient_share(*spectra)
        if share >= _LEAST_SHARE:
            power = np.square(np.abs(spectra)).sum(axis=0) / spectra[0].size ** 2
            wanted = missing.energies[:, channels].sum(axis=1)
            apart = 1 if wanted[0] >= _SMOOTH * wanted.sum() else MOST_RELIEF
            bands = _height(power, wanted, apart)
            return Relief(channels[0], channels[1], sign, apart, bands)
    return None


def gradient_share(across: NDArray[np.complex128], down: NDArray[np.complex128]) -> tuple[float, float]:
    """Return how much of a field's energy is a gradient, and the sign of y that makes it most.

    Helmholtz' decomposition, by frequency: a gradient's vector is parallel to its frequency, a curl's at right angles.

    Args:
        across: Fourier transform [H, W] of the field's x
        down: of its y
    """
    y, x = np.meshgrid(*(np.fft.fftfreq(length) for length in across.shape), indexing="ij")
    length = np.maximum(np.hypot(x, y), 1e-9)
    parallel = [np.square(np.abs(x * across + sign * y * down) / length).sum() for sign in (1.0, -1.0)]
    total = float(np.square(np.abs(across)).sum() + np.square(np.abs(down)).sum())
    return max(parallel) / max(total, 1e-30), 1.0 if parallel[0] >= parallel[1] else -1.0


def _height(power: Array, wanted: Array, apart: int) -> Array:
    """Return the strengths [8] of a height's bands.

    Args:
        power: its slopes' power spectrum [H, W], both added up
        wanted: energies [octaves] that its slopes should have together
        apart: texels between the heights whose differences are its slopes
    """
    gain = np.maximum(slope_gain(*power.shape), 1e-3)
    bands = band_energies(power, usable_bands(power / gain, height=True), slopes=apart)
    octaves = octave_energies(slopes=apart)
    relative = OCTAVE_WEIGHTS / np.maximum(np.square(wanted), 1e-30)
    for _ in range(_BALANCE_TURNS):  # as for the other components, see analyse
        up = (relative * wanted) @ octaves
        bands = bands * np.sqrt(up / np.maximum((relative * (octaves @ bands)) @ octaves, 1e-30))
    return np.sqrt(bands)
