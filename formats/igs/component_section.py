"""The section components: what all Gaussians' features are decoded with, and the ranges of all planes of codes."""

import struct
from typing import Final

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.formats.igs import quantized_set as g
from imagegs_tex.formats.igs.planes import Plane, require
from imagegs_tex.formats.igs.quantized_set import QuantizedGaussianSet

SHAPE_PLANES: Final = 3
_PLANE: Final = struct.Struct("<hB")


def pack_components(quantized: QuantizedGaussianSet, planes: list[Plane]) -> bytes:
    """Return the plain form; planes are of shapes, then of features."""
    return b"".join(
        [
            quantized.offset_codes.astype("<u2").tobytes(),
            quantized.feature_steps.astype("<f4").tobytes(),
            quantized.basis_codes.astype("<i2").tobytes(),
            *(_PLANE.pack(plane.least, plane.width) for plane in planes),
        ]
    )


def unpack_components(
    raw: bytes, channels: int, components: int
) -> tuple[NDArray[np.uint16], NDArray[np.float32], NDArray[np.int16], list[Plane]]:
    """Return the offset [C], steps [K], basis [K, C] and planes; IgsError where they break a law."""
    plane_count = SHAPE_PLANES + components
    expected = 2 * channels + 4 * components + 2 * components * channels + _PLANE.size * plane_count
    require(len(raw) == expected, f"section components has {len(raw)} bytes instead of {expected}")
    at = 2 * channels
    offset = np.frombuffer(raw, "<u2", channels).astype(np.uint16)
    steps = np.frombuffer(raw, "<f4", components, at).astype(np.float32)
    least, most = g.FEATURE_STEP_RANGE
    require(bool(np.all((steps >= least) & (steps <= most))), "a feature step is out of range")
    at += 4 * components
    basis = np.frombuffer(raw, "<i2", components * channels, at).astype(np.int16).reshape(components, channels)
    at += 2 * components * channels
    planes = [Plane(*_PLANE.unpack_from(raw, at + index * _PLANE.size)) for index in range(plane_count)]
    for plane in planes:
        require(plane.width in {1, 2}, f"a plane of {plane.width} bytes per code")
    return offset, steps, basis, planes
