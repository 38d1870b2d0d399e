"""LPIPS against torch's own modules with the same weights."""

import numpy as np
import pytest
import torch
from helpers.lpips_weights import write_lpips_weights
from torch import nn

from imagegs_tex.formats.errors import InputError
from imagegs_tex.metrics import lpips
from imagegs_tex.metrics.lpips import BACKBONE, LINEAR, load_lpips


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_lpips_weights(tmp_path_factory.mktemp("weights") / "lpips")


def by_modules(folder, first, second):
    """As in the paper, with torch's modules in AlexNet's order."""
    pool = nn.MaxPool2d(kernel_size=3, stride=2)
    convolutions = [
        nn.Conv2d(3, 64, 11, 4, 2), nn.Conv2d(64, 192, 5, padding=2), nn.Conv2d(192, 384, 3, padding=1),
        nn.Conv2d(384, 256, 3, padding=1), nn.Conv2d(256, 256, 3, padding=1),
    ]  # fmt: skip
    backbone, linear = (torch.load(folder / name, weights_only=True) for name in (BACKBONE, LINEAR))
    for place, module in zip((0, 3, 6, 8, 10), convolutions, strict=True):
        module.load_state_dict({part: backbone[f"features.{place}.{part}"] for part in ("weight", "bias")})
    scale = torch.tensor([[0.458, 0.448, 0.450]]).reshape(1, 3, 1, 1)
    shift = torch.tensor([[-0.030, -0.088, -0.188]]).reshape(1, 3, 1, 1)
    features = [(torch.from_numpy(each).permute(2, 0, 1)[None] * 2 - 1 - shift) / scale for each in (first, second)]
    total = 0.0
    with torch.no_grad():
        for place, module in enumerate(convolutions):
            features = [module(pool(each) if place in {1, 2} else each).relu() for each in features]
            one, other = (each / (each.norm(dim=1, keepdim=True) + 1e-10) for each in features)
            weights = linear[f"lin{place}.model.1.weight"].reshape(1, -1, 1, 1)
            total += float(((one - other) ** 2 * weights).sum(dim=1).mean())
    return total


@pytest.mark.parametrize("size", [(64, 64), (31, 97)])
def test_it_is_what_torch_modules_make_of_it(folder, size):
    rng = np.random.default_rng(1)
    first = rng.random((*size, 3), dtype=np.float32)
    second = np.clip(first + rng.normal(0, 0.1, first.shape), 0, 1).astype(np.float32)
    network = load_lpips(folder)
    found = network.distance(first, second)
    assert found == pytest.approx(by_modules(folder, first, second), rel=1e-4)
    assert found > 1e-3
    assert network.distance(first, first) == 0
    grey = first[..., :1]
    assert network.distance(grey, second[..., :1]) == pytest.approx(
        network.distance(np.repeat(grey, 3, axis=2), np.repeat(second[..., :1], 3, axis=2))
    )
    assert network.distance(first[:30, :30], second[:30, :30]) is None


def test_large_pictures_count_in_parts(folder, monkeypatch):
    rng = np.random.default_rng(2)
    first, second = rng.random((2, 96, 64, 3), dtype=np.float32)
    network = load_lpips(folder)
    halves = [network.distance(first[rows], second[rows]) for rows in (slice(48), slice(48, None))]
    monkeypatch.setattr(lpips, "_MOST_SIDE", 64)
    assert network.distance(first, second) == pytest.approx(np.mean(halves))


def test_wrong_weights_are_refused(folder, tmp_path):
    with pytest.raises(InputError, match="no such folder; --lpips-weights needs"):
        load_lpips(tmp_path / "none")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=f"{BACKBONE}: there is no such file; --lpips-weights needs"):
        load_lpips(tmp_path / "empty")
    short = write_lpips_weights(tmp_path / "short", gone="lin3.model.1.weight")
    with pytest.raises(InputError, match=f"{LINEAR}: lin3.model.1.weight is missing; these are not LPIPS's weights"):
        load_lpips(short)
    (short / BACKBONE).write_bytes(b"PK\x03\x04 no weights")
    with pytest.raises(InputError, match="no file of weights that can be read safely"):
        load_lpips(short)
