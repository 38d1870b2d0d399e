import numpy as np
import pytest
from helpers.made_gaussians import made_map, made_set

from imagegs_tex.formats.igs.quantized_set import dequantize
from imagegs_tex.formats.vocabulary import Coded
from imagegs_tex.pictures.gaussian_field import gaussian_field, most_shown, show_counts, show_numbers
from imagegs_tex.pictures.gaussians import draw_ellipses, ellipses_of, evenly_chosen, gaussian_colours

RED = np.array([[255, 0, 0]], np.uint8)
LONG_IN_X = np.array([[2 * np.log(4.0), 2 * np.log(2.0), 0.0]])  # deviations of 8 and 2 texels


def is_red(picture):
    return (picture[..., 0] > 150) & (picture[..., 1] < 90)


def test_radii_are_the_roots_of_the_covariances_eigenvalues():
    rng = np.random.default_rng(1)
    codes = rng.normal(0, 1, (50, 3))
    ellipses = ellipses_of(np.zeros((50, 2)), codes, deviations=2.0)
    for (m, h, b), radii, angle in zip(codes, ellipses.radii, ellipses.angles, strict=True):
        values, vectors = np.linalg.eigh(np.array([[m + h, b], [b, m - h]]))
        assert radii == pytest.approx(2 * np.exp(values[::-1] / 2))
        assert abs(vectors[:, 1] @ [np.cos(angle), np.sin(angle)]) == pytest.approx(1)


def test_an_ellipse_lies_where_its_gaussian_does():
    ellipses = ellipses_of(np.array([[20.0, 12.0]]), LONG_IN_X)
    mask = is_red(draw_ellipses(ellipses, RED, (40, 30), scale=4.0))
    assert mask.shape == (120, 160)
    rows, columns = np.nonzero(mask)
    assert columns.mean() + 0.5 == pytest.approx(80, abs=1)
    assert rows.mean() + 0.5 == pytest.approx(48, abs=1)
    assert np.ptp(columns) + 1 == pytest.approx(64, abs=4)  # twice 8 texels of 4 pixels
    assert np.ptp(rows) + 1 == pytest.approx(16, abs=4)


def test_a_positive_b_leans_down_to_the_right():
    leaning = np.array([[2 * np.log(4.0), 0.0, 2 * np.log(2.0)]])
    rows, columns = np.nonzero(is_red(draw_ellipses(ellipses_of(np.array([[20.0, 20.0]]), leaning), RED, (40, 40))))
    assert np.corrcoef(rows, columns)[0, 1] > 0.8


def test_small_ellipses_lie_over_large_ones():
    means, colours = np.array([[8.0, 8.0], [8.0, 8.0]]), np.array([[0, 0, 255], [255, 0, 0]], np.uint8)
    shapes = np.array([[2 * np.log(1.5), 0, 0], [2 * np.log(6.0), 0, 0]])
    centre = draw_ellipses(ellipses_of(means, shapes), colours, (16, 16), scale=8.0)[64, 64]
    assert centre[2] > 200
    assert centre[0] < 60


def test_what_lies_behind_is_darkened():
    behind = np.full((16, 16, 3), 200, np.uint8)
    nothing = ellipses_of(np.zeros((0, 2)), np.zeros((0, 3)))
    drawn = draw_ellipses(nothing, np.zeros((0, 3), np.uint8), (16, 16), scale=2.0, behind=behind)
    assert drawn.shape == (32, 32, 3)
    assert np.unique(drawn).tolist() == [70]


def test_a_sample_is_even():
    assert evenly_chosen(5, 10).tolist() == [0, 1, 2, 3, 4]
    chosen = evenly_chosen(100_000, 600)
    assert len(chosen) == 600
    assert (chosen[0], chosen[-1]) == (0, 99_999)
    assert set(np.diff(chosen).tolist()) <= {166, 167}
    assert evenly_chosen(0).tolist() in ([], [0])


def test_own_colours_are_features_through_the_basis():
    values = dequantize(made_set(channels=3, maps=(made_map(routes=(Coded(0), Coded(1), Coded(2))),)))
    wanted = np.clip(values.features @ values.basis + values.offset, 0, 1) * 255
    found = gaussian_colours(values, made_map(routes=(Coded(0), Coded(1), Coded(2))))
    assert np.abs(found - wanted).max() <= 0.51


@pytest.mark.parametrize("wrap", [(False, False), (True, False), (True, True)])
@pytest.mark.parametrize("scale", [1.0, 0.5, 1.75])
def test_the_field_is_that_of_every_gaussian_at_every_pixel(wrap, scale):
    quantized = made_set(width=48, height=32, count=40, wrap=wrap)
    values = dequantize(quantized)
    field = gaussian_field(values.means, values.log_covariances, quantized.cutoff, (48, 32), wrap, scale)
    height, width = field.counts.shape
    assert (width, height) == (round(48 * scale), round(32 * scale))
    x = (np.arange(width) + 0.5) * 48 / width
    y = (np.arange(height) + 0.5) * 32 / height
    best, counts = np.full((height, width), np.inf), np.zeros((height, width), int)
    strongest = np.full((height, width), -1)
    for number, (mean, conic) in enumerate(zip(values.means, values.conics, strict=True)):
        dx, dy = np.broadcast_arrays(x[None, :] - mean[0], y[:, None] - mean[1])
        if wrap[0]:
            dx = (dx + 24) % 48 - 24
        if wrap[1]:
            dy = (dy + 16) % 32 - 16
        q = (conic[0] * dx**2 + 2 * conic[1] * dx * dy + conic[2] * dy**2) / 2
        counts += q < quantized.cutoff
        nearer = (q < best) & (q < quantized.cutoff)
        best[nearer], strongest[nearer] = q[nearer], number
    assert (field.counts != counts).mean() < 0.01  # float32 conics at the edge of a support, and images across a border
    assert (field.strongest != strongest).mean() < 0.01
    assert counts.max() > 3


def test_a_field_is_shown_in_colours_of_numbers_and_of_counts():
    field = gaussian_field(np.array([[4.0, 4.0]]), np.array([[0.0, 0.0, 0.0]]), 2.0, (16, 8))
    assert most_shown(field) == 1
    numbers, counts = show_numbers(field), show_counts(field)
    assert numbers[7, 15].tolist() == [0, 0, 0]
    assert numbers[3, 3].max() > 100
    assert counts[3, 3].tolist() == [252, 255, 164]
    assert counts[7, 15].tolist() == [0, 0, 4]
