"""File names of one folder -> which of them belong to one material.

Names of several materials differ before their meaning: ``brick_albedo, brick_normal, wood_albedo, wood_normal``. A
folder is taken apart only where at least two of the groups are materials by themselves; ``wall_detail_normal`` beside
``wall_albedo`` and ``wall_normal`` is a map of the wall. UDIM tiles (``hero_albedo.1001``) and names that are numbered
throughout (``wall_albedo_1, wall_normal_1, wall_albedo_2, ...``) are taken apart in the same way.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from typing import Final

from imagegs_tex.formats.material.name_words import (
    CLEAR_WORDS,
    MODIFIERS,
    VERSION,
    is_noise,
    is_normal_of_other_space,
    meaning_of,
    normal_convention,
    pack_of,
    split_name,
    split_tile,
    trailing_number,
    without_noise,
    without_technical,
)
from imagegs_tex.formats.vocabulary import Semantic

_LONGEST_PHRASE: Final = 4
_MOST_MEANINGS: Final = 6  # in a row; more are no packing
_KEPT: Final = 1 << 16  # names whose parts are remembered
_FEWEST_SHARED: Final = 2  # meanings that a group without a base colour shares with another one to be a material
_PREVIEWS: Final = frozenset({"preview", "previews", "thumb", "thumbnail", "screenshot"})
_EITHER: Final = frozenset({"bump", "bumpmap", "bmp", "a", "b", "dm"})  # meanings that the picture decides

Key = tuple[str, ...]
"""The words of a name that are no meaning, in lower case: the name of the material."""


Place = tuple[Key, str]
"""A material's name, and its tile or number."""


@dataclass(frozen=True, slots=True)
class NameGroups:
    """Materials that names fall into; indices count the names."""

    groups: Mapping[str, tuple[int, ...]]  # by the material's name, which is taken from the file names
    unclear: tuple[int, ...]  # names with a meaning, of which nobody can tell whose it is
    silent: tuple[int, ...]  # names that say nothing and begin like no group


@dataclass(slots=True)
class _Name:
    index: int
    stem: str  # without its tile
    tile: str
    number: str  # at its end
    words: list[str]  # all of them, whatever they say
    readings: dict[Key, str]  # what may be the material's name, with the meanings behind it, a space between two
    key: Key | None = None


def group_names(stems: Sequence[str]) -> NameGroups | None:
    """Tell the materials of a folder apart by its file names; None where they are one material."""
    names = [_parse(index, stem) for index, stem in enumerate(stems)]
    uses = Counter(key for name in names for key in name.readings)
    for name in names:
        if name.readings:
            # the key that most names share; of those, the one that leaves one meaning, in as many words as it has
            name.key = max(name.readings, key=lambda key: (uses[key], -name.readings[key].count(" "), -len(key)))
    has_tiles = len({name.tile for name in names} - {""}) > 1
    _read_in_front(names)
    keys = {name.key for name in names}
    groups: dict[Place, list[_Name]] = {}
    for name in names:
        if _is_bare(name, names, keys):  # the bare name beside others that say more is the colour
            name.key = tuple(name.words)
            name.readings[name.key] = "basecolor"
        if name.key is not None:
            groups.setdefault((name.key, name.tile if has_tiles else ""), []).append(name)
    if not has_tiles:
        groups = _split_by_number(groups)
    meanings = {place: _meanings(own, place[0]) for place, own in groups.items()}
    full = _materials(groups, meanings)
    for place in [place for place in groups if place not in full]:
        home = _home(place[0], place[1], full)
        if home is not None:
            groups[home] += groups.pop(place)
    full &= groups.keys()
    if len(full) < 2:
        return None
    silent: list[_Name] = []
    for name in names:
        if name.key is None:
            words = tuple(name.words)
            home = _home(words, name.tile if has_tiles else name.number, full) or _home(words, "", full)
            (silent if home is None else groups[home]).append(name)
    unclear: list[_Name] = []
    for place in [place for place in groups if _is_unclear(place, full, has_tiles)]:
        (unclear if meanings[place] else silent).extend(groups[place])
    plain = {place: own for place, own in groups.items() if not _is_unclear(place, full, has_tiles)}
    return NameGroups(
        {_display(place, own): tuple(sorted(name.index for name in own)) for place, own in plain.items()},
        tuple(sorted(name.index for name in unclear)),
        tuple(sorted(name.index for name in silent)),
    )


def _is_bare(name: _Name, names: Sequence[_Name], keys: Collection[Key | None]) -> bool:
    """Whether a name is that of others without their meaning: also "metal03", where that is the material's."""
    key = tuple(name.words)
    if name.key is None or key not in keys or name.key == key:
        return name.key is None and key in keys
    own = [other for other in names if other.key == key]
    return Semantic.BASE_COLOUR not in _meanings(own, key)


@lru_cache(maxsize=_KEPT)
def says_something(stem: str) -> bool:
    """Whether a name has a meaning."""
    return bool({_meaning(words) for words in _parse(0, stem).readings.values()} - {Semantic.DATA})


_SUFFIXES: Final = frozenset({"map", "tex", "texture"})  # that mean the same behind a meaning


def normal_twins(stems: Sequence[str]) -> dict[int, int]:
    """Return the normal maps that are there in another convention as well, and which those are.

    One for OpenGL stands for one for DirectX and for one that does not say; that one for one for DirectX.
    """
    alike: dict[Key, dict[str, list[int]]] = {}
    for index, stem in enumerate(stems):
        words = split_name(stem)
        is_normal = [meaning_of(word) == Semantic.NORMAL for word in words]
        if any(is_normal):
            pairs = zip(words, is_normal, strict=True)
            rest = tuple(
                "" if normal else word for word, normal in pairs if not is_noise(word) and word not in _SUFFIXES
            )
            convention = normal_convention(words).partition(",")[0]
            alike.setdefault(rest, {}).setdefault(convention, []).append(index)
    twins: dict[int, int] = {}
    for found in alike.values():
        opengl, silent = found.get("OpenGL", []), found.get("", [])
        others = found.get("DirectX", []) + (silent if opengl else [])
        twins.update((other, kept) for kept in (opengl or silent)[:1] for other in others)
    return twins


def lesser_versions(stems: Sequence[str]) -> dict[int, int]:
    """Return the maps that are there with more texels, or for a nearer level of detail, and which those are."""
    alike: dict[str, list[int]] = {}
    for index, stem in enumerate(stems):
        if VERSION.search(stem) and says_something(stem):
            alike.setdefault(VERSION.sub("#", stem), []).append(index)
    lesser: dict[int, int] = {}
    for members in alike.values():
        kept = max(members, key=lambda index: [_rank(found) for found in VERSION.findall(stems[index])])
        lesser.update((index, kept) for index in members if index != kept)
    return lesser


def _rank(version: str) -> int:
    """Return a number that is greater for more texels, and for a nearer level of detail."""
    number = int(re.findall(r"\d+", version)[0])
    if version[0] in "lL":
        return -number
    return number * 1024 if version[-1] in "kK" else number


def pictures_of_all(stems: Sequence[str]) -> dict[int, int]:
    """Return the pictures that show a material whose base colour is there, and which map that is.

    Previews by their name; and the one bare name beside others that say more: ambientCG's picture of a sphere, or what
    a painter keeps of all layers.
    """
    words = [tuple(split_name(without_technical(stem))) for stem in stems]
    colour = next((index for index, stem in enumerate(stems) if _is_colour(stem)), None)
    if colour is None:
        return {}
    found = {index: colour for index, own in enumerate(words) if _PREVIEWS & {*without_noise(list(own))[-1:]}}
    others = [own for index, own in enumerate(words) if index not in found]
    for index, own in enumerate(words):
        is_bare = bool(own) and all(other[: len(own)] == own for other in others) and others.count(own) == 1
        if is_bare and len(others) > _FEWEST_SHARED and not says_something(stems[index]):
            found[index] = colour
    return found


def _is_colour(stem: str) -> bool:
    return any(_meaning(words) == Semantic.BASE_COLOUR for words in _parse(0, stem).readings.values())


def _parse(index: int, stem: str) -> _Name:
    bare, tile, number, words, readings = _read(stem)
    return _Name(index, bare, tile, number, [*words], dict(readings))


@lru_cache(maxsize=_KEPT)
def _read(stem: str) -> tuple[str, str, str, tuple[str, ...], tuple[tuple[Key, str], ...]]:
    """Return the fields of a name, kept: each is asked for several times, and folders of a tree have the same names."""
    bare, tile = split_tile(stem)
    words = split_name(without_technical(bare))
    own = without_noise(words)
    readings = _readings(own)
    if not readings:
        position = _clear_position(own)
        if position is not None:
            begin, end = position
            readings = {(*own[:begin], *own[end:]): "".join(own[begin:end])}
    return bare, tile, trailing_number(words), tuple(words), tuple(readings.items())


def _readings(words: list[str]) -> dict[Key, str]:
    """Every way to cut a name into the material's name and meanings at its end."""
    found: dict[Key, str] = {}
    ends = [(len(words), "")]
    while ends:
        end, behind = ends.pop(0)
        for length in range(min(_LONGEST_PHRASE, end), 0, -1):
            phrase = "".join(words[end - length : end])
            key = tuple(words[: end - length])
            if (
                len(behind.split()) < _MOST_MEANINGS
                and key not in found
                and _is_meaning(words[end - length : end], phrase, end == len(words))
            ):
                found[key] = f"{phrase} {behind}".rstrip()
                ends.append((end - length, found[key]))
    return found


def _read_in_front(names: Sequence[_Name]) -> None:
    """Read names whose meaning stands in front: "AO_wall" beside another name of the wall."""
    leading = {name.index: _leading(without_noise(name.words)) for name in names if name.key is None}
    known = Counter(
        [*filter(None, (name.key for name in names)), *(key for found in leading.values() for key in found)]
    )
    for name in names:
        shared = {key: meaning for key, meaning in leading.get(name.index, {}).items() if known[key] > 1}
        if shared:
            name.key = min(shared, key=len)
            name.readings[name.key] = shared[name.key]


def _leading(words: list[str]) -> dict[Key, str]:
    """Every way to cut a name into a meaning at its beginning and the material's name."""
    return {
        tuple(words[length:]): "".join(words[:length])
        for length in range(1, min(_LONGEST_PHRASE, len(words) - 1) + 1)
        if _is_meaning(words[:length], "".join(words[:length]), is_first=False)
    }


def _is_meaning(words: list[str], phrase: str, is_first: bool) -> bool:
    if len(phrase) == 1 and not is_first:
        return False
    known = pack_of(phrase) is not None or phrase in _EITHER or meaning_of(phrase) is not None
    return known or is_normal_of_other_space(words, len(words))


def _clear_position(words: list[str]) -> tuple[int, int] | None:
    for end in range(len(words), 0, -1):
        if words[end - 1] in MODIFIERS:
            return None
        for length in (2, 1):
            if end >= length and "".join(words[end - length : end]) in CLEAR_WORDS:
                return end - length, end
    return None


def _meanings(names: Sequence[_Name], key: Key) -> set[object]:
    """What the maps of a group mean: a semantic, or the words of a packing."""
    words = [name.readings.get(key, "") for name in names]
    return {_meaning(word) for word in words} - {Semantic.DATA}


def _meaning(words: str) -> object:
    parts = words.split(" ")
    if any(meaning_of(part) == Semantic.BASE_COLOUR for part in parts):
        return Semantic.BASE_COLOUR
    if len(parts) > 1 or pack_of(parts[0]) is not None or meaning_of(parts[0]) is None:
        return words
    return meaning_of(parts[0])


def _split_by_number(groups: dict[Place, list[_Name]]) -> dict[Place, list[_Name]]:
    """Take groups apart in which each number at the end of a name stands behind several meanings."""
    found: dict[Place, list[_Name]] = {}
    for (key, _), names in groups.items():
        by_number: dict[str, list[_Name]] = {}
        for name in names:
            by_number.setdefault(name.number, []).append(name)
        kinds = [_meanings(own, key) for own in by_number.values()]
        alike = len(kinds) > 1 and all(len(kinds[0] & other) >= _FEWEST_SHARED for other in kinds)
        for number, own in by_number.items() if alike else [("", names)]:
            found[key, number] = own
    return found


def _materials(groups: Mapping[Place, list[_Name]], meanings: Mapping[Place, set[object]]) -> set[Place]:
    """Return the groups that are materials by themselves: with a base colour, or with maps that another one has, too.

    A single map whose name goes on from another group's is a detail or a variant of that one.
    """
    shared = Counter(pair for own in meanings.values() for pair in _pairs(own))
    return {
        place
        for place, own in meanings.items()
        if (Semantic.BASE_COLOUR in own or any(shared[pair] > 1 for pair in _pairs(own)))
        and not (len(groups[place]) == 1 and _home(place[0][:-1], place[1], meanings.keys()) is not None)
    }


def _pairs(meanings: set[object]) -> Iterator[tuple[object, ...]]:
    return combinations(sorted(meanings, key=str), _FEWEST_SHARED)


def _home(key: Key, tile: str, places: Collection[Place]) -> Place | None:
    """Return the group whose name a key is or begins with, the longest one."""
    return next(((key[:end], tile) for end in range(len(key), 0, -1) if (key[:end], tile) in places), None)


def _is_unclear(place: Place, full: set[Place], has_tiles: bool) -> bool:
    return place not in full and (not place[0] or (has_tiles and not place[1]))


def _display(place: Place, names: Sequence[_Name]) -> str:
    """Name a material as its files do: with their capitals and separators, where the name stands first."""
    key, tile = place
    text = "_".join(key)
    for name in sorted(names, key=lambda name: name.index):
        spelled = next((name.stem[:end] for end in range(1, len(name.stem) + 1) if _spells(name.stem[:end], key)), None)
        if spelled is not None:
            text = spelled
            break
    return "_".join(filter(None, [text.strip(" ._-"), tile])) or "material"


def _spells(text: str, key: Key) -> bool:
    return bool(key) and text[-1].isalnum() and tuple(split_name(without_technical(text))) == key
