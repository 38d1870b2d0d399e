"""Names that came from outside (files on disk, names inside an .igs), made safe to print and to write to."""

import unicodedata

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

    Two different names may give the same stem: whoever writes several files must check for that.
    """
    kept = "".join(
        "_"
        if character in _FORBIDDEN_IN_STEM or unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"}
        else character
        for character in name
    )
    kept = kept.strip(" .")
    while len(kept.encode()) > _MAX_STEM_BYTES:
        kept = kept[:-1]
    if kept.split(".")[0].upper() in _RESERVED_ON_WINDOWS:
        kept = f"_{kept}"
    return kept or "map"
