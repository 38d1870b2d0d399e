"""Large pictures band by band: what a whole one has, and never more than a band of numbers at once."""

import numpy as np
import pytest
from helpers.tiny_material import write_material

from imagegs_tex import CompressSettings, FitSettings, compress
from imagegs_tex.decoder import bands
from imagegs_tex.decoder.maps import decode_maps
from imagegs_tex.decoder.render import scaled_size
from imagegs_tex.formats.errors import UsageError
from imagegs_tex.formats.igs.container import read_igs
from imagegs_tex.formats.images import read_image, write_image
from imagegs_tex.formats.material.options import SourceOptions
from imagegs_tex.rasterize.select_backend import make_backend

CPU = make_backend("cpu", 2)


@pytest.fixture(scope="module", params=["wrap", "clamp", "exact"])
def quantized(request, tmp_path_factory):
    side = 10 if request.param == "exact" else 72
    folder = tmp_path_factory.mktemp(request.param)
    material = write_material(folder / "stone", side, side)
    rng = np.random.default_rng(0)
    texels = read_image(material / "basecolor.png")[0]
    noisy = np.clip(texels + rng.normal(0, 25, texels.shape), 0, 255).astype(np.uint8)
    write_image(material / "basecolor.png", noisy)  # grain, so that there is a detail layer
    settings = CompressSettings(None if request.param == "exact" else 40, fit=FitSettings(steps=12, refine_sweeps=0))
    repeats = request.param == "wrap"
    compress(material, folder / "a.igs", settings, "cpu", options=SourceOptions(wrap=(repeats, repeats)))
    found = read_igs(folder / "a.igs")
    assert (found.exact is not None) == (request.param == "exact")
    return found


def test_bands_are_the_whole_picture(quantized, monkeypatch):
    size = (quantized.width * 2, quantized.height * 3)
    whole = decode_maps(quantized, CPU, size, with_detail=True, premultiplied=True)
    monkeypatch.setattr(bands, "_WHOLE_BYTES", 0)
    monkeypatch.setattr(bands, "_BAND_BYTES", 4 * size[0] * (quantized.component_count + quantized.channel_count) * 7)
    heights = [len(texels) for _, texels in bands.channel_bands(quantized, CPU, size)]
    assert len(heights) > 4
    assert set(heights[:-1]) == {7}
    assert sum(heights) == size[1]
    banded = decode_maps(quantized, CPU, size, with_detail=True, premultiplied=True)
    for (texture_map, samples), (_, wanted) in zip(banded, whole, strict=True):
        assert samples.dtype == wanted.dtype
        step = np.iinfo(wanted.dtype).max / 255
        assert np.abs(samples.astype(float) - wanted).max() <= step, texture_map.name
        assert np.mean(samples != wanted) < (0.02 if wanted.dtype == np.uint8 else 1)


def test_a_smaller_picture_is_drawn_whole(quantized, monkeypatch):
    monkeypatch.setattr(bands, "_WHOLE_BYTES", 0)
    size = (quantized.width * 2, quantized.height // 2)
    assert [first for first, _ in bands.channel_bands(quantized, CPU, size)] == [0]


def test_one_side_keeps_the_proportions(quantized):
    side = quantized.width
    assert scaled_size(quantized, None, (None, 3 * side)) == (3 * side, 3 * side)
    assert scaled_size(quantized, None, (side // 2, None)) == (side // 2, side // 2)
    assert scaled_size(quantized, None, (7, 9)) == (7, 9)
    for size in ((None, 16385), (16385, None), (0, None)):
        with pytest.raises(UsageError, match=r"is outside 1\.\.16384 texels each way"):
            scaled_size(quantized, None, size)
    with pytest.raises(UsageError, match="exclude each other"):
        scaled_size(quantized, 2.0, (None, 5))
