import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from imagegs_tex.formats.material.push_pull import fill_smoothly


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 33), st.integers(1, 33), st.integers(0, 2**32 - 1), st.floats(0.01, 0.9))
def test_filling_keeps_what_is_known_and_stays_in_range(width, height, seed, share):
    generator = np.random.default_rng(seed)
    texels = generator.uniform(0.2, 0.7, (height, width, 2)).astype(np.float32)
    known = generator.random((height, width)) < share
    known[generator.integers(height), generator.integers(width)] = True
    low, high = texels[known].min(), texels[known].max()
    filled = texels.copy()
    filled[~known] = 9
    fill_smoothly(filled, known)
    assert np.array_equal(filled[known], texels[known])
    assert filled.min() >= low - 1e-5
    assert filled.max() <= high + 1e-5


def test_filling_is_smooth():
    texels = np.random.default_rng(0).random((64, 64, 1)).astype(np.float32)
    known = np.zeros((64, 64), bool)
    known[:32, :32] = True
    fill_smoothly(texels, known)
    ramp = np.zeros((8, 64, 1), np.float32)
    ramp[:, 63] = 1
    ends = np.zeros((8, 64), bool)
    ends[:, [0, 63]] = True
    fill_smoothly(ramp, ends)
    steps = np.diff(ramp[4, :, 0])
    assert steps.min() > 0
    assert steps.max() < 0.04  # 0.24 where the pyramid is not interpolated
    beyond = texels[34:, :, 0]
    assert np.abs(np.diff(beyond, axis=0)).max() < 0.15
    assert np.abs(np.diff(texels[40:, :, 0], axis=1)).max() < 0.1


def test_a_constant_stays_constant():
    texels = np.full((20, 31, 1), 0.4, np.float32)
    known = np.zeros((20, 31), bool)
    known[3, 4] = True
    texels[~known] = 0
    fill_smoothly(texels, known)
    assert np.allclose(texels, 0.4, atol=1e-6)
