"""The loader of three.js: a material with what the file's channels mean, a page that renders, and types that hold."""

import io
import shutil
import subprocess

import numpy as np
import pytest
from helpers.made_gaussians import made_map, made_set
from helpers.web_pages import NODE_MODULES, WEB, example_page, need_three, need_web
from PIL import Image

import imagegs_tex
from imagegs_tex.formats.igs.container import encode_igs
from imagegs_tex.formats.images import read_image
from imagegs_tex.formats.vocabulary import Coded, Constant, Semantic, Transfer, UnitZ

LINEAR, SRGB = Transfer.LINEAR, Transfer.SRGB
CUT_OUT = made_map(
    "leaf", Semantic.BASE_COLOUR, (*map(Coded, range(3)), Coded(5)), SRGB,
    channel_semantics=(*[Semantic.BASE_COLOUR] * 3, Semantic.OPACITY),
)  # fmt: skip
COLOUR = made_map("colour", Semantic.BASE_COLOUR, tuple(map(Coded, range(3))), SRGB)
NORMAL = made_map("normal", Semantic.NORMAL, (Coded(3), Coded(4), UnitZ()), LINEAR)
GLOSS = made_map("gloss", Semantic.GLOSS, (Coded(5),), LINEAR)
SHADE = made_map("shade", Semantic.OCCLUSION, (Coded(4),), LINEAR)
METAL = made_map("metal", Semantic.METALLIC, (Constant(1.0),), LINEAR)
LIGHT = made_map("light", Semantic.EMISSIVE, (Coded(2),), SRGB)
MATERIALS = {
    "full": made_set(
        48, 32, 60, 6, components=4, wrap=(True, False), maps=(COLOUR, NORMAL, GLOSS, SHADE, METAL, LIGHT)
    ),
    "leaf": made_set(32, 32, 40, 6, components=4, maps=(CUT_OUT, NORMAL)),
}
LOAD = """async (name) => {
    const THREE = await import('three');
    const { IgsLoader } = await import('/igs-loader.js');
    window.loader ??= new IgsLoader(); // one context for all: its programs take long to compile in software
    loader.setPath('/files/').setFlipY(false).setNormalConvention('opengl');
    const made = await loader.loadAsync(`${name}.igs`);
    const texture = (each) => each && {
        colourSpace: each.colorSpace, wrap: [each.wrapS === THREE.RepeatWrapping, each.wrapT === THREE.RepeatWrapping],
        data: Array.from(each.image.data), mips: each.generateMipmaps, flipY: each.flipY,
    };
    const slots = ['map', 'normalMap', 'roughnessMap', 'metalnessMap', 'aoMap', 'emissiveMap', 'alphaMap'];
    const flipped = await loader.setFlipY(true).setNormalConvention('directx').loadAsync(`${name}.igs`);
    const maps = await loader.parseTextures(await (await fetch(`/files/${name}.igs`)).arrayBuffer());
    return {
        type: made.type, name: made.name,
        textures: Object.fromEntries(slots.map((slot) => [slot, texture(made[slot])])),
        numbers: [made.roughness, made.metalness, made.emissive.r, made.normalScale.y, made.alphaTest,
            made.transparent],
        shared: made.aoMap === made.roughnessMap, info: made.userData.igs,
        flipped: [flipped.normalScale.y, Array.from(flipped.map.image.data.slice(0, 4))], maps: [...maps.keys()],
    };
}"""
FAIL = """async () => {
    const { IgsLoader } = await import('/igs-loader.js');
    const said = [];
    for (const url of ['/files/none.igs', '/package.json']) {
        await new Promise((resolve) => {
            new IgsLoader().load(url, resolve, undefined, (error) => resolve(said.push(error.message)));
        });
    }
    return said;
}"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    for name, made in MATERIALS.items():
        (folder / f"{name}.igs").write_bytes(encode_igs(made))
    return folder


@pytest.fixture(scope="module")
def page(folder, require_tool):
    need_web(require_tool)
    need_three(require_tool)
    files = {path.name: path for path in folder.glob("*.igs")}
    with example_page(files, "full.igs", "texels from", 480, 270) as page:
        yield page


def test_the_example_page_draws_the_material(page):
    assert page.inner_text("p").startswith("full: 48 × 32 texels from ")
    page.wait_for_timeout(500)
    shot = np.asarray(Image.open(io.BytesIO(page.screenshot())).convert("RGB")).astype(float)
    middle = shot[90:180, 120:360]
    assert middle.std() > 15  # shapes with a picture on them, not one colour
    assert shot[:20, :20].max() < 40  # before the ground
    assert page.wrong == []
    page.goto(page.url.split("example")[0] + "package.json")  # the page would go on drawing
    page.add_script_tag(content='{"imports": {"three": "/node_modules/three/build/three.module.js"}}', type="importmap")
    page.wrong.clear()


def test_a_material_has_what_the_channels_mean(page, folder, tmp_path):
    made = page.evaluate(LOAD, "full")
    imagegs_tex.decode(folder / "full.igs", tmp_path)
    maps = {name: read_image(tmp_path / f"{name}.png")[0].reshape(32, 48, -1).astype(int) for name in made["maps"]}
    textures = made["textures"]
    texels = {slot: np.array(each["data"]).reshape(32, 48, 4) for slot, each in textures.items() if each}
    assert (made["type"], made["name"]) == ("MeshStandardMaterial", "full")
    assert np.abs(texels["map"][..., :3] - maps["colour"]).max() <= 1
    assert (texels["map"][..., 3] == 255).all()
    assert np.abs(texels["normalMap"][..., :3] - maps["normal"]).max() <= 1
    assert made["shared"]
    assert np.abs(texels["aoMap"][..., :1] - maps["shade"]).max() <= 1  # red
    assert np.abs(255 - texels["roughnessMap"][..., 1:2] - maps["gloss"]).max() <= 1  # green, turned round
    assert (texels["metalnessMap"][..., 2] == 255).all()  # blue
    assert np.abs(texels["emissiveMap"][..., :3] - maps["light"]).max() <= 1
    spaces = {slot: each["colourSpace"] for slot, each in textures.items() if each}
    assert spaces == {
        "map": "srgb", "normalMap": "", "roughnessMap": "", "metalnessMap": "", "aoMap": "", "emissiveMap": "srgb"
    }  # fmt: skip
    assert all(
        each["wrap"] == [True, False] and each["mips"] and not each["flipY"] for each in textures.values() if each
    )
    assert made["numbers"] == [1, 1, 1, 1, 0, False]
    assert made["info"]["fileBytes"] == (folder / "full.igs").stat().st_size
    turned, corner = made["flipped"]
    assert turned == -1
    assert np.abs(np.array(corner[:3]) - maps["colour"][-1, 0]).max() <= 1  # the first row is the bottom one


def test_opacity_is_alpha_and_blends(page, folder):
    made = page.evaluate(LOAD, "leaf")
    assert made["numbers"][4:] == [0, True]  # soft all over: blended
    assert len(set(made["textures"]["map"]["data"][3::4])) > 4


def test_errors_reach_the_callback(page):
    none, broken = page.evaluate(FAIL)
    assert "404" in none
    assert broken.startswith("package.json: ")
    page.wrong.clear()


def test_the_types_hold(tmp_path, require_tool):
    compiler = NODE_MODULES / "typescript" / "bin" / "tsc"
    require_tool(shutil.which("node") is not None and compiler.exists(), "no typescript in build/npm: see .ci/run")
    need_three(require_tool)
    (tmp_path / "node_modules").symlink_to(NODE_MODULES)
    (tmp_path / "web").symlink_to(WEB)
    source = tmp_path / "use.ts"
    lines = [
        "import { loadIgs, parseIgs, IgsError, type IgsFile } from './web/igs.js';",
        "import { IgsDecoder, channelOf, planOf } from './web/decode.js';",
        "import { IgsLoader } from './web/igs-loader.js';",
        "import { decoderWgsl, uploadWords } from './web/webgpu.js';",
        "import { IgsGltfExtension } from './web/igs-gltf.js';",
        "import { GLTFLoader } from 'three/addons/loaders/GLTFLoader.js';",
        "import type { MeshStandardMaterial } from 'three';",
        "const material: MeshStandardMaterial = await new IgsLoader().setFlipY(false).loadAsync('a.igs');",
        "const file: IgsFile = await loadIgs(new URL('a.igs', 'http://localhost/'));",
        "const [map] = (await parseIgs(new Uint8Array(4))).mapsOf('base_colour');",
        "const plans = [planOf(map), { channels: [channelOf(map, 0), { constant: 1 }], log: null, srgb: false }];",
        "const bytes: number = (await new IgsDecoder().decode(file, { plans }))[0].width;",
        "if (map.channels[0].kind === 'constant') console.log(map.channels[0].constant, bytes, material);",
        "new GLTFLoader().register((parser) => new IgsGltfExtension(parser));",
        "const device: GPUDevice = await (await navigator.gpu.requestAdapter())!.requestDevice();",
        "const words: GPUBuffer = uploadWords(device, file);",
        "device.createShaderModule({ code: decoderWgsl(file) });",
        "words.destroy();",
        "throw new IgsError('CODE', 'text');",
    ]
    source.write_text("\n".join(lines))
    options = ["--noEmit", "--strict", "--skipLibCheck", "--target", "esnext", "--module", "esnext"]
    options += ["--moduleResolution", "bundler"]
    done = subprocess.run(
        ["node", compiler, *options, source], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    source.write_text("\n".join([*lines[:9], "const wrong: string = file.width;"]))
    done = subprocess.run(
        ["node", compiler, *options, source], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert "TS2322" in done.stdout
