"""The cut-off that a fit ends with: lower where that costs nothing, as it was where supports hold the picture up."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from helpers.fitted_error import squared_error
from helpers.tiny_material import as_bytes

from imagegs_tex.encoder.encode import Geometry, fit_geometry, prepare, round_features
from imagegs_tex.fit.loop import fit
from imagegs_tex.fit.problem import FitProblem
from imagegs_tex.formats.images import write_image
from imagegs_tex.formats.material.build_stack import load_stack
from imagegs_tex.rasterize.select_backend import make_backend
from imagegs_tex.settings import FitSettings, Precision

CPU = make_backend("cpu", 2)
SIZE = 64


def grain():
    """The same detail everywhere, more than the Gaussians can follow: their supports overlap."""
    return np.random.default_rng(0).normal(size=(SIZE, SIZE, 3)).astype(np.float32) * 0.15


def graphics():
    """Two flat areas and a hard edge: few Gaussians whose far tails meet."""
    y, x = np.mgrid[:SIZE, :SIZE]
    return np.repeat(((x + 2 * y) > SIZE)[..., None], 3, axis=2).astype(np.float32) - 0.5


def fitted(picture, **settings):
    image = torch.from_numpy(picture)
    problem = FitProblem(image, image.reshape(-1, 3).std(dim=0), 3)
    target = CPU.prepare_target(image)
    return fit(problem, target, 60, replace(FitSettings(steps=120), **settings), CPU), problem, target


def test_grain_gets_smaller_supports():
    found, _, _ = fitted(grain())
    assert found.cutoff <= 4.5


def test_the_least_cutoff_is_kept():
    found, _, _ = fitted(grain(), least_cutoff=5.2)
    assert found.cutoff == 5.5


def test_edges_keep_their_tails():
    found, _, _ = fitted(graphics())
    assert found.cutoff >= 5.5


def test_a_fit_that_has_hardly_begun_keeps_it():
    found, _, _ = fitted(grain(), steps=80)
    assert found.cutoff == 6.0


def test_a_cutoff_that_the_file_cannot_hold_is_rounded(tmp_path):
    write_image(tmp_path / "basecolor.png", as_bytes(np.clip(grain() + 0.5, 0, 1)))
    settings = FitSettings(steps=4, cutoff=5.3)
    geometry, _ = fit_geometry(prepare(load_stack(tmp_path), CPU), 60, settings, Precision(), CPU)
    assert geometry.cutoff == float(np.float32(5.3)) != 5.3


def test_it_costs_next_to_nothing():
    scores = []
    for least in (3.0, 6.0):
        found, problem, target = fitted(grain(), least_cutoff=least)
        error = squared_error(CPU, found, target)
        scores.append(problem.psnr(float(error.total)))
    assert scores[0] > scores[1] - 0.03


@pytest.mark.parametrize("going_on", [False, True])
def test_the_file_has_the_cutoff_of_its_fit(going_on, tmp_path):
    write_image(tmp_path / "basecolor.png", as_bytes(np.clip(grain() + 0.5, 0, 1)))
    stack = load_stack(tmp_path)
    settings, prepared = FitSettings(steps=120, refine_sweeps=1), prepare(stack, CPU)
    geometry, _ = fit_geometry(prepared, 60, settings, Precision(), CPU)
    if going_on:
        values = geometry.quantizer.values(geometry.position_codes, geometry.shape_codes)
        geometry, _ = fit_geometry(
            prepared, 60, replace(settings, least_cutoff=6.0), Precision(), CPU, start=Geometry(*values, 3.5, 1.0)
        )
        assert geometry.cutoff == 3.5
    assert geometry.cutoff < 6.0
    assert round_features(geometry, Precision(), stack).cutoff == geometry.cutoff
