"""The header of an .igs file: docs/igs-format.md, "Header", with the laws of its numbers."""

import struct
from dataclasses import dataclass
from typing import Final

from imagegs_tex.formats.igs import quantized_set as g
from imagegs_tex.formats.igs.planes import require
from imagegs_tex.formats.igs.quantized_set import QuantizedGaussianSet
from imagegs_tex.formats.vocabulary import MAX_CHANNELS, MAX_SIZE

HEADER: Final = struct.Struct("<8sHBBIIHHI5fBBBB")
KERNEL_SOFT_GAUSSIAN: Final = 1
MAX_CELLS_PER_GAUSSIAN: Final = 16
CELL_ALLOWANCE: Final = 4096
_WRAP_FLAGS: Final = {
    1: (0,),
    2: (0, 1, 2, 3),
    3: (0, 1, 2, 3),
    4: (0, 1, 2, 3),
}  # by version: bit 0 for x, bit 1 for y
_FEATURE_EXPONENT_SINCE: Final = 3


@dataclass(frozen=True, slots=True)
class Header:
    """The numbers that everything after them is read by."""

    width: int
    height: int
    channel_count: int
    component_count: int
    gaussian_count: int
    cutoff: float
    position_ratio: float
    size_step: float
    form_step: float
    basis_scale: float
    cell_log2: int
    wrap: tuple[bool, bool]  # whether the picture repeats in x and in y
    feature_exponent: float


def parse_header(data: bytes) -> Header:
    """Return the header of a file whose bytes hold one; IgsError where it breaks a law."""
    (_, version, kernel, _, width, height, channels, components, count, cutoff, ratio, size_step, form_step,
     scale, cell_log2, wrap, exponent, reserved) = HEADER.unpack_from(data)  # fmt: skip
    require(kernel == KERNEL_SOFT_GAUSSIAN, f"the unknown kernel {kernel}")
    require(wrap in _WRAP_FLAGS[version], f"wrap flags {wrap} in a file of version {version}")
    if version < _FEATURE_EXPONENT_SINCE:
        exponent, reserved = 0, exponent | reserved
    require(reserved == 0, "reserved bytes of the header are not zero")
    header = Header(
        width, height, channels, components, count, cutoff, ratio, size_step, form_step, scale, cell_log2,
        (bool(wrap & 1), bool(wrap & 2)), exponent / g.FEATURE_EXPONENT_SCALE,
    )  # fmt: skip
    check_header(header)
    return header


def header_of(quantized: QuantizedGaussianSet) -> Header:
    """Return the header that a set is written with."""
    return Header(
        width=quantized.width, height=quantized.height, channel_count=quantized.channel_count,
        component_count=quantized.component_count, gaussian_count=quantized.gaussian_count, cutoff=quantized.cutoff,
        position_ratio=quantized.position_ratio, size_step=quantized.size_step, form_step=quantized.form_step,
        basis_scale=quantized.basis_scale, cell_log2=quantized.cell_log2, wrap=quantized.wrap,
        feature_exponent=quantized.feature_exponent,
    )  # fmt: skip


def check_header(header: Header) -> None:
    """Raise IgsError where a number is outside its law."""
    width, height, count = header.width, header.height, header.gaussian_count
    channels, components = header.channel_count, header.component_count
    require(1 <= width <= MAX_SIZE and 1 <= height <= MAX_SIZE, f"{width} x {height} texels is outside 1..{MAX_SIZE}")
    require(1 <= channels <= MAX_CHANNELS, f"{channels} channels is outside 1..{MAX_CHANNELS}")
    require(1 <= components <= channels, f"{components} components is outside 1..{channels}")
    require(1 <= count <= g.MAX_GAUSSIANS, f"{count} Gaussians is outside 1..{g.MAX_GAUSSIANS}")
    require(_is_inside(header.cutoff, g.CUTOFF_RANGE), "the cut-off is out of range")
    require(_is_inside(header.position_ratio, g.POSITION_RATIO_RANGE), "the position ratio is out of range")
    require(_is_inside(header.size_step, g.SHAPE_STEP_RANGE), "the size step is out of range")
    require(_is_inside(header.form_step, g.SHAPE_STEP_RANGE), "the form step is out of range")
    require(_is_inside(header.basis_scale, g.BASIS_SCALE_RANGE), "the basis scale is out of range")
    require(_is_inside(header.feature_exponent, g.FEATURE_EXPONENT_RANGE), "the feature exponent is out of range")
    require(header.feature_exponent * g.FEATURE_EXPONENT_SCALE % 1 == 0, "the feature exponent is no multiple of 1/16")
    cell_log2 = header.cell_log2
    require(_is_inside(cell_log2, g.CELL_LOG2_RANGE), f"cell log2 {cell_log2} is outside {g.CELL_LOG2_RANGE}")
    across, down = g.cell_grid(width, height, cell_log2)
    require(
        across * down <= MAX_CELLS_PER_GAUSSIAN * count + CELL_ALLOWANCE,
        f"{across * down} cells are too many for {count} Gaussians",
    )


def _is_inside(value: float, bounds: tuple[float, float]) -> bool:
    """Whether a value is within bounds, both included."""
    return bounds[0] <= value <= bounds[1]  # false for NaN
