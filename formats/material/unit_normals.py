"""Normals as directions: where a source's are of unit length, z is made of x and y instead of being coded.

Sources are not all unit vectors. Filtering, mips and painting shorten them, and pictures exported with care are unit to
within their rounding: over the shared materials the root mean square of what making them unit changes is at most
1.7/255 in the one group and at least 3.1/255 in the other. AUTO goes by that, because a z that is made up costs PSNR
where the source's own is another, and the length may mean something to who made it.

AUTO also leaves maps with normals near the rim as they are: z dz = -(x dx + y dy), so there a z that is made of x and y
magnifies their errors. shrub_01_cutout, 0.5 % of whose normals have z < 0.1, lost 0.9 dB over all its maps at equal
bytes; caution_panel, with 0.03 %, gained. An equal-area disk in place of x and y would not magnify (on caution_panel
0.04 dB and 4 % of the 95th percentile better than x and y), but what is coded would then not be a map's x and y.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.formats.files.safe_names import printable
from imagegs_tex.formats.material.options import NormalCoding
from imagegs_tex.formats.material.stack import TextureStack, noted, other_user, source_map, unit_samples
from imagegs_tex.formats.row_threads import in_bands
from imagegs_tex.formats.vocabulary import Coded, FloatTexels, Route, Semantic, TextureMap, Transfer, UnitZ

UNIT_TOLERANCE: Final = 2.5 / 255
"""Root mean square change of a map's samples up to which AUTO makes its normals unit vectors."""

RIM_Z: Final = 0.1
MOST_AT_RIM: Final = 1e-3
"""Largest share of normals with a z below RIM_Z for AUTO to make z of x and y."""

ANGLE_WEIGHT: Final = 1.6
"""How much more than other channels' an angle's error counts where z is made of x and y. Around 1 the pooled PSNR is
flat, and angles are not: 1.3 took 8 % off caution_panel's mean angle, and was still 0.05 dB above z coded."""
STORED_WEIGHTS: Final = (1.4, 1.4, 0.7)
"""Of x, y, z where all three are coded: errors along a normal do not turn it, and most normals point along z. With
(1.5, 1.5, 0.5) angles fell by 2 to 6 % at equal bytes, but boombox lost 0.3 dB."""
_LEAST_Z: Final = 0.15
"""Steeper normals weigh no more: their x and y would outweigh all else."""
_SHORTEST: Final = 0.1
"""Vectors below this length have no direction: they become (0, 0, 1)."""
_ROWS: Final = 256
_AT_ONCE: Final = 32
"""Rows whose numbers on the way stay in a processor's cache: 256 at once took twice as long."""


Properties = tuple[float, float, tuple[float, float]]
"""Of normals: the root mean square change of their samples when they become unit vectors that z >= 0 can say; the share
of them with a small z; how much squared errors of x and y grow on average, as dθ² = dx² + dy² + dz² and
z dz = -(x dx + y dy)."""


def look_at_normals(maps: Sequence[TextureMap], texels: FloatTexels) -> dict[tuple[int, ...], Properties]:
    """Return what is known of each three coded channels [H, W, C] that are a normal."""
    return {coded: _properties(texels, list(coded)) for coded in _normals(maps)}


def code_normals(
    stack: TextureStack, coding: NormalCoding, properties: Mapping[tuple[int, ...], Properties]
) -> TextureStack:  # fmt: skip
    """Return the stack with the z of its normal maps left to x and y where the coding says so, weighted by angle.

    Maps of two channels, constant normals, and maps whose x, y and z share coded channels are left as they are; normals
    whose channels another map has, too, are coded as stored. The stack's texels are written to.

    Args:
        stack: with the maps and the normals' texels that were looked at
        coding: what was asked for
        properties: what :func:`look_at_normals` has found
    """
    maps, originals = list(stack.maps), list(stack.originals or (None,) * len(stack.maps))
    channel_weights = list(stack.channel_weights or [1.0] * stack.channel_count)
    texels, dropped = stack.texels, []
    for coded, own in _normals(stack.maps).items():
        change, at_rim, magnified = properties[coded]
        steps = f"{change * 255:.1f}/255"
        is_unit = change <= UNIT_TOLERANCE and at_rim <= MOST_AT_RIM
        other = other_user(stack.maps, coded, own)
        if other or coding == NormalCoding.STORED or (coding == NormalCoding.AUTO and not is_unit):
            for channel, weight in zip(coded, STORED_WEIGHTS, strict=True):
                channel_weights[channel] *= weight
            for index in own:
                if other:
                    maps[index] = noted(
                        maps[index], f"coded as stored, as {printable(other.name)} has the same channels"
                    )
                elif coding == NormalCoding.AUTO:
                    maps[index] = noted(maps[index], f"coded as stored, off unit length by {steps}")
            continue
        for index in own:
            originals[index] = source_map(stack, index)
        _make_unit(texels, list(coded))
        for channel, weight in zip(coded[:2], magnified, strict=True):
            channel_weights[channel] *= ANGLE_WEIGHT * weight
        dropped.append(coded[2])
        for index, axes in own.items():
            routes: list[Route] = list(maps[index].routes)
            routes[axes[2]] = UnitZ()
            note = f"unit vectors, z from x and y, to {steps}"
            maps[index] = noted(replace(maps[index], routes=tuple(routes)), note)
    if not dropped:
        return replace(stack, maps=tuple(maps), channel_weights=tuple(channel_weights))
    kept = [channel for channel in range(stack.channel_count) if channel not in dropped]
    return replace(
        stack,
        maps=tuple(_renumbered(texture_map, kept) for texture_map in maps),
        texels=_channels(texels, kept),
        originals=tuple(originals),
        channel_weights=tuple(channel_weights[channel] for channel in kept),
    )


def _coded_axes(texture_map: TextureMap) -> tuple[int, int, int] | None:
    """Channels x, y, z of a map's normal if each is coded by itself."""
    axes = [index for index, semantic in enumerate(texture_map.channel_semantics) if semantic == Semantic.NORMAL]
    routes = [texture_map.routes[axis] for axis in axes]
    alone = all(isinstance(route, Coded) and texture_map.routes.count(route) == 1 for route in routes)
    if len(axes) != 3 or not alone or texture_map.transfer != Transfer.LINEAR or texture_map.sample_format.is_float:
        return None
    return axes[0], axes[1], axes[2]


def _normals(maps: Sequence[TextureMap]) -> dict[tuple[int, ...], dict[int, tuple[int, int, int]]]:
    """Return for each three coded channels that are a normal the maps that have them: their numbers, and x, y, z."""
    found: dict[tuple[int, ...], dict[int, tuple[int, int, int]]] = {}
    for index, texture_map in enumerate(maps):
        axes = _coded_axes(texture_map)
        if axes is not None:
            routes = (texture_map.routes[axis] for axis in axes)
            coded = tuple(route.index for route in routes if isinstance(route, Coded))
            found.setdefault(coded, {})[index] = axes
    return found


def _properties(texels: FloatTexels, axes: list[int]) -> Properties:
    def look_at(rows: slice) -> tuple[float, int, NDArray[np.float64]]:
        change, at_rim, width = 0.0, 0, texels.shape[1]
        scratch = np.empty((3, min(_AT_ONCE, rows.stop - rows.start), width))
        # What was added up before and what is added to it, one after the other, and the sums: numpy keeps Python from
        # other threads where it adds up in place.
        added, totals = np.empty((2, _AT_ONCE * width + 1))
        grown = np.zeros(2)
        for first in range(rows.start, rows.stop, _AT_ONCE):
            given = _planes(texels[first : min(first + _AT_ONCE, rows.stop)], axes)
            unit = unit_samples(*_sides([plane.copy() for plane in given]))
            squares = scratch[:, : len(given[0])]
            for made, own, square in zip(unit, given, squares, strict=True):
                np.subtract(made, own, out=own)
                change += float(np.square(own, out=square, dtype=np.float64).sum())
                np.multiply(made, 2, out=made)
                np.subtract(made, 1, out=made)
                np.square(made, out=square, dtype=np.float64)
            x, y, z = (square.ravel() for square in squares)
            at_rim += int(np.count_nonzero(z < RIM_Z**2))
            np.maximum(z, _LEAST_Z**2, out=z)
            for axis, side in enumerate((x, y)):
                added[0] = grown[axis]
                np.divide(side, z, out=added[1 : len(z) + 1])
                grown[axis] = np.cumsum(added[: len(z) + 1], out=totals[: len(z) + 1])[-1]
        return change, at_rim, grown

    change, at_rim, grown = 0.0, 0, np.zeros(2)
    for own_change, own_at_rim, own_grown in in_bands(look_at, len(texels), _ROWS):
        change, at_rim, grown = change + own_change, at_rim + own_at_rim, grown + own_grown
    count = texels.shape[0] * texels.shape[1]
    x, y = 1 + grown / count
    return float(np.sqrt(change / (3 * count))), at_rim / count, (float(x), float(y))


def _make_unit(texels: FloatTexels, axes: list[int]) -> None:
    def make_unit(rows: slice) -> None:
        band = texels[rows]
        band[..., axes[0]], band[..., axes[1]] = _sides(_planes(band, axes))

    in_bands(make_unit, len(texels), _AT_ONCE)


def _channels(texels: FloatTexels, kept: list[int]) -> FloatTexels:
    """Return a copy of some channels."""
    found = np.empty((*texels.shape[:2], len(kept)), texels.dtype)

    def copy(rows: slice) -> None:
        found[rows] = texels[rows][..., kept]

    in_bands(copy, len(texels), _ROWS)
    return found


def _planes(band: FloatTexels, axes: list[int]) -> list[NDArray[np.float32]]:
    """Return channels of some rows [rows, W, C], each by itself [rows, W]."""
    return [np.ascontiguousarray(band[..., axis]) for axis in axes]


def _sides(samples: list[NDArray[np.float32]]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return samples of x and y of the unit vectors along the given ones, x, y, z [rows, W], which become scratch."""
    for plane in samples:
        np.multiply(plane, 2, out=plane)
        np.subtract(plane, 1, out=plane)
    x, y, z = samples
    length = np.square(x)
    length += np.square(y)
    length += np.square(z, out=z)
    np.sqrt(length, out=length)
    shown = length >= _SHORTEST
    scale = 0.5 / np.maximum(length, np.float32(_SHORTEST), out=length)
    scale[~shown] = 0
    x *= scale
    y *= scale
    x += 0.5
    y += 0.5
    return x, y


def _renumbered(texture_map: TextureMap, kept: list[int]) -> TextureMap:
    routes = (Coded(kept.index(route.index)) if isinstance(route, Coded) else route for route in texture_map.routes)
    return replace(texture_map, routes=tuple(routes))
