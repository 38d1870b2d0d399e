"""The evaluator that decoders are held against, held against the backend that defines the picture."""

import numpy as np
import pytest
import torch
from helpers.made_gaussians import made_set

from imagegs_tex.formats.igs.quantized_set import conics_of, dequantize, feature_values, shape_values
from imagegs_tex.rasterize.reference import ReferenceBackend
from imagegs_tex.verification.float64_picture import reference_picture, reference_points, reference_rows


@pytest.mark.parametrize(
    "options",
    [{"thinness": 1.0}, {"thinness": 4.9}, {"wrap": (True, True)}, {"wrap": (False, True), "spread": 9}],
    ids=str,
)
def test_rows_are_the_reference_backends(options):
    quantized = made_set(70, 45, 80, 5, components=3, **options)
    values = dequantize(quantized)
    shapes = shape_values(quantized.shape_codes, quantized.size_step, quantized.form_step)
    backend = ReferenceBackend()
    geometry = backend.prepare_geometry(
        torch.from_numpy(values.means).double(), torch.from_numpy(conics_of(shapes)), quantized.cutoff, (70, 45),
        quantized.wrap,
    )  # fmt: skip
    components = backend.render(geometry, torch.from_numpy(feature_values(quantized))).numpy()
    offset = quantized.offset_codes / 65535
    expected = np.clip(offset + components @ values.basis.astype(np.float64), 0, 1)
    picture = reference_picture(quantized)
    found = np.concatenate([reference_rows(picture, 0, 20), reference_rows(picture, 20, 25)])
    assert np.abs(found - expected).max() < 1e-9


@pytest.mark.parametrize("wrap", [(False, False), (True, True)], ids=str)
def test_points_at_texel_centres_are_the_rows(wrap):
    picture = reference_picture(made_set(33, 21, 40, wrap=wrap))
    rows = reference_rows(picture, 0, 21)
    order = np.random.default_rng(0).permutation(33 * 21)
    ys, xs = np.unravel_index(order, (21, 33))
    points = np.stack([xs + 0.5, ys + 0.5], axis=1)
    assert np.abs(reference_points(picture, points) - rows[ys, xs]).max() < 1e-12
