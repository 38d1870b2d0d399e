"""Whether a normal map is what its name says: which way z points, and whether it is there at all.

Tangent-space normals have z >= 0. Maps whose z is below 0 in many texels are in object or world space; taken for
tangent space they lose that sign where z is made of x and y (BC5, shaders). Maps that were unpacked from two channels
(BC5, 3Dc, "RG" exports) have one value everywhere in blue, mostly 0, which is a z of -1: normals into the surface.
After a JPEG it is about one value.
Maps packed for DXT5 ("DXT5nm": Unity, id Tech) have x in alpha, the channel that DXT5 keeps best, y in green, and
nothing in red and blue.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.formats.material.name_reading import MapReading
from imagegs_tex.formats.material.read_maps import SourceMap
from imagegs_tex.formats.vocabulary import SampleFormat, Samples, Semantic

LEAST_BEHIND: Final = 0.02
"""Share of the unit vectors of a map with z below 0 from which it is no tangent-space map. Noise of lossy codecs around
z = 0 stays below it: steep normals are few, and BEHIND leaves 13 steps of 8 bits for it."""
BEHIND: Final = -0.1
UNIT_LENGTHS: Final = (0.9, 1.1)
LEAST_UNIT: Final = 0.8
"""Share of the vectors that are of about unit length in a map of normals; in pictures of other things it is a third."""
NO_VECTOR: Final = (0.3, 1.6)
"""Lengths of what is no vector: the grey, black or white of an atlas between its islands."""
MOST_OFF: Final = 2.5 / 255
"""Root mean square distance, as samples, up to which a constant z is what x and y ask for: that of nearly flat normals.
flight_helmet_lenses, whose blue is 1 everywhere, has 0.01/255."""
MOST_SPREAD: Final = 16 / 255
"""How far samples of 99% of the texels may lie from a constant that a JPEG has been through: x and y leak into it."""
FACING_AWAY: Final = -0.5
"""Middle z below which such a map has none. Above it, blue is what someone painted, however little it varies."""
LEAST_WITHIN: Final = 0.95
"""Share of texels with x² + y² <= 1 from which two channels are taken for x and y of unit vectors."""
_LOOKED_AT: Final = 1 << 18  # texels, evenly over the map
_ROWS: Final = 256

_Map = tuple[SourceMap, MapReading]


def understand_normals(maps: Sequence[_Map]) -> list[_Map]:
    """Return maps with normals that are not in tangent space read as data, and with z where it is missing."""
    return [_understand(source, reading) for source, reading in maps]


def _understand(source: SourceMap, reading: MapReading) -> _Map:
    axes = [index for index, meaning in enumerate(reading.channel_semantics) if meaning == Semantic.NORMAL]
    if len(axes) != 3:
        return source, reading
    if axes == [0, 1, 2] and _is_packed_for_dxt5(source.texels):
        if reading.is_certain:
            note = 'looks like DXT5nm, x in alpha and y in green: a manifest with "channelSwizzle": "AGB" reads that'
            return source, replace(reading, note=f"{reading.note}; {note}")
        note = f"{reading.note}; DXT5nm: x is alpha, y is green, z is made of them"
        texels = _with_z(np.ascontiguousarray(source.texels[..., [3, 1, 2]]), axes)
        read = replace(reading, semantic=Semantic.NORMAL, channel_semantics=(Semantic.NORMAL,) * 3, note=note)
        return replace(source, texels=texels), read
    behind = _share_behind(source.texels, axes)
    if behind >= LEAST_BEHIND:
        found = f"z is below 0 in {behind:.0%} of the texels: object or world space"
        if reading.is_certain:
            note = f"{found}; two-channel formats lose its sign"
            return source, replace(reading, note=f"{reading.note}; {note}")
        channels = tuple(
            Semantic.DATA if meaning == Semantic.NORMAL else meaning for meaning in reading.channel_semantics
        )
        semantic = next((meaning for meaning in channels if meaning != Semantic.DATA), Semantic.DATA)
        note = f"{reading.note}; {found}, so plain data with all three components"
        return source, replace(reading, semantic=semantic, channel_semantics=channels, note=note)
    if not _lacks_z(source.texels, axes):
        return source, reading
    value = float(np.median(sampled(source.texels)[..., axes[2]])) / _largest(source.texels)
    constant = "everywhere" if _is_constant(source.texels[..., axes[2]]) else "or nearly so everywhere"
    channel = "RGBA"[axes[2]] if axes[2] < 4 else axes[2]
    note = f"{reading.note}; z is made of x and y: {channel} is {value:.4g} {constant}"
    return replace(source, texels=_with_z(source.texels, axes)), replace(reading, note=note)


def _largest(texels: Samples) -> float:
    return SampleFormat.of(texels.dtype).max_value


def sampled(texels: Samples) -> Samples:
    """Return texels evenly over a map, few enough to look at."""
    step = max(1, int(np.sqrt(texels.shape[0] * texels.shape[1] / _LOOKED_AT)))
    return texels[::step, ::step]


def vectors(texels: Samples, axes: Sequence[int], signed: bool) -> NDArray[np.float32]:
    """Return vectors [..., len(axes)]: of samples in [0, 1], or of floats that are the components already."""
    values = texels[..., list(axes)].astype(np.float32)
    return values if signed else values * np.float32(2 / _largest(texels)) - 1


def is_signed(texels: Samples) -> bool:
    """Whether samples are the components themselves: floats of which some are below 0."""
    return texels.dtype.kind == "f" and bool((texels < 0).any())


def _share_behind(texels: Samples, axes: Sequence[int]) -> float:
    """Return which share of a map's unit vectors points into the surface; 0 if it does not consist of such."""
    looked_at = vectors(sampled(texels), axes, is_signed(texels))
    length = np.sqrt(np.square(looked_at).sum(axis=-1))
    is_vector = (length > NO_VECTOR[0]) & (length < NO_VECTOR[1])
    is_unit = (length > UNIT_LENGTHS[0]) & (length < UNIT_LENGTHS[1])
    if is_unit.sum() < LEAST_UNIT * is_vector.sum() or not is_unit.any():
        return 0.0
    return float((looked_at[..., 2] < BEHIND)[is_unit].sum() / is_unit.sum())


def _lacks_z(texels: Samples, axes: Sequence[int]) -> bool:
    looked_at = vectors(sampled(texels), axes, is_signed(texels))
    if not _is_constant(texels[..., axes[2]]):
        z = looked_at[..., 2]
        middle = np.median(z)
        if middle > FACING_AWAY or np.quantile(np.abs(z - middle), 0.99) > 2 * MOST_SPREAD:
            return False
    squared = np.square(looked_at[..., :2]).sum(axis=-1)
    within = squared <= 1 + MOST_OFF
    if float(within.mean()) < LEAST_WITHIN:
        return False
    off = (np.sqrt(np.maximum(1 - squared, 0)) - looked_at[..., 2])[within]
    return float(np.sqrt(np.square(off).mean())) > 2 * MOST_OFF


def _is_constant(plane: Samples) -> bool:
    return bool((plane == plane[0, 0]).all())


def _is_packed_for_dxt5(texels: Samples) -> bool:
    """Whether alpha and green are x and y of unit vectors, and red and blue, as x and z, make none with green."""
    if texels.shape[2] != 4 or is_signed(texels):
        return False
    green, alpha = texels[..., 1], texels[..., 3]
    if _is_constant(alpha):
        return False
    for plane in (texels[..., 0], texels[..., 2]):  # 1 or 0, or green once more
        if not _is_constant(plane) and not np.array_equal(plane, green):
            return False
    looked_at = sampled(texels)
    length = np.sqrt(np.square(vectors(looked_at, (0, 1, 2), False)).sum(axis=-1))
    is_unit = (length > UNIT_LENGTHS[0]) & (length < UNIT_LENGTHS[1])
    within = np.square(vectors(looked_at, (3, 1), False)).sum(axis=-1) <= 1 + MOST_OFF
    return float(is_unit.mean()) < LEAST_UNIT and float(within.mean()) >= LEAST_WITHIN


def _with_z(texels: Samples, axes: Sequence[int]) -> Samples:
    """Return the map with z = sqrt(1 - x² - y²) in its own sample format."""
    made = texels.copy()
    signed, largest = is_signed(texels), _largest(texels)
    for start in range(0, len(texels), _ROWS):
        band = made[start : start + _ROWS]
        sides = vectors(band, axes[:2], signed).astype(np.float64)
        z = np.sqrt(np.maximum(1 - np.square(sides).sum(axis=-1), 0))
        stored = z if signed else (z + 1) / 2 * largest
        band[..., axes[2]] = stored if texels.dtype.kind == "f" else np.rint(stored)
    return made
