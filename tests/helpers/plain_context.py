"""Context coding read as docs/igs-format.md describes it, as plainly as it does, to hold ours against."""

from helpers.plain_range import PlainRange

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


class PlainContext(PlainRange):
    """The page, line by line, in plain Python."""

    def __init__(self, data):
        super().__init__(data, bits=12)

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
