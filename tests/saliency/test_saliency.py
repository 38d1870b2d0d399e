"""Saliency against OpenCV's, on pictures that repeat, and by a network with small random weights."""

import importlib.machinery
import sys
import types
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.import_tool import import_tool
from helpers.tiny_material import waves

from imagegs_tex import InputError, SourceOptions, UsageError, compress, load_stack
from imagegs_tex.formats.errors import MissingToolError
from imagegs_tex.formats.images import write_image
from imagegs_tex.formats.material.options import SaliencyMethod, SaliencyOptions
from imagegs_tex.saliency.centre_surround import centre_surround
from imagegs_tex.saliency.eml_net import DECODER, OBJECTS, PLACES, _decoder_shapes, _network_shapes, eml_net_saliency
from imagegs_tex.saliency.estimate import estimate_saliency
from imagegs_tex.saliency.importance import FLOOR, saliency_of, with_saliency
from imagegs_tex.saliency.spectral_residual import spectral_residual

SIDE = 128
CPU = torch.device("cpu")
BY_SALIENCY = SourceOptions(importance_by_saliency=True)


def scene(seed):
    """A grey picture of a few discs and bars before slow waves, 8 bits."""
    generator = np.random.default_rng(seed)
    y, x = np.mgrid[:SIDE, :SIDE]
    picture = 110 + 30 * np.sin(x / 9 + seed) * np.cos(y / 13)
    for _ in range(4):
        centre, radius = generator.integers(15, SIDE - 15, 2), generator.integers(4, 12)
        picture[(x - centre[0]) ** 2 + (y - centre[1]) ** 2 < radius**2] = generator.integers(0, 256)
    picture[30:34, 20:90] = 250
    return np.clip(picture + generator.normal(0, 3, picture.shape), 0, 255).astype(np.uint8)


def correlation(first, second):
    return float(np.corrcoef(first.ravel(), second.ravel())[0, 1])


@pytest.mark.parametrize("seed", range(4))
def test_against_opencv(seed):
    saliency = import_tool("cv2").saliency
    picture = scene(seed)
    values = np.ascontiguousarray(picture / np.float32(255), dtype=np.float32)
    residual = saliency.StaticSaliencySpectralResidual_create().computeSaliency(picture)[1]
    assert correlation(spectral_residual(values, (False, False)), residual) > 0.85
    grained = saliency.StaticSaliencyFineGrained_create().computeSaliency(np.repeat(picture[..., None], 3, 2))[1]
    assert correlation(centre_surround(values, (False, False)), grained) > 0.85


def stack_of(tmp_path, texels, options=None):
    path = tmp_path / f"picture_{len(list(tmp_path.iterdir()))}.png"
    write_image(path, texels)
    return load_stack(path, options)


def spotted():
    """A quiet picture with one spot, in colour."""
    picture = np.full((SIDE, SIDE, 3), 100, np.uint8)
    picture += np.random.default_rng(1).integers(0, 3, picture.shape, dtype=np.uint8)
    picture[40:52, 80:92] = (230, 40, 30)
    return picture


def test_what_stands_out_is_salient(tmp_path):
    saliency = estimate_saliency(stack_of(tmp_path, spotted()))
    assert saliency.shape == (SIDE, SIDE)
    assert (saliency.min(), saliency.max()) == (0.0, 1.0)
    inside = saliency[40:52, 80:92].mean()
    assert inside > 10 * np.median(saliency)


@pytest.mark.parametrize("shift", [(6, 64), (64, 30)])
def test_a_picture_that_repeats_has_no_border(tmp_path, shift):
    around = SourceOptions(wrap=(True, True))
    before = estimate_saliency(stack_of(tmp_path, spotted(), around))
    after = estimate_saliency(stack_of(tmp_path, np.roll(spotted(), shift, (0, 1)), around))
    assert np.abs(np.roll(before, shift, (0, 1)) - after).max() < 0.02


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (7, 2)])
def test_small_and_even_pictures(tmp_path, size):
    assert not estimate_saliency(stack_of(tmp_path, np.full((*size, 3), 7, np.uint8))).any()
    noise = np.random.default_rng(2).integers(0, 255, (*size, 3), dtype=np.uint8)
    assert np.isfinite(estimate_saliency(stack_of(tmp_path, noise))).all()


def test_weights_have_a_floor_and_multiply_a_mask(tmp_path):
    stack = stack_of(tmp_path, spotted())
    weighed = with_saliency(stack, BY_SALIENCY, False, CPU)
    assert weighed.weights.dtype == np.float32
    assert weighed.weights.min() == pytest.approx(FLOOR, abs=0.01)
    assert weighed.weights.max() == 1.0
    assert any("saliency (estimate)" in remark for remark in weighed.remarks)
    mask = np.linspace(0, 1, SIDE, dtype=np.float32)[None].repeat(SIDE, 0)
    both = with_saliency(replace(stack, weights=mask), BY_SALIENCY, False, CPU)
    assert np.allclose(both.weights, weighed.weights * mask)


def test_a_map_of_ones_own(tmp_path):
    stack = stack_of(tmp_path, spotted())
    own = np.zeros((SIDE, SIDE, 1), np.uint8)
    own[:, 64:] = 200
    write_image(tmp_path / "own.png", own)
    found = saliency_of(stack, SaliencyOptions(map_file=tmp_path / "own.png"), CPU)
    assert (found[:, :64] == 0).all()
    assert (found[:, 64:] == 1).all()


def test_gaussians_start_where_people_look(tmp_path):
    from imagegs_tex.encoder.encode import prepare
    from imagegs_tex.fit.initialise import initialise
    from imagegs_tex.rasterize.select_backend import make_backend
    from imagegs_tex.settings import FitSettings, InitialPlacement

    stack = with_saliency(stack_of(tmp_path, spotted()), SourceOptions(), True, CPU)
    assert stack.weights is None
    problem, _, _ = prepare(stack, make_backend("cpu"))
    settings = FitSettings(init=InitialPlacement.SALIENCY, random_share=0.3)
    means = initialise(
        problem.image, 1000, np.random.default_rng(0), settings=settings, saliency=problem.saliency
    ).means.numpy()  # fmt: skip
    column, row = means.T.astype(int)
    share = stack.saliency / stack.saliency.sum()
    near = share > np.quantile(share, 0.95)
    expected = 0.7 * share[near].sum() + 0.3 * near.mean()
    assert near[row, column].mean() == pytest.approx(expected, abs=0.02)
    with pytest.raises(UsageError, match="need --importance auto or --init saliency"):
        with_saliency(stack, SourceOptions(saliency=SaliencyOptions(map_file=tmp_path)), False, CPU)


def write_weights(folder, seed=0, **changes):
    """Small random weights of the right shapes; batch norms that keep variances near 1."""
    folder.mkdir()
    generator = torch.Generator().manual_seed(seed)
    for name, shapes in ((OBJECTS, _network_shapes()), (PLACES, _network_shapes()), (DECODER, _decoder_shapes())):
        weights = {}
        for key, shape in shapes.items():
            fan_in = max(1, int(np.prod(shape[1:])))
            weights[f"module.{key}"] = (
                torch.randn(shape, generator=generator).half() / fan_in**0.5
                if len(shape) > 1
                else torch.ones(shape).half() * ("running_mean" not in key and "bias" not in key)
            )
        torch.save({"state_dict": weights}, folder / name)
    return folder


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return write_weights(tmp_path_factory.mktemp("weights") / "emlnet")


def test_the_network_runs_on_weights_of_its_shapes(weights):
    picture = (spotted() / np.float32(255)).astype(np.float32)
    found = eml_net_saliency(picture, weights, CPU)
    assert found.shape == (SIDE, SIDE)
    assert (found.min(), found.max()) == (0.0, 1.0)
    assert np.array_equal(found, eml_net_saliency(picture, weights, CPU))
    assert not np.allclose(found, eml_net_saliency(picture[::-1].copy(), weights, CPU), atol=0.05)


def test_a_stage_is_what_torch_modules_make_of_it():
    """The stem and the first block against torch's own modules, with the same weights."""
    from torch import nn

    from imagegs_tex.saliency.eml_net import _bottleneck

    torch.manual_seed(3)
    block = nn.ModuleDict(
        {"conv1": nn.Conv2d(64, 64, 1, bias=False), "bn1": nn.BatchNorm2d(64), "bn2": nn.BatchNorm2d(64),
         "conv2": nn.Conv2d(64, 64, 3, padding=1, stride=2, bias=False), "bn3": nn.BatchNorm2d(256),
         "conv3": nn.Conv2d(64, 256, 1, bias=False),
         "downsample": nn.Sequential(nn.Conv2d(64, 256, 1, stride=2, bias=False), nn.BatchNorm2d(256))}
    ).eval()  # fmt: skip
    for module in block.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.running_mean)
            nn.init.uniform_(module.running_var, 0.5, 2)
    features = torch.randn(1, 64, 9, 12)
    with torch.no_grad():
        inner = block["bn1"](block["conv1"](features)).relu()
        inner = block["bn2"](block["conv2"](inner)).relu()
        wanted = (block["bn3"](block["conv3"](inner)) + block["downsample"](features)).relu()
        found = _bottleneck(features, {f"x.{name}": value for name, value in block.state_dict().items()}, "x", 2)
    assert torch.allclose(found, wanted, atol=1e-4)


def test_wrong_weights_are_refused(weights, tmp_path):
    stack = stack_of(tmp_path, spotted())
    by_network = SaliencyOptions(SaliencyMethod.EMLNET)
    with pytest.raises(UsageError, match="needs --saliency-weights"):
        saliency_of(stack, by_network, CPU)
    with pytest.raises(InputError, match=f"{OBJECTS}: there is no such file"):
        saliency_of(stack, replace(by_network, weights=tmp_path), CPU)
    folder = tmp_path / "broken"
    folder.mkdir()
    for name in (OBJECTS, PLACES, DECODER):
        (folder / name).write_bytes((weights / name).read_bytes())
    (folder / DECODER).write_bytes(b"no file of weights")
    with pytest.raises(InputError, match=f"{DECODER}: no file of weights"):
        saliency_of(stack, replace(by_network, weights=folder), CPU)
    (folder / DECODER).write_bytes((weights / OBJECTS).read_bytes())
    with pytest.raises(InputError, match=r"combined\.0\.weight is"):
        saliency_of(stack, replace(by_network, weights=folder), CPU)


def test_weights_from_the_hub(weights, tmp_path, monkeypatch):
    asked = []

    def snapshot_download(repository, allow_patterns):
        asked.append((repository, sorted(allow_patterns)))
        if repository == "nobody/nothing":
            raise OSError("404 Client Error.\n\nRepository Not Found")
        return str(weights)

    hub = types.ModuleType("huggingface_hub")
    hub.snapshot_download, hub.__spec__ = snapshot_download, importlib.machinery.ModuleSpec("huggingface_hub", None)
    monkeypatch.setitem(sys.modules, "huggingface_hub", hub)
    stack = stack_of(tmp_path, spotted())
    own, others, none = (
        SaliencyOptions(SaliencyMethod.EMLNET, where)
        for where in (weights, Path("hub:somebody/eml-net"), Path("hub:nobody/nothing"))
    )
    assert np.array_equal(saliency_of(stack, others, CPU), saliency_of(stack, own, CPU))
    assert asked == [("somebody/eml-net", sorted([OBJECTS, PLACES, DECODER]))]
    with pytest.raises(
        InputError, match=r"^hub:nobody/nothing cannot be had from the hub: 404 Client Error\. Repo[^\n]+$"
    ):
        saliency_of(stack, none, CPU)
    monkeypatch.delitem(sys.modules, "huggingface_hub")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingToolError, match="pip install huggingface_hub"):
        saliency_of(stack, others, CPU)


def test_compress_says_how_texels_count(tmp_path):
    from imagegs_tex import CompressSettings, FitSettings

    write_image(tmp_path / "waves.png", (waves(32, 32, 3) * 255).astype(np.uint8))
    settings = CompressSettings(gaussian_count=20, fit=FitSettings(steps=4))
    report = compress(tmp_path / "waves.png", tmp_path / "waves.igs", settings, "cpu", options=BY_SALIENCY)
    assert report.weighted_psnr_db is not None
    assert any("count by saliency" in remark for remark in report.remarks)
