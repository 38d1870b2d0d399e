"""Several materials in one input: a glTF, or a folder whose file names fall into groups."""

from dataclasses import dataclass

from imagegs_tex.formats.material.material_source import MaterialSource


@dataclass(frozen=True, slots=True)
class ListedMaterial:
    """A material as its input lists it."""

    name: str  # untrusted text
    index: int
    source: int | None  # which of the asset's distinct sets of maps it has; None: none that can be used
    stem: str = ""  # what its file is called; "" where it shares another's or has no textures
    problem: str = ""  # why it cannot be used, one line; "" with source None: it has no textures


@dataclass(frozen=True, slots=True)
class MaterialAsset:
    """All materials of an input: those with the very same maps are one source."""

    where: str  # printable
    listed: tuple[ListedMaterial, ...]
    materials: tuple[MaterialSource, ...]  # the distinct sets of maps, named after their first material
    left_out: tuple[str, ...] = ()  # images of the input that no material has, one line each
