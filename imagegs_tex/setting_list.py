"""Every setting by its name: what it means, what may be asked for, and how text becomes a value.

One definition, the fields of :mod:`imagegs_tex.settings`, serves the command line, the pages and the studio's form.
"""

import difflib
import math
import tomllib
import types
import typing
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, fields, replace
from enum import StrEnum
from pathlib import Path
from typing import Final

from imagegs_tex.formats.errors import InputError, UsageError
from imagegs_tex.formats.files.safe_names import printable
from imagegs_tex.settings import (
    MEANING,
    CompressSettings,
    FitSettings,
    Meaning,
    PopulationChange,
    Precision,
    Preset,
    Topic,
    preset_settings,
)

SettingValue = int | float | str | tuple[PopulationChange, ...] | None
NONE: Final = "none"
"""Text for a setting that is not given, and for no changes of the population."""
_GROUPS: Final[dict[str, type]] = {"fit": FitSettings, "precision": Precision}
_MOST_TOML_BYTES: Final = 1 << 20
_MOST_CROWD: Final = 16.0
"""Gaussians within a fit, over the number asked for."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting, as a list or a form shows it."""

    name: str  # as --set takes it
    group: str  # fit or precision: the field of CompressSettings that it belongs to
    kind: str  # integer, number, choice or population
    topic: str  # the heading that it stands under
    meaning: str  # a plain sentence
    default: SettingValue
    presets: tuple[tuple[str, SettingValue], ...]  # preset and value, where presets differ
    least: float | None  # of what may be asked for; None: no limit, or no number
    most: float | None
    multiple_of: float | None
    choices: tuple[str, ...]  # of a choice
    optional: bool  # whether "none" is a value
    unit: str
    reason: str  # why the default is what it is, measured; may be empty

    @property
    def range(self) -> str:
        """What may be asked for, in words."""
        if self.kind == "choice":
            return "|".join(self.choices)
        if self.kind == "population":
            return "at:kept:total,... or none"
        words = f"{self.least:.10g} to {self.most:.10g}"
        if self.multiple_of is not None:
            words += f" in steps of {self.multiple_of:g}"
        return f"{words}, or none" if self.optional else words


def list_settings() -> tuple[Setting, ...]:
    """Return every setting of the fit and of the precision, in the order of their definition."""
    return tuple(_setting_of(group, entry) for group, kind in _GROUPS.items() for entry in fields(kind))


def by_topic(settings: Iterable[Setting]) -> dict[str, list[Setting]]:
    """Return settings under their headings, in the order in which lists and forms show them."""
    found: dict[str, list[Setting]] = {topic.value: [] for topic in Topic}
    for setting in settings:
        found[setting.topic].append(setting)
    return {topic: own for topic, own in found.items() if own}


def _setting_of(group: str, entry: "Field[object]") -> Setting:
    meaning: Meaning = entry.metadata[MEANING]
    kind, optional, choices = _kind_of(_GROUPS[group], entry.name)
    assert entry.default is not MISSING
    values = {preset.value: getattr(getattr(preset_settings(preset), group), entry.name) for preset in Preset}
    differing = tuple(values.items()) if len(set(values.values())) > 1 else ()
    return Setting(
        entry.name, group, kind, meaning.topic.value, meaning.words, typing.cast(SettingValue, entry.default),
        differing, meaning.least, meaning.most, meaning.multiple_of, choices, optional, meaning.unit, meaning.reason,
    )  # fmt: skip


def _kind_of(owner: type, name: str) -> tuple[str, bool, tuple[str, ...]]:
    """Return kind, whether None is a value, and the choices of a field."""
    hint = typing.get_type_hints(owner)[name]
    optional = isinstance(hint, types.UnionType)
    plain = next(part for part in typing.get_args(hint) if part is not type(None)) if optional else hint
    if plain is int or plain is float:
        return "integer" if plain is int else "number", optional, ()
    if isinstance(plain, type) and issubclass(plain, StrEnum):
        return "choice", optional, tuple(member.value for member in plain)
    return "population", optional, ()


def text_of(value: SettingValue) -> str:
    """Return a value as ``--set`` takes it."""
    if value is None or value == ():
        return NONE
    if isinstance(value, tuple):
        return ",".join(f"{change.at:g}:{change.kept:g}:{change.total:g}" for change in value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def with_settings(
    settings: CompressSettings,
    assignments: Iterable[str] = (),
    file: Path | None = None,
    named: Mapping[str, SettingValue] | None = None,
) -> CompressSettings:
    """Return settings with some changed by name.

    Args:
        settings: to begin with
        assignments: NAME=VALUE each; they win over the file
        file: TOML: names and values, at the top level or in tables called fit and precision
        named: those with options of their own, by name; None for one that is not given

    Raises:
        UsageError: a name or a value is none, with the nearest right one; a name is given twice
        InputError: the file cannot be read, or is no TOML
    """
    values = {} if file is None else read_settings(file)
    given = {
        name: parse_setting(_named(name, ""), value, _option(name))
        for name, value in (named or {}).items()
        if value is not None
    }
    for assignment in assignments:
        name, sign, text = assignment.partition("=")
        if not sign:
            raise UsageError(f"--set {printable(assignment)}: write it as NAME=VALUE, like steps=400")
        found = _named(name.strip(), "--set")
        if found.name in given:
            raise UsageError(f"--set {found.name}: it is given twice; give it once")
        given[found.name] = parse_setting(found, text.strip(), "--set")
    values |= given
    groups = {found.name: found.group for found in list_settings()}
    changed = {group: {name: value for name, value in values.items() if groups[name] == group} for group in _GROUPS}
    fit, precision = (replace(getattr(settings, group), **changed[group]) for group in _GROUPS)
    return replace(settings, fit=fit, precision=precision)


def read_settings(file: Path) -> dict[str, SettingValue]:
    """Read settings by name from a TOML file; see :func:`with_settings`."""
    where = printable(file)
    try:
        data = file.read_bytes()
        if len(data) > _MOST_TOML_BYTES:
            raise InputError(f"{where} is too large for a file of settings; give --settings FILE.toml")
        table = tomllib.loads(data.decode())
    except OSError as error:
        raise InputError(f"{where} cannot be read: {error.strerror}; give --settings FILE.toml") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise InputError(f"{where} is no TOML: {printable(error)}; write lines like steps = 400") from None
    values: dict[str, SettingValue] = {}
    for key, value in table.items():
        inner = value if key in _GROUPS and isinstance(value, dict) else {key: value}
        for name, entry in inner.items():
            found = _named(name, where)
            if (inner is value and found.group != key) or found.name in values:
                raise UsageError(
                    f"{where}: {found.name} belongs once, at the top or under [{found.group}]; move it there"
                )
            values[found.name] = parse_setting(found, entry, where)
    return values


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _named(name: str, where: str) -> Setting:
    """Return the setting of a name; UsageError with the nearest for another."""
    known = {found.name: found for found in list_settings()}
    if name in known:
        return known[name]
    wanted = name.replace("-", "_").lower()
    nearest = difflib.get_close_matches(wanted, known, n=1, cutoff=0.0)[0]
    raise UsageError(
        f"{where}: no setting is called {printable(name)}; the nearest is {nearest} (imagegs-tex settings lists all)"
    )


def parse_setting(setting: Setting, given: object, where: str = "--set") -> SettingValue:
    """Return the value of a setting that a text, or a value of TOML or of a form, means.

    Args:
        setting: of :func:`list_settings`
        given: text, number, or for the population also a list of [at, kept, total]
        where: it was given, for the message

    Raises:
        UsageError: it is none, with the nearest that is
    """
    if setting.kind == "population":
        return _population(setting, given, where)
    text = str(given).strip()
    if setting.optional and text.lower() == NONE:
        return None
    if setting.kind == "choice":
        if text in setting.choices:
            member: str = typing.get_type_hints(_GROUPS[setting.group])[setting.name](text)
            return member
        nearest = difflib.get_close_matches(text.lower(), setting.choices, n=1, cutoff=0.0)[0]
        raise _wrong(setting, text, where, nearest)
    number = _number(setting, text if not isinstance(given, bool) else "", text, where)
    return int(number) if setting.kind == "integer" else number


def _number(setting: Setting, text: str, shown: str, where: str) -> float:
    """Return the number that a text is, within the range of a setting; it is shown as given in the message."""
    assert setting.least is not None
    assert setting.most is not None
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if math.isnan(number):  # nothing is near to it
        raise _wrong(setting, shown, where, text_of(setting.default))
    within = min(max(number, setting.least), setting.most)
    grain = 1.0 if setting.kind == "integer" else setting.multiple_of
    if grain is not None:
        within = round(within / grain) * grain
    if within != number:
        raise _wrong(setting, shown, where, f"{within:.10g}")
    return number


def _population(setting: Setting, given: object, where: str) -> tuple[PopulationChange, ...]:
    """Return the changes that a text or a list of lists means, in order."""
    if isinstance(given, Sequence) and not isinstance(given, str):
        rows = [list(row) if isinstance(row, Sequence) and not isinstance(row, str) else [row] for row in given]
    else:
        text = str(given).strip()
        rows = [] if text.lower() == NONE else [list(row.split(":")) for row in text.split(",")]
    shown = text_of(setting.default)
    try:
        changes = tuple(PopulationChange(*(float(number) for number in row)) for row in rows)
    except (TypeError, ValueError):
        raise _wrong(setting, given, where, shown) from None
    times = [change.at for change in changes]
    numbers = [number for change in changes for number in (change.kept, change.total)]
    in_order = times == sorted(times) and all(0 <= time < 1 for time in times)
    if not in_order or not all(0 < number <= _MOST_CROWD for number in numbers) or (rows and changes[-1].total != 1):
        raise _wrong(setting, given, where, shown)
    return changes


def _wrong(setting: Setting, given: object, where: str, nearest: str) -> UsageError:
    return UsageError(
        f"{where}: {setting.name} = {printable(given)} is not {setting.range}; the nearest right value is {nearest}"
    )
