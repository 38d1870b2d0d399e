"""Lengths of decoded normals: 1 where the source's are or where it is asked for, and else the source's."""

import numpy as np
import pytest
from helpers.tiny_material import waves

from imagegs_tex.formats.images import read_image, write_image

FAST = ("--gaussians", 150, "--preset", "fast", "--backend", "cpu", "--quiet")


def normals(length, dtype):
    """Bumps of one length, stored."""
    sides = waves(48, 48, 2) - 0.5
    vectors = np.concatenate([sides, np.sqrt(1 - np.square(sides).sum(axis=-1, keepdims=True))], axis=-1) * length
    return np.rint((vectors + 1) / 2 * np.iinfo(dtype).max).astype(dtype)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize(
    ("length", "options", "wanted"),
    [
        (1.0, (), 1.0), (1.0, ("--normals", "unit"), 1.0), (0.8, (), 0.8), (0.8, ("--normals", "unit"), 1.0),
        (0.8, ("--normals", "stored"), 0.8),
    ],
    ids=["unit", "unit, asked", "short", "short, unit asked", "short, stored asked"],
)  # fmt: skip
def test_lengths_after_decode(run, tmp_path, dtype, length, options, wanted):
    write_image(tmp_path / "normal.png", normals(length, dtype))
    write_image(tmp_path / "roughness.png", (waves(48, 48, 1)[..., 0] * 255).astype(np.uint8))
    (tmp_path / "stone").mkdir()
    for name in ("normal", "roughness"):
        (tmp_path / f"{name}.png").rename(tmp_path / "stone" / f"{name}.png")
    assert run("compress", tmp_path / "stone", "-o", tmp_path / "a.igs", *FAST, *options)[0] == 0
    for form in ("png", "exr"):  # 8 bits cannot say it in floats any better: rounding is the map's own
        assert run("decode", tmp_path / "a.igs", "-o", tmp_path / form, "--format", form, "--quiet")[0] == 0
    samples, _ = read_image(tmp_path / "png" / "normal.png")
    assert samples.dtype == dtype
    lengths = np.linalg.norm(samples / np.iinfo(dtype).max * 2.0 - 1, axis=-1)
    if wanted == 1.0:
        assert np.abs(lengths - 1).max() <= 1.8 / np.iinfo(dtype).max  # three roundings by half a step: √3 steps
    else:
        assert lengths.mean() == pytest.approx(wanted, abs=0.02)
