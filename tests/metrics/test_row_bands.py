"""Large pictures are measured in bands of rows and channel by channel: what comes out is what whole pictures give."""

from dataclasses import asdict, replace

import numpy as np
import pytest
import torch

from imagegs_tex.detail.amplitudes import contrast_in_torch
from imagegs_tex.detail.residual import moments_in_torch, structure_in_torch
from imagegs_tex.formats.gpu_textures.texture import BC1_SRGB, BC7, R16
from imagegs_tex.formats.material.stack import TextureStack, expand_map
from imagegs_tex.formats.vocabulary import Coded, SampleFormat, Semantic, TextureMap, Transfer
from imagegs_tex.metrics import row_bands
from imagegs_tex.metrics.detail_contrast import score_with_detail
from imagegs_tex.metrics.scores import score_map, squared_error
from imagegs_tex.metrics.visible_error import blur, visible_error
from imagegs_tex.textures import block_compression, mip_chain
from imagegs_tex.textures.block_compression import encode_level

WIDTH, HEIGHT = 176, 190
COLOUR = TextureMap(
    name="colour.png", semantic=Semantic.BASE_COLOUR, file_suffix=".png",
    channel_semantics=(Semantic.BASE_COLOUR,) * 3 + (Semantic.OPACITY,), transfer=Transfer.SRGB,
    sample_format=SampleFormat.UINT8, routes=tuple(Coded(index) for index in range(4)),
)  # fmt: skip
NORMAL = replace(
    COLOUR, name="normal.png", semantic=Semantic.NORMAL, channel_semantics=(Semantic.NORMAL,) * 3,
    transfer=Transfer.LINEAR, routes=tuple(Coded(index) for index in range(3)),
)  # fmt: skip


def picture(channels, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (HEIGHT, WIDTH, channels), np.uint8)


@pytest.fixture
def in_bands(monkeypatch):
    """What makes pictures of the tests large ones: bands of some 20 rows."""

    def patch():
        monkeypatch.setattr(row_bands, "VALUES_AT_ONCE", 20 * WIDTH * 3)

    return patch


def close(found, expected):
    assert found.keys() == expected.keys()
    for key, value in expected.items():
        if value is None or isinstance(value, str):
            assert found[key] == value, key
        else:
            assert found[key] == pytest.approx(value, rel=5e-6), key


def test_bands_are_all_rows_once():
    assert row_bands.row_bands(7, row_bands.VALUES_AT_ONCE // 3) == [slice(0, 3), slice(3, 6), slice(6, 7)]
    assert row_bands.row_bands(2, 10 * row_bands.VALUES_AT_ONCE) == [slice(0, 1), slice(1, 2)]
    assert row_bands.row_bands(2048, 2048 * 8) == [slice(0, 2048)]
    assert row_bands.widened(slice(3, 6), 2, 7) == (slice(1, 7), slice(2, 5))
    assert row_bands.channel_parts(2048, 2048, 8) == [slice(0, 8)]
    assert row_bands.channel_parts(2048, 2048, 9) == [slice(channel, channel + 1) for channel in range(9)]


@pytest.mark.parametrize("texture_map", [COLOUR, NORMAL], ids=["colour", "normal"])
def test_scores_of_bands_are_those_of_the_whole(texture_map, in_bands):
    source = picture(texture_map.channel_count)
    noise = np.random.default_rng(1).integers(-30, 31, source.shape)
    decoded = np.clip(source + noise, 0, 255).astype(np.uint8)
    weights = np.random.default_rng(2).random((HEIGHT, WIDTH), np.float32)
    drawn = weights > 0.3

    def measured():
        score = score_map(texture_map, source, decoded, True, weights, drawn, gamma=1.5)
        found = asdict(score_with_detail(score, texture_map, source, decoded))
        return found | {"squared": squared_error(texture_map, source, decoded, weights, drawn)[0]}

    whole = measured()
    in_bands()
    close(measured(), whole)
    assert whole["squared"] > 100


def test_visible_error_of_bands_is_that_of_the_whole(in_bands):
    texels = picture(4).astype(np.float32) / 255
    stack = TextureStack(WIDTH, HEIGHT, (COLOUR,), texels, weights=texels[..., 3].copy())
    decoded = torch.from_numpy(texels[::-1].copy())

    def measured():
        visible = visible_error(stack, torch.device("cpu"), drawn=True)
        return visible.masks, visible.decibels(decoded)

    masks, decibels = measured()
    whole = blur(decoded, 2)
    in_bands()
    banded_masks, banded = measured()
    assert torch.allclose(banded_masks, masks, rtol=1e-5)
    assert banded == pytest.approx(decibels, abs=1e-5)
    assert torch.equal(blur(decoded, 2), whole)


def test_grain_of_channels_is_that_of_all_at_once(in_bands):
    source = torch.from_numpy(picture(4).astype(np.float32) / 255)
    residual = source - blur(source, 2)

    def measured():
        return [*contrast_in_torch(source, 8), *moments_in_torch(residual), *structure_in_torch(source)]

    whole = measured()
    in_bands()
    for found, expected in zip(measured(), whole, strict=True):
        assert np.allclose(found, expected, rtol=1e-4)


def test_blocks_and_levels_of_bands_are_those_of_the_whole(monkeypatch):
    pytest.importorskip("ispc_texcomp")
    texels = picture(4).astype(np.float32)[: HEIGHT - 2] / 255  # 47 rows of blocks
    parts = [(texels, BC7), (texels[..., :3], BC1_SRGB), (texels[..., :1], R16)]
    roles = mip_chain.ChannelRoles(srgb=(0, 1, 2), coverage=3, covered=(0, 1, 2))
    blocks, levels = [encode_level(*part) for part in parts], mip_chain.mip_chain(texels, roles)
    monkeypatch.setattr(block_compression, "_VALUES_AT_ONCE", 22 * WIDTH * 4)
    monkeypatch.setattr(mip_chain, "_VALUES_AT_ONCE", 22 * WIDTH * 4)
    assert [encode_level(*part) for part in parts] == blocks
    assert all(map(np.array_equal, mip_chain.mip_chain(texels, roles), levels))
    assert len(levels) == 8


def test_maps_are_expanded_in_bands(monkeypatch):
    texels = picture(4).astype(np.float32) / 255
    whole = expand_map(texels, COLOUR)
    monkeypatch.setattr("imagegs_tex.formats.material.stack._EXPANDED_ROWS", 31)
    assert np.array_equal(expand_map(texels, COLOUR), whole)
    assert np.array_equal(whole, picture(4))
