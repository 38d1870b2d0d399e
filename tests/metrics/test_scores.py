"""Scores against independent implementations, and files made for a PSNR."""

import pickle

import numpy as np
import pytest
import torch
from pytorch_msssim import ssim as independent_ssim

import imagegs_tex
from imagegs_tex.encoder.quality_search import PSNR_TOLERANCE_DB
from imagegs_tex.fit.losses import structural_similarity
from imagegs_tex.formats.errors import TargetError
from imagegs_tex.formats.images import write_image
from imagegs_tex.formats.vocabulary import Coded, SampleFormat, Semantic, TextureMap, Transfer
from imagegs_tex.metrics.scores import score_map, squared_error
from imagegs_tex.metrics.ssim import mean_similarity
from imagegs_tex.quantize.channel_basis import principal_components, to_channels, to_components
from imagegs_tex.settings import CompressSettings, FitSettings


@pytest.fixture(scope="module")
def pictures():
    rng = np.random.default_rng(1)
    first = rng.random((40, 57, 2)).astype(np.float32)
    return first, np.clip(first + 0.2 * rng.standard_normal(first.shape), 0, 1).astype(np.float32)


def test_ssim_equals_an_independent_implementation(pictures):
    first, second = (torch.from_numpy(picture).permute(2, 0, 1)[:, None] for picture in pictures)
    expected = [float(independent_ssim(a[None], b[None], data_range=1.0)) for a, b in zip(first, second, strict=True)]
    assert mean_similarity(*pictures) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("shape", [(40, 57), (11, 30), (5, 7), (1, 1)])
def test_the_reported_ssim_is_the_differentiable_one(pictures, shape):
    first, second = (picture[: shape[0], : shape[1]] for picture in pictures)
    expected = structural_similarity(torch.from_numpy(first.copy()), torch.from_numpy(second.copy())).numpy()
    assert mean_similarity(first, second) == pytest.approx(expected, abs=2e-4)  # float32 convolutions on a few texels


def test_components_bring_the_channels_back():
    rng = np.random.default_rng(2)
    mixed = rng.random((30, 20, 2)) @ rng.random((2, 6)) / 4 + 0.2
    texels = mixed.astype(np.float32)
    components = principal_components(torch.from_numpy(texels))
    assert components.count == 2  # six channels of two sources
    image = to_components(torch.from_numpy(texels), components)
    assert to_channels(image, components.basis, components.offset).numpy() == pytest.approx(texels, abs=2e-3)


@pytest.fixture
def picture(tmp_path):
    y, x = np.mgrid[0:160, 0:192] / 192
    grain = np.random.default_rng(4).normal(0, 0.03, (160, 192))
    texels = np.stack([x, y, 0.5 + 0.4 * np.sin(90 * x * y)], axis=-1) * 0.8 + 0.1 + grain[..., None]
    write_image(tmp_path / "picture.png", np.rint(texels * 255).astype(np.uint8))
    return tmp_path / "picture.png"


def test_a_wanted_psnr_is_reached_and_not_by_much(picture, tmp_path):
    settings = CompressSettings(target_psnr=30.0, fit=FitSettings(steps=30, refine_sweeps=1))
    report = imagegs_tex.compress(picture, tmp_path / "file.igs", settings, backend="cpu")
    assert 30.0 <= report.psnr_db <= 30.0 + PSNR_TOLERANCE_DB


def test_a_psnr_beyond_reach_is_said_with_the_best_there_is(picture, tmp_path, monkeypatch):
    monkeypatch.setattr("imagegs_tex.encoder.exact_file.exact_set", lambda _: None)  # as for a large picture
    settings = CompressSettings(target_psnr=90.0, fit=FitSettings(steps=12, refine_sweeps=0))
    said = r"90\.00 dB was not reached; the best found, with .* is \d+\.\d+ dB"
    with pytest.raises(TargetError, match=said) as stopped:
        imagegs_tex.compress(picture, tmp_path / "file.igs", settings, backend="cpu")
    assert not (tmp_path / "file.igs").exists()
    report = stopped.value.report
    assert (report.written, report.targets[0].asked) == (False, 90.0)
    assert f"is {report.targets[0].reached:.2f} dB" in report.unreached
    assert pickle.loads(pickle.dumps(stopped.value)).report.psnr_db == report.psnr_db


def coverage_map(semantics=(Semantic.BASE_COLOUR,) * 3 + (Semantic.OPACITY,)):
    routes = tuple(Coded(index) for index in range(len(semantics)))
    return TextureMap("m", ".png", semantics[0], semantics, Transfer.LINEAR, SampleFormat.UINT8, routes)


def test_the_alpha_test_counts_texels_on_the_wrong_side():
    source = np.zeros((40, 50, 4), np.uint8)
    source[:, 25:, 3] = 255
    decoded = source.copy()
    decoded[:10, 25, 3] = 127  # 10 texels at the edge fall out
    decoded[20, 2, 3] = 128  # and one far from it comes in
    decoded[:, 30, 3] = 200  # still drawn
    score = score_map(coverage_map(), source, decoded)
    assert score.alpha_test_wrong == pytest.approx(11 / 2000)
    assert score.alpha_test_wrong_at_edges == pytest.approx(10 / (40 * 4))  # two columns on either side
    assert score_map(coverage_map(), source, source).alpha_test_wrong == 0
    packed = coverage_map((Semantic.NORMAL,) * 3 + (Semantic.ROUGHNESS,))
    assert score_map(packed, source, decoded).alpha_test_wrong is None
    opaque = np.full_like(source, 255)
    assert score_map(coverage_map(), opaque, opaque).alpha_test_wrong_at_edges is None


def test_colour_counts_where_it_is_drawn_and_alpha_everywhere():
    rng = np.random.default_rng(0)
    source, decoded = rng.integers(0, 256, (2, 20, 30, 4), np.uint8)
    drawn = np.zeros((20, 30), bool)
    drawn[:, :10] = True
    score = score_map(coverage_map(), source, decoded, drawn=drawn)
    squares = np.square((source.astype(np.float64) - decoded) / 255)
    wanted = squares[:, :10, :3].sum() + squares[..., 3].sum()
    assert score.squared_error == pytest.approx(wanted, rel=1e-5)
    assert score.values == 20 * 10 * 3 + 20 * 30
    assert squared_error(coverage_map(), source, decoded, None, drawn) == (score.squared_error, score.values)


def test_two_channels_are_a_normal_too():
    sides = np.array([[[0.3, -0.4], [0.0, 0.0]]])
    texture_map = coverage_map((Semantic.NORMAL, Semantic.NORMAL))
    stored = np.rint((sides + 1) / 2 * 255).astype(np.uint8)
    score = score_map(texture_map, stored, stored[:, ::-1])
    assert score.normal_degrees_mean == pytest.approx(30, abs=0.5)  # asin(0.5)


@pytest.mark.parametrize("weights", [(1.0, 1.0, 1.0), (4.0, 1.0, 0.25)])
def test_components_of_weighted_channels_come_back_and_weigh_their_errors(weights):
    rng = np.random.default_rng(1)
    texels = (0.5 + 0.1 * rng.standard_normal((16, 16, 3)) @ rng.standard_normal((3, 3))).clip(0, 1).astype(np.float32)
    components = principal_components(torch.from_numpy(texels), None, weights)
    image = to_components(torch.from_numpy(texels), components)
    back = to_channels(image, components.basis, components.offset).numpy()
    assert np.abs(back - texels).max() < 1e-3
    error = torch.from_numpy(rng.normal(0, 1e-2, image.shape).astype(np.float32))
    off = to_channels(image + error, components.basis, components.offset).numpy() - back
    assert float((np.square(off) * weights).sum()) == pytest.approx(float(error.square().sum()), rel=0.02)


@pytest.mark.parametrize("side", [11, 64, 100])
def test_a_picture_is_no_more_alike_than_itself(side):
    flat = np.full((side, side, 3), 0.3, np.float32)
    assert np.all(mean_similarity(flat, flat) <= 1)
    assert np.allclose(mean_similarity(flat, flat), 1, rtol=0, atol=1e-12)
