"""Where each parameter of a Gaussian lies in its record on the GPU.

A record is one 32-bit word of position followed by bit fields: the shape codes m, h, b and one code per component, each
as wide as the file's codes need (least code subtracted), packed without gaps and filled up to whole words. A field may
straddle two words: keeping fields inside words would cost a fifth word at 10 components of 7 bits and saves one shift.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.formats.igs.quantized_set import (
    QuantizedGaussianSet,
    least_exponent,
    position_exponents,
    shape_values,
)

WORD_BITS: Final = 32
POSITION_BITS: Final = 16
SHAPE_NAMES: Final = ("m", "h", "b")


@dataclass(frozen=True, slots=True)
class Field:
    """One code of the record. value of the code = stored bits + least."""

    name: str  # m, h, b, f0, f1, …
    first_bit: int  # counted from the least significant bit of the record's first word
    bit_count: int  # 0..16; 0 when all codes are equal
    least: int  # least code, int16


@dataclass(frozen=True, slots=True)
class RecordLayout:
    """All fields of a record."""

    position_exponent: int  # a position is its 16 bits times 2^position_exponent texels
    shape: tuple[Field, ...]  # m, h, b
    features: tuple[Field, ...]  # [K]
    word_count: int  # 32-bit words per record

    @property
    def bit_count(self) -> int:
        """Bits in use, at most 32 * word_count."""
        last = (*self.shape, *self.features)[-1]
        return last.first_bit + last.bit_count


def record_layout(quantized: QuantizedGaussianSet) -> RecordLayout:
    """Choose the narrowest fields that hold every code of a set."""
    at = 2 * POSITION_BITS
    fields = []
    names = [*SHAPE_NAMES, *(f"f{k}" for k in range(quantized.component_count))]
    for name, codes in zip(names, _codes(quantized).T, strict=True):
        least, most = int(codes.min()), int(codes.max())
        fields.append(Field(name, at, (most - least).bit_length(), least))
        at += fields[-1].bit_count
    return RecordLayout(
        # Positions are odd multiples of half a step, and no step is finer than 2^e_min.
        position_exponent=least_exponent(quantized.width, quantized.height) - 1,
        shape=tuple(fields[: len(SHAPE_NAMES)]),
        features=tuple(fields[len(SHAPE_NAMES) :]),
        word_count=-(-at // WORD_BITS),
    )


def pack_records(quantized: QuantizedGaussianSet, layout: RecordLayout) -> NDArray[np.uint32]:
    """Return the records [N, word_count] in the order of the file."""
    shapes = shape_values(quantized.shape_codes, quantized.size_step, quantized.form_step)
    raised = position_exponents(shapes, quantized) - 1 - layout.position_exponent
    positions = ((2 * quantized.position_codes.astype(np.int64) + 1) << raised).astype(np.uint64)
    words = np.zeros((quantized.gaussian_count, layout.word_count), dtype=np.uint64)
    words[:, 0] = positions[:, 0] | positions[:, 1] << np.uint64(POSITION_BITS)
    for field, codes in zip((*layout.shape, *layout.features), _codes(quantized).T, strict=True):
        if field.bit_count == 0:
            continue
        word, shift = divmod(field.first_bit, WORD_BITS)
        stored = (codes.astype(np.int64) - field.least).astype(np.uint64) << np.uint64(shift)
        words[:, word] |= stored & np.uint64(0xFFFFFFFF)
        if shift + field.bit_count > WORD_BITS:
            words[:, word + 1] |= stored >> np.uint64(WORD_BITS)
    return words.astype(np.uint32)


def _codes(quantized: QuantizedGaussianSet) -> NDArray[np.int16]:
    return np.concatenate([quantized.shape_codes, quantized.feature_codes], axis=1)
