"""Names that came from outside (files on disk, names inside an .igs), made safe to print and to write to."""

import unicodedata
from collections.abc import Iterable

_MAX_PRINTED = 200
_MAX_STEM_BYTES = 200  # of 255 that common file systems allow, leaving room for suffixes and temporary names
_FORBIDDEN_IN_STEM = frozenset('/\\:*?"<>|')
_RESERVED_ON_WINDOWS = frozenset(
    ["CON", "PRN", "AUX", "NUL", *(f"{port}{digit}" for port in ("COM", "LPT") for digit in "123456789")]
)


def printable(text: object) -> str:
    r"""Text for one line of a message: control, format and surrogate characters are shown as \xNN or \uNNNN.

    Args:
        text: a path, a name, or another library's exception; anything that ``str`` takes.

    Returns:
        One line without control characters (no newline, escape sequence or direction override), at most 200 characters.
    """
    shown = "".join(
        # "C*" are control, format, surrogate, private and unassigned; "Zl"/"Zp" break lines.
        character.encode("unicode_escape").decode("ascii")
        if unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
        else character
        for character in str(text)[: _MAX_PRINTED * 2]
    )
    return shown if len(shown) <= _MAX_PRINTED else shown[: _MAX_PRINTED - 1] + "…"


def safe_stem(name: str) -> str:
    """Turn a map's name, as read from an untrusted file, into a file stem that stays inside its folder.

    Ordinary names come back unchanged, in any script. Separators, control characters and characters that Windows
    forbids become ``_``; leading and trailing dots and spaces are dropped; an empty name becomes ``map``.

    Two different names may give the same stem: whoever writes several files tells them apart by :func:`unique_name`.
    """
    kept = "".join(
        "_"
        if character in _FORBIDDEN_IN_STEM or unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"}
        else character
        for character in name
    )
    kept = kept.strip(" .")
    kept = _within(kept, _MAX_STEM_BYTES)
    if kept.split(".")[0].rstrip(" ").upper() in _RESERVED_ON_WINDOWS:
        kept = f"_{kept}"
    return kept or "map"


def safe_stems(names: Iterable[str]) -> list[str]:
    """Return a file stem for each of several names, no two alike, not even where case or Unicode's form is ignored.

    The first of names that give one stem has it, the others have it with a number: ``a_b``, ``a_b_2``.
    """
    taken: dict[str, int] = {}
    return [unique_name(safe_stem(name), taken) for name in names]


def unique_name(name: str, taken: dict[str, int]) -> str:
    """Return a name that no earlier one equals, not even where case or Unicode's form is ignored, and enter it.

    Args:
        name: what is returned where nothing has it
        taken: earlier names as file systems compare them, with the number that was given to one last; written to
    """
    found, number = name, taken.get(_compared(name), 1)
    while _compared(found) in taken:
        number += 1
        ending = f"_{number}"
        found = f"{_within(name, _MAX_STEM_BYTES - len(ending))}{ending}"
    taken[_compared(name)] = number
    taken.setdefault(_compared(found), 1)
    return found


def _compared(name: str) -> str:
    """Return a name as file systems compare it that ignore case and Unicode's form (macOS)."""
    return unicodedata.normalize("NFC", name).casefold()


def _within(name: str, most: int) -> str:
    """Return the beginning of a name that takes at most so many bytes."""
    kept = name[:most]
    while len(kept.encode("utf-8", "surrogatepass")) > most:
        kept = kept[:-1]
    return kept
