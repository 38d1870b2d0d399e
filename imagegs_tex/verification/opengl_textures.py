"""Runs the shaders that make textures at load time."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from imagegs_tex.shaders.file_constants import DATA_BINDING, OUTPUT_BINDING
from imagegs_tex.shaders.load_jobs import LoadPlan
from imagegs_tex.shaders.load_textures import JOBS_BINDING, SCRATCH_BINDING
from imagegs_tex.verification.opengl import GlObject, Scene

_UNWRITTEN: Final = 0xCD


class TextureLoader:
    """The shaders of all sets of a material's textures, and the buffers that they share."""

    def __init__(
        self, scene: Scene, shaders: Sequence[tuple[str, str]], plans: Sequence[LoadPlan], output_bytes: int
    ) -> None:
        self._scene = scene
        context = scene.context
        self._output = scene.hold(context.buffer(np.full(output_bytes, _UNWRITTEN, np.uint8).tobytes()))
        self._scratch = scene.hold(context.buffer(reserve=max(plan.scratch_bytes for plan in plans)))
        self._runs: list[tuple[GlObject, GlObject, tuple[int, int, int]]] = []
        for texts, plan in zip(shaders, plans, strict=True):
            names = {each.shader for each in plan.dispatches}
            programs = {
                name: scene.compute(text) for name, text in zip(("first", "next"), texts, strict=True) if name in names
            }
            for dispatch in plan.dispatches:
                jobs = scene.hold(context.buffer(dispatch.jobs.astype("<i4").tobytes()))
                self._runs.append((programs[dispatch.shader], jobs, dispatch.groups))

    def load(self) -> None:
        """Make all textures."""
        scene = self._scene
        scene.data.bind_to_storage_buffer(DATA_BINDING)
        self._output.bind_to_storage_buffer(OUTPUT_BINDING)
        self._scratch.bind_to_storage_buffer(SCRATCH_BINDING)
        for program, jobs, groups in self._runs:
            jobs.bind_to_storage_buffer(JOBS_BINDING)
            program.run(*groups)
            scene.context.memory_barrier()

    def read(self) -> bytes:
        """Return the output."""
        return bytes(self._output.read())

    def milliseconds(self, repeats: int) -> float | None:
        """Return the GPU timer's median for all of it."""
        return self._scene.median_milliseconds(self.load, repeats)
