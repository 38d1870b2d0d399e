"""A file with a residual is of version 4, comes back as it was, and is decoded with what the layer adds."""

import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.fuzz_igs import damaged
from helpers.igs_sets import File, make_set
from helpers.made_residual import made_layer

from imagegs_tex.decoder import bands
from imagegs_tex.decoder.render import render_channels
from imagegs_tex.formats.errors import IgsError
from imagegs_tex.formats.igs.container import decode_igs, encode_igs, section_sizes, version_of
from imagegs_tex.formats.igs.exact_samples import ExactSamples
from imagegs_tex.formats.igs.residual_layer import pack_residual, unpack_residual
from imagegs_tex.formats.igs.residual_picture import residual_picture
from imagegs_tex.quantize.channel_basis import to_channels
from imagegs_tex.rasterize.select_backend import make_backend


def layered_set():
    plain = make_set()
    return replace(plain, residual=made_layer((plain.width, plain.height), plain.channel_count, 3, scale=1, step=0.05))


def test_of_two_broken_sections_the_first_is_told():
    """They are read side by side; C reads one after the other, and must say the same."""
    data = (Path(__file__).parents[2] / "golden" / "version_4_repeat.igs").read_bytes()
    names = [size.name for size in section_sizes(data)][1:]
    for broken in (["residual", "repeat"], ["features", "residual"], ["repeat"]):
        file = File.split(data)
        for name in broken:
            file.raws[names.index(name)] = file.raws[names.index(name)][:-1]
        with pytest.raises(IgsError, match=broken[0]):
            decode_igs(file.join())


def test_section_in_a_file():
    layered = layered_set()
    plain = replace(layered, residual=None)
    data = encode_igs(layered)
    assert version_of(data) == 4
    assert [size.name for size in section_sizes(data)][:-1] == [size.name for size in section_sizes(encode_igs(plain))]
    assert section_sizes(data)[-1].name == "residual"
    again = decode_igs(data)
    assert again.residual is not None
    assert encode_igs(again) == data


def test_damage_is_an_error_or_another_layer():
    size, rng = (21, 13), random.Random(5)
    whole = [pack_residual(made_layer(size, 3, log2), size) for log2 in (2, 3, 4)]
    valid = 0
    for _ in range(1500):
        try:
            layer = unpack_residual(damaged(rng.choice(whole), rng), size, 3)
        except IgsError:
            continue
        else:
            valid += 1
            assert layer.counts.sum() == len(layer.places)
            assert layer.counts.max() <= 128
            pack_residual(layer, size)
    assert valid > 20


def test_what_a_file_cannot_have():
    layered = layered_set()
    with pytest.raises(ValueError, match="another number of channels"):
        encode_igs(replace(layered, residual=made_layer((layered.width, layered.height), 2, 3)))
    shape = layered.height, layered.width, layered.channel_count
    exact = ExactSamples(np.zeros(shape, np.uint32), (1,) * layered.channel_count)
    with pytest.raises(ValueError, match="exact samples has no residual"):
        encode_igs(replace(layered, exact=exact))


@pytest.mark.parametrize("backend", ["reference", "cpu"])
def test_the_picture_is_held_to_its_range_once(backend):
    """What Gaussians have beyond 0 or 1 counts before the residual is added."""
    layered = layered_set()
    rasterizer = make_backend(backend)
    size = layered.width, layered.height
    found = render_channels(layered, rasterizer).numpy()
    added = residual_picture(layered.residual, size, size)
    without = render_channels(replace(layered, residual=None), rasterizer).numpy()
    inside = (without > 0) & (without < 1)
    np.testing.assert_allclose(found[inside], np.clip(without + added, 0, 1)[inside], atol=2e-6)
    assert np.abs(found - np.clip(without + added, 0, 1))[~inside].max() > 0.01


def test_bands_are_the_whole(monkeypatch):
    layered, backend = layered_set(), make_backend("cpu")
    size = 2 * layered.width, 2 * layered.height
    whole = render_channels(layered, backend, size).numpy()
    monkeypatch.setattr(bands, "_WHOLE_BYTES", 0)
    monkeypatch.setattr(bands, "_BAND_BYTES", 4 * size[0] * 8 * 11)
    parts = list(bands.channel_bands(layered, backend, size))
    assert len(parts) > 5
    np.testing.assert_allclose(np.concatenate([part for _, part in parts]), whole, atol=2e-6)


def test_a_smaller_decode_is_the_mean():
    layered, backend = layered_set(), make_backend("reference")
    whole = render_channels(layered, backend).numpy()
    one = render_channels(layered, backend, (1, 1)).numpy()
    np.testing.assert_allclose(one[0, 0], whole.mean(axis=(0, 1)), atol=1e-5)


def test_added_before_the_range():
    image, basis = torch.tensor([[[2.0], [-3.0]]]), np.ones((1, 1), np.float32)
    added = torch.tensor([[[-1.5], [0.5]]])
    assert to_channels(image, basis, np.zeros(1, np.float32), added).flatten().tolist() == [0.5, 0.0]
