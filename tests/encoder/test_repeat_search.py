"""Files of what repeats: smaller at a PSNR, better at a size, and as before where nothing repeats or it is off."""

from dataclasses import replace

import numpy as np
import pytest
from helpers.made_lattice import made_tiles

from imagegs_tex import compress
from imagegs_tex.encoder import repeat_search
from imagegs_tex.encoder.compute import compute_on
from imagegs_tex.encoder.rate_control import encode_within_budget
from imagegs_tex.formats.igs.container import encode_igs
from imagegs_tex.formats.images import write_image
from imagegs_tex.formats.material.build_stack import load_stack
from imagegs_tex.rasterize.select_backend import make_backend
from imagegs_tex.settings import (
    CompressSettings,
    DetailMode,
    FitSettings,
    Precision,
    QualityTarget,
    RepeatMode,
    ResidualMode,
)

OFF, AUTO = (Precision(repeat=mode, residual=ResidualMode.OFF) for mode in (RepeatMode.OFF, RepeatMode.AUTO))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Bricks, each of a tone of its own, and how high they are."""
    folder = tmp_path_factory.mktemp("bricks")
    picture = np.rint(255 * made_tiles(size=(150, 116), shift=8)).astype(np.uint8)
    write_image(folder / "albedo.png", picture)
    write_image(folder / "height.png", 255 - picture[..., 0])
    return folder


@pytest.fixture(scope="module")
def bricks(folder):
    return load_stack(folder)


@pytest.fixture(scope="module")
def backend():
    return make_backend("cpu")


def made(stack, backend, precision, **limits):
    settings = CompressSettings(fit=FitSettings(steps=30, refine_sweeps=0), detail=DetailMode.OFF, precision=precision)
    encoded = encode_within_budget(stack, replace(settings, **limits), backend)
    level = compute_on(backend).all_reached((QualityTarget(0.0),), stack, encoded.quantized)[0]
    return encoded, len(encode_igs(encoded.quantized)), level


def test_smaller_at_a_psnr(bricks, backend):
    encoded, size, level = made(bricks, backend, AUTO, target_psnr=32.0)
    assert encoded.quantized.repeat is not None
    assert encoded.effort.fits == 0, "Gaussians were fitted where a pilot leaves no doubt"
    assert level >= 32.0
    assert encoded.quantized.repeat.blocks.step <= 0.0055 * encoded.quantized.repeat.blocks.side
    _, plain, _ = made(bricks, backend, OFF, target_psnr=32.0)
    assert size < 0.4 * plain


def test_better_at_a_size_with_a_residual(bricks, backend):
    _, _, plain = made(bricks, backend, OFF, max_bytes=7000)
    _, size, repeated = made(bricks, backend, AUTO, max_bytes=7000)
    assert size <= 7000
    assert repeated > plain + 3
    encoded, size, level = made(bricks, backend, replace(AUTO, residual=ResidualMode.AUTO), max_bytes=7000)
    assert encoded.quantized.residual is not None
    assert 0.95 * 7000 <= size <= 7000
    assert level > repeated + 0.3


def test_a_quality(bricks, backend):
    encoded, size, _ = made(bricks, backend, AUTO, quality=40.0)
    assert encoded.quantized.repeat is not None
    assert size < 0.6 * made(bricks, backend, OFF, quality=40.0)[1]


def test_the_same_twice(bricks, backend):
    first, second = (encode_igs(made(bricks, backend, AUTO, max_bytes=3000)[0].quantized) for _ in range(2))
    assert first == second


def test_as_before_where_nothing_repeats(tmp_path, backend, monkeypatch):
    noise = np.random.default_rng(0).normal(0.5, 0.1, (96, 96, 3)).clip(0, 1)
    write_image(tmp_path / "albedo.png", np.rint(255 * noise).astype(np.uint8))
    stack = load_stack(tmp_path)
    monkeypatch.setattr(repeat_search, "CellPictures", None)
    for limits in ({"max_bytes": 3000}, {"target_psnr": 21.0}, {"quality": 10.0}):
        with_auto, without = (encode_igs(made(stack, backend, mode, **limits)[0].quantized) for mode in (AUTO, OFF))
        assert with_auto == without


def test_none_where_a_number_of_gaussians_is_asked_for(bricks, backend):
    assert made(bricks, backend, AUTO, gaussian_count=50)[0].quantized.repeat is None


def test_an_edit_of_what_repeats_is_fitted_from_the_beginning(folder, tmp_path):
    settings = CompressSettings(target_psnr=30.0, fit=FitSettings(steps=10, refine_sweeps=0), precision=AUTO)
    report = compress(folder, tmp_path / "a.igs", settings, "cpu")
    assert report.ledger.repeat > 100
    edited = compress(folder, tmp_path / "b.igs", settings, "cpu", start=tmp_path / "a.igs")
    assert edited.remarks[-1] == "--start: fitted from the beginning: a.igs is what repeats, without Gaussians"
    assert (tmp_path / "a.igs").read_bytes() == (tmp_path / "b.igs").read_bytes()
