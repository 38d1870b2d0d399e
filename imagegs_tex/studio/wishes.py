"""What a visitor asks for, as settings and as the command line that asks for the same."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from imagegs_tex.advice import GOOD_DB, POOR_DB
from imagegs_tex.formats.errors import UsageError
from imagegs_tex.formats.files.safe_names import safe_stem
from imagegs_tex.formats.material.options import AlphaUse, NormalCoding, SourceOptions
from imagegs_tex.formats.vocabulary import wrap_words
from imagegs_tex.setting_list import with_settings
from imagegs_tex.settings import DEFAULT_QUALITY, MOST_QUALITY, CompressSettings, DetailMode, Preset, preset_settings

QUALITY: Final = "quality"
"""The goal that the page begins with."""


@dataclass(frozen=True, slots=True)
class Goal:
    """What decides how large and how good the file gets."""

    key: str
    label: str  # of the choice
    unit: str  # of the amount
    short: str  # the same where room is scarce
    usual: float  # amount that the field begins with where nothing is known of a material
    flag: str  # of the command line


GOALS: Final = (
    Goal(QUALITY, "Quality", "0 to 100", "of 100", DEFAULT_QUALITY, "--quality"),
    Goal("bytes", "File size", "kilobytes", "kB", 50, "--max-bytes"),
    Goal("psnr", "PSNR", f"dB: {POOR_DB:g} is rough, {GOOD_DB:g} close, 40 very close", "dB", 30, "--target-psnr"),
    Goal("bpp", "Bits per texel", "bits per texel of all maps together", "bits per texel", 1, "--bpp"),
    Goal("gaussians", "Number of Gaussians", "Gaussians", "Gaussians", 4000, "--gaussians"),
)
QUALITY_WORDS: Final = ((25, "small"), (50, "good"), (75, "high"), (90, "very high"))
"""What qualities are called; between two it is the nearer one's name."""
_GOAL_BY_KEY: Final = {goal.key: goal for goal in GOALS}
PRESET_WORDS: Final = {
    Preset.FAST: "Fast: a preview in seconds",
    Preset.BALANCED: "Balanced: the usual choice, minutes for large maps",
    Preset.BEST: "Best: the smallest file, several times as long",
}
LADDER_SHARES: Final = (0.25, 0.5, 1.0, 2.0, 4.0)
"""Sizes of the rate ladder, in usual numbers of Gaussians."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What the page's fields say."""

    goal: str = QUALITY  # a key of GOALS
    amount: float = DEFAULT_QUALITY
    preset: Preset = Preset.BALANCED
    detail: bool = True
    backend: str = "auto"
    every: int = 4  # steps between live pictures, at the soonest
    assignments: tuple[str, ...] = ()  # further settings, NAME=VALUE each

    @property
    def is_usual(self) -> bool:
        """Whether it is the quality that files have without a word about their size."""
        return self.goal == QUALITY and self.amount == DEFAULT_QUALITY

    @property
    def words(self) -> str:
        """What was asked for, in a few words."""
        name = f"{self.amount:g} {_GOAL_BY_KEY[self.goal].short}"
        if self.goal == QUALITY:
            name = f"quality {self.amount:g}"
        own = f", {', '.join(self.assignments)}" if self.assignments else ""
        return f"{name}, {self.preset.value}{own}"


def goal_of(key: str) -> Goal:
    """Return a goal by its key; UsageError for one that does not exist."""
    if key not in _GOAL_BY_KEY:
        raise UsageError("there is no such goal; reload the page")
    return _GOAL_BY_KEY[key]


def settings_of(wish: Wish) -> CompressSettings:
    """Return the settings that a wish stands for.

    Raises:
        UsageError: the amount is none that a file can have, or a setting has no such value
    """
    goal = goal_of(wish.goal)
    if not 0 < wish.amount < 1e12:
        raise UsageError(f"{goal.label}: give a number above 0")
    preset = with_settings(preset_settings(wish.preset), wish.assignments)
    chosen = replace(preset, detail=DetailMode.AUTO if wish.detail else DetailMode.OFF)
    if wish.goal == "bytes":
        return replace(chosen, max_bytes=round(wish.amount * 1000))
    if wish.goal == QUALITY:
        if wish.amount > MOST_QUALITY:
            raise UsageError(f"{goal.label}: give a number up to {MOST_QUALITY:g}")
        return chosen if wish.is_usual else replace(chosen, quality=float(wish.amount))
    if wish.goal == "psnr":
        return replace(chosen, target_psnr=float(wish.amount))
    if wish.goal == "bpp":
        return replace(chosen, bits_per_texel=float(wish.amount))
    return replace(chosen, gaussian_count=round(wish.amount))


def with_whole_wrap(options: SourceOptions, found: tuple[bool, bool]) -> SourceOptions:
    """Return options that say of both axes whether a material repeats where they say it of one, as --wrap does.

    Args:
        options: what was said
        found: how the material is taken, in x and in y
    """
    if options.wrap == (None, None):
        return options
    x, y = (own if said is None else said for said, own in zip(options.wrap, found, strict=True))
    return replace(options, wrap=(x, y))


def command_line(source: Path | None, title: str, options: SourceOptions, wish: Wish) -> str:
    """Return what to type for the same file.

    Args:
        source: what is compressed, as it is called where the command runs; None: nothing yet
        title: of the material, which names the file
        options: what was said of the whole material
        wish: what is asked for
    """
    settings = settings_of(wish)
    words = ["imagegs-tex", "compress", "INPUT" if source is None else str(source), "-o", file_name(title)]
    amounts: Mapping[str, object] = {
        "bytes": settings.max_bytes,
        QUALITY: wish.amount,
        "psnr": wish.amount,
        "bpp": wish.amount,
        "gaussians": settings.gaussian_count,
    }
    goal = goal_of(wish.goal)
    if not wish.is_usual:
        amount = amounts[wish.goal]
        words += [goal.flag, f"{amount:g}" if isinstance(amount, float) else str(amount)]
    if wish.preset != Preset.BALANCED:
        words += ["--preset", wish.preset.value]
    for assignment in wish.assignments:
        words += ["--set", assignment]
    if not wish.detail:
        words += ["--detail", "off"]
    if options.importance_by_saliency:
        words += ["--importance", "auto"]
    x, y = options.wrap
    if x is not None and y is not None:
        axes = wrap_words((x, y))
        words += ["--wrap", axes[0] if axes[0] == axes[1] else ",".join(axes)]
    if options.alpha != AlphaUse.AUTO:
        words += ["--alpha", options.alpha.value]
    if options.normals != NormalCoding.AUTO:
        words += ["--normals", options.normals.value]
    if wish.backend != "auto":
        words += ["--backend", wish.backend]
    return shlex.join(words)


def look_line(title: str) -> str:
    """Return what to type for the pictures of a file that was brought."""
    return shlex.join(["imagegs-tex", "view", title, "-o", "pictures"])


def file_name(title: str) -> str:
    """Return the name of the file that is made of a material."""
    name = safe_stem(title)
    stem, dot, suffix = name.rpartition(".")
    return f"{stem if dot and stem and suffix.isalnum() else name}.igs"


def quality_word(quality: float) -> str:
    """Return what a quality is called: the name of the nearest that has one."""
    return min(QUALITY_WORDS, key=lambda each: abs(each[0] - quality))[1]
