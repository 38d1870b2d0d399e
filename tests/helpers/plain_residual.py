"""Section 9 read as docs/igs-format.md describes it, as plainly as it does, to hold ours against."""

import struct

from helpers.plain_prediction import clamp, length, moved, squash, stretch
from helpers.plain_range import PlainRange


def diagonals(side):
    """The pairs (u, v) in the order in which places count them."""
    found = []
    for total in range(2 * side - 1):
        pairs = [(total - v, v) for v in range(side) if 0 <= total - v < side]
        found += pairs if total % 2 else pairs[::-1]
    return found


def level(x):
    return next((i for i, most in enumerate([0, 1, 2, 3, 5, 8, 14, 28]) if x <= most), 8)


class Model:
    """Weights and statistics of one kind of decision."""

    def __init__(self, stream):
        self.stream, self.weights, self.statistics = stream, {}, {}

    def ask(self, node, row, contexts):
        keys = [(i, context, node) for i, context in enumerate(contexts)]
        found = [self.statistics.get(key, (32768, 0)) for key in keys]
        x = [stretch(p >> 4) for p, _ in found]
        weights = self.weights.setdefault((row, node), [19660] * len(x))
        probability = max(1, squash(clamp(sum(w * v for w, v in zip(weights, x, strict=True)) >> 16, 2047)))
        yes = self.stream.decide(probability)
        for i, value in enumerate(x):
            weights[i] += (value * (65536 * yes - probability) * 41 + 2**18) >> 19
        for key, (p, count) in zip(keys, found, strict=True):
            self.statistics[key] = (moved(p, count, yes), min(120, count + 1))
        return yes


class PlainResidual(PlainRange):
    """The section's fields, and blocks: (x, y) -> {(k, u, v): q}."""

    def __init__(self, raw, width, height, channels):
        s, *self.offsets, self.step, count, components, zero = struct.unpack_from("<BbbbfIB3s", raw)
        assert zero == bytes(3)
        self.side, self.channels = 1 << s, channels
        self.basis = self.rows(raw, 16, components)
        self.read(raw[16 + 2 * components * channels :], (width, height), components)
        assert count == sum(len(block) for block in self.blocks.values())

    def rows(self, raw, at, components):
        channels = self.channels
        codes = struct.unpack_from(f"<{components * channels}h", raw, at)
        return [codes[k * channels : (k + 1) * channels] for k in range(components)]

    def read(self, coded, size, components):
        """The blocks that cover so many texels."""
        width, height = size
        super().__init__(coded)
        self.places = diagonals(self.side)
        self.end_model, self.model = Model(self), Model(self)
        self.blocks, self.lengths = {}, {}
        for y in range(-(-height // self.side)):
            for x in range(-(-width // self.side)):
                self.blocks[x, y] = {}
                for k in range(components):
                    self.component(x, y, k)
        assert self.passed + 1 == len(self.data)

    def end(self, x, y, k):
        left, above, before, second = (
            self.lengths.get(key, 0) for key in ((x - 1, y, k), (x, y - 1, k), (x, y, k - 1), (x, y, k - 2))
        )
        contexts = [k, (k, max(left, above), before), (left, above, before), (before, second)]
        bits = 0
        while bits < 9 and self.end_model.ask(bits, 0, contexts):
            bits += 1
        number = min(1, bits)
        for place in range(bits - 1):
            node = 6 + 3 * bits if place == 0 else 7 + 3 * bits + (number & 1)
            number = 2 * number + (self.end_model.ask(node, 0, contexts) if place < 2 else self.decide(32768))
        self.lengths[x, y, k] = length(number)
        return number

    def component(self, x, y, k):
        end = self.end(x, y, k)
        assert end <= self.side**2
        m = self.blocks[x, y]
        left, above, upleft, upright = (
            self.blocks.get(place, {}) for place in ((x - 1, y), (x, y - 1), (x - 1, y - 1), (x + 1, y - 1))
        )

        def at(block, j, u, v):
            return abs(block.get((j, u, v), 0))

        for p, (u, v) in enumerate(self.places[:end]):
            close = [(u - 1, v), (u, v - 1)]
            further = [(u - 1, v - 1), (u - 2, v), (u, v - 2)]
            later = [(u + 1, v), (u, v + 1)]
            n = 2 * sum(at(m, k, *place) for place in close) + sum(at(m, k, *place) for place in further)
            b = 2 * at(above, k, u, v) + 2 * at(left, k, u, v) + at(upleft, k, u, v) + at(upright, k, u, v)
            a = sum((3 if j >= k - 2 else 1) * at(m, j, u, v) for j in range(k))
            r = sum(at(block, k, *place) for block in (above, left) for place in close + further + later)
            d = sum(at(m, j, *place) for j in range(max(0, k - 2), k) for place in close + later)
            o = sum(abs(q) for key, q in m.items() if key[0] == k)
            filled = sum(abs(q) for q in m.values())
            g = min(7, length((8 * (u + v) // self.side) ** 2))
            contexts = [
                (k, p), (level(n), level(b), g), (k, level(a), g),
                (level((n + b) >> 1), level((2 * a + d) >> 1), level(r)), (k, min(15, end - 1 - p), level(n)),
                (level(o), level(2 * filled // (k + 1)), k), (level((n + b + a + r + d) >> 1), level(o), g),
            ]  # fmt: skip
            row = g, level((n + b + a) // 3)
            size = 1 if p == end - 1 else 0
            while size < 8 and self.model.ask(size, row, contexts):
                size += 1
            if size == 8:
                size = 7 + self.gamma()
            if size:
                m[k, u, v] = -size if self.decide(32768) else size

    def gamma(self):
        bits = 1
        while bits < 15 and self.decide(32768):
            bits += 1
        number = 1
        for _ in range(bits - 1):
            number = 2 * number + self.decide(32768)
        return number
