"""Fewer Gaussians with a residual: better at a size, smaller at a PSNR, and not tried where it is not asked for."""

from dataclasses import replace

import numpy as np
import pytest

from imagegs_tex.encoder import residual_search
from imagegs_tex.encoder.compute import compute_on
from imagegs_tex.encoder.rate_control import encode_within_budget
from imagegs_tex.formats.igs.container import encode_igs, residual_bytes
from imagegs_tex.formats.images import write_image
from imagegs_tex.formats.material.build_stack import load_stack
from imagegs_tex.rasterize.select_backend import make_backend
from imagegs_tex.settings import CompressSettings, DetailMode, FitSettings, Precision, QualityTarget, ResidualMode

SIDE = 128
OFF, AUTO = Precision(residual=ResidualMode.OFF), Precision(residual=ResidualMode.AUTO)


@pytest.fixture(scope="module")
def grain(tmp_path_factory):
    """A slope under grain that is alike in both maps."""
    folder = tmp_path_factory.mktemp("grain")
    noise = np.random.default_rng(2).normal(0, 0.08, (SIDE, SIDE))
    slope = np.linspace(0.3, 0.7, SIDE)
    write_image(folder / "albedo.png", np.rint(255 * np.clip(slope + noise, 0, 1)[..., None].repeat(3, 2)).astype("u1"))
    write_image(folder / "roughness.png", np.rint(255 * np.clip(slope[:, None] - noise, 0, 1)).astype(np.uint8))
    return load_stack(folder)


@pytest.fixture(scope="module")
def backend():
    return make_backend("cpu")


def made(stack, backend, precision, **limits):
    settings = CompressSettings(fit=FitSettings(steps=30, refine_sweeps=0), detail=DetailMode.OFF, precision=precision)
    quantized = encode_within_budget(stack, replace(settings, **limits), backend).quantized
    level = compute_on(backend).all_reached((QualityTarget(0.0),), stack, quantized)[0]
    return quantized, len(encode_igs(quantized)), level


def test_better_at_a_size(grain, backend):
    _, _, plain = made(grain, backend, OFF, max_bytes=6400)
    quantized, size, level = made(grain, backend, AUTO, max_bytes=6400)
    assert quantized.residual is not None
    assert 0.97 * 6400 <= size <= 6400
    assert level > plain + 0.5
    assert residual_bytes(quantized) == size - len(encode_igs(replace(quantized, residual=None)))


def test_smaller_at_a_psnr(grain, backend):
    _, most, _ = made(grain, backend, OFF, target_psnr=25.0)
    quantized, size, level = made(grain, backend, AUTO, target_psnr=25.0)
    assert quantized.residual is not None
    assert size < 0.9 * most
    assert 25.0 <= level < 25.03


def test_not_below_half_a_bit(grain, backend, monkeypatch):
    monkeypatch.setattr(residual_search, "_found", lambda *_: pytest.fail("a layer was tried"))
    limit = SIDE * SIDE // 16 - 1
    with_auto, without = (made(grain, backend, precision, max_bytes=limit) for precision in (AUTO, OFF))
    assert encode_igs(with_auto[0]) == encode_igs(replace(without[0]))


def test_the_same_twice(grain, backend):
    first, second = (encode_igs(made(grain, backend, AUTO, max_bytes=6400)[0]) for _ in range(2))
    assert first == second
