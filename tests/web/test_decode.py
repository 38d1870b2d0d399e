"""runtime/web in a browser: what a page decodes is what the package decodes."""

import base64
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from helpers.made_gaussians import made_map, made_set
from helpers.made_repeat import with_repeat
from helpers.made_residual import made_residual
from helpers.web_pages import WEB, chromium, need_builders, need_web, open_page

import imagegs_tex
from imagegs_tex.formats.igs.container import encode_igs
from imagegs_tex.formats.igs.exact_samples import exact_samples
from imagegs_tex.formats.images import read_image
from imagegs_tex.formats.transfer_functions import srgb_to_linear
from imagegs_tex.formats.vocabulary import Coded, Constant, SampleFormat, Semantic, Transfer, UnitZ
from imagegs_tex.shaders.gpu_buffer import pack_gaussians
from imagegs_tex.viewing.serve_viewer import serving

LINEAR, SRGB = Transfer.LINEAR, Transfer.SRGB
COLOUR = made_map("colour", Semantic.BASE_COLOUR, tuple(map(Coded, range(3))), SRGB)
UNIT = made_map("normal", Semantic.NORMAL, (Coded(3), Coded(4), UnitZ()), LINEAR)
HEIGHT = made_map("height", Semantic.HEIGHT, (Coded(5),), LINEAR, sample_format=SampleFormat.UINT16)
LIGHT = made_map(
    "light",
    Semantic.EMISSIVE,
    tuple(map(Coded, range(3))),
    Transfer.LOG,
    (0.0, 8.0),
    sample_format=SampleFormat.FLOAT16,
)
PACKED = made_map("packed", Semantic.DATA, (Coded(3), Constant(0.25), Coded(5), Coded(4)), LINEAR)


def with_residual(quantized):
    return replace(quantized, residual=made_residual(quantized, components=4))


def with_samples(quantized):
    texels = np.random.default_rng(5).random((quantized.height, quantized.width, 6), np.float32)
    return replace(quantized, exact=exact_samples(texels, quantized.maps))


# One count of components and of values up to a multiple of 4: one program, whose compilation takes a second or more.
MATERIALS = {
    "repeats": made_set(96, 64, 200, 6, components=4, wrap=(True, True), maps=(COLOUR, UNIT, HEIGHT)),
    "ends": made_set(61, 47, 90, 6, components=3, maps=(COLOUR, UNIT, HEIGHT)),
    "bright": made_set(40, 70, 60, 6, components=2, wrap=(True, False), maps=(LIGHT, UNIT, HEIGHT)),
    "wide": made_set(130, 66, 120, 6, components=4, spread=6, maps=(COLOUR, PACKED)),
    "small": made_set(1, 1, 1, 6, components=1, maps=(COLOUR, PACKED)),
    "noisy": made_set(
        70, 60, 80, 6, components=3, wrap=(True, False), maps=(COLOUR, UNIT, HEIGHT), detail={"grid": (4, 3)}
    ),
    "layered": with_residual(made_set(61, 47, 90, 6, components=3, wrap=(True, False), maps=(COLOUR, UNIT, HEIGHT))),
    "tiled": with_repeat(
        made_set(57, 43, 60, 6, components=3, maps=(COLOUR, UNIT, HEIGHT)),
        period=(12, 9),
        origin=(3, 2),
        shift=5,
        side_log2=3,
    ),
    "exact": with_samples(made_set(33, 21, 1, 6, components=1, maps=(COLOUR, UNIT, HEIGHT))),
}
READ = """async (names) => {
    const { loadIgs } = await import('/igs.js');
    const { IgsDecoder } = await import('/decode.js');
    window.decoder = new IgsDecoder();
    const read = {};
    for (const name of names) {
        const file = await loadIgs(`/files/${name}.igs`);
        const textures = await decoder.decode(file);
        const texts = textures.map((texture) => {
            const bytes = new Uint8Array(decoder.read(texture).buffer);
            return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
        });
        read[name] = [file, texts, decoder.gl.getError()];
        textures.forEach((texture) => texture.dispose());
    }
    return JSON.parse(JSON.stringify(read, (key, value) => ArrayBuffer.isView(value) ? value.length : value));
}"""
WORDS = """async (name) => {
    const { loadIgs } = await import('/igs.js');
    return Array.from((await loadIgs(`/files/${name}.igs`)).words);
}"""
MIPS = """async (name) => {
    const { loadIgs } = await import('/igs.js');
    const file = await loadIgs(`/files/${name}.igs`);
    const gl = decoder.gl, textures = await decoder.decode(file), frame = gl.createFramebuffer();
    const corner = textures.map(({ texture }) => {
        const found = new Uint8Array(4);
        gl.bindFramebuffer(gl.FRAMEBUFFER, frame);
        gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, texture, 5);
        gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, found);
        return Array.from(found);
    });
    gl.deleteFramebuffer(frame);
    const made = [textures.map((texture) => texture.isSrgb), corner, gl.getError()];
    textures.forEach((texture) => texture.dispose());
    return made;
}"""
LEAK = """async (name) => {
    const { parseIgs, runtimeBytes } = await import('/igs.js');
    const data = await (await fetch(`/files/${name}.igs`)).arrayBuffer();
    const counts = [];
    for (let i = 0; i < 100; i += 1) {
        const file = await parseIgs(data);
        (await decoder.decode(file, { plans: [] })).forEach((texture) => texture.dispose());
        if (i % 33 === 0) {
            const textures = await decoder.decode(file);
            textures.forEach((texture) => texture.dispose());
            counts.push([runtimeBytes(), decoder.live]);
        }
    }
    return counts;
}"""
DIRECT = """async (name) => {
    const { loadIgs } = await import('/igs.js');
    const { decoderSource } = await import('/decode.js');
    const file = await loadIgs(`/files/${name}.igs`);
    const [gl, words] = [decoder.gl, decoder.upload(file)];
    const program = decoder.link(`#version 300 es\n${decoderSource(file, words.rowLog2)}
        out vec4 colour;
        void main() {
            IgsTexel texel = igs_decode(0u, gl_FragCoord.xy / vec2(${file.width}, ${file.height}));
            colour = vec4(texel.channel[0], texel.channel[1], texel.channel[2], 1.0);
        }`);
    const target = decoder.target(file, { log: null });
    gl.bindFramebuffer(gl.FRAMEBUFFER, gl.createFramebuffer());
    gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, target.texture, 0);
    gl.bindTexture(gl.TEXTURE_2D, words.texture);
    gl.useProgram(program);
    gl.viewport(0, 0, file.width, file.height);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
    return Array.from(decoder.read(target));
}"""
BROKEN = """async ([text]) => {
    const { parseIgs, IgsError } = await import('/igs.js');
    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    try {
        await parseIgs(bytes, { name: 'broken.igs' });
        return null;
    } catch (error) {
        return [error instanceof IgsError, error.code, error.message];
    }
}"""


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    for name, made in MATERIALS.items():
        (folder / f"{name}.igs").write_bytes(encode_igs(made))
    return {path.name: path for path in folder.iterdir()}


@pytest.fixture(scope="module")
def page(files, require_tool):
    need_web(require_tool)
    with serving(WEB, files) as server, chromium() as browser:
        page = open_page(browser, f"{server.address}package.json")
        yield page
        assert all(url.startswith((server.address, "data:")) for url in page.asked)


@pytest.fixture(scope="module")
def decoded(page):
    return page.evaluate(READ, list(MATERIALS))


def samples(path):
    """What the package writes, in the units that a texture has."""
    texels, kind = read_image(path)
    texels = texels.reshape(*texels.shape[:2], -1).astype(np.float64)
    return texels / {SampleFormat.UINT8: 255, SampleFormat.UINT16: 65535}.get(kind, 1)


@pytest.mark.parametrize("name", MATERIALS)
def test_textures_hold_what_the_command_line_decodes(name, decoded, files, tmp_path):
    imagegs_tex.decode(files[f"{name}.igs"], tmp_path)
    found, texts, error = decoded[name]
    made = MATERIALS[name]
    assert (found["width"], found["height"], found["gaussianCount"]) == (made.width, made.height, made.gaussian_count)
    assert (found["wrap"]["x"], found["wrap"]["y"]) == made.wrap
    assert error == 0
    for known, text in zip(found["maps"], texts, strict=True):
        wanted = samples(next(tmp_path.glob(f"{known['name']}.*")))
        is_float = known["transfer"] == "log"
        data = np.frombuffer(base64.b64decode(text), np.float32 if is_float else np.uint8).astype(np.float64)
        data = data.reshape(made.height, made.width, 4)[..., : wanted.shape[2]] / (1 if is_float else 255)
        allowed = np.maximum(1 / 255, 0.01 * np.abs(wanted)) if is_float else 1.001 / 255
        assert (np.abs(data - wanted) <= allowed).all(), known["name"]
        assert np.ptp(wanted) > 0.02 or made.width == 1  # a picture, not one colour


def test_colours_are_srgb_textures_and_levels_are_means(page, decoded):
    is_srgb, corner, error = page.evaluate(MIPS, "repeats")
    assert (is_srgb, error) == ([True, False, False], 0)
    for at, text in enumerate(decoded["repeats"][1]):
        block = np.frombuffer(base64.b64decode(text), np.uint8).reshape(64, 96, 4)[:32, :32, :3] / 255
        found = np.array(corner[at][:3]) / 255
        if is_srgb[at]:  # the mean of light
            block, found = srgb_to_linear(block), srgb_to_linear(found)
        assert np.abs(found - block.mean(axis=(0, 1))).max() < 0.01


@pytest.mark.parametrize("name", ["repeats", "bright", "noisy", "layered", "tiled", "exact"])
def test_the_words_are_those_of_the_package(page, decoded, files, name):
    assert page.evaluate(WORDS, name) == pack_gaussians(imagegs_tex.read_igs(files[f"{name}.igs"])).words.tolist()


def test_a_shader_can_decode_by_itself(page, decoded):
    found = np.array(page.evaluate(DIRECT, "repeats")).reshape(64, 96, 4)
    wanted = np.frombuffer(base64.b64decode(decoded["repeats"][1][0]), np.uint8).reshape(64, 96, 4)
    assert np.abs(found - wanted).max() <= 1


def test_maps_are_told_with_what_they_mean(decoded):
    colour, normal, height = decoded["repeats"][0]["maps"]
    assert [each["semantic"] for each in (colour, normal, height)] == ["base_colour", "normal", "height"]
    assert [each["transfer"] for each in (colour, normal, height)] == ["srgb", "linear", "linear"]
    assert height["sampleFormat"] == "uint16"
    assert [channel["kind"] for channel in normal["channels"]] == ["coded", "coded", "unit_z"]
    assert decoded["wide"][0]["maps"][1]["channels"][1] == {"semantic": "data", "kind": "constant", "constant": 0.25}


def test_layers_are_told(decoded):
    assert {name for name, (known, *_) in decoded.items() if known["hasResidual"]} == {"layered"}
    assert {name for name, (known, *_) in decoded.items() if known["hasRepeat"]} == {"tiled"}


def test_a_hundred_loads_keep_nothing(page, decoded):
    first, *rest = page.evaluate(LEAK, "ends")
    assert rest == [first] * 3
    assert first[0] <= 1 << 23  # most of it tables of the entropy coder


def test_what_is_broken_has_a_name_and_the_page_goes_on(page, decoded):
    whole = encode_igs(MATERIALS["ends"])
    flipped = bytearray(whole)
    flipped[20] ^= 1
    for data, code in ((b"GIF89a", "NOT_IGS"), (b"", "NOT_IGS"), (whole[:-1], None), (bytes(flipped), "HEADER_CRC")):
        is_own, found, message = page.evaluate(BROKEN, [base64.b64encode(data).decode()])
        assert is_own
        assert message.startswith("broken.igs: ")
        assert found == code or code is None
    for cut in range(0, len(whole), 97):
        assert page.evaluate(BROKEN, [base64.b64encode(whole[:cut]).decode()])[0]
    assert page.evaluate(BROKEN, [base64.b64encode(whole).decode()]) is None


def test_the_same_tools_build_the_same_module(tmp_path, require_tool):
    need_web(require_tool)
    need_builders(require_tool)
    subprocess.run([sys.executable, WEB.parent / "build_web.py", "-o", tmp_path], check=True)
    for name in ("igs.wasm", "decoder.js", "decoder-wgsl.js"):
        assert (tmp_path / name).read_bytes() == (WEB / "built" / name).read_bytes(), f"{name} is old: make web"
    assert (tmp_path / "igs.wasm").stat().st_size <= 120_000
