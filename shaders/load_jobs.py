"""What the shaders of load_textures do one after the other: jobs, and where levels lie in the output.

All of it is integer arithmetic on sizes; docs/textures-at-load.md has the same for a loader.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.formats.gpu_textures.texture import BLOCK, PixelFormat
from imagegs_tex.shaders.build_decoder import Language
from imagegs_tex.shaders.load_textures import JOB_PLACES, LEVELS_AT_ONCE, LoadedTexture, job_words, plane_count

TILE: Final = 16
"""Texels across and down of what a workgroup makes."""

_WORD_BYTES: Final = 4


@dataclass(frozen=True, slots=True)
class Alignment:
    """What a copy from the output to a texture asks for, in bytes."""

    row: int
    level: int


ALIGNMENTS: Final[dict[Language, Alignment]] = {"glsl": Alignment(4, 16), "hlsl": Alignment(256, 512)}
"""OpenGL and Vulkan take tight rows; Direct3D 12 wants D3D12_TEXTURE_DATA_PITCH_ALIGNMENT and ..._PLACEMENT_..."""


@dataclass(frozen=True, slots=True)
class LevelPlace:
    """Where a level of a texture lies in the output."""

    width: int  # texels
    height: int
    offset: int  # bytes
    row_bytes: int  # from one row of blocks, or of texels where nothing is compressed, to the next
    rows: int

    @property
    def bytes(self) -> int:
        """Of the level."""
        return self.row_bytes * self.rows


@dataclass(frozen=True, slots=True)
class Dispatch:
    """One run of a shader; a barrier for storage buffers comes after it."""

    shader: Literal["first", "next"]
    groups: tuple[int, int, int]  # z: jobs
    jobs: NDArray[np.int32]  # [z, words]


@dataclass(frozen=True, slots=True)
class LoadPlan:
    """All runs for a set of textures."""

    dispatches: tuple[Dispatch, ...]
    scratch_bytes: int


def level_sizes(width: int, height: int) -> list[tuple[int, int]]:
    """Return the sizes of all levels, largest first."""
    return [(max(1, width >> k), max(1, height >> k)) for k in range(max(width, height).bit_length())]


def place_levels(
    formats: Sequence[PixelFormat], width: int, height: int, alignment: Alignment
) -> tuple[tuple[tuple[LevelPlace, ...], ...], int]:
    """Return the places of all levels of textures that follow each other, and the bytes of all.

    Args:
        formats: of the textures
        width: texels of level 0
        height: texels of level 0
        alignment: of rows and levels
    """
    places, end = [], 0
    for pixel_format in formats:
        own = []
        for across, down in level_sizes(width, height):
            place = place_level(pixel_format, across, down, end, alignment)
            own.append(place)
            end = place.offset + place.bytes
        places.append(tuple(own))
    return tuple(places), end


def place_level(pixel_format: PixelFormat, width: int, height: int, after: int, alignment: Alignment) -> LevelPlace:
    """Return the place of a level that begins at the first place at or after a byte."""
    side = BLOCK if pixel_format.is_compressed else 1
    row = _up(-(-width // side) * pixel_format.unit_bytes, alignment.row)
    return LevelPlace(width, height, _up(after, alignment.level), row, -(-height // side))


def load_plan(
    textures: Sequence[LoadedTexture],
    places: Sequence[Sequence[LevelPlace]],
    width: int,
    height: int,
    material: int = 0,
) -> LoadPlan:
    """Return the runs that make all levels of a set's textures.

    Args:
        textures: of the set
        places: of their levels
        width: texels of the material
        height: texels of the material
        material: number in the buffer, where the decoder reads several
    """
    sizes = level_sizes(width, height)
    planes = plane_count(textures)
    dispatches: list[Dispatch] = []
    level = end = 0
    source: tuple[int, int, int] | None = None  # word, texels across, down
    while level < len(sizes):
        across, down = sizes[level]
        count = 1  # of levels made at once: as long as the size is even
        while count < LEVELS_AT_ONCE and level + count < len(sizes) and _even(sizes[level + count - 1]):
            count += 1
        job = Job(textures).set(material=material, level=level, levels=count, written=(1 << count) - 1)
        job.set(size=(across, down), count=_groups(across, down), picture=_groups(width, height))
        if source is not None:
            word, finer_across, finer_down = source
            job.set(source=(word, finer_across, finer_across * finer_down), halves=1, level_size=(across, down))
            job.set(finer_size=(finer_across, finer_down))
        last = level + count - 1
        if last + 1 < len(sizes):
            kept = sizes[last]
            job.set(kept=count, kept_at=(end, kept[0], kept[0] * kept[1]))
            source = (end, *kept)
            end += planes * kept[0] * kept[1]
        for number, levels in enumerate(places):
            for halvings in range(count):
                job.place(number, halvings, levels[level + halvings])
        dispatches.append(Dispatch("next" if dispatches else "first", (*_groups(across, down), 1), job.numbers[None]))
        level += count
    return LoadPlan(tuple(dispatches), _WORD_BYTES * max(end, 1))


class Job:
    """The numbers of a job, by name: docs/textures-at-load.md."""

    _WORDS: Final = {
        "material": 0, "level": 1, "levels": 2, "written": 3, "size": 4, "first": 6, "count": 8, "kept": 10,
        "kept_at": 11, "source": 14, "halves": 17, "origin": 18, "level_size": 20, "finer_size": 22, "period": 24,
        "start": 26, "repeats": 28, "picture": 30,
    }  # fmt: skip

    def __init__(self, textures: Sequence[LoadedTexture], routes: Sequence[int] = ()) -> None:
        self.numbers = np.zeros(job_words(textures) + len(routes), dtype=np.int32)
        self.numbers[job_words(textures) :] = routes

    def set(self, **values: int | tuple[int, ...]) -> "Job":
        """Set numbers by name, pairs and triples in order."""
        for name, value in values.items():
            several = value if isinstance(value, tuple) else (value,)
            self.numbers[self._WORDS[name] : self._WORDS[name] + len(several)] = several
        return self

    @property
    def size(self) -> tuple[int, int]:
        """Texels of the picture that is made of tiles."""
        return self._pair("size")

    @property
    def count(self) -> tuple[int, int]:
        """Groups across and down."""
        return self._pair("count")

    def _pair(self, name: str) -> tuple[int, int]:
        first = self._WORDS[name]
        return int(self.numbers[first]), int(self.numbers[first + 1])

    def place(self, texture: int, halvings: int, place: LevelPlace) -> None:
        """Say where the blocks of a texture's level go."""
        at = JOB_PLACES + 2 * (LEVELS_AT_ONCE * texture + halvings)
        self.numbers[at : at + 2] = place.offset // _WORD_BYTES, place.row_bytes // _WORD_BYTES


def _groups(width: int, height: int) -> tuple[int, int]:
    return -(-width // TILE), -(-height // TILE)


def _even(size: tuple[int, int]) -> bool:
    return size[0] % 2 == 0 and size[1] % 2 == 0


def _up(value: int, step: int) -> int:
    return -(-value // step) * step
