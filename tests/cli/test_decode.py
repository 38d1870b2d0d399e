"""``decode``: sizes, formats, hostile names, disks that are full."""

import re
import resource
import signal

import numpy as np
import pytest
from helpers.commands import SMALL, fill_the_disk, python, replace_maps, replace_name
from helpers.tiny_material import as_bytes, waves

from imagegs_tex.formats.igs.container import encode_igs, read_igs
from imagegs_tex.formats.images import read_image, write_image


def test_decode_gives_every_map_back(run, material, packed, tmp_path):
    code, out, err = run("decode", packed, "-o", tmp_path / "new" / "maps", "--backend", "cpu")
    assert (code, err) == (0, "")
    assert len(out.splitlines()) == 4
    for source in material.iterdir():
        wanted, sample_format = read_image(source)
        found, found_format = read_image(tmp_path / "new" / "maps" / source.name)
        assert (found.shape, found_format) == (wanted.shape, sample_format)
        error = np.abs(found.astype(float) - wanted).mean() / sample_format.max_value
        assert error < 0.06, source.name


def test_decode_to_another_size(run, packed, tmp_path):
    sizes = {("--scale", "0.5"): (32, 32), ("--scale", "2"): (128, 128), ("--size", "50x31"): (31, 50)}
    for number, (option, shape) in enumerate(sizes.items()):
        folder = tmp_path / str(number)
        assert run("decode", packed, "-o", folder, *option)[0] == 0
        assert read_image(folder / "normal.png")[0].shape == (*shape, 3)


@pytest.mark.parametrize(
    ("name", "dtypes"),
    [("png", {"uint8", "uint16"}), ("exr", {"float16", "float32"}), ("tga", {"uint8"})],
)
def test_decode_to_every_format(run, packed, tmp_path, name, dtypes):
    assert run("decode", packed, "-o", tmp_path, "--format", name)[0] == 0
    paths = sorted(tmp_path.iterdir())
    assert [path.name for path in paths] == [
        f"{stem}.{name}" for stem in ("basecolor", "height", "normal", "roughness")
    ]
    assert {read_image(path)[0].dtype.name for path in paths} == dtypes


@pytest.mark.parametrize(
    "options",
    [
        ("--scale", "0"), ("--scale", "-1"), ("--scale", "nan"), ("--scale", "inf"), ("--scale", "1000"),
        ("--size", "0x5"), ("--size", "5"), ("--size", "axb"), ("--size", "5x"), ("--size", "99999x1"),
        ("--scale", "1", "--size", "5x5"),
    ],
    ids=" ".join,
)  # fmt: skip
def test_impossible_sizes(fails, packed, tmp_path, options):
    fails(2, "decode", packed, "-o", tmp_path / "maps", *options)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_no_maps(fails, packed, tmp_path, monkeypatch):
    fill_the_disk(monkeypatch)
    assert "the disk is full" in fails(3, "decode", packed, "-o", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_may_not_grow_ends_as_a_full_disk_does(packed, tmp_path):
    """A real limit of the system, not a pretended one: files of this process hold at most 2000 bytes."""

    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))

    process = python("decode", packed, "-o", tmp_path / "maps", preexec_fn=limit)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 3, err
    assert re.fullmatch(r"imagegs-tex: cannot write [^\n]+\n", err)
    assert list((tmp_path / "maps").iterdir()) == []


def test_decode_into_a_file(fails, packed, tmp_path):
    (tmp_path / "file").write_bytes(b"old")
    assert "a file has that name" in fails(3, "decode", packed, "-o", tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == b"old"


HOSTILE_NAMES = [
    "../../escape",
    "/tmp/absolute",
    "a/b\\c",
    "..",
    "nul",
    "x\x00y",
    "line\nbreak",
    "\u202egnp.exe",
    "x" * 999,
]


def test_hostile_names_stay_inside_the_folder(run, packed, tmp_path):
    quantized = read_igs(packed)
    maps = tuple(replace_name(quantized.maps[0], name) for name in HOSTILE_NAMES)
    path = tmp_path / "hostile.igs"
    path.write_bytes(encode_igs(replace_maps(quantized, maps)))
    folder = tmp_path / "deep" / "er" / "maps"
    code, out, err = run("decode", path, "-o", folder)
    assert code == 0, err
    assert len(list(folder.iterdir())) == len(HOSTILE_NAMES)
    assert {entry.name for entry in tmp_path.iterdir()} == {"hostile.igs", "deep"}
    assert not set(out) & {"\x00", "\u202e"}
    assert len(out.splitlines()) == len(HOSTILE_NAMES)
    code, out, err = run("info", path)
    assert code == 0, err
    assert not set(out) & {"\x00", "\u202e"}


LONG = "x" * 198
COLLIDING = {
    ("Same", "same", "SAME"): ["Same", "same_2", "SAME_3"],
    ("albedo_a:b", "albedo_a?b"): ["albedo_a_b", "albedo_a_b_2"],
    (f"{LONG}yyyy1", f"{LONG}yyyy2"): [f"{LONG}yy", f"{LONG}_2"],
    ("a_2", "a", "A", "a?2"): ["a_2", "a", "A_3", "a_2_2"],
    ("..", "?", "map", "_"): ["map", "_", "map_2", "__2"],
    ("caf\u00e9", "cafe\u0301", "CAF\u00c9"): ["caf\u00e9", "cafe\u0301_2", "CAF\u00c9_3"],
    ("stra\u00dfe", "STRASSE", "strasse_2"): ["stra\u00dfe", "STRASSE_2", "strasse_2_2"],
    ("CON", "con.", "aux .png", "AUX"): ["_CON", "_con_2", "_aux .png", "_AUX"],
    ("\u6f22" * 70, "\u6f22" * 66 + "a", "\u6f22" * 66): ["\u6f22" * 66, "\u6f22" * 66 + "a", "\u6f22" * 66 + "_2"],
    ("wall/albedo", "wall\\albedo", "wall:albedo"): ["wall_albedo", "wall_albedo_2", "wall_albedo_3"],
}


@pytest.mark.parametrize("names", COLLIDING, ids=str)
def test_names_that_collide_are_told_apart_in_order(run, packed, tmp_path, names):
    quantized = read_igs(packed)
    maps = tuple(replace_name(quantized.maps[index % 4], name) for index, name in enumerate(names))
    path = tmp_path / "twice.igs"
    path.write_bytes(encode_igs(replace_maps(quantized, maps)))
    code, out, err = run("decode", path, "-o", tmp_path / "maps")
    assert code == 0, err
    files = [f"{stem}.png" for stem in COLLIDING[names]]
    assert out.splitlines() == [str(tmp_path / "maps" / file) for file in files]
    for file, texture_map in zip(files, maps, strict=True):
        assert read_image(tmp_path / "maps" / file)[0].shape[2] == texture_map.channel_count
    said = [f"map {name[:199]}" for name, file in zip(names, files, strict=True) if file != f"{name}.png"]
    assert [line[: line.index(" is written as ")][:203] for line in err.splitlines()] == [s[:203] for s in said]


@pytest.mark.parametrize(
    ("count", "dtype", "suffix"), [(5, np.uint8, "tif"), (7, np.uint16, "tif"), (4, np.uint8, "png")]
)
def test_more_channels_than_png_holds(run, fails, tmp_path, count, dtype, suffix):
    planes = as_bytes(waves(32, 24, count)).astype(dtype)
    (tmp_path / "m").mkdir()
    write_image(tmp_path / "m" / "mixed_data.tif", planes)
    assert run("compress", tmp_path / "m", "-o", tmp_path / "a.igs", *SMALL)[0] == 0
    assert run("decode", tmp_path / "a.igs", "-o", tmp_path / "maps")[0] == 0
    found, sample_format = read_image(tmp_path / "maps" / f"mixed_data.{suffix}")
    assert (found.shape, sample_format.dtype) == (planes.shape, dtype)
    assert run("decode", tmp_path / "a.igs", "-o", tmp_path / "exr", "--format", "exr")[0] == 0
    assert read_image(tmp_path / "exr" / "mixed_data.exr")[0].shape == planes.shape
    if count > 4:
        line = fails(2, "decode", tmp_path / "a.igs", "-o", tmp_path / "png", "--format", "png")
        assert f"has {count} channels, more than .png holds; decode it without --format" in line


def test_out_of_memory_is_one_line(fails, packed, tmp_path, monkeypatch):
    def exhausted(*_, **__):
        raise MemoryError

    monkeypatch.setattr("imagegs_tex.decoder.bands.render_channels", exhausted)
    assert "out of memory" in fails(3, "decode", packed, "-o", tmp_path / "maps")


def test_torchs_own_lack_of_memory_is_one_line(fails, packed, tmp_path, monkeypatch):
    import torch

    monkeypatch.setattr("imagegs_tex.decoder.bands.render_channels", lambda *_, **__: torch.empty(1 << 60))
    assert "out of memory" in fails(3, "decode", packed, "-o", tmp_path / "maps")


def test_a_height_alone_keeps_the_proportions(run, fails, packed, tmp_path):
    assert run("decode", packed, "-o", tmp_path / "a", "--height", "96")[0] == 0
    assert {read_image(path)[0].shape[:2] for path in (tmp_path / "a").iterdir()} == {(96, 96)}
    assert run("decode", packed, "-o", tmp_path / "b", "--width", "20", "--height", "30")[0] == 0
    assert {read_image(path)[0].shape[:2] for path in (tmp_path / "b").iterdir()} == {(30, 20)}
    assert "outside 1..16384" in fails(2, "decode", packed, "-o", tmp_path / "c", "--height", "20000")
    assert "outside 1..16384" in fails(2, "decode", packed, "-o", tmp_path / "c", "--scale", "512")
    assert "give either --size" in fails(2, "decode", packed, "-o", tmp_path / "c", "--size", "5x5", "--width", "5")
