"""Exact samples of an .igs file: a small picture's texels as they are; docs/igs-format.md, "Exact samples".

Palettes, ramps and lookup strips are what Gaussians hold worst, and their texels take less than a fit's overhead. Each
channel is a plane of integers, as differences to what lies left and above as PNG's filters make them (W3C PNG, section
9) and to the channel before, compressed by zstd.
"""

from dataclasses import dataclass
from itertools import product
from typing import Final

import numpy as np
import zstandard
from numpy.typing import NDArray

from imagegs_tex.formats.igs.planes import require
from imagegs_tex.formats.vocabulary import Coded, SampleFormat, TextureMap

MAX_SAMPLE_BYTES: Final = 3
"""Floats are kept as 24 bits of their code value, a resolution of 10^-7 of the map's logarithmic range."""
_FILTERS: Final = tuple(product((0, 1), (0, 1), (0, 1)))
"""Bit 0: differences along x; bit 1: along y; bit 2: from the channel before, where that is as wide."""
_QUICK_LEVEL: Final = 3  # of zstd, to choose filters by
_BYTES_OF: Final = {SampleFormat.UINT8: 1, SampleFormat.UINT16: 2}

Codes = NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class ExactSamples:
    """Every texel of the coded channels."""

    codes: Codes  # [H, W, C], 0 .. 256^bytes - 1
    sample_bytes: tuple[int, ...]  # [C], 1..3

    @property
    def scales(self) -> NDArray[np.float64]:
        """What a code means, over the code [C]: the greatest code is 1."""
        return 1.0 / (np.exp2(8.0 * np.array(self.sample_bytes)) - 1.0)

    @property
    def values(self) -> NDArray[np.float32]:
        """The channels [H, W, C] in [0, 1], code domain."""
        return np.asarray(self.codes * self.scales, dtype=np.float32)


def exact_samples(texels: NDArray[np.float32], maps: tuple[TextureMap, ...]) -> ExactSamples:
    """Return channels [H, W, C] in [0, 1] at the resolution of the maps that use them."""
    widths = np.ones(texels.shape[2], dtype=int)
    for texture_map in maps:
        for route in texture_map.routes:
            if isinstance(route, Coded):
                width = _BYTES_OF.get(texture_map.sample_format, MAX_SAMPLE_BYTES)
                widths[route.index] = max(widths[route.index], width)
    largest = np.exp2(8.0 * widths) - 1
    codes = np.rint(np.clip(texels, 0.0, 1.0).astype(np.float64) * largest).astype(np.uint32)
    return ExactSamples(codes, tuple(widths.tolist()))


def pack_exact(exact: ExactSamples) -> list[bytes]:
    """Return the plain form of the section as blocks: its head, and one for each byte of each channel."""
    compressor = zstandard.ZstdCompressor(level=_QUICK_LEVEL)
    head, blocks = b"", []
    before: Codes | None = None
    for channel, width in enumerate(exact.sample_bytes):
        plane = exact.codes[..., channel]
        same = before is not None and exact.sample_bytes[channel - 1] == width
        tried = []
        for across, down, between in _FILTERS:
            if between and not same:
                continue
            left = plane - before if between and before is not None else plane
            tried.append((across | down << 1 | between << 2, _byte_planes(_differences(left, across, down), width)))
        number, chosen = min(tried, key=lambda entry: sum(len(compressor.compress(part)) for part in entry[1]))
        head += bytes([width, number])
        blocks += chosen
        before = plane
    return [head, *blocks]


def unpack_exact(raw: bytes, width: int, height: int, channel_count: int) -> ExactSamples:
    """Read the plain form of the section; IgsError where a law is broken."""
    require(len(raw) >= 2 * channel_count, "section exact samples ends within its head")
    widths, filters = raw[0 : 2 * channel_count : 2], raw[1 : 2 * channel_count : 2]
    require(
        all(1 <= count <= MAX_SAMPLE_BYTES for count in widths), "a sample of section exact samples is not 1..3 bytes"
    )
    require(all(number < len(_FILTERS) for number in filters), "an unknown filter of section exact samples")
    expected = 2 * channel_count + width * height * sum(widths)
    require(len(raw) == expected, f"section exact samples has {len(raw)} bytes instead of {expected}")
    codes = np.empty((height, width, channel_count), dtype=np.uint32)
    at = 2 * channel_count
    for channel, (count, number) in enumerate(zip(widths, filters, strict=True)):
        plane = np.zeros((height, width), dtype=np.uint32)
        for byte in range(count):
            part = np.frombuffer(raw, np.uint8, width * height, at).reshape(height, width)
            plane |= part.astype(np.uint32) << np.uint32(8 * byte)
            at += width * height
        if number & 1:
            plane = np.cumsum(plane, axis=1, dtype=np.uint32)
        if number & 2:
            plane = np.cumsum(plane, axis=0, dtype=np.uint32)
        if number & 4:
            known = channel > 0 and widths[channel - 1] == count
            require(known, "a channel of section exact samples counts from one of another width")
            plane += codes[..., channel - 1]
        codes[..., channel] = plane & np.uint32(256**count - 1)
    return ExactSamples(codes, tuple(widths))


def _differences(plane: Codes, across: int, down: int) -> Codes:
    """Return differences to the value left and above, 0 beyond the border, modulo 2^32."""
    if across:
        plane = np.diff(plane, axis=1, prepend=np.uint32(0))
    if down:
        plane = np.diff(plane, axis=0, prepend=np.uint32(0))
    return plane


def _byte_planes(plane: Codes, width: int) -> list[bytes]:
    return [(plane >> np.uint32(8 * byte) & np.uint32(255)).astype(np.uint8).tobytes() for byte in range(width)]
