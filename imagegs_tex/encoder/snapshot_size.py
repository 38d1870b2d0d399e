"""How many bytes a file of a fit would take as the fit is now, found by writing one; nothing is searched or refined."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from imagegs_tex.encoder.encode import order_in_file, suited_feature_step
from imagegs_tex.fit.channel_weights import channel_weights
from imagegs_tex.fit.control import FitSnapshot
from imagegs_tex.formats.igs import quantized_set as g
from imagegs_tex.formats.igs.container import encode_igs
from imagegs_tex.formats.igs.entropy import Entropy
from imagegs_tex.formats.material.stack import TextureStack
from imagegs_tex.quantize.geometry import geometry_quantizer
from imagegs_tex.settings import Precision

_INT16: Final = np.iinfo(np.int16)
_ENOUGH_TEXELS: Final = 1 << 20
"""Of larger pictures, only some rows are looked at."""


@dataclass(frozen=True, slots=True)
class Spread:
    """What a picture's channels weigh, and how much there is in them."""

    weight: float  # of all channels together
    variance: float  # of the texels, channels by their weights


def spread_of(stack: TextureStack) -> Spread:
    """Return that of a stack."""
    weights = np.array(channel_weights(stack))
    some = stack.texels[:: max(1, stack.width * stack.height // _ENOUGH_TEXELS)]
    return Spread(float(weights.sum()), float(weights @ some.var(axis=(0, 1), dtype=np.float64)))


def snapshot_bytes(snapshot: FitSnapshot, spread: Spread, precision: Precision) -> int | None:
    """Return the bytes of a file of a fit at one step, without grain; None where files do not hold what it is now.

    The nearest codes stand for those that the end of a compression looks for, the fast coder for the small one: 10 ms
    for 2,650 Gaussians instead of 80. At the end of a fit of the example's maps that makes 0 to 9 % more, and some 250
    bytes for maps and components as they are.

    Args:
        snapshot: of the fit
        spread: of the stack that is fitted
        precision: of the file
    """
    quantizer = geometry_quantizer(snapshot.width, snapshot.height, snapshot.count, precision, snapshot.wrap)
    positions, shapes, exponents = quantizer.codes(snapshot.means, snapshot.log_covariances)
    order = order_in_file(positions, shapes, exponents, quantizer.cell_log2)
    positions, shapes = positions[order], shapes[order]
    sizes = shapes[:, 0] * np.float64(quantizer.size_step)
    scales = g.feature_scales(sizes, precision.feature_exponent)
    error = 10 ** (-snapshot.psnr_db / 10) * spread.weight
    suited = suited_feature_step(error, spread.variance, snapshot.count, precision)
    step = np.float32(np.clip(suited / np.median(scales), *g.FEATURE_STEP_RANGE))
    codes = np.rint(snapshot.features[order] / (scales[:, None] * np.float64(step)))
    basis_scale = float(np.abs(snapshot.basis).max())
    now = g.QuantizedGaussianSet(
        width=snapshot.width, height=snapshot.height, maps=snapshot.maps, cutoff=float(np.float32(snapshot.cutoff)),
        position_ratio=quantizer.position_ratio, size_step=quantizer.size_step, form_step=quantizer.form_step,
        cell_log2=quantizer.cell_log2, position_codes=positions, shape_codes=shapes,
        feature_codes=np.clip(codes, _INT16.min, _INT16.max).astype(np.int16),
        feature_steps=np.full(len(snapshot.basis), step), feature_exponent=precision.feature_exponent,
        basis_scale=basis_scale,
        basis_codes=np.rint(snapshot.basis * (g.BASIS_CODE_MAX / basis_scale)).astype(np.int16),
        offset_codes=np.rint(snapshot.offset * g.OFFSET_SCALE).astype(np.uint16), wrap=snapshot.wrap,
        entropy=Entropy.FAST,
    )  # fmt: skip
    try:
        return len(encode_igs(now))
    except ValueError:
        return None
