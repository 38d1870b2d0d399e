"""Codec 4 written down from docs/igs-format.md alone, as plainly as it describes it, to hold ours against."""

from itertools import pairwise

from helpers.plain_prediction import T, clamp, ex, length, lg, sign

FACTORS = {
    "cells": [[2240, 259, 0, 0, 0, 0, 0, 19098]],
    "shapes": [
        [309, 0, 0, 0, -216, 1711, -2753, 31837],
        [523, -117, 0, 0, -10, 594, -909, 30678],
        [1201, -371, -70, 0, 102, 334, -613, 27577],
    ],
    "features": [
        [2206, 0, 0, 0, -1345, 3591, 1886, 25051],
        [2270, -36, 0, 0, -649, 2121, 1, 20968],
        [2334, 177, -74, 0, -703, 1143, -154, 19804],
        [2753, 278, 118, -6, -189, 66, 100, 18670],
    ],
}
SECONDS = [
    [13952, 25903, 35818, 44236, 51210, 56838, 61573, 65535],
    [18633, 31847, 41961, 49549, 55287, 59811, 62966, 65535],
    [18074, 32052, 42157, 49394, 54465, 58664, 62380, 65535],
]
BOUNDS = [32, 96, 160, 224, 288, 800, 1824, 3872]


def limit(x, least, most):
    return max(least, min(most, x))


def share_below(bound, mean, scale):
    def g(x):
        i, f = (limit(x, -2048, 2047) >> 7) + 16, limit(x, -2048, 2047) & 127
        return (T[i] * (128 - f) + T[i + 1] * f) >> 7

    off = 256 * (bound - mean)
    return (7 * g(off // scale) + g(off // (3 * scale))) >> 3


class Row:
    def __init__(self, parts, seen):
        self.parts, self.seen = [list(part) for part in parts], [seen] * 7


def first_row(size, place):
    t, scale = abs(place - 12), ex(956 + 128 * size)
    mean = 0 if t == 0 else ex(512 + 128 * (size + t))
    mean = -mean if place < 12 else mean
    below = [share_below(bound, mean, scale) for bound in BOUNDS]
    under = [share_below(-bound, mean, scale) for bound in BOUNDS]
    shares = [below[0] - under[0]]
    shares += [b - a for a, b in pairwise(below)] + [a - b for a, b in pairwise(under)]
    sums = [sum(shares[: i + 1]) for i in range(15)]
    return Row([[*sums, 65535], *SECONDS, *SECONDS], 13)


class PlainFastDecoder:
    """The page, line by line, in plain Python."""

    def __init__(self, data, across, down, cells=None, shapes=None, positions=None, exponents=None, gaussians=0):
        self.data, self.at = data, 5
        self.x = int.from_bytes(data[:5], "little")
        self.weights = [[6553] * 5 for _ in range(7)]
        self.across, self.down = across, down
        self.kind = "cells" if cells is None else "shapes" if shapes is None else "features"
        own = list(range(across * down)) if cells is None else cells
        self.places = [divmod(cell, across) for cell in own]
        self.inside = {(row, column): [] for row in range(down) for column in range(across)}
        for n, place in enumerate(self.places):
            self.inside[place].append(n)
        self.groups = [0] * len(own)
        self.always = [[0, 0, 0] for _ in own]
        self.density = clamp(lg(64 * gaussians // len(own) + 8) - 600, 2047)
        if self.kind == "features":
            self.know_features(shapes)
        elif self.kind == "shapes":
            self.know_shapes()
        if self.kind != "cells":
            self.near = [self.neighbours(n, positions, exponents) for n in range(len(own))]

    def know_shapes(self):
        for n, (row, column) in enumerate(self.places):
            cell = self.inside[row, column]
            self.groups[n] = min(4, 2 * len(cell) - 2) + (n != cell[0])
            around = [(dr, dc) for dr in range(-2, 3) for dc in range(-2, 3)]
            near = sum(
                60 * len(self.inside.get((row + dr, column + dc), [])) // (1 + dr * dr + dc * dc) for dr, dc in around
            )
            self.always[n] = [lg(18 + near) - 1500, 100 * min(2, len(cell) - 1), 256 * (self.groups[n] % 2)]

    def know_features(self, shapes):
        mean = sum(size for size, _, _ in shapes) // len(shapes)
        for n, (m, *form) in enumerate(shapes):
            size, h, b = m - mean, *map(abs, form)
            self.groups[n] = clamp(size // 3, 3) + 3
            z = clamp(size, 60)
            self.always[n] = [24 * z, z * z >> 1, 16 * max(h, b) + 6 * min(h, b) - 300]

    def neighbours(self, n, positions, exponents):
        row, column = self.places[n]
        found = []
        for r in range(row - 2, row + 1):
            for c in range(column - 2, column + 3 if r < row else column + 1):
                for j in [j for j in self.inside.get((r, c), []) if j < n][-4:]:
                    far = 512 + 1024 * ((r - row) ** 2 + (c - column) ** 2)
                    if positions is not None:
                        square = 0
                        for axis in (0, 1):
                            here, there = ((2 * positions[i][axis] + 1) << (exponents[i][axis] + 4) for i in (n, j))
                            square += sum((abs(here - there) >> (exponents[i][axis] + 4)) ** 2 for i in (n, j))
                        far = 480 + min(2**17, square)
                    found.append((far, -j))
        return [(-j, max(1, 2**20 // far)) for far, j in sorted(found)[:8]]

    def take(self, start, width):
        self.x = width * (self.x >> 15) + self.x % 32768 - start
        if self.x < 2**24:
            self.x = self.x * 65536 + int.from_bytes(self.data[self.at : self.at + 2], "little")
            self.at += 2

    def bits(self, count):
        number = (self.x % 32768) >> (15 - count)
        self.take(number << (15 - count), 32768 >> count)
        return number

    def symbol(self, part, rows):
        sums, weights = [row.parts[part] for row in rows], self.weights[part]
        ends = []
        for i in range(len(sums[0])):
            m = sum((2 * w * c[i]) >> 16 for w, c in zip(weights, sums, strict=True)) >> 1
            ends.append(m - (m >> 9) + 4 * (i + 1))
        ends[-1] = 32768
        y = next(i for i, end in enumerate(ends) if self.x % 32768 < end)
        start = ends[y - 1] if y > 0 else 0
        width = ends[y] - start
        self.take(start, width)
        r = 15 - length(width)
        for i in range(1, 5):
            d = ((sums[i][y] - (sums[i][y - 1] if y > 0 else 0)) >> 1) - width
            e = min(d, 131068 >> r) << (r - 2) if r >= 2 else d >> (2 - r)
            weights[i] = limit(weights[i] + ((((weights[i] * e) >> 16) + 1) >> 1), 64, 32767)
        while sum(weights[1:]) > 32703:
            weights[1:] = [w - (w >> 4) for w in weights[1:]]
        weights[0] = 32767 - sum(weights[1:])
        for row, c in zip(rows, sums, strict=True):
            share = 655360 // (7 * row.seen[part] + 30)
            row.seen[part] = min(120, row.seen[part] + 1)
            for i in range(len(c)):
                c[i] += ((65535 - c[i]) * share) >> 16 if i >= y else -((c[i] * share) >> 16)
        return y

    def value(self, rows):
        first = self.symbol(0, rows)
        if first == 15:
            head = self.bits(4)
            below = head % 8 - 1
            if head % 8 == 7:
                below = min(23, 7 + self.bits(5)) - 1
            rest = 0 if below < 0 else 1
            if below > 15:
                rest = rest << (below - 15) | self.bits(below - 15)
            if below > 0:
                rest = rest << min(15, below) | self.bits(min(15, below))
            size = min(2**23 - 1, 61 + rest)
            return -size if head >= 8 else size
        negative, size = first > 7, first - 7 if first > 7 else first
        if size > 4:
            span = size - 4
            second = self.symbol(span + 3 if negative else span, rows)
            size = [5, 13, 29][span - 1] + (second << (span - 1))
            if span > 1:
                size += self.bits(span - 1)
        return -size if negative else size

    def rows_of(self, near_value, near_size, inputs, factors, others):
        inputs = [lg(near_size + 20) - 1100, *inputs]
        inputs = [clamp(x, 2047) for x in inputs]
        miss = sum(f * x for f, x in zip(factors, [*inputs, 256], strict=True)) >> 12
        size = limit((miss - 1024) >> 7, 0, 13)
        place = limit((lg(abs(near_value) + 1) - miss + 640) >> 7, 0, 12)
        place = 12 + (0 if near_value == 0 else place if near_value > 0 else -place)
        if (0, size, place) not in self.rows:
            self.rows[0, size, place] = first_row(size, place)
        rows = [self.rows[0, size, place]]
        for context, number in enumerate(others(size, place)):
            if (1 + context, number) not in self.rows:
                self.rows[1 + context, number] = Row(rows[0].parts, 0)
            rows.append(self.rows[1 + context, number])
        return rows

    def planes(self, centres):
        self.values = []
        for k in range(len(centres)):
            self.rows = {}
            count = len(self.places)
            self.steps = [2**20 // (64 * sum(map(abs, plane)) // count + 6) for plane in self.values[:3]]
            self.values.append([])
            for n in range(count):
                self.values[k].append(self.count(n) if self.kind == "cells" else self.item(n, k))
        return [[v + centre for v in plane] for plane, centre in zip(self.values, centres, strict=True)]

    def count(self, n):
        plane = self.values[0]
        row, column = divmod(n, self.across)

        def at(up, left):
            r, c = row - up, column - left
            return plane[r * self.across + c] if r >= 0 and 0 <= c < self.across else 0

        lf, ll, u, uu, ul, ur = at(0, 1), at(0, 2), at(1, 0), at(2, 0), at(1, 1), at(1, -1)
        near_value = 4 * (4 * (lf + u) + 2 * (ul + ur + ll + uu))
        near_size = 4 * (4 * (abs(lf) + abs(u)) + 2 * sum(map(abs, (ul, ur, ll, uu))))
        others = [
            limit(lf + 3, 0, 7) * 8 + limit(u + 3, 0, 7),
            limit(ul + ur + 4, 0, 12) * 13 + limit(lf + u + 4, 0, 12),
            limit(lf + ll + 4, 0, 8) * 9 + limit(u + uu + 4, 0, 8),
            limit((near_value >> 5) + 20, 0, 60),
        ]
        inputs = [self.density, 0, 0, 0, 0, 0]
        return self.value(self.rows_of(near_value, near_size, inputs, FACTORS["cells"][0], lambda *_: others))

    def item(self, n, k):
        plane = self.values[k]
        g = []
        for j, base in self.near[n]:
            unlike = 64
            for i in range(min(k, 3)):
                unlike += min(512, (abs(self.values[i][n] - self.values[i][j]) * self.steps[i]) >> 7)
            g.append(base * min(65535, 2**22 // max(4, min(255, unlike >> 4)) ** 3))
        weights = [0] * len(g)
        if sum(g) > 0:
            s = length(sum(g)) - 16
            part = 2**30 // int(sum(g) // 2**s if s >= 0 else sum(g) * 2**-s)
            weights = [((x // 2**s if s >= 0 else x * 2**-s) * part) >> 16 for x in g]
        held = [clamp(plane[j], 32767) for j, _ in self.near[n]]
        near_value = sum(w * v for w, v in zip(weights, held, strict=True)) >> 8
        near_size = sum(w * abs(v) for w, v in zip(weights, held, strict=True)) >> 8
        like = 0
        if sum(g) > 0:
            like = plane[self.near[n][max(range(len(g)), key=lambda i: (weights[i] >> 3, -i))][0]]
        v1, v2, v3 = (self.values[k - i][n] if k >= i else 0 for i in (1, 2, 3))
        sizes = [lg(64 * min(abs(self.values[i][n]), 32767) + 20) - 1300 for i in range(k)]
        inputs = [sizes[k - 1] if k > 0 else 0, sizes[k - 2] if k > 1 else 0, 0, *self.always[n]]
        if k > 2:
            inputs[2] = ((65536 // (k - 2) * sum(size + 1300 for size in sizes[: k - 2])) >> 16) - 1300
        trend = 0
        if k > 0:
            trend = (sign(v1) * 9 + sign(v2) * 3 + sign(v3)) * 14
            trend += limit((inputs[2] if k > 2 else inputs[0]) + 200 >> 6, 0, 13)

        def others(size, place):
            return (
                self.groups[n] * 13 + (place >> 1),
                (clamp(v1, 32) + 32) * 15 + clamp(v2, 7) + 7,
                (clamp(like, 40) + 40) * 7 + (size >> 1),
                trend,
            )

        sets = FACTORS[self.kind]
        return self.value(self.rows_of(near_value, near_size, inputs, sets[min(k, len(sets) - 1)], others))

    def is_at_the_end(self):
        return self.x == 2**24 and self.at == len(self.data)
