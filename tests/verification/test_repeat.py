"""The repeat layer: the plain float64 version against the decode in Python, and every decoder against it."""

from dataclasses import replace

import numpy as np
import pytest
from helpers.made_gaussians import made_map, made_set
from helpers.made_repeat import made_repeat, with_repeat
from helpers.made_residual import made_residual
from helpers.verify_cases import assert_found_out, verify_these_alone, with_fault

from imagegs_tex.decoder.level_render import level_pictures
from imagegs_tex.decoder.render import render_channels
from imagegs_tex.formats.vocabulary import Coded, Semantic, Transfer, UnitZ
from imagegs_tex.rasterize.select_backend import make_backend
from imagegs_tex.shaders.build_decoder import build_decoder
from imagegs_tex.shaders.coarse_levels import level_range
from imagegs_tex.verification import MAX_ERROR, verify
from imagegs_tex.verification.float64_picture import reference_picture, reference_points, reference_rows
from imagegs_tex.verification.float64_repeat import reference_repeat, repeat_at


def both(quantized, **options):
    """With a residual, too."""
    return replace(quantized, residual=made_residual(quantized, **options))


NORMAL = (
    made_map(routes=(Coded(2), Coded(0), Coded(4))),
    made_map("normal", Semantic.NORMAL, (Coded(3), Coded(1), UnitZ()), Transfer.LINEAR),
)
CASES = {
    "partial blocks, rows that shift": with_repeat(
        made_set(77, 61, 40, 5), period=(21, 18), origin=(5, 3), shift=7, side_log2=3
    ),
    "one picture": with_repeat(made_set(40, 33, 20, 3), period=(9, 32), pictures=0, density=0.4),
    "a cell larger than the picture, repeating sides": with_repeat(
        made_set(31, 26, 30, 4, wrap=(True, True)), period=(64, 48), origin=(40, 30), side_log2=4, components=2
    ),
    "cells of a texel": with_repeat(made_set(12, 9, 9, 2), period=(1, 1), pictures=3, density=0.9),
    "many pictures": with_repeat(made_set(30, 20, 9, 1), period=(8, 5), pictures=31, density=0.3, step=0.002),
    "a residual, noise, a normal": both(
        with_repeat(
            made_set(70, 45, 40, 5, maps=NORMAL, detail={"components": 2}, wrap=(True, False)), period=(16, 24), shift=5
        ),
        components=3, step=0.03,
    ),
    "one texel": with_repeat(made_set(1, 1, 1, 1), period=(3, 2), origin=(2, 1), shift=1, step=0.001),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_the_plain_version_is_the_decode(case):
    quantized = CASES[case]
    found = render_channels(quantized, make_backend("reference"), with_detail=True).numpy()
    picture = reference_picture(quantized)
    expected = reference_rows(picture, 0, quantized.height)
    assert np.abs(found - expected).max() < 5e-5
    plain = reference_rows(replace(picture, repeat=None), 0, quantized.height)
    assert np.abs(expected - plain).max() > 0.005, "there is no repeat to see"


@pytest.mark.parametrize("case", CASES)
def test_levels_take_its_means(case):
    quantized = CASES[case]
    levels = level_range(quantized)
    assert levels.direct == min(4, quantized.repeat.blocks.side_log2 + 1)
    for level, found in enumerate(level_pictures(quantized).widened, levels.first):
        at = np.meshgrid(*((np.arange(side) + 0.5) * 2**level for side in found.shape[1::-1]))
        picture = reference_picture(quantized, (4**level - 1) / 12)
        expected = reference_points(picture, np.stack(at, axis=-1).reshape(-1, 2))
        inside = np.all(np.stack(at, axis=-1).reshape(-1, 2) < [quantized.width, quantized.height], axis=1)
        assert np.abs(found.reshape(expected.shape) - expected)[inside].max(initial=0) < 5e-5


def test_means_of_texels_within_blocks_are_exact():
    layer = made_repeat((64, 48), 3, period=(16, 24), origin=(8, 0), shift=8, side_log2=3)

    def drawn(side):
        at = np.stack(np.meshgrid(*((np.arange(size // side) + 0.5) * side for size in (64, 48))), axis=-1)
        points = at.reshape(-1, 2)
        return repeat_at(reference_repeat(layer, side), points, points.astype(int)).reshape(*at.shape[:2], 3)

    for side in (2, 4, 8):
        means = drawn(1).reshape(48 // side, side, 64 // side, side, 3).mean(axis=(1, 3))
        assert np.abs(drawn(side) - means).max() < 1e-9
        assert np.abs(means).max() > 0.001


@pytest.mark.gl
@pytest.mark.parametrize("case", CASES)
def test_every_decoder_adds_it(case, device):
    languages = ["glsl", "hlsl"] if case == "one picture" else ["glsl"]
    report = verify(CASES[case], languages, point_count=2000, repeats=0, device=device)
    for variant in report.variants:
        assert variant.failure == ""
        assert variant.passed, variant
        assert max(variant.texel_error, variant.point_error, variant.sample_error or 0) <= MAX_ERROR
    assert report.passed
    assert report.level_error > 0


SINGLE, COMPUTE = ["glsl-pixel", "texture-pixel"], ["glsl-compute"]
GLSL, PAIR = COMPUTE + SINGLE, COMPUTE + SINGLE[:1]
BROKEN = {
    "no shift": ("row * lattice.shift) %", "row * 0u) %", GLSL),
    "no origin": ("(at.y + lattice.origin.y)", "(at.y)", PAIR),
    "weights of another cell": ("row * lattice.across + column", "row * lattice.across", PAIR),
    "the first picture's weight for all": ("if (weights > 0u && row == last_row)", "if (false)", SINGLE),
    "the same of columns": ("if (row == last_row)", "if (false)", COMPUTE),
    "weights of the first picture behind it": ("                weights += 1u;\n", "", PAIR),
    "weights without a sign": ("8u * (at & 3u), 8u)", "8u * (at & 3u), 7u)", PAIR),
    "functions of the texel beside": ("igs_repeat_waves[down + 2u]", "igs_repeat_waves[down + 1u]", COMPUTE),
    "columns that reach into the next cell": (" && cell.local.y + rows <= lattice.period.y", "", COMPUTE),
    "columns that reach into the next block": ("cell.within.y + rows <= 1u << blocks.log2 && ", "", COMPUTE),
    "always at texel centres": (
        "vec2 from_texel = p - vec2(float(at.x), float(at.y));", "vec2 from_texel = vec2(0.5, 0.5);", SINGLE
    ),
}  # fmt: skip


@pytest.mark.gl
@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_repeat_is_found_out(fault, device, monkeypatch):
    quantized = with_repeat(made_set(50, 40, 30, 3), period=(13, 10), origin=(4, 6), shift=5, side_log2=3)
    assert_found_out(quantized, BROKEN[fault], device, monkeypatch)


@pytest.mark.gl
def test_levels_of_another_repeat_are_found_out(device, monkeypatch):
    quantized = with_repeat(made_set(64, 48, 30, 3), period=(16, 16), side_log2=3, density=0.3)
    decoder = build_decoder(quantized, pictures=level_pictures(quantized))
    broken = with_fault(decoder, "mean *= cosine;", "")
    report = verify(quantized, ["glsl"], decoder=broken, point_count=500, repeats=0, device=device)
    assert [variant.passed for variant in report.variants] == [False] * 3
    verify_these_alone(monkeypatch, ["glsl-pixel"])  # that levels are wrong is seen without it
    wrong = build_decoder(quantized, pictures=level_pictures(replace(quantized, repeat=None)))
    report = verify(quantized, ["glsl"], decoder=wrong, point_count=100, repeats=0, device=device)
    assert not report.passed
