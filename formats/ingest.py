"""A folder of maps or a single image -> a texture stack with as few coded channels as the material needs."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.formats.errors import InputError
from imagegs_tex.formats.images import FORMATS, LOSSY_SOURCE_SUFFIXES, read_image
from imagegs_tex.formats.importance import read_importance
from imagegs_tex.formats.names import printable
from imagegs_tex.formats.semantics import MapTraits, Reading, read_names, read_single_image
from imagegs_tex.formats.stack import (
    COLOUR_SEMANTICS,
    MAX_CHANNELS,
    SCALAR_SEMANTICS,
    Coded,
    Constant,
    FloatTexels,
    Route,
    SampleFormat,
    Samples,
    Semantic,
    TextureMap,
    TextureStack,
    Transfer,
    encode_log,
)

GREY_TOLERANCE: Final = 2
"""Most that the channels of a grey picture differ, in steps of 1/255, after a lossy codec has been at it."""


@dataclass(frozen=True, slots=True)
class _SourceMap:
    """One image as read, before its channels are routed."""

    path: Path
    texels: Samples  # [H, W, channels] in its own sample format, finite
    sample_format: SampleFormat
    is_grey: bool  # one colour channel, or three that are equal, exactly or within GREY_TOLERANCE of a lossy file

    @property
    def traits(self) -> MapTraits:
        return MapTraits(self.path.stem, self.texels.shape[2], self.is_grey)


@dataclass(frozen=True, slots=True)
class _Routing:
    """How one map's channels are made: each route's index counts the map's own coded channels from 0."""

    routes: tuple[Route, ...]
    sources: tuple[tuple[int, ...], ...]  # per coded channel of this map: the file's channels whose mean it is


def load_stack(path: Path, importance: Path | None = None) -> TextureStack:
    """Read a material.

    From a folder, every file with an image suffix is a map (other files and hidden ones are not looked at), in the
    order of the case-folded names; sub-folders are not entered. A single image is one map with ``Semantic.IMAGE``.

    Channels that are constant become :class:`Constant` routes; channels of one map that are equal share one coded
    channel; so do the colour channels of a grey picture with a scalar semantic from a lossy file that differ by at most
    :data:`GREY_TOLERANCE`, where their mean is coded.

    Args:
        path: a folder or an image file
        importance: a grey image of the same size: how much each texel counts; None: all alike

    Returns:
        The stack; its texels are freshly allocated. If every channel is constant it has one unused channel of zeros.

    Raises:
        InputError: in one line: a missing path, no images, unreadable images, maps of different sizes, two files with
            one stem, NaN or infinite texels, more than MAX_CHANNELS coded channels.
    """
    paths = _find_images(path)
    sources = [_read_source(source_path) for source_path in paths]
    _check_sizes(sources)
    if path.is_dir():
        readings = read_names([source.traits for source in sources])
    else:
        readings = [read_single_image(sources[0].texels.shape[2])]
    routings = [_route(source, reading) for source, reading in zip(sources, readings, strict=True)]
    channel_count = sum(len(routing.sources) for routing in routings)
    if channel_count > MAX_CHANNELS:
        raise InputError(
            f"{printable(path)} has {channel_count} channels to code in {len(sources)} maps; "
            f"use at most {MAX_CHANNELS}, or compress it in parts"
        )
    height, width = sources[0].texels.shape[:2]
    try:
        texels = np.zeros((height, width, max(1, channel_count)), dtype=np.float32)
    except MemoryError:
        needed = height * width * channel_count * 4 >> 20
        raise InputError(
            f"{printable(path)} needs {needed} MiB for its texels, more than there is; use smaller or fewer maps"
        ) from None
    maps = []
    first_channel = 0
    for source, reading, routing in zip(sources, readings, routings, strict=True):
        own = texels[..., first_channel : first_channel + len(routing.sources)]
        maps.append(_encode_map(source, reading, routing, first_channel, own))
        first_channel += len(routing.sources)
    weights = None if importance is None else read_importance(importance, width, height)
    return TextureStack(width, height, tuple(maps), texels, weights)


def _find_images(path: Path) -> list[Path]:
    """Return the image files of a folder in a fixed order, or the one image that the path names."""
    try:
        if path.is_file():
            return [path]
        if not path.is_dir():
            raise InputError(f"{printable(path)} does not exist; give a folder of maps or an image")
        found = [entry for entry in path.iterdir() if _is_image(entry)]
    except OSError as error:
        raise InputError(f"{printable(path)} cannot be listed ({printable(error.strerror)}); check it") from None
    if not found:
        raise InputError(f"{printable(path)} has no images; put maps there with a suffix of {', '.join(FORMATS)}")
    found.sort(key=lambda entry: (entry.name.casefold(), entry.name))
    by_stem: dict[str, Path] = {}
    for entry in found:
        # Case-folded, because the maps must come back on file systems that ignore case.
        other = by_stem.setdefault(entry.stem.casefold(), entry)
        if other is not entry:
            raise InputError(
                f"{printable(path)} has {printable(other.name)} and {printable(entry.name)}, which are the same map "
                "by name; rename or remove one"
            )
    return found


def _is_image(path: Path) -> bool:
    return path.suffix.lower() in FORMATS and not path.name.startswith(".") and path.is_file()


def _read_source(path: Path) -> _SourceMap:
    texels, sample_format = read_image(path)
    if sample_format.is_float:
        _check_finite(path, texels)
    return _SourceMap(path, texels, sample_format, _is_grey(texels, path.suffix.lower()))


def _check_finite(path: Path, texels: Samples) -> None:
    finite = np.isfinite(texels)
    if not finite.all():
        y, x, channel = (int(index) for index in np.unravel_index(int(np.argmin(finite)), finite.shape))
        raise InputError(
            f"{printable(path)} has the value {texels[y, x, channel]} at texel ({x}, {y}), channel {channel}; "
            "replace NaN and infinite texels"
        )


def _check_sizes(sources: Sequence[_SourceMap]) -> None:
    first = sources[0]
    for source in sources:
        if source.texels.shape[:2] != first.texels.shape[:2]:
            raise InputError(
                f"{printable(source.path.name)} is {_size(source)} but {printable(first.path.name)} is {_size(first)}; "
                "all maps of a material must have one size"
            )


def _size(source: _SourceMap) -> str:
    return f"{source.texels.shape[1]} x {source.texels.shape[0]}"


def _is_grey(texels: Samples, suffix: str) -> bool:
    if texels.shape[2] < 3:
        return True
    tolerance = GREY_TOLERANCE if suffix in LOSSY_SOURCE_SUFFIXES and texels.dtype == np.uint8 else 0
    for part in (texels[::32, ::32, :3], texels[..., :3]):  # few pictures are grey: look at some texels first
        if tolerance == 0:
            grey = all(np.array_equal(part[..., 0], part[..., channel]) for channel in (1, 2))
        else:
            red, green, blue = (part[..., channel] for channel in range(3))
            spread = np.maximum(np.maximum(red, green), blue) - np.minimum(np.minimum(red, green), blue)
            grey = int(spread.max()) <= tolerance
        if not grey:
            return False
    return True


def _route(source: _SourceMap, reading: Reading) -> _Routing:
    """Decide how each channel of a map is made, with as few coded channels as possible."""
    routes: list[Route] = []
    coded: list[list[int]] = []
    for channel in range(source.texels.shape[2]):
        plane = source.texels[..., channel]
        if _is_constant(plane):
            routes.append(Constant(float(plane[0, 0]) / source.sample_format.max_value))
            continue
        same = next((k for k, members in enumerate(coded) if _equal(plane, source.texels[..., members[0]])), None)
        if same is None:
            same = len(coded)
            coded.append([channel])
        routes.append(Coded(same))
    if _codes_grey_mean(source, reading, coded):
        # Nearly equal: one coded channel for the first three (where not constant), alpha behind it.
        alpha = [members for members in coded if members[0] >= 3]
        coded = [[0, 1, 2], *alpha]
        routes = [Coded(0) if channel < 3 else _shifted(routes[channel], coded) for channel in range(len(routes))]
    return _Routing(tuple(routes), tuple(tuple(members) for members in coded))


def _codes_grey_mean(source: _SourceMap, reading: Reading, coded: list[list[int]]) -> bool:
    """Whether the first three channels say the same scalar up to the noise of a lossy codec."""
    if not source.is_grey or source.texels.shape[2] < 3:
        return False
    meanings = set(reading.channel_semantics[:3])
    return len(meanings) == 1 and meanings <= SCALAR_SEMANTICS and sum(members[0] < 3 for members in coded) > 1


def _shifted(route: Route, coded: list[list[int]]) -> Route:
    return Coded(len(coded) - 1) if isinstance(route, Coded) else route


def _is_constant(plane: NDArray[np.generic]) -> bool:
    first = plane[0, 0]
    return bool((plane[0] == first).all() and (plane == first).all())


def _equal(plane: NDArray[np.generic], other: NDArray[np.generic]) -> bool:
    return np.array_equal(plane[0], other[0]) and np.array_equal(plane, other)


def _encode_map(
    source: _SourceMap, reading: Reading, routing: _Routing, first_channel: int, texels: FloatTexels
) -> TextureMap:
    """Describe one map and write its coded channels.

    Args:
        source: the map as read
        reading: how its name was understood
        routing: with indices counted from this map's first coded channel
        first_channel: the stack's index of this map's first coded channel
        texels: [H, W, coded channels of this map], a view into the stack's texels, written to
    """
    transfer = _transfer(source, reading, routing)
    log_range = (0.0, 1.0)
    if transfer == Transfer.LOG:
        planes = [source.texels[..., members[0]] for members in routing.sources]
        log_range = (min(float(plane.min()) for plane in planes), max(float(plane.max()) for plane in planes))
    for index, members in enumerate(routing.sources):
        plane = source.texels[..., members[0]]
        if transfer == Transfer.LOG:
            texels[..., index] = encode_log(plane, log_range)
        elif len(members) > 1 and not _equal(plane, source.texels[..., members[-1]]):
            mean = source.texels[..., list(members)].mean(axis=-1, dtype=np.float32)
            texels[..., index] = mean / np.float32(source.sample_format.max_value)
        else:
            np.divide(plane, source.sample_format.max_value, out=texels[..., index], dtype=np.float32)
    semantics, notes = _without_filler(reading, routing)
    return TextureMap(
        name=source.path.stem,
        file_suffix=source.path.suffix.lower(),
        semantic=next((meaning for meaning in semantics if meaning != Semantic.DATA), Semantic.DATA),
        channel_semantics=semantics,
        transfer=transfer,
        sample_format=source.sample_format,
        routes=tuple(
            Coded(route.index + first_channel) if isinstance(route, Coded) else route for route in routing.routes
        ),
        log_range=log_range,
        notes="; ".join(notes),
    )


def _transfer(source: _SourceMap, reading: Reading, routing: _Routing) -> Transfer:
    is_colour = reading.semantic in COLOUR_SEMANTICS
    if not source.sample_format.is_float:
        return Transfer.SRGB if is_colour else Transfer.LINEAR
    within_unit = all(
        source.texels[..., members[0]].min() >= 0 and source.texels[..., members[0]].max() <= 1
        for members in routing.sources
    )
    return Transfer.LINEAR if within_unit and (not is_colour or not routing.sources) else Transfer.LOG


def _without_filler(reading: Reading, routing: _Routing) -> tuple[tuple[Semantic, ...], list[str]]:
    """Channel semantics and notes, once it is known which channels are constant.

    Where occlusion and metallic of a packing are both 1.0 everywhere, the packer has filled unused channels with white:
    the material that uses the file scales metallic by its own factor. Read as metallic, such a file would turn wood
    into metal, so both channels are read as data. They come back all the same.
    """
    notes = [reading.note]
    semantics = list(reading.channel_semantics)
    white = [index for index, route in enumerate(routing.routes) if route == Constant(1.0)]
    fillers = [index for index in white if semantics[index] in {Semantic.OCCLUSION, Semantic.METALLIC}]
    if {semantics[index] for index in fillers} == {Semantic.OCCLUSION, Semantic.METALLIC}:
        for index in fillers:
            semantics[index] = Semantic.DATA
        notes.append("occlusion and metallic are white filler, read as unused")
    else:
        notes += _constant_note(routing.routes)
    shared = len([route for route in routing.routes if isinstance(route, Coded)]) - len(routing.sources)
    if shared:
        notes.append(f"grey: {shared + 1} channels share one")
    return tuple(semantics), notes


def _constant_note(routes: tuple[Route, ...]) -> list[str]:
    constants = {index: route.value for index, route in enumerate(routes) if isinstance(route, Constant)}
    if not constants:
        return []
    if len(constants) == len(routes) and len(set(constants.values())) == 1:
        return [f"constant {constants[0]:.4g}"]
    return ["constant channel " + ", ".join(f"{index} = {value:.4g}" for index, value in constants.items())]
