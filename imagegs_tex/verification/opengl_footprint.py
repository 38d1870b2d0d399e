"""Samples with a footprint on OpenGL: at given points in a compute shader, and by pixels of a small target."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.shaders.file_constants import DATA_BINDING
from imagegs_tex.verification.opengl import FloatRows, Scene, channels_last
from imagegs_tex.verification.probe_shaders import PLACE_BINDING

REGION = 32, 8
"""Width and height of the pixels that one call draws."""


class Sampler(Protocol):
    """A decoder's functions that take a footprint."""

    def requests(self, requests: FloatRows) -> FloatRows | None:
        """Return channels and what normals tell [P, R] for requests [P, 8]; None if it draws pixels."""
        ...

    def pixels(self, origin: tuple[float, float], uv_step: tuple[float, float], level: float) -> FloatRows | None:
        """Return the pixels [H, W, C] of a region at steps of uv; below level 0, by igs_sample."""
        ...


class ComputeSampler:
    """At points."""

    def __init__(self, scene: Scene, source: str, result_width: int) -> None:
        self._scene = scene
        self._program = scene.compute(source)
        self._result_width = result_width

    def requests(self, requests: FloatRows) -> FloatRows:
        """See :class:`Sampler`."""
        return self._scene.at_points(self._program, requests, self._result_width)

    def pixels(self, origin: tuple[float, float], uv_step: tuple[float, float], level: float) -> None:
        """Compute shaders have no pixels."""
        del origin, uv_step, level


class PixelSampler:
    """By pixels."""

    def __init__(self, scene: Scene, source: str, translated: bool) -> None:
        self._scene = scene
        self._program, self._triangle = scene.pixel(source)
        self._translated = translated

    def requests(self, requests: FloatRows) -> None:
        """Pixels have no requests."""
        del requests

    def pixels(self, origin: tuple[float, float], uv_step: tuple[float, float], level: float) -> FloatRows:
        """See :class:`Sampler`."""
        scene = self._scene
        targets = [scene.context.texture(REGION, 4, dtype="f4") for _ in range(scene.layer_count)]
        frame = scene.context.framebuffer(color_attachments=targets)
        frame.use()
        place: NDArray[np.float32] = np.array([*origin, *uv_step, level, 0, 0, 0], dtype=np.float32)
        buffer = scene.context.buffer(place.tobytes())
        scene.data.bind_to_storage_buffer(DATA_BINDING)
        buffer.bind_to_uniform_block(PLACE_BINDING)
        scene.texture.use(0)
        if not self._translated:
            for name, value in {"origin": origin, "uv_step": uv_step, "level": level, "igs_data": 0}.items():
                if name in self._program and hasattr(self._program[name], "value"):
                    self._program[name].value = value
        self._triangle.render(vertices=3)
        layers = np.stack([np.frombuffer(target.read(), np.float32) for target in targets])
        for resource in (frame, *targets, buffer):
            resource.release()
        return channels_last(layers.reshape(scene.layer_count, REGION[1], REGION[0], 4), scene.channel_count)
