"""One build: find out what is to be done, have it done, write it down."""

import hashlib
import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Final

from imagegs_tex.builder.budget import share_budget
from imagegs_tex.builder.cache import Cache, Made
from imagegs_tex.builder.discover import check_root, discover
from imagegs_tex.builder.hash_memo import HashMemo
from imagegs_tex.builder.jobs import IGS_FILE, Job, Outcome, ProductJob
from imagegs_tex.builder.keys import Encoder, product_key
from imagegs_tex.builder.lock import locked
from imagegs_tex.builder.plan import Outputs, Task, compress_job, is_unchanged, largest_first, tasks_of, warmed
from imagegs_tex.builder.products import THUMBNAIL, output_path
from imagegs_tex.builder.progress import Listener, Step, Tally
from imagegs_tex.builder.request import BuildReport, BuildRequest
from imagegs_tex.builder.runner import Runner
from imagegs_tex.builder.settings_text import described
from imagegs_tex.builder.state import (
    STATE_FOLDER,
    Entry,
    Journal,
    LeftOut,
    read_state,
    remove_files,
    remove_leftovers,
    write_index,
)
from imagegs_tex.builder.trials import Trials
from imagegs_tex.formats.errors import InputError, UsageError
from imagegs_tex.formats.files.atomic_write import cannot_write, write_files
from imagegs_tex.formats.files.safe_names import printable

_HASHES: Final = "hashes.json"
_TICK: Final = 1.0  # seconds after which a runner is asked again, whatever it does


def run_build(request: BuildRequest, runner: Runner, listener: Listener | None = None) -> BuildReport:
    """Build a tree once.

    Args:
        request: what
        runner: who does the work
        listener: is told of every step

    Returns:
        what was done; materials that could not be made are in it, and are no error

    Raises:
        InputError: there is no tree; without ``keep_going`` also the first material that cannot be made
        OutputError: the output cannot be written, is being built by another, or holds what no build wrote
        UsageError: the output is the tree itself, or a folder of it that has sources
        MissingToolError: the backend cannot run
    """
    output = request.output.absolute()
    if output.resolve() == request.project.root.resolve():
        raise UsageError(f"{printable(request.output)} is the tree itself; give another folder with -o")
    if _holds_sources(output, request.project.root):
        raise UsageError(
            f"{printable(request.output)} is a folder of the tree, and no output of a build; give another one with -o"
        )
    if request.dry_run:
        return _Build(request, output, runner, listener).rehearse()
    check_root(request.project.root)  # before anything is written
    try:
        (output / STATE_FOLDER).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(output, error) from None
    with locked(output / STATE_FOLDER):
        return _Build(request, output, runner, listener).run()


def _holds_sources(output: Path, root: Path) -> bool:
    """Whether an output lies within the tree and has other things than a build's: they would be left out of it."""
    is_inside = output.resolve().is_relative_to(root.resolve())
    return is_inside and output.is_dir() and not (output / STATE_FOLDER).exists() and any(output.iterdir())


@dataclass(slots=True)
class _Pending:
    """A material whose .igs file is there, and whose products are not yet."""

    task: Task
    entry: Entry
    step: Step
    seconds: float
    waiting: set[str] = field(default_factory=set)


class _Build:
    def __init__(self, request: BuildRequest, output: Path, runner: Runner, listener: Listener | None) -> None:
        self._began = time.perf_counter()
        self._request, self._output, self._runner = request, output, runner
        self._tally = Tally(listener)
        self._state = read_state(output)
        self._memo = HashMemo(output / STATE_FOLDER / _HASHES)
        self._cache = None if request.cache is None else Cache(request.cache)
        self._encoder: Encoder = runner.encoder(request.backend)
        if not (request.dry_run or self._state.entries or request.cache):
            runner.expect_work()  # nothing can be there
        skipped = [output] if request.cache is None else [output, request.cache]
        project = request.project
        self._tree = discover(project.root, project.excluded, skipped)
        self._memo.hash_all(dict.fromkeys(path for material in self._tree.materials for path in material.files))
        self._tasks: list[Task] = []
        self._left_out = [LeftOut(printable(bad.source), bad.problem) for bad in self._tree.bad]
        names = [material.name for material in self._tree.materials]
        self._remarks = (*self._tree.remarks, *project.unused(names), *project.unread())
        self._common_psnr_db: float | None = None
        self._outputs = Outputs(output, self._state, self._memo)
        self._journal = Journal(output)
        self._entries: dict[str, Entry] = {}
        self._queue: deque[tuple[str, Job, Callable[[Outcome], None]]] = deque()
        self._product_jobs: dict[str, list[tuple[_Pending, str]]] = {}  # by key: who waits for it

    def rehearse(self) -> BuildReport:
        """Find out what would be done, and write nothing."""
        self._plan()
        planned = []
        for task in self._tasks:
            old = self._outputs.old(task.name)
            if old is not None and old.key == task.key and self._outputs.are_whole(old.files):
                step = Step.KEPT
            elif self._outputs.elsewhere(task.key) or (self._cache is not None and self._cache.has(task.key)):
                step = Step.HIT
            else:
                step = Step.MADE
            planned.append((task.name, step))
        return self._report(tuple(planned), self._vanished(), False)

    def run(self) -> BuildReport:
        """Do it."""
        try:
            remove_leftovers(self._output, self._state)
            self._plan()
            if not self._tasks and not self._left_out:
                where = printable(self._tree.root)
                if self._state.entries:
                    raise InputError(f"{where} has no materials any more; is it mounted? Nothing was removed")
                raise InputError(f"{where} has no materials; give a folder with images, or with folders of them")
            self._queue_compressions(self._take_what_is_there())
            self._work()
        except BaseException:
            self._runner.close()
            self._journal.close(finished=False)
            raise
        vanished = self._vanished()
        current = {path for entry in self._entries.values() for path in entry.files}
        remove_files(self._output, sorted(self._state.files - current))
        for name in vanished:
            self._tally.remove(name)
        entries = [self._entries[name] for name in sorted(self._entries)]
        self._left_out.sort(key=lambda bad: (bad.source, bad.name or ""))
        here = f"{printable(self._tree.root)}{os.sep}"  # the index is the same wherever the tree lies
        self._left_out = [replace(bad, problem=bad.problem.replace(here, "")) for bad in self._left_out]
        changed = write_index(
            self._output, printable(self._tree.root.name), self._encoder, entries, self._left_out, self._remarks
        )
        self._journal.close(finished=True)
        self._memo.save()
        if self._cache is not None:
            self._cache.note_use()
            if self._cache.unwritten:
                count = self._cache.unwritten
                results = "one result" if count == 1 else f"{count} results"
                self._remarks += (_UNWRITTEN.format(results, printable(self._cache.folder)),)
        return self._report((), vanished, changed)

    def _report(self, planned: tuple[tuple[str, Step], ...], removed: tuple[str, ...], changed: bool) -> BuildReport:
        entries = tuple(self._entries[name] for name in sorted(self._entries))
        return BuildReport(
            self._tally.counts, tuple(self._left_out), removed, planned, self._remarks, changed, self._tree,
            time.perf_counter() - self._began, entries, self._common_psnr_db,
        )  # fmt: skip

    def _plan(self) -> None:
        """Find out how each material is to be made, and its key."""
        project = self._request.project
        recipes = {material.name: project.recipe_of(material.name) for material in self._tree.materials}
        if self._request.thumbnails:
            recipes = {name: replace(own, products=(*own.products, THUMBNAIL)) for name, own in recipes.items()}
        if project.budget is not None:
            trials = Trials(self._output / STATE_FOLDER, self._tree, self._encoder, self._memo, self._cache)
            recipes, self._common_psnr_db = share_budget(
                project.budget, recipes, project.over_of, partial(trials.measure, self._try_out)
            )
            if not self._request.dry_run:
                trials.save()
        self._tasks, unreadable = tasks_of(self._tree.materials, recipes, self._encoder, self._memo)
        self._left_out += unreadable
        self._tasks = [self._warmed(task) for task in self._tasks]

    def _warmed(self, task: Task) -> Task:
        old = self._outputs.old(task.name)
        if not task.recipe.warm_start or old is None or not self._outputs.are_whole({old.file: old.sha256}):
            return task
        if self._outputs.elsewhere(task.key) or (self._cache is not None and self._cache.has(task.key)):
            return task  # as it would be made from nothing
        return warmed(task, old)

    def _try_out(self, tasks: Sequence[Task], ended: Callable[[Task, Outcome], None]) -> None:
        """Do trial fits."""
        if self._request.dry_run and tasks:
            raise UsageError(f"{len(tasks)} trial fits are to be done before the budget is shared; build it once")
        for task in largest_first(tasks):
            self._queue.append((task.name, compress_job(task, self._encoder), partial(ended, task)))
        self._work()

    def _vanished(self) -> tuple[str, ...]:
        return tuple(sorted(self._state.entries.keys() - {task.name for task in self._tasks}))

    def _take_what_is_there(self) -> list[Task]:
        """Keep or copy what is made already; return what is not."""
        ready: list[_Pending] = []
        to_make: list[Task] = []
        for task in self._tasks:
            if not self._outputs.may_write(task.file):
                self._left_out.append(_bad(task, _FOREIGN.format(printable(self._output / task.file))))
                continue
            found = self._found(task)
            if found is None:
                if not to_make:
                    self._runner.expect_work()
                to_make.append(task)
            elif missed := _missed(task, found.entry.report):
                self._left_out.append(_bad(task, missed))
            else:
                ready.append(found)
        total = len(ready) + len(to_make) + len(self._left_out)
        self._tally.plan(total, sum(task.source_bytes for task in to_make))
        for bad in [*self._left_out]:
            self._fail_source(bad)
        for pending in ready:
            self._make_products(pending)
        return to_make

    def _found(self, task: Task) -> _Pending | None:
        old = self._outputs.old(task.name)
        if old is not None and old.key == task.key and self._outputs.are_whole({old.file: old.sha256}):
            return _Pending(task, _entry(task, old.sha256, old.bytes, old.report), Step.KEPT, 0.0)
        other = self._outputs.elsewhere(task.key)
        made = None
        if other is not None:
            made = Made({IGS_FILE: (self._output / other.file).read_bytes()}, other.report)
        elif self._cache is not None:
            made = self._cache.load(task.key)
        if made is None or IGS_FILE not in made.files:
            return None
        return self._written(task, made, Step.HIT, 0.0)

    def _written(self, task: Task, made: Made, step: Step, seconds: float) -> _Pending:
        data = made.files[IGS_FILE]
        self._write({task.file: data})
        entry = _entry(task, hashlib.sha256(data).hexdigest(), len(data), made.facts)
        return _Pending(task, entry, step, seconds)

    def _write(self, files: dict[str, bytes]) -> None:
        self._state.files.update(files)
        self._journal.will_write(files)
        write_files({self._output / path: data for path, data in files.items()})

    def _queue_compressions(self, tasks: Iterable[Task]) -> None:
        by_key: dict[str, list[Task]] = {}
        for task in largest_first(tasks):
            by_key.setdefault(task.key, []).append(task)
        for same in by_key.values():
            job = compress_job(same[0], self._encoder, self._start_of(same[0]))
            self._queue.append((same[0].name, job, partial(self._compressed, same)))

    def _start_of(self, task: Task) -> bytes | None:
        old = self._outputs.old(task.name)
        return (self._output / old.file).read_bytes() if task.start and old is not None else None

    def _work(self) -> None:
        running: dict[int, tuple[str, Callable[[Outcome], None]]] = {}
        number = 0
        while self._queue or running:
            jobs: list[tuple[int, Job]] = []
            for _ in range(min(self._runner.room(), len(self._queue))):
                name, job, ended = self._queue.popleft()
                jobs.append((number, job))
                running[number] = name, ended
                number += 1
                self._tally.start(name)
            if jobs:
                self._runner.submit(jobs)
            for done, outcome in self._runner.wait(_TICK):
                _, ended = running.pop(done)
                self._tally.stop()
                ended(outcome)

    def _compressed(self, tasks: list[Task], outcome: Outcome) -> None:
        """Take the outcome of a compression that several materials of one key have waited for."""
        made = outcome.made
        if made is not None and self._cache is not None and is_unchanged(tasks[0], self._memo):
            self._cache.store(tasks[0].key, made)
        for task in tasks:
            if made is None:
                self._fail(task, outcome.problem)
            elif not is_unchanged(task, self._memo):
                self._fail(task, "its files changed while it was made; build again")
            elif missed := _missed(task, made.facts):
                self._fail(task, missed)
            else:
                self._make_products(self._written(task, made, Step.MADE, outcome.seconds))

    def _make_products(self, pending: _Pending) -> None:
        """Take what is there already of a material's products, and have the others made; the last one ends it."""
        old = self._outputs.old(pending.task.name)
        for product in pending.task.recipe.products:
            key = product_key(product, pending.entry.sha256, self._encoder)
            pending.entry.product_keys[product] = key
            if old is not None and old.product_keys.get(product) == key and product not in old.problems:
                files = old.products.get(product, {})
                if self._outputs.are_whole(files):
                    pending.entry.products[product] = files
                    continue
            made = None if self._cache is None else self._cache.load(key)
            if made is not None:
                self._take_product(pending, product, made, Step.HIT)
                continue
            pending.waiting.add(product)
            waiting = self._product_jobs.setdefault(key, [])
            waiting.append((pending, product))
            if len(waiting) == 1:
                igs = (self._output / pending.entry.file).read_bytes()
                job = ProductJob(pending.task.name, product, igs, self._encoder)
                self._queue.appendleft((pending.task.name, job, partial(self._product_made, key)))
        self._end_if_complete(pending)

    def _product_made(self, key: str, outcome: Outcome) -> None:
        if outcome.made is not None and self._cache is not None:
            self._cache.store(key, outcome.made)
        for pending, product in self._product_jobs.pop(key):
            pending.waiting.discard(product)
            pending.seconds += outcome.seconds
            if outcome.made is None:
                pending.entry.problems[product] = outcome.problem
            else:
                self._take_product(pending, product, outcome.made, Step.MADE)
            self._end_if_complete(pending)

    def _take_product(self, pending: _Pending, product: str, made: Made, step: Step) -> None:
        files = {output_path(pending.task.name, product, name): data for name, data in made.files.items()}
        foreign = next((path for path in files if not self._outputs.may_write(path)), None)
        if foreign is not None:
            pending.entry.problems[product] = _FOREIGN.format(printable(self._output / foreign))
            return
        self._write(files)
        pending.entry.products[product] = {path: hashlib.sha256(data).hexdigest() for path, data in files.items()}
        if pending.step == Step.KEPT or step == Step.MADE:
            pending.step = step

    def _end_if_complete(self, pending: _Pending) -> None:
        if pending.waiting:
            return
        entry = pending.entry
        self._entries[entry.name] = entry
        if entry != self._outputs.old(entry.name):
            self._journal.done(entry)
        if entry.problems:
            self._fail(pending.task, "; ".join(f"{product}: {why}" for product, why in sorted(entry.problems.items())))
        else:
            self._tally.end(pending.step, entry.name, pending.task.source_bytes, entry.bytes, pending.seconds)

    def _fail(self, task: Task, problem: str) -> None:
        self._left_out.append(_bad(task, problem))
        self._tally.fail(task.name, problem, task.source_bytes)
        self._check_going_on(task.name, problem)

    def _fail_source(self, bad: LeftOut) -> None:
        self._tally.fail(bad.name or bad.source, bad.problem)
        self._check_going_on(bad.name or bad.source, bad.problem)

    def _check_going_on(self, name: str, problem: str) -> None:
        if not self._request.keep_going:
            raise InputError(f"{printable(name)}: {problem}")


_UNWRITTEN: Final = "{} could not be kept in {}: is its disk full, or read-only? build-cache --gc makes it smaller"
_FOREIGN: Final = "{} is there already, and no build wrote it; remove it, or give another folder"


def _missed(task: Task, facts: Mapping[str, object]) -> str:
    """Return which target a file misses, where that makes the material fail; else nothing."""
    return "" if task.recipe.keep_best else str(facts.get("unreached") or "")


def _bad(task: Task, problem: str) -> LeftOut:
    return LeftOut(printable(task.material.source), problem, task.name)


def _entry(task: Task, sha256: str, size: int, report: dict[str, object]) -> Entry:
    inputs = [{"name": printable(path.name), "sha256": digest} for path, digest in sorted(task.hashes.items())]
    return Entry(
        task.name, printable(task.material.source), task.file, task.key, sha256, size, task.source_bytes,
        described(task.recipe), report, start=task.start, inputs=inputs,
    )  # fmt: skip
