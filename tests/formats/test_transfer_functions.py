import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from imagegs_tex.formats.transfer_functions import LOG_KNEE, decode_log, encode_log, linear_to_srgb, srgb_to_linear


@given(hnp.arrays(np.uint16, st.integers(2, 50)))
def test_log_round_trip_is_within_a_float32_step(bits):
    samples = bits.view(np.float16)
    samples = samples[np.isfinite(samples)]
    assume(samples.size and samples.min() < samples.max())
    log_range = (float(samples.min()), float(samples.max()))
    codes = encode_log(samples, log_range)
    assert codes.dtype == np.float32
    assert codes.min() == 0
    assert codes.max() == 1
    back = decode_log(codes, log_range)
    # A code is exact to 2^-24; the steepest slope of the inverse is (|x| + k) ln 2 over the whole log range.
    span = sum(np.log2(1 + abs(bound) / LOG_KNEE) for bound in log_range)
    tolerance = 2.0**-23 * span * (np.abs(samples.astype(np.float64)) + LOG_KNEE)
    assert (np.abs(back - samples.astype(np.float64)) <= tolerance).all()


def test_log_takes_the_largest_floats():
    largest = float(np.finfo(np.float32).max)
    samples = np.array([-largest, 0, largest], dtype=np.float32)
    codes = encode_log(samples, (-largest, largest))
    assert codes.tolist() == [0.0, 0.5, 1.0]
    np.testing.assert_allclose(decode_log(codes, (-largest, largest)), samples, rtol=1e-12)


def test_log_code_by_hand():
    # L(0) = 0, L(63 k) = 6, L(1) = log2(65)
    assert encode_log(np.array([63 * LOG_KNEE]), (0.0, 1.0))[0] == pytest.approx(6 / np.log2(65), abs=1e-7)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_srgb_round_trip_and_values_of_the_standard(dtype):
    encoded = np.linspace(0, 1, 1025, dtype=dtype)
    linear = srgb_to_linear(encoded)
    assert linear.dtype == dtype
    np.testing.assert_allclose(linear_to_srgb(linear), encoded, atol=2e-6)
    assert float(srgb_to_linear(np.array(0.5, dtype))) == pytest.approx(0.2140411, abs=1e-6)
    assert float(srgb_to_linear(np.array(0.04, dtype))) == pytest.approx(0.04 / 12.92, abs=1e-8)
    assert srgb_to_linear(np.array([-1, 2], dtype)).tolist() == [0, 1]
