"""Warnings as ``compress`` prints and reports them, and whether they tell the truth."""

import json
import re

import numpy as np
import pytest
from helpers.tiny_material import as_bytes

from imagegs_tex.advice import MENDED_DB, POOR_PLAIN_DB
from imagegs_tex.cli.numbers import read_bytes
from imagegs_tex.formats.images import write_image

FAST = ("--preset", "fast", "--backend", "cpu", "--detail", "off")


def octaves(rng, power):
    """Return grain [96, 96] of all octaves, of deviation 1, that falls off with a power of the frequency."""
    rows, columns = np.meshgrid(np.fft.fftfreq(96), np.fft.rfftfreq(96), indexing="ij")
    fall = 1 / np.maximum(np.hypot(rows, columns), 1 / 96) ** power
    height = np.fft.irfft2(np.fft.rfft2(rng.standard_normal((96, 96))) * fall, (96, 96))
    return height / height.std()


def normals_of(height):
    slopes = np.stack([np.roll(height, -1, axis) - np.roll(height, 1, axis) for axis in (1, 0)], axis=-1)
    normal = np.concatenate([slopes, np.ones((96, 96, 1))], axis=-1)
    return as_bytes((normal / np.linalg.norm(normal, axis=-1, keepdims=True) + 1) / 2)


@pytest.fixture(scope="module")
def grain(tmp_path_factory):
    """Grain of all octaves, as rock has, with a normal map of it."""
    folder = tmp_path_factory.mktemp("grain") / "rock"
    folder.mkdir()
    height = octaves(np.random.default_rng(1), 1.0)
    write_image(
        folder / "basecolor.png", as_bytes(np.clip(0.5 + 0.15 * height, 0, 1)[..., None].repeat(3, axis=2) ** [1, 2, 3])
    )
    write_image(folder / "normal.png", normals_of(height))
    return folder


def test_a_poor_file_says_what_to_ask_for_and_that_is_about_true(run, grain, tmp_path):
    code, out, _ = run(
        "compress", grain, "-o", tmp_path / "a.igs", *FAST, "--gaussians", "70", "--report", tmp_path / "r.json"
    )
    assert code == 0
    report = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))
    assert re.findall(r"^warning: (.*)$", out, re.MULTILINE) == report["warnings"]
    assert len(report["warnings"]) == 3
    bent, flat, off = report["warnings"]
    assert off.startswith("basecolor: a mean FLIP error of 0.")
    scores = {score["name"]: score for score in report["maps"]}
    assert bent.startswith(f"normal: normals are {scores['normal']['normal_degrees_mean']:.1f} degrees off on average")
    name, kept, size, promised = re.fullmatch(
        r"(\w+) keeps (\d+) % of its finest contrast; --max-bytes (\S+) would keep about (\d+) %", flat
    ).groups()
    assert int(kept) == round(100 * scores[name]["kept_contrast"][0])
    arguments = ("-o", tmp_path / "b.igs", *FAST, "--max-bytes", size, "--report", "-")
    better = json.loads(run("compress", grain, *arguments)[1])
    assert better["file_bytes"] <= read_bytes(size)
    (found,) = [score["kept_contrast"][0] for score in better["maps"] if score["name"] == name]
    assert int(promised) / 200 < found < int(promised) / 50  # about


@pytest.mark.parametrize(("seed", "amplitude", "count"), [(1, 3, 60), (2, 16, 60), (3, 9, 50)])
def test_the_bytes_for_a_normal_are_about_true(run, tmp_path, seed, amplitude, count):
    write_image(tmp_path / "normal.png", normals_of(amplitude * octaves(np.random.default_rng(seed), 2.5)))
    arguments = (tmp_path, "-o", tmp_path / "a.igs", *FAST, "--report", "-")
    first = json.loads(run("compress", *arguments, "--gaussians", count)[1])
    (bent,) = (line for line in first["warnings"] if "degrees" in line)
    degrees, size = re.search(r"--target normal=(\S+)deg takes about (\S+)$", bent).groups()
    better = json.loads(run("compress", *arguments, "--target", f"normal={degrees}deg")[1])
    assert better["maps"][0]["normal_degrees_mean"] <= float(degrees) < first["maps"][0]["normal_degrees_mean"]
    assert read_bytes(size) / 2 < better["file_bytes"] < 2 * read_bytes(size)


@pytest.mark.parametrize(("seed", "power", "count"), [(2, 1.5, 60), (1, 1.5, 40), (4, 1.2, 110)])
def test_colours_that_are_off_are_mended_by_the_bytes_that_are_said(run, tmp_path, seed, power, count):
    rng = np.random.default_rng(seed)
    colour = np.stack([octaves(rng, power) for _ in range(3)], axis=-1)
    write_image(tmp_path / "basecolor.png", as_bytes(np.clip(0.5 + 0.2 * colour, 0, 1)))
    file = tmp_path / "a.igs"
    code, out, _ = run("compress", tmp_path, "-o", file, *FAST, "--gaussians", count)
    assert code == 0
    (said,) = (line for line in out.splitlines() if "FLIP" in line)
    flip, size = re.search(r"error of (\S+), .*; --max-bytes (\S+) would bring it to about 0\.1$", said).groups()
    assert float(flip) == pytest.approx(flip_of(run, file, tmp_path), abs=0.006)
    code, out, _ = run("compress", tmp_path, "-o", file, *FAST, "--max-bytes", size)
    assert code == 0
    assert "FLIP" not in out
    assert 0.05 < flip_of(run, file, tmp_path) < 0.12
    assert file.stat().st_size <= read_bytes(size)


def flip_of(run, file, source):
    return json.loads(run("compare", file, source, "--json", "--backend", "cpu")[1])["maps"][0]["flip"]


def test_one_poor_map_is_mended_by_the_targets_that_are_said(run, tmp_path):
    """A mask with hard edges beside soft colours: bytes for all maps would be spent on colours, too."""
    rng = np.random.default_rng(3)
    soft = 0.5 + 0.1 * np.stack([octaves(rng, 2.5) for _ in range(3)], axis=-1)
    folder, arguments = tmp_path / "wall", (*FAST, "--report", "-")
    folder.mkdir()
    write_image(folder / "basecolor.png", as_bytes(np.clip(soft, 0, 1)))
    write_image(folder / "metallic.png", as_bytes((octaves(rng, 2.0) > 0).astype(float)))
    first = json.loads(run("compress", folder, "-o", tmp_path / "a.igs", *arguments, "--gaussians", "120")[1])
    (line,) = first["warnings"]
    pattern = r"metallic is at .*; (--target-psnr \S+) (--target metallic=28) would bring it to 28 dB, mostly in fewer "
    targets = [word for part in re.match(pattern, line).groups() for word in part.split()]
    better = json.loads(run("compress", folder, "-o", tmp_path / "b.igs", *arguments, *targets)[1])
    assert first["maps"][1]["psnr_db"] < POOR_PLAIN_DB
    assert better["maps"][1]["psnr_db"] >= MENDED_DB
    assert better["warnings"] == []  # colours gave up 3 of 34.7 dB
    assert better["psnr_db"] >= first["psnr_db"]
    assert better["file_bytes"] < read_bytes(re.search(r"--max-bytes (\S+) for all maps$", line)[1])


def test_a_good_file_has_none(run, tmp_path):
    y, x = np.mgrid[0:64, 0:64] / 64
    smooth = 0.5 + 0.3 * np.sin(2 * np.pi * x) * np.cos(2 * np.pi * y)
    write_image(tmp_path / "basecolor.png", as_bytes(smooth[..., None].repeat(3, axis=2)))
    code, out, _ = run("compress", tmp_path, "-o", tmp_path / "a.igs", *FAST, "--gaussians", "60")
    assert code == 0
    assert "warning" not in out


def test_quiet_prints_none_and_the_report_has_them(run, grain, tmp_path):
    arguments = ("-o", tmp_path / "a.igs", *FAST, "--gaussians", "70", "-q", "--report", tmp_path / "r.json")
    assert run("compress", grain, *arguments) == (0, "", "")
    assert json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))["warnings"]
