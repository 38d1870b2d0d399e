"""What a map can be said to mean on the page: one meaning for all of it, or one for each channel."""

from typing import Final

from imagegs_tex.formats.material.name_reading import label
from imagegs_tex.formats.material.name_words import NAMED_PACKS, PACK_LETTERS
from imagegs_tex.formats.vocabulary import COLOUR_SEMANTICS, Semantic

AS_READ: Final = "as read"
"""Where a map's channels mean what no choice of the list says."""
_LETTERS: Final = "RGBA"
_PACKS: Final = ("orm", "rma", "mra", "metallicroughness", "metallicsmoothness", "maskmap", "specgloss", "ddna")
_NAMES: Final = {
    "metallicroughness": "glTF",
    "metallicsmoothness": "Unity",
    "maskmap": "Unity mask map",
    "specgloss": "specular and gloss",
    "ddna": "normal and gloss",
}


def choices(channels: tuple[Semantic, ...]) -> list[tuple[str, str]]:
    """Return the meanings that a map may get, as pairs of what is read and of a key.

    Args:
        channels: what each of the map's channels means now
    """
    whole = [(label(semantic), semantic.name.lower()) for semantic in Semantic if semantic != Semantic.DATA]
    packs = [(_pack_label(name), name) for name in _PACKS if len(_letters(name)) == len(channels)]
    found = [*whole, *packs, (label(Semantic.DATA), Semantic.DATA.name.lower())]
    if key_of(channels) == AS_READ:
        found.insert(0, (", ".join(f"{letter}: {label(each)}" for letter, each in _by_channel(channels)), AS_READ))
    return found


def key_of(channels: tuple[Semantic, ...]) -> str:
    """Return the key of the choice that says what a map's channels mean."""
    first = next((meaning for meaning in channels if meaning != Semantic.DATA), Semantic.DATA)
    beside = Semantic.OPACITY if first in COLOUR_SEMANTICS else Semantic.DATA
    if {*channels} <= {first, beside}:
        return first.name.lower()
    for name in _PACKS:
        if tuple(PACK_LETTERS[letter] if letter != "n" else Semantic.NORMAL for letter in _letters(name)) == channels:
            return name
    return AS_READ


def semantics_of(key: str) -> str | dict[str, str]:
    """Return what a manifest says for a key: one word, or the channels of each meaning."""
    if key not in _PACKS:
        return key
    found: dict[str, str] = {}
    for index, letter in enumerate(_letters(key)):
        meaning = PACK_LETTERS[letter]
        if meaning != Semantic.DATA:
            word = meaning.name.lower()
            found[word] = found.get(word, "") + _LETTERS[index]
    return found


def is_colour(key: str) -> bool:
    """Whether a key says that a map is a colour."""
    return key in {semantic.name.lower() for semantic in COLOUR_SEMANTICS}


def _letters(name: str) -> str:
    return NAMED_PACKS[name]


def _pack_label(name: str) -> str:
    meanings = [f"{_LETTERS[i]}: {label(PACK_LETTERS[letter])}" for i, letter in enumerate(_letters(name))]
    return f"{', '.join(meanings)}{f' ({_NAMES[name]})' if name in _NAMES else ''}"


def _by_channel(channels: tuple[Semantic, ...]) -> list[tuple[str, Semantic]]:
    return [(_LETTERS[index] if index < 4 else str(index + 1), each) for index, each in enumerate(channels)]
