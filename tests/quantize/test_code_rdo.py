"""Choosing codes: features by coordinate descent, geometry by refinement, and the solve that both stand on."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from imagegs_tex.fit.state import constrain
from imagegs_tex.formats.igs import quantized_set as g
from imagegs_tex.quantize.feature_rdo import CpuDescent, choose_feature_codes
from imagegs_tex.quantize.geometry import GeometryQuantizer
from imagegs_tex.quantize.geometry_rdo import refine_geometry
from imagegs_tex.rasterize.conjugate_gradient import damping_of
from imagegs_tex.rasterize.cpu.backend import CpuBackend

COUNT, COMPONENTS, CUTOFF = 120, 3, 6.0
STEP = float(np.float32(0.17))


def quantizer_of(width, height, wrap):
    return GeometryQuantizer(width, height, 4, 0.25, STEP, STEP, wrap)


@pytest.fixture(
    scope="module",
    params=[(96, 300, (False, False)), (96, 300, (True, True)), (93, 301, (True, True)), (97, 299, (False, True))],
    ids=str,
)
def scene(request):
    return make_scene(*request.param)


def make_scene(width, height, wrap):
    """Rounded geometry, a target that lies near what it can draw, and the equations of its features."""
    rng = np.random.default_rng(3)
    quantizer = quantizer_of(width, height, wrap)
    shapes = np.stack([rng.normal(4.0, 0.6, COUNT), *rng.normal(0.0, 0.7, (2, COUNT))], axis=1)
    position_codes, shape_codes, exponents = quantizer.codes(rng.random((COUNT, 2)) * [width, height], shapes)
    means = (position_codes + 0.5) * np.exp2(exponents)
    backend = CpuBackend(1)
    features = torch.from_numpy(rng.normal(0.0, 0.4, (COUNT, COMPONENTS)).astype(np.float32))
    image = backend.render(prepared(backend, quantizer, means, shape_codes), features)
    image = image + 0.02 * torch.from_numpy(rng.standard_normal(image.shape).astype(np.float32))
    target = backend.prepare_target(image, wrap=wrap)
    equations = backend.normal_equations(prepared(backend, quantizer, means, shape_codes), target)
    return {"means": means, "codes": shape_codes, "image": image, "target": target, "equations": equations,
            "backend": backend, "features": features, "quantizer": quantizer}  # fmt: skip


def tensors(means, shape_codes):
    conics = g.conics_of(g.shape_values(shape_codes, STEP, STEP))
    return torch.from_numpy(means.astype(np.float32)), torch.from_numpy(conics.astype(np.float32))


def prepared(backend, quantizer, means, shape_codes):
    size = (quantizer.width, quantizer.height)
    return backend.prepare_geometry(*tensors(means, shape_codes), CUTOFF, size, quantizer.wrap)


def error_of(scene, means, shape_codes, features):
    values = torch.as_tensor(np.asarray(features), dtype=torch.float32)
    geometry = prepared(scene["backend"], scene["quantizer"], means, shape_codes)
    return float(scene["backend"].squared_error(geometry, values, scene["target"]).total)


def solved(scene):
    equations, start = scene["equations"], torch.zeros(COUNT, COMPONENTS)
    return scene["backend"].solve_features(equations, start, 200, 1e-9)


def test_the_solution_of_the_features_is_the_dense_one(scene):
    equations = scene["equations"]
    matrix = torch.sparse_csr_tensor(
        equations.row_starts, equations.columns.long(), equations.values, (COUNT, COUNT)
    ).to_dense()
    damped = matrix + damping_of(equations, 1e-9) * torch.eye(COUNT, dtype=torch.float64)
    best = torch.linalg.solve(damped, equations.rhs)
    found = solved(scene)
    least = error_of(scene, scene["means"], scene["codes"], best.float())
    assert error_of(scene, scene["means"], scene["codes"], found) == pytest.approx(least, rel=1e-3)


def codes_for(scene, best, step, bit_price):
    equations = scene["equations"]
    tensors = (equations.row_starts, equations.columns, equations.values, equations.diagonal)
    descent = CpuDescent(*(tensor.numpy() for tensor in tensors), best)
    return choose_feature_codes(descent, equations.diagonal.numpy(), np.full(COMPONENTS, step), bit_price)


def test_chosen_feature_codes_beat_plain_rounding(scene):
    step = 0.2
    best = solved(scene).double().numpy()
    rounded = error_of(scene, scene["means"], scene["codes"], np.rint(best / step) * step)
    chosen = error_of(scene, scene["means"], scene["codes"], codes_for(scene, best, step, 0.0) * step)
    assert chosen < 0.95 * rounded


def test_a_price_on_bits_makes_feature_codes_cheaper(scene):
    step, best = 0.05, solved(scene).double().numpy()
    price = 0.5 * step**2 * float(scene["equations"].diagonal.median())
    free, priced = codes_for(scene, best, step, 0.0), codes_for(scene, best, step, price)
    assert entropy(priced) < entropy(free)


def entropy(codes):
    _, counts = np.unique(codes, return_counts=True)
    shares = counts / counts.sum()
    return float(-(shares * np.log2(shares)).sum())


def refined(scene, means, codes, *, threads=1, bit_price=0.0, weights=None):
    return refine_geometry(
        means, codes, scene["features"].numpy(), scene["image"].numpy(), scene["quantizer"], weights=weights,
        cutoff=CUTOFF,
        bit_price=bit_price, shape_limits=(-2.7, 4.0), threads=threads,
    )  # fmt: skip


def test_refinement_mends_disturbed_geometry_codes(scene):
    rng = np.random.default_rng(5)
    codes = (scene["codes"] + rng.integers(-1, 2, scene["codes"].shape)).astype(np.int16)
    shapes = g.shape_values(codes, STEP, STEP)
    position_codes, _, exponents = scene["quantizer"].codes(scene["means"], shapes)
    means = (position_codes + 0.5) * np.exp2(exponents)
    before = error_of(scene, means, codes, scene["features"])
    means, codes = refined(scene, means, codes)
    once = error_of(scene, means, codes, scene["features"])
    twice = error_of(scene, *refined(scene, means, codes), scene["features"])
    assert once < 0.85 * before
    assert twice < min(once, 0.65 * before)


@pytest.mark.parametrize(("width", "height"), [(96, 40), (30, 300), (40, 30), (64, 256)])
def test_refinement_never_harms_where_gaussians_meet_themselves(width, height):
    scene = make_scene(width, height, (True, True))
    before = error_of(scene, scene["means"], scene["codes"], scene["features"] * 0.9)
    scene["features"] = scene["features"] * 0.9  # something to mend
    once = refined(scene, scene["means"], scene["codes"])
    twice = refined(scene, *once)
    errors = [before, *(error_of(scene, *geometry, scene["features"]) for geometry in (once, twice))]
    assert errors == sorted(errors, reverse=True)


def test_refinement_lowers_the_weighted_error_and_leaves_alone_what_does_not_count(scene):
    rng = np.random.default_rng(5)
    codes = (scene["codes"] + rng.integers(-1, 2, scene["codes"].shape)).astype(np.int16)
    shapes = g.shape_values(codes, STEP, STEP)
    quantizer = scene["quantizer"]
    position_codes, _, exponents = quantizer.codes(scene["means"], shapes)
    means = (position_codes + 0.5) * np.exp2(exponents)
    width, height = quantizer.width, quantizer.height
    # squares that hardly count beside others that do: mere noise averages out within a patch, and luck decides
    squares = rng.choice([0.02, 4.0], (-(-height // 16), -(-width // 16))).repeat(16, axis=0).repeat(16, axis=1)
    weights = np.where(np.arange(height)[:, None] < height // 2, squares[:height, :width], 0).astype(np.float32)
    target = CpuBackend(1).prepare_target(scene["image"], torch.from_numpy(weights), quantizer.wrap)
    new_means, new_codes = refined(scene, means, codes, weights=weights)
    weighted = scene | {"target": target}
    after = error_of(weighted, new_means, new_codes, scene["features"])
    assert after < 0.8 * error_of(weighted, means, codes, scene["features"])
    # better by these weights than what refinement without them gives
    assert after < 0.97 * error_of(weighted, *refined(scene, means, codes), scene["features"])
    far_away = (means[:, 1] > height / 2 + 60) & (means[:, 1] < height - 60)
    assert far_away.any()
    assert np.array_equal(new_codes[far_away], codes[far_away])


def test_refined_geometry_is_what_the_file_can_hold(scene):
    means, codes = refined(scene, scene["means"], scene["codes"])
    shapes = g.shape_values(codes, STEP, STEP)
    position_codes, shape_codes, exponents = scene["quantizer"].codes(means, shapes)
    assert np.array_equal((position_codes + 0.5) * np.exp2(exponents), means)
    assert np.array_equal(shape_codes, codes)


@pytest.mark.parametrize("wrap", [(False, False), (True, True)])
def test_long_gaussians_are_refined_whatever_their_direction(wrap):
    """Tall ones fit into no band of rows, wide ones into none of columns."""
    scene = make_scene(620, 610, wrap)
    codes = scene["codes"]
    codes[::2, 1], codes[1::2, 1], codes[:, 0] = -12, 12, codes[:, 0] + 14
    position_codes, _, exponents = scene["quantizer"].codes(scene["means"], g.shape_values(codes, STEP, STEP))
    means = (position_codes + 0.5) * np.exp2(exponents)
    conics = tensors(means, codes)[1].numpy()
    heights = 2 * np.sqrt(2 * CUTOFF * conics[:, 0] / (conics[:, 0] * conics[:, 2] - conics[:, 1] ** 2))
    assert np.median(heights[::2]) > 256
    image = scene["backend"].render(prepared(scene["backend"], scene["quantizer"], means, codes), scene["features"])
    disturbed = codes + np.array([0, 0, 1], np.int16)
    first, second = (refined(scene | {"image": image}, means, disturbed, threads=threads) for threads in (1, 3))
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
    changed = np.any(first[1] != disturbed, axis=1)
    assert min(changed[::2].mean(), changed[1::2].mean()) > 0.4


def test_refinement_depends_on_no_thread_count(scene):
    first, second = (
        refined(scene, scene["means"], scene["codes"]),
        refined(scene, scene["means"], scene["codes"], threads=3),
    )
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


@given(
    st.integers(1, 600),
    st.floats(-1000, 1000, allow_nan=False, width=32),
    st.floats(-4, 12),
    st.integers(2, 8),
)
@settings(max_examples=300, deadline=None)
def test_a_mean_is_rounded_to_the_nearest_image_that_the_file_can_hold(size, position, log_size, cell_log2):
    quantizer = GeometryQuantizer(size, size, cell_log2, 0.25, STEP, STEP, (True, True))
    codes, _, exponents = quantizer.codes(np.full((1, 2), position), np.array([[log_size, 0.0, 0.0]]))
    step = float(np.exp2(exponents[0, 0]))
    mean = (codes[0, 0] + 0.5) * step
    assert 0 < mean < size or codes[0, 0] == 0
    away = abs((position - mean + size / 2) % size - size / 2)
    # what is left beyond the last whole step is less than one and a half
    assert away <= max(0.75 * step, 0.5 * min(step, size)) + 1e-4
    nearest, _ = quantizer.nearest(torch.full((1, 2), position).double(), torch.tensor([[log_size, 0.0, 0.0]]).double())
    in_torch, _ = quantizer._nearest_in_torch(
        torch.full((1, 2), position).double(), torch.tensor([[log_size, 0.0, 0.0]]).double()
    )
    assert float(nearest[0, 0]) == mean == float(in_torch[0, 0])


def test_means_that_leave_a_repeating_picture_come_back_on_the_other_side():
    means = torch.tensor([[-0.25, -0.25], [100.5, 50.5], [-1e-9, 20.0], [230.0, -70.0]])
    shapes = torch.zeros(4, 3)
    constrain(means, shapes, (100, 50), (True, False))
    np.testing.assert_allclose(means.numpy(), [[99.75, 0], [0.5, 49.99], [0, 20], [30, 0]], atol=1e-5)


@pytest.mark.parametrize("wrap", [(True, False), (False, True), (True, True)], ids=str)
def test_supports_stay_within_the_pictures_that_the_format_allows(wrap):
    rng = np.random.default_rng(0)
    shapes = torch.from_numpy(rng.uniform(-6, 30, (500, 3)))
    constrain(torch.zeros(500, 2), shapes, (1000, 3), wrap)
    reaches = g.reaches_of(shapes.numpy(), g.CUTOFF_RANGE[1]) / [1000, 3]
    assert reaches[:, list(wrap)].max() <= g.MAX_REACH / 2 + 1e-6
    assert reaches[:, list(wrap)].max() > 20  # and no smaller than they have to be
