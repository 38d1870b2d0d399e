import importlib.util
import re
import sys

import numpy as np
import pytest
from helpers.made_gaussians import made_map, made_set

from imagegs_tex.decoder.render import shader_decoder
from imagegs_tex.formats.images import read_image
from imagegs_tex.formats.vocabulary import Coded
from imagegs_tex.shaders.emit import emit


@pytest.mark.gl
def test_frames_gather_to_the_filtered_sample(device, tmp_path, repository, monkeypatch, capsys):
    quantized = made_set(64, 64, 60, 3, maps=(made_map(routes=(Coded(0), Coded(1), Coded(2))),), wrap=(True, True))
    emit(quantized, "glsl", tmp_path / "decoder", shader_decoder(quantized))
    spec = importlib.util.spec_from_file_location("example", repository / "examples" / "stochastic_sampling.py")
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    monkeypatch.setattr(example, "SIZE", 32)
    monkeypatch.setattr(example, "FRAMES", 32)
    monkeypatch.setattr(sys, "argv", ["", str(tmp_path / "decoder"), str(tmp_path / "out.png")])
    example.main()
    one, many = (float(number) for number in re.findall(r"sample ([0-9.]+)", capsys.readouterr().out))
    assert one > 0.01
    assert many < one / 4  # by chance alone a sixth
    texels, _ = read_image(tmp_path / "out.png")
    assert texels.shape == (32, 96, 3)
    assert texels[:, 64:].astype(float).std() > 3
    noise = example.blue_noise(3)
    low = np.abs(np.fft.fft2(noise - 0.5))[1:4, 1:4]
    assert low.mean() < 0.3 * np.abs(np.fft.fft2(noise - 0.5))[20:30, 20:30].mean()
