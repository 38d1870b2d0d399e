"""Normal maps whose blue is no z but varies: occlusion, a mask, whatever there was to store.

x and y say where z is, so blue is free. LabPBR, the standard of resource packs for block games, has occlusion there and
height in alpha, and beside it ``_s`` with smoothness, F0 or a metal's number, porosity and emission
(shaderlabs.org/wiki/LabPBR_Material_Standard).
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from imagegs_tex.formats.material.name_reading import MapReading
from imagegs_tex.formats.material.normal_meaning import LEAST_WITHIN, is_signed, sampled, vectors
from imagegs_tex.formats.material.read_maps import SourceMap
from imagegs_tex.formats.vocabulary import Samples, Semantic

FAR_OFF: Final = 0.25
"""Distance of z from what x and y ask for, beyond which it is not it."""
LEAST_FAR_OFF: Final = 0.25
"""Share of such texels from which a note says so. Normals that were averaged when a map was made smaller are too short:
of 16 maps of real materials they are up to 10 %."""
LEAST_FAR_OFF_BY_NAME: Final = 0.05
"""Share from which blue is taken for something else where names are LabPBR's: ``stone``, ``stone_n``, ``stone_s``."""
LEAST_VARIED: Final = 0.3
"""Spread (5 to 95 %) of z among them; a background is constant, and averaged normals have 0.25 where they are many."""

_Map = tuple[SourceMap, MapReading]


def find_other_blue(maps: Sequence[_Map]) -> list[_Map]:
    """Return maps of LabPBR with what its normals and its ``_s`` hold; others whose blue is no z with a note of it."""
    names = {source.source.name.lower() for source, _ in maps}
    taken = {meaning for _, reading in maps for meaning in reading.channel_semantics}
    found, specular = list(maps), set()
    for index, (source, reading) in enumerate(maps):
        share = _share_far_off(source.texels, reading)
        name = source.source.name.lower()
        stem = name.removesuffix("_n")
        is_labpbr = not reading.is_certain and name == f"{stem}_n" and {stem, f"{stem}_s"} <= names
        if is_labpbr and share >= LEAST_FAR_OFF_BY_NAME:
            found[index] = source, _labpbr_normal(source, reading, share, taken)
            specular.add(f"{stem}_s")
        elif share >= LEAST_FAR_OFF:
            note = f"blue is far from the z of x and y in {share:.0%} of the texels: if it is no z, a manifest says so"
            found[index] = source, replace(reading, note=f"{reading.note}; {note}")
    return [
        (source, _labpbr_specular(source, reading) if source.source.name.lower() in specular else reading)
        for source, reading in found
    ]


def _labpbr_normal(source: SourceMap, reading: MapReading, share: float, taken: set[Semantic]) -> MapReading:
    others = [
        Semantic.DATA if meaning in taken else meaning  # by a map of its own
        for meaning in (Semantic.OCCLUSION, Semantic.HEIGHT)
    ]
    meanings = (Semantic.NORMAL, Semantic.NORMAL, *others)[: source.texels.shape[2]]
    note = f"blue is no z in {share:.0%} of the texels: occlusion, and alpha height (LabPBR, by its _s); x and y give z"
    return replace(reading, channel_semantics=meanings, note=f"{reading.note}; {note}")


def _labpbr_specular(source: SourceMap, reading: MapReading) -> MapReading:
    """Only smoothness is a number that filters; F0 has metals above 229, and emission of 255 is none."""
    if reading.is_certain:
        return reading
    meanings = (Semantic.GLOSS, *(Semantic.DATA,) * (source.texels.shape[2] - 1))
    note = "gloss; F0, porosity and emission as plain data (LabPBR, by its _n)"
    return replace(reading, semantic=Semantic.GLOSS, channel_semantics=meanings, note=note)


def _share_far_off(texels: Samples, reading: MapReading) -> float:
    """Return the share of texels whose blue is far from the z that x and y ask for; 0 if it may well be z."""
    if reading.channel_semantics[:3] != (Semantic.NORMAL,) * 3 or is_signed(texels):
        return 0.0
    looked_at = vectors(sampled(texels), (0, 1, 2), False)
    squared = np.square(looked_at[..., :2]).sum(axis=-1)
    if float((squared <= 1).mean()) < LEAST_WITHIN:
        return 0.0
    z = looked_at[..., 2]
    is_far = np.abs(np.sqrt(np.maximum(1 - squared, 0)) - z) > FAR_OFF
    if not is_far.any() or float(np.ptp(np.quantile(z[is_far], (0.05, 0.95)))) < LEAST_VARIED:
        return 0.0
    return float(is_far.mean())
