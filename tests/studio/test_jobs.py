"""Runs one after the other, with places in the queue, an end, and a log that does not grow."""

import itertools
import threading

import pytest

from imagegs_tex.fit.loop import FitProgress
from imagegs_tex.formats.errors import InputError, UsageError
from imagegs_tex.studio.jobs import Job, JobQueue, JobState, progress_line, run, without_closest
from imagegs_tex.studio.limits import LOG_LINES, MAX_WAITING


@pytest.fixture
def queue():
    made = JobQueue()
    yield made
    made.close()


def held():
    """A run that goes on until it is let go, and says when it has begun."""
    begun, release = threading.Event(), threading.Event()

    def work(job):
        begun.set()
        while not release.wait(0.01):
            job.on_progress(FitProgress("fitting", 1, 2, 30.0, 5))

    return Job("held", work), begun, release


def wait_over(job):
    for _ in range(500):
        if job.is_over:
            return
        threading.Event().wait(0.01)
    raise AssertionError(job.state)


def test_ten_wait_in_order_and_the_next_is_refused(queue):
    first, begun, release = held()
    order = []
    queue.submit(first)
    assert begun.wait(5)
    waiting = [Job(str(index), lambda job: order.append(job.title)) for index in range(MAX_WAITING)]
    for job in waiting:
        queue.submit(job)
    assert [queue.position(job) for job in (first, *waiting)] == list(range(MAX_WAITING + 1))
    with pytest.raises(UsageError, match="10 runs are waiting"):
        queue.submit(Job("more", lambda job: None))
    waiting[0].abandoned.set()
    assert queue.position(waiting[1]) == 1
    queue.submit(Job("more", lambda job: order.append("more")))
    release.set()
    wait_over(waiting[-1])
    assert first.state == JobState.DONE
    assert waiting[0].state == JobState.ABANDONED
    assert order[:MAX_WAITING] == [str(index) for index in range(1, MAX_WAITING)] + ["more"] or "more" not in order


def test_who_leaves_the_queue_is_out_of_it_at_once(queue):
    first, begun, release = held()
    second, third = Job("second", lambda _: None), Job("third", lambda _: None)
    for job in (first, second, third):
        queue.submit(job)
    assert begun.wait(10)
    queue.leave(second)
    assert (second.state, queue.position(third)) == (JobState.ABANDONED, 1)
    queue.leave(first)
    assert (first.state, first.stop.is_set()) == (JobState.RUNNING, True)
    release.set()
    wait_over(third)
    assert third.state == JobState.DONE


def test_a_run_that_nobody_waits_for_ends_and_the_next_begins(queue):
    job, begun, _ = held()
    queue.submit(job)
    assert begun.wait(5)
    job.abandoned.set()
    wait_over(job)
    assert job.state == JobState.ABANDONED
    after = Job("after", lambda own: None)
    queue.submit(after)
    wait_over(after)
    assert after.state == JobState.DONE


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (InputError("a.png is damaged"), "a.png is damaged"),
        (MemoryError(), "out of memory"),
        (KeyError("secret"), "internal error: KeyError"),
    ],
)
def test_what_goes_wrong_is_one_line_and_the_studio_lives(queue, error, words):
    def work(job):
        raise error

    job = Job("bad", work)
    queue.submit(job)
    wait_over(job)
    assert job.state == JobState.FAILED
    assert words in job.error
    assert "secret" not in job.error
    assert words in job.log[-1]


def test_the_log_and_the_curve_stay_small():
    def work(job):
        for step in range(5000):
            job.on_progress(FitProgress("fitting", step, 5000, 20 + step / 1000, 7))
            job.say(f"line {step}")

    job = Job("long", work)
    run(job)
    assert len(job.log) == LOG_LINES
    assert job.log[-1].endswith("line 4999")
    assert len(job.curve) <= 400
    assert job.curve[0].psnr_db == 20
    assert job.curve[-1].psnr_db == 20 + 4999 / 1000


def test_what_is_too_much_is_thinned_evenly():
    kept = []
    for place in range(3000):
        kept.append(place)
        kept = without_closest(kept, float) if len(kept) > 40 else kept
    gaps = [after - before for before, after in itertools.pairwise(kept)]
    assert (kept[0], kept[-1], len(kept)) == (0, 2999, 40)
    assert max(gaps) <= 4 * 3000 / 40  # of every second one that goes, the first gap grows beyond 1000


@pytest.mark.parametrize(
    ("progress", "line"),
    [
        (FitProgress("reading"), "Reading the maps"),
        (
            FitProgress("pilot 1 of 2", 20, 60, 24.314, 1500),
            "Trial 1 of 2, to find out how many Gaussians it takes: step 20 of 60, 24.31 dB, 1,500 Gaussians",
        ),
        (FitProgress("refining", 0, 6), "Making the file smaller"),
        (FitProgress("refining", 3, 6), "Making the file smaller: step 3 of 6"),
    ],
)
def test_the_log_is_for_somebody_who_knows_no_fits(progress, line):
    assert progress_line(progress) == line
