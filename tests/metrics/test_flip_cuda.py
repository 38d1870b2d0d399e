"""FLIP in torch beside the authors' package; it needs no GPU."""

import flip_evaluator
import numpy as np
import pytest
import torch

from imagegs_tex.metrics.flip_cuda import flip_errors


@pytest.mark.parametrize("size", [(150, 70), (64, 128), (9, 5)])
@pytest.mark.parametrize("deviation", [0.01, 0.2])
def test_errors_are_those_of_the_package(size, deviation):
    rng = np.random.default_rng(1)
    y, x = np.mgrid[: size[0], : size[1]] / 20
    source = np.stack([0.5 + 0.5 * np.sin(x), 0.5 + 0.4 * np.cos(x * y), np.full(size, 0.3)], axis=-1)
    source[4:30, 2:9] = [0.0, 1.0, 0.0]
    decoded = np.clip(source + rng.normal(0, deviation, source.shape), 0, 1)
    decoded[6:20, 1:4] = [0.0, 0.0, 1.0]
    pair = [np.ascontiguousarray(picture, np.float32) for picture in (source, decoded)]
    wanted, mean, _ = flip_evaluator.evaluate(*pair, "LDR", inputsRGB=True, applyMagma=False)
    found = flip_errors(*map(torch.from_numpy, pair)).numpy()
    assert np.abs(found - wanted[..., 0]).max() < 1e-3
    assert found.mean() == pytest.approx(mean, abs=1e-4)
    assert mean > 0.03
