"""Choosing codes on the GPU, beside the CPU's choices."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from imagegs_tex.formats.igs import quantized_set as g
from imagegs_tex.quantize.feature_rdo import choose_feature_codes
from imagegs_tex.quantize.geometry import GeometryQuantizer
from imagegs_tex.quantize.geometry_rdo import refine_geometry
from imagegs_tex.rasterize.cpu.backend import CpuBackend
from imagegs_tex.rasterize.select_backend import make_backend

pytestmark = pytest.mark.cuda
WIDTH, HEIGHT, CUTOFF = 93, 150, 6.0
LIMITS = (-2.7, 4.0)
QUANTIZER = GeometryQuantizer(WIDTH, HEIGHT, 4, 0.25, float(np.float32(0.17)), float(np.float32(0.17)))


class Scene:
    """Rounded geometry on both backends, with a target near what it can draw."""

    def __init__(self, count=90, components=3, size=4.0, seed=3, wrap=(False, False), weighted=False):
        self.quantizer = replace(QUANTIZER, wrap=wrap)
        rng = np.random.default_rng(seed)
        shapes = np.stack([rng.normal(size, 0.6, count), *rng.normal(0.0, 0.7, (2, count))], axis=1)
        position_codes, self.codes, exponents = self.quantizer.codes(rng.random((count, 2)) * [WIDTH, HEIGHT], shapes)
        self.means = (position_codes + 0.5) * np.exp2(exponents)
        self.features = torch.from_numpy(rng.normal(0.0, 0.4, (count, components)).astype(np.float32))
        self.cpu, self.gpu = CpuBackend(1), make_backend("cuda")
        image = self.cpu.render(self.prepared(self.cpu, self.means, self.codes), self.features)
        self.image = image + 0.02 * torch.from_numpy(rng.standard_normal(image.shape).astype(np.float32))
        self.weights = torch.from_numpy(rng.uniform(0, 3, (HEIGHT, WIDTH)).astype(np.float32)) if weighted else None
        self.target = self.cpu.prepare_target(self.image, self.weights, wrap)
        self.disturbed = (self.codes + rng.integers(-1, 2, self.codes.shape)).astype(np.int16)

    def prepared(self, backend, means, codes):
        arrays = (tensor.to(backend.device) for tensor in tensors(means, codes))
        return backend.prepare_geometry(*arrays, CUTOFF, (WIDTH, HEIGHT), self.quantizer.wrap)

    def error(self, means, codes, features=None):
        values = self.features if features is None else torch.from_numpy(np.asarray(features)).float()
        return float(self.cpu.squared_error(self.prepared(self.cpu, means, codes), values, self.target).total)

    def on_grid(self, codes, means=None):
        """Means as the file can hold them with these shape codes, and the codes."""
        shapes = g.shape_values(codes, QUANTIZER.size_step, QUANTIZER.form_step)
        position_codes, _, exponents = self.quantizer.codes(self.means if means is None else means, shapes)
        return (position_codes + 0.5) * np.exp2(exponents), codes

    def on_cpu(self, codes, bit_price=0.0):
        return refine_geometry(
            *self.on_grid(codes), self.features.numpy(), self.image.numpy(), self.quantizer, cutoff=CUTOFF,
            weights=None if self.weights is None else self.weights.numpy(), bit_price=bit_price, shape_limits=LIMITS,
            threads=1,
        )  # fmt: skip

    def on_gpu(self, codes, bit_price=0.0):
        from imagegs_tex.quantize.geometry_rdo_cuda import refine_geometry_on_gpu

        device = self.gpu.device
        return refine_geometry_on_gpu(
            *self.on_grid(codes), self.features.to(device), self.image.to(device), self.quantizer, self.gpu,
            weights=None if self.weights is None else self.weights.to(device), cutoff=CUTOFF, bit_price=bit_price,
            shape_limits=LIMITS,
        )  # fmt: skip

    def descents(self, backend):
        """Equations of the features solved on a backend: a descent, the diagonal, and the solution."""
        from imagegs_tex.encoder.compute import compute_on

        target = backend.prepare_target(self.image.to(backend.device), None, self.quantizer.wrap)
        equations = backend.normal_equations(self.prepared(backend, self.means, self.codes), target)
        start = torch.zeros_like(self.features).to(backend.device)
        best = backend.solve_features(equations, start, 60, 1e-3)
        return (
            compute_on(backend).descent(equations, best),
            equations.diagonal.cpu().numpy(),
            best.double().cpu().numpy(),
        )


def tensors(means, shape_codes):
    conics = g.conics_of(g.shape_values(shape_codes, QUANTIZER.size_step, QUANTIZER.form_step))
    return torch.from_numpy(means.astype(np.float32)), torch.from_numpy(conics.astype(np.float32))


def entropy(codes):
    _, counts = np.unique(codes, return_counts=True)
    shares = counts / counts.sum()
    return float(-(shares * np.log2(shares)).sum())


@pytest.fixture(scope="module")
def scene():
    return Scene()


@pytest.mark.parametrize("components", [1, 3, 9])
def test_one_gaussian_moves_as_on_the_cpu(components):
    for seed in range(6):
        alone = Scene(count=1, components=components, seed=seed, weighted=seed % 2 == 1)
        found, wanted = alone.on_gpu(alone.disturbed), alone.on_cpu(alone.disturbed)
        assert np.allclose(found[0], wanted[0])
        assert np.array_equal(found[1], wanted[1])


@pytest.mark.parametrize("wrap", [(False, False), (True, False), (True, True)])
@pytest.mark.parametrize("weighted", [False, True])
def test_refinement_is_worth_what_it_is_on_the_cpu(weighted, wrap):
    crowd = Scene(weighted=weighted, wrap=wrap)
    before = crowd.error(*crowd.on_grid(crowd.disturbed))
    found, wanted = crowd.error(*crowd.on_gpu(crowd.disturbed)), crowd.error(*crowd.on_cpu(crowd.disturbed))
    assert wanted < 0.7 * before
    assert found < wanted + 0.05 * (before - wanted)


def test_a_price_on_bits_makes_geometry_codes_cheaper(scene):
    price = 0.02 * scene.error(*scene.on_grid(scene.disturbed)) / len(scene.means)
    free, priced = scene.on_gpu(scene.disturbed), scene.on_gpu(scene.disturbed, 10 * price)
    assert entropy(priced[1]) < entropy(free[1])


@pytest.mark.parametrize("wrap", [(False, False), (True, True)])
def test_refined_geometry_is_what_the_file_can_hold(wrap):
    crowd = Scene(wrap=wrap)
    means, codes = crowd.on_gpu(crowd.disturbed)
    assert np.array_equal(crowd.on_grid(codes, means)[0], means)
    assert np.all((means >= 0) & (means < [WIDTH, HEIGHT]))


@pytest.mark.parametrize("wrap", [(False, False), (True, True)])
@pytest.mark.parametrize(("size", "count"), [(-2.0, 60), (8.0, 20), (12.0, 5)])
def test_refinement_of_tiny_and_huge_gaussians_never_makes_it_worse(size, count, wrap):
    extreme = Scene(count=count, size=size, wrap=wrap)
    before = extreme.error(*extreme.on_grid(extreme.codes))
    assert extreme.error(*extreme.on_gpu(extreme.codes)) <= before * (1 + 1e-5)


def test_the_same_geometry_from_two_runs(scene):
    first, second = scene.on_gpu(scene.disturbed, 1e-3), scene.on_gpu(scene.disturbed, 1e-3)
    assert all(np.array_equal(one, other) for one, other in zip(first, second, strict=True))


def turns_of(crowd):
    from imagegs_tex.quantize.geometry_rdo_cuda import geometry_kernels, patch_turns

    device = crowd.gpu.device
    arrays = (torch.tensor(crowd.means, device=device), torch.tensor(crowd.codes, dtype=torch.int32, device=device))
    return patch_turns(*arrays, crowd.quantizer, CUTOFF, geometry_kernels(device))


def spans_of(turns, n):
    """First columns, and how many there are, of the rows of a patch."""
    spans = turns.spans[turns.row_starts[n] : turns.row_starts[n + 1]].cpu().numpy()
    return spans[:-1, 0], np.diff(spans[:, 1])


@pytest.mark.parametrize("wrap", [(False, False), (True, True)])
def test_gaussians_wait_for_all_before_them_that_share_a_texel(wrap):
    crowd = Scene(count=150, wrap=wrap)
    turns = turns_of(crowd)
    patches, order, starts, earlier = (
        tensor.cpu().numpy() for tensor in (turns.patches, turns.order, turns.starts, turns.earlier)
    )
    assert sorted(order) == list(range(150))
    waited: list[set[int]] = []  # by place: for whom, also by way of others
    covered = []
    for place, n in enumerate(order):
        own = set(earlier[starts[n] : starts[n + 1]].tolist()) - {-1}
        assert all(other < place for other in own)
        waited.append(own.union(*(waited[other] for other in own)))
        left, top = patches[n][:2]
        area = np.zeros((HEIGHT, WIDTH), bool)
        for row, (first, length) in enumerate(zip(*spans_of(turns, n), strict=True)):
            area[(top + row) % HEIGHT, np.arange(left + first, left + first + length) % WIDTH] = True
        assert area.sum() <= turns.most_texels
        assert {other for other in range(place) if (covered[other] & area).any()} <= waited[-1]
        covered.append(area)
    # where the picture repeats, a patch larger than it would meet itself: those rest
    moving = np.count_nonzero(patches[:, 2] > 0)
    assert moving == 150 or (any(wrap) and moving > 75)


@pytest.mark.parametrize("wrap", [(False, False), (True, False), (True, True)])
@pytest.mark.parametrize("size", [-2.0, 1.0, 4.0, 7.0])
def test_spans_are_those_of_the_cpu(size, wrap):
    from imagegs_tex.quantize.geometry_rdo_kernels import find_spans

    crowd = Scene(count=60, size=size, wrap=wrap)
    turns = turns_of(crowd)
    steps = np.array([QUANTIZER.size_step, QUANTIZER.form_step, QUANTIZER.form_step])
    for n, (left, top, columns, rows) in enumerate(turns.patches.cpu().tolist()):
        firsts, starts = np.empty(rows, np.int64), np.empty(rows + 1, np.int64)
        find_spans(*crowd.means[n], crowd.codes[n], steps, CUTOFF, left, top, columns, firsts, starts)
        found, lengths = spans_of(turns, n)
        assert np.array_equal(lengths, np.diff(starts))
        assert np.array_equal(found, firsts)


@pytest.mark.parametrize("components", [1, 3, 20])
@pytest.mark.parametrize("priced", [False, True])
def test_feature_codes_are_as_good_as_the_cpus(components, priced):
    crowd = Scene(components=components)
    step = 0.1
    costs = []
    for backend in (crowd.gpu, crowd.cpu):
        descent, diagonal, best = crowd.descents(backend)
        price = 0.3 * step**2 * float(np.median(diagonal)) * priced
        codes = choose_feature_codes(descent, diagonal, np.full(components, step), price)
        costs.append(crowd.error(crowd.means, crowd.codes, codes * step) + price * entropy(codes) * codes.size)
        plain = crowd.error(crowd.means, crowd.codes, np.rint(best / step) * step)
    assert costs[0] == pytest.approx(costs[1], rel=0.03)
    assert priced or costs[0] < plain


def test_the_same_feature_codes_from_two_runs(scene):
    chosen = [choose_feature_codes(*scene.descents(scene.gpu)[:2], np.full(3, 0.05), 1e-3) for _ in range(2)]
    assert np.array_equal(*chosen)
