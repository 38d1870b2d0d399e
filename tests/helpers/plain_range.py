"""The range decoder, read as docs/igs-format.md describes it."""


class PlainRange:
    """Decisions of coded bytes; ``passed`` counts those that have left the window of four."""

    def __init__(self, data, bits=16):
        self.bits = bits  # of a probability
        self.data, self.at, self.low, self.high = data, 4, 0, 2**32 - 1
        self.x = int.from_bytes(data[:4].ljust(4, b"\0"), "big")
        self.passed = 0

    def decide(self, probability):
        d = self.high - self.low
        mid = self.low + (d >> self.bits) * probability + ((d % 2**self.bits * probability) >> self.bits)
        yes = self.x <= mid
        self.low, self.high = (self.low, mid) if yes else (mid + 1, self.high)
        while self.low >> 24 == self.high >> 24:
            byte = self.data[self.at] if self.at < len(self.data) else 0
            self.at, self.passed = self.at + 1, self.passed + 1
            self.x = (self.x * 256 + byte) % 2**32
            self.low, self.high = self.low * 256 % 2**32, (self.high * 256 + 255) % 2**32
        return int(yes)
