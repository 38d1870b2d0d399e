"""The geometry's arithmetic stands in numpy, torch, numba and CUDA, since code cannot be shared: here all must agree.

What they are held against is computed from the definition, the exponential of a symmetric matrix, by its eigenvalues.
The float64 picture of imagegs_tex.verification is independent on purpose and has tests of its own.
"""

import math

import numpy as np
import pytest
import torch

from imagegs_tex.formats.igs import quantized_set as g
from imagegs_tex.quantize import geometry_numba
from imagegs_tex.quantize.geometry import GeometryQuantizer
from imagegs_tex.quantize.geometry_torch import conics_of, log_diagonal

STEP = float(np.float32(0.125))


def log_covariances():
    """Random ones within what the format allows, and degenerate ones: round, all but round, thin, tiny, huge."""
    rng = np.random.default_rng(0)
    form = rng.uniform(0, 4, 400)[:, None] * np.stack([np.cos(a := rng.uniform(0, 7, 400)), np.sin(a)], axis=1)
    drawn = np.column_stack([rng.uniform(-3, 12, 400), form])
    sides = (0.0, 1e-30, 1e-12, 1e-4, 0.0999999, 0.1, 0.1000001, 4.0)
    forms = [(h, b) for r in sides for h, b in ((r, 0), (-r, 0), (0, r), (0, -r), (0.6 * r, -0.8 * r))]
    return np.vstack([drawn, [(m, *form) for m in (-2.77, 0.0, 12.0) for form in forms]])


def exact_conics(values):
    """exp of minus the symmetric matrix [m + h, b; b, m - h], by its eigenvectors."""
    m, h, b = values.T
    matrices = np.stack([np.stack([m + h, b], axis=-1), np.stack([b, m - h], axis=-1)], axis=-2)
    eigenvalues, vectors = np.linalg.eigh(matrices)
    inverse = (vectors * np.exp(-eigenvalues)[:, None, :]) @ np.swapaxes(vectors, 1, 2)
    return inverse[:, [0, 0, 1], [0, 1, 1]]


def conics_on_gpu(values):
    return on_gpu(np.zeros((len(values), 2)), values, None, (512, 512))[1]


def on_gpu(means, values, quantizer, size, wrap=(False, False)):
    """Means and conics as the fit on the GPU uses them."""
    from imagegs_tex.fit.gaussian_set import GaussianSet
    from imagegs_tex.fit.state_cuda import CudaFitState
    from imagegs_tex.rasterize.select_backend import make_backend
    from imagegs_tex.settings import FitSettings

    backend = make_backend("cuda")
    one = torch.zeros(size[1], size[0], 1, device=backend.device)
    start = GaussianSet(
        *(torch.from_numpy(array.astype(np.float32)).to(backend.device) for array in (means, values, means[:, :1]))
    )
    state = CudaFitState(start, torch.ones(1), backend.prepare_target(one, wrap=wrap), FitSettings(), backend)
    state._means, state._shapes = start.means.clone(), start.log_covariances.clone()  # before any limit
    state.set_rounding(quantizer)
    return state._used_means.cpu().double().numpy(), state._conics.cpu().double().numpy()


CONICS = {
    "numpy": (g.conics_of, 1e-12),
    "numba": (lambda values: np.array([geometry_numba.conic_of(*row) for row in values]), 1e-12),
    "torch, double": (lambda values: conics_of(torch.from_numpy(values)).numpy(), 3e-9),  # a series of two terms
    "torch, single": (lambda values: conics_of(torch.from_numpy(values).float()).double().numpy(), 2e-5),
    "CUDA": (conics_on_gpu, 2e-6),
}
HOMES = [pytest.param(name, marks=pytest.mark.cuda if name == "CUDA" else ()) for name in CONICS]


@pytest.mark.parametrize("home", HOMES)
def test_conics_are_the_exponential_of_a_matrix(home):
    compute, tolerance = CONICS[home]
    values = log_covariances()
    wanted, found = exact_conics(values), compute(values)
    scale = wanted[:, [0, 2]].max(axis=1)  # of the smaller entry, digits are lost to the larger one's cancellation
    assert np.all(np.abs(found - wanted) <= tolerance * scale[:, None])


def test_the_gradient_of_a_conic_is_finite_everywhere_and_that_of_differences():
    values = torch.from_numpy(log_covariances())
    leaves = values.clone().requires_grad_()
    conics_of(leaves).sum().backward()
    assert torch.isfinite(leaves.grad).all()
    step = 1e-6
    for axis in range(3):
        move = torch.zeros(3, dtype=torch.float64)
        move[axis] = step
        slope = (conics_of(values + move).sum(dim=1) - conics_of(values - move).sum(dim=1)) / (2 * step)
        large = conics_of(values).abs().amax(dim=1)
        # where the series ends, two ways of computing meet and a difference across it says nothing
        inside = (values[:, 1:].norm(dim=1) - 0.1).abs() > 1e-5
        assert torch.all(((slope - leaves.grad[:, axis]).abs() <= 1e-4 * large + 1e-9)[inside])


@pytest.mark.parametrize(("sign", "entry"), [(-1, 0), (1, 2)])
def test_logarithms_of_the_diagonal(sign, entry):
    m, h, b = torch.from_numpy(log_covariances()).unbind(dim=1)
    found = (log_diagonal(h, b, sign) - m).numpy()
    assert np.allclose(found, np.log(exact_conics(log_covariances())[:, entry]), rtol=0, atol=1e-9)


def positions(size):
    """Along one axis: random, on borders, at their last place in single precision, and outside."""
    edges = [0.0, 1e-7, 0.5, size / 2, size - 1e-2, np.nextafter(np.float32(size), np.float32(0)), float(size)]
    outside = [-1e-3, -0.7, -size, size + 0.3, 2.5 * size]
    return np.float32([*np.random.default_rng(1).uniform(0, size, 300), *edges, *outside]).astype(np.float64)


def distances(position, exponent, size, repeats):
    """How far away each position is that a code means, by looking at all of them, and those positions.

    Where the picture repeats, the first one is looked for behind its end too. (That the last one can be nearer to
    positions at its beginning is part of no rule.)
    """
    step = 2.0**exponent
    held = (np.arange(max(1, math.ceil(size / step - 0.5))) + 0.5) * step
    away = np.abs(held - position)
    if repeats:
        away[0] = min(away[0], abs(held[0] + size - position))
    return away, held


def nearest_in_numba(quantizer, means, shapes):
    found = np.empty_like(means)
    for n, shape in enumerate(shapes):
        conic = geometry_numba.conic_of(*shape)
        for axis, size in enumerate((quantizer.width, quantizer.height)):
            least = g.least_exponent(quantizer.width, quantizer.height)
            log2_ratio = math.log2(quantizer.position_ratio)
            exponent = geometry_numba.exponent_of(conic[2 * axis], log2_ratio, least, quantizer.cell_log2)
            found[n, axis] = geometry_numba.nearest_position(means[n, axis], exponent, size, quantizer.wrap[axis])
    return found


def nearest_in_numpy(quantizer, means, shapes):
    position_codes, _, exponents = quantizer.codes(means, shapes)
    return (position_codes + 0.5) * np.exp2(exponents)


def nearest_in_torch(quantizer, means, shapes):
    return quantizer._nearest_in_torch(torch.from_numpy(means), torch.from_numpy(shapes))[0].numpy()


def nearest_on_gpu(quantizer, means, shapes):
    return on_gpu(means, shapes, quantizer, (quantizer.width, quantizer.height), quantizer.wrap)[0]


NEAREST = {"numpy": nearest_in_numpy, "numba": nearest_in_numba, "torch": nearest_in_torch, "CUDA": nearest_on_gpu}
NEAREST_HOMES = [pytest.param(name, marks=pytest.mark.cuda if name == "CUDA" else ()) for name in NEAREST]


@pytest.mark.parametrize("size", [(96, 64), (93, 61), (1, 7), (300, 1)], ids=str)
@pytest.mark.parametrize("wrap", [(False, False), (True, False), (True, True)], ids=str)
@pytest.mark.parametrize("home", NEAREST_HOMES)
def test_the_nearest_position_is_the_nearest_of_all(home, wrap, size):
    quantizer = GeometryQuantizer(*size, 5, float(np.float32(0.2371)), STEP, STEP, wrap)
    xs, ys = positions(size[0]), positions(size[1])
    rng = np.random.default_rng(2)
    shapes = rng.integers([-20, -12, -12], [60, 13, 13], (len(xs), 3)) * STEP
    means = np.stack([xs, rng.permutation(ys)], axis=1)
    exponents = g.clamp_exponents(
        g.rounded_exponents(shapes, quantizer.position_ratio), g.least_exponent(*size), quantizer.cell_log2
    )
    found = NEAREST[home](quantizer, means, shapes)
    for n, axis in np.ndindex(len(means), 2):
        position = means[n, axis] % size[axis] if wrap[axis] else means[n, axis]
        away, held = distances(position, exponents[n, axis], size[axis], wrap[axis])
        assert found[n, axis] in held
        assert away[held == found[n, axis]] <= away.min() + 1e-5


def test_boxes_are_those_of_the_format():
    values = log_covariances()
    for value, reach in zip(values, g.reaches_of(values, 6.0), strict=True):
        conic = geometry_numba.conic_of(*value)
        left, top, columns, rows = geometry_numba.box_of(
            10.3, 20.7, conic, 6.0, (1 << 20, 1 << 20), (True, True), 1.0, 0.0
        )
        assert left == math.floor(10.3 - reach[0] - 0.5)
        assert left + columns - 1 == math.floor(10.3 + reach[0] - 0.5)
        assert top == math.floor(20.7 - reach[1] - 0.5)
        assert top + rows - 1 == math.floor(20.7 + reach[1] - 0.5)
