"""The one knob: what is asked for is reached by little, at the price of hardly more than one fit, and without grain."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from helpers.flat_drawing import flat_drawing
from helpers.plain_map import make_map

from imagegs_tex import CompressSettings, DetailMode, FitSettings
from imagegs_tex.decoder.render import render_channels
from imagegs_tex.encoder.chroma_steps import chroma_fineness
from imagegs_tex.encoder.grain_filter import without_grain
from imagegs_tex.encoder.rate_control import encode_within_budget
from imagegs_tex.encoder.trial_fits import Fitter
from imagegs_tex.encoder.visible_quality import TOLERANCE_DB, decibels_of_quality
from imagegs_tex.formats.errors import UsageError
from imagegs_tex.formats.igs.container import encode_igs
from imagegs_tex.formats.images import read_image, write_image
from imagegs_tex.formats.material.build_stack import load_stack
from imagegs_tex.formats.material.stack import TextureStack
from imagegs_tex.formats.vocabulary import Coded, Semantic, Transfer
from imagegs_tex.metrics.visible_error import visible_error
from imagegs_tex.quantize.channel_basis import principal_components
from imagegs_tex.rasterize.select_backend import make_backend
from imagegs_tex.settings import DEFAULT_QUALITY, Preset, asked_quality, preset_settings

CPU = make_backend("cpu", 2)
QUICK = CompressSettings(fit=FitSettings(steps=96, refine_sweeps=1))
COLOUR = make_map([Coded(0), Coded(1), Coded(2)], transfer=Transfer.SRGB, semantic=Semantic.BASE_COLOUR)


def picture(grain):
    """Steps at every scale, and noise on top."""
    rng = np.random.default_rng(1)
    planes = sum(np.kron(rng.random((96 // s, 128 // s, 3)), np.ones((s, s, 1))) * s**0.7 for s in (4, 8, 16, 32))
    planes = 0.2 + 0.6 * (planes - planes.min()) / (planes.max() - planes.min())
    texels = np.clip(planes + grain * rng.normal(size=planes.shape), 0, 1).astype(np.float32)
    return TextureStack(128, 96, (COLOUR,), np.rint(texels * 255).astype(np.float32) / 255)


def encoded(stack, **wanted):
    return encode_within_budget(stack, replace(QUICK, **wanted), CPU)


@pytest.mark.parametrize("grain", [0.01, 0.08])
def test_what_is_asked_for_is_reached_by_little(grain):
    stack = picture(grain)
    sizes = []
    for quality in (10, 40):
        result = encoded(stack, quality=quality)
        reached = visible_error(stack, CPU.device, drawn=True).decibels(render_channels(result.quantized, CPU))
        assert 0 <= reached - decibels_of_quality(quality) <= 2 * TOLERANCE_DB
        assert result.effort.steps <= 3 * QUICK.fit.steps
        assert result.effort.fits <= 3
        sizes.append(len(encode_igs(result.quantized)))
    assert sizes[0] < sizes[1]


@pytest.mark.materials
def test_a_fit_with_more_gaussians_than_it_needs_is_followed_by_another(materials, tmp_path):
    """The first one's file had 27,868 bytes, the second one's 19,337."""
    for path in sorted((materials / "fabric_pattern_07").glob("*.*g")):
        texels, _ = read_image(path)
        row, column = ((length - 128) // 2 for length in texels.shape[:2])
        write_image(tmp_path / f"{path.stem}.png", np.ascontiguousarray(texels[row : row + 128, column : column + 128]))
    middle = load_stack(tmp_path)
    result = encode_within_budget(middle, CompressSettings(quality=90, detail=DetailMode.OFF), CPU)
    assert len(encode_igs(result.quantized)) < 23_000


def test_the_fast_preset_takes_few_more_bytes():
    """It took 1.77 times as many, as its pilots say little and one fit was all that followed."""
    stack, sizes = flat_drawing(), []
    for preset in (Preset.FAST, Preset.BALANCED):
        result = encode_within_budget(stack, replace(preset_settings(preset), quality=75), CPU)
        sizes.append(len(encode_igs(result.quantized)))
        assert visible_error(stack, CPU.device, drawn=True).decibels(
            render_channels(result.quantized, CPU)
        ) >= decibels_of_quality(75)
    assert sizes[0] < 1.3 * sizes[1], sizes


def pale_tints():
    """Grey at every scale with weak tints of 16 texels: 1 % of the squared error, and seen at once."""
    tint = np.random.default_rng(2).normal(size=(6, 8)).repeat(16, axis=0).repeat(16, axis=1)
    grey = picture(0.05).texels.mean(axis=2, keepdims=True)
    return replace(picture(0), texels=np.clip(grey + 0.012 * tint[..., None] * [1, 0, -1], 0, 1).astype(np.float32))


def test_components_of_chroma_are_rounded_finer():
    stack = pale_tints()
    components = principal_components(torch.from_numpy(stack.texels))
    fineness = chroma_fineness(components, stack)
    own = components.basis[:, 0] - components.basis[:, 2]
    assert fineness[np.argmax(np.abs(own))] > 2.5
    assert fineness[0] == pytest.approx(1, abs=0.05)  # brightness
    scalars = replace(stack, maps=(make_map([Coded(0), Coded(1), Coded(2)], semantic=Semantic.DATA),))
    assert np.array_equal(chroma_fineness(components, scalars), np.ones(components.count))


def test_weak_tints_stay():
    stack = pale_tints()
    tint = stack.texels[..., 0] - stack.texels[..., 2]
    kept, sizes = [], []
    for finer in (False, True):
        fitter = Fitter(stack, QUICK, CPU, None)
        fitter.finer_chroma = finer
        quantized = fitter.rounded(fitter.fit(150))
        decoded = render_channels(quantized, CPU).numpy()
        kept.append(float((tint * (decoded[..., 0] - decoded[..., 2])).sum() / np.square(tint).sum()))
        sizes.append(len(encode_igs(quantized)))
    assert kept[0] < 0.1  # the squared error has no use for it
    assert kept[1] > 0.2  # 0.30 to 0.56 by six seeds
    assert sizes[1] < 1.2 * sizes[0]


def test_nothing_asked_for_is_the_usual_quality():
    stack = picture(0.08)
    assert encode_igs(encoded(stack).quantized) == encode_igs(encoded(stack, quality=DEFAULT_QUALITY).quantized)
    assert asked_quality(QUICK) == DEFAULT_QUALITY
    assert asked_quality(replace(QUICK, quality=70.0)) == 70
    assert asked_quality(replace(QUICK, max_bytes=900)) is None


def test_without_a_detail_layer_grain_takes_gaussians():
    stack = picture(0.05)
    drawn, chased = (encoded(stack, quality=25, detail=mode).quantized for mode in DetailMode)
    assert drawn.detail is not None
    assert chased.detail is None
    assert chased.gaussian_count > 1.2 * drawn.gaussian_count


def test_a_quality_excludes_other_limits_and_has_bounds():
    with pytest.raises(UsageError, match="exclude each other"):
        encoded(picture(0.08), quality=50, max_bytes=9000)
    for quality in (-1, 101, float("nan")):
        with pytest.raises(UsageError, match=r"outside 0\.\.100"):
            encoded(picture(0.08), quality=quality)


def test_a_fit_is_shown_structure_and_edges_without_grain():
    clean, grainy = picture(0.0), picture(0.08)
    shown = without_grain(grainy, 50, torch.device("cpu")).texels
    grain_left = np.square(shown - clean.texels).mean() / np.square(grainy.texels - clean.texels).mean()
    assert grain_left < 0.6
    same = without_grain(clean, 50, torch.device("cpu")).texels
    assert np.abs(same - clean.texels).mean() < 0.02
    assert without_grain(grainy, 75, torch.device("cpu")) is grainy
    half = without_grain(grainy, 62.5, torch.device("cpu")).texels
    assert np.abs(half - grainy.texels).mean() < np.abs(shown - grainy.texels).mean()
