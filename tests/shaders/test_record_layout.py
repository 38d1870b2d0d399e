"""The records: read back with nothing but the layout, they are the set's codes."""

import numpy as np
import pytest
from helpers.made_gaussians import made_set

from imagegs_tex.formats.igs.quantized_set import dequantize
from imagegs_tex.shaders.record_layout import pack_records, record_layout


def read_field(records, field):
    """Bits of a field, one by one: slow and obvious."""
    bits = np.unpackbits(records.astype("<u4").view(np.uint8), axis=1, bitorder="little").astype(np.int64)
    own = bits[:, field.first_bit : field.first_bit + field.bit_count]
    return own @ (1 << np.arange(field.bit_count)) + field.least


@pytest.mark.parametrize(
    ("width", "height", "components"), [(96, 64, 4), (2048, 2048, 9), (2049, 5, 24), (16384, 16, 1), (3, 9000, 2)]
)
def test_records_hold_the_codes(width, height, components):
    quantized = made_set(width, height, 200, components, thinness=3.0)
    layout = record_layout(quantized)
    records = pack_records(quantized, layout)
    assert records.shape == (200, layout.word_count)
    for column, field in enumerate(layout.shape):
        assert np.array_equal(read_field(records, field), quantized.shape_codes[:, column])
    for column, field in enumerate(layout.features):
        assert np.array_equal(read_field(records, field), quantized.feature_codes[:, column])
    positions = np.stack([records[:, 0] & 0xFFFF, records[:, 0] >> 16], axis=1)
    assert np.array_equal(positions * 2.0**layout.position_exponent, dequantize(quantized).means)


def test_widest_and_narrowest_fields():
    quantized = made_set(count=3, channels=3)
    quantized.feature_codes[:] = [[-32768, 7, 0], [32767, 7, 1], [0, 7, 0]]
    layout = record_layout(quantized)
    assert [field.bit_count for field in layout.features] == [16, 0, 1]
    records = pack_records(quantized, layout)
    for column, field in enumerate(layout.features):
        assert np.array_equal(read_field(records, field), quantized.feature_codes[:, column])
    assert 32 * layout.word_count - layout.bit_count < 32


def test_some_field_straddles_two_words():
    layout = record_layout(made_set(channels=9))
    assert any(field.first_bit // 32 != (field.first_bit + field.bit_count - 1) // 32 for field in layout.features)
