"""The project file: TOML that says what a tree is built from, how good, and what else is made.

docs/build-project.schema.json is its schema, docs/build-project.md says what the keys mean.
"""

import difflib
import re
import tomllib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from imagegs_tex.builder.globs import matches, matches_any
from imagegs_tex.builder.jobs import Recipe
from imagegs_tex.builder.products import PRODUCTS
from imagegs_tex.encoder.target_text import parse_target
from imagegs_tex.formats.errors import InputError, UsageError
from imagegs_tex.formats.files.json_reader import Json
from imagegs_tex.formats.files.safe_names import printable
from imagegs_tex.formats.igs.entropy import Entropy
from imagegs_tex.formats.material.options import AlphaUse, Coverage, NormalCoding
from imagegs_tex.formats.material.wrap_detection import parse_wrap
from imagegs_tex.formats.vocabulary import MAX_SIZE
from imagegs_tex.setting_list import with_settings
from imagegs_tex.settings import MOST_QUALITY, DetailMode, Preset, preset_settings

PROJECT_SUFFIX: Final = ".toml"
_QUALITY: Final = ("quality", "gaussians", "bits-per-texel", "max-bytes", "psnr", "targets", "psnr-over")
"""Keys of which a rule that has one replaces all that rules before it have."""
_SIZE_TEXT: Final = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([kmgt]?i?b?)\s*", re.IGNORECASE)
_MOST_UNREAD: Final = 8
_MOST_BYTES_UNREAD: Final = 1 << 20
_POWERS: Final = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}


@dataclass(frozen=True, slots=True)
class Rule:
    """What is said of the materials of some names."""

    patterns: tuple[str, ...]
    options: Mapping[str, Json]  # by key, each checked
    place: str  # for messages


@dataclass(frozen=True, slots=True)
class ProjectFile:
    """A project file that has been read."""

    root: Path  # the tree
    excluded: tuple[str, ...] = ()  # patterns over paths in the tree
    budget: int | None = None  # bytes of all .igs files together
    rules: tuple[Rule, ...] = ()  # in order: later ones win
    path: Path | None = field(default=None, compare=False)

    def recipe_of(self, name: str) -> Recipe:
        """Return how the material of a name is made."""
        options: dict[str, Json] = {}
        for rule in self.rules:
            if matches_any(rule.patterns, name):
                if any(key in rule.options for key in _QUALITY):
                    options = {key: value for key, value in options.items() if key not in _QUALITY}
                options |= rule.options
        return _recipe(options)

    def over_of(self, name: str) -> float:
        """Return how many dB a material gets above the common quality of a shared budget."""
        over = 0.0
        for rule in self.rules:
            if matches_any(rule.patterns, name) and any(key in rule.options for key in _QUALITY):
                value = rule.options.get("psnr-over")
                over = 0.0 if value is None else value.number()
        return over

    def unused(self, names: Collection[str]) -> list[str]:
        """Say which patterns fit no material."""
        return [
            f"{rule.place}: {printable(repr(pattern))} fits no material"
            for rule in self.rules
            for pattern in rule.patterns
            if not any(matches(pattern, name) for name in names)
        ]

    def unread(self) -> list[str]:
        """Say which project files lie in a folder that is built without one."""
        found = [] if self.path is not None else sorted(self.root.glob("*" + PROJECT_SUFFIX))[:_MOST_UNREAD]
        return [
            f"{printable(path.name)} is not read: a folder is built as it is; give {printable(path)} in its place"
            for path in found
            if _looks_like_project(path)
        ]


def _looks_like_project(path: Path) -> bool:
    try:
        if path.stat().st_size > _MOST_BYTES_UNREAD:
            return False
        return not tomllib.loads(path.read_text(encoding="utf-8-sig")).keys().isdisjoint(_PROJECT_KEYS)
    except (OSError, ValueError, RecursionError):  # what this is, is not asked
        return False


def read_project(path: Path) -> ProjectFile:
    """Read a project file.

    Raises:
        InputError: in one line with the place: no TOML, an unknown key (with the nearest right one), a wrong value
    """
    where = printable(path)
    try:
        document = Json(tomllib.loads(path.read_text(encoding="utf-8-sig")), where)
    except FileNotFoundError:
        raise InputError(f"{where} does not exist; check the path") from None
    except OSError as error:
        raise InputError(f"{where} cannot be read ({printable(error.strerror)}); check it") from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where} is not TOML ({printable(error)}); mend it") from None
    members = _members(document, _PROJECT_KEYS)
    root = path.absolute().parent
    if "input" in members:
        stated = members["input"].text()
        root /= stated
        if "\0" in stated or not root.is_dir():
            raise members["input"].error(f"{printable(stated)} is no folder; paths are relative to the project file")
    rules = []
    if "defaults" in members:
        rules.append(_rule(members["defaults"], ("**",)))
    rules += [_rule(rule, None) for rule in members.get("rule", Json([], where))]
    budget = _bytes(members["budget"]) if "budget" in members else None
    excluded = _patterns(members["exclude"]) if "exclude" in members else ()
    found = ProjectFile(root.resolve(), excluded, budget, tuple(rules), path)
    for rule in rules:  # before hours of work, also what no material has yet
        _check_rule(rule, budget)
    return found


def _rule(value: Json, patterns: tuple[str, ...] | None) -> Rule:
    members = _members(value, [*_RULE_KEYS, *([] if patterns else ["match"])])
    if patterns is None:
        patterns = _patterns(value.need("match"))
    options = {key: entry for key, entry in members.items() if key != "match"}
    return Rule(patterns, options, f"{value.file}: {value.place}")


def _check_rule(rule: Rule, budget: int | None) -> None:
    given = [key for key in _QUALITY if key in rule.options]
    together = {"psnr", "targets"}
    if len(given) > 1 and set(given) != together:
        raise InputError(f"{rule.place}: {given[0]} and {given[1]} exclude each other; give one of them")
    if budget is None and "psnr-over" in given:
        raise rule.options["psnr-over"].error("is above the common quality of a budget, and there is no budget")
    if budget is not None and set(given) - {"max-bytes", "psnr-over"}:
        raise rule.options[given[0]].error("is decided by the budget; give psnr-over or max-bytes, or no budget")
    _recipe(rule.options)


def _members(value: Json, allowed: Collection[str]) -> dict[str, Json]:
    members = value.members()
    for key in members:
        if key not in allowed:
            near = difflib.get_close_matches(key, allowed, 1, 0.5)
            hint = f"did you mean {near[0]}?" if near else f"use {', '.join(sorted(allowed))}"
            raise value.error(f"unknown key {printable(repr(key))}; {hint}")
    return members


def _recipe(options: Mapping[str, Json]) -> Recipe:
    """Put a recipe together; each reader takes the recipe so far and its value."""
    recipe = Recipe(preset_settings(Preset.BALANCED))
    for key in _RULE_KEYS:  # the preset first, which the others change
        if key in options:
            try:
                recipe = _RULE_KEYS[key](recipe, options[key])
            except UsageError as error:
                raise options[key].error(str(error)) from None
    return recipe


def _preset(recipe: Recipe, value: Json) -> Recipe:
    return replace(recipe, settings=preset_settings(Preset(_choice(value, [preset.value for preset in Preset]))))


def _setting(name: str, read: Callable[[Json], Any]) -> Callable[[Recipe, Json], Recipe]:
    return lambda recipe, value: replace(recipe, settings=replace(recipe.settings, **{name: read(value)}))


def _option(name: str, read: Callable[[Json], Any]) -> Callable[[Recipe, Json], Recipe]:
    return lambda recipe, value: replace(recipe, options=replace(recipe.options, **{name: read(value)}))


def _seed(recipe: Recipe, value: Json) -> Recipe:
    settings = recipe.settings
    return replace(recipe, settings=replace(settings, fit=replace(settings.fit, seed=value.integer(0, 2**31 - 1))))


def _set(recipe: Recipe, value: Json) -> Recipe:
    settings = with_settings(recipe.settings, _texts(value))
    if settings.fit.time_budget is not None:
        raise value.error("time_budget gives other bytes every time; give steps")
    return replace(recipe, settings=settings)


def _products(option: str) -> Callable[[Recipe, Json], Recipe]:
    def read(recipe: Recipe, value: Json) -> Recipe:
        values = {product.value: name for name, product in PRODUCTS.items() if product.option == option}
        if set(values) == {"true"}:
            wanted = ["true"] if value.flag() else []
        else:
            entries = list(value) if isinstance(value.value, list) else [value]
            wanted = [_choice(entry, list(values)) for entry in entries]
        return replace(recipe, products=tuple(sorted({*recipe.products, *(values[word] for word in wanted)})))

    return read


def _choice(value: Json, words: list[str]) -> str:
    text = value.text()
    if text not in words:
        near = difflib.get_close_matches(text, words, 1, 0.5)
        hint = f"did you mean {near[0]}?" if near else f"use {', '.join(words)}"
        raise value.error(f"there is no {printable(repr(text))}; {hint}")
    return text


def _texts(value: Json) -> tuple[str, ...]:
    entries = list(value) if isinstance(value.value, list) else [value]
    return tuple(entry.text() for entry in entries)


def _patterns(value: Json) -> tuple[str, ...]:
    patterns = _texts(value)
    for pattern in patterns:
        try:
            matches(pattern, "")
        except InputError as error:
            raise value.error(str(error)) from None
    return patterns


def _bytes(value: Json) -> int:
    """Read a number of bytes, or text with a unit: KB and the like are powers of 1000, KiB of 1024."""
    if not isinstance(value.value, str):
        return value.integer(1)
    match = _SIZE_TEXT.fullmatch(value.text())
    if match is None:
        raise value.error(f"{printable(repr(value.text()))} is no size; write it like 120000, 120KB or 48KiB")
    unit = match[2].lower().removesuffix("b")
    size = int(Decimal(match[1]) * (1024 if unit.endswith("i") else 1000) ** _POWERS[unit.removesuffix("i")])
    if size < 1:
        raise value.error("is less than a byte")
    return size


def _size(value: Json) -> tuple[int, int]:
    if len(value) != 2:
        raise value.error("must have two numbers: width and height in texels")
    return value.at(0).integer(1, MAX_SIZE), value.at(1).integer(1, MAX_SIZE)


def _targets(value: Json) -> object:
    return tuple(parse_target(text) for text in _texts(value))


def _over(recipe: Recipe, value: Json) -> Recipe:
    value.number(-30, 30)
    return recipe  # see ProjectFile.over_of


_RULE_KEYS: Final[dict[str, Callable[[Recipe, Json], Recipe]]] = {
    "preset": _preset,
    "quality": _setting("quality", lambda value: value.number(0, MOST_QUALITY)),
    "gaussians": _setting("gaussian_count", lambda value: value.integer(1)),
    "bits-per-texel": _setting("bits_per_texel", lambda value: value.number(1e-6, 1e3)),
    "max-bytes": _setting("max_bytes", _bytes),
    "psnr": _setting("target_psnr", lambda value: value.number(1, 100)),
    "targets": _setting("targets", _targets),
    "psnr-over": _over,
    "keep-best": lambda recipe, value: replace(recipe, keep_best=value.flag()),
    "warm-start": lambda recipe, value: replace(recipe, warm_start=value.flag()),
    "seed": _seed,
    "set": _set,
    "detail": _setting("detail", lambda value: DetailMode(_choice(value, [mode.value for mode in DetailMode]))),
    "entropy": _setting("entropy", lambda value: Entropy(_choice(value, [word.value for word in Entropy]))),
    "size": _option("size", _size),
    "wrap": _option("wrap", lambda value: parse_wrap(value.text())),
    "normals": _option("normals", lambda value: NormalCoding(_choice(value, [word.value for word in NormalCoding]))),
    "alpha": _option("alpha", lambda value: AlphaUse(_choice(value, [word.value for word in AlphaUse]))),
    "coverage": _option("coverage", lambda value: Coverage(_choice(value, [word.value for word in Coverage]))),
    "emit": _products("emit"),
    "export": _products("export"),
    "verify": _products("verify"),
    "view": _products("view"),
}
_PROJECT_KEYS: Final = frozenset({"$schema", "input", "exclude", "budget", "defaults", "rule"})


def project_of(source: Path, preset: Preset | None = None) -> ProjectFile:
    """Return what a project file says, or that of a folder the same is made of all.

    Args:
        source: a project file, or a folder
        preset: for all materials, whatever the file says; None: as that says
    """
    found = (
        read_project(source) if source.suffix.lower() == PROJECT_SUFFIX and not source.is_dir() else ProjectFile(source)
    )
    if preset is None:
        return found
    rule = Rule(("**",), {"preset": Json(preset.value, "--preset")}, "--preset")
    return replace(found, rules=(*found.rules, rule))
