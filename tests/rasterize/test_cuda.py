import numpy as np
import pytest
import torch
from helpers.rasterize_cases import (
    GRADIENT_TOLERANCE,
    LEAVE_OUT_TOLERANCE,
    VALUE_TOLERANCE,
    all_cases,
    difference,
    make_case,
    wrapping_cases,
)

from imagegs_tex.formats.errors import MissingToolError
from imagegs_tex.rasterize.reference import ReferenceBackend
from imagegs_tex.rasterize.select_backend import make_backend

CASES = [*all_cases(), *wrapping_cases()]
cuda = pytest.mark.cuda


@pytest.fixture(scope="module")
def backend():
    from imagegs_tex.rasterize.cuda.backend import CudaBackend

    return CudaBackend()


@pytest.fixture(params=CASES, ids=lambda case: case.name)
def case(request):
    return request.param


def reference_of(case):
    reference = ReferenceBackend()
    return reference, case.on(reference, torch.float64)


@cuda
def test_values(backend, case):
    reference, doubles = reference_of(case)
    wanted = reference.render(*doubles)
    found = backend.render(*case.on(backend))
    assert found.shape == wanted.shape
    assert float((found.cpu().double() - wanted).abs().max()) < VALUE_TOLERANCE


@cuda
def test_gradients_of_a_picture(backend, case):
    reference, doubles = reference_of(case)
    gradient = case.image()
    wanted = reference.render_backward(*doubles, gradient.double())
    found = backend.render_backward(*case.on(backend), gradient.cuda())
    for name, one, other in zip(("means", "conics", "features"), found, wanted, strict=True):
        assert difference(one, other) < GRADIENT_TOLERANCE, name


def weights_of(case, weighted):
    """How much texels count: a quarter not at all, the others up to 5; None unless weighted."""
    generator = np.random.default_rng(6)
    weights = generator.uniform(0, 5, (case.height, case.width)) * (generator.random((case.height, case.width)) > 0.25)
    return torch.from_numpy(weights.astype(np.float32)) if weighted else None


def targets_of(case, backend, reference, image, weighted):
    """The target on the cuda backend and on the reference."""
    weights = weights_of(case, weighted)
    on_gpu = None if weights is None else weights.cuda()
    return (
        backend.prepare_target(image.cuda(), on_gpu, case.wrap),
        reference.prepare_target(image.double(), weights, case.wrap),
    )


weighted_or_not = pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])


@cuda
@weighted_or_not
def test_squared_error(backend, case, weighted):
    reference, doubles = reference_of(case)
    target, other = targets_of(case, backend, reference, case.image(2), weighted)
    wanted = reference.squared_error(*doubles, other)
    found = backend.squared_error(*case.on(backend), target)
    for name in ("total", "means", "conics", "features"):
        assert difference(getattr(found, name), getattr(wanted, name)) < GRADIENT_TOLERANCE, name


@cuda
@weighted_or_not
def test_errors_without_one_gaussian(backend, case, weighted):
    reference, doubles = reference_of(case)
    target, other = targets_of(case, backend, reference, case.image(2), weighted)
    wanted = reference.leave_one_out(*doubles, other)
    found = backend.leave_one_out(*case.on(backend), target)
    assert difference(found, wanted) < LEAVE_OUT_TOLERANCE
    again = backend.leave_one_out(*case.on(backend), target)
    assert torch.equal(found, again)


@cuda
@weighted_or_not
def test_normal_equations(backend, case, weighted):
    reference, doubles = reference_of(case)
    target, other = targets_of(case, backend, reference, case.image(3), weighted)
    wanted = reference.normal_equations(doubles[0], other)
    found = backend.normal_equations(case.on(backend)[0], target)
    assert difference(found.diagonal, wanted.diagonal) < VALUE_TOLERANCE
    assert difference(found.rhs, wanted.rhs) < VALUE_TOLERANCE
    vectors = case.features.double()
    assert difference(backend.multiply(found, vectors.cuda()), reference.multiply(wanted, vectors)) < VALUE_TOLERANCE
    size = (len(vectors), len(vectors))
    dense = [
        torch.sparse_csr_tensor(e.row_starts.cpu(), e.columns.cpu().long(), e.values.cpu(), size).to_dense()
        for e in (found, wanted)
    ]
    assert difference(dense[0], dense[1]) < VALUE_TOLERANCE


@cuda
def test_texels_that_count_nothing_may_hold_anything_and_weights_of_one_change_no_bit(backend):
    case = make_case("weighed", count=200, components=5)
    weights = weights_of(case, weighted=True)
    images = [case.image(2), case.image(2)]
    images[1][weights == 0] = 1e6
    ones = torch.ones_like(weights)
    geometry, features = case.on(backend)
    for pairs in ([(image, weights) for image in images], [(images[0], None), (images[0], ones)]):
        targets = [backend.prepare_target(image.cuda(), None if w is None else w.cuda()) for image, w in pairs]
        one, other = (backend.squared_error(geometry, features, target) for target in targets)
        for name in ("total", "means", "conics", "features"):
            assert torch.equal(getattr(one, name), getattr(other, name)), name
        one, other = (backend.normal_equations(geometry, target) for target in targets)
        assert torch.equal(one.rhs, other.rhs)
        assert torch.equal(one.values, other.values)


@cuda
@pytest.mark.parametrize("wrap", [(False, False), (True, True)])
def test_the_same_bits_from_two_runs(backend, wrap):
    case = make_case("again", count=3000, components=9, size=(300, 200), long_axis=(1.0, 12.0), cutoff=8.0, wrap=wrap)
    target = backend.prepare_target(case.image().cuda(), wrap=wrap)
    runs = [backend.squared_error(*case.on(backend), target) for _ in range(3)]
    for name in ("total", "means", "conics", "features"):
        assert all(torch.equal(getattr(run, name), getattr(runs[0], name)) for run in runs), name


@cuda
@weighted_or_not
def test_geometry_prepared_once_gives_the_bits_of_geometry_prepared_for_each_call(backend, case, weighted):
    target, _ = targets_of(case, backend, ReferenceBackend(), case.image(2), weighted)
    geometry, features = case.on(backend)

    def everything(fresh):
        held = (lambda: case.on(backend)[0]) if fresh else (lambda: geometry)
        equations = backend.normal_equations(held(), target)
        found = [equations.rhs, equations.diagonal]
        error = backend.squared_error(held(), features, target)
        return [
            *found, error.total, error.means, error.conics, error.features,
            backend.leave_one_out(held(), features, target), backend.render(held(), features),
            *backend.render_backward(held(), features, case.image().cuda()),
        ]  # fmt: skip

    assert all(torch.equal(one, other) for one, other in zip(everything(False), everything(True), strict=True))


@cuda
def test_lists_that_outgrow_their_room(backend):
    small = make_case("grown", count=500, components=2, size=(256, 256), long_axis=(0.5, 1.0))
    large = make_case("grown", count=500, components=2, size=(256, 256), long_axis=(40.0, 50.0))
    for case in (small, large, small):
        reference, doubles = reference_of(case)
        found = backend.render(*case.on(backend))
        wanted = reference.render(*doubles)
        # small Gaussians far apart: at the edge of each, weights compete with epsilon, and float32 shows
        assert float((found.cpu().double() - wanted).abs().max()) < 3 * VALUE_TOLERANCE


@cuda
def test_more_components_than_supported_is_refused(backend):
    case = make_case("wide", components=33)
    with pytest.raises(ValueError, match="1 to 32 components"):
        backend.render(*case.on(backend))


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_without_a_gpu_the_message_names_the_remedy():
    with pytest.raises(MissingToolError, match=r"backend cuda cannot run: .*; use --backend cpu"):
        make_backend("cuda")


@cuda
def test_the_matrix_is_the_same_when_written_out_in_parts(backend, monkeypatch):
    case = make_case("parts", count=300, components=2, size=(90, 70))
    target = backend.prepare_target(case.image().cuda())
    whole = backend.normal_equations(case.on(backend)[0], target)
    assert len(whole.values) > 0
    monkeypatch.setattr("imagegs_tex.rasterize.cuda.normal_equations._PAIRS_AT_ONCE", 2000)
    parts = backend.normal_equations(case.on(backend)[0], target)
    assert torch.equal(parts.row_starts, whole.row_starts)
    assert torch.equal(parts.columns, whole.columns)
    assert torch.allclose(parts.values, whole.values, rtol=1e-12, atol=0)


def _diagonals():
    rng = np.random.default_rng(8)
    for count in (1, 2, 3, 31, 256, 1000, 8426, 70_001):
        values = np.square(rng.normal(0, 1, count))
        yield f"{count}", values
        yield f"{count} alike", np.full(count, values[0])
        yield f"{count} mostly nothing", np.where(np.arange(count) < count // 3, values, 0.0)
        yield f"{count} of any size", np.exp(rng.normal(0, 90, count))
        yield f"{count} few values", np.round(values, 1)


@cuda
@pytest.mark.parametrize(("name", "diagonal"), [pytest.param(*case, id=case[0]) for case in _diagonals()])
def test_damping_is_that_of_torch(name, diagonal):
    from types import SimpleNamespace

    from imagegs_tex.rasterize.conjugate_gradient import damping_of
    from imagegs_tex.rasterize.cuda.conjugate_gradient import damping_on_gpu

    values = torch.from_numpy(diagonal)
    wanted = damping_of(SimpleNamespace(diagonal=values), 3e-3)
    assert float(damping_on_gpu(values.cuda(), 3e-3)) == float(wanted), name
