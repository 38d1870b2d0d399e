"""The header of a material in the buffer: everything that a decoder has to know of it before it looks at a texel.

docs/gpu-buffer.md lists the words. Everything is an integer or the nearest float32 of a number of the file.
"""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.formats.igs.noise_tile import block_count
from imagegs_tex.formats.igs.quantized_set import (
    BASIS_CODE_MAX,
    OFFSET_SCALE,
    QuantizedGaussianSet,
    least_exponent,
)
from imagegs_tex.shaders.derived_z import derived_normals
from imagegs_tex.shaders.exact_texels import texel_words
from imagegs_tex.shaders.meaning_table import meaning_words
from imagegs_tex.shaders.tile_layout import TileLayout

MAGIC: Final = 0x32425349  # "ISB2", as little-endian bytes
FIXED_WORDS: Final = 24
_WIDTHS_PER_WORD: Final = 16
_HALF_LOG2_E: Final = 0.5 * math.log2(math.e)


def size_factor(quantized: QuantizedGaussianSet) -> float:
    """Return the base-2 logarithm of the features' scale over m."""
    return -quantized.feature_exponent * _HALF_LOG2_E


def packed_layout(layout: TileLayout) -> tuple[int, int, int]:
    """Return the words that hold four numbers of a layout each."""
    return (
        layout.tile_log2 | layout.mask_log2 << 8 | layout.position_bits << 16 | layout.offset_bits << 24,
        layout.stride_bits | layout.count_bits << 8 | layout.reach_bits << 16 | layout.width_bits << 24,
        layout.group_count_bits | layout.entry_count_bits << 8 | layout.tile_bits << 16 | layout.listed_bits << 24,
    )


def least_words(layout: TileLayout) -> list[int]:
    """Return, for m, h and b, the file's least code and above it the bits of a tile's least code above that."""
    return [least & 0xFFFF | bits << 16 for least, bits in zip(layout.least, layout.least_bits, strict=True)]


def header_words(quantized: QuantizedGaussianSet) -> int:
    """Return how many words the header of a set takes."""
    components, channels = quantized.component_count, quantized.channel_count
    derived = len(derived_normals(quantized.maps))
    exact = 0 if quantized.exact is None else -(-channels // _WIDTHS_PER_WORD)
    table = len(meaning_words(quantized.maps, channels))
    return FIXED_WORDS + 3 + components + channels - (-components * channels // 2) + derived + exact + table


def header(
    quantized: QuantizedGaussianSet, layout: TileLayout, images: tuple[int, int], parts: dict[str, int], levels: int
) -> NDArray[np.uint32]:  # fmt: skip
    """Return the words.

    Args:
        quantized: a valid set
        layout: of its tiles
        images: of :class:`.tile_index.TileIndex`
        parts: first words of tiles, levels, envelope, and exact samples or layers, from the header; 0 without
        levels: first stored level, the last one above 8 bits, and above 16 the first stored itself
    """
    derived = list(derived_normals(quantized.maps).values())
    detail, exact = quantized.detail, quantized.exact
    layers = (detail, quantized.residual, quantized.repeat)
    has = sum(int(layer is not None) << 2 + place for place, layer in enumerate(layers))
    envelope = (0, 0) if detail is None else detail.envelope_codes.shape
    repeats = int(quantized.wrap[0]) | int(quantized.wrap[1]) << 1
    exact_words = 0 if exact is None else texel_words(exact)
    fixed = [
        MAGIC,
        quantized.width | quantized.height << 16,
        quantized.channel_count | quantized.component_count << 8 | len(derived) << 16,
        repeats | has | images[0] << 8 | images[1] << 16 | exact_words << 24,
        quantized.gaussian_count,
        *packed_layout(layout),
        layout.head_words,
        parts["tiles"],
        parts["levels"],
        levels,
        parts["envelope"],
        envelope[1] | envelope[0] << 16,
        block_count(quantized.width) | block_count(quantized.height) << 16,
        _float(2.0 ** (least_exponent(quantized.width, quantized.height) - 1)),
        _float(quantized.size_step),
        _float(quantized.form_step),
        _float(math.exp(-quantized.cutoff)),
        _float(quantized.cutoff * math.log2(math.e)),
        _float(size_factor(quantized)),
        _float(np.float64(quantized.basis_scale) / BASIS_CODE_MAX),
        parts["exact_or_layers"],
    ]
    steps = quantized.feature_steps.astype("<f4").view("<u4").tolist()
    offsets = (quantized.offset_codes / OFFSET_SCALE).astype("<f4").view("<u4").tolist()
    basis = quantized.basis_codes.astype("<i2").ravel()
    pairs = np.pad(basis, (0, len(basis) % 2)).view("<u4").tolist()
    normals = [x | y << 8 for x, y in derived]
    widths = [] if exact is None else exact.sample_bytes
    exact_widths = [
        sum(width << 2 * place for place, width in enumerate(widths[first : first + _WIDTHS_PER_WORD]))
        for first in range(0, len(widths), _WIDTHS_PER_WORD)
    ]
    rest = [*least_words(layout), *steps, *offsets, *pairs, *normals, *exact_widths]
    table = meaning_words(quantized.maps, quantized.channel_count)
    words = np.array([*fixed, len(fixed) + 1 + len(rest), *rest, *table], dtype=np.uint32)
    assert len(words) == header_words(quantized)
    return words


def _float(value: float) -> int:
    return int(np.array([value], dtype="<f4").view("<u4")[0])
