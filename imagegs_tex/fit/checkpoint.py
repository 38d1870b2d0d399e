"""Checkpoints: what a run needs to go on after it was killed, and to end in the same bytes.

A folder holds ``run.json`` (which run), ``fit-N.npz`` for each fit of a search that is finished, and ``step-a.npz`` and
``step-b.npz``, in turns, for the fit that goes on. What lies between (pilots' sizes, sweeps, rounding) is deterministic
and done again. All are written whole or not at all, as numpy's own format without pickled objects, with a checksum.
"""

import contextlib
import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imagegs_tex._version import __version__
from imagegs_tex.fit.gaussian_set import Fit, GaussianSet
from imagegs_tex.formats.errors import InputError
from imagegs_tex.formats.files.atomic_write import write_bytes
from imagegs_tex.formats.files.safe_names import printable
from imagegs_tex.formats.material.stack import TextureStack

_LAYOUT: Final = 1
"""Of these files; rises when their meaning changes."""
_RUN: Final = "run.json"
_STEPS: Final = ("step-a.npz", "step-b.npz")
_MOST_BYTES: Final = 1 << 34
_RESTART: Final = "begin anew with --checkpoint and an empty folder"


@dataclass(frozen=True, slots=True)
class Checkpointing:
    """Where a run is saved on its way."""

    folder: Path
    every: int = 50  # steps from one checkpoint of a fit to the next, at least 1
    resume: bool = False  # whether to go on from what the folder has
    keep: bool = False  # whether the folder stays as it is once the file is written

    def __post_init__(self) -> None:
        """Refuse an interval that is none."""
        if self.every < 1:
            raise ValueError(f"checkpoints every {self.every} steps; every must be 1 or more")

    def of_material(self, stem: str) -> "Checkpointing":
        """Return the same for one of several materials, of which an earlier run may have reached some."""
        if self.resume and not self.folder.is_dir():
            raise _no_checkpoints(self.folder)
        folder = self.folder / stem
        return Checkpointing(folder, self.every, self.resume and (folder / _RUN).exists(), keep=True)


@dataclass(frozen=True, slots=True)
class SavedStep:
    """One fit between two of its steps."""

    arrays: dict[str, Tensor]  # of its state
    step: int  # done
    seconds: float  # since the first
    changes_left: int  # of the population
    cutoff: float
    border_weight: float
    best: float  # least squared error that patience knows
    since: int  # the step that had it
    generator: Mapping[str, Any]  # of numpy


class CheckpointFolder:
    """The checkpoints of one run."""

    def __init__(self, options: Checkpointing, identity: Mapping[str, str]) -> None:
        """Open a folder.

        Args:
            options: where, how often, and whether to go on
            identity: what decides the bytes, by name, as :func:`identity_of` has it

        Raises:
            InputError: there are checkpoints and none were to be used, or none, or those of another run
        """
        self._folder, self.every, self._keep = options.folder, options.every, options.keep
        self._identity = dict(identity)
        run = self._folder / _RUN
        if not options.resume:
            if run.exists():
                raise InputError(
                    f"{printable(self._folder)} has checkpoints already; go on with --resume, or give an empty folder"
                )
            write_bytes(run, json.dumps({"layout": _LAYOUT, **self._identity}, indent=2).encode())
        else:
            self._check_identity(run)
        self._turn = 0
        self._digest = hashlib.sha256(json.dumps(self._identity, sort_keys=True).encode()).hexdigest()

    def _check_identity(self, run: Path) -> None:
        try:
            found = json.loads(run.read_bytes())
        except OSError:
            raise _no_checkpoints(self._folder) from None
        except ValueError:
            raise InputError(f"{printable(run)} is damaged; {_RESTART}") from None
        if not isinstance(found, dict) or found.get("layout") != _LAYOUT:
            raise InputError(f"{printable(run)} is of another version; {_RESTART}")
        other = [name for name, value in self._identity.items() if found.get(name) != value]
        if other:
            raise InputError(
                f"{printable(self._folder)} has the checkpoints of another run (another {', another '.join(other)}); "
                f"give it what it had, or {_RESTART}"
            )

    def read_fit(self, number: int, device: torch.device) -> Fit | None:
        """Return a finished fit; None where there is none."""
        path = self._folder / f"fit-{number}.npz"
        if not path.exists():
            return None
        try:
            arrays, values = self._read(path)
            tensors = [torch.from_numpy(arrays[name]).to(device) for name in ("means", "log_covariances", "features")]
            return Fit(GaussianSet(*tensors), float(values["cutoff"]), float(values["border_weight"]))
        except (_DamagedError, KeyError, TypeError, ValueError):
            raise InputError(f"{printable(path)} is damaged; {_RESTART}") from None

    def write_fit(self, number: int, fitted: Fit) -> None:
        """Keep a finished fit."""
        gaussians = fitted.gaussians
        arrays = {
            "means": gaussians.means, "log_covariances": gaussians.log_covariances, "features": gaussians.features,
        }  # fmt: skip
        values = {"cutoff": fitted.cutoff, "border_weight": fitted.border_weight}
        self._write(self._folder / f"fit-{number}.npz", arrays, values)

    def read_step(self, number: int) -> SavedStep | None:
        """Return the last step that was saved of a fit; None where there is none.

        One of the two may be damaged where a disk was; then the other is used.
        """
        found: list[SavedStep] = []
        damaged: list[Path] = []
        for turn, name in enumerate(_STEPS):
            path = self._folder / name
            if not path.exists():
                continue
            try:
                arrays, values = self._read(path)
                if values.pop("fit") != number:
                    continue
                tensors = {key: torch.from_numpy(value) for key, value in arrays.items()}
                step = SavedStep(arrays=tensors, **values)
            except (_DamagedError, KeyError, TypeError, ValueError):
                damaged.append(path)
                continue
            if not found or step.step > found[0].step:
                found, self._turn = [step], 1 - turn
        if damaged and not found:
            raise InputError(f"{printable(damaged[0])} is damaged; {_RESTART}")
        return found[0] if found else None

    def write_step(self, number: int, saved: SavedStep) -> None:
        """Keep a step of a fit, in place of the last but one."""
        values = {entry.name: getattr(saved, entry.name) for entry in fields(saved) if entry.name != "arrays"}
        self._write(self._folder / _STEPS[self._turn], saved.arrays, {"fit": number, **values})
        self._turn = 1 - self._turn

    def complete(self) -> None:
        """Let go of the checkpoints of a run that is complete."""
        if not self._keep:
            remove_checkpoints(self._folder)

    def _write(self, path: Path, tensors: Mapping[str, Tensor], values: Mapping[str, object]) -> None:
        arrays = {name: tensor.detach().cpu().numpy() for name, tensor in tensors.items()}
        text = json.dumps({"run": self._digest, **values})
        content = {**arrays, "values": np.frombuffer(text.encode(), np.uint8)}
        buffer = io.BytesIO()
        np.savez(buffer, allow_pickle=False, **content, sha256=_checksum(content))
        write_bytes(path, buffer.getvalue())

    def _read(self, path: Path) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        """Return arrays and values of a file of this run; _DamagedError for any other."""
        try:
            if path.stat().st_size > _MOST_BYTES:
                raise _DamagedError
            with np.load(path, allow_pickle=False) as archive:
                content = {name: archive[name] for name in archive.files}
            checksum = content.pop("sha256")
            if not np.array_equal(checksum, _checksum(content)):
                raise _DamagedError
            values = json.loads(content.pop("values").tobytes())
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, MemoryError, NotImplementedError):
            raise _DamagedError from None
        if values.pop("run") != self._digest:
            raise _DamagedError
        return content, values


def remove_checkpoints(folder: Path) -> None:
    """Delete checkpoints in a folder and in folders right below it; other files stay, and then the folder, too."""
    for place in (*(path for path in folder.glob("*") if path.is_dir()), folder):
        for path in (*place.glob("fit-*.npz"), *(place / name for name in (_RUN, *_STEPS))):
            path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # not empty, or not there
            place.rmdir()


def _no_checkpoints(folder: Path) -> InputError:
    return InputError(f"{printable(folder)} has no checkpoints; start with --checkpoint")


class _DamagedError(Exception):
    """A file of a checkpoint is not what was written."""


def _checksum(content: Mapping[str, NDArray[Any]]) -> NDArray[np.uint8]:
    """Return the SHA-256 of arrays, their names, types and shapes."""
    digest = hashlib.sha256()
    for name in sorted(content):
        array = np.ascontiguousarray(content[name])
        digest.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        digest.update(array.tobytes())
    return np.frombuffer(digest.digest(), np.uint8)


def identity_of(stack: TextureStack, settings: object, backend: str, start: str) -> dict[str, str]:
    """Return what decides the bytes of a run, by the names that a message calls it.

    Args:
        stack: that is compressed
        settings: all of them, a dataclass
        backend: name of the backend
        start: what tells the Gaussians that it begins from
    """
    texels = hashlib.sha256(stack.texels.tobytes())
    for array in (stack.weights, stack.saliency, *stack.drawn, *stack.originals):
        texels.update(b"none" if array is None else array.tobytes())
    described = (stack.width, stack.height, stack.maps, stack.wrap, stack.channel_weights)
    texels.update(repr(described).encode())
    return {
        "version": __version__, "source": texels.hexdigest(), "settings": repr(settings), "backend": backend,
        "start": start,
    }  # fmt: skip
