"""Transfer functions: samples to the code domain and back, and the sRGB curve.

The sRGB curve is that of IEC 61966-2-1. Shaders get its numbers from here; verification has its own copy on purpose.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.formats.vocabulary import FloatTexels, Samples

LOG_KNEE: Final = 2.0**-6
"""Where the log transfer turns from nearly linear to logarithmic, in sample units: exact in every float format."""

SRGB_SLOPE: Final = 12.92
SRGB_OFFSET: Final = 0.055
SRGB_EXPONENT: Final = 2.4
SRGB_TOE_ENCODED: Final = 0.04045
SRGB_TOE_LINEAR: Final = 0.0031308
"""Up to here the curve is a line of SRGB_SLOPE."""


def encode_log(samples: Samples, log_range: tuple[float, float]) -> FloatTexels:
    """Map samples to the code domain with the signed log transfer.

    ``code = (L(x) - L(lo)) / (L(hi) - L(lo))`` with ``L(x) = sign(x) log2(1 + |x| / LOG_KNEE)``.

    Args:
        samples: finite floats of any shape, in [lo, hi]
        log_range: (lo, hi) in sample units, lo < hi

    Returns:
        float32 of the same shape, in [0, 1].
    """
    low, high = (_signed_log(np.float64(bound)) for bound in log_range)
    code = (_signed_log(samples.astype(np.float64)) - low) / (high - low)
    return np.clip(code, 0.0, 1.0).astype(np.float32)


def decode_log(codes: NDArray[np.floating], log_range: tuple[float, float]) -> NDArray[np.float64]:
    """Invert :func:`encode_log`; codes outside [0, 1] are clipped first, so the result is finite and in [lo, hi]."""
    low, high = (_signed_log(np.float64(bound)) for bound in log_range)
    value = low + np.clip(codes.astype(np.float64), 0.0, 1.0) * (high - low)
    samples = np.copysign(LOG_KNEE * np.expm1(np.abs(value) * np.log(2.0)), value)
    return np.asarray(np.clip(samples, *log_range), dtype=np.float64)


def _signed_log(value: NDArray[np.float64] | np.float64) -> NDArray[np.float64]:
    return np.asarray(np.copysign(np.log1p(np.abs(value) / LOG_KNEE) / np.log(2.0), value))


def srgb_to_linear(encoded: NDArray[np.floating]) -> NDArray[np.floating]:
    """Undo the sRGB encoding; values outside [0, 1] are clipped. The dtype is kept."""
    values = np.clip(encoded, 0.0, 1.0)
    power = ((values + SRGB_OFFSET) / (1 + SRGB_OFFSET)) ** SRGB_EXPONENT
    return np.asarray(np.where(values <= SRGB_TOE_ENCODED, values / SRGB_SLOPE, power))


def linear_to_srgb(linear: NDArray[np.floating]) -> NDArray[np.floating]:
    """Encode linear light of [0, 1] with the sRGB curve; values outside are clipped. The dtype is kept."""
    values = np.clip(linear, 0.0, 1.0)
    power = (1 + SRGB_OFFSET) * values ** (1 / SRGB_EXPONENT) - SRGB_OFFSET
    return np.asarray(np.where(values <= SRGB_TOE_LINEAR, SRGB_SLOPE * values, power))
