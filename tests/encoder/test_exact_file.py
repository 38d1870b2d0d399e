"""Small pictures come back exactly, in every decoder, where that takes hardly any bytes."""

from dataclasses import replace

import numpy as np
import pytest
from helpers.tiny_material import as_bytes

from imagegs_tex import CompressSettings, FitSettings, compress, decode
from imagegs_tex.decoder.render import render_channels
from imagegs_tex.encoder.exact_file import FREE_BYTES, exact_set
from imagegs_tex.formats.images import read_image, write_image
from imagegs_tex.formats.material.build_stack import load_stack
from imagegs_tex.rasterize.select_backend import make_backend

QUICK = CompressSettings(fit=FitSettings(steps=12, refine_sweeps=0))
RNG = np.random.default_rng(3)
PICTURES = {
    "palette": RNG.integers(0, 256, (4, 4, 3), dtype=np.uint8),
    "constant": np.array([[[12, 200, 33]]], np.uint8),
    "ramp": np.linspace(0, 255, 256).astype(np.uint8)[None, :, None],
    "deep ramp": np.rint(np.linspace(0, 1, 300)[None, :, None] ** 2.2 * 65535).astype(np.uint16),
    "upright ramp": as_bytes(np.linspace(0, 1, 64)[:, None, None] ** [1, 2, 3]),
    "lookup strip": as_bytes(np.indices((8, 8, 8)).transpose(2, 1, 3, 0).reshape(8, 64, 3) / 7.0),
    "half floats": (np.linspace(-1, 7, 64)[None, :, None] ** [3, 2, 1]).astype(np.float16),
}  # fmt: skip


def written(folder, samples):
    path = folder / ("map.exr" if samples.dtype == np.float16 else "map.png")
    write_image(path, samples)
    return path


@pytest.mark.parametrize("name", PICTURES)
def test_small_pictures_come_back_exactly_by_default(tmp_path, name):
    source = written(tmp_path, PICTURES[name])
    report = compress(source, tmp_path / "x.igs", QUICK, backend="cpu")
    assert report.file_bytes < 900
    assert report.psnr_db == 120.0
    (found,) = decode(tmp_path / "x.igs", tmp_path / "out", backend="cpu")
    wanted, _ = read_image(source)
    np.testing.assert_array_equal(read_image(found)[0], wanted)


def test_a_limit_or_a_quality_is_met_exactly_where_that_is_smaller(tmp_path):
    source = written(tmp_path, PICTURES["deep ramp"])
    for asked in ({"max_bytes": 900}, {"bits_per_texel": 24.0}, {"target_psnr": 60.0}):
        report = compress(source, tmp_path / "x.igs", replace(QUICK, **asked), backend="cpu")
        assert (report.psnr_db, report.ledger.exact > 0) == (120.0, True), asked


def test_a_number_of_gaussians_is_a_number_of_gaussians(tmp_path):
    report = compress(
        written(tmp_path, PICTURES["palette"]), tmp_path / "x.igs", replace(QUICK, gaussian_count=3), backend="cpu"
    )
    assert (report.gaussians, report.ledger.exact) == (3, 0)


def test_what_takes_more_than_it_is_worth_is_no_exact_file(tmp_path):
    source = written(tmp_path, RNG.integers(0, 256, (40, 40, 3), dtype=np.uint8))
    report = compress(source, tmp_path / "x.igs", QUICK, backend="cpu")
    assert report.ledger.exact == 0
    assert report.file_bytes < FREE_BYTES


def test_other_sizes_repeat_texels_or_average_them(tmp_path):
    samples = RNG.integers(0, 256, (4, 6, 3), dtype=np.uint8)
    quantized = exact_set(load_stack(written(tmp_path, samples)))
    backend = make_backend("cpu")
    own = samples / np.float32(255)
    found = render_channels(quantized, backend, (12, 4)).numpy()
    np.testing.assert_allclose(found, own.repeat(2, axis=1), atol=1e-6)
    found = render_channels(quantized, backend, (3, 8)).numpy()
    np.testing.assert_allclose(found, own.reshape(4, 3, 2, 3).mean(axis=2).repeat(2, axis=0), atol=1e-6)
