"""The quantized Gaussian set: what an .igs file holds once its sections are unpacked, and the values that codes mean.

Codes are integers as stored. The arithmetic from codes to values is docs/igs-format.md's and lives here only.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.formats.igs.detail_layer import DetailLayer
from imagegs_tex.formats.igs.entropy import Entropy
from imagegs_tex.formats.igs.exact_samples import ExactSamples
from imagegs_tex.formats.igs.repeat_layer import RepeatLayer
from imagegs_tex.formats.igs.residual_layer import ResidualLayer
from imagegs_tex.formats.vocabulary import TextureMap

EPSILON: Final = 2.0**-16
"""Added to the sum of weights: the offset shows where no Gaussian reaches."""

MAX_GAUSSIANS: Final = 1 << 22
CUTOFF_RANGE: Final = (1.0, 32.0)
POSITION_RATIO_RANGE: Final = (2.0**-10, 16.0)
SHAPE_STEP_RANGE: Final = (2.0**-10, 4.0)
FEATURE_STEP_RANGE: Final = (2.0**-20, 16.0)
FEATURE_EXPONENT_RANGE: Final = (0.0, 2.0)
FEATURE_EXPONENT_SCALE: Final = 16
"""The feature exponent is stored in sixteenths."""
BASIS_SCALE_RANGE: Final = (2.0**-20, 2.0**20)
CELL_LOG2_RANGE: Final = (2, 8)
LOG_SIZE_RANGE: Final = (-12.0, 24.0)
LOG_FORM_LIMIT: Final = 5.0
OFFSET_SCALE: Final = 65535.0
BASIS_CODE_MAX: Final = 32767
MAX_REACH: Final = 64
"""Pictures: where the picture repeats, a support reaches at most this far, so that its images stay countable."""
TIE_MARGIN: Final = 1e-6
"""How far from a rounding tie a writer keeps every position exponent."""


@dataclass(frozen=True, slots=True)
class QuantizedGaussianSet:
    """A material as integers and steps. Gaussians are sorted by cell (see :func:`cell_of`)."""

    width: int  # texels, 1..16384
    height: int  # texels, 1..16384
    maps: tuple[TextureMap, ...]
    cutoff: float  # float32 value, q at which a support ends
    position_ratio: float  # float32 value, position step over the Gaussian's own width
    size_step: float  # float32 value, step of m
    form_step: float  # float32 value, step of h and b
    cell_log2: int  # cells are 2^cell_log2 texels
    position_codes: NDArray[np.int32]  # [N, 2] x, y: floor(mean / 2^exponent), counted from the picture's corner
    shape_codes: NDArray[np.int16]  # [N, 3] m, h, b
    feature_codes: NDArray[np.int16]  # [N, K]
    feature_steps: NDArray[np.float32]  # [K], of a Gaussian with m = 0
    feature_exponent: float  # a multiple of 1/16; a Gaussian's steps are the above times its width^-exponent
    basis_scale: float  # float32 value
    basis_codes: NDArray[np.int16]  # [K, C]
    offset_codes: NDArray[np.uint16]  # [C]
    wrap: tuple[bool, bool] = (False, False)  # whether the picture repeats in x and in y
    entropy: Entropy = Entropy.SMALL  # how a file of it is coded
    detail: DetailLayer | None = None  # what is drawn as noise
    repeat: RepeatLayer | None = None  # what repeats on a lattice, added to the picture of the Gaussians
    residual: ResidualLayer | None = None  # what is added to both
    exact: ExactSamples | None = None  # the picture itself; Gaussians then mean nothing, and there is no detail

    @property
    def gaussian_count(self) -> int:
        """N."""
        return int(self.position_codes.shape[0])

    @property
    def component_count(self) -> int:
        """K."""
        return int(self.basis_codes.shape[0])

    @property
    def channel_count(self) -> int:
        """C."""
        return int(self.basis_codes.shape[1])


@dataclass(frozen=True, slots=True)
class DequantizedGaussians:
    """The values that the codes mean, as a decoder uses them."""

    means: NDArray[np.float32]  # [N, 2] x, y in texels, inside the picture
    log_covariances: NDArray[np.float32]  # [N, 3] m, h, b
    conics: NDArray[np.float32]  # [N, 3] A, B, C of the inverse covariance, in 1/texels^2
    features: NDArray[np.float32]  # [N, K]
    basis: NDArray[np.float32]  # [K, C]
    offset: NDArray[np.float32]  # [C] in [0, 1]


def dequantize(quantized: QuantizedGaussianSet) -> DequantizedGaussians:
    """Turn codes into values; computed in float64, rounded to float32 once."""
    shapes = shape_values(quantized.shape_codes, quantized.size_step, quantized.form_step)
    exponents = position_exponents(shapes, quantized)
    means = (quantized.position_codes + 0.5) * np.exp2(exponents)
    features = feature_values(quantized)
    return DequantizedGaussians(
        means=means.astype(np.float32),
        log_covariances=shapes.astype(np.float32),
        conics=conics_of(shapes).astype(np.float32),
        features=features.astype(np.float32),
        basis=basis_values(quantized.basis_codes, quantized.basis_scale),
        offset=(quantized.offset_codes / OFFSET_SCALE).astype(np.float32),
    )


def feature_values(quantized: QuantizedGaussianSet) -> NDArray[np.float64]:
    """Return the features [N, K] that feature codes mean."""
    m = quantized.shape_codes[:, 0] * np.float64(quantized.size_step)
    scales = feature_scales(m, quantized.feature_exponent)
    return np.asarray(quantized.feature_codes * quantized.feature_steps.astype(np.float64) * scales[:, None])


def feature_scales(m: NDArray[np.float64], feature_exponent: float) -> NDArray[np.float64]:
    """Return the factors [N] on the feature steps of Gaussians of sizes m [N]: e^(m/2) is a Gaussian's width in texels.

    An error of a feature shows on the Gaussian's whole area, so that what is large wants finer steps.
    """
    return np.asarray(np.exp(-0.5 * feature_exponent * m))


def basis_values(basis_codes: NDArray[np.int16], basis_scale: float) -> NDArray[np.float32]:
    """Return the basis [K, C] that codes and scale mean."""
    return np.asarray(basis_codes * (np.float64(basis_scale) / BASIS_CODE_MAX), dtype=np.float32)


def shape_values(shape_codes: NDArray[np.int16], size_step: float, form_step: float) -> NDArray[np.float64]:
    """Return the log-covariances m, h, b [N, 3] that shape codes mean."""
    return shape_codes.astype(np.float64) * np.array([size_step, form_step, form_step], dtype=np.float64)


def conics_of(log_covariances: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the inverse covariances A, B, C [N, 3] in 1/texels^2 of log-covariances m, h, b [N, 3].

    The closed form of exp(-S) of a symmetric 2 x 2 matrix S: docs/igs-format.md, "Section 5: shapes".
    """
    m, h, b = np.moveaxis(log_covariances.astype(np.float64), -1, 0)
    r = np.hypot(h, b)
    scale = np.exp(-m)
    with np.errstate(invalid="ignore"):
        s = np.where(r > 0, np.sinh(r) / np.where(r > 0, r, 1.0), 1.0)
    cosh = np.cosh(r)
    return np.stack([scale * (cosh - h * s), -scale * b * s, scale * (cosh + h * s)], axis=-1)


def reaches_of(log_covariances: NDArray[np.float64], cutoff: float) -> NDArray[np.float64]:
    """Return half the width and height of each support's bounding box [N, 2], in texels."""
    # The inverse of a 2 x 2 matrix with determinant e^(-2m): its diagonal is that of the covariance.
    variances = conics_of(log_covariances)[:, [2, 0]] * np.exp(2 * log_covariances[:, :1])
    return np.asarray(np.sqrt(2 * cutoff * variances))


def least_exponent(width: int, height: int) -> int:
    """Return e_min: the finest position step is 2^e_min texels, so that 16 bits hold any position."""
    return (max(width, height, 2048) - 1).bit_length() - 15


def rounded_exponents(log_covariances: NDArray[np.float64], position_ratio: float) -> NDArray[np.float64]:
    """Return log2(t) - log2(A)/2 and the same with C, [N, 2], before rounding and clamping."""
    conics = conics_of(log_covariances)
    return np.asarray(np.log2(position_ratio) - 0.5 * np.log2(conics[:, [0, 2]]))


def position_exponents(log_covariances: NDArray[np.float64], quantized: QuantizedGaussianSet) -> NDArray[np.int32]:
    """Return the position steps' exponents e_x, e_y [N, 2]; log_covariances must be the unrounded float64 values."""
    return clamp_exponents(
        rounded_exponents(log_covariances, quantized.position_ratio),
        least_exponent(quantized.width, quantized.height),
        quantized.cell_log2,
    )


def clamp_exponents(exponents: NDArray[np.float64], least: int, cell_log2: int) -> NDArray[np.int32]:
    """Round exponents to integers in least..cell_log2."""
    return np.clip(np.rint(exponents), least, cell_log2).astype(np.int32)


def cell_grid(width: int, height: int, cell_log2: int) -> tuple[int, int]:
    """Return how many cells cover the picture, across and down."""
    return -(-width >> cell_log2), -(-height >> cell_log2)


def cell_of(position_codes: NDArray[np.int32], exponents: NDArray[np.int32], cell_log2: int) -> NDArray[np.int32]:
    """Return the cell x, y [N, 2] of positions with the given step exponents."""
    return np.right_shift(position_codes, cell_log2 - exponents)
