"""Pages of virtual textures: the same shaders make a square of one level of one material, with its border.

A page is cut out of the chain that textures made at load time have: its blocks are theirs where they coincide. What it
needs of the finer levels is found from coarse to fine; a run makes it from fine to coarse in the scratch buffer. Beyond
its sides a level repeats or goes on with its border, as the file says.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from imagegs_tex.formats.gpu_textures.texture import PixelFormat
from imagegs_tex.shaders.load_jobs import (
    TILE,
    Alignment,
    Dispatch,
    Job,
    LevelPlace,
    LoadPlan,
    level_sizes,
    place_level,
)
from imagegs_tex.shaders.load_textures import LEVELS_AT_ONCE, LoadedTexture, plane_count

_WORD_BYTES = 4


@dataclass(frozen=True, slots=True)
class PageShape:
    """What all pages of a cache have in common."""

    side: int = 128  # texels of a page, its border included; a multiple of 4
    border: int = 4  # texels on each side that its neighbours have, too

    @property
    def step(self) -> int:
        """Texels from one page of a level to the next."""
        return self.side - 2 * self.border

    def counts(self, width: int, height: int) -> tuple[int, int]:
        """Pages of a level of this size, across and down."""
        return -(-width // self.step), -(-height // self.step)


@dataclass(frozen=True, slots=True)
class PageSource:
    """A material that pages are made of."""

    width: int
    height: int
    wrap: tuple[bool, bool]
    number: int = 0  # in the buffer, where the decoder reads several
    routes: tuple[int, ...] = ()  # of a decoder of many materials: .load_routes.page_routes


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a level."""

    source: PageSource
    level: int
    x: int  # pages from the left
    y: int  # pages from the top


@dataclass(frozen=True, slots=True)
class _Reach:
    """Texels of a level along an axis, counted on beyond its sides where it repeats."""

    start: int
    count: int
    whole: bool  # all of the level, whatever is repeated


def place_page(
    formats: Sequence[PixelFormat], shape: PageShape, slot: int, alignment: Alignment
) -> tuple[tuple[LevelPlace, ...], int]:
    """Return the places of a page's textures in the output, and the bytes of all pages up to this one.

    Args:
        formats: of the textures
        shape: of the pages
        slot: number of the page in the output
        alignment: of rows and levels
    """
    places, end = [], 0
    for pixel_format in formats:
        place = place_level(pixel_format, shape.side, shape.side, end, alignment)
        places.append(place)
        end = place.offset + place.bytes
    size = -(-end // alignment.level) * alignment.level
    moved = tuple(
        LevelPlace(each.width, each.height, each.offset + slot * size, each.row_bytes, each.rows) for each in places
    )
    return moved, (slot + 1) * size


def page_plan(
    textures: Sequence[LoadedTexture], pages: Sequence[Page], shape: PageShape, alignment: Alignment
) -> LoadPlan:
    """Return the runs that make pages, each in the slot of its place in the list. Pages of a level share their runs.

    Args:
        textures: of the set
        pages: of any levels and materials
        shape: of all of them
        alignment: of rows and levels in the output
    """
    by_level: dict[int, list[int]] = {}
    for slot, page in enumerate(pages):
        by_level.setdefault(page.level, []).append(slot)
    formats = [texture.pixel_format for texture in textures]
    dispatches: list[Dispatch] = []
    end = 0
    for slots in by_level.values():
        chains: list[list[Job]] = []
        for slot in slots:
            places, _ = place_page(formats, shape, slot, alignment)
            jobs, end = _page_jobs(textures, pages[slot], shape, places, end)
            chains.append(jobs)
        for number, runs in enumerate(_in_step(chains)):
            across, down = np.max([job.count for job in runs], axis=0)
            numbers = np.stack([job.numbers for job in runs])
            dispatches.append(Dispatch("next" if number else "first", (int(across), int(down), len(runs)), numbers))
    return LoadPlan(tuple(dispatches), _WORD_BYTES * max(end, 1))


def _in_step(chains: Sequence[list[Job]]) -> list[list[Job]]:
    """Return what runs at once: materials of odd sizes are halved less often by the first shader."""
    longest = max(len(chain) for chain in chains)
    runs: list[list[Job]] = [[chain[0] for chain in chains]]
    for step in range(1, longest):  # each chain ends with the last run, so that all pages are written together
        runs.append([chain[step - longest] for chain in chains if longest - step < len(chain)])
    return runs


def _page_jobs(
    textures: Sequence[LoadedTexture], page: Page, shape: PageShape, places: Sequence[LevelPlace], end: int
) -> tuple[list[Job], int]:
    """Return the jobs of one page, and the word of the scratch buffer behind them."""
    source = page.source
    sizes = level_sizes(source.width, source.height)
    planes = plane_count(textures)
    first_kept = 0  # the level that the first shader leaves: it halves even sizes only
    while first_kept < min(page.level, LEVELS_AT_ONCE - 1) and all(side % 2 == 0 for side in sizes[first_kept]):
        first_kept += 1
    origin = page.x * shape.step - shape.border, page.y * shape.step - shape.border
    reaches = _reaches(source, sizes, (page.level, first_kept), origin, shape.side)

    side = TILE >> first_kept  # of a group's tile in the level that is kept
    period = tuple(-(-size // TILE) for size in sizes[0])  # groups of the material
    firsts, counts = [], []
    for axis in (0, 1):
        reach, size = reaches[first_kept][axis], sizes[first_kept][axis]
        ends = (reach.start, reach.start + reach.count - 1)
        low, high = (at // size * period[axis] + at % size // side for at in ends)
        firsts.append(low)
        counts.append(high - low + 1)
    kept = counts[0] * side, counts[1] * side
    job = Job(textures, source.routes).set(material=source.number, level=0, levels=first_kept + 1)
    job.set(size=(counts[0] * TILE, counts[1] * TILE), count=(counts[0], counts[1]), picture=period)
    job.set(first=(firsts[0] % period[0], firsts[1] % period[1]))
    job.set(kept=first_kept + 1, kept_at=(end, kept[0], kept[0] * kept[1]))
    jobs = [job]
    read = (end, kept[0], kept[0] * kept[1])
    start = firsts[0] * side, firsts[1] * side
    repeated = tuple(0 if reaches[first_kept][axis].whole else period[axis] * side for axis in (0, 1))
    end += planes * kept[0] * kept[1]

    for level in range(first_kept, page.level + 1):
        halves = level > first_kept
        if level == first_kept and level < page.level:
            continue
        job = Job(textures, source.routes).set(material=source.number, level=level, levels=1, source=read, start=start)
        job.set(halves=int(halves), level_size=sizes[level], period=repeated)
        job.set(finer_size=sizes[level - 1] if halves else sizes[level])
        job.set(repeats=(int(source.wrap[0]), int(source.wrap[1])))
        if level == page.level:
            job.set(written=1, size=(shape.side, shape.side), origin=origin)
            for number, place in enumerate(places):
                job.place(number, 0, place)
        else:
            across, down = reaches[level]
            read = (end, across.count, across.count * down.count)
            job.set(size=(across.count, down.count), origin=(across.start, down.start), kept=1, kept_at=read)
            start = across.start, down.start
            repeated = tuple(0 if reaches[level][axis].whole else sizes[level][axis] for axis in (0, 1))
            end += planes * across.count * down.count
        job.set(count=tuple(-(-int(size) // TILE) for size in job.size))
        jobs.append(job)
    return jobs, end


def _reaches(
    source: PageSource,
    sizes: Sequence[tuple[int, int]],
    levels: tuple[int, int],
    origin: tuple[int, int],
    side: int,
) -> dict[int, tuple[_Reach, _Reach]]:
    """Return what is needed of each level from a page's down to the one that is kept first."""
    level, first_kept = levels
    found: dict[int, list[_Reach]] = {number: [] for number in range(first_kept, level + 1)}
    for axis in (0, 1):
        wraps = source.wrap[axis]
        reach = _held(origin[axis], side, sizes[level][axis], wraps)
        found[level].append(reach)
        for number in range(level - 1, first_kept - 1, -1):
            size, finer = sizes[number + 1][axis], sizes[number][axis]
            if finer > 1:
                last = reach.start + reach.count - 1
                start = reach.start // size * finer + 2 * (reach.start % size)
                stop = last // size * finer + 2 * (last % size) + 2 + finer % 2
                reach = _held(start, stop - start, finer, wraps) if not reach.whole else _Reach(0, finer, True)
            found[number].append(reach)
    return {number: (each[0], each[1]) for number, each in found.items()}


def _held(start: int, count: int, size: int, wraps: bool) -> _Reach:
    if not wraps:
        first = min(max(start, 0), size - 1)
        return _Reach(first, max(min(start + count, size) - first, 1), False)
    return _Reach(0, size, True) if count >= size else _Reach(start, count, False)
