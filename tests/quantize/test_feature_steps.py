"""Feature steps that follow a Gaussian's size: the fit's units, the file's, and what the codes mean agree."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from imagegs_tex.encoder import encode
from imagegs_tex.encoder.feature_equations import in_own_units
from imagegs_tex.formats.igs import quantized_set as g
from imagegs_tex.formats.igs.container import decode_igs, encode_igs
from imagegs_tex.formats.images import write_image
from imagegs_tex.formats.material.build_stack import load_stack
from imagegs_tex.rasterize.backend import NormalEquations
from imagegs_tex.rasterize.cpu.backend import CpuBackend
from imagegs_tex.settings import FitSettings, Precision

CPU = CpuBackend(2)


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    folder = tmp_path_factory.mktemp("waves")
    y, x = np.mgrid[:90, :120] / 9.0
    fine = np.random.default_rng(1).normal(size=(90, 120, 3)) * (x > 9)[..., None]  # large Gaussians left, small right
    values = 0.5 + 0.2 * np.stack([np.sin(x), np.cos(y), np.sin(x + y)], axis=-1) + 0.08 * fine
    write_image(folder / "basecolor.png", np.rint(np.clip(values, 0, 1) * 255).astype(np.uint8))
    return load_stack(folder)


@pytest.mark.parametrize("exponent", [0.0, 0.5, 1.0])
def test_codes_mean_the_features_that_were_solved_for_in_steps_of_each_ones_own(stack, exponent):
    precision = replace(Precision(), feature_exponent=exponent, rate_weight=0.0)
    settings = FitSettings(steps=30, refine_sweeps=1)
    geometry, _ = encode.fit_geometry(encode.prepare(stack, CPU), 300, settings, precision, CPU)
    quantized = decode_igs(encode_igs(encode.round_features(geometry, precision, stack, stretch=0.05)))
    assert quantized.feature_exponent == exponent
    m = quantized.shape_codes[:, 0] * quantized.size_step
    scales = np.exp(-exponent * (m - np.median(m)) / 2)
    assert exponent == 0 or scales.max() > 2 * scales.min()
    solved = geometry.descent.best[:, : quantized.component_count] * scales[:, None]
    steps = 0.05 * geometry.feature_step * scales
    # codes make up for each other's rounding, so that some lie a few steps off
    assert np.median(np.abs(g.feature_values(quantized) - solved) / steps[:, None]) < 1
    at_median = quantized.feature_steps * np.exp(-exponent * np.median(m) / 2)
    np.testing.assert_allclose(at_median, 0.05 * geometry.feature_step, rtol=1e-5)


def test_equations_in_own_units_are_those_of_features_over_their_scales():
    generator = np.random.default_rng(0)
    root = generator.normal(size=(5, 5)) * (generator.random((5, 5)) < 0.6) + np.eye(5)
    matrix, features, scales = root @ root.T, generator.normal(size=(5, 2)), generator.uniform(0.3, 3, 5)
    rows, columns = np.nonzero(matrix)
    starts = np.searchsorted(rows, np.arange(6))
    equations = NormalEquations(
        torch.from_numpy(starts), torch.from_numpy(columns.astype(np.int32)), torch.from_numpy(matrix[rows, columns]),
        torch.from_numpy(np.diag(matrix).copy()), torch.from_numpy(matrix @ features),
    )  # fmt: skip
    own, own_features = in_own_units(equations, torch.from_numpy(features), torch.from_numpy(scales))
    expected = matrix * np.outer(scales, scales)
    np.testing.assert_allclose(own.values.numpy(), expected[rows, columns])
    np.testing.assert_allclose(own.diagonal.numpy(), np.diag(expected))
    np.testing.assert_allclose(expected @ own_features.numpy(), own.rhs.numpy())
