"""The command line's contract: what is printed, which exit codes, and that nothing is ever left half-written."""

import errno
import json
import os
import re
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from tiny_material import as_bytes, as_words, waves, write_material

from imagegs_tex import __version__
from imagegs_tex.cli.main import main
from imagegs_tex.formats.igs import decode_igs, encode_igs, read_igs
from imagegs_tex.formats.images import FORMATS, read_image, write_image

SMALL = ("--preset", "fast", "--gaussians", "40", "--quiet")


@pytest.fixture
def run(monkeypatch, capsys):
    """Run one command in this process; return its exit code, stdout and stderr."""

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["imagegs-tex", *map(str, arguments)])
        with pytest.raises(SystemExit) as stopped:
            main()
        printed = capsys.readouterr()
        return stopped.value.code or 0, printed.out, printed.err

    return call


@pytest.fixture
def fails(run):
    """Run a command that must fail: one line on stderr, no traceback; return that line."""

    def call(code, *arguments):
        found, _, err = run(*arguments)
        assert found == code, err
        assert re.fullmatch(r"imagegs-tex: [^\n]+\n", err), err
        assert "Traceback" not in err
        assert "internal error" not in err
        return err

    return call


@pytest.fixture(scope="module")
def material(tmp_path_factory):
    return write_material(tmp_path_factory.mktemp("material") / "stone")


@pytest.fixture(scope="module")
def packed(material, tmp_path_factory):
    """The material's .igs file."""
    from imagegs_tex import CompressSettings, FitSettings, compress

    path = tmp_path_factory.mktemp("packed") / "stone.igs"
    compress(material, path, CompressSettings(gaussian_count=120, fit=FitSettings(steps=20)), backend="cpu")
    return path


def python(*arguments, **options):
    """Start the command line in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "imagegs_tex", *map(str, arguments)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options,
    )  # fmt: skip


# --- the commands


def test_compress_writes_a_file_and_a_report(run, material, tmp_path):
    report = tmp_path / "report.json"
    code, out, err = run("compress", material, "-o", tmp_path / "a.igs", *SMALL, "--report", report, "--seed", "3")
    assert (code, out, err) == (0, "", "")
    assert {path.name for path in tmp_path.iterdir()} == {"a.igs", "report.json"}
    found = json.loads(report.read_text(encoding="utf-8"))
    wanted = (
        "width height channels gaussians file_bytes gpu_bytes bits_per_texel bits_per_channel_texel psnr_db maps "
        "seconds backend device seed version"
    )
    assert set(wanted.split()) <= set(found)
    size = (tmp_path / "a.igs").stat().st_size
    assert (found["width"], found["height"], found["channels"], found["gaussians"]) == (64, 64, 8, 40)
    assert found["file_bytes"] == size
    assert found["bits_per_texel"] == pytest.approx(8 * size / 64**2)
    assert found["bits_per_channel_texel"] == pytest.approx(8 * size / 64**2 / 8)
    assert found["gpu_bytes"] > 0
    assert (found["seed"], found["version"]) == (3, __version__)
    assert set(found["seconds"]) >= {"load", "fit", "quantize", "write", "total"}
    assert [entry["name"] for entry in found["maps"]] == ["basecolor", "height", "normal", "roughness"]
    assert all({"name", "semantic", "channels", "psnr_db", "ssim"} <= set(entry) for entry in found["maps"])


def test_compress_without_quiet_prints_a_table_and_progress(run, material, tmp_path):
    code, out, err = run("compress", material, "-o", tmp_path / "a.igs", *SMALL[:-1])
    assert code == 0
    assert all(word in out for word in ("basecolor", "roughness", "dB", "bytes"))
    assert re.fullmatch(r"(fit 1: \d+/60  -?[\d.]+ dB  \d+ s left\n)+", err)


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


def test_info_tells_the_bytes_of_every_section(run, packed):
    code, out, _ = run("info", packed)
    assert code == 0
    assert all(word in out for word in ("64 x 64", "basecolor", "positions", "features", "on the GPU"))
    found = json.loads(run("info", packed, "--json")[1])
    assert found["file_bytes"] == packed.stat().st_size == sum(part["stored_bytes"] for part in found["sections"])
    assert [entry["name"] for entry in found["maps"]] == ["basecolor", "height", "normal", "roughness"]


def test_compare_scores_every_map(run, material, packed):
    code, out, _ = run("compare", packed, material)
    assert code == 0
    assert "basecolor" in out
    found = json.loads(run("compare", packed, material, "--json")[1])
    scores = {score["name"]: score for score in found["maps"]}
    assert scores["basecolor"]["flip"] > 0
    assert scores["normal"]["normal_degrees_mean"] > 0
    assert scores["height"]["flip"] is None
    assert found["psnr_db"] > 20


def test_compare_with_a_threshold_fails_with_1(run, material, packed):
    assert run("compare", packed, material, "--min-psnr", "5")[0] == 0
    code, _, err = run("compare", packed, material, "--min-psnr", "99")
    assert code == 1
    assert re.fullmatch(r"imagegs-tex: [\d.]+ dB is below the 99.00 dB asked for\n", err)


def test_the_same_bytes_from_two_runs_and_any_thread_count(run, material, tmp_path):
    written = []
    for threads in ("1", "2", "2"):
        path = tmp_path / f"{len(written)}.igs"
        run("compress", material, "-o", path, *SMALL, "--threads", threads, "--backend", "cpu")
        written.append(path.read_bytes())
    assert written[0] == written[1] == written[2]
    run("compress", material, "-o", tmp_path / "other.igs", *SMALL, "--seed", "1")
    assert (tmp_path / "other.igs").read_bytes() != written[0]


@pytest.mark.parametrize("limit", [900, 1600, 3000])
def test_max_bytes_is_used_and_kept(run, material, tmp_path, limit):
    path = tmp_path / "a.igs"
    assert run("compress", material, "-o", path, "--preset", "fast", "--quiet", "--max-bytes", limit)[0] == 0
    assert 0.97 * limit <= path.stat().st_size <= limit


def test_bpp_is_a_limit_of_the_whole_file(run, material, tmp_path):
    path = tmp_path / "a.igs"
    assert run("compress", material, "-o", path, "--preset", "fast", "--quiet", "--bpp", "4")[0] == 0
    assert 0.97 * 4 <= 8 * path.stat().st_size / 64**2 <= 4


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


# --- materials of every kind


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


@pytest.mark.parametrize("suffix", FORMATS)
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


# --- wrong usage: 2


@pytest.mark.parametrize(
    "options",
    [
        ("--gaussians", "10", "--bpp", "1"),
        ("--gaussians", "10", "--max-bytes", "1000"),
        ("--bpp", "1", "--max-bytes", "1000"),
        ("--max-bytes", "100"),
        ("--bpp", "0"),
        ("--bpp", "-1"),
        ("--bpp", "nan"),
        ("--bpp", "inf"),
        ("--bpp", "0.001"),
        ("--gaussians", "5000"),
        ("--backend", "opengl"),
    ],
    ids=" ".join,
)
def test_limits_that_make_no_sense(fails, material, tmp_path, options):
    fails(2, "compress", material, "-o", tmp_path / "a.igs", *options, "--preset", "fast", "--quiet")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "arguments",
    [
        ("compress",),
        ("compress", "x"),
        ("compress", "x", "-o", "y", "--gaussians", "0"),
        ("compress", "x", "-o", "y", "--gaussians", "many"),
        ("compress", "x", "-o", "y", "--max-bytes", "0"),
        ("compress", "x", "-o", "y", "--preset", "slow"),
        ("compress", "x", "-o", "y", "--threads", "0"),
        ("compress", "x", "-o", "y", "--seed", "-1"),
        ("compress", "x", "-o", "y", "--time-budget", "0"),
        ("decode", "x"),
        ("decode", "x", "-o", "y", "--format", "gif"),
        ("info",),
        ("compare", "x"),
        ("explode",),
        ("--no-such-option",),
    ],
    ids=" ".join,
)
def test_wrong_usage(run, arguments):
    code, out, err = run(*arguments)
    assert code == 2
    assert out == ""
    assert "Usage: " in err
    assert "Traceback" not in err


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


# --- bad input: 3


def bad_folder(tmp_path, kind):
    folder = tmp_path / "bad"
    folder.mkdir()
    good = as_bytes(waves(16, 16, 3))
    if kind == "missing":
        return folder / "no such folder"
    if kind == "empty":
        return folder
    write_image(folder / "basecolor.png", good)
    if kind == "sizes":
        write_image(folder / "normal.png", good[:8])
    elif kind == "unreadable":
        (folder / "normal.png").write_bytes(b"this is no picture")
    elif kind == "truncated":
        (folder / "normal.png").write_bytes((folder / "basecolor.png").read_bytes()[:-30])
    elif kind in {"nan", "inf"}:
        values = waves(16, 16, 3).astype(np.float32)
        values[3, 5, 1] = float(kind)
        write_image(folder / "emissive.exr", values)
    elif kind == "same stem":
        write_image(folder / "basecolor.tga", good)
    elif kind == "too many channels":
        for index in range(11):
            write_image(folder / f"layer{index}.png", as_bytes(waves(16, 16, 3, index)))
    elif kind == "no image":
        return Path(__file__)
    return folder


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("missing", "does not exist"),
        ("empty", "has no images"),
        ("sizes", "16 x 8 but basecolor.png is 16 x 16"),
        ("unreadable", "cannot be read"),
        ("truncated", "cannot be read"),
        ("nan", r"nan at texel \(5, 3\), channel 1"),
        ("inf", r"inf at texel \(5, 3\), channel 1"),
        ("same stem", "the same map"),
        ("too many channels", "at most 32"),
        ("no image", "not an image"),
    ],
)
def test_a_source_that_cannot_be_used(fails, tmp_path, kind, words):
    error = fails(3, "compress", bad_folder(tmp_path, kind), "-o", tmp_path / "a.igs", *SMALL)
    assert re.search(words, error)
    assert not (tmp_path / "a.igs").exists()


def test_an_importance_mask(run, fails, material, tmp_path):
    ramp = np.arange(64, dtype=np.uint8)[None].repeat(64, axis=0) * 4
    write_image(tmp_path / "mask.png", ramp)
    arguments = ("compress", material, "-o", tmp_path / "a.igs", *SMALL, "--report", tmp_path / "r.json")
    assert run(*arguments, "--importance", tmp_path / "mask.png")[0] == 0
    found = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))
    assert found["weighted_psnr_db"] > 0
    assert found["weighted_psnr_db"] != found["psnr_db"]
    (tmp_path / "a.igs").unlink()
    write_image(tmp_path / "small.png", ramp[:32])
    assert "is 64 x 32 texels and the material 64 x 64" in fails(3, *arguments, "--importance", tmp_path / "small.png")
    fails(3, *arguments, "--importance", tmp_path / "none.png")
    (tmp_path / "text.png").write_text("no image")
    fails(3, *arguments, "--importance", tmp_path / "text.png")
    assert not (tmp_path / "a.igs").exists()


def test_an_output_that_cannot_be_written_is_refused_before_the_fit(fails, material, tmp_path, monkeypatch):
    def no_fit(*_):
        raise AssertionError("the fit was started")

    monkeypatch.setattr("imagegs_tex.pipeline.encode_within_budget", no_fit)
    (tmp_path / "file").write_bytes(b"old")
    assert "is a folder" in fails(3, "compress", material, "-o", tmp_path, *SMALL)
    assert "does not exist" in fails(3, "compress", material, "-o", tmp_path / "none" / "a.igs", *SMALL)
    fails(3, "compress", material, "-o", tmp_path / "file" / "a.igs", *SMALL)
    report = ("-o", tmp_path / "a.igs", *SMALL, "--report")
    assert "does not exist" in fails(3, "compress", material, *report, tmp_path / "none" / "r.json")
    assert "is a folder" in fails(3, "compress", material, *report, tmp_path)
    fails(2, "compress", material, *report, tmp_path / "a.igs")
    monkeypatch.setattr(os, "access", lambda *_, **__: False)
    assert "no permission" in fails(3, "compress", material, "-o", tmp_path / "a.igs", *SMALL)
    assert {path.name for path in tmp_path.iterdir()} == {"file"}


def fill_the_disk(monkeypatch):
    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)


def test_a_full_disk_leaves_the_older_file(fails, material, tmp_path, monkeypatch):
    (tmp_path / "a.igs").write_bytes(b"old")
    fill_the_disk(monkeypatch)
    assert "the disk is full" in fails(3, "compress", material, "-o", tmp_path / "a.igs", *SMALL)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a.igs": b"old"}


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


@pytest.mark.parametrize("command", ["info", "decode", "compare", "compress"])
def test_an_input_without_permission(fails, material, packed, tmp_path, monkeypatch, command):
    """Pretended, because nothing is without permission for root."""

    def refuse(*_, **__):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "access", lambda *_, **__: False)
    monkeypatch.setattr(Path, "open", refuse)
    source = material / "basecolor.png"
    arguments = {
        "info": (packed,), "decode": (packed, "-o", tmp_path / "maps"), "compare": (packed, source),
        "compress": (source, "-o", tmp_path / "a.igs", *SMALL),
    }[command]  # fmt: skip
    assert re.search("permission|Permission", fails(3, command, *arguments))


def test_decode_into_a_file(fails, packed, tmp_path):
    (tmp_path / "file").write_bytes(b"old")
    assert "a file has that name" in fails(3, "decode", packed, "-o", tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == b"old"


def test_compare_with_another_source(fails, packed, tmp_path):
    other = write_material(tmp_path / "other", 32, 32)
    assert "compare a file with its own source" in fails(3, "compare", packed, other)
    write_image(tmp_path / "picture.png", as_bytes(waves(64, 64, 3)))
    assert "has no map" in fails(3, "compare", packed, tmp_path / "picture.png")


# --- bad .igs: 4, and a missing one: 3


@pytest.mark.parametrize("command", ["info", "decode", "compare"])
def test_a_damaged_igs_file(fails, material, packed, tmp_path, command):
    bad = tmp_path / "bad\n.igs"
    data = bytearray(packed.read_bytes())
    data[len(data) // 2] ^= 255
    bad.write_bytes(data)
    options = {"info": (), "decode": ("-o", tmp_path / "maps"), "compare": (material,)}[command]
    assert r"bad\n.igs: the checksum of section" in fails(4, command, bad, *options)
    bad.write_bytes(b"")
    assert "not an .igs file" in fails(4, command, bad, *options)
    fails(3, command, tmp_path / "missing.igs", *options)
    fails(3, command, tmp_path, *options)
    assert {path.name for path in tmp_path.iterdir()} == {bad.name}


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


def test_two_maps_with_one_name_are_refused(fails, packed, tmp_path):
    quantized = read_igs(packed)
    maps = tuple(replace_name(quantized.maps[0], name) for name in ("Same", "same"))
    path = tmp_path / "twice.igs"
    path.write_bytes(encode_igs(replace_maps(quantized, maps)))
    fails(4, "decode", path, "-o", tmp_path / "maps")
    assert not (tmp_path / "maps").exists()


def replace_name(texture_map, name):
    from dataclasses import replace

    return replace(texture_map, name=name)


def replace_maps(quantized, maps):
    from dataclasses import replace

    return replace(quantized, maps=maps)


# --- something is missing: 5


def test_a_missing_backend_names_the_remedy(fails, material, tmp_path, monkeypatch):
    monkeypatch.setattr("imagegs_tex.backends.cuda_problem", lambda: "no GPU")
    assert "use --backend cpu" in fails(5, "compress", material, "-o", tmp_path / "a.igs", *SMALL, "--backend", "cuda")


# --- interrupted: 130


def test_ctrl_c_during_the_fit_leaves_nothing(material, tmp_path):
    process = python("compress", material, "-o", tmp_path / "a.igs", "--time-budget", "100")
    first = process.stderr.readline()  # the first line of progress says that the fit is running
    assert first.startswith("fit "), first + process.stderr.read()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert re.fullmatch(r"(fit [^\n]+\n)*imagegs-tex: interrupted; [^\n]+\n", err), err
    assert out == ""
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_while_a_file_is_written(run, material, tmp_path, monkeypatch):
    (tmp_path / "a.igs").write_bytes(b"old")

    def interrupt(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    code, _, err = run("compress", material, "-o", tmp_path / "a.igs", *SMALL)
    assert code == 130
    assert re.fullmatch(r"imagegs-tex: interrupted; [^\n]+\n", err), err
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a.igs": b"old"}


# --- the process around it


def test_nobody_reads_stdout(packed):
    reader, writer = os.pipe()
    os.close(reader)
    process = subprocess.Popen(
        [sys.executable, "-m", "imagegs_tex", "info", str(packed)], stdout=writer, stderr=subprocess.PIPE, text=True
    )
    os.close(writer)
    _, err = process.communicate(timeout=60)
    assert err == ""
    assert process.returncode == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_stdout_is_full(packed):
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "imagegs_tex", "info", str(packed), "--json"],
            stdout=full, stderr=subprocess.PIPE, text=True, check=False, timeout=60,
        )  # fmt: skip
    assert done.returncode == 3
    assert re.fullmatch(r"imagegs-tex: [^\n]+\n", done.stderr), done.stderr


def test_stdout_is_closed(packed, tmp_path):
    script = f'exec "{sys.executable}" -m imagegs_tex decode "{packed}" -o "{tmp_path}/maps" >&-'
    done = subprocess.run(["/bin/sh", "-c", script], stderr=subprocess.PIPE, text=True, check=False, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(list((tmp_path / "maps").iterdir())) == 4


def test_help_answers_at_once():
    times = []
    for _ in range(3):
        started = time.perf_counter()
        process = python("--help")
        out, _ = process.communicate(timeout=60)
        times.append(time.perf_counter() - started)
    assert process.returncode == 0
    assert all(word in out for word in ("compress", "decode", "info", "compare"))
    assert min(times) < 0.5


@pytest.mark.parametrize("command", ["compress", "decode", "info", "compare"])
def test_every_command_has_help_without_torch(run, command):
    code, out, _ = run(command, "--help")
    assert code == 0
    assert "Usage: " in out


def test_help_loads_no_torch():
    code = (
        "import sys; sys.argv = ['imagegs-tex', 'compress', '--help']\n"
        "from imagegs_tex.cli.main import main\n"
        "try: main()\nexcept SystemExit: pass\n"
        "assert not {'torch', 'numba', 'numpy'} & set(sys.modules), 'slow imports'\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_version(run):
    assert run("--version") == (0, f"imagegs-tex {__version__}\n", "")


def test_debug_shows_the_traceback(monkeypatch, tmp_path):
    from imagegs_tex.cli import state
    from imagegs_tex.formats.errors import InputError

    monkeypatch.setattr(state, "debug", False)
    monkeypatch.setattr(sys, "argv", ["imagegs-tex", "--debug", "info", str(tmp_path / "none.igs")])
    with pytest.raises(InputError):
        main()


def test_an_internal_error_is_one_line(run, packed, monkeypatch):
    def broken(_):
        raise ZeroDivisionError("a\nb")

    monkeypatch.setattr("imagegs_tex.pipeline.info", broken)
    code, _, err = run("info", packed)
    assert code == 1
    assert re.fullmatch(r"imagegs-tex: internal error: ZeroDivisionError: a\\nb; [^\n]+\n", err)


def test_out_of_memory_is_one_line(fails, packed, tmp_path, monkeypatch):
    def exhausted(*_, **__):
        raise MemoryError

    monkeypatch.setattr("imagegs_tex.decoder.render_channels", exhausted)
    assert "out of memory" in fails(3, "decode", packed, "-o", tmp_path / "maps")


def test_torchs_own_lack_of_memory_is_one_line(fails, packed, tmp_path, monkeypatch):
    import torch

    monkeypatch.setattr("imagegs_tex.decoder.render_channels", lambda *_: torch.empty(1 << 60))
    assert "out of memory" in fails(3, "decode", packed, "-o", tmp_path / "maps")


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


def test_a_whole_file_is_what_the_bytes_say(packed):
    data = packed.read_bytes()
    assert encode_igs(decode_igs(data)) == data
