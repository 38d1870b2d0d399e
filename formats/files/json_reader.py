"""JSON from outside, read so that every complaint names the file and the place in it."""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from imagegs_tex.formats.errors import InputError
from imagegs_tex.formats.files.safe_names import printable

_MAX_BYTES: Final = 1 << 30  # a .gltf may hold its pictures as text
_MAX_VALUES: Final = 4_000_000  # a Python object takes some 60 bytes, its text may take 2


@dataclass(frozen=True, slots=True)
class Json:
    """A value of a document, with its place."""

    value: object
    file: str  # printable
    parent: "Json | None" = None  # what it is a member or an element of; None: it is the whole document
    key: str | int = ""  # which member or element

    @property
    def place(self) -> str:
        """Where it is, such as ``textures[2].semantics``; made when asked for, because it rarely is."""
        keys: list[str] = []
        node = self
        while node.parent is not None:
            keys.append(f"[{node.key}]" if isinstance(node.key, int) else f".{printable(node.key)}")
            node = node.parent
        return "".join(reversed(keys)).removeprefix(".")

    def error(self, text: str) -> InputError:
        """Return an error that begins with where this value is."""
        place = self.place
        return InputError(f"{self.file}: {f'{place}: ' if place else ''}{text}")

    def members(self, allowed: frozenset[str] | None = None) -> "dict[str, Json]":
        """Return an object's members; InputError for anything else, and for keys that are not allowed."""
        if not isinstance(self.value, dict):
            raise self.error(f"must be an object, not {_kind(self.value)}")
        for key in self.value:
            if allowed is not None and key not in allowed:
                raise self.error(f"unknown key {printable(repr(key))}; use {', '.join(sorted(allowed))}")
        return {key: Json(value, self.file, self, key) for key, value in self.value.items()}

    def get(self, key: str) -> "Json | None":
        """Return one member of an object, None when it has no such key."""
        if not isinstance(self.value, dict):
            raise self.error(f"must be an object, not {_kind(self.value)}")
        return Json(self.value[key], self.file, self, key) if key in self.value else None

    def need(self, key: str) -> "Json":
        """Return one member of an object; InputError when it is missing."""
        found = self.get(key)
        if found is None:
            raise self.error(f'has no "{key}"; add it')
        return found

    def find(self, *keys: str) -> "Json | None":
        """Return a member of members, None as soon as one is missing."""
        found: Json | None = self
        for key in keys:
            found = None if found is None else found.get(key)
        return found

    def __bool__(self) -> bool:
        return True  # it is there, whatever its length

    def __len__(self) -> int:
        if not isinstance(self.value, list):
            raise self.error(f"must be an array, not {_kind(self.value)}")
        return len(self.value)

    def __iter__(self) -> "Iterator[Json]":
        for index in range(len(self)):
            yield self.at(index)

    def at(self, index: int) -> "Json":
        """Return one element of an array; InputError when there is none of this index."""
        count = len(self)
        assert isinstance(self.value, list)
        if not 0 <= index < count:
            raise self.error(f"has no element {index}, only {count}")
        return Json(self.value[index], self.file, self, index)

    def text(self) -> str:
        """Return a string."""
        if not isinstance(self.value, str):
            raise self.error(f"must be a string, not {_kind(self.value)}")
        return self.value

    def flag(self) -> bool:
        """Return true or false."""
        if not isinstance(self.value, bool):
            raise self.error(f"must be true or false, not {_kind(self.value)}")
        return self.value

    def integer(self, low: int = 0, high: int = 2**53) -> int:
        """Return a whole number within low..high, both included."""
        value = self.value
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool):
            raise self.error(f"must be a whole number, not {_kind(value)}")
        if not low <= value <= high:
            raise self.error(f"{value if abs(value) < 10**20 else 'the number'} is outside {low}..{high}")
        return value

    def number(self, low: float = -math.inf, high: float = math.inf) -> float:
        """Return a finite number within low..high, both included."""
        if not isinstance(self.value, int | float) or isinstance(self.value, bool):
            raise self.error(f"must be a number, not {_kind(self.value)}")
        try:
            value = float(self.value)
        except OverflowError:
            value = math.inf
        if not math.isfinite(value) or not low <= value <= high:
            raise self.error(f"{value:g} is outside {low:g}..{high:g}")
        return value


def read_json(file: Path, what: str, *, strict: bool = True, padding: bytes = b"") -> Json:
    """Read a JSON file; ``what`` it should be is for the messages, ``padding`` may follow; see :func:`parse_json`."""
    where = printable(file)
    try:
        if file.stat().st_size > _MAX_BYTES:
            raise InputError(f"{where} is larger than 1 GiB; no {what} is")
        data = file.read_bytes()
    except FileNotFoundError:
        raise InputError(f"{where} does not exist; check the path") from None
    except OSError as error:
        raise InputError(f"{where} cannot be read ({printable(error.strerror)}); check it") from None
    return parse_json(data.rstrip(padding) if padding else data, where, what, strict=strict)


def parse_json(data: bytes, where: str, what: str, *, strict: bool = True) -> Json:
    """Parse a JSON document.

    Args:
        data: UTF-8, with or without a byte order mark
        where: printable name of its file
        what: what it should be, for the messages
        strict: whether control characters in strings are refused, and members that are null kept: exporters break
            lines within base64, and write null for what is not there

    Raises:
        InputError: not UTF-8, not JSON, a key twice in one object, NaN or infinity, nested too deep or too many values
    """
    if data.count(b",") + data.count(b"[") + data.count(b"{") > _MAX_VALUES:
        raise InputError(f"{where} has more than {_MAX_VALUES} values; no {what} has")
    try:
        members = _members if strict else _present_members
        value = json.loads(data.decode("utf-8-sig"), strict=strict, parse_constant=_refuse, object_pairs_hook=members)
    except RecursionError:
        raise InputError(f"{where} is nested too deep; no {what} is") from None
    except ValueError as error:
        raise InputError(f"{where} is not JSON ({printable(error)}); give a {what}") from None
    return Json(value, where)


def _refuse(constant: str) -> object:
    raise ValueError(f"{constant} is not a JSON number")


def _members(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members: dict[str, object] = {}
    for key, value in pairs:
        if key in members:
            raise ValueError(f"key {key!r} twice in one object")
        members[key] = value
    return members


def _present_members(pairs: list[tuple[str, object]]) -> dict[str, object]:
    return {key: value for key, value in _members(pairs).items() if value is not None}


def _kind(value: object) -> str:
    kinds = {dict: "an object", list: "an array", str: "a string", bool: "true or false", type(None): "null"}
    return kinds.get(type(value), "a number")
