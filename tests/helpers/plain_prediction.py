"""Codecs 3 and 5 written down from docs/igs-format.md alone, as plainly as it describes them, to hold ours against."""

from functools import cache

from helpers.plain_range import PlainRange
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


class PlainDecoder(PlainRange):
    """The page, line by line, in plain Python."""

    constant, rate, units = 77, 22, ()

    def __init__(self, data, across, down, cells=None, shapes=None, positions=None, exponents=None):
        super().__init__(data)
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
