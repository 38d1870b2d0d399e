"""How far a fit is, at what rates that means it moves, and when it ends before its time."""

import math
import time
from typing import Final

from torch import Tensor

from imagegs_tex.settings import FitSettings

REPORT_INTERVAL: Final = 8
"""Steps between reports from a GPU: reading the error waits for it."""
_LEAST_GAIN: Final = 0.9995
"""Factor on the squared error, 0.002 dB, that patience takes for better."""


class Patience:
    """When a fit has gained nothing for so many steps that it ends, as Image-GS ends one (Zhang et al. 2025)."""

    def __init__(self, settings: FitSettings) -> None:
        self._steps = settings.patience
        self.best, self.since = math.inf, 0

    def ends(self, step: int, error: Tensor) -> bool:
        """Whether to end after a step, of the squared error before it; asked once rates fall and no Gaussians come."""
        if self._steps == 0 or step % REPORT_INTERVAL:
            return False
        present = float(error)
        if present < self.best * _LEAST_GAIN:
            self.best, self.since = present, step
        return step - self.since >= self._steps


class Schedule:
    """How far the fit is, by steps or by the clock, and what rate that means."""

    def __init__(self, settings: FitSettings) -> None:
        self.settings = settings
        self.step = 0
        self.started = time.perf_counter()

    def go_on(self, step: int, seconds: float) -> None:
        """Begin after so many steps, which took so long."""
        self.step = step
        self.started -= seconds

    def seconds(self) -> float:
        """Return the time since the first step."""
        return time.perf_counter() - self.started

    def share(self) -> float:
        """Return the share of the fit that is done, of its steps or of its time."""
        if self.settings.time_budget is None:
            return self.step / max(1, self.settings.steps)
        return self.seconds() / self.settings.time_budget

    def steps(self) -> int:
        """Return the steps in all, an estimate under a time budget."""
        if self.settings.time_budget is None:
            return self.settings.steps
        return max(self.step, round(self.step / max(self.share(), 1e-3)))

    def solve_interval(self, share: float) -> int:
        """Steps from one solution for the features to the next."""
        settings = self.settings
        if share >= settings.decay_from:
            return settings.solve_interval
        return max(2 * settings.solve_interval, round(self.steps() * settings.decay_from / settings.early_solves))

    def rate(self, share: float) -> float:
        """Return the rates' factor."""
        start = self.settings.decay_from
        if share < start:
            return 1.0
        return float(self.settings.last_rate ** ((share - start) / (1 - start)))
