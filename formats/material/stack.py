"""The texture stack: a material's maps and the coded channels that they are made of.

:func:`expand_map` follows a map's routes back from coded channels to the map in its own sample format.
"""

from collections.abc import Collection, Container, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.formats.files.file_hash import HashedFile
from imagegs_tex.formats.row_threads import in_bands
from imagegs_tex.formats.transfer_functions import decode_log
from imagegs_tex.formats.vocabulary import (
    MAX_CHANNELS,
    MAX_SIZE,
    Coded,
    Constant,
    FloatTexels,
    Route,
    SampleFormat,
    Samples,
    TextureMap,
    Transfer,
    UnitZ,
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
    remarks: tuple[str, ...] = ()  # for the printed lines: what else there is to say, such as files that are left out
    inputs: tuple[HashedFile, ...] = ()  # the files that it was read from
    saliency: FloatTexels | None = None  # float32 [H, W] in [0, 1]: where people look, if anything asks for it
    source_size: tuple[int, int] | None = None  # width and height of the largest map that was read; None: its own

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
    def is_constant(self) -> bool:
        """Whether no map has a channel that is more than one value."""
        return all(isinstance(route, Constant) for texture_map in self.maps for route in texture_map.routes)

    @property
    def channel_count(self) -> int:
        """Coded channels, C."""
        return int(self.texels.shape[2]) if self.texels.ndim == 3 else 0


def other_user(maps: Sequence[TextureMap], channels: Collection[int], own: Container[int]) -> TextureMap | None:
    """Return the first map, not one of the own ones, that is made of some of these coded channels; None if none is."""
    return next(
        (
            texture_map
            for index, texture_map in enumerate(maps)
            if index not in own and not {*channels}.isdisjoint(texture_map.coded_indices)
        ),
        None,
    )


def noted(texture_map: TextureMap, note: str) -> TextureMap:
    """Return a map with one more note on how it was understood."""
    return replace(texture_map, notes="; ".join(part for part in (texture_map.notes, note) if part))


def source_map(stack: TextureStack, index: int, rows: slice | NDArray[np.intp] = slice(None)) -> Samples:
    """Return a map as its file has it, or some rows of it, [H, W, channels] in its own sample format."""
    original = stack.originals[index] if stack.originals else None
    return expand_map(stack.texels[rows], stack.maps[index]) if original is None else original[rows]


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
    in_bands(lambda rows: _expand_band(texels[rows], texture_map, expanded[rows]), height, _EXPANDED_ROWS)
    return expanded


_EXPANDED_ROWS: Final = 128
"""At once: bounds the memory of temporaries."""


def _expand_band(texels: FloatTexels, texture_map: TextureMap, expanded: Samples) -> None:
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
    if texture_map.sample_format.is_float:
        return np.asarray(np.clip(codes, 0.0, 1.0))
    return codes  # held to that range where they are rounded


def _to_stored(samples: NDArray[np.floating], sample_format: SampleFormat) -> Samples:
    if sample_format.is_float:
        largest = float(np.finfo(np.float16 if sample_format == SampleFormat.FLOAT16 else np.float32).max)
        return np.asarray(np.clip(samples, -largest, largest), dtype=sample_format.dtype)
    stored = np.clip(samples, 0.0, 1.0)
    stored *= sample_format.max_value
    return np.asarray(np.rint(stored, out=stored), dtype=sample_format.dtype)
