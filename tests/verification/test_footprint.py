"""Samples with a footprint: their definition against plain means, and every decoder against the definition."""

from dataclasses import replace

import numpy as np
import pytest
from helpers.made_gaussians import made_map, made_set
from helpers.verify_cases import languages_of, variant_named, verify_these_alone, with_fault

from imagegs_tex.decoder.render import shader_decoder
from imagegs_tex.formats.vocabulary import Coded, Semantic, Transfer, UnitZ
from imagegs_tex.shaders.build_decoder import build_decoder
from imagegs_tex.verification import MAX_ERROR, verify
from imagegs_tex.verification.float64_footprint import (
    ExactMeans,
    FootprintReference,
    away_from_ties,
    footprint_reference,
    level_error,
    level_values,
    sample_grad,
    sample_lod,
)
from imagegs_tex.verification.float64_levels import StoredLevels
from imagegs_tex.verification.float64_picture import reference_picture, reference_points, reference_rows
from imagegs_tex.verification.footprint_check import SampleCheck
from imagegs_tex.verification.footprint_shaders import normal_functions as sample_functions
from imagegs_tex.verification.llvmpipe_loop_limit import MAX_TURNS
from imagegs_tex.verification.opengl import Scene, ends_loops
from imagegs_tex.verification.stochastic_check import MAX_MEAN_ERROR, StochasticCheck

VARIANTS = ["glsl-compute", "glsl-pixel", "texture-pixel", "hlsl-compute", "hlsl-pixel"]


def made_reference(quantized, repeats=(False, False), first=4):
    """A picture with levels that are its exact means."""
    picture = reference_picture(quantized)
    rows = reference_rows(picture, 0, picture.height)
    means = ExactMeans(picture, first)
    means.add(0, rows[:16])
    means.add(16, rows[16:])
    values = len(picture.offset) + len(picture.normals)
    stored = StoredLevels(first, first, tuple(level.means[..., :values] for (level,) in means.levels()), 1.0)
    return FootprintReference(picture, repeats, stored, ()), rows


def centres(width, height, level):
    xs, ys = (np.arange(-(-size >> level)) + 0.5 for size in (width, height))
    return np.stack(np.meshgrid(xs, ys), axis=-1).reshape(-1, 2) * 2.0**level


def test_level_0_is_the_picture():
    reference, rows = made_reference(made_set(50, 37, 60))
    assert np.abs(sample_lod(reference, centres(50, 37, 0), np.zeros(50 * 37)).reshape(37, 50, -1) - rows).max() < 1e-12
    points = np.random.default_rng(0).uniform(0, 37, (200, 2))
    expected = reference_points(reference.picture, points)
    assert np.abs(sample_lod(reference, points, np.full(200, -1.0)) - expected).max() < 1e-12
    small = np.tile([0.3, 0.0], (200, 1))
    assert np.abs(sample_grad(reference, points, small, small[:, ::-1], 4) - expected).max() < 1e-12


@pytest.mark.parametrize("level", [1, 2, 3, 4, 5, 6])
@pytest.mark.parametrize("first", [1, 2, 3, 4])
def test_levels_at_their_texel_centres_are_means_of_texels(level, first):
    reference, rows = made_reference(made_set(64, 128, 200), first=first)
    side = 1 << level
    expected = rows.reshape(128 // side, side, 64 // side, side, -1).mean(axis=(1, 3)).reshape(-1, rows.shape[2])
    points = centres(64, 128, level)
    assert np.abs(sample_lod(reference, points, np.full(len(points), float(level))) - expected).max() < 1e-12
    step = np.tile([float(side), 0.0], (len(points), 1))
    assert np.abs(sample_grad(reference, points, step, step[:, ::-1], 4) - expected).max() < 1e-12


def test_at_the_edge_of_what_does_not_repeat_nothing_outside_counts():
    reference, rows = made_reference(made_set(40, 24, 100))  # coarse texels are cut off right and below
    found = sample_lod(reference, np.array([[40.0, 24.0]]), np.array([4.0]))
    assert np.abs(found - rows[16:, 32:].mean(axis=(0, 1))).max() < 1e-12
    corner = sample_lod(reference, np.array([[0.5, 0.5]]), np.array([1.0]))
    edge = np.array([[0.5, 0.5], [1.0, 0.5], [0.5, 1.0], [1.0, 1.0]])
    assert np.abs(corner - reference_points(reference.picture, edge).mean(axis=0)).max() < 1e-12


def test_what_repeats_goes_on_at_the_other_side():
    reference, rows = made_reference(made_set(64, 64, 100), (True, True))
    means = rows.reshape(4, 16, 4, 16, -1).mean(axis=(1, 3))
    found = sample_lod(reference, np.array([[0.0, 8.0]]), np.array([4.0]))
    assert np.abs(found - (means[0, 0] + means[0, 3]) / 2).max() < 1e-12
    taps = np.array([[63.5, 10.0], [63.5, 11.0], [0.5, 10.0], [0.5, 11.0]])
    found = sample_lod(reference, np.array([[0.0, 10.5]]), np.array([1.0]))
    assert np.abs(found - reference_points(reference.picture, taps).mean(axis=0)).max() < 1e-12


@pytest.mark.parametrize("lod", [0.0, 1.0, 2.0, 2.99, 3.0, 3.5, 4.0, 4.5, 6.0])
def test_a_little_more_footprint_changes_little(lod):
    reference, _ = made_reference(made_set(64, 64, 150, spread=4))
    points = np.random.default_rng(0).uniform(0, 64, (300, 2))
    here, there = (sample_lod(reference, points, np.full(300, lod + more)) for more in (0.0, 1e-3))
    assert np.abs(here - there).max() < 0.05  # other taps of the same variance, at whole levels below 3


def test_long_footprints_are_sampled_along_their_length():
    reference, _ = made_reference(made_set(256, 256, 300))
    point, longer, shorter = np.array([[128.0, 100.0]]), np.array([[30.0, 40.0]]), np.array([[-16.0, 12.0]])
    parts = [sample_lod(reference, point + longer * t, np.log2([25.0])) for t in (-0.25, 0.25)]
    expected = (parts[0] + parts[1]) / 2
    assert np.abs(sample_grad(reference, point, longer, shorter, 2) - expected).max() < 1e-12
    assert np.abs(sample_grad(reference, point, shorter, longer, 2) - expected).max() < 1e-12
    assert away_from_ties(longer, shorter, 2).all()
    assert not away_from_ties(np.array([[2 * (1 + 1 / 64), 0.0]]), np.array([[0.0, 2.0]]), 4).any()


def loud(quantized):
    """Channels go far beyond [0, 1], where each tap is held to it by itself."""
    return replace(quantized, feature_steps=8 * quantized.feature_steps)


def material(finish=Semantic.ROUGHNESS):
    return (
        made_map(routes=(Coded(0), Coded(1), Coded(2))),
        made_map("normal", Semantic.NORMAL, (Coded(3), Coded(4), Coded(5)), Transfer.LINEAR),
        made_map("finish", finish, (Coded(6),), Transfer.LINEAR),
    )


def material_of_sides(stored):
    """A normal whose z is made of x and y, or left out, between a colour and a roughness."""
    routes = (Coded(3), Coded(4), *([UnitZ()] if stored else []))
    return (
        made_map(routes=(Coded(0), Coded(1), Coded(2))),
        made_map("normal", Semantic.NORMAL, routes, Transfer.LINEAR),
        made_map("roughness", Semantic.ROUGHNESS, (Coded(5),), Transfer.LINEAR),
    )


CASES = {
    "non-power-of-two": made_set(131, 77, 150, 5),
    "repeats": replace(made_set(131, 77, 150, 5), wrap=(True, True)),
    "repeats in y": replace(made_set(64, 80, 150, 3), wrap=(False, True)),
    "one texel": made_set(1, 1, 1, 1),
    "wide and flat": made_set(700, 3, 60, 4),
    "24 channels": made_set(64, 48, 80, 24),
    "larger than the last fine level": made_set(300, 260, 300, 3),
    "samples across the border of a tiny picture": made_set(5, 3, 12, 2, wrap=(True, True), spread=1),
    "samples in the first and the last tile": made_set(33, 17, 40, 3, wrap=(True, True), spread=2),
    "the same, 24 channels": made_set(33, 17, 30, 24, wrap=(True, False), spread=2),
    "the same, 14 channels": made_set(33, 67, 60, 14, wrap=(False, True), spread=2),
    "repeats and overlaps itself": made_set(37, 29, 20, 3, wrap=(True, True), spread=7),
    "one Gaussian across all borders": made_set(33, 17, 1, 1, wrap=(True, True), spread=3),
    "one texel repeats": made_set(1, 1, 2, 1, wrap=(True, True), spread=1),
    "gloss instead of roughness": made_set(90, 70, 120, 7, maps=material(Semantic.GLOSS)),
    "normals of two sides": made_set(90, 70, 120, 6, maps=material_of_sides(True)),
    "normals of two channels, which repeat": made_set(70, 90, 120, 6, maps=material_of_sides(False), wrap=(True, True)),
    "mostly beyond black and white": loud(made_set(70, 90, 150, 3)),
}
IN_BOTH_LANGUAGES = {"non-power-of-two", "one Gaussian across all borders", "normals of two sides"}


@pytest.mark.gl
@pytest.mark.parametrize("case", CASES)
def test_every_decoder_samples_as_defined(case, device):
    languages = languages_of(case, IN_BOTH_LANGUAGES)
    report = verify(CASES[case], languages, point_count=500, repeats=0, device=device)
    assert [variant.name for variant in report.variants][:5] == VARIANTS[: 3 if "hlsl" not in languages else 5]
    for variant in report.variants:
        assert variant.failure == ""
        assert variant.sample_error is not None
        assert variant.sample_error <= MAX_ERROR, variant
    assert report.passed


def test_a_widened_gaussian_is_its_convolution_and_weighs_less_where_it_is_small():
    quantized = made_set(64, 64, 1, 1, spread=1.5)
    sharp, wide = reference_picture(quantized), reference_picture(quantized, 1.25)
    conic = sharp.conics[0]
    covariance = np.linalg.inv([[conic[0], conic[1]], [conic[1], conic[2]]])
    found = np.linalg.inv([[wide.conics[0][0], wide.conics[0][1]], [wide.conics[0][1], wide.conics[0][2]]])
    assert np.abs(found - covariance - 1.25 * np.eye(2)).max() < 1e-12
    # 2 pi sqrt(det) is what one weighs in all; with a share s that stays, with s (1 + s) / 2 small ones weigh half
    s = np.sqrt(np.linalg.det(covariance) / np.linalg.det(found))
    assert wide.shares[0] == pytest.approx(s * (1 + s) / 2)


@pytest.mark.parametrize("case", ["non-power-of-two", "repeats", "repeats and overlaps itself", "normals of two sides"])
def test_levels_of_a_buffer_are_near_the_means(case):
    quantized = CASES[case]
    packed = shader_decoder(quantized).packed
    picture = reference_picture(quantized)
    reference = footprint_reference(quantized, packed, picture)
    means = ExactMeans(picture, reference.first)
    means.add(0, reference_rows(picture, 0, quantized.height))
    assert level_error(reference, means.levels()) < 0.7 * reference.stored.step
    other = packed.words.copy()
    start = packed.material_at + packed.coarse_at
    other[start + other[start] + 8] ^= 0x40004000  # two numbers of the first picture's mean
    broken = footprint_reference(quantized, replace(packed, words=other), picture)
    assert level_error(broken, means.levels()) > 2 * reference.stored.step


def test_between_tiles_a_widened_picture_has_no_seam():
    """Gaussians that reach a tile only when they are widened are listed for it."""
    quantized = made_set(128, 128, 400, 3, spread=1.2)
    packed, plain = shader_decoder(quantized).packed, build_decoder(quantized).packed
    assert packed.tiles.listed.sum() > plain.tiles.listed.sum()


class Samples:
    """A set's samples with a footprint, as verify checks them, and nothing of what it looks at besides."""

    def __init__(self, device):
        self.device, self.quantized = device, made_set(90, 70, 120, 7, maps=material())
        self.decoder = shader_decoder(self.quantized)
        picture = reference_picture(self.quantized)
        reference = footprint_reference(self.quantized, self.decoder.packed, picture)
        turns = MAX_TURNS if ends_loops(device) else None
        self.checks = (
            SampleCheck(self.quantized, self.decoder, reference, 1, max_turns=turns),
            StochasticCheck(reference, 7, 1),
        )

    def errors(self, name, decoder):
        """Of samples, and of the means of draws, which pixels have none of."""
        with Scene(self.device, decoder.packed, (90, 70), 7) as scene:
            sampler = variant_named(name).make_sampler(scene, decoder)
            return tuple(check.error(sampler) for check in self.checks)


@pytest.fixture(scope="module")
def samples(device):
    return Samples(device)


@pytest.mark.gl
@pytest.mark.parametrize("name", VARIANTS[:2])
def test_without_a_fault_none_is_found(name, samples):
    error, drawn = samples.errors(name, samples.decoder)
    assert error <= MAX_ERROR
    assert (drawn is None) if "pixel" in name else (drawn <= MAX_MEAN_ERROR)


DRAW_FAULTS = [
    ("< within - float(level) ? 1", "> within - float(level) ? 1"),
    ("floor(noise.x * count)", "floor(0.5 * noise.x * count)"),
    ("apart * (tap - centre)", "0.5 * apart * (tap - centre)"),
]


@pytest.mark.gl
@pytest.mark.parametrize("fault", DRAW_FAULTS, ids=str)
def test_draws_with_another_mean_are_found_out(fault, device, samples, monkeypatch):
    broken = with_fault(samples.decoder, *fault)
    if fault != DRAW_FAULTS[0]:
        assert samples.errors("glsl-compute", broken)[1] > MAX_MEAN_ERROR
        return
    verify_these_alone(monkeypatch, ["glsl-compute"])  # what is found out, verify says
    report = verify(samples.quantized, ["glsl"], decoder=broken, point_count=100, repeats=0, device=device)
    (found,) = report.variants
    assert not found.passed
    assert found.stochastic_error > MAX_MEAN_ERROR
    assert not report.passed


GLSL = VARIANTS[:2]
BROKEN = {
    "a level too coarse": ("int level = int(within) + k - tap_count;", "int level = int(within) + 1;", GLSL),
    "taps too far apart": ("float apart = ", "float apart = 1.2 * ", GLSL),
    "taps beside the footprint": ("float(taps - 1) * ", "float(taps + 1) * ", GLSL),
    "a stored texel beside": ("float(1 << uint(level)) - ", "float(1 << uint(level)) - 0.5 * ", GLSL),
    "the axes of components swapped": ("igs_level_axis(m, set, k + 1, c)", "igs_level_axis(m, set, k + 1, c ^ 1)",
                                       GLSL[:1]),
    "a block beside": ("uint group = set + igs_word(set + 2u) + 3u * (block >> 5u);",
                       "block ^= 1u; uint group = set + igs_word(set + 2u) + 3u * (block >> 5u);", VARIANTS[:3]),
    "rows for columns": ("igs_pick(along, (t & 1u)", "igs_pick(down, (t & 1u)", GLSL[:1]),
    "half a step beside": ("float(igs_field(stored, used, width)) + 0.5", "float(igs_field(stored, used, width)) + 1.0",
                           GLSL[:1]),
    "differences left out": ("texel = igs_add_level(m, texel, p, level);", "", GLSL[:1]),
    "Gaussians not widened": ("m.widening = stored ? igs_level_widening(level)", "m.widening = stored ? 0.0", GLSL),
    "widened by too much": ("exp2(2.0 * float(level)) - 1.0", "exp2(2.0 * float(level))", GLSL[:1]),
    "widened without their share": ("geometry.share = spread * (", "geometry.share = (", GLSL[:1]),
    "shares as of a sum": ("geometry.share = spread * (0.5 + 0.5 * spread)", "geometry.share = spread", GLSL[:1]),
    "what is cut off counts": ("clamp(size - (texel << uint(base)), 0, 1 << uint(base))", "1 << uint(base)", GLSL[:1]),
    "beyond the edge": ("vec2 held = clamp(p, ", "vec2 held = p; clamp(p, ", GLSL),
    "a fixed footprint": ("igs_sample_grad(uv, IGS_DDX(uv)", "igs_sample_grad(uv, 0.5 * IGS_DDX(uv)",
                          [name for name in VARIANTS if "pixel" in name]),
    "one sample of a long footprint": ("footprint.count = int(", "footprint.count = 1 + 0 * int(", VARIANTS[:1]),
    "along the shorter side": ("u_length < v_length ?", "u_length > v_length ?", VARIANTS[:1]),
    "the length of something else": ("return length(2.0 * ", "return length(2.1 * ", GLSL[:1]),
    "roughness not widened": ("2.0 * (1.0 - size)", "1.8 * (1.0 - size)", GLSL[:1]),
    "not a number": ("footprint.lod = log2(", "footprint.lod = log2(-1.0 - ", GLSL[:1]),
}  # fmt: skip


def with_broken_samples(decoder, fault):
    """The decoder with a fault in the files of every language, and the variants that must be found out."""
    good, bad, victims = BROKEN[fault]

    def translated(text, name):
        return text.replace("vec2", "float2") if name.endswith("hlsl") else text

    includes = {
        name: text.replace(translated(good, name), translated(bad, name)) for name, text in decoder.includes.items()
    }
    assert all(includes[name] != text for name, text in decoder.includes.items()), "the fault was not put in"
    return replace(decoder, includes=includes), victims


@pytest.mark.gl
@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_footprint_is_found_out(fault, samples):
    broken, victims = with_broken_samples(samples.decoder, fault)
    for name in victims:
        assert not samples.errors(name, broken)[0] <= MAX_ERROR, f"{name} passed with {fault}"


@pytest.mark.gl
def test_verify_says_what_is_found_out(samples, device):
    """Of every variant, where texels and points are right."""
    broken, _ = with_broken_samples(samples.decoder, "a level too coarse")
    report = verify(samples.quantized, decoder=broken, point_count=100, repeats=0, device=device)
    assert [variant.name for variant in report.variants][:5] == VARIANTS
    for variant in report.variants:
        assert not variant.passed, variant
        assert not (variant.sample_error or 0.0) <= MAX_ERROR
        assert max(variant.texel_error, variant.point_error) <= MAX_ERROR
    assert not report.passed


@pytest.mark.parametrize("stored", [True, False])
def test_normals_whose_z_is_not_coded_have_a_length(stored):
    quantized = made_set(40, 30, 60, 6, maps=material_of_sides(stored))
    decoder = shader_decoder(quantized)
    assert sample_functions(decoder) == ("igs_normal_length", "igs_roughness_filtered")
    assert decoder.channel_count == 6
    reference, rows = made_reference(quantized)
    vectors = 2 * rows[:16, :16, 3:5] - 1
    z = np.sqrt(np.maximum(0, 1 - np.square(vectors).sum(axis=2)))
    found = sample_lod(reference, np.array([[8.0, 8.0]]), np.array([4.0]))[0]
    assert found[6] == pytest.approx((z.mean() + 1) / 2, abs=1e-12)
    of_buffer = footprint_reference(quantized, decoder.packed, reference.picture)
    (texel,) = level_values(of_buffer, np.array([[8.0, 8.0]]), 4)
    assert texel[6] == pytest.approx(found[6], abs=of_buffer.stored.step)


@pytest.mark.gl
@pytest.mark.parametrize("fault", [("1.0 - (2.0 * texel.channel[3]", "0.9 - (2.0 * texel.channel[3]"),
                                   ("channel[6]) - vec3", "channel[5]) - vec3")])  # fmt: skip
def test_a_broken_z_is_found_out(fault, device, monkeypatch):
    verify_these_alone(monkeypatch, ["glsl-compute"])
    quantized = made_set(90, 70, 120, 6, maps=material_of_sides(True))
    broken = with_fault(shader_decoder(quantized), *fault)
    report = verify(quantized, ["glsl"], decoder=broken, point_count=100, repeats=0, device=device)
    (found,) = report.variants
    assert found.failure == ""
    assert not found.passed


@pytest.mark.gl
def test_without_coarse_levels_there_is_nothing_to_check(device):
    quantized = made_set(40, 30, 20, 3)
    report = verify(quantized, ["glsl"], decoder=build_decoder(quantized), point_count=100, repeats=0, device=device)
    assert report.passed
    assert all(variant.sample_error is None for variant in report.variants)
