"""OpenGL without a window, through moderngl: run a decoder, get floats back."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.formats.errors import MissingToolError, install_extra
from imagegs_tex.shaders.file_constants import DATA_BINDING, OUTPUT_BINDING, REGION_BINDING
from imagegs_tex.shaders.gpu_buffer import PackedGaussians
from imagegs_tex.verification.probe_shaders import (
    PLACE_BINDING,
    POINTS_BINDING,
    POINTS_ROW_LOG2,
    RESULTS_BINDING,
    full_target,
)
from imagegs_tex.verification.toolchain import CompileError

GROUP: Final = 32
_POINTS_PER_GROUP: Final = 64
_POINTS_UNIT: Final = 1
_GL_VERSION: Final = 430
_RESULT_FLOATS: Final = 1 << 24
_LEAST_MILLISECONDS: Final = 1e-4
_WARM_UP_SECONDS: Final = 1.0

FloatRows = NDArray[np.float32]
GlObject = Any
"""A buffer, texture, program or the like of moderngl, whose types differ between its versions."""


@dataclass(frozen=True, slots=True)
class Device:
    """An OpenGL context and what it says about itself."""

    context: GlObject
    renderer: str
    version: str


def open_device() -> Device:
    """Create a context without a display: EGL where there is, the system's own way elsewhere.

    Raises:
        MissingToolError: no OpenGL 4.3
    """
    try:
        import moderngl
    except ImportError:
        raise MissingToolError(
            f"moderngl is not installed, which runs the decoders; {install_extra('verify')}"
        ) from None
    reasons = []
    ways: tuple[dict[str, Any], ...] = ({"backend": "egl"}, {})
    for options in ways:
        try:
            context = moderngl.create_context(standalone=True, require=_GL_VERSION, **options)
        except Exception as error:  # noqa: BLE001 - every backend has its own kinds of failure
            reasons.append(str(error) or type(error).__name__)
            continue
        info = context.info
        return Device(context, str(info["GL_RENDERER"]), str(info["GL_VERSION"]))
    raise MissingToolError(
        f"no OpenGL 4.3 without a display ({'; '.join(reasons)}); install a driver, or Mesa's software one "
        "(Debian: apt-get install libegl1 libgl1 libgl1-mesa-dri)"
    )


def is_software(device: Device) -> bool:
    """Whether the device is a CPU in disguise."""
    return any(name in device.renderer.lower() for name in ("llvmpipe", "softpipe", "swiftshader"))


def ends_loops(device: Device) -> bool:
    """Whether the device ends loops on its own: see turns.py."""
    return "llvmpipe" in device.renderer.lower()


class Scene:
    """One file's buffer on a device, and what every decoder of it needs; a context manager that frees them."""

    def __init__(self, device: Device, packed: PackedGaussians, size: tuple[int, int], channel_count: int) -> None:
        self.context = device.context
        self.width, self.height = size
        self.channel_count = channel_count
        self.layer_count = -(-channel_count // 4)
        self._held: list[GlObject] = []
        self.data = self.hold(self.context.buffer(packed.words.tobytes()))
        self.texture = self.hold(
            self.context.texture(packed.texture_size, 1, packed.texture_words.tobytes(), dtype="u4")
        )

    def hold(self, resource: GlObject) -> GlObject:
        """Free a resource together with the scene."""
        self._held.append(resource)
        return resource

    def __enter__(self) -> "Scene":
        return self

    def __exit__(self, *_: object) -> None:
        for resource in reversed(self._held):
            resource.release()

    def compute(self, source: str) -> GlObject:
        """Compile a compute shader; CompileError with the driver's message."""
        return self._compiled(lambda: self.context.compute_shader(source))

    def pixel(self, source: str) -> tuple[GlObject, GlObject]:
        """Compile a fragment shader behind a triangle over the whole target; return the program and what draws it."""
        program = self._compiled(
            lambda: self.context.program(vertex_shader=full_target(source), fragment_shader=source)
        )
        return program, self.hold(self.context.vertex_array(program, []))

    def at_points(self, program: GlObject, points: FloatRows, result_width: int) -> FloatRows:
        """Run a compute shader over rows of floats [P, n]; return what it writes for each [P, result_width]."""
        at_once = max(1, _RESULT_FLOATS // result_width)
        parts = []
        for start in range(0, len(points), at_once):
            chunk = np.ascontiguousarray(points[start : start + at_once])
            given = self.context.buffer(chunk.tobytes())
            results = self.context.buffer(reserve=4 * len(chunk) * result_width)
            place = self.context.buffer(np.array([0, 0, 0, len(chunk)], dtype=np.int32).tobytes())
            self.data.bind_to_storage_buffer(DATA_BINDING)
            given.bind_to_storage_buffer(POINTS_BINDING)
            results.bind_to_storage_buffer(RESULTS_BINDING)
            place.bind_to_uniform_block(PLACE_BINDING)
            program.run(-(-len(chunk) // _POINTS_PER_GROUP))
            self.context.memory_barrier()
            parts.append(np.frombuffer(results.read(), np.float32).reshape(len(chunk), result_width))
            for buffer in (given, results, place):
                buffer.release()
        return np.concatenate(parts)

    def median_milliseconds(self, draw: Callable[[], None], repeats: int) -> float | None:
        """Return the GPU timer's median over some repeats, after a second that does not count.

        The wait is for the clock: on an H200 that had idled, decoders took 0.2 to 0.9 ms that take 0.04 to 0.17 ms.
        None where the timer does not see the work: Mesa's llvmpipe counts no compute shaders.
        """
        query = self.context.query(time=True)
        times = []
        warm_at = time.perf_counter() + _WARM_UP_SECONDS
        while time.perf_counter() < warm_at:
            draw()
            self.context.finish()
        for _ in range(repeats):
            with query:
                draw()
            times.append(query.elapsed / 1e6)
        median = float(np.median(times))
        return median if median > _LEAST_MILLISECONDS else None

    def _compiled(self, compile_it: Callable[[], GlObject]) -> GlObject:
        try:
            return self.hold(compile_it())
        except _moderngl_error() as error:
            raise CompileError(" ".join(str(error).split())) from None


class ComputeDecoder:
    """The emitted compute sample, and the points shader that goes with it."""

    def __init__(self, scene: Scene, picture: str, points: str, result_width: int, translated: bool) -> None:
        self._scene = scene
        self._picture = scene.compute(picture)
        self._points = scene.compute(points)
        self._result_width = result_width
        self._translated = translated  # HLSL: constants come in buffers, images are 32-bit floats

    def rows(self, first_row: int, row_count: int) -> FloatRows:
        """Return texel rows [row_count, W, C]; first_row is a multiple of 32."""
        scene = self._scene
        size = (scene.width, row_count, scene.layer_count)
        target = scene.context.texture_array(size, 4, dtype="f4")
        self._dispatch(target, first_row, row_count)
        scene.context.memory_barrier()
        layers = np.frombuffer(target.read(), np.float32).reshape(scene.layer_count, row_count, scene.width, 4)
        target.release()
        return channels_last(layers, scene.channel_count)

    def points(self, uv: NDArray[np.float32]) -> FloatRows:
        """Return channels and accessors [P, R] at texture coordinates [P, 2]."""
        return self._scene.at_points(self._points, uv, self._result_width)

    def milliseconds(self, repeats: int) -> float | None:
        """Return the GPU timer's median for the whole picture: to RGBA8, or RGBA32F where HLSL was translated."""
        scene = self._scene
        size = (scene.width, scene.height, scene.layer_count)
        target = scene.context.texture_array(size, 4, dtype="f4" if self._translated else "f1")
        taken = scene.median_milliseconds(lambda: self._dispatch(target, 0, scene.height), repeats)
        target.release()
        return taken

    def _dispatch(self, target: GlObject, first_row: int, row_count: int) -> None:
        scene = self._scene
        scene.data.bind_to_storage_buffer(DATA_BINDING)
        target.bind_to_image(OUTPUT_BINDING, read=False, write=True)
        if self._translated:
            region = scene.context.buffer(np.array([0, first_row // GROUP, 0, 0], dtype=np.int32).tobytes())
            region.bind_to_uniform_block(REGION_BINDING)
            self._picture.run(-(-scene.width // GROUP), -(-row_count // GROUP))
            region.release()
        else:
            self._picture["igs_first_group"] = (0, first_row // GROUP)
            self._picture.run(-(-scene.width // GROUP), -(-row_count // GROUP))


class PixelDecoder:
    """A fragment shader that writes all channels to as many targets as they need."""

    def __init__(self, scene: Scene, source: str, translated: bool) -> None:
        self._scene = scene
        self._program, self._triangle = scene.pixel(source)
        self._translated = translated

    def rows(self, first_row: int, row_count: int) -> FloatRows:
        """Return texel rows [row_count, W, C]."""
        return self._render((self._scene.width, row_count), (0, first_row), None)

    def points(self, uv: NDArray[np.float32]) -> FloatRows:
        """Return channels [P, C] at texture coordinates [P, 2]."""
        across = 1 << POINTS_ROW_LOG2
        filled = np.zeros((-(-len(uv) // across) * across, 2), dtype=np.float32)
        filled[: len(uv)] = uv
        rows = self._render((across, len(filled) // across), (0, 0), filled)
        return rows.reshape(len(filled), -1)[: len(uv)]

    def milliseconds(self, repeats: int) -> float | None:
        """Return the GPU timer's median for the whole picture to RGBA8."""
        scene = self._scene
        size = (scene.width, scene.height)
        targets = [scene.context.texture(size, 4, dtype="f1") for _ in range(scene.layer_count)]
        frame = scene.context.framebuffer(color_attachments=targets)
        frame.use()
        self._bind((0, 0), None)
        taken = scene.median_milliseconds(lambda: self._triangle.render(vertices=3), repeats)
        for resource in (frame, *targets):
            resource.release()
        return taken

    def _render(self, size: tuple[int, int], origin: tuple[int, int], uv: NDArray[np.float32] | None) -> FloatRows:
        scene = self._scene
        targets = [scene.context.texture(size, 4, dtype="f4") for _ in range(scene.layer_count)]
        frame = scene.context.framebuffer(color_attachments=targets)
        frame.use()
        bound = self._bind(origin, uv)
        self._triangle.render(vertices=3)
        layers = np.stack([np.frombuffer(target.read(), np.float32) for target in targets])
        for resource in (frame, *targets, *bound):
            resource.release()
        return channels_last(layers.reshape(scene.layer_count, size[1], size[0], 4), scene.channel_count)

    def _bind(self, origin: tuple[int, int], uv: NDArray[np.float32] | None) -> list[GlObject]:
        """Bind data, points and place in each language's way; return what to release after drawing."""
        scene = self._scene
        points = np.zeros((1 << POINTS_ROW_LOG2, 2), dtype=np.float32) if uv is None else uv
        buffer = scene.context.buffer(points.tobytes())
        place = scene.context.buffer(np.array([*origin, uv is not None, 0], dtype=np.int32).tobytes())
        texture = scene.context.texture(
            (1 << POINTS_ROW_LOG2, len(points) >> POINTS_ROW_LOG2),
            4,
            np.pad(points, ((0, 0), (0, 2))).tobytes(),
            dtype="f4",
        )
        scene.data.bind_to_storage_buffer(DATA_BINDING)
        buffer.bind_to_storage_buffer(POINTS_BINDING)
        place.bind_to_uniform_block(PLACE_BINDING)
        scene.texture.use(0)
        texture.use(_POINTS_UNIT)
        if not self._translated:
            values = {"origin": origin, "use_points": uv is not None, "igs_data": 0, "points": _POINTS_UNIT}
            for name, value in values.items():
                if name in self._program and hasattr(self._program[name], "value"):
                    self._program[name].value = value
        return [buffer, place, texture]


def channels_last(layers: FloatRows, channel_count: int) -> FloatRows:
    """Bring layers [L, H, W, 4] to [H, W, C]."""
    _, height, width, _ = layers.shape
    return np.ascontiguousarray(np.moveaxis(layers, 0, 2).reshape(height, width, -1)[..., :channel_count])


def _moderngl_error() -> type[Exception]:
    import moderngl

    return moderngl.Error
