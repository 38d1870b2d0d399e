"""``compress`` with targets that no file reaches: exit code 1, the report, and the best file where it is wanted."""

import json

import numpy as np
import pytest

from imagegs_tex.formats.igs.container import read_igs
from imagegs_tex.formats.images import write_image

FAST = ("--preset", "fast", "--quiet")


@pytest.fixture
def inexact(monkeypatch):
    """What is small enough for exact samples reaches any target: here it does not become them."""
    monkeypatch.setattr("imagegs_tex.encoder.exact_file.exact_set", lambda _: None)


@pytest.mark.parametrize(
    ("target", "asked", "unit"),
    [
        (("--target-psnr", "70dB"), 70, "dB"),
        (("--target", "roughness=80"), 80, "dB"),
        (("--target", "normal=0.01deg"), 0.01, "degrees"),
    ],
    ids=str,
)
def test_the_best_file_is_kept_where_it_is_asked_for(inexact, fails, run, material, tmp_path, target, asked, unit):
    path, report = tmp_path / "a.igs", tmp_path / "r.json"
    line = fails(1, "compress", material, "-o", path, *target, *FAST, "--report", report, "--keep-best")
    assert "was not reached; the best found" in line
    assert f"it is kept as {path}" in line
    found = json.loads(report.read_text(encoding="utf-8"))
    (result,) = found["targets"]
    assert (result["asked"], result["unit"]) == (asked, unit)
    assert (result["reached"] > asked) == (unit == "degrees")
    assert found["unreached"] in line
    assert found["written"] is True
    assert found["file_bytes"] == path.stat().st_size
    assert found["gaussians"] == read_igs(path).gaussian_count
    scores = json.loads(run("compare", path, material, "--json")[1])
    assert scores["psnr_db"] == pytest.approx(found["psnr_db"])


def test_without_keep_best_there_is_the_report_alone(inexact, fails, material, tmp_path):
    older = tmp_path / "a.igs"
    arguments = ("compress", material, "-o", older, "--target-psnr", "70", *FAST, "--report", tmp_path / "r.json")
    line = fails(1, *arguments)
    assert "--keep-best" in line
    assert [path.name for path in tmp_path.iterdir()] == ["r.json"]
    found = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))
    assert found["written"] is False
    assert 20 < found["targets"][0]["reached"] == found["psnr_db"] < 70


@pytest.mark.parametrize("keep", [True, False])
@pytest.mark.parametrize(
    "limit",
    [("--max-bytes", "90"), ("--bpp", "0.001"), ("--max-gpu-bytes", "700"), ("--max-bytes", "1")],
    ids=" ".join,
)
def test_a_size_below_every_file_s_is_not_reached(inexact, fails, material, tmp_path, limit, keep):
    path, report = tmp_path / "a.igs", tmp_path / "r.json"
    arguments = ("compress", material, "-o", path, *limit, *FAST, "--report", report)
    line = fails(1, *arguments, *(["--keep-best"] if keep else []))
    found = json.loads(report.read_text(encoding="utf-8"))
    assert "bytes were not reached; the smallest " in found["unreached"]
    assert found["unreached"] in line
    size = found["gpu_bytes"] if "gpu" in limit[0] else found["file_bytes"]
    assert f"found has {size:,}: the header, " in line
    assert (found["written"], found["gaussians"]) == (keep, 1)
    assert path.exists() == keep
    if keep:
        assert f"it is kept as {path}" in line
        assert path.stat().st_size == found["file_bytes"]
        assert read_igs(path).gaussian_count == 1
    else:
        assert line.endswith(": allow more, or --keep-best\n")


@pytest.mark.parametrize("size", [(1, 2), (4, 4)])
def test_a_tiny_picture_whose_only_gaussian_is_worth_nothing(fails, tmp_path, size):
    """Where there is nothing to gain and bits have no price, the last Gaussian stays all the same."""
    write_image(tmp_path / "basecolor.png", np.random.default_rng(1).integers(0, 255, (*size, 3)).astype(np.uint8))
    path = tmp_path / "a.igs"
    line = fails(1, "compress", tmp_path / "basecolor.png", "-o", path, "--max-bytes", "20", *FAST, "--keep-best")
    assert f"20 bytes were not reached; the smallest file found has {path.stat().st_size}: " in line
    assert read_igs(path).gaussian_count == 1


def test_a_target_that_is_reached_has_nothing_to_say(run, material, tmp_path):
    arguments = ("compress", material, "-o", tmp_path / "a.igs", "--target-psnr", "22", *FAST, "--keep-best")
    code, out, _ = run(*arguments, "--report", "-")
    found = json.loads(out)
    assert (code, found["unreached"], found["written"]) == (0, None, True)
    assert found["targets"][0]["reached"] >= 22


def test_what_is_far_out_of_reach_takes_one_fit(inexact, material):
    """Pilots say so; climbing there in steps of two doublings at most took two, or more from fewer Gaussians."""
    from imagegs_tex import CompressSettings, FitSettings
    from imagegs_tex.encoder.rate_control import encode_within_budget
    from imagegs_tex.formats.material.build_stack import load_stack
    from imagegs_tex.rasterize.select_backend import make_backend

    settings = CompressSettings(target_psnr=110.0, fit=FitSettings(steps=20, refine_sweeps=0))
    found = encode_within_budget(load_stack(material), settings, make_backend("cpu", 1))
    assert (found.effort.pilots, found.effort.fits) == (2, 1)
    assert found.quantized.gaussian_count == 64 * 64 // 3
    assert "110.00 dB was not reached" in found.unreached


@pytest.mark.parametrize(
    ("target", "code", "unit"),
    [
        (("--target", "normal=0.001deg"), 1, "degrees"),
        (("--target-psnr", "110"), 1, "dB"),
        (("--target", "normal=1deg"), 0, "degrees"),
        (("--target-psnr", "50"), 0, "dB"),
    ],
    ids=str,
)
def test_exact_samples_that_do_not_reach_a_target_say_so(run, tmp_path, target, code, unit):
    """Their normals' z is made of x and y: not quite what a source in 8 bits has."""
    folder = tmp_path / "m"
    folder.mkdir()
    vectors = np.random.default_rng(1).normal(size=(12, 12, 3))
    vectors[..., 2] = np.abs(vectors[..., 2]) + 0.5
    vectors /= np.linalg.norm(vectors, axis=-1, keepdims=True)
    write_image(folder / "normal.png", np.rint((vectors + 1) * 127.5).astype(np.uint8))
    arguments = ("compress", folder, "-o", tmp_path / "a.igs", *target, *FAST, "--report", tmp_path / "r.json")
    found_code, _, err = run(*arguments, "--keep-best")
    found = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))
    (result,) = found["targets"]
    assert found_code == code
    assert (found["unreached"] is None) == (code == 0) == ("was not reached; exact samples" not in err)
    assert read_igs(tmp_path / "a.igs").exact is not None
    reaches = result["reached"] <= result["asked"] if unit == "degrees" else result["reached"] >= result["asked"]
    assert reaches == (code == 0)
