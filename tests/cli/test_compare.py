"""``compare``."""

import json
import re

from helpers.tiny_material import as_bytes, waves, write_material

from imagegs_tex.formats.images import write_image


def test_compare_scores_every_map(run, material, packed):
    code, out, _ = run("compare", packed, material)
    assert code == 0
    assert "basecolor" in out
    assert "degrees" in out
    assert "alpha test" not in out  # no map has any, and an empty column says nothing
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


def test_compare_with_another_source(fails, packed, tmp_path):
    other = write_material(tmp_path / "other", 32, 32)
    assert "give the source that the file was made of" in fails(3, "compare", packed, other)
    write_image(tmp_path / "picture.png", as_bytes(waves(64, 64, 3)))
    assert "has no map" in fails(3, "compare", packed, tmp_path / "picture.png")
