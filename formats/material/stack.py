"""The texture stack: what a material's maps are, and which coded channels they are made of.

A *map* is one image of the material. Each channel of a map has a *route*: either it is one of the stack's coded
channels, or it is constant and costs nothing. Several channels may share one coded channel (a grey picture stored as
RGB). :func:`expand_map` follows the routes back from coded channels to the map in its own sample format.

Three domains of a value, which docs/conventions.md defines for every part of the project:

- *stored*: as in the image file: 0..255, 0..65535, or a float
- *sample*: stored / 255 or / 65535 for integers, in [0, 1]; the float itself for floats
- *code*: what is fitted, in [0, 1]: the sample for ``Transfer.LINEAR`` and ``Transfer.SRGB`` (sRGB values stay
  sRGB-encoded), the log mapping of :func:`encode_log` for ``Transfer.LOG``
"""

from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

MAX_SIZE: Final = 16384
"""Largest width and height of a stack, in texels."""

MAX_CHANNELS: Final = 32
"""Most coded channels of a stack, and most channels of one map."""

LOG_KNEE: Final = 2.0**-6
"""Where the log transfer turns from nearly linear to logarithmic, in sample units: exact in every float format."""

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
    """z of a unit normal in [0, 1]: made of the map's two normal channels before it, x and y; see unit_samples."""


Route = Coded | Constant | UnitZ


@dataclass(frozen=True, slots=True)
class TextureMap:
    """One image of the material: its name, meaning, format, and how each of its channels is made."""

    name: str  # file stem, untrusted text in any script: names.printable to print, names.safe_stem to write
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


@dataclass(frozen=True, slots=True)
class TextureStack:
    """All maps of one material at one size, with the channels that have to be coded.

    There is always at least one coded channel: a stack of nothing but constants carries one channel of zeros that no
    route refers to, so that no later stage needs a case for zero channels, while every map still comes back exactly.
    """

    width: int  # texels, 1..MAX_SIZE
    height: int  # texels, 1..MAX_SIZE
    maps: tuple[TextureMap, ...]  # at least one
    texels: FloatTexels  # float32 [H, W, C], C-contiguous, code domain, values in [0, 1], 1 <= C <= MAX_CHANNELS
    weights: FloatTexels | None = None  # float32 [H, W]: how much each texel's error counts, >= 0, not all 0; None: 1
    wrap: tuple[bool, bool] = (False, False)  # whether it repeats in x and in y, or ends at its border
    wrap_note: str = ""  # one line for the printed lines: how that was found out
    channel_weights: tuple[float, ...] = ()  # [C] how much each coded channel's error counts, > 0; (): 1
    originals: tuple[Samples | None, ...] = ()  # per map its file's samples, where the texels do not give them back
    drawn: tuple[NDArray[np.bool_] | None, ...] = ()  # per map [H, W] where its colour counts; None: everywhere

    def __post_init__(self) -> None:
        """Refuse contradictions between the fields, with ValueError (values are not scanned)."""
        check_layout(self.width, self.height, self.maps, self.channel_count)
        if self.texels.shape[:2] != (self.height, self.width):
            raise ValueError(f"texels of shape {self.texels.shape} in a stack of {self.width} x {self.height}")
        if self.texels.dtype != np.float32 or not self.texels.flags.c_contiguous:
            raise ValueError("texels must be float32 and C-contiguous")
        if self.weights is not None and (
            self.weights.shape != (self.height, self.width) or self.weights.dtype != np.float32
        ):
            raise ValueError(f"weights {self.weights.dtype} {self.weights.shape} must be float32 [H, W]")
        if self.channel_weights and len(self.channel_weights) != self.channel_count:
            raise ValueError(f"{len(self.channel_weights)} channel weights for {self.channel_count} channels")
        if not all(0 < weight < np.inf for weight in self.channel_weights):
            raise ValueError(f"channel weights {self.channel_weights} must be finite and above 0")

    def drawn_of(self, index: int) -> NDArray[np.bool_] | None:
        """Return where the colour of a map counts [H, W]; None: everywhere."""
        return self.drawn[index] if self.drawn else None

    @property
    def channel_count(self) -> int:
        """Coded channels, C."""
        return int(self.texels.shape[2]) if self.texels.ndim == 3 else 0


def noted(texture_map: TextureMap, note: str) -> TextureMap:
    """Return a map with one more note on how it was understood."""
    return replace(texture_map, notes="; ".join(part for part in (texture_map.notes, note) if part))


def source_map(stack: TextureStack, index: int) -> Samples:
    """Return a map as its file has it, [H, W, channels] in its own sample format."""
    original = stack.originals[index] if stack.originals else None
    return expand_map(stack.texels, stack.maps[index]) if original is None else original


def check_layout(width: int, height: int, maps: tuple[TextureMap, ...], channel_count: int) -> None:
    """Raise ValueError, in one line, when sizes or routes are outside what a stack may have.

    Args:
        width: texels, 1..MAX_SIZE
        height: texels, 1..MAX_SIZE
        maps: at least one
        channel_count: coded channels, 1..MAX_CHANNELS
    """
    if not (1 <= width <= MAX_SIZE and 1 <= height <= MAX_SIZE):
        raise ValueError(f"{width} x {height} texels is outside 1..{MAX_SIZE}")
    if not 1 <= channel_count <= MAX_CHANNELS:
        raise ValueError(f"{channel_count} coded channels is outside 1..{MAX_CHANNELS}")
    if not maps:
        raise ValueError("a stack has at least one map")
    for texture_map in maps:
        for index in texture_map.coded_indices:
            if index >= channel_count:
                raise ValueError(f"a map uses coded channel {index} of only {channel_count}")


def encode_log(samples: Samples, log_range: tuple[float, float]) -> FloatTexels:
    """Map samples to the code domain with the signed log transfer.

    ``code = (L(x) - L(lo)) / (L(hi) - L(lo))`` with ``L(x) = sign(x) log2(1 + |x| / LOG_KNEE)``.

    Args:
        samples: finite floats of any shape, in [lo, hi]
        log_range: (lo, hi) in sample units, lo < hi

    Returns:
        float32 of the same shape, in [0, 1].
    """
    low, high = (_signed_log(np.float64(bound)) for bound in log_range)
    code = (_signed_log(samples.astype(np.float64)) - low) / (high - low)
    return np.clip(code, 0.0, 1.0).astype(np.float32)


def decode_log(codes: NDArray[np.floating], log_range: tuple[float, float]) -> NDArray[np.float64]:
    """Invert :func:`encode_log`; codes outside [0, 1] are clipped first, so the result is finite and in [lo, hi]."""
    low, high = (_signed_log(np.float64(bound)) for bound in log_range)
    value = low + np.clip(codes.astype(np.float64), 0.0, 1.0) * (high - low)
    samples = np.copysign(LOG_KNEE * np.expm1(np.abs(value) * np.log(2.0)), value)
    return np.asarray(np.clip(samples, *log_range), dtype=np.float64)


def _signed_log(value: NDArray[np.float64] | np.float64) -> NDArray[np.float64]:
    return np.asarray(np.copysign(np.log1p(np.abs(value) / LOG_KNEE) / np.log(2.0), value))


def expand_map(texels: FloatTexels, texture_map: TextureMap) -> Samples:
    """Make one map of the material from coded channels: the inverse of ingest for that map.

    Args:
        texels: float32 [H, W, C], code domain; any size (a decode may be scaled), values outside [0, 1] are clipped
        texture_map: a map of the stack that the texels belong to

    Returns:
        [H, W, channel_count] in the map's own sample format: integers rounded to nearest and clipped, log transfer
        inverted. The ranges are those of the stored domain.
    """
    height, width = texels.shape[:2]
    expanded = np.empty((height, width, texture_map.channel_count), dtype=texture_map.sample_format.dtype)
    first_use: dict[int, int] = {}
    for channel, route in enumerate(texture_map.routes):
        if isinstance(route, UnitZ):
            continue
        if isinstance(route, Constant):
            expanded[..., channel] = _to_stored(np.full(1, route.value), texture_map.sample_format)
        elif route.index in first_use:
            expanded[..., channel] = expanded[..., first_use[route.index]]
        else:
            samples = _to_samples(texels[..., route.index], texture_map)
            expanded[..., channel] = _to_stored(samples, texture_map.sample_format)
            first_use[route.index] = channel
    for x, y, z in texture_map.unit_normals:
        planes = unit_samples(*(_plane(texels, texture_map.routes[channel]) for channel in (x, y)))
        for channel, plane in zip((x, y, z), planes, strict=True):
            expanded[..., channel] = _to_stored(plane, texture_map.sample_format)
    return expanded


def unit_samples(
    x: NDArray[np.floating], y: NDArray[np.floating]
) -> tuple[NDArray[np.floating], NDArray[np.floating], NDArray[np.floating]]:
    """Return the samples of the unit normal with z >= 0 that two samples in [0, 1] describe.

    x and y beyond the unit circle come back on it.
    """
    side_x, side_y = 2 * x - 1, 2 * y - 1
    squared = side_x**2 + side_y**2
    length = np.sqrt(np.maximum(squared, 1))
    z = np.sqrt(np.maximum(1 - squared, 0))
    return (1 + side_x / length) / 2, (1 + side_y / length) / 2, (1 + z) / 2


def _plane(texels: FloatTexels, route: Route) -> FloatTexels:
    """Samples [H, W] of a coded or constant channel of a map with the linear transfer."""
    if isinstance(route, Coded):
        return np.clip(texels[..., route.index], 0.0, 1.0)
    assert isinstance(route, Constant)
    return np.full(texels.shape[:2], route.value, dtype=np.float32)


def _to_samples(codes: FloatTexels, texture_map: TextureMap) -> NDArray[np.floating]:
    if texture_map.transfer == Transfer.LOG:
        return decode_log(codes, texture_map.log_range)
    return np.asarray(np.clip(codes, 0.0, 1.0))


def _to_stored(samples: NDArray[np.floating], sample_format: SampleFormat) -> Samples:
    if sample_format.is_float:
        largest = float(np.finfo(np.float16 if sample_format == SampleFormat.FLOAT16 else np.float32).max)
        return np.asarray(np.clip(samples, -largest, largest), dtype=sample_format.dtype)
    stored = np.rint(np.clip(samples, 0.0, 1.0) * sample_format.max_value)
    return np.asarray(stored, dtype=sample_format.dtype)
