"""Vectors in kernels, against numpy."""

import numpy as np
import pytest

from imagegs_tex.jit import VECTOR_BYTES, aligned, njit
from imagegs_tex.rasterize.cpu import exp2, simd
from imagegs_tex.rasterize.cpu.simd import LANES


@njit
def combined(array, out):
    one, other = simd.load(array, 0, 0), simd.load(array, 1, LANES)
    simd.store(out, 0, 0, simd.add(one, other))
    simd.store(out, 1, 0, simd.subtract(one, other))
    simd.store(out, 2, 0, simd.multiply(one, other))
    simd.store(out, 3, 0, simd.divide(one, other))
    simd.store(out, 4, 0, simd.maximum(one, other))
    simd.store(out, 5, 0, simd.where_positive(one, other))
    simd.store(out, 6, 0, simd.multiply_add(one, other, simd.broadcast(array[0, 3])))


@njit
def sums(array):
    rows = (simd.load(array, 0, 0), simd.load(array, 1, 0), simd.load(array, 0, 4), simd.load(array, 1, 8))
    return simd.reduce_add(rows[0]), simd.reduce_add_4(rows[0], rows[1], rows[2], rows[3])


@njit
def powers(array, out, one_by_one):
    simd.store(out, 0, 0, simd.exp2_of_minus(simd.load(array, 0, 0)))
    for i in range(array.shape[1]):
        one_by_one[i] = exp2.exp2_of_minus(array[0, i])


@njit
def by_eight_and_four(array, out):
    for row in range(2):
        eight, four = simd.load_8(array, row, 3), simd.load_4(array, row, 5)
        simd.store(out, row, 0, simd.multiply_add(eight, simd.broadcast_8(array[0, 0]), eight))
        simd.store(out, row, 8, simd.add(simd.broadcast_4(array[0, 1]), simd.multiply(four, four)))
    return simd.reduce_add(simd.load_8(array, 0, 1)), simd.reduce_add(simd.first_of_4(array[0, 2]))


@njit
def by_doubles(array, out):
    product = simd.multiply_then_add(
        simd.broadcast_4_doubles(array[0, 0]), simd.load_4_doubles(array, 1, 2), simd.load_4_doubles(array, 0, 1)
    )
    simd.store(out, 0, 1, product)


@njit
def transposed(array, out):
    simd.prefetch(array, 0, 0)
    simd.transpose_8(array, 1, 2, out, 3, 4)


@njit
def new_array(rows, length):
    return aligned(rows, length)


@pytest.fixture
def array():
    return np.random.default_rng(0).normal(size=(2, 2 * LANES)).astype(np.float32)


def test_operations(array):
    out = np.zeros((7, LANES), np.float32)
    combined(array, out)
    one, other = array[0, :LANES], array[1, LANES:]
    expected = [
        one + other, one - other, one * other, one / other, np.maximum(one, other), np.where(one > 0, other, 0),
        one * other + array[0, 3],
    ]  # fmt: skip
    np.testing.assert_allclose(out, expected, rtol=1e-5, atol=1e-6)


def test_sums(array):
    expected = [array[0, :LANES], array[1, :LANES], array[0, 4 : 4 + LANES], array[1, 8 : 8 + LANES]]
    alone, together = sums(array)
    np.testing.assert_allclose(together, [row.sum() for row in expected], rtol=1e-5, atol=1e-5)
    assert alone == pytest.approx(together[0], rel=1e-5)


def test_eight_and_four(array):
    out = np.zeros((2, 12), np.float32)
    alone, first = by_eight_and_four(array, out)
    np.testing.assert_allclose(out[:, :8], array[:, 3:11] * (array[0, 0] + 1), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(out[:, 8:], array[:, 5:9] ** 2 + array[0, 1], rtol=1e-5, atol=1e-6)
    assert alone == pytest.approx(array[0, 1:9].sum(), rel=1e-5, abs=1e-5)
    assert first == array[0, 2]


def test_doubles_are_rounded_before_they_are_added():
    array, out = np.random.default_rng(0).normal(size=(2, 8)), np.zeros((1, 6))
    by_doubles(array, out)
    assert np.array_equal(out[0], [0, *(array[0, 0] * array[1, 2:6] + array[0, 1:5]), 0])


def test_transposed_squares():
    array, out = np.random.default_rng(0).normal(size=(16, 12)).astype(np.float32), np.zeros((16, 20), np.float32)
    transposed(array, out)
    assert np.array_equal(out[3:11, 4:12], array[1:9, 2:10].T)
    assert np.count_nonzero(out) == 64


@pytest.mark.parametrize("largest", [1.0, 20.0, 300.0])
def test_powers_of_two(largest):
    numbers = np.linspace(0, largest, LANES, dtype=np.float32)[None]
    out, one_by_one = np.zeros((1, LANES), np.float32), np.zeros(LANES, np.float32)
    powers(numbers, out, one_by_one)
    expected = np.exp2(-np.minimum(numbers[0].astype(np.float64), exp2.LARGEST))
    np.testing.assert_allclose(out[0], expected, rtol=3e-7)
    np.testing.assert_allclose(one_by_one, expected, rtol=3e-7)
    assert out[0, 0] == 1.0


@pytest.mark.parametrize(("rows", "length"), [(1, 16), (3, 256), (7, 32)])
def test_rows_begin_where_vectors_do(rows, length):
    made = new_array(rows, length)
    assert made.shape == (rows, length)
    assert all(row.ctypes.data % VECTOR_BYTES == 0 for row in made)
