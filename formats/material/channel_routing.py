"""How the channels of a map are made: with as few coded channels as possible, and once where maps have the same."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.formats.errors import InputError
from imagegs_tex.formats.files.safe_names import printable
from imagegs_tex.formats.material.name_reading import MapReading
from imagegs_tex.formats.material.read_maps import SourceMap
from imagegs_tex.formats.vocabulary import (
    COLOUR_SEMANTICS,
    SCALAR_SEMANTICS,
    Coded,
    Constant,
    Route,
    Transfer,
)


@dataclass(frozen=True, slots=True)
class Routing:
    """How one map's channels are made: each route's index counts the map's own coded channels from 0."""

    routes: tuple[Route, ...]
    sources: tuple[tuple[int, ...], ...]  # per coded channel of this map: the file's channels whose mean it is
    transfer: Transfer
    log_range: tuple[float, float]  # in sample units; (0, 1) unless Transfer.LOG


@dataclass(frozen=True, slots=True)
class CodedPlane:
    """A channel that a map codes."""

    map_index: int
    members: tuple[int, ...]  # of the map's channels: the plane is their mean


def route_channels(source: SourceMap, reading: MapReading) -> Routing:
    """Decide how each channel of a map is made, with as few coded channels as possible."""
    routes: list[Route] = []
    coded: list[list[int]] = []
    for channel in range(source.texels.shape[2]):
        plane = source.texels[..., channel]
        if _is_constant(plane):
            routes.append(Constant(float(plane[0, 0]) / source.sample_format.max_value))
            continue
        same = next((k for k, members in enumerate(coded) if equal_planes(plane, source.texels[..., members[0]])), None)
        if same is None:
            same = len(coded)
            coded.append([channel])
        routes.append(Coded(same))
    if _codes_grey_mean(source, reading, coded):
        # Nearly equal: one coded channel for the first three (where not constant), alpha behind it.
        alpha = [members for members in coded if members[0] >= 3]
        coded = [[0, 1, 2], *alpha]
        routes = [Coded(0) if channel < 3 else _shifted(routes[channel], coded) for channel in range(len(routes))]
    transfer = _transfer(source, reading, coded)
    log_range = (0.0, 1.0)
    if transfer == Transfer.LOG:
        planes = [source.texels[..., members[0]] for members in coded]
        log_range = (min(float(plane.min()) for plane in planes), max(float(plane.max()) for plane in planes))
    return Routing(tuple(routes), tuple(tuple(members) for members in coded), transfer, log_range)


def first_alike(planes: Sequence[CodedPlane], sources: Sequence[SourceMap], routings: Sequence[Routing]) -> list[int]:
    """Return for each plane the first of the planes whose codes are the same in every texel: itself, mostly.

    One picture listed twice is coded once, whatever each map takes it for.

    Args:
        planes: of all maps, in their order
        sources: the maps, of one size
        routings: of each
    """

    def alike(one: CodedPlane, other: CodedPlane) -> bool:
        first, second = routings[one.map_index], routings[other.map_index]
        logs = Transfer.LOG in {first.transfer, second.transfer}
        texels, others = sources[one.map_index].texels, sources[other.map_index].texels
        return (
            texels.dtype == others.dtype
            and len(one.members) == len(other.members)
            and (not logs or (first.transfer, first.log_range) == (second.transfer, second.log_range))
            and all(
                equal_planes(texels[..., a], others[..., b]) for a, b in zip(one.members, other.members, strict=True)
            )
        )

    found: list[int] = []
    for index, plane in enumerate(planes):
        found.append(next((other for other in dict.fromkeys(found) if alike(planes[other], plane)), index))
    return found


def _codes_grey_mean(source: SourceMap, reading: MapReading, coded: list[list[int]]) -> bool:
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


def equal_planes(plane: NDArray[np.generic], other: NDArray[np.generic]) -> bool:
    """Whether two planes hold the same values; what differs mostly does so in the first row."""
    return np.array_equal(plane[0], other[0]) and np.array_equal(plane, other)


def _transfer(source: SourceMap, reading: MapReading, coded: Sequence[Sequence[int]]) -> Transfer:
    is_colour = reading.semantic in COLOUR_SEMANTICS
    is_srgb = source.source.is_srgb
    if is_srgb and (source.sample_format.is_float or COLOUR_SEMANTICS.isdisjoint(reading.channel_semantics)):
        kind = "floats, which hold linear light" if source.sample_format.is_float else "no colour"
        raise InputError(f"{printable(source.source.image.path)} holds {kind}: isSRGB must be false")
    if not source.sample_format.is_float:
        return Transfer.SRGB if (is_colour if is_srgb is None else is_srgb) else Transfer.LINEAR
    within_unit = all(
        source.texels[..., members[0]].min() >= 0 and source.texels[..., members[0]].max() <= 1 for members in coded
    )
    return Transfer.LINEAR if within_unit and (not is_colour or not coded) else Transfer.LOG
