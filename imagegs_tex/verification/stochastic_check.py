"""Hold the mean of a decoder's draws against the sample with a footprint that they are draws of."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.shaders.footprint_constants import MAX_ANISOTROPY
from imagegs_tex.verification.float64_footprint import FootprintReference, away_from_ties, sample_grad
from imagegs_tex.verification.opengl_footprint import Sampler

FOOTPRINTS: Final = 6
DRAWS: Final = 4096
"""Of each footprint."""
MAX_MEAN_ERROR: Final = 1 / 255
"""Largest difference of the mean of so many draws, over channels in [0, 1]."""

Float = NDArray[np.float64]


class StochasticCheck:
    """Footprints with their right answers; made once, held against every decoder."""

    def __init__(self, reference: FootprintReference, channel_count: int, seed: int) -> None:
        """Choose footprints from one texel to wider than the last level, most of them below the first coarse level."""
        rng = np.random.default_rng(seed)
        size = np.array([reference.picture.width, reference.picture.height])
        lengths = np.exp2(rng.uniform(0, reference.first + 1, (4 * FOOTPRINTS, 2)))
        lengths[0] = 2.0 ** (reference.last + 1)
        angles = rng.uniform(0, 2 * np.pi, lengths.shape)
        steps = lengths[..., None] * np.stack([np.cos(angles), np.sin(angles)], axis=-1)
        sure = np.flatnonzero(away_from_ties(steps[:, 0], steps[:, 1], MAX_ANISOTROPY))[:FOOTPRINTS]
        uv = rng.random((len(sure), 2))
        self._expected = sample_grad(reference, uv * size, steps[sure, 0], steps[sure, 1], MAX_ANISOTROPY)
        self._expected = self._expected[:, :channel_count]
        footprints = np.concatenate([uv, (steps[sure] / size).reshape(-1, 4)], axis=1)
        noise = _hammersley(DRAWS) + np.array([0.0, 2.0])  # see REQUEST_FLOATS
        columns = np.repeat(footprints, DRAWS, axis=0), np.tile(noise, (len(sure), 1))
        self._requests = np.concatenate(columns, axis=1).astype(np.float32)

    def error(self, sampler: Sampler) -> float | None:
        """Return the largest difference of a mean; None if a decoder draws pixels. NaN stays NaN."""
        found = sampler.requests(self._requests)
        if found is None:
            return None
        means = found.reshape(len(self._expected), DRAWS, -1).mean(axis=1, dtype=np.float64)
        return float(np.abs(means[:, : self._expected.shape[1]] - self._expected).max())


def _hammersley(count: int) -> Float:
    """Return points [count, 2] in [0, 1)^2 that fill it evenly; count is a power of two.

    Hammersley, "Monte Carlo methods for solving multivariable problems", 1960.
    """
    bits = count.bit_length() - 1
    numbers = np.arange(count)
    mirrored = sum(((numbers >> bit) & 1) << (bits - 1 - bit) for bit in range(bits))
    return (np.stack([numbers, mirrored], axis=1) + 0.5) / count
