"""Coding by context: against a plain reading of docs/igs-format.md, round trips, and what is not a stream."""

import numpy as np
import pytest
from helpers.plain_context import PlainContext
from hypothesis import given, settings
from hypothesis import strategies as st

from imagegs_tex.formats.igs.context_coder import (
    Neighbours,
    cell_neighbours,
    decode_planes,
    encode_planes,
    grid_neighbours,
)


def made_planes(seed, count, planes, scale):
    generator = np.random.default_rng(seed)
    codes = np.rint(generator.standard_cauchy((count, planes)) * scale)
    codes[generator.random((count, planes)) < 0.3] = 7
    return np.clip(codes, -30000, 30000).astype(np.int16)


def some_neighbours(seed, count, across):
    numbers = np.sort(np.random.default_rng(seed).integers(0, across * across, count))
    return cell_neighbours(numbers.astype(np.int64), across)


@pytest.mark.parametrize(("count", "planes", "scale"), [(1, 1, 3), (200, 4, 0.7), (120, 2, 4000), (60, 6, 20)])
def test_the_page_decodes_what_is_coded(count, planes, scale):
    codes = made_planes(count, count, planes, scale)
    neighbours = some_neighbours(1, count, 6)
    groups = np.random.default_rng(2).integers(0, 7, count)
    data = encode_planes(codes, neighbours, groups)
    centres = [int(c) for c in np.frombuffer(data[: 2 * planes], "<i2")]
    decoder = PlainContext(data[2 * planes :])
    found = decoder.planes(centres, neighbours.left.tolist(), neighbours.up.tolist(), groups.tolist())
    np.testing.assert_array_equal(np.array(found).T, codes)
    assert decoder.passed + 1 == len(data) - 2 * planes


@given(st.integers(0, 2**32), st.integers(1, 400), st.integers(1, 5), st.sampled_from([0.0, 0.2, 5.0, 900.0, 30000.0]))
@settings(max_examples=60, deadline=None)
def test_planes_come_back(seed, count, planes, scale):
    codes = made_planes(seed, count, planes, scale)
    neighbours = some_neighbours(seed, count, 1 + seed % 20)
    groups = np.random.default_rng(seed).integers(0, 7, count)
    data = encode_planes(codes, neighbours, groups)
    np.testing.assert_array_equal(decode_planes(data, planes, neighbours, groups), codes)
    assert encode_planes(codes, neighbours, groups) == data


@pytest.mark.parametrize("value", [-(1 << 22), 0, 1 << 22, 40000])
def test_large_numbers_come_back(value):
    codes = np.array([[0], [value], [3], [value]])
    neighbours, groups = grid_neighbours(4, 2), np.zeros(4, np.int64)
    np.testing.assert_array_equal(decode_planes(encode_planes(codes, neighbours, groups), 1, neighbours, groups), codes)


def test_neighbours_are_the_one_before_and_the_last_one_above():
    # cells of a grid 3 across:  0: two, 1: one | 3: none, 4: two | 6: one, 7: one
    neighbours = cell_neighbours(np.array([0, 0, 1, 4, 4, 6, 7]), 3)
    assert neighbours.left.tolist() == [-1, 0, 1, 2, 3, 4, 5]
    assert neighbours.up.tolist() == [-1, -1, -1, 2, 2, 1, 4]
    assert grid_neighbours(5, 2).up.tolist() == [-1, -1, 0, 1, 2]


def test_a_byte_too_many_is_refused_and_one_too_few_never_passes_for_the_same():
    codes = made_planes(5, 150, 3, 6)
    neighbours, groups = some_neighbours(5, 150, 8), np.zeros(150, np.int64)
    data = encode_planes(codes, neighbours, groups)
    with pytest.raises(ValueError, match="takes"):
        decode_planes(data + b"\0", 3, neighbours, groups)
    for length in range(len(data)):  # what is left may happen to be a stream of its own, of other codes
        try:
            found = decode_planes(data[:length], 3, neighbours, groups)
        except ValueError:
            continue
        assert not np.array_equal(found, codes)


@given(st.binary(max_size=300))
@settings(max_examples=100, deadline=None)
def test_any_bytes_give_codes_or_an_error(data):
    neighbours, groups = (
        Neighbours(np.arange(-1, 39, dtype=np.int32), np.full(40, -1, np.int32)),
        np.zeros(40, np.int64),
    )
    try:
        codes = decode_planes(data, 2, neighbours, groups)
    except ValueError:
        return
    assert codes.shape == (40, 2)
