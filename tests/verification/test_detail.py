"""The detail layer: the plain float64 version against the torch one, and every decoder against the plain one."""

import re
from dataclasses import replace

import numpy as np
import pytest
from helpers.made_gaussians import made_map, made_set
from helpers.verify_cases import languages_of, languages_with, verify_these_alone, with_fault

from imagegs_tex.decoder.render import render_channels, shader_decoder
from imagegs_tex.formats.material.resample import mean_over_area
from imagegs_tex.formats.vocabulary import Coded, Semantic, Transfer, UnitZ
from imagegs_tex.rasterize.select_backend import make_backend
from imagegs_tex.shaders.build_decoder import build_decoder
from imagegs_tex.verification import MAX_ERROR, verify
from imagegs_tex.verification.float64_detail import reference_detail, with_detail
from imagegs_tex.verification.float64_footprint import (
    footprint_reference,
    grad_reads_sure_texels,
    lod_reads_sure_texels,
)
from imagegs_tex.verification.float64_picture import reference_picture, reference_points, reference_rows
from imagegs_tex.verification.footprint_check import SampleCheck

CPU = make_backend("cpu")
VARIANTS = ["glsl-compute", "glsl-pixel", "texture-pixel", "hlsl-compute", "hlsl-pixel"]
SIZES = [(1, 1), (5, 3), (1000, 40), (33, 96)]
WRAPS = [(False, False), (True, True)]


@pytest.mark.parametrize("wrap", WRAPS, ids=str)
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_torch_draws_what_the_plain_version_says(size, wrap):
    for grid, components, relief in (((5, 4), 4, 0), ((64, 7), 1, 0), ((5, 4), 6, 1), ((5, 4), 5, 2)):
        detail = {"grid": grid, "components": components, "relief": relief}
        quantized = made_set(*size, 20, 4, spread=2, wrap=wrap, detail=detail)
        found = render_channels(quantized, CPU, with_detail=True).numpy()
        picture = reference_picture(quantized)
        expected = reference_rows(picture, 0, size[1])
        assert np.abs(found - expected).max() < 5e-5
        plain = reference_rows(replace(picture, detail=None), 0, size[1])
        assert np.abs(expected - plain).max() > 0.005, "there is no noise to see"
        smaller = max(1, size[0] // 3), max(1, size[1] // 2)
        found = render_channels(quantized, CPU, smaller, with_detail=True).numpy()
        assert np.abs(found - mean_over_area(expected.astype(np.float32), smaller)).max() < 5e-5


@pytest.mark.parametrize("factors", [(2, 3), (1.5, 1), (1, 1.25), (0.5, 2)], ids=str)
def test_torch_draws_it_at_other_sizes(factors):
    quantized = made_set(96, 40, 60, 3, wrap=(True, False), detail={})
    size = round(96 * factors[0]), round(40 * factors[1])
    found = render_channels(quantized, CPU, size, with_detail=True).numpy()
    larger = max(size[0], 96), max(size[1], 40)
    plain = render_channels(quantized, CPU, larger).numpy().astype(np.float64)
    xs, ys = ((2 * np.arange(drawn) + 1) * own // (2 * drawn) for drawn, own in zip(larger, (96, 40), strict=True))
    expected = with_detail(reference_detail(quantized), plain, xs[None], ys[:, None])
    assert np.abs(found - mean_over_area(expected.astype(np.float32), size)).max() < 1e-5
    assert np.abs(expected - plain).max() > 0.05


def test_points_have_the_noise_of_their_texels():
    picture = reference_picture(made_set(33, 21, 40, detail={}))
    points = np.random.default_rng(0).uniform(-2, 35, (500, 2))
    texels = np.clip(np.floor(points), 0, [32, 20]).astype(int)
    plain = reference_points(replace(picture, detail=None), points)
    expected = with_detail(picture.detail, plain, *texels.T)
    assert np.abs(reference_points(picture, points) - expected).max() < 1e-12
    assert np.abs(expected - plain).max() > 0.05


def material():
    """A colour, a normal whose z is made of x and y, and a roughness."""
    return (
        made_map(routes=(Coded(0), Coded(1), Coded(2))),
        made_map("normal", Semantic.NORMAL, (Coded(3), Coded(4), UnitZ()), Transfer.LINEAR),
        made_map("roughness", Semantic.ROUGHNESS, (Coded(5),), Transfer.LINEAR),
    )


def with_one_strength(quantized):
    """The first three components grow alike, as those of a height do, and so does the last."""
    slopes = quantized.detail.slope_codes.copy()
    slopes[[1, 2, -1]] = slopes[0]
    return replace(quantized, detail=replace(quantized.detail, slope_codes=slopes))


CASES = {
    "non-power-of-two": made_set(131, 77, 150, 5, detail={}),
    "one texel": made_set(1, 1, 1, 1, detail={"grid": (1, 1), "components": 1}),
    "4 components, repeats": made_set(96, 64, 120, 4, wrap=(True, True), detail={"components": 4}),
    "a fine envelope that repeats in y": made_set(
        200, 90, 120, 3, wrap=(False, True), detail={"grid": (64, 31), "components": 3}
    ),
    "relief": made_set(131, 77, 120, 6, maps=material(), detail={"components": 6, "relief": 2}),
    "relief of one strength": with_one_strength(
        made_set(70, 90, 120, 6, maps=material(), detail={"components": 5, "relief": 1})
    ),
    "wide and flat, a flat envelope": made_set(700, 3, 60, 2, detail={"grid": (1, 1)}),
}


IN_BOTH_LANGUAGES = {"non-power-of-two", "4 components, repeats", "relief of one strength"}


@pytest.mark.gl
@pytest.mark.parametrize("case", CASES)
def test_every_decoder_draws_it(case, device):
    decoder = build_decoder(CASES[case])
    languages = languages_of(case, IN_BOTH_LANGUAGES)
    report = verify(CASES[case], languages, decoder=decoder, point_count=3000, repeats=0, device=device)
    assert [variant.name for variant in report.variants][:5] == VARIANTS[: 3 if "hlsl" not in languages else 5]
    for variant in report.variants:
        assert variant.failure == ""
        assert variant.passed, variant
        assert max(variant.texel_error, variant.point_error) <= MAX_ERROR
    assert report.passed


@pytest.mark.gl
@pytest.mark.parametrize(
    ("quantized", "languages"),
    [
        (made_set(90, 70, 120, 6, maps=material(), wrap=(True, True), detail={}), ["glsl", "hlsl"]),
        (made_set(64, 128, 150, 3, detail={"components": 1}), ["glsl"]),
    ],
    ids=["normals of two sides, repeats", "powers of two"],
)
def test_every_decoder_samples_it_under_footprints(quantized, languages, device):
    report = verify(quantized, languages, point_count=500, repeats=0, device=device)
    for variant in report.variants:
        assert variant.failure == ""
        assert variant.sample_error is not None
        assert variant.sample_error <= MAX_ERROR, variant
    assert report.passed


PAIR = VARIANTS[:2]
"""Workgroups, and single texels; the other variants differ from these in how they read words, or are translated."""

BROKEN = {
    "a wrong shift": ("grain.second ^ 32u", "grain.second ^ 33u", VARIANTS),
    "swapped weights": ("float(int(first - middle)) + grain.weights.y * float(int(second - middle))",
                        "float(int(second - middle)) + grain.weights.y * float(int(first - middle))", PAIR),
    "no envelope": ("= grain.envelope * ", "= ", PAIR),
    "an envelope of nearest cells": ("float across = ", "float across = 0.0 * ", VARIANTS[1:3]),
    "an envelope that ends": ("m.envelope_cells.x, m.repeat_x)", "m.envelope_cells.x, false)", PAIR),
    "another hash": ("0x846CA68Bu", "0x846CA68Du", VARIANTS[:3]),
    "both grids at the same borders": ("uint second = (2u * scaled + size)", "uint second = (2u * scaled)",
                                       PAIR),
    "a block that does not come back": ("second % count", "second", VARIANTS[1:3]),
    "a texel beside in the second grid": ("at + size - begin", "at + size - begin + 1u", PAIR),
    "amplitudes below zero": (", 0.0, 8.0);", ", -8.0, 8.0);", PAIR),
    "odd bands missing": ("weights.y * (bands & 0xF0u)", "weights.y * (bands & 15u)", PAIR),
    "bands of the other half": ("bands.x >> 16u", "bands.x >> 12u", PAIR),
    "a row of the group for a column": ("igs_axes[IGS_GROUP_SIDE + place.y]", "igs_axes[place.y]",
                                        (VARIANTS[0], VARIANTS[3])),
    "a group's envelope of rows above": ("part * igs_factors[factor + IGS_GROUP_SIDE]", "part * igs_factors[factor]",
                                         VARIANTS[:1]),
    "a group's envelope of one column": ("igs_factor(m, corner.x + (place & (IGS_GROUP_SIDE - 1u))",
                                         "igs_factor(m, corner.x", VARIANTS[:1]),
    "a group's block that does not come back": (") % m.noise_blocks", ")", VARIANTS[:1]),
    "a group's blocks from the picture's corner": ("blocks.passed - begin", "blocks.passed", VARIANTS[:1]),
    "the middle of the codes": ("float(int(first - middle))", "float(int(first))", PAIR),
    "a row's sums for another": ("sums[0] = sums[1];", "sums[0] = sums[0];", VARIANTS[:1]),
    "x and y exchanged": ("igs_plain_sums(sums[0]), at)", "igs_plain_sums(sums[0]), at.yx)", VARIANTS[:1]),
    "not held to 0 to 1": ("noise1, 0.0, 1.0)", "noise1, -1.0, 2.0)", PAIR),
    "left out": ("#define IGS_DETAIL 1", "#define IGS_DETAIL 0", VARIANTS[:3]),
}  # fmt: skip


@pytest.mark.gl
@pytest.mark.parametrize("fault", BROKEN)
def test_broken_noise_is_found_out(fault, device, monkeypatch):
    quantized = made_set(90, 70, 120, 4, wrap=(True, True), detail={"seed": 3})
    quantized = replace(quantized, feature_steps=4 * quantized.feature_steps)  # some are black or white
    good, bad, victims = BROKEN[fault]
    broken = with_fault(build_decoder(quantized), good, bad)
    verify_these_alone(monkeypatch, victims)
    report = verify(
        quantized, languages_with(victims), decoder=broken, point_count=500, repeats=0, device=device
    )  # fmt: skip
    assert [variant.name for variant in report.variants] == list(victims)
    for variant in report.variants:
        assert variant.failure == ""
        assert not variant.passed, f"{variant.name} passed with {fault}"


@pytest.mark.gl
def test_z_is_made_of_what_is_drawn(device, monkeypatch):
    verify_these_alone(monkeypatch, ["glsl-compute"])
    quantized = made_set(40, 30, 30, 6, maps=material(), detail={})
    decoder = shader_decoder(quantized)
    late = re.compile(
        r"( *texel = igs_add_detail\(m, texel, igs_(?:group_)?grain\(m, at\)\);\n)(.*?)(    return texel;\n)", re.DOTALL
    )
    includes = {name: late.sub(r"\2\1\3", text) for name, text in decoder.includes.items()}
    report = verify(
        quantized, ["glsl"], decoder=replace(decoder, includes=includes), point_count=100, repeats=0, device=device
    )
    assert report.variants[0].failure == ""
    assert not report.variants[0].passed


@pytest.mark.gl
def test_the_switch_leaves_the_noise_out(device):
    quantized = made_set(90, 70, 120, 4, detail={})
    decoder = build_decoder(quantized)
    off = "#define IGS_DETAIL 0\n"
    includes = {name: text.replace("#ifndef IGS_DETAIL\n", f"{off}#ifndef IGS_DETAIL\n") for name, text in
                decoder.includes.items()}  # fmt: skip
    report = verify(
        replace(quantized, detail=None), decoder=replace(decoder, includes=includes), point_count=500, repeats=0,
        device=device,
    )  # fmt: skip
    assert report.passed


def test_few_samples_are_left_out_for_their_texels_borders():
    quantized = made_set(90, 70, 120, 4, detail={})
    picture = reference_picture(quantized)
    decoder = shader_decoder(quantized)
    reference = footprint_reference(quantized, decoder.packed, picture)
    check = SampleCheck(quantized, decoder, reference, 1)
    assert 1800 < len(check.requests) < 2000
    points = np.array([[8.5, 8.5], [8.0, 8.0], [8.5, 8.5], [8.0, 8.5], [8.0 + 1e-8, 8.5]])
    assert lod_reads_sure_texels(reference, points, np.array([0.0, 0.0, 1.0, 1.0, 0.0])).tolist() == [
        True, True, False, False, False,
    ]  # fmt: skip
    steps = np.tile([4.0, 0.0], (5, 1))
    assert grad_reads_sure_texels(reference, points, steps / 8, steps[:, ::-1] / 8, 4).tolist()[:2] == [True, True]
    without = replace(reference, picture=replace(picture, detail=None))
    assert lod_reads_sure_texels(without, points, np.ones(5)).all()
