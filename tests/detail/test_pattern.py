"""Whether a texture repeats: weave does, grain and what is copied far away do not."""

import numpy as np
import pytest

from imagegs_tex.detail.pattern import repetition


def noise(height, width, steps):
    """White noise blurred so many times along both axes."""
    values = np.random.default_rng(height + width + steps).standard_normal((height, width))
    for axis in (0, 1):
        for _ in range(steps):
            values = (np.roll(values, 1, axis) + 2 * values + np.roll(values, -1, axis)) / 4
    return values / values.std()


@pytest.mark.parametrize(("height", "width"), [(48, 48), (97, 256), (384, 384)])
@pytest.mark.parametrize("steps", [0, 2, 6])
def test_grain_is_like_itself_nowhere(height, width, steps):
    assert repetition(noise(height, width, steps)) < 0.1


@pytest.mark.parametrize("share", [0.5, 0.8])
def test_weave_is_like_itself_by_its_share_of_the_energy(share):
    y, x = np.mgrid[:192, :256] * (2 * np.pi / 16)
    weave = 2 * np.sin(x) * np.sin(y)
    assert repetition(np.sqrt(share) * weave + np.sqrt(1 - share) * noise(192, 256, 0)) == pytest.approx(share, abs=0.1)


def test_copies_far_away_are_no_weave():
    assert repetition(np.tile(noise(44, 44, 1), (5, 5))) < 0.1


def test_a_flat_picture_repeats_nothing():
    assert repetition(np.zeros((64, 64))) == 0
