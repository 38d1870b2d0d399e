"""Where Gaussians start."""

import numpy as np
import pytest
import torch

from imagegs_tex.fit import initialise as module
from imagegs_tex.fit.initialise import initialise


@pytest.mark.parametrize("wrap", [(False, False), (True, False), (True, True)])
@pytest.mark.parametrize("size", [(40, 31), (5, 3)])  # the second is narrower than the kernel
def test_blurring_at_some_texels_is_blurring_all_of_them(wrap, size, monkeypatch):
    monkeypatch.setattr(module, "_POINTS_AT_ONCE", 17)
    rng = np.random.default_rng(0)
    plane = torch.from_numpy(rng.random((size[1], size[0])).astype(np.float32))
    rows, columns = (torch.from_numpy(rng.integers(0, length, 50)) for length in plane.shape)
    rows[:2], columns[:2] = torch.tensor([0, size[1] - 1]), torch.tensor([0, size[0] - 1])
    found = module._blurred_at(rows, columns, plane, 1.0, wrap)
    torch.testing.assert_close(found, module._blur(plane, 1.0, wrap)[rows, columns])


def test_gaussians_lie_along_edges():
    picture = torch.zeros(64, 64, 1)
    picture[:, 32:] = 1.0
    start = initialise(picture, 40, np.random.default_rng(0))
    near = (start.means[:, 0] - 32).abs() < 2
    assert near.sum() > 10
    assert (start.log_covariances[near, 1] < -1).all()  # h below 0: longer in y than in x


@pytest.mark.parametrize("upright", [False, True])
def test_gaussians_are_no_longer_than_a_thin_picture(upright):
    """An edge across one row has no length: drawn out along it, Gaussians would leave holes in the row."""
    row = torch.linspace(0, 1, 256).reshape(1, 256, 1)
    start = initialise(row.transpose(0, 1) if upright else row, 64, np.random.default_rng(0))
    m, h, b = start.log_covariances.T
    assert (b == 0).all()
    along = ((m - h if upright else m + h) / 2).exp()
    across = ((m + h if upright else m - h) / 2).exp()
    assert across.max() < 0.41
    assert along.median() > 1.2  # 4 texels each
