"""Borders at which a picture repeats: their texels weigh more where a fit leaves more error there than inside."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from imagegs_tex.decoder.render import render_channels
from imagegs_tex.encoder import encode
from imagegs_tex.fit import loop
from imagegs_tex.fit.problem import FitProblem
from imagegs_tex.fit.seam_weights import BORDER, balanced_weight, has_borders, near_borders, with_border_weight
from imagegs_tex.formats.images import write_image
from imagegs_tex.formats.material.build_stack import load_stack
from imagegs_tex.rasterize.cpu.backend import CpuBackend
from imagegs_tex.settings import FitSettings, Precision

CPU = CpuBackend(2)
SIDE = 160
DEVICE = torch.device("cpu")


def problem_of(image, weights=None):
    return FitProblem(image, image.reshape(-1, image.shape[2]).std(dim=0), image.shape[2], weights)


@pytest.mark.parametrize("wrap", [(True, True), (True, False), (False, True), (False, False)])
def test_texels_near_borders_that_repeat(wrap):
    near = near_borders((50, 40), wrap, DEVICE).numpy()
    y, x = np.mgrid[:40, :50]
    at_x, at_y = np.minimum(x, 49 - x) < BORDER, np.minimum(y, 39 - y) < BORDER
    np.testing.assert_array_equal(near, (at_x & wrap[0]) | (at_y & wrap[1]))


def test_small_pictures_and_those_that_do_not_repeat_have_none():
    image = torch.rand(SIDE, SIDE, 2)
    assert has_borders(CPU.prepare_target(image, None, (True, False)))
    assert not has_borders(CPU.prepare_target(image, None, (False, False)))
    assert not has_borders(CPU.prepare_target(image[:100], None, (True, True)))


@pytest.mark.parametrize(("at_border", "expected"), [(0.1, 1.0), (0.05, 1.0), (10.0, 4.0)])
def test_the_weight_stays_within_its_range(at_border, expected):
    image = torch.zeros(SIDE, SIDE, 1)
    wrap = (True, True)
    picture = torch.where(near_borders((SIDE, SIDE), wrap, DEVICE), at_border, 0.1)[..., None]
    assert balanced_weight(1.0, picture, problem_of(image), wrap) == pytest.approx(expected)


def test_the_weight_follows_the_error_and_what_texels_count():
    wrap, image = (True, False), torch.zeros(SIDE, SIDE, 1)
    near = near_borders((SIDE, SIDE), wrap, DEVICE)
    picture = torch.where(near, 0.115, 0.1)[..., None]
    weight = balanced_weight(1.0, picture, problem_of(image), wrap)
    assert 1.0 < weight < balanced_weight(1.5, picture, problem_of(image), wrap) < 4.0
    uncounted = torch.where(near, 0.0, 1.0)  # no texel there counts, so that nothing is known of its error
    assert balanced_weight(1.7, picture, problem_of(image, uncounted), wrap) == 1.7
    # the worst texels not counting: the rest is as good as inside
    picture[:, 0] = 9.0
    counted = torch.ones(SIDE, SIDE)
    counted[:, 0] = 0.0
    assert balanced_weight(1.0, picture, problem_of(image, counted), wrap) == pytest.approx(weight, rel=1e-5)


def test_weights_multiply_those_of_the_problem():
    image, wrap = torch.rand(SIDE, SIDE, 2), (True, True)
    importance = torch.rand(SIDE, SIDE)
    target = CPU.prepare_target(image, importance, wrap)
    weighed, weighed_target = with_border_weight(problem_of(image, importance), target, 2.0, CPU)
    expected = importance * torch.where(near_borders((SIDE, SIDE), wrap, DEVICE), 2.0, 1.0)
    torch.testing.assert_close(weighed.weights, expected)
    assert weighed_target.wrap == wrap
    same, same_target = with_border_weight(problem_of(image, importance), target, 1.0, CPU)
    assert same.weights is importance
    assert same_target is target


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    """A picture that repeats and has fine detail where its tiles meet, and little elsewhere."""
    folder = tmp_path_factory.mktemp("joints")
    y, x = np.mgrid[:SIDE, :SIDE] * (2 * np.pi / SIDE)
    smooth = np.stack([np.sin(3 * x + y), np.cos(2 * y), np.sin(2 * x - 3 * y)], axis=-1)
    rough = np.random.default_rng(0).normal(size=(SIDE, SIDE, 3))
    near = near_borders((SIDE, SIDE), (True, True), DEVICE).numpy()[..., None]
    values = 0.5 + 0.15 * smooth + np.where(near, 0.08, 0.05) * rough
    write_image(folder / "basecolor.png", np.rint(np.clip(values, 0, 1) * 255).astype(np.uint8))
    return replace(load_stack(folder), wrap=(True, True))


def border_over_inside(stack, geometry):
    quantized = encode.round_features(geometry, Precision(), stack)
    errors = np.square(render_channels(quantized, CPU).numpy() - stack.texels).mean(axis=2)
    near = near_borders((SIDE, SIDE), stack.wrap, DEVICE).numpy()
    return np.sqrt(errors[near].mean() / errors[~near].mean())


def test_a_fit_evens_out_what_its_borders_have_more_and_the_next_goes_on_from_there(stack, monkeypatch):
    settings, prepared = FitSettings(steps=60, refine_sweeps=1), encode.prepare(stack, CPU)
    evened, _ = encode.fit_geometry(prepared, 500, settings, Precision(), CPU)
    assert evened.border_weight > 1.2
    started = []

    def spy(weight, *rest):
        started.append(weight)
        return balanced_weight(weight, *rest)

    monkeypatch.setattr(loop, "balanced_weight", spy)
    values = evened.quantizer.values(evened.position_codes, evened.shape_codes)
    earlier = encode.Geometry(*values, evened.cutoff, evened.border_weight)
    encode.fit_geometry(prepared, 500, replace(settings, steps=16), Precision(), CPU, start=earlier)
    assert started[0] == evened.border_weight
    monkeypatch.setattr(loop, "has_borders", lambda _: False)
    plain, _ = encode.fit_geometry(prepared, 500, settings, Precision(), CPU)
    assert plain.border_weight == 1.0
    assert border_over_inside(stack, evened) < border_over_inside(stack, plain) - 0.05


def test_nothing_weighs_more_where_the_picture_does_not_repeat(stack):
    prepared = encode.prepare(replace(stack, wrap=(False, False)), CPU)
    geometry, _ = encode.fit_geometry(prepared, 200, FitSettings(steps=16, refine_sweeps=0), Precision(), CPU)
    assert geometry.border_weight == 1.0
