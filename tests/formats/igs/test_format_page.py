"""The worked example of docs/igs-format.md: the page's bytes are a file, and it decodes to what the page states."""

import re

import numpy as np
import pytest
from helpers.format_example import fields, listing

from imagegs_tex.formats.igs.container import decode_igs, encode_igs, section_sizes
from imagegs_tex.formats.igs.quantized_set import dequantize, position_exponents, rounded_exponents, shape_values


@pytest.fixture(scope="module")
def page(repository):
    return (repository / "docs" / "igs-format.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def data(page):
    """The bytes that the page shows, each at the offset that it says."""
    rows = re.findall(r"^([0-9A-F]{4})  ((?:[0-9A-F]{2} ?)+)", page, flags=re.MULTILINE)
    found = b""
    for offset, row in rows:
        assert int(offset, 16) == len(found)
        found += bytes.fromhex(row)
    return found


def row(page, name):
    """The two Gaussians' cells of a row of the page's table, as numbers [2, n]."""
    cells = re.search(rf"^\| {re.escape(name)} \| ([^|]*) \| ([^|]*) \|", page, flags=re.MULTILINE)
    return np.array([[float(number) for number in cell.replace("−", "-").split(",")] for cell in cells.groups()])


def test_the_listing_is_up_to_date(page):
    assert listing() in page


def test_the_bytes_mean_what_the_table_says(page, data):
    assert data == b"".join(part for part, _ in fields())
    assert f"{len(data)} bytes" in page
    quantized = decode_igs(data)
    gaussians = dequantize(quantized)
    shapes = shape_values(quantized.shape_codes, quantized.size_step, quantized.form_step)
    exponents = position_exponents(shapes, quantized)
    cells = np.right_shift(quantized.position_codes, 3 - exponents)
    assert np.array_equal(row(page, "cell (x, y)"), cells)
    assert np.array_equal(row(page, "code m, h, b"), quantized.shape_codes)
    assert np.array_equal(row(page, "m, h, b"), shapes)
    np.testing.assert_allclose(row(page, "A, B, C"), gaussians.conics, atol=5e-7)
    assert np.array_equal(row(page, "e_x, e_y"), exponents)
    assert np.array_equal(row(page, "bits of x, y"), 3 - exponents)
    assert np.array_equal(row(page, "code x, y in the cell"), quantized.position_codes - (cells << (3 - exponents)))
    assert np.array_equal(row(page, "μ_x, μ_y"), gaussians.means)
    assert np.array_equal(row(page, "code of component 0"), quantized.feature_codes)
    np.testing.assert_allclose(row(page, "f_0"), gaussians.features, atol=5e-7)
    unrounded = rounded_exponents(shapes, quantized.position_ratio).round(3).tolist()
    assert unrounded == [[-0.197, -0.918], [0.142, 0.142]]


def test_the_texel_has_the_value_that_the_page_states(page, data):
    gaussians = dequantize(decode_igs(data))
    dx, dy = (np.array([5.5, 4.5]) - gaussians.means.astype(np.float64)).T
    a, b, c = gaussians.conics.astype(np.float64).T
    q = (a * dx**2 + 2 * b * dx * dy + c * dy**2) / 2
    weights = np.maximum(0, np.exp(-q) - np.exp(-6.0))
    value = 32768 / 65535 + weights @ gaussians.features[:, 0] / (2.0**-16 + weights.sum())
    stated = [*q, *weights, weights.sum(), value]
    for number in stated:
        assert f"{number:.6f}" in page
    assert round(255 * value) == 169


def test_what_the_writer_makes_of_it(page, data):
    written = encode_igs(decode_igs(data))
    at = 0
    for size in section_sizes(written):
        if size.name not in {"header", "positions"}:
            stored = written[at : at + size.stored_bytes].hex(" ").upper()
            assert re.search(rf"^{size.name} +{stored}( |$)", page, flags=re.MULTILINE)
        at += size.stored_bytes
    assert f"in {len(written)} bytes" in page
