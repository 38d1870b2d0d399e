"""Scores computed on the GPU, beside those of the CPU."""

from dataclasses import asdict

import numpy as np
import pytest
import torch

from imagegs_tex.formats.material.stack import TextureStack, expand_map
from imagegs_tex.formats.vocabulary import Coded, Constant, SampleFormat, Semantic, TextureMap, Transfer, UnitZ
from imagegs_tex.metrics.detail_contrast import score_with_detail
from imagegs_tex.metrics.scores import flip_error, pooled_psnr, pooled_weighted_psnr, score_map
from imagegs_tex.quantize.channel_basis import principal_components, to_channels, to_components
from imagegs_tex.rasterize.select_backend import make_backend

pytestmark = pytest.mark.cuda
COLOUR, NORMAL = (Semantic.BASE_COLOUR,) * 3, (Semantic.NORMAL,) * 3
MAPS = (
    TextureMap("colour", ".png", Semantic.BASE_COLOUR, (*COLOUR, Semantic.OPACITY), Transfer.SRGB, SampleFormat.UINT8,
               (Coded(0), Coded(1), Coded(2), Constant(1.0))),
    TextureMap("normal", ".png", Semantic.NORMAL, NORMAL, Transfer.LINEAR, SampleFormat.UINT16,
               (Coded(3), Coded(4), Constant(0.75))),
    TextureMap("unit", ".png", Semantic.NORMAL, NORMAL, Transfer.LINEAR, SampleFormat.UINT8,
               (Coded(3), Coded(4), UnitZ())),
    TextureMap("rough", ".png", Semantic.ROUGHNESS, (Semantic.ROUGHNESS,) * 3, Transfer.LINEAR, SampleFormat.UINT8,
               (Coded(5),) * 3),
    TextureMap("light", ".exr", Semantic.EMISSIVE, (Semantic.EMISSIVE,), Transfer.LOG, SampleFormat.FLOAT16,
               (Coded(1),), (0.0, 8.0)),
    TextureMap("height", ".exr", Semantic.HEIGHT, (Semantic.HEIGHT,), Transfer.LINEAR, SampleFormat.FLOAT32,
               (Coded(2),)),
)  # fmt: skip


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("size", [(70, 93), (16, 32), (12, 7), (1, 1)])
def test_scores_are_those_of_the_cpu(size, weighted):
    from imagegs_tex.metrics.scores_cuda import score_on_gpu

    rng = np.random.default_rng(3)
    texels = rng.uniform(0, 1, (*size, 6)).astype(np.float32)
    decoded = np.clip(texels + rng.normal(0, 0.05, texels.shape), 0, 1).astype(np.float32)
    weights = rng.uniform(0.1, 2, size).astype(np.float32) if weighted else None
    stack = TextureStack(size[1], size[0], MAPS, texels, weights)
    found = score_on_gpu(stack, torch.from_numpy(decoded).to(make_backend("cuda").device))
    for texture_map, score in zip(MAPS, found, strict=True):
        samples = (expand_map(texels, texture_map), expand_map(decoded, texture_map))
        wanted = asdict(score_map(texture_map, *samples, weights=weights))
        for name, value in asdict(score).items():
            pairs = zip(value, wanted[name], strict=True) if isinstance(value, tuple) else [(value, wanted[name])]
            for one, other in pairs:
                close = one == other or one == pytest.approx(other, rel=1e-4, abs=1e-6)
                assert close, (texture_map.name, name)


def test_scores_of_detail_are_those_of_the_cpu():
    from imagegs_tex.metrics.detail_contrast import _score_on_device

    rng = np.random.default_rng(4)
    texels = rng.uniform(0, 1, (70, 93, 6)).astype(np.float32)
    decoded = np.clip(texels + rng.normal(0, 0.05, texels.shape), 0, 1).astype(np.float32)
    stack = TextureStack(93, 70, MAPS[:4], texels)
    on_gpu = torch.from_numpy(decoded).to(make_backend("cuda").device)
    for index, texture_map in enumerate(stack.maps):
        samples = [expand_map(picture, texture_map) for picture in (texels, decoded)]
        score = score_map(texture_map, *samples)
        wanted = score_with_detail(score, texture_map, *samples)
        found = _score_on_device(score, stack, index, texture_map, on_gpu)
        assert found.kept_contrast_with_detail == pytest.approx(wanted.kept_contrast_with_detail, rel=1e-4)
        assert (found.normal_degrees_structure is None) == (wanted.normal_degrees_structure is None)
        if wanted.normal_degrees_structure is not None:
            assert found.normal_degrees_structure == pytest.approx(wanted.normal_degrees_structure, rel=1e-4)


@pytest.mark.parametrize("weighted", [False, True])
def test_pooled_psnr_is_that_of_the_scores(weighted):
    from imagegs_tex.metrics.scores_cuda import pooled_psnr_on_gpu, score_on_gpu

    rng = np.random.default_rng(5)
    texels = rng.uniform(0, 1, (40, 30, 6)).astype(np.float32)
    decoded = np.clip(texels + rng.normal(0, 0.05, texels.shape), 0, 1).astype(np.float32)
    weights = rng.uniform(0.1, 2, (40, 30)).astype(np.float32) if weighted else None
    stack, on_gpu = (
        TextureStack(30, 40, MAPS, texels, weights),
        torch.from_numpy(decoded).to(make_backend("cuda").device),
    )
    scores = score_on_gpu(stack, on_gpu)
    wanted = pooled_weighted_psnr(scores) if weighted else pooled_psnr(scores)
    assert pooled_psnr_on_gpu(stack, on_gpu) == pytest.approx(wanted, abs=1e-6)


def test_flip_is_that_of_the_cpu():
    rng = np.random.default_rng(6)
    source = rng.uniform(0, 1, (80, 70, 3)).astype(np.float32)
    decoded = np.clip(source + rng.normal(0, 0.1, source.shape), 0, 1).astype(np.float32)
    wanted, found = (flip_error(MAPS[0], source, decoded, torch.device(kind)) for kind in ("cpu", "cuda"))
    assert found == pytest.approx(wanted, abs=1e-4)


def test_components_are_those_of_the_cpu():
    rng = np.random.default_rng(2)
    texels = torch.from_numpy((rng.random((300, 40, 4)) @ rng.random((4, 9)) / 4).astype(np.float32))
    on_gpu = texels.to(make_backend("cuda").device)
    found, wanted = principal_components(on_gpu), principal_components(texels)
    assert np.abs(found.basis_codes.astype(int) - wanted.basis_codes).max() <= 1
    assert np.array_equal(found.offset_codes, wanted.offset_codes)
    image = to_components(on_gpu, wanted)
    assert torch.allclose(image.cpu(), to_components(texels, wanted), atol=1e-6)
    channels = to_channels(image, wanted.basis, wanted.offset)
    assert torch.allclose(channels.cpu(), texels, atol=2e-3)
