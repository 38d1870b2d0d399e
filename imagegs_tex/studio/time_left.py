"""How long a run takes still: what an estimate gave it, held against how its fit goes."""

from typing import Final

from imagegs_tex.fit.loop import FitProgress
from imagegs_tex.studio.jobs import Job
from imagegs_tex.studio.plain_words import TRIAL

_FIRST_STEPS: Final = 3
_FIRST_SECONDS: Final = 1.0
"""Before so much of a fit is done, its pace says nothing."""


def seconds_left(job: Job, pace: float) -> float | None:
    """Return about how many seconds a run takes still, all its parts together; None where nobody knows.

    Args:
        job: the run
        pace: time that runs take here, over what estimates say
    """
    planned, progress = job.planned, job.progress
    if planned is None or progress is None:
        return None
    rest = pace * planned.seconds - job.seconds
    whole = _fit_seconds(progress)
    if whole is None:
        return rest if rest > 0 else None
    least = whole * (1 - progress.step / progress.steps) + pace * planned.after_fit
    if TRIAL.fullmatch(progress.phase):
        return max(rest, least)
    return min(max(rest, least), least + planned.further_fits * whole)


def _fit_seconds(progress: FitProgress) -> float | None:
    """Return the seconds of a whole fit by its steps so far; None where there are too few of them."""
    if progress.step < _FIRST_STEPS or progress.seconds < _FIRST_SECONDS:
        return None
    return progress.seconds / progress.step * progress.steps
