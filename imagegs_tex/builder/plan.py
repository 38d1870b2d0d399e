"""What there is to do: for each material its key, and whether its output is there already."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from imagegs_tex.builder.hash_memo import HashMemo
from imagegs_tex.builder.jobs import CompressJob, Recipe
from imagegs_tex.builder.keys import Encoder, material_key, warm_key
from imagegs_tex.builder.settings_text import described
from imagegs_tex.builder.state import Entry, LeftOut, State
from imagegs_tex.builder.tree import TreeMaterial
from imagegs_tex.formats.errors import ImageGSTexError, InputError
from imagegs_tex.formats.files.safe_names import printable
from imagegs_tex.formats.igs.container import MAGIC


@dataclass(frozen=True, slots=True)
class Task:
    """A material with all that is known before it is made."""

    material: TreeMaterial
    recipe: Recipe
    key: str
    hashes: Mapping[Path, str]  # of its files
    source_bytes: int
    start: str = ""  # SHA-256 of the .igs file that the fit begins from; empty: from nothing

    @property
    def name(self) -> str:
        """The material's."""
        return self.material.name

    @property
    def file(self) -> str:
        """Of the .igs file, relative to the output."""
        return f"{self.material.name}.igs"


def tasks_of(
    materials: Iterable[TreeMaterial], recipes: Mapping[str, Recipe], encoder: Encoder, memo: HashMemo
) -> tuple[list[Task], list[LeftOut]]:  # fmt: skip
    """Return the tasks of materials, and what cannot be read.

    Args:
        materials: of a tree
        recipes: by name
        encoder: what makes them
        memo: hashes files
    """
    tasks = []
    left_out = []
    for material in materials:
        recipe = recipes[material.name]
        hashes: dict[Path, str] = {}

        def sha256(path: Path, hashes: dict[Path, str] = hashes) -> str:
            hashes[path] = memo.sha256(path)
            return hashes[path]

        try:
            key = material_key(material, recipe.settings, recipe.options, encoder, sha256)
            size = sum(path.stat().st_size for path in hashes)
        except InputError as error:
            left_out.append(LeftOut(printable(material.source), str(error), material.name))
        except OSError as error:
            problem = f"cannot be read ({printable(error.strerror)})"
            left_out.append(LeftOut(printable(material.source), problem, material.name))
        else:
            tasks.append(Task(material, recipe, key, hashes, size))
    return tasks, left_out


def is_unchanged(task: Task, memo: HashMemo) -> bool:
    """Whether a task's files are still what they were when its key was made."""
    try:
        return all(memo.sha256(path) == digest for path, digest in task.hashes.items())
    except ImageGSTexError:
        return False


class Outputs:
    """The files of an output folder that are as an earlier build left them."""

    def __init__(self, folder: Path, state: State, memo: HashMemo) -> None:
        self._folder, self._state, self._memo = folder, state, memo
        self._by_key: dict[str, list[Entry]] = {}
        for entry in state.entries.values():
            self._by_key.setdefault(entry.key, []).append(entry)
        memo.hash_all(folder / path for path in state.files)

    def old(self, name: str) -> Entry | None:
        """Return what the last build knew of a name."""
        return self._state.entries.get(name)

    def are_whole(self, files: Mapping[str, str]) -> bool:
        """Whether files are there with these hashes."""
        try:
            return all(self._memo.sha256(self._folder / path) == digest for path, digest in files.items())
        except ImageGSTexError:
            return False

    def elsewhere(self, key: str) -> Entry | None:
        """Return a material of any name with this key whose .igs file is whole."""
        return next((e for e in self._by_key.get(key, ()) if self.are_whole({e.file: e.sha256})), None)

    def may_write(self, path: str) -> bool:
        """Whether a path may be written: an earlier build wrote it, or it is an .igs file, or nothing is there."""
        file = self._folder / path
        if path in self._state.files or not file.exists():
            return True
        try:
            with file.open("rb") as opened:
                return path.endswith(".igs") and opened.read(len(MAGIC)) == MAGIC
        except OSError:
            return False


def largest_first(tasks: Iterable[Task]) -> list[Task]:
    """Return tasks so that no worker is left with a long one at the end."""
    return sorted(tasks, key=lambda task: (-task.source_bytes, task.name))


def warmed(task: Task, old: Entry) -> Task:
    """Return a task that begins from what an earlier build made of the same material by the same settings.

    Its key has in it what it begins from, since that decides the bytes as well.
    """
    if task.key == old.key or old.settings != described(task.recipe):
        return task
    if old.start and warm_key(task.key, old.start) == old.key:  # nothing has changed since it was made so
        return replace(task, key=old.key, start=old.start)
    return replace(task, key=warm_key(task.key, old.sha256), start=old.sha256)


def compress_job(task: Task, encoder: Encoder, start: bytes | None = None) -> CompressJob:
    """Return what a worker needs to make a task's .igs file, and perhaps the one that it begins from."""
    source = task.material.material
    container = next(iter(task.material.container), None)
    is_packed = any(entry.image.data is not None for entry in source.maps) or source.uv_sets is not None
    is_opened_there = container is not None and is_packed
    return CompressJob(
        task.name, None if is_opened_there else source, container, task.material.stem, task.recipe, encoder,
        tuple(task.hashes), start=start,
    )  # fmt: skip
