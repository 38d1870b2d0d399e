"""What settings that are off by default do to a fit."""

from dataclasses import replace

import numpy as np
import torch

from imagegs_tex.fit.initialise import initialise
from imagegs_tex.fit.loop import fit
from imagegs_tex.fit.problem import FitProblem
from imagegs_tex.rasterize.select_backend import make_backend
from imagegs_tex.settings import FitSettings, InitialPlacement

CPU = make_backend("cpu", 2)
WIDTH, HEIGHT = 64, 48


def edge():
    """All of the gradient in two columns."""
    image = torch.zeros(HEIGHT, WIDTH, 1)
    image[:, 40:] = 1.0
    return image


def placed(settings):
    found = initialise(edge(), 400, np.random.default_rng(0), settings=settings)
    near = (found.means[:, 0] - 40).abs() < 2
    return float(near.float().mean()), found


def test_gaussians_start_where_the_settings_say():
    usual, _ = placed(FitSettings())
    assert 0.7 < usual < 0.8  # the gradient's share, and what falls there by chance
    evenly, even = placed(FitSettings(init=InitialPlacement.RANDOM))
    assert evenly < 0.12
    assert placed(FitSettings(random_share=1.0))[0] < 0.12
    assert placed(FitSettings(random_share=0.0))[0] == 1.0
    _, wide = placed(FitSettings(init=InitialPlacement.RANDOM, initial_size=0.8))
    assert torch.allclose(
        wide.log_covariances[:, 0] - even.log_covariances[:, 0], torch.tensor(2 * np.log(2.0)).float()
    )


def steps_of(settings):
    problem = FitProblem(edge() - 0.5, edge().reshape(-1, 1).std(dim=0), 1)
    target = CPU.prepare_target(problem.image, None, (False, False))
    steps = []
    fit(problem, target, 3, settings, CPU, progress=lambda state: steps.append(state.step))
    return steps[-1]


def test_patience_ends_a_fit_that_gains_nothing_and_no_other():
    settings = FitSettings(steps=400)
    assert steps_of(settings) == 400
    ended = steps_of(replace(settings, patience=24))
    assert 200 + 24 <= ended < 400  # rates fall from half of the steps on
    assert steps_of(replace(settings, patience=1000)) == 400
