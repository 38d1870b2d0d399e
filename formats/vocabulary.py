"""The words that every part shares: what a map means, how its samples are stored, and what its channels are made of.

A *map* is one image of the material. Each channel of a map has a *route*: either it is one of the stack's coded
channels, or it costs nothing because it is constant or follows from others. Several channels may share one coded
channel (a grey picture stored as RGB).

Three domains of a value, which docs/conventions.md defines for every part of the project:

- *stored*: as in the image file: 0..255, 0..65535, or a float
- *sample*: stored / 255 or / 65535 for integers, in [0, 1]; the float itself for floats
- *code*: what is fitted, in [0, 1]: the sample for ``Transfer.LINEAR`` and ``Transfer.SRGB`` (sRGB values stay
  sRGB-encoded), the log mapping of :func:`imagegs_tex.formats.transfer_functions.encode_log` for ``Transfer.LOG``
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

MAX_SIZE: Final = 16384
"""Largest width and height of a stack, in texels."""

MAX_CHANNELS: Final = 32
"""Most coded channels of a stack, and most channels of one map."""

FloatTexels = NDArray[np.float32]
Samples = NDArray[np.uint8 | np.uint16 | np.float16 | np.float32]


class Semantic(IntEnum):
    """What a map or a channel means. The numbers are stored in .igs files: never renumber, only append."""

    DATA = 0
    BASE_COLOUR = 1
    NORMAL = 2
    ROUGHNESS = 3
    GLOSS = 4
    METALLIC = 5
    OCCLUSION = 6
    HEIGHT = 7
    OPACITY = 8
    EMISSIVE = 9
    SPECULAR = 10
    IMAGE = 11
    MASK = 12
    SUBSURFACE = 13
    TRANSMISSION = 14
    CLEARCOAT = 15
    SHEEN = 16
    ANISOTROPY = 17
    CAVITY = 18


COLOUR_SEMANTICS: Final = frozenset(
    {
        Semantic.BASE_COLOUR,
        Semantic.EMISSIVE,
        Semantic.SPECULAR,
        Semantic.IMAGE,
        Semantic.SUBSURFACE,
        Semantic.SHEEN,
    }
)
"""Semantics whose channels are colours; in a map with ``Transfer.SRGB`` exactly these channels are sRGB-encoded."""

SCALAR_SEMANTICS: Final = frozenset(
    {
        Semantic.ROUGHNESS,
        Semantic.GLOSS,
        Semantic.METALLIC,
        Semantic.OCCLUSION,
        Semantic.HEIGHT,
        Semantic.OPACITY,
        Semantic.MASK,
        Semantic.TRANSMISSION,
        Semantic.CLEARCOAT,
        Semantic.CAVITY,
    }
)
"""Semantics with one value per texel, which files often repeat in three channels."""


class Transfer(IntEnum):
    """How sample values relate to light or to the code domain. Stored in .igs files: never renumber."""

    LINEAR = 0  # code = sample, and the sample is linear data
    SRGB = 1  # code = sample, and colour channels are encoded with the sRGB curve (alpha and data are linear)
    LOG = 2  # code = encode_log(sample, range); the sample is linear light or unbounded data


class SampleFormat(IntEnum):
    """How a map's samples are stored in its source file. Stored in .igs files: never renumber."""

    UINT8 = 0
    UINT16 = 1
    FLOAT16 = 2
    FLOAT32 = 3

    @property
    def dtype(self) -> np.dtype[np.uint8 | np.uint16 | np.float16 | np.float32]:
        """The numpy dtype in native byte order."""
        return np.dtype(self.name.lower())

    @property
    def max_value(self) -> float:
        """The stored value of sample 1.0: 255, 65535, or 1.0 for floats."""
        return {SampleFormat.UINT8: 255.0, SampleFormat.UINT16: 65535.0}.get(self, 1.0)

    @property
    def is_float(self) -> bool:
        """Whether samples are floating-point numbers rather than normalised integers."""
        return self in {SampleFormat.FLOAT16, SampleFormat.FLOAT32}

    @classmethod
    def of(cls, dtype: np.dtype[np.generic]) -> "SampleFormat":
        """Return the sample format of a numpy dtype in any byte order; ValueError for other dtypes."""
        try:
            return cls[dtype.name.upper()]
        except KeyError:
            raise ValueError(f"no sample format for dtype {dtype}") from None


@dataclass(frozen=True, slots=True)
class Coded:
    """A channel that is one of the stack's coded channels."""

    index: int  # channel of TextureStack.texels, 0 <= index < C


@dataclass(frozen=True, slots=True)
class Constant:
    """A channel with one value everywhere: no feature is spent on it and it comes back exactly."""

    value: float  # sample domain (never log-coded): [0, 1] for integer formats, any finite float for float formats


@dataclass(frozen=True, slots=True)
class UnitZ:
    """z of a unit normal in [0, 1]: made of the map's two normal channels before it: material.stack.unit_samples."""


Route = Coded | Constant | UnitZ


@dataclass(frozen=True, slots=True)
class TextureMap:
    """One image of the material: its name, meaning, format, and how each of its channels is made."""

    name: str  # file stem, untrusted text in any script: safe_names.printable to print, safe_stem to write
    file_suffix: str  # of the source file, lower case with its dot, such as ".jpg"
    semantic: Semantic  # of the map; of its first used channel where it packs several
    channel_semantics: tuple[Semantic, ...]  # one per channel of the source file
    transfer: Transfer
    sample_format: SampleFormat
    routes: tuple[Route, ...]  # one per channel of the source file, in the file's order, 1..MAX_CHANNELS
    log_range: tuple[float, float] = (0.0, 1.0)  # (lo, hi) in sample units, float32 values; (0, 1) unless Transfer.LOG
    notes: str = ""  # one line for the printed table: how the file was understood

    def __post_init__(self) -> None:
        """Refuse descriptions that contradict themselves, with ValueError."""
        if not 1 <= len(self.routes) <= MAX_CHANNELS:
            raise ValueError(f"a map has 1 to {MAX_CHANNELS} channels, not {len(self.routes)}")
        if len(self.channel_semantics) != len(self.routes):
            raise ValueError(f"{len(self.channel_semantics)} channel semantics for {len(self.routes)} channels")
        low, high = self.log_range
        if not (np.isfinite(low) and np.isfinite(high) and low < high):
            raise ValueError(f"log range ({low}, {high}) is not an increasing pair of finite numbers")
        for route in self.routes:
            if isinstance(route, Coded) and not 0 <= route.index < MAX_CHANNELS:
                raise ValueError(f"coded channel {route.index} is not in 0..{MAX_CHANNELS - 1}")
            if isinstance(route, Constant) and not np.isfinite(route.value):
                raise ValueError(f"constant {route.value} is not finite")
        for channel, route in enumerate(self.routes):
            if isinstance(route, UnitZ):
                self.side_channels(channel)

    @property
    def channel_count(self) -> int:
        """Channels of the source file."""
        return len(self.routes)

    @property
    def coded_indices(self) -> tuple[int, ...]:
        """The stack's coded channels that this map uses, each once, in order of first use."""
        return tuple(dict.fromkeys(route.index for route in self.routes if isinstance(route, Coded)))

    def side_channels(self, channel: int) -> tuple[int, int]:
        """Return the channels x and y that a channel with the route UnitZ is made of; ValueError without them."""
        normals = [
            index
            for index in range(channel + 1)
            if self.channel_semantics[index] == Semantic.NORMAL
            and (index == channel or not isinstance(self.routes[index], UnitZ))
        ]
        if len(normals) < 3 or normals[-1] != channel or self.transfer != Transfer.LINEAR:
            raise ValueError(f"channel {channel} is the z of a unit normal without an x and a y before it")
        return normals[-3], normals[-2]

    @property
    def unit_normals(self) -> tuple[tuple[int, int, int], ...]:
        """Channels x, y, z of every normal whose z is a UnitZ."""
        return tuple(
            (*self.side_channels(channel), channel)
            for channel, route in enumerate(self.routes)
            if isinstance(route, UnitZ)
        )


def wrap_words(wrap: tuple[bool, bool]) -> tuple[str, str]:
    """Return repeat or clamp for x and for y."""
    x, y = ("repeat" if repeats else "clamp" for repeats in wrap)
    return x, y
