"""Bytes at fixed PSNR may not rise: small pictures here, all cases in benchmarks/quality.py --check.

Where a change saves bytes, put what the message says into tests/encoder/floor.json.
"""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from imagegs_tex import DetailMode, Preset, preset_settings
from imagegs_tex.api import compress_stack
from imagegs_tex.formats.material.build_stack import load_stack
from imagegs_tex.rasterize.select_backend import make_backend

FLOOR = json.loads((Path(__file__).resolve().parent / "floor.json").read_text(encoding="utf-8"))
SIDE = 256


def assert_small(stack, name, folder):
    wanted = FLOOR["cases"][name]
    settings = replace(preset_settings(Preset.FAST), target_psnr=wanted["psnr_db"], detail=DetailMode.OFF)
    report = compress_stack(stack, folder / "a.igs", settings, make_backend("cpu", 2))
    assert report.psnr_db >= wanted["psnr_db"]
    allowed = wanted["bytes"] * (1 + FLOOR["tolerance"])
    assert report.file_bytes <= allowed, f"{name}: {report.file_bytes} bytes, where {allowed:.0f} are allowed"


def test_the_example_material(repository, tmp_path):
    script = repository / "examples" / "make_material.py"
    subprocess.run([sys.executable, script, tmp_path / "m", "--size", str(SIDE)], check=True)
    assert_small(load_stack(tmp_path / "m"), "example", tmp_path)


@pytest.mark.materials
def test_a_crop_of_a_real_material(materials, tmp_path):
    stack = load_stack(materials / "stylized_stone_floor_001")
    texels = np.ascontiguousarray(stack.texels[:SIDE, :SIDE])
    crop = replace(stack, width=SIDE, height=SIDE, texels=texels, wrap=(False, False))
    assert_small(crop, "stylized_stone_floor_001, top left", tmp_path)
