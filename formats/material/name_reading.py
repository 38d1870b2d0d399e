"""File names -> what each map of a material means.

The usual spellings of the engines, painting tools and texture libraries are understood. A name is split into words at
separators and capitals; words that say nothing about the meaning (resolution, format, number) are dropped from its end;
what then stands at the end names the map, alone (``T_Brick_N``) or as a packing (``alb_ht``, ``metallicRoughness``).
Names that are not understood become plain data: every map is kept, whatever it is called.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from imagegs_tex.formats.material.name_words import (
    CLEAR_WORDS,
    MEANINGS,
    MODIFIERS,
    PACK_LETTERS,
    is_normal_of_other_space,
    meaning_of,
    normal_convention,
    pack_of,
    split_name,
    without_noise,
)
from imagegs_tex.formats.vocabulary import COLOUR_SEMANTICS, SCALAR_SEMANTICS, Semantic

_S = Semantic


@dataclass(frozen=True, slots=True)
class MapTraits:
    """What reading a name needs to know of the file."""

    stem: str  # file name without its suffix
    channel_count: int  # channels in the file
    is_grey: bool  # one colour channel, or three that are equal (or nearly, from a lossy file)


@dataclass(frozen=True, slots=True)
class MapReading:
    """How a map was understood."""

    semantic: Semantic
    channel_semantics: tuple[Semantic, ...]  # one per channel of the file
    note: str  # one line for people
    is_certain: bool = False  # a manifest or a glTF says so: nothing in the texels changes it
    unused: frozenset[int] = frozenset()  # channels that the material scales by 0: plain data, whatever they hold


@dataclass(frozen=True, slots=True)
class StatedSemantics:
    """What a manifest or a glTF says of a map's channels."""

    channels: Semantic | Mapping[int, Semantic]  # of the whole map, or by channel
    fits_any_image: bool = False  # a glTF's: channels of RGBA, also of a grey image; others are read by the map's name
    unused: frozenset[int] = frozenset()  # channels that the material scales by 0
    note: str = ""  # one line for people, after the meaning


_LONGEST_PHRASE: Final = 4  # words, as in "ambient occlusion roughness metallic"
_LABELS: Final = {_S.BASE_COLOUR: "base colour", _S.DATA: "plain data"}
_FEWEST_SPELLED_OUT: Final = 3  # meanings in a row that are a packing whatever the last two alone are called


def read_names(files: Sequence[MapTraits]) -> list[MapReading]:
    """Understand the names of all maps of one material together.

    Together, because a part that all names share ("rough_metal_…") is the material's name and not a meaning, and
    because a file that carries nothing but that shared name beside others that say more is the base colour, as is a
    coloured "B" (Megascans for Unreal) where nothing else is.

    Args:
        files: the maps; stems are untrusted text in any script

    Returns:
        One reading per file, in the same order. Names that are not understood are read as ``Semantic.DATA``.
    """
    words = _without_shared_ending([split_name(file.stem) for file in files])
    shared = _shared_prefix(words)
    readings = [_read(file, own, shared) for file, own in zip(files, words, strict=True)]
    bare = [index for index, own in enumerate(words) if not without_noise(own[_common_length(words) :])]
    letters = [index for index, own in enumerate(words) if without_noise(own)[-1:] == ["b"] and index not in bare]
    has_colour = any(reading.semantic == _S.BASE_COLOUR for reading in readings)
    understood = any(reading.semantic != _S.DATA for reading in readings)
    for found, note in ((bare, "the bare name beside others that say more"), (letters, "B, and nothing else is one")):
        if len(found) == 1 and understood and not has_colour and readings[found[0]].semantic == _S.DATA:
            channels = _whole(_S.BASE_COLOUR, files[found[0]].channel_count)
            readings[found[0]] = MapReading(_S.BASE_COLOUR, channels, f"base colour ({note})")
            has_colour = True
    return readings


def read_statement(statement: StatedSemantics, file: MapTraits, by_name: MapReading) -> MapReading:
    """Understand a map by what is said of it.

    Args:
        statement: channels that it names must be in the file unless it fits any image
        file: the map
        by_name: what :func:`read_names` makes of it, for channels of which a statement that fits any image says nothing
    """
    if isinstance(statement.channels, Semantic):
        semantics = list(_whole(statement.channels, file.channel_count))
        is_certain = True
    elif statement.fits_any_image:
        return _fitted(statement, file, by_name)
    else:
        semantics = [statement.channels.get(channel, _S.DATA) for channel in range(file.channel_count)]
        is_certain = True
    return _stated(semantics, statement.note, is_certain, statement.unused)


def _fitted(statement: StatedSemantics, file: MapTraits, by_name: MapReading) -> MapReading:
    """Join what a glTF states of an image's channels with what the name says of those that the glTF leaves alone.

    A name that contradicts the glTF says nothing. A channel that is scaled by 0 is what the name says, unless that is
    just what the glTF scales by 0. Alpha that the glTF leaves alone is no opacity: renderers ignore it, so that what
    lies under it is seen.
    """
    stated, switched_off = _spread(statement, file)
    names = by_name.channel_semantics
    unused = frozenset(channel for channel in switched_off if names[channel] in {stated[channel], _S.DATA})
    used = {channel: meaning for channel, meaning in stated.items() if channel not in switched_off}
    is_contradicted = any(names[channel] not in {meaning, _S.DATA} for channel, meaning in used.items())
    semantics = []
    for channel, named in enumerate(names):
        if channel in used or channel in unused:
            semantics.append(stated[channel])
        else:
            semantics.append(_S.DATA if is_contradicted or (stated and named == _S.OPACITY) else named)
    return _stated(semantics, statement.note, _S.METALLIC in used.values(), unused)


def _stated(semantics: list[Semantic], note: str, is_certain: bool, unused: frozenset[int]) -> MapReading:
    first = next((meaning for meaning in semantics if meaning != _S.DATA), _S.DATA)
    is_whole = {*semantics} <= {first, _S.OPACITY if first in COLOUR_SEMANTICS else _S.DATA}
    words = label(first) if is_whole else _layout(semantics)
    return MapReading(first, tuple(semantics), "; ".join(filter(None, (words, note))), is_certain, unused)


def _spread(statement: StatedSemantics, file: MapTraits) -> tuple[dict[int, Semantic], frozenset[int]]:
    """Bring meanings of RGBA channels to the channels that the image has.

    In a grey image red, green and blue are one value, which has the first meaning that is used: the roughness of a grey
    "metallicRoughness" whose metallic factor is 0.
    """
    assert not isinstance(statement.channels, Semantic)
    colours = {channel: meaning for channel, meaning in statement.channels.items() if channel < 3}
    used = [meaning for channel, meaning in sorted(colours.items()) if channel not in statement.unused]
    count = file.channel_count
    if not file.is_grey or (count >= 3 and len({*used}) > 1):
        kept = {channel: meaning for channel, meaning in statement.channels.items() if channel < count}
        return kept, statement.unused & kept.keys()
    grey = 1 if count <= 2 else 3
    spread = dict.fromkeys(range(grey), used[0] if used else _S.DATA) if colours else {}
    if 3 in statement.channels and count in {2, 4}:
        spread[count - 1] = statement.channels[3]
    return spread, frozenset()


def label(semantic: Semantic) -> str:
    """Return the semantic's name for people."""
    return _LABELS.get(semantic, semantic.name.lower().replace("_", " "))


def _read(file: MapTraits, words: list[str], shared: int) -> MapReading:
    meaningful = without_noise(words)
    if is_normal_of_other_space(meaningful[shared:], _LONGEST_PHRASE):
        note = "plain data (normal in object or world space: all three components are kept)"
        return MapReading(_S.DATA, _whole(_S.DATA, file.channel_count), note)
    sequence = _trailing_sequence(file, meaningful, shared)
    packed = _pack_sequence(file, sequence) if len(sequence) >= _FEWEST_SPELLED_OUT else None
    packed = packed or _named_pack(file, meaningful)
    if packed is None and len(sequence) > 1:
        packed = _pack_sequence(file, sequence)
    if packed is not None:
        return packed
    semantic = sequence[-1] if sequence else _clear_word(meaningful[shared:])
    if len(sequence) > 1 and file.channel_count == 3 and not file.is_grey and semantic in SCALAR_SEMANTICS:
        # "albedo transparency" and "specular smoothness" without their fourth channel: what has three is the colour
        semantic = next((meaning for meaning in reversed(sequence) if meaning in COLOUR_SEMANTICS), semantic)
    semantic = _S.DATA if semantic is None else semantic
    note = label(semantic)
    convention = normal_convention(words[shared:])
    if semantic == _S.NORMAL and convention:
        note += f" ({convention})"
    if semantic == _S.HEIGHT and meaningful[-1] == "depth":
        note += " (from a depth map: bright may mean deep)"
    if semantic == _S.DATA and meaningful[-1:] != ["data"]:
        note = "plain data (name not understood)"
    return MapReading(semantic, _whole(semantic, file.channel_count), note)


def _named_pack(file: MapTraits, words: list[str]) -> MapReading | None:
    for length in range(min(_LONGEST_PHRASE, len(words)), 0, -1):
        phrase = "".join(words[-length:])
        pattern = pack_of(phrase)
        if phrase in MEANINGS:  # "subsurface mask map" is no "mask map"
            return None
        if pattern is None:
            continue
        meanings: list[Semantic] = [PACK_LETTERS[letter] for letter in pattern]
        named: list[Semantic] = [meaning for meaning in meanings if meaning != _S.DATA]
        if file.channel_count == 2 and len(named) == 2:
            meanings = named
        if file.channel_count == 3 and pattern == "cccs":
            meanings.pop()  # saved without the alpha that has the gloss
        if file.is_grey and pattern == "m__s":
            meanings = [_S.METALLIC] * 3 + [_S.GLOSS]  # green and blue repeat red
        # A grey "metal_rough" is the roughness of something called metal.
        is_one_map = file.is_grey and pattern == "_rm" and length == 2
        if len(meanings) <= file.channel_count and not is_one_map:
            return _packed(file, meanings)
        if file.channel_count < len(named) and len(named) > 2:
            note = f"plain data (too few channels for {', '.join(label(meaning) for meaning in named)})"
            return MapReading(_S.DATA, _whole(_S.DATA, file.channel_count), note)
    return None


def _trailing_sequence(file: MapTraits, words: list[str], shared: int) -> list[Semantic]:
    """Meanings at the end of a name, first to last: [BASE_COLOUR, HEIGHT] for ``ground_alb_ht``."""
    found: list[Semantic] = []
    end = len(words)
    while end > 0:
        for length in range(min(_LONGEST_PHRASE, end), 0, -1):
            phrase = "".join(words[end - length : end])
            semantic = _meaning(phrase, file)
            if semantic is not None and (len(phrase) > 1 or not found or _is_letter_between(file, words[: end - 1])):
                break
        else:
            return found
        in_shared_part = end - length < shared
        if found and (semantic in found or (in_shared_part and _width(semantic) == 1)):
            return found
        found.insert(0, semantic)
        end -= length
        if found == [_S.MASK]:  # of whatever stands before it: "roughness mask"
            return found
    return found


def _is_letter_between(file: MapTraits, before: list[str]) -> bool:
    """Whether a single letter follows a word with a meaning: the R of "MT_R_AO"."""
    return bool(before) and len(before[-1]) > 1 and _meaning(before[-1], file) in SCALAR_SEMANTICS


def _meaning(phrase: str, file: MapTraits) -> Semantic | None:
    if phrase in {"bump", "bumpmap", "bmp"}:  # a height to most, but Unity's _BumpMap is a normal map
        return _S.HEIGHT if file.is_grey else _S.NORMAL
    if phrase == "b" and file.is_grey:  # bump, in Unreal's style guides
        return _S.HEIGHT
    if phrase == "dm":  # displacement map, or diffuse map
        return _S.HEIGHT if file.is_grey else _S.BASE_COLOUR
    if phrase == "a":  # alpha, or albedo
        return _S.OPACITY if file.is_grey else _S.BASE_COLOUR
    if phrase == "g":  # gloss, or a glow (Bethesda's games)
        return _S.GLOSS if file.is_grey else _S.EMISSIVE
    if phrase == "p" and file.is_grey:  # parallax (Bethesda's games)
        return _S.HEIGHT
    if phrase == "am" and not file.is_grey:  # albedo map (World of Tanks)
        return _S.BASE_COLOUR
    return meaning_of(phrase)


def _pack_sequence(file: MapTraits, sequence: list[Semantic]) -> MapReading | None:
    """Read several meanings as a packing if that is how many channels there are, the longest sequence first.

    Scalars never precede a colour in a packing: "metal_color" is the colour of a metal.
    """
    for start in range(len(sequence) - 1):
        part = sequence[start:]
        if len(part) == 2 and file.channel_count == 4 and _fits_in_alpha(*part):
            return _packed(file, [part[0]] * 3 + [part[1]])
        total = sum(_width(semantic) for semantic in part)
        scalars_follow = all(_width(semantic) == 1 for semantic in part[1:])
        if not scalars_follow:
            continue
        exact = total == file.channel_count
        with_rest = _width(part[0]) == 1 and total < file.channel_count and not file.is_grey
        if (exact and not (file.is_grey and file.channel_count > 2)) or with_rest:
            return _packed(file, [semantic for semantic in part for _ in range(_width(semantic))])
        if len(part) > 2 and total > file.channel_count and _width(part[0]) == 1:
            note = f"plain data (too few channels for {', '.join(label(semantic) for semantic in part)})"
            return MapReading(_S.DATA, _whole(_S.DATA, file.channel_count), note)
    return None


def _fits_in_alpha(colour: Semantic, other: Semantic) -> bool:
    """Whether three channels and a fourth are what "color_spec" and "NormalTranslucency" say."""
    return _width(colour) == 3 and other in COLOUR_SEMANTICS - {_S.BASE_COLOUR, _S.IMAGE}


def _packed(file: MapTraits, meanings: list[Semantic]) -> MapReading:
    channels = (*meanings, *[_S.DATA] * (file.channel_count - len(meanings)))
    semantic = next((meaning for meaning in meanings if meaning != _S.DATA), _S.DATA)
    return MapReading(semantic, channels, _layout(channels))


def _layout(channels: Sequence[Semantic]) -> str:
    parts = Counter(channels)
    names = [label(meaning) if meaning != _S.DATA else "unused" for meaning in dict.fromkeys(channels)]
    layout = ", ".join(
        f"{name} x{parts[meaning]}" if parts[meaning] > 1 else name
        for name, meaning in zip(names, dict.fromkeys(channels), strict=True)
    )
    return f"packed: {layout}"


def _whole(semantic: Semantic, channel_count: int) -> tuple[Semantic, ...]:
    """Channel semantics of a map with one meaning: a second or fourth channel is alpha."""
    if channel_count not in {2, 4}:
        return (semantic,) * channel_count
    if channel_count == 2 and semantic == _S.SPECULAR:  # Fallout 4, and grey with the gloss in alpha
        return (semantic, _S.GLOSS)
    carries_alpha = semantic in COLOUR_SEMANTICS or semantic in SCALAR_SEMANTICS
    if channel_count == 2 and not carries_alpha:
        return (semantic,) * 2  # the x and y of a normal map, or any two numbers
    return (*(semantic,) * (channel_count - 1), _S.OPACITY if carries_alpha else _S.DATA)


def _width(semantic: Semantic) -> int:
    return 1 if semantic in SCALAR_SEMANTICS or semantic == _S.DATA else 3


def _clear_word(words: list[str]) -> Semantic | None:
    for end in range(len(words), 0, -1):
        if words[end - 1] in MODIFIERS:  # "normal strength" is no normal
            return None
        for length in (2, 1):
            phrase = "".join(words[max(0, end - length) : end])
            if phrase in CLEAR_WORDS:
                return MEANINGS[phrase]
    return None


def _without_shared_ending(words: list[list[str]]) -> list[list[str]]:
    """Drop what all names end with where each has a meaning before it.

    Another meaning, as the workflow in "X_COL_METALNESS", or the material's name, as in "AO_wall, ORM_wall".
    """
    bare = [without_noise(own) for own in words]
    ending = _common_length([own[::-1] for own in bare])
    names = [own[: len(own) - ending] for own in bare]
    if ending and all(own and _says(own) for own in names):
        return [own + whole[len(own) + ending :] for own, whole in zip(names, words, strict=True)]
    shorter = [without_noise(own[:-1]) for own in bare]
    endings = {own[-1] for own in bare if own}
    meanings = [own[-1] if own and len(own[-1]) > 1 else "" for own in shorter]
    is_shared = len(endings) == 1 and endings <= MEANINGS.keys()
    return shorter if is_shared and len({*meanings}) > 1 and {*meanings} <= MEANINGS.keys() else words


def _says(words: list[str]) -> bool:
    """Whether the last words of a name are a meaning or a packing, in more than a letter."""
    phrases = ["".join(words[-length:]) for length in range(1, min(_LONGEST_PHRASE, len(words)) + 1)]
    return any(len(phrase) > 1 and (pack_of(phrase) or meaning_of(phrase)) is not None for phrase in phrases)


def _common_length(words: list[list[str]]) -> int:
    """How many leading words all names share; 0 for a single name."""
    if len(words) < 2:
        return 0
    length = 0
    for column in zip(*words, strict=False):
        if len(set(column)) > 1:
            break
        length += 1
    return length


def _shared_prefix(words: list[list[str]]) -> int:
    """Leading words that are the material's name: shared by all, and leaving every name something to say."""
    length = _common_length(words)
    return length if all(without_noise(own[length:]) for own in words) else 0
