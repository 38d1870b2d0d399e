"""The sections that a file of version 4 may have beside those of every file, and which of them exclude each other."""

from typing import Final

from imagegs_tex.formats.igs.exact_samples import ExactSamples, pack_exact, unpack_exact
from imagegs_tex.formats.igs.header import Header
from imagegs_tex.formats.igs.planes import require
from imagegs_tex.formats.igs.quantized_set import QuantizedGaussianSet
from imagegs_tex.formats.igs.repeat_layer import RepeatLayer, pack_repeat, unpack_repeat
from imagegs_tex.formats.igs.residual_layer import ResidualLayer, pack_residual, unpack_residual

DETAIL_SECTION: Final = "detail"
EXACT_SECTION: Final = "exact samples"
RESIDUAL_SECTION: Final = "residual"
REPEAT_SECTION: Final = "repeat"
OPTIONAL_SECTIONS: Final = {7: DETAIL_SECTION, 8: EXACT_SECTION, 9: RESIDUAL_SECTION, 10: REPEAT_SECTION}
"""By their ids."""
MOST_OPTIONAL: Final = 3
"""Of one file: exact samples are alone."""


def pack_exact_section(exact: ExactSamples, header: Header) -> list[bytes]:
    """Return the section's parts; IgsError where the samples are not the picture's."""
    require(exact.codes.shape == (header.height, header.width, header.channel_count), "exact samples of another shape")
    return pack_exact(exact)


def unpack_exact_section(plain: dict[str, bytes], header: Header) -> ExactSamples | None:
    """Read exact samples where there are any; IgsError beside what they exclude."""
    if EXACT_SECTION not in plain:
        return None
    require(DETAIL_SECTION not in plain, "a file of exact samples has no detail")
    return unpack_exact(plain[EXACT_SECTION], header.width, header.height, header.channel_count)


def pack_residual_section(quantized: QuantizedGaussianSet, layer: ResidualLayer) -> list[bytes]:
    """Return the section; IgsError where a set cannot have it."""
    require(quantized.exact is None, "a file of exact samples has no residual")
    require(layer.basis_codes.shape[1] == quantized.channel_count, "a residual of another number of channels")
    return [pack_residual(layer, (quantized.width, quantized.height))]


def unpack_residual_section(plain: dict[str, bytes], header: Header) -> ResidualLayer | None:
    """Read a residual where there is one; IgsError beside exact samples."""
    if RESIDUAL_SECTION not in plain:
        return None
    require(EXACT_SECTION not in plain, "a file of exact samples has no residual")
    return unpack_residual(plain[RESIDUAL_SECTION], (header.width, header.height), header.channel_count)


def pack_repeat_section(quantized: QuantizedGaussianSet, layer: RepeatLayer) -> list[bytes]:
    """Return the section; IgsError where a set cannot have it."""
    require(quantized.exact is None, "a file of exact samples has no repeat")
    require(layer.blocks.basis_codes.shape[1] == quantized.channel_count, "a repeat of another number of channels")
    return [pack_repeat(layer, (quantized.width, quantized.height))]


def unpack_repeat_section(plain: dict[str, bytes], header: Header) -> RepeatLayer | None:
    """Read a repeat where there is one; IgsError beside exact samples."""
    if REPEAT_SECTION not in plain:
        return None
    require(EXACT_SECTION not in plain, "a file of exact samples has no repeat")
    return unpack_repeat(plain[REPEAT_SECTION], (header.width, header.height), header.channel_count)
