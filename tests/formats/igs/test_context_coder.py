"""Coding by context: against a plain reading of docs/igs-format.md, round trips, and what is not a stream."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imagegs_tex.formats.igs.context_coder import (
    Neighbours,
    cell_neighbours,
    decode_planes,
    encode_planes,
    grid_neighbours,
)

T = [1, 2, 4, 6, 10, 17, 27, 45, 74, 120, 194, 311, 488, 747, 1102, 1546, 2048, 2550, 2994, 3349, 3608, 3785, 3902,
     3976, 4022, 4051, 4069, 4079, 4086, 4090, 4092, 4094, 4095]  # fmt: skip


def squash(x):
    i, f = (x >> 7) + 16, x & 127
    return max(1, (T[i] * (128 - f) + T[i + 1] * f + 64) >> 7)


SQUASHED = [squash(x) for x in range(-2047, 2048)]


def stretch(p):
    return next((x for x, value in zip(range(-2047, 2048), SQUASHED, strict=True) if value >= p >> 4), 2047)


def length(value):
    return abs(value).bit_length()


def sign(value):
    return 0 if value == 0 else 1 if value > 0 else 2


class PlainDecoder:
    """The page, line by line, in plain Python."""

    def __init__(self, data):
        self.data, self.at, self.low, self.high = data, 4, 0, 2**32 - 1
        self.x = int.from_bytes(data[:4].ljust(4, b"\0"), "big")
        self.passed = 0

    def decide(self, probability):
        d = self.high - self.low
        mid = self.low + (d >> 12) * probability + (((d & 4095) * probability) >> 12)
        yes = self.x <= mid
        self.low, self.high = (self.low, mid) if yes else (mid + 1, self.high)
        while self.low >> 24 == self.high >> 24:
            byte = self.data[self.at] if self.at < len(self.data) else 0
            self.at, self.passed = self.at + 1, self.passed + 1
            self.x = (self.x * 256 + byte) % 2**32
            self.low, self.high = self.low * 256 % 2**32, (self.high * 256 + 255) % 2**32
        return int(yes)

    def planes(self, centres, left, up, groups):
        values = []
        for _ in centres:
            self.statistics, self.weights = {}, {}
            plane = []
            for n in range(len(left)):
                plane.append(self.value(values, plane, n, left[n], up[n], groups[n]))
            values.append(plane)
        return [[v + centre for v in plane] for plane, centre in zip(values, centres, strict=True)]

    def value(self, earlier, plane, n, left, up, group):
        on_left = plane[left] if left >= 0 else 0
        above = plane[up] if up >= 0 else on_left
        lam, ups = min(5, length(on_left)), min(5, length(above))
        a, b, c = (length(earlier[-k][n]) if len(earlier) >= k else 0 for k in (1, 2, 3))
        most = max((length(other[n]) for other in earlier), default=0)
        contexts = [
            0, min(6, a) * 7 + min(6, b), lam * 6 + ups, 100 + max(-100, min(100, (on_left + above + 1) >> 1)),
            min(11, 2 * a + b + c) * 4 + min(3, (lam + ups) >> 1), group * 9 + sign(on_left) * 3 + sign(above),
            min(9, most) * 4 + min(3, lam),
        ]  # fmt: skip

        def ask(node):
            weights = self.weights.setdefault(node, [9000] * 7)
            keys = [(i, context, node) for i, context in enumerate(contexts)]
            found = [self.statistics.get(key, (32768, 0)) for key in keys]
            stretched = [stretch(p) for p, _ in found]
            total = sum(w * s for w, s in zip(weights, stretched, strict=True)) >> 16
            probability = squash(max(-2047, min(2047, total)))
            yes = self.decide(probability)
            for i, (key, (p, count)) in enumerate(zip(keys, found, strict=True)):
                weights[i] += (stretched[i] * 20 * (4096 * yes - probability) + 32768) >> 16
                share = 655360 // (10 * count + 16)
                moved = p + (((65535 - p) * share) >> 16) if yes else p - ((p * share) >> 16)
                self.statistics[key] = (moved, min(120, count + 1))
            return yes

        if not ask(0):
            return 0
        negative = ask(1)
        bits = 1
        while bits < 23 and ask(1 + bits):
            bits += 1
        magnitude = prefix = 1
        for place in range(bits - 1):
            bit = ask(24 + 7 * (min(bits, 10) - 2) + prefix) if place < 3 else self.decide(2048)
            prefix, magnitude = 2 * prefix + bit, 2 * magnitude + bit
        return -magnitude if negative else magnitude


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
    decoder = PlainDecoder(data[2 * planes :])
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
