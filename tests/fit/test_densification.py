"""Gaussians that go and come within a fit."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from helpers.fitted_error import squared_error
from helpers.tiny_material import as_bytes

from imagegs_tex.encoder.encode import Geometry, fit_geometry, prepare
from imagegs_tex.fit.densification import Population, most_important, usual_worth
from imagegs_tex.fit.gaussian_set import GaussianSet
from imagegs_tex.fit.initialise import initialise
from imagegs_tex.fit.loop import LEAST_STEPS_OF_A_CROWD, fit
from imagegs_tex.fit.problem import FitProblem
from imagegs_tex.fit.state_torch import TorchFitState
from imagegs_tex.formats.images import write_image
from imagegs_tex.formats.material.build_stack import load_stack
from imagegs_tex.rasterize.select_backend import make_backend
from imagegs_tex.settings import FitSettings, PopulationChange, Precision

CPU = make_backend("cpu", 2)
WIDTH, HEIGHT = 96, 64


def sharp_picture():
    """Flat areas with hard edges, where few Gaussians are needed in most places and many in some."""
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    planes = [(x + y > 70), ((x - 40) ** 2 + (y - 30) ** 2 < 300), (x % 32 < 3) & (y > 40)]
    return torch.from_numpy(np.stack(planes, axis=-1).astype(np.float32) - 0.5)


def problem_of(image, weights=None, wrap=(False, False)):
    deviations = image.reshape(-1, image.shape[2]).std(dim=0)
    return FitProblem(image, deviations, image.shape[2], weights), CPU.prepare_target(image, weights, wrap)


def psnr_of(fitted, problem, target):
    error = squared_error(CPU, fitted, target)
    return problem.psnr(float(error.total))


@pytest.mark.parametrize("count", [1, 2, 3, 50, WIDTH * HEIGHT])
@pytest.mark.parametrize("steps", [0, 1, LEAST_STEPS_OF_A_CROWD, 30])
def test_a_fit_ends_with_the_number_asked_for(count, steps):
    problem, target = problem_of(sharp_picture())
    fitted = fit(problem, target, count, FitSettings(steps=steps), CPU).gaussians
    assert fitted.count == count
    for values in (fitted.means, fitted.log_covariances, fitted.features):
        assert torch.isfinite(values).all()


def test_a_fit_out_of_time_ends_with_the_number_asked_for():
    problem, target = problem_of(sharp_picture())
    assert fit(problem, target, 40, FitSettings(time_budget=1e-9), CPU).gaussians.count == 40


@pytest.mark.parametrize("value", [0.0, 0.3])
def test_a_flat_picture_has_no_error_to_follow(value):
    problem, target = problem_of(torch.full((HEIGHT, WIDTH, 2), value))
    fitted = fit(problem, target, 20, FitSettings(steps=30), CPU)
    assert fitted.gaussians.count == 20
    assert psnr_of(fitted, problem, target) > 50


def test_a_number_follows_from_what_others_are_worth():
    """Each takes off the squared error like 1/N^2: for four times as much there are half as many."""
    image = sharp_picture()
    problem, target = problem_of(image)

    def balanced(share):
        start = initialise(image, 160, np.random.default_rng(0))
        state = TorchFitState(start, image, problem.deviations, target, FitSettings(), CPU)
        state.solve()
        population = Population(image, None, target, CPU, np.random.default_rng(0))
        population.change(state, 100, 100)
        own = usual_worth(population._importance(state))
        stayed = population.balance(state, 100, share * own)
        return state.result().count, len(stayed)

    assert balanced(1.0) == (100, 100)
    assert balanced(4.0) == (50, 50)
    assert balanced(0.64) == (125, 100)
    assert balanced(1e-9) == (150, 100)
    assert balanced(1e9) == (1, 1)


def test_a_fit_by_worth_ends_with_the_number_that_it_found():
    problem, target = problem_of(sharp_picture())
    counts = [
        fit(problem, target, 60, FitSettings(steps=30), CPU, worth=worth).gaussians.count for worth in (1e-9, 1e9)
    ]
    assert counts == [90, 1]


def test_texels_that_count_nothing_get_no_new_gaussians():
    image = sharp_picture()
    weights = torch.ones(HEIGHT, WIDTH)
    weights[:, WIDTH // 2 :] = 0.0
    problem, target = problem_of(image, weights)
    start = initialise(image, 30, np.random.default_rng(0), weights)
    state = TorchFitState(start, image, problem.deviations, target, FitSettings(), CPU, weights=weights)
    state.solve()
    population = Population(image, weights, target, CPU, np.random.default_rng(0))
    population.change(state, 30, 130)
    new = state.result().means[30:, 0]
    assert len(new) == 100
    assert float((new < WIDTH // 2).float().mean()) > 0.95


def test_crowding_and_pruning_pay_on_a_sharp_picture():
    problem, target = problem_of(sharp_picture())
    settings = FitSettings(steps=80)
    plain = replace(settings, start_crowd=1.0, population=())
    with_it, without = (
        psnr_of(fit(problem, target, 60, chosen, CPU), problem, target) for chosen in (settings, plain)
    )  # fmt: skip
    assert with_it > without + 1.0


def test_what_is_dispensable_goes_first():
    """Of three Gaussians on one spot one stays, and the one that is alone is kept whatever its value."""
    image = sharp_picture()
    means = torch.tensor([[20.0, 20.0], [20.0, 20.5], [20.5, 20.0], [80.0, 50.0]])
    start = GaussianSet(means, torch.tensor([[4.0, 0.0, 0.0]]).repeat(4, 1), torch.full((4, 3), 0.4))
    problem, target = problem_of(image)
    state = TorchFitState(start, image, problem.deviations, target, FitSettings(), CPU)
    state.solve()
    Population(image, None, target, CPU, np.random.default_rng(0)).change(state, 2, 2)
    kept = state.result().means
    assert len(kept) == 2
    assert float(kept[0, 0]) < 30
    assert float(kept[1, 0]) > 70


def test_equal_importance_keeps_the_first():
    assert most_important(torch.tensor([1.0, 3.0, 1.0, 1.0, 2.0]), 4).tolist() == [0, 1, 2, 4]


def test_moments_stay_with_their_gaussians():
    image = sharp_picture()
    problem, target = problem_of(image)
    start = initialise(image, 40, np.random.default_rng(0))
    states = [TorchFitState(start, image, problem.deviations, target, FitSettings(), CPU) for _ in range(2)]
    members = torch.arange(40)
    for state in states:
        for _ in range(5):
            state.set_rounding(None)
            state.descend((0.3, 0.1, 0.1))
    states[1].prune(members)  # all of them: nothing may change
    for state in states:
        state.set_rounding(None)
        state.descend((0.3, 0.1, 0.1))
    for one, other in zip(*(vars_of(state.result()) for state in states), strict=True):
        assert torch.equal(one, other)


def vars_of(gaussians):
    return gaussians.means, gaussians.log_covariances, gaussians.features


def test_added_gaussians_lie_behind_the_others_and_move():
    image = sharp_picture()
    problem, target = problem_of(image)
    start, extra = (initialise(image, count, np.random.default_rng(count)) for count in (30, 10))
    state = TorchFitState(start, image, problem.deviations, target, FitSettings(), CPU)
    state.descend((0.3, 0.1, 0.1))
    before = state.result().means.clone()
    state.append(extra)
    assert torch.equal(state.result().means[:30], before)
    state.set_rounding(None)
    state.descend((0.3, 0.1, 0.1))
    moved = (state.result().means - torch.cat([before, extra.means])).abs().amax(dim=1)
    assert float((moved > 0).float().mean()) > 0.9


@pytest.mark.parametrize("changes", [(), (PopulationChange(0.0, 1.0, 1.3), PopulationChange(0.2, 1.0, 1.0))])
@pytest.mark.parametrize("count", [40, 60, 90])
def test_a_fit_goes_on_from_another(changes, count, tmp_path):
    planes = sharp_picture().numpy() * 0.8 + 0.5
    write_image(tmp_path / "basecolor.png", as_bytes(planes))
    stack = load_stack(tmp_path)
    settings, precision = FitSettings(steps=30, refine_sweeps=1), Precision()
    first, _ = fit_geometry(prepare(stack, CPU), 60, settings, precision, CPU)
    geometry = first.quantizer.values(first.position_codes, first.shape_codes)
    assert geometry[0].shape == (60, 2)
    codes = first.quantizer.codes(*geometry)
    np.testing.assert_array_equal(codes[0], first.position_codes)
    np.testing.assert_array_equal(codes[1], first.shape_codes)
    other = prepare(stack, CPU, (4.0, 1.0, 0.25))  # other weights, so other components
    following, _ = fit_geometry(
        other, count, replace(settings, population=changes, steps=4), precision, CPU,
        start=Geometry(*geometry, first.cutoff, first.border_weight),
    )  # fmt: skip
    assert len(following.position_codes) == count
    if count == 60:  # four steps from there are better than four from nothing
        scratch, _ = fit_geometry(other, count, replace(settings, steps=4), precision, CPU)
        assert following.feature_step < scratch.feature_step
