"""Section 10 read as docs/igs-format.md describes it, as plainly as it does, to hold ours against."""

import math
import struct

from helpers.plain_context import PlainContext
from helpers.plain_residual import PlainResidual


class PlainRepeat(PlainResidual):
    """The section's fields, its blocks: (x, y) -> {(v K' + k, u, v): q}, and weights: [V][cell]."""

    def __init__(self, raw, width, height, channels):
        s, *self.offsets, self.step, count, components = struct.unpack_from("<BbbbfIB", raw)
        pictures, *lattice, weight_bytes = struct.unpack_from("<B5HI", raw, 13)
        self.side, self.channels = 1 << s, channels
        self.period, self.origin, self.shift = lattice[:2], lattice[2:4], lattice[4]
        self.basis = self.rows(raw, 28, components)
        weights_at = 28 + 2 * components * channels
        coded_at = weights_at + weight_bytes
        most = self.period[0] - 1 if self.shift else self.origin[0]
        self.across = -(-(width + most) // self.period[0])
        self.down = -(-(height + self.origin[1]) // self.period[1])
        self.weights = self.read_weights(raw[weights_at:coded_at], pictures) if pictures else []
        self.read(raw[coded_at:], self.period, (pictures + 1) * components)
        assert count == sum(len(block) for block in self.blocks.values())

    def read_weights(self, coded, pictures):
        centres = struct.unpack_from(f"<{pictures}h", coded)
        decoder = PlainContext(coded[2 * pictures :])
        cells = range(self.across * self.down)
        found = decoder.planes(centres, [n - 1 for n in cells], [n - self.across for n in cells], [0] * len(cells))
        assert decoder.passed + 1 == len(decoder.data)
        return found

    def added(self, x, y):
        """What is added at a point of the picture, by channels."""
        row = math.floor((y + self.origin[1]) / self.period[1])
        right = x + (self.origin[0] + row * self.shift) % self.period[0]
        column = math.floor(right / self.period[0])
        right -= column * self.period[0]
        below = y + self.origin[1] - row * self.period[1]
        left_edge, top_edge = (math.floor(place / self.side) for place in (right, below))
        total = [0.0] * self.channels
        for (component, u, v), q in self.blocks[left_edge, top_edge].items():
            picture, k = divmod(component, len(self.basis))
            t = math.copysign(abs(q) + self.offsets[min(abs(q), 3) - 1] / 128, q) * self.step
            for frequency, place in ((u, below - top_edge * self.side), (v, right - left_edge * self.side)):
                t *= math.sqrt((2 if frequency else 1) / self.side) * math.cos(math.pi * frequency * place / self.side)
            weight = self.weights[picture - 1][row * self.across + column] / 64 if picture else 1
            total = [value + weight * t * b / 32767 for value, b in zip(total, self.basis[k], strict=True)]
        return total
