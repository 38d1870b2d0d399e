"""The decoder of many materials in WGSL, run by wgpu, against float64; its samples, validated by it."""

import numpy as np
import pytest
from helpers.shared_sets import MOST, SETS, VALUES, requests

from imagegs_tex.decoder.render import shader_decoder
from imagegs_tex.shaders.gpu_buffer import join_materials
from imagegs_tex.shaders.include_text import WGSL_INCLUDE
from imagegs_tex.shaders.sample_shaders import SHARED_PARTS, sample_shaders
from imagegs_tex.shaders.shared_decoder import shared_decoder
from imagegs_tex.verification import MAX_ERROR

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
    "noise of other texels": ("place.x & 63u", "(place.x + 1u) & 63u"),
    "samples of the next texel": ("at.y * u32(m.width) + at.x", "at.y * u32(m.width) + at.x + 1u"),
    "levels without what they store": ("texel.channel[c] + more.channel[c]", "texel.channel[c]"),
}


@pytest.fixture(scope="module")
def gpu(require_tool):
    wgpu = pytest.importorskip("wgpu")
    adapters = [each for each in wgpu.gpu.enumerate_adapters_sync() if each.info["backend_type"] == "Vulkan"]
    require_tool(bool(adapters), "no Vulkan: Debian's mesa-vulkan-drivers")
    return wgpu, adapters[0].request_device_sync()


@pytest.fixture(scope="module")
def asked():
    packed = [shader_decoder(quantized).packed for quantized in SETS]
    return join_materials(packed), *requests(packed)


def run(gpu, shader, words, rows):
    wgpu, device = gpu
    size = 4 * VALUES * len(rows)
    buffers = [
        device.create_buffer_with_data(data=words.astype("<u4"), usage=wgpu.BufferUsage.STORAGE),
        device.create_buffer_with_data(data=rows, usage=wgpu.BufferUsage.STORAGE),
        device.create_buffer(size=size, usage=wgpu.BufferUsage.STORAGE | wgpu.BufferUsage.COPY_SRC),
    ]
    module = device.create_shader_module(code=shader)
    pipeline = device.create_compute_pipeline(layout="auto", compute={"module": module, "entry_point": "main"})
    entries = [
        {"binding": number, "resource": {"buffer": buffer, "offset": 0, "size": buffer.size}}
        for number, buffer in enumerate(buffers)
    ]
    group = device.create_bind_group(layout=pipeline.get_bind_group_layout(0), entries=entries)
    encoder = device.create_command_encoder()
    work = encoder.begin_compute_pass()
    work.set_pipeline(pipeline)
    work.set_bind_group(0, group)
    work.dispatch_workgroups(-(-len(rows) // 64))
    work.end()
    device.queue.submit([encoder.finish()])
    return np.frombuffer(device.queue.read_buffer(buffers[2]), np.float32).reshape(-1, VALUES)


@pytest.mark.parametrize("change", BROKEN)
def test_it_decodes_and_breaks(gpu, asked, change):
    words, rows, right = asked
    text = shared_decoder(*MOST).includes[WGSL_INCLUDE]
    old, new = BROKEN[change]
    assert old in text
    found = run(gpu, text.replace(old, new) + SHADER, words, rows)
    error = np.nanmax(np.abs(found - right))
    assert error > MAX_ERROR if change else error <= MAX_ERROR


def test_the_samples_are_valid(gpu):
    samples = sample_shaders(shared_decoder().includes, SHARED_PARTS)
    for name in ("sample_compute.wgsl", "sample_pixel.wgsl"):
        gpu[1].create_shader_module(code=samples[name])
