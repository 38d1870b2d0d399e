"""The decoder of many materials in WGSL: groups of texels, points and footprints, by wgpu (an optional dependency)."""

import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from importlib.util import find_spec
from itertools import dropwhile
from typing import Final

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.formats.errors import MissingToolError, install_extra
from imagegs_tex.shaders.build_decoder import Decoder
from imagegs_tex.shaders.include_text import WGSL_GROUP_INCLUDE, WGSL_INCLUDE
from imagegs_tex.verification import footprint_shaders, probe_shaders
from imagegs_tex.verification.footprint_shaders import REQUEST_FLOATS
from imagegs_tex.verification.opengl import FloatRows, Scene
from imagegs_tex.verification.shared_view import accessor_call
from imagegs_tex.verification.toolchain import CompileError
from imagegs_tex.verification.wgsl_worker import NO_DEVICE, main, receive, send

_POINTS_AT_ONCE: Final = 1 << 18
GROUP_SIDE: Final = 32
"""Texels across what a workgroup decodes."""
GROUP_POINTS: Final = 64
"""Points for which the worker runs a workgroup; their results are those of its texels."""
_GROUP_MAIN: Final = """@group(0) @binding(1) var<storage, read> points: array<f32>;
@group(0) @binding(2) var<storage, read_write> results: array<f32>;
var<private> place: u32; // of the workgroup's texels among the results

fn igs_store_layer(at: vec2i, layer: i32, values: vec4f) {
    let texel = place + (u32(at.y) % IGS_GROUP_SIDE) * IGS_GROUP_SIDE + u32(at.x) % IGS_GROUP_SIDE;
    for (var c = 4 * layer; c < min(4 * layer + 4, CHANNELS); c++) {
        results[texel * u32(CHANNELS) + u32(c)] = values[c & 3];
    }
}

fn igs_store(at: vec2i, texel: IgsTexel) {
    for (var layer = 0; layer < IGS_LAYERS; layer++) {
        igs_store_layer(at, layer, igs_layer(texel, layer));
    }
}

@compute @workgroup_size(IGS_GROUP_THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
    place = IGS_GROUP_SIDE * IGS_GROUP_SIDE * group.x;
    let at = 3u * GROUP_POINTS * group.x;
    igs_decode_group(u32(points[at + 2u]), vec2u(u32(points[at]), u32(points[at + 1u])), thread, vec2i(0, 0));
}
"""
_DECODE: Final = "    let texel = igs_decode(IGS_NUMBER, vec2f(points[2u * i], points[2u * i + 1u]));\n"
_SAMPLE: Final = f"""    let at = {REQUEST_FLOATS}u * i;
    let uv = vec2f(points[at], points[at + 1u]);
    let step_x = vec2f(points[at + 2u], points[at + 3u]);
    let step_y = vec2f(points[at + 4u], points[at + 5u]);
    let lod = points[at + 6u];
    let kind = points[at + 7u];
    var texel: IgsTexel;
    if (kind >= 2.0) {{
        texel = igs_sample_stochastic(IGS_NUMBER, uv, step_x, step_y, vec2f(lod, kind - 2.0));
    }} else if (kind > 0.5) {{
        texel = igs_sample_grad(IGS_NUMBER, uv, step_x, step_y);
    }} else {{
        texel = igs_sample_lod(IGS_NUMBER, uv, lod);
    }}
"""


def missing() -> str:
    """Return what is not there that WGSL needs; nothing where it can be tried."""
    return "" if find_spec("wgpu") is not None else f"wgpu is not installed, which runs it; {install_extra('wgsl')}"


def without_traceback(errors: str) -> str:
    """Return one line of what a Python process said before it ended: an exception's own words, where there is one."""
    lines = errors.splitlines()
    frames = [number for number, line in enumerate(lines) if line.startswith("  File ")]
    if frames:
        lines = list(dropwhile(lambda line: line.startswith("    "), lines[frames[-1] + 1 :]))
    return " ".join(" ".join(lines).split())


class WgslRunner:
    """A process that runs shaders on a scene's buffer, until it is released."""

    def __init__(self, words: NDArray[np.uint32], texts: list[str]) -> None:
        command = [sys.executable, "-c", f"from {main.__module__} import main; main()"]
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - as long as the process; a full pipe would stop that
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors)
        self._send(words.astype("<u4"))
        self._send(np.array(texts))
        self._receive()

    def run(self, number: int, points: NDArray[np.float32], values: int) -> FloatRows:
        """Return what a shader writes for each point [P, values], of points [P, n]."""
        parts = []
        for start in range(0, len(points), _POINTS_AT_ONCE):
            self._send(np.array([number, values]))
            self._send(np.ascontiguousarray(points[start : start + _POINTS_AT_ONCE], dtype=np.float32))
            parts.append(self._receive())
        return np.concatenate(parts)

    def release(self) -> None:
        """End the process."""
        self._process.communicate()
        self._errors.close()

    def _send(self, array: NDArray[np.generic]) -> None:
        assert self._process.stdin is not None
        try:
            send(self._process.stdin, array)
        except BrokenPipeError:
            self._fail()

    def _receive(self) -> FloatRows:
        assert self._process.stdout is not None
        found = receive(self._process.stdout)
        if found is None:
            self._fail()
        return np.asarray(found)

    def _fail(self) -> None:
        self._process.communicate()
        self._errors.seek(0)
        errors = self._errors.read().decode(errors="replace")
        self._errors.close()
        if self._process.returncode == NO_DEVICE:
            raise MissingToolError("no device for WGSL; install a Vulkan driver (Debian: mesa-vulkan-drivers)")
        raise CompileError(without_traceback(errors))


class WgslDecoder:
    """igs_decode_group, and igs_decode with the accessors."""

    def __init__(self, scene: Scene, decoder: Decoder) -> None:
        channels = _channels(decoder)
        accessors = []
        for accessor in decoder.accessors:
            value = accessor_call(accessor)
            parts = [value] if accessor.width == 1 else [f"{value}.{axis}" for axis in "xyzw"[: accessor.width]]
            accessors += parts
        self._size = scene.width, scene.channel_count
        self._number = int(decoder.packed.words[1]) - 1  # the last one of the buffer is that of the file
        self._width = probe_shaders.result_width(decoder)
        texts = [group_shader(decoder.includes, self._size[1]), _shader(decoder, 2, _DECODE, channels + accessors)]
        self._runner = WgslRunner(decoder.packed.words, texts)
        scene.hold(self._runner)

    def rows(self, first_row: int, row_count: int) -> FloatRows:
        """Return texel rows [row_count, W, C]."""
        width, channels = self._size
        first, end = first_row // GROUP_SIDE, -(-(first_row + row_count) // GROUP_SIDE)
        across, down = np.meshgrid(np.arange(-(-width // GROUP_SIDE)), np.arange(first, end))
        groups = np.stack([across.ravel(), down.ravel(), np.full(across.size, self._number)], axis=1)
        found = self._runner.run(0, groups.repeat(GROUP_POINTS, axis=0), channels * GROUP_SIDE**2 // GROUP_POINTS)
        squares = found.reshape(*across.shape, GROUP_SIDE, GROUP_SIDE, channels)
        texels = squares.swapaxes(1, 2).reshape(across.shape[0] * GROUP_SIDE, -1, channels)
        begin = first_row - GROUP_SIDE * first
        return texels[begin : begin + row_count, :width]

    def points(self, uv: NDArray[np.float32]) -> FloatRows:
        """Return channels and accessors [P, R] at texture coordinates [P, 2]."""
        return self._runner.run(1, uv, self._width)

    def milliseconds(self, repeats: int) -> None:
        """Times are those of OpenGL."""
        del repeats


class WgslSampler:
    """The functions that take a footprint, at points."""

    def __init__(self, scene: Scene, decoder: Decoder) -> None:
        normals = [f"{name}(IGS_NUMBER, texel)" for name in footprint_shaders.normal_functions(decoder)]
        text = _shader(decoder, REQUEST_FLOATS, _SAMPLE, _channels(decoder) + normals)
        self._width = footprint_shaders.result_width(decoder)
        self._runner = WgslRunner(decoder.packed.words, [text])
        scene.hold(self._runner)

    def requests(self, requests: FloatRows) -> FloatRows:
        """See :class:`.opengl_footprint.Sampler`."""
        return self._runner.run(0, requests, self._width)

    def pixels(self, origin: tuple[float, float], uv_step: tuple[float, float], level: float) -> None:
        """Compute shaders have no pixels."""
        del origin, uv_step, level


def _channels(decoder: Decoder) -> list[str]:
    return [f"texel.channel[{channel}]" for channel in range(decoder.channel_count)]


def group_shader(includes: Mapping[str, str], channels: int) -> str:
    """Return what decodes squares of texels.

    It takes GROUP_POINTS points for each, all of them alike: column and row of the square, counted in squares, and the
    material. Results are its texels, row by row, with 0 for those beyond the picture.

    Args:
        includes: of a decoder of many materials
        channels: of a texel
    """
    text = includes[WGSL_GROUP_INCLUDE]
    store = re.compile(r"^@group\(0\) @binding\(1\).*?(?=^fn igs_barrier)", re.MULTILINE | re.DOTALL)
    text, count = store.subn(_GROUP_MAIN, text)
    assert count == 1
    constants = f"const CHANNELS = {channels};\nconst GROUP_POINTS = {GROUP_POINTS}u;\n"
    return f"{includes[WGSL_INCLUDE]}{constants}{text}"


def _shader(decoder: Decoder, stride: int, decode: str, values: list[str]) -> str:
    stores = "".join(f"    results[{len(values)}u * i + {place}u] = {value};\n" for place, value in enumerate(values))
    return f"""{decoder.includes[WGSL_INCLUDE]}
@group(0) @binding(1) var<storage, read> points: array<f32>;
@group(0) @binding(2) var<storage, read_write> results: array<f32>;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {{
    let i = id.x;
    if (i >= arrayLength(&points) / {stride}u) {{ return; }}
{decode}{stores}}}
"""
