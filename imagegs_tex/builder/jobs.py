"""What is handed to whoever does the work, and what comes back: plain data that any process can take."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from imagegs_tex.builder.cache import Made
from imagegs_tex.builder.keys import Encoder
from imagegs_tex.formats.material.material_source import MaterialSource
from imagegs_tex.formats.material.options import SourceOptions
from imagegs_tex.settings import CompressSettings

IGS_FILE: Final = "file.igs"
"""What the .igs file is called in what a compression makes."""

NOT_SEEN: Final = "its files are not seen here"
"""The problem of a job that is to come with its files."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How one material is made, and what of it."""

    settings: CompressSettings = field(default_factory=CompressSettings)
    options: SourceOptions = field(default_factory=SourceOptions)
    keep_best: bool = True  # whether the best file is kept where a target cannot be reached; else the material fails
    warm_start: bool = False  # whether a changed material begins from its last file
    products: tuple[str, ...] = ()  # see products.py


@dataclass(frozen=True, slots=True)
class CompressJob:
    """A material to compress."""

    name: str
    source: MaterialSource | None  # images in files of their own, absolute; None: it lies in ``container``
    container: Path | None  # a glTF or a .zip, absolute
    stem: str  # which of the container's materials
    recipe: Recipe
    encoder: Encoder  # what it is to be made with: another would give other bytes
    files: tuple[Path, ...] = ()  # all that it is read from, absolute
    data: dict[str, bytes] | None = None  # the files by path, where the worker does not see the same folders
    start: bytes | None = None  # an .igs file that the fit begins from


@dataclass(frozen=True, slots=True)
class ProductJob:
    """Something to make of a finished .igs file."""

    name: str
    product: str  # see products.py
    igs: bytes
    encoder: Encoder


Job = CompressJob | ProductJob


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a job ended."""

    made: Made | None  # None: it failed
    problem: str = ""  # why, in one line
    seconds: float = 0.0


def given_up(timeout: float) -> Outcome:
    """Return how a job ends that takes longer than it may [s]."""
    text = f"not done after {timeout:g} s, and given up; allow more with --timeout, or leave it out"
    return Outcome(None, text, timeout)


@dataclass(frozen=True, slots=True)
class Seat:
    """What a worker may use."""

    threads: int
    device: str = "cpu"  # cpu, or a GPU such as cuda:1


Work = Callable[[Job, Seat], Outcome]
"""What does a job; a function that another process can import."""
