"""What is known of a material before its texels are read: which images, and what is said of each."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from imagegs_tex.formats.material.name_reading import StatedSemantics
from imagegs_tex.formats.material.uv_coverage import UvSet

MAX_LOSS_SCALE: Final = 1000.0
"""Most that a channel's error can be made to count; the least is its inverse."""


@dataclass(frozen=True, slots=True)
class ImageFile:
    """An image on disk, or inside another file."""

    path: Path  # its suffix tells the format; of an image inside another file: what messages call it
    data: Callable[[], bytes] | None = None  # the bytes of an image inside another file


@dataclass(frozen=True, slots=True)
class MapSource:
    """One map: an image, and how it is to be taken."""

    image: ImageFile
    name: str  # of the map; untrusted text
    statement: StatedSemantics | None = None  # what its channels mean; None: to be read from the name
    swizzle: tuple[int, ...] | None = None  # the image's channels that become the map's, in order; None: all
    is_srgb: bool | None = None  # whether colour channels are sRGB-encoded; None: integer colours are
    loss_scale: tuple[float, ...] = ()  # how much each channel's error counts; one number: all alike; (): 1
    flips_vertically: bool = False  # the image is read upside down
    inverted: tuple[int, ...] = ()  # channels of the map that become 1 - value
    is_alternate: bool = False  # another map already has its semantics
    is_optional: bool = False  # left out when no other has its size, or when its name says nothing

    @property
    def suffix(self) -> str:
        """Suffix of the image file in lower case."""
        return self.image.path.suffix.lower()


@dataclass(frozen=True, slots=True)
class MaterialSource:
    """All that is known of one material."""

    where: str  # printable: the folder, file, or material in a file
    maps: tuple[MapSource, ...]  # at least one, sorted by sorted_maps
    name: str = ""  # untrusted text; "" where the source has none
    stem: str = ""  # what to call its file: safe, and no other material of the source has it; "" as name
    wrap: tuple[bool | None, bool | None] = (None, None)  # whether it repeats in x and in y; None: not said
    wrap_notes: tuple[str, str] = ("", "")  # what there is to say of the wraps in x and y
    mirrors: tuple[bool, bool] = (False, False)  # whether it is mirrored beyond its border in x and in y
    size: tuple[int, int] | None = None  # width and height that all maps become; None: those of the largest
    importance: Path | None = None  # grey image: how much each texel counts
    uv_sets: Callable[[], list[UvSet] | None] | None = None  # triangles that use the maps; None: not known
    remarks: tuple[str, ...] = ()  # what else there is to say of it, one line each: files that are left out
    one_map_per_semantic: bool = False  # a second map of a semantic is an error unless it is an alternate


def sorted_maps(maps: Iterable[MapSource]) -> tuple[MapSource, ...]:
    """Return maps in the one order that a stack has, however the material was described: by file name, case folded."""

    def key(source: MapSource) -> tuple[str, str]:
        name = f"{source.name}{source.image.path.suffix}"
        return name.casefold(), name

    return tuple(sorted(maps, key=key))


def channel_name(index: int) -> str:
    """Name a channel for people: R, G, B, A are an image's first to fourth, whatever they hold."""
    return "RGBA"[index] if index < 4 else str(index)
