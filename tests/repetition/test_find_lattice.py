"""The lattice that a picture repeats on, and none where it does not."""

import numpy as np
import pytest
from helpers.made_lattice import made_cloth, made_tiles

from imagegs_tex.repetition.find_lattice import find_repetition


@pytest.mark.parametrize("shift", [0, 8, 5])
def test_tiles_and_bricks(shift):
    found = find_repetition(made_tiles(shift=shift, noise=0.03))
    assert found is not None
    assert (found.lattice.period, found.lattice.shift) == ((16, 12), shift)
    assert found.parts == (1, 1)


def test_cells_begin_between_tiles():
    whole = made_tiles(size=(180, 140))
    found = find_repetition(whole[5:, 7:])
    assert found is not None
    assert found.lattice.period == (16, 12)
    for origin, cut, seam in zip(found.lattice.origin, (7, 5), (16, 12), strict=True):
        assert (origin - cut) % seam in {0, 1, seam - 1, seam - 2}  # in the seam, which is two texels wide


def test_cloth():
    found = find_repetition(made_cloth())
    assert found is not None
    assert found.lattice.period == (12, 12)
    assert found.lattice.shift == 0


def test_a_period_that_is_no_whole_number_is_made_whole():
    """Tiles of 10 2/3 rows: cells of 32, which fall into three parts."""
    height = 192
    rows = np.floor((np.arange(height) + 0.5) / (32 / 3)).astype(int)
    below = np.arange(height) - np.ceil(rows * 32 / 3)
    lines = np.where(below < 2, 0.1, 0.5 + 0.03 * below)
    picture = np.repeat(lines[:, None, None], 96, axis=1) * np.where(np.arange(96) % 16 < 2, 0.3, 1.0)[None, :, None]
    found = find_repetition(picture.astype(np.float32))
    assert found is not None
    assert found.lattice.period == (16, 32)
    assert found.parts == (1, 3)


@pytest.mark.parametrize("name", ["noise", "slope", "constant in one direction", "waves that drift", "tiny"])
def test_what_does_not_repeat(name):
    random = np.random.default_rng(1)
    y, x = np.mgrid[:128, :160] / 160
    picture = {
        "noise": random.random((128, 160, 2)),
        "slope": np.stack([x, y], axis=-1),
        "constant in one direction": np.repeat(random.random((1, 160, 1)), 128, axis=0),
        "waves that drift": np.sin(60 * x**2 + 45 * y**2)[..., None],
        "tiny": random.random((5, 9, 1)),
    }[name]
    assert find_repetition(picture.astype(np.float32)) is None
