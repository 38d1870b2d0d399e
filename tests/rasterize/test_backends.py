"""The cpu backend against the reference in float64, which defines what is right."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from helpers.rasterize_cases import Case, all_cases, difference, make_case, wrapping_cases

from imagegs_tex.formats.errors import UsageError
from imagegs_tex.rasterize.autograd import rasterize
from imagegs_tex.rasterize.backend import TILE
from imagegs_tex.rasterize.cpu.backend import CpuBackend
from imagegs_tex.rasterize.cpu.threads import Workers
from imagegs_tex.rasterize.cpu.tile_lists import build_tile_lists
from imagegs_tex.rasterize.reference import ReferenceBackend
from imagegs_tex.rasterize.select_backend import BACKEND_NAMES, make_backend

VALUE_TOLERANCE = 1e-4  # absolute, on values of order one
GRADIENT_TOLERANCE = 1e-3  # relative to the largest entry
LEAVE_OUT_TOLERANCE = 2e-3  # of norms; at most 7e-4 were seen, where one Gaussian is alone
ROUNDING = 1e-6  # absolute, where what is left after cancellation is next to nothing
REFERENCE = ReferenceBackend()
CPU = CpuBackend(2)


def scaled(case, factor):
    """The same set in a picture stretched by a factor each way."""
    width, height = (max(1, round(side * factor)) for side in case.size)
    return Case(f"{case.name}_scaled", width, height, case.means * factor, case.conics / factor**2, case.features, 6.0)


CASES = [
    *all_cases(),
    *wrapping_cases(),
    make_case("on_the_corners", count=4, long_axis=(0.5, 3.0), size=(TILE, TILE)),
    make_case("one_texel_more_than_a_tile", count=30, size=(TILE + 1, 2 * TILE + 1)),
    make_case("24_channels_in_one_row", components=24, count=25, size=(100, 1)),
    make_case("one_gaussian_of_one_texel_in_24_channels", components=24, count=1, size=(1, 1)),
    make_case("all_in_one_place", count=50, area=(0.5, 0.5, 0.5, 0.5)),
    make_case("just_off_the_left_edge", count=20, area=(-0.1, 0.0, 0.0, 1.0)),
    make_case("tiny_in_a_large_picture", count=30, long_axis=(0.02, 0.1), size=(200, 130)),
    make_case("thin_as_the_format_allows", count=20, long_axis=(20.0, 60.0), ratio=(120.0, 148.0), size=(90, 70)),
    scaled(make_case("half", count=60, components=5), 0.5),
    scaled(make_case("tripled", count=60, components=5), 3.0),
]


@pytest.fixture(params=CASES, ids=lambda case: case.name)
def case(request):
    return request.param


def exact(case):
    return case.on(REFERENCE, torch.float64)


def assert_close(found, wanted, name=""):
    """Within the tolerance for gradients, relative to the largest entry; finite everywhere."""
    assert torch.isfinite(found).all(), name
    largest = float(wanted.abs().max()) if wanted.numel() else 0.0
    distance = float((found.double() - wanted).abs().max()) if wanted.numel() else 0.0
    assert distance <= GRADIENT_TOLERANCE * largest + ROUNDING, f"{name}: {distance} of {largest}"


def dense(equations):
    count = len(equations.diagonal)
    parts = equations.row_starts, equations.columns.long(), equations.values
    return torch.sparse_csr_tensor(*parts, (count, count)).to_dense()


def test_values_equal_the_reference(case):
    wanted = REFERENCE.render(*exact(case))
    found = CPU.render(*case.on(CPU))
    assert found.shape == wanted.shape
    assert found.dtype == torch.float32
    assert float((found.double() - wanted).abs().max()) <= VALUE_TOLERANCE


def test_gradients_equal_the_reference(case):
    gradient = case.image()
    wanted = REFERENCE.render_backward(*exact(case), gradient.double())
    found = CPU.render_backward(*case.on(CPU), gradient)
    for name, one, other in zip(("means", "conics", "features"), found, wanted, strict=True):
        assert_close(one, other, name)


def test_squared_error_equals_the_reference(case):
    image = case.image(2)
    wanted = REFERENCE.squared_error(*exact(case), REFERENCE.prepare_target(image.double(), wrap=case.wrap))
    found = CPU.squared_error(*case.on(CPU), CPU.prepare_target(image, wrap=case.wrap))
    assert float(found.total) == pytest.approx(float(wanted.total), rel=1e-5)
    for name in ("means", "conics", "features"):
        assert_close(getattr(found, name), getattr(wanted, name), name)


def test_errors_without_one_gaussian_equal_the_reference(case):
    image = case.image(2)
    wanted = REFERENCE.leave_one_out(
        *exact(case), REFERENCE.prepare_target(image.double(), weights_of(case), case.wrap)
    )
    target = CPU.prepare_target(image, weights_of(case), case.wrap)
    found = CPU.leave_one_out(*case.on(CPU), target)
    assert found.dtype == torch.float64
    assert difference(found, wanted) < LEAVE_OUT_TOLERANCE


def test_errors_without_one_gaussian_are_those_of_pictures_without_it():
    case = make_case("left_out", count=30, components=4)
    target = REFERENCE.prepare_target(case.image(2).double(), weights_of(case))
    whole = REFERENCE.squared_error(*exact(case), target).total
    found = REFERENCE.leave_one_out(*exact(case), target)
    for n in (0, 7, 29):
        members = torch.arange(30) != n
        rest = replace(case, means=case.means[members], conics=case.conics[members], features=case.features[members])
        without = REFERENCE.squared_error(*exact(rest), target).total
        assert float(found[n]) == pytest.approx(float(without - whole), rel=1e-9)


def test_normal_equations_equal_the_reference(case):
    image = case.image(3)
    wanted = REFERENCE.normal_equations(exact(case)[0], REFERENCE.prepare_target(image.double(), wrap=case.wrap))
    found = CPU.normal_equations(case.on(CPU)[0], CPU.prepare_target(image, wrap=case.wrap))
    assert_close(found.diagonal, wanted.diagonal, "diagonal")
    assert_close(found.rhs, wanted.rhs, "rhs")
    assert_close(dense(found), dense(wanted), "matrix")
    # two copies of a Gaussian in one tile: sums over the same products in another order
    torch.testing.assert_close(dense(found), dense(found).T, rtol=1e-12 if any(case.wrap) else 0, atol=0)
    vectors = torch.from_numpy(np.random.default_rng(4).normal(size=tuple(case.features.shape)))
    assert_close(CPU.multiply(found, vectors), REFERENCE.multiply(wanted, vectors), "product")


def weights_of(case):
    """How much texels count: a quarter not at all, the others up to 5."""
    generator = np.random.default_rng(6)
    weights = generator.uniform(0, 5, (case.height, case.width)) * (generator.random((case.height, case.width)) > 0.25)
    return torch.from_numpy(weights.astype(np.float32))


def test_weighted_squared_errors_equal_the_reference(case):
    image, weights = case.image(2), weights_of(case)
    wanted = REFERENCE.squared_error(*exact(case), REFERENCE.prepare_target(image.double(), weights, case.wrap))
    found = CPU.squared_error(*case.on(CPU), CPU.prepare_target(image, weights, case.wrap))
    assert float(found.total) == pytest.approx(float(wanted.total), rel=1e-5)
    for name in ("means", "conics", "features"):
        assert_close(getattr(found, name), getattr(wanted, name), name)


def test_weighted_normal_equations_equal_the_reference(case):
    image, weights = case.image(3), weights_of(case)
    target = REFERENCE.prepare_target(image.double(), weights, case.wrap)
    wanted = REFERENCE.normal_equations(exact(case)[0], target)
    found = CPU.normal_equations(case.on(CPU)[0], CPU.prepare_target(image, weights, case.wrap))
    assert_close(found.diagonal, wanted.diagonal, "diagonal")
    assert_close(found.rhs, wanted.rhs, "rhs")
    assert_close(dense(found), dense(wanted), "matrix")


@pytest.mark.parametrize("backend", [REFERENCE, CPU], ids=["reference", "cpu"])
def test_weights_by_hand(backend):
    """The weighted error is what the picture says, its gradient that of finite differences, its solution the best."""
    case = make_case("small", count=6, components=2, size=(37, 20))
    image, weights = case.image(2), weights_of(case)
    target = backend.prepare_target(image, weights)

    def error(features):
        picture = REFERENCE.render(exact(case)[0], features.double())
        return float((weights[..., None] * (picture - image).square()).sum())

    found = backend.squared_error(*case.on(backend), target)
    assert float(found.total) == pytest.approx(error(case.features), rel=1e-5)
    step = torch.zeros_like(case.features)
    step[3, 1] = 1e-2
    slope = (error(case.features + step) - error(case.features - step)) / 2e-2
    assert float(found.features[3, 1]) == pytest.approx(slope, rel=1e-3)
    equations = backend.normal_equations(case.on(backend)[0], target)
    best = torch.linalg.solve(dense(equations), equations.rhs)
    for other in (best + 0.01, best - 0.01, best * 1.01):
        assert error(best) < error(other)


def test_texels_that_count_nothing_may_hold_anything(case):
    weights = weights_of(case)
    images = [case.image(2), case.image(2)]
    images[1][weights == 0] = 1e6
    first, second = (CPU.prepare_target(image, weights, case.wrap) for image in images)
    one, other = (CPU.squared_error(*case.on(CPU), target) for target in (first, second))
    for name in ("total", "means", "conics", "features"):
        assert torch.equal(getattr(one, name), getattr(other, name))
    one, other = (CPU.normal_equations(case.on(CPU)[0], target) for target in (first, second))
    assert torch.equal(one.rhs, other.rhs)


def test_weights_of_one_change_no_bit(case):
    image = case.image(2)
    targets = [CPU.prepare_target(image, weights, case.wrap) for weights in (None, torch.ones(case.height, case.width))]
    one, other = (CPU.squared_error(*case.on(CPU), target) for target in targets)
    for name in ("total", "means", "conics", "features"):
        assert torch.equal(getattr(one, name), getattr(other, name))


def test_rows_of_the_normal_equations_name_each_column_once(case):
    equations = CPU.normal_equations(case.on(CPU)[0], CPU.prepare_target(case.image(), wrap=case.wrap))
    starts, columns = equations.row_starts.numpy(), equations.columns.numpy()
    assert starts[0] == 0
    assert starts[-1] == len(columns)
    for first, last in pairwise(starts):
        assert len(np.unique(columns[first:last])) == last - first


def test_the_thread_count_changes_no_bit(case):
    image = case.image(5)
    results = []
    for threads in (1, 2, 3):
        backend = CpuBackend(threads)
        target = backend.prepare_target(image, wrap=case.wrap)
        error = backend.squared_error(*case.on(backend), target)
        equations = backend.normal_equations(case.on(backend)[0], target)
        results.append(
            [
                backend.render(*case.on(backend)),
                *backend.render_backward(*case.on(backend), image),
                error.total, error.means, error.conics, error.features,
                equations.row_starts, equations.columns, equations.values, equations.diagonal, equations.rhs,
                backend.multiply(equations, case.features.double()),
            ]
        )  # fmt: skip
    for other in results[1:]:
        assert all(torch.equal(first, second) for first, second in zip(results[0], other, strict=True))


def test_a_texel_that_no_support_reaches_is_zero():
    case = make_case("far_away", count=1, area=(0.0, 0.0, 0.0, 0.0), long_axis=(1.0, 1.0), size=(40, 40))
    for backend in (REFERENCE, CPU):
        image = backend.render(*case.on(backend))
        assert float(image[20:, 20:].abs().max()) == 0.0
        assert float(image[0, 0].abs().max()) > 0.0


def test_the_weight_by_hand():
    """One Gaussian, one texel: the formula of docs/igs-format.md."""
    means, conics = torch.tensor([[1.0, 2.0]]), torch.tensor([[0.3, 0.1, 0.2]])
    dx, dy = 3.5 - 1.0, 2.5 - 2.0
    q = (0.3 * dx * dx + 2 * 0.1 * dx * dy + 0.2 * dy * dy) / 2
    weight = np.exp(-q) - np.exp(-4.0)
    for backend in (REFERENCE, CPU):
        image = backend.render(backend.prepare_geometry(means, conics, 4.0, (6, 5)), torch.tensor([[2.0]]))
        assert float(image[2, 3, 0]) == pytest.approx(2.0 * weight / (weight + 2.0**-16), rel=1e-5)


@pytest.mark.parametrize("backend", [REFERENCE, CPU], ids=["reference", "cpu"])
def test_the_operation_passes_the_backends_gradients_on(backend):
    case = make_case("small", count=8, components=2, size=(20, 18))
    leaves = [tensor.clone().requires_grad_() for tensor in (case.means, case.conics, case.features)]
    gradient = case.image()
    rasterize(*leaves, backend, case.cutoff, case.size, case.wrap).backward(gradient)
    wanted = REFERENCE.render_backward(*exact(case), gradient.double())
    for leaf, other in zip(leaves, wanted, strict=True):
        assert_close(leaf.grad, other)


def test_the_references_own_gradients_are_those_of_finite_differences():
    case = make_case("small", count=5, components=2, size=(9, 8))
    inputs = tuple(tensor.double().requires_grad_() for tensor in (case.means, case.conics, case.features))

    def picture(means, conics, features):
        return REFERENCE.render(REFERENCE.prepare_geometry(means, conics, case.cutoff, case.size), features)

    assert torch.autograd.gradcheck(picture, inputs)


@pytest.mark.parametrize("backend", [REFERENCE, CPU], ids=["reference", "cpu"])
def test_shapes_that_do_not_belong_together_are_refused(backend):
    with pytest.raises(ValueError, match=r"must be \[N, 2\] and \[N, 3\]"):
        backend.prepare_geometry(torch.zeros(3, 2), torch.zeros(4, 3), 6.0, (8, 8))
    geometry = backend.prepare_geometry(torch.ones(3, 2), torch.tensor([[1.0, 0.0, 1.0]] * 3), 6.0, (8, 8))
    with pytest.raises(ValueError, match=r"features \(4, 1\) must be \[N, K\], of 3 Gaussians"):
        backend.render(geometry, torch.zeros(4, 1))
    for size, wrap in (((8, 9), (False, False)), ((8, 8), (True, False))):
        target = backend.prepare_target(torch.zeros(size[1], size[0], 1), wrap=wrap)
        with pytest.raises(ValueError, match="cannot be compared with"):
            backend.squared_error(geometry, torch.zeros(3, 1), target)


@pytest.mark.parametrize(("backend", "other"), [(REFERENCE, CPU), (CPU, REFERENCE)], ids=["reference", "cpu"])
def test_what_another_backend_has_prepared_is_refused(backend, other):
    case = make_case("small", count=8)
    with pytest.raises(TypeError, match="was prepared by another backend"):
        backend.render(*case.on(other))
    with pytest.raises(TypeError, match="was prepared by another backend"):
        backend.squared_error(*case.on(backend), other.prepare_target(case.image()))


def test_geometry_prepared_once_gives_the_bits_of_geometry_prepared_for_each_call(case):
    target = CPU.prepare_target(case.image(2), weights_of(case), case.wrap)
    geometry, features = case.on(CPU)

    def everything(fresh):
        held = (lambda: case.on(CPU)[0]) if fresh else (lambda: geometry)
        equations = CPU.normal_equations(held(), target)
        error = CPU.squared_error(held(), features, target)
        return [
            equations.values, equations.rhs, error.total, error.means, error.conics, error.features,
            CPU.leave_one_out(held(), features, target), CPU.render(held(), features),
            *CPU.render_backward(held(), features, case.image()),
        ]  # fmt: skip

    assert all(torch.equal(one, other) for one, other in zip(everything(False), everything(True), strict=True))


def test_lists_too_long_for_their_indices_are_refused():
    count = 2100  # times the 2^20 tiles of the largest picture, which each of them covers
    means = np.full((count, 2), 8192, np.float32)
    conics = np.tile(np.array([1e-12, 0.0, 1e-12], np.float32), (count, 1))
    with pytest.raises(MemoryError, match="2100 Gaussians reach 2202009600 tiles"):
        build_tile_lists(means, conics, 6.0, (16384, 16384), Workers(1))


def test_a_backend_is_chosen_by_name():
    assert make_backend("cpu").name == "cpu"
    assert make_backend("reference").name == "reference"
    assert make_backend("auto").name in {"cpu", "cuda"}
    with pytest.raises(UsageError, match="auto, cpu, cuda, reference"):
        make_backend("opengl")
    assert BACKEND_NAMES == ("auto", "cpu", "cuda", "reference")
