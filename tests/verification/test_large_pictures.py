"""Of pictures too large to check every texel, bands of rows are checked, and said."""

from dataclasses import replace

import numpy as np
import pytest
from helpers.made_gaussians import made_set

from imagegs_tex.decoder.render import shader_decoder
from imagegs_tex.formats.material.stack import TextureStack, expand_map
from imagegs_tex.metrics.scores import score_map
from imagegs_tex.verification import checked_rows, verify
from imagegs_tex.verification.float64_footprint import ExactMeans
from imagegs_tex.verification.float64_picture import reference_picture, reference_rows
from imagegs_tex.verification.run import score_source


def test_4096_squared_is_the_largest_that_is_checked_whole():
    sizes = ((4096, 4096), (16384, 1024), (4, 16384), (4097, 4096), (16384, 1025), (1025, 16384))
    assert [checked_rows.is_large(*size) for size in sizes] == [False] * 3 + [True] * 3
    assert checked_rows.all_rows(4000)[-1] == (3840, 160)
    assert sum(count for _, count in checked_rows.all_rows(4000)) == 4000


@pytest.mark.parametrize("size", [(16384, 16384), (8192, 8192), (4097, 4096), (16384, 1025), (1025, 16383)])
def test_bands_of_larger_ones_have_all_edges_and_take_bounded_time(size):
    bands = checked_rows.some_rows(*size, 1)
    assert bands[0] == (0, 32)
    assert sum(bands[-1]) == size[1]
    assert all(first % 32 == 0 for first, _ in bands)
    assert all(count == 32 for _, count in bands[:-1])
    assert len(set(bands)) == len(bands) >= 8
    assert bands == sorted(bands)
    assert (1 << 21) < size[0] * sum(count for _, count in bands) <= 1 << 22
    assert bands == checked_rows.some_rows(*size, 1)
    assert size == (16384, 1025) or bands != checked_rows.some_rows(*size, 2)


@pytest.fixture
def small_bounds(monkeypatch):
    """64 x 330 texels are a large picture, of which a third is checked."""
    monkeypatch.setattr(checked_rows, "WHOLE_TEXELS", 64 * 329)
    monkeypatch.setattr(checked_rows, "BAND_TEXELS", 64 * 32 * 4)


def tall():
    return made_set(64, 330, 90, 3, seed=4, spread=6.0)


def test_what_is_checked_is_said(small_bounds, device):
    report = verify(tall(), ["glsl"], point_count=500, repeats=3, device=device)
    assert report.passed
    assert report.checked_texels == 64 * (3 * 32 + 330 % 32)
    assert report.level_error is not None
    assert 0 < report.level_error <= 1
    (rows,) = [line for line in report.left_out if line.startswith("rows other than 0 to 31, ")]
    assert rows.endswith(", 320 to 329, except at random points")
    assert "means of levels from 6 on" in report.left_out
    assert any(line.startswith("times: ") for line in report.left_out)
    assert all(variant.milliseconds is None for variant in report.variants)


def test_a_wrong_last_row_is_found(small_bounds, device):
    quantized = tall()
    codes = quantized.feature_codes.copy()
    places = np.argsort(quantized.position_codes[:, 1] * 1.0)[-12:]
    codes[places] += 9
    decoder = shader_decoder(replace(quantized, feature_codes=codes))
    report = verify(quantized, ["glsl"], decoder=decoder, point_count=8, repeats=0, device=device)
    assert not report.passed
    assert min(variant.texel_error for variant in report.variants) > report.max_error


def test_means_of_bands_are_those_of_the_picture():
    picture = reference_picture(tall())
    whole, some = ExactMeans(picture, 2), ExactMeans(picture, 2, 5)
    for first in range(0, 330, 64):
        whole.add(first, reference_rows(picture, first, min(64, 330 - first)))
    bands = ((0, 32), (192, 32), (320, 10))
    for first, count in bands:
        some.add(first, reference_rows(picture, first, count))
    expected, found = whole.levels(), some.levels()
    assert [len(parts) for parts in expected] == [1] * 8  # levels 2 to 9
    assert [[part.first for part in parts] for parts in found] == [
        [first >> level for first, _ in bands] for level in range(2, 6)
    ]
    for (level,), parts in zip(expected, found, strict=False):
        for part in parts:
            assert np.allclose(part.means, level.means[part.first : part.first + len(part.means)], atol=1e-12, rtol=0)
    rows = np.concatenate([reference_rows(picture, first, 66) for first in range(0, 330, 66)])
    assert np.allclose(expected[0][0].means[40, 3], rows[160:164, 12:16].mean(axis=(0, 1)), atol=1e-12, rtol=0)
    assert np.allclose(found[3][2].means[0, 1], rows[320:330, 32:64].mean(axis=(0, 1)), atol=1e-12, rtol=0)


class Drawn:
    """Stands for a decoder: rows of a picture, and which were asked for."""

    def __init__(self, picture):
        self.picture, self.asked = picture, []

    def rows(self, first, count):
        self.asked.append((first, count))
        return reference_rows(self.picture, first, count).astype(np.float32)


def test_a_large_source_is_scored_in_its_bands_alone(small_bounds, monkeypatch):
    monkeypatch.setattr(checked_rows, "ROWS_AT_ONCE", 64)
    monkeypatch.setattr(checked_rows, "WHOLE_TEXELS", 64 * 64 * 3)
    quantized = tall()
    drawn = Drawn(reference_picture(quantized))
    whole = drawn.rows(0, 330)
    noise = np.random.default_rng(3).normal(0, 0.05, whole.shape).astype(np.float32)
    bands = checked_rows.scored_rows(64, 330, 1)
    assert (len(bands), bands[0], sum(bands[-1])) == (3, (0, 64), 330)
    scored = checked_rows.rows_of(bands, 330)

    def score(texels):
        source = TextureStack(64, 330, quantized.maps, np.clip(texels, 0, 1))
        return source, score_source(quantized, source, drawn, bands)

    drawn.asked.clear()
    source, found = score(whole + noise)
    assert drawn.asked == bands
    (only,) = quantized.maps
    wanted = score_map(only, expand_map(source.texels, only)[scored], expand_map(whole, only)[scored])
    assert found.maps == (wanted,)
    elsewhere = np.ones(330, np.bool_)
    elsewhere[scored] = False
    assert elsewhere.sum() == 330 - len(scored)
    changed = whole + noise
    changed[elsewhere] = 0
    assert score(changed)[1] == found
    changed[scored[70]] = 0
    assert score(changed)[1].psnr_db < found.psnr_db - 1


def test_a_source_that_is_not_large_is_scored_whole():
    assert checked_rows.scored_rows(64, 330, 1) == checked_rows.all_rows(330) == [(0, 256), (256, 74)]
    assert checked_rows.rows_of(checked_rows.all_rows(330), 330) == slice(None)
    assert checked_rows.words([(0, 32), (32, 32), (96, 5)]) == "0 to 63, 96 to 100"
    many = checked_rows.words([(64 * number, 32) for number in range(20)])
    assert many.startswith("0 to 31, 64 to 95, ")
    assert many.endswith(", 384 to 415, 12 more bands, 1216 to 1247")
