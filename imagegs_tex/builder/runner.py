"""Whoever does the work: the one interface that processes here and a farm's workers have."""

from collections.abc import Sequence
from typing import Protocol

from imagegs_tex.builder.jobs import Job, Outcome
from imagegs_tex.builder.keys import Encoder


class Runner(Protocol):
    """Takes jobs, and gives their outcomes in whatever order they are done."""

    def encoder(self, backend: str) -> Encoder:
        """Return what the workers make outputs with; MissingToolError when they cannot."""

    def expect_work(self) -> None:
        """Begin what must be done before the first job, since there will be one."""

    def room(self) -> int:
        """Return how many more jobs it wants now."""

    def submit(self, jobs: Sequence[tuple[int, Job]]) -> None:
        """Take jobs, as many as there is room for or all that there are; the numbers are for their outcomes."""

    def wait(self, seconds: float) -> list[tuple[int, Outcome]]:
        """Return what has been done since, after so long at most; what cannot be done is an outcome, too."""

    def close(self) -> None:
        """Drop what is not done, and let the workers go."""
