"""The detail layer of an .igs file: what the Gaussians leave, described by statistics; docs/igs-format.md, "Detail".

A decoder draws it as noise: so much of each band of the noise tile makes a component, components make channels, and
both the channels' own values and a coarse grid say how strong it is where. Film grain is coded likewise in AV1 (AOM,
"AFGS1", 2022; SMPTE RDD 5).
"""

import struct
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.formats.igs.noise_tile import BAND_COUNT, COMPONENT_SHIFTS, MOST_RELIEF
from imagegs_tex.formats.igs.planes import require

MAX_NOISE_COMPONENTS: Final = len(COMPONENT_SHIFTS)
"""Of a layer without relief. Eight channels are one to two components short of their correlation with that, but have
the right strength."""
RELIEF_COMPONENTS: Final = 3
"""A height, and that of two neighbours."""
MAX_GRID: Final = 64
LARGEST_ENVELOPE_CODE: Final = 15
MAX_AMPLITUDE: Final = 8.0
BAND_SCALE: Final = 255.0
MIXING_SCALE: Final = 127.0
CHANNEL_SCALE_LOG2: Final = 16
"""Channel scales are stored in sixteenths of an octave: 4 %, a step of contrast that nobody sees."""
SLOPE_SCALE: Final = 256.0
_ENVELOPE_STEPS_PER_OCTAVE: Final = 4.0
_ENVELOPE_ONE: Final = 10
"""The code of an envelope of 1; codes 1 to 15 are 0.21 to 2.4, and 0 is none."""
_HEAD: Final = struct.Struct("<BBBB")


@dataclass(frozen=True, slots=True)
class DetailLayer:
    """Noise as codes; K components, C coded channels of the set that it belongs to."""

    band_codes: NDArray[np.uint8]  # [K, 8], of each band in a component, in 1/255
    channel_codes: NDArray[np.uint8]  # [C], scales 2^(-code / 16)
    mixing_codes: NDArray[np.int8]  # [C, K], components in channels, in 1/127 of the channel's scale
    slope_codes: NDArray[np.int16]  # [K, C], growth of the amplitude with the channels' values, in 1/256
    envelope_codes: NDArray[np.uint8]  # [grid rows, grid columns], 0..15
    relief: int = 0  # texels between three places of one height, the first three components; 0: they are not one

    @property
    def shifts(self) -> tuple[tuple[int, int], ...]:
        """Texels, right and down, by which each component reads the tile apart [K]."""
        apart = self.relief
        places = ((0, 0), (apart, 0), (0, apart), *COMPONENT_SHIFTS[1:]) if apart else COMPONENT_SHIFTS
        return places[: self.component_count]

    @property
    def component_count(self) -> int:
        """K."""
        return int(self.band_codes.shape[0])

    @property
    def bands(self) -> NDArray[np.float64]:
        """Weights of the tile's bands [K, 8], in [0, 1]."""
        return self.band_codes / BAND_SCALE

    @property
    def mixing(self) -> NDArray[np.float64]:
        """What a component of strength 1 adds to the channels [C, K]."""
        scales = np.exp2(-self.channel_codes.astype(np.float64) / CHANNEL_SCALE_LOG2)
        return self.mixing_codes / MIXING_SCALE * scales[:, None]

    @property
    def slopes(self) -> NDArray[np.float64]:
        """Growth of the amplitude [K, C] per unit of a channel over its offset."""
        return self.slope_codes / SLOPE_SCALE

    @property
    def envelope(self) -> NDArray[np.float64]:
        """Factors on the amplitude [grid rows, grid columns]."""
        return envelope_values(self.envelope_codes)


def envelope_values(codes: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return the factors that envelope codes mean: 0, or 2^((code - 10) / 4)."""
    values = np.exp2((codes.astype(np.float64) - _ENVELOPE_ONE) / _ENVELOPE_STEPS_PER_OCTAVE)
    return np.where(codes == 0, 0.0, values)


def envelope_codes(factors: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Return the nearest codes; what is weaker than the weakest by half a step is none."""
    with np.errstate(divide="ignore"):
        steps = np.rint(_ENVELOPE_STEPS_PER_OCTAVE * np.log2(factors)) + _ENVELOPE_ONE
    return np.asarray(np.clip(steps, 0, LARGEST_ENVELOPE_CODE), dtype=np.uint8)


def pack_detail(detail: DetailLayer) -> bytes:
    """Return the plain form of the section; ValueError where the layer breaks a law."""
    rows, columns = detail.envelope_codes.shape
    parts = [
        _HEAD.pack(detail.component_count, columns, rows, detail.relief),
        detail.band_codes.tobytes(),
        detail.channel_codes.tobytes(),
        detail.mixing_codes.tobytes(),
        detail.slope_codes.astype("<i2").tobytes(),
        detail.envelope_codes.tobytes(),
    ]
    return b"".join(parts)


def unpack_detail(raw: bytes, channel_count: int) -> DetailLayer:
    """Read the plain form of the section; IgsError where a law is broken."""
    require(len(raw) >= _HEAD.size, "section detail ends within its head")
    components, columns, rows, relief = _HEAD.unpack_from(raw)
    require(relief <= MOST_RELIEF, f"relief {relief} of section detail is above {MOST_RELIEF}")
    more = RELIEF_COMPONENTS - 1 if relief else 0
    least, most = 1 + more, MAX_NOISE_COMPONENTS + more
    require(least <= components <= most, f"{components} noise components is outside {least}..{most}")
    require(1 <= columns <= MAX_GRID and 1 <= rows <= MAX_GRID, f"an envelope of {columns} x {rows} is outside 1..64")
    counts = (
        components * BAND_COUNT, channel_count, channel_count * components, 2 * channel_count * components,
        columns * rows,
    )  # fmt: skip
    expected = _HEAD.size + sum(counts)
    require(len(raw) == expected, f"section detail has {len(raw)} bytes instead of {expected}")
    bands, scales, mixing, slopes, envelope = np.split(
        np.frombuffer(raw, np.uint8, offset=_HEAD.size), np.cumsum(counts)[:-1]
    )  # fmt: skip
    require(bool(np.all(envelope <= LARGEST_ENVELOPE_CODE)), "an envelope code is out of range")
    return DetailLayer(
        band_codes=bands.reshape(components, BAND_COUNT).copy(), channel_codes=scales.copy(),
        mixing_codes=mixing.view(np.int8).reshape(channel_count, components).copy(),
        slope_codes=np.frombuffer(slopes.tobytes(), "<i2").astype(np.int16).reshape(components, channel_count),
        envelope_codes=envelope.reshape(rows, columns).copy(), relief=relief,
    )  # fmt: skip
