"""More Gaussians never make a thin picture worse."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from imagegs_tex import CompressSettings, DetailMode, FitSettings, Preset, compress, preset_settings
from imagegs_tex.formats.images import write_image

QUICK = CompressSettings(fit=FitSettings(steps=60, refine_sweeps=1), detail=DetailMode.OFF)


@pytest.mark.parametrize("upright", [False, True])
def test_a_ramp_gets_better_with_every_doubling(tmp_path, upright):
    """33.0, 26.3 and 23.8 dB were had with 32, 64 and 128."""
    ramp = np.arange(256, dtype=np.uint8)[None, :, None]
    write_image(tmp_path / "ramp.png", ramp.reshape(256, 1, 1).copy() if upright else ramp)
    levels = [
        compress(tmp_path / "ramp.png", tmp_path / "x.igs", replace(QUICK, gaussian_count=count), backend="cpu").psnr_db
        for count in (8, 16, 32, 64, 128)
    ]
    assert levels[0] > 40
    assert all(more > less or more > 60 for less, more in pairwise(levels)), levels


def test_no_number_of_gaussians_makes_a_ramp_worse_at_the_fast_preset(tmp_path):
    """120 and 72 dB were had with 64 and 128: exact samples are smaller than those, and take their place."""
    write_image(tmp_path / "ramp.png", np.arange(256, dtype=np.uint8)[None, :, None])
    fast = replace(preset_settings(Preset.FAST), detail=DetailMode.OFF)
    reports = [
        compress(tmp_path / "ramp.png", tmp_path / "x.igs", replace(fast, gaussian_count=count), backend="cpu")
        for count in (8, 64, 128, 200)
    ]
    levels = [report.psnr_db for report in reports]
    assert all(more >= less for less, more in pairwise(levels)), levels
    assert reports[-1].file_bytes < 400
