"""Fewer Gaussians with a residual: better at a size, smaller at a PSNR, and not tried where it is not asked for."""

from dataclasses import replace

import numpy as np
import pytest

from imagegs_tex.decoder.render import render_channels
from imagegs_tex.encoder import rate_control, residual_search
from imagegs_tex.encoder.compute import compute_on
from imagegs_tex.encoder.rate_control import encode_within_budget
from imagegs_tex.encoder.visible_quality import decibels_of_quality
from imagegs_tex.formats.igs.container import encode_igs, residual_bytes
from imagegs_tex.formats.images import write_image
from imagegs_tex.formats.material.build_stack import load_stack
from imagegs_tex.formats.vocabulary import Semantic
from imagegs_tex.metrics.visible_error import visible_error
from imagegs_tex.rasterize.select_backend import make_backend
from imagegs_tex.settings import CompressSettings, DetailMode, FitSettings, Precision, QualityTarget, ResidualMode
from imagegs_tex.shaders.gpu_buffer import resident_bytes

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


def test_asked_for_by_default():
    assert CompressSettings().precision == AUTO


def test_smaller_at_the_psnr_of_a_map(grain, backend):
    target = QualityTarget(25.0, Semantic.ROUGHNESS)
    _, most, _ = made(grain, backend, OFF, targets=(target,))
    quantized, size, _ = made(grain, backend, AUTO, targets=(target,))
    assert quantized.residual is not None
    assert size < 0.9 * most
    assert 25.0 <= compute_on(backend).all_reached((target,), grain, quantized)[0] < 25.03


def test_smaller_at_a_quality(grain, backend):
    sets = [made(grain, backend, precision, quality=60)[:2] for precision in (OFF, AUTO)]
    assert sets[1][0].residual is not None
    assert sets[1][1] < 0.9 * sets[0][1]
    levels = [
        visible_error(grain, backend.device, drawn=False).decibels(render_channels(one, backend)) for one, _ in sets
    ]
    assert levels[1] >= decibels_of_quality(60) > levels[0] - 0.5


def test_better_at_bytes_on_the_gpu(grain, backend):
    limit = 13000
    _, _, plain = made(grain, backend, OFF, max_gpu_bytes=limit)
    quantized, _, level = made(grain, backend, AUTO, max_gpu_bytes=limit)
    assert quantized.residual is not None
    assert quantized.residual.side > 4, "a GPU holds fewer bytes of larger blocks"
    assert 0.95 * limit <= resident_bytes(quantized) <= limit
    assert level > plain + 0.5


def test_codes_are_chosen_by_what_they_take_on_the_gpu(grain, backend, monkeypatch):
    _, _, level = made(grain, backend, AUTO, max_gpu_bytes=9000)
    of = residual_search.Coefficients.of
    monkeypatch.setattr(
        residual_search.Coefficients, "of", lambda *given, **named: of(*given, **{**named, "on_gpu": False})
    )
    assert level > made(grain, backend, AUTO, max_gpu_bytes=9000)[2] + 0.5


def test_a_gpu_holds_no_more(grain, backend):
    with_auto, without = (made(grain, backend, precision, max_bytes=6400)[0] for precision in (AUTO, OFF))
    assert resident_bytes(with_auto) <= resident_bytes(without)


@pytest.mark.parametrize("cost", ["gpu_bytes", "multiply_adds"])
def test_not_where_a_gpu_would_pay(grain, backend, monkeypatch, cost):
    estimated = residual_search.Cost.of
    monkeypatch.setattr(residual_search.Cost, "of", lambda *given: replace(estimated(*given), **{cost: 1e6}))
    monkeypatch.setattr(residual_search._Search, "found", lambda *_: pytest.fail("a layer was made"))
    assert made(grain, backend, AUTO, max_bytes=6400)[0].residual is None


def test_a_layer_that_wins_little_is_kept_where_gaussians_end_below_it(grain, backend, monkeypatch):
    monkeypatch.setattr(rate_control, "SURE_DB", 100.0)
    settings = CompressSettings(fit=FitSettings(steps=30, refine_sweeps=0), detail=DetailMode.OFF, max_bytes=6400)
    encoded = encode_within_budget(grain, settings, backend)
    assert encoded.quantized.residual is not None
    assert encoded.effort.fits > 2, "no more Gaussians alone were fitted"


def test_a_layer_that_wins_little_is_not_kept_where_gaussians_end_above_it(grain, backend, monkeypatch):
    poor = made(grain, backend, OFF, max_bytes=2000)[0]
    monkeypatch.setattr(rate_control, "best_within", lambda *_: poor)
    with_auto, without = (made(grain, backend, precision, max_bytes=6400)[0] for precision in (AUTO, OFF))
    assert encode_igs(with_auto) == encode_igs(without)


def test_what_wins_more_may_take_a_texel_more_work():
    alone = residual_search.Alone(1000, 5000.0, 30.0, 3.0, 20000.0, 500.0)
    nothing_won = alone.most_work(30.0, 0.0)
    assert nothing_won == pytest.approx(1.1 * 500.0)
    assert alone.most_work(27.0, 0.0) < nothing_won  # other Gaussians would have that with less
    assert alone.most_work(30.0, 1 / 3) == pytest.approx(2 * nothing_won)  # as good in fewer bytes: 1 dB
    assert 2 * nothing_won < alone.most_work(31.0, 0.0) == pytest.approx(2.2 * 500.0 * 2 ** (0.4 / 3))
    assert alone.most_work(30.0, 3.0) == pytest.approx(2 * nothing_won), "never more than twice that"


def test_a_second_search_goes_on_from_what_the_first_made(grain, backend, monkeypatch):
    made_steps, searches, chosen = [], [], residual_search.Coefficients.chosen
    monkeypatch.setattr(
        residual_search.Coefficients, "chosen", lambda self, step: made_steps.append(step) or chosen(self, step)
    )
    found = residual_search._Search.found
    monkeypatch.setattr(
        residual_search._Search, "found", lambda self, less=0.0: searches.append(self) or found(self, less)
    )
    quantized, size, _ = made(grain, backend, AUTO, max_bytes=6400)
    before = len(made_steps)
    coarser = found(searches[0], 0.05)
    assert coarser.residual.step > quantized.residual.step
    assert len(encode_igs(coarser)) <= size
    assert len(made_steps) - before <= 2
    before = len(made_steps)
    assert found(searches[0], 0.05) is coarser
    assert len(made_steps) == before
