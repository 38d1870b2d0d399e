"""Patterns over the names of a tree, as .gitignore and TOML files have them."""

import functools
import re
import unicodedata
from collections.abc import Iterable

from imagegs_tex.formats.errors import InputError
from imagegs_tex.formats.files.safe_names import printable


def matches(pattern: str, name: str) -> bool:
    """Whether a pattern fits a whole name.

    Args:
        pattern: ``*`` is anything within one folder, ``**`` any folders or none, ``?`` one character, ``[a-c]`` one of
            several, ``[!a]`` one of all others; upper and lower case differ. Without a slash it is for the last part of
            a name, wherever that lies
        name: with slashes
    """
    return _compiled(pattern).fullmatch(unicodedata.normalize("NFC", name)) is not None


def matches_any(patterns: Iterable[str], name: str) -> bool:
    """Whether one of several patterns fits."""
    return any(matches(pattern, name) for pattern in patterns)


@functools.cache
def _compiled(pattern: str) -> re.Pattern[str]:
    text = unicodedata.normalize("NFC", pattern).removeprefix("./")
    if "/" not in text:
        text = f"**/{text}"
    parts, at = [], 0
    while at < len(text):
        if text.startswith("**/", at):
            parts.append("(?:[^/]+/)*")
            at += 3
        elif text.startswith("**", at):
            parts.append(".*")
            at += 2
        elif text[at] == "[" and (end := text.find("]", at + 2)) > 0:
            inner = text[at + 1 : end].replace("\\", "\\\\").replace("[", "\\[").replace("^", "\\^")
            parts.append(f"[^/{inner[1:]}]" if inner.startswith("!") else f"[{inner}]")
            at = end + 1
        else:
            parts.append({"*": "[^/]*", "?": "[^/]"}.get(text[at]) or re.escape(text[at]))
            at += 1
    try:
        return re.compile("".join(parts), re.DOTALL)
    except re.error as error:
        raise InputError(f"pattern {printable(repr(pattern))} cannot be read ({error}); write it otherwise") from None
