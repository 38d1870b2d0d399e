"""A file with a residual is of version 4, comes back as it was, and is decoded with what the layer adds."""

from dataclasses import replace

import numpy as np
import pytest
from helpers.igs_sets import make_set

from imagegs_tex.decoder.render import render_channels
from imagegs_tex.formats.errors import UsageError
from imagegs_tex.formats.igs.container import decode_igs, encode_igs, section_sizes, version_of
from imagegs_tex.formats.igs.residual_layer import residual_picture
from imagegs_tex.quantize.residual_rdo import make_residual_layer
from imagegs_tex.rasterize.select_backend import make_backend
from imagegs_tex.shaders.gpu_buffer import pack_gaussians


def test_section_in_a_file() -> None:
    plain = make_set()
    shape = (plain.height, plain.width, plain.channel_count)
    residual = np.random.default_rng(3).normal(0, 0.05, shape)
    layered = replace(plain, residual=make_residual_layer(residual, 0.02, 3))
    data = encode_igs(layered)
    assert version_of(data) == 4
    assert [size.name for size in section_sizes(data)][:-1] == [size.name for size in section_sizes(encode_igs(plain))]
    assert section_sizes(data)[-1].name == "residual"
    again = decode_igs(data)
    assert again.residual is not None
    assert encode_igs(again) == data
    backend = make_backend("reference")
    added = render_channels(again, backend) - render_channels(plain, backend)
    expected = residual_picture(again.residual, shape[1::-1], shape[1::-1])
    np.testing.assert_allclose(added.numpy(), expected, atol=1e-6)
    assert np.abs(expected - residual).max() < 0.06
    with pytest.raises(UsageError, match="residual"):
        pack_gaussians(again)
