"""The loops over texels on the CPU have what plain torch has, on every shape: small, thin, in several bands."""

import numpy as np
import pytest
import torch

from imagegs_tex.detail.amplitudes import contrast_in_torch
from imagegs_tex.detail.residual import moments_in_torch, structure_in_torch
from imagegs_tex.metrics.kept_contrast import sums_in_torch
from imagegs_tex.metrics.octave_kernels import (
    blurred_rows,
    fine_contrast,
    finest_moments,
    spectrum_sums,
    structure_sums,
)
from imagegs_tex.metrics.visible_error import blur_in_torch

SHAPES = [(1, 1, 1), (1, 40, 2), (40, 1, 3), (3, 5, 2), (33, 70, 1), (100, 47, 4)]


def picture(shape):
    """Noise over waves; one channel, if there are several, is constant."""
    height, width, channels = shape
    waves = np.sin(np.arange(height) / 5)[:, None] * np.cos(np.arange(width) / 3)
    texels = waves[..., None] + np.random.default_rng(5).standard_normal(shape)
    if channels > 1:
        texels[..., 1] = 0.25
    return torch.from_numpy(texels.astype(np.float32))


@pytest.mark.parametrize("step", [1, 2, 4])
@pytest.mark.parametrize("shape", SHAPES)
def test_blurs_are_torchs_bit_by_bit(shape, step):
    texels = picture(shape)
    assert np.array_equal(blurred_rows(texels, step).reshape(shape), blur_in_torch(texels, step).numpy())


@pytest.mark.parametrize("side", [8, 16])
@pytest.mark.parametrize("shape", SHAPES)
def test_fine_contrast_is_torchs(shape, side):
    texels = picture(shape)
    for found, expected in zip(fine_contrast(texels, side), contrast_in_torch(texels, side), strict=True):
        assert found == pytest.approx(expected, rel=1e-4, abs=1e-12)


@pytest.mark.parametrize("shape", SHAPES)
def test_moments_are_torchs(shape):
    texels = picture(shape)
    for found, expected in zip(finest_moments(texels, 32), moments_in_torch(texels), strict=True):
        assert found == pytest.approx(expected, rel=1e-4, abs=1e-12)


@pytest.mark.parametrize("shape", SHAPES)
def test_structure_is_torchs(shape):
    texels = picture(shape)
    for found, expected in zip(structure_sums(texels), structure_in_torch(texels), strict=True):
        assert found == pytest.approx(expected, rel=1e-5, abs=1e-9)


@pytest.mark.parametrize("shape", SHAPES)
def test_sums_of_a_spectrum_are_torchs(shape):
    spectrum, rng = torch.fft.rfft2(picture(shape)[..., 0]), np.random.default_rng(6)
    across, down = rng.random((spectrum.shape[1], 9)), rng.random((spectrum.shape[0], 9))
    parts = torch.view_as_real(spectrum).numpy().reshape(len(down), -1)
    found = spectrum_sums(parts, np.ascontiguousarray(across.T), down)
    assert found == pytest.approx(sums_in_torch(spectrum, across, down).numpy(), rel=1e-6, abs=1e-12)


def test_pictures_that_are_no_rows_of_their_own_are_read_right():
    """A part of a larger picture, as an edit looks at."""
    whole = picture((60, 50, 3))
    part = whole[10:47, 5:41]
    assert np.array_equal(blurred_rows(part, 2), blurred_rows(part.clone(), 2))
