"""What a run does: compress a material and draw what came of it, look at a file, or climb the rate ladder."""

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Final

from imagegs_tex import background_compilation
from imagegs_tex.api import compress_stack
from imagegs_tex.fit.control import FitControl
from imagegs_tex.fit.loop import FitProgress
from imagegs_tex.formats.errors import TargetError
from imagegs_tex.formats.files.atomic_write import write_bytes
from imagegs_tex.formats.material.build_stack import load_stack
from imagegs_tex.formats.material.options import SourceOptions
from imagegs_tex.formats.material.stack import TextureStack
from imagegs_tex.rasterize.backend import Backend
from imagegs_tex.rasterize.select_backend import make_backend
from imagegs_tex.reports import CompressReport, as_json
from imagegs_tex.saliency.importance import with_saliency
from imagegs_tex.settings import DEFAULT_TEXELS_PER_GAUSSIAN, CompressSettings, Preset
from imagegs_tex.studio.corrections import MANIFEST, beside_maps
from imagegs_tex.studio.demand import Demand
from imagegs_tex.studio.jobs import Abandoned, Job
from imagegs_tex.studio.live import LivePictures
from imagegs_tex.studio.markup import in_words_of_the_page
from imagegs_tex.studio.placement import PlacementPicture, placement_pictures
from imagegs_tex.studio.plain_words import phase_words
from imagegs_tex.studio.results import Result, ResultNames, ResultSource, make_result
from imagegs_tex.studio.wishes import LADDER_SHARES, Wish, command_line, file_name, settings_of, with_whole_wrap

REPORT: Final = "report.json"


@dataclass
class Task:
    """One visitor's run: what it is to do, and what it has to show so far."""

    title: str
    source: Path
    options: SourceOptions
    wish: Wish
    home: Path  # the visitor's folder; each result gets one of its own below it
    first_number: int  # of the results to come
    typed_source: Path  # what the source is called in a command line
    manifest: Path | None = None  # which says how the visitor corrected the maps; the command line names it
    chosen: int = 0  # which map the live pictures show
    live: LivePictures | None = None
    results: list[Result] = field(default_factory=list)
    source_bytes: int = 0
    green_up: bool | None = None  # of its normals; None: what the names of its maps say
    demand: Demand | None = None  # of the material; None: a file that was brought
    expected_gaussians: float | None = None  # that the first file was estimated to have; None: no estimate
    placement: list[PlacementPicture] = field(default_factory=list)  # the same for all its results


def compress_task(task: Task, job: Job) -> None:
    """Compress a material as asked, and draw the result."""
    with _Tidy(task, job):
        stack, backend = _begin(task, job)
        _one(task, job, stack, backend, settings_of(task.wish), task.wish)


def ladder_task(task: Task, job: Job) -> None:
    """Compress a material at several sizes with the fast preset."""
    with _Tidy(task, job):
        stack, backend = _begin(task, job)
        usual = stack.width * stack.height / DEFAULT_TEXELS_PER_GAUSSIAN
        for number, share in enumerate(LADDER_SHARES):
            if job.stop.is_set():
                return
            count = max(1, round(usual * share))
            job.part = f"Size {number + 1} of {len(LADDER_SHARES)}"
            job.say(f"{job.part}: {count:,} Gaussians")
            wish = replace(task.wish, goal="gaussians", amount=float(count), preset=Preset.FAST)
            _one(task, job, stack, backend, settings_of(wish), wish)


def look_task(task: Task, job: Job) -> None:
    """Draw what a file holds that a visitor brought."""
    with _Tidy(task, job):
        backend = _shared_backend(task.wish.backend)
        job.on_progress(FitProgress("pictures"))
        names = ResultNames(task.first_number, task.title, "a file that was brought", "")
        folder = _folder(task, 0)
        file = folder / file_name(task.title)
        shutil.copyfile(task.source, file)  # a result lies in its own folder, which is removed and packed with it
        task.results.append(make_result(names, file, folder / "pictures", backend))


@cache
def _shared_backend(name: str, threads: int | None = None) -> Backend:
    """Return the backend that all runs have: each with threads of its own left 25 MB behind every third run."""
    return make_backend(name, threads)


class _Tidy:
    """Ends what a run began, and removes what it made for a visitor who is gone."""

    def __init__(self, task: Task, job: Job) -> None:
        self.task, self.job = task, job

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        if self.task.live is not None:
            self.task.live.close()
        if self.job.abandoned.is_set():
            shutil.rmtree(self.task.home, ignore_errors=True)


def _begin(task: Task, job: Job) -> tuple[TextureStack, Backend]:
    background_compilation.start()
    job.on_progress(FitProgress("reading"))
    backend = _shared_backend(task.wish.backend)
    stack = load_stack(task.source, task.options)
    for remark in stack.remarks:
        job.say(remark)
    task.live = LivePictures(stack, _shared_backend("cpu", 1), settings_of(task.wish).precision, job.add_size)
    task.live.chosen = min(task.chosen, len(stack.maps) - 1)
    return stack, backend


def _one(task: Task, job: Job, stack: TextureStack, backend: Backend, settings: CompressSettings, wish: Wish) -> None:
    assert task.live is not None
    number = task.first_number + len(task.results)
    folder = _folder(task, len(task.results))
    file = folder / file_name(task.title)
    control = FitControl(wish.every, task.live.offer, job.stop)
    started = time.perf_counter()
    try:
        report = compress_stack(
            stack, file, settings, backend, job.on_progress, started, options=task.options, keep_best=True,
            control=control,
        )  # fmt: skip
    except TargetError as error:
        report = error.report
        job.say(str(error))
    task.live.draw_last()
    job.add_size("coding", report.file_bytes, is_file=True)
    for line in _report_lines(report):
        job.say(line)
    job.on_progress(FitProgress("pictures"))
    write_bytes(folder / REPORT, as_json(report).encode())
    if task.manifest is not None:
        write_bytes(folder / MANIFEST, beside_maps(task.manifest))
    command = command_line(task.typed_source, task.title, with_whole_wrap(task.options, stack.wrap), wish)
    task.placement = task.placement or placement_pictures(with_saliency(stack, task.options, False, backend.device))
    names = ResultNames(number, task.title, wish.words, command)
    source = ResultSource(stack, report, task.source_bytes, task.green_up, task.placement)
    result = make_result(names, file, folder / "pictures", backend, source)
    if job.abandoned.is_set():
        raise Abandoned
    task.results.append(result)


def _report_lines(report: CompressReport) -> list[str]:
    lines = [
        f"{report.file_bytes:,} bytes, {report.bits_per_texel:.3f} bits per texel, {report.psnr_db:.2f} dB, "
        f"{report.gaussians:,} Gaussians"
    ]
    if report.stopped and report.stopped_at is not None:
        at = report.stopped_at
        where = f"{phase_words(at.phase)}, step {at.step} of {at.steps}"
        lines.append(f"You stopped it ({where}): the file is made of what there was")
    lines += filter(None, [report.unreached])
    return [*lines, *map(in_words_of_the_page, report.warnings)]


def _folder(task: Task, index: int) -> Path:
    folder = task.home / f"result_{task.first_number + index}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


Work = Callable[[Task, Job], None]
