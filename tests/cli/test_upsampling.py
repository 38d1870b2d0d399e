"""A file made smaller than its source, held against it at the source's size; LPIPS and gamma in ``compare``."""

import json
import math

import numpy as np
import pytest
from helpers.lpips_weights import write_lpips_weights
from helpers.tiny_material import write_material
from PIL import Image

from imagegs_tex.formats.images import read_image


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    return write_material(tmp_path_factory.mktemp("large") / "stone", 96, 64)


def psnr(first, second):
    return -10 * math.log10(np.mean(((first - second) / 255.0) ** 2))


def test_a_smaller_file_is_scored_at_the_size_of_its_source(run, large, tmp_path):
    file, report = tmp_path / "stone.igs", tmp_path / "report.json"
    code, _, err = run(
        "compress",
        large,
        "-o",
        file,
        "--downsample",
        "2",
        "--gaussians",
        "300",
        "--steps",
        "60",
        "--report",
        report,
        "-q",
    )
    assert code == 0, err
    made = json.loads(report.read_text())
    assert (made["width"], made["height"], made["source_width"], made["source_height"]) == (48, 32, 96, 64)
    code, printed, _ = run("compare", file, large)
    assert code == 0
    assert "the file's 48 x 32" in printed
    assert "lanczos" in printed
    found = json.loads(run("compare", file, large, "--json")[1])
    assert (found["upsampling"]["width"], found["upsampling"]["height"]) == (48, 32)
    scores = {score["name"]: score["psnr_db"] for score in found["maps"]}
    assert run("decode", file, "-o", tmp_path / "decoded", "--scale", "2")[0] == 0
    source, decoded = (read_image(folder / "basecolor.png")[0] for folder in (large, tmp_path / "decoded"))
    assert decoded.shape == source.shape
    assert scores["basecolor"] == pytest.approx(psnr(source.astype(float), decoded), abs=0.01)
    for each in found["upsampling"]["enlarged"]:
        wanted = []
        for channel in range(3):
            small = source[..., channel].reshape(32, 2, 48, 2).mean(axis=(1, 3)).astype(np.float32)
            chosen = {"lanczos": Image.Resampling.LANCZOS, "bicubic": Image.Resampling.BICUBIC}[each["filter"]]
            wanted.append(np.clip(np.rint(Image.fromarray(small).resize((96, 64), chosen)), 0, 255))
        assert dict(each["maps"])["basecolor"] == pytest.approx(
            psnr(source.astype(float), np.stack(wanted, axis=-1)), abs=0.01
        )
    at_its_own = json.loads(run("compare", file, large, "--size", "48x32", "--json")[1])
    assert at_its_own["upsampling"] is None
    assert at_its_own["psnr_db"] > found["psnr_db"]


def test_what_downsample_refuses(fails, large, tmp_path):
    arguments = ("compress", large, "-o", tmp_path / "a.igs", "--downsample")
    assert "0.5 times smaller; give 1 to" in fails(2, *arguments, "0.5")
    assert "exclude each other" in fails(2, *arguments, "2", "--size", "32x32")
    assert "nan times smaller" in fails(2, *arguments, "nan")


def test_gamma_and_lpips(run, fails, material, packed, tmp_path):
    plain = json.loads(run("compare", packed, material, "--json")[1])
    assert plain["gamma"] == 1
    assert plain["maps"][0]["lpips"] is None
    weights = write_lpips_weights(tmp_path / "weights")
    found = json.loads(run("compare", packed, material, "--json", "--gamma", "2.2", "--lpips-weights", weights)[1])
    score = next(score for score in found["maps"] if score["name"] == "basecolor")
    assert run("decode", packed, "-o", tmp_path / "decoded", "--no-detail")[0] == 0
    source, decoded = (
        (read_image(folder / "basecolor.png")[0] / 255.0) ** 2.2 * 255 for folder in (material, tmp_path / "decoded")
    )
    assert score["psnr_db"] == pytest.approx(psnr(source, decoded), abs=0.01)
    assert score["flip"] == plain["maps"][[each["name"] for each in plain["maps"]].index("basecolor")]["flip"]
    assert 0 < score["lpips"] < 5
    printed = run("compare", packed, material, "--gamma", "2.2", "--lpips-weights", weights)[1]
    assert "LPIPS" in printed
    assert "to the power of 2.2" in printed
    for wrong in ("0", "-1", "nan", "inf"):
        assert f"a gamma of {wrong} is not above 0" in fails(2, "compare", packed, material, "--gamma", wrong)
