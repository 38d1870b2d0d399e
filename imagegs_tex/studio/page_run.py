"""Steps 2 and 3 of the page: how a run is started, and how it goes."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import gradio as gr

from imagegs_tex.formats.errors import ImageGSTexError, UsageError
from imagegs_tex.formats.files.safe_names import printable
from imagegs_tex.formats.material.options import SourceOptions
from imagegs_tex.studio.charts import part_name, run_curves
from imagegs_tex.studio.demand import Demand
from imagegs_tex.studio.estimate import FITS_FOR_PSNR, KNOWN_SPREAD, SPREAD, after_fit, estimate, ladder_seconds, learn
from imagegs_tex.studio.examples import EXAMPLES
from imagegs_tex.studio.jobs import Job, JobQueue, JobState, Plan
from imagegs_tex.studio.limits import LOG_LINES
from imagegs_tex.studio.live import KINDS, Frame
from imagegs_tex.studio.markup import READY, bytes_words, estimate_words, figures, notice, status, step
from imagegs_tex.studio.page_input import PRIVATE, InputPart
from imagegs_tex.studio.page_wish import WishFields, build_wish
from imagegs_tex.studio.results import Result
from imagegs_tex.studio.time_left import seconds_left
from imagegs_tex.studio.visitors import Served, Visitor, Visitors
from imagegs_tex.studio.wishes import QUALITY, Wish, command_line, look_line, settings_of, with_whole_wrap
from imagegs_tex.studio.work import Task, Work, compress_task, ladder_task, look_task

_TICK_SECONDS: Final = 0.5
_FURTHER_FITS: Final = {"gaussians": 0.0, "psnr": FITS_FOR_PSNR - 1}
"""That a search may make after its first, by goal; by the other goals it makes one of half as many steps."""
_NO_PICTURES: Final = (
    '<div class="st-faint">Pictures appear here a moment after the start. The studio paints your maps with soft '
    "spots of colour, called Gaussians, and moves, stretches and recolours them until they look like your maps.</div>"
)
_READY_MADE: Final = (
    '<div class="st-estimate">An .igs file is ready-made: there is nothing to set. It is shown below, in “4. The '
    "result”.</div>"
)
_WHY_NOT: Final = (
    '<div class="st-faint">One run at a time in this page: wait until it is done, or stop it below, to start another.'
    "</div>"
)
_STOP: Final = "Stop and keep the file"
_LEAVE: Final = "Leave the queue"
_LAST_LINE: Final = """() => {
    let times = 20; // over two seconds: a busy page takes a while until the lines stand there
    const end = setInterval(() => {
        const lines = document.querySelector('#log textarea');
        if (lines) lines.scrollTop = lines.scrollHeight;
        if (!(times -= 1)) clearInterval(end);
    }, 100);
}"""
"""What the browser does once the log is opened, which then stays at its end by itself."""
_NEWEST: Final = -1
_POINT_JS: Final = f"""() => {{
    const range = document.querySelector('#steps input[type=range]');
    document.getElementById('steps').dataset.at = range.value >= Number(range.max) ? {_NEWEST} : range.value;
}}"""
_LOOK_JS: Final = "() => Number(document.getElementById('steps').dataset.at)"
"""What the browser says of the slider of steps: where it was left, whatever an answer that was under way has made of it
since. Its right end is the newest picture, of which more may be there by now."""
SHOW_RUN: Final = """() => { import(new URL('studio-static/follow.js', document.baseURI).href)
    .then((module) => module.follow(document.getElementById('watch'))); }"""
"""What the browser does once a run is asked for: its pictures, and whatever stands in its way, are below the fold."""


@dataclass(frozen=True, slots=True)
class RunPart:
    """What later parts of the page read of this one."""

    finished: gr.State  # grows whenever there is one more result
    fields: WishFields
    start: Callable[[Visitor, Wish], list[Any]]  # begins a run
    outputs: list[Any]  # what start writes to


def build_run(visitors: Visitors, queue: JobQueue, given: InputPart) -> RunPart:
    """Build the parts."""
    asked = build_wish(visitors)
    fields, starters = asked.fields, asked.starters
    with gr.Column(elem_classes="st-card", elem_id="watch"):
        gr.HTML(step("3. Watch it appear", "you can stop at any time and keep what there is"), padding=False)
        with gr.Row(elem_classes="st-status-row"):
            state = gr.HTML(status(None, 0), elem_id="status", padding=False)
            stop = gr.Button(_STOP, interactive=False, elem_id="stop", scale=0, min_width=260)
        shown_map = gr.Dropdown(
            [], label="Map in the pictures", info="from the next picture on", visible=False, elem_id="live-map"
        )
        pictures = gr.HTML(_NO_PICTURES, elem_id="live", padding=False)
        looking_back = gr.Slider(
            0, 1, value=1, step=1, label="Look back at earlier pictures",
            info="0 is the first, the right end the newest", visible=False, elem_id="steps",
            interactive=True,  # which Gradio would only guess of a field whose value an event is given
        )  # fmt: skip
        looked_at = gr.Number(visible=False)  # what the browser says of it
        curves = gr.HTML("", elem_id="curve", padding=False)
        with gr.Accordion("Log", open=False) as told:
            log = gr.Textbox(
                "", label=f"What happened, the last {LOG_LINES} lines", lines=10, max_lines=10, autoscroll=True,
                interactive=False, buttons=["copy"], elem_id="log", elem_classes="st-scroll-down",
            )  # fmt: skip
    timer = gr.Timer(_TICK_SECONDS, active=False)
    finished = gr.State(0)
    outputs = [state, pictures, curves, log, looking_back, *starters, asked.why_not, stop, timer, finished]

    def show(visitor: Visitor) -> list[Any]:
        job, task = visitor.job, visitor.task
        frames = [] if task is None or task.live is None else task.live.frames
        is_over = job is None or job.is_over
        if task is not None:
            known = {result.number for result in visitor.results}
            fresh = [result for result in task.results if result.number not in known]
            visitor.keep(fresh)
            _learn(visitor, task, fresh)
            if fresh:
                visitor.looking = None  # an early picture beside the word that it is done would be taken for the result
        frame = _frame_of(visitor, frames)
        last = max(1, len(frames) - 1)
        at = last if frame is None or visitor.looking is None else frames.index(frame)
        said = status(None, 0) if job is None else status(job, queue.position(job), seconds_left(job, queue.pace))
        return [
            visitor.changed("status", said),
            visitor.changed("pictures", _NO_PICTURES if frame is None else _figures(visitor, frame)),
            visitor.changed("curve", "" if job is None else run_curves(job.curve, job.sizes)),
            visitor.changed("log", "" if job is None else "\n".join(job.log)),
            visitor.changed("steps", gr.update(visible=len(frames) > 1, maximum=last, value=at)),
            *pressable(visitor, is_over=is_over),
            visitor.changed("why", "" if is_over else _WHY_NOT),
            gr.update(
                value=_LEAVE if job is not None and job.state == JobState.WAITING else _STOP,
                interactive=job is not None and not is_over and not job.stop.is_set(),
            ),
            gr.update(active=not is_over),
            visitor.results[-1].number if visitor.results else 0,
        ]

    def pressable(visitor: Visitor, *, is_over: bool) -> list[dict[str, Any]]:
        return asked.pressable(is_over=is_over, is_igs=_is_igs(visitor), is_shown=_is_shown(visitor))

    def begin(visitor: Visitor, wish: Wish, work: Work) -> list[Any]:
        try:
            _submit(visitor, wish, work, queue)
        except ImageGSTexError as error:
            found = show(visitor)
            visitor.forget_shown("status")
            return [notice(str(error), "bad"), *found[1:]]
        return show(visitor)

    def start_with(values: Mapping[Any, Any], request: gr.Request) -> list[Any]:
        return start_wish(visitors.of(request.session_hash), values, compress_task)

    def start_ladder(values: Mapping[Any, Any], request: gr.Request) -> list[Any]:
        return start_wish(visitors.of(request.session_hash), values, ladder_task)

    def start_wish(visitor: Visitor, values: Mapping[Any, Any], work: Work) -> list[Any]:
        try:
            wish = fields.wish(values)
        except ImageGSTexError as error:
            visitor.forget_shown("status")
            return [notice(str(error), "bad"), *show(visitor)[1:]]
        return begin(visitor, wish, work)

    def start_defaults(request: gr.Request) -> list[Any]:
        visitor = visitors.of(request.session_hash)
        material = [gr.skip() for _ in given.outputs]
        if visitor.upload is None:
            given.example(EXAMPLES[0].key, visitor)
            visitor.live_map = _first_map(visitor)  # the page's own word of the new material comes too late for it
            material = given.shown(visitor)
        return [*fields.values(Wish()), *begin(visitor, Wish(), compress_task), *material]

    def end(request: gr.Request) -> list[Any]:
        visitor = visitors.of(request.session_hash)
        if visitor.job is not None:
            queue.leave(visitor.job)
            if not visitor.job.is_over:
                visitor.job.say("Stopping: the file is made of what there is")
        return show(visitor)

    def tick(request: gr.Request) -> list[Any]:
        return show(visitors.of(request.session_hash))

    def look_back(number: float, request: gr.Request) -> str | dict[str, Any]:
        visitor = visitors.of(request.session_hash)
        task = visitor.task
        if task is None or task.live is None or not task.live.frames:
            return {"__type__": "update"}
        frames = task.live.frames
        newest = len(frames) - 1
        index = newest if number == _NEWEST else max(0, min(newest, int(number)))
        visitor.looking = None if number == _NEWEST else frames[index].number
        return _figures(visitor, frames[index])

    def choose_map(name: str, request: gr.Request) -> None:
        visitor = visitors.of(request.session_hash)
        names = [] if visitor.reading is None else [row.name for row in visitor.reading.rows]
        visitor.live_map = names.index(name) if name in names else 0
        if visitor.task is not None and visitor.task.live is not None:
            visitor.task.live.chosen = min(visitor.live_map, len(visitor.task.live.maps) - 1)

    def typed(values: Mapping[Any, Any], request: gr.Request) -> tuple[dict[str, Any], str]:
        visitor = visitors.of(request.session_hash)
        try:
            wish = fields.wish(values)
            if visitor.upload is not None and visitor.upload.is_igs:
                return gr.update(value=look_line(visitor.upload.title), info=""), _READY_MADE
            line = command_line(_typed_source(visitor), _title(visitor), _typed_options(visitor), wish)
            return gr.update(value=line, info=_typed_note(visitor)), _estimated(visitor, wish, queue.pace)
        except ImageGSTexError as error:
            return gr.update(value=str(error), info=""), ""

    def new_material(request: gr.Request) -> list[Any]:
        visitor = visitors.of(request.session_hash)
        rows = () if visitor.reading is None else visitor.reading.rows
        visitor.live_map = _first_map(visitor)
        names = [(printable(row.name), row.name) for row in rows]
        shown = rows[visitor.live_map].name if rows else None
        is_over = visitor.job is None or visitor.job.is_over
        is_ready = visitor.upload is not None and not visitor.problem
        visitor.forget_shown("status")
        said = (READY if is_ready else status(None, 0)) if is_over else gr.skip()
        starting = [*pressable(visitor, is_over=is_over), *asked.for_material(is_igs=_is_igs(visitor))]
        return [gr.update(choices=names, value=shown, visible=len(rows) > 1), said, *starting]

    def show_igs(request: gr.Request) -> list[Any]:
        visitor = visitors.of(request.session_hash)
        upload, task = visitor.upload, visitor.task
        if upload is None or not upload.is_igs or (task is not None and task.source == upload.path):
            return [gr.skip() for _ in outputs]
        return begin(visitor, Wish(), look_task)

    told.expand(None, None, None, js=_LAST_LINE, api_visibility=PRIVATE)
    for starter in starters:
        starter.click(None, None, None, js=SHOW_RUN, api_visibility=PRIVATE)
    gr.on(
        [field.change for field in fields.all] + [given.version.change, finished.change], typed, {*fields.all},
        [asked.command, asked.estimate],
        api_visibility=PRIVATE, show_progress="hidden",
    )  # fmt: skip
    of_material = [shown_map, state, *starters, *asked.of_material]
    given.version.change(new_material, None, of_material, api_visibility=PRIVATE, show_progress="hidden").then(
        show_igs, None, outputs, api_visibility=PRIVATE, show_progress="hidden"
    )
    asked.start.click(start_with, {*fields.all}, outputs, api_visibility=PRIVATE, show_progress="hidden")
    asked.ladder.click(start_ladder, {*fields.all}, outputs, api_visibility=PRIVATE, show_progress="hidden")
    asked.defaults.click(
        start_defaults, None, [*fields.all, *outputs, *given.outputs], api_visibility=PRIVATE, show_progress="hidden"
    )
    stop.click(end, None, outputs, api_visibility=PRIVATE, show_progress="hidden")
    timer.tick(tick, None, outputs, api_visibility=PRIVATE, show_progress="hidden")
    looking_back.input(None, None, None, js=_POINT_JS, api_visibility=PRIVATE)
    looking_back.input(
        look_back, looked_at, pictures, js=_LOOK_JS, api_visibility=PRIVATE, show_progress="hidden",
        trigger_mode="always_last",
    )  # fmt: skip
    shown_map.input(
        choose_map, shown_map, None, api_visibility=PRIVATE, show_progress="hidden", trigger_mode="always_last"
    )
    return RunPart(finished, fields, lambda visitor, wish: begin(visitor, wish, compress_task), outputs)


def _is_igs(visitor: Visitor) -> bool:
    return visitor.upload is not None and visitor.upload.is_igs


def _is_shown(visitor: Visitor) -> bool:
    """Whether the material is a file that is ready-made and shown, or about to be."""
    upload, job, task = visitor.upload, visitor.job, visitor.task
    if upload is None or not upload.is_igs or job is None or task is None or task.source != upload.path:
        return False
    return bool(task.results) or not job.is_over


def _first_map(visitor: Visitor) -> int:
    """Return the map that live pictures begin with: the first one of colours."""
    rows = () if visitor.reading is None else visitor.reading.rows
    return next((index for index, row in enumerate(rows) if row.is_srgb is not None), 0)


def _submit(visitor: Visitor, wish: Wish, work: Work, queue: JobQueue) -> None:
    if visitor.job is not None and not visitor.job.is_over:
        raise UsageError("your run is still under way; stop it first")
    upload, reading = visitor.upload, visitor.reading
    if upload is None:
        raise UsageError("there is no material yet: drop one above, or try an example")
    if visitor.problem or (reading is None and not upload.is_igs):
        raise UsageError(visitor.problem or "the material cannot be used; send it again")
    task = Task(
        title=_title(visitor), source=upload.path if reading is None else reading.source, options=visitor.options,
        wish=wish, home=visitor.folder, first_number=visitor.next_number,
        typed_source=_typed_source(visitor) or Path("INPUT"),
        manifest=reading.source if reading is not None and reading.is_corrected else None, chosen=visitor.live_map,
        source_bytes=0 if reading is None else reading.source_bytes,
        green_up=None if reading is None else reading.green_up, demand=None if reading is None else reading.demand,
    )  # fmt: skip
    chosen = look_task if upload.is_igs else work
    job = Job(task.title, lambda own: chosen(task, own), home=visitor.folder)
    if reading is not None:
        _expect(task, job, reading.demand, visitor.learnt or 1.0, is_ladder=work is ladder_task)
    queue.submit(job)
    visitor.job, visitor.task, visitor.looking = job, task, None
    visitor.next_number += 10
    visitor.forget("live-")


def _expect(task: Task, job: Job, demand: Demand, learnt: float, *, is_ladder: bool) -> None:
    """Note what a run was estimated to take, so that the next estimate is nearer."""
    if is_ladder:
        job.planned = Plan(ladder_seconds(demand), after_fit(demand), math.inf)
        return
    found = estimate(demand, task.wish.goal, task.wish.amount, settings_of(task.wish), learnt)
    job.planned = Plan(found.seconds, found.after_fit, _FURTHER_FITS.get(task.wish.goal, 0.5))
    if task.wish.goal == QUALITY:
        task.expected_gaussians = found.gaussians / learnt


def _learn(visitor: Visitor, task: Task, fresh: Sequence[Result]) -> None:
    """Hold a material's next estimates against what its file has come to."""
    demand = None if visitor.reading is None else visitor.reading.demand
    if not fresh or demand is None or task.demand is not demand or not task.expected_gaussians:
        return
    report = fresh[-1].report
    if report is not None and not report.stopped:
        visitor.learnt = learn(demand, task.expected_gaussians, report.file_bytes)


def _estimated(visitor: Visitor, wish: Wish, pace: float) -> str:
    """Return about how large and how long a run becomes; "" without a material that can be compressed."""
    reading = visitor.reading
    if reading is None:
        return ""
    found = estimate(reading.demand, wish.goal, wish.amount, settings_of(wish), visitor.learnt or 1.0)
    spread = SPREAD if visitor.learnt is None else KNOWN_SPREAD
    ladder = pace * ladder_seconds(reading.demand)
    return estimate_words(wish.goal, found, spread, pace * found.seconds, ladder, reading.source_bytes)


def _title(visitor: Visitor) -> str:
    if visitor.reading is not None and len(visitor.reading.materials) > 1:
        return visitor.reading.chosen
    return "material" if visitor.upload is None else visitor.upload.title


def _typed_source(visitor: Visitor) -> Path | None:
    """Return what a command line calls the source: its name, as its place here is nobody's business."""
    if visitor.upload is None:
        return None
    if visitor.reading is not None and visitor.reading.is_corrected:
        return Path(visitor.reading.source.name)
    return visitor.upload.path if visitor.upload.is_given else Path(visitor.upload.title)


def _typed_options(visitor: Visitor) -> SourceOptions:
    if visitor.reading is None:
        return visitor.options
    x, y = (word == "repeat" for word in visitor.reading.wrap)
    return with_whole_wrap(visitor.options, (x, y))


def _typed_note(visitor: Visitor) -> str:
    """Return what a command line needs that the visitor has not; "" for nothing."""
    if visitor.reading is None or not visitor.reading.is_corrected:
        return ""
    return (
        f"{visitor.reading.source.name} says how the maps are read here; the .zip of the result holds it. Put it "
        "beside your maps."
    )


def _frame_of(visitor: Visitor, frames: list[Frame]) -> Frame | None:
    if not frames:
        return None
    if visitor.looking is None:
        return frames[-1]
    return min(frames, key=lambda frame: abs(frame.number - (visitor.looking or 0)))


def _figures(visitor: Visitor, frame: Frame) -> str:
    size = "" if frame.file_bytes is None else f", about {bytes_words(frame.file_bytes)} as a file"
    notes = {
        "decode": f"{printable(frame.map_name)}; {frame.psnr_db:.1f} dB{size}",
        "error": f"black: none, yellow: {frame.error_words} and more",
        "ellipses": f"out of {frame.gaussians:,}",
        "numbers": "where each is the strongest",
    }
    before = frame if visitor.shown_frame is None else visitor.shown_frame
    visitor.shown_frame = frame
    entries = [
        (title, notes[kind], _address(visitor, frame, kind), _address(visitor, before, kind))
        for kind, title in KINDS.items()
    ]
    where = f"These pictures are of step {frame.step} of {frame.steps} ({part_name(frame.phase)})."
    if visitor.looking is not None:
        where = f"You look back. {where} The right end of the slider below has the newest again."
    if visitor.job is not None and visitor.job.state == JobState.DONE:
        where += (
            " The file, in “4. The result”, is rounded to be small and its grain is drawn anew, so that it differs."
        )
    return f'<div class="st-faint st-at" data-step="{frame.number}">{where}</div>{figures(entries)}'


def _address(visitor: Visitor, frame: Frame, kind: str) -> str:
    return visitor.address(f"live-{frame.number}-{kind}.webp", Served(frame.pictures[kind], "image/webp"))
