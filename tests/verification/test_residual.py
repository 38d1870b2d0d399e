"""The residual layer: the plain float64 version against the decode in Python, and every decoder against it."""

from dataclasses import replace

import numpy as np
import pytest
from helpers.made_gaussians import made_map, made_set
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
from imagegs_tex.verification.float64_residual import reference_residual, residual_at

VARIANTS = ["glsl-compute", "glsl-pixel", "texture-pixel", "hlsl-compute", "hlsl-pixel"]


def layered(quantized, **options):
    return replace(quantized, residual=made_residual(quantized, **options))


def material():
    """A colour, and a normal whose z is made of x and y."""
    return (
        made_map(routes=(Coded(2), Coded(0), Coded(4))),
        made_map("normal", Semantic.NORMAL, (Coded(3), Coded(1), UnitZ()), Transfer.LINEAR),
    )


CASES = {
    "non-power-of-two": layered(made_set(131, 77, 150, 5), step=0.05),
    "small blocks, repeats, larger Gaussians": layered(
        made_set(61, 45, 60, 4, wrap=(True, True)), side_log2=2, density=0.4, spread=0.8
    ),
    "more than a workgroup shares": layered(
        made_set(45, 61, 40, 6), side_log2=2, density=0.9, spread=1.5, step=0.01
    ),
    "large blocks, few components, a normal, noise": layered(
        made_set(90, 33, 60, 5, maps=material(), detail={"components": 3}), side_log2=4, density=0.3, components=2,
        step=0.04,
    ),
    "the fullest block": layered(made_set(24, 24, 30, 2), density=1.0, step=0.01),
    "one coefficient": layered(made_set(90, 70, 60, 3), only=[(8 * 12 + 11, 2 * 64 + 63, -9)]),
    "large codes": layered(
        made_set(30, 20, 20, 2), only=[(0, 0, 9000), (1, 1, -4370), (1, 65, 4369), (2, 7, 17)], step=2**-14
    ),
    "one texel": layered(made_set(1, 1, 1, 1), only=[(0, 0, 3), (0, 9, -1)], step=0.2),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_the_plain_version_is_the_decode(case):
    quantized = CASES[case]
    size = quantized.width, quantized.height
    found = render_channels(quantized, make_backend("reference"), with_detail=True).numpy()
    picture = reference_picture(quantized)
    expected = reference_rows(picture, 0, quantized.height)
    assert np.abs(found - expected).max() < 5e-5
    plain = reference_rows(replace(picture, residual=None), 0, quantized.height)
    assert np.abs(expected - plain).max() > 0.005, "there is no residual to see"
    double = render_channels(quantized, make_backend("reference"), (2 * size[0], 2 * size[1])).numpy()
    centres = np.stack(np.meshgrid(*((np.arange(2 * side) + 0.5) / 2 for side in size)), axis=-1)
    at_points = reference_points(replace(picture, detail=None), centres.reshape(-1, 2))
    assert np.abs(double - at_points.reshape(double.shape)).max() < 5e-5


@pytest.mark.parametrize("case", CASES)
def test_levels_take_its_means(case):
    quantized = CASES[case]
    levels = level_range(quantized)
    for level, found in enumerate(level_pictures(quantized).widened, levels.first):
        at = np.meshgrid(*((np.arange(side) + 0.5) * 2**level for side in found.shape[1::-1]))
        points = np.stack(at, axis=-1).reshape(-1, 2)
        picture = reference_picture(quantized, (4**level - 1) / 12)
        assert (picture.residual is None) == (level > quantized.residual.side_log2)
        expected = reference_points(picture, points)
        inside = np.all(points < [quantized.width, quantized.height], axis=1)
        assert np.abs(found.reshape(expected.shape) - expected)[inside].max(initial=0) < 5e-5


def test_means_of_texels_within_blocks_are_exact():
    layer = made_residual(made_set(64, 48, 9, 3))

    def drawn(side):
        at = np.stack(np.meshgrid(*((np.arange(size // side) + 0.5) * side for size in (64, 48))), axis=-1)
        points = at.reshape(-1, 2)
        return residual_at(reference_residual(layer, 64, side), points, points.astype(int)).reshape(*at.shape[:2], 3)

    for side in (2, 4, 8):
        means = drawn(1).reshape(48 // side, side, 64 // side, side, 3).mean(axis=(1, 3))
        assert np.abs(drawn(side) - means).max() < 1e-9
        assert np.abs(means).max() > 0.001


def test_differences_are_small_where_levels_have_its_means():
    quantized = made_set(128, 128, 200, 3)
    layered_set = layered(quantized, density=0.3, step=0.05)
    stored = []
    for each in (quantized, layered_set):
        pictures = level_pictures(each)
        means = pictures.texels.reshape(32, 4, 32, 4, 3).mean(axis=(1, 3))
        stored.append(float(np.sqrt(np.square(means - pictures.widened[0]).mean())))
    assert stored[1] < 1.2 * stored[0]


@pytest.mark.gl
@pytest.mark.parametrize("case", CASES)
def test_every_decoder_adds_it(case, device):
    decoder = build_decoder(CASES[case])
    both = case in {"non-power-of-two", "large blocks, few components, a normal, noise"}
    languages = ["glsl", "hlsl"] if both else ["glsl"]
    report = verify(CASES[case], languages, decoder=decoder, point_count=3000, repeats=0, device=device)
    assert [variant.name for variant in report.variants][: 5 if both else 3] == VARIANTS[: 5 if both else 3]
    for variant in report.variants:
        assert variant.failure == ""
        assert variant.passed, variant
        assert max(variant.texel_error, variant.point_error) <= MAX_ERROR
    assert report.passed


@pytest.mark.gl
def test_samples_and_levels_have_it(device):
    quantized = layered(made_set(90, 70, 120, 5, maps=material(), wrap=(True, False)), density=0.15, step=0.03)
    report = verify(quantized, ["glsl"], point_count=500, repeats=0, device=device)
    for variant in report.variants:
        assert variant.failure == ""
        assert variant.sample_error is not None
        assert variant.sample_error <= MAX_ERROR, variant
    assert report.passed
    assert report.level_error > 0


SINGLE, GLSL, PAIR = VARIANTS[1:3], VARIANTS[:3], VARIANTS[:2]
BROKEN = {
    "always at texel centres": ("vec2 turns = (p - ", "vec2 turns = (floor(p) + vec2(0.5, 0.5) - ", SINGLE),
    "zeros not skipped": ("? nibble >> 1u : 0u", "? 0u : 0u", PAIR),
    "no sign": ("& 1u) > 0u ? -", "& 1u) > 0u ? ", PAIR),
    "twos are ones": ("IGS_NIBBLE_TWO ? 1u : 2u", "IGS_NIBBLE_TWO ? 1u : 1u", GLSL),
    "far codes begin elsewhere": (" - 14u + ", " - 13u + ", PAIR),
    "no offset": ("float(size) + beyond", "float(size)", PAIR),
    "constants as the other functions": ("frequency > 0u ? 1.0 : 0.70710678", "frequency > 0u ? 1.0 : 1.0", PAIR),
    "the basis of the first component": ("            row += uint(m.channels);\n", "", VARIANTS[1:2]),
    "the same of a workgroup": ("        row += uint(IGS_LAYERS);\n", "", VARIANTS[:1]),
    "the list of another block": ("return (block.y << ", "return (block.x << ", VARIANTS[:1]),
    "parts that begin anywhere": ("if (part > 0u && begin < end)", "if (part > 999u)", VARIANTS[:1]),
    "parts without those before": ("list.place = place;", "list.place = 0u;", VARIANTS[:1]),
    "columns by the first texel": ("blocks.log2) + local.x", "blocks.log2)", VARIANTS[:1]),
    "not held to 0 to 1": ("texel = igs_in_range(texel);", "texel = texel;", PAIR),
}  # fmt: skip


@pytest.mark.gl
@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_residual_is_found_out(fault, device, monkeypatch):
    quantized = layered(made_set(50, 40, 60, 3), density=0.12, spread=3.0, step=0.04)
    assert_found_out(quantized, BROKEN[fault], device, monkeypatch)


BROKEN_LEVELS = {
    "values for means": ("mean *= cosine;", "", 3),
    "blocks in levels of larger texels": ("if (12.0 * m.widening < ", "if (m.widening < ", 2),
    "blocks of a level's texels left out": ("if (12.0 * m.widening < ", "if (60.0 * m.widening < ", 3),
}


@pytest.mark.gl
@pytest.mark.parametrize("fault", BROKEN_LEVELS)
def test_broken_means_are_found_out(fault, device, monkeypatch):
    good, bad, side_log2 = BROKEN_LEVELS[fault]
    quantized = layered(made_set(50, 40, 60, 3), density=0.12, spread=3.0, step=0.04, side_log2=side_log2)
    broken = with_fault(build_decoder(quantized, pictures=level_pictures(quantized)), good, bad)
    verify_these_alone(monkeypatch, ["glsl-compute"])
    report = verify(quantized, ["glsl"], decoder=broken, point_count=100, repeats=0, device=device)
    (found,) = report.variants
    assert found.failure == ""
    assert not found.passed


@pytest.mark.gl
def test_levels_without_it_are_found_out(device, monkeypatch):
    verify_these_alone(monkeypatch, ["glsl-pixel"])  # that levels are wrong is seen without it
    quantized = layered(made_set(90, 70, 120, 3), only=[(block, 0, 9) for block in range(40)], step=0.05)
    wrong = build_decoder(quantized, pictures=level_pictures(replace(quantized, residual=None)))
    report = verify(quantized, ["glsl"], decoder=wrong, point_count=100, repeats=0, device=device)
    assert not report.passed
    assert report.level_error > 1
