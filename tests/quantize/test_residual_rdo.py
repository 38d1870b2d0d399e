"""A residual layer made of noise and stripes: near enough, and cheaper than plain rounding at equal error."""

import numpy as np
import pytest

from imagegs_tex.formats.igs.residual_layer import MOST_IN_BLOCK, pack_residual
from imagegs_tex.formats.igs.residual_picture import residual_picture
from imagegs_tex.quantize import residual_rdo

SIZE = (45, 38)


def _residual() -> np.ndarray:
    random = np.random.default_rng(1)
    x, y = np.meshgrid(np.arange(SIZE[0]), np.arange(SIZE[1]))
    stripes = 0.05 * np.sin(x * 0.9) * (y > 12)
    return stripes[..., None] * [1.0, 0.6, -0.3] + random.normal(0, 0.01, (*SIZE[::-1], 3))


def test_fine_steps_leave_little() -> None:
    residual = _residual()
    layer = residual_rdo.make_residual_layer(residual, 1e-3, 2)
    left = residual - residual_picture(layer, SIZE, SIZE)
    assert np.sqrt((left**2).mean()) < 1e-3 / np.sqrt(12) * 1.4


def test_error_and_bits_together_are_less(monkeypatch: pytest.MonkeyPatch) -> None:
    residual, weight, step = _residual(), residual_rdo.RATE_WEIGHT, 0.015
    costs = []
    for used in (weight, 0.0):
        monkeypatch.setattr(residual_rdo, "RATE_WEIGHT", used)
        layer = residual_rdo.make_residual_layer(residual, step, 3)
        left = residual - residual_picture(layer, SIZE, SIZE)
        bits = 8 * len(pack_residual(layer, SIZE))
        costs.append((left**2).sum() / step**2 + weight * bits)
    assert costs[0] < costs[1], costs


def test_blocks_keep_their_limit() -> None:
    layer = residual_rdo.make_residual_layer(np.random.default_rng(2).normal(size=(16, 16, 3)), 1e-3, 4)
    assert layer.counts.tolist() == [MOST_IN_BLOCK]
    assert layer.places.size == MOST_IN_BLOCK


def test_threads_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(residual_rdo, "_PART", 8)
    layers = [residual_rdo.Coefficients.of(_residual(), 2, threads).layer(0.01) for threads in (1, 3)]
    assert pack_residual(layers[0], SIZE) == pack_residual(layers[1], SIZE)
    pictures = [residual_picture(layers[0], SIZE, SIZE, threads=threads) for threads in (1, 3)]
    assert np.array_equal(*pictures)


def test_channels_that_count_more_have_less_error() -> None:
    residual, scales = _residual(), np.array([1.0, 4.0, 1.0])
    errors = []
    for used in (None, scales):
        layer = residual_rdo.Coefficients.of(residual, 2, scales=used).layer(0.03)
        errors.append(((residual - residual_picture(layer, SIZE, SIZE)) ** 2).sum(axis=(0, 1)))
    assert errors[1][1] < errors[0][1] / 4
    assert errors[1][0] < 2 * errors[0][0]


def test_estimates_by_some_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    residual = np.random.default_rng(3).normal(0, 0.02, (256, 64, 3))
    whole = residual_rdo.Coefficients.of(residual, 2).chosen(0.03)
    monkeypatch.setattr(residual_rdo, "_SAMPLED_FROM", 1)
    some = residual_rdo.Coefficients.of(residual, 2, some=True)
    assert some.scale == 4
    found = some.chosen(0.03)
    assert np.allclose([found.bytes, found.error], [whole.bytes, whole.error], rtol=0.1)
    assert len(found.layer.places) * 4 == pytest.approx(len(whole.layer.places), rel=0.1)


def test_nothing_to_round() -> None:
    residual = _residual()[:36, :44]
    chosen = residual_rdo.Coefficients.of(residual, 2).chosen(10.0)
    assert chosen.layer is None
    assert chosen.bytes == 0
    assert chosen.error == pytest.approx((residual**2).sum(), rel=1e-3)


def test_components_that_are_never_used_are_left_out() -> None:
    residual = np.random.default_rng(4).normal(0, 0.1, (40, 40, 1)) * [1.0, 0.5, -0.2] + 1e-3
    residual[..., 2] += np.random.default_rng(5).normal(0, 1e-3, (40, 40))
    layer = residual_rdo.Coefficients.of(residual, 2).layer(0.02)
    assert len(layer.basis_codes) == 1
    assert layer.places.max() < 16
    left = residual - residual_picture(layer, (40, 40), (40, 40))
    assert np.sqrt((left**2).mean()) < 0.02 / 2
