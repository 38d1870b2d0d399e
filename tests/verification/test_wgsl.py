"""The decoder of many materials in WGSL, run by wgpu, against float64; its samples, validated by it."""

import subprocess
import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from helpers.made_gaussians import made_set
from helpers.shared_sets import MOST, SETS, VALUES, requests

from imagegs_tex.decoder.render import shader_decoder
from imagegs_tex.formats.errors import MissingToolError
from imagegs_tex.shaders.build_decoder import build_decoder
from imagegs_tex.shaders.gpu_buffer import join_materials, pack_gaussians
from imagegs_tex.shaders.include_text import WGSL_GROUP_INCLUDE, WGSL_INCLUDE
from imagegs_tex.shaders.sample_shaders import SHARED_PARTS, sample_shaders
from imagegs_tex.shaders.shared_decoder import shared_decoder
from imagegs_tex.verification import MAX_ERROR, verify
from imagegs_tex.verification.float64_picture import reference_picture, reference_rows
from imagegs_tex.verification.shared_view import view_in_buffer
from imagegs_tex.verification.toolchain import CompileError
from imagegs_tex.verification.wgsl import GROUP_POINTS, GROUP_SIDE, WgslRunner, group_shader, without_traceback

VALIDATOR = Path(__file__).parents[1] / "helpers" / "validate_wgsl.py"
SHADER = """
@group(0) @binding(1) var<storage, read> points: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> results: array<f32>;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    if (id.x >= arrayLength(&points)) { return; }
    let given = points[id.x];
    var texel = igs_decode(u32(given.x), given.yz);
    if (given.w > 0.0) { texel = igs_sample_lod(u32(given.x), given.yz, given.w); }
    for (var c = 0; c < IGS_VALUES; c++) { results[id.x * u32(IGS_VALUES) + u32(c)] = texel.channel[c]; }
}
"""
BROKEN = {
    "": ("", ""),
    "noise of other texels": ("(local.x & 63u)", "((local.x + 1u) & 63u)"),
    "samples of the next texel": ("at.y * u32(m.width) + at.x", "at.y * u32(m.width) + at.x + 1u"),
    "levels without what they store": ("texel = igs_add_level(m, texel, p, level);", ""),
}


def test_what_a_process_failed_of_is_said_in_one_line():
    said = subprocess.run([sys.executable, "-c", "import nothing_of_this_name"], capture_output=True, check=False)
    assert without_traceback(said.stderr.decode()) == "ModuleNotFoundError: No module named 'nothing_of_this_name'"
    assert without_traceback("killed\n by something") == "killed by something"


def test_a_shader_that_does_not_compile_says_why(run):
    with pytest.raises(CompileError, match="expected identifier"):
        run(np.zeros(4, np.uint32), np.zeros((1, 4), np.float32), 1, ["fn broken( {"])


@pytest.fixture(scope="module")
def run(require_tool):
    require_tool(find_spec("wgpu") is not None, "wgpu is not installed")

    def call(words, rows, values, shaders):
        try:
            runner = WgslRunner(words, shaders)
        except MissingToolError as error:
            require_tool(False, str(error))
        found = [runner.run(number, rows, values) for number in range(len(shaders))]
        runner.release()
        return np.stack(found)

    return call


def test_it_decodes_and_breaks(run):
    """Broken ones beside it."""
    packed = [shader_decoder(quantized).packed for quantized in SETS]
    rows, right = requests(packed)
    text = shared_decoder(*MOST).includes[WGSL_INCLUDE]
    assert all(old in text for old, _ in BROKEN.values())
    shaders = [text.replace(old, new) + SHADER for old, new in BROKEN.values()]
    found = run(join_materials(packed), rows, VALUES, shaders)
    errors = dict(zip(BROKEN, np.nanmax(np.abs(found - right), axis=(1, 2)), strict=True))
    assert errors.pop("") <= MAX_ERROR
    assert all(error > MAX_ERROR for error in errors.values()), errors


BROKEN_GROUPS = {
    "": ("", ""),
    "a row of the group for a column": ("igs_axes[IGS_GROUP_SIDE + place.y]", "igs_axes[place.y]"),
    "entries that reach nothing": ("atomicOr(&igs_reaching", "atomicAnd(&igs_reaching"),
    "half of the entries": ("igs_uniform(entries * images, thread)", "igs_uniform(entries * images / 2u, thread)"),
}
BIG = made_set(150, 100, 400, 3, spread=8, wrap=(True, False), detail={"components": 4})


def test_groups_decode_and_break(run):
    """All materials of a buffer, and one of them by broken ones."""
    includes = shared_decoder(*MOST).includes
    group = includes[WGSL_GROUP_INCLUDE]
    assert all(old in group for old, _ in BROKEN_GROUPS.values())
    changed = [includes | {WGSL_GROUP_INCLUDE: group.replace(old, new)} for old, new in BROKEN_GROUPS.values()]
    sets = [BIG, *SETS]
    points, right = [], []
    for number, quantized in enumerate(sets):
        size = quantized.width, quantized.height
        across, down = np.meshgrid(*(np.arange(-(-side // GROUP_SIDE)) for side in size))
        points.append(np.stack([across.ravel(), down.ravel(), np.full(across.size, number)], axis=1))
        texels = np.full((GROUP_SIDE * len(across), GROUP_SIDE * across.shape[1], VALUES), np.nan)
        channels = quantized.channel_count
        texels[: size[1], : size[0], :channels] = reference_rows(reference_picture(quantized), 0, size[1])
        squares = texels.reshape(len(across), GROUP_SIDE, across.shape[1], GROUP_SIDE, VALUES).swapaxes(1, 2)
        right.append(squares.reshape(across.size, -1))
    words = join_materials([pack_gaussians(quantized) for quantized in sets])
    rows = np.concatenate(points).repeat(GROUP_POINTS, axis=0).astype(np.float32)
    shaders = [group_shader(each, VALUES) for each in changed]
    found = run(words, rows, VALUES * GROUP_SIDE**2 // GROUP_POINTS, shaders)
    off = np.abs(found.reshape(len(shaders), len(rows) // GROUP_POINTS, -1) - np.concatenate(right))
    errors = dict(zip(BROKEN_GROUPS, np.nanmax(off, axis=(1, 2)), strict=True))
    assert errors.pop("") <= MAX_ERROR
    assert all(error > MAX_ERROR for error in errors.values()), errors


@pytest.mark.parametrize("added", ["", "fn of igs_word"])
def test_its_samples_are_valid(added, run, tmp_path):
    del run  # there is what it takes
    samples = sample_shaders(shared_decoder().includes, SHARED_PARTS)
    files = [tmp_path / name for name in ("sample_compute.wgsl", "sample_pixel.wgsl")]
    for file in files:
        file.write_text(samples[file.name] + added, encoding="utf-8")
    done = subprocess.run([sys.executable, VALIDATOR, *files], capture_output=True, text=True, check=False)
    assert (done.returncode == 0) == (added == ""), done.stderr


@pytest.mark.gl
@pytest.mark.parametrize(
    "change", [("", ""), ("(local.x & 63u)", "((local.x + 1u) & 63u)"), ("fn igs_word", "fn of igs_word")]
)
def test_verify_runs_it(change, device, run, monkeypatch):
    """And finds faults, also what is no WGSL."""
    del run  # there is what it takes

    def view(*given):
        found = view_in_buffer(*given)
        return replace(found, includes=found.includes | {WGSL_INCLUDE: found.includes[WGSL_INCLUDE].replace(*change)})

    monkeypatch.setattr("imagegs_tex.verification.run.view_in_buffer", view)
    quantized = made_set(40, 30, 40, 3, detail={"components": 1})
    report = verify(quantized, ["wgsl"], decoder=build_decoder(quantized), point_count=300, repeats=0, device=device,
                    shared=True)  # fmt: skip
    (variant,) = report.variants
    assert variant.name == "shared-wgsl"
    assert variant.passed == report.passed == (change[0] == "")
    assert (variant.failure == "") == ("of" not in change[1])


TALKATIVE = """
import os
import sys
import threading
import numpy as np
from imagegs_tex.verification.wgsl_worker import receive, send
stuck = threading.Timer(20.0, os._exit, [1])
stuck.daemon = True
stuck.start()
given, answers = sys.stdin.buffer, sys.stdout.buffer
receive(given), receive(given)
sys.stderr.write("warning " * 40_000)
sys.stderr.flush()
send(answers, np.array([1]))
while (request := receive(given)) is not None:
    points = receive(given)
    if request[0] > 0:
        sys.exit("no such shader")
    send(answers, points)
"""


def test_a_worker_that_warns_of_much_goes_on(monkeypatch):
    """Its standard error takes more than a pipe holds, and what it ends with is told all the same."""

    def start(command, **options):
        assert command[1] == "-c"
        return popen([command[0], "-c", TALKATIVE], **options)

    popen = subprocess.Popen
    monkeypatch.setattr("imagegs_tex.verification.wgsl.subprocess.Popen", start)
    runner = WgslRunner(np.zeros(4, np.uint32), ["text"])
    points = np.arange(6, dtype=np.float32).reshape(3, 2)
    assert np.array_equal(runner.run(0, points, 2), points)
    with pytest.raises(CompileError, match=r"^warning warning.* no such shader$"):
        runner.run(1, points, 2)


def test_verify_says_that_wgpu_is_missing(device, monkeypatch):
    monkeypatch.setattr("imagegs_tex.verification.wgsl.find_spec", lambda name: None)
    quantized = made_set(8, 8, 2, 1)
    decoder = build_decoder(quantized)
    with pytest.raises(MissingToolError, match="wgpu is not installed"):
        verify(quantized, ["wgsl"], decoder=decoder, repeats=0, device=device, shared=True)
    both = ["glsl", "wgsl"]
    report = verify(quantized, both, decoder=decoder, point_count=9, repeats=0, device=device, shared=True)
    assert report.passed
    assert any(line.startswith("wgsl: wgpu is not installed") for line in report.left_out)
