"""Codec 6 written down from docs/igs-format.md alone, as plainly as it describes it, to hold ours against."""

from helpers.plain_prediction import SQUASHED, PlainDecoder, clamp, moved, stretch


class DescriptionDecoder(PlainDecoder):
    """The page, line by line, in plain Python."""

    def __init__(self, data, known=b"", fields=None):
        super().__init__(data, 1, 1)
        self.known, self.fields = known, fields
        self.slots, self.sets = {}, [[22000] * 6 for _ in range(4)]

    def read(self, count):
        found = bytearray()
        for byte in self.known:
            self.byte(found, byte)
        for _ in range(count):
            self.byte(found, None)
        return bytes(found[len(self.known) :])

    def byte(self, found, known):
        contexts, prefix = self.contexts(found), 1
        for place in range(7, -1, -1):
            prefix = 2 * prefix + self.bit(contexts, prefix, None if known is None else known >> place & 1)
        found.append(prefix - 256)

    def contexts(self, d):
        back = [*reversed(d[-6:]), 0, 0, 0, 0, 0, 0]
        if self.fields is None:
            return [joined(i, *back[:reach]) for i, reach in enumerate((0, 1, 2, 3, 4, 6))]
        n, (channels, components) = len(d), self.fields
        row, distances = 0, (2, 4, 2 * channels, 3)
        ends = [2 * channels, 4 * components, 2 * channels * components, 3 * (components + 3)]
        kind = 0
        while n >= ends[kind]:
            n -= ends[kind]
            kind += 1
        field = (n % 2, 2 + n % 4, 6 + n % 2, 8 + n % 3)[kind]
        if kind == 2:
            row = min(8, n // (2 * channels))
        like = d[-distances[kind]] if len(d) >= distances[kind] else 0
        further = [(), (like,), (back[0],), (row,), (back[0], like), (back[1],)]
        return [joined(i, field, *numbers) for i, numbers in enumerate(further)]

    def bit(self, contexts, prefix, known):
        numbers = [(h + prefix * 0x85EBCA6B) % 2**32 // 2**16 for h in contexts]
        seen = [self.slots.get(number, (32768, 0)) for number in numbers]
        s = [(stretch(p >> 4) * (0, 6, 8)[min(2, count)]) >> 3 for p, count in seen]
        weights = self.sets[min(3, sum(count > 0 for _, count in seen[1:]))]
        mixed = sum(w * x for w, x in zip(weights, s, strict=True)) >> 16
        probability = SQUASHED[clamp(mixed, 2047) + 2047]
        yes = self.decide(probability) if known is None else known
        for i, x in enumerate(s):
            weights[i] += (x * 82 * (65536 * yes - probability) + 2**19) >> 20
        for number in numbers:
            p, count = self.slots.get(number, (32768, 0))
            self.slots[number] = moved(p, count, yes), min(120, count + 1)
        return yes


def joined(*numbers):
    h = 0
    for number in numbers:
        h = (h + number + 1) * 0x9E3779B1 % 2**32
    return h
