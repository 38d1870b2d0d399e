"""A reader of the GPU buffer written from docs/gpu-buffer.md alone: bit by bit, slow and obvious."""

import numpy as np

NEAR = [(-1, -1), (0, -1), (1, -1), (-1, 0), (1, 0), (-1, 1), (0, 1), (1, 1)]


class Bits:
    """Bits from a word on."""

    def __init__(self, words, first_word):
        self.words, self.at = words, 32 * first_word

    def take(self, count):
        value = 0
        for bit in range(count):
            value |= (int(self.words[self.at // 32]) >> self.at % 32 & 1) << bit
            self.at += 1
        return value


def bytes_of(word):
    return [int(word) >> 8 * place & 255 for place in range(4)]


def signed(value, width):
    return value - (1 << width) if width and value >> width - 1 else value


def read_material(words, number=0):  # noqa: PLR0915 - in the page's order
    """Return a material's Gaussians in the order of its tiles, and the entries (tile, Gaussian, mask)."""
    assert int(words[0]) == int.from_bytes(b"IGSB", "little")
    assert number < int(words[1])
    at = int(words[3 + number])
    head = words[at:]
    assert int(head[0]) == int.from_bytes(b"ISB1", "little")
    width, height = int(head[1]) & 0xFFFF, int(head[1]) >> 16
    components = bytes_of(head[2])[1]
    wrap = [bool(int(head[3]) & 1), bool(int(head[3]) & 2)]
    tile_log2, mask_log2, position_bits, offset_bits = bytes_of(head[5])
    count_bits, far_count_bits, near_count_bits, stride_bits = bytes_of(head[6])
    width_bits, tile_bits, index_bits, entry_count_bits = bytes_of(head[7])
    least = [signed(int(word) & 0xFFFF, 16) for word in head[24:27]]
    least_bits = [int(word) >> 16 for word in head[24:27]]
    across, down = -(-width >> tile_log2), -(-height >> tile_log2)
    tiles_at = at + int(head[9])
    tiles = []
    for tile in range(across * down):
        table = Bits(words, tiles_at)
        table.at += tile * offset_bits
        bits = Bits(words, tiles_at + table.take(offset_bits))
        start = bits.at
        count, far_count = bits.take(count_bits), bits.take(far_count_bits)
        near_counts = [bits.take(near_count_bits) for _ in NEAR]
        entry_count, stride = bits.take(entry_count_bits), bits.take(stride_bits)
        scales = [(bits.take(4), bits.take(1)) for _ in range(2)]
        widths = [bits.take(width_bits) for _ in range(3 + components)]
        base = [lowest + bits.take(above) for lowest, above in zip(least, least_bits, strict=True)]
        assert bits.at - start == int(head[8])
        gaussians = []
        for _ in range(count):
            begin = bits.at
            places = [((bits.take(position_bits - s - h) << h) | h) << s for s, h in scales]
            shape = [lowest + bits.take(bit_count) for lowest, bit_count in zip(base, widths[:3], strict=True)]
            features = [signed(bits.take(bit_count), bit_count) for bit_count in widths[3:]]
            x, y = places[::-1] if shape[1] < 0 else places
            x, y = x + (tile % across << position_bits), y + (tile // across << position_bits)
            assert bits.at - begin == stride
            gaussians.append([x, y, *shape, *features])
        near = [[bits.take(1) for _ in range(near_count)] for near_count in near_counts]
        far = [(bits.take(tile_bits), bits.take(index_bits)) for _ in range(far_count)]
        tiles.append((gaussians, near, far, bits, entry_count))
    entries = []
    for tile, (gaussians, near, far, bits, entry_count) in enumerate(tiles):
        found = [(tile, number) for number in range(len(gaussians))]
        for (right, below), touching in zip(NEAR, near, strict=True):
            x, y = tile % across + right, tile // across + below
            x, y = (x % across if wrap[0] else x), (y % down if wrap[1] else y)
            assert not touching or (0 <= x < across and 0 <= y < down and touching[-1])
            found += [(y * across + x, number) for number, touches in enumerate(touching) if touches]
        found += far
        assert len(found) == entry_count or not mask_log2
        mask_bits = 4**mask_log2 if mask_log2 else 0
        first = np.cumsum([0, *(len(other[0]) for other in tiles)])
        masks = np.zeros(len(found), dtype=np.int64)
        for block in range(mask_bits):
            masks |= np.array([bits.take(1) << block for _ in found], dtype=np.int64)
        for (source, place), mask in zip(found, masks.tolist(), strict=True):
            entries.append((tile, int(first[source]) + place, mask))
    table = np.array([gaussian for gaussians, *_ in tiles for gaussian in gaussians], dtype=np.int64)
    return table.reshape(-1, 5 + components), entries
