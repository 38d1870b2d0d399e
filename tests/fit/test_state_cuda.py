import numpy as np
import pytest
import torch
from helpers.fitted_error import squared_error

from imagegs_tex.fit.initialise import initialise
from imagegs_tex.fit.loop import fit
from imagegs_tex.fit.problem import FitProblem
from imagegs_tex.fit.select_state import make_state
from imagegs_tex.fit.state_cuda import CudaFitState
from imagegs_tex.fit.state_torch import TorchFitState
from imagegs_tex.quantize.geometry import geometry_quantizer
from imagegs_tex.rasterize.select_backend import make_backend
from imagegs_tex.settings import FitSettings, Precision

pytestmark = pytest.mark.cuda
COUNT = 400


def make_image(width=150, height=110, components=4):
    y, x = np.mgrid[:height, :width].astype(np.float32)
    planes = [np.sin(x / (5 + k)) * np.cos(y / (9 - k)) * (x > 20 * k) for k in range(components)]
    return torch.from_numpy(np.stack(planes, axis=-1).astype(np.float32) * 0.3)


def problem_on(backend, wrap=(False, False), image=None):
    image = (make_image() if image is None else image).to(backend.device)
    deviations = image.reshape(-1, image.shape[2]).std(dim=0)
    return FitProblem(image, deviations, image.shape[2]), backend.prepare_target(image, wrap=wrap)


@pytest.fixture(scope="module")
def backend():
    return make_backend("cuda")


@pytest.mark.parametrize("wrap", [(False, False), (True, False), (False, True)])
@pytest.mark.parametrize(
    ("rounded", "losses"), [(False, {}), (True, {}), (True, {"ssim_weight": 0.1, "l1_weight": 0.05})]
)
def test_the_step_is_that_in_torch(backend, rounded, losses, wrap):
    problem, target = problem_on(backend, wrap)
    start = initialise(problem.image, COUNT, np.random.default_rng(0), wrap=wrap)
    if any(wrap):  # some sit on the border and some are wider than is allowed
        start.means[:40] = torch.tensor([149.99, 0.01], device=backend.device)
        start.log_covariances[40:60, 0] = 14.0
    settings = FitSettings(**losses)
    fused = make_state(start, problem.image, problem.deviations, target, settings, backend)
    plain = TorchFitState(start, problem.image, problem.deviations, target, settings, backend)
    assert isinstance(fused, CudaFitState)
    rounding = geometry_quantizer(*problem.size, COUNT, Precision(), wrap) if rounded else None
    for state in (fused, plain):
        state.set_rounding(rounding)
        state.solve()
        state.descend((0.4, 0.18, 0.15))
    found, wanted = fused.result(), plain.result()
    moved = [float((state.means - start.means).norm()) for state in (found, wanted)]
    assert moved[0] == pytest.approx(moved[1], rel=0.05)
    # Adam's first step is the sign of the gradient: where a gradient is all but zero, rounding decides
    # Means move in units of a width, which without rounding one state takes before the shapes' step, the other after.
    for name in ("means", "log_covariances", "features") if rounded else ("log_covariances", "features"):
        close = torch.isclose(getattr(found, name), getattr(wanted, name), rtol=1e-3, atol=1e-3)
        assert float(close.float().mean()) > 0.99, name


def test_gaussians_go_and_come_as_in_torch(backend):
    problem, target = problem_on(backend)
    start, extra = (initialise(problem.image, count, np.random.default_rng(count)) for count in (COUNT, 50))
    members = torch.arange(0, COUNT, 3, device=backend.device)
    settings = FitSettings()
    states = (
        make_state(start, problem.image, problem.deviations, target, settings, backend),
        TorchFitState(start, problem.image, problem.deviations, target, settings, backend),
    )
    rates = (0.0, 0.0, 0.15)  # the geometry rests, so that two paths of rounding stay together
    for state in states:
        state.solve()
        state.descend(rates)
        state.prune(members)
        state.append(extra)
        state.set_rounding(None)
        state.descend(rates)
    found, wanted = (state.result() for state in states)
    assert found.count == len(members) + 50
    for name in ("means", "log_covariances", "features"):
        close = torch.isclose(getattr(found, name), getattr(wanted, name), rtol=1e-3, atol=1e-3)
        assert float(close.float().mean()) > 0.99, name


@pytest.mark.parametrize("wrap", [(False, False), (True, True)])
def test_rounding_on_the_gpu_gives_the_values_of_the_codes(backend, wrap):
    problem, _ = problem_on(backend)
    start = initialise(problem.image, COUNT, np.random.default_rng(1))
    quantizer = geometry_quantizer(*problem.size, COUNT, Precision(), wrap)
    found = quantizer.nearest(start.means, start.log_covariances)
    wanted = quantizer.nearest(start.means.cpu(), start.log_covariances.cpu())
    for one, other in zip(found, wanted, strict=True):
        assert float(torch.isclose(one.cpu(), other, rtol=1e-6).float().mean()) > 0.999


def test_quality_is_the_cpu_backends(backend):
    # grain, since where few Gaussians decide, another start moves a fit by 0.6 dB; here by 0.006
    grain = 0.1 * np.random.default_rng(5).normal(size=(110, 150, 4)).astype(np.float32)
    image = make_image() + torch.from_numpy(grain)
    scores = []
    for chosen in (backend, make_backend("cpu")):
        problem, target = problem_on(chosen, image=image)
        fitted = fit(problem, target, COUNT, FitSettings(steps=60), chosen)
        error = squared_error(chosen, fitted, target)
        scores.append(problem.psnr(float(error.total)))
    assert abs(scores[0] - scores[1]) < 0.03


def test_the_same_bits_from_two_fits(backend):
    problem, target = problem_on(backend)
    quantizer = geometry_quantizer(*problem.size, COUNT, Precision())
    first, second = (
        fit(problem, target, COUNT, FitSettings(steps=20), backend, rounding=quantizer).gaussians for _ in range(2)
    )
    assert torch.equal(first.means, second.means)
    assert torch.equal(first.log_covariances, second.log_covariances)
    assert torch.equal(first.features, second.features)
