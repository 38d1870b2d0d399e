"""The time that a run takes still is of all its parts: an estimate's, held against the pace of its fit."""

import time

import pytest

from imagegs_tex.fit.loop import FitProgress
from imagegs_tex.studio.jobs import Job, Plan
from imagegs_tex.studio.time_left import seconds_left


def running(progress, so_far, planned):
    job = Job("x", lambda own: None, planned=planned, progress=progress)
    job.began = time.monotonic() - so_far
    return job


PLAN = Plan(seconds=100.0, after_fit=10.0, further_fits=0.5)


@pytest.mark.parametrize(
    ("progress", "so_far", "pace", "left"),
    [
        (FitProgress("reading"), 5, 1.0, 95),
        (FitProgress("reading"), 5, 2.0, 195),
        (FitProgress("reading"), 120, 1.0, None),  # it takes longer than was said, and nobody knows how long
        (FitProgress("pilot 1 of 2", 10, 40, seconds=2.0), 10, 1.0, 90),  # the pilot itself takes 6 more
        (FitProgress("fitting", 2, 40, seconds=2.0), 10, 1.0, 90),  # too early for a pace of its own
        (FitProgress("fitting", 10, 40, seconds=10.0), 20, 1.0, 60),  # 30 of this fit, 10 after it, 20 of a further one
        (FitProgress("fitting", 10, 40, seconds=10.0), 55, 1.0, 45),
        (FitProgress("rounding", 30, 40, seconds=60.0), 99, 1.0, 30),  # slower than was said
        (FitProgress("refining", 1, 2), 90, 1.0, 10),
    ],
)
def test_time_left_is_of_the_whole(progress, so_far, pace, left):
    found = seconds_left(running(progress, so_far, PLAN), pace)
    assert found == (None if left is None else pytest.approx(left, abs=0.2))


def test_nothing_is_said_without_an_estimate():
    assert seconds_left(running(FitProgress("fitting", 10, 40, seconds=10.0), 20, None), 1.0) is None
    assert seconds_left(running(None, 0, PLAN), 1.0) is None
