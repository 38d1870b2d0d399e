import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from imagegs_tex.formats.igs.bit_fields import pack_fields, unpack_fields

fields = st.lists(st.integers(0, 31).flatmap(lambda width: st.tuples(st.integers(0, 2**width - 1), st.just(width))))


def pack_one_by_one(pairs):
    """The definition: each field least significant bit first, from the least significant bit of the first byte."""
    bits = [value >> bit & 1 for value, width in pairs for bit in range(width)]
    bits += [0] * (-len(bits) % 8)
    return bytes(sum(bits[at + bit] << bit for bit in range(8)) for at in range(0, len(bits), 8))


@given(fields, st.integers(0, 20))
def test_fields_come_back_and_the_bytes_are_those_of_the_definition(pairs, skipped):
    values = np.array([value for value, _ in pairs], dtype=np.int64)
    widths = np.array([width for _, width in pairs], dtype=np.int64)
    packed = pack_fields(values, widths)
    assert packed == pack_one_by_one(pairs)
    assert np.array_equal(unpack_fields(packed, widths), values)
    skipped = min(skipped, len(pairs))
    first_bit = int(widths[:skipped].sum())
    assert np.array_equal(unpack_fields(packed, widths[skipped:], first_bit), values[skipped:])


def test_more_fields_than_are_handled_at_once():
    generator = np.random.default_rng(0)
    widths = generator.integers(0, 13, 200_000)
    values = generator.integers(0, 1 << widths)
    assert np.array_equal(unpack_fields(pack_fields(values, widths), widths), values)
