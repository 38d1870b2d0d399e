"""The section of positions: a Gaussian's place within its cell, in as many bits as its shape implies."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.formats.igs import quantized_set as g
from imagegs_tex.formats.igs.bit_fields import pack_fields, unpack_fields
from imagegs_tex.formats.igs.header import Header
from imagegs_tex.formats.igs.plane_coders import CellOrder
from imagegs_tex.formats.igs.planes import require

_GAUSSIANS_AT_ONCE: Final = 1 << 16
"""Bounds the memory of temporaries, so that reading takes little more than what the set itself takes."""


def pack_positions(header: Header, position_codes: NDArray[np.int32], exponents: NDArray[np.int32]) -> bytes:
    """Return the section, of position codes and the exponents of their steps, both [N, 2]."""
    field_bits = header.cell_log2 - exponents
    return pack_fields((position_codes & ((1 << field_bits) - 1)).ravel(), field_bits.ravel())


def unpack_positions(
    header: Header, raw: bytes, order: CellOrder, shape_codes: NDArray[np.int16]
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return position codes and the exponents of their steps, both [N, 2]."""
    message = "section positions does not have the length that the shapes imply"
    codes, exponents = (np.empty((len(shape_codes), 2), dtype=np.int32) for _ in range(2))
    bit = 0
    for start in range(0, len(codes), _GAUSSIANS_AT_ONCE):
        block = slice(start, start + _GAUSSIANS_AT_ONCE)
        exponents[block] = lawful_exponents(header, shape_codes[block], g.TIE_MARGIN / 2)
        field_bits = (header.cell_log2 - exponents[block]).astype(np.int64)
        end = bit + int(field_bits.sum())
        require(end <= 8 * len(raw), message)
        fields = unpack_fields(raw, field_bits.ravel(), bit).reshape(-1, 2)
        bit = end
        cells = np.stack([order.numbers[block] % order.across, order.numbers[block] // order.across], axis=1)
        codes[block] = (cells << field_bits) + fields
        check_means(header, codes[block], exponents[block])
    require(len(raw) == -(-bit // 8), message)
    require(bit % 8 == 0 or raw[-1] >> (bit % 8) == 0, "section positions is not filled up with zeros")
    return codes, exponents


def lawful_exponents(header: Header, shape_codes: NDArray[np.int16], tie_margin: float) -> NDArray[np.int32]:
    """Return the position steps' exponents [N, 2] of shapes that keep the format's laws."""
    shapes = g.shape_values(shape_codes, header.size_step, header.form_step)
    least, greatest = g.LOG_SIZE_RANGE
    require(bool(np.all((shapes[:, 0] >= least) & (shapes[:, 0] <= greatest))), "a Gaussian's size is out of range")
    require(
        bool(np.all(np.hypot(shapes[:, 1], shapes[:, 2]) <= g.LOG_FORM_LIMIT)), "a Gaussian is thinner than allowed"
    )
    if any(header.wrap):
        beyond = g.reaches_of(shapes, header.cutoff) > g.MAX_REACH * np.array([header.width, header.height])
        require(not np.any(beyond & header.wrap), f"a support reaches farther than {g.MAX_REACH} pictures that repeat")
    rounded = g.rounded_exponents(shapes, header.position_ratio)
    distances = np.abs(rounded - np.floor(rounded) - 0.5)
    require(bool(np.all(distances >= tie_margin)), "a position exponent lies on a rounding tie")
    return g.clamp_exponents(rounded, g.least_exponent(header.width, header.height), header.cell_log2)


def check_means(header: Header, position_codes: NDArray[np.int32], exponents: NDArray[np.int32]) -> None:
    """Require that all means lie inside the picture."""
    means = (position_codes + 0.5) * np.exp2(exponents)
    # one step can be wider than a thin picture: then its only code, 0, means a point beyond the edge
    inside = (means >= 0) & ((means < [header.width, header.height]) | (position_codes == 0))
    require(bool(np.all(inside)), "a Gaussian lies outside the picture")
