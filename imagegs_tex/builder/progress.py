"""What a build says while it runs."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum


class Step(StrEnum):
    """What has just happened."""

    PLANNED = "planned"  # it is known what there is to do
    STARTED = "started"  # on a material
    MADE = "made"
    HIT = "hit"  # it was in the cache, or under another name in the output
    KEPT = "kept"  # it was there already
    FAILED = "failed"
    REMOVED = "removed"  # outputs of a source that is gone


@dataclass(frozen=True, slots=True)
class Counts:
    """How far a build is; numbers of materials."""

    total: int = 0
    made: int = 0
    hit: int = 0
    kept: int = 0
    failed: int = 0
    running: int = 0
    source_bytes: int = 0  # of those that are done
    file_bytes: int = 0  # of their .igs files
    bytes_to_make: int = 0  # of sources, at the beginning
    bytes_made: int = 0  # of them done, failed ones too

    @property
    def done(self) -> int:
        """All but those that are to do."""
        return self.made + self.hit + self.kept + self.failed


@dataclass(frozen=True, slots=True)
class BuildEvent:
    """One step of a build."""

    step: Step
    counts: Counts  # after it
    name: str = ""  # of the material
    seconds: float = 0.0  # that it took
    bytes: int = 0  # of its .igs file
    problem: str = ""  # why it failed, one line


Listener = Callable[[BuildEvent], None]


class Tally:
    """Counts, and tells a listener of every change."""

    def __init__(self, listener: Listener | None) -> None:
        self.counts = Counts()
        self._listener = listener

    def plan(self, total: int, bytes_to_make: int) -> None:
        """Say how much there is."""
        self._tell(BuildEvent(Step.PLANNED, replace(self.counts, total=total, bytes_to_make=bytes_to_make)))

    def start(self, name: str) -> None:
        """Say that a material is begun."""
        self._tell(BuildEvent(Step.STARTED, replace(self.counts, running=self.counts.running + 1), name))

    def stop(self) -> None:
        """Note that one that was begun is not running any more."""
        self.counts = replace(self.counts, running=self.counts.running - 1)

    def end(self, step: Step, name: str, source_bytes: int, file_bytes: int, seconds: float = 0.0) -> None:
        """Say that a material is there: made, hit or kept."""
        old = self.counts
        made = source_bytes if step == Step.MADE else 0
        new = replace(
            old, source_bytes=old.source_bytes + source_bytes, file_bytes=old.file_bytes + file_bytes,
            bytes_made=old.bytes_made + made, made=old.made + (step == Step.MADE), hit=old.hit + (step == Step.HIT),
            kept=old.kept + (step == Step.KEPT),
        )  # fmt: skip
        self._tell(BuildEvent(step, new, name, seconds, file_bytes))

    def fail(self, name: str, problem: str, source_bytes: int = 0) -> None:
        """Say that a material cannot be made."""
        old = self.counts
        counts = replace(old, failed=old.failed + 1, bytes_made=old.bytes_made + source_bytes)
        self._tell(BuildEvent(Step.FAILED, counts, name, problem=problem))

    def remove(self, name: str) -> None:
        """Say that a material's outputs are removed."""
        self._tell(BuildEvent(Step.REMOVED, self.counts, name))

    def _tell(self, event: BuildEvent) -> None:
        self.counts = event.counts
        if self._listener is not None:
            self._listener(event)
