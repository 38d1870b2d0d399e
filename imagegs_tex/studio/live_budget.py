"""How often a fit's pictures may be drawn: as often as their share of the fit's own time allows.

The processor's time is what slows a fit. A share of the clock's time alone let pictures take 18 % of the processor's on
a machine with other work, where the fit got half of the cores.
"""

from dataclasses import dataclass
from typing import Final

PROCESSOR_SHARE: Final = 0.06
"""Of the fit's processor time that drawing may take; with what the page asks and shows it stays below a tenth."""
CLOCK_SHARE: Final = 0.25
"""Of the time by the clock: where other work or the disk holds a drawing up, the next one can wait."""
HURRIED: Final = 3
"""First frames, which come whatever they take: that is when a fit changes most, and somebody waits to see anything."""
PAUSE: Final = 0.4
"""Least seconds from one frame to the next."""


@dataclass(frozen=True, slots=True)
class TimeTaken:
    """Time since the fit began, in seconds."""

    clock: float  # by the clock
    processor: float  # of all cores together


def is_due(fit: TimeTaken, drawing: TimeTaken, frames: int, since_last: float) -> bool:
    """Whether there is time for one more frame, which takes what the mean of those before it took.

    Args:
        fit: taken by the fit, without the drawing
        drawing: taken by the frames so far
        frames: drawn so far
        since_last: seconds by the clock since the last frame began
    """
    if since_last < PAUSE and frames:
        return False
    if frames < HURRIED:
        return True
    more = (frames + 1) / frames
    return (
        drawing.processor * more <= PROCESSOR_SHARE * fit.processor and drawing.clock * more <= CLOCK_SHARE * fit.clock
    )
