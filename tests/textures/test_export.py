"""Export: formats by meaning, mip chains, and files that readers which are not ours open and decode to the picture."""

import dataclasses
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from helpers.texture_readers import NO_KTX_PARSE, has_ktx_parse, read_dds, read_ktx2
from helpers.tiny_material import as_bytes, as_words, waves
from PIL import Image

import imagegs_tex
from imagegs_tex import CompressSettings, FitSettings
from imagegs_tex.decoder.render import render_channels
from imagegs_tex.formats.gpu_textures.texture import AlphaMode
from imagegs_tex.formats.igs.container import read_igs
from imagegs_tex.formats.images import read_image, write_image
from imagegs_tex.formats.material.stack import expand_map
from imagegs_tex.formats.transfer_functions import linear_to_srgb, srgb_to_linear
from imagegs_tex.formats.vocabulary import Coded, Constant, SampleFormat, Semantic, TextureMap, Transfer
from imagegs_tex.rasterize.select_backend import make_backend
from imagegs_tex.textures.export_maps import channel_roles, plan_texture
from imagegs_tex.textures.mip_chain import level_count, mip_chain

S = Semantic
SIZE = (50, 37)  # blocks that stick out on both sides, and odd levels


def cut_out(width, height):
    y, x = np.mgrid[:height, :width]
    return (np.hypot(x - width / 2, y - height / 2) < height / 3).astype(float)


def slopes(width, height, count):
    """Planes [H, W, count] in [0.1, 0.9] that stay smooth down to the last levels."""
    y, x = (np.mgrid[:height, :width] + 0.5) / max(width, height)
    phases = np.random.default_rng(3).uniform(0, 3, (count, 3))
    return np.stack([0.5 + 0.4 * np.sin(a * x + b * y + 2 * c) for a, b, c in phases], axis=-1)


def write_maps_of_every_kind(folder):
    width, height = SIZE
    folder.mkdir()
    planes = slopes(width, height, 16)
    vectors = np.dstack([0.6 * planes[..., 3:5] - 0.3, np.ones((height, width))])
    vectors /= np.linalg.norm(vectors, axis=-1, keepdims=True)
    colour = planes[..., :1] * (0.8, 0.7, 0.5) + 0.2 * planes[..., :3]
    write_image(folder / "albedo.png", as_bytes(np.dstack([colour, cut_out(width, height)])))
    write_image(folder / "normal.png", as_bytes((vectors + 1) / 2))
    write_image(folder / "height.png", as_words(planes[..., 5]))
    write_image(folder / "roughness.png", as_bytes(np.repeat(planes[..., 6:7], 3, axis=2)))
    write_image(folder / "orm.png", as_bytes(planes[..., 7:10]))
    write_image(folder / "emissive.exr", (planes[..., 10:13] ** 2 * 20).astype(np.float16))
    write_image(folder / "displacement_vectors.exr", (planes[..., 13:14] * 4 - 2).astype(np.float32))
    write_image(folder / "numbers.tif", as_bytes(planes[..., 14:16]))
    return folder


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    """An .igs file with maps of every kind, of a size that is no multiple of 4."""
    folder = write_maps_of_every_kind(tmp_path_factory.mktemp("material") / "kinds")
    path = tmp_path_factory.mktemp("packed") / "kinds.igs"
    imagegs_tex.compress(folder, path, CompressSettings(gaussian_count=150, fit=FitSettings(steps=40)), backend="cpu")
    return path


@pytest.fixture(scope="module")
def decoded(packed):
    """Maps by name, and their samples as floats."""
    quantized = read_igs(packed)
    texels = render_channels(quantized, make_backend("cpu")).numpy()
    return {
        entry.name: (entry, expand_map(texels, replace(entry, sample_format=SampleFormat.FLOAT32)))
        for entry in quantized.maps
    }


FORMATS = {  # by name: label, DXGI as OpenImageIO names it, VkFormat, transfer of KTX 2
    "albedo": ("BC7 sRGB", "BC7", 146, 2),
    "displacement_vectors": ("R16F", None, 76, 1),
    "emissive": ("BC6H", "BC6HU", 143, 1),
    "height": ("R16", None, 70, 1),
    "normal": ("BC5", "BC5", 141, 1),
    "numbers": ("BC5", "BC5", 141, 1),
    "orm": ("BC7", "BC7", 145, 1),
    "roughness": ("BC4", "BC4", 139, 1),
}


def psnr(first, second, peak=1.0):
    return -10 * np.log10(np.mean((np.asarray(first, float) - second) ** 2) / peak**2)


def expected_texels(entry, samples):
    """What the texture's channels should hold."""
    if entry.name == "normal":
        vectors = 2 * samples - 1
        return (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True) + 1)[..., :2] / 2
    return samples[..., list(plan_texture(entry).channels)]


def check_levels(name, levels, decoded):
    """Every level is that of the decode's chain, up to the block encoder's loss."""
    entry, samples = decoded[name]
    chain = mip_chain(samples, channel_roles(entry))
    peak = float(samples.max())
    for level, (texels, expected) in enumerate(zip(levels, chain, strict=True)):
        wanted = expected_texels(entry, expected)
        assert texels.shape[:2] == wanted.shape[:2]
        assert psnr(texels[..., : wanted.shape[2]], wanted, peak) > (26 if level else 36), (name, level)


# --- what becomes of each map


def make_map(meanings, routes=None, **fields):
    count = len(meanings)
    given = {
        "name": "m", "file_suffix": ".png", "semantic": meanings[0], "channel_semantics": tuple(meanings),
        "transfer": Transfer.LINEAR, "sample_format": SampleFormat.UINT8,
        "routes": tuple(routes or (Coded(index) for index in range(count))),
    }  # fmt: skip
    return TextureMap(**given | fields)


SRGB = {"transfer": Transfer.SRGB}
WORDS = {"sample_format": SampleFormat.UINT16}
HALF = {"sample_format": SampleFormat.FLOAT16, "transfer": Transfer.LOG}
GREY = [Coded(0)] * 3


@pytest.mark.parametrize(
    ("texture_map", "label", "channels", "alpha"),
    [
        (make_map([S.BASE_COLOUR] * 3, **SRGB), "BC7 sRGB", (0, 1, 2), "none"),
        (make_map([S.BASE_COLOUR] * 3, **SRGB, **WORDS), "BC7 sRGB", (0, 1, 2), "none"),
        (make_map([*[S.BASE_COLOUR] * 3, S.OPACITY], **SRGB), "BC7 sRGB", (0, 1, 2, 3), "coverage"),
        (make_map([*[S.BASE_COLOUR] * 3, S.HEIGHT], **SRGB), "BC7 sRGB", (0, 1, 2, 3), "data"),
        (make_map([*[S.BASE_COLOUR] * 3, S.OPACITY], [*GREY, Constant(1.0)], **SRGB), "BC7 sRGB", (0, 1, 2), "none"),
        (make_map([S.IMAGE], **SRGB), "BC7 sRGB", (0, 0, 0), "none"),
        (make_map([S.IMAGE, S.OPACITY], **SRGB), "BC7 sRGB", (0, 0, 0, 1), "coverage"),
        (make_map([S.NORMAL] * 3), "BC5", (0, 1), "none"),
        (make_map([S.NORMAL] * 2), "BC5", (0, 1), "none"),
        (make_map([S.NORMAL] * 3, **WORDS), "BC5", (0, 1), "none"),
        (make_map([*[S.NORMAL] * 3, S.DATA], [*map(Coded, range(3)), Constant(1.0)]), "BC5", (0, 1), "none"),
        (make_map([*[S.NORMAL] * 3, S.ROUGHNESS]), "BC7", (0, 1, 2, 3), "data"),
        (make_map([S.ROUGHNESS]), "BC4", (0,), "none"),
        (make_map([S.ROUGHNESS] * 3, GREY), "BC4", (0,), "none"),
        (make_map([S.METALLIC] * 3, [Constant(1.0)] * 3), "BC4", (0,), "none"),
        (make_map([S.OCCLUSION, S.ROUGHNESS, S.METALLIC], [Constant(1.0)] * 3), "BC7", (0, 1, 2), "none"),
        (make_map([S.OCCLUSION, S.ROUGHNESS, S.METALLIC]), "BC7", (0, 1, 2), "none"),
        (make_map([*[S.METALLIC] * 3, S.GLOSS], [*GREY, Coded(1)]), "BC5", (0, 3), "none"),
        (make_map([S.HEIGHT], **WORDS), "R16", (0,), "none"),
        (make_map([S.DATA, S.DATA]), "BC5", (0, 1), "none"),
        (make_map([S.DATA, S.DATA], [Coded(0), Constant(1.0)]), "BC5", (0, 1), "none"),
        (make_map([S.IMAGE] * 3, **HALF, log_range=(0.0, 9.0)), "BC6H", (0, 1, 2), "none"),
        (make_map([S.DATA] * 3, **HALF, log_range=(-1.0, 9.0)), "RGBA16F", (0, 1, 2), "none"),
        (make_map([*[S.IMAGE] * 3, S.OPACITY], **HALF), "RGBA16F", (0, 1, 2, 3), "coverage"),
        (make_map([S.HEIGHT], **HALF), "R16F", (0,), "none"),
        (make_map([S.DATA] * 2, **HALF), "RG16F", (0, 1), "none"),
        (make_map([S.NORMAL] * 3, **HALF, log_range=(-1.0, 1.0)), "RGBA16F", (0, 1, 2), "none"),
    ],
)
def test_what_a_map_becomes(texture_map, label, channels, alpha):
    plan = plan_texture(texture_map)
    assert (plan.pixel_format.label, plan.channels, plan.alpha) == (label, channels, AlphaMode(alpha))


def test_bc1_is_for_opaque_colour_alone():
    opaque = make_map([S.BASE_COLOUR] * 3, **SRGB)
    see_through = make_map([*[S.BASE_COLOUR] * 3, S.OPACITY], **SRGB)
    packed = make_map([S.OCCLUSION, S.ROUGHNESS, S.METALLIC])
    labels = [plan_texture(entry, bc1=True).pixel_format.label for entry in (opaque, see_through, packed)]
    assert labels == ["BC1 sRGB", "BC7 sRGB", "BC7"]


def test_how_channels_are_averaged():
    colour = channel_roles(make_map([*[S.BASE_COLOUR] * 3, S.OPACITY], **SRGB))
    assert (colour.srgb, colour.normal, colour.coverage, colour.covered) == ((0, 1, 2), (), 3, (0, 1, 2))
    packed = channel_roles(make_map([*[S.BASE_COLOUR] * 3, S.HEIGHT], **SRGB))
    assert (packed.srgb, packed.coverage, packed.covered) == ((0, 1, 2), None, ())
    normal = channel_roles(make_map([*[S.NORMAL] * 3, S.ROUGHNESS]))
    assert (normal.srgb, normal.normal, normal.coverage) == ((), (0, 1, 2), None)
    light = channel_roles(make_map([S.IMAGE] * 3, **HALF))
    assert light.srgb == ()
    assert channel_roles(make_map([S.OPACITY])).coverage == 0


# --- files in the hands of others


def test_dds_files_open_elsewhere_with_all_levels(packed, decoded, tmp_path):
    report = imagegs_tex.export(packed, tmp_path / "dds", "dds", backend="cpu")
    assert {entry.name: entry.pixel_format for entry in report.maps} == {
        name: label for name, (label, *_) in FORMATS.items()
    }
    assert {path.name for path in (tmp_path / "dds").iterdir()} == {f"{name}.dds" for name in FORMATS}
    for entry in report.maps:
        path = tmp_path / "dds" / f"{entry.name}.dds"
        assert path.stat().st_size == entry.bytes
        if entry.pixel_format == "R16F":  # unknown to OpenImageIO; its levels are checked in KTX 2
            assert path.read_bytes()[128:132] == (54).to_bytes(4, "little")
            continue
        levels, metadata = read_dds(path)
        assert metadata.get("compression") == FORMATS[entry.name][1], entry.name
        assert metadata["oiio:miplevels"] == entry.levels == 6
        assert ("srgb" in str(metadata.get("oiio:ColorSpace"))) == entry.pixel_format.endswith("sRGB")
        check_levels(entry.name, levels, decoded)


def test_pillow_reads_the_compressed_dds_files(packed, decoded, tmp_path):
    imagegs_tex.export(packed, tmp_path, "dds", backend="cpu")
    for name in ("albedo", "normal", "orm", "roughness"):
        with Image.open(tmp_path / f"{name}.dds") as picture:
            assert picture.size == SIZE
            texels = np.asarray(picture, float) / 255
        wanted = expected_texels(*decoded[name])
        assert psnr(texels.reshape(*texels.shape[:2], -1)[..., : wanted.shape[2]], wanted) > 36


def test_ktx2_files_open_elsewhere_with_all_levels(packed, decoded, tmp_path, require_tool):
    require_tool(has_ktx_parse(), NO_KTX_PARSE)
    report = imagegs_tex.export(packed, tmp_path / "ktx2", "ktx2", backend="cpu")
    for entry in report.maps:
        found = read_ktx2(tmp_path / "ktx2" / f"{entry.name}.ktx2", tmp_path / entry.name)
        _, _, vulkan, transfer = FORMATS[entry.name]
        header = found.header
        assert (header["pixelWidth"], header["pixelHeight"]) == SIZE
        assert (header["vkFormat"], header["levelCount"]) == (vulkan, 6)
        assert header["keyValue"] == {
            "KTXorientation": "rd", "KTXwriter": f"imagegs_tex {imagegs_tex.__version__}"
        }  # fmt: skip
        [description] = header["dataFormatDescriptor"]
        assert description["transferFunction"] == transfer
        scale = 65535 if vulkan == 70 else 255
        levels = [
            level.astype(np.float32) / (1 if level.dtype.kind == "f" else scale) for level in found.levels
        ]  # fmt: skip
        check_levels(entry.name, levels, decoded)


def test_a_height_of_16_bits_keeps_them(packed, decoded, tmp_path):
    imagegs_tex.export(packed, tmp_path, "ktx2", backend="cpu")
    data = (tmp_path / "height.ktx2").read_bytes()
    _, samples = decoded["height"]
    place, length = (int.from_bytes(data[at : at + 8], "little") for at in (80, 88))  # of level 0
    texels = np.frombuffer(data[place : place + length], "<u2").reshape(SIZE[1], SIZE[0])
    assert np.abs(texels / 65535 - samples[..., 0]).max() <= 0.5 / 65535 + 1e-7


def test_png_has_one_picture_per_level(packed, tmp_path):
    report = imagegs_tex.export(packed, tmp_path / "png", "png", backend="cpu")
    imagegs_tex.decode(packed, tmp_path / "decoded", backend="cpu")
    for entry in report.maps:
        suffix = ".exr" if entry.pixel_format.startswith("float") else ".png"
        for level in range(entry.levels):
            texels, sample_format = read_image(tmp_path / "png" / f"{entry.name}_mip{level}{suffix}")
            assert texels.shape[:2] == (max(1, SIZE[1] >> level), max(1, SIZE[0] >> level))
            assert sample_format.name.lower() == entry.pixel_format
        whole, _ = read_image(tmp_path / "png" / f"{entry.name}_mip0{suffix}")
        again = read_image(tmp_path / "decoded" / f"{entry.name}{suffix}")[0]
        np.testing.assert_allclose(whole, again, rtol=2**-10 if suffix == ".exr" else 0)  # half floats: the last bit
    assert len(list((tmp_path / "png").iterdir())) == 6 * len(report.maps)


def test_colours_get_darker_nowhere(packed, decoded, tmp_path):
    """The light of the last level is that of the picture; averaging encoded values would lose some."""
    imagegs_tex.export(packed, tmp_path, "png", backend="cpu")
    _, samples = decoded["albedo"]
    alpha = samples[..., 3:]
    light = (srgb_to_linear(samples[..., :3]) * alpha).sum((0, 1)) / alpha.sum()
    last = read_image(tmp_path / "albedo_mip5.png")[0][0, 0, :3] / 255
    np.testing.assert_allclose(last, linear_to_srgb(light.astype(np.float32)), atol=1.5 / 255)


@pytest.mark.parametrize("container", ["dds", "ktx2"])
def test_bc1_opens_elsewhere(container, tmp_path, require_tool):
    write_image(tmp_path / "picture.png", as_bytes(waves(*SIZE, 3)))
    settings = CompressSettings(gaussian_count=60, fit=FitSettings(steps=20))
    imagegs_tex.compress(tmp_path / "picture.png", tmp_path / "m.igs", settings, backend="cpu")
    report = imagegs_tex.export(tmp_path / "m.igs", tmp_path / "out", container, bc1=True, backend="cpu")
    assert report.maps[0].pixel_format == "BC1 sRGB"
    path = tmp_path / "out" / f"picture.{container}"
    if container == "dds":
        levels, metadata = read_dds(path)
        assert metadata["compression"] in {"BC1", "DXT1"}
    else:
        require_tool(has_ktx_parse(), NO_KTX_PARSE)
        found = read_ktx2(path, tmp_path / "read")
        assert found.header["vkFormat"] == 132
        assert found.header["dataFormatDescriptor"][0]["transferFunction"] == 2
        levels = [level / np.float32(255) for level in found.levels]
    [source] = imagegs_tex.decode(tmp_path / "m.igs", tmp_path / "decoded", backend="cpu")
    assert len(levels) == level_count(*SIZE)
    assert psnr(levels[0][..., :3], read_image(source)[0] / 255) > 30
    assert (np.asarray(levels[0])[..., 3:] == 1).all()


@pytest.mark.parametrize("size", [(1, 1), (3, 1), (1, 9), (4, 4), (5, 6)], ids=str)
def test_tiny_textures(size, tmp_path):
    (tmp_path / "m").mkdir()
    write_image(tmp_path / "m" / "basecolor.png", as_bytes(waves(*size, 3)))
    settings = CompressSettings(gaussian_count=1, fit=FitSettings(steps=5))
    imagegs_tex.compress(tmp_path / "m", tmp_path / "m.igs", settings, backend="cpu")
    imagegs_tex.export(tmp_path / "m.igs", tmp_path / "out", "dds", backend="cpu")
    levels, _ = read_dds(tmp_path / "out" / "basecolor.dds")
    assert [level.shape[1::-1] for level in levels] == [
        (max(1, size[0] >> level), max(1, size[1] >> level)) for level in range(level_count(*size))
    ]
    decoded = imagegs_tex.decode(tmp_path / "m.igs", tmp_path / "decoded", backend="cpu")
    assert psnr(levels[0][..., :3], read_image(decoded[0])[0] / 255) > 30


def test_the_same_bytes_twice(packed, tmp_path):
    for name in ("dds", "ktx2"):
        for turn in ("a", "b"):
            imagegs_tex.export(packed, tmp_path / turn, name, backend="cpu")
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()


def test_the_command_line_needs_no_encoder_until_it_is_used():
    code = "import sys, imagegs_tex.api; assert 'ispc_texcomp' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_report_names_every_file(packed, tmp_path):
    seen = []
    report = imagegs_tex.export(packed, tmp_path, "png", backend="cpu", progress=lambda *state: seen.append(state))
    assert seen == [*((entry.name, index, 8) for index, entry in enumerate(report.maps)), ("", 8, 8)]
    named = {file for entry in report.maps for file in entry.files}
    assert named == {str(path) for path in tmp_path.iterdir()}
    assert dataclasses.asdict(report)["maps"][0]["bytes"] > 0
