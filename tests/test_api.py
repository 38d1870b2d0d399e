"""The Python functions behind the commands."""

from dataclasses import replace

import numpy as np
import pytest
from helpers.tiny_material import as_bytes, waves, write_material

from imagegs_tex import CompressSettings, FitSettings, compare, compress, decode, info
from imagegs_tex.decoder.render import render_channels
from imagegs_tex.formats.errors import ImageGSTexError, InputError, OutputError, UsageError
from imagegs_tex.formats.igs.container import read_igs
from imagegs_tex.formats.images import read_image, write_image
from imagegs_tex.formats.material.options import SourceOptions
from imagegs_tex.rasterize.select_backend import make_backend

QUICK = CompressSettings(gaussian_count=40, fit=FitSettings(steps=6))


@pytest.fixture(scope="module")
def material(tmp_path_factory):
    return write_material(tmp_path_factory.mktemp("material") / "stone", 96, 80)


@pytest.fixture(scope="module")
def packed(material, tmp_path_factory):
    path = tmp_path_factory.mktemp("packed") / "stone.igs"
    compress(material, path, CompressSettings(gaussian_count=150, fit=FitSettings(steps=20)), "cpu")
    return path


def test_the_reported_scores_are_those_of_the_written_file(material, tmp_path):
    report = compress(material, tmp_path / "a.igs", QUICK, "cpu")
    compared = compare(tmp_path / "a.igs", material, "cpu")
    assert report.psnr_db == compared.psnr_db
    assert [score.psnr_db for score in report.maps] == [score.psnr_db for score in compared.maps]
    assert report.file_bytes == (tmp_path / "a.igs").stat().st_size == info(tmp_path / "a.igs").file_bytes


def test_the_reported_psnr_is_that_of_the_decoded_images(material, packed, tmp_path):
    squared, values = 0.0, 0
    for path in decode(packed, tmp_path, backend="cpu"):
        wanted, sample_format = read_image(material / path.name)
        found, _ = read_image(path)
        if path.stem == "roughness":  # grey, stored three times, counted once
            wanted, found = wanted[..., :1], found[..., :1]
        difference = (found.astype(np.float64) - wanted) / sample_format.max_value
        squared, values = squared + float(np.square(difference).sum()), values + difference.size
    psnr = -10 * np.log10(squared / values)
    assert compare(packed, material, "cpu").psnr_db == pytest.approx(psnr, abs=1e-3)


def test_the_cpu_backend_decodes_what_the_reference_does(packed, tmp_path):
    first = decode(packed, tmp_path / "cpu", backend="cpu")
    second = decode(packed, tmp_path / "reference", backend="reference")
    for one, other in zip(first, second, strict=True):
        found, sample_format = read_image(one)
        wanted, _ = read_image(other)
        difference = np.abs(found.astype(np.int64) - wanted).max() / sample_format.max_value
        assert difference <= 1.01 / 255, one.name


def test_more_gaussians_and_more_steps_are_better(material, tmp_path):
    few = compress(material, tmp_path / "a.igs", QUICK, "cpu").psnr_db
    many = compress(material, tmp_path / "b.igs", replace(QUICK, gaussian_count=400), "cpu").psnr_db
    longer = compress(material, tmp_path / "c.igs", replace(QUICK, fit=FitSettings(steps=40)), "cpu").psnr_db
    assert few + 3 < many
    assert few + 0.3 < longer


def test_progress_is_reported_after_every_step(material, tmp_path):
    states = []
    compress(material, tmp_path / "a.igs", QUICK, "cpu", progress=states.append)
    fit = [state for state in states if state.psnr_db is not None]
    assert [state.step for state in fit] == [1, 2, 3, 4, 5, 6]
    assert [state.phase for state in fit] == ["fitting"] * 3 + ["rounding"] * 3
    assert all(state.steps == 6 and np.isfinite(state.psnr_db) for state in fit)
    assert fit[-1].gaussians == QUICK.gaussian_count
    phases = [state.phase for state in states if state.psnr_db is None]
    assert list(dict.fromkeys(phases)) == ["reading", "refining", "coding", "checking"]


@pytest.mark.parametrize("phase", ["reading", "fitting", "refining", "checking"])
def test_an_error_in_the_callback_leaves_nothing(material, tmp_path, phase):
    def fail(state):
        if state.phase == phase:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        compress(material, tmp_path / "a.igs", QUICK, "cpu", progress=fail)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("weights", [{"l1_weight": 0.1}, {"ssim_weight": 0.05}], ids=str)
def test_other_losses_run(material, tmp_path, weights):
    settings = replace(QUICK, fit=FitSettings(steps=4, **weights))
    assert np.isfinite(compress(material, tmp_path / "a.igs", settings, "cpu").psnr_db)


@pytest.fixture(scope="module")
def half_mask(tmp_path_factory):
    """White on the left half, black on the right."""
    path = tmp_path_factory.mktemp("mask") / "mask.png"
    write_image(path, np.where(np.arange(96) < 48, 255, 0).astype(np.uint8)[None].repeat(80, axis=0))
    return path


def errors_of_halves(file, material, tmp_path):
    squared = np.zeros(2)
    for path in decode(file, tmp_path, backend="cpu"):
        difference = read_image(path)[0].astype(np.float64) - read_image(material / path.name)[0]
        difference /= 65535 if path.stem == "height" else 255
        squared += [np.square(half).mean() for half in np.split(difference, 2, axis=1)]
    return squared


@pytest.mark.parametrize("extra", [{}, {"l1_weight": 0.1, "ssim_weight": 0.05}], ids=["squared", "other losses"])
def test_what_the_importance_mask_leaves_out_is_not_coded(material, half_mask, tmp_path, extra):
    settings = CompressSettings(gaussian_count=150, fit=FitSettings(steps=20, **extra))
    plain = compress(material, tmp_path / "a.igs", settings, "cpu")
    masked = compress(material, tmp_path / "b.igs", settings, "cpu", options=SourceOptions(importance=half_mask))
    before, after = (errors_of_halves(tmp_path / f"{name}.igs", material, tmp_path / name) for name in "ab")
    assert after[0] < 0.5 * before[0]  # twice the Gaussians per texel where it matters
    assert after[1] > 3 * before[1]
    assert plain.weighted_psnr_db is None
    # honest: the plain score still counts every texel
    assert masked.psnr_db == compare(tmp_path / "b.igs", material, "cpu").psnr_db < plain.psnr_db
    assert masked.weighted_psnr_db > plain.psnr_db + 2


def test_the_weighted_psnr_is_that_of_the_texels_that_count(material, half_mask, tmp_path):
    masked = compress(material, tmp_path / "a.igs", QUICK, "cpu", options=SourceOptions(importance=half_mask))
    squared, values = 0.0, 0
    for path in decode(tmp_path / "a.igs", tmp_path / "maps", backend="cpu"):
        wanted, sample_format = read_image(material / path.name)
        found, _ = read_image(path)
        if path.stem == "roughness":  # grey, stored three times, counted once
            wanted, found = wanted[..., :1], found[..., :1]
        difference = (found.astype(np.float64) - wanted)[:, :48] / sample_format.max_value
        squared, values = squared + float(np.square(difference).sum()), values + difference.size
    assert masked.weighted_psnr_db == pytest.approx(-10 * np.log10(squared / values), abs=1e-3)


def test_a_wanted_psnr_is_that_of_the_texels_that_count(material, half_mask, tmp_path):
    settings = CompressSettings(target_psnr=33.0, fit=FitSettings(steps=20))
    masked = compress(material, tmp_path / "a.igs", settings, "cpu", options=SourceOptions(importance=half_mask))
    assert 33.0 <= masked.weighted_psnr_db <= 33.5
    assert masked.psnr_db < 31


def test_a_white_mask_changes_no_byte(material, tmp_path):
    write_image(tmp_path / "white.png", np.full((80, 96), 255, np.uint8))
    compress(material, tmp_path / "a.igs", QUICK, "cpu")
    compress(material, tmp_path / "b.igs", QUICK, "cpu", options=SourceOptions(importance=tmp_path / "white.png"))
    assert (tmp_path / "a.igs").read_bytes() == (tmp_path / "b.igs").read_bytes()


def test_limits_exclude_each_other(material, tmp_path):
    with pytest.raises(UsageError, match="exclude each other"):
        compress(material, tmp_path / "a.igs", replace(QUICK, max_bytes=5000), "cpu")


def test_errors_have_one_base(tmp_path):
    with pytest.raises(ImageGSTexError):
        compress(tmp_path / "none", tmp_path / "a.igs", QUICK, "cpu")
    with pytest.raises(InputError):
        info(tmp_path / "none.igs")


def test_decode_replaces_older_maps_where_allowed_and_leaves_other_files(packed, tmp_path):
    (tmp_path / "basecolor.png").write_bytes(b"old")
    (tmp_path / "notes.txt").write_bytes(b"mine")
    with pytest.raises(OutputError, match=r"basecolor\.png is there already"):
        decode(packed, tmp_path, backend="cpu")
    assert len(list(tmp_path.iterdir())) == 2
    paths = decode(packed, tmp_path, overwrite=True, backend="cpu")
    assert {path.name for path in tmp_path.iterdir()} == {path.name for path in paths} | {"notes.txt"}
    assert read_image(tmp_path / "basecolor.png")[0].shape == (80, 96, 3)


def test_a_decode_twice_as_large_is_the_same_picture(packed, tmp_path):
    small = read_image(decode(packed, tmp_path / "1", backend="cpu")[0])[0].astype(float)
    large = read_image(decode(packed, tmp_path / "2", scale=2.0, backend="cpu")[0])[0].astype(float)
    halved = large.reshape(80, 2, 96, 2, 3).mean(axis=(1, 3))
    assert np.abs(halved - small).mean() < 4


def test_a_picture_without_detail_costs_next_to_nothing(tmp_path):
    path = tmp_path / "flat.png"
    flat = np.full((512, 512, 3), 90, np.uint8)
    flat[0, 0] = 91
    write_image(path, flat)
    report = compress(path, tmp_path / "flat.igs", CompressSettings(fit=FitSettings(steps=2)), "cpu")
    assert report.psnr_db > 60
    assert read_igs(tmp_path / "flat.igs").gaussian_count == report.gaussians


def test_noise_does_not_break_the_fit(tmp_path):
    path = tmp_path / "noise.png"
    write_image(path, np.random.default_rng(0).integers(0, 256, (48, 48, 4)).astype(np.uint8))
    report = compress(path, tmp_path / "noise.igs", replace(QUICK, gaussian_count=2304), "cpu")
    assert np.isfinite(report.psnr_db)


def test_hard_edges_between_black_and_white_do_not_break_the_fit(tmp_path):
    board = np.indices((64, 64)).sum(axis=0) // 8 % 2 * 255
    write_image(tmp_path / "board.png", board.astype(np.uint8))
    report = compress(tmp_path / "board.png", tmp_path / "a.igs", replace(QUICK, gaussian_count=200), "cpu")
    assert report.psnr_db > 12


def test_a_map_of_the_report_says_how_it_was_read(tmp_path):
    folder = tmp_path / "m"
    folder.mkdir()
    write_image(folder / "whatever.png", as_bytes(waves(24, 20, 3)))
    report = compress(folder, tmp_path / "a.igs", QUICK, "cpu")
    assert report.maps[0].semantic == "data"
    assert len(report.readings) == 1


def test_a_repeating_material_shows_no_seam_at_any_scale(tmp_path):
    """The decoded picture goes on across the border as smoothly as inside, which the same one clamped does not."""
    y, x = np.mgrid[:64, :80] + 0.5
    angles = 2 * np.pi * np.stack([x / 80 + y / 64, 2 * x / 80 - y / 64, x / 80 - 2 * y / 64], axis=-1)
    write_image(tmp_path / "wave.png", as_bytes(0.5 + 0.45 * np.sin(angles)))
    steps = {}
    for words, wrap in (("repeat", (True, True)), ("clamp", (False, False))):
        settings, options = replace(QUICK, gaussian_count=30, fit=FitSettings(steps=40)), SourceOptions(wrap=wrap)
        report = compress(tmp_path / "wave.png", tmp_path / "wave.igs", settings, "cpu", options=options)
        assert report.wrap == (words, words)
        assert info(tmp_path / "wave.igs").wrap == (words, words)
        texels = render_channels(read_igs(tmp_path / "wave.igs"), make_backend("cpu"), (160, 128)).numpy()
        steps[words] = [
            float(np.abs(texels.take(0, axis) - texels.take(-1, axis)).max() / np.abs(np.diff(texels, axis=axis)).max())
            for axis in (0, 1)
        ]
    assert max(steps["repeat"]) < 1.1
    assert min(steps["clamp"]) > 1.3


def test_whether_a_material_repeats_is_guessed_and_said(tmp_path):
    y, x = np.mgrid[:64, :80] + 0.5
    wave = 0.5 + 0.4 * np.sin(2 * np.pi * 3 * x / 80 + 0.15 * y)
    write_image(tmp_path / "wave.png", as_bytes(wave[..., None]))
    report = compress(tmp_path / "wave.png", tmp_path / "wave.igs", QUICK, "cpu")
    assert report.wrap == ("repeat", "clamp")
    assert "repeat in x (guessed: 1 of 1 channels match" in report.wrap_reading
