"""A .glb whose textures are maps of an .igs file, in three.js."""

import io
import time

import numpy as np
import pytest
from helpers.made_gaussians import made_map, made_set
from helpers.made_gltf import CLAMP, Asset
from helpers.web_pages import example_page, need_three, need_web
from PIL import Image

import imagegs_tex
from imagegs_tex.formats.gltf.materials import read_gltf
from imagegs_tex.formats.gltf.write_gltf import IgsOfMaterial, gltf_with_igs
from imagegs_tex.formats.igs.container import encode_igs
from imagegs_tex.formats.images import read_image, write_image
from imagegs_tex.formats.vocabulary import Coded, Semantic, Transfer, UnitZ

CORNERS = np.array([[-1, 1, 0], [1, 1, 0], [1, -1, 0], [-1, -1, 0]], np.float32)
PLACE = {"min": [-1, -1, 0], "max": [1, 1, 0]}
MOST_SECONDS = 20  # until the model is drawn
LOOKS = {"doubleSided": True, "emissiveFactor": [0, 0, 0]}
"""The page turns the model: both sides are drawn, and light of its own does not hide the textures."""
QUAD = made_set(
    32, 32, 60, 6, components=4,
    maps=(
        made_map("basecolor", Semantic.BASE_COLOUR, tuple(map(Coded, range(3))), Transfer.SRGB),
        made_map("metallic_roughness", Semantic.DATA, (Coded(0), Coded(5), Coded(2)), Transfer.LINEAR),
        made_map("normal", Semantic.NORMAL, (Coded(3), Coded(4), UnitZ()), Transfer.LINEAR),
    ),
)  # fmt: skip
LOAD = """async (url) => {
    const THREE = await import('three');
    const { GLTFLoader } = await import('three/addons/loaders/GLTFLoader.js');
    const { IgsGltfExtension } = await import('/igs-gltf.js');
    const loader = new GLTFLoader().register((parser) => new IgsGltfExtension(parser));
    const { scene } = await loader.loadAsync(url);
    let material = null;
    scene.traverse((each) => { material ??= each.material; });
    const texture = (each) => each && { data: Array.from(each.image.data), space: each.colorSpace, flipY: each.flipY,
        wrap: [each.wrapS === THREE.ClampToEdgeWrapping, each.wrapT === THREE.ClampToEdgeWrapping] };
    return { map: texture(material.map), normal: texture(material.normalMap), rough: texture(material.roughnessMap),
        shared: material.roughnessMap === material.metalnessMap };
}"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gltf")
    (folder / "quad.igs").write_bytes(encode_igs(QUAD))
    (folder / "quad").mkdir()
    for number, texture_map in enumerate(QUAD.maps):
        write_image(folder / "quad" / f"{texture_map.name}.png", np.full((4, 4, 3), 40 * number, np.uint8))
    asset = Asset()
    asset.root |= {"samplers": [CLAMP], "nodes": [{"mesh": 0}], "scenes": [{"nodes": [0]}]}
    primitive = asset.mesh(asset.material("quad", folder / "quad", "views", sampler=0, **LOOKS))
    primitive["attributes"]["POSITION"] = asset.accessor(CORNERS, "VEC3", **PLACE)
    source = asset.write(folder / "source.glb")
    names = frozenset(each.name for each in QUAD.maps)
    for uri in ("quad.igs", "missing.igs"):
        data = gltf_with_igs(source, [IgsOfMaterial(uri, read_gltf(source).materials[0], names)])
        (folder / f"{uri[:-4]}.glb").write_bytes(data)
    return folder


@pytest.fixture(scope="module")
def page(folder, require_tool):
    need_web(require_tool)
    need_three(require_tool)
    files = {path.name: path for path in folder.iterdir() if path.is_file()}
    with example_page(files, "quad.glb", "quad.glb", 320, 240) as page:
        yield page


def middle_of(page):
    """The picture within the quad, as floats [40, 40, 3]."""
    return np.asarray(Image.open(io.BytesIO(page.screenshot())).convert("RGB")).astype(float)[90:130, 140:180]


def test_the_example_page_shows_the_model(page):
    ends = time.monotonic() + MOST_SECONDS
    while (spread := middle_of(page).std()) <= 5 and time.monotonic() < ends:  # not drawn yet, or seen from its edge
        page.wait_for_timeout(200)
    assert spread > 5
    assert page.wrong == []


def test_textures_are_the_files_maps_with_the_assets_samplers(page, folder, tmp_path):
    made = page.evaluate(LOAD, "/files/quad.glb")
    imagegs_tex.decode(folder / "quad.igs", tmp_path)
    for key, name in (("map", "basecolor"), ("normal", "normal"), ("rough", "metallic_roughness")):
        wanted = read_image(tmp_path / f"{name}.png")[0].astype(int)
        found = np.array(made[key]["data"]).reshape(32, 32, 4)[..., :3]
        assert np.abs(found - wanted).max() <= 1, name
        assert made[key]["wrap"] == [True, True]
        assert not made[key]["flipY"]
    assert [made[key]["space"] for key in ("map", "normal", "rough")] == ["srgb", "", ""]
    assert made["shared"]


def test_a_model_without_its_file_fails_with_the_reason(page):
    with pytest.raises(Exception, match=r"missing\.igs.*404"):
        page.evaluate(LOAD, "/files/missing.glb")
