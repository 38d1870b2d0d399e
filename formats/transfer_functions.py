"""Transfer functions: from sample values to the code domain and back."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.formats.vocabulary import FloatTexels, Samples

LOG_KNEE: Final = 2.0**-6
"""Where the log transfer turns from nearly linear to logarithmic, in sample units: exact in every float format."""


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
