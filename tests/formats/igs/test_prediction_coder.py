"""Coding by prediction: against a plain reading of docs/igs-format.md, round trips, and what is not a stream."""

from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imagegs_tex.formats.igs import context_coder
from imagegs_tex.formats.igs.container import decode_igs, encode_igs, section_sizes
from imagegs_tex.formats.igs.prediction_coder import (
    Items,
    cell_items,
    decode_planes,
    encode_planes,
    feature_items,
    shape_items,
)
from imagegs_tex.formats.igs.trained_start import LAYERS, WEIGHTS

T = [22, 36, 60, 98, 162, 267, 439, 720, 1179, 1921, 3108, 4971, 7812, 11955, 17625, 24743, 32768, 40793, 47911, 53581,
     57724, 60565, 62428, 63615, 64357, 64816, 65097, 65269, 65374, 65438, 65476, 65500, 65514]  # fmt: skip


def squash(x):
    i, f = (x >> 7) + 16, x & 127
    return (T[i] * (128 - f) + T[i + 1] * f + 64) >> 7


SQUASHED = [squash(x) for x in range(-2047, 2048)]


@cache
def stretch(i):
    return next((x for x, value in zip(range(-2047, 2048), SQUASHED, strict=True) if value >= 16 * i), 2047)


def clamp(x, r):
    return max(-r, min(r, x))


def length(value):
    return abs(value).bit_length()


def sign(value):
    return 0 if value == 0 else 1 if value > 0 else 2


def lg(x):
    e = length(x) - 1
    return 256 * e + ((x * 256) >> e) - 256


def ex(t):
    return ((256 + (t & 255)) << (t >> 8)) >> 8


def above(t):
    return (1 << 40) // (256 + ((256 + (t & 255)) << (t >> 8))) if t >= 0 else (1 << 32) - above(-t)


def moved(p, count, yes):
    share = 655360 // (10 * count + 16)
    return p + (((65535 - p) * share) >> 16) if yes else p - ((p * share) >> 16)


class PlainDecoder:
    """The page, line by line, in plain Python."""

    constant, rate, units = 77, 22, ()

    def __init__(self, data, across, down, cells=None, shapes=None, positions=None, exponents=None):
        self.data, self.at, self.low, self.high = data, 4, 0, 2**32 - 1
        self.x = int.from_bytes(data[:4].ljust(4, b"\0"), "big")
        self.passed = 0
        self.weights = {}
        own = list(range(across * down)) if cells is None else cells
        self.places = [divmod(cell, across) for cell in own]
        self.inside = {(row, column): [] for row in range(down) for column in range(across)}
        for n, place in enumerate(self.places):
            self.inside[place].append(n)
        self.groups, self.terms = [0] * len(own), [[] for _ in own]
        if shapes is not None:
            self.know_features(shapes, positions, exponents)
        elif cells is not None:
            self.know_shapes()
        self.near = [self.neighbours(n, positions, exponents) for n in range(len(own))]
        self.up = [self.last_above(*place) for place in self.places]

    def know_shapes(self):
        for n, (row, column) in enumerate(self.places):
            cell = self.inside[row, column]
            self.groups[n] = min(4, 2 * len(cell) - 2) + (n != cell[0])
            around = [(dr, dc) for dr in range(-2, 3) for dc in range(-2, 3)]
            counts = [(len(self.inside.get((row + dr, column + dc), [])), dr * dr + dc * dc) for dr, dc in around]
            self.terms[n] = [lg(18 + sum(60 * count // (1 + square) for count, square in counts))]

    def know_features(self, shapes, positions, exponents):
        mean = sum(size for size, _, _ in shapes) // len(shapes)
        for n, (size, *form) in enumerate(shapes):
            m, h, b = size - mean, *map(abs, form)
            self.groups[n] = clamp(m // 3, 3) + 3
            self.terms[n] = [43 * m, 7 * min(4096, m * m), 32 * max(h, b) + 12 * min(h, b)]

    def neighbours(self, n, positions, exponents):
        row, column = self.places[n]
        found = []
        for r in range(row - 3, row + 1):
            for c in range(column - 3, column + 4 if r < row else column + 1):
                for j in [j for j in self.inside.get((r, c), []) if j < n][-4:]:
                    if positions is None:
                        distance = 512 + 1024 * ((r - row) ** 2 + (c - column) ** 2)
                    else:
                        square = 0
                        for axis in (0, 1):
                            here, there = ((2 * positions[i][axis] + 1) << (exponents[i][axis] + 4) for i in (n, j))
                            square += sum((abs(here - there) >> (exponents[i][axis] + 4)) ** 2 for i in (n, j))
                        distance = 480 + min(2**26, square)
                    found.append((j, distance))
        return found

    def last_above(self, row, column):
        return next((self.inside[r, column][-1] for r in range(row - 1, -1, -1) if self.inside[r, column]), -1)

    def decide(self, probability):
        d = self.high - self.low
        mid = self.low + (d >> 16) * probability + (((d & 65535) * probability) >> 16)
        yes = self.x <= mid
        self.low, self.high = (self.low, mid) if yes else (mid + 1, self.high)
        while self.low >> 24 == self.high >> 24:
            byte = self.data[self.at] if self.at < len(self.data) else 0
            self.at, self.passed = self.at + 1, self.passed + 1
            self.x = (self.x * 256 + byte) % 2**32
            self.low, self.high = self.low * 256 % 2**32, (self.high * 256 + 255) % 2**32
        return int(yes)

    def planes(self, centres):
        self.values, self.errors = [], []
        count = len(self.places)
        for k in range(len(centres)):
            self.begin(k)
            self.values.append([])
            self.errors.append([])
            self.statistics = {}
            self.a, self.p = [16384] + [0] * (k + 1), [65536] * (k + 2)
            terms = 1 + k + len(self.terms[0])
            self.g0, self.g, self.t = 131072, [0] * terms, [0] * terms
            self.steps = [2**20 // (64 * sum(map(abs, plane)) // count + 6) for plane in self.values[:k]]
            for n in range(count):
                self.item(n, k)
        return [[v + centre for v in plane] for plane, centre in zip(self.values, centres, strict=True)]

    def item(self, n, k):
        plane, errors = self.values[k], self.errors[k]
        total = values = misses = sizes = heaviest = nearest = 0
        for j, distance in self.near[n]:
            u = 64
            for i in range(max(0, k - 8), k):
                u += min(512, (abs(self.values[i][n] - self.values[i][j]) * self.steps[i]) >> 7)
            weight = max(1, 2**48 // (distance * u**3))
            total, values, misses = total + weight, values + weight * plane[j], misses + weight * abs(errors[j])
            sizes += weight * abs(plane[j])
            if weight >= heaviest:
                heaviest, nearest = weight, plane[j]
        missed = [self.errors[i][n] for i in range(k)]
        x = [64 * values // total if total else 0, 64, *missed]
        mu = clamp(sum(a * x for a, x in zip(self.a, x, strict=True)) >> 16, 2**29)
        y = [lg((misses // total if total else 0) + 20), *(lg(abs(e) + 20) for e in missed), *self.terms[n]]
        off = [y - (t >> 8) for y, t in zip(y, self.t, strict=True)]
        scatter = (256 * self.g0 + sum(g * o for g, o in zip(self.g, off, strict=True))) >> 16
        scatter = min(2304, max(-768, scatter))
        sigma = ex(scatter + 1536)

        contexts = self.contexts(n, k, mu, sigma, scatter, nearest)
        self.know(n, k, [2 * mu, scatter - 600, 2 * x[0], y[0] - 1100], nearest, 64 * sizes // max(1, total), heaviest)
        value = self.value(mu, sigma, self.groups[n], contexts)
        error = clamp(64 * value - mu, 2**29)
        plane.append(value)
        errors.append(error)

        s = max(20, sigma)
        for i in range(k + 2):
            u = clamp(256 * x[i] // s, 65536)
            self.p[i] += (5 * (u * u - self.p[i])) >> 8
            self.a[i] = clamp(self.a[i] + clamp(256 * error // s, 768) * u * 655 // (self.p[i] + 66), 2**22)
        d = min(1024, 256 * abs(error) // sigma) - 256
        self.g0 = clamp(self.g0 + 10 * d, 2**22)
        self.g = [clamp(g + ((13 * d * o) >> 12), 2**22) for g, o in zip(self.g, off, strict=True)]
        share = 655360 // (10 * min(n, 120) + 16)
        self.t = [t + (((256 * y - t) * share) >> 16) for y, t in zip(y, self.t, strict=True)]

    def begin(self, k):
        """What codec 5 does before a plane."""

    def know(self, n, k, expected, nearest, sizes, heaviest):
        """What codec 5 finds out before a value."""

    def row(self, node):
        return node

    def first(self, _):
        return [2600] * 10 + [13100, 0]

    def contexts(self, n, k, mu, sigma, scatter, nearest):
        plane = self.values[k]
        on_left = plane[n - 1] if n else 0
        up = plane[self.up[n]] if self.up[n] >= 0 else on_left
        v, v1, v2 = (self.values[k - back][n] if k >= back else 0 for back in (1, 2, 3))
        most = max((length(other[n]) for other in self.values[:k]), default=0)
        mixed = 0
        for other in self.values[:k]:
            mixed = (mixed * 0x9E3779B1 + (other[n] + 77) * 0x85EBCA6B) % 2**32
        q = min(19, max(0, (scatter >> 7) + 6))
        rho = clamp((4 * mu + sigma) // (2 * sigma), 9) + 9
        group = self.groups[n]
        features = len(self.terms[n]) == 3
        return [
            0, min(6, length(v)) * 7 + min(6, length(v1)), group * 9 + sign(on_left) * 3 + sign(up),
            min(9, most) * 4 + min(3, length(on_left)), (q >> 1) * 7 + group, (v & 31) * 32 + (v1 & 31),
            clamp(nearest, 63) + 63, (sign(v) * 9 + sign(v1) * 3 + sign(v2)) * 20 + q, mixed >> 22,
            group * 19 + rho if features else (clamp(on_left, 63) + 63) * 2 + (group & 1),
        ]  # fmt: skip

    def value(self, mu, sigma, group, contexts):
        s = max(20, sigma)

        def larger(x):
            return above(clamp((64 * x + 32 - mu) * 615 // s, 5120))

        def ask(node, part, whole):
            keys = [(i, context, node) for i, context in enumerate(contexts)]
            found = [self.statistics.get(key, (32768, 0)) for key in keys]
            share = stretch(min(4095, 4096 * part // whole))
            x = [*(stretch(p >> 4) for p, _ in found), share, self.constant, *self.units]
            row = self.row(node)
            sets = [self.weights.setdefault(key, self.first(key)) for key in (row, (row, group))]
            total = sum((w + o) * x for w, o, x in zip(*sets, x, strict=True)) >> 16
            probability = squash(clamp(total, 2047))
            yes = self.decide(probability)
            for weights in sets:
                for i in range(len(x)):
                    weights[i] += (x[i] * self.rate * (65536 * yes - probability) + 2**19) >> 20
            for key, (p, count) in zip(keys, found, strict=True):
                self.statistics[key] = (moved(p, count, yes), min(120, count + 1))
            return yes

        below = 2**32 - larger(-1)
        if not ask(0, below + larger(0), 2**32):
            return 0
        negative = ask(1, below, below + larger(0))
        z = 2 + 301 * negative
        mu = -mu if negative else mu
        bits = 1
        while bits < 23 and ask(z + bits - 1, larger(2**bits - 1), larger(2 ** (bits - 1) - 1)):
            bits += 1
        prefix, least, end = 1, 2 ** (bits - 1), 2**bits
        for place in range(bits - 1):
            middle = (least + end) // 2
            beyond = larger(end - 1)
            part, whole = larger(middle - 1) - beyond + 1, larger(least - 1) - beyond + 2
            node = z + 22 + 31 * (min(bits, 10) - 2) + prefix - 1
            bit = ask(node, part, whole) if place < 5 else self.decide(32768)
            prefix, least, end = 2 * prefix + bit, *((middle, end) if bit else (least, middle))
        return -least if negative else least


def signed(data):
    return [byte - 256 * (byte > 127) for byte in data]


class TrainedDecoder(PlainDecoder):
    """The same of codec 5."""

    constant, rate = 256, 10
    layers, trained = signed(LAYERS), signed(WEIGHTS)

    def begin(self, k):
        kind = len(self.terms[0])
        self.set = {0: 0, 1: 1 + k, 3: 4}[kind]
        if kind == 1:
            self.weights = {}

    def row(self, node):
        if node < 2:
            return node
        z, rest = (2, node - 2) if node < 303 else (17, node - 303)
        if rest < 22:
            return z + min(rest, 7)
        bits = min(5, 2 + (rest - 22) // 31)
        return z + 8 if bits == 2 else z + 2 * bits + 3 + ((rest - 22) % 31 > 0)

    def first(self, key):
        at = 28 * (32 * self.set + key) if isinstance(key, int) else 0
        return [512 * w for w in self.trained[at : at + 28]] if isinstance(key, int) else [0] * 28

    def know(self, n, k, expected, nearest, sizes, heaviest):
        plane, before = self.values[k], [self.values[k - back][n] if k >= back else 0 for back in (1, 2, 3)]
        missed = [2 * self.errors[k - back][n] if k >= back else 0 for back in (1, 2)]
        on_left = plane[n - 1] if n else 0
        up = plane[self.up[n]] if self.up[n] >= 0 else on_left
        x = [*expected, 64 * on_left, 64 * up, 64 * nearest]
        for back in (1, 2):
            x += [64 * before[back - 1], lg(64 * abs(before[back - 1]) + 20) - 1300 if k >= back else 0]
        x += [lg(sizes + 20) - 1100, lg(64 * sum(map(abs, plane)) // (n + 2) + 20) - 1100]
        row, column = self.places[n]
        cell = self.inside[row, column]
        if not self.terms[n]:
            steps = [(0, -1), (-1, 0), (-1, -1), (-1, 1), (0, -2), (-2, 0)]
            cells = [self.inside.get((row + down, column + right), []) for down, right in steps]
            x += [256 * plane[cell[0]] if cell else 0 for cell in cells] + missed + [0]
        elif len(self.terms[n]) == 1:
            place = cell.index(n)
            x += [0 if place else x[4], 256 if place else 0, 256 * (len(cell) - 1), 256 * place]
            x += [256 * (len(cell) - 1 - place), self.terms[n][0] - 1500, *missed, 0]
            x[4] = x[4] if place else 0
        else:
            size = clamp(self.terms[n][0] // 43, 60)
            x += [24 * size, size * size >> 1, (self.terms[n][2] >> 1) - 300, 256 * min(7, k), *missed]
            others = [lg(64 * abs(other[n]) + 20) for other in self.values[: max(0, k - 2)]]
            x += [sum(others) // len(others) - 1300 if others else 0, lg(heaviest) - 6000 if heaviest else 0]
            x += [64 * before[2]]
        x = [clamp(value, 2047) for value in x]
        layer = self.layers[16 * 23 * self.set : 16 * 23 * (self.set + 1)]
        units = [layer[23 * j : 23 * (j + 1)] for j in range(16)]
        self.units = [
            clamp((256 * unit[22] + sum(a * b for a, b in zip(unit, x, strict=False))) >> 7, 1023) for unit in units
        ]


@dataclass
class Made:
    """Made-up items of one kind, for the coder and for the page."""

    items: Items
    plain: dict

    @property
    def count(self):
        return len(self.items.cells)


def made_items(kind, count, across, down, *, seed=0, cell_log2=4):
    """count items; of kind cells as many as the grid has."""
    plain = {"across": across, "down": down}
    if kind == "cells":
        return Made(cell_items(across, down), plain)
    generator = np.random.default_rng(seed)
    cells = np.sort(generator.integers(0, across * down, count))
    plain["cells"] = cells.tolist()
    if kind == "shapes":
        return Made(shape_items(cells, across, down), plain)
    shapes = np.rint(generator.normal([20, 0, 0], [6, 4, 4], (count, 3))).astype(np.int32)
    exponents = generator.integers(-3, 3, (count, 2))
    corners = np.stack([cells % across, cells // across], axis=1)
    texels = (corners + generator.random((count, 2))) * 2**cell_log2
    return with_features(plain, shapes, np.floor(texels / 2.0**exponents).astype(np.int64), exponents)


def with_features(plain, shapes, positions, exponents):
    items = feature_items(np.array(plain["cells"]), plain["across"], plain["down"], shapes, positions, exponents)
    lists = {"shapes": shapes.tolist(), "positions": positions.tolist(), "exponents": exponents.tolist()}
    return Made(items, plain | lists)


def made_planes(seed, count, planes, scale):
    generator = np.random.default_rng(seed)
    codes = np.rint(generator.standard_cauchy((count, planes)) * scale)
    codes[generator.random((count, planes)) < 0.3] = 7
    return np.clip(codes, -30000, 30000).astype(np.int32)


def smooth_planes(made, planes, scale):
    """Codes that vary slowly with where the Gaussians lie, with little noise."""
    generator = np.random.default_rng(planes)
    texels = (np.array(made.plain["positions"]) + 0.5) * 2.0 ** np.array(made.plain["exponents"])
    waves = np.sin(texels @ generator.normal(0, 0.005, (2, planes)) + generator.uniform(0, 6, planes))
    return np.rint(scale * waves + generator.normal(0, 0.3, waves.shape)).astype(np.int32)


def check_the_page(codes, made, *, trained=False):
    planes = codes.shape[1]
    data = encode_planes(codes, made.items, trained=trained)
    centres = [int(c) for c in np.frombuffer(data[: 2 * planes], "<i2")]
    decoder = (TrainedDecoder if trained else PlainDecoder)(data[2 * planes :], **made.plain)
    np.testing.assert_array_equal(np.array(decoder.planes(centres)).T, codes)
    assert decoder.passed + 1 == len(data) - 2 * planes


@pytest.mark.parametrize("trained", [False, True])
@pytest.mark.parametrize(
    ("kind", "count", "across", "down", "planes", "scale", "zeros"),
    [
        ("cells", 1, 1, 1, 1, 3, 0),
        ("cells", 143, 13, 11, 1, 2, 0),
        ("cells", 60, 3, 20, 2, 4000, 0),
        ("shapes", 1, 1, 1, 3, 5, 0),
        ("shapes", 150, 12, 9, 3, 0.7, 0),
        ("shapes", 100, 3, 2, 3, 60, 0),  # some 16 in a cell
        ("shapes", 60, 30, 30, 3, 30000, 0),
        ("features", 1, 5, 5, 2, 5, 0),
        ("features", 150, 9, 8, 4, 6, 0),
        ("features", 120, 3, 3, 3, 4000, 0),  # some 13 in a cell
        ("features", 90, 8, 6, 10, 3, 0),
        ("features", 100, 6, 7, 12, 1, 9),
        ("features", 60, 5, 4, 9, 30000, 0),
    ],
)
def test_the_page_decodes_what_is_coded(kind, count, across, down, planes, scale, zeros, trained):
    made = made_items(kind, count, across, down, seed=count)
    codes = made_planes(count, made.count, planes, scale)
    codes[:, 1 : 1 + zeros] = 0
    check_the_page(codes, made, trained=trained)


@pytest.mark.parametrize("trained", [False, True])
def test_the_page_decodes_smooth_planes(trained):
    made = made_items("features", 150, 5, 4, seed=1)
    check_the_page(smooth_planes(made, 5, 70), made, trained=trained)


def test_the_page_and_the_c_header_have_what_was_trained(repository):
    page = (repository / "docs" / "igs-format.md").read_text("utf-8").split("**Trained units and weights.**")[1]
    header = (repository / "runtime" / "c" / "igs.h").read_text("utf-8")
    listings = ((1, "igs__trained_layers[", LAYERS), (3, "igs__trained_weights[", WEIGHTS))
    for listing, table, trained in listings:
        assert bytes.fromhex(page.split("```")[listing]) == trained
        numbers = header.split(f"char {table}")[1].split("{")[1].split("}")[0]
        assert [int(number) for number in numbers.replace(",", " ").split()] == signed(trained)


def test_trained_starts_take_fewer_bytes(repository):
    """Of real codes, few as the golden file's are."""
    data = (repository / "tests" / "golden" / "version_4.igs").read_bytes()
    before, after = (
        {size.name: size.stored_bytes for size in section_sizes(d)} for d in (data, encode_igs(decode_igs(data)))
    )
    assert (
        after["cells"] + after["shapes"] + after["features"] < before["cells"] + before["shapes"] + before["features"]
    )
    assert after["shapes"] < before["shapes"]


def test_the_page_decodes_what_lies_at_the_ends_of_contexts():
    made = made_items("shapes", 150, 6, 5)
    check_the_page(np.random.default_rng(7).choice([-65, -64, -63, 0, 0, 0, 63, 64, 65], (150, 3)), made)


def test_the_page_decodes_where_scatter_is_at_its_most():
    # means far apart; errors that are always larger than expected while Gaussians suddenly get larger, then hardly any
    made = made_items("features", 2000, 12, 10, seed=2, cell_log2=8)
    generator = np.random.default_rng(3)
    shapes = np.array(made.plain["shapes"])
    shapes[:, 0] = np.repeat([0, 100, 0], [450, 150, 1400]) + generator.integers(-9, 10, 2000)
    made = with_features(made.plain, shapes, np.array(made.plain["positions"]), np.array(made.plain["exponents"]))
    codes = generator.integers(-30000, 30000, (2000, 1))
    codes[600:] = generator.random((1400, 1)) < 0.02
    check_the_page(codes, made)


def test_the_page_decodes_where_expectations_are_at_their_most():
    # plane 1 is a large multiple of plane 0 for long, then much less than one; plane 2 depends on both
    made = made_items("cells", 700, 25, 28)
    generator = np.random.default_rng(4)
    signs = generator.integers(-1, 2, 700)
    codes = np.stack([signs * 16, signs * 3000, signs * 30 + generator.integers(-9000, 9001, 700)], axis=1)
    codes[600:] = generator.choice([-1, 1], (100, 3)) << [18, 22, 18]
    check_the_page(codes, made)


@given(
    st.integers(0, 2**32), st.sampled_from(["cells", "shapes", "features"]), st.integers(1, 300), st.integers(1, 5),
    st.sampled_from([0.0, 0.2, 5.0, 900.0, 30000.0]), st.booleans(),
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_planes_come_back(seed, kind, count, planes, scale, trained):
    across, planes = 1 + seed % 17, min(planes, 3) if kind == "shapes" else planes
    made = made_items(kind, count, across, -(-count // across), seed=seed)
    codes = made_planes(seed, made.count, planes, scale)
    data = encode_planes(codes, made.items, trained=trained)
    np.testing.assert_array_equal(decode_planes(data, planes, made.items, trained=trained), codes)
    assert encode_planes(codes, made.items, trained=trained) == data


@pytest.mark.parametrize("kind", ["cells", "shapes", "features"])
@pytest.mark.parametrize("value", [-(1 << 22), 0, 1 << 22, 40000])
@pytest.mark.parametrize("trained", [False, True])
def test_large_numbers_come_back(kind, value, trained):
    made = made_items(kind, 4, 2, 2)
    codes = np.array([[0, 0], [value, -value], [3, value], [value, value]])
    data = encode_planes(codes, made.items, trained=trained)
    np.testing.assert_array_equal(decode_planes(data, 2, made.items, trained=trained), codes)


def test_a_byte_too_many_is_refused_and_one_too_few_never_passes_for_the_same():
    made = made_items("features", 150, 8, 8, seed=5)
    codes = made_planes(5, 150, 3, 6)
    data = encode_planes(codes, made.items)
    with pytest.raises(ValueError, match="takes"):
        decode_planes(data + b"\0", 3, made.items)
    for length in range(len(data)):  # what is left may happen to be a stream of its own, of other codes
        try:
            found = decode_planes(data[:length], 3, made.items)
        except ValueError:
            continue
        assert not np.array_equal(found, codes)


@pytest.fixture(scope="module")
def compiled():
    made = made_items("shapes", 1, 1, 1)
    decode_planes(encode_planes(np.zeros((1, 1), np.int32), made.items), 1, made.items)


@pytest.mark.usefixtures("compiled")
@given(st.binary(max_size=300), st.sampled_from(["cells", "shapes", "features"]))
@settings(max_examples=100, deadline=2000)
def test_any_bytes_give_codes_or_an_error_soon(data, kind):
    made = made_items(kind, 40, 8, 5)
    try:
        codes = decode_planes(data, 2, made.items)
    except ValueError:
        return
    assert codes.shape == (40, 2)


def test_smooth_features_take_a_fifth_less_than_by_context():
    made = made_items("features", 3000, 20, 15, seed=6)
    codes, items = smooth_planes(made, 6, 200), made.items
    neighbours = context_coder.cell_neighbours(items.cells, items.across)
    by_context = context_coder.encode_planes(codes, neighbours, items.groups)
    by_prediction = encode_planes(codes, items)
    assert len(by_prediction) < 0.8 * len(by_context)
