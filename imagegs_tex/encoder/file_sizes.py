"""How large the sets of a search become, as files or on the GPU.

Encoding is most of a search's time where a GPU fits: 27 of 32 s for mossy_rock_053 at 348,720 bytes on an H200, with 17
files encoded. The statistics of each plane by itself give other sizes, but other by nearly the same factor from one
feature step to the next: 0.1 to 0.9 % apart at half an octave, 0.3 % at a fifth, 1 % from one fit to another. Coding
for fast reading takes a tenth of the time, and gives 1.02 to 1.09 times the bytes: a factor of the material, which
moves by 0.4 % from one fit to another.
"""

from dataclasses import replace
from typing import Final, Protocol

import numpy as np

from imagegs_tex.encoder.encoded_files import EncodedFiles
from imagegs_tex.formats.igs.container import encode_igs
from imagegs_tex.formats.igs.entropy import Entropy
from imagegs_tex.formats.igs.quantized_set import QuantizedGaussianSet, position_exponents, shape_values
from imagegs_tex.shaders.coarse_levels import SHARE
from imagegs_tex.shaders.gpu_buffer import resident_bytes

_OVER_FAST: Final = 0.96
"""Bytes of small files over those for fast reading, of 17 files in the mean."""


class Sizes(Protocol):
    """Bytes of sets."""

    what: str
    """What has that size."""
    least: str
    """What no set does without."""
    over_file: float
    """Bytes over those of the file, about."""

    def count(self, quantized: QuantizedGaussianSet) -> int:
        """Return the bytes of a set."""

    def gauge(self, quantized: QuantizedGaussianSet) -> int:
        """Return about how many bytes a set has, in less time than counting takes."""

    def guess(self, quantized: QuantizedGaussianSet) -> int:
        """Return about how many bytes a set has that is much like the one counted or gauged last."""

    def either(self, in_file: float, on_gpu: float) -> float:
        """Return the bytes that count of a layer, by what it takes in a file, and on the GPU without levels."""


class GpuSizes:
    """Bytes that stay on the GPU."""

    what = "buffer on the GPU"
    least = "the header, the coarse levels and one Gaussian"
    over_file = 2.5

    def count(self, quantized: QuantizedGaussianSet) -> int:
        """Return the bytes of a set, by packing it."""
        return resident_bytes(quantized)

    guess = gauge = count

    def either(self, in_file: float, on_gpu: float) -> float:
        """Return the bytes that count of a layer: levels may take their share of them, too."""
        del in_file
        share, of = SHARE
        return on_gpu * (1 + share / of)


class FileSizes:
    """Bytes of complete files."""

    what = "file"
    least = "the header, the maps and one Gaussian"
    over_file = 1.0

    def __init__(self, files: EncodedFiles) -> None:
        """Know nothing yet: the first guess is by the statistics as they are."""
        self._files = files
        self._last: QuantizedGaussianSet | None = None
        self._bytes = 0
        self._is_exact = False
        self._factor = 1.0
        self._over_fast = _OVER_FAST

    def count(self, quantized: QuantizedGaussianSet) -> int:
        """Return the bytes of a file, by encoding it."""
        if quantized is not self._last or not self._is_exact:
            exact = self._files.size(quantized)
            if quantized is self._last:
                self._over_fast *= exact / self._bytes
            self._keep(quantized, exact, is_exact=True)
        return self._bytes

    def gauge(self, quantized: QuantizedGaussianSet) -> int:
        """Return about how many bytes a file has, by coding it for fast reading: within 0.5 % once one was counted."""
        if quantized.entropy == Entropy.FAST:
            return self.count(quantized)
        if quantized is not self._last:
            fast = len(encode_igs(replace(quantized, entropy=Entropy.FAST)))
            self._keep(quantized, round(fast * self._over_fast), is_exact=False)
        return self._bytes

    def guess(self, quantized: QuantizedGaussianSet) -> int:
        """Return about how many bytes a file has that is much like the one counted or gauged last."""
        if quantized is self._last:
            return self._bytes
        return round(self._factor * _by_statistics(quantized))

    def _keep(self, quantized: QuantizedGaussianSet, size: int, *, is_exact: bool) -> None:
        self._last, self._bytes, self._is_exact = quantized, size, is_exact
        self._factor = size / _by_statistics(quantized)

    def either(self, in_file: float, on_gpu: float) -> float:
        """Return the bytes that count of a layer."""
        del on_gpu
        return in_file


def _by_statistics(quantized: QuantizedGaussianSet) -> float:
    """Return the bytes of all codes, each by the statistics of its plane alone, positions by their range in a cell."""
    planes = np.concatenate([quantized.shape_codes, quantized.feature_codes], axis=1)
    shapes = shape_values(quantized.shape_codes, quantized.size_step, quantized.form_step)
    bits = float(np.maximum(quantized.cell_log2 - position_exponents(shapes, quantized), 0).sum())
    for plane in planes.T:
        counts = np.unique(plane, return_counts=True)[1]
        bits += float((counts * np.log2(len(plane) / counts)).sum())
    return max(bits / 8, 1.0)
