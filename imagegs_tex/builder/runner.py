"""Whoever does the work: the one interface that processes here and a farm's workers have."""

from typing import Protocol

from imagegs_tex.builder.jobs import Job, Outcome
from imagegs_tex.builder.keys import Encoder


class Runner(Protocol):
    """Takes jobs, and gives their outcomes in whatever order they are done."""

    def encoder(self, backend: str) -> Encoder:
        """Return what the workers make outputs with; MissingToolError when they cannot."""

    def room(self) -> int:
        """Return how many more jobs it wants now."""

    def submit(self, number: int, job: Job) -> None:
        """Take a job; the number is for its outcome."""

    def wait(self, seconds: float) -> list[tuple[int, Outcome]]:
        """Return what has been done since, after so long at most; what cannot be done is an outcome, too."""

    def close(self) -> None:
        """Drop what is not done, and let the workers go."""
