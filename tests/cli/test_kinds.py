"""Materials of every kind, through compress, decode, info and compare."""

import json
import os

import numpy as np
import pytest
from helpers.commands import SMALL
from helpers.tiny_material import as_bytes, as_words, waves

from imagegs_tex.formats.igs.container import read_igs
from imagegs_tex.formats.images import WRITTEN, read_image, write_image


def check_material(run, folder, tmp_path, *options):
    """Compress and decode; every map comes back under its stem with its size, channels and bit depth."""
    assert run("compress", folder, "-o", tmp_path / "m.igs", *options, "--preset", "fast", "--quiet")[0] == 0
    assert run("decode", tmp_path / "m.igs", "-o", tmp_path / "maps")[0] == 0
    sources = [folder] if folder.is_file() else list(folder.iterdir())
    decoded = {path.stem: path for path in (tmp_path / "maps").iterdir()}
    assert set(decoded) == {source.stem for source in sources}
    for source in sources:
        wanted, sample_format = read_image(source)
        found, found_format = read_image(decoded[source.stem])
        assert (found.shape, found_format) == (wanted.shape, sample_format), source.name
    assert run("info", tmp_path / "m.igs")[0] == 0
    assert run("compare", tmp_path / "m.igs", folder)[0] == 0


@pytest.mark.parametrize("size", [(1, 1), (1, 37), (300, 1), (2, 2), (3, 5), (17, 16)], ids=str)
def test_tiny_pictures(run, tmp_path, size):
    folder = tmp_path / "tiny"
    folder.mkdir()
    planes = waves(*size, 4)
    write_image(folder / "basecolor.png", as_bytes(planes[..., :3]))
    write_image(folder / "height.png", as_words(planes[..., 3]))
    check_material(run, folder, tmp_path)


@pytest.mark.parametrize("suffix", WRITTEN)
def test_a_single_image_of_every_format(run, tmp_path, suffix):
    values = waves(40, 24, 3)
    path = tmp_path / f"picture{suffix}"
    write_image(path, values.astype(np.float16) if suffix == ".exr" else as_bytes(values))
    check_material(run, path, tmp_path)


def test_high_bit_depths_floats_and_packed_maps(run, tmp_path):
    folder = tmp_path / "mixed"
    folder.mkdir()
    planes = waves(40, 32, 17)
    write_image(folder / "a_normal.png", as_words(planes[..., :3]))
    write_image(folder / "b_emissive.exr", (planes[..., 3:6] ** 3 * 50).astype(np.float16))
    write_image(folder / "c_height.exr", (planes[..., 6:7] * 4 - 2).astype(np.float32))
    write_image(folder / "d_orm.png", as_bytes(planes[..., 7:10]))
    write_image(folder / "e_basecolor.png", as_bytes(planes[..., 10:14]))
    write_image(folder / "f_opaque.tga", as_bytes(np.dstack([planes[..., 14:17], np.ones((32, 40))])))
    write_image(folder / "g_metallic.tif", np.full((32, 40, 1), 77, np.uint8))
    check_material(run, folder, tmp_path, "--gaussians", "30")
    opaque = read_image(tmp_path / "maps" / "f_opaque.png")[0]
    assert (opaque[..., 3] == 255).all()
    assert (read_image(tmp_path / "maps" / "g_metallic.png")[0] == 77).all()


def test_a_stack_of_24_channels(run, tmp_path):
    folder = tmp_path / "wide"
    folder.mkdir()
    planes = waves(48, 40, 24)
    for index in range(8):
        write_image(folder / f"layer{index}.png", as_bytes(planes[..., 3 * index : 3 * index + 3]))
    check_material(run, folder, tmp_path, "--gaussians", "25")
    assert read_igs(tmp_path / "m.igs").channel_count == 24


def test_a_material_of_nothing_but_constants(run, tmp_path):
    folder = tmp_path / "flat"
    folder.mkdir()
    write_image(folder / "basecolor.png", np.full((32, 32, 3), (10, 20, 30), np.uint8))
    write_image(folder / "metallic.png", np.full((32, 32), 255, np.uint8))
    check_material(run, folder, tmp_path)
    assert (read_image(tmp_path / "maps" / "basecolor.png")[0] == (10, 20, 30)).all()


def test_a_file_name_that_is_no_valid_text(run, tmp_path):
    folder = tmp_path / "odd"
    folder.mkdir()
    write_image(folder / "plain.png", as_bytes(waves(16, 16, 3)))
    (folder / "plain.png").rename(os.fsdecode(os.fsencode(folder) + b"/caf\xe9.png"))
    report = tmp_path / "report.json"
    code, _, err = run("compress", folder, "-o", tmp_path / "a.igs", *SMALL, "--report", report)
    assert code == 0, err
    assert json.loads(report.read_bytes())["maps"][0]["name"] == "caf\udce9"
    assert run("decode", tmp_path / "a.igs", "-o", tmp_path / "maps")[0] == 0
    assert run("info", tmp_path / "a.igs", "--json")[0] == 0
