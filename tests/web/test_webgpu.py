"""runtime/web/webgpu.js in a browser: what a shader in WGSL decodes is what the package decodes."""

import base64

import numpy as np
import pytest
from helpers.made_gaussians import made_map, made_set
from helpers.web_pages import WEB, WEBGPU, chromium, need_web, open_page

from imagegs_tex.decoder.maps import decode_maps
from imagegs_tex.formats.igs.container import decode_igs, encode_igs
from imagegs_tex.formats.vocabulary import Coded, Semantic, Transfer
from imagegs_tex.rasterize.select_backend import make_backend
from imagegs_tex.shaders.sample_shaders import SHARED_PARTS, sample_shaders
from imagegs_tex.shaders.shared_decoder import shared_decoder
from imagegs_tex.viewing.serve_viewer import serving

COLOUR = made_map("colour", Semantic.BASE_COLOUR, tuple(map(Coded, range(3))), Transfer.SRGB)
PACKED = made_map("packed", Semantic.DATA, tuple(map(Coded, (3, 5, 4))), Transfer.LINEAR)
GOLDEN = ("version_4", "version_4_exact", "version_4_residual")
MADE = {
    "repeats": made_set(96, 64, 200, 6, components=4, wrap=(True, True), maps=(COLOUR, PACKED)),
    "wide": made_set(130, 66, 120, 6, components=3, spread=6, maps=(COLOUR, PACKED)),
}
HAS_DEVICE = "async () => navigator.gpu !== undefined && await navigator.gpu.requestAdapter() !== null"
READ = """async (names) => {
    const { loadIgs } = await import('/igs.js');
    const { decoderWgsl, uploadWords } = await import('/webgpu.js');
    const device = await (await navigator.gpu.requestAdapter()).requestDevice();
    device.pushErrorScope('validation');
    const read = {};
    for (const name of names) {
        const file = await loadIgs(`/files/${name}.igs`);
        const size = 4 * file.width * file.height * file.channelCount;
        const code = `${decoderWgsl(file)}
            @group(0) @binding(1) var<storage, read_write> found: array<f32>;
            @compute @workgroup_size(8, 8)
            fn main(@builtin(global_invocation_id) id: vec3u) {
                if (id.x >= ${file.width}u || id.y >= ${file.height}u) { return; }
                let texel = igs_decode(0u, (vec2f(id.xy) + 0.5) / vec2f(${file.width}.0, ${file.height}.0));
                for (var c = 0u; c < ${file.channelCount}u; c++) {
                    found[(id.y * ${file.width}u + id.x) * ${file.channelCount}u + c] = texel.channel[c];
                }
            }`;
        const module = device.createShaderModule({ code });
        const pipeline = await device.createComputePipelineAsync({ layout: 'auto', compute: { module } });
        const { STORAGE, COPY_SRC, COPY_DST, MAP_READ } = GPUBufferUsage;
        const buffers = [uploadWords(device, file), device.createBuffer({ size, usage: STORAGE | COPY_SRC })];
        const shown = device.createBuffer({ size, usage: MAP_READ | COPY_DST });
        const encoder = device.createCommandEncoder(), pass = encoder.beginComputePass();
        pass.setPipeline(pipeline);
        pass.setBindGroup(0, device.createBindGroup({
            layout: pipeline.getBindGroupLayout(0),
            entries: buffers.map((buffer, binding) => ({ binding, resource: { buffer } })),
        }));
        pass.dispatchWorkgroups(Math.ceil(file.width / 8), Math.ceil(file.height / 8));
        pass.end();
        encoder.copyBufferToBuffer(buffers[1], 0, shown, 0, size);
        device.queue.submit([encoder.finish()]);
        await shown.mapAsync(GPUMapMode.READ);
        const bytes = Array.from(new Uint8Array(shown.getMappedRange()), (byte) => String.fromCharCode(byte));
        read[name] = btoa(bytes.join(''));
        [...buffers, shown].forEach((buffer) => buffer.destroy());
    }
    const error = await device.popErrorScope();
    device.destroy();
    return [read, error === null ? '' : error.message];
}"""
COMPILE = """async (code) => {
    const device = await (await navigator.gpu.requestAdapter()).requestDevice();
    const module = device.createShaderModule({ code });
    const said = (await module.getCompilationInfo()).messages.map((message) => message.message);
    const made = device.createComputePipelineAsync({ layout: 'auto', compute: { module } });
    const failed = await made.then(() => [], (error) => [error.message]);
    device.destroy();
    return [...said, ...failed];
}"""
TOO_LARGE = """async (name) => {
    const { loadIgs } = await import('/igs.js');
    const { uploadWords } = await import('/webgpu.js');
    const file = await loadIgs(`/files/${name}.igs`);
    try {
        return uploadWords({ limits: { maxStorageBufferBindingSize: file.gpuBytes - 1 } }, file);
    } catch (error) {
        return error.code;
    }
}"""


@pytest.fixture(scope="module")
def files(tmp_path_factory, repository):
    folder = tmp_path_factory.mktemp("files")
    for name in GOLDEN:
        (folder / f"{name}.igs").write_bytes((repository / "tests" / "golden" / f"{name}.igs").read_bytes())
    for name, made in MADE.items():
        (folder / f"{name}.igs").write_bytes(encode_igs(made))
    return {path.name: path for path in folder.iterdir()}


@pytest.fixture(scope="module")
def page(files, require_tool):
    need_web(require_tool)
    with serving(WEB, files) as server, chromium(*WEBGPU) as browser:
        page = open_page(browser, f"{server.address}package.json")
        require_tool(page.evaluate(HAS_DEVICE), "this chromium has no WebGPU")
        yield page


def test_shaders_decode_what_the_command_line_decodes(page, files):
    found, error = page.evaluate(READ, [*GOLDEN, *MADE])
    assert error == ""
    for name, text in found.items():
        quantized = decode_igs(files[f"{name}.igs"].read_bytes())
        size = quantized.height, quantized.width, quantized.channel_count
        texels = np.frombuffer(base64.b64decode(text), np.float32).reshape(size)
        compared = 0
        maps = decode_maps(quantized, make_backend("cpu"), with_detail=True)
        for known, (_, samples) in zip(quantized.maps, maps, strict=True):
            for place, route in enumerate(known.routes):
                if isinstance(route, Coded) and samples.dtype == np.uint8:
                    wanted = samples[..., place].astype(float)
                    assert np.abs(255 * texels[..., route.index] - wanted).max() <= 1, (name, known.name)
                    assert np.ptp(wanted) > 5
                    compared += 1
        assert compared >= 6


@pytest.mark.parametrize("most", [(12, 16), (32, 32)])
def test_groups_have_room_and_barriers_that_all_threads_reach(page, most):
    """As a browser judges it, in the least memory that workgroups have."""
    text = sample_shaders(shared_decoder(*most).includes, SHARED_PARTS)["sample_compute.wgsl"]
    assert page.evaluate(COMPILE, text) == []
    uneven = text.replace("igs_uniform(lists.groups, thread)", "lists.groups")
    assert uneven != text
    assert any("uniform control flow" in said for said in page.evaluate(COMPILE, uneven))


def test_what_does_not_fit_a_storage_buffer_is_said(page):
    assert page.evaluate(TOO_LARGE, "repeats") == "TOO_LARGE"
