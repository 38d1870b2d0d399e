"""Trial fits of materials, remembered in the output folder and in the cache."""

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import astuple
from pathlib import Path
from typing import Final

from imagegs_tex.builder.budget import Trial
from imagegs_tex.builder.cache import Cache, Made
from imagegs_tex.builder.hash_memo import HashMemo
from imagegs_tex.builder.jobs import Outcome, Recipe
from imagegs_tex.builder.keys import Encoder
from imagegs_tex.builder.plan import Task, is_unchanged, tasks_of
from imagegs_tex.builder.tree import Tree
from imagegs_tex.formats.files.atomic_write import write_bytes

_FILE: Final = "trials.json"

TryOut = Callable[[Sequence[Task], Callable[[Task, Outcome], None]], None]
"""Does trial fits, and calls a function with the outcome of each."""


class Trials:
    """Knows the trial fits of earlier builds by their keys."""

    def __init__(self, folder: Path, tree: Tree, encoder: Encoder, memo: HashMemo, cache: Cache | None) -> None:
        self._path, self._encoder, self._memo, self._cache = folder / _FILE, encoder, memo, cache
        self._materials = {material.name: material for material in tree.materials}
        self._known: dict[str, Trial] = {}
        self._used: dict[str, Trial] = {}
        with suppress(OSError, ValueError, TypeError, AttributeError):
            read = json.loads(self._path.read_bytes())
            self._known = {
                key: Trial(int(size), float(psnr), int(texels)) for key, (size, psnr, texels) in read.items()
            }

    def measure(self, try_out: TryOut, wanted: Sequence[tuple[str, Recipe]]) -> dict[tuple[str, Recipe], Trial]:
        """Return trial fits; those that are not known are done, those that fail are left out."""
        tasks: dict[tuple[str, Recipe], Task] = {}
        for name, recipe in wanted:
            found, _ = tasks_of([self._materials[name]], {name: recipe}, self._encoder, self._memo)
            if found:
                tasks[name, recipe] = found[0]
        unknown = {task.key: task for task in tasks.values() if not self._knows(task.key)}
        try_out(list(unknown.values()), self._take)
        return {key: self._used[task.key] for key, task in tasks.items() if task.key in self._used}

    def _knows(self, key: str) -> bool:
        found = self._used.get(key) or self._known.get(key)
        made = None if found is not None or self._cache is None else self._cache.load(key)
        found = found or (None if made is None else _trial_of(made))
        if found is not None:
            self._used[key] = found
        return found is not None

    def _take(self, task: Task, outcome: Outcome) -> None:
        if outcome.made is None or not is_unchanged(task, self._memo):
            return
        if self._cache is not None:
            self._cache.store(task.key, outcome.made)
        self._used[task.key] = _trial_of(outcome.made)

    def save(self) -> None:
        """Write down what was used."""
        text = json.dumps({key: astuple(trial) for key, trial in sorted(self._used.items())})
        write_bytes(self._path, text.encode())


def _trial_of(made: Made) -> Trial:
    facts = made.facts
    size, psnr, width, height = (float(str(facts[name])) for name in ("file_bytes", "psnr_db", "width", "height"))
    return Trial(int(size), psnr, int(width * height))
