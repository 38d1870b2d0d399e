"""MS-SSIM against an independent implementation."""

import numpy as np
import pytest
import torch
from pytorch_msssim import ms_ssim as independent

from imagegs_tex.metrics.multiscale_ssim import LEAST_SIDE, multiscale_similarity


@pytest.mark.parametrize("shape", [(176, 192), (161, 203), (255, 161)])
def test_it_equals_an_independent_implementation(shape):
    rng = np.random.default_rng(sum(shape))
    y, x = np.mgrid[: shape[0], : shape[1]] / 20
    first = np.stack([np.sin(x) * np.cos(y), np.sin(x * y / 4)], axis=-1) * 0.4 + 0.5
    second = np.clip(first + 0.15 * rng.standard_normal(first.shape), 0, 1)
    planes = [torch.from_numpy(np.moveaxis(picture, -1, 0)[:, None].astype(np.float32)) for picture in (first, second)]
    wanted = independent(*planes, data_range=1.0, size_average=False).numpy()
    found = multiscale_similarity(first.astype(np.float32), second.astype(np.float32))
    assert found == pytest.approx(wanted, abs=2e-5)


def test_equal_opposed_and_small_pictures():
    picture = np.random.default_rng(0).random((200, 170, 1)).astype(np.float32)
    assert multiscale_similarity(picture, picture) == pytest.approx([1.0])
    assert multiscale_similarity(picture, 1 - picture) == pytest.approx([0.0])
    small = picture[: LEAST_SIDE - 1, :LEAST_SIDE]
    assert multiscale_similarity(small, small) is None
