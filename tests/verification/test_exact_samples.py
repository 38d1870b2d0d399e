"""Exact samples: every decoder, points, footprints and levels included, against float64."""

import numpy as np
import pytest
from helpers.tiny_material import as_bytes, waves

from imagegs_tex.encoder.exact_file import exact_set
from imagegs_tex.formats.images import write_image
from imagegs_tex.formats.material.build_stack import load_stack
from imagegs_tex.formats.material.options import SourceOptions
from imagegs_tex.verification import verify
from imagegs_tex.verification.float64_picture import reference_picture, reference_points


@pytest.fixture(scope="module")
def quantized(tmp_path_factory):
    """Channels of 8, 16 and 24 bits, and a normal whose z is made of x and y."""
    folder = tmp_path_factory.mktemp("material")
    write_image(folder / "albedo.png", as_bytes(waves(21, 10, 3)))
    write_image(folder / "height.png", np.rint(waves(21, 10, 1, 5) * 65535).astype(np.uint16))
    write_image(folder / "emissive.exr", (waves(21, 10, 3, 6) * 20).astype(np.float16))
    sides = 0.6 * (waves(21, 10, 2, 7) - 0.5)
    unit = np.concatenate([sides, np.sqrt(1 - np.square(sides).sum(axis=-1, keepdims=True))], axis=-1)
    write_image(folder / "normal.png", as_bytes((unit + 1) / 2))
    return exact_set(load_stack(folder, SourceOptions(wrap=(True, False))))


def test_every_decoder_reads_them(device, quantized):
    assert set(quantized.exact.sample_bytes) == {1, 2, 3}
    report = verify(quantized, ("glsl", "hlsl"), point_count=500, repeats=0, device=device)
    assert report.passed
    assert len(report.variants) == 5
    assert report.gpu_bytes.exact == 4 * report.width * report.height * 5  # words


def test_points_have_the_value_of_their_texel(quantized):
    points = np.array([[0.0, 0.0], [0.99, 0.5], [1.0, 9.99], [21.0, 10.0], [20.5, 3.2]])
    codes = quantized.exact.codes[[0, 0, 9, 9, 3], [0, 0, 1, 20, 20]]
    expected = codes / (256.0 ** np.array(quantized.exact.sample_bytes) - 1)
    np.testing.assert_allclose(reference_points(reference_picture(quantized), points), expected, rtol=1e-12)
