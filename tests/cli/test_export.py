"""``export``: the table, JSON, names from untrusted files, and what is missing."""

import json
import sys

import numpy as np
import pytest
from helpers.commands import SMALL, fill_the_disk, replace_maps, replace_name
from helpers.tiny_material import as_bytes, waves

from imagegs_tex import AlphaUse, CompressSettings, FitSettings, SourceOptions, compress
from imagegs_tex.formats.igs.container import encode_igs, read_igs
from imagegs_tex.formats.images import read_image, read_picture, write_image

NAMES = ("basecolor", "height", "normal", "roughness")


@pytest.mark.parametrize("container", ["dds", "ktx2"])
def test_a_texture_per_map_and_a_table(run, packed, tmp_path, container):
    code, out, err = run("export", packed, "-o", tmp_path / "new" / "textures", "--format", container)
    assert code == 0
    assert {path.name for path in (tmp_path / "new" / "textures").iterdir()} == {
        f"{name}.{container}" for name in NAMES
    }
    assert all(word in out for word in ("BC7 sRGB", "BC5", "BC4", "R16", "64 x 64", f"normal.{container}"))
    assert err == "".join(f"map {index}/4: {name}\n" for index, name in enumerate(NAMES, 1))


def test_json_says_the_same(run, packed, tmp_path):
    code, out, _ = run("export", packed, "-o", tmp_path, "--json", "--bc1", "--quiet")
    assert code == 0
    found = json.loads(out)
    assert found["container"] == "dds"
    entries = {entry["name"]: entry for entry in found["maps"]}
    assert entries["basecolor"]["pixel_format"] == "BC1 sRGB"
    assert (entries["normal"]["pixel_format"], entries["normal"]["channels"]) == ("BC5", [0, 1])
    assert all(entry["levels"] == 7 for entry in found["maps"])
    assert sum(entry["bytes"] for entry in found["maps"]) == sum(path.stat().st_size for path in tmp_path.iterdir())


def test_a_picture_per_level(run, packed, tmp_path):
    code, out, err = run("export", packed, "-o", tmp_path, "--format", "png", "-q")
    assert (code, out, err) == (0, "", "")
    assert {path.name for path in tmp_path.iterdir()} == {
        f"{name}_mip{level}.png" for name in NAMES for level in range(7)
    }


def test_without_the_encoder(run, fails, packed, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ispc_texcomp", None)
    error = fails(5, "export", packed, "-o", tmp_path / "textures", "-q")
    assert "pip install '.[export]'" in error
    assert not (tmp_path / "textures").exists()
    assert run("export", packed, "-o", tmp_path / "pictures", "--format", "png", "-q")[0] == 0


def test_a_map_of_too_many_channels(run, fails, tmp_path):
    write_image(tmp_path / "many.exr", np.asarray(waves(16, 16, 5), np.float16))
    assert run("compress", tmp_path / "many.exr", "-o", tmp_path / "many.igs", *SMALL)[0] == 0
    error = fails(2, "export", tmp_path / "many.igs", "-o", tmp_path / "textures", "-q")
    assert "many has 5 channels and a texture holds 4" in error
    assert not (tmp_path / "textures").exists()


def test_hostile_names_stay_inside_the_folder(run, packed, tmp_path):
    quantized = read_igs(packed)
    names = ["../../escape", "/tmp/absolute", "a/b\\c", "nul", "line\nbreak", "x" * 999]
    path = tmp_path / "hostile.igs"
    path.write_bytes(
        encode_igs(replace_maps(quantized, tuple(replace_name(quantized.maps[0], name) for name in names)))
    )
    folder = tmp_path / "deep" / "er"
    code, out, _ = run("export", path, "-o", folder, "-q")
    assert (code, out) == (0, "")
    assert len(list(folder.iterdir())) == len(names)
    assert {entry.name for entry in tmp_path.iterdir()} == {"hostile.igs", "deep"}


@pytest.mark.parametrize("names", [("Same", "same"), ("a_mip0", "a_mip0 ")])
def test_two_maps_of_one_name_are_told_apart(run, packed, tmp_path, names):
    quantized = read_igs(packed)
    path = tmp_path / "twice.igs"
    path.write_bytes(
        encode_igs(replace_maps(quantized, tuple(replace_name(quantized.maps[0], name) for name in names)))
    )
    assert run("export", path, "-o", tmp_path / "textures", "-q")[0] == 0
    written = sorted(entry.name.casefold() for entry in (tmp_path / "textures").iterdir())
    assert len(set(written)) == len(names)


def test_a_full_disk_leaves_no_textures(fails, packed, tmp_path, monkeypatch):
    fill_the_disk(monkeypatch)
    assert "the disk is full" in fails(3, "export", packed, "-o", tmp_path, "-q")
    assert list(tmp_path.iterdir()) == []


def test_one_colour_everywhere(run, tmp_path):
    write_image(tmp_path / "flat.png", np.broadcast_to(as_bytes(np.array([0.2, 0.4, 0.6])), (20, 12, 3)))
    assert run("compress", tmp_path / "flat.png", "-o", tmp_path / "flat.igs", *SMALL)[0] == 0
    assert run("export", tmp_path / "flat.igs", "-o", tmp_path / "out", "-q")[0] == 0


@pytest.fixture(scope="module")
def leaf(tmp_path_factory):
    """The file of a drawn shape with soft alpha, and of a roughness without."""
    folder = tmp_path_factory.mktemp("leaf")
    planes = waves(32, 32, 5)
    (folder / "maps").mkdir()
    write_image(folder / "maps" / "leaf_basecolor.png", as_bytes(planes[..., :4]))
    write_image(folder / "maps" / "leaf_roughness.png", as_bytes(planes[..., 4:]))
    settings = CompressSettings(gaussian_count=200, fit=FitSettings(steps=20))
    compress(folder / "maps", folder / "leaf.igs", settings, "cpu", options=SourceOptions(alpha=AlphaUse.DATA))
    return folder / "leaf.igs"


@pytest.mark.parametrize("container", ["dds", "ktx2", "png"])
def test_premultiplied_colours(run, leaf, tmp_path, container):
    """Each level is that of straight colours, multiplied; the texture says so, and reading it divides them again."""
    for folder, more in (("straight", []), ("multiplied", ["--premultiplied"])):
        assert run("export", leaf, "-o", tmp_path / folder, "--format", container, "-q", *more)[0] == 0
    if container == "png":
        for level in range(6):
            name = f"leaf_basecolor_mip{level}.png"
            straight, found = (
                read_image(tmp_path / folder / name)[0].astype(int) for folder in ("straight", "multiplied")
            )
            assert np.abs(found[..., :3] - straight[..., :3] * straight[..., 3:] / 255).max() <= 1.5  # both are rounded
            assert np.array_equal(found[..., 3], straight[..., 3])
    else:
        name = f"leaf_basecolor.{container}"
        straight, found = (read_picture(tmp_path / folder / name) for folder in ("straight", "multiplied"))
        assert "divided" not in " ".join(straight.notes)
        assert "divided" in " ".join(found.notes)
        opaque = straight.texels[..., 3] > 100
        difference = np.abs(found.texels.astype(int) - straight.texels)[opaque]
        assert difference.mean() < 4  # of BC7, twice
        raw = (tmp_path / "multiplied" / name).read_bytes()
        assert raw != (tmp_path / "straight" / name).read_bytes()
    others = [f"leaf_roughness{'_mip1.png' if container == 'png' else f'.{container}'}"]
    assert all(
        (tmp_path / "straight" / name).read_bytes() == (tmp_path / "multiplied" / name).read_bytes() for name in others
    )


def test_splats_are_not_premultiplied(fails, leaf, tmp_path):
    line = fails(2, "export", leaf, "-o", tmp_path / "out", "--format", "ply", "--premultiplied")
    assert "--premultiplied is for textures" in line
