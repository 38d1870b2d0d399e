"""What a run is likely to come to is said before it, and nearer once a file of the material was made."""

from dataclasses import replace

import numpy as np
import pytest
from helpers.tiny_material import write_material

from imagegs_tex.encoder.quality_search import USUAL_FITS
from imagegs_tex.formats.material.build_stack import load_stack
from imagegs_tex.settings import Preset, preset_settings
from imagegs_tex.studio.demand import demand_of
from imagegs_tex.studio.estimate import FITS_FOR_PSNR, estimate, ladder_seconds, learn, usual_amount
from imagegs_tex.studio.markup import estimate_words

BALANCED, FAST = preset_settings(Preset.BALANCED), preset_settings(Preset.FAST)


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    return load_stack(write_material(tmp_path_factory.mktemp("maps") / "stone", 48, 36))


@pytest.fixture(scope="module")
def demand(stack):
    return demand_of(stack)


def test_a_better_file_is_larger_and_takes_longer(demand):
    found = [estimate(demand, "quality", quality, BALANCED, 1.0) for quality in (10, 50, 60, 75, 100)]
    assert [each.file_bytes for each in found] == sorted({each.file_bytes for each in found})
    assert [each.seconds for each in found] == sorted({each.seconds for each in found})
    assert estimate(demand, "quality", 50, FAST, 1.0).seconds < found[1].seconds / 2
    assert ladder_seconds(demand) > estimate(demand, "gaussians", 10, FAST, 1.0).seconds


def test_a_search_for_a_psnr_is_told_to_take_the_fits_that_it_takes():
    assert FITS_FOR_PSNR == USUAL_FITS


def test_noise_takes_more_than_a_slope(stack):
    slope = np.broadcast_to(np.linspace(0.2, 0.8, 48, dtype=np.float32)[None, :, None], stack.texels.shape)
    noise = np.random.default_rng(1).random(stack.texels.shape, dtype=np.float32)
    smooth, rough = (demand_of(replace(stack, texels=np.ascontiguousarray(each))) for each in (slope, noise))
    assert rough.coefficients(75) > 20 * smooth.coefficients(75)


def test_a_size_that_is_asked_for_is_what_it_comes_to(demand):
    found = estimate(demand, "bytes", 2.5, BALANCED, 1.0)
    assert (round(found.file_bytes), found.is_given) == (2500, True)
    assert round(estimate(demand, "bpp", 8 * 2500 / demand.texels, BALANCED, 1.0).file_bytes) == 2500
    assert estimate(demand, "gaussians", 70, BALANCED, 1.0).gaussians == 70


def test_a_file_that_was_made_says_what_the_next_one_takes(demand):
    first = estimate(demand, "quality", 60, BALANCED, 1.0)
    learnt = learn(demand, first.gaussians, 1500)
    assert round(estimate(demand, "quality", 60, BALANCED, learnt).file_bytes) == 1500
    assert estimate(demand, "quality", 40, BALANCED, learnt).file_bytes < 1500


def test_what_was_learnt_moves_the_next_estimate(demand):
    first, second = (estimate(demand, "quality", 30, BALANCED, learnt).gaussians for learnt in (1.0, 0.5))
    assert second == pytest.approx(max(1.0, first / 2))
    assert usual_amount(demand, "gaussians", 0.5) < usual_amount(demand, "gaussians", 1.0)
    assert usual_amount(demand, "psnr", 1.0) is None


def test_large_pictures_are_sampled(stack):
    wide = np.tile(stack.texels, (12, 12, 1))
    large = demand_of(replace(stack, width=576, height=432, texels=wide, originals=(), drawn=()))
    assert large.texels == 576 * 432
    assert large.coefficients(50) == pytest.approx(demand_of(stack).coefficients(50), rel=0.5)


def test_an_estimate_is_a_sentence(demand):
    found = replace(estimate(demand, "quality", 50, BALANCED, 1.0), file_bytes=10_000.0)
    html = estimate_words("quality", found, 2.0, 30.0, 12.0, 400_000)
    assert "about <b>5.0 kB to 20.0 kB</b> (1.2 to 5 % of the image files), in about <b>20 s to 45 s</b>" in html
    assert "Two files of three are within this" in html
    assert "Five sizes take about 8 s to 18 s" in html
    assert "of three" not in estimate_words("quality", found, 1.25, 30.0, 12.0, 400_000)
    assert "as large as it takes" in estimate_words("psnr", found, 2.0, 30.0, 12.0, 400_000)
    assert "about <b>10.0 kB</b>, in" in estimate_words("bytes", replace(found, is_given=True), 2.0, 30.0, 12.0, 4000)
