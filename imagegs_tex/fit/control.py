"""Looking at a fit while it runs, and ending it early: what a caller hands in, and what it is shown.

Nothing here changes what is fitted: with snapshots the file has the same bytes as without.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.fit.checkpoint import CheckpointFolder, Checkpointing, SavedStep
from imagegs_tex.formats.material.stack import TextureStack
from imagegs_tex.formats.vocabulary import TextureMap

if TYPE_CHECKING:  # reports know StopPoint, and reports are read without torch
    import torch

    from imagegs_tex.fit.gaussian_set import Fit, GaussianSet
    from imagegs_tex.quantize.channel_basis import Components
    from imagegs_tex.quantize.geometry import GeometryQuantizer


class StopFlag(Protocol):
    """What says that a run is to end, such as a ``threading.Event``."""

    def is_set(self) -> bool:
        """Whether to end."""
        ...


@dataclass(frozen=True, slots=True)
class FitSnapshot:
    """A fit after one of its steps; arrays are copies in the CPU's memory.

    :func:`imagegs_tex.render_snapshot` makes the maps of it that a file with these Gaussians would decode to.
    """

    fit: int  # which of the run: a search makes several, pilots first; counted from 0
    phase: str  # fitting, rounding (fitting what a file can hold) or pilot 1 of 2, as progress names it
    step: int  # done, of this fit
    steps: int  # in all, an estimate under a time budget
    psnr_db: float  # before this step, over all coded channels by their weights; no clamping, no rounding to samples
    count: int  # N
    numbers: NDArray[np.int64]  # [N] ascending: a Gaussian keeps its own within a fit, new ones get new ones
    means: NDArray[np.float32]  # [N, 2] x, y in texels; in the phase rounding as a file can hold them
    log_covariances: NDArray[np.float32]  # [N, 3] m, h, b of the symmetric log-covariance, in log texels^2; likewise
    features: NDArray[np.float32]  # [N, K] coefficients of the basis
    cutoff: float  # q at which a support ends
    width: int  # texels
    height: int
    wrap: tuple[bool, bool]  # whether the picture repeats in x and in y
    maps: tuple[TextureMap, ...]  # of the material
    basis: NDArray[np.float32]  # [K, C] what each feature adds to the coded channels
    offset: NDArray[np.float32]  # [C] what all of them are added to


@dataclass(frozen=True, slots=True)
class FitControl:
    """How a caller looks at a run and ends it."""

    every: int  # steps from one snapshot of a fit to the next, at least 1
    on_snapshot: Callable[[FitSnapshot], None] | None = None  # what it raises ends the compression, without a file
    stop: StopFlag | None = None  # asked after every step; once set, the file is made of what there is
    checkpoints: Checkpointing | None = None  # where the run is saved on its way, to go on after it was killed

    def __post_init__(self) -> None:
        """Refuse an interval that is none."""
        if self.every < 1:
            raise ValueError(f"snapshots every {self.every} steps; every must be 1 or more")

    def of_material(self, stem: str) -> "FitControl":
        """Return the same for one of several materials, whose checkpoints have a folder each until all are made."""
        if self.checkpoints is None:
            return self
        return replace(self, checkpoints=self.checkpoints.of_material(stem))

    @property
    def is_stopped(self) -> bool:
        """Whether the run is to end."""
        return self.stop is not None and self.stop.is_set()


@dataclass(frozen=True, slots=True)
class StopPoint:
    """Where a run was ended early."""

    phase: str  # as progress names it
    step: int  # of the phase, done
    steps: int  # of the phase, in all; 0: it has none


class Watch:
    """One run of one material under a control: which fit it is at, and where a stop came."""

    def __init__(self, control: FitControl, stack: TextureStack, identity: Callable[[], Mapping[str, str]]) -> None:
        """Open the run's checkpoints.

        Args:
            control: how a caller looks at it
            stack: that is fitted
            identity: of the run, for its checkpoints; computed where there are any

        Raises:
            InputError: the checkpoints are not this run's
        """
        self.control = control
        checkpoints = control.checkpoints
        self._checkpoints = None if checkpoints is None else CheckpointFolder(checkpoints, identity())
        self.stopped_at: StopPoint | None = None
        self._stack = stack
        self._fit, self._pilot = -1, ""
        self._components: Components | None = None

    def begin(self, components: "Components", pilot: str = "") -> None:
        """Go on to the next fit, of these components; a pilot has its own name for all phases."""
        self._components, self._pilot = components, pilot
        self._fit += 1

    def stops(self, phase: str, step: int = 0, steps: int = 0) -> bool:
        """Whether to end here; the first place at which that is so is kept."""
        if self.stopped_at is None and self.control.is_stopped:
            self.stopped_at = StopPoint(self._pilot or phase, step, steps)
        return self.stopped_at is not None

    def finished_fit(self, device: "torch.device") -> "Fit | None":
        """Return the present fit where an earlier run has finished it."""
        return None if self._checkpoints is None else self._checkpoints.read_fit(self._fit, device)

    def saved_step(self) -> SavedStep | None:
        """Return where an earlier run was in the present fit."""
        return None if self._checkpoints is None else self._checkpoints.read_step(self._fit)

    def saves(self, step: int) -> bool:
        """Whether a fit is to be saved after so many steps."""
        return self._checkpoints is not None and step > 0 and step % self._checkpoints.every == 0

    def save_step(self, saved: SavedStep) -> None:
        """Keep the present fit as it is."""
        if self._checkpoints is not None:
            self._checkpoints.write_step(self._fit, saved)

    def save_fit(self, fitted: "Fit") -> None:
        """Keep the present fit as finished, unless a stop has cut it short."""
        if self._checkpoints is not None and self.stopped_at is None:
            self._checkpoints.write_fit(self._fit, fitted)

    def complete(self) -> None:
        """Let go of the checkpoints of a run whose file is written; one that was stopped can go on."""
        if self._checkpoints is not None and self.stopped_at is None:
            self._checkpoints.complete()

    def wants(self, step: int) -> bool:
        """Whether a snapshot is wanted after so many steps of a fit."""
        return self.control.on_snapshot is not None and step % self.control.every == 0

    def show(
        self,
        gaussians: "GaussianSet",
        rounding: "GeometryQuantizer | None",
        *,
        numbers: "torch.Tensor",
        cutoff: float,
        phase: str,
        step: int,
        steps: int,
        psnr_db: float,
    ) -> None:
        """Hand out a snapshot of a fit, its geometry rounded where the fit rounds it."""
        assert self._components is not None
        assert self.control.on_snapshot is not None
        means, shapes = gaussians.means, gaussians.log_covariances
        if rounding is not None:
            means, shapes = rounding.nearest(means, shapes)
        arrays = [values.detach().float().cpu().numpy().copy() for values in (means, shapes, gaussians.features)]
        snapshot = FitSnapshot(
            fit=self._fit, phase=self._pilot or phase, step=step, steps=steps, psnr_db=psnr_db, count=gaussians.count,
            numbers=numbers.cpu().numpy().copy(),
            means=arrays[0], log_covariances=arrays[1], features=arrays[2], cutoff=cutoff,
            width=self._stack.width, height=self._stack.height, wrap=self._stack.wrap, maps=self._stack.maps,
            basis=self._components.basis, offset=self._components.offset,
        )  # fmt: skip
        self.control.on_snapshot(snapshot)
