"""Detail layers: added where the source has grain, of the right strength, and nowhere else."""

import numpy as np
import pytest
import torch
from helpers.made_gaussians import made_map

from imagegs_tex.decoder.detail import add_detail
from imagegs_tex.detail.amplitudes import (
    between_cells,
    between_two,
    bounding_factors,
    envelope,
    even_factors,
    missing_grain,
)
from imagegs_tex.detail.analyse import MOST_BYTES, analyse_detail
from imagegs_tex.detail.envelope_kernels import interpolated
from imagegs_tex.detail.relief import gradient_share
from imagegs_tex.detail.residual import Missing, octaves_of
from imagegs_tex.detail.spectra import band_energies, octave_energies
from imagegs_tex.formats.igs.container import detail_bytes
from imagegs_tex.formats.igs.detail_layer import pack_detail
from imagegs_tex.formats.igs.noise_tile import noise_tile
from imagegs_tex.formats.igs.quantized_set import OFFSET_SCALE
from imagegs_tex.formats.material.stack import TextureStack
from imagegs_tex.formats.vocabulary import Coded, Semantic
from imagegs_tex.metrics.kept_contrast import band_deviations

SIDE = 160


def grain(seed, along=0, across=0):
    """White noise [SIDE, SIDE] of deviation 1, blurred by so many steps along x and y."""
    noise = np.random.default_rng(seed).standard_normal((SIDE, SIDE))
    for axis, steps in ((1, along), (0, across)):
        for _ in range(steps):
            noise = (np.roll(noise, 1, axis) + 2 * noise + np.roll(noise, -1, axis)) / 4
    return noise / noise.std()


def waves():
    y, x = np.mgrid[:SIDE, :SIDE] * (2 * np.pi / SIDE)
    return 0.5 + 0.2 * np.sin(2 * x) * np.cos(3 * y)


def layer_for(source, decoded, semantic=Semantic.BASE_COLOUR, weights=None, most_bytes=MOST_BYTES):
    """The layer of a source [H, W, C], with what it makes of the decode."""
    texels = np.clip(source, 0, 1).astype(np.float32)
    maps = (made_map("colour", semantic, tuple(map(Coded, range(texels.shape[2])))),)
    stack = TextureStack(SIDE, SIDE, maps, texels, weights=weights, wrap=(True, True))
    picture = torch.from_numpy(np.clip(decoded, 0, 1).astype(np.float32))
    offset_codes = np.rint(picture.mean(dim=(0, 1)).numpy() * OFFSET_SCALE).astype(np.uint16)
    quantized = type("Set", (), {"width": SIDE, "height": SIDE, "wrap": (True, True), "offset_codes": offset_codes})()
    layer = analyse_detail(stack, quantized, picture, lambda: most_bytes)
    if layer is None:
        return None, picture, torch.from_numpy(texels)
    offset = (offset_codes / OFFSET_SCALE).astype(np.float32)
    return layer, add_detail(picture.clone(), layer, offset, (SIDE, SIDE), (True, True)), torch.from_numpy(texels)


@pytest.mark.parametrize(("along", "across"), [(0, 0), (2, 2), (6, 0), (0, 6)])
def test_grain_comes_back_with_its_contrast(along, across):
    smooth = np.repeat(waves()[..., None], 3, axis=2)
    source = smooth + 0.05 * np.stack([grain(seed, along, across) for seed in range(3)], axis=-1)
    layer, drawn, wanted = layer_for(source, smooth)
    assert layer is not None
    assert len(pack_detail(layer)) < MOST_BYTES
    kept = (band_deviations(drawn) / band_deviations(wanted)).numpy()
    assert np.abs(kept[:, :2] - 1).max() < 0.15


@pytest.mark.parametrize("most_bytes", [MOST_BYTES, 150, 110, 80])
def test_a_layer_takes_no_more_bytes_than_it_may(most_bytes):
    """First its grid gets coarser, then it has fewer components; what fits in has the right contrast."""
    smooth = np.repeat(waves()[..., None], 3, axis=2)
    source = smooth + np.where(smooth > 0.5, 0.06, 0.02) * np.stack([grain(seed) for seed in range(3)], axis=-1)
    layer, drawn, wanted = layer_for(source, smooth, most_bytes=most_bytes)
    assert detail_bytes(layer) <= most_bytes
    assert (layer.component_count == 3) == (most_bytes > 100)
    kept = (band_deviations(drawn) / band_deviations(wanted)).numpy()
    assert np.abs(kept[:, :2] - 1).max() < 0.15


def test_no_layer_fits_in_too_few_bytes():
    smooth = np.repeat(waves()[..., None], 3, axis=2)
    assert layer_for(smooth + 0.05 * grain(1)[..., None], smooth, most_bytes=40)[0] is None


def test_where_too_little_is_missing_nothing_is_looked_at_for_long(monkeypatch):
    smooth = np.repeat(waves()[..., None], 3, axis=2)
    noise = 0.05 * grain(1)[..., None]

    def coherence(source):
        raise AssertionError("what takes long")

    monkeypatch.setattr("imagegs_tex.detail.residual._coherence", coherence)
    assert layer_for(smooth + noise, smooth + 0.9 * noise)[0] is None
    assert layer_for(smooth + noise, smooth, Semantic.HEIGHT)[0] is None  # a height gets none, whatever it misses
    with pytest.raises(AssertionError, match="takes long"):
        layer_for(smooth + noise, smooth + 0.7 * noise)


def test_channels_that_move_together_are_drawn_together():
    smooth = np.repeat(waves()[..., None], 3, axis=2)
    shared, own = grain(1), grain(2)
    source = smooth + 0.05 * np.stack([shared, shared, own], axis=-1)
    _, drawn, _ = layer_for(source, smooth)
    added = (drawn.numpy() - smooth).reshape(-1, 3)
    correlations = np.corrcoef(added.T)
    assert correlations[0, 1] > 0.95
    assert abs(correlations[0, 2]) < 0.1


def test_strength_follows_the_colour_and_the_place():
    smooth = np.repeat(waves()[..., None], 3, axis=2)
    strength = np.where(smooth > 0.5, 0.06, 0.0)
    strength[:, : SIDE // 2] = 0
    _, drawn, _ = layer_for(smooth + strength * grain(3)[..., None], smooth)
    added = np.abs(drawn.numpy() - smooth)
    light, dark = smooth[:, 100:] > 0.55, smooth[:, 100:] < 0.45
    assert added[:, 100:][light].mean() > 5 * added[:, 100:][dark].mean()
    assert added[:, 10:60].mean() < 0.05 * added[:, 100:][light].mean()  # nothing where the source has none


def test_clean_paint_beside_rust_stays_clean():
    """The decode's own error there is no grain, and the border runs across the envelope's cells."""
    smooth = np.repeat(waves()[..., None], 3, axis=2)
    y, x = np.mgrid[:SIDE, :SIDE]
    rust = x + 0.5 * y < 0.7 * SIDE
    source = smooth + np.where(rust, 0.06, 0.001)[..., None] * grain(8)[..., None]
    ripple = 0.01 * np.sin(0.9 * x)[..., None]
    layer, drawn, _ = layer_for(source, smooth + ripple)
    assert layer is not None
    added = np.abs(drawn.numpy() - np.clip(smooth + ripple, 0, 1))
    clean = (x + 0.5 * y > 0.7 * SIDE + 24) & (x < SIDE - 16)  # the picture repeats: rust again at the right
    assert added[clean].mean() < 0.06 * added[rust].mean()


@pytest.mark.parametrize(("blocks", "cells"), [((24, 32), (16, 12)), ((13, 7), (3, 5)), ((1, 9), (4, 1))])
def test_an_envelope_between_its_cells_is_a_product_of_matrices(blocks, cells):
    factors = np.random.default_rng(0).random(cells[::-1])
    matrices = [between_cells(length, count) for length, count in zip(blocks, cells[::-1], strict=True)]
    pairs = [part for length, count in zip(blocks, cells[::-1], strict=True) for part in between_two(length, count)]
    found = np.empty(blocks)
    interpolated(factors, *pairs, np.empty((blocks[0], cells[0])), found)
    np.testing.assert_allclose(found, matrices[0] @ factors @ matrices[1].T, rtol=1e-14)


@pytest.mark.parametrize(("weaker", "drawn"), [(0.1, False), (0.2, True)])
def test_there_is_no_noise_where_it_would_be_an_eighth_as_strong(weaker, drawn):
    found = np.ones((16, 16))
    found[:, 8:] = weaker
    factors = envelope(found, np.ones((16, 16)), (16, 16))
    assert np.all(factors[:, :7] > 1.5)
    assert np.all((factors[:, 9:] > 0) == drawn)


def test_a_channel_that_is_smooth_elsewhere_than_the_others_has_a_strength_of_its_own():
    """Roughness of bricks, which have colours' grain all over: its noise stays in the mortar."""
    y, x = np.mgrid[:SIDE, :SIDE]
    mortar = (x % 40 < 12) | (y % 40 < 12)
    smooth = np.repeat(waves()[..., None], 4, axis=2)
    smooth[..., 3] = np.where(mortar, 0.4, 0.7)
    strength = np.stack([np.full((SIDE, SIDE), 0.05)] * 3 + [np.where(mortar, 0.08, 0.002)], axis=-1)
    source = smooth + strength * grain(9)[..., None]
    _, drawn, _ = layer_for(source, smooth)
    added = np.abs(drawn.numpy() - np.clip(smooth, 0, 1))
    assert added[..., 3][~mortar].mean() < 0.15 * added[..., 3][mortar].mean()
    assert added[..., 0][~mortar].mean() > 0.8 * added[..., 0][mortar].mean()


def test_grey_grain_stays_grey_beside_coloured_grain():
    """Each component has a strength of its own: colours' noise is less where grain is grey."""
    smooth = np.repeat(waves()[..., None], 3, axis=2)
    coloured = np.stack([grain(13), grain(14), grain(15)], axis=-1)
    _, drawn, _ = layer_for(smooth + 0.05 * np.where(smooth > 0.5, grain(12)[..., None], coloured), smooth)
    added = drawn.numpy() - smooth
    grey, colour = (added[part[..., 0]] for part in (smooth > 0.6, smooth < 0.4))
    spread = [np.std(part - part.mean(axis=1, keepdims=True)) / np.std(part) for part in (grey, colour)]
    assert spread[0] < 0.75 * spread[1]


def test_colour_of_a_few_places_does_not_colour_the_others():
    """Coloured grain in a seventh of the cells, grey elsewhere, where hue had a deviation of 0.022."""
    smooth = np.repeat(waves()[..., None], 3, axis=2)
    few = np.random.default_rng(21).uniform(size=(SIDE // 16, SIDE // 16)) < 0.15
    few = np.kron(few, np.ones((16, 16))).astype(bool)
    coloured = np.stack([grain(22), grain(23), grain(24)], axis=-1)
    source = smooth + np.where(few[..., None], 0.08 * coloured, 0.05 * grain(25)[..., None])
    _, drawn, _ = layer_for(source, smooth)
    added = (drawn.numpy() - smooth)[~few]
    assert np.std(added - added.mean(axis=1, keepdims=True)) < 0.012
    assert np.std(added) > 0.04


def test_colours_that_differ_at_flakes_do_not_speckle_all_places():
    """The same contrast between colours, as grain everywhere and as flakes: noise of the latter is half as coloured."""
    smooth = np.repeat(waves()[..., None], 3, axis=2)
    grey = 0.05 * grain(11)[..., None]
    hue = np.array([1.0, -0.5, -0.5]) * grain(12)[..., None]
    flakes = np.where(np.abs(grain(13)[..., None]) > 2.2, hue, 0)
    found = []
    for colours in (hue, flakes):
        _, drawn, wanted = layer_for(smooth + grey + 0.015 * colours / colours.std() * hue.std(), smooth)
        hues = [(picture - picture.mean(dim=2, keepdim=True)) for picture in (drawn, wanted)]
        found.append(float((band_deviations(hues[0]) / band_deviations(hues[1]))[:, 0].mean()))
    assert found[0] == pytest.approx(1, abs=0.15)
    assert found[1] == pytest.approx(0.5 * found[0], abs=0.12)


def test_noise_is_weaker_where_most_cells_would_get_too_much():
    """A tenth of the cells holds the energy: noise of that energy everywhere is too much in nine tenths."""
    quiet = 0.5 + 0.01 * grain(16)[..., None]
    flat = np.full_like(quiet, 0.5)
    rare = np.where((np.arange(SIDE) < 16)[:, None, None], 0.5 + 5 * (quiet - 0.5), quiet)
    even = 0.5 + np.sqrt(np.mean((rare - flat) ** 2)) * grain(17)[..., None]
    pictures = [torch.from_numpy(picture.astype(np.float32)) for picture in (rare, flat, even, quiet)]
    assert even_factors(*pictures[:3]) == pytest.approx(0.79, abs=0.06)
    assert even_factors(pictures[3], pictures[1], pictures[3]) == 1  # its own grain is not too much


def test_structure_that_is_only_fainter_is_not_drowned():
    """Noise is no more than the least contrast needs: all that is missing would be 1.5 times what is left."""
    smooth, structure = np.repeat(waves()[..., None], 3, axis=2), 0.06 * grain(14)[..., None]
    _, drawn, wanted = layer_for(smooth + structure, smooth + 0.55 * structure)
    kept = (band_deviations(drawn) / band_deviations(wanted)).numpy()[:, :2]
    assert kept.min() > 0.85
    assert kept.max() < 0.94


def weave(blurred):
    """Threads of eight texels, no two of the same brightness [SIDE, SIDE, 3], blurred by so many steps."""
    y, x = np.mgrid[:SIDE, :SIDE] * (np.pi / 8)
    tones = np.kron(np.random.default_rng(41).uniform(0.5, 1.5, (SIDE // 8, SIDE // 8)), np.ones((8, 8)))
    threads = 0.12 * tones * np.tanh(6 * np.sin(x) * np.sin(y))
    for axis in (0, 1):
        for _ in range(blurred):
            threads = (np.roll(threads, 1, axis) + 2 * threads + np.roll(threads, -1, axis)) / 4
    return np.repeat(waves()[..., None], 3, axis=2) + threads[..., None]


def test_threads_that_are_in_their_place_get_no_noise():
    """A third of the finest contrast is left of them; grain of the same strength would get noise."""
    assert layer_for(weave(0), weave(3))[0] is None
    left = weave(0) - weave(3)
    assert layer_for(weave(3) + left.std() * grain(42)[..., None], weave(3))[0] is not None


def test_threads_that_are_lost_get_noise():
    assert layer_for(weave(0), weave(60))[0] is not None


def test_fibre_has_streaks_alone():
    """Wood's grain is fibres, and what there is beside them would make cork of it."""
    smooth = np.repeat(waves()[..., None], 3, axis=2)
    fibre = 0.05 * grain(15, 0, 6)[..., None] + 0.02 * grain(16)[..., None]
    layer, _, _ = layer_for(smooth + fibre, smooth)
    assert not layer.band_codes[:, [0, 1, 2, 3, 4, 6]].any()
    assert layer.band_codes[:, [5, 7]].any()


def test_grain_that_is_a_little_longer_than_wide_has_no_streaks():
    """Streaks along an axis look woven; they are for what is plainly directed."""
    smooth = np.repeat(waves()[..., None], 3, axis=2)
    layers = [layer_for(smooth + 0.05 * grain(11, along, 2)[..., None], smooth)[0] for along in (4, 12)]
    streaks = [np.any(layer.band_codes[:, 4:]) for layer in layers]
    assert streaks == [False, True]


def stones():
    """Flat squares with joints of 24 texels between them [SIDE, SIDE, 1], and which texels are theirs."""
    y, x = np.mgrid[:SIDE, :SIDE] % 80
    inside = (np.minimum(x, y) >= 12) & (np.maximum(x, y) < 68)
    return np.where(inside, 0.65, 0.35)[..., None], inside


def grain_of(source, decoded):
    return missing_grain(*(torch.from_numpy(picture.astype(np.float32)) for picture in (source, decoded)))


def test_an_edge_beside_its_place_misses_no_grain():
    flat, inside = stones()
    source = flat + np.where(inside, 0.002, 0.04)[..., None] * grain(12)[..., None]
    moved = np.roll(flat, 1, axis=(0, 1))
    found, plain = (grain_of(source, decoded)[0][..., 0] for decoded in (moved, flat))
    core = inside[4::8, 4::8]
    assert found[~core].mean() == pytest.approx(plain[~core].mean(), rel=0.15)
    assert found[core].mean() < 0.35 * found[~core].mean()


def test_lost_lines_are_no_grain():
    """The decode lacks some thin lines, too: what they miss must not be drawn as grain between them."""
    even = 0.5 + 0.02 * grain(12)[..., None]
    flat = np.full_like(even, 0.5)
    assert grain_of(even, flat)[1][0] > 0.97
    lines = np.where(np.arange(SIDE) % 40 == 20, 0.2, 0.0)[None, :, None]
    share = grain_of(even + lines, flat)[1][0]
    assert 0.3 < share < 0.9  # 0.39 of the finest octave's energy is grain; blocks of 8 texels cannot tell all of it


def slopes_of(height):
    """Its differences along x and y, of deviation 0.05 together, as normals have them [H, W, 2]."""
    field = np.stack([np.roll(height, -1, axis) - height for axis in (1, 0)], axis=-1)
    return 0.05 * field / field.std()


def share_of_gradient(field):
    return gradient_share(*(np.fft.fft2(field[..., axis] - field[..., axis].mean()) for axis in (0, 1)))


def test_rare_coloured_flakes_keep_their_contrast():
    """Noise is weaker and greyer for the sake of clean paint, but not beyond a bound: 0.65 to 0.75 without it."""
    smooth = np.repeat(waves()[..., None], 3, axis=2)
    flaky = np.kron(np.random.default_rng(20).random((SIDE // 5, SIDE // 5)) < 0.1, np.ones((5, 5)))
    source = smooth + 0.1 * flaky[..., None] * np.stack([grain(seed) for seed in (21, 22, 23)], axis=-1)
    _, drawn, wanted = layer_for(source, smooth)
    kept = (band_deviations(drawn) / band_deviations(wanted)).numpy()
    assert kept[:, :2].min() > 0.85


def test_factors_bring_contrast_within_its_bounds():
    """A channel each: too weak, right, too strong, one that misses less, one whose octaves want different things."""
    strengths, missing = np.array([0.5, 1.0, 1.5, 0.1, 1.0]), np.ones((3, 5))
    smooth = np.repeat(waves()[..., None], 5, axis=2)
    drawn = smooth + 0.05 * strengths * grain(24)[..., None]
    source = smooth + 0.05 * grain(24)[..., None]
    source[..., 4] = smooth[..., 4] + 0.05 * grain(24, 2, 2)
    missing[:, 3] = 0.0
    pictures = [torch.from_numpy(picture.astype(np.float32)) for picture in (source, smooth, drawn)]
    factors = bounding_factors(Missing(missing, *map(octaves_of, pictures[:2])), pictures[2])
    assert factors == pytest.approx([0.88 / 0.5, 1.0, 1.12 / 1.5, 1.0, 1.0], abs=0.02)


@pytest.mark.parametrize("sign", [1, -1])
def test_normals_get_the_slopes_of_one_height(sign):
    smooth = np.repeat(waves()[..., None], 2, axis=2)
    missing = slopes_of(grain(9, 1, 1)) * [1, sign]
    layer, drawn, wanted = layer_for(smooth + missing, smooth, Semantic.NORMAL)
    assert layer.relief == 1
    added = drawn.numpy() - smooth
    share, found = share_of_gradient(added)
    assert share > 0.85
    assert found == sign
    kept = (band_deviations(drawn) / band_deviations(wanted)).numpy()
    assert np.abs(kept[:, :2] - 1).max() < 0.15


def test_slopes_do_not_repeat():
    """Grain of a smooth height: its slopes fall below 0 once, and swing no further."""
    smooth = np.repeat(waves()[..., None], 2, axis=2)
    _, drawn, _ = layer_for(smooth + slopes_of(grain(18, 4, 4)), smooth, Semantic.NORMAL)
    across = drawn.numpy()[..., 0] - smooth[..., 0]
    spectrum = np.square(np.abs(np.fft.fft2(across - across.mean())))
    alike = np.fft.ifft2(spectrum).real[0, :24]
    assert (alike[5:] / alike[0]).max() < 0.05


def test_slopes_of_a_smooth_height_have_their_coarse_octaves():
    """Differences of neighbours would have 1.22 and 0.77 of the two finest."""
    smooth = np.repeat(waves()[..., None], 2, axis=2)
    wanted = smooth + slopes_of(grain(19, 4, 4))
    layer, drawn, _ = layer_for(wanted, smooth, Semantic.NORMAL)
    assert layer.relief == 2
    assert share_of_gradient(drawn.numpy() - smooth)[0] > 0.8
    kept = (band_deviations(drawn) / band_deviations(torch.from_numpy(wanted.astype(np.float32)))).numpy()
    assert np.abs(kept[:, :2] - 1).max() < 0.13


def test_normals_of_independent_noise_get_independent_noise():
    smooth = np.repeat(waves()[..., None], 2, axis=2)
    source = smooth + 0.05 * np.stack([grain(10, 1, 1), grain(11, 1, 1)], axis=-1)
    layer, drawn, _ = layer_for(source, smooth, Semantic.NORMAL)
    assert not layer.relief
    assert share_of_gradient(drawn.numpy() - smooth)[0] == pytest.approx(0.5, abs=0.1)


def test_edges_alone_are_no_grain():
    blocks = (np.indices((SIDE, SIDE)).sum(axis=0) // 40 % 2) * 0.5 + 0.25
    sharp = np.repeat(blocks[..., None], 3, axis=2)
    blurred = (np.roll(sharp, 1, 1) + 2 * sharp + np.roll(sharp, -1, 1)) / 4
    assert layer_for(sharp, blurred)[0] is None


def test_grain_of_few_strong_texels_is_no_edge():
    """A kurtosis of 14.5 where a third of the contrast is missing, as scratched paint's roughness has."""
    smooth = np.repeat(waves()[..., None], 3, axis=2)
    strength = np.where(np.random.default_rng(31).random((SIDE, SIDE, 1)) < 0.1, 0.16, 0.03)
    noise = strength * grain(32)[..., None]
    _, drawn, wanted = layer_for(smooth + noise, smooth + 0.62 * noise)
    kept = (band_deviations(drawn) / band_deviations(wanted)).numpy()[:, :2]
    assert kept.min() > 0.85


def test_painted_strokes_are_no_grain():
    """Overlapping discs, each of one colour, whose borders the decode has softened."""
    rng = np.random.default_rng(3)
    painted = np.zeros((SIDE, SIDE, 3))
    y, x = np.mgrid[:SIDE, :SIDE]
    for _ in range(300):
        down, across = rng.integers(0, SIDE, 2)
        painted[np.hypot(y - down, x - across) < rng.uniform(6, 25)] = rng.uniform(0.2, 0.8, 3)
    softened = painted
    for axis in (0, 1, 0, 1):
        softened = (np.roll(softened, 1, axis) + 2 * softened + np.roll(softened, -1, axis)) / 4
    assert layer_for(painted, softened)[0] is None


def test_a_decode_that_misses_nothing_gets_nothing():
    source = np.repeat(waves()[..., None], 3, axis=2) + 0.05 * grain(4)[..., None]
    assert layer_for(source, source)[0] is None


@pytest.mark.parametrize(
    "semantic", [Semantic.OPACITY, Semantic.MASK, Semantic.HEIGHT, Semantic.METALLIC, Semantic.DATA]
)
def test_what_must_stay_clean_stays_clean(semantic):
    smooth = np.repeat(waves()[..., None], 3, axis=2)
    assert layer_for(smooth + 0.05 * grain(5)[..., None], smooth, semantic)[0] is None


def test_texels_that_do_not_count_miss_nothing():
    smooth = np.repeat(waves()[..., None], 3, axis=2)
    weights = np.zeros((SIDE, SIDE), dtype=np.float32)
    weights[:8, :8] = 1
    source = smooth + 0.05 * grain(6)[..., None]
    source[:8, :8] = smooth[:8, :8]
    assert layer_for(source, smooth, weights=weights)[0] is None


@pytest.mark.parametrize("band", range(4))
def test_spectra_of_the_tile_are_found_again(band):
    plane = noise_tile()[..., band].astype(np.float64)
    plane /= plane.std()
    power = np.square(np.abs(np.fft.fft2(plane))) / plane.size**2
    energies = band_energies(power)
    assert energies.sum() == pytest.approx(1, abs=0.25)
    drawn = octave_energies() @ energies
    assert drawn == pytest.approx(octave_energies()[:, band], abs=0.12)


def test_the_same_input_gives_the_same_layer():
    smooth = np.repeat(waves()[..., None], 3, axis=2)
    source = smooth + 0.05 * grain(7)[..., None]
    first, second = (layer_for(source, smooth)[0] for _ in range(2))
    assert pack_detail(first) == pack_detail(second)
