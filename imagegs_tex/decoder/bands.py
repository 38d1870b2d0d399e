"""Large pictures in bands of rows, so that no more than a band of them is there as floating-point numbers."""

import math
from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.decoder.detail import add_detail
from imagegs_tex.decoder.render import added_rows, drawn_features, nearest_texels, render_channels, stretched
from imagegs_tex.formats.igs import quantized_set as g
from imagegs_tex.formats.igs.quantized_set import QuantizedGaussianSet
from imagegs_tex.formats.vocabulary import FloatTexels
from imagegs_tex.quantize.channel_basis import to_channels
from imagegs_tex.rasterize.backend import Backend

_WHOLE_BYTES: Final = 1 << 30
"""Of floating-point numbers up to which a picture is drawn at once."""
_BAND_BYTES: Final = 1 << 28
"""Of those of a band. A decode's peak is a few of these, the samples of all maps, and one encoded image."""


def channel_bands(
    quantized: QuantizedGaussianSet, backend: Backend, size: tuple[int, int], *, with_detail: bool = False
) -> Iterator[tuple[int, FloatTexels]]:
    """Render all coded channels, a large picture band by band.

    A picture that is smaller than the file's along an axis is drawn whole, as the file's own size is then what counts.
    Between bands and a whole picture sums differ in their last bits.

    Args:
        quantized: the file's content
        backend: the rasterizer
        size: width and height of the result in texels
        with_detail: draw the file's detail layer

    Yields:
        first row, and float32 [rows, W, C] in the code domain, from top to bottom
    """
    width, height = size
    row_bytes = 4 * width * (quantized.component_count + quantized.channel_count)
    magnified = width >= quantized.width and height >= quantized.height
    if not magnified or row_bytes * height <= _WHOLE_BYTES:
        yield 0, render_channels(quantized, backend, size, with_detail=with_detail).cpu().numpy()
        return
    rows = max(1, _BAND_BYTES // row_bytes)
    draw = _Bands(quantized, backend, size, with_detail)
    for first in range(0, height, rows):
        yield first, draw.band(first, min(rows, height - first))


class _Bands:
    """A set's Gaussians at another size, of which each band takes those that reach it."""

    def __init__(
        self, quantized: QuantizedGaussianSet, backend: Backend, size: tuple[int, int], with_detail: bool
    ) -> None:  # fmt: skip
        self._quantized, self._backend, self._size = quantized, backend, size
        self._detail = quantized.detail if with_detail else None
        scale = np.array(size) / [quantized.width, quantized.height]
        self._values = g.dequantize(quantized)
        self._means, self._conics = stretched(self._values, scale)
        shapes = g.shape_values(quantized.shape_codes, quantized.size_step, quantized.form_step)
        self._reach = g.reaches_of(shapes, quantized.cutoff)[:, 1] * scale[1] + 1.0

    def band(self, first: int, rows: int) -> FloatTexels:
        """Return channels float32 [rows, W, C] from a row on."""
        if self._quantized.exact is not None:
            return nearest_texels(self._quantized.exact.values, self._size, slice(first, first + rows))
        members, shifts = self._reaching(first, rows)
        means = self._means[members] - np.stack([np.zeros(len(shifts)), first - shifts], axis=1)
        image = drawn_features(
            means, self._conics[members], self._values.features[members], cutoff=self._quantized.cutoff,
            size=(self._size[0], rows), wrap=(self._quantized.wrap[0], False), backend=self._backend,
        )  # fmt: skip
        added = added_rows(self._quantized, self._size, self._backend, slice(first, first + rows))
        channels = to_channels(image, self._values.basis, self._values.offset, added)
        if self._detail is not None:
            own = (self._quantized.width, self._quantized.height)
            band = (first, self._size[1])
            add_detail(channels, self._detail, self._values.offset, own, self._quantized.wrap, band)
        return channels.cpu().numpy()

    def _reaching(self, first: int, rows: int) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """Return which Gaussians reach a band [M], and by how much each is moved down as a copy where it repeats."""
        height = self._size[1]
        most = math.ceil(float(self._reach.max(initial=0.0)) / height) if self._quantized.wrap[1] else 0
        found = []
        for copy in range(-most, most + 1):
            middle = self._means[:, 1] + copy * height
            members = np.flatnonzero((middle + self._reach > first) & (middle - self._reach < first + rows))
            found.append((members, np.full(len(members), float(copy * height))))
        return np.concatenate([part for part, _ in found]), np.concatenate([part for _, part in found])
